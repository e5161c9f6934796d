"""The null check: slices of random rows, told as an audit tells its own; a phrase with q < .05 is a false one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.describe import Chooser, chosen_words, contrast, value_bank
from misread.discover import one_row_each, strata
from misread.execute.evidence import Row, phrase_evidence, with_q_values
from misread.execute.nearness import chosen_phrases, over_rows
from misread.schemas.values import SIGNIFICANCE

from .describers import Booleans, Corpus, Places

SLICES: Final = 5
ROWS: Final = 1600
SIZES: Final = (20, 300)
MOST: Final = 10


def random_audit(
    corpus: Corpus, patients: NDArray[np.intp], metadata: pl.DataFrame, seed: int, *, of_patients: bool
) -> list[dict[str, bool]]:
    """Of every slice of one made-up audit whether any phrase, and any contrast word, has q < .05.

    Slices are random rows, or all rows of random patients (`of_patients`), of both halves.
    """
    rng = np.random.default_rng([seed, int(of_patients)])
    rows = np.sort(rng.choice(len(corpus.texts), min(ROWS, len(corpus.texts)), replace=False))
    people, codes = np.unique(patients[rows], return_inverse=True)
    held_out = (rng.random(len(people)) < 0.5)[codes]
    phrases: list[Row] = []
    words: list[Row] = []
    for number in range(SLICES):
        inside = _random(rng, codes, of_patients)
        phrases += [{"slice": number, **row} for row in _phrases(corpus, metadata, rows, inside, held_out, codes)]
        words += [{"slice": number, **row} for row in _words(corpus, rows, inside, held_out, codes)]
    sure = {kind: _sure(found) for kind, found in (("phrase", phrases), ("word", words))}
    return [{kind: number in found for kind, found in sure.items()} for number in range(SLICES)]


def _sure(found: list[Row]) -> set[int]:
    return {
        row["slice"] for row in with_q_values(found) if row["q_value"] is not None and row["q_value"] < SIGNIFICANCE
    }


def _random(rng: np.random.Generator, codes: Places, of_patients: bool) -> Booleans:
    share = rng.uniform(*SIZES) / len(codes)
    drawn = rng.random(int(codes.max()) + 1 if of_patients else len(codes)) < share
    return np.asarray(drawn[codes] if of_patients else drawn)


def _phrases(
    corpus: Corpus, metadata: pl.DataFrame, rows: Places, inside: Booleans, held_out: Booleans, patients: Places
) -> Iterator[Row]:
    (found,) = chosen_phrases(corpus.bank, [(rows[~held_out], inside[~held_out])], over_rows(corpus.vectors), MOST)
    asked = held_out & corpus.bank.known[rows]
    for item, _ in found:
        yield phrase_evidence(corpus.bank.of(item)[rows][asked], inside[asked], patients[asked])
    values = value_bank(metadata, metadata.columns, np.ones(metadata.height, bool))
    chooser = Chooser(values, rows[~held_out], inside[~held_out])
    shown = [values.items[item].shown for item in chooser.shortlist]
    for item in chooser.choose(None, shown, np.zeros(len(shown)), MOST // 2).tolist():
        yield phrase_evidence(values.of(item)[rows][held_out], inside[held_out], patients[held_out])


def _words(corpus: Corpus, rows: Places, inside: Booleans, held_out: Booleans, patients: Places) -> Iterator[Row]:
    from scipy.stats import norm

    bank = corpus.words
    counts = []
    for half in (~held_out, held_out):
        mine = np.flatnonzero(half & bank.known[rows])
        stratum, each = strata(patients[mine]), one_row_each(inside[mine], patients[mine])
        many, mine, stratum = stratum.max(initial=-1) + 1, mine[each], stratum[each]
        sides = (inside[mine], ~inside[mine])
        counts.append([bank.counts_by(rows[mine[side]], stratum[side], many) for side in sides])
    background = bank.counts(np.ones(len(bank.known), bool))
    chosen = chosen_words(counts[0][0], counts[0][1], background)
    for z in contrast(counts[1][0], counts[1][1], background)[chosen].tolist():
        yield {"p_value": float(norm.sf(z))}
