"""What a report says is there, what it says is not there, and what it leaves open.

A scope rule after NegEx (Chapman et al. 2001): a cue speaks of the words after it (or before it) up to the end of the
sentence, a word that turns the sentence, or a further cue; some cues only look like one ("no change").
"""

import re
import unicodedata
from typing import Literal

from .cues import AT_THE_END, BEGINS, CUES, GOES_ON, STANDS, Words

Assertion = Literal["present", "absent", "uncertain"]
PREFIXES: dict[Assertion, str] = {"present": "", "absent": "no ", "uncertain": "possible "}
"""How a phrase begins when it is written down."""

_SENTENCE = re.compile(
    r"(?<!\d)(?<!\bvs)[.](?!\d)|(?<=\d)[.](?=\s|$)|(?<!\d)[.](?=\d)|[;:!()\[\]\n\r]+|\s[-\u2013\u2014]\s|\u2014"
)
_WRAPPED = re.compile(r"^(.*,|.{40,}[^\W_])[ \t]*\r?\n(?=[ \t]*[a-z])", re.MULTILINE)
"""The end of a line within a sentence: it is long, or ends in a comma, and the next begins in lower case."""
_ANSWER = re.compile(r"(?::|\s[-\u2013\u2014])\s*(?:no|none|nil|absent|negative)\s*(?=[.;\n]|$)")
"""What a template has behind a name: `Pneumothorax: No.`"""
_WORD = re.compile(r"\?|[^\W_]+(?:['\u2019-][^\W_]+)*")
_BLANKED = re.compile(r"\bx{3,}\b")
LONGEST_WORD = 40

_LONGEST_CUE = max(map(len, CUES))
_FIRST = frozenset(cue[0] for cue in CUES)


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text, in lower case and one Unicode form; a point within a number ends none, nor
    does the end of a line that is only full.

    What de-identification blanked out (`XXXX`) is left out, as between commas.
    """
    whole = _WRAPPED.sub(r"\1 ", unicodedata.normalize("NFKC", text))
    plain = _ANSWER.sub(" none", _BLANKED.sub(" , ", whole.lower()))
    return [part for part in map(str.strip, _SENTENCE.split(plain)) if part]


def words_of(part: str) -> Words:
    """The words of a part of a sentence as `sentences` gives it, but for those longer than 40 letters."""
    return tuple(word for word in _WORD.findall(part) if len(word) <= LONGEST_WORD)


def spans_of(sentence: str) -> list[tuple[Words, Assertion]]:
    """The words of a sentence as `sentences` gives it in order, cues taken out, in runs of which the same is said.

    No run crosses punctuation.
    """
    found: list[tuple[Words, Assertion]] = []
    lasting: Assertion = "present"
    for part in sentence.split(","):
        words = words_of(part)
        if not words:
            continue
        if words[0] == "with" or not (STANDS.isdisjoint(words) or words[0] in GOES_ON):
            lasting = "present"
        lasting = _read(words, lasting, found)
    return found


def _read(words: Words, assertion: Assertion, found: list[tuple[Words, Assertion]]) -> Assertion:
    """Adds the runs of one part of a sentence to `found`; returns what is said of a part that may follow."""
    run: list[str] = []

    def close(said: Assertion, since: int = 0) -> None:
        for some, how in ((run[:since], assertion), (run[since:], said)):
            if some:
                found.append((tuple(some), how))
        run.clear()

    place = 0
    while place < len(words):
        cue, kind = _cue_at(words, place)
        if kind == "none":
            run.extend(cue)
        elif kind in ("absent after", "uncertain after") and run:
            close("absent" if kind == "absent after" else "uncertain", _since(run, is_clause=True))
            assertion = "present"
        elif kind == "between" and assertion == "present":
            close("uncertain", _since(run, is_clause=False))
            assertion = "uncertain"
        elif kind:
            close(assertion)
            assertion = _then(kind, assertion)
        else:
            run.append(words[place])
        place += max(1, len(cue))
    close(assertion)
    return assertion


def _since(run: list[str], *, is_clause: bool) -> int:
    """Where the last thing named in a run begins; with `is_clause` only behind what is a clause of its own."""
    begins = [place + 1 for place, word in enumerate(run) if word in BEGINS]
    return max((place for place in begins if not is_clause or not STANDS.isdisjoint(run[:place])), default=0)


def _cue_at(words: Words, place: int) -> tuple[Words, str]:
    """The longest cue that begins at a word, and its kind; empty where none does."""
    if words[place] in _FIRST:
        for length in range(min(_LONGEST_CUE, len(words) - place), 0, -1):
            cue = words[place : place + length]
            if cue in CUES:
                ends = place + length == len(words)
                return cue, AT_THE_END.get(cue, CUES[cue]) if ends else CUES[cue]
    return (), ""


def _then(kind: str, before: Assertion) -> Assertion:
    """What is said of the words after a cue."""
    if kind == "turn":
        return "present"
    if kind.startswith("absent") or (kind in ("suggested", "between") and before == "absent"):
        return "absent"
    return "uncertain"


def written(phrase: str, assertion: Assertion) -> str:
    """A phrase as it is shown: `no chest drain`, `possible effusion`."""
    return PREFIXES[assertion] + phrase
