"""Pretrained models give what transformers gives, whatever the batch, from a directory and without a network."""

import shutil
import socket
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encode.encode_inputs import REPORT_TEXTS, encoded, fill, grey, vectors
from encode.tiny_models import MODELS, any_model, sentence_transformer
from numpy.typing import NDArray

from misread.encode import Settings, embed, pretrained
from misread.encode.listing import listed
from misread.encode.pixels import colours
from misread.encode.pretrained import text_tower
from misread.encode.pretrained.families import FAMILIES
from misread.schemas.errors import MisreadError, StoreError
from misread.schemas.values import Modality
from misread.store import TableStore

pytest.importorskip("torch", reason="pretrained models need torch")
pytest.importorskip("transformers", reason="pretrained models need transformers")

PICTURES = {f"s{n}": encoded(grey(n, 40 + n, 44)) for n in range(8)}
REPORTS = [(f"s{n}", None, text) for n, text in enumerate(REPORT_TEXTS)]
IMAGE_TOWERS = ("clip", "dinov2", "siglip", "siglip2", "vit")
TEXT_TOWERS = ("bert", "clip", "siglip", "siglip2")
ONE_WINDOW = ("Clear.", "No nodule.", "Large effusion.")
"""Texts that every model takes whole."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The directory of each tiny model, made once."""
    root = tmp_path_factory.mktemp("models")
    made = {name: make(root / name) for name, make in MODELS.items()}
    return made.__getitem__


@pytest.fixture
def store(tmp_path: Path) -> TableStore:
    return fill(tmp_path / "store", PICTURES, REPORTS)


def images_directly(folder: Path, pictures: Sequence[bytes]) -> NDArray[np.float32]:
    """The vectors by plain transformers, a picture at a time."""
    import torch
    from transformers import AutoImageProcessor, AutoModel

    model = AutoModel.from_pretrained(folder).eval()
    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    rows = []
    with torch.no_grad():
        for content in pictures:
            inputs = processor(images=colours(content), return_tensors="pt")
            if hasattr(model, "get_image_features"):
                rows.append(model.get_image_features(**inputs).pooler_output[0])
            else:
                rows.append(model(**inputs).last_hidden_state[0, 0])
    return torch.stack(rows).numpy()


