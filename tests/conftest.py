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


def pytest_configure(config: pytest.Config) -> None:
    """Files that are spread over processes are begun in the order below: xdist would begin those of most tests."""
    config.option.loadscopereorder = False


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, lest a long one be begun last and leave the other cores without work."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


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
