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


def sections_of(report: str) -> dict[str, str | None]:
    """The text under each heading, blanks joined; None where there is no such heading or nothing under it.

    A heading stands at the start of a line before a colon: in capitals, or one of those known. What stands under a
    heading twice is joined.
    """
    found: dict[str, list[str]] = {section: [] for section in SECTIONS}
    marks = [m for m in _HEADING.finditer(report) if m[1].isupper() or m[1].casefold() in _SECTION_OF]
    ends = [*(mark.start() for mark in marks[1:]), len(report)]
    for mark, end in zip(marks, ends, strict=False):  # without a mark there is one end too many
        section = _SECTION_OF.get(mark[1].casefold())
        text = " ".join(report[mark.end() : end].split())
        if section and text:
            found[section].append(text)
    return {section: " ".join(texts) or None for section, texts in found.items()}
