"""Text from data in a page: shown as it is written, and kept from what stands beside it."""

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markupsafe import Markup

_MARKS: Final = re.compile(r"([\\`*_{}\[\]<>#+|~!$&@-]|:(?=/)|\.(?=[^\W\d]))")
_NUMBERED: Final = re.compile(r"^(\d+)([.)])")
_WORD_JOINER: Final = "\u2060"


def as_markdown_text(value: object) -> str:
    """Data in Markdown, on one line, where no mark of it means anything and no address becomes a link.

    Behind every @ stands a word joiner, which is not seen: GitHub makes links of escaped mail addresses too.
    """
    text = re.sub(r"\s+", " ", str(value)).strip()
    text = _NUMBERED.sub(r"\1\\\2", _MARKS.sub(r"\\\1", text))
    return text.replace("@", f"@{_WORD_JOINER}")


def isolated(value: object) -> "Markup":
    """Data in HTML, escaped, whose direction of writing turns nothing around it."""
    from markupsafe import Markup

    return Markup("<bdi>{}</bdi>").format(value)
