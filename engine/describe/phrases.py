"""The phrases most over-represented in a slice, found on discovery rows and counted on held-out rows."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]

FEWEST_ROWS = 3
SAME_ROWS = 0.8
"""Of two phrases that share this much of their rows (Jaccard), the better one is kept."""
LONGEST_PHRASE = 4
WHOLE_SHARE = 0.2
"""Several words are a phrase if they stand whole in this share of their rows: "no chest drain", not "no chest"."""
BANDS = 4


@dataclass(frozen=True)
class Phrase:
    """One phrase of one slice. Rates are shares of held-out rows of the slice's class that have it.

    `lift`: rate_inside / rate_outside, None where nothing outside has it; `z_score`: of the log odds ratio, both from
    held-out rows; `rows_inside`: held-out rows inside that have it.
    """

    phrase: str
    source: str
    rows_inside: int
    rate_inside: float | None
    rate_outside: float | None
    lift: float | None
    z_score: float | None


def report_phrases(texts: Sequence[str | None], inside: Booleans, held_out: Booleans, most: int) -> list[Phrase]:
    """Phrases of one to four words that never cross a clause; best first.

    `texts` (n,) the reports of a class's rows (None: no report), `inside`, `held_out` (n,) bool. Ranked by the
    z-score of the log odds ratio on the rows not held out (0.5 added to each cell, Gart and Zweifel 1967); ties: the
    longer phrase, then by alphabet.
    Only phrases that at least 3 discovery rows inside have, and that are not mostly cut off in mid-clause.
    """
    known = np.array([text is not None for text in texts], bool)
    documents = [phrases_of(text) if text is not None else {} for text in texts]
    return _ranked(documents, known, inside, held_out, most, "report")


def metadata_phrases(rows: pl.DataFrame, inside: Booleans, held_out: Booleans, most: int) -> list[Phrase]:
    """The same for metadata values (`view = PA`; numbers in quarters, `age 57 to 71`; `age missing`)."""
    documents: list[dict[str, bool]] = [{} for _ in inside]
    for column in sorted(rows.columns):
        for document, value in zip(documents, _values(rows[column], ~held_out), strict=True):
            document[value] = True
    return _ranked(documents, np.ones(len(inside), bool), inside, held_out, most, "metadata")


_CLAUSE = re.compile(r"[.;:,!?()\n\r]+")
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_FILLERS = """
a an and are as at be been by for from has have in is it its of on or than that the there these this to was were
which with
"""
_EDGE = frozenset(_FILLERS.split())
_NEGATIONS = frozenset({"no", "not", "without"})
"""Words that say something only of the words after them."""


def phrases_of(text: str) -> dict[str, bool]:
    """Every run of one to four words within a clause that neither begins nor ends with a filler word,
    nor ends with a negation; and whether it is ever a whole one: followed by the clause's end or a filler word."""
    found: dict[str, bool] = {}
    for clause in _CLAUSE.split(text.lower()):
        words = _WORD.findall(clause)
        for start in range(len(words)):
            if words[start] in _EDGE:
                continue
            for end in range(start + 1, min(start + LONGEST_PHRASE, len(words)) + 1):
                if words[end - 1] not in _EDGE and words[end - 1] not in _NEGATIONS:
                    phrase = " ".join(words[start:end])
                    whole = end == len(words) or words[end] in _EDGE
                    found[phrase] = found.get(phrase, False) or whole
    return found


def _values(column: pl.Series, fitted_on: Booleans) -> Iterable[str]:
    name = column.name
    if column.dtype.is_numeric() and column.n_unique() > 2 * BANDS:
        numbers = column.cast(pl.Float64).fill_nan(None)
        seen = numbers.filter(pl.Series(fitted_on)).drop_nulls()
        if seen.len():
            edges = np.unique(np.quantile(seen.to_numpy(), np.linspace(0, 1, BANDS + 1)))
            return [f"{name} missing" if v is None else f"{name} {_band(v, edges)}" for v in numbers.to_list()]
    return [f"{name} missing" if v is None else f"{name} = {v}" for v in column.cast(pl.String).to_list()]


def _band(value: float, edges: Floats) -> str:
    if len(edges) == 1:
        return f"= {edges[0]:g}" if value == edges[0] else "other"
    band = int(np.clip(np.searchsorted(edges, value, side="right") - 1, 0, len(edges) - 2))
    if band == 0:
        return f"below {edges[1]:g}"
    return f"{edges[band]:g} or more" if band == len(edges) - 2 else f"{edges[band]:g} to {edges[band + 1]:g}"


def _ranked(
    documents: Sequence[dict[str, bool]],
    known: Booleans,
    inside: Booleans,
    held_out: Booleans,
    most: int,
    source: str,
) -> list[Phrase]:
    found, judged = known & ~held_out, known & held_out
    rows_with: dict[str, list[int]] = {}
    whole: Counter[str] = Counter()
    for row in np.flatnonzero(found | judged).tolist():
        for phrase, is_whole in documents[row].items():
            rows_with.setdefault(phrase, []).append(row)
            whole[phrase] += is_whole
    n_in, n_out = int((found & inside).sum()), int((found & ~inside).sum())
    candidates = []
    for phrase, rows in rows_with.items():
        if " " in phrase and whole[phrase] < WHOLE_SHARE * len(rows):
            continue
        of_discovery = np.array([row for row in rows if found[row]], int)
        a = int(inside[of_discovery].sum()) if len(of_discovery) else 0
        b = len(of_discovery) - a
        if a >= FEWEST_ROWS and a * n_out > b * n_in:
            z = log_odds_z(a, n_in, b, n_out)
            candidates.append((-z, -len(phrase.split()), phrase))
    kept: list[tuple[str, set[int]]] = []
    for _, _, phrase in sorted(candidates):
        rows_inside = {row for row in rows_with[phrase] if inside[row] and found[row]}
        if all(_jaccard(rows_inside, other) < SAME_ROWS for _, other in kept):
            kept.append((phrase, rows_inside))
        if len(kept) == most:
            break
    return [_counted(phrase, rows_with[phrase], inside, judged, source) for phrase, _ in kept]


def _counted(phrase: str, rows: Sequence[int], inside: Booleans, judged: Booleans, source: str) -> Phrase:
    has = np.zeros(len(inside), bool)
    has[list(rows)] = True
    n_in, n_out = int((judged & inside).sum()), int((judged & ~inside).sum())
    a, b = int((has & judged & inside).sum()), int((has & judged & ~inside).sum())
    rate_in, rate_out = (a / n_in if n_in else None), (b / n_out if n_out else None)
    lift = rate_in / rate_out if rate_in is not None and rate_out else None
    return Phrase(phrase, source, a, rate_in, rate_out, lift, log_odds_z(a, n_in, b, n_out) if n_in and n_out else None)


def log_odds_z(a: int, n: int, b: int, m: int) -> float:
    """z of the log odds ratio of a among n against b among m, 0.5 added to each cell (Gart and Zweifel 1967)."""
    cells = np.array([a, n - a, b, m - b], float) + 0.5
    odds = np.log(cells[0] / cells[1]) - np.log(cells[2] / cells[3])
    return float(odds / np.sqrt((1 / cells).sum()))


def _jaccard(one: set[int], other: set[int]) -> float:
    return len(one & other) / max(1, len(one | other))


__all__ = ["Phrase", "log_odds_z", "metadata_phrases", "phrases_of", "report_phrases"]
