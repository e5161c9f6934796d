"""The best conjunctions of one to three values: every one that could matter is counted, exactly, on bits."""

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .scores import Score

Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]
Bits = NDArray[np.uint64]
Terms = tuple[int, ...]

MOST_TERMS = 3
"""Triples are the longest conjunctions that are searched."""
SLACK = 1e-9
"""Relative room for rounding between a bound and the score it bounds."""
WORDS_AT_ONCE = 2**17
"""Words of bits that are counted in one go: what a processor's cache holds."""
PAIRS_AT_ONCE = 2**22
"""Pairs of values that are looked at in one go, so that memory grows no further with them."""


Conditions = tuple[tuple[int, int], ...]
"""(column, code) of every term."""


@dataclass(frozen=True)
class Conjunction:
    """Rows in which every term holds."""

    terms: Conditions
    rows: int
    errors: int
    score: float


def rows_with(terms: Conditions, codes: NDArray[np.integer]) -> Booleans:
    """(n,): in which rows of `codes` (n, d) every term holds."""
    columns, values = np.array(terms, np.intp).reshape(-1, 2).T
    return np.asarray((codes[:, columns] == values).all(axis=1))


def everything(_terms: Conditions) -> bool:
    """Admits any subgroup."""
    return True


def unchecked() -> None:
    """Nobody asks to stop."""


def best_conjunctions(  # noqa: PLR0913 - what to search, how to score it, and what to list
    codes: NDArray[np.integer],
    errors: Booleans,
    score: Score,
    *,
    min_size: int,
    top: int = 10,
    most_terms: int = MOST_TERMS,
    improving: bool = True,
    admit: Callable[[Conditions], bool] = everything,
    check: Callable[[], None] = unchecked,
) -> list[Conjunction]:
    """The `top` conjunctions with the highest score above 0, best first.

    `codes` (n, d): each row's value of every column, from 0 (a missing value is a value of its own); `errors` (n,)
    bool. Conjunctions hold `min_size` rows or more, at least one error, and one to `most_terms` (at most 3) values of
    different columns. `improving`: only those that score more than every shorter one they contain. `admit` is asked of
    each that would be listed, by its terms. `check` is called now and then and may raise. Ties: fewer
    terms, then the earlier columns and lower codes. Exact: what is not counted cannot be among them.
    """
    if not len(codes) or not codes.shape[1] or not errors.any():
        return []
    least = max(min_size, 1)
    lattice = _Lattice(_values(codes, errors, least), score, _Best(top, admit), least, improving)
    lattice.search(min(most_terms, MOST_TERMS), check)
    return [
        Conjunction(lattice.values.conditions(entry.terms), entry.rows, entry.errors, entry.score)
        for entry in lattice.best.entries
    ]


@dataclass(frozen=True, eq=False)
class _Values:
    """Every value with enough rows, by column and code: which rows have it, and which of the wrong ones, as bits."""

    column: Integers
    code: Integers
    rows: Integers
    errors: Integers
    row_bits: Bits
    error_bits: Bits

    def conditions(self, terms: Terms) -> Conditions:
        return tuple((int(self.column[value]), int(self.code[value])) for value in terms)


def _values(codes: NDArray[np.integer], errors: Booleans, least: int) -> _Values:
    wrong = codes[errors]
    kept: list[tuple[int, int, int, int]] = []
    row_bits, error_bits = [], []
    for column in range(codes.shape[1]):
        rows = np.bincount(codes[:, column])
        wrongs = np.bincount(wrong[:, column], minlength=len(rows))
        for code in np.flatnonzero((rows >= least) & (wrongs > 0)).tolist():
            kept.append((column, code, int(rows[code]), int(wrongs[code])))
            row_bits.append(_packed(codes[:, column] == code))
            error_bits.append(_packed(wrong[:, column] == code))
    own_column, own_code, own_rows, own_errors = np.array(kept, np.int64).reshape(-1, 4).T
    return _Values(own_column, own_code, own_rows, own_errors, _stacked(row_bits), _stacked(error_bits))


def _stacked(bits: list[Bits]) -> Bits:
    return np.array(bits, np.uint64).reshape(len(bits), len(bits[0]) if bits else 0)


