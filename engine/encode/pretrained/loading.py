"""Models, picture settings and tokenizers as transformers loads them: from a directory, without a network."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from misread.schemas.errors import MisreadError, first_line

from .directory import ModelDirectory

OFFLINE = {"local_files_only": True, "trust_remote_code": False}


def load_model(directory: ModelDirectory) -> Any:
    """The model in float32, ready to encode. Raises MisreadError where weights are missing or do not fit."""
    import torch
    from transformers import AutoModel

    with _quiet(f"the model in {directory.folder}"):
        model, told = AutoModel.from_pretrained(
            directory.folder,
            use_safetensors=True,
            output_loading_info=True,
            dtype=torch.float32,
            **directory.family.options,
            **OFFLINE,
        )
    lacking = sorted(told["missing_keys"])
    if lacking:
        shown = ", ".join(lacking[:5]) + (f", … ({len(lacking)} in all)" if len(lacking) > 5 else "")
        raise MisreadError(
            f"the weights in {directory.folder} lack {shown}",
            "a model with weights made up at random would give meaningless vectors; save the whole model again",
        )
    return model.eval().requires_grad_(False)


def load_picture_settings(directory: ModelDirectory) -> Any:
    """What turns pictures into the model's input: by Pillow and numpy, unless the family has but torchvision's way."""
    from transformers import AutoImageProcessor

    backend = "torchvision" if "torchvision" in directory.family.needs else "pil"
    with _quiet(f"the image settings in {directory.folder}"):
        return AutoImageProcessor.from_pretrained(directory.folder, backend=backend, **OFFLINE)


def load_tokenizer(directory: ModelDirectory, words: int) -> Any:
    """The tokenizer. Raises MisreadError for one that knows tokens beyond the model's `words`."""
    from transformers import AutoTokenizer

    place = directory.folder if _has_tokenizer(directory.folder) else directory.path
    with _quiet(f"the tokenizer in {place}"):
        tokenizer = AutoTokenizer.from_pretrained(place, use_fast=True, **OFFLINE)
    highest = max(tokenizer.get_vocab().values(), default=0)
    if highest >= words:
        raise MisreadError(
            f"the tokenizer in {place} does not fit the model: it has token {highest}, the model {words} words",
            "take tokenizer and weights from the same model",
        )
    if not tokenizer.is_fast:
        raise MisreadError(f"the tokenizer in {place} has no tokenizer.json", "save it again with save_pretrained")
    if tokenizer.pad_token_id is None:
        raise MisreadError(f"the tokenizer in {place} has no padding token", "name one in tokenizer_config.json")
    return tokenizer


def _has_tokenizer(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"))


@contextlib.contextmanager
def _quiet(what: str) -> Iterator[None]:
    """Without bars and reports; what transformers raises becomes a MisreadError in one line."""
    from transformers.utils import logging as told

    log = logging.getLogger("transformers")
    level, bars = log.level, told.is_progress_bar_enabled()
    told.disable_progress_bar()
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        raise MisreadError(f"{what} cannot be loaded: {type(error).__name__}: {first_line(error)}") from error
    finally:
        log.setLevel(level)
        if bars:
            told.enable_progress_bar()
