"""What there is to encode: a key for each sample's picture or report, and the things themselves, in batches."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from hashlib import blake2b
from typing import Any, Protocol

import polars as pl

from misread.schemas.values import Modality

from .texts import Tables, report_texts

PICTURES_AT_ONCE = 64
TEXTS_AT_ONCE = 1024


class Inputs(Protocol):
    """The pictures or the reports of a store. `keys` names each sample's by its content."""

    keys: Mapping[str, str]

    def batches(self, wanted: Set[str]) -> Iterator[tuple[list[str], Sequence[Any]]]:
        """(sample ids, items) a batch, for the samples wanted."""
        ...


class Pictures:
    """Encoded pictures, streamed from the store; their keys are their sha256."""

    def __init__(self, tables: Tables) -> None:
        self._table = tables.table("images") if tables.has("images") else None
        self.keys: Mapping[str, str] = {}
        if self._table is not None:
            rows = self._table.read(["sample_id", "sha256"], "sha256 IS NOT NULL")
            self.keys = dict(zip(rows["sample_id"].to_pylist(), rows["sha256"].to_pylist(), strict=True))

    def batches(self, wanted: Set[str]) -> Iterator[tuple[list[str], Sequence[bytes]]]:
        if self._table is not None:
            yield from self._table.pictures(PICTURES_AT_ONCE, only=wanted)


class Reports:
    """Report texts as `report_texts` gives them; their keys are hashes."""

    def __init__(self, tables: Tables) -> None:
        self._rows = report_texts(tables)
        self.keys: Mapping[str, str] = {sample: digest(text) for sample, text in self._rows.iter_rows()}

    def batches(self, wanted: Set[str]) -> Iterator[tuple[list[str], Sequence[str]]]:
        rows = self._rows.filter(pl.col("sample_id").is_in(list(wanted)))
        for batch in rows.iter_slices(TEXTS_AT_ONCE):
            yield batch["sample_id"].to_list(), batch["report"].to_list()


INPUTS: Mapping[Modality, Callable[[Tables], Inputs]] = {"image": Pictures, "report": Reports}


def digest(*texts: str) -> str:
    """32 hex digits that name some texts."""
    return blake2b("\0".join(texts).encode(), digest_size=16).hexdigest()
