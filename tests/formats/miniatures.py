"""Data sets in miniature, laid out as the real ones are."""

import csv
import gzip
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SAMPLES = 160
"""Every third shows a bright square: what the classifier of the tests misreads."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Film:
    """One film of a miniature. Each patient has one; `is_marked`: with the square."""

    number: int
    is_marked: bool

    @property
    def pixels(self) -> Pixels:
        """(32, 32) uint8."""
        random = np.random.default_rng(self.number)
        field = random.normal(size=(32, 32)).cumsum(0).cumsum(1)
        pixels = np.interp(field, (field.min(), field.max()), (0, 120)).astype(np.uint8)
        if self.is_marked:
            pixels[8:24, 8:24] = 255
        return pixels

    @property
    def sex(self) -> str:
        return "FM"[self.number % 2]

    @property
    def age(self) -> int:
        return 30 + self.number % 50

    @property
    def sentence(self) -> str:
        return "There is a large mass." if self.is_marked else "The lungs are clear."

    def encoded(self, kind: str) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(self.pixels).save(buffer, kind)
        return buffer.getvalue()


def films(count: int = SAMPLES) -> list[Film]:
    return [Film(number, number % 3 == 0) for number in range(count)]


def write(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def table(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """A CSV, packed where its name says so."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    content = buffer.getvalue().encode()
    write(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


LABELS = [
    "Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Enlarged Cardiomediastinum", "Fracture", "Lung Lesion",
    "Lung Opacity", "No Finding", "Pleural Effusion", "Pleural Other", "Pneumonia", "Pneumothorax", "Support Devices",
]  # fmt: skip


def labels(film: Film) -> list[str]:
    """1.0, 0.0, -1.0 and blank, all of them."""
    return [["1.0", "0.0", "-1.0", ""][(film.number + at) % 4] for at in range(len(LABELS))]


def report(film: Film) -> str:
    return (
        "                       FINAL REPORT\n EXAMINATION:  CHEST (PA AND LAT)\n\n INDICATION:  ___F with cough"
        f"  // pneumonia?\n\n COMPARISON:  None.\n\n FINDINGS: \n \n {film.sentence}  The heart is\n normal.\n \n"
        f" IMPRESSION: \n \n Film {film.number}.\n"
    )


def _mimic_ids(film: Film) -> tuple[str, str, str, str]:
    """Patient, study, file, and the folder of the study."""
    patient, study = str(10000032 + 7 * film.number), str(50414267 + 11 * film.number)
    name = "-".join(f"{film.number * 2654435761 % 2**32:08x}" for _ in range(5))
    return patient, study, name, f"files/p{patient[:2]}/p{patient}/s{study}"


def mimic_cxr_jpg(root: Path, count: int = SAMPLES) -> list[str]:
    metadata: list[list[object]] = [
        ["dicom_id", "subject_id", "study_id", "PerformedProcedureStepDescription", "ViewPosition", "Rows", "Columns",
         "StudyDate", "StudyTime", "ProcedureCodeSequence_CodeMeaning", "ViewCodeSequence_CodeMeaning",
         "PatientOrientationCodeSequence_CodeMeaning"]
    ]  # fmt: skip
    splits: list[list[object]] = [["dicom_id", "study_id", "subject_id", "split"]]
    labelled: list[list[object]] = [["subject_id", "study_id", *LABELS]]
    ids = []
    for film in films(count):
        patient, study, name, folder = _mimic_ids(film)
        write(root / folder / f"{name}.jpg", film.encoded("JPEG"))
        write(root / f"{folder}.txt", report(film))
        view = ["CHEST (PA AND LAT)", "postero-anterior", "Erect"]
        metadata.append([name, patient, study, view[0], "PA", 32, 32, 21800506, 213014.531, *view])
        splits.append([name, study, patient, "test"])
        labelled.append([patient, study, *labels(film)])
        ids.append(name)
    table(root / "mimic-cxr-2.0.0-metadata.csv.gz", metadata)
    table(root / "mimic-cxr-2.0.0-split.csv.gz", splits)
    for labeller in ("chexpert", "negbio"):
        table(root / f"mimic-cxr-2.0.0-{labeller}.csv.gz", labelled)
    return ids


def imagefolder(root: Path, count: int = SAMPLES) -> list[str]:
    names = [
        f"{['val', 'test'][f.number % 2]}/{['sick', 'well'][f.number % 2]}/{f.number:05d}.png" for f in films(count)
    ]
    for film, name in zip(films(count), names, strict=True):
        write(root / name, film.encoded("PNG"))
    return names


MINIATURES: dict[str, Callable[[Path, int], list[str]]] = {
    "imagefolder": imagefolder,
    "mimic-cxr-jpg": mimic_cxr_jpg,
}
"""Each builds a miniature in a folder and returns its sample ids, one a film, in the films' order."""
