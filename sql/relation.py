"""Rows as a relation of DuckDB's, for questions of one's own."""

from typing import Any

import pyarrow as pa

from misread.schemas.errors import MisreadError


def relation_of(rows: pa.Table, connection: Any = None) -> Any:
    """The rows as a relation on `connection`, or on DuckDB's default connection. Raises MisreadError for another."""
    import duckdb

    given = duckdb.default_connection() if connection is None else connection
    if not isinstance(given, duckdb.DuckDBPyConnection):
        raise MisreadError(f"{type(given).__name__} is no connection to DuckDB", "give what duckdb.connect() gives")
    return duckdb.from_arrow(rows, connection=given)
