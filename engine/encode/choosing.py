"""Which encoder a name means: one that misread brings, one that made vectors of the store, or a pretrained model."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from misread.schemas.errors import MisreadError, StoreError, unknown_name
from misread.schemas.values import BUILT_IN, PRETRAINED, Modality
from misread.store import EncoderEntry

from .pretrained import Settings, is_place, pretrained
from .pretrained.device import PRECISIONS
from .registry import Encoder, Fitter, encoders


@dataclass(frozen=True)
class Choice:
    """An encoder as it was asked for. Pickles, so that another process can make it."""

    asked: str
    modality: Modality
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True)
class Chosen:
    """An encoder, where its vectors come from as the manifest says it, and what else the manifest is to say."""

    made: Encoder | Fitter
    source: str
    parameters: Mapping[str, object]


def chosen(choice: Choice, known: Mapping[str, EncoderEntry]) -> Chosen:
    """The encoder meant; `known` are those of the store.

    Raises UnknownNameError for a name that means none, StoreError for one whose vectors were computed elsewhere.
    """
    built_in = {info.name: info for info in encoders(choice.modality)}
    if choice.asked in built_in:
        return Chosen(built_in[choice.asked].make(), BUILT_IN, {})
    entry = known.get(choice.asked)
    mine = entry if entry is not None and entry.modality == choice.modality else None
    if mine is not None and isinstance(mine.parameters.get("model"), str):
        return _pretrained(str(mine.parameters["model"]), choice, known)
    if is_place(choice.asked):
        return _pretrained(choice.asked, choice, known)
    if mine is not None:
        raise computed_elsewhere(choice.asked)
    models = {name for name, e in known.items() if e.modality == choice.modality and e.source == PRETRAINED}
    others = "; any other model is named by its directory, or as owner/name"
    raise unknown_name(f"{choice.modality} encoder", choice.asked, {*built_in, *models}, others=others)


def _pretrained(model: str, choice: Choice, known: Mapping[str, EncoderEntry]) -> Chosen:
    """As precise as asked for, else as the store's vectors of this model are."""
    made = pretrained(model, choice.modality, choice.settings)
    if made.name in {info.name for info in encoders()}:
        raise MisreadError(
            f"the directory of the model is named {made.name}, as an encoder of misread's own is",
            "rename the directory",
        )
    then = known[made.name].parameters.get("precision") if made.name in known else None
    if choice.settings.precision is None and then in PRECISIONS and then != made.device.precision:
        made = pretrained(model, choice.modality, replace(choice.settings, precision=then))
    return Chosen(made, PRETRAINED, {"model": str(made.directory.path), "precision": made.device.precision})


def computed_elsewhere(name: str) -> StoreError:
    return StoreError(
        f"the store has vectors of an encoder {name!r} that were computed elsewhere",
        "choose another encoder, or ingest those vectors under another name into a new store",
    )
