"""Header fields of DICOM files as typed metadata columns, and an account of what stays outside.

Taken are fields of the acquisition that the basic profile of PS3.15 leaves as they are, and those that the user names
by their keywords. Everything else (identifiers, private fields, sequences, descriptions) is never stored.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

import polars as pl

from .dicom_files import BURNED_IN, the_pydicom
from .findings import snake
from .profile import BASIC_PROFILE

TAKEN: Final = tuple(
    """
    Modality BodyPartExamined ViewPosition Laterality ImageLaterality PatientOrientation PresentationIntentType
    PhotometricInterpretation BitsStored Manufacturer ManufacturerModelName ConversionType DetectorType Grid FilterType
    KVP ExposureTime XRayTubeCurrent Exposure ExposureInuAs DistanceSourceToDetector DistanceSourceToPatient
    ImagerPixelSpacing PixelSpacing RelativeXRayExposure ExposureIndex TargetExposureIndex DeviationIndex Sensitivity
    FieldOfViewShape FocalSpots WindowCenter WindowWidth RescaleIntercept RescaleSlope LossyImageCompression
    """.split()  # noqa: SIM905 - as a list it takes thirty lines
)
_INTEGERS: Final = ("IS", "US", "SS", "UL", "SL", "UV", "SV")
_REALS: Final = ("DS", "FL", "FD")
_UNTAKEN: Final = ("SQ", "OB", "OW", "OF", "OD", "OL", "OV", "UN", "AT")
_YEARS: Final = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0}
_IDS: Final = ("PatientID", "StudyInstanceUID", "SOPInstanceUID", BURNED_IN)
"""Named to be kept, these are ids or a permission, and no columns of their own."""


class Fields:
    """Reads the fields of many files; counts what it leaves out. `kept`: the columns that the user named."""

    def __init__(self, kept: Iterable[str]) -> None:
        the_pydicom()
        from pydicom.datadict import dictionary_VR, tag_for_keyword

        named = tuple(keyword for keyword in kept if tag_for_keyword(keyword) is not None and keyword not in _IDS)
        vrs = {keyword: dictionary_VR(keyword) for keyword in (*TAKEN, *named)}
        self._vrs: Mapping[str, str] = {keyword: vr for keyword, vr in vrs.items() if vr not in _UNTAKEN}
        self.kept = tuple(snake(keyword) for keyword in named if keyword in self._vrs)
        self._dropped: Counter[str] = Counter()
        self._unreadable: Counter[str] = Counter()
        self._private = 0

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return {snake(keyword): _type_of(vr) for keyword, vr in self._vrs.items()}

    def of(self, data_set: Any) -> dict[str, Any]:
        """The columns of one file; NULL where a field is missing, empty or cannot be read."""
        from pydicom.datadict import keyword_for_tag

        for tag in data_set.keys():  # noqa: SIM118 - a data set gives its elements, not their tags
            keyword = keyword_for_tag(tag)
            if tag.is_private:
                self._private += 1
            elif keyword in BASIC_PROFILE and keyword not in self._vrs:
                self._dropped[keyword] += 1
        return {snake(keyword): self._value(data_set, keyword, vr) for keyword, vr in self._vrs.items()}

    def notices(self) -> list[str]:
        """What was left out, by keyword and number of files."""
        told = []
        if self._dropped:
            listed = ", ".join(f"{keyword} ({count})" for keyword, count in sorted(self._dropped.items()))
            told.append(
                f"fields of the basic profile of PS3.15 that were left out, with the number of files that have them: "
                f"{listed}; to keep one, name it with --keep-identifiers"
            )
        if self._private:
            told.append(f"{self._private} private fields were left out")
        told += [f"{keyword} of {n} files cannot be read and is missing" for keyword, n in self._unreadable.items()]
        return told

    def _value(self, data_set: Any, keyword: str, vr: str) -> Any:
        try:
            value = data_set.get(keyword)
            return None if value is None else _converted(value, vr)
        except Exception:  # noqa: BLE001 - parsers of damaged fields raise whatever they please
            self._unreadable[keyword] += 1
            return None


def _type_of(vr: str) -> pl.DataType:
    if vr in _INTEGERS:
        return pl.Int64()
    return pl.Float64() if vr in (*_REALS, "AS") else pl.Date() if vr == "DA" else pl.String()


def _converted(value: Any, vr: str) -> Any:
    several = isinstance(value, Sequence) and not isinstance(value, str)
    if several and vr in (*_INTEGERS, *_REALS):
        value = value[0] if len(value) else None  # spacings and windows: the first
    if value is None or str(value).strip() == "":
        return None
    if vr in _INTEGERS:
        return _int64(int(value))
    if vr in _REALS:
        return _finite(float(value))
    if vr == "AS":
        return _finite(float(str(value)[:-1]) / _YEARS[str(value)[-1]])
    if vr == "DA":
        text = str(value).strip()
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    text = "\\".join(map(str, value)) if several else str(value)
    text.encode()  # a text that is none raises
    return text.replace("\0", "").strip() or None


def _int64(value: int) -> int:
    if not -(1 << 63) <= value < 1 << 63:
        raise ValueError(value)
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(value)
    return value


def value_of(data_set: Any, keyword: str) -> str | None:
    """A field as text; None where it is missing or blank."""
    value = str(data_set.get(keyword) or "").replace("\0", "").strip()
    return value.encode("utf-8", "replace").decode() or None
