"""Saying what a slice is, from the words of its reports and the values of its metadata."""

from .phrases import Phrase, metadata_phrases, report_phrases

__all__ = ["Phrase", "metadata_phrases", "report_phrases"]
