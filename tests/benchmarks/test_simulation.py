"""What is simulated of archives too large to be tried."""

from pathlib import Path

import pytest

from benchmarks.scale.simulation import FUSED, SUMS, WIDTH, added_up, beside, narrow


@pytest.mark.slow
def test_narrow_archives_are_audited_and_told_beside_the_forecast(tmp_path: Path) -> None:
    """Two sizes, each with its stages; without whole audits to forecast from only what was run is told."""
    audits = narrow(tmp_path, 6_000, 300)
    assert list(audits) == [600, 6_000]
    assert all(one["scratch"] >= 0 and one["stages"] for one in audits.values())
    assert list(beside(audits, {}).columns[1].cells) == ["narrow, run"] * 2
    whole = {(rows, "audit"): one for rows, one in audits.items()}
    table = beside(audits, whole)
    assert list(table.columns[1].cells) == ["narrow, run"] * 2 + ["whole, worked out"] * 2
    assert float(list(table.columns[4].cells)[3]) == pytest.approx(audits[6_000]["peak"], abs=0.01)


def test_sums_of_many_machines_are_exact() -> None:
    """Every machine's numbers come in once: machine m sends m everywhere."""
    added = added_up(9, (3, 4))
    assert (added.total == sum(range(9))).all()
    assert added.received == 9 * 3 * 4 * 8


def test_what_is_added_up_does_not_grow_with_rows() -> None:
    """Moments of two modalities of 768 numbers and whether a row has them; of at most 64 components each."""
    assert (WIDTH, FUSED) == (2 * 769, 2 * 65)
    assert sum(one.times for one in SUMS) == 12
