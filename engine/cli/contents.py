"""What a store holds, as it is shown to people."""

import json
import sys
from typing import Any, Final

import pyarrow as pa

from misread.query import open_session
from misread.sql import question
from misread.store import TableStore
from misread.store.manifest import FORMAT_VERSION

from .cells import as_json, harmless, visible
from .tables import write_table

SECTIONS: Final = ("tables", "encoders", "predictions", "audits")


def store_contents(store: TableStore) -> dict[str, Any]:
    """What a store holds, as plain values: a few facts and the rows of each of `SECTIONS`."""
    with open_session(store) as session:
        predictions = session.query(question("models_and_targets")).to_pylist()
        audits = session.query(question("audits_made")).to_pylist()
    return {
        "location": store.location,
        "state": store.state,
        "format_version": FORMAT_VERSION,
        "tables": [
            {"table": name, "rows": entry.rows, "version": entry.version}
            for name, entry in sorted(store.manifest.tables.items())
        ],
        "encoders": [
            {"encoder": name, "modality": e.modality, "dimension": e.dimension, "source": e.source}
            for name, e in sorted(store.encoders.items())
        ],
        "predictions": predictions,
        "audits": audits,
    }


def write_contents(contents: dict[str, Any], *, as_object: bool) -> None:
    """Writes a store's contents to standard output, for people or as one JSON object."""
    out = sys.stdout
    if as_object:
        text = json.dumps(json.loads(as_json(contents)), ensure_ascii=False, indent=1)
        out.write((harmless(text) if out.isatty() else text) + "\n")
        return
    for name, value in contents.items():
        if name not in SECTIONS:
            out.write(f"{name + ':':<16}{visible(str(value))}\n")
    for name in SECTIONS:
        out.write(f"\n{name}: {'' if contents[name] else 'none'}".rstrip() + "\n")
        if contents[name]:
            write_table(_joined(contents[name]), out)


def _joined(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as a table: lists with commas, no columns without any value, and no notes: they are too long."""
    kept = [name for name in rows[0] if name != "notes" and any(row[name] not in (None, []) for row in rows)]
    return pa.table({name: [_listed(row[name]) for row in rows] for name in kept})


def _listed(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
