"""Files in, tables out: metadata, pictures, reports, predictions and vectors computed elsewhere."""

from .run import ingest
from .sources import IngestResult, RowCounts, Sources

__all__ = ["IngestResult", "RowCounts", "Sources", "ingest"]
