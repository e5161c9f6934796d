"""What every test begins with."""

import gc

import hypothesis  # noqa: F401 - its plugins ask the collector who refers to what, which frozen objects hide


def pytest_runtest_setup() -> None:
    """Objects that are there before a test are not looked through again: audits collect garbage between their steps,
    and what pytest, Hypothesis and the libraries hold would make that most of their time."""
    gc.collect()
    gc.freeze()
