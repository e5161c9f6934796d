"""Contrast words: words and pairs of words that reports use more inside a slice than outside.

Weighted log odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008, Political Analysis 16, 372).
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .assertion import sentences, words_of
from .bank import Reports
from .chunks import FILLERS
from .incidence import FEWEST_ROWS, Booleans, Floats, Incidence, incidence

Counts = NDArray[np.int64]

PRIOR: Final = 500.0
"""How many words the prior counts as."""
LEAST_Z: Final = 1.645
MOST_WORDS: Final = 20


def word_bank(rows: int, reports: Reports, counted: Booleans) -> Incidence[str]:
    """Which reports use which words and pairs of neighbouring words, of those that at least 3 rows `counted` use.

    Pairs cross no punctuation; what begins or ends with a filler ("the", "is"), and bare numbers, are no words.
    """
    read = lru_cache(maxsize=20_000)(_words)

    def documents() -> Iterator[tuple[int, dict[str, bool]]]:
        for row, text in reports():
            yield row, dict.fromkeys((word for sentence in sentences(text) for word in read(sentence)), True)

    return incidence(rows, documents, counted)


def _words(sentence: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for part in sentence.split(","):
        words = words_of(part)
        counts = [word not in FILLERS and not word.isdigit() and word != "?" for word in words]
        for place, word in enumerate(words):
            if counts[place]:
                found[word] = None
                if place + 1 < len(words) and counts[place + 1]:
                    found[f"{word} {words[place + 1]}"] = None
    return tuple(found)


def contrast(inside: Counts, outside: Counts, background: Counts) -> Floats:
    """(m,) z-scores of how much more a word is used inside; above 0 where it is.

    `inside`, `outside` (s, m): how many reports use each word, in each stratum of reports to be compared; `background`
    (m,): the same in all reports, whose shares are the prior's, as many words in all as `PRIOR`, divided among strata
    by the words used there. Log odds among all words used, of the strata by their precision, over their standard
    errors; 0 where there is nothing to be contrasted: no stratum with reports on both sides, or one word alone.
    """
    words, used = len(background), (inside + outside).sum(axis=1)
    total, precise, weighed = float(background.sum()), np.zeros(words), np.zeros(words)
    prior = PRIOR * np.maximum(background, 0.5) / max(total, 0.5)
    for mine, others, here in zip(inside, outside, used, strict=True):
        if not total or not mine.sum() or not others.sum() or words < 2:
            continue
        change, variance = _log_odds_ratio(mine, others, prior * here / used.sum())
        precise += 1 / variance
        weighed += change / variance
    return np.asarray(weighed / np.sqrt(np.where(precise > 0, precise, 1.0)))


def _log_odds_ratio(inside: Counts, outside: Counts, prior: Floats) -> tuple[Floats, Floats]:
    """(m,) each, with its variance."""
    strength = float(prior.sum())
    y, x = inside + prior, outside + prior
    n, m = float(inside.sum()) + strength, float(outside.sum()) + strength
    return np.log(y / (n - y)) - np.log(x / (m - x)), 1 / y + 1 / x


def chosen_words(inside: Counts, outside: Counts, background: Counts) -> NDArray[np.intp]:
    """The places of at most 20 words with the highest z, of 1.645 or more, that at least 3 reports inside use.

    As in `contrast`.
    """
    z = contrast(inside, outside, background)
    able = np.flatnonzero((inside.sum(axis=0) >= FEWEST_ROWS) & (z >= LEAST_Z))
    return able[np.argsort(-z[able], kind="stable")][:MOST_WORDS]
