"""Steps of an audit: one vector a sample, slices found in them, told in words, and later samples put into them."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final, Literal

import pyarrow as pa

from misread.schemas.errors import AuditError
from misread.schemas.tables import CHECKSUM, MEMBERSHIPS, SLICES, VECTOR
from misread.schemas.values import LARGEST_INTEGER

from .node import Level, Node

AUTOMATIC: Final = "automatic"
Automatic = Literal["automatic"]

_FUSED = pa.schema(
    [
        ("sample_id", pa.string()),
        ("half", pa.string()),
        (VECTOR, pa.list_(pa.float64())),
    ]
)
_SCORED = pa.schema(
    [
        ("sample_id", pa.string()),
        ("model", pa.string()),
        ("target", pa.string()),
        ("slice_id", pa.string()),
        ("score", pa.float64()),
        ("class_probability", pa.float64()),
    ]
)
FEWEST_PERMUTATIONS: Final = 19
_LEAST: Final = {"min_size": 2, "most": 1, "permutations": 0, "min_patients": 1, "stability": 0, "pool": 2}


def _visible(schema: pa.Schema, hidden: tuple[str, ...]) -> pa.Schema:
    return pa.schema([f for f in schema if f.name not in hidden])


@dataclass(frozen=True)
class Fuse(Node):
    """One vector a sample, fitted on the discovery half; then rows stream through what was fitted.

    `image`, `report`: encoder names, None to leave the modality out, with the scans of their vectors. `metadata`:
    column names, `automatic` for every column that may take part, None to leave metadata out.
    """

    level: ClassVar[Level] = Level.TABLE

    input: Node
    image: str | None = None
    report: str | None = None
    metadata: tuple[str, ...] | Automatic | None = None
    image_vectors: Node | None = None
    report_vectors: Node | None = None

    @property
    def modalities(self) -> tuple[str, ...]:
        given = (("image", self.image), ("report", self.report), ("metadata", self.metadata))
        return tuple(name for name, value in given if value is not None)

    @property
    def vectors(self) -> dict[str, Node]:
        """The vectors of every modality that has them, read by a scan."""
        given = (("image", self.image_vectors), ("report", self.report_vectors))
        return {name: scan for name, scan in given if scan is not None}

    @cached_property
    def schema(self) -> pa.Schema:
        return _FUSED

    @property
    def keys(self) -> tuple[str, ...]:
        return ("sample_id",)


@dataclass(frozen=True)
class Discover(Node):
    """Memberships of the slices found; `LazyFrame.discover` tells what each parameter does.

    `named`: the id of the audit, from what it was asked as it was written. Raises AuditError for a number that cannot
    be one of its kind.
    """

    level: ClassVar[Level] = Level.TABLE

    input: Node
    min_size: int = 10
    most: int = 5
    permutations: int | None = None
    threshold: float | None = None
    min_patients: int = 5
    stability: int = 20
    losses: bool = False
    pool: int = 8192
    named: str = ""

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise AuditError(f"{name} is {value}; it must be at least {least}")
            if value is not None and value > LARGEST_INTEGER:
                raise AuditError(f"{name} is {value}; it must be at most {LARGEST_INTEGER}")
        if self.permutations and self.permutations < FEWEST_PERMUTATIONS:
            raise AuditError(
                f"{self.permutations} permutations cannot show a slice at the 5 % level",
                f"use {FEWEST_PERMUTATIONS} or more, or 0 to leave calibration out",
            )
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise AuditError(f"the threshold is {self.threshold}", "scores are 0 to 1, and so is their threshold")

    @cached_property
    def schema(self) -> pa.Schema:
        return _visible(MEMBERSHIPS.schema, (CHECKSUM,))

    @property
    def keys(self) -> tuple[str, ...]:
        return ("slice_id", "rank")

    def reads(self) -> tuple[str, ...]:
        return ("sample_id", "half", VECTOR)


@dataclass(frozen=True)
class Describe(Node):
    """One row a slice, with its statistics and what it is in words.

    `most`: phrases a slice at most; `phrases`: the user's own to look for, each with its other spellings.
    """

    level: ClassVar[Level] = Level.TABLE

    input: Node
    most: int = 10
    phrases: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @cached_property
    def schema(self) -> pa.Schema:
        return _visible(SLICES.schema, SLICES.hidden)

    @property
    def keys(self) -> tuple[str, ...]:
        return ("slice_id",)

    def reads(self) -> tuple[str, ...]:
        return ("reports.report",)


@dataclass(frozen=True)
class Score(Node):
    """The score of every sample of `input` under every frozen slice of an audit, whether it takes it or not."""

    location: str
    state: int
    audit_id: str
    input: Node

    @cached_property
    def schema(self) -> pa.Schema:
        return _SCORED

    @property
    def keys(self) -> tuple[str, ...]:
        return ("slice_id", "sample_id")

    def reads(self) -> tuple[str, ...]:
        return ("sample_id",)


@dataclass(frozen=True)
class Assign(Node):
    """Samples in the frozen slices of an audit; `Store.assign` tells which.

    `input`: the samples, None for those that the audit would have taken and did not judge.
    """

    location: str
    state: int
    audit_id: str
    input: Node | None = None

    @cached_property
    def schema(self) -> pa.Schema:
        return pa.schema([*_SCORED, ("rank", pa.int64())])

    @property
    def keys(self) -> tuple[str, ...]:
        return ("slice_id", "rank", "sample_id", "model", "target")
