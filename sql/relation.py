"""Rows as a relation of DuckDB's, for questions of one's own."""

from typing import Any

import pyarrow as pa


def relation_of(rows: pa.Table, connection: Any = None) -> Any:
    """The rows as a relation on `connection`, or on DuckDB's default connection."""
    import duckdb

    return duckdb.from_arrow(rows, connection=connection or duckdb.default_connection())
