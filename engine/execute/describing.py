"""The describe step: what every slice is, in words and numbers that held-out rows give."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import starmap
from typing import Any, Final

import numpy as np

from misread.describe import (
    METADATA,
    Bank,
    Booleans,
    Chooser,
    Floats,
    Places,
    Saying,
    chosen_words,
    contrast,
    examples,
    listed_names,
    metadata_rule,
    sentence,
)
from misread.discover import Codes, one_row_each, strata
from misread.encode.phrases import phrase_vectors
from misread.plan import Describe, Fuse, Scan
from misread.principal import unit
from misread.schemas.values import SCORE_DECIMALS, SIGNIFICANCE
from misread.spill import chosen as rows_chosen
from misread.sql.limits import SMALLEST_CELL
from misread.store import TableStore

from .evidence import OF_PATIENTS, nearness_evidence, phrase_evidence, with_q_values
from .judged_rows import JudgedRows
from .nearness import Reading, Searched, chosen_phrases, over_batches, over_rows, slice_sums, stored_batches
from .sayings import Sayings
from .steps import Described, Discovered, FoundSlice

Row = dict[str, Any]

MOST_VALUES: Final = 5
"""Values of metadata that tell a slice, beside its phrases."""


def describe(node: Describe, store: TableStore, below: Discovered) -> Described:
    """Tells every slice of an audit in words; q-values are over all slices of all targets."""
    if not below.slices:
        return Described(below)
    telling = _Telling(node, store, below)
    phrases = with_q_values([row for slice_ in telling.slices for row in telling.phrases(slice_)])
    words = with_q_values([row for slice_ in telling.slices for row in telling.words(slice_)])
    rules = with_q_values([telling.rule(slice_) for slice_ in telling.slices])
    told = tuple(
        replace(found, row={**found.row, **_sure(rule), "sentence": _sentence(found, phrases)})
        for found, rule in zip(below.slices, rules, strict=True)
    )
    shown = tuple(row for slice_ in telling.slices for row in telling.examples(slice_))
    return Described(replace(below, slices=told), tuple(phrases), tuple(words), shown, (telling.how,))


def _sure(rule: Row) -> Row:
    """The columns of a rule that held-out rows bear out; empty for any other."""
    held = rule["q_value"] is not None and rule["q_value"] <= SIGNIFICANCE
    names = ("rule", "rule_precision", "rule_recall", "rule_fewest_patients")
    return {name: rule[name] for name in names} if held else {}


def _sentence(found: FoundSlice, phrases: Sequence[Row]) -> str:
    own = [row for row in phrases if row["slice_id"] == found.row["slice_id"]]
    return sentence(found.row, own, SMALLEST_CELL)


@dataclass(frozen=True, eq=False)
class _Slice:
    """A slice among the rows of its class: who is `inside` (n,)."""

    found: FoundSlice
    among: JudgedRows
    inside: Booleans

    @property
    def places(self) -> Places:
        return self.among.places

    @property
    def held_out(self) -> Booleans:
        return self.among.held_out

    @property
    def patients(self) -> Codes:
        return self.among.patients

    @property
    def searched(self) -> Searched:
        return self.among.searched, self.inside[~self.held_out]

    @property
    def key(self) -> Row:
        return {"audit_id": self.found.row["audit_id"], "slice_id": self.found.row["slice_id"]}


@dataclass(frozen=True, eq=False)
class _Chosen:
    """A phrase of one slice: who `has` it, or how `similar` to it, both (n,) of the rows of the slice's class."""

    saying: Saying
    score: float | None
    has: Booleans | None = None
    similar: Floats | None = None

    @property
    def row(self) -> Row:
        saying = self.saying
        return {"phrase": saying.shown, "assertion": saying.assertion, "source": saying.source, "score": self.score}

    def evidence(self, one: _Slice, asked: Booleans) -> Row:
        """What the rows `asked` (n,) say of it."""
        if self.has is not None:
            return phrase_evidence(self.has[asked], one.inside[asked], one.patients[asked])
        assert self.similar is not None
        asked = asked & ~np.isnan(self.similar)
        return nearness_evidence(self.similar[asked], one.inside[asked], one.patients[asked])


def _chosen(bank: Bank, item: int, one: _Slice, score: float | None) -> _Chosen:
    return _Chosen(bank.items[item], score, has=bank.of(item)[one.places])


