"""Whether a text mentions an id."""

import re
from collections.abc import Collection
from typing import Final

SHORT_NUMBER: Final = re.compile(r"\d{1,3}")
"""An id that cannot be told from a label, an age or the number of a row."""


def mentions(text: str, ids: Collection[str]) -> bool:
    """Whether one of some ids stands in a text with no letter or digit beside it."""
    return any(one in text and standing_alone(one).search(text) for one in ids)


def standing_alone(one: str) -> re.Pattern[str]:
    """An id where no letter or digit is beside it."""
    return re.compile(rf"(?<![^\W_]){re.escape(one)}(?![^\W_])")
