"""What a report tells."""

import base64
import html
import io
import json
import math
import re
import stat
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image
from report.conftest import BESIDE, FILMS, MARKUP, RIGHT_TO_LEFT, drawn_maps, name_of, picture
from typer.testing import CliRunner

from misread.audit.halves import half_of
from misread.cli.main import app
from misread.discover import q_values
from misread.library import Store
from misread.percentages import percent
from misread.report import Report, as_html, as_json, as_markdown
from misread.report.wording import limits_of
from misread.schemas.errors import MisreadError, QueryError, UnknownNameError
from misread.sql import Work
from stores import VIEW, planted_store, write_store


def test_a_report_is_of_its_own_audit(tmp_path: Path) -> None:
    """Models need not have the same targets; subgroups are of the audit's rows and errors, not of a newer one's."""
    rng = np.random.default_rng(0)
    images = [{"sample_id": f"s{i}", "view": rng.choice(["AP", "PA", "L"])} for i in range(400)]
    of = {"a": ["t"], "b": ["t", "u"]}
    predictions = [
        {**image, "model": model, "target": target, "label": i % 2, "score": 0.3 if image["view"] == "AP" else 0.8}
        for i, image in enumerate(images)
        for model, targets in of.items()
        for target in targets
    ]
    store = write_store(tmp_path / "store", images, predictions, metadata=[VIEW])

    def audited(threshold: float, where: str) -> str:
        vectors = store.scan().filter(where).fuse(metadata=["view"])
        return vectors.discover(threshold=threshold, permutations=0, stability=0).describe().sink()

    older, newer = audited(0.5, "view <> 'L'"), audited(0.9, "true")
    own = store.report(older)
    assert own.points  # where a single number is the whole fused vector, too
    assert {(one["model"], one["target"]) for one in own.subgroups} == {("a", "t"), ("b", "t"), ("b", "u")}
    held_out = [i for i in range(400) if half_of(f"sample\x1fs{i}", 0) == "confirmation"]
    films = {view: [i for i in held_out if images[i]["view"] == view] for view in ("AP", "PA")}
    counts = {(one["error_kind"], *one["terms"], one["rows"], one["errors"]) for one in own.subgroups}
    missed = sum(i % 2 for i in films["AP"])
    called = sum(1 - i % 2 for i in films["PA"])
    assert counts == {
        ("false negative", "view = AP", missed, missed),
        ("false positive", "view = PA", called, called),
    }
    p_values = np.array([one["p_value"] for one in own.subgroups])
    assert [one["q_value"] for one in own.subgroups] == q_values(p_values).tolist()
    assert all(one["confirmed"] for one in own.subgroups)
    doubted = replace(own, subgroups=[one | {"confirmed": False} for one in own.subgroups])
    for written in (as_html, as_markdown):
        assert ["None is confirmed." in written(report) for report in (own, doubted)] == [False, True]
    assert store.report(newer).subgroups == []


def test_a_report_tells_what_the_store_holds(hostile: Store, whole: Report) -> None:
    """Its numbers are those of the views; the confirmed and most wrong slice comes first, with its verdict."""
    report = whole
    (audit,) = hostile.sql("FROM audits").to_dicts()
    assert report.audit["audit_id"] == audit["audit_id"]
    slices = {row["slice_id"]: row for row in hostile.sql("FROM slices").to_dicts()}
    assert report.slices
    assert {row["slice_id"] for row in report.slices} == set(slices)
    for row in report.slices:
        own = slices[row["slice_id"]]
        assert (row["rows"], row["patients"]) == (own["confirmation_rows"], own["confirmation_patients"])
        assert row["error_rate"] == own["error_rate"]
        errors = [one for one in row["examples"] if one["kind"] == "typical error"]
        assert 0 < len(errors) <= 6
        assert all(one["picture"] for one in errors)
    first, *_ = report.slices
    assert first["verdict"]["verdict"] == "artefact"
    assert {point["sample_id"] for point in report.points} == {name_of(film) for film in range(FILMS)}
    wrong = hostile.sql("SELECT count(*) FROM audited WHERE error").item()
    assert sum(point["error"] for point in report.points) == wrong


