"""Tables and the plot say what the rows say."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.planted.modalities import by_modalities, plot
from benchmarks.planted.tables import all_tables, flat, markdown


def row(cell: str, index: int, method: str, p10: float) -> dict[str, Any]:
    """What one method reached on one setting, all measures alike."""
    source, scenario, predictions, modalities = cell.split("/")
    names = ("p10", "p25", "ap", "success", "precision", "recall", "f1", "chance")
    return {
        "key": f"{cell}/report/{index}", "cell": cell, "method": method, "seconds": 0.1, "found": 5,
        "setting": {"source": source, "scenario": scenario, "predictions": predictions, "modalities": modalities},
        "with_labels": [dict.fromkeys(names, p10)], "without_labels": [dict.fromkeys(names, p10 / 2)],
    }  # fmt: skip


ROWS = [
    row(f"nih/rare/synthetic/{modalities}", index, method, value + index / 10)
    for modalities, ours, peer in (("image", 0.3, 0.1), ("metadata", 0.1, 0.5), ("image+metadata", 0.6, 0.2))
    for method, value in (("ours", ours), ("domino", peer))
    for index in range(3)
]


def test_modality_sets_have_the_means_of_their_settings() -> None:
    """Every modality set and method has its own mean, inside its interval."""
    means = {(r["modalities"], r["method"]): r for r in by_modalities(flat(ROWS)).iter_rows(named=True)}
    assert means["image", "ours"]["p10"] == pytest.approx(0.4)
    assert means["metadata", "domino"]["p10"] == pytest.approx(0.6)
    assert means["image+metadata", "ours"]["p10_x"] == pytest.approx(0.35)
    assert all(r["low"] <= r["p10"] <= r["high"] and r["settings"] == 3 for r in means.values())


def test_tables_tell_who_is_ahead_and_which_set_is_best() -> None:
    """A peer is named in the cells where its mean is higher, and only there; the best modality set is marked."""
    pages = [markdown(table).splitlines() for table in all_tables(ROWS, ["ours", "domino"])]
    lines = [line.strip("| ").split(" | ") for line in pages[0] if "nih/" in line]
    ahead = {line[0]: line[-1].strip(" |") for line in lines}
    assert ahead.pop("nih/rare/synthetic/metadata") == "domino"
    assert len(ahead) == 2
    assert not any("domino" in last or "ours" in last for last in ahead.values())
    best = next(line for line in pages[-1] if "rare" in line)
    assert "0.70* \\| 0.35" in best
    assert best.count("*") == 1


def test_the_plot_names_every_modality_set(tmp_path: Path) -> None:
    """The picture is written, with every source and modality set in words."""
    plot(flat(ROWS), "ours", "domino", tmp_path / "plot.svg")
    drawn = (tmp_path / "plot.svg").read_text()
    for words in ("nih (filled: ours, hollow: domino)", "image+metadata", "P@10"):
        assert words in drawn
