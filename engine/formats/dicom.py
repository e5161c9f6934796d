"""`dicom`: any folder of DICOM files, found by their content whatever they are called.

A sample is a file (SOPInstanceUID), a study its StudyInstanceUID, a patient its PatientID; all three and the path are
stored as keyed hashes unless they are named with --keep-identifiers (PatientID, StudyInstanceUID, SOPInstanceUID,
image). Read are single frames, grey or colour, in the transfer syntaxes that pydicom and imagecodecs decode
(uncompressed, deflated, RLE, JPEG, JPEG lossless, JPEG-LS, JPEG 2000).

A DICOM file has the 128 bytes and DICM of PS3.10 before its data set. A bare data set without them is refused where
it is called .dcm or .dicom ("this is no DICOM file"), and else counted among the other files that are left out; dcmconv
of DCMTK, among others, writes it as a file.

Not taken: files of several frames, files without an image (reports, presentation states), DICOMDIR, overlays, and
every field that is not listed in dicom_fields or named by the user. Files flagged with annotation burned in are
refused.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

import polars as pl

from misread.ingest.pictures import PictureError
from misread.ingest.sources import Archive

from .dicom_fields import Fields, value_of
from .dicom_files import NO_DICOM, header, in_dicom_folder, is_dicom, refusal
from .request import Request


def read(request: Request) -> Archive | None:
    fields = Fields(request.kept)
    rows: list[dict[str, Any]] = []
    others = 0
    names = list(request.files())
    for done, name in enumerate(names, 1):
        try:
            if _is_one(request.root, name):
                row = _row(request, name, fields)
                rows += [row] if row else []
            else:
                others += 1
        except PictureError as error:
            request.book.item(name, str(error))
        request.progress(done, len(names), "files read")
    if not rows and not request.book.count:
        request.book.whole(str(request.root), "there is no DICOM file in the folder")
        return None
    ids = dict.fromkeys(("sample_id", "patient_id", "study_id", "image"), pl.String())
    notices = [*fields.notices(), *([f"{others} other files were left out"] if others else [])]
    return Archive(
        request.source("dicom", _of_one_file(request, rows), {**ids, **fields.schema}),
        in_dicom_folder(request.root),
        notices=(*notices, "ids are stored as keyed hashes: give the same key (--key) with further files"),
        kept=fields.kept,
    )


def _is_one(root: Path, name: str) -> bool:
    """Whether a file is to be read. Raises PictureError where it cannot be, or its name alone says that it is DICOM."""
    if is_dicom(root / name, name):
        return name.rpartition("/")[2] != "DICOMDIR"
    if name.casefold().endswith((".dcm", ".dicom")):
        raise PictureError(NO_DICOM)
    return False


def _row(request: Request, name: str, fields: Fields) -> dict[str, Any] | None:
    data_set = header(request.root, name)
    refused = refusal(data_set, request.kept)
    sample = value_of(data_set, "SOPInstanceUID")
    if refused is None and sample is None:
        refused = "SOPInstanceUID", "it has no SOPInstanceUID to be known by"
    if refused is not None:
        request.book.item(name, refused[1], refused[0])
        return None
    ids = {"patient_id": value_of(data_set, "PatientID"), "study_id": value_of(data_set, "StudyInstanceUID")}
    return {"sample_id": sample, **ids, "image": name, **fields.of(data_set)}


def _of_one_file(request: Request, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows whose id no other file has; the files of the others are faults, which name each other."""
    files: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        files[row["sample_id"]].append(row["image"])
    for names in (names for names in files.values() if len(names) > 1):
        for name in names:
            twin = next(other for other in names if other != name)
            more = f" and {len(names) - 2} more" if len(names) > 2 else ""
            request.book.item(name, f"its SOPInstanceUID is that of {twin!r}{more} too: keep one", "SOPInstanceUID")
    return [row for row in rows if len(files[row["sample_id"]]) == 1]
