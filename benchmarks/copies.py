"""`python -m benchmarks.copies`: how near copies that were saved anew lie to their originals, beside other films.

Of every film of two public collections copies are made in several ways and encoded by `hog`. What is told is the ratio
of a copy's distance to its original to the usual one, as `likely_copies` has it; in how many the original is the
nearest of all films, and within a half. Beside them the nearest other film of the same patient, as if it had been filed
under another, and the nearest of another patient.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from rich.console import Console
from rich.table import Table

from benchmarks.planted.public import data_folder
from misread.encode.hog import HogEncoder
from misread.neighbours import nearest_of_others

AT_MOST = 0.5
COLLECTIONS = ("covid-cxr", "nih-cxr")
SAVED_ANEW = {
    ("covid_0188", "covid_0317"),
    ("covid_0189", "covid_0318"),
    ("covid_0186", "covid_0315"),
    ("covid_0187", "covid_0316"),
}
"""Films that two sources published: copies of each other, not films of two patients."""
Picture = Image.Image
Floats = NDArray[np.float64]


def saved(image: Picture, quality: int | None = None) -> bytes:
    """A PNG, or a JPEG of that quality."""
    content = BytesIO()
    image.save(content, "PNG") if quality is None else image.save(content, "JPEG", quality=quality)
    return content.getvalue()


def resized(image: Picture, share: float) -> Picture:
    width, height = image.size
    return image.resize((round(width * share), round(height * share)), Image.Resampling.LANCZOS)


def cropped(image: Picture, share: float) -> Picture:
    """Without so much of every side."""
    width, height = image.size
    left, top = round(width * share), round(height * share)
    return image.crop((left, top, width - left, height - top))


def bordered(image: Picture, share: float) -> Picture:
    """On black that reaches so far beyond every side."""
    width, height = image.size
    wide, high = round(width * share), round(height * share)
    canvas = Image.new("L", (width + 2 * wide, height + 2 * high))
    canvas.paste(image, (wide, high))
    return canvas


def deep(image: Picture) -> bytes:
    """Half as large, in 12 bits: means of four pixels, so that there is something between whole greys."""
    return saved(Image.fromarray(np.round(16 * halved(image)).astype(np.uint16)))


def windowed(image: Picture) -> bytes:
    """The same as a viewer saves it: in 8 bits, between the darkest and the brightest hundredth."""
    means = halved(image)
    low, high = np.quantile(means, [0.01, 0.99])
    greys = np.clip((means - low) / max(high - low, 1), 0, 1)
    return saved(Image.fromarray(np.round(255 * greys).astype(np.uint8)))


def halved(image: Picture) -> Floats:
    width, height = (side // 2 * 2 for side in image.size)
    pixels = np.asarray(image.crop((0, 0, width, height)), np.float64)
    return np.asarray(pixels.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)))


def toned(image: Picture, power: float) -> Picture:
    return image.point([round(255 * (grey / 255) ** power) for grey in range(256)])


CHANGES: dict[str, Callable[[Picture], bytes]] = {
    "JPEG, quality 90": lambda image: saved(image, 90),
    "JPEG, quality 75": lambda image: saved(image, 75),
    "JPEG, quality 50": lambda image: saved(image, 50),
    "75 % of the size": lambda image: saved(resized(image, 0.75)),
    "50 % of the size, JPEG 75": lambda image: saved(resized(image, 0.5), 75),
    "12 bits, windowed to 8": windowed,
    "contrast x 1.3": lambda image: saved(ImageEnhance.Contrast(image).enhance(1.3)),
    "brightness x 1.3": lambda image: saved(ImageEnhance.Brightness(image).enhance(1.3)),
    "gamma .7": lambda image: saved(toned(image, 0.7)),
    "1 % cropped off each side": lambda image: saved(cropped(image, 0.01)),
    "2 % cropped off each side": lambda image: saved(cropped(image, 0.02)),
    "5 % cropped off each side": lambda image: saved(cropped(image, 0.05)),
    "5 % black on each side": lambda image: saved(bordered(image, 0.05)),
    "turned by 2 degrees": lambda image: saved(image.rotate(2, Image.Resampling.BILINEAR)),
    "mirrored": lambda image: saved(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    "inverted": lambda image: saved(image.point([255 - grey for grey in range(256)])),
}


@dataclass(frozen=True, eq=False)
class Films:
    """Films by patient: names, codes of patients (n,), vectors (n, d) of length 1, and the usual distance."""

    names: list[str]
    patients: NDArray[np.intp]
    images: list[Picture]
    vectors: Floats
    usual: float

    def ratios(self, vectors: Floats) -> Floats:
        """(m, n): distances of vectors (m, d) to all films, over the usual one."""
        return np.asarray(np.sqrt(np.maximum(2 - 2 * vectors @ self.vectors.T, 0)) / self.usual)


def encoded(images: Sequence[Picture], change: Callable[[Picture], bytes] = saved) -> Floats:
    with ThreadPoolExecutor() as threads:
        contents = list(threads.map(change, images))
    return HogEncoder().encode(contents).astype(np.float64)


def read(folder: Path, most: int | None = None) -> Films:
    rows = pl.read_csv(folder / "metadata.csv", infer_schema_length=0).sort("patient_id", "sample_id")
    rows = rows if most is None else rows.head(most)
    images = []
    for name in rows["image"]:
        with Image.open(folder / name) as image:
            images.append(image.convert("L"))
    patients = rows["patient_id"].rank("dense").to_numpy().astype(np.intp)
    vectors = encoded(images)
    single = vectors.astype(np.float32)
    _, cosines = nearest_of_others(single, patients, single, patients, lambda: None)
    usual = float(np.median(np.sqrt(np.maximum(2 - 2 * cosines, 0))))
    return Films(rows["sample_id"].to_list(), patients, images, vectors, usual)


def copied(
    films: Films, change: Callable[[Picture], bytes], original: Callable[[Picture], bytes] | None = None
) -> tuple[Floats, float]:
    """(n,): the ratio of each copy to its original, and of how many it is the nearest film and within `AT_MOST`.

    `original`: how the film itself is saved, where not as it is.
    """
    copies = encoded(films.images, change)
    ratios = films.ratios(copies)
    if original is not None:
        cosines = (copies * encoded(films.images, original)).sum(axis=1)
        np.fill_diagonal(ratios, np.sqrt(np.maximum(2 - 2 * cosines, 0)) / films.usual)
    own = np.diagonal(ratios)
    return own, float(((own <= ratios.min(axis=1)) & (own <= AT_MOST)).mean())


def of_one_patient(films: Films) -> Floats:
    """Of every film whose patient has another, the ratio of the nearest one of them."""
    ratios = films.ratios(films.vectors)
    ratios[films.patients[:, None] != films.patients] = np.inf
    np.fill_diagonal(ratios, np.inf)
    nearest = ratios.min(axis=1)
    return np.asarray(nearest[np.isfinite(nearest)])


def of_others(films: Films) -> Floats:
    """Of every film the ratio of the nearest one of another patient, but for those known to be the same film."""
    ratios = films.ratios(films.vectors)
    ratios[films.patients[:, None] == films.patients] = np.inf
    place = {name: number for number, name in enumerate(films.names)}
    for pair in SAVED_ANEW:
        if all(name in place for name in pair):
            one, other = (place[name] for name in pair)
            ratios[one, other] = ratios[other, one] = np.inf
    return np.asarray(ratios.min(axis=1))


def measured(name: str, films: Films) -> Table:
    table = Table(
        "", "films", f"found at {AT_MOST}", "lowest", "median", "95 %", "highest",
        title=f"{name}: distance to the original, or to the nearest film, over the usual one",
    )  # fmt: skip
    for change, work in CHANGES.items():
        own, found = copied(films, work, deep if work is windowed else None)
        table.add_row(change, *told(own, found))
    table.add_section()
    for whose, ratios in (("the same patient", of_one_patient(films)), ("another patient", of_others(films))):
        table.add_row(f"nearest of {whose}", *told(ratios, float((ratios <= AT_MOST).mean())))
    return table


def told(ratios: Floats, found: float) -> tuple[str, ...]:
    ends = ratios.min(), np.median(ratios), np.quantile(ratios, 0.95), ratios.max()
    return f"{len(ratios):,}", f"{found:.1%}", *(f"{end:.2f}" for end in ends)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.copies", description=__doc__)
    parser.add_argument("--most", type=int, help="films of a collection (default: all)")
    asked = parser.parse_args(arguments)
    for name in COLLECTIONS:
        Console(width=120).print(measured(name, read(data_folder() / name, asked.most)))


if __name__ == "__main__":
    main()
