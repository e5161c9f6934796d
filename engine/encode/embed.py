"""`embed`: a vector for every picture and every report of a store, in one commit at the end of a job."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from misread.devices import check_device
from misread.progress import Progress, silent
from misread.schemas.errors import MisreadError
from misread.schemas.values import EXTERNAL, Modality
from misread.store import Commit, EncoderEntry, TableStore, put_model
from misread.workers import Workers

from .choosing import Choice, Chosen, chosen, computed_elsewhere
from .inputs import INPUTS, Inputs
from .job import Ready, encode
from .parts import encode_parts
from .pretrained import Settings
from .registry import Fitter
from .vectors import samples_by_checksum, vector_change, write_vectors


@dataclass(frozen=True)
class Embedded:
    """What became of one encoder: its vectors now (`total`), those made and those removed by this job."""

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


def embed(
    store: TableStore,
    *,
    image_encoder: str | None = "hog",
    report_encoder: str | None = "tfidf",
    refit: bool = False,
    settings: Settings | None = None,
    workers: Workers | None = None,
    progress: Progress = silent,
) -> EmbedResult:
    """Encodes what is new or changed, and removes the vectors of what is gone; nothing to do is no new state.

    An encoder is named by its name, or as a model's directory or hub name (see `pretrained`); None leaves a modality
    out. A fitted encoder stays as it was fitted, so that new rows land in the same space; `refit` fits it anew and
    encodes every row again. `settings` are for pretrained models. With `workers` other processes encode, and the
    result is the same.

    Others may write to the store meanwhile: it is held for the commit at the end alone. What a job that raised or was
    killed had finished is kept beside the tables, and the next one goes on from there; nothing of it is visible
    before. Raises UnknownNameError for an encoder that does not exist, StoreError if vectors computed elsewhere have
    the encoder's name, or if patients were deleted since an encoder was fitted on them; MisreadError for a device that
    is not here, a model that cannot be loaded or an input that cannot be encoded. Where patients were deleted before,
    `refit` forgets the older states: their model may hold words of those patients.
    """
    check_device(settings.device if settings else None)  # whether or not the encoders run on one
    asked: dict[Modality, str | None] = {"image": image_encoder, "report": report_encoder}
    before = type(store).open_or_new(store.location)
    choices = [Choice(name, modality, settings or Settings()) for modality, name in asked.items() if name is not None]
    encoders = [(choice, chosen(choice, before.encoders)) for choice in choices]
    if len({encoder.made.name for _, encoder in encoders}) < len(encoders):
        raise _named_twice(encoders[0][1].made.name)
    notices: list[str] = []
    jobs: list[Ready] = []
    for choice, encoder in encoders:
        entry = _entry(before.encoders, encoder.made.name, choice.modality)
        inputs = INPUTS[choice.modality](before)
        if entry is None and not inputs.keys:
            notices.append(f"the store has no {choice.modality}s: {encoder.made.name} has nothing to encode")
            continue
        ready = _ready(before, choice, encoder, inputs, None if refit and inputs.keys else entry)
        anew = entry is not None and entry.parameters.get("version") != ready.encoder.version
        change = vector_change(before, ready.encoder.name, ready.checksums(inputs), anew=anew)
        if change.wanted:
            _encode_missing(before, ready, inputs, change.wanted, progress, workers)
        jobs.append(ready)
        notices += _outgrown(ready, inputs)
    done: dict[str, Embedded] = {}
    with store.commit("embed", although_closed=refit) as commit:
        for ready in jobs:
            if ready.fitted is not None:
                _keep_fitted(commit, ready, before.state, notices)
            done[ready.encoder.name] = _brought_up_to_date(commit, ready, notices)
    for ready in jobs:
        ready.finished(store.files).discard()
    return EmbedResult(store.state, done, tuple(notices))


def _entry(encoders: Mapping[str, EncoderEntry], name: str, modality: Modality) -> EncoderEntry | None:
    entry = encoders.get(name)
    if entry is not None and entry.source == EXTERNAL:
        raise computed_elsewhere(name)
    if entry is not None and entry.modality != modality:
        raise _named_twice(name)
    return entry


def _named_twice(name: str) -> MisreadError:
    return MisreadError(
        f"{name!r} is the name of an encoder of images and of one of reports",
        "rename the directory of one of the models: it names the encoder",
    )


def _ready(store: TableStore, choice: Choice, encoder: Chosen, inputs: Inputs, entry: EncoderEntry | None) -> Ready:
    """The encoder as it was fitted before; fitted now if it never was (`entry` None) or by another version."""
    made, told = encoder.made, {"version": encoder.made.version, **encoder.parameters}
    if not isinstance(made, Fitter):
        return Ready(made, choice, encoder.source, None, told)
    if entry is not None and entry.model is not None and entry.parameters.get("version") == made.version:
        fitted = made.from_arrays(store.read_model(entry.model))
        return Ready(fitted, choice, encoder.source, entry.model, entry.parameters)
    texts = [text for _, batch in inputs.batches(inputs.keys.keys()) for text in batch]
    arrays = made.fit(texts)
    model = put_model(store.files, made.name, arrays)
    told |= {"fitted_on": len(set(texts))}
    return Ready(made.from_arrays(arrays), choice, encoder.source, model, told, arrays)


def _encode_missing(
    store: TableStore,
    ready: Ready,
    inputs: Inputs,
    wanted: frozenset[str],
    progress: Progress,
    workers: Workers | None,
) -> None:
    """Encodes what is wanted and not kept yet, and keeps it: equal pictures and texts once."""
    checksums, finished = ready.checksums(inputs), ready.finished(store.files)
    samples_of = samples_by_checksum(checksums, wanted)
    there = finished.checksums()
    done = sum(len(samples) for checksum, samples in samples_of.items() if checksum in there)
    chosen = [samples[0] for checksum, samples in samples_of.items() if checksum not in there]
    what = f"{ready.modality}s encoded"
    progress(done, len(wanted), what)
    if workers is None:
        encoded = encode(ready.encoder, inputs, frozenset(chosen), checksums, finished)
    else:
        encoded = encode_parts(store, ready, chosen, workers)
    for some in encoded:
        done += sum(len(samples_of[checksum]) for checksum in some)
        progress(done, len(wanted), what)


def _brought_up_to_date(commit: Commit, ready: Ready, notices: list[str]) -> Embedded:
    """Writes what is finished over what the store holds now. Adds a notice of rows that came while the job ran."""
    made = ready.encoder
    entry = _entry(commit.manifest.encoders, made.name, made.modality)
    checksums = ready.checksums(INPUTS[ready.modality](commit))
    anew = entry is not None and entry.parameters.get("version") != made.version
    change = vector_change(commit, made.name, checksums, anew=anew)
    parameters = dict(ready.parameters)
    new = EncoderEntry(made.modality, made.dimension, ready.source, commit.next_state, ready.model, parameters)
    late = 0
    if not change.is_nothing:
        late = write_vectors(commit, made, ready.finished(commit.files), checksums, change)
    if late:
        notices.append(f"{late} {ready.modality}s came or changed while {made.name} was encoding: embed again for them")
    if not change.is_nothing or entry is None or replace(new, order=entry.order) != entry:
        commit.set_encoder(made.name, new)
    return Embedded(made.modality, made.dimension, len(checksums) - late, len(change.wanted) - late, len(change.gone))


def _keep_fitted(commit: Commit, ready: Ready, read: int, notices: list[str]) -> None:
    """Keeps what the job fitted on the state `read`. A model fitted on patients that were deleted goes for good."""
    commit.follow(read)
    assert ready.fitted is not None
    commit.put_model(ready.encoder.name, ready.fitted)  # again: a deletion takes what no state names yet
    name = ready.encoder.name
    if commit.manifest.learnt_before_deletion(name) and commit.manifest.encoders[name].model != ready.model:
        commit.forget_older_states()
        notices.append(f"older states are gone: their {name} was fitted on patients that were deleted")


def _outgrown(ready: Ready, inputs: Inputs) -> list[str]:
    """A notice if there are twice as many texts as the encoder was fitted on."""
    fitted = ready.parameters.get("fitted_on")
    now = len(set(inputs.keys.values()))
    if not isinstance(fitted, int) or now < 2 * fitted:
        return []
    return [
        f"{ready.encoder.name} was fitted on {fitted} different {ready.modality}s and there are {now} now: "
        "embed with --refit to let it learn their words"
    ]
