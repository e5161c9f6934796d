"""Which encoders are there, and what each needs: misread's own, models that were downloaded, and those of a store."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from misread.schemas.errors import InputFaultsError
from misread.schemas.values import Modality
from misread.store import EncoderEntry

from .pretrained.directory import model_directory
from .pretrained.families import FAMILIES, KINDS_FOR
from .pretrained.hub import NEEDS, downloaded
from .registry import encoders


@dataclass(frozen=True)
class Listed:
    """One encoder: what `--image-encoder` or `--report-encoder` takes for it, what it is, and what it needs to run."""

    encoder: str
    modality: Modality
    description: str
    needs: str


def listed(known: Mapping[str, EncoderEntry] | None = None) -> list[Listed]:
    """Misread's own first, then a store's (`known`), models downloaded before, and what any directory may hold."""
    own = [Listed(info.name, info.modality, info.description, info.needs) for info in encoders()]
    return [*own, *_of_store(known or {}), *_downloaded(), *_any()]


def _of_store(known: Mapping[str, EncoderEntry]) -> Iterator[Listed]:
    for name, entry in sorted(known.items()):
        model = entry.parameters.get("model")
        if isinstance(model, str):
            there = Path(model).is_dir()
            yield Listed(name, entry.modality, f"the model in {model}", _needs() if there else f"its directory {model}")


def _downloaded() -> Iterator[Listed]:
    for name, path in downloaded():
        for modality in KINDS_FOR:
            try:
                directory = model_directory(path, modality)
            except InputFaultsError:
                continue
            yield Listed(name, modality, f"{directory.model_type}, downloaded", _needs())


def _any() -> Iterator[Listed]:
    for modality, kinds in KINDS_FOR.items():
        for name, family in sorted(FAMILIES.items()):
            if family.kind in kinds:
                told = f"any directory, or owner/name, of a {name} model of transformers"
                yield Listed("DIRECTORY", modality, told, _needs(*family.needs))


def _needs(*more: str) -> str:
    lacking = [name for name in (*NEEDS, *more) if find_spec(name) is None]
    return f"pip install {' '.join(lacking)}" if lacking else "nothing more"
