"""The phrase bank: what reports say, in their own phrases and in listed terms, and which report says what."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from .assertion import Assertion, written
from .chunks import Chunker
from .incidence import Booleans, Incidence, incidence
from .terms import TERMS

Reports = Callable[[], Iterable[tuple[int, str]]]
"""(row, report) of the rows that have one, the same at every call."""

UNMENTIONED: Final = "unmentioned"
REPORT, METADATA, TERM, LISTED = "report", "metadata", "term", "list"


class Saying(NamedTuple):
    """A phrase, and what is said of it: `present`, `absent`, `uncertain`, or, of listed ones, `unmentioned`."""

    phrase: str
    assertion: Assertion | str
    source: str

    @property
    def shown(self) -> str:
        """As people read it: `no chest drain`, `no mention of chest drain`."""
        if self.assertion == UNMENTIONED:
            return f"no mention of {self.phrase}"
        return written(self.phrase, self.assertion)  # type: ignore[arg-type]


Bank = Incidence[Saying]


class PhraseReader:
    """Reads what reports say. `listed`: the user's phrases, each with its other spellings, beside the built-in terms;
    a name in both is theirs."""

    def __init__(self, listed: Mapping[str, Sequence[str]] | None = None) -> None:
        mine = dict(listed or {})
        self._source = {name: LISTED if name in mine else TERM for name in {**TERMS, **mine}}
        self._unmentioned = {name: Saying(name, UNMENTIONED, source) for name, source in self._source.items()}
        self._chunker = Chunker({**TERMS, **mine})

    def read(self, report: str) -> dict[Saying, bool]:
        """What a report says, True where it stands whole; and of every listed name that it does not mention, that."""
        phrases = self._chunker.phrases(report).items()
        said = {Saying(phrase, how, REPORT): whole for (phrase, how), whole in phrases}
        found = self._chunker.names(report)
        said |= {Saying(name, how, self._source[name]): True for name, how in found}
        mentioned = {name for name, _ in found}
        return said | {saying: True for name, saying in self._unmentioned.items() if name not in mentioned}


def phrase_bank(
    rows: int, reports: Reports, counted: Booleans, listed: Mapping[str, Sequence[str]] | None = None
) -> Bank:
    """What the reports of `rows` rows say, of all that at least 3 of those `counted` (n,) say."""
    reader = PhraseReader(listed)

    def documents() -> Iterator[tuple[int, dict[Saying, bool]]]:
        for row, text in reports():
            yield row, reader.read(text)

    return incidence(rows, documents, counted)


def listed_names(listed: Mapping[str, Sequence[str]] | None = None) -> list[Saying]:
    """The built-in terms and the user's phrases as they are looked for in images, where there is no report."""
    mine = dict(listed or {})
    terms = [Saying(name, "present", TERM) for name in TERMS if name not in mine]
    return [Saying(name, "present", LISTED) for name in mine] + terms