def _packed(holds: Booleans) -> Bits:
    words = np.zeros(-(-len(holds) // 64) * 8, np.uint8)
    packed = np.packbits(holds)
    words[: len(packed)] = packed
    return words.view(np.uint64)


def _common(bits: Bits, terms: Integers, check: Callable[[], None]) -> Integers:
    """(m,): how many bits all those of `bits` (V, w) have in common that `terms` (t, m) name."""
    counts = np.empty(terms.shape[1], np.int64)
    step = max(WORDS_AT_ONCE // max(bits.shape[1], 1), 1)
    for start in range(0, len(counts), step):
        check()
        first, *others = terms[:, start : start + step]
        shared = bits[first]
        for other in others:
            shared &= bits[other]
        counts[start : start + step] = np.bitwise_count(shared).sum(axis=1, dtype=np.int64)
    return counts


@dataclass(frozen=True, order=True)
class _Entry:
    key: tuple[float, int, Terms]
    rows: int = field(compare=False)
    errors: int = field(compare=False)

    @property
    def score(self) -> float:
        return -self.key[0]

    @property
    def terms(self) -> Terms:
        return self.key[2]


class _Best:
    """The best entries so far."""

    def __init__(self, most: int, admit: Callable[[Conditions], bool]) -> None:
        self.entries: list[_Entry] = []
        self._most = most
        self._admit = admit

    @property
    def needed(self) -> float:
        """What an entry must score to be listed; always above 0."""
        full = len(self.entries) >= self._most
        least = self.entries[-1].score if full and self.entries else 0.0
        return max(least - SLACK * max(1.0, abs(least)), np.nextafter(0.0, 1.0)) if self._most else np.inf

    def offer(self, entry: _Entry, values: _Values) -> None:
        if len(self.entries) >= self._most and not entry < self.entries[-1]:
            return
        if self._admit(values.conditions(entry.terms)):
            insort(self.entries, entry)
            del self.entries[self._most :]


class _Lattice:
    """Values, then pairs, then triples of them. A part of a subgroup never scores above the subgroup's bound."""

    def __init__(self, values: _Values, score: Score, best: _Best, least: int, improving: bool) -> None:
        self.values, self.score, self.best = values, score, best
        self._least, self._improving = least, improving
        errors = np.arange(values.errors.max(initial=0) + 1)
        # the best that so many errors can score: in as few rows as may be
        self._bounds = np.maximum.accumulate(score.of(errors, np.maximum(errors, least)))
        # of each pair that is kept, first value by second, and of each value by itself along the diagonal
        self._errors = np.diag(values.errors.astype(np.int32))
        self._rows = np.diag(values.rows.astype(np.int32))

    def search(self, most_terms: int, check: Callable[[], None]) -> None:
        values = self.values
        every = np.arange(len(values.rows))
        self._offer(every[None], values.errors, values.rows)
        if most_terms > 1:
            for some in np.array_split(every, 1 + len(every) ** 2 // PAIRS_AT_ONCE):
                self._pairs(some, check)
        if most_terms > 2:
            for value in every.tolist():
                self._triples(value, check)

    @property
    def _fewest(self) -> int:
        """A conjunction with fewer errors is not listed, nor is any part of it: these have no more."""
        return int(np.searchsorted(self._bounds, self.best.needed))

    def _pairs(self, some: Integers, check: Callable[[], None]) -> None:
        """Every pair of one of `some` values and one of a later column; those with enough errors and rows are kept."""
        values, enough = self.values, self.values.errors >= self._fewest
        first, second = np.nonzero((values.column[some, None] < values.column) & enough[some, None] & enough)
        terms, errors, rows = self._counted(np.stack([some[first], second]), check)
        self._errors[tuple(terms)], self._rows[tuple(terms)] = errors, rows
        self._offer(terms, errors, rows)

    def _triples(self, one: int, check: Callable[[], None]) -> None:
        """Every triple of `one` and two values behind it, all of whose pairs are kept."""
        fewest = self._fewest
        others = one + 1 + np.flatnonzero(self._errors[one, one + 1 :] >= fewest)
        first, second = np.nonzero(np.triu(self._errors[np.ix_(others, others)], 1) >= fewest)
        terms = np.stack([np.full(len(first), one), others[first], others[second]])
        self._offer(*self._counted(terms, check))

    def _counted(self, terms: Integers, check: Callable[[], None]) -> tuple[Integers, Integers, Integers]:
        """Those of `terms` (t, m) with enough errors and rows, and how many of both."""
        errors = _common(self.values.error_bits, terms, check)
        hopeful = errors >= self._fewest
        terms, errors = terms[:, hopeful], errors[hopeful]
        rows = _common(self.values.row_bits, terms, check)
        enough = rows >= self._least
        return terms[:, enough], errors[enough], rows[enough]

    def _offer(self, terms: Integers, errors: Integers, rows: Integers) -> None:
        """Lists the best of `terms` (t, m)."""
        scores = self.score.of(errors, rows)
        good = np.flatnonzero(scores >= self.best.needed)
        if self._improving and len(good):
            good = good[scores[good] > self._of_parts(terms[:, good])]
        for place in good[np.argsort(-scores[good], kind="stable")].tolist():
            if scores[place] < self.best.needed:
                break
            key = (-float(scores[place]), len(terms), tuple(terms[:, place].tolist()))
            self.best.offer(_Entry(key, int(rows[place]), int(errors[place])), self.values)

    def _of_parts(self, terms: Integers) -> NDArray[np.float64]:
        """The best score of the shorter conjunctions in each of `terms` (t, m), at least 0."""
        best = np.zeros(terms.shape[1])
        for size in range(1, len(terms)):
            for part in combinations(terms, size):
                pair = part[0], part[-1]  # of one value: itself
                best = np.maximum(best, self.score.of(self._errors[pair], self._rows[pair]))
        return best
