"""`python -m benchmarks.sql`: size, error rate and phrase of every slice, one million samples in 300 slices.

The question asked of a store (Lance, through the gate), the same counts hand-written in DuckDB over Parquet, and with
the two functions as Python functions called a row: in turns in one process, each with the same memory limit and
threads. Once over memberships, which carry the audit's truth, and once over memberships joined with `audited`, as for a
column that only that has. Then the question alone in a process of its own, for the memory it takes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks.side_by_side import apart, measured
from misread.query import open_session
from misread.schemas.tables import AUDITED, CHECKSUM, MEMBERSHIPS, PHRASES, SLICES, TableContract
from misread.sql import Limits, Session
from misread.store import TableStore

SAMPLES, SLICES_IN_ALL, PHRASES_A_SLICE = 1_000_000, 300, 10
MEMORY = "1GB"
SECONDS = 900
OURS = """
    SELECT slice_id, count(*) AS n, error_rate({label}, {predicted}) AS rate, nearest_phrase(slice_id) AS phrase
    FROM {rows} GROUP BY slice_id ORDER BY slice_id
"""
BY_HAND = """
    SELECT m.slice_id, count(*) AS n, avg(({label} <> {predicted})::INTEGER) AS rate, any_value(p.phrase) AS phrase
    FROM {rows}
    LEFT JOIN (FROM '{folder}/phrases.parquet' WHERE rank = 1) AS p ON p.slice_id = m.slice_id
    GROUP BY m.slice_id ORDER BY m.slice_id
"""
BY_PYTHON = """
    SELECT
        slice_id, count(*) AS n, avg(wrong({label}, {predicted})::INTEGER) AS rate,
        any_value(phrase_of(slice_id)) AS phrase
    FROM {rows}
    GROUP BY slice_id ORDER BY slice_id
