"""A map of the fused space: samples that lie near each other in it, near each other in the plane."""

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from misread.execute.assigning import along
from misread.execute.frozen import check_spaces, frozen_audit
from misread.progress import Progress
from misread.schemas.errors import AuditError
from misread.threads import one_thread

if TYPE_CHECKING:
    from misread.library import Store
    from misread.sql import Session

    from .contents import Options

POINTS = 2000
"""Most samples on the map: those of the smallest hash, so that the same ones are drawn tomorrow."""
PERPLEXITY = 30
STEPS = 500
FEWEST = 10

Row = dict[str, Any]

_JUDGED = """
    WITH taken AS (
        SELECT a.sample_id, a.model, a.target, a.label, a.predicted, a.error,
            first(m.slice_id ORDER BY m.rank, m.slice_id) AS slice_id
        FROM audited AS a
        LEFT JOIN slices AS s
            ON s.audit_id = a.audit_id AND s.model = a.model AND s.target = a.target
            AND (s.true_class IS NULL OR s.true_class = a.label)
        LEFT JOIN memberships AS m ON m.slice_id = s.slice_id AND m.sample_id = a.sample_id
        WHERE a.audit_id = $id
        GROUP BY a.sample_id, a.model, a.target, a.label, a.predicted, a.error
    )
    FROM taken ORDER BY md5(sample_id), sample_id, model, target
"""


def fused_map(store: "Store", session: "Session", audit_id: str, options: "Options", progress: Progress) -> list[Row]:
    """Points with `x`, `y`, `slice_id` (None for no slice), `error`, and `sample_id` unless text is left out.

    Of the audit's first model and target; by t-SNE over the audit's own fused vectors, with its seed. Empty where
    the vectors have changed since, or there are fewer than ten samples.
    """
    rows = pl.DataFrame(session.query(_JUDGED, {"id": audit_id}))
    if rows.is_empty():
        return []
    first = rows.sort("model", "target").select("model", "target").row(0)
    rows = rows.filter(pl.col("model") == first[0], pl.col("target") == first[1]).head(POINTS)
    vectors = _vectors(store, audit_id, rows["sample_id"], progress)
    if vectors is None or len(vectors) < FEWEST:
        return []
    plane = _plane(vectors, frozen_audit(store, audit_id).seed)
    found = rows.with_columns(x=pl.Series(plane[:, 0]).round(2), y=pl.Series(plane[:, 1]).round(2))
    shown = ["x", "y", "slice_id", "label", "predicted", "error"] + (["sample_id"] if options.text else [])
    return found.sort("sample_id").select(shown).to_dicts()


def _vectors(store: "Store", audit_id: str, samples: pl.Series, progress: Progress) -> Any:
    audit = frozen_audit(store, audit_id)
    try:
        check_spaces(store, audit)
        return along(store, audit, np.eye(audit.fusion.dimension), samples, progress)[0]
    except (AuditError, KeyError):
        return None


def _plane(vectors: Any, seed: int) -> Any:
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    drawn = TSNE(perplexity=perplexity, init="pca", random_state=seed, max_iter=STEPS)
    with one_thread():
        return drawn.fit_transform(vectors.astype(np.float32))
