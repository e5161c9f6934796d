"""`python -m benchmarks.encoding`: pictures a second of `embed`, beside a bare loop of transformers, in turns.

The model is a ViT-B/16 of random weights; the pictures are JPEGs of up to 512 pixels. `embed` reads them from a store,
decodes them, and keeps and commits their vectors. The loop has them decoded in memory and the model loaded before it
starts, and keeps nothing: it is timed from its first batch, `embed` both so (from the moment that its model is loaded)
and whole, with loading and commit. Where there is a GPU, the same on it, in float32 and in float16. Exits with 1 where
`embed` reaches less than 0.9 of the loop.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image
from rich.console import Console
from rich.table import Table

from misread.encode import Precision, Settings, embed
from misread.schemas.tables import CHECKSUM, IMAGES
from misread.store import TableStore

FLOOR = 0.9
AT_ONCE = 64
LARGEST = 512


@dataclass(frozen=True)
class Turn:
    """Pictures a second: of the loop, of `embed` once its model is loaded, and of `embed` whole; and how many seconds
    of processor time a picture took of the loop and of `embed`, which other work on the machine touches less."""

    loop: float
    embed: float
    whole: float
    loop_cpu: float
    embed_cpu: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encoding", description=__doc__)
    parser.add_argument("--pictures", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="128 pictures, once")
    asked = parser.parse_args(arguments)
    count, repeats = (128, 1) if asked.quick else (asked.pictures, asked.repeats)
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    ways: list[tuple[str, Precision]] = [("cpu", "float32")]
    if torch.cuda.is_available():
        ways += [("cuda", "float32"), ("cuda", "float16")]
    with tempfile.TemporaryDirectory(prefix="misread-benchmark-") as folder:
        place = Path(folder)
        model, pictures = saved_model(place / "vit-b-16"), drawn(count)
        store = filled(place / "store", pictures)
        turns = {way: [turn(place, store, model, pictures, *way) for _ in range(repeats)] for way in ways}
    show(turns, count)
    if not torch.cuda.is_available():
        print("no GPU here: on one it was not run")
    if any(median(t.embed / t.loop for t in rows) < FLOOR for rows in turns.values()):
        print(f"embed reaches less than {FLOOR} of the loop")
        sys.exit(1)


def saved_model(folder: Path) -> Path:
    """A ViT-B/16 of random weights, as a directory."""
    from transformers import ViTConfig, ViTImageProcessorPil, ViTModel

    ViTModel(ViTConfig()).save_pretrained(folder)
    ViTImageProcessorPil().save_pretrained(folder)
    return folder


def drawn(count: int) -> list[bytes]:
    """JPEGs of soft noise, 384 to 512 pixels a side."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(count):
        coarse = Image.fromarray(rng.integers(0, 255, (24, 24)).astype(np.uint8))
        size = tuple(int(side) for side in rng.integers(384, LARGEST + 1, 2))
        buffer = BytesIO()
        coarse.resize(size, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
        found.append(buffer.getvalue())
    return found


def filled(location: Path, pictures: Sequence[bytes]) -> Path:
    fields = [field for field in IMAGES.fields if field.name != CHECKSUM]
    rows = [
        {"sample_id": f"s{n:06}", "picture": content, "sha256": sha256(content).hexdigest()}
        for n, content in enumerate(pictures)
    ]
    with TableStore.open_or_new(location).commit("ingest") as commit:
        whole = [{field.name: row.get(field.name) for field in fields} for row in rows]
        commit.append("images", pa.Table.from_pylist(whole, schema=pa.schema(fields)))
    return location


def turn(place: Path, store: Path, model: Path, pictures: Sequence[bytes], device: str, precision: Precision) -> Turn:
    """One run of each, the loop first."""
    seconds, loop_cpu = looped(model, pictures, device, precision)
    copy = TableStore.open(shutil.copytree(store, place / "copy"))
    ticks: list[tuple[int, float, float]] = []

    def tick(done: int, total: int, what: str) -> None:
        del total, what
        ticks.append((done, time.perf_counter(), time.process_time()))

    began = time.perf_counter()
    embed(
        copy,
        image_encoder=str(model),
        report_encoder=None,
        settings=Settings(device=device, precision=precision),
        progress=tick,
    )
    whole = len(pictures) / (time.perf_counter() - began)
    shutil.rmtree(place / "copy")
    first = next(tick for tick in ticks if tick[0] > 0)
    count, took, cpu = (last - start for last, start in zip(ticks[-1], first, strict=True))
    return Turn(len(pictures) / seconds, count / took, whole, loop_cpu / len(pictures), cpu / count)


def looped(folder: Path, pictures: Sequence[bytes], device: str, precision: Precision) -> tuple[float, float]:
    """Seconds, and processor seconds, of a bare loop, its model loaded and its pictures decoded before it starts."""
    import torch
    from transformers import AutoImageProcessor, AutoModel

    model: Any = AutoModel.from_pretrained(folder, add_pooling_layer=False).eval().to(device)
    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    decoded = [Image.open(BytesIO(content)).convert("RGB") for content in pictures]
    mixed = torch.autocast(device, dtype=torch.float16, enabled=precision == "float16")
    with torch.inference_mode(), mixed:
        model(**processor(images=decoded[:2], return_tensors="pt").to(device))
        began, cpu = time.perf_counter(), time.process_time()
        for start in range(0, len(decoded), AT_ONCE):
            inputs = processor(images=decoded[start : start + AT_ONCE], return_tensors="pt").to(device)
            model(**inputs).last_hidden_state[:, 0].float().cpu().numpy()
        return time.perf_counter() - began, time.process_time() - cpu


def show(turns: dict[tuple[str, Precision], list[Turn]], count: int) -> None:
    columns = (
        "device",
        "precision",
        "loop",
        "embed",
        "of the loop",
        "whole",
        "of the loop",
        "loop CPU s",
        "embed CPU s",
    )
    repeats = len(next(iter(turns.values())))
    told = Table(*columns, title=f"ViT-B/16, {count} pictures: pictures a second (medians of {repeats})")
    for (device, precision), rows in turns.items():
        told.add_row(
            device,
            precision,
            f"{median(t.loop for t in rows):.2f}",
            f"{median(t.embed for t in rows):.2f}",
            f"{median(t.embed / t.loop for t in rows):.2f}",
            f"{median(t.whole for t in rows):.2f}",
            f"{median(t.whole / t.loop for t in rows):.2f}",
            f"{median(t.loop_cpu for t in rows):.3f}",
            f"{median(t.embed_cpu for t in rows):.3f}",
        )
    Console(width=120).print(told)


if __name__ == "__main__":
    main()
