"""Tables whose rows are replaced whole: what differs from the store, by the checksums of the rows."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from misread.schemas.tables import CHECKSUM, PREDICTIONS, REPORTS, VECTOR, TableContract, embeddings_contract
from misread.store import Commit
from misread.store.checksums import with_checksums
from misread.store.lance_table import LanceTable

from .sources import RowCounts


@dataclass(frozen=True)
class RowsChange:
    """What is to be written to one table. Neither part has checksums."""

    contract: TableContract
    added: pa.Table
    changed: pa.Table
    counts: RowCounts

    @property
    def is_nothing(self) -> bool:
        return not (self.added.num_rows or self.changed.num_rows)


def rows_change(contract: TableContract, stored: LanceTable | None, rows: pa.Table) -> RowsChange:
    """Compares `rows`, of the contract but for the checksum, with the table as stored."""
    old = {} if stored is None else _checksums(stored.read([*contract.key, CHECKSUM]), contract)
    new = _checksums(with_checksums(rows), contract)
    is_new = np.fromiter((key not in old for key in new), bool, len(new))
    differs = np.fromiter((key in old and old[key] != digest for key, digest in new.items()), bool, len(new))
    added, changed = int(is_new.sum()), int(differs.sum())
    counts = RowCounts(added, changed, rows.num_rows - added - changed)
    return RowsChange(contract, rows.filter(pa.array(is_new)), rows.filter(pa.array(differs)), counts)


def _checksums(rows: pa.Table, contract: TableContract) -> dict[tuple[str | None, ...], bytes]:
    keys = zip(*(rows[name].to_pylist() for name in contract.key), strict=True)
    return dict(zip(keys, rows[CHECKSUM].to_pylist(), strict=True))


def write_rows(commit: Commit, change: RowsChange) -> None:
    """Replaces the changed rows and adds the new ones."""
    name = change.contract.name
    commit.writer(name, change.contract)
    if change.changed.num_rows:
        commit.upsert(name, change.changed)
    if change.added.num_rows:
        commit.append(name, change.added)


def report_rows(frame: pl.DataFrame) -> pa.Table:
    return _as_contract(frame, REPORTS)


def prediction_rows(frame: pl.DataFrame, stored: pl.DataFrame | None) -> pa.Table:
    """Columns the file does not have stay as the store has them."""
    absent = [name for name in PREDICTIONS.names if name not in (*frame.columns, CHECKSUM)]
    if stored is not None and absent:
        kept = stored.select(*PREDICTIONS.key, *absent)
        frame = frame.join(kept, on=list(PREDICTIONS.key), how="left", maintain_order="left")
    return _as_contract(frame, PREDICTIONS)


def vector_rows(encoder: str, frame: pl.DataFrame) -> tuple[TableContract, pa.Table]:
    """The table of one encoder's vectors, all of one length, and its contract."""
    length = int(frame["vector"].list.len()[0])
    contract = embeddings_contract(encoder, length)
    flat = frame["vector"].explode().to_numpy()
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(flat, pa.float32()), length)
    samples = pa.array(frame["sample_id"].to_list(), pa.string())
    missing = pa.nulls(frame.height, pa.string())
    columns = {"sample_id": samples, VECTOR: vectors, "input_checksum": missing}
    return contract, pa.table(columns, schema=contract.without_checksum)


def _as_contract(frame: pl.DataFrame, contract: TableContract) -> pa.Table:
    schema = contract.without_checksum
    absent = [pl.lit(None).alias(name) for name in schema.names if name not in frame.columns]
    return frame.with_columns(absent).select(schema.names).to_arrow().cast(schema)
