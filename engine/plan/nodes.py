"""The nodes of a plan: frozen, comparable, and free of any knowledge of how they are run."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import ClassVar, Final, Literal

AUTOMATIC: Final = "automatic"
Automatic = Literal["automatic"]


class Level(StrEnum):
    """How much of its input one row of a node's output needs."""

    ROW = "row"
    TABLE = "table"


@dataclass(frozen=True)
class Node:
    """A step of a plan; its children are the fields that hold nodes."""

    level: ClassVar[Level] = Level.ROW
    gives: ClassVar[tuple[str, ...]] = ()

    @property
    def children(self) -> tuple["Node", ...]:
        values = (getattr(self, field.name) for field in fields(self))
        return tuple(value for value in values if isinstance(value, Node))

    def reads(self) -> tuple[str, ...]:
        """The columns this step reads, as `table.column`; `table.*` where only running it can tell."""
        return ()

    def walk(self) -> Iterator["Node"]:
        """This node, then everything below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Scan(Node):
    """The samples of one state of a store with the predictions of some models and targets.

    `seed` decides which patients are the discovery half, and every random draw above.
    """

    gives: ClassVar[tuple[str, ...]] = ("sample_id", "patient", "half", "model", "target", "label", "score", "loss")

    location: str
    state: int
    models: tuple[str, ...]
    targets: tuple[str, ...]
    seed: int = 0
    include_train: bool = False

    def reads(self) -> tuple[str, ...]:
        columns = ("sample_id", "model", "task", "target", "label", "score", "threshold", "loss")
        return (
            *(f"images.{c}" for c in ("sample_id", "patient_id", "split")),
            *(f"predictions.{c}" for c in columns),
        )


@dataclass(frozen=True)
class Filter(Node):
    """The samples for which every predicate (SQL over the images view) is true."""

    gives: ClassVar[tuple[str, ...]] = Scan.gives

    input: Node
    predicates: tuple[str, ...]

    def reads(self) -> tuple[str, ...]:
        return ("images.*",)


@dataclass(frozen=True)
class Fuse(Node):
    """One vector a sample, fitted on the discovery half.

    `image`, `report`: encoder names, None to leave the modality out. `metadata`: column names, `automatic` for
    every column that may take part, None to leave metadata out.
    """

    level: ClassVar[Level] = Level.TABLE
    gives: ClassVar[tuple[str, ...]] = (*Scan.gives, "vector")

    input: Node
    image: str | None = None
    report: str | None = None
    metadata: tuple[str, ...] | Automatic | None = None

    @property
    def modalities(self) -> tuple[str, ...]:
        given = (("image", self.image), ("report", self.report), ("metadata", self.metadata))
        return tuple(name for name, value in given if value is not None)

    def reads(self) -> tuple[str, ...]:
        encoders = tuple(f"embeddings_{name}.vector" for name in (self.image, self.report) if name)
        if self.metadata is None:
            return encoders
        columns = ("*",) if self.metadata == AUTOMATIC else self.metadata
        return (*encoders, *(f"images.{column}" for column in columns))


@dataclass(frozen=True)
class Discover(Node):
    """Memberships of the slices found; `LazyAudit.discover` tells what each parameter does."""

    level: ClassVar[Level] = Level.TABLE
    gives: ClassVar[tuple[str, ...]] = ("slice_id", "sample_id", "half", "score", "rank")

    input: Node
    min_size: int = 10
    most: int = 5
    permutations: int = 99
    threshold: float | None = None
    min_patients: int = 5
    stability: int = 20
    losses: bool = False


@dataclass(frozen=True)
class Describe(Node):
    """One row a slice, with its statistics and phrases."""

    level: ClassVar[Level] = Level.TABLE
    gives: ClassVar[tuple[str, ...]] = (
        "slice_id",
        "error_rate",
        "error_rate_low",
        "error_rate_high",
        "lift",
        "phrase",
    )

    input: Node
    phrases: int = 10

    def reads(self) -> tuple[str, ...]:
        return ("reports.report",)


@dataclass(frozen=True)
class Assign(Node):
    """Samples of one state of a store in the frozen slices of an audit; `Store.assign` tells which.

    `where`: predicates (SQL over the images view) that choose the samples, None for those new to the audit.
    """

    gives: ClassVar[tuple[str, ...]] = ("sample_id", "slice_id", "score", "rank")

    location: str
    state: int
    audit_id: str
    where: tuple[str, ...] | None = None

    def reads(self) -> tuple[str, ...]:
        return ("images.*", "audits.*", "slices.direction", "slices.cut")
