"""What a report says is there, what it says is not there, and what it leaves open.

A scope rule after NegEx (Chapman et al. 2001): a cue speaks of the words after it (or before it) up to the end of the
sentence, a word that turns the sentence, or a further cue; some cues only look like one ("no change").
"""

import re
import unicodedata
from typing import Literal

Assertion = Literal["present", "absent", "uncertain"]
Words = tuple[str, ...]

PREFIXES: dict[Assertion, str] = {"present": "", "absent": "no ", "uncertain": "possible "}
"""How a phrase begins when it is written down."""

_SENTENCE = re.compile(r"(?<!\d)[.](?!\d)|(?<=\d)[.](?=\s|$)|(?<!\d)[.](?=\d)|[;:!()\[\]\n\r]+")
_WORD = re.compile(r"\?|[^\W_]+(?:['\u2019-][^\W_]+)*")
_BLANKED = re.compile(r"\bx{3,}\b")
LONGEST_WORD = 40

_ABSENT = """
no; not; without; denies; deny; absent; never; nor; neither; negative for; free of; clear of; absence of; lack of;
lacks; no evidence of; no sign of; no signs of; no suggestion of; no indication of; without evidence of; resolved;
interval removal of; removal of; removed; rather than; instead of; no longer; fails to show; rule out; ruled out for
"""
_ABSENT_AFTER = """
is absent; are absent; was absent; not seen; is not seen; are not seen; is no longer seen; are no longer seen;
not identified; is not identified; not visualised; not visualized; not demonstrated; not present; is not present;
has resolved; have resolved; ruled out; is ruled out; was ruled out; is excluded; has been removed; have been removed;
has been excluded; was removed; were removed; is unlikely; are unlikely; unlikely; no longer present; is negative
"""
_UNCERTAIN = """
possible; possibly; probable; probably; likely; may represent; might represent; could represent; may be; might be;
could be; may reflect; could reflect; suspicious for; concerning for; worrisome for; suggestive of; suggesting;
suggests; question of; questionable; suspected; suspect; cannot exclude; can not exclude; cannot rule out;
can not rule out; not exclude; does not exclude; to exclude; to rule out; evaluate for; question; differential includes;
versus; vs; equivocal; equivocal for; perhaps; presumed; presumably; unclear if; unclear whether
"""
_UNCERTAIN_AFTER = """
cannot be excluded; can not be excluded; cannot be ruled out; can not be ruled out; not excluded; is not excluded;
is possible; are possible; is suspected; are suspected; is questioned; is likely; is probable; should be considered; ?
"""
_NO_CUE = """
no change; no changes; no interval change; no significant change; no significant interval change; no definite change;
no increase; no decrease; not significantly changed; not changed; not increased; not only; no further; without change;
without significant change; without interval change; not certain; not necessarily; no new; more likely
"""
_TURN = "but; however; although; though; except; aside from; apart from; which; nevertheless; yet; whereas; while"
_VERBS = frozenset(
    ("is", "are", "was", "were", "has", "have", "had", "shows", "show", "demonstrates", "remains", "remain", "appears")
)
"""After a comma, a part of the sentence with one of these says something of its own."""


def _cues(text: str, kind: str) -> dict[Words, str]:
    return {tuple(cue.split()): kind for cue in (part.strip() for part in text.split(";")) if cue}


_CUES: dict[Words, str] = {
    **_cues(_TURN, "turn"),
    **_cues(_ABSENT, "absent"),
    **_cues(_UNCERTAIN, "uncertain"),
    **_cues(_ABSENT_AFTER, "absent after"),
    **_cues(_UNCERTAIN_AFTER, "uncertain after"),
    **_cues(_NO_CUE, "none"),
}
_LONGEST_CUE = max(map(len, _CUES))
_FIRST = frozenset(cue[0] for cue in _CUES)


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text, in lower case and one Unicode form; a point within a number ends none.

    What de-identification blanked out (`XXXX`) is left out, as between commas.
    """
    plain = _BLANKED.sub(" , ", unicodedata.normalize("NFKC", text).lower())
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
        if not _VERBS.isdisjoint(words):
            lasting = "present"
        lasting = _read(words, lasting, found)
    return found


def _read(words: Words, assertion: Assertion, found: list[tuple[Words, Assertion]]) -> Assertion:
    """Adds the runs of one part of a sentence to `found`; returns what is said of a part that may follow."""
    run: list[str] = []

    def close(said: Assertion) -> None:
        if run:
            found.append((tuple(run), said))
            run.clear()

    place = 0
    while place < len(words):
        cue, kind = _cue_at(words, place)
        if kind == "none":
            run.extend(cue)
        elif kind in ("absent after", "uncertain after") and run:
            close("absent" if kind == "absent after" else "uncertain")
            assertion = "present"
        elif kind:
            close(assertion)
            assertion = "absent" if kind.startswith("absent") else "uncertain" if kind != "turn" else "present"
        else:
            run.append(words[place])
        place += max(1, len(cue))
    close(assertion)
    return assertion


def _cue_at(words: Words, place: int) -> tuple[Words, str]:
    """The longest cue that begins at a word, and its kind; empty where none does."""
    if words[place] in _FIRST:
        for length in range(min(_LONGEST_CUE, len(words) - place), 0, -1):
            cue = words[place : place + length]
            if cue in _CUES:
                return cue, _CUES[cue]
    return (), ""


def written(phrase: str, assertion: Assertion) -> str:
    """A phrase as it is shown: `no chest drain`, `possible effusion`."""
    return PREFIXES[assertion] + phrase
