"""DICOM files made to be read, in any transfer syntax, and to be spoiled."""

import io
from typing import Any

import numpy as np
from formats.films import Film
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
    generate_uid,
)

IDENTIFIERS = {
    "PatientName": "DOE^JANE",
    "PatientBirthDate": "19480229",
    "PatientAddress": "1 Elm Street",
    "AccessionNumber": "ACC0042",
    "InstitutionName": "St Elsewhere",
    "ReferringPhysicianName": "WHO^DOCTOR",
    "StudyDescription": "chest of Jane Doe",
    "StudyDate": "20200131",
    "OperatorsName": "OPERATOR^ONE",
    "PatientComments": "lives next door",
    "DeviceSerialNumber": "SN-777",
}


def data_set(pixels: NDArray[Any], *, bits: int = 0, syntax: str = ExplicitVRLittleEndian, **fields: Any) -> Dataset:
    """A radiograph with identifiers and a private field; `fields` by keyword are set, or with None left out."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    made.SOPClassUID = DigitalXRayImageStorageForPresentation
    made.SOPInstanceUID = generate_uid(entropy_srcs=[str(fields), str(pixels.sum()), str(pixels.shape)])
    made.StudyInstanceUID = generate_uid(entropy_srcs=["study", str(fields)])
    made.PatientID = "MRN0001"
    made.Modality, made.ViewPosition, made.KVP, made.PatientAge, made.PatientSex = "DX", "PA", "125", "061Y", "F"
    made.ExposureTime, made.ImagerPixelSpacing, made.Manufacturer = "12", ["0.139", "0.139"], "ACME"
    for keyword, value in IDENTIFIERS.items():
        setattr(made, keyword, value)
    made.add_new(0x00091001, "LO", "PRIVATE Jane")
    made.Rows, made.Columns = pixels.shape[:2]
    made.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    made.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        made.PlanarConfiguration = 0
    made.BitsAllocated = pixels.dtype.itemsize * 8
    made.BitsStored = bits or made.BitsAllocated
    made.HighBit, made.PixelRepresentation = made.BitsStored - 1, int(pixels.dtype.kind == "i")
    made.PixelData = pixels.tobytes()
    for keyword, value in fields.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    return made


def compressed(made: Dataset, pixels: NDArray[Any], syntax: str) -> Dataset:
    """The same, its pixels encoded: RLE, JPEG (8 bits) or JPEG 2000."""
    if syntax == RLELossless:
        made.compress(RLELossless, pixels)
        return made
    buffer = io.BytesIO()
    options: dict[str, Any] = (
        {"quality": 100} if syntax == JPEGBaseline8Bit else {"no_jp2": True, "irreversible": False}
    )
    Image.fromarray(pixels).save(buffer, {JPEGBaseline8Bit: "JPEG", JPEG2000Lossless: "JPEG2000"}[syntax], **options)
    made.PixelData = encapsulate([buffer.getvalue()])
    made["PixelData"].VR = "OB"
    made.file_meta.TransferSyntaxUID = syntax
    return made


def written(made: Dataset) -> bytes:
    buffer = io.BytesIO()
    made.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    made.file_meta.MediaStorageSOPInstanceUID = made.get("SOPInstanceUID", "1.2.9")
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def film_file(film: Film, **fields: Any) -> bytes:
    """A film as a 12-bit DICOM file of its own patient, study and instance."""
    pixels = film.pixels.astype(np.uint16) << 4
    ids = {"PatientID": f"MRN{film.number:05d}", "StudyInstanceUID": f"1.2.3.{film.number}"}
    return written(data_set(pixels, bits=12, **{**ids, "SOPInstanceUID": f"1.2.3.{film.number}.1", **fields}))
