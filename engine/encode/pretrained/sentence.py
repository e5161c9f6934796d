"""How a sentence-transformers directory makes one vector of a text's tokens."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MODULES: Final = "modules.json"
MEANS: Final[Mapping[str, str]] = {
    "pooling_mode_cls_token": "class",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean over root",
}
"""In the order in which several of them are joined."""
SHORT: Final = {"cls": "class", "mean": "mean", "max": "max", "mean_sqrt_len_tokens": "mean over root"}
ACTIVATIONS: Final = {"Identity", "Tanh", "ReLU", "GELU"}


@dataclass(frozen=True)
class Pooling:
    """`ways` are joined; then come the `dense` layers (activation, weights file) and, if `unit`, unit length.

    `most_tokens`: tokens of a window, special ones too; None: as many as the model takes.
    """

    ways: tuple[str, ...] = ("mean",)
    dense: tuple[tuple[str, Path], ...] = ()
    unit: bool = False
    most_tokens: int | None = None


class FileFaultError(Exception):
    """What is wrong with which file of the directory."""

    def __init__(self, file: Path, reason: str, column: str | None = None) -> None:
        super().__init__(reason)
        self.file, self.reason, self.column = file, reason, column


def transformer_folder(path: Path) -> Path:
    """Where the transformer lies: `path` itself for a plain directory."""
    modules = _modules(path)
    return _inside(path, modules[0]) if modules else path


def read_pooling(path: Path) -> Pooling | None:
    """None for a plain directory. Raises FileFaultError for what misread does not know how to do."""
    modules = _modules(path)
    if not modules:
        return None
    ways: tuple[str, ...] = ("mean",)
    dense: list[tuple[str, Path]] = []
    unit = False
    for module in modules[1:]:
        kind = str(module.get("type", "")).rpartition(".")[2]
        folder = _inside(path, module)
        if kind == "Pooling":
            ways = _ways(folder / "config.json")
        elif kind == "Dense":
            dense.append(_dense(folder))
        elif kind == "Normalize":
            unit = True
        else:
            raise FileFaultError(path / MODULES, f"{kind!r} is none of Transformer, Pooling, Dense, Normalize", "type")
    return Pooling(ways, tuple(dense), unit, _most_tokens(_inside(path, modules[0]) / "sentence_bert_config.json"))


def _modules(path: Path) -> list[dict[str, Any]]:
    file = path / MODULES
    if not file.is_file():
        return []
    modules = _json(file)
    if not isinstance(modules, list) or not modules or not all(isinstance(module, dict) for module in modules):
        raise FileFaultError(file, "is no list of modules")
    first = str(modules[0].get("type", "")).rpartition(".")[2]
    if first != "Transformer":
        raise FileFaultError(file, f"begins with {first!r}, not with a Transformer", "type")
    return modules


def _inside(path: Path, module: Mapping[str, Any]) -> Path:
    name = str(module.get("path", ""))
    folder = path / name
    if Path(name).is_absolute() or not folder.resolve().is_relative_to(path.resolve()):
        raise FileFaultError(path / MODULES, f"{name!r} leads out of the directory", "path")
    return folder


def _ways(file: Path) -> tuple[str, ...]:
    config = json_object(file)
    short = config.get("pooling_mode")
    if isinstance(short, str):
        asked: tuple[str, ...] = (SHORT.get(short, short),)
    else:
        asked = tuple(
            MEANS.get(name, name) for name in sorted(config) if name.startswith("pooling_mode_") and config[name]
        )
    known = tuple(way for way in MEANS.values() if way in asked)
    if not asked or len(known) != len(asked):
        raise FileFaultError(file, f"pools by {', '.join(asked) or 'nothing'}; known are {', '.join(MEANS)}")
    return known


def _dense(folder: Path) -> tuple[str, Path]:
    activation = str(json_object(folder / "config.json").get("activation_function", "")).rpartition(".")[2]
    if activation not in ACTIVATIONS:
        reason = f"{activation!r} is none of {', '.join(sorted(ACTIVATIONS))}"
        raise FileFaultError(folder / "config.json", reason, "activation_function")
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise FileFaultError(weights, "the file is missing; weights in a pickle are refused")
    return activation, weights


def _most_tokens(file: Path) -> int | None:
    most = json_object(file).get("max_seq_length") if file.is_file() else None
    return most if isinstance(most, int) and most > 0 else None


def json_object(file: Path) -> dict[str, Any]:
    """What a file holds. Raises FileFaultError where it is no JSON object."""
    content = _json(file)
    if not isinstance(content, dict):
        raise FileFaultError(file, "holds no JSON object")
    return content


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except OSError as error:
        raise FileFaultError(file, f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise FileFaultError(file, f"is no JSON: {error}") from None
