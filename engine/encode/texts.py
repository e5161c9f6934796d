"""The report of each sample, whether it is keyed by the sample or by its study."""

from typing import Protocol

import polars as pl

from misread.store.lance_table import LanceTable


class Tables(Protocol):
    """A store, or a commit to one."""

    def has(self, name: str) -> bool: ...
    def table(self, name: str) -> LanceTable: ...


def report_texts(store: Tables) -> pl.DataFrame:
    """(sample_id, report), one row a sample that has a report, by sample id. Blank reports are none.

    A sample's own report wins over its study's: it is the more specific of the two, and joined they would weigh
    a text twice where both say the same. Reports of samples and studies that no image belongs to are left out.
    """
    if not (store.has("reports") and store.has("images")):
        return pl.DataFrame(schema={"sample_id": pl.String, "report": pl.String})
    reports = _frame(store.table("reports"), "sample_id", "study_id", "report")
    told = reports.filter(pl.col("report").str.contains(r"\S")).sort("report")
    samples = _frame(store.table("images"), "sample_id", "study_id")
    own = told.filter(pl.col("sample_id").is_not_null()).unique("sample_id", keep="first", maintain_order=True)
    study = told.filter(pl.col("sample_id").is_null()).unique("study_id", keep="first", maintain_order=True)
    return (
        samples.join(own.select("sample_id", own="report"), on="sample_id", how="left")
        .join(study.select("study_id", study="report"), on="study_id", how="left")
        .select("sample_id", report=pl.coalesce("own", "study"))
        .drop_nulls("report")
        .sort("sample_id")
    )


def _frame(table: LanceTable, *columns: str) -> pl.DataFrame:
    return pl.DataFrame(table.read(columns))
