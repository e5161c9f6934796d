"""Removing a patient from a store: from every table, every older state, kept answers, rejected rows and texts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from misread.encode.finished import FOLDER as UNFINISHED
from misread.execute.cache import Cache
from misread.schemas.errors import MisreadError
from misread.schemas.tables import IMAGES
from misread.store import Commit, TableStore
from misread.store.lance_table import in_list

from .mentions import Texts, are_mentioned, without_ids
from .rejected import has_mentions, without_mentions

_AT_ONCE = 500
_SAMPLES = ("sample_id", "neighbour_of")
"""Columns that name a sample."""


@dataclass(frozen=True)
class Deleted:
    """What was removed: rows by table, answers from the cache, rejected rows beside the store, ids from `texts`."""

    rows: Mapping[str, int]
    answers: int
    rejected: int
    texts: Texts


def delete_patient(store: TableStore, patient: str, *, also_known_as: str | None = None) -> Deleted:
    """Removes a patient for good. All older states of the store go with it, as they hold the patient too.

    The new state becomes visible at once, after which whatever no state names is removed from the disk, what killed
    commands left included (see `misread.store.unnamed`). Killed on its way, it is to be asked again: it begins anew, or
    removes what was left. What audits and fitted encoders learnt from many patients stays, though this one was among
    them. `also_known_as`: the patient's other id, where one is the keyed hash of the other; both go.

    Raises MisreadError where neither the store nor what was rejected has such a patient: then it removes nothing but
    what no state names, and what an earlier deletion left. Raises StoreError while another process writes.
    """
    ids = [patient] if also_known_as is None else [patient, also_known_as]
    erased = None
    # looked for in the newest state: others may have added to the patient since the store was opened
    with store.commit("delete", although_closed=True) as commit:
        if not commit.has(IMAGES.name):
            raise MisreadError(f"the store {store.location} has no samples")
        if _is_known(store, commit, ids):
            erased = _erase(store, commit, ids)
            commit.forget_older_states()
    if erased is None:
        store.purge()
    answers = _forget_vectors_and_answers(store) if store.manifest.has_forgotten else 0
    if erased is None:
        raise MisreadError(
            f"the store {store.location} has no patient {patient!r}",
            "where ids are stored as keyed hashes, give the key: --key FILE",
        )
    counts, rejected, texts = erased
    return Deleted({name: count for name, count in counts.items() if count}, answers, rejected, texts)


def _is_known(store: TableStore, commit: Commit, ids: Sequence[str]) -> bool:
    """Whether any state of the store, or a rejected row, has the patient; after a deletion, whether a text does."""
    mine, manifest = in_list("patient_id", ids), commit.manifest
    versions = sorted(manifest.versions(IMAGES.name), reverse=True)
    if commit.table(IMAGES.name).count(_theirs(ids)):
        return True
    if any(store.table_at(IMAGES.name, version).count(mine) for version in versions) or has_mentions(store, ids):
        return True
    return manifest.has_forgotten and are_mentioned(store, commit, ids)


def _erase(store: TableStore, commit: Commit, ids: Sequence[str]) -> tuple[dict[str, int], int, Texts]:
    """Removes the patient's rows, rejected rows (last, as they are gone at once) and ids in texts; tells how many."""
    samples, studies, others = _named(commit, _theirs(ids))
    every = {*ids, *samples, *studies} - {""}
    texts = without_ids(commit, every)
    for some in _parts(_formerly(store, commit, ids, samples)):
        commit.writer(IMAGES.name).rewrite(in_list("sample_id", some))
    counts = {name: _delete(commit, name, samples, studies) for name in sorted(commit.manifest.tables)}
    return counts, without_mentions(store, every, ids, others), texts


def _forget_vectors_and_answers(store: TableStore) -> int:
    """Removes the vectors of unfinished embedding jobs, which do not tell whose they are (jobs make them anew), and
    kept answers; returns how many answers."""
    with store.files.writing():
        for file in store.files.names(UNFINISHED):
            store.files.remove(file)
        store.files.remove_half_written(f"{UNFINISHED}/.*")
    return Cache(store).clear()


def _theirs(ids: Sequence[str]) -> str:
    """Predicate: images of a patient by its ids; an image without a patient is one of its own."""
    return f"({in_list('patient_id', ids)} OR (patient_id IS NULL AND {in_list('sample_id', ids)}))"


def _named(commit: Commit, mine: str) -> tuple[list[str], list[str], set[str]]:
    """A patient's samples, those of the patient's studies that no other patient has, and all samples and studies of
    others."""
    images = commit.table(IMAGES.name)
    rows = images.read(["sample_id", "study_id"], mine)
    not_mine = images.read(["sample_id", "study_id"], f"NOT coalesce({mine}, false)")
    shared = set(not_mine["study_id"].drop_null().to_pylist())
    studies = set(rows["study_id"].drop_null().to_pylist()) - shared
    return rows["sample_id"].to_pylist(), sorted(studies), shared | set(not_mine["sample_id"].to_pylist())


def _formerly(store: TableStore, commit: Commit, ids: Sequence[str], samples: list[str]) -> list[str]:
    """Samples that were the patient's in older states and are somebody else's: their rows still hold the id on disk."""
    mine, found = in_list("patient_id", ids), set[str]()
    for version in commit.manifest.versions(IMAGES.name):
        found |= set(store.table_at(IMAGES.name, version).read(["sample_id"], mine)["sample_id"].to_pylist())
    return sorted(found.difference(samples))


def _parts(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]


def _delete(commit: Commit, name: str, samples: list[str], studies: list[str]) -> int:
    """Removes the rows of some samples and studies from a table; returns how many."""
    table = commit.table(name)
    before = table.count()
    wanted = [(column, samples) for column in _SAMPLES if column in table.schema.names]
    if name == "reports":
        wanted.append(("study_id", studies))
    writer = commit.writer(name)
    for column, ids in wanted:
        for some in _parts(ids):
            writer.delete(in_list(column, some))
    writer.compact()
    return before - writer.count()
