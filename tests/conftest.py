"""What every test begins with."""

import gc
from collections.abc import Iterator

import hypothesis  # noqa: F401 - its plugins ask the collector who refers to what, which frozen objects hide
import pytest

from browser import Page, browser, skip_without


def pytest_runtest_setup() -> None:
    """Objects that are there before a test are not looked through again: audits collect garbage between their steps,
    and what pytest, Hypothesis and the libraries hold would make that most of their time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A browser, opened once a module."""
    skip_without()
    with browser() as opened:
        yield opened