def texts_directly(folder: Path, texts: Sequence[str]) -> NDArray[np.float32]:
    """The vectors of texts that fit into one window by plain transformers, a text at a time."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    rows = []
    with torch.no_grad():
        for text in texts:
            if "siglip" in folder.name:  # as these were trained: padded whole, nothing masked
                inputs = tokenizer([text], padding="max_length", return_tensors="pt")
                rows.append(model.get_text_features(input_ids=inputs["input_ids"]).pooler_output[0])
                continue
            inputs = tokenizer([text], return_tensors="pt")
            if hasattr(model, "get_text_features"):
                rows.append(model.get_text_features(**inputs).pooler_output[0])
            else:
                rows.append(model(**inputs).last_hidden_state[0].mean(0))
    return torch.stack(rows).numpy()


@pytest.mark.parametrize("name", IMAGE_TOWERS)
def test_pictures_have_the_vectors_that_transformers_gives(
    name: str, models: Callable[[str], Path], store: TableStore
) -> None:
    """What `embed` stores of a saved model equals a direct call to 1e-5."""
    result = embed(store, image_encoder=str(models(name)), report_encoder=None)
    assert result.encoders[name].encoded == 8
    assert store.encoders[name].source == "pretrained"
    expected = images_directly(models(name), list(PICTURES.values()))
    found = vectors(store, name)
    np.testing.assert_allclose([found[sample] for sample in PICTURES], expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.01  # the pictures do differ


@pytest.mark.parametrize("name", TEXT_TOWERS)
def test_reports_have_the_vectors_that_transformers_gives(
    name: str, models: Callable[[str], Path], tmp_path: Path
) -> None:
    """The same of texts: means of tokens, or the text tower of an image-text model, under a name of its own."""
    reports = [(f"s{n}", None, text) for n, text in enumerate(ONE_WINDOW)]
    store = fill(tmp_path / "store", dict.fromkeys((f"s{n}" for n in range(len(ONE_WINDOW))), None), reports)
    table = name if name == "bert" else f"{name}-text"
    assert embed(store, image_encoder=None, report_encoder=str(models(name))).encoders[table].encoded == 3
    found = vectors(store, table)
    expected = texts_directly(models(name), ONE_WINDOW)
    np.testing.assert_allclose([found[f"s{n}"] for n in range(3)], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "modality"), [(n, "image") for n in IMAGE_TOWERS] + [(n, "report") for n in TEXT_TOWERS]
)
def test_neither_batch_nor_order_changes_a_vector(name: str, modality: Modality, models: Callable[[str], Path]) -> None:
    """Alone, three at a time, all at once or the other way round: the same vector to 1e-5."""
    made = pretrained(str(models(name)), modality)
    items: list[Any] = list(PICTURES.values()) if modality == "image" else [*REPORT_TEXTS, " ".join(REPORT_TEXTS)]
    whole = made.encode(items)
    assert whole.shape == (len(items), made.dimension)
    alone = np.concatenate([made.encode([item]) for item in items])
    np.testing.assert_allclose(alone, whole, atol=1e-5)
    np.testing.assert_allclose(made.encode(items[::-1])[::-1], whole, atol=1e-5)
    made.device.at_once = 3
    np.testing.assert_allclose(made.encode(items), whole, atol=1e-5)
    assert made.encode([]).shape == (0, made.dimension)


def test_a_long_report_is_the_mean_of_its_windows(models: Callable[[str], Path]) -> None:
    """Each window with its own special tokens, weighed by its words; nothing of the report is cut off."""
    made: Any = pretrained(str(models("bert")), "report")
    text = " ".join(REPORT_TEXTS)
    words = made._tokenizer.tokenize(text, verbose=False)
    assert len(words) > 2 * made.most_tokens
    room = made.most_tokens - 2
    pieces = [words[start : start + room] for start in range(0, len(words), room)]
    rows = np.array([made.encode([made._tokenizer.convert_tokens_to_string(piece)])[0] for piece in pieces])
    ids = [made._tokenizer(made._tokenizer.convert_tokens_to_string(piece))["input_ids"][1:-1] for piece in pieces]
    assert [len(one) for one in ids] == [len(piece) for piece in pieces]
    expected = np.average(rows, axis=0, weights=[len(piece) for piece in pieces])
    np.testing.assert_allclose(made.encode([text])[0], expected, atol=1e-5)


def test_a_sentence_transformers_directory_ends_as_it_says(tmp_path: Path) -> None:
    """Its poolings are joined, then dense layer and unit length; its window is its own."""
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModel, AutoTokenizer

    folder = sentence_transformer(tmp_path / "sentences")
    made: Any = pretrained(str(folder), "report")
    found = made.encode(ONE_WINDOW)
    assert found.shape == (3, 10)
    assert made.dimension == 10
    assert made.most_tokens == 12
    model = AutoModel.from_pretrained(folder / "0_Transformer").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder / "0_Transformer")
    dense = load_file(folder / "2_Dense" / "model.safetensors")
    for text, vector in zip(ONE_WINDOW, found, strict=True):
        with torch.no_grad():
            tokens = model(**tokenizer([text], return_tensors="pt")).last_hidden_state[0]
        joined = torch.cat([tokens.amax(0), tokens.mean(0)])
        expected = torch.tanh(dense["linear.weight"] @ joined + dense["linear.bias"])
        np.testing.assert_allclose(vector, expected / expected.norm(), atol=1e-5)


def test_phrases_lie_in_the_space_of_an_image_text_model(models: Callable[[str], Path], store: TableStore) -> None:
    """The store's image-text model gives the vectors that its text tower gives; no other model has such a tower."""
    embed(store, image_encoder=str(models("clip")), report_encoder=str(models("bert")))
    tower = text_tower(store.encoders["clip"])
    assert tower is not None
    found = tower.text_vectors(ONE_WINDOW)
    np.testing.assert_allclose(found, texts_directly(models("clip"), ONE_WINDOW), atol=1e-5)
    assert found.shape[1] == store.encoders["clip"].dimension
    embed(store, image_encoder="hog", report_encoder=None)
    embed(store, image_encoder=str(models("vit")), report_encoder=None)
    assert [text_tower(store.encoders[name]) for name in ("hog", "bert", "vit")] == [None] * 3


