"""What a report does not tell: what it was asked to leave out."""

import html
import re
from pathlib import Path

import numpy as np
import pytest
from report.conftest import FILMS, name_of, with_counts
from typer.testing import CliRunner

from misread.cli.main import app
from misread.library import Store
from misread.report import Report, as_html, as_json, as_markdown
from misread.report.withheld import WITHHELD, runs
from misread.schemas.errors import AuditError
from stores import VIEW, planted_store, write_store


def reports_of(store: Store) -> list[str]:
    return store.sql("SELECT report FROM reports")["report"].to_list()


def unescaped(text: str) -> str:
    """Whatever a reader could make of a page: entities, JSON's and Markdown's escapes undone."""
    text = html.unescape(html.unescape(text))
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return re.sub(r"\\([!-/:-@[-`{-~])", r"\1", text)


@pytest.mark.parametrize("form", ["html", "md", "json"])
def test_without_images_and_text_nothing_of_a_patient_is_passed_on(
    hostile: Store, whole: Report, tmp_path: Path, form: str
) -> None:
    """No byte of a picture, no five consecutive words of a report, no id: by search, with escapes undone."""
    path = tmp_path / f"report.{form}"
    options = ["--no-images", "--no-text"]
    ended = CliRunner().invoke(app, ["report", hostile.location, "--output", str(path), *options])
    assert ended.exit_code == 0, ended.stderr
    page = path.read_text()
    told = page if form != "html" else re.sub(r"<script>.*?</script>|<style>.*?</style>", "", page, flags=re.DOTALL)
    plain = unescaped(told)
    found = set(runs(plain))
    said = {run for text in reports_of(hostile) for run in runs(text)}
    assert said
    assert not found & said
    assert "data:image" not in plain
    assert not re.search(r"[A-Za-z0-9+/]{200,}", plain)
    assert not [film for film in range(FILMS) if name_of(film) in plain]
    # the same page with everything in it would have been caught
    everything = unescaped(as_html(whole))
    assert set(runs(everything)) & said
    assert "data:image/jpeg" in everything


def test_what_reports_say_is_withheld_wherever_it_stands(tmp_path: Path) -> None:
    """A metadata value that repeats five words of a report, in any case, is replaced; four words stay."""
    store = planted_store(tmp_path / "store", samples=300)
    report = store.report  # nothing audited yet
    with pytest.raises(AuditError, match="has been audited yet"):
        report()
    store.scan("m").filter("view <> 'is in place the heart is normal'").discover(permutations=0, stability=0).sink()
    audited = Store.open(store.location)
    assert audited.report().audit["where"] is not None
    assert audited.report(text=False).audit["where"] == WITHHELD


@pytest.mark.parametrize(
    ("patient", "is_telling"), [("PID-0007", True), ("k7", True), ("4711", False), ("view", False)]
)
def test_ids_are_withheld_wherever_they_stand(tmp_path: Path, patient: str, is_telling: bool) -> None:
    """Filters that look at ids tell none, be they plain numbers; nor does a name, a note or a value of metadata.

    A word, or a number that may be one of another kind, stays where nothing says that it is an id.
    """
    images = [{"sample_id": f"s{i:03d}", "patient_id": f"p{i}" if i else patient, "view": "PA"} for i in range(120)]
    rng = np.random.default_rng(0)
    scores = {"model": "m", "target": "t", "threshold": 0.5}
    predictions = [
        scores | {"sample_id": row["sample_id"], "label": i % 2, "score": float(rng.random())}
        for i, row in enumerate(images)
    ]
    vectors = {row["sample_id"]: rng.standard_normal(4) for row in images}
    store = write_store(tmp_path / "store", images, predictions, vectors=vectors, metadata=[VIEW])
    rows = store.scan("m").filter(f"patient_id <> '{patient}'", "sample_id NOT IN ('s003')", "view = 'PA'")
    rows.discover(permutations=0, stability=0).sink(f"without {patient}")
    report = Store.open(store.location).report(text=False, images=False)
    for page in (unescaped(as_html(report)), unescaped(as_markdown(report)), as_json(report)):
        told = re.sub(r"<script>.*?</script>|<style>.*?</style>|<meta.*?>", "", page, flags=re.DOTALL)
        assert not re.search(rf"'{patient}'|\bs003\b", told)
        assert (f"without {patient}" in told) is not is_telling
        assert WITHHELD in told.replace("\\", "")
    assert report.audit["parameters"]["filter"] == [{"predicates": [WITHHELD, WITHHELD, "view = 'PA'"]}]
    assert not report.holds("html")


@pytest.mark.slow
def test_a_report_says_what_of_patients_it_holds(hostile: Store, whole: Report, tmp_path: Path) -> None:
    """Pictures, ids and text of reports where they are there: not where they are left out, nor where there are none."""
    assert "This report holds images, ids and text of reports of patients." in as_html(whole)
    noted = "This report holds no images of patients; notes of verdicts may hold ids or text of reports."
    assert noted in as_markdown(whole)
    assert not [film for film in range(FILMS) if name_of(film) in unescaped(as_markdown(whole))]
    bare = hostile.report(images=False, text=False)
    assert "This report holds no images, ids or text of reports of patients." in as_html(bare)
    without = planted_store(tmp_path / "store", samples=300, with_reports=False)
    without.scan("m").discover(permutations=0, stability=0).sink()
    report = Store.open(without.location).report()
    assert report.slices
    assert "This report holds ids of patients, no images or text of reports." in as_html(report)
    assert "This report holds no images, ids or text of reports of patients." in as_markdown(report)
    without.scan("m").filter("sample_id <> 's0003'").discover(permutations=0, stability=0).sink("filtered")
    report = Store.open(without.location).report("filtered")
    assert "'s0003'" in unescaped(as_markdown(report))
    assert "This report holds no images or text of reports of patients; filters may hold ids." in as_markdown(report)
    assert "This report holds ids of patients, no images or text of reports." in as_html(report)
    opened = Store.open(without.location)
    opened.judge(report.slices[0]["slice_id"], "unclear", judged_by="A. Reader", note="see s0003")
    report = Store.open(without.location).report("filtered")
    unsure = "; filters may hold ids; notes of verdicts may hold ids or text of reports."
    assert f"This report holds no images of patients{unsure}" in as_markdown(report)
    report = Store.open(without.location).report("filtered", text=False)
    assert "s0003" not in unescaped(as_markdown(report))
    assert "This report holds no images, ids or text of reports of patients." in as_markdown(report)
    assert "one vector of its image and metadata" in as_html(report)


@pytest.mark.slow
def test_no_phrase_that_reports_say_is_passed_on(described: Store) -> None:
    """Where text is left out none stands anywhere, not as the nearest to a slice either, however short."""
    sources = described.table("phrases").read()["source"].to_pylist()
    phrases = described.sql("SELECT phrase FROM phrases WHERE source = 'term'")["phrase"].to_list()
    store = with_counts(described, "phrases", source=[one.replace("term", "report") for one in sources])
    for text in (True, False):
        assert any(f'"{phrase}"' in as_json(store.report(text=text)) for phrase in phrases) is text
