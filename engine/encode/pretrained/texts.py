"""Texts to vectors by the text tower of a pretrained model; long ones in windows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from misread.encode.registry import Vectors
from misread.schemas.values import Modality

from .device import Device
from .directory import ModelDirectory
from .images import width
from .loading import load_model, load_tokenizer
from .sentence import Pooling


@dataclass(frozen=True)
class Windows:
    """Texts cut into pieces that the model can take: `tokens` of each, the text it is of, and its words' number."""

    tokens: list[list[int]]
    text: NDArray[np.int64]
    words: NDArray[np.float64]
    texts: int


@dataclass
class TextEncoder:
    """What `pretrained` makes of a directory with a text tower. Nothing is loaded before it is used.

    A text that is longer than the model takes is cut into windows; its vector is their mean, each weighed by its
    number of tokens.
    """

    name: str
    directory: ModelDirectory
    device: Device
    version: str
    modality: Modality = "report"

    @cached_property
    def _model(self) -> Any:
        model = load_model(self.directory)
        if self.directory.family.kind == "image-text":
            model.vision_model = None  # half the weights, not needed here
        return model.to(self.device.name)

    @property
    def _config(self) -> Any:
        config = self._model.config
        return config.text_config if self.directory.family.kind == "image-text" else config

    @cached_property
    def _tokenizer(self) -> Any:
        return load_tokenizer(self.directory, cast(int, self._config.vocab_size))

    @cached_property
    def _pooling(self) -> Pooling:
        return self.directory.pooling or Pooling()

    @cached_property
    def _dense(self) -> Sequence[Any]:
        from .dense import dense_layers

        return dense_layers(self._pooling.dense, self.device.name)

    @property
    def preparers(self) -> int:
        return 1  # the tokenizer has threads of its own

    @property
    def dimension(self) -> int:
        wide = width(self._model.config, self.directory, "report")
        if self.directory.family.kind == "image-text":
            return wide
        return cast(int, self._dense[-1][0].out_features) if self._dense else len(self._pooling.ways) * wide

    @cached_property
    def most_tokens(self) -> int:
        """How many tokens the model takes at once, special ones too."""
        positions = getattr(self._config, "max_position_embeddings", None)
        limits = [self._pooling.most_tokens, self._tokenizer.model_max_length]
        if isinstance(positions, int) and positions > 0:
            limits.append(positions - self.directory.family.skipped_positions)
        return int(min(limit for limit in limits if limit is not None))

    @cached_property
    def _around(self) -> tuple[list[int], list[int]]:
        """The special tokens before and after a text's own."""
        whole = self._tokenizer("a")["input_ids"]
        own = self._tokenizer("a", add_special_tokens=False)["input_ids"]
        start = next(i for i in range(len(whole)) if whole[i : i + len(own)] == own)
        return whole[:start], whole[start + len(own) :]

    def prepare(self, items: Sequence[str]) -> Windows:
        """The texts as windows of tokens. May run beside the model, in another thread."""
        # cut by hand: the tokenizer's own cutting changes its state, which other threads use
        plain = self._tokenizer(list(items), add_special_tokens=False, truncation=False, verbose=False)["input_ids"]
        before, after = self._around
        room = self.most_tokens - len(before) - len(after)
        pieces = [
            (place, words[start : start + room]) for place, words in enumerate(plain) for start in _starts(words, room)
        ]
        return Windows(
            [[*before, *words, *after] for _, words in pieces],
            np.array([place for place, _ in pieces], np.int64),
            np.array([max(1, len(words)) for _, words in pieces], float),
            len(items),
        )

    def encode_prepared(self, windows: Windows) -> Vectors:
        """Windows of about one length at a time, so that little is padding."""
        order = np.argsort([len(tokens) for tokens in windows.tokens], kind="stable")
        found = np.empty((len(order), self.dimension), np.float32)
        start = 0
        while start < len(order):
            some = order[start : start + self.device.at_once]
            found[some] = self.device.run(self._vectors, self._padded([windows.tokens[i] for i in some]), len(some))
            start += len(some)
        return self._joined(windows, found)

    def encode(self, items: Sequence[str]) -> Vectors:
        """(n, d) float32."""
        if not items:
            return np.empty((0, self.dimension), np.float32)
        return self.encode_prepared(self.prepare(items))

    def _padded(self, tokens: Sequence[Sequence[int]]) -> dict[str, Any]:
        length = self.most_tokens if self.directory.family.whole_length else max(map(len, tokens))
        ids = np.full((len(tokens), length), self._tokenizer.pad_token_id, np.int64)
        mask = np.zeros_like(ids)
        left = self._tokenizer.padding_side == "left"
        for row, one in enumerate(tokens):
            place = slice(length - len(one), None) if left else slice(len(one))
            ids[row, place], mask[row, place] = one, 1
        return self.device.tensors({"input_ids": ids, "attention_mask": mask})

    def _vectors(self, **inputs: Any) -> Any:
        if self.directory.family.whole_length:
            return self._model.get_text_features(input_ids=inputs["input_ids"]).pooler_output
        if self.directory.family.kind == "image-text":
            return self._model.get_text_features(**inputs).pooler_output
        hidden = self._model(**inputs).last_hidden_state
        mask = inputs["attention_mask"].unsqueeze(-1).to(hidden.dtype)
        return pooled(hidden, mask, self._pooling.ways, self._dense)

    def _joined(self, windows: Windows, found: Vectors) -> Vectors:
        """One vector a text: the mean of its windows' by their words; of unit length where the model says so."""
        if len(found) == windows.texts and not self._pooling.unit:
            return found
        total = np.zeros((windows.texts, found.shape[1]))
        np.add.at(total, windows.text, found * windows.words[:, None])
        weight = np.bincount(windows.text, windows.words, windows.texts)
        vectors = total / np.maximum(weight, 1.0)[:, None]
        if self._pooling.unit:
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors.astype(np.float32)


def _starts(words: Sequence[int], room: int) -> range:
    return range(0, max(1, len(words)), room)


def pooled(hidden: Any, mask: Any, ways: Sequence[str], dense: Sequence[Any]) -> Any:
    """(n, d): one vector of each row of tokens `hidden` (n, t, d), of which `mask` (n, t, 1) counts those that are."""
    import torch

    made: Mapping[str, Any] = {
        "class": lambda: hidden[:, 0],
        "mean": lambda: (hidden * mask).sum(1) / mask.sum(1),
        "mean over root": lambda: (hidden * mask).sum(1) / mask.sum(1).sqrt(),
        "max": lambda: hidden.masked_fill(mask == 0, float("-inf")).amax(1),
    }
    vectors = torch.cat([made[way]() for way in ways], 1)
    for layer in dense:
        vectors = layer(vectors)
    return vectors
