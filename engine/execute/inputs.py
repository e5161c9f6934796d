"""What a store holds to be audited: predictions, their models and targets, and columns of metadata."""

from collections.abc import Sequence
from itertools import product
from typing import Final

import polars as pl

from misread.audit.population import winners
from misread.plan import Samples
from misread.schemas.errors import AuditError
from misread.schemas.tables import IMAGES
from misread.store import TableStore
from misread.store.lance_table import in_list

LOSSES_ALONE: Final = "no row has a label and a score, but the predictions hold losses"
JUDGED_BY_LOSSES: Final = "--losses, or losses=True in Python, judges rows by them"
_HAS_LOSS: Final = "loss IS NOT NULL"


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


def check_judged(store: TableStore, samples: Samples, threshold: float | None, *, by_loss: bool) -> None:
    """Raises AuditError where samples cannot be judged by losses, and where they can be judged by nothing else."""
    asked = f"{', '.join(samples.models)} for {', '.join(samples.targets)}"
    if not by_loss:
        if not _any(store, samples, "label IS NOT NULL AND score IS NOT NULL") and _any(store, samples, _HAS_LOSS):
            raise AuditError(f"{asked}: {LOSSES_ALONE}", JUDGED_BY_LOSSES)
        return
    if threshold is not None:
        told = f"the threshold {threshold:g} has no use: losses are not compared with one"
        raise AuditError(told, "leave it out")
    if not _any(store, samples, _HAS_LOSS):
        raise AuditError(
            f"no prediction of {asked} has a loss",
            "ingest predictions with a column loss, or leave losses out to judge rows by label and threshold",
        )


def _any(store: TableStore, samples: Samples, predicate: str) -> bool:
    """Whether a prediction of the models and targets of `samples`, which may be none, is so."""
    if not samples.targets:
        return False
    chosen = in_list("model", samples.models), in_list("target", samples.targets), predicate
    found = store.table("predictions").batches(["sample_id"], " AND ".join(chosen), rows=(0, 1))
    return any(batch.num_rows for batch in found)
