"""Maps of the fused space: samples that lie near each other in it, near each other in the plane."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from misread.execute.assigning import along
from misread.execute.frozen import FrozenAudit, check_spaces, frozen_audit
from misread.progress import Progress
from misread.schemas.errors import AuditError
from misread.threads import one_thread

if TYPE_CHECKING:
    from misread.library import Store
    from misread.sql import Session

    from .contents import Options

MAPS = 12
"""Most models and targets that have a map of their own."""
POINTS = 2000
"""Most samples on the maps: those of the smallest hash, so that the same ones are drawn tomorrow."""
PERPLEXITY = 30
STEPS = 500
FEWEST = 10

Row = dict[str, Any]

_JUDGED = """
    WITH taken AS (
        SELECT a.sample_id, a.model, a.target, a.label, a.predicted, a.error,
            first(m.slice_id ORDER BY m.rank, m.slice_id) AS slice_id,
            row_number() OVER (PARTITION BY a.model, a.target ORDER BY md5(a.sample_id), a.sample_id) AS place
        FROM audited AS a
        LEFT JOIN slices AS s
            ON s.audit_id = a.audit_id AND s.model = a.model AND s.target = a.target
            AND (s.true_class IS NULL OR s.true_class = a.label)
        LEFT JOIN memberships AS m ON m.slice_id = s.slice_id AND m.sample_id = a.sample_id
        WHERE a.audit_id = $id AND list_contains($maps, {'model': a.model, 'target': a.target})
        GROUP BY a.sample_id, a.model, a.target, a.label, a.predicted, a.error
    )
    FROM taken WHERE place <= $points
"""


def fused_maps(
    store: "Store",
    session: "Session",
    audit_id: str,
    maps: Sequence[tuple[str, str]],
    options: "Options",
    progress: Progress,
) -> list[Row]:
    """Points of the first twelve of the `maps` (model, target), map by map, with `x`, `y`, `slice_id` (None for no
    slice), `error`, and `sample_id` unless text is left out.

    A sample has the same place on every map: by t-SNE over the audit's own fused vectors, with its seed. Where maps
    have different samples, each has as many of the 2,000 as the others. Empty where the vectors have changed since,
    or there are fewer than ten samples.
    """
    drawn = [{"model": model, "target": target} for model, target in maps[:MAPS]]
    asked = {"id": audit_id, "maps": drawn, "points": POINTS}
    rows = pl.DataFrame(session.query(_JUDGED, asked)) if drawn else pl.DataFrame()
    if rows.is_empty():
        return []
    first = rows.group_by("sample_id").agg(pl.col("place").min()).sort("place", "sample_id").head(POINTS)
    samples = first["sample_id"].sort()
    audit = frozen_audit(store, audit_id)
    vectors = _vectors(store, audit, samples, progress)
    if vectors is None or len(vectors) < FEWEST:
        return []
    plane = _plane(vectors, audit.seed)
    places = pl.DataFrame({"sample_id": samples, "x": plane[:, 0], "y": plane[:, 1]})
    found = rows.join(places.with_columns(pl.col("x", "y").round(2)), on="sample_id")
    numbered = found.join(pl.DataFrame(drawn).with_row_index("map"), on=["model", "target"])
    shown = ["model", "target", "x", "y", "slice_id", "label", "predicted", "error"]
    return numbered.sort("map", "sample_id").select(shown + (["sample_id"] if options.text else [])).to_dicts()


def _vectors(store: "Store", audit: FrozenAudit, samples: pl.Series, progress: Progress) -> Any:
    """(n, k) the fused vectors of the samples; None where they have changed since the audit."""
    try:
        check_spaces(store, audit)
        return along(store, audit, np.eye(audit.fusion.dimension), samples, progress)[0]
    except AuditError:
        return None


def _plane(vectors: Any, seed: int) -> Any:
    from sklearn.manifold import TSNE

    vectors = np.pad(vectors, ((0, 0), (0, max(0, 2 - vectors.shape[1]))))  # t-SNE begins with two directions
    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    drawn = TSNE(perplexity=perplexity, init="pca", random_state=seed, max_iter=STEPS)
    with one_thread():
        return drawn.fit_transform(vectors.astype(np.float32))