def test_what_was_chosen_in_one_half_is_not_called_borne_out(whole: Report) -> None:
    """Phrases stand in the report whatever their q-value, and it says which half chose them and which counted them."""
    unsure = [{**row, "phrases": [{**one, "q_value": 0.8} for one in row["phrases"]]} for row in whole.slices]
    assert any(row["phrases"] for row in unsure)
    report = replace(whole, slices=unsure)
    told = "discovery half,? and counted in the confirmation half, which bears them out where (the q-value|q) is"
    for page in (as_html(report), as_markdown(report)):
        assert re.search(told, page)
        assert not re.search("Phrases that set", page)


def test_phrases_that_held_out_films_deny_are_told_so(described: Store) -> None:
    """The phrase that comes first in the discovery half is not first where the confirmation half has it less inside;
    pages say whether each phrase is borne out, and which is rarer inside."""
    table = described.table("phrases").read()
    first = next(row for row in table.to_pylist() if row["rank"] == 1)
    denied = first | {"q_value": 0.9, "rate_inside": 0.1, "rate_outside": 0.4, "patients_outside": 40}
    fine = first | {"rank": 2, "phrase": "sure words", "q_value": 0.01, "patients_inside": 40}
    with described.commit("discover") as commit:
        commit.upsert("phrases", pa.Table.from_pylist([denied, fine], table.schema))
    report = Store.open(described.location).report()
    (told,) = (row["phrases"] for row in report.slices if row["slice_id"] == first["slice_id"])
    assert (told[0]["phrase"], told[0]["borne_out"]) == ("sure words", "yes")
    assert {one["borne_out"] for one in told if one["phrase"] == first["phrase"]} == {"no, rarer inside"}
    for page in (as_html(report), as_markdown(report)):
        assert "no, rarer inside" in page
        assert re.search("borne out", page, re.IGNORECASE)


def test_the_same_report_tomorrow(hostile: Store, whole: Report) -> None:
    """The page is the same to the byte."""
    with drawn_maps():
        assert as_html(whole) == as_html(hostile.report())


def test_hostile_text_stays_text(whole: Report) -> None:
    """Markup in names, reports, metadata and verdicts is escaped wherever it stands; no script but the page's own."""
    page = as_html(whole)
    assert MARKUP not in page
    assert html.escape(MARKUP, quote=True).replace("&#x27;", "'").replace("&quot;", "&#34;") in page
    assert len(re.findall(r"<script\b", page.split("<body>")[1].split("<script type")[0])) == 0
    assert page.count("</script>") == 3
    assert "<b>bold" not in as_markdown(whole)
    assert json.loads(as_json(whole))["audit"]["models"] == [f"net {MARKUP}"]


def test_what_json_has_no_number_for_is_null(whole: Report) -> None:
    """An end of an interval that is too large for a number: null, not a word that readers of JSON refuse."""
    row = {**whole.slices[0], "mean_loss_high": math.inf, "mean_loss_low": -math.inf}
    told = json.loads(as_json(replace(whole, slices=[row])), parse_constant=pytest.fail)
    assert (told["slices"][0]["mean_loss_high"], told["slices"][0]["mean_loss_low"]) == (None, None)
    assert told["slices"][0]["rows"] == row["rows"]


def test_remarks_are_sentences_and_told_once(whole: Report) -> None:
    """They begin with a capital and end in a full stop; one on a model and target stands with its name, and only so."""
    audit = whole.audit | {"notes": ["net, Mass: few films", "no reports: told by metadata"]}
    target = whole.targets[0] | {"model": "net", "target": "Mass", "note": "few films"}
    report = replace(whole, audit=audit, targets=[target])
    for page in (as_html(report), as_markdown(report)):
        plain = re.sub(r"<[^>]*>", "", page.partition("<body>")[2] or page)
        assert plain.count("No reports: told by metadata.") == 1
        assert plain.count("net, Mass: Few films.") == 1
        assert "few films" not in plain


def test_a_verdict_of_an_earlier_audit_is_told_as_such(whole: Report) -> None:
    """Page and Markdown say that it is of another slice, of which, and how far the two agree."""
    first, *others = whole.slices
    carried = first | {"verdict": first["verdict"] | {"carried_from": "0123456789ab-01", "overlap": 0.75}}
    report = replace(whole, slices=[carried, *others])
    for told in (as_html(report), as_markdown(report).replace("\\", "")):
        assert "carried from an earlier audit's slice 0123456789ab-01 (overlap 75 %)" in told
        assert told.count("carried from") == 1


