"""The formats by name, and what an ingest takes of one."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from misread.schemas.errors import unknown_name

if TYPE_CHECKING:
    from misread.ingest import Archive, Sources
    from misread.ingest.faultbook import FaultBook
    from misread.progress import Progress


@dataclass(frozen=True)
class Format:
    """A layout that a reader knows. `is_identified`: its files name people, so ids are always hashed.

    `takes_file`: ROOT may be one file.
    """

    name: str
    summary: str
    is_identified: bool = False
    takes_file: bool = False

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")


FORMATS: Final[Mapping[str, Format]] = {
    known.name: known
    for known in (
        Format("mimic-cxr-jpg", "MIMIC-CXR-JPG 2.x: JPEG files, splits, CheXpert and NegBio labels, reports"),
        Format("mimic-cxr", "MIMIC-CXR 2.x: DICOM files and reports"),
        Format("nih-cxr14", "NIH ChestX-ray14: PNG files, Data_Entry_2017.csv, lists of the split"),
        Format("chexpert", "CheXpert 1.0 (small or full size), with CheXpert Plus reports where they are there"),
        Format("padchest", "PadChest 2019: PNG files, labels and Spanish reports"),
        Format("open-i", "Open-i (Indiana University): PNG or JPEG files and XML reports"),
        Format("vindr-cxr", "VinDr-CXR 1.0: DICOM files and the readings of the radiologists"),
        Format("dicom", "any folder of DICOM files (PS3.10); ids are hashed, identifiers left out", is_identified=True),
        Format("imagefolder", "ROOT/CLASS/image or ROOT/SPLIT/CLASS/image, JPEG or PNG"),
        Format("medmnist", "MedMNIST v2 or v3, two-dimensional: .npz files", takes_file=True),
    )
}

_HASHED_FROM: Final = {"PatientID": "patient_id", "StudyInstanceUID": "study_id", "SOPInstanceUID": "sample_id"}


def format_sources(
    name: str,
    root: str | os.PathLike[str],
    store: str | os.PathLike[str],
    *,
    identifiers_kept: tuple[str, ...] = (),
    key: Path | None = None,
) -> "Sources":
    """What `ingest` takes of a data set in the format `name` that lies in the folder `root`.

    With a `key` (a file), ids are stored as keyed hashes. Formats whose files name people are always hashed: without a
    key by that in `STORE.key` beside the store, which the ingest makes where there is none, once it is to store
    something; ids named in `identifiers_kept`, by their DICOM keywords, stay as they are.

    Raises UnknownNameError for a format that does not exist, MisreadError for a key that cannot be used.
    """
    if name not in FORMATS:
        raise unknown_name("format", name, FORMATS)
    from misread.ingest import Sources
    from misread.ingest.pseudonyms import Pseudonyms, by_key_in, key_beside, read_key

    from .request import Request

    found, reader = FORMATS[name], import_module(f".{FORMATS[name].module}", __package__)

    def read(book: "FaultBook", progress: "Progress") -> "Archive | None":
        request = Request(Path(root), identifiers_kept, book, progress)
        return request.answered(reader.read, takes_file=found.takes_file)

    kept = frozenset(_HASHED_FROM.get(one, one) for one in identifiers_kept) if found.is_identified else frozenset()
    pseudonyms = None
    if key is not None:
        pseudonyms = Pseudonyms(read_key(key), kept)
    elif found.is_identified:
        pseudonyms = by_key_in(key_beside(store), kept)
    return Sources(archive=read, identifiers_kept=identifiers_kept, pseudonyms=pseudonyms)
