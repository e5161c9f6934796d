"""A page made of text that tries to do harm, in a browser."""

import itertools
from pathlib import Path

import pytest
from report.conftest import LONG, MARKUP, RIGHT_TO_LEFT

from browser import Page
from misread.report import Report


@pytest.mark.slow
def test_hostile_text_does_nothing_in_a_browser(page: Page, whole: Report, tmp_path: Path) -> None:
    """It is read as it was written, at both widths; nothing of it runs, is fetched, or breaks the page."""
    whole.save(tmp_path / "hostile.html")
    for width in (1280, 390):
        logged, asked = page.open(tmp_path / "hostile.html", width)
        assert (logged, asked) == ([], [])
        assert page.script("typeof window.harmed") == "undefined"
        assert page.script("document.querySelectorAll('img[src=x]').length") == 0
        assert page.script("document.documentElement.scrollWidth") <= width
    shown = page.script("document.body.textContent")
    assert MARKUP in shown
    assert RIGHT_TO_LEFT in shown
    assert LONG[:500] in shown


@pytest.mark.slow
def test_the_page_can_be_read_by_keyboard_and_screen_reader(page: Page, whole: Report, tmp_path: Path) -> None:
    """A language, one h1, headings without gaps, every picture described, every scrolling table within reach."""
    whole.save(tmp_path / "page.html")
    page.open(tmp_path / "page.html", 1280)
    assert page.script("document.documentElement.lang") == "en"
    levels = page.script("[...document.querySelectorAll('h1,h2,h3,h4')].map(one => +one.tagName[1])")
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert page.script("[...document.images].every(one => one.alt)")
    assert page.script("document.querySelectorAll('button').length") > 0
    assert page.script("document.querySelectorAll('[role=img] :is(a, button, [tabindex])').length") == 0
    assert page.script("[...document.querySelectorAll('.table')].every(one => one.tabIndex == 0)")
    assert page.script("[...document.querySelectorAll('nav a')].every(one => document.querySelector(one.hash))")


@pytest.mark.slow
def test_tables_are_cards_on_a_phone(page: Page, whole: Report, tmp_path: Path) -> None:
    """At 390 pixels nothing scrolls sideways, and every value stands beside the heading that is hidden."""
    whole.save(tmp_path / "page.html")
    page.open(tmp_path / "page.html", 390)
    assert page.script("document.querySelectorAll('td').length") > 0
    wide = "[...document.querySelectorAll('main *')].filter(one => one.closest('.map') === null)"
    assert page.script(f"{wide}.every(one => one.getBoundingClientRect().right <= 390)")
    assert page.script(
        f"{wide}.every(one => one.scrollWidth <= one.clientWidth || getComputedStyle(one).overflowX == 'visible')"
    )
    told = page.script("[...document.querySelectorAll('td')].map(one => getComputedStyle(one, '::before').content)")
    heads = page.script("[...document.querySelectorAll('th')].map(one => JSON.stringify(one.textContent))")
    assert set(told) == set(heads)


CONTRASTS = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const light = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = one => {
    const own = one ? getComputedStyle(one).backgroundColor : 'white';
    return own == 'rgba(0, 0, 0, 0)' ? behind(one.parentElement) : own;
  };
  return [...document.querySelectorAll('body *')]
    .filter(one => !['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(one.tagName.toUpperCase()))
    .filter(one => [...one.childNodes].some(node => node.nodeType == 3 && node.textContent.trim()))
    .filter(one => one.getClientRects().length)
    .map(one => {
      const style = getComputedStyle(one);
      const [a, b] = [light(one instanceof SVGElement ? style.fill : style.color), light(behind(one))];
      return [one.textContent.slice(0, 40), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    });
})()"""
"""What is written, and its contrast by WCAG 2.2."""


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_written_stands_out(page: Page, whole: Report, tmp_path: Path, scheme: str) -> None:
    """All of it has a contrast of 4.5 or more, in both colour schemes, the legend of the map too."""
    whole.save(tmp_path / "page.html")
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    page.open(tmp_path / "page.html", 1280)
    contrasts = page.script(CONTRASTS)
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert any("no slice" in text for text, _ in contrasts)
    assert [(text, value) for text, value in contrasts if value < 4.5] == []


@pytest.mark.slow
def test_no_table_is_cut_on_paper(page: Page, whole: Report, tmp_path: Path) -> None:
    """Across a page of A4, what no one can scroll is there."""
    whole.save(tmp_path / "page.html")
    page.open(tmp_path / "page.html", 718)
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    tables = "[...document.querySelectorAll('.table')]"
    cut = page.script(f"{tables}.filter(one => one.scrollWidth > one.clientWidth).map(one => one.ariaLabel)")
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert cut == []
