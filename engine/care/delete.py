"""Removing a patient from a store: from every table, every older state, kept answers and rejected rows."""

from collections.abc import Mapping
from dataclasses import dataclass

from misread.encode.finished import FOLDER as UNFINISHED
from misread.execute.cache import Cache
from misread.ingest.rejects import without_mentions
from misread.schemas.errors import MisreadError
from misread.schemas.tables import IMAGES
from misread.store import Commit, TableStore
from misread.store.lance_table import in_list

_AT_ONCE = 500
_SAMPLES = ("sample_id", "neighbour_of")
"""Columns that name a sample."""


@dataclass(frozen=True)
class Deleted:
    """What was removed: rows by table, answers from the cache, rejected rows beside the store."""

    rows: Mapping[str, int]
    answers: int
    rejected: int


def delete_patient(store: TableStore, patient: str, *, also_known_as: str | None = None) -> Deleted:
    """Removes a patient for good. All older states of the store go with it, as they hold the patient too.

    The new state becomes visible at once, after which what nothing names any more is removed from the disk; asked again
    after a kill, what was left is removed. What audits and fitted encoders learnt from many patients stays, though this
    one was among them. `also_known_as`: the patient's other id, where one is the keyed hash of the other; both
    go. Raises MisreadError where the store has no such patient.
    """
    answers = Cache(store).clear()
    _forget_unfinished(store)
    store.purge()
    ids = [patient] if also_known_as is None else [patient, also_known_as]
    with store.commit("delete") as commit:  # others may have added to the patient since the store was opened
        if not commit.has(IMAGES.name):
            raise MisreadError(f"the store {store.location} has no samples")
        samples, studies, others = _named(commit, in_list("patient_id", ids))
        rejected = without_mentions(store, [*samples, *studies], ids, others)
        if not samples and not rejected:
            raise MisreadError(
                f"the store {store.location} has no patient {patient!r}",
                "where ids are stored as keyed hashes, give the key: --key FILE",
            )
        counts = {name: _delete(commit, name, samples, studies) for name in sorted(commit.manifest.tables)}
        commit.forget_older_states()
    store.purge()
    _forget_unfinished(store)
    rejected += without_mentions(store, [*samples, *studies], ids, others)
    return Deleted({name: count for name, count in counts.items() if count}, answers + Cache(store).clear(), rejected)


def _forget_unfinished(store: TableStore) -> None:
    """Removes the vectors of unfinished embedding jobs, which do not tell whose they are; jobs make them anew."""
    with store.files.writing():
        for file in store.files.names(UNFINISHED):
            store.files.remove(file)


def _named(commit: Commit, mine: str) -> tuple[list[str], list[str], set[str]]:
    """A patient's samples, those of the patient's studies that no other patient has, and all samples and studies of
    others."""
    images = commit.table(IMAGES.name)
    rows = images.read(["sample_id", "study_id"], mine)
    not_mine = images.read(["sample_id", "study_id"], f"NOT coalesce({mine}, false)")
    shared = set(not_mine["study_id"].drop_null().to_pylist())
    studies = set(rows["study_id"].drop_null().to_pylist()) - shared
    return rows["sample_id"].to_pylist(), sorted(studies), shared | set(not_mine["sample_id"].to_pylist())


def _delete(commit: Commit, name: str, samples: list[str], studies: list[str]) -> int:
    """Removes the rows of some samples and studies from a table; returns how many."""
    table = commit.table(name)
    before = table.count()
    wanted = [(column, samples) for column in _SAMPLES if column in table.schema.names]
    if name == "reports":
        wanted.append(("study_id", studies))
    writer = commit.writer(name)
    for column, ids in wanted:
        for start in range(0, len(ids), _AT_ONCE):
            writer.delete(in_list(column, ids[start : start + _AT_ONCE]))
    writer.compact()
    return before - writer.count()
