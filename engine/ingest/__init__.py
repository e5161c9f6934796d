"""Files in, tables out: metadata, pictures, reports, predictions and vectors computed elsewhere."""

from .run import ingest
from .sources import Archive, IngestResult, RowCounts, Sources

__all__ = ["Archive", "IngestResult", "RowCounts", "Sources", "ingest"]