def test_deep_pictures_are_windowed_and_not_clipped(models: Callable[[str], Path]) -> None:
    """A radiograph of 12 or 16 bits has about the vector of its 8-bit window, at any scale and offset."""
    made = pretrained(str(models("dinov2")), "image")
    pixels = grey(3, 60, 60)
    deep = [
        encoded((pixels.astype(np.uint16) * scale + offset).astype(np.uint16))
        for scale, offset in ((16, 0), (200, 9000))
    ]
    plain, twelve, sixteen = made.encode([encoded(pixels), *deep])
    other = made.encode([encoded(grey(4, 60, 60))])[0]
    apart = np.linalg.norm(plain - other)
    assert np.linalg.norm(plain - twelve) < 0.1 * apart
    assert np.linalg.norm(plain - sixteen) < 0.1 * apart
    levels = np.asarray(colours(deep[1]))[:, :, 0]
    assert levels.min() == 0
    assert levels.max() == 255
    assert len(np.unique(levels)) > 100


def test_what_does_not_fit_into_memory_is_tried_in_halves(
    models: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is halved until it fits, for good; where one item does not, the error says what to do."""
    import torch

    made: Any = pretrained(str(models("vit")), "image")
    items = list(PICTURES.values())
    expected = made.encode(items)
    sizes: list[int] = []
    inner = type(made)._vectors

    def scarce(self: Any, most: int, **inputs: Any) -> Any:
        rows = len(inputs["pixel_values"])
        sizes.append(rows)
        if rows > most:
            raise torch.OutOfMemoryError("out of memory")
        return inner(self, **inputs)

    monkeypatch.setattr(type(made), "_vectors", lambda self, **inputs: scarce(self, 2, **inputs))
    np.testing.assert_allclose(made.encode(items), expected, atol=1e-5)
    assert sizes == [8, 4, 2, 2, 2, 2]
    sizes.clear()
    made.encode(items)
    assert sizes == [2, 2, 2, 2]
    monkeypatch.setattr(type(made), "_vectors", lambda self, **inputs: scarce(self, 0, **inputs))
    with pytest.raises(MisreadError, match="one item at a time is too many"):
        made.encode(items)


def test_half_precision_is_near_and_stays(models: Callable[[str], Path], store: TableStore) -> None:
    """float16 is close to float32, is kept for rows that come later, and never mixes with it."""
    folder = str(models("dinov2"))
    embed(store, image_encoder=folder, report_encoder=None)
    whole = vectors(store, "dinov2")
    half = embed(store, image_encoder=folder, report_encoder=None, settings=Settings(precision="float16"))
    assert half.encoders["dinov2"].encoded == 8
    near = vectors(store, "dinov2")
    gaps = [float(np.abs(near[sample] - whole[sample]).max()) for sample in whole]
    assert 0 < max(gaps) < 0.05
    fill(Path(store.location), {"new": encoded(grey(20, 40, 40))})
    later = embed(store, image_encoder="dinov2", report_encoder=None)
    assert later.encoders["dinov2"].encoded == 1
    assert store.encoders["dinov2"].parameters["precision"] == "float16"


def test_other_weights_encode_everything_again(tmp_path: Path, store: TableStore) -> None:
    """A model that was trained on is another one, though its directory has the same name; no vectors mix."""
    from safetensors.numpy import load_file, save_file

    folder = MODELS["dinov2"](tmp_path / "net")
    embed(store, image_encoder=str(folder), report_encoder=None)
    assert embed(store, image_encoder="net", report_encoder=None).encoders["net"].encoded == 0
    before = vectors(store, "net")
    weights = load_file(folder / "model.safetensors")
    weights["layernorm.bias"] = weights["layernorm.bias"] + 1
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert embed(store, image_encoder="net", report_encoder=None).encoders["net"].encoded == 8
    np.testing.assert_allclose(vectors(store, "net")["s0"], before["s0"] + 1, atol=1e-5)


def test_no_connection_is_opened(
    models: Callable[[str], Path], store: TableStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Directories are loaded without a network; a hub's model that is not here is refused before one is asked."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    embed(store, image_encoder=str(models("siglip")), report_encoder=str(models("siglip2")))
    with pytest.raises(MisreadError, match="no model of that name was downloaded before") as caught:
        embed(store, image_encoder="nobody/nothing")
    assert "--download" in caught.value.hint


def test_names_that_mean_no_model_are_told_what_there_is(models: Callable[[str], Path], store: TableStore) -> None:
    """An encoder of the store is found by its name; a model directory that is not there is said so."""
    embed(store, image_encoder=str(models("vit")), report_encoder=None)
    with pytest.raises(MisreadError, match="no image encoder 'vitt'; did you mean 'vit'"):
        embed(store, image_encoder="vitt")
    with pytest.raises(MisreadError, match="there is no model directory /nowhere/at/all"):
        embed(store, image_encoder="/nowhere/at/all")
    with pytest.raises(MisreadError, match="there is no device 'cuda:99'"):
        embed(store, image_encoder="vit", settings=Settings(device="cuda:99"))


def test_a_model_named_as_vectors_from_elsewhere_is_refused(models: Callable[[str], Path], tmp_path: Path) -> None:
    """Vectors computed elsewhere are never overwritten by a model whose directory has their name."""
    from stores import planted_store

    planted = planted_store(tmp_path / "planted", samples=20)
    outside = MODELS["dinov2"](tmp_path / "outside")
    with pytest.raises(StoreError, match="computed elsewhere"):
        embed(planted, image_encoder=str(outside), report_encoder=None)
    with pytest.raises(StoreError, match="computed elsewhere"):
        embed(planted, image_encoder="outside", report_encoder=None)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_every_family_gives_finite_vectors_of_its_dimension(name: str, tmp_path: Path) -> None:
    """Each family that is offered loads from a directory, whatever its layers, and keeps to its positions."""
    family = FAMILIES[name]
    if any(find_spec(need) is None for need in family.needs):
        with pytest.raises(MisreadError, match="not installed: torchvision"):
            pretrained(str(any_model(name, tmp_path / "net")), "image")
        return
    folder = any_model(name, tmp_path / "net")
    long = " ".join(REPORT_TEXTS)
    for modality, items in (("image", list(PICTURES.values())), ("report", [*REPORT_TEXTS, long])):
        if family.kind == "image-text" or (family.kind == "image") == (modality == "image"):
            made = pretrained(str(folder), modality)
            found = made.encode(items)
            assert found.shape == (len(items), made.dimension)
            assert np.isfinite(found).all()
            assert np.ptp(found, axis=0).max() > 0


def test_a_model_downloaded_before_is_found_by_its_name(
    store: TableStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`owner/name` means the newest snapshot of the hub's cache; it is listed, and named after the model."""
    import huggingface_hub

    cache = tmp_path / "hub"
    snapshot = MODELS["dinov2"](cache / "models--owner--tiny-net" / "snapshots" / ("a" * 40))
    (cache / "models--owner--tiny-net" / "refs").mkdir()
    (cache / "models--owner--tiny-net" / "refs" / "main").write_text("a" * 40)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    assert embed(store, image_encoder="owner/tiny-net", report_encoder=None).encoders["tiny-net"].encoded == 8
    assert store.encoders["tiny-net"].parameters["model"] == str(snapshot)
    rows = {(row.encoder, row.modality): row.needs for row in listed(store.encoders)}
    assert rows["owner/tiny-net", "image"] == rows["tiny-net", "image"] == "nothing more"
    assert rows["hog", "image"] == "nothing beyond the base install"
    shutil.rmtree(snapshot)
    rows = {(row.encoder, row.modality): row.needs for row in listed(store.encoders)}
    assert rows["tiny-net", "image"] == f"its directory {snapshot}"


def test_two_models_of_one_name_are_told_apart(
    models: Callable[[str], Path], store: TableStore, tmp_path: Path
) -> None:
    """Directories of one name, one for pictures and one for reports, are refused: their vectors would share a table."""
    pictures = shutil.copytree(models("dinov2"), tmp_path / "a" / "net")
    words = shutil.copytree(models("bert"), tmp_path / "b" / "net")
    with pytest.raises(MisreadError, match="'net' is the name of an encoder of images and of one of reports"):
        embed(store, image_encoder=str(pictures), report_encoder=str(words))
    embed(store, image_encoder=str(pictures), report_encoder=None)
    with pytest.raises(MisreadError, match="'net' is the name of an encoder of images"):
        embed(store, image_encoder=None, report_encoder=str(words))
