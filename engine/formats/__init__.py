"""Data sets in their own layouts: one small reader a format, each giving what an ingest takes."""

from .registry import FORMATS, Format, format_sources

__all__ = ["FORMATS", "Format", "format_sources"]
