"""What a report's words mean, and numbers as people read them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from misread import percentages

MISSING = "-"
PICTURES: Final = "images"
IDS: Final = "ids"
REPORTS: Final = "text of reports"
OF_PATIENTS: Final = (PICTURES, IDS, REPORTS)
"""What of single patients a report may hold."""
WORDS: Final = (
    (
        "Image",
        "one entry of the audit with its report, metadata and prediction: a sample of the store, a row of tables.",
    ),
    (
        "Class",
        "the images of one label: a slice of misses is among images labelled 1, one of false alarms among those "
        "labelled 0. Rates, lift, phrases and metadata of a slice compare its held-out images of the class with all "
        "others of the class (elsewhere, outside). In an audit of losses all images are one class.",
    ),
    (
        "Taken of all images",
        "how many of all held-out images, of either label or of none, the slice's rule takes: how "
        "much of the work it touches.",
    ),
    ("Lift", "the error rate (or mean loss, or share of images) inside over that elsewhere; 1 is no difference."),
    (
        "q-value",
        "the p-value after allowing for how many slices (or phrases, metadata values, or subgroups) were tested: "
        "of all that are called found at q <= 0.05, one in twenty at most is expected to be chance.",
    ),
    ("z", "by how many standard errors the slice's reports use a word more."),
    (
        "Threshold",
        "a score of at least this is read as the finding. Column: given with the predictions; option: given for this "
        "audit; Youden: where sensitivity and specificity have the greatest sum, on the discovery half. Of the classes "
        "of one question the one with the highest score is what is read, without a threshold.",
    ),
    (
        "Borne out",
        "whether images that played no part in choosing a phrase have it more often inside too (q <= 0.05); one that "
        "is not borne out may be chance.",
    ),
    (
        "Said of it",
        "whether reports say that a phrase is there (present), is not there (absent), may be there "
        "(uncertain), or do not speak of it (unmentioned).",
    ),
    (
        "Rule of thumb",
        "metadata that nearly draw the slice. Precision: of the images that they take, how many are in "
        "the slice; recall: of the slice's images, how many they take.",
    ),
    (
        "Quarters",
        "numbers in metadata are told by the quarter they lie in, such as age 48 to 58. The quarters of phrases are "
        "those of the discovery half, those of metadata and subgroups of all images of the store, so edges may differ.",
    ),
    ("Fused space", "where every image lies by what was looked at, all together: like beside like."),
    ("A dash", "not known, or not shown as it comes from fewer than 11 patients."),
)
"""What a report's words mean."""
_LIMITS: Final = (
    "A slice is where errors, or high losses, gather. It is no proof of a cause: what goes with it may stand for "
    "something nobody recorded.",
    "A confirmed slice was chosen for being high in the held-out images, and mostly reads somewhat higher there than "
    "in others, the more so the nearer its q-value is to 0.05. Images to come tell its rate anew.",
    "Labels may be wrong. Where labels were made from reports, a slice can be a fault of the labels; that is what "
    "verdicts are for.",
    "These are the images, labels and scores that were given. What the classifier is meant for, how its images were "
    "chosen, whether they are like those it will read, and who answers for it, this report does not know: whoever "
    "passes it on adds it.",
    "What is not confirmed may still be real: with few patients only large differences can be seen (see what was "
    "audited, above).",
)
_AS_A_WHOLE: Final = (
    "How it reads as a whole: all images of the confirmation half, whose patients the search never saw, in slices or "
    "not. Missed are images with the finding; false alarms are images without it in which the finding is called."
)
_CHOSEN: Final = (
    " A threshold marked Youden was not given but chosen for this audit: at the one that the classifier is used with, "
    "other images are read wrongly, and another audit may choose another."
)
_SHOWN: Final = "Numbers of fewer than 11 patients are shown in this report: take care whom you give it to."
_HIDDEN: Final = (
    "Numbers that come from fewer than 11 patients are left out; wrong readings among more patients are counted "
    "however few they are. What is left out may still follow from two groups that differ in few patients, or from a "
    "total less its parts."
)


def limits_of(allow_small_cells: bool) -> tuple[str, ...]:
    """What a reader has to know of any report before leaning on it, a sentence or a few each."""
    return *_LIMITS, _SHOWN if allow_small_cells else _HIDDEN