def test_names_of_data_are_isolated(whole: Report) -> None:
    """Whatever direction a name is written in, it stands in an element of its own that turns nothing around it."""
    page = as_html(whole)
    body = page.partition("<body>")[2].partition("<script")[0]
    shown = re.sub(r"<bdi>.*?</bdi>|<blockquote.*?</blockquote>|aria-label=\".*?\"", "", body, flags=re.DOTALL)
    assert html.escape(MARKUP)[:20] in body
    for text in (html.escape(MARKUP)[:20], RIGHT_TO_LEFT, *map(name_of, range(FILMS))):
        assert not re.search(rf"\b{re.escape(html.escape(text))}\b", shown), text


def test_pictures_are_small_grey_copies(whole: Report) -> None:
    """A picture in the page is a JPEG of one size, not the bytes of the archive, and nothing beside its pixels."""
    row = whole.slices[0]["examples"][0]
    content = base64.b64decode(row["picture"].partition(",")[2])
    assert content[:2] == b"\xff\xd8"
    films = {name_of(film): film for film in range(FILMS)}
    original = picture(films[row["sample_id"]])
    assert original not in content
    assert zlib.compress(original)[10:40] not in content
    assert BESIDE.encode() in original
    pictures = [one["picture"] for slice_ in whole.slices for one in slice_["examples"]]
    assert pictures
    for shown in pictures:
        content = base64.b64decode(shown.partition(",")[2])
        with Image.open(io.BytesIO(content)) as small:
            assert all(name.startswith("jfif") for name in small.info)
        assert BESIDE.encode() not in content


def test_an_audit_that_found_nothing_has_a_report(tmp_path: Path) -> None:
    """It says so, and what could have been seen."""
    store = planted_store(tmp_path / "store", samples=200, inside=0.12)
    store.scan().discover(permutations=19, stability=0).sink()
    page = as_html(Store.open(store.location).report())
    assert "No slice was found" in page
    assert "There are none in this audit" in page


@pytest.mark.slow
def test_the_file_is_private_and_whole(hostile: Store, tmp_path: Path) -> None:
    """For its owner alone; a place that cannot be written is told, and the store is no such place."""
    path = tmp_path / "report.md"
    ended = CliRunner().invoke(app, ["report", hostile.location, "--audit", "November", "--output", str(path)])
    assert ended.exit_code == 0, ended.stderr
    told = "it holds no images of patients; notes of verdicts may hold ids or text of reports\n"
    assert ended.stderr.endswith(told)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("# What net ")
    made = hostile.report()
    with pytest.raises(MisreadError, match="cannot be written"):
        made.save(tmp_path / "nowhere" / "report.html")
    made.save(tmp_path / "as it ends.md")
    assert (tmp_path / "as it ends.md").read_text() == path.read_text()
    with pytest.raises(UnknownNameError, match="no form of a report 'pdf'"):
        made.save(tmp_path / "report.pdf")
    inside = CliRunner().invoke(app, ["report", hostile.location, "--out", f"{hostile.location}/report.html"])
    assert inside.exit_code == 1
    assert "lies in the store" in inside.stderr
    unknown = CliRunner().invoke(app, ["report", hostile.location, "--out", str(tmp_path / "report.txt")])
    assert unknown.exit_code == 2
    with pytest.raises(UnknownNameError, match="November"):
        hostile.report("Novembre")


def test_a_notebook_shows_the_cards(whole: Report) -> None:
    """In a frame of its own, without any script; an interpreter prints a line, and no row of any patient."""
    assert repr(whole) == f"Report(audit={whole.audit['audit_id']!r}, targets=1, slices={len(whole.slices)})"
    shown = whole._repr_html_()
    assert shown.startswith("<iframe sandbox ")
    page = html.unescape(shown)
    assert "<article" in page
    assert "<script" not in page.partition("<body>")[2].replace(html.escape(MARKUP), "")


