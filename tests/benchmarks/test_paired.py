"""The search in memory and the search out of core are compared on the same rows."""

from importlib import import_module

import numpy as np
import pytest

from benchmarks.scale.archive import PLANTS
from benchmarks.scale.jobs import known_rows
from benchmarks.scale.paired import COUNTED, HELD, agreements, in_memory, made_up, out_of_core, paired
from misread import spill
from misread.discover import ClassModel, ClassRows, Rule

searching = import_module("misread.discover.search")
binned = import_module("misread.discover.binned")


def test_limits_are_lifted_and_lowered_for_a_while_only() -> None:
    """In memory nothing is drawn or judged by counts; out of core both; afterwards all is as it was."""
    before = binned.FINALISTS, searching.drawn, spill.HELD_BYTES
    errors = np.arange(20_000)
    with in_memory():
        assert len(searching.drawn(errors)) == 20_000
        assert len(errors) <= binned.FINALISTS
        assert isinstance(spill.put_aside(2, 3, [np.zeros((2, 3))]), np.ndarray)
    with out_of_core(errors=100):
        assert len(searching.drawn(errors)) == 100
        assert before[0] == binned.FINALISTS
        assert isinstance(spill.put_aside(2, 3, [np.zeros((2, 3))]), spill.Spilled)
    assert before == (binned.FINALISTS, searching.drawn, spill.HELD_BYTES)


@pytest.mark.slow
def test_every_planted_slice_gives_a_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both searches see the same rows, and really go their own ways."""
    ways = []

    class Watched(searching.ClassSearch):
        def __init__(self, rows: ClassRows, pool: int) -> None:
            ways.append((type(rows.vectors), binned.FINALISTS))
            super().__init__(rows, pool)

    monkeypatch.setattr(searching, "ClassSearch", Watched)
    few = binned.FINALISTS
    pairs = list(made_up(2, 1_500))
    assert ways == 2 * (2 * [(np.ndarray, 2**62)] + 2 * [(spill.Spilled, few)])
    assert [pair["kind"] for pair in pairs] == [one.name for one in PLANTS] * 2
    assert all(0 <= pair[name] <= 1 for pair in pairs for name in (HELD, COUNTED))
    assert np.mean([pair[HELD] for pair in pairs if pair["kind"] == PLANTS[1].name]) > 0.5


def test_agreement_is_that_of_the_likest_slice_of_the_class() -> None:
    """A rule that takes exactly the planted rows agrees wholly, in its own class alone."""
    known = known_rows(3_000)
    vectors = (known.plant == 0).astype(float)[:, None]
    rule = Rule(np.ones(1), 0.5, 1.0, ClassModel(np.zeros(1), 0.0))
    told = agreements([(1, rule), (0, rule)], vectors, known)
    assert told[PLANTS[0].name] == {"p10": 1.0, "precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert told[PLANTS[1].name]["p10"] == 0.0
    assert agreements([], vectors, known)[PLANTS[0].name]["f1"] == 0.0


def test_the_table_pairs_differences_by_draw() -> None:
    """Mean difference with its interval, and how many pairs are lower, equal and higher; the same on every run."""
    pairs = [{"draw": str(n), "kind": "a", HELD: 0.5, COUNTED: 0.5 + (n - 1) / 10} for n in range(4)]
    table = paired(pairs, "")
    assert list(table.columns[5].cells) == ["1, 1, 2"] * 2
    assert next(iter(table.columns[4].cells)).startswith("+0.050 [")
    assert list(paired(pairs, "").columns[4].cells) == list(table.columns[4].cells)