def as_a_whole(targets: Sequence[Mapping[str, Any]]) -> str:
    """What the table of `missed` and `false_alarms` tells, and what its thresholds are."""
    return _AS_A_WHOLE + (_CHOSEN if any(one["threshold_source"] == "Youden" for one in targets) else "")


def what_was_audited(targets: Sequence[Mapping[str, Any]], *, by_loss: bool) -> str:
    """What the table of the halves tells, and what the least rates, or the least mean loss, in it are."""
    least = (
        "Least mean loss is the least" if by_loss else "Misses seen from and false alarms seen from are the least rates"
    )
    rows = targets[0]["smallest_effect_rows"] if targets else ""
    return (
        "What was audited. Slices are searched in the discovery half of the patients and tested in the confirmation "
        f"half. {least} at which a slice of {rows} images of the confirmation half, had it been found and tested "
        "alone, would have been confirmed with about 80 % power; a dash stands where none would."
    )


def borne_out(phrase: Mapping[str, Any]) -> str:
    """Whether the confirmation half bears a phrase out: yes, no, or no and rarer inside; a row of phrases, as shown."""
    if phrase["q_value"] is None:
        return MISSING
    if phrase["borne_out"]:
        return "yes"
    inside, outside = phrase["rate_inside"], phrase["rate_outside"]
    return "no" if inside is None or outside is None or inside >= outside else "no, rarer inside"


def half_of(rows: int | None, patients: int | None, errors: int | None) -> str:
    """A half of the patients: `160 images of 80 patients, 50 wrong`; without the last for losses."""
    if rows is None:
        return MISSING
    return f"{number(rows)} images of {number(patients)} patients" + (
        "" if errors is None else f", {number(errors)} wrong"
    )


def wrong_of(read: Mapping[str, Any] | None) -> str:
    """Of the images of a label, how many are read wrongly: `19 of 47, 40 % (28 % to 55 %)`."""
    if read is None:
        return MISSING
    rate = percent(read["error_rate"]) + interval(read["error_rate_low"], read["error_rate_high"], percent)
    return f"{number(read['errors'])} of {number(read['rows'])}, {rate}"


def threshold_of(target: Mapping[str, Any]) -> str:
    """`0.154 (Youden)`, or what takes the place of a threshold."""
    if target["threshold_source"] == "argmax":
        return "highest score"
    return MISSING if target["threshold"] is None else f"{number(target['threshold'])} ({target['threshold_source']})"


def left_out(reasons: Sequence[Mapping[str, Any]]) -> str:
    """`781 (no prediction)`, by reason; a number of few is not told."""
    told = ("few" if one["rows"] is None else number(one["rows"]) for one in reasons)
    return ", ".join(f"{rows} ({one['reason']})" for rows, one in zip(told, reasons, strict=True)) or MISSING


def interval(low: float | None, high: float | None, shown: Callable[[float | None], str]) -> str:
    """` (low to high)`, each `shown` as `percent` or `number` does; nothing where it is not known."""
    return "" if low is None else f" ({shown(low)} to {shown(high)})"


def percent(share: float | None) -> str:
    """A share of 1 as a percentage."""
    return MISSING if share is None else percentages.percent(share)


def number(value: float | None) -> str:
    """A number with three digits that count."""
    if value is None:
        return MISSING
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def holds_of_patients(holds: Collection[str], may_hold: Mapping[str, Collection[str]]) -> str:
    """What a report holds of OF_PATIENTS, and what it does not: `holds images and ids of patients, no text of …`.

    `may_hold`: where more of it may stand; nothing is said not to be there that may.
    """
    unsure = {name for names in may_hold.values() for name in names}
    there = listed([name for name in OF_PATIENTS if name in holds], "and")
    absent = listed([name for name in OF_PATIENTS if name not in unsure.union(holds)], "or")
    told = f"holds {there} of patients" if there else f"holds no {absent} of patients"
    told += f", no {absent}" if there and absent else ""
    for place, names in may_hold.items():
        more = listed([name for name in OF_PATIENTS if name in names and name not in holds], "or")
        told += f"; {place} may hold {more}" if more else ""
    return told


def listed(parts: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f" {last} ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def as_sentence(text: str) -> str:
    """A remark with a capital and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
