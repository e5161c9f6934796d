"""Pictures to vectors by the image tower of a pretrained model."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np

from misread.encode.pixels import colours
from misread.encode.registry import Vectors
from misread.schemas.values import Modality

from .device import Device
from .directory import ModelDirectory
from .loading import load_model, load_picture_settings


@dataclass
class ImageEncoder:
    """What `pretrained` makes of a directory with an image tower. Nothing is loaded before it is used."""

    name: str
    directory: ModelDirectory
    device: Device
    version: str
    modality: Modality = "image"

    @cached_property
    def _model(self) -> Any:
        model = load_model(self.directory)
        if self.directory.family.kind == "image-text":
            model.text_model = None  # half the weights, not needed here
        return model.to(self.device.name)

    @cached_property
    def _settings(self) -> Any:
        return load_picture_settings(self.directory)

    @property
    def preparers(self) -> int:
        return min(8, os.cpu_count() or 1) if self.device.is_cuda else 1

    @property
    def dimension(self) -> int:
        return width(self._model.config, self.directory, "image")

    def prepare(self, items: Sequence[bytes]) -> tuple[int, dict[str, Any]]:
        """The model's input. May run beside the model, in another thread."""
        pictures = [colours(content, place) for place, content in enumerate(items)]
        arrays = self._settings(images=pictures, return_tensors="np")
        return len(items), self.device.tensors(arrays)

    def encode_prepared(self, prepared: tuple[int, dict[str, Any]]) -> Vectors:
        rows, tensors = prepared
        return self.device.run(self._vectors, tensors, rows)

    def encode(self, items: Sequence[bytes]) -> Vectors:
        """(n, d) float32. Raises ItemError for bytes that are no readable picture."""
        if not items:
            return np.empty((0, self.dimension), np.float32)
        return self.encode_prepared(self.prepare(items))

    def _vectors(self, **inputs: Any) -> Any:
        if self.directory.family.kind == "image-text":
            return self._model.get_image_features(**inputs).pooler_output
        found = self._model(**inputs)
        if self.directory.family.vector == "class":
            return found.last_hidden_state[:, 0]
        return found.pooler_output.flatten(1)


def width(config: Any, directory: ModelDirectory, modality: Modality) -> int:
    """How many numbers a vector of the model has, by its configuration."""
    if directory.model_type == "clip":
        return cast(int, config.projection_dim)
    if directory.family.kind == "image-text":
        return cast(
            int, config.vision_config.hidden_size if modality == "image" else config.text_config.projection_size
        )
    return cast(int, config.hidden_sizes[-1] if hasattr(config, "hidden_sizes") else config.hidden_size)
