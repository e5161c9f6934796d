"""The families of models that can be encoders, by the `model_type` of their configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from misread.schemas.values import Modality

Kind = Literal["image", "image-text", "text"]
KINDS_FOR: Final[Mapping[Modality, tuple[Kind, ...]]] = {
    "image": ("image", "image-text"),
    "report": ("text", "image-text"),
}
"""Which kinds of models encode images, and which reports."""


@dataclass(frozen=True)
class Family:
    """How a family of models gives one vector an item.

    `vector`: of an image tower, `class` (the class token after the last norm) or `pooled` (the tower's own pooling).
    `whole_length`: texts are always padded to the model's whole length and nothing is masked, as it was trained.
    `skipped_positions`: how many of its positions the text tower never uses. `options`: further arguments for the
    model, so that a head it may not have been trained with is neither asked for nor made up. `needs`: what it takes
    besides torch and transformers.
    """

    kind: Kind
    vector: Literal["class", "pooled"] = "pooled"
    whole_length: bool = False
    skipped_positions: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()


_NO_POOLER: Final = {"add_pooling_layer": False}
_CLASS_TOKEN: Final = Family("image", "class")
_CLASS_TOKEN_WITHOUT_POOLER: Final = Family("image", "class", options=_NO_POOLER)
_POOLED: Final = Family("image")
_PADDED: Final = Family("image-text", whole_length=True)
_BERT: Final = Family("text", options=_NO_POOLER)
_ROBERTA: Final = Family("text", skipped_positions=2, options=_NO_POOLER)

FAMILIES: Final[Mapping[str, Family]] = {
    "albert": _BERT,
    "bert": _BERT,
    "camembert": _ROBERTA,
    "clip": Family("image-text"),
    "clip_vision_model": _POOLED,
    "convnext": _POOLED,
    "convnextv2": _POOLED,
    "deberta-v2": Family("text"),
    "deit": _CLASS_TOKEN_WITHOUT_POOLER,
    "dinov2": _CLASS_TOKEN,
    "dinov2_with_registers": _CLASS_TOKEN,
    "dinov3_vit": Family("image", "class", needs=("torchvision",)),
    "distilbert": Family("text"),
    "electra": Family("text"),
    "modernbert": Family("text"),
    "mpnet": Family("text", skipped_positions=2, options=_NO_POOLER),
    "resnet": _POOLED,
    "roberta": _ROBERTA,
    "siglip": _PADDED,
    "siglip2": _PADDED,
    "siglip_vision_model": _POOLED,
    "swin": _POOLED,
    "swinv2": _POOLED,
    "vit": _CLASS_TOKEN_WITHOUT_POOLER,
    "xlm-roberta": _ROBERTA,
}
