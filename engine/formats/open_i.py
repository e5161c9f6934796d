"""`open-i`: the Indiana University chest films of Open-i, reports as XML (NLMCXR, 2014).

ROOT holds the reports (NLMCXR_reports.tgz unpacked: ecgen-radiology/1.xml) and the images (NLMCXR_png.tgz unpacked,
or JPEG files of the same names), in any folders. A sample is an image (CXR1_1_IM-0001-3001), a study and patient its
report (CXR1): the collection has one study a patient. MeSH terms are the columns `mesh_major` and `mesh_automatic`,
separated by |.

Not taken: the DICOM files, licences and everything else that the XML says. Faults are reports that have no image, and
images of one name in several folders or of several endings: reports name images without either.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, Final
from xml.etree.ElementTree import Element

import polars as pl

from misread.ingest.pictures import in_folder
from misread.ingest.sources import Archive

from .request import Request
from .sections import SECTIONS
from .xml_files import UnsafeXmlError, parsed

_PICTURES: Final = (".png", ".jpg", ".jpeg")
_NAMES: Final = ("sample_id", "patient_id", "study_id", "image", "caption", "mesh_major", "mesh_automatic")


def read(request: Request) -> Archive | None:
    names = list(request.files())
    pictures = _pictures(request, names)
    rows: list[dict[str, Any]] = []
    reports: list[dict[str, Any]] = []
    files = [name for name in names if name.casefold().endswith(".xml")]
    for done, name in enumerate(files, 1):
        tree = _tree(request, name)
        if tree is not None:
            films, report = _read(request, name, tree, pictures)
            rows += films
            reports += [report] if report else []
        request.progress(done, len(files), "reports read")
    for picture in sorted({one for one in pictures if pictures[one]} - {row["sample_id"] for row in rows}):
        request.book.item(pictures[picture], "no report names this image")
    if not rows:
        request.book.whole(str(request.root), "there is no report (.xml) with an image in the folder")
        return None
    samples = request.source("open-i", rows, dict.fromkeys(_NAMES, pl.String))
    return Archive(samples, in_folder(request.root), request.reports(reports))


def _pictures(request: Request, names: Iterable[str]) -> dict[str, str]:
    """Where each picture lies, by its name without folder and ending; "" for one of several of that name, a fault."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        if name.casefold().endswith(_PICTURES):
            places[PurePosixPath(name).stem].append(name)
    for picture, found in places.items():
        if len(found) > 1:
            also = " and ".join(found[1:])
            request.book.item(found[0], f"{also} is an image of the same name, {picture!r}; leave one in the folder")
    return {picture: found[0] if len(found) == 1 else "" for picture, found in places.items()}


def _tree(request: Request, name: str) -> Element | None:
    text = request.text(name)
    try:
        return None if text is None else parsed(text)
    except UnsafeXmlError as error:
        request.book.item(name, str(error))
        return None


def _read(
    request: Request, name: str, tree: Element, pictures: dict[str, str]
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The rows of the pictures of one file, and its report; what they lack is a fault."""
    identified = tree.find("uId")
    study = None if identified is None else (identified.get("id") or "").strip()
    if not study:
        request.book.item(name, "the report has no uId")
        return [], None
    mesh = {f"mesh_{kind}": "|".join(_texts(tree, f"MeSH/{kind}")) or None for kind in ("major", "automatic")}
    named = [(image.get("id") or "", _first(image, "caption")) for image in tree.findall("parentImage")]
    if not named:
        request.book.item(name, f"report {study} has no image")
        return [], None
    for picture in (picture for picture, _ in named if picture not in pictures):
        request.book.item(name, f"there is no such image: {picture!r}")
    known = {"patient_id": study, "study_id": study, **mesh}
    rows = [
        {"sample_id": picture, "image": pictures[picture], "caption": caption, **known}
        for picture, caption in named
        if pictures.get(picture)
    ]
    sections = _sections(tree)
    text = "\n".join(f"{section.upper()}: {told}" for section, told in sections.items() if told)
    if not text:
        request.book.item(name, f"report {study} has no text")
    return rows, {"study_id": study, "report": text, **sections} if rows and text else None


def _sections(tree: Element) -> dict[str, str | None]:
    found: dict[str, str | None] = dict.fromkeys(SECTIONS)
    for part in tree.iter("AbstractText"):
        label = (part.get("Label") or "").casefold()
        text = " ".join("".join(part.itertext()).split())
        if label in found and text:
            found[label] = text
    return found


def _texts(tree: Element, path: str) -> list[str]:
    return [text for found in tree.findall(path) if (text := " ".join((found.text or "").split()))]


def _first(element: Element, path: str) -> str | None:
    return next(iter(_texts(element, path)), None)
