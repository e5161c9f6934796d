"""What the documents name is there: files, headings, views, formats, commands and their options."""

import re
from pathlib import Path

import click
import pytest
from docs.conftest import GUIDES, README, ROOT
from typer.main import get_command

from misread.cli.main import app
from misread.formats.registry import FORMATS

DOCUMENTS = [*GUIDES, *sorted((ROOT / "benchmarks").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
OF_RAY = {"--head", "--address"}


def prose(path: Path) -> str:
    """The text without what is shown in blocks."""
    return re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)


def anchors(path: Path) -> set[str]:
    """What a heading is linked by: in small letters, blanks as dashes, without other marks."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands() -> dict[str, click.Command]:
    return get_command(app).commands  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    """Every file and every heading that a document links to is there."""
    for target, anchor in LINK.findall(path.read_text()):
        there = (path.parent / target).resolve() if target else path
        assert there.is_file(), target
        assert not anchor or anchor in anchors(there), anchor


def test_the_readme_leads_to_every_document() -> None:
    """Whoever begins at the README and follows links misses none."""
    found, ahead = {README}, [README]
    while ahead:
        page = ahead.pop()
        linked = {(page.parent / target).resolve() for target, _ in LINK.findall(page.read_text()) if target}
        fresh = {path for path in linked if path.suffix == ".md"} - found
        found |= fresh
        ahead += fresh
    assert set(DOCUMENTS) <= found


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_options_that_are_named_exist(path: Path) -> None:
    """Every `--option` that users are told of is one of some command, or of Ray."""
    told = prose(path).partition("## Contributing")[0]
    known = {option for command in commands().values() for each in command.params for option in each.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", told)) - known <= OF_RAY


def test_every_view_is_told() -> None:
    """The page on SQL has a row that names each view."""
    rows = "".join(re.findall(r"^\| `.+$", (ROOT / "sql" / "README.md").read_text(), re.MULTILINE))
    assert {path.stem for path in (ROOT / "sql" / "views").glob("*.sql")} <= set(re.findall(r"`(\w+)`", rows))


def test_every_format_is_told() -> None:
    """The page on what goes into a store has a row that names each format."""
    rows = "".join(re.findall(r"^\| `.+$", (ROOT / "engine" / "ingest" / "README.md").read_text(), re.MULTILINE))
    assert set(FORMATS) <= set(re.findall(r"`([\w-]+)`", rows))
