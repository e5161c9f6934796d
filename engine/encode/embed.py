"""`embed`: a vector for every picture and every report of a store, in one commit."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from misread.progress import Progress, silent
from misread.schemas.errors import StoreError
from misread.schemas.values import Modality
from misread.store import Commit, EncoderEntry, TableStore

from .inputs import INPUTS, Inputs, digest
from .registry import Encoder, Fitter, encoder
from .vectors import vector_change, write_vectors

BUILT_IN = "built-in"


@dataclass(frozen=True)
class Embedded:
    """What became of one encoder: its vectors now (`total`), those made and those removed in this run."""

    modality: Modality
    dimension: int
    total: int
    encoded: int
    removed: int


@dataclass(frozen=True)
class EmbedResult:
    """The state the store is in, what became of each encoder by its name, and what else there is to say."""

    state: int
    encoders: Mapping[str, Embedded]
    notices: tuple[str, ...]


@dataclass(frozen=True)
class _Ready:
    """An encoder that can encode, the file of what was fitted, and what the manifest is to say of it."""

    encoder: Encoder
    model: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)


def embed(
    store: TableStore,
    *,
    image_encoder: str | None = "hog",
    report_encoder: str | None = "tfidf",
    refit: bool = False,
    progress: Progress = silent,
) -> EmbedResult:
    """Encodes what is new or changed, and removes the vectors of what is gone; nothing to do is no new state.

    None leaves a modality out. A fitted encoder stays as it was fitted, so that new rows land in the same space;
    `refit` fits it anew and encodes every row again. Raises UnknownNameError for an encoder that does not exist,
    StoreError if vectors computed elsewhere have the encoder's name, MisreadError for an input that cannot be
    encoded. Nothing is visible of a run that raises or is killed.
    """
    asked: dict[Modality, str | None] = {"image": image_encoder, "report": report_encoder}
    chosen = [encoder(name, modality) for modality, name in asked.items() if name is not None]
    done: dict[str, Embedded] = {}
    notices: list[str] = []
    with store.commit("embed") as commit:
        for info in chosen:
            made = info.make()
            entry = _entry(commit, made.name)
            inputs = INPUTS[info.modality](commit)
            if entry is None and not inputs.keys:
                notices.append(f"the store has no {info.modality}s: {info.name} has nothing to encode")
                continue
            ready = _ready(store, commit, made, inputs, None if refit and inputs.keys else entry)
            done[made.name] = _brought_up_to_date(commit, ready, inputs, entry, progress)
            notices += _outgrown(ready, inputs)
    return EmbedResult(store.state, done, tuple(notices))


def _entry(commit: Commit, name: str) -> EncoderEntry | None:
    entry = commit.manifest.encoders.get(name)
    if entry is not None and entry.source != BUILT_IN:
        raise StoreError(
            f"the store has vectors of an encoder {name!r} that were computed elsewhere",
            "choose another encoder, or ingest those vectors under another name into a new store",
        )
    return entry


def _ready(
    store: TableStore, commit: Commit, made: Encoder | Fitter, inputs: Inputs, entry: EncoderEntry | None
) -> _Ready:
    """The encoder as it was fitted before; fitted now if it never was (`entry` None) or by another version."""
    version = {"version": made.version}
    if not isinstance(made, Fitter):
        return _Ready(made, None, version)
    if entry is not None and entry.model is not None and entry.parameters.get("version") == made.version:
        return _Ready(made.from_arrays(store.read_model(entry.model)), entry.model, entry.parameters)
    texts = [text for _, batch in inputs.batches(inputs.keys.keys()) for text in batch]
    arrays = made.fit(texts)
    model = commit.put_model(made.name, arrays)
    return _Ready(made.from_arrays(arrays), model, version | {"fitted_on": len(set(texts))})


def _brought_up_to_date(
    commit: Commit, ready: _Ready, inputs: Inputs, entry: EncoderEntry | None, progress: Progress
) -> Embedded:
    made = ready.encoder
    checksums = inputs.keys
    if ready.model is not None:  # another fit, another vector
        checksums = {sample: digest(key, ready.model) for sample, key in inputs.keys.items()}
    anew = entry is not None and entry.parameters.get("version") != made.version
    change = vector_change(commit, made.name, checksums, anew=anew)
    new = EncoderEntry(made.modality, made.dimension, BUILT_IN, commit.next_state, ready.model, dict(ready.parameters))
    if not change.is_nothing:
        write_vectors(commit, made, inputs, checksums, change, progress)
    if not change.is_nothing or entry is None or replace(new, order=entry.order) != entry:
        commit.set_encoder(made.name, new)
    return Embedded(made.modality, made.dimension, len(checksums), len(change.wanted), len(change.gone))


def _outgrown(ready: _Ready, inputs: Inputs) -> list[str]:
    """A notice if there are twice as many texts as the encoder was fitted on."""
    fitted = ready.parameters.get("fitted_on")
    now = len(set(inputs.keys.values()))
    if not isinstance(fitted, int) or now < 2 * fitted:
        return []
    return [
        f"{ready.encoder.name} was fitted on {fitted} different {ready.encoder.modality}s and there are {now} now: "
        "embed with --refit to let it learn their words"
    ]