def test_an_audit_that_was_kept_shows_itself_as_cards(hostile: Store) -> None:
    """Its plan does, in a notebook; one that was not kept shows the plan."""
    plan = hostile.scan().fuse(modalities=["image"]).discover(permutations=0, stability=2).describe()
    assert "<article" in html.unescape(plan._repr_html_())
    assert plan.plan != (other := hostile.scan().fuse(modalities=["image"]).discover(min_size=20).describe()).plan
    assert other._repr_html_().startswith("<pre>")


def test_audits_of_losses_have_reports(tmp_path: Path) -> None:
    """Mean losses stand where others have error rates."""
    from io import BytesIO

    import numpy as np
    from PIL import Image

    from stores import write_store

    Image.new("L", (8, 8), 90).save(png := BytesIO(), "PNG")
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((300, 6))
    group = rng.random(300) < 0.3
    vectors[group, 0] += 4
    image = {"picture": png.getvalue(), "sha256": "x"}
    images = [image | {"sample_id": f"s{k}", "patient_id": f"p{k}"} for k in range(300)]
    predictions = [
        {"sample_id": f"s{k}", "model": "m", "target": "lung", "loss": float(rng.gamma(2) + 3 * group[k])}
        for k in range(300)
    ]
    store = write_store(tmp_path / "store", images, predictions, vectors={f"s{k}": vectors[k] for k in range(300)})
    store.scan().fuse(modalities=["image"]).discover(losses=True, permutations=0, stability=0).sink()
    report = Store.open(store.location).report()
    assert "mean" in report.slices[0]["sentence"]
    assert "Mean loss" in as_html(report)
    assert "Typical high losses" in as_html(report)
    (target,) = report.targets
    for page in (as_html(report), as_markdown(report)):
        assert f"{target['smallest_effect_mean_loss']:.3g}" in page.partition("Least mean loss")[2]
    assert pl.DataFrame(report.points)["slice_id"].is_not_null().any()
    for page in (as_html(report), as_markdown(report)):
        assert "an audit of losses has none, so nothing was searched" in page
        assert not re.search("No subgroup|read wrongly|read correctly|(slice|-01), (right|wrong)", page)
        assert not re.search("Misses seen from|How it reads as a whole", page)


def test_what_was_audited_is_told(whole: Report) -> None:
    """Images, patients and wrong readings of both halves, and what was left out and why."""
    gone = [{"reason": "no label", "rows": 31}, {"reason": "no score", "rows": None}]
    report = replace(whole, targets=[whole.targets[0] | {"left_out": gone}])
    (target,) = report.targets
    assert target["discovery_patients"] + target["confirmation_patients"] == FILMS
    for page in (as_html(report), as_markdown(report)):
        plain = page.replace("\\", "")
        for half in ("discovery", "confirmation"):
            rows, wrong = target[f"{half}_rows"], target[f"{half}_errors"]
            assert f"{rows} images of {rows} patients, {wrong} wrong" in plain
        assert "31 (no label), few (no score)" in plain


def test_what_could_have_been_seen_is_told(whole: Report) -> None:
    """The least rates that would have been confirmed, and of a slice of how many images, stand in every page: its
    limits send readers there."""
    effects = {"smallest_effect_false_negative": 0.613, "smallest_effect_false_positive": None}
    report = replace(whole, targets=[whole.targets[0] | effects])
    for page in (as_html(report), as_markdown(report)):
        told = page.partition("What was audited.")[2]
        assert f"a slice of {report.targets[0]['smallest_effect_rows']} images" in told
        assert "61 %" in told
        assert "see what was audited, above" in told


def test_shares_say_of_what_they_are(whole: Report) -> None:
    """A table of metadata counts patients, one of phrases images: both pages say so of every one."""
    value = {"column_name": "view", "value": "AP", "share_inside": 0.5, "share_outside": 0.25, "lift": 2.0}
    told = [row | {"profile": [value | {"patients_inside": 20, "q_value": 0.01}]} for row in whole.slices]
    for page in (as_html(replace(whole, slices=told)), as_markdown(replace(whole, slices=told))):
        assert page.lower().count("shares are of patients of the class") == len(told)


