"""Settings: what is planted where, named before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from hashlib import blake2b
from itertools import combinations

import numpy as np

SPLITS = ("tune", "report")
MODALITIES = {"demo": ("image", "report", "metadata"), "indiana": ("report", "metadata"), "nih": ("image", "metadata")}
PREDICTIONS = {
    "attributes-1": ("synthetic",),
    "attributes-3": ("synthetic",),
    "rare": ("synthetic", "trained"),
    "correlation": ("synthetic", "trained"),
    "noisy": ("synthetic", "trained"),
    "null": ("independent", "patients"),
}
FAST = tuple(
    f"{place}/{what}/{modalities}"
    for place, modalities in (("indiana", "report"), ("demo", "image+report"))
    for what in (
        "attributes-1/synthetic", "attributes-3/synthetic", "rare/synthetic", "noisy/synthetic", "correlation/trained",
    )
)  # fmt: skip
"""The panel to tune on: a table in a minute or two."""
QUICK = (
    *(cell for cell in FAST if cell.startswith("indiana")),
    "demo/attributes-1/synthetic/image+report", "demo/rare/synthetic/image+report",
    "nih/attributes-1/synthetic/image", "indiana/null/*/report", "demo/null/patients/image+report",
)  # fmt: skip
"""Every scenario and source once or twice, for a run of a few minutes."""
PANELS = {"fast": FAST, "quick": QUICK, "null": ("*/null/*",), "all": ("*",)}


@dataclass(frozen=True)
class Setting:
    """One draw: everything else follows from these fields. `modalities` change what is seen, not what is drawn."""

    source: str
    scenario: str
    predictions: str
    modalities: tuple[str, ...]
    split: str
    index: int

    @property
    def cell(self) -> str:
        """The settings that are averaged together."""
        return f"{self.source}/{self.scenario}/{self.predictions}/{'+'.join(self.modalities)}"

    @property
    def key(self) -> str:
        return f"{self.cell}/{self.split}/{self.index}"

    @property
    def drawn(self) -> Setting:
        """The same for every modality set of one draw."""
        return replace(self, modalities=())

    @property
    def seed(self) -> int:
        return int.from_bytes(blake2b(self.drawn.key.encode(), digest_size=4).digest(), "big")


def modality_sets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every combination, single ones first."""
    for size in range(1, len(names) + 1):
        yield from combinations(names, size)


def cells() -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [
        (source, scenario, predictions, modalities)
        for source, names in MODALITIES.items()
        for scenario, kinds in PREDICTIONS.items()
        for predictions in kinds
        for modalities in modality_sets(names)
    ]


def settings(patterns: Sequence[str], split: str, count: int) -> list[Setting]:
    """`count` settings of every cell that a pattern (or a panel's name) matches, draws side by side."""
    wanted = [p for pattern in patterns for p in PANELS.get(pattern, (pattern,))]
    found = [
        Setting(*cell, split, index)
        for cell in cells()
        for index in range(count)
        if any(fnmatch(Setting(*cell, split, index).cell, pattern) for pattern in wanted)
    ]
    return sorted(found, key=lambda s: (s.index, s.drawn.key))


def own_half(names: Sequence[str], split: str) -> tuple[str, ...]:
    """The attributes of one split: every other one by name, so that no attribute is in both."""
    return tuple(sorted(names)[SPLITS.index(split) :: 2])


def generator(setting: Setting, stream: int) -> np.random.Generator:
    return np.random.default_rng([setting.seed, stream])
