"""The reports that the README makes, as a browser shows them."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import misread as mr
from browser import Page, browser, skip_without

REPORTS = ("demo.html", "covid.html", "nih.html")
WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    skip_without()
    with browser() as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", REPORTS)
def test_a_report_opens_alone(
    name: str, width: int, page: Page, printed: dict[str, tuple[str, str]], folder: Path
) -> None:
    """No message on the console, no request to anywhere; cards, pictures and map are there, and nothing sticks out."""
    if not (folder / name).exists():
        pytest.skip("the films that this report is of are not here")
    logged, asked = page.open(folder / name, width)
    assert (logged, asked) == ([], [])
    assert page.script("document.querySelectorAll('article').length") > 0
    assert page.script("document.querySelectorAll('#map .point').length") > 100
    assert page.script("[...document.images].every(one => one.complete || one.loading == 'lazy')")
    assert page.script("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
def test_a_report_of_1605_films_is_small_and_quick(printed: dict[str, tuple[str, str]], folder: Path) -> None:
    """The page of the NIH films is under 15 MB and made within 30 s of processor time."""
    if not (folder / "nih.html").exists():
        pytest.skip("the NIH films are not here")
    assert (folder / "nih.html").stat().st_size < 15e6
    began = time.process_time()
    mr.open(folder / "audits" / "nih").report().save(folder / "again.html")
    assert time.process_time() - began < 30
