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

_SCORED = {"sample_id": pl.String, "slice_id": pl.String, "score": pl.Float64, "class_probability": pl.Float64}


@dataclass(frozen=True)
class Assigned:
    """`rows`: one row a sample and slice that takes it, samples in no slice once; `moved`: one row a slice."""

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
    rows = _rows(found.audit, found.samples["sample_id"], found.along, found.likely, inside)
    told = moved(work.store, found.audit, found.samples, inside)
    return Assigned(rows, told, (*found.remarks, *shared_patients(work.store, found.audit, found.samples)))


def score(node: Score, work: "Work") -> Scored:
    """The same, of every sample under every slice: by slice, then by sample id."""
    found = _scored(node, work)
    slices, samples = found.audit.slices["slice_id"], found.samples["sample_id"]
    place, row = np.divmod(np.arange(len(slices) * len(samples)), max(len(samples), 1))
    columns = {
        "sample_id": samples.gather(row),
        "slice_id": slices.gather(place),
        "score": found.along.T.ravel(),
        "class_probability": found.likely.T.ravel(),
    }
    return Scored(pl.DataFrame(columns, schema=_SCORED))


def _scored(node: Assign | Score, work: "Work") -> _Scores:
    store = work.store
    audit = frozen_audit(store, node.audit_id)
    check_spaces(store, audit)
    audit.features.check(_kinds(store), f"{store.location} any more")
    samples, remarks = _samples(node, work, audit)
    _refuse_unencoded(store, audit, samples["sample_id"])
    scores, likely, has_vector = _scores(audit, samples["sample_id"], work)
    kept = pl.Series(has_vector)
    if not kept.all():
        remarks.append(Remark.on(samples.filter(~kept), f"{{}} samples are left out: {NO_VECTOR}"))
    return _Scores(audit, samples.filter(kept), scores[has_vector], likely[has_vector], tuple(remarks))


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


def _scores(
    audit: FrozenAudit, samples: pl.Series, work: "Work"
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """(n, s) scores, (n, s) probabilities of each slice's class, and (n,) whether a sample has any vector."""
    scores, has_vector = along(work.store, audit, audit.directions, samples, work.progress, work.workers)
    found, odds = np.hsplit(scores, 2)
    return np.round(found, SCORE_DECIMALS), probability(odds + audit.class_offsets), has_vector


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


def _rows(
    audit: FrozenAudit,
    samples: pl.Series,
    scores: NDArray[np.float64],
    likely: NDArray[np.float64],
    inside: NDArray[np.bool_],
) -> pl.DataFrame:
    """Slice by slice, the highest score first (ties: by sample id), then the samples that no slice takes."""
    row, place = np.nonzero(inside)
    taken = pl.DataFrame(
        {
            "sample_id": samples.gather(row),
            "slice_id": audit.slices["slice_id"].gather(place),
            "score": scores[row, place],
            "class_probability": likely[row, place],
        },
        schema=_SCORED,
    ).sort(["slice_id", "score", "sample_id"], descending=[False, True, False])
    ranked = taken.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("slice_id"))
    alone = pl.DataFrame({"sample_id": samples.filter(pl.Series(~inside.any(axis=1)))})
    nothing = {"score": pl.Float64, "class_probability": pl.Float64, "rank": pl.Int64}
    none = alone.with_columns(slice_id=pl.lit(NO_SLICE), **{name: pl.lit(None, kind) for name, kind in nothing.items()})
    return pl.concat([ranked, none])
