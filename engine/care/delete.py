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
    if not store.has(IMAGES.name):
        raise MisreadError(f"the store {store.location} has no samples")
    ids = [patient] if also_known_as is None else [patient, also_known_as]
    mine = in_list("patient_id", ids)
    rows = store.table(IMAGES.name).read(["sample_id", "study_id"], mine)
    samples = rows["sample_id"].to_pylist()
    rejected = without_mentions(store, ids)
    if not samples and not rejected:
        raise MisreadError(
            f"the store {store.location} has no patient {patient!r}",
            "where ids are stored as keyed hashes, give the key: --key FILE",
        )
    studies = _studies(store, {study for study in rows["study_id"].to_pylist() if study is not None}, mine)
    counts: dict[str, int] = {}
    with store.commit("delete") as commit:
        for name in store.tables:
            counts[name] = _delete(commit, name, samples, studies)
        commit.forget_older_states()
    store.purge()
    _forget_unfinished(store)
    rejected += without_mentions(store, [*samples, *studies])
    return Deleted({name: count for name, count in counts.items() if count}, answers + Cache(store).clear(), rejected)


def _forget_unfinished(store: TableStore) -> None:
    """Removes the vectors of unfinished embedding jobs, which do not tell whose they are; jobs make them anew."""
    with store.files.writing():
        for file in store.files.names(UNFINISHED):
            store.files.remove(file)


def _studies(store: TableStore, studies: set[str], mine: str) -> list[str]:
    """Those of a patient's studies that no other patient has."""
    others = store.table(IMAGES.name).read(["study_id"], f"NOT coalesce({mine}, false)")["study_id"]
    return sorted(studies - set(others.to_pylist()))


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