"""
TRUTH = {"label": "label", "predicted": "predicted"}
OF_AUDITED = {"label": "a.label", "predicted": "a.predicted"}
JOINED = "AS m JOIN {audited} AS a USING (audit_id, sample_id)"
ALONE = OURS.format(rows="memberships", **TRUTH)
Ways = dict[str, Callable[[], pa.Table]]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sql", description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--within", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--alone", metavar="FOLDER", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.alone or asked.within:
        folder = Path(asked.alone or asked.within)
        with open_session(TableStore.open(folder / "store"), Limits(None, MEMORY)) as session:
            run = measured(
                lambda: session.query(ALONE).num_rows if asked.alone else compared(folder, session, asked.repeats)
            )
        print(json.dumps(asdict(run)))
        return
    with tempfile.TemporaryDirectory(prefix="misread-benchmark-") as place:
        write(Path(place), tables(asked.samples))
        show(asked.samples, place, asked.repeats)


def show(samples: int, folder: str, repeats: int) -> None:
    # whatever made the rows would share their process, and its memory, with what is measured
    within = apart("benchmarks.sql", "--within", folder, "--repeats", str(repeats), seconds=SECONDS)
    alone = apart("benchmarks.sql", "--alone", folder, seconds=SECONDS)
    if within is None or alone is None:
        raise SystemExit("a question failed")
    assert isinstance(within.answer, list)
    console = Console(width=120)
    for title, rows in within.answer:
        table = Table(
            "way", "median s", "to the first", "answer", title=f"{title}: {samples:,} samples, {SLICES_IN_ALL} slices"
        )
        for name, median, same in rows:
            table.add_row(name, f"{median:.3f}", f"{median / rows[0][1]:.2f}", "the same" if same else "DIFFERENT")
        console.print(table)
    console.print(f"The store's question alone ({MEMORY} for DuckDB): memory grew by {alone.megabytes:.0f} MB at most.")


def compared(folder: Path, session: Session, repeats: int) -> list[object]:
    """[title, [[way, median seconds, whether its answer is the first one's]]] of the question, and of its functions."""
    connection = session.connection
    best = session.query("SELECT slice_id, phrase FROM phrases WHERE rank = 1").to_pylist()
    phrases = {row["slice_id"]: row["phrase"] for row in best}
    plain = duckdb.connect(config={"memory_limit": MEMORY})
    for one in (plain, connection):
        one.create_function("wrong", _wrong, ["TINYINT", "TINYINT"], "BOOLEAN")
        one.create_function("phrase_of", lambda slice_id: phrases[slice_id], ["VARCHAR"], "VARCHAR")
    connection.register("held", session.query("SELECT slice_id, label, predicted FROM memberships"))
    files = {name: f"'{folder}/{name}.parquet'" for name in ("memberships", "audited")}

    def whole(columns: dict[str, str], joined: str) -> Ways:
        stored = "memberships " + joined.format(audited="audited")
        parquet = f"{files['memberships']} " + (joined or "AS m").format(audited=files["audited"])
        by_hand = BY_HAND.format(rows=parquet, folder=folder, **columns)
        by_python = BY_PYTHON.format(rows=parquet, **columns)
        return {
            "by hand over Parquet": lambda: plain.sql(by_hand).to_arrow_table(),
            "the store": lambda: session.query(OURS.format(rows=stored, **columns)),
            "Python functions a row, over Parquet": lambda: plain.sql(by_python).to_arrow_table(),
        }

    functions: Ways = {
        "error_rate and nearest_phrase": lambda: connection.sql(OURS.format(rows="held", **TRUTH)).to_arrow_table(),
        "Python functions a row": lambda: connection.sql(BY_PYTHON.format(rows="held", **TRUTH)).to_arrow_table(),
    }
    found: list[object] = [
        ["the question", timed(whole(TRUTH, ""), repeats)],
        ["with the truth joined", timed(whole(OF_AUDITED, JOINED), repeats)],
        ["the functions alone, over rows in memory", timed(functions, repeats)],
    ]
    connection.unregister("held")
    return found


def timed(ways: Ways, repeats: int) -> list[list[object]]:
    answers = [work().to_pylist() for work in ways.values()]
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, work in ways.items():
            began = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - began)
    return [
        [name, float(np.median(times)), answer == answers[0]]
        for (name, times), answer in zip(taken.items(), answers, strict=True)
    ]


def _wrong(label: int, predicted: int) -> bool:
    return label != predicted


def tables(samples: int) -> dict[str, tuple[TableContract, pa.Table]]:
    """Every sample judged and in one slice; ids as long as those of real archives."""
    rng = np.random.default_rng(0)
    ids = np.array([f"{i:08d}_{i % 7:03d}" for i in range(samples)])
    members = rng.integers(0, SLICES_IN_ALL, samples)
    names = np.array([f"0123456789ab-{i:03d}" for i in range(SLICES_IN_ALL)])
    label, predicted = (rng.integers(0, 2, samples).astype(np.int8) for _ in range(2))
    halves = np.where(rng.random(samples) < 0.5, "discovery", "confirmation")
    audit = {"audit_id": pa.array(["0123456789ab"] * samples)}
    judged = audit | {
        "model": pa.array(["network"] * samples),
        "target": pa.array(["Pneumothorax"] * samples),
        "sample_id": pa.array(ids),
        "half": pa.array(halves),
        "label": pa.array(label),
        "score": pa.array(rng.random(samples)),
        "predicted": pa.array(predicted),
        "error": pa.array(label != predicted),
    }
    taken = {name: judged[name] for name in ("audit_id", "half", "label", "predicted", "error")} | {
        "slice_id": pa.array(names[members]),
        "sample_id": pa.array(ids),
        "score": pa.array(rng.standard_normal(samples)),
    }
    slices = {"audit_id": ["0123456789ab"] * SLICES_IN_ALL, "slice_id": names.tolist()}
    ranks = [(name, rank) for name in names.tolist() for rank in range(1, PHRASES_A_SLICE + 1)]
    phrases = {
        "audit_id": ["0123456789ab"] * len(ranks),
        "slice_id": [name for name, _ in ranks],
        "rank": [rank for _, rank in ranks],
        "phrase": [f"phrase {rank} of {name}" for name, rank in ranks],
    }
    made = {AUDITED: judged, MEMBERSHIPS: taken, SLICES: slices, PHRASES: phrases}
    return {contract.name: (contract, _of_contract(contract, columns)) for contract, columns in made.items()}


def _of_contract(contract: TableContract, columns: dict[str, object]) -> pa.Table:
    rows = len(next(iter(columns.values())))  # type: ignore[arg-type]
    fields = [field for field in contract.fields if field.name != CHECKSUM]
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(rows, f.type) for f in fields]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def write(folder: Path, made: dict[str, tuple[TableContract, pa.Table]]) -> None:
    """The same rows as a store and as Parquet files."""
    with TableStore.open_or_new(folder / "store").commit("benchmark") as commit:
        for name, (_, rows) in made.items():
            commit.append(name, rows)
    for name, (contract, rows) in made.items():
        pq.write_table(
            rows.select([n for n in rows.column_names if n not in contract.hidden]), folder / f"{name}.parquet"
        )


if __name__ == "__main__":
    main()
