"""Bringing one encoder's table to what the store's pictures or reports are now, and no further."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from misread.progress import Progress
from misread.schemas.errors import MisreadError
from misread.schemas.tables import CHECKSUM, EMBEDDINGS_PREFIX, embeddings_contract
from misread.store import Commit
from misread.store.lance_table import in_list

from .inputs import Inputs
from .registry import Encoder, ItemError, Vectors

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


def vector_change(commit: Commit, name: str, checksums: Mapping[str, str], *, anew: bool) -> VectorChange:
    """What differs between the store's vectors and the inputs. `anew`: no stored vector may stay."""
    there = {}
    if commit.has(EMBEDDINGS_PREFIX + name):
        rows = commit.table(EMBEDDINGS_PREFIX + name).read(["sample_id", "input_checksum"])
        there = dict(zip(rows["sample_id"].to_pylist(), rows["input_checksum"].to_pylist(), strict=True))
    wanted = frozenset(sample for sample, digest in checksums.items() if anew or there.get(sample) != digest)
    gone = frozenset(there.keys() - checksums.keys())
    outdated = wanted & there.keys()
    return VectorChange(wanted, outdated, gone, replacing=len(outdated) + len(gone) == len(there))


def write_vectors(
    commit: Commit,
    encoder: Encoder,
    inputs: Inputs,
    checksums: Mapping[str, str],
    change: VectorChange,
    progress: Progress,
) -> None:
    """Encodes and writes the vectors that are wanted, in batches; removes those that are outdated or gone."""
    name = EMBEDDINGS_PREFIX + encoder.name
    contract = embeddings_contract(encoder.name, encoder.dimension)
    schema = pa.schema([field for field in contract.fields if field.name != CHECKSUM])
    writer = commit.writer(name, contract)
    replacing = change.replacing and bool(change.wanted)
    if not replacing:
        removed = sorted(change.outdated | change.gone)
        for start in range(0, len(removed), IDS_AT_ONCE):
            writer.delete(in_list("sample_id", removed[start : start + IDS_AT_ONCE]))
    if change.wanted:
        batches = inputs.batches(change.wanted)
        told = _telling(progress, len(change.wanted), f"{encoder.modality}s encoded")
        tables = _encoded(encoder, batches, checksums, schema, told)
        commit.append_batches(name, tables, schema, replacing=replacing)


def _telling(progress: Progress, total: int, what: str) -> Callable[[int], None]:
    done = 0

    def told(more: int) -> None:
        nonlocal done
        done += more
        progress(done, total, what)

    told(0)
    return told


def _encoded(
    encoder: Encoder,
    batches: Iterator[tuple[list[str], Sequence[Any]]],
    checksums: Mapping[str, str],
    schema: pa.Schema,
    told: Callable[[int], None],
) -> Iterator[pa.Table]:
    for samples, items in batches:
        vectors = _checked(encoder, samples, items)
        column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), encoder.dimension)
        digests = [checksums[sample] for sample in samples]
        yield pa.table([pa.array(samples, pa.string()), column, pa.array(digests, pa.string())], schema=schema)
        told(len(samples))


def _checked(encoder: Encoder, samples: Sequence[str], items: Sequence[Any]) -> Vectors:
    """The batch's vectors. Raises MisreadError, naming the sample, for an input without a usable vector."""
    try:
        vectors = encoder.encode(items)
    except ItemError as error:
        raise MisreadError(
            f"the {encoder.modality} of sample {samples[error.place]!r} cannot be encoded: {error.reason}",
            "ingest it again, or leave this sample's out; no vector was stored",
        ) from error
    if vectors.shape != (len(items), encoder.dimension) or vectors.dtype != np.float32:
        raise MisreadError(
            f"encoder {encoder.name!r} gave {vectors.dtype} {vectors.shape}, "
            f"not float32 {(len(items), encoder.dimension)}"
        )
    for row in np.flatnonzero(~np.isfinite(vectors).all(axis=1))[:1]:
        raise MisreadError(f"encoder {encoder.name!r} gave no finite vector for sample {samples[row]!r}")
    return vectors