@pytest.mark.parametrize(("source", "threshold"), [("column", "0.5 (column)"), ("argmax", "highest score")])
def test_a_report_tells_how_all_images_are_read(hostile: Store, whole: Report, source: str, threshold: str) -> None:
    """Whoever has the report alone learns what is missed and falsely called of all images, in slices or not, and where
    scores count as the finding."""
    held = hostile.sql("SELECT label, error FROM audited WHERE half = 'confirmation'")
    told = []
    for name, label in (("missed", 1), ("false_alarms", 0)):
        errors = held.filter(pl.col("label") == label)["error"]
        read = whole.targets[0][name]
        assert (read["errors"], read["rows"], read["error_rate"]) == (errors.sum(), len(errors), errors.mean())
        assert read["error_rate_low"] < read["error_rate"] < read["error_rate_high"]
        told.append(f"{errors.sum()} of {len(errors)}, {percent(errors.mean())}")
    report = replace(whole, targets=[whole.targets[0] | {"threshold_source": source}])
    for page in (as_html(report, interactive=False), as_markdown(report).replace("\\", "")):
        assert all(one in page for one in (*told, threshold, "How it reads as a whole"))


def test_a_threshold_that_nobody_gave_is_told_as_chosen(whole: Report) -> None:
    """Who reads of errors at a threshold that misread chose learns that they are not those of the classifier in use."""
    chosen = replace(whole, targets=[whole.targets[0] | {"threshold_source": "Youden"}])
    for form in (as_html, as_markdown):
        assert "was not given but chosen for this audit" in form(chosen)
        assert "was not given but chosen for this audit" not in form(whole)


@pytest.mark.parametrize(("copies", "is_listed"), [(1, False), (4, True)])
def test_many_slices_stand_in_one_table_that_leads_to_their_cards(whole: Report, copies: int, is_listed: bool) -> None:
    """Of thirty cards of six images each nobody sees which matter; numbers of few patients are no more told there."""
    first = whole.slices[0]
    few = first | dict.fromkeys(("rows", "errors", "error_rate", "error_rate_low", "error_rate_high", "baseline_rate"))
    slices = [(first if at else few) | {"slice_id": f"made-{at}"} for at in range(copies)]
    page = as_html(replace(whole, slices=slices), interactive=False)
    table = page.partition('aria-label="All slices"')[2].partition("</table>")[0]
    assert bool(table) is is_listed
    rows = table.split("<tr>")[2:]
    assert len(rows) == (copies if is_listed else 0)
    for at, row in enumerate(rows, 1):
        (place,) = re.findall(r'<a href="#([\w-]+)">', row)
        assert f'<h3 id="{place}">' in page
        assert f"made-{at - 1}" in row
        assert (f"{first['errors']} of {first['rows']}" in row) is (at > 1)


def test_what_a_reader_of_the_page_alone_would_miss_is_told(whole: Report) -> None:
    """Why one number stands in two quarters of one report, and what a report of errors cannot know of a classifier."""
    for page in (as_html(whole, interactive=False), as_markdown(whole)):
        assert "those of the discovery half, those of metadata and subgroups of all images" in page
        assert "What the classifier is meant for" in page


@pytest.mark.parametrize("allowed", [False, True])
def test_every_limit_is_told_in_every_form(whole: Report, allowed: bool) -> None:
    """Chance, wrong labels, small numbers and the winner's curse stand on the page and in Markdown alike."""
    report = replace(whole, options=replace(whole.options, allow_small_cells=allowed))
    told = html.unescape(as_html(report, interactive=False)), as_markdown(report)
    limits = limits_of(allowed)
    assert len(limits) > 4
    assert all(limit in page for limit in limits for page in told)


def test_a_search_of_subgroups_that_meets_a_limit_is_told(hostile: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the report stands, and says that they were not searched, and why: not that there are none."""
    every = hostile.report()
    assert (bool(every.subgroups), every.unsearched) == (True, "")

    def subgroups(store: object) -> Work:
        def work(check: object, *columns: pa.Array) -> pa.Array:
            raise QueryError("the question needs more than 4GB", "allow it more")

        return work

    monkeypatch.setattr("misread.ask.subgroups", subgroups)
    report = hostile.report()
    assert (report.subgroups, report.unsearched) == ([], "the question needs more than 4GB")
    assert report.slices == every.slices
    for page in (html.unescape(as_html(report, interactive=False)), as_markdown(report)):
        assert "They were not searched: The question needs more than 4GB." in page
        assert "No subgroup of metadata stands out" not in page
    assert json.loads(as_json(report))["unsearched"] == report.unsearched
