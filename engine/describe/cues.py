"""The words by which reports deny a thing or leave it open, and of which words they speak."""

from itertools import product
from typing import Final

Words = tuple[str, ...]

_SEEN = "seen|identified|visualised|visualized|visible|demonstrated|appreciated|evident|present|noted|detected"
_QUITE = "|entirely|completely|definitively|definitely|fully"
_CONTRACTED = "isn't|aren't|wasn't|weren't|don't|doesn't|didn't"

_ABSENT = f"""
no; none; nothing; not; without; w o; denies|deny; absent; never; nor; neither; negative|neg for; free|clear of;
absence|lack of; lacks; no evidence|sign|signs|suggestion|indication of; without evidence of; interval| removal of;
removed; interval|complete|been resolution of; rather than; instead of; no longer; fails to show; ruled out for;
resolved; {_CONTRACTED}; {_CONTRACTED.replace("'", chr(0x2019))}
"""
_ABSENT_AFTER = f"""
is|are|was absent; is|are|was|were| not |definitely|clearly|definitively {_SEEN}; is|are|was|were| no longer {_SEEN};
has|have|had {_QUITE}|now|since resolved; is|was| ruled out; is excluded; has|have been removed|excluded;
was|were removed; is|are| unlikely; is negative
"""
_UNCERTAIN = """
possible; possibly; probable; probably; likely; may|might|could represent|be|reflect; question of; question;
questionable; doubtful; suspected; suspect; cannot exclude; can not exclude; cannot rule out; can not rule out;
|does not exclude; to exclude; |to rule out; r o; evaluate|evaluation|eval|assess for; query; differential includes;
equivocal |for; perhaps; presumed; presumably; unclear if|whether
"""
_SUGGESTED = """
suspicious|concerning|worrisome|suspicion|concern|concerns for; suggestive|suspicion of; suggesting; suggests;
to suggest
"""
_UNCERTAIN_AFTER = f"""
cannot be {_QUITE} excluded; can not be {_QUITE} excluded; cannot be {_QUITE} ruled out; can not be {_QUITE} ruled out;
is|are| not {_QUITE} excluded; is|are| not {_QUITE} ruled out; is|are| difficult to exclude; may|might|could be present;
is|are possible|suspected|likely|probable|questioned; is|are |felt|considered|thought less likely;
should be considered; ?
"""
_NO_CUE = f"""
no change|changes; no interval|significant|definite change; no significant interval change; no increase|decrease;
not significantly| changed; not increased; not only; no further; without significant|interval| change; not certain;
not necessarily; more likely; not {_QUITE}|yet resolved; nearly|almost |completely resolved;
partially|incompletely resolved; not been removed; no|partial|incomplete|near-complete resolution of;
near complete resolution of;
not |well|definitely|clearly {_SEEN} on |the prior|previous|lateral|comparison; not previously {_SEEN}
"""
_TURN = """
but; however; although; though; except; aside|apart from; other than; which; nevertheless; yet; whereas; while; after;
following; status post; s p
"""


def _cues(text: str, kind: str) -> dict[Words, str]:
    """Cues are parted by `;`; of words with `|` between them one stands in its place, or, where one is empty, none."""
    choices = (product(*(word.split("|") for word in cue.split())) for cue in text.split(";"))
    return {tuple(filter(None, words)): kind for cue in choices for words in cue}


CUES: Final[dict[Words, str]] = {
    **_cues(_TURN, "turn"),
    **_cues(_ABSENT, "absent"),
    **_cues(_UNCERTAIN, "uncertain"),
    **_cues(_SUGGESTED, "suggested"),
    **_cues("versus; vs", "between"),
    **_cues(_ABSENT_AFTER, "absent after"),
    **_cues(_UNCERTAIN_AFTER, "uncertain after"),
    **_cues(_NO_CUE, "none"),
}
"""What each cue does: a `turn` ends what was said; `absent` and `uncertain` speak of the words after them, those with
`after` of the words before them; `suggested` leaves open what follows, unless it is denied with what suggests it;
`between` leaves both sides open; `none` only looks like a cue."""
AT_THE_END: Final[dict[Words, str]] = {
    ("none",): "absent after",
    ("absent",): "absent after",
    ("removed",): "absent after",
    ("resolved",): "absent after",
    ("possible",): "uncertain after",
    ("probable",): "uncertain after",
    ("likely",): "uncertain after",
    ("suspected",): "uncertain after",
    ("questionable",): "uncertain after",
}
"""What cues do with nothing behind them: `left chest tube removed`."""
STANDS: Final = frozenset(
    {
        *(
            "is",
            "are",
            "was",
            "were",
            "has",
            "have",
            "had",
            "shows",
            "show",
            "demonstrates",
            "remains",
            "remain",
            "appears",
        ),
        *("persists", "persistent", "stable", "unchanged", "terminates", "place", "situ"),
    }
)
"""After a comma, a part of the sentence with one of these says something of its own."""
GOES_ON: Final = frozenset({"or", "nor"})
"""A part that begins with one of these goes on with what was said before the comma, whatever its verb."""
BEGINS: Final = frozenset({"and", "with", "representing", "reflecting"})
"""Where the words begin that a cue between two things leaves open: `cardiomegaly with effusion versus thickening`."""
