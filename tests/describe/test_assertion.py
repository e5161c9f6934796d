"""What reports say is there, is not there, and may be there."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from misread.describe import PhraseReader
from misread.describe.assertion import sentences, spans_of
from misread.describe.chunks import Chunker, unfindable
from misread.describe.terms import TERMS

READER = PhraseReader()


def said(text: str, name: str) -> set[str]:
    """What a text says of a listed name."""
    return {saying.assertion for saying in READER.read(text) if saying.phrase == name and saying.source == "term"}


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("Small right pneumothorax.", "pneumothorax", "present"),
        ("No pneumothorax.", "pneumothorax", "absent"),
        ("There is no evidence of pneumothorax or pleural effusion.", "pleural effusion", "absent"),
        ("No chest drain, line or tube.", "device", "absent"),
        ("Negative for pneumothorax.", "pneumothorax", "absent"),
        ("Pneumothorax is not seen.", "pneumothorax", "absent"),
        ("Pneumothorax has resolved.", "pneumothorax", "absent"),
        ("Possible pneumonia.", "pneumonia", "uncertain"),
        ("Opacity concerning for pneumonia.", "pneumonia", "uncertain"),
        ("Opacity concerning for pneumonia.", "opacity", "present"),
        ("Pneumonia cannot be excluded.", "pneumonia", "uncertain"),
        ("Pneumothorax?", "pneumothorax", "uncertain"),
        ("No pneumothorax but a small effusion.", "pleural effusion", "present"),
        ("No change in the right pneumothorax.", "pneumothorax", "present"),
        ("Without pneumothorax. Chest tube in place.", "chest drain", "present"),
        ("Elevation of the left hemidiaphragm.", "raised diaphragm", "present"),
        ("The heart is normal.", "pneumothorax", "unmentioned"),
    ],
)
def test_negation_and_uncertainty_are_kept_apart(text: str, name: str, expected: str) -> None:
    """A term is present, absent, uncertain or unmentioned, as the sentence that holds it says."""
    assert said(text, name) == {expected}


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("No focal consolidation, effusion, or pneumothorax is seen.", "pneumothorax", "absent"),
        ("No pneumothorax, left chest tube in place.", "chest drain", "present"),
        ("No consolidation, with mild bibasilar atelectasis.", "atelectasis", "present"),
        ("No pneumothorax after chest tube placement.", "chest drain", "present"),
        ("Lungs are clear other than mild atelectasis.", "atelectasis", "present"),
        ("No pneumothorax - small effusion.", "pleural effusion", "present"),
        ("The heart size is normal and pneumothorax is not seen.", "normal heart", "present"),
        ("The heart size is normal and pneumothorax is not seen.", "pneumothorax", "absent"),
        ("Pneumothorax: None. Effusion: small.", "pneumothorax", "absent"),
        ("Pneumothorax: None. Effusion: small.", "pleural effusion", "present"),
    ],
)
def test_a_cue_speaks_of_the_words_in_its_reach(text: str, name: str, expected: str) -> None:
    """A list goes on over commas up to its last member; what stands for itself, and what comes next, is not denied."""
    assert said(text, name) == {expected}


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("No new consolidation.", "consolidation", "absent"),
        ("Interval resolution of the right pneumothorax.", "pneumothorax", "absent"),
        ("Near-complete resolution of pulmonary edema.", "pulmonary edema", "present"),
        ("The effusion has completely resolved.", "pleural effusion", "absent"),
        ("Pneumothorax has not resolved.", "pneumothorax", "present"),
        ("Pneumothorax is no longer visualized.", "pneumothorax", "absent"),
        ("A nodule not seen on the prior study.", "nodule", "present"),
        ("Left chest tube removed.", "chest drain", "absent"),
        ("Bibasilar atelectasis w/o effusion.", "pleural effusion", "absent"),
        ("There isn\u2019t any pneumothorax.", "pneumothorax", "absent"),
    ],
)
def test_what_is_gone_is_absent_and_what_is_left_is_not(text: str, name: str, expected: str) -> None:
    """New, resolved, removed, no longer or not yet seen: what counts is whether it is there on this image."""
    assert said(text, name) == {expected}


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("INDICATION: Rule out pneumothorax.", "pneumothorax", "uncertain"),
        ("Cough, r/o pneumonia", "pneumonia", "uncertain"),
        ("Concern for pneumothorax.", "pneumothorax", "uncertain"),
        ("Infection cannot be completely ruled out.", "pneumonia", "uncertain"),
        ("Small pneumothorax may be present.", "pneumothorax", "uncertain"),
        ("Pleural effusion possible.", "pleural effusion", "uncertain"),
        ("Atelectasis vs. pneumonia.", "atelectasis", "uncertain"),
        ("Atelectasis vs. pneumonia.", "pneumonia", "uncertain"),
        ("Cardiomegaly with effusion versus thickening.", "cardiomegaly", "present"),
        ("No nodule suspicious for malignancy.", "mass", "absent"),
    ],
)
def test_a_question_is_left_open(text: str, name: str, expected: str) -> None:
    """What is asked, doubted or one of two is neither there nor not; what denied things would suggest is denied."""
    assert said(text, name) == {expected}


def test_lines_broken_at_their_width_are_read_on() -> None:
    """A sentence goes over the end of a full line; short lines, as of a list, each speak for themselves."""
    report = "There is no focal consolidation, pleural effusion or\n pneumothorax.\n Cardiomegaly"
    assert said(report, "pneumothorax") == {"absent"}
    assert said(report, "cardiomegaly") == {"present"}
    assert said("no pneumothorax\nno effusion\ncardiomegaly", "cardiomegaly") == {"present"}


def test_a_denied_finding_is_no_finding() -> None:
    """`no pneumothorax` is a phrase; of that report `pneumothorax` is none."""
    shown = {saying.shown for saying in READER.read("No pneumothorax.")}
    assert "no pneumothorax" in shown
    assert "pneumothorax" not in shown


def test_every_spelling_of_a_term_is_found() -> None:
    """A report of nothing but one spelling speaks of the term; none is a phrase that can never be found."""
    chunker = Chunker(TERMS)
    for name, others in TERMS.items():
        for spelling in (name, *others):
            assert unfindable(spelling) == ""
            assert (name, "present") in chunker.names(f"{spelling}.")


def test_phrases_stay_within_a_clause_and_begin_and_end_with_a_word_that_counts() -> None:
    """No phrase crosses punctuation, or begins or ends with a filler."""
    found = {phrase for phrase, _ in Chunker().phrases("The heart size is normal. Lungs are clear, with mild scarring")}
    assert {"heart size", "heart size is normal", "lungs are clear", "mild scarring"} <= found
    assert {"the heart", "size is", "normal lungs", "clear with"}.isdisjoint(found)


def test_whole_phrases_are_told_from_pieces() -> None:
    """A phrase is whole where a filler or the end of the clause stands on either side."""
    found = Chunker().phrases("A small right pleural effusion is seen.")
    assert found["small right pleural effusion", "present"]
    assert not found["small right", "present"]


@pytest.mark.parametrize(
    "text", ["", " . ", "x" * 10_000, "\x00\u202e", "no " * 500, "XXXX XXXX", "1.5 2,000 (3)", "\n" * 100_000]
)
def test_odd_texts_are_read(text: str) -> None:
    """Nothing, one endless word, control characters and bare cues hold no phrase of a listed name."""
    assert {saying.assertion for saying in READER.read(text) if saying.source == "term"} == {"unmentioned"}


@given(st.text(max_size=80))
def test_runs_hold_the_words_of_the_text_in_order(text: str) -> None:
    """Whatever is written, a run's words stand in the text (in lower case) in that order."""
    plain = unicodedata.normalize("NFKC", text).lower()
    place = 0
    for word in (word for sentence in sentences(text) for words, _ in spans_of(sentence) for word in words):
        place = plain.find(word, place)
        assert place >= 0
        place += len(word)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("...", "no word"), ("no drain", "alone"), ("mass, nodule", "alone"), ("plate and screws", "and")],
)
def test_phrases_that_can_never_be_found_are_told(text: str, reason: str) -> None:
    """What a report denies is kept apart, clauses and joining words are never crossed: such a phrase finds nothing."""
    assert reason in unfindable(text)
