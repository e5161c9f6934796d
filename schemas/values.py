"""The small vocabularies used alike in Python, SQL, on the command line and in files."""

from typing import Final, Literal, get_args

Modality = Literal["image", "report", "metadata"]
MODALITIES: Final[tuple[Modality, ...]] = get_args(Modality)

Half = Literal["discovery", "confirmation"]
DISCOVERY: Final[Half] = "discovery"
CONFIRMATION: Final[Half] = "confirmation"

BUILT_IN: Final = "built-in"
PRETRAINED: Final = "pretrained"
EXTERNAL: Final = "external"
"""Where an encoder's vectors come from: misread's own encoders, a model of transformers, or elsewhere."""

CLASSES: Final = (1, 0)
"""The true classes, which are searched apart: positives, then negatives."""

LARGEST_INTEGER: Final = 2**63 - 1
"""The largest whole number that tables, SQL and seeds hold."""

SCORE_DECIMALS: Final = 9
"""Scores and similarities are rounded to so many: the last digits depend on the order of sums, which never decides."""

FALSE_NEGATIVE: Final = "false negative"
FALSE_POSITIVE: Final = "false positive"
HIGH_LOSS: Final = "high loss"
"""Stands for the kind of error where rows are judged by their loss."""

NO_SLICE: Final = "none"
"""Stands for the slice of a sample that no slice takes."""

Verdict = Literal["confirmed", "artefact", "label error", "unclear"]
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
"""What a person can judge a slice to be."""

TRAIN_SPLIT: Final = "train"

SIGNIFICANCE: Final = 0.05
"""The level of every test: what has a q-value of at most this is confirmed, or borne out."""


def is_small_cell(patients: int | None, smallest: int) -> bool:
    """Whether a number that rests on so few patients is suppressed: on 1 or more, but fewer than `smallest`.

    False for None, where nobody counted. SQL's `is_small_cell` is the same rule.
    """
    return patients is not None and 0 < patients < smallest


def may_be_small_cell(patients: int | None, smallest: int) -> bool:
    """The same, but True for None, unless every number may be shown: nobody knows whether they are few."""
    return smallest > 0 if patients is None else is_small_cell(patients, smallest)


def error_kind_of(true_class: int | None) -> str:
    """The kind of error that rows of a true class (0 or 1) can show; None for rows judged by their loss."""
    if true_class is None:
        return HIGH_LOSS
    return FALSE_NEGATIVE if true_class == 1 else FALSE_POSITIVE
