"""`mimic-cxr`: MIMIC-CXR 2.0.0 and 2.1.0 as PhysioNet has it, the DICOM files and the reports.

ROOT holds files/p10/p10000032/s50414267/ID.dcm, cxr-record-list.csv.gz and, where mimic-cxr-reports.zip is unpacked,
files/p10/p10000032/s50414267.txt. The ids are those of the data set, which is de-identified.

Not taken: cxr-study-list, providers, and every field of the headers that is not listed in dicom_fields or named by the
user.
"""

from typing import Final

from misread.ingest.files import Source
from misread.ingest.sources import Archive

from .dicom_files import in_dicom_folder
from .dicom_rows import with_fields
from .mimic import study_reports
from .request import Request

_RECORDS: Final = {"dicom_id": "sample_id", "subject_id": "patient_id", "study_id": "study_id", "path": "image"}


def read(request: Request) -> Archive | None:
    source = request.table("cxr-record-list.csv")
    records = request.columns(source, _RECORDS)
    if source is None or records is None:
        return None
    samples, fields = with_fields(request, source.name, records.fill_null("").filter(records["image"].is_not_null()))
    found = Source(source.path, source.name, samples, typed=True)
    return Archive(
        found,
        in_dicom_folder(request.root),
        study_reports(request, samples),
        tuple(fields.notices()),
        fields.kept,
    )
