"""A report as a page of its own, as Markdown, and as JSON."""

import base64
import hashlib
import html
import json
import re
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from misread.schemas.errors import MisreadError

from .figure import figure_of
from .wording import number, percent

if TYPE_CHECKING:
    from .contents import Report

TEMPLATES = Path(__file__).parent / "templates"


def as_json(report: "Report") -> str:
    """Everything the report tells; no pictures."""
    told = asdict(report)
    for row in told["slices"]:
        row["examples"] = [{k: v for k, v in one.items() if k != "picture"} for one in row["examples"]]
    return json.dumps(told, indent=1, ensure_ascii=False, default=str) + "\n"


def as_markdown(report: "Report") -> str:
    """Summary, slices, subgroups and methods, for a repository or a mail; no pictures."""
    return str(_environment().get_template("page.md").render(report=report))


def as_html(report: "Report", *, interactive: bool = True) -> str:
    """One page that opens without a network: style, pictures and scripts are inside.

    Its Content-Security-Policy forbids everything but these. `interactive=False` leaves the map, and with it every
    script, out.
    """
    scripts = _scripts() if report.points and interactive else []
    policy = " ".join(f"'sha256-{_digest(text)}'" for text in scripts) or "'none'"
    template = _environment().get_template("page.html")
    figure = _harmless(figure_of(report.points)) if scripts else None
    page = template.render(report=report, style=_read("page.css"), scripts=scripts, policy=policy, figure=figure)
    return str(page)


def as_cards(report: "Report") -> str:
    """The page for a notebook, in a frame of its own: nothing of it reaches the notebook around it."""
    page = html.escape(as_html(report, interactive=False), quote=True)
    return f'<iframe sandbox srcdoc="{page}" style="width:100%;height:44em;border:0" title="Audit report"></iframe>'


@cache
def _environment() -> Any:
    """Templates that escape whatever comes from data, as HTML or as Markdown."""
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
    except ImportError:
        raise MisreadError("reports need the package jinja2", "pip install 'misread[report]'") from None

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"percent": percent, "number": number, "plain": _plain, "json": _pretty}
    return made


def _plain(value: object) -> str:
    """Data in Markdown, as text: no mark of it means anything."""
    text = re.sub(r"\s+", " ", str(value))
    return re.sub(r"([\\`*_{}\[\]<>#+|~!-])", r"\\\1", text)


def _pretty(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)


def _scripts() -> list[str]:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise MisreadError("the map of a report needs the package plotly", "pip install 'misread[report]'") from None

    return [get_plotlyjs(), _read("map.js")]


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def _harmless(text: str) -> str:
    """JSON that cannot end the script element it stands in."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
