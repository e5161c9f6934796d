"""An audit's report: what was found, in words, numbers and pictures, for people who did not run it."""

from .contents import Options, Report, gathered
from .pages import as_html, as_json, as_markdown

__all__ = ["Options", "Report", "as_html", "as_json", "as_markdown", "gathered"]