def _slices(found: Sequence[FoundSlice]) -> Iterator[_Slice]:
    """Slices of one class share its rows."""
    classes: dict[tuple[str, str, int | None], JudgedRows] = {}
    for one in found:
        key = one.population.model, one.population.target, one.true_class
        among = classes[key] = classes.get(key) or JudgedRows.of(one.population, one.true_class)
        yield _Slice(one, among, one.members.taken[among.places])


class _Telling:
    """What the slices of one audit have in common, worked out once."""

    def __init__(self, node: Describe, store: TableStore, below: Discovered) -> None:
        self._node, self._store = node, store
        self._fused = below.below
        self._sayings = Sayings(store, self._fused, dict(node.phrases))
        self.slices = list(_slices(below.slices))
        self._chosen = self._choose()

    # how near phrases lie

    @cached_property
    def _fuse(self) -> Fuse:
        return self._node.first(Fuse)

    @cached_property
    def _scan(self) -> Scan | None:
        """Where the vectors are that phrases are compared in; None for the fused ones."""
        wanted = self._fuse.image_vectors if self._cross_modal else self._fuse.report_vectors
        return None if wanted is None else wanted.first(Scan)

    @cached_property
    def _cross_modal(self) -> bool:
        name = self._fuse.image
        return name is not None and phrase_vectors(self._store, name, [listed_names()[0].shown]) is not None

    @cached_property
    def how(self) -> str:
        """Which phrases there were, and in which space they were compared."""
        if not self._sayings.has_reports and not self._cross_modal:
            return "no reports: slices are told by metadata alone"
        if self._cross_modal:
            space = f"the space of the image encoder {self._fuse.image}"
        elif self._scan is not None:
            space = f"the space of the report encoder {self._fuse.report}, each at the mean of the reports that say it"
        else:
            space = "the fused space, each at the mean of the images whose reports say it"
        bank = "phrases of the reports and listed terms" if self._sayings.has_reports else "no reports: listed terms"
        return f"{bank}, compared in {space}"

    @property
    def _reading(self) -> Reading:
        if self._scan is None:
            return over_rows(self._fused.vectors)
        return over_batches(stored_batches(self._store, self._scan, self._fused))

    def _vectors(self, names: Sequence[str]) -> Floats:
        assert self._fuse.image is not None
        found = phrase_vectors(self._store, self._fuse.image, names)
        assert found is not None
        return unit(found)

    # what tells a slice

    def _choose(self) -> list[list[_Chosen]]:
        """Of every slice its phrases, each with who has it (n,), or how near (n,) the rows of its class lie to it."""
        if not self._sayings.has_reports:
            return self._from_pictures() if self._cross_modal else [[] for _ in self.slices]
        found = [one.searched for one in self.slices]
        vectors_of = self._from_middle if self._cross_modal else None
        chosen = chosen_phrases(self._sayings.phrases, found, self._reading, self._node.most, vectors_of)
        return [
            [_chosen(self._sayings.phrases, item, one, score) for item, score in mine]
            for one, mine in zip(self.slices, chosen, strict=True)
        ]

    def _from_middle(self, names: list[str]) -> Floats:
        """(k, d) of length 1: where phrases lie from the middle of the built-in terms: what all share says nothing."""
        terms = [saying.shown for saying in listed_names()]
        return unit(self._vectors(names) - self._vectors(terms).mean(axis=0))

    def _from_pictures(self) -> list[list[_Chosen]]:
        """Without reports: the listed names nearest to the pictures of a slice."""
        names = listed_names(self._sayings.listed)
        vectors = self._from_middle([saying.shown for saying in names])
        similar = np.full((self._fused.samples.height, len(names)), np.nan, np.float32)

        def compared(places: Places, rows: Floats) -> tuple[Places, Floats]:
            similar[places] = rows @ vectors.T
            return places, rows

        assert self._scan is not None
        reading = over_batches(starmap(compared, stored_batches(self._store, self._scan, self._fused)))
        nothing = [np.zeros(0, np.intp)] * len(self.slices)
        each = slice_sums([one.searched for one in self.slices], nothing, self._sayings.values, reading)
        chosen = []
        for one, sums in zip(self.slices, each, strict=True):
            near = np.round(vectors @ sums.direction, SCORE_DECIMALS)
            picked = [i for i in np.argsort(-near, kind="stable")[: self._node.most].tolist() if near[i] > 0]
            chosen.append([_Chosen(names[i], float(near[i]), similar=similar[one.places, i]) for i in picked])
        return chosen

    def phrases(self, one: _Slice) -> Iterator[Row]:
        """Rows of the phrases table but for q-values: phrases of reports, then values of metadata."""
        chosen = self._chosen[self.slices.index(one)]
        known = self._sayings.phrases.known[one.places] if self._sayings.has_reports else True
        for rank, phrase in enumerate([*chosen, *self._told_by_metadata(one)], start=1):
            asked = one.held_out & (True if phrase.saying.source == METADATA else known)
            yield {**one.key, "rank": rank, **phrase.row, **phrase.evidence(one, asked)}

    def _told_by_metadata(self, one: _Slice) -> Iterator[_Chosen]:
        chooser = Chooser(self._sayings.values, *one.searched)
        shown = [self._sayings.values.items[item].shown for item in chooser.shortlist]
        for item in chooser.choose(None, shown, np.zeros(len(shown)), min(MOST_VALUES, self._node.most)):
            yield _chosen(self._sayings.values, int(item), one, None)

    def words(self, one: _Slice) -> Iterator[Row]:
        """Rows of the contrast words but for q-values."""
        if not self._sayings.has_reports:
            return
        from scipy.stats import norm

        background = self._sayings.words.counts(self._sayings.counted)
        known = self._sayings.words.known[one.places]
        mine, others = self._word_counts(one, known & ~one.held_out)
        words = chosen_words(mine, others, background)
        held = known & one.held_out
        mine, others = self._word_counts(one, held)
        both = mine.any(axis=1) & others.any(axis=1)
        z = contrast(mine, others, background)[words] if both.any() else None
        for rank, word in enumerate(words.tolist(), start=1):
            score = None if z is None else float(z[rank - 1])
            yield {
                **one.key,
                "rank": rank,
                "word": self._sayings.words.items[word],
                "count_inside": int(mine[:, word].sum()),
                "count_outside": int(others[:, word].sum()),
                "z_score": score,
                "p_value": None if score is None else float(norm.sf(score)),
            }

    def _word_counts(self, one: _Slice, asked: Booleans) -> tuple[np.ndarray, np.ndarray]:
        """(strata, words) each: how many patients use each word inside and outside; a patient counts once, with one
        report, among patients of about as many."""
        rows = np.flatnonzero(asked)
        stratum = strata(one.patients[rows])
        each = one_row_each(one.inside[rows], one.patients[rows])
        many, inside = stratum.max(initial=-1) + 1, one.inside[rows][each]
        places, stratum = one.places[rows][each], stratum[each]
        mine, others = (self._sayings.words.counts_by(places[side], stratum[side], many) for side in (inside, ~inside))
        return mine, others

    def rule(self, one: _Slice) -> Row:
        """The columns of a slice on its rule, with the p-value on held-out rows; empty where there is none."""
        metadata = self._fused.below.metadata[one.places].select(self._fused.columns)
        rule = metadata_rule(metadata, one.inside, ~one.held_out, one.patients)
        if rule is None:
            return {}
        held = one.held_out
        evidence = phrase_evidence(rule.takes[held], one.inside[held], one.patients[held])
        takes = rule.takes & held
        if evidence.get("p_value") is None or not takes.any():
            return {}
        return {
            "rule": rule.text,
            "rule_precision": float((takes & one.inside).sum() / takes.sum()),
            "rule_recall": evidence["rate_inside"],
            "rule_fewest_patients": min(filter(None, (evidence[name] for name in OF_PATIENTS))),
            "p_value": evidence["p_value"],
        }

    def examples(self, one: _Slice) -> Iterator[Row]:
        """Rows of the examples table."""
        wrong, right = self._verdicts(one)
        names = one.found.population.samples["sample_id"]
        for example in examples(rows_chosen(self._fused.vectors, one.places), one.inside, wrong, right, one.patients):
            yield {
                **one.key,
                "kind": example.kind,
                "rank": example.rank,
                "sample_id": names[int(one.places[example.row])],
                "neighbour_of": None if example.of is None else names[int(one.places[example.of])],
                "distance": example.distance,
            }

    @staticmethod
    def _verdicts(one: _Slice) -> tuple[Booleans, Booleans]:
        """Who is read wrongly, and who correctly; by loss, who is in its highest quarter, or not above the median."""
        if one.found.population.by_loss:
            losses = one.among.values
            high, middle = np.quantile(losses, (0.75, 0.5))
            return losses >= max(high, np.nextafter(middle, np.inf)), losses <= middle
        return one.among.values, ~one.among.values
