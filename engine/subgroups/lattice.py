"""The best conjunctions of one to three values: every one that could matter is counted, exactly, on bits."""

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field

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
    lattice = _Lattice(_values(codes, errors, max(min_size, 1)), score, _Best(top, admit), max(min_size, 1), improving)
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


def _common(one: Bits, many: Bits) -> Integers:
    """How many bits `one` (w,) shares with each of `many` (m, w)."""
    return np.asarray(np.bitwise_count(many & one).sum(axis=1, dtype=np.int64))


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
        size = len(values.rows)
        self._errors = np.zeros((size, size), np.int32)
        self._rows = np.zeros((size, size), np.int32)

    def search(self, most_terms: int, check: Callable[[], None]) -> None:
        values = self.values
        scores = self.score.of(values.errors, values.rows)
        self._offer([(v,) for v in range(len(scores))], scores, values.rows, values.errors)
        if most_terms > 1:
            for value in np.argsort(-scores, kind="stable").tolist():
                check()
                self._pairs(value, scores)
        if most_terms > 2:
            self._triples(check)

    def _offer(self, terms: list[Terms], scores: NDArray[np.float64], rows: Integers, errors: Integers) -> None:
        for place in np.argsort(-scores, kind="stable").tolist():
            value = float(scores[place])
            if value < self.best.needed:
                break
            key = (-value, len(terms[place]), terms[place])
            self.best.offer(_Entry(key, int(rows[place]), int(errors[place])), self.values)

    def _promising(self, errors: Integers, rows: Integers) -> Booleans:
        return np.asarray(self.score.bound(errors, rows, self._least) >= self.best.needed)

    def _pairs(self, one: int, scores: NDArray[np.float64]) -> None:
        """Every pair of `one` with a value that is not paired with it yet; the promising ones are kept."""
        values = self.values
        others = np.flatnonzero((values.column != values.column[one]) & (self._rows[one] == 0))
        fewer = np.minimum(values.errors[others], values.errors[one])
        others = others[self._promising(fewer, np.minimum(values.rows[others], values.rows[one]))]
        errors = _common(values.error_bits[one], values.error_bits[others])
        hopeful = (errors > 0) & self._promising(errors, np.minimum(values.rows[others], values.rows[one]))
        others, errors = others[hopeful], errors[hopeful]
        rows = _common(values.row_bits[one], values.row_bits[others])
        enough = rows >= self._least
        others, errors, rows = others[enough], errors[enough], rows[enough]
        self._errors[one, others] = self._errors[others, one] = errors
        self._rows[one, others] = self._rows[others, one] = rows
        found = self.score.of(errors, rows)
        new = found > np.maximum(scores[others], scores[one]) if self._improving else np.ones(len(others), bool)
        terms: list[Terms] = [(min(one, other), max(one, other)) for other in others[new].tolist()]
        self._offer(terms, found[new], rows[new], errors[new])

    def _triples(self, check: Callable[[], None]) -> None:
        first, second = np.nonzero(np.triu(self._rows))
        bounds = self.score.bound(self._errors[first, second], self._rows[first, second], self._least)
        for place in np.argsort(-bounds, kind="stable").tolist():
            check()
            if bounds[place] < self.best.needed:
                break
            self._extended(int(first[place]), int(second[place]))

    def _extended(self, a: int, b: int) -> None:
        """Every triple of the pair and a value behind both, all of whose pairs are promising."""
        values, table_k, table_n = self.values, self._errors, self._rows
        behind = np.arange(b + 1, len(values.rows))
        thirds = behind[(table_n[a, behind] > 0) & (table_n[b, behind] > 0)]
        fewer = np.minimum(np.minimum(table_k[a, thirds], table_k[b, thirds]), table_k[a, b])
        smaller = np.minimum(np.minimum(table_n[a, thirds], table_n[b, thirds]), table_n[a, b])
        hopeful = self._promising(fewer, smaller)
        thirds, smaller = thirds[hopeful], smaller[hopeful]
        errors = _common(values.error_bits[a] & values.error_bits[b], values.error_bits[thirds])
        hopeful = (errors > 0) & self._promising(errors, smaller)
        thirds, errors = thirds[hopeful], errors[hopeful]
        if not len(thirds):
            return
        rows = _common(values.row_bits[a] & values.row_bits[b], values.row_bits[thirds])
        enough = rows >= self._least
        thirds, errors, rows = thirds[enough], errors[enough], rows[enough]
        found = self.score.of(errors, rows)
        new = found > self._contained(a, b, thirds) if self._improving else np.ones(len(thirds), bool)
        self._offer([(a, b, third) for third in thirds[new].tolist()], found[new], rows[new], errors[new])

    def _contained(self, a: int, b: int, thirds: Integers) -> NDArray[np.float64]:
        """The best score of the shorter conjunctions in each triple."""
        values = self.values
        parts = [
            self.score.of(self._errors[a, b], self._rows[a, b]),
            self.score.of(self._errors[a, thirds], self._rows[a, thirds]),
            self.score.of(self._errors[b, thirds], self._rows[b, thirds]),
            self.score.of(values.errors[[a, b]], values.rows[[a, b]]).max(),
            self.score.of(values.errors[thirds], values.rows[thirds]),
        ]
        return np.asarray(np.maximum.reduce(np.broadcast_arrays(*parts)))
