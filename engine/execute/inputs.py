"""What a store holds to be audited: predictions, their models and targets, and columns of metadata."""

from collections.abc import Sequence
from itertools import product

import polars as pl

from misread.audit.population import winners
from misread.plan import Samples
from misread.schemas.errors import AuditError
from misread.schemas.tables import IMAGES
from misread.store import TableStore


def metadata_columns(store: TableStore) -> list[str]:
    """The columns of images that are metadata, but for `split`, sorted."""
    return sorted(name for name in store.table("images").shown if name not in IMAGES.names)


def read_predictions(store: TableStore, models: Sequence[str], targets: Sequence[str]) -> pl.DataFrame:
    """The predictions of some models and targets, with `winner` for the classes of a task."""
    columns = ["sample_id", "model", "task", "target", "label", "score", "threshold", "loss"]
    rows = pl.DataFrame(store.table("predictions").read(columns)).filter(pl.col("model").is_in(list(models)))
    # before targets are chosen: a task's winner may be another class
    return winners(rows).filter(pl.col("target").is_in(list(targets)))


def model_targets(store: TableStore) -> list[tuple[str, str]]:
    """Every (model, target) that has predictions, sorted."""
    found: set[tuple[str, str]] = set()
    for batch in store.table("predictions").batches(["model", "target"]):
        found.update(pl.DataFrame(batch).unique().iter_rows())
    return sorted(found)


def given_thresholds(store: TableStore, samples: Samples) -> dict[tuple[str, str], float]:
    """Those that predictions of the models and targets bring, of whatever images: all of a model and target agree."""
    wanted, found = set(product(samples.models, samples.targets)), dict[tuple[str, str], float]()
    for batch in store.table("predictions").batches(["model", "target", "threshold"], "threshold IS NOT NULL"):
        found |= {(model, target): value for model, target, value in pl.DataFrame(batch).unique().iter_rows()}
        if found.keys() >= wanted:
            break
    return found


def check_losses(store: TableStore, samples: Samples, threshold: float | None) -> None:
    """Raises AuditError where samples cannot be judged by losses."""
    if threshold is not None:
        told = f"the threshold {threshold:g} has no use: losses are not compared with one"
        raise AuditError(told, "leave it out")
    if not read_predictions(store, samples.models, samples.targets)["loss"].is_not_null().any():
        raise AuditError(
            f"no prediction of {', '.join(samples.models)} for {', '.join(samples.targets)} has a loss",
            "ingest predictions with a column loss, or leave losses out to judge rows by label and threshold",
        )
