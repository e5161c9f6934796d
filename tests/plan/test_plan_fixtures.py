"""Plans as they are written and as they are run, as texts."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from misread.frame import LazyFrame
from misread.library import Store

FOLDER = Path(__file__).parent / "plans"

PLANS: dict[str, Callable[[Store], LazyFrame]] = {
    "an audit reads what its filter leaves": lambda s: (
        s.scan("m", "A")
        .filter("view = 'PA' AND age < 40")
        .fuse(metadata=["age", "visits"], image="outside")
        .discover(min_size=20)
        .describe()
    ),
    "columns nobody asks for are not read": lambda s: s.scan_table("images").filter("age < 40").select("view"),
    "what Lance cannot work out is worked out after the scan": lambda s: s.scan_table("images").filter(
        "lower(view) = 'pa' AND age < 40 AND visits + 1 > 2"
    ),
    "vectors are fetched for the first ten rows alone": lambda s: (
        s.scan_table("embeddings_outside")
        .join(s.scan_table("images").select("sample_id", "age"), on="sample_id")
        .sort("age", descending=True)
        .head(10)
        .select("sample_id", "vector")
    ),
    "a filter goes to both sides of a join": lambda s: (
        s.scan_table("images")
        .select("sample_id", "age")
        .join(s.scan_table("predictions").select("sample_id", "model", "score"), on="sample_id")
        .filter(pl.col("sample_id") < "s030", (pl.col("score") > 0.5) & (pl.col("age") < 40))
    ),
    "who has no partner": lambda s: s.scan_table("images").join(
        s.scan_table("reports").filter("report LIKE '%1'"), on="sample_id", how="anti"
    ),
    "samples are joined with predictions after both are filtered": lambda s: (
        s.scan("m").filter("portable AND score > 0.2").sort("score").head(5).select("sample_id", "score")
    ),
    "what is found is chosen among, not found again": lambda s: (
        s.scan()
        .discover(permutations=0)
        .filter("rank <= 3")
        .join(s.scan_table("images").select("sample_id", "view"), on="sample_id")
    ),
    "the same step twice runs once": lambda s: (
        s.scan_table("images")
        .head(20)
        .select("sample_id", "age")
        .join(s.scan_table("images").head(20).select("sample_id", "view"), on="sample_id")
    ),
    "fused vectors stream": lambda s: s.scan().filter("split <> 'train'").fuse(modalities=["image"]),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_is_told_as_its_text_says(mixed: Store, name: str) -> None:
    """The plan as written, and as it is run: what is read, what Lance works out, where streaming stops."""
    frame = PLANS[name](mixed)
    told = f"{name}\n\nas written\n{frame.explain(optimised=False)}\n\nas run\n{frame.explain()}\n"
    assert told == (FOLDER / f"{name.replace(' ', '_')}.txt").read_text()


def test_every_text_belongs_to_a_plan() -> None:
    """No text is left over from a plan that is gone."""
    assert {path.stem for path in FOLDER.glob("*.txt")} == {name.replace(" ", "_") for name in PLANS}
