"""The assign step: rows put into the frozen slices of an audit, without labels, and how the slices moved since."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.audit.aligned import located
from misread.audit.halves import patient_unit
from misread.audit.population import NO_VECTOR, TRAINING, is_training
from misread.discover import probability
from misread.encode.texts import report_texts
from misread.plan import Assign, Filter, Score, Select, optimise
from misread.progress import Progress, silent
from misread.schemas.errors import AuditError, command
from misread.schemas.tables import EMBEDDINGS_PREFIX
from misread.schemas.values import EXTERNAL, NO_SLICE, PRETRAINED, SCORE_DECIMALS
from misread.store import TableStore
from misread.workers import Workers

from .frozen import FrozenAudit, check_spaces, frozen_audit, judged_samples
from .gains import gains
from .moving import Remark, moved, shared_patients, without_small_cells
from .scans import scan_of

if TYPE_CHECKING:
    from .work import Work

_Integers = NDArray[np.intp]


@dataclass(frozen=True)
class Assigned:
    """`rows`: one row a sample and slice that takes it, and one for each model and target of which no slice does;
    `moved`: one row a slice."""

    rows: pl.DataFrame
    moved: pl.DataFrame
    remarks: tuple[Remark, ...]
    notes: tuple[str, ...] = ()

    def told(self, smallest: int) -> "Assigned":
        """The same without numbers of 1 or more, but fewer than `smallest` patients, its remarks told as notes."""
        notes = tuple(remark.told(smallest) for remark in self.remarks)
        return replace(self, moved=without_small_cells(self.moved, smallest), notes=notes)


@dataclass(frozen=True)
class Scored:
    """`rows`: one row a sample and slice, whether the slice takes it or not."""

    rows: pl.DataFrame


@dataclass(frozen=True)
class _Scores:
    """Of every sample: (n, s) scores and probabilities of each slice's class; remarks on samples left out."""

    audit: FrozenAudit
    samples: pl.DataFrame
    along: NDArray[np.float64]
    likely: NDArray[np.float64]
    remarks: tuple[Remark, ...]


def assign(node: Assign, work: "Work") -> Assigned:
    """Reads the vectors a batch at a time and keeps of each row its scores alone: (rows, slices) numbers in all."""
    found = _scored(node, work)
    inside = found.along >= found.audit.cuts
    taken = _taken(found, inside)
    rows = pl.concat([taken, _taken_by_none(found, inside).select(taken.columns)])
    told = moved(work.store, found.audit, found.samples, inside)
    return Assigned(rows, told, (*found.remarks, *shared_patients(work.store, found.audit, found.samples)))


def score(node: Score, work: "Work") -> Scored:
    """The same, of every sample under every slice: by slice, then by sample id."""
    found = _scored(node, work)
    number = len(found.samples)
    place, row = np.divmod(np.arange(found.audit.slices.height * number), max(number, 1))
    return Scored(_of(found, row, place))


def _scored(node: Assign | Score, work: "Work") -> _Scores:
    store = work.store
    audit = frozen_audit(store, node.audit_id)
    check_spaces(store, audit)
    audit.features.check(_kinds(store), f"{store.location} any more")
    samples, remarks = _samples(node, work, audit)
    _refuse_unencoded(store, audit, samples["sample_id"])
    scores, has_vector = along(store, audit, audit.directions, samples["sample_id"], work.progress, work.workers)
    kept = pl.Series(has_vector)
    if not kept.all():
        remarks.append(Remark.on(samples.filter(~kept), f"{{}} samples are left out: {NO_VECTOR}"))
    found, odds = np.hsplit(scores[has_vector], 2)
    likely = probability(odds + audit.class_offsets)
    return _Scores(audit, samples.filter(kept), np.round(found, SCORE_DECIMALS), likely, tuple(remarks))


def _kinds(store: TableStore) -> dict[str, pl.DataType]:
    table = store.table("images")
    empty = pl.DataFrame(table.schema.empty_table().select(table.shown))
    return dict(empty.schema)


