"""A model's directory, looked through before anything of it is loaded: what it is, and everything wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final

from misread.schemas.errors import Fault, InputFaultsError, MisreadError
from misread.schemas.values import Modality

from .families import FAMILIES, KINDS_FOR, Family
from .sentence import FileFaultError, Pooling, json_object, read_pooling, transformer_folder

PICKLES: Final = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.msgpack", "*.h5")
INDEX: Final = "model.safetensors.index.json"
PICTURE_SETTINGS: Final = ("preprocessor_config.json", "processor_config.json")
TOKENIZERS: Final = (
    ("tokenizer.json",),
    ("vocab.txt",),
    ("vocab.json", "merges.txt"),
    ("spiece.model",),
    ("sentencepiece.bpe.model",),
    ("tokenizer.model",),
)
NEEDED: Final = "a model needs config.json, model.safetensors, and preprocessor_config.json or a tokenizer"
"""What to do about a directory that lacks something."""


@dataclass(frozen=True)
class ModelDirectory:
    """A directory that can be loaded. `folder` is where the transformer lies in it; `pooling` says how one vector is
    made of the tokens of a text, where the directory says so."""

    path: Path
    folder: Path
    model_type: str
    family: Family
    weights: tuple[Path, ...]
    pooling: Pooling | None = field(default=None, compare=False)

    def fingerprint(self) -> str:
        """16 hex digits that name what a vector depends on: weights, settings and tokenizer, file by file."""
        folders, ends = {self.path, self.folder}, ("json", "txt", "model")
        settings = {file for folder in folders for end in ends for file in folder.glob(f"*.{end}")}
        dense = {weights for _, weights in (self.pooling.dense if self.pooling else ())}
        digest = sha256()
        for file in sorted({*settings, *self.weights, *dense}):
            with file.open("rb") as content:
                digest.update(f"{file.relative_to(self.path)}\0{file_digest(content, 'sha256').hexdigest()}\0".encode())
        return digest.hexdigest()[:16]


def model_directory(path: Path, modality: Modality) -> ModelDirectory:
    """What lies in a directory. Raises InputFaultsError, naming everything that keeps it from encoding `modality`."""
    if not path.is_dir():
        raise MisreadError(f"there is no model directory {path}", NEEDED)
    faults: list[Fault] = []
    try:
        folder = transformer_folder(path)
        pooling = read_pooling(path)
    except FileFaultError as error:
        raise InputFaultsError([Fault(str(error.file), None, error.column, error.reason)], NEEDED) from None
    family, model_type = _family(folder, modality, faults)
    weights = _weights(folder, faults)
    if modality == "image":
        _check_picture_settings(folder, faults)
    else:
        _check_tokenizer(path, folder, faults)
    if faults or family is None:
        raise InputFaultsError(faults, NEEDED)
    return ModelDirectory(path, folder, model_type, family, weights, pooling)


def is_image_text(path: Path) -> bool:
    """Whether a model that has a text tower lies in a directory."""
    faults: list[Fault] = []
    family, _ = _family(path, "image", faults) if path.is_dir() else (None, "")
    return family is not None and family.kind == "image-text"


def _family(folder: Path, modality: Modality, faults: list[Fault]) -> tuple[Family | None, str]:
    file = folder / "config.json"
    if not file.is_file():
        faults.append(Fault(str(file), None, None, "the file is missing"))
        return None, ""
    try:
        config = json_object(file)
    except FileFaultError as error:
        faults.append(Fault(str(file), None, None, error.reason))
        return None, ""
    name = config.get("model_type")
    family = FAMILIES.get(name) if isinstance(name, str) else None
    if family is None:
        own = "; it brings code of its own, which misread does not run" if config.get("auto_map") else ""
        known = ", ".join(FAMILIES)
        faults.append(Fault(str(file), None, "model_type", f"{name!r} is none of: {known}{own}"))
        return None, ""
    if family.kind not in KINDS_FOR[modality]:
        other = "reports" if modality == "image" else "images"
        faults.append(Fault(str(file), None, "model_type", f"{name!r} encodes {other}, not {modality}s"))
    return family, str(name)


def _weights(folder: Path, faults: list[Fault]) -> tuple[Path, ...]:
    """The files of the weights, each with a header that fits its length."""
    index = folder / INDEX
    files: list[Path] = []
    if (folder / "model.safetensors").is_file():
        files = [folder / "model.safetensors"]
    elif index.is_file():
        files = _shards(index, faults)
    else:
        pickles = sorted(file.name for pattern in PICKLES for file in folder.glob(pattern))
        reason = (
            f"there is only {', '.join(pickles)}, which may be a pickle that runs code when it is read: refused; "
            "save the model again with safe_serialization=True"
            if pickles
            else "the file is missing"
        )
        faults.append(Fault(str(folder / "model.safetensors"), None, None, reason))
    for file in files:
        faults += _damage(file)
    return tuple(files)


def _shards(index: Path, faults: list[Fault]) -> list[Path]:
    try:
        mapped = json_object(index).get("weight_map")
        names = sorted({str(name) for name in mapped.values()}) if isinstance(mapped, dict) else []
    except FileFaultError as error:
        faults.append(Fault(str(index), None, None, error.reason))
        return []
    if not names:
        faults.append(Fault(str(index), None, "weight_map", "names no file"))
    inside = [name for name in names if Path(name).name == name]
    faults += [Fault(str(index), None, "weight_map", f"{n!r} is no file beside it") for n in names if n not in inside]
    missing = [name for name in inside if not (index.parent / name).is_file()]
    faults += [Fault(str(index.parent / name), None, None, "the file is missing") for name in missing]
    return [index.parent / name for name in inside if name not in missing]


def _damage(file: Path) -> Iterator[Fault]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="np"):
            pass
    except (SafetensorError, OSError) as error:
        yield Fault(str(file), None, None, f"is no whole safetensors file: {error}")


def _check_picture_settings(folder: Path, faults: list[Fault]) -> None:
    there = [folder / name for name in PICTURE_SETTINGS if (folder / name).is_file()]
    if not there:
        faults.append(Fault(str(folder / PICTURE_SETTINGS[0]), None, None, "the file is missing"))
    for file in there:
        try:
            json_object(file)
        except FileFaultError as error:
            faults.append(Fault(str(file), None, None, error.reason))


def _check_tokenizer(path: Path, folder: Path, faults: list[Fault]) -> None:
    if not any(all((place / name).is_file() for name in names) for place in (folder, path) for names in TOKENIZERS):
        wanted = ", or ".join(" and ".join(names) for names in TOKENIZERS)
        faults.append(Fault(str(folder), None, None, f"there is no tokenizer: {wanted}"))
