"""What every test begins with."""

import gc
from collections.abc import Iterator

import hypothesis
import pytest

from browser import Page, browser, skip_without

# how long examples take is the machine's, and no law
hypothesis.settings.register_profile(
    "laws", hypothesis.settings(), deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("laws")


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