def _samples(node: Assign | Score, work: "Work", audit: FrozenAudit) -> tuple[pl.DataFrame, list[Remark]]:
    """sample_id and patient of the samples asked for, by sample id; remarks on those left out."""
    images = work.store.table("images")
    rows = pl.DataFrame(images.read(["sample_id", "patient_id", "split"])).sort("sample_id")
    rows = rows.with_columns(patient_unit())
    if node.input is not None:
        chosen = work.rows(node.input)["sample_id"]
        rows = rows.filter(pl.col("sample_id").is_in(chosen.implode())).select("sample_id", "patient")
        return rows, [] if rows.height else [Remark.on(rows, "no sample is chosen, so nothing is told of any slice")]
    if audit.predicates:
        asked = work.rows(optimise(Select(Filter(scan_of(work.store, "images"), audit.predicates), ("sample_id",))))
        rows = rows.join(asked, on="sample_id", how="semi", maintain_order="left")
    seen = judged_samples(work.store, audit)
    rows = rows.join(seen, on="sample_id", how="anti", maintain_order="left")
    remarks = []
    if not audit.include_train:
        train, rows = rows.filter(is_training()), rows.filter(~is_training())
        remarks += [Remark.on(train, f"{{}} samples are left out: {TRAINING}")] if train.height else []
    if not rows.height:
        remarks.append(Remark.on(rows, f"no sample is new to audit {audit.audit_id}; choose any others with --where"))
    return rows.select("sample_id", "patient"), remarks


def _refuse_unencoded(store: TableStore, audit: FrozenAudit, samples: pl.Series) -> None:
    """Raises AuditError where a sample has a picture or report, but no vector: it would pass for one without."""
    for modality, encoder in audit.encoders.items():
        given = _inputs(store, modality)
        there = pl.DataFrame(store.table(EMBEDDINGS_PREFIX + encoder).read(["sample_id"]))["sample_id"]
        wanted = samples.filter(samples.is_in(given.implode()) & ~samples.is_in(there.implode()))
        if len(wanted):
            entry = store.encoders[encoder]
            named = (f"--{modality}-encoder", encoder) if entry.source == PRETRAINED else ()
            raise AuditError(
                f"{len(wanted)} of {len(samples)} samples to assign have {modality}s but no {encoder} vectors "
                f"(the first: {wanted[0]!r})",
                f"ingest their vectors with: {command('ingest', store.location, '--embeddings', 'FILE')}"
                if entry.source == EXTERNAL
                else f"make them with: {command('embed', store.location, *named)}",
            )


def _inputs(store: TableStore, modality: str) -> pl.Series:
    if modality == "report":
        return report_texts(store)["sample_id"]
    return pl.DataFrame(store.table("images").read(["sample_id"], "sha256 IS NOT NULL"))["sample_id"]


def along(
    store: TableStore,
    audit: FrozenAudit,
    directions: NDArray[np.float64],
    samples: pl.Series,
    progress: Progress = silent,
    workers: Workers | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(n, s): samples along directions (k, s) of an audit's fused space; and (n,) whether a sample has any vector.

    `samples`: their ids, sorted.
    """
    scores = np.tile(audit.fusion.scorer(directions).without(), (len(samples), 1))
    has_vector = np.full(len(samples), "metadata" in audit.fusion.blocks)
    for (ids, gain), done, total in gains(store, audit, directions, workers):
        rows = located(samples, pl.Series(ids))
        wanted = rows >= 0
        scores[rows[wanted]] += gain[wanted]
        has_vector[rows[wanted]] = True
        progress(done, total, "assigning rows")
    return scores, has_vector


def _of(found: _Scores, row: _Integers, place: _Integers) -> pl.DataFrame:
    """Samples (their places) under slices (theirs), pair by pair: the columns of `Score`."""
    return pl.DataFrame(
        [
            found.samples["sample_id"].gather(row),
            *(found.audit.slices[name].gather(place) for name in ("model", "target", "slice_id")),
            pl.Series("score", found.along[row, place], pl.Float64),
            pl.Series("class_probability", found.likely[row, place], pl.Float64),
        ]
    )


def _taken(found: _Scores, inside: NDArray[np.bool_]) -> pl.DataFrame:
    """Slice by slice, the highest score first (ties: by sample id)."""
    taken = _of(found, *np.nonzero(inside)).sort(["slice_id", "score", "sample_id"], descending=[False, True, False])
    return taken.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("slice_id"))


def _taken_by_none(found: _Scores, inside: NDArray[np.bool_]) -> pl.DataFrame:
    """The samples that no slice of a model and target takes, for each of these: by sample id, model and target."""
    slices, judged = found.audit.slices, found.audit.targets.select("model", "target").sort("model", "target")
    alone = np.ones((len(inside), judged.height), bool)
    for column, (model, target) in enumerate(judged.iter_rows()):
        mine = ((slices["model"] == model) & (slices["target"] == target)).to_numpy()
        alone[:, column] = ~inside[:, mine].any(axis=1)
    row, place = np.nonzero(alone)
    unknown = {"score": pl.Float64, "class_probability": pl.Float64, "rank": pl.Int64}
    nothing = {name: pl.lit(None, kind) for name, kind in unknown.items()}
    rows = pl.DataFrame(
        [found.samples["sample_id"].gather(row), *(judged[name].gather(place) for name in judged.columns)]
    )
    return rows.with_columns(slice_id=pl.lit(NO_SLICE), **nothing)
