"""The library's door: a store that is scanned, fused, searched and described, step by step, before anything runs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from misread.schemas.errors import AuditError, unknown_name
from misread.schemas.values import MODALITIES, Modality
from misread.sql.limits import MEMORY, SECONDS, Limits

from .plan import AUTOMATIC, Assign, Describe, Discover, Filter, Fuse, Node, Scan, tree
from .progress import Progress, silent
from .store import TableStore

if TYPE_CHECKING:
    from misread.sql import Session

    from .execute import Assigned

Names = str | Sequence[str] | None

FEWEST_PERMUTATIONS = 19


def open(location: str | os.PathLike[str], *, state: int | None = None) -> "Store":  # noqa: A001 - mr.open(...) reads as it does
    """Opens a store at its newest state, or at an older one. Raises StoreError if there is none."""
    return Store.open(location, state=state)


class Store(TableStore):
    """A store that can be audited and asked."""

    def scan(
        self, model: Names = None, target: Names = None, *, seed: int = 0, include_train: bool = False
    ) -> "LazyAudit":
        """Begins an audit of some models and targets (default: all that have predictions).

        `seed` decides which patients are the discovery half. Rows whose split is `train` are left out unless
        `include_train`. Raises UnknownNameError for a model or target without predictions.
        """
        from .execute.inputs import model_targets

        if not self.has("predictions"):
            raise AuditError(
                f"the store {self.location} holds no predictions",
                "add them with: misread ingest STORE --predictions FILE",
            )
        pairs = model_targets(self)
        models = _chosen("model", model, [m for m, _ in pairs])
        targets = _chosen("target", target, [t for m, t in pairs if m in models])
        return LazyAudit(self, Scan(self.location, self.state, models, targets, seed, include_train))

    def assign(self, audit_id: str, where: str | None = None, progress: Progress = silent) -> pl.DataFrame:
        """Puts samples into the frozen slices of an audit, without labels: sample_id, slice_id, score, rank.

        By default the samples that the audit would have taken but did not judge: its own filter and its rule on
        training rows hold. `where` (SQL over the images view) chooses any samples instead. One row a sample and
        slice that takes it, whatever the model and target; samples in no slice come once, with slice_id `none`.
        Samples without a vector in any modality of the audit are left out. Raises UnknownNameError for an unknown
        audit or a metadata column that is gone, AuditError for pictures or reports without a vector.
        """
        return self.assigned(audit_id, where, progress).rows

    def moved(self, audit_id: str, where: str | None = None, progress: Progress = silent) -> pl.DataFrame:
        """How an audit's slices moved: one row a slice, among the samples that `assign` puts into slices.

        `share` of the samples and, where there are labels, `error_rate` (of the slice's true class, at the audit's
        threshold), or in an audit of losses `mean_loss`, each with a 95 % interval, the confirmation half's
        (`…_audited`) and the change with its interval.
        """
        return self.assigned(audit_id, where, progress).moved

    def assigned(self, audit_id: str, where: str | None = None, progress: Progress = silent) -> "Assigned":
        """What `assign` and `moved` give, from one reading, with notes on the samples left out."""
        from .execute import Assigned, run

        node = Assign(self.location, self.state, audit_id, None if where is None else (where,))
        result = run(node, self, progress)
        assert isinstance(result, Assigned)
        return result

    def sql(
        self,
        query: str,
        parameters: Mapping[str, object] | Sequence[object] | None = None,
        *,
        time_limit: float | None = SECONDS,
        memory_limit: str = MEMORY,
        allow_small_cells: bool = False,
    ) -> pl.DataFrame:
        """The answer to one SELECT over the store's views; `parameters` fill $names, or ? in order.

        `time_limit` in seconds (None: no limit) and `memory_limit` stop the question. The functions that misread
        brings show no number of fewer than 11 patients unless `allow_small_cells`. Raises QueryError for what is
        refused, stopped or does not run, and UnknownNameError for names that do not exist.
        """
        with self.session(Limits(time_limit, memory_limit, allow_small_cells)) as session:
            return pl.DataFrame(session.query(query, parameters))

    def session(self, limits: Limits | None = None) -> "Session":
        """A place to ask several questions of this state; close it, or use it in a `with`.

        Its `connection` is the plain DuckDB connection, with every view and function.
        """
        from .query import open_session

        return open_session(self, limits)

    def subgroups(
        self,
        model: str,
        target: str,
        *,
        of_class: int | None = None,
        min_size: int = 10,
        most_terms: int = 3,
        top: int = 10,
        where: str | None = None,
        allow_small_cells: bool = False,
    ) -> pl.DataFrame:
        """The subgroups of metadata in which a model's errors gather, the most telling first.

        Conjunctions of up to `most_terms` (at most 3) values within a true class (`of_class`; None: each of both),
        `min_size` rows at least, ranked by the scan statistic; the columns are those of the SQL function `subgroups`.
        `where` (SQL over the view samples) chooses the rows to search. Found by search: try them on other patients
        before believing them. Raises UnknownNameError for a model, target or column that does not exist, QueryError
        for what cannot be searched.
        """
        with self.session(Limits(allow_small_cells=allow_small_cells)) as session:
            if where is not None:
                session.check_predicate(where, "samples")
            asked = (
                "FROM subgroups($model, $target, of_class := $of_class, min_size := $min_size, "
                f"most_terms := $most_terms, top := $top, keep := (\n{where or 'true'}\n))"
            )
            values = {"of_class": of_class, "min_size": min_size, "most_terms": most_terms, "top": top}
            return pl.DataFrame(session.query(asked, {"model": model, "target": target, **values}))

    def keep_question(self, name: str, question: str) -> None:
        """Keeps a question in the store by name. Raises QueryError for a name or question that cannot be kept."""
        from .queries import keep_question

        keep_question(self, name, question)

    def question(self, name: str) -> str:
        """The text of a question, kept or misread's own. Raises UnknownNameError for neither."""
        from .queries import question_named

        return question_named(self, name)


