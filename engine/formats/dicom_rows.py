"""Header fields for the rows of a data set whose table says where its DICOM files lie."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from misread.ingest.faultbook import ROW
from misread.ingest.pictures import PictureError

from .dicom_fields import Fields
from .dicom_files import header, refusal
from .request import Request


def with_fields(request: Request, file: str, samples: pl.DataFrame) -> tuple[pl.DataFrame, Fields]:
    """`samples` (ROW, image) with a column for each field of their files; rows whose file is at fault keep NULLs."""
    fields = Fields(request.kept)
    found: list[Mapping[str, Any]] = []
    wanted = samples.select(ROW, "image").rows()
    for done, (row, name) in enumerate(wanted, 1):
        try:
            data_set = header(request.root, name)
            if refused := refusal(data_set, request.kept):
                raise PictureError(f"{refused[1]}: {name!r}")
            found.append({ROW: row, **fields.of(data_set)})
        except PictureError as error:
            request.book.row(file, row, "image", str(error))
        request.progress(done, len(wanted), "headers read")
    schema: dict[str, Any] = {ROW: pl.Int64(), **fields.schema}
    frame = pl.DataFrame(found, schema, orient="row")
    fresh = frame.drop([name for name in frame.columns if name != ROW and name in samples.columns])
    return samples.join(fresh, on=ROW, how="left", maintain_order="left"), fields
