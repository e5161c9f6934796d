"""A model's directory is looked through before it is loaded, and everything wrong with it is told at once."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from encode.tiny_models import MODELS, bert, sentence_transformer, tokenizer

from misread.encode import pretrained
from misread.encode.pretrained.directory import model_directory
from misread.schemas.errors import InputFaultsError, MisreadError
from misread.schemas.values import Modality

pytest.importorskip("torch", reason="pretrained models need torch")
pytest.importorskip("transformers", reason="pretrained models need transformers")


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


def reasons(path: Path, modality: Modality = "image") -> dict[str, str]:
    """What is wrong, by the file's name."""
    with pytest.raises(InputFaultsError) as caught:
        pretrained(str(path), modality)
    return {Path(fault.file).name: fault.reason for fault in caught.value.faults}


def edited(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


DAMAGES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "no configuration": (lambda p: (p / "config.json").unlink(), "config.json", "the file is missing"),
    "a configuration cut off": (lambda p: cut(p / "config.json"), "config.json", "is no JSON"),
    "a list for a configuration": (lambda p: (p / "config.json").write_text("[1]"), "config.json", "no JSON object"),
    "nesting without end": (lambda p: (p / "config.json").write_text("[" * 10**5), "config.json", "is no JSON"),
    "an unknown kind": (lambda p: edited(p / "config.json", model_type="gpt2"), "config.json", "'gpt2' is none of"),
    "a kind that is no text": (lambda p: edited(p / "config.json", model_type=7), "config.json", "7 is none of"),
    "code of its own": (
        lambda p: edited(p / "config.json", model_type="mine", auto_map={"AutoModel": "code.Mine"}),
        "config.json",
        "code of its own, which misread does not run",
    ),
    "no weights": (lambda p: (p / "model.safetensors").unlink(), "model.safetensors", "the file is missing"),
    "weights cut off": (lambda p: cut(p / "model.safetensors"), "model.safetensors", "no whole safetensors file"),
    "weights of zeros": (lambda p: (p / "model.safetensors").write_bytes(bytes(99)), "model.safetensors", "no whole"),
    "no picture settings": (lambda p: (p / "preprocessor_config.json").unlink(), "preprocessor_config.json", "missing"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_wrong_with_a_directory_is_told(damage: str, tmp_path: Path) -> None:
    """The file and the reason, before anything is loaded."""
    path = MODELS["dinov2"](tmp_path / "net")
    spoil, file, reason = DAMAGES[damage]
    spoil(path)
    found = reasons(path)
    assert set(found) == {file}
    assert reason in found[file]


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    """An empty directory lacks all three; one without a tokenizer says which files would do."""
    (tmp_path / "empty").mkdir()
    assert set(reasons(tmp_path / "empty")) == {"config.json", "model.safetensors", "preprocessor_config.json"}
    path = bert(tmp_path / "words")
    for file in path.glob("tokenizer*"):
        file.unlink()
    assert "tokenizer.json, or vocab.txt" in reasons(path, "report")["words"]


def test_pickles_are_refused_and_never_opened(tmp_path: Path) -> None:
    """Weights in a pickle are named and refused, what it would have run is not; beside safetensors it is not read."""
    path = MODELS["vit"](tmp_path / "net")
    (path / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
    pretrained(str(path), "image").encode([])
    (path / "model.safetensors").unlink()
    assert "pytorch_model.bin" in reasons(path)["model.safetensors"]
    assert "refused" in reasons(path)["model.safetensors"]
    assert not (tmp_path / "ran").exists()


def test_weights_in_several_files_are_all_needed(tmp_path: Path) -> None:
    """An index names its files; one that is missing, or lies elsewhere, is a fault."""
    from transformers import AutoModel

    whole = MODELS["dinov2"](tmp_path / "whole")
    expected = pretrained(str(whole), "image")
    path = MODELS["dinov2"](tmp_path / "net")
    (path / "model.safetensors").unlink()
    AutoModel.from_pretrained(whole).save_pretrained(path, max_shard_size="20KB")
    shards = sorted(path.glob("*.safetensors"))
    assert len(shards) > 1
    found: Any = pretrained(str(path), "image")
    assert found.dimension == expected.dimension
    shards[0].unlink()
    assert set(reasons(path)) == {shards[0].name}
    index = path / "model.safetensors.index.json"
    edited(index, weight_map={"a": "../whole/model.safetensors"})
    assert "is no file beside it" in reasons(path)[index.name]


def test_weights_are_never_made_up(tmp_path: Path) -> None:
    """A file that lacks some of the model's weights is refused, and one of other shapes too."""
    from safetensors.numpy import load_file, save_file

    path = MODELS["dinov2"](tmp_path / "net")
    file = path / "model.safetensors"
    weights = load_file(file)
    save_file({name: value for name, value in weights.items() if "layer.1" not in name}, file, {"format": "pt"})
    with pytest.raises(MisreadError, match=r"lack encoder\.layer\.1.+in all"):
        _ = pretrained(str(path), "image").dimension
    save_file(weights | {"layernorm.bias": weights["layernorm.bias"][:5]}, file, {"format": "pt"})
    with pytest.raises(MisreadError, match="cannot be loaded"):
        _ = pretrained(str(path), "image").dimension


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path) -> None:
    """Tokens beyond the model's words would be read from nowhere."""
    path = bert(tmp_path / "net")
    tokenizer([f"word{n} {chr(97 + n % 26) * (n % 7 + 1)}" for n in range(900)]).save_pretrained(path)
    edited(path / "config.json", vocab_size=40)
    with pytest.raises(MisreadError, match=r"cannot be loaded|does not fit the model"):
        pretrained(str(path), "report").encode(["a"])


def test_sentence_transformers_directories_are_held_to_what_is_known(tmp_path: Path) -> None:
    """Modules, poolings and activations that are not known, pickled layers, and paths that lead out, are faults."""
    path = sentence_transformer(tmp_path / "net")
    assert model_directory(path, "report").folder == path / "0_Transformer"
    weights = path / "2_Dense" / "model.safetensors"
    kept = weights.read_bytes()
    weights.unlink()
    (path / "2_Dense" / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
    assert "weights in a pickle are refused" in reasons(path, "report")["model.safetensors"]
    weights.write_bytes(kept)
    edited(path / "2_Dense" / "config.json", activation_function="os.system")
    assert "'system' is none of" in reasons(path, "report")["config.json"]
    edited(path / "2_Dense" / "config.json", activation_function="torch.nn.ReLU")
    edited(path / "1_Pooling" / "config.json", pooling_mode_lasttoken=True)
    assert "pooling_mode_lasttoken" in reasons(path, "report")["config.json"]
    edited(path / "1_Pooling" / "config.json", pooling_mode_lasttoken=False)
    modules = json.loads((path / "modules.json").read_text())
    modules[2]["path"] = "../../elsewhere"
    (path / "modules.json").write_text(json.dumps(modules))
    assert "leads out of the directory" in reasons(path, "report")["modules.json"]
    (path / "modules.json").write_text("{}")
    assert "is no list of modules" in reasons(path, "report")["modules.json"]
    assert not (tmp_path / "ran").exists()


def test_a_model_of_the_other_modality_is_refused(tmp_path: Path) -> None:
    """A text encoder takes no pictures, an image tower no reports."""
    assert "encodes reports, not images" in reasons(bert(tmp_path / "words"))["config.json"]
    assert "encodes images, not reports" in reasons(MODELS["vit"](tmp_path / "net"), "report")["config.json"]
