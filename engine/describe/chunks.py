"""The phrases of a report: noun phrases, short clauses, and terms by any of their names."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from .assertion import Assertion, sentences, spans_of
from .cues import Words

Key = tuple[str, Assertion]
"""A phrase, and what is said of it."""

LONGEST_PHRASE = 4
LONGEST_CLAUSE = 8
BETWEEN = 2
_WORDS = """
a an and are as at be been being by can for from had has have in into is it its near of on onto or over per than
that the their there these this those to under upon was were which with within will would
again also any appear appears currently demonstrate demonstrated demonstrates evidence evident film identified
image images noted now present redemonstrated remain remains seen show shown shows study visible visualised
visualized
"""
FILLERS = frozenset(_WORDS.split())
"""Words that no phrase begins or ends with."""
_JOINTS = frozenset({"and", "or", "nor", "plus"})


class Chunker:
    """Reads phrases; sentences read before are remembered, as reports are mostly made of the same ones.

    `listed`: by name, the other ways to write it (its own spelling counts by itself); a listed name is found
    wherever one of them stands, up to two other words between its own: "elevated hemidiaphragm" in "elevated right
    hemidiaphragm".
    """

    def __init__(self, listed: Mapping[str, Sequence[str]] | None = None) -> None:
        names: dict[Words, list[str]] = {}
        for name, spellings in (listed or {}).items():
            for spelling in dict.fromkeys((name, *spellings)):
                words = tuple(word for part in sentences(spelling) for run, _ in spans_of(part) for word in run)
                if words and name not in names.setdefault(words, []):
                    names[words].append(name)
        self._names: dict[str, list[tuple[Words, list[str]]]] = {}
        for words, named in names.items():
            self._names.setdefault(words[0], []).append((words, named))
        self._of_sentence = lru_cache(maxsize=20_000)(self._read)

    def phrases(self, text: str) -> dict[Key, bool]:
        """Every run of one to four words that neither begins nor ends with a filler, and every clause of at most
        eight, with what is said of it; and whether it is ever a whole noun phrase: not cut off in the middle."""
        found: dict[Key, bool] = {}
        for sentence in sentences(text):
            for key, whole in self._of_sentence(sentence)[0]:
                found[key] = found.get(key, False) or whole
        return found

    def names(self, text: str) -> set[Key]:
        """The listed names that the text speaks of, with what it says of them."""
        return {key for sentence in sentences(text) for key in self._of_sentence(sentence)[1]}

    def _read(self, sentence: str) -> tuple[tuple[tuple[Key, bool], ...], tuple[Key, ...]]:
        phrases: dict[Key, bool] = {}
        names: dict[Key, None] = {}
        for words, assertion in spans_of(sentence):
            for start, stop in _parts(words):
                part = words[start:stop]
                for phrase, whole in _runs(part):
                    key = phrase, assertion
                    phrases[key] = phrases.get(key, False) or whole
                for place, word in enumerate(part):
                    for spelling, named in self._names.get(word, ()):
                        if _stands(spelling, part[place:]):
                            names |= dict.fromkeys((name, assertion) for name in named)
        return tuple(phrases.items()), tuple(names)


def _stands(spelling: Words, words: Words) -> bool:
    """Whether the words begin with those of a spelling, in order, with at most `BETWEEN` others among them."""
    met, between = 1, 0
    for word in words[1:]:
        if met == len(spelling):
            return True
        if word == spelling[met]:
            met += 1
        else:
            between += 1
        if between > BETWEEN:
            return False
    return met == len(spelling)


def unfindable(text: str) -> str:
    """Why a phrase can never be found in a report, or nothing."""
    runs = [run for sentence in sentences(text) for run in spans_of(sentence)]
    if not runs:
        return "holds no word"
    if any(said != "present" for _, said in runs) or len(runs) > 1:
        return "name the thing alone: what reports deny or leave open is kept apart by itself, and no comma is crossed"
    joints = sorted(_JOINTS.intersection(runs[0][0]))
    return f"holds {joints[0]!r}: list its parts one by one" if joints else ""


def _parts(words: Words) -> list[tuple[int, int]]:
    """The pieces between joining words: of each the same is said, but they are phrases of their own."""
    cuts = [-1, *(place for place, word in enumerate(words) if word in _JOINTS), len(words)]
    return [(a + 1, b) for a, b in pairwise(cuts) if b > a + 1]


def _runs(words: Words) -> list[tuple[str, bool]]:
    found = []
    for start, first in enumerate(words):
        if first in FILLERS or first.isdigit() or first == "?":
            continue
        begins = start == 0 or words[start - 1] in FILLERS
        longest = LONGEST_CLAUSE if start == 0 else LONGEST_PHRASE
        for stop in range(start + 1, min(start + longest, len(words)) + 1):
            last = words[stop - 1]
            if last in FILLERS or last == "?" or (stop - start > LONGEST_PHRASE and stop < len(words)):
                continue
            ends = stop == len(words) or words[stop] in FILLERS
            found.append((" ".join(words[start:stop]), begins and ends))
    return found
