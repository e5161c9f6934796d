"""What reports and metadata say of an audit's samples."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import polars as pl

from misread.describe import Bank, Booleans, Incidence, phrase_bank, value_bank, word_bank
from misread.discover import Codes
from misread.encode.texts import report_texts
from misread.schemas.values import DISCOVERY
from misread.store import TableStore

from .judged_rows import codes
from .steps import FusedSamples


class Sayings:
    """What is said of samples (n) that were fused: who has which phrase, word or value, each worked out when asked for.

    Chosen by how often the discovery half has them; whoever is left out counts for nothing. `listed`: phrases to look
    for besides, each with its other spellings.
    """

    def __init__(self, store: TableStore, fused: FusedSamples, listed: Mapping[str, Sequence[str]]) -> None:
        self._store, self._fused, self.listed = store, fused, listed

    @cached_property
    def counted(self) -> Booleans:
        """(n,): who is of the discovery half and not left out."""
        samples = self._fused.samples
        return (samples["left_out"].is_null() & (samples["half"] == DISCOVERY)).to_numpy()

    @cached_property
    def reports(self) -> pl.DataFrame:
        """`place` and `report` of the samples that were audited and have one, by place."""
        kept = self._fused.samples.with_row_index("place").filter(pl.col("left_out").is_null())
        told = report_texts(self._store).join(kept.select("sample_id", "place"), on="sample_id").sort("place")
        return told.select("place", "report")

    @property
    def has_reports(self) -> bool:
        return not self.reports.is_empty()

    @cached_property
    def phrases(self) -> Bank:
        bank = phrase_bank(self._fused.samples.height, self.reports.iter_rows, self.counted, self.listed)
        return bank.of_patients(self._patients)

    @cached_property
    def words(self) -> Incidence[str]:
        bank = word_bank(self._fused.samples.height, self.reports.iter_rows, self.counted)
        return bank.of_patients(self._patients)

    @cached_property
    def values(self) -> Bank:
        """Values of metadata."""
        return value_bank(self._fused.below.metadata, self._fused.columns, self.counted).of_patients(self._patients)

    @cached_property
    def _patients(self) -> Codes:
        return codes(self._fused.samples["patient"])
