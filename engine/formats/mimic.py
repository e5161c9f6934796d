"""What MIMIC-CXR and MIMIC-CXR-JPG share: where files lie, and the reports."""

import polars as pl

from misread.ingest.files import Source

from .request import Request


def study_folder() -> pl.Expr:
    """files/p10/p10000032/s50414267, of the columns patient_id and study_id."""
    patient = pl.col("patient_id")
    return pl.format("files/p{}/p{}/s{}", patient.str.slice(0, 2), patient, "study_id")


def study_reports(request: Request, samples: pl.DataFrame) -> Source | None:
    """The reports of the studies, each a text beside the study's folder; None where there is none at all.

    Where there are reports, a study without one is a fault, and a report of no study.
    """
    studies = samples.select("study_id", file=pl.format("{}.txt", study_folder())).drop_nulls().unique()
    wanted = {file: study for study, file in studies.sort("file").iter_rows()}
    there = {path.relative_to(request.root).as_posix() for path in request.root.glob("files/p*/p*/s*.txt")}
    for name in sorted(there - set(wanted)):
        request.book.item(name, "no image belongs to this report: its study is not in the metadata")
    for name in sorted(set(wanted) - there) if there else ():
        request.book.item(name, f"there is no such report, of study {wanted[name]}")
    rows = []
    found = sorted(there & set(wanted))
    for done, name in enumerate(found, 1):
        text = request.text(name)
        if text is not None:
            rows.append({"study_id": wanted[name], "report": text.strip()})
        request.progress(done, len(found), "reports read")
    return request.reports(rows)
