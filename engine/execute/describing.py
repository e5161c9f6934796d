"""The describe step: phrases of every slice."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import polars as pl

from misread.describe import Phrase, metadata_phrases, report_phrases
from misread.plan import Describe
from misread.schemas.values import CONFIRMATION
from misread.store import TableStore

from .steps import Discovered, FoundSlice


def describe(node: Describe, store: TableStore, below: Discovered) -> Iterator[dict[str, object]]:
    """Rows of the phrases table: from reports where a slice's class has any, else from metadata."""
    texts = _texts(store)
    for found in below.slices:
        rows = found.population.judged_rows(found.true_class)
        for rank, phrase in enumerate(_phrases(node, below, found, rows, texts), start=1):
            yield {
                "audit_id": below.audit_id,
                "slice_id": found.row["slice_id"],
                "rank": rank,
                **asdict(phrase),
            }


def _phrases(
    node: Describe, below: Discovered, found: FoundSlice, rows: pl.DataFrame, texts: dict[str, str]
) -> list[Phrase]:
    inside = rows["sample_id"].is_in(found.memberships["sample_id"].to_list()).to_numpy()
    held_out = np.asarray((rows["half"] == CONFIRMATION).to_numpy())
    reports = [texts.get(sample) for sample in rows["sample_id"]]
    if any(report is not None for report in reports):
        phrases = report_phrases(reports, inside, held_out, node.phrases)
        if phrases:
            return phrases
    metadata = rows.select("sample_id").join(below.below.samples, on="sample_id", how="left", maintain_order="left")
    return metadata_phrases(metadata.select(below.below.columns), inside, held_out, node.phrases)


def _texts(store: TableStore) -> dict[str, str]:
    if not store.has("reports"):
        return {}
    from misread.encode.texts import report_texts

    rows = pl.DataFrame(report_texts(store))
    return dict(zip(rows["sample_id"], rows["report"], strict=True))