@dataclass(frozen=True)
class LazyAudit:
    """A plan and the store it is about. Nothing is read until `collect` or `sink`."""

    store: Store
    plan: Node

    def filter(self, *predicates: str) -> "LazyAudit":
        """Keeps the samples for which every predicate, SQL over the images view, is true (NULL is not)."""
        if any(isinstance(step, Fuse | Discover) for step in self.plan.walk()):
            raise AuditError("filter comes before fuse: the vectors are fitted on the rows that are kept")
        return LazyAudit(self.store, Filter(self.plan, predicates)) if predicates else self

    def fuse(
        self,
        image: str | None = None,
        report: str | None = None,
        metadata: Sequence[str] | None = None,
        *,
        modalities: Sequence[Modality] | None = None,
    ) -> "LazyAudit":
        """Joins the modalities into one vector a sample.

        `image`, `report`: encoders; `metadata`: columns. With none of them, `modalities` (default: all the store
        has vectors for, and metadata) with the encoder last embedded for each and every metadata column that may
        take part. Raises UnknownNameError or AuditError for what is not there.
        """
        if modalities is None:
            named = {"image": image, "report": report, "metadata": metadata}
            modalities = [m for m in MODALITIES if named[m] is not None] or self._available()
        for modality in modalities:
            if modality not in MODALITIES:
                raise unknown_name("modality", modality, MODALITIES)
        node = Fuse(
            self.plan,
            image=self._encoder("image", image) if "image" in modalities else None,
            report=self._encoder("report", report) if "report" in modalities else None,
            metadata=self._columns(metadata) if "metadata" in modalities else None,
        )
        return LazyAudit(self.store, node)

    def discover(
        self,
        *,
        min_size: int = 10,
        most: int = 5,
        permutations: int = 99,
        threshold: float | None = None,
        min_patients: int = 5,
        stability: int = 20,
        losses: bool = False,
    ) -> "LazyAudit":
        """Finds slices: memberships of every sample a slice's rule takes.

        `min_size`: fewest discovery rows of the slice's class; `most`: slices a class at most; `permutations`:
        shuffles of the errors that calibrate the search (0: none; confirmation on held-out patients stands without);
        `threshold`: predicted = score >= threshold, for models and targets whose predictions bring none;
        `min_patients`: fewest different patients among those rows, so that no slice is a handful of people, whose
        errors no test on patients can tell from chance (and who could be recognised); `stability`: bootstrap
        samples of the patients on which a class with slices is searched again to tell how stable they are (0: none).
        `losses`: rows are judged by the loss of their prediction, higher being worse, instead of by label and
        threshold; no label is needed, and all rows of a model and target that have a loss are searched as one class.
        Raises AuditError where no prediction has one.
        """
        below = self if any(isinstance(step, Fuse) for step in self.plan.walk()) else self.fuse()
        for name, value, least in (
            ("min_size", min_size, 2),
            ("most", most, 1),
            ("permutations", permutations, 0),
            ("min_patients", min_patients, 1),
            ("stability", stability, 0),
        ):
            if value < least:
                raise AuditError(f"{name} is {value}; it must be at least {least}")
        if 0 < permutations < FEWEST_PERMUTATIONS:
            raise AuditError(
                f"{permutations} permutations cannot show a slice at the 5 % level",
                f"use {FEWEST_PERMUTATIONS} or more, or 0 to leave calibration out",
            )
        if losses:
            self._check_losses(threshold)
        node = Discover(below.plan, min_size, most, permutations, threshold, min_patients, stability, losses)
        return LazyAudit(self.store, node)

    def describe(self, *, phrases: int = 10) -> "LazyAudit":
        """Turns memberships into slices: one row each, with statistics and at most `phrases` phrases."""
        if not isinstance(self.plan, Discover):
            raise AuditError("describe comes after discover")
        return LazyAudit(self.store, Describe(self.plan, phrases))

    def explain(self) -> str:
        """The plan as a tree: what each step reads, and where a whole table is needed."""
        return tree(self.plan)

    def collect(self, progress: Progress = silent) -> pl.DataFrame:
        """Runs the plan: slices after describe, memberships after discover, else one row a sample.

        After fuse: sample_id, half, left_out and vector. Nothing is kept in the store.
        """
        from .execute import Described, Discovered, FusedSamples, ScannedSamples, run

        result = run(self.plan, self.store, progress)
        if isinstance(result, Described):
            return pl.DataFrame([found.row for found in result.below.slices], infer_schema_length=None)
        if isinstance(result, Discovered):
            return result.memberships()
        if isinstance(result, FusedSamples):
            return result.samples.select("sample_id", "half", "left_out", vector=pl.Series(result.vectors))
        assert isinstance(result, ScannedSamples)
        kept = (
            result.images
            if result.selected is None
            else result.images.filter(pl.col("sample_id").is_in(list(result.selected)))
        )
        return kept.join(result.predictions.drop("winner"), on="sample_id", how="left")

    def sink(self, progress: Progress = silent) -> str:
        """Runs the plan, keeps it in the store as an audit, and returns the audit's id.

        The same audit asked for again is not run again: its id is returned at once.
        """
        from .execute import Described, audit_id_of, run, stored_audit, write_audit

        lazy = (
            self
            if isinstance(self.plan, Describe)
            else (self if isinstance(self.plan, Discover) else self.discover()).describe()
        )
        audit_id = audit_id_of(self.store, lazy.plan)
        if not stored_audit(Store.open(self.store.location), audit_id):
            result = run(lazy.plan, self.store, progress)
            assert isinstance(result, Described)
            write_audit(self.store, lazy.plan, result)
        return audit_id

    def _check_losses(self, threshold: float | None) -> None:
        """Raises AuditError where rows cannot be judged by losses."""
        from .execute.inputs import read_predictions

        if threshold is not None:
            raise AuditError(
                f"the threshold {threshold:g} has no use: losses are not compared with one", "leave it out"
            )
        scan = next(step for step in self.plan.walk() if isinstance(step, Scan))
        if not read_predictions(self.store, scan.models, scan.targets)["loss"].is_not_null().any():
            raise AuditError(
                f"no prediction of {', '.join(scan.models)} for {', '.join(scan.targets)} has a loss",
                "ingest predictions with a column loss, or leave losses out to judge rows by label and threshold",
            )

    def _available(self) -> list[Modality]:
        embedded = {entry.modality for entry in self.store.encoders.values()}
        return [m for m in MODALITIES if m in embedded or m == "metadata"]

    def _encoder(self, modality: Modality, asked: str | None) -> str:
        entries = {name: e for name, e in self.store.encoders.items() if e.modality == modality}
        if asked is not None:
            if asked not in entries:
                raise unknown_name(f"{modality} encoder", asked, entries, self.store.location)
            return asked
        if not entries:
            raise AuditError(f"the store holds no {modality} vectors", "make them with: misread embed STORE")
        return max(entries, key=lambda name: (entries[name].order, name))

    def _columns(self, asked: Sequence[str] | None) -> Any:
        if asked is None:
            return AUTOMATIC
        from .execute.inputs import metadata_columns

        known = metadata_columns(self.store)
        for name in asked:
            if name not in known:
                raise unknown_name("metadata column", name, known, "images")
        return tuple(sorted(set(asked)))


def _chosen(kind: str, asked: Names, known: Sequence[str]) -> tuple[str, ...]:
    names = [asked] if isinstance(asked, str) else list(asked or [])
    for name in names:
        if name not in known:
            raise unknown_name(kind, name, known, "predictions")
    return tuple(sorted(set(names or known)))
