"""The sections of a radiology report, by their headings."""

import re
from typing import Final

SECTIONS: Final = ("indication", "technique", "comparison", "findings", "impression")

_HEADINGS: Final = {
    "indication": "indication|indications|history|clinical history|clinical information|clinical indication|"
    "reason for exam|reason for examination|reason for the exam|reason for this examination",
    "technique": "technique|procedure",
    "comparison": "comparison|comparisons|prior studies",
    "findings": "findings|finding|report|chest findings",
    "impression": "impression|impressions|conclusion|conclusions|summary|opinion",
}
_SECTION_OF: Final = {heading: section for section, text in _HEADINGS.items() for heading in text.split("|")}
_HEADING: Final = re.compile(r"^[ \t]*([A-Za-z][A-Za-z /,&()-]{2,60}?)[ \t]*:", re.MULTILINE)
_BETWEEN: Final = re.compile(r" *[/&] *| +and +")


def sections_of(report: str) -> dict[str, str | None]:
    """The text under each heading, blanks joined; None where there is no such heading or nothing under it.

    A heading stands at the start of a line before a colon: in capitals, or one of those known. What stands under a
    heading twice is joined; what stands under one of several sections (`FINDINGS AND IMPRESSION`) is the text of each.
    """
    found: dict[str, list[str]] = {section: [] for section in SECTIONS}
    marks = [mark for mark in _HEADING.finditer(report) if mark[1].isupper() or _named(mark[1])]
    ends = [*(mark.start() for mark in marks[1:]), len(report)]
    for mark, end in zip(marks, ends, strict=False):  # without a mark there is one end too many
        text = " ".join(report[mark.end() : end].split())
        for section in _named(mark[1]):
            found[section].append(text)
    return {section: " ".join(filter(None, texts)) or None for section, texts in found.items()}


def _named(heading: str) -> set[str]:
    """The sections that a heading names; none where a part of it is unknown."""
    parts = _BETWEEN.split(heading.casefold())
    return {_SECTION_OF[part] for part in parts} if _SECTION_OF.keys() >= set(parts) else set()
