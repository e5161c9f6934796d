"""`tfidf`: reports by their words and word pairs, weighed by rarity and reduced to a few dimensions."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from misread.schemas.errors import MisreadError
from misread.schemas.values import Modality
from misread.threads import one_thread

from .registry import Arrays, Vectors

DIMENSION = 128
TERMS = 20_000
FITTED_TEXTS = 50_000
PAIR_WEIGHT = 0.3
"""Pairs carry negations and places; at full weight they drown the words (AUROC of 23 findings .943, not .960)."""

_NUMBER = re.compile(r"\d+(?:[-.,:/]\d+)*")
_BLANKED = re.compile(r"\bx{3,}\b")
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]{{1,40}}"


def normalised(text: str) -> str:
    """Lower case in one Unicode form; every number is 0; what de-identification blanked out (`XXXX`) is gone."""
    folded = _NUMBER.sub("0", unicodedata.normalize("NFKC", text).lower())
    return _BLANKED.sub(" ", folded)


class TfidfFitter:
    """Learns terms, their weights and the directions in which reports vary."""

    name = "tfidf"
    modality: Modality = "report"
    version = 1

    def fit(self, texts: Sequence[str]) -> Arrays:
        """`terms` (UTF-8 bytes, a term a line), `weights` (m,) and `components` (m, d) float32.

        Fitted on the distinct texts, of more than 50,000 on those whose hash is lowest. d is at most 128, less one
        than there are texts, and only as many as the texts vary in.
        """
        distinct = sorted(set(texts), key=lambda text: (blake2b(text.encode(), digest_size=8).digest(), text))
        chosen = sorted(distinct[:FITTED_TEXTS])
        vectorizer = _vectorizer(min_df=_fewest_texts(len(chosen)), max_features=TERMS)
        try:
            with one_thread():
                vectorizer.fit(chosen)
        except ValueError:  # no term is left
            return {
                "terms": _packed([]),
                "weights": np.zeros(0, np.float32),
                "components": np.zeros((0, 1), np.float32),
            }
        terms = [str(term) for term in vectorizer.get_feature_names_out()]
        weights = (vectorizer.idf_ * [PAIR_WEIGHT if " " in term else 1.0 for term in terms]).astype(np.float32)
        arrays = {"terms": _packed(terms), "weights": weights}
        rows = _Weigher(terms, weights)(chosen)
        return arrays | {"components": _components(rows)}

    def from_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> "TfidfEncoder":
        try:
            terms, weights, components = arrays["terms"], arrays["weights"], arrays["components"]
        except KeyError as error:
            raise MisreadError(
                f"the fitted tfidf model lacks {error}", "fit it again: misread embed --refit"
            ) from error
        return TfidfEncoder(_unpacked(terms), weights, components)


class TfidfEncoder:
    """Texts as unit vectors; a text of which no word was known when it was fitted is all 0."""

    name = "tfidf"
    modality: Modality = "report"
    version = TfidfFitter.version

    def __init__(self, terms: Sequence[str], weights: NDArray[Any], components: NDArray[Any]) -> None:
        if components.ndim != 2 or len(terms) != len(weights) or len(terms) != len(components):
            raise MisreadError("the fitted tfidf model does not fit together", "fit it again: misread embed --refit")
        self._weigher = _Weigher(terms, weights)
        self._components = components.astype(np.float32)

    @property
    def dimension(self) -> int:
        return int(self._components.shape[1])

    def encode(self, items: Sequence[str]) -> Vectors:
        """(n, d) float32; the empty text is all 0 too."""
        if not len(items) or not len(self._components):
            return np.zeros((len(items), self.dimension), np.float32)
        vectors = np.asarray(self._weigher(items) @ self._components, np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors[lengths[:, 0] <= 1e-6] = 0
        return np.asarray(vectors / np.maximum(lengths, 1e-6), np.float32)


class _Weigher:
    """Texts to sparse rows of unit length: (1 + log count) times the term's weight."""

    def __init__(self, terms: Sequence[str], weights: NDArray[Any]) -> None:
        self._terms = {term: place for place, term in enumerate(terms)}
        self._weights = weights

    def __call__(self, texts: Sequence[str]) -> Any:
        vectorizer = _vectorizer(vocabulary=self._terms)
        vectorizer.idf_ = self._weights
        return vectorizer.transform(texts)


def _vectorizer(**options: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        preprocessor=normalised,
        token_pattern=_TOKEN,
        ngram_range=(1, 2),
        sublinear_tf=True,
        dtype=np.float32,
        **options,
    )


def _fewest_texts(texts: int) -> int:
    """In how many texts a term must occur: in few texts each one counts, in many a single one is a misspelling."""
    return 1 if texts < 50 else 2 if texts < 5_000 else 5


def _components(rows: Any) -> Vectors:
    """(m, d): the directions in which the rows vary, the largest number of each positive."""
    from sklearn.utils.extmath import randomized_svd

    size = max(1, min(DIMENSION, rows.shape[0] - 1, rows.shape[1]))
    with one_thread():
        _, spread, components = randomized_svd(rows, size, n_iter=7, random_state=0)
    components = components[spread > 1e-4 * max(float(spread[0]), 1e-12)]
    signs = np.sign(np.take_along_axis(components, np.abs(components).argmax(axis=1)[:, None], axis=1))
    return np.asarray((components * signs).T, np.float32, order="C")


def _packed(terms: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(terms).encode(), np.uint8)


def _unpacked(terms: NDArray[Any]) -> list[str]:
    text = terms.astype(np.uint8).tobytes().decode()
    return text.split("\n") if text else []
