"""The library's door: a store that is scanned, fused, searched and described, step by step, before anything runs."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from misread.schemas.arguments import checked, checked_methods
from misread.sql.limits import MEMORY, SECONDS, Limits

from .frame import LazyFrame, Predicate
from .plan import Assign, optimise
from .progress import Progress, silent
from .store import TableStore
from .workers import Workers

if TYPE_CHECKING:
    from misread.sql import Session

    from .encode import EmbedResult, Precision
    from .execute import Assigned
    from .filling import Table
    from .ingest import IngestResult
    from .report import Report

Names = str | Sequence[str] | None
_OFFERED = ("encoders", "location", "state", "tables")


@checked
def open(  # noqa: A001 - mr.open(...) reads as it does
    location: str | os.PathLike[str], *, state: int | None = None, create: bool = False
) -> "Store":
    """Opens a store at its newest state, or at an older one.

    With `create` a place without a store stands for a new one, which its first `ingest` makes. Raises StoreError if
    there is none, or where a file or a folder of other things stands in the way of a new one.
    """
    return Store.open_or_new(location) if create and state is None else Store.open(location, state=state)


class _Offered(type):
    """A class of which help and notebooks show what is for its users: no part of how a store is read and written."""

    def __dir__(cls) -> list[str]:
        return [*_OFFERED, *(name for name in vars(cls) if not name.startswith("_"))]


@checked_methods
class Store(TableStore, metaclass=_Offered):
    """A store that can be audited and asked; `mr.open` gives one. It pickles as its place and the state that was open.

    What is read is the state that was the newest when it was opened; what is kept through it (an audit, a verdict, a
    question) moves it on to the newest. A function given as `progress` is called with how much is done, of how much,
    and of what, as long work goes on.
    """

    def __repr__(self) -> str:
        return f"Store({self.location!r}, state={self.state})"

    def __dir__(self) -> list[str]:
        return dir(Store)

    def __reduce__(self) -> tuple[object, ...]:
        return _reopened, (self.location, self.state)

    def ingest(  # noqa: PLR0913 - each is an option of the command
        self,
        *,
        metadata: "Table | None" = None,
        images: str | os.PathLike[str] | None = None,
        reports: "Table | None" = None,
        predictions: "Table | None" = None,
        embeddings: "Table | None" = None,
        format: str | None = None,  # noqa: A002 - as the command calls it
        root: str | os.PathLike[str] | None = None,
        keep_identifiers: Sequence[str] = (),
        key: str | os.PathLike[str] | None = None,
        skip_faulty: bool = False,
        progress: Progress = silent,
    ) -> "IngestResult":
        """Takes tables into the store as `misread ingest` does, all or nothing; the store moves on to the new state.

        A table is a CSV or Parquet file, or a polars, pandas or Arrow frame with the columns of one (frames lie in
        TMPDIR meanwhile, for their owner alone). `images`: the folder that the paths of the metadata are relative to
        (default: that of its file, for a frame the current one). `format`, `root`: a public data set, and where it
        lies. `keep_identifiers`: columns of direct identifiers that are kept. `key`: a file; ids are stored as hashes
        under it. What was dropped, and what else there is to say, is in `notices` of the answer. Raises
        InputFaultsError with every fault of every table in `faults` (row 2 is the first of a frame, as of a file; with
        `skip_faulty` the good rows are stored, and `faults` of the answer tells the others), UnknownNameError for an
        unknown format, MisreadError where there is nothing to take in, StoreError where another writes.
        """
        from .filling import as_files, frames_among, sources_of
        from .ingest import Sources, ingest

        folder = None if images is None else Path(images)
        tables = {"metadata": metadata, "reports": reports, "predictions": predictions, "embeddings": embeddings}
        with as_files(**tables) as files:
            named = files["metadata"], folder, files["reports"], files["predictions"], files["embeddings"]
            sources = Sources(*named, identifiers_kept=tuple(keep_identifiers), frames=frames_among(tables))
            whole = sources_of(self.location, sources, format, root, None if key is None else Path(key))
            return ingest(self, whole, skip_faulty=skip_faulty, progress=progress)

    def embed(  # noqa: PLR0913 - each is an option of the command
        self,
        *,
        image_encoder: str | None = "hog",
        report_encoder: str | None = "tfidf",
        refit: bool = False,
        device: str | None = None,
        precision: "Precision | None" = None,
        threads: int | None = None,
        download: bool = False,
        workers: Workers | None = None,
        progress: Progress = silent,
    ) -> "EmbedResult":
        """Turns images and reports into vectors as `misread embed` does; the store moves on to the new state.

        An encoder is named by its name or a model's directory (with `download` owner/name of the Hugging Face hub);
        None leaves a modality out. What is there already is not encoded again, but with `refit`. `device`, `precision`
        (float32, float16) and `threads` are for pretrained models. Raises UnknownNameError for an encoder that does
        not exist, MisreadError for a model that cannot be loaded, a device that is not here or an input that cannot be
        encoded, StoreError where vectors computed elsewhere have the encoder's name.
        """
        from .encode import Settings, embed

        return embed(
            self,
            image_encoder=image_encoder,
            report_encoder=report_encoder,
            refit=refit,
            settings=Settings(device, precision, threads, download),
            workers=workers,
            progress=progress,
        )

    def scan(
        self, model: Names = None, target: Names = None, *, seed: int = 0, include_train: bool = False
    ) -> LazyFrame:
        """The samples with the predictions of some models and targets (default: all): where an audit begins.

        One row a sample, model and target, by sample_id, model and target, with all metadata and the half that the
        patient is in; a sample without such a prediction has one row, in which what predictions tell is NULL (an audit
        leaves it out; the view `samples` of `sql` does not have it). `seed` decides which patients are the discovery
        half. Rows whose split is `train` are left out of audits unless `include_train`. Raises UnknownNameError for a
        model or target without predictions.
        """
        from .execute import samples_of

        return LazyFrame(self, samples_of(self, model, target, seed=seed, include_train=include_train))

    def scan_table(self, name: str, *, pictures: bool = False) -> LazyFrame:
        """The rows of one table; `pictures`: of images with the encoded pixels too. Raises UnknownNameError."""
        from .execute import scan_of

        return LazyFrame(self, scan_of(self, name, pictures=pictures))

    def audit_id(self, audit: str) -> str:
        """The id of an audit by its id or name. Raises UnknownNameError for neither, AuditError without audits."""
        from .execute import audit_named

        return audit_named(self, audit)

    def assign(self, audit: str, where: Predicate | None = None, progress: Progress = silent) -> pl.DataFrame:
        """Puts samples into the frozen slices of an audit, without labels.

        sample_id, model, target, slice_id, score, class_probability (how likely a sample is of the slice's class),
        rank. By default the samples that the audit would have taken but did not judge: its own filter and its rule on
        training rows hold. `where` (over the images table, SQL or polars) chooses any samples instead. One row a sample
        and slice that takes it, with the slice's model and target; for a model and target of the audit of which no
        slice takes it a sample comes once, with slice_id `none`. Slice by slice, in the order of rank, then those in
        none by sample_id, model and target. Samples without a vector in any modality of the audit are left out. Raises
        UnknownNameError for an unknown audit or a metadata column that is gone, AuditError for images or reports
        without a vector.
        """
        return self.assigned(audit, where, progress).rows

    def moved(
        self,
        audit: str,
        where: Predicate | None = None,
        progress: Progress = silent,
        *,
        allow_small_cells: bool = False,
    ) -> pl.DataFrame:
        """How an audit's slices moved: one row a slice, among the samples that `assign` puts into slices.

        `share` of the samples and, where there are labels, `error_rate` (of the slice's true class, at the audit's
        threshold), or in an audit of losses `mean_loss`, each with a 95 % interval, the confirmation half's
        (`…_audited`) and the change with its interval, which takes the two for different patients and is wider than
        95 % where that of a confirmed slice is. Numbers of fewer than 11 patients are NULL unless `allow_small_cells`,
        and `suppressed` says so.
        """
        return self.assigned(audit, where, progress, allow_small_cells=allow_small_cells).moved

    def assigned(
        self,
        audit: str,
        where: Predicate | None = None,
        progress: Progress = silent,
        workers: Workers | None = None,
        *,
        allow_small_cells: bool = False,
    ) -> "Assigned":
        """What `assign` and `moved` give, from one reading, with notes on samples left out and on those of patients
        that it has seen.

        With `workers` (see `misread.workers`) the rows are scored by other processes, and the result is the same.
        """
        from .execute import Assigned, Work

        chosen = None if where is None else self.scan_table("images").filter(where).select("sample_id").plan
        node = optimise(Assign(self.location, self.state, self.audit_id(audit), chosen))
        result = Work(self, progress, workers=workers).value(node)
        assert isinstance(result, Assigned)
        return result.told(Limits(allow_small_cells=allow_small_cells).smallest_cell)

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
        refused, stopped or does not run, and UnknownNameError for names that do not exist, also as `parameters` of a
        question of misread's own (see `question`). What DuckDB does not stop, as the error then says, goes on beside;
        where it has not ended 10 s after a script has, the process is ended with status 1, whatever the script's own
        status was (os._exit ends it before, with any).
        """
        from .queries import check_question

        check_question(self, query, parameters)
        with self.session(Limits(time_limit, memory_limit, allow_small_cells)) as session:
            return pl.DataFrame(session.query(query, parameters))

    def session(self, limits: Limits | None = None) -> "Session":
        """A place to ask several questions of this state; close it, or use it in a `with`.

        Its `connection` is the plain DuckDB connection, with every view and function.
        """
        from .query import open_session

        return open_session(self, limits)

    def subgroups(  # noqa: PLR0913 - each is an option of the question
        self,
        model: str | None = None,
        target: str | None = None,
        *,
        of_class: int | None = None,
        min_size: int = 10,
        most_terms: int = 3,
        top: int = 10,
        where: Predicate | None = None,
        time_limit: float | None = SECONDS,
        memory_limit: str = MEMORY,
        allow_small_cells: bool = False,
    ) -> pl.DataFrame:
        """The subgroups of metadata in which a model's errors gather, by model and target (None: every one, tested
        together), the most telling of each first.

        Conjunctions of up to `most_terms` (at most 3) values within a true class (`of_class`; None: each of both),
        searched in the discovery half of the patients, where they have `min_size` rows at least, and ranked by its
        scan statistic; counts, rates and q-values are of the confirmation half. The columns are those of the SQL
        function `subgroups`. `where` (over the view samples, SQL or polars) chooses the rows to take; limits are those
        of `sql`. Raises UnknownNameError for a model, target or column that does not exist, AuditError for a store
        without predictions, QueryError for what cannot be searched.
        """
        from .predicates import as_sql

        with self.session(Limits(time_limit, memory_limit, allow_small_cells)) as session:
            kept = "true" if where is None else as_sql(where)
            if where is not None:
                session.check_predicate(kept, "samples")
            asked = (
                "FROM subgroups($model, $target, of_class := $of_class, min_size := $min_size, "
                f"most_terms := $most_terms, top := $top, keep := (\n{kept}\n))"
            )
            values = {"of_class": of_class, "min_size": min_size, "most_terms": most_terms, "top": top}
            return pl.DataFrame(session.query(asked, {"model": model, "target": target, **values}))

    def report(
        self,
        audit: str | None = None,
        *,
        images: bool = True,
        text: bool = True,
        allow_small_cells: bool = False,
        progress: Progress = silent,
    ) -> "Report":
        """An audit's report (by id or name; default: the newest), which shows itself in a notebook.

        `images=False` leaves images out; `text=False` leaves ids out and whatever reports say in five words or
        more; numbers of fewer than 11 patients are left out unless `allow_small_cells`. Raises UnknownNameError for
        an audit that does not exist, AuditError for a store without audits.
        """
        from .report import Options, gathered

        return gathered(self, audit, Options(images, text, allow_small_cells), progress)

    def judge(self, slice_id: str, verdict: str, *, judged_by: str, note: str | None = None) -> None:
        """Keeps what a person judges a slice to be: `confirmed`, `artefact`, `label error` or `unclear`.

        The view `verdicts` has the newest of every slice, and carries it to the slice of a later audit that shares
        at least half of its members. Raises UnknownNameError for a slice or verdict that does not exist.
        """
        from .verdicts import judge

        judge(self, slice_id, verdict, judged_by, note)

    def keep_question(self, name: str, question: str) -> None:
        """Keeps a question in the store by name. Raises QueryError for a name or question that cannot be kept."""
        from .queries import keep_question

        keep_question(self, name, question)

    def question(self, name: str) -> str:
        """The text of a question, kept or misread's own, for `sql`. Raises UnknownNameError for neither."""
        from .queries import question_named

        return question_named(self, name)


def _reopened(location: str, state: int) -> Store:
    return Store.open(location, state=state)


@checked
def scan_table(location: str | os.PathLike[str], name: str, *, state: int | None = None) -> LazyFrame:
    """The rows of one table of a store, lazily: `open(location).scan_table(name)`."""
    return Store.open(location, state=state).scan_table(name)


@checked
def scan_samples(
    location: str | os.PathLike[str], model: Names = None, target: Names = None, *, state: int | None = None
) -> LazyFrame:
    """The samples of a store with their predictions, lazily: `open(location).scan(model, target)`."""
    return Store.open(location, state=state).scan(model, target)
