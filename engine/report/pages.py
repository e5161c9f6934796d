"""A report as a page of its own, as Markdown, and as JSON."""

import base64
import hashlib
import html
import json
import math
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from misread.schemas.errors import MisreadError

from .escaping import as_markdown_text, isolated
from .figure import figure_of
from .wording import (
    WORDS,
    as_a_whole,
    as_sentence,
    half_of,
    holds_of_patients,
    interval,
    left_out,
    limits_of,
    listed,
    number,
    percent,
    threshold_of,
    what_was_audited,
    wrong_of,
)

if TYPE_CHECKING:
    from .contents import Report

TEMPLATES = Path(__file__).parent / "templates"


def as_json(report: "Report") -> str:
    """Everything the report tells; no pictures."""
    told = asdict(report)
    for row in told["slices"]:
        row["examples"] = [{k: v for k, v in one.items() if k != "picture"} for one in row["examples"]]
    return json.dumps(_known(told), indent=1, ensure_ascii=False, default=str, allow_nan=False) + "\n"


def _known(value: Any) -> Any:
    """The value with null for infinities, as of an interval's end that is too large for a number: JSON has no word."""
    if isinstance(value, dict):
        return {name: _known(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_known(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_markdown(report: "Report") -> str:
    """Summary, slices, subgroups and methods, for a repository or a mail; no pictures."""
    return str(_environment().get_template("page.md").render(report=report))


def as_html(report: "Report", *, interactive: bool = True) -> str:
    """One page that opens without a network: style, pictures and scripts are inside.

    Its Content-Security-Policy forbids everything but these. `interactive=False` leaves the maps, and with them every
    script, out.
    """
    maps = _maps(report) if interactive else {}
    scripts = _scripts() if maps else []
    policy = " ".join(f"'sha256-{_digest(text)}'" for text in scripts) or "'none'"
    template = _environment().get_template("page.html")
    figures = _harmless(f"[{','.join(figure_of(points) for points in maps.values())}]")
    page = template.render(
        report=report, style=_read("page.css"), scripts=scripts, policy=policy, maps=maps, figures=figures
    )
    return str(page)


def _maps(report: "Report") -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The points of every map, by model and target."""
    maps: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for point in report.points:
        maps.setdefault((point["model"], point["target"]), []).append(point)
    return maps


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
    filters = (percent, number, listed, as_sentence, holds_of_patients, isolated)
    made.filters |= {each.__name__: each for each in filters} | {"plain": as_markdown_text, "json": _pretty}
    calls = (
        as_a_whole,
        half_of,
        interval,
        left_out,
        limits_of,
        number,
        percent,
        threshold_of,
        what_was_audited,
        wrong_of,
    )
    made.globals |= {each.__name__: each for each in calls} | {"words": WORDS}
    return made


def _pretty(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)


def _scripts() -> list[str]:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise MisreadError("the maps of a report need the package plotly", "pip install 'misread[report]'") from None

    return [get_plotlyjs(), _read("map.js")]


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def _harmless(text: str) -> str:
    """JSON that cannot end the script element it stands in."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
