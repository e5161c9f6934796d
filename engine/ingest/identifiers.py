"""What a column's name tells: a direct identifier, a full date of a patient, or one of our ids in another spelling.

Names are taken apart into words, at separators, digits and changes of case and without accents, and are told by a whole
phrase of `identifier_words`: beside it may stand only words that leave its meaning. So `pat_name_1` and
`NameOfPatient` are names, and `device_name`, `Pathology` and `Nominal kVp` are not.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import chain, product
from typing import Final, Literal

from .identifier_words import (
    ALIASES,
    BARE_DATES,
    BESIDE_OURS,
    FILLERS,
    LANGUAGES,
    OF_DATES,
    PATIENT_IDS,
    PEOPLE,
    SAMPLE_IDS,
    STUDY_IDS,
    UIDS_OF_STANDARDS,
    Language,
)

OurId = Literal["patient_id", "study_id", "sample_id"]
Told = Literal["identifier", "date"] | OurId

_FILLERS: Final = frozenset(FILLERS.split())
_ALIAS: Final = {other: word for word, others in ALIASES.items() for other in others.split()}
_FOLDED: Final = str.maketrans({"ø": "o", "Ø": "O", "æ": "ae", "œ": "oe", "ł": "l", "Ł": "L", "°": "o"})
_DOTLESS: Final = "\u0131"
_NEW_WORD: Final = re.compile(r"(?<=[a-zß\u0131])(?=[A-Z])|(?<=[A-Z])(?=[A-Z](?!s(?![a-z]))[a-z])")
"""Between `StudyUID` and `IDOfPatient`, and not within `PatientIDs`."""
_PREFIXES: Final = ("patienten", "patients", "patient", "subject", "paciente", "paziente", "hasta", "pat", "pt")
_SUFFIXES: Final = ("nummer", "number", "num", "no", "nr", "id")


def told_by(column: str) -> Told | None:
    """What a column holds, as far as its name tells; None for everything else."""
    raw = _raw_words(column)
    return _told(_meant(raw)) or _told(_meant(["".join(raw)]))


def _told(words: frozenset[str]) -> Told | None:
    if words.isdisjoint(_TELLING):
        return None
    for ours, phrases in _OURS.items():
        if _is_one_of(words, phrases, _BESIDE_OURS):
            return ours
    if any(_is_one_of(words, phrases, beside) for phrases, beside in _IDENTIFIERS):
        return "identifier"
    if "uid" in words and not words & UIDS_OF_STANDARDS:
        return "identifier"
    return "date" if _is_one_of(words, _DATES, _OF_DATES) else None


def _is_one_of(words: frozenset[str], phrases: Iterable[frozenset[str]], beside: frozenset[str]) -> bool:
    return any(phrase <= words and words - phrase <= beside for phrase in phrases)


def _raw_words(name: str) -> list[str]:
    """In lower case and without accents; the dotless i stays."""
    letters = unicodedata.normalize("NFKD", name.translate(_FOLDED))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.findall(r"[^\W\d_]+", _NEW_WORD.sub(" ", plain).casefold())


def _meant(raw: Iterable[str]) -> frozenset[str]:
    return frozenset(part for word in raw for part in _parts(word)) - _FILLERS


@cache
def _parts(word: str) -> tuple[str, ...]:
    """The words that a word is made of: itself, unless it is a phrase or more written as one."""
    known = _known(word) or _known(word.replace(_DOTLESS, "i"))
    if known:
        return known
    for prefix in _PREFIXES:
        rest = _known(word.removeprefix(prefix)) if word.startswith(prefix) else ()
        if rest:
            return ("patient", *rest)
    for suffix in _SUFFIXES:
        start = _known(word.removesuffix(suffix)) if word.endswith(suffix) else ()
        if start:
            return (*start, _ALIAS.get(suffix, suffix))
    return (word.replace(_DOTLESS, "i"),)


def _known(word: str) -> tuple[str, ...]:
    if word in _VOCABULARY:
        return (_ALIAS.get(word, word),)
    return _JOINED.get(word, ())


def _written(listed: str) -> list[list[str]]:
    return [phrase.split() for phrase in listed.split(",") if phrase.strip()]


def _phrases(listed: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(_aliased(phrase)) - _FILLERS for phrase in _written(listed))


def _words(listed: str) -> frozenset[str]:
    return frozenset().union(*_phrases(listed))


def _aliased(phrase: Iterable[str]) -> tuple[str, ...]:
    return tuple(_ALIAS.get(word, word) for word in phrase)


def _dated(language: Language) -> str:
    """Every event of a language with every word for a date."""
    pairs = product(_written(language.events), _written(language.dates))
    return ",".join(" ".join((*event, *date)) for event, date in pairs)


_PEOPLE: Final = _words(PEOPLE)
_OF_DATES: Final = _PEOPLE | _words(OF_DATES)
_BESIDE_OURS: Final = _words(BESIDE_OURS)
_OURS: Final[dict[OurId, tuple[frozenset[str], ...]]] = {
    "study_id": _phrases(STUDY_IDS),
    "sample_id": _phrases(SAMPLE_IDS),
    "patient_id": _phrases(PATIENT_IDS),
}
_IDENTIFIERS: Final = tuple(
    (_phrases(language.identifiers), _PEOPLE | _words(language.people)) for language in LANGUAGES.values()
)
_DATES: Final = _phrases(",".join((BARE_DATES, *map(_dated, LANGUAGES.values()))))
_TELLING: Final = frozenset({"uid"}).union(*chain(*_OURS.values(), *(phrases for phrases, _ in _IDENTIFIERS), _DATES))
"""Every word of a phrase: a name without any tells nothing."""
_OF_LANGUAGES: Final = [text for one in LANGUAGES.values() for text in (one.identifiers, _dated(one))]
_ALL: Final = _written(",".join((STUDY_IDS, SAMPLE_IDS, PATIENT_IDS, BARE_DATES, *_OF_LANGUAGES)))
_VOCABULARY: Final = frozenset().union(_ALIAS, _FILLERS, _OF_DATES, *(beside for _, beside in _IDENTIFIERS), *_ALL)
_JOINED: Final = {
    "".join(order): _aliased(phrase) for phrase in _ALL if len(phrase) > 1 for order in (phrase, phrase[::-1])
}
"""Phrases written as one word, such as `dateofbirth` and `studydate`."""
