"""Parts of an embedding job, each encoded by a process of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from misread.schemas.errors import MisreadError
from misread.schemas.values import PRETRAINED
from misread.store import TableStore
from misread.workers import Workers

from .choosing import Choice, chosen
from .inputs import INPUTS, Inputs
from .job import Ready, encode
from .registry import Fitter

MOST_ROWS = 2048
CORES = 4
"""Of one process with a model on the CPU: each holds the model whole."""


@dataclass(frozen=True)
class Part:
    """Some samples of a store to encode, and by what."""

    location: str
    state: int
    choice: Choice
    version: int | str
    model: str | None
    samples: tuple[str, ...]


def encode_parts(store: TableStore, ready: Ready, samples: Sequence[str], workers: Workers) -> Iterator[list[str]]:
    """Encodes the samples part by part, and keeps their vectors; gives the checksums of each part once encoded."""
    heavy = ready.source == PRETRAINED
    gpu = heavy and workers.gpus > 0 and ready.choice.settings.device != "cpu"
    cpus = max(1, min(CORES, workers.cpus // 2)) if heavy and not gpu else 1
    processes = workers.gpus if gpu else workers.cpus // cpus
    rows = max(1, min(MOST_ROWS, -(-len(samples) // max(1, 2 * processes))))
    choice = ready.choice
    if heavy:  # just the model and the precision that were settled here
        settings = replace(choice.settings, precision=ready.precision, download=False, threads=cpus)
        choice = replace(choice, asked=str(ready.parameters["model"]), settings=settings)
    parts = (
        Part(store.location, store.state, choice, ready.encoder.version, ready.model, tuple(samples[i : i + rows]))
        for i in range(0, len(samples), rows)
    )
    return workers.in_order(encode_part, parts, cpus=cpus, gpu=gpu)


def encode_part(part: Part) -> list[str]:
    """Encodes one part and keeps its vectors beside the store's tables. Returns their checksums."""
    store = TableStore.open(part.location, state=part.state)
    ready = _made_again(part.location, part.choice, part.model)
    if ready.encoder.version != part.version:
        raise MisreadError(
            f"{ready.encoder.name} is another model, or another version of misread, on a worker than here",
            "give every machine the same model and the same misread",
        )
    inputs, checksums = _inputs(part.location, part.state, ready)
    done = encode(ready.encoder, inputs, frozenset(part.samples), checksums, ready.finished(store.files))
    return [checksum for some in done for checksum in some]


@lru_cache(maxsize=4)
def _made_again(location: str, choice: Choice, model: str | None) -> Ready:
    made = chosen(choice, {})
    if not isinstance(made.made, Fitter):
        return Ready(made.made, choice, made.source, None, made.parameters)
    assert model is not None
    encoder = made.made.from_arrays(TableStore.open(location).read_model(model))
    return Ready(encoder, choice, made.source, model)


_INPUTS: dict[tuple[str, int, str], tuple[Inputs, Mapping[str, str]]] = {}


def _inputs(location: str, state: int, ready: Ready) -> tuple[Inputs, Mapping[str, str]]:
    """What a part's samples hold, read once a process: parts of one job come one after the other."""
    key = (location, state, ready.encoder.name)
    if key not in _INPUTS:
        _INPUTS.clear()
        inputs = INPUTS[ready.modality](TableStore.open(location, state=state))
        _INPUTS[key] = (inputs, ready.checksums(inputs))
    return _INPUTS[key]
