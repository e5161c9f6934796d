"""The demo: an archive with a known answer, taken through every command."""

import os
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from misread.ingest.beside_store import beside
from misread.library import Store
from misread.library import open as open_store
from misread.progress import Progress, silent
from misread.schemas.errors import MisreadError
from misread.schemas.tables import IMAGES, PREDICTIONS

from .archive import MODEL, TARGET, Archive, write_archive

FILMS = 1600
TRAINING_FILMS = 1200


@dataclass(frozen=True)
class Demonstration:
    """What the demo made. `answer`: one row a planted group, with the slice that fits it best."""

    store: Store
    files: Path
    audit_id: str
    answer: pl.DataFrame


def run(
    location: str | os.PathLike[str],
    progress: Progress = silent,
    *,
    films: int = FILMS,
    training_films: int = TRAINING_FILMS,
) -> Demonstration:
    """Draws films, trains a classifier, and ingests, embeds and audits them in the store at `location`.

    The files lie beside the store, in `<store>-files` (for an object store in the working directory). Run again, it
    finds everything there already. Raises MisreadError, before anything is drawn, for a store that holds samples of
    anybody else's.
    """
    store = open_store(location, create=True)
    _refuse_others(store)
    files = _files_of(os.fspath(location))
    archive = write_archive(files, films=films, training_films=training_films, progress=progress)
    metadata, reports, predictions = (files / f"{name}.csv" for name in ("metadata", "reports", "predictions"))
    store.ingest(metadata=metadata, reports=reports, predictions=predictions, progress=progress)
    store.embed(progress=progress)
    audit_id = store.scan(model=MODEL, target=TARGET).discover().describe().sink(progress=progress)
    return Demonstration(store, files, audit_id, matches(store, audit_id, archive))


def _files_of(location: str) -> Path:
    """Where the demo's files lie, as the store is named where that is a folder."""
    return beside(location, "-files") if "://" in location else Path(f"{location.rstrip('/')}-files")


def _refuse_others(store: Store) -> None:
    """Made-up films are not to be taken for patients: they go into a store of the demo or a new one."""
    if not store.has(IMAGES.name):
        return
    has_predictions = store.has(PREDICTIONS.name)
    models = store.table(PREDICTIONS.name).read(["model"])["model"].unique().to_pylist() if has_predictions else []
    if models != [MODEL]:
        raise MisreadError(
            f"the store {store.location} holds samples that are not the demo's",
            "made-up films are not mixed with others: name a store that is not there yet, or none",
        )


def matches(store: Store, audit_id: str, archive: Archive) -> pl.DataFrame:
    """For every planted group the slice of its true class with the highest overlap (Jaccard; ties: the first).

    precision: share of the slice's rows of that class that are in the group; recall: share of the group in the slice.
    """
    members = store.sql(
        "SELECT slice_id, true_class, sample_id FROM memberships JOIN slices USING (audit_id, slice_id) "
        f"WHERE audit_id = '{audit_id}' AND label = true_class"
    )
    rows = [
        {"group": name, "error": error, "films": films, **_best(members, set(group), true_class)}
        for name, true_class, error, films in archive.groups.select("slice", "true_class", "error", "films").iter_rows()
        for group in [archive.answer.filter(pl.col(name))["sample_id"]]
    ]
    return pl.DataFrame(rows, schema_overrides={"slice_id": pl.String, "precision": pl.Float64, "recall": pl.Float64})


def _best(members: pl.DataFrame, group: set[str], true_class: int) -> dict[str, object]:
    best: tuple[float, dict[str, object]] = (0.0, {"slice_id": None, "precision": None, "recall": None})
    for (slice_id,), rows in sorted(members.filter(pl.col("true_class") == true_class).group_by("slice_id")):
        taken = set(rows["sample_id"])
        both = len(taken & group)
        overlap = both / len(taken | group)
        if overlap > best[0]:
            found = {"slice_id": slice_id, "precision": both / len(taken), "recall": both / len(group)}
            best = (overlap, found)
    return best[1]
