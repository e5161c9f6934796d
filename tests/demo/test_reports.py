import re

import polars as pl
import pytest

from misread.demo import Appearance, appearances, draw_population, write_report

DRAIN = re.compile(r"chest tube|chest drain|thoracostomy|intercostal drain|pleural drain|tubes?( or|,)? drains?", re.I)
DENIED = re.compile(r"\bno\b|there are no|there is no", re.I)
SAYS_PNEUMOTHORAX = re.compile(r"pneumothorax|pleural (line|edge)", re.I)
NOT_PNEUMOTHORAX = re.compile(r"\bno (evidence of )?pneumothorax|negative for pneumothorax", re.I)


def findings(report: str) -> list[str]:
    text = next(line for line in report.splitlines() if line.startswith("FINDINGS: "))
    return re.split(r"(?<=\.) ", text.removeprefix("FINDINGS: "))


@pytest.fixture(scope="module")
def reports() -> list[tuple[Appearance, str]]:
    films = draw_population(900, seed=21, rates={"pneumothorax": 0.3, "drain": 0.25})
    return [(a, write_report(a, s)) for a, s in zip(appearances(films), films["film_seed"], strict=True)]


def test_a_report_is_a_function_of_film_and_seed() -> None:
    """Same film and seed, same words; other seeds, many other wordings."""
    shown = Appearance(drain_side="left", pneumothorax_side="left")
    assert write_report(shown, 1) == write_report(shown, 1)
    assert len({write_report(shown, seed) for seed in range(60)}) > 55


def test_every_report_has_findings_and_an_impression(reports: list) -> None:
    """FINDINGS and IMPRESSION are always there, filled, and no placeholder is left."""
    for _, text in reports:
        assert re.search(r"^FINDINGS: \S", text, re.M)
        assert re.search(r"^IMPRESSION: \S", text, re.M)
        assert not re.search(r"[{}]|  ", text)


def test_a_drain_is_named_with_its_side(reports: list) -> None:
    """A film with a drain says so, on the right side, and never denies it."""
    for shown, text in reports:
        told = [s for s in findings(text) if DRAIN.search(s)]
        if shown.drain_side:
            assert any(shown.drain_side in s.lower() and not DENIED.match(s) for s in told)
            assert not any(DENIED.match(s) for s in told)
        else:
            assert all(DENIED.match(s) for s in told)


def test_absence_of_a_drain_is_told_in_most_films_without_one(reports: list) -> None:
    """Between two thirds and 95 % of films without a drain say that there is none."""
    bare = [text for shown, text in reports if not shown.drain_side]
    share = sum(bool(re.search(r"\bno\b[^.]*\b(drain|tube|device|catheter)", t, re.I)) for t in bare) / len(bare)
    assert 0.66 < share < 0.95


def test_a_pneumothorax_is_named_when_there_and_only_then(reports: list) -> None:
    """Findings affirm a pneumothorax exactly in films with one, with its side."""
    for shown, text in reports:
        affirmed = [s for s in findings(text) if SAYS_PNEUMOTHORAX.search(s) and not NOT_PNEUMOTHORAX.search(s)]
        assert bool(affirmed) == bool(shown.pneumothorax_side)
        if shown.pneumothorax_side:
            assert any(shown.pneumothorax_side in s.lower() for s in affirmed)


def test_an_enlarged_heart_is_never_called_normal(reports: list) -> None:
    """Heart size in the text agrees with the film."""
    for shown, text in reports:
        large = re.search(r"cardiomegaly|enlarged|upper limit", text, re.I)
        assert bool(large) == shown.cardiomegaly


def test_reports_never_tell_of_a_classifier(reports: list) -> None:
    """The text is of the film, not of what a machine made of it."""
    words = re.compile(r"classif|model|algorithm|\bAI\b|predict|score|false|missed", re.I)
    assert not any(words.search(text) for _, text in reports)


def test_reports_vary(reports: list) -> None:
    """Hardly two films of a population share their text."""
    texts = pl.Series([text for _, text in reports])
    assert texts.n_unique() > 0.97 * len(texts)
