"""Pictures, reports and stores for the encoders' tests."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from misread.schemas.tables import IMAGES, REPORTS
from misread.store import TableStore
from stores import table

DATA = Path(__file__).parents[3] / "shared" / "data"

REPORT_TEXTS = (
    "Heart size is normal. No pleural effusion or pneumothorax.",
    "Large right pleural effusion. Chest tube in place.",
    "Cardiomegaly with small effusions, 12 mm nodule in the left lung.",
    "Low lung volumes. XXXX opacity at the left base.",
    "No acute cardiopulmonary abnormality.",
    "Right apical pneumothorax of 2.5 cm after tube removal.",
    "Endotracheal tube 4 cm above the carina. Lungs are clear.",
    "Hyperinflated lungs, flat diaphragms. No nodule.",
)


def grey(seed: int = 0, height: int = 150, width: int = 130) -> NDArray[np.uint8]:
    """Soft blobs over stripes, as different from seed to seed as radiographs are."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    total = 0.3 * np.sin(2 * np.pi * (rng.uniform(3, 9) * y + rng.uniform(-3, 3) * x))
    for _ in range(6):
        cy, cx, size = (*rng.uniform(0.1, 0.9, 2), rng.uniform(0.05, 0.3))
        total = total + rng.uniform(-1, 1) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * size**2))
    low, high = total.min(), total.max()
    pixels: NDArray[np.uint8] = np.round(255 * (total - low) / (high - low)).astype(np.uint8)
    return pixels


def encoded(image: Image.Image | NDArray[Any], kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def image_row(sample: str, content: bytes | None, study: str | None = None) -> dict[str, object]:
    row: dict[str, object] = {"sample_id": sample, "study_id": study}
    if content is not None:
        row |= {"picture": content, "sha256": sha256(content).hexdigest(), "media_type": "image/png"}
    return row


def fill(
    location: Path,
    pictures: Mapping[str, bytes | None],
    reports: Sequence[tuple[str | None, str | None, str]] = (),
    *,
    studies: Mapping[str, str] | None = None,
) -> TableStore:
    """Upserts pictures by sample and reports (sample, study, report) into a store, in the order given."""
    store = TableStore.open_or_new(location)
    of = studies or {}
    with store.commit("ingest") as commit:
        rows = [image_row(sample, content, of.get(sample)) for sample, content in pictures.items()]
        commit.upsert("images", table(IMAGES, rows))
        if reports:
            commit.upsert(
                "reports", table(REPORTS, [{"sample_id": a, "study_id": b, "report": c} for a, b, c in reports])
            )
    return store


def vectors(store: TableStore, encoder: str) -> dict[str, NDArray[np.float32]]:
    """Each sample's vector, as stored."""
    rows = store.table(f"embeddings_{encoder}").read(["sample_id", "vector"])
    assert len(set(rows["sample_id"].to_pylist())) == rows.num_rows
    pairs = zip(rows["sample_id"].to_pylist(), rows["vector"].to_pylist(), strict=True)
    return {sample: np.array(vector, np.float32) for sample, vector in pairs}
