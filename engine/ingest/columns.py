"""Which columns of a metadata file are ours, which are metadata, under what name, and which stay outside."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from misread.schemas.tables import IMAGES

OURS: Final = ("sample_id", "patient_id", "study_id", "split", "image")

_IDENTIFIERS: Final = frozenset(
    """
    name names firstname lastname surname forename givenname familyname fullname middlename maidenname
    birthname mothersbirthname othernames initials birthdate dateofbirth dob birthday birthtime ssn
    socialsecuritynumber socialsecurity mrn medicalrecordnumber medicalrecord hospitalnumber nhsnumber
    insurancenumber insuranceid healthplannumber nationalid address streetaddress homeaddress street zip
    zipcode postcode postalcode phone phonenumber telephone telephonenumber telephonenumbers mobile
    mobilenumber fax faxnumber email emailaddress mail accession accessionnumber accessionno passport
    passportnumber driverslicense driverslicence licenseplate ipaddress accountnumber otherids
    referringphysicianname referringphysician physicianname performingphysicianname operatorsname
    operatorname
    """.split()  # noqa: SIM905 - as a list it takes eighty lines
)


@dataclass(frozen=True)
class MetadataColumns:
    """`names` maps a file's column to the store's; `dropped` are direct identifiers; `clashes` are columns
    that would get the same name."""

    names: dict[str, str]
    dropped: tuple[str, ...]
    notices: tuple[str, ...]
    clashes: tuple[str, ...]


def is_identifier(column: str) -> bool:
    """Whether a column's name is that of a direct identifier, such as `Patient Name`, `dob` or `MRN`."""
    letters = re.sub(r"[^a-z0-9]", "", column.casefold())
    bare = re.sub(r"^(patients?|pat|subjects?)(?=.)", "", letters)
    return letters in _IDENTIFIERS or bare in _IDENTIFIERS


def metadata_columns(columns: Iterable[str], kept: Collection[str], stored: Iterable[str]) -> MetadataColumns:
    """Sorts the columns of a metadata file. `kept`: identifiers to keep; `stored`: columns of the store."""
    spelled = {name.casefold(): name for name in stored}
    keep = {name.casefold() for name in kept}
    names: dict[str, str] = {}
    dropped = []
    for column in columns:
        if column.casefold() in OURS:
            names[column] = column.casefold()
        elif is_identifier(column) and column.casefold() not in keep:
            dropped.append(column)
        else:
            safe = _safe(column)
            names[column] = spelled.get(safe.casefold(), safe)
    folded = [name.casefold() for name in names.values()]
    clashes = tuple(c for c, name in names.items() if folded.count(name.casefold()) > 1)
    notices = [f"column {c!r} is stored as {name!r}" for c, name in names.items() if c != name and name not in OURS]
    return MetadataColumns(names, tuple(dropped), tuple(notices), clashes)


def _safe(column: str) -> str:
    """The name a metadata column is stored under: Lance takes no dots, and some names are taken."""
    name = re.sub(r"[.`\x00-\x1f\x7f]", "_", column)
    taken = name.casefold() in {ours.casefold() for ours in IMAGES.names} or name.startswith("_")
    return f"metadata_{name}" if taken else name
