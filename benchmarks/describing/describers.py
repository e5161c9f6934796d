"""Ways to describe a slice by three phrases: ours, Domino's, and plain TF-IDF, each on the same rows and bank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from misread.describe import Bank, Incidence, phrase_bank, word_bank
from misread.encode.tfidf import TfidfFitter
from misread.execute.nearness import chosen_phrases, over_rows

Booleans = NDArray[np.bool_]
Places = NDArray[np.intp]

FIRST = 3


@dataclass(frozen=True, eq=False)
class Corpus:
    """The reports of a source and its report vectors, with what the describers make of them.

    As in an audit, what is learnt of texts (the bank, the encoder, weights of words) is learnt of the whole store.
    """

    texts: Sequence[str | None]
    vectors: NDArray[np.float64]

    @cached_property
    def told(self) -> list[tuple[int, str]]:
        return [(row, text) for row, text in enumerate(self.texts) if text is not None]

    @cached_property
    def bank(self) -> Bank:
        return phrase_bank(len(self.texts), lambda: self.told, np.ones(len(self.texts), bool))

    @cached_property
    def words(self) -> Incidence[str]:
        return word_bank(len(self.texts), lambda: self.told, np.ones(len(self.texts), bool))

    @cached_property
    def shown(self) -> list[str]:
        return [saying.shown for saying in self.bank.items]

    @cached_property
    def phrase_vectors(self) -> NDArray[np.float64]:
        """(m, d): the bank's phrases by the encoder that gave the report vectors."""
        fitter = TfidfFitter()
        encoder = fitter.from_arrays(fitter.fit([text for text in self.texts if text is not None]))
        return np.asarray(encoder.encode(self.shown), float)

    @cached_property
    def weighed(self) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
        """Words and pairs of words of at least 3 reports, stop words aside, and (n, m) their TF-IDF weights."""
        vectorizer = TfidfVectorizer(stop_words="english", ngram_range=(1, 2), min_df=FIRST, sublinear_tf=True)
        rows = vectorizer.fit_transform([text or "" for text in self.texts])
        return np.asarray(vectorizer.get_feature_names_out(), np.str_), rows


def ours(corpus: Corpus, rows: Places, inside: Booleans) -> list[str]:
    """As `misread` describes: `rows` (r,) the fitting rows of the slice's class, `inside` (r,)."""
    (found,) = chosen_phrases(corpus.bank, [(rows, inside)], over_rows(corpus.vectors), FIRST)
    return [corpus.shown[item] for item, _ in found]


def domino(corpus: Corpus, rows: Places, inside: Booleans) -> list[str]:
    """Domino's (Eyuboglu et al. 2022): the bank's phrases with the highest dot product with (the slice's mean vector
    less its class's). Bank: every phrase that the class's own reports say, so that none is out of place."""
    known = corpus.bank.known[rows]
    rows, inside = rows[known], inside[known]
    if not inside.any():
        return []
    way = corpus.vectors[rows[inside]].mean(axis=0) - corpus.vectors[rows].mean(axis=0)
    mask = np.zeros(len(corpus.texts), bool)
    mask[rows] = True
    able = np.flatnonzero(corpus.bank.counts(mask) >= FIRST)
    order = able[np.argsort(-(corpus.phrase_vectors[able] @ way), kind="stable")]
    return list(dict.fromkeys(corpus.shown[item] for item in order[: 4 * FIRST]))[:FIRST]


def tfidf(corpus: Corpus, rows: Places, inside: Booleans) -> list[str]:
    """The words with the highest mean TF-IDF weight in the slice's reports."""
    return _heaviest(corpus, rows, inside, contrast=False)


def tfidf_contrast(corpus: Corpus, rows: Places, inside: Booleans) -> list[str]:
    """The words whose mean TF-IDF weight is most above that of the class: the stronger way."""
    return _heaviest(corpus, rows, inside, contrast=True)


def _heaviest(corpus: Corpus, rows: Places, inside: Booleans, *, contrast: bool) -> list[str]:
    known = corpus.bank.known[rows]
    rows, inside = rows[known], inside[known]
    if not inside.any():
        return []
    words, weights = corpus.weighed
    mean = np.asarray(weights[rows[inside]].mean(axis=0)).ravel()
    if contrast:
        mean = mean - np.asarray(weights[rows].mean(axis=0)).ravel()
    return [str(words[i]) for i in np.argsort(-mean, kind="stable")[:FIRST]]


DESCRIBERS = {"ours": ours, "Domino": domino, "TF-IDF": tfidf, "TF-IDF less class": tfidf_contrast}
