"""An embedding job: one encoder, what it is to encode, and what of it is done."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol, runtime_checkable

import numpy as np

from misread.schemas.errors import MisreadError
from misread.schemas.values import Modality
from misread.store.files import StoreFiles
from misread.threads import ahead, in_order

from .choosing import Choice
from .finished import ROWS_A_FILE, Finished
from .inputs import Inputs, digest
from .pretrained import PRECISIONS, Precision
from .registry import Arrays, Encoder, ItemError, Vectors

SECONDS_A_FILE = 15.0
"""What a kill may cost: rows are kept once so many are encoded, or so much time has passed."""


@runtime_checkable
class Prepares(Protocol):
    """An encoder that can make the next batch ready while it encodes one."""

    @property
    def preparers(self) -> int:
        """How many threads may prepare beside it."""
        ...

    def prepare(self, items: Sequence[Any]) -> Any: ...
    def encode_prepared(self, prepared: Any) -> Vectors: ...


@dataclass(frozen=True)
class Ready:
    """An encoder that can encode, as it was asked for; the file of what was fitted, and what the manifest is to say.

    `fitted`: the arrays in that file, where this job fitted them.
    """

    encoder: Encoder
    choice: Choice
    source: str
    model: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    fitted: Arrays | None = None

    @property
    def modality(self) -> Modality:
        return self.encoder.modality

    @property
    def precision(self) -> Precision | None:
        """Of a pretrained model."""
        return next((precision for precision in PRECISIONS if precision == self.parameters.get("precision")), None)

    def checksums(self, inputs: Inputs) -> Mapping[str, str]:
        """By sample: what its vector depends on besides the encoder. Another fit, another vector."""
        if self.model is None:
            return inputs.keys
        return {sample: digest(key, self.model) for sample, key in inputs.keys.items()}

    def finished(self, files: StoreFiles) -> Finished:
        return Finished(files, self.encoder.name, digest(str(self.encoder.version), self.model or "")[:12])


def encode(
    encoder: Encoder, inputs: Inputs, samples: frozenset[str], checksums: Mapping[str, str], finished: Finished
) -> Iterator[list[str]]:
    """Encodes the inputs of some samples, and keeps the vectors; gives the checksums of each batch once encoded."""
    held: list[tuple[list[str], Vectors]] = []
    since = monotonic()
    for names, vectors in _encoded(encoder, inputs.batches(samples)):
        done = [checksums[name] for name in names]
        held.append((done, vectors))
        if sum(len(some) for some, _ in held) >= ROWS_A_FILE or monotonic() - since > SECONDS_A_FILE:
            _keep(finished, held)
            since = monotonic()
        yield done
    _keep(finished, held)


def _keep(finished: Finished, held: list[tuple[list[str], Vectors]]) -> None:
    if held:
        finished.keep([one for some, _ in held for one in some], np.concatenate([vectors for _, vectors in held]))
        held.clear()


def _encoded(
    encoder: Encoder, batches: Iterator[tuple[list[str], Sequence[Any]]]
) -> Iterator[tuple[list[str], Vectors]]:
    """(samples, vectors) a batch. Items are read, and made ready, while the encoder works on those before."""
    if not isinstance(encoder, Prepares):
        for samples, items in ahead(batches):
            yield samples, _checked(encoder, samples, encoder.encode, items)
        return
    preparing = encoder

    def made_ready(batch: tuple[list[str], Sequence[Any]]) -> tuple[list[str], Any]:
        return batch[0], _telling(encoder, batch[0], preparing.prepare, batch[1])

    for samples, prepared in in_order(made_ready, ahead(batches), preparing.preparers):
        yield samples, _checked(encoder, samples, preparing.encode_prepared, prepared)


def _telling(encoder: Encoder, samples: Sequence[str], work: Callable[[Any], Any], items: Any) -> Any:
    try:
        return work(items)
    except ItemError as error:
        raise MisreadError(
            f"the {encoder.modality} of sample {samples[error.place]!r} cannot be encoded: {error.reason}",
            "ingest it again, or leave this sample's out; no vector of this run is in the store",
        ) from error


def _checked(encoder: Encoder, samples: Sequence[str], work: Callable[[Any], Any], items: Any) -> Vectors:
    """The batch's vectors. Raises MisreadError, naming the sample, for an input without a usable vector."""
    vectors: Vectors = _telling(encoder, samples, work, items)
    if vectors.shape != (len(samples), encoder.dimension) or vectors.dtype != np.float32:
        raise MisreadError(
            f"encoder {encoder.name!r} gave {vectors.dtype} {vectors.shape}, "
            f"not float32 {(len(samples), encoder.dimension)}"
        )
    for row in np.flatnonzero(~np.isfinite(vectors).all(axis=1))[:1]:
        raise MisreadError(f"encoder {encoder.name!r} gave no finite vector for sample {samples[row]!r}")
    return vectors
