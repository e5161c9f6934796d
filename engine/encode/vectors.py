"""Bringing one encoder's table to what the store's pictures or reports are now, and no further."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from misread.schemas.tables import EMBEDDINGS_PREFIX, embeddings_contract
from misread.store import Commit
from misread.store.lance_table import in_list

from .finished import Finished
from .registry import Encoder
from .texts import Tables

IDS_AT_ONCE = 5000


@dataclass(frozen=True)
class VectorChange:
    """Which samples' vectors are missing or outdated, which have no input any more, and whether any stay."""

    wanted: frozenset[str]
    outdated: frozenset[str]
    gone: frozenset[str]
    replacing: bool

    @property
    def is_nothing(self) -> bool:
        return not (self.wanted or self.gone)


def vector_change(tables: Tables, name: str, checksums: Mapping[str, str], *, anew: bool) -> VectorChange:
    """What differs between the store's vectors and the inputs. `anew`: no stored vector may stay."""
    there = {}
    if tables.has(EMBEDDINGS_PREFIX + name):
        rows = tables.table(EMBEDDINGS_PREFIX + name).read(["sample_id", "input_checksum"])
        there = dict(zip(rows["sample_id"].to_pylist(), rows["input_checksum"].to_pylist(), strict=True))
    wanted = frozenset(sample for sample, digest in checksums.items() if anew or there.get(sample) != digest)
    gone = frozenset(there.keys() - checksums.keys())
    outdated = wanted & there.keys()
    return VectorChange(wanted, outdated, gone, replacing=len(outdated) + len(gone) == len(there))


def samples_by_checksum(checksums: Mapping[str, str], wanted: frozenset[str]) -> dict[str, list[str]]:
    """The samples wanted, under the checksum of what they are made from, in the order of `checksums`."""
    samples_of = defaultdict(list)
    for sample, checksum in checksums.items():
        if sample in wanted:
            samples_of[checksum].append(sample)
    return dict(samples_of)


def write_vectors(
    commit: Commit, encoder: Encoder, finished: Finished, checksums: Mapping[str, str], change: VectorChange
) -> int:
    """Writes the vectors that are wanted and finished; removes those that are outdated or gone.

    Returns for how many samples that are wanted nothing was finished.
    """
    name = EMBEDDINGS_PREFIX + encoder.name
    contract = embeddings_contract(encoder.name, encoder.dimension)
    schema = contract.without_checksum
    writer = commit.writer(name, contract)
    replacing = change.replacing and bool(change.wanted)
    if not replacing:
        removed = sorted(change.outdated | change.gone)
        for start in range(0, len(removed), IDS_AT_ONCE):
            writer.delete(in_list("sample_id", removed[start : start + IDS_AT_ONCE]))
    if not change.wanted:
        return 0
    samples_of = samples_by_checksum(checksums, change.wanted)
    commit.append_batches(name, _rows(finished, samples_of, schema), schema, replacing=replacing)
    return sum(map(len, samples_of.values()))


def _rows(finished: Finished, samples_of: dict[str, list[str]], schema: pa.Schema) -> Iterator[pa.Table]:
    """Each sample once, whatever was kept twice; takes what it gives out of `samples_of`."""
    for digests, vectors in finished.batches():
        found = [(samples_of.pop(digest, []), digest, row) for row, digest in enumerate(digests)]
        rows = [(sample, digest, row) for samples, digest, row in found for sample in samples]
        if rows:
            chosen = vectors[[row for _, _, row in rows]]
            column = pa.FixedSizeListArray.from_arrays(pa.array(chosen.ravel()), chosen.shape[1])
            samples = pa.array([sample for sample, _, _ in rows], pa.string())
            yield pa.table([samples, column, pa.array([digest for _, digest, _ in rows], pa.string())], schema=schema)
