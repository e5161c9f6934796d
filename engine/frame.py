"""The lazy frame: what is asked of a store, step by step, before anything is read."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from misread.schemas.arguments import checked_methods
from misread.schemas.errors import AuditError, MisreadError, unknown_name
from misread.schemas.values import LARGEST_INTEGER, Modality
from misread.sql.pipeline import BATCH_ROWS

from .plan import (
    HOWS,
    Assign,
    Describe,
    Discover,
    Filter,
    Fuse,
    Head,
    How,
    Join,
    Node,
    Samples,
    Scan,
    Score,
    Select,
    Sort,
    optimise,
    tree,
)
from .progress import Progress, silent
from .workers import Workers

if TYPE_CHECKING:
    import pandas as pd

    from .execute import Work
    from .library import Store
    from .phrase_lists import Phrases

Predicate = str | pl.Expr


@checked_methods
@dataclass(frozen=True, repr=False)
class LazyFrame:
    """A plan over a store. Every method gives another one; nothing is read until `collect`, `stream` or `sink`.

    Names are checked when they are written. Rows come in the order of their keys (of samples: sample_id, model,
    target), or as `sort` says, whatever order they are stored in. Frames with the same plan are equal. A function given
    as `progress` is called with how much is done, of how much, and of what, as long work goes on.
    """

    store: "Store" = field(compare=False)
    plan: Node

    @property
    def schema(self) -> pa.Schema:
        """The columns and their types; fused vectors are lists of one length, which is known once they are made."""
        return self.plan.schema

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.plan.gives)

    def filter(self, *predicates: Predicate) -> "LazyFrame":
        """Keeps the rows for which every predicate is true (NULL is not): SQL, or a polars expression.

        Before `fuse` this chooses the samples of an audit; after `discover` and `describe` it chooses among what was
        found. Raises UnknownNameError for a column that is not there, QueryError for what is no predicate.
        """
        from .predicates import checked

        if isinstance(self.plan, Fuse):
            raise AuditError("filter comes before fuse: the vectors are fitted on the rows that are kept")
        texts = tuple(checked(predicate, self.schema, self._called) for predicate in predicates)
        return self._with(Filter(self.plan, texts)) if texts else self

    def select(self, *columns: str) -> "LazyFrame":
        """Keeps these columns, in this order. The order of the rows stays."""
        if not columns:
            raise MisreadError("select names no column", f"there is: {', '.join(self.columns)}")
        self._check(columns)
        return self._with(Select(self.plan, tuple(dict.fromkeys(columns))))

    def join(self, other: "LazyFrame", on: str | Sequence[str], how: How = "inner") -> "LazyFrame":
        """Joins with the rows of another frame that agree in the columns `on`; NULL agrees with nothing.

        `how`: `inner`; `left` keeps rows without a partner; `semi` and `anti` keep the rows that have one, or none,
        and bring no column. Raises MisreadError for columns that both frames have beside `on`, and for types that
        cannot be compared.
        """
        if how not in HOWS:
            raise unknown_name("way to join", how, HOWS)
        if self.store.location != other.store.location:
            raise MisreadError("the frames are of two stores", "collect one of them, and join in polars")
        names = (on,) if isinstance(on, str) else tuple(on)
        if not names:
            raise MisreadError("join names no column", "name those that both frames have in on")
        self._check(names)
        other._check(names)
        for name in names:
            kinds = self.schema.field(name).type, other.schema.field(name).type
            if kinds[0] != kinds[1]:
                raise MisreadError(f"{name!r} is {kinds[0]} in one frame and {kinds[1]} in the other")
        mine = {name.casefold() for name in self.columns}  # SQL knows no case in names
        both = [name for name in other.columns if name.casefold() in mine and name not in names]
        if both and how in ("inner", "left"):
            raise MisreadError(
                f"both frames have {', '.join(map(repr, both))}",
                "choose the columns of one of them with select before joining, or name them in on",
            )
        newer = max(self.store, other.store, key=lambda store: store.state)  # it knows the versions of both
        return LazyFrame(newer, Join(self.plan, other.plan, names, how))

    def sort(self, *by: str, descending: bool | Sequence[bool] = False) -> "LazyFrame":
        """Orders the rows by columns, NULL last; ties stay in the order they had."""
        self._check(by)
        down = (descending,) * len(by) if isinstance(descending, bool) else tuple(descending)
        if len(down) != len(by):
            raise MisreadError(f"{len(by)} columns to sort by, and {len(down)} values of descending")
        return self._with(Sort(self.plan, by, down)) if by else self

    def head(self, rows: int = 10) -> "LazyFrame":
        """Keeps the first rows, in the order that they come in."""
        if not 0 <= rows <= LARGEST_INTEGER:
            raise MisreadError(f"{rows} rows cannot be kept", f"ask for 0 to {LARGEST_INTEGER}")
        return self._with(Head(self.plan, rows))

    def fuse(
        self,
        image: str | None = None,
        report: str | None = None,
        metadata: str | Sequence[str] | None = None,
        *,
        modalities: Modality | Sequence[Modality] | None = None,
    ) -> "LazyFrame":
        """Joins the modalities into one vector a sample, fitted on the discovery half.

        `image`, `report`: encoders; `metadata`: columns; what is not named takes no part. With none of them,
        `modalities` (default: all the store has vectors for, and metadata) with the encoder last embedded for each and
        every metadata column that may take part. Raises UnknownNameError or AuditError for what is not there.
        """
        from .modalities import fused

        self._check_samples()
        return self._with(fused(self.store, self.plan, image, report, metadata, modalities))

    def discover(
        self,
        *,
        min_size: int = 10,
        most: int = 5,
        permutations: int | None = None,
        threshold: float | None = None,
        min_patients: int = 5,
        stability: int = 20,
        losses: bool = False,
        pool: int = 8192,
    ) -> "LazyFrame":
        """Finds slices: memberships of every sample a slice's rule takes.

        `min_size`: fewest discovery rows of the slice's class that its rule takes; `most`: slices a class at most;
        `permutations`: shuffles of the errors, at most, that calibrate the search (0: none; confirmation on held-out
        patients stands without; None: 399, of a class of more than 50,000 discovery rows 99), no more being made than
        it takes to know what is kept; `threshold`: predicted = score >= threshold, for models and targets whose
        predictions bring none; `min_patients`: fewest different patients among those rows, so that no slice is a
        handful of people, whose errors no test on patients can tell from chance (and who could be recognised);
        `stability`: bootstrap samples of the patients on which a class with slices is searched again to tell how
        stable they are (0: none).
        `losses`: rows are judged by the loss of their prediction, higher being worse, instead of by label and
        threshold; no label is needed, and all rows of a model and target that have a loss are searched as one class.
        Raises AuditError where no prediction has one, and without `losses` where predictions have nothing else.
        `pool`: errors of a class (losses above the mean) among which candidates are sought; of more, so many are drawn.
        A slice with less than about 1 in 200 of them needs a larger pool; time grows with its square, memory with it.
        """
        from .execute.inputs import check_judged

        below = self if isinstance(self.plan, Fuse) else self.fuse()
        node = Discover(below.plan, min_size, most, permutations, threshold, min_patients, stability, losses, pool)
        check_judged(self.store, self.plan.first(Samples), threshold, by_loss=losses)
        return self._with(replace(node, named=self._audit_id(node)))

    def describe(self, *, most: int = 10, phrases: "Phrases | None" = None) -> "LazyFrame":
        """Turns memberships into slices: one row each, with statistics and what it is in words.

        `most`: phrases a slice at most. `phrases`: your own to look for in reports (and, with an encoder of images
        and texts, in images), beside the built-in terms: names, or each name with its other spellings, or a file of
        them as `misread discover --phrases` takes. Raises MisreadError for phrases that cannot be looked for.
        """
        from .phrase_lists import phrase_list

        if not isinstance(self.plan, Discover):
            raise AuditError("describe comes after discover")
        if most < 1:
            raise AuditError(f"most is {most}; it must be at least 1")
        node = Describe(self.plan, most, phrase_list(phrases) if phrases is not None else ())
        return self._with(replace(node, input=replace(self.plan, named=self._audit_id(node))))

    def assign(self, audit: str) -> "LazyFrame":
        """Puts these samples into the frozen slices of an audit (its id or name), without labels.

        sample_id, model, target, slice_id (`none`: none takes it), score, class_probability, rank: see `Store.assign`.
        """
        self._check(["sample_id"])
        return self._with(Assign(self.store.location, self.store.state, self.store.audit_id(audit), self.plan))

    def score(self, audit: str) -> "LazyFrame":
        """The score of each of these samples under every frozen slice of an audit, whether it takes it or not.

        sample_id, model, target, slice_id, score (the slice takes those from its cut on), class_probability.
        """
        self._check(["sample_id"])
        return self._with(Score(self.store.location, self.store.state, self.store.audit_id(audit), self.plan))

    def optimised(self) -> "LazyFrame":
        """The frame as it is run: the same rows, worked out for less. Audits are of frames as they were written."""
        return self._with(optimise(self.plan))

    def explain(self, *, optimised: bool = True, costs: bool = False) -> str:
        """The plan as a tree: what is read and from which version, what Lance works out, where streaming stops.

        `optimised=False`: as it was written. `costs`: with the most rows that each step gives, the bytes it reads, and
        about what time (with the usual shuffles, and with all) and memory it takes. Nothing is run.
        """
        plan = optimise(self.plan) if optimised else self.plan
        if not costs:
            return tree(plan)
        from .execute.costs import plan_with_costs

        return plan_with_costs(plan, self.store)

    def collect(
        self, progress: Progress = silent, *, memory: int | None = None, cache: bool = True, optimised: bool = True
    ) -> pl.DataFrame:
        """Runs the plan: slices after describe, memberships after discover, vectors after fuse, else rows.

        `memory`: bytes that may be held while it runs, 128 MiB or more (default: 1 GiB for rows, no limit for
        discovery); sorting and joining spill to disk, and what cannot be done in it raises an error. `cache`: an
        answer that was worked out before is read from the store's cache, a new one is kept there, and what an audit
        found is not searched for again, whatever is asked of it. `optimised=False` runs the plan as written.
        """
        from .interchange import as_frame

        return as_frame(self.to_arrow(progress, memory=memory, cache=cache, optimised=optimised))

    def stream(
        self, batch_rows: int = BATCH_ROWS, progress: Progress = silent, *, memory: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of `collect`, in the same order, at most `batch_rows` a batch; they are never held all at once.

        But for steps over whole tables (see `explain`), whose answers are.
        """
        if not 1 <= batch_rows <= LARGEST_INTEGER:
            raise MisreadError(f"batches of {batch_rows} rows cannot be made", f"ask for 1 to {LARGEST_INTEGER}")
        return self._work(progress, memory).stream(optimise(self.plan), batch_rows)

    def sink(
        self,
        name: str | None = None,
        progress: Progress = silent,
        *,
        memory: int | None = None,
        workers: Workers | None = None,
    ) -> str:
        """Runs the plan, keeps it in the store as an audit, and returns the audit's id.

        `name`: what the audit may be called besides, instead of a name that it has. With `workers` (see
        `misread.workers`) other processes read and fuse the vectors, hold them if they are many and make every pass
        over them; the result is the same. The same audit asked for again is not run again. What is kept moves the
        store of this frame on to the newest state; frames made before go on reading theirs. Raises AuditError for a
        plan that is no audit, or a name that another audit has.
        """
        from .execute import sink_audit

        audit = self if isinstance(self.plan, Describe | Discover) else self.discover()
        audit = audit if isinstance(audit.plan, Describe) else audit.describe()
        return sink_audit(self.store, audit.plan, name, self._work(progress, memory, workers))

    def sink_parquet(
        self, path: str | os.PathLike[str], progress: Progress = silent, *, memory: int | None = None
    ) -> int:
        """Streams the rows into a Parquet file that only its owner may read; returns how many there were.

        The file is there whole or not at all. It holds patient data if the rows do, and cannot lie in the store.
        """
        from .execute.files import write_parquet
        from .writing import refuse_inside

        refuse_inside(Path(path), self.store.location)
        return write_parquet(self.stream(progress=progress, memory=memory), path, self.schema)

    def lazy(self) -> pl.LazyFrame:
        """The rows as a polars LazyFrame: what polars asks of columns and of a number of rows reaches the plan."""
        from .interchange import polars_scan

        return polars_scan(self)

    def to_polars(self) -> pl.DataFrame:
        """The same as `collect`."""
        return self.collect()

    def to_arrow(
        self, progress: Progress = silent, *, memory: int | None = None, cache: bool = True, optimised: bool = True
    ) -> pa.Table:
        """The rows as an Arrow table; the options are those of `collect`."""
        plan = optimise(self.plan) if optimised else self.plan
        work = self._work(progress, memory, cache=cache)
        if work.cache is None or isinstance(plan, Discover | Describe):
            return work.table(plan)
        return work.cache.answer(plan, lambda: work.table(plan))

    def to_pandas(self) -> "pd.DataFrame":
        """The rows as a pandas DataFrame. Raises MisreadError where pandas is not installed."""
        from importlib.util import find_spec

        if find_spec("pandas") is None:
            raise MisreadError("pandas is not installed", "pip install pandas, or use to_polars or to_arrow")
        return self.to_arrow().to_pandas()

    def to_duckdb(self, connection: Any = None) -> Any:
        """The rows as a DuckDB relation, on a connection of your own (default: DuckDB's default connection)."""
        from misread.sql.relation import relation_of

        return relation_of(self.to_arrow(), connection)

    def __repr__(self) -> str:
        return self.explain()

    def _repr_html_(self) -> str:
        """The plan and its first rows, for notebooks."""
        from .interchange import html_of

        return html_of(self)

    @property
    def _called(self) -> str:
        """What the rows are called in errors."""
        names = {Describe: "slices", Discover: "memberships", **dict.fromkeys((Assign, Score, Samples), "samples")}
        found = (step.table if isinstance(step, Scan) else names.get(type(step)) for step in self.plan.walk())
        return next(filter(None, found), "rows")

    def _with(self, plan: Node) -> "LazyFrame":
        return LazyFrame(self.store, plan)

    def _work(
        self, progress: Progress, memory: int | None, workers: Workers | None = None, *, cache: bool = True
    ) -> "Work":
        from misread.sql.pipeline import LEAST_MEMORY

        from .execute import Work
        from .execute.cache import Cache

        if memory is not None and memory < LEAST_MEMORY:
            raise MisreadError(f"{memory} bytes are too few to work with", f"allow {LEAST_MEMORY} or more")
        if memory is not None and memory > LARGEST_INTEGER:
            raise MisreadError(f"no machine has {memory} bytes", f"allow at most {LARGEST_INTEGER}")
        return Work(self.store, progress, memory, workers, Cache(self.store) if cache else None)

    def _check(self, names: Sequence[object]) -> None:
        for name in names:
            if not isinstance(name, str):
                hint = "name each by itself, as in 'age', 'sex'; expressions are for filter, and for what lazy() gives"
                raise MisreadError(f"{name!r} is no name of a column", hint)
            if name not in self.columns:
                raise unknown_name("column", name, self.columns, self._called)

    def _check_samples(self) -> None:
        """Raises AuditError unless the rows are samples, chosen by what is known of images alone."""
        node, asked = self.plan, set[str]()
        while isinstance(node, Filter):
            asked |= set(node.reads())
            node = node.input
        if not isinstance(node, Samples):
            raise AuditError("fuse needs samples, filtered or not", "begin with: store.scan(...)")
        others = sorted(asked & set(node.gives) - node.named_alike)
        if others:
            renamed = [called for called in others if called in node.renamed.values()]
            raise AuditError(
                f"an audit's samples are chosen by columns of images, not by {', '.join(others)}",
                f"{', '.join(renamed)}: a column of images is called so here alone; ingest it under another name"
                if renamed
                else "what a model said, and the halves, cannot choose whom it is audited on",
            )

    def _audit_id(self, node: Discover | Describe) -> str:
        from .execute import audit_id_of

        return audit_id_of(self.store, node)
