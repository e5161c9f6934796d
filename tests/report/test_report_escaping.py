"""Text from data in Markdown shows as it is written."""

import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from misread.report.escaping import as_markdown_text

RENDERED = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKS = st.text("ab1 .)(&;lt#x3<>-+*_`~=|\\[]!:/@$w\"'\n", max_size=30)
ADDRESSES = [
    "http://example.org/a?b=c&d=e", "https://example.org", "see ftp://example.org/x.", "www.example.org",
    "jane.doe@example.org", "mailto:jane@example.org", "xmpp:jane@example.org", "example.org", "@jane", "<http://a.b>",
]  # fmt: skip


def shown(text: str) -> str:
    """What a reader sees of a page in Markdown."""
    return html.unescape(re.sub(r"<[^>]*>", "", RENDERED.render(text))).replace("\u2060", "")


@example("&lt;b&gt; &amp; &#60;")
@example("1234. no list, ~~no~~ *mark*")
@given(MARKS | st.text(max_size=30))
def test_text_shows_as_it_is_written(text: str) -> None:
    """At the beginning of a paragraph, in it, and in a table: no mark, entity or list is made of it."""
    written = " ".join(text.split()).replace("\0", "\ufffd")
    escaped = as_markdown_text(text)
    assert shown(escaped).strip() == written
    assert shown(f"Verdict: {escaped}.").strip() == f"Verdict: {written}."
    table = RENDERED.render(f"| a | b |\n|---|---|\n| {escaped} | x |")
    cells = re.findall(r"<td>(.*?)</td>", table, re.DOTALL)
    assert [html.unescape(cell).replace("\u2060", "").strip() for cell in cells] == [written, "x"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_are_no_links(address: str) -> None:
    """No renderer finds in the text what GitHub's autolinks and linkify look for."""
    escaped = as_markdown_text(address)
    assert shown(escaped).strip() == address
    assert not re.search(r"https?://|ftp://|www\.|@\w|\w\.[a-z]", escaped)
