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

from functools import partial
from typing import Any

import polars as pl

from misread.ingest.pictures import PictureError
from misread.ingest.sources import Archive

from .aside import Aside
from .dicom_fields import Fields, value_of
from .dicom_files import NO_DICOM, header, in_dicom_folder, is_dicom, refusal
from .request import Request


def read(request: Request) -> Archive | None:
    fields = Fields(request.kept)
    rows: list[dict[str, Any]] = []
    others = 0
    names = list(request.files())
    for done, name in enumerate(names, 1):
        if not is_dicom(request.root / name):
            if name.casefold().endswith((".dcm", ".dicom")):
                request.book.item(name, NO_DICOM)
            else:
                others += 1
        elif name.rpartition("/")[2] == "DICOMDIR":
            others += 1
        else:
            row = _row(request, name, fields)
            rows += [row] if row else []
        request.progress(done, len(names), "files read")
    if not rows and not request.book.count:
        request.book.whole(str(request.root), "there is no DICOM file in the folder")
        return None
    ids = dict.fromkeys(("sample_id", "patient_id", "study_id", "image"), pl.String())
    notices = [*fields.notices(), *([f"{others} other files were left out"] if others else [])]
    return Archive(
        request.source("dicom", rows, {**ids, **fields.schema}),
        Aside(partial(in_dicom_folder, request.root)),
        notices=(*notices, "ids are stored as keyed hashes: give the same key (--key) with further files"),
        kept=fields.kept,
    )


def _row(request: Request, name: str, fields: Fields) -> dict[str, Any] | None:
    try:
        data_set = header(request.root, name)
    except PictureError as error:
        request.book.item(name, str(error))
        return None
    refused = refusal(data_set, request.kept)
    sample = value_of(data_set, "SOPInstanceUID")
    if refused is None and sample is None:
        refused = "SOPInstanceUID", "it has no SOPInstanceUID to be known by"
    if refused is not None:
        request.book.item(name, refused[1], refused[0])
        return None
    ids = {"patient_id": value_of(data_set, "PatientID"), "study_id": value_of(data_set, "StudyInstanceUID")}
    return {"sample_id": sample, **ids, "image": name, **fields.of(data_set)}
