"""A small valid input of every kind, made to be spoiled one cell at a time."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from misread.ingest import Sources
from misread.store import TableStore

METADATA = [
    ["sample_id", "patient_id", "study_id", "image", "age", "sex"],
    ["a", "p1", "s1", "a.jpg", "54", "F"],
    ["b", "p1", "s1", "b.png", "61", "M"],
    ["007", "p2", "s2", "c.png", "", "F"],
    ["331a", "p3", "s3", "d.jpg", "70", ""],
    ["e", "p4", "s4", "", "40", "M"],
]
REPORTS = [["sample_id", "report"], ["a", "No pneumothorax."], ["e", 'Drain, "in situ";\nleft.']]
PREDICTIONS = [
    ["sample_id", "model", "target", "label", "score"],
    ["a", "m1", "T", "1", "0.9"],
    ["b", "m1", "T", "0", "0.25"],
    ["007", "m1", "T", "", "1e-3"],
    ["a", "m2", "T", "1.0", "0"],
    ["b", "m2", "T", "0.0", "1"],
]
EMBEDDINGS = [
    {"sample_id": "a", "encoder": "clip", "vector": [0.0, 1.0]},
    {"sample_id": "b", "encoder": "clip", "vector": [0.5, 0.5]},
    {"sample_id": "007", "encoder": "clip", "vector": [1.0, 0.0]},
]


def encoded(kind: str, *, seed: int = 0, pixels: Any = None, **options: Any) -> bytes:
    """A small picture: a smooth field, or the pixels given."""
    if pixels is None:
        random = np.random.default_rng(seed)
        pixels = random.normal(size=(24, 20)).cumsum(0).cumsum(1)
        pixels = (np.interp(pixels, (pixels.min(), pixels.max()), (0, 255))).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def sixteen_bit() -> bytes:
    return encoded("PNG", pixels=np.arange(20 * 24, dtype=np.uint16).reshape(24, 20) * 100)


def colour(kind: str) -> bytes:
    return encoded(kind, pixels=np.arange(20 * 24 * 3, dtype=np.uint8).reshape(24, 20, 3))


PICTURES = {"a.jpg": encoded("JPEG"), "b.png": sixteen_bit(), "c.png": colour("PNG"), "d.jpg": colour("JPEG")}


@dataclass
class Inputs:
    """Files of one ingest in a folder of their own; `write` makes them and gives the sources."""

    folder: Path
    tables: dict[str, list[list[str]]] = field(
        default_factory=lambda: {
            "metadata": [list(row) for row in METADATA],
            "reports": [list(row) for row in REPORTS],
            "predictions": [list(row) for row in PREDICTIONS],
        }
    )
    embeddings: list[dict[str, Any]] = field(default_factory=lambda: [dict(row) for row in EMBEDDINGS])
    pictures: dict[str, bytes] = field(default_factory=lambda: dict(PICTURES))
    raw: dict[str, bytes] = field(default_factory=dict)
    only: tuple[str, ...] = ("metadata", "reports", "predictions", "embeddings")

    def cell(self, kind: str, row: int, column: str, value: str) -> None:
        """Sets a cell; `row` as a spreadsheet numbers it."""
        header = self.tables[kind][0]
        self.tables[kind][row - 1][header.index(column)] = value

    def column(self, kind: str, name: str, values: list[str]) -> None:
        for row, value in zip(self.tables[kind], [name, *values], strict=True):
            row.append(value)

    def without(self, kind: str, name: str) -> None:
        at = self.tables[kind][0].index(name)
        for row in self.tables[kind]:
            del row[at]

    def write(self) -> Sources:
        pictures = self.folder / "pictures"
        pictures.mkdir(parents=True, exist_ok=True)
        for name, content in self.pictures.items():
            (pictures / name).write_bytes(content)
        paths: dict[str, Path] = {}
        for kind in (kind for kind in self.only if kind != "embeddings"):
            paths[kind] = self.folder / f"{kind}.csv"
            paths[kind].write_bytes(self.raw.get(kind, as_csv(self.tables[kind])))
        if "embeddings" in self.only:
            paths["embeddings"] = self.folder / "embeddings.parquet"
            if "embeddings" in self.raw:
                paths["embeddings"].write_bytes(self.raw["embeddings"])
            else:
                pl.DataFrame(self.embeddings, infer_schema_length=None, strict=False).write_parquet(paths["embeddings"])
        return Sources(images=pictures if "metadata" in self.only else None, **paths)  # type: ignore[arg-type]


Spoil = Callable[[Inputs], object]


def as_csv(rows: list[list[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def tree_hash(folder: Path) -> str:
    """Names, modes and bytes of everything in a folder."""
    digest = sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(f"{path.relative_to(folder)} {path.stat().st_mode} {path.is_file()}\n".encode())
        if path.is_file():
            digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def fingerprints(store: TableStore) -> dict[str, tuple[int, str]]:
    """Rows and content of every table, whatever the order of rows."""
    return {name: (entry.rows, entry.fingerprint) for name, entry in store.manifest.tables.items()}
