"""Saying what a slice is, from the words of its reports and the values of its metadata."""

from .bank import LISTED, METADATA, REPORT, TERM, UNMENTIONED, Bank, PhraseReader, Saying, listed_names, phrase_bank
from .choosing import Chooser, Places
from .examples import Example, examples
from .incidence import Booleans, Floats, Incidence
from .rules import MetadataRule, metadata_rule
from .sentence import sentence
from .values import value_bank
from .words import chosen_words, contrast, word_bank

__all__ = [
    "LISTED",
    "METADATA",
    "REPORT",
    "TERM",
    "UNMENTIONED",
    "Bank",
    "Booleans",
    "Chooser",
    "Example",
    "Floats",
    "Incidence",
    "MetadataRule",
    "PhraseReader",
    "Places",
    "Saying",
    "chosen_words",
    "contrast",
    "examples",
    "listed_names",
    "metadata_rule",
    "phrase_bank",
    "sentence",
    "value_bank",
    "word_bank",
]
