"""What a report tells, and what it does not."""

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
from report.conftest import BESIDE, FILMS, MARKUP, RIGHT_TO_LEFT, name_of, picture
from typer.testing import CliRunner

from misread.cli.main import app
from misread.library import Store
from misread.report import Report, as_html, as_json, as_markdown
from misread.report.withheld import WITHHELD, runs
from misread.schemas.errors import AuditError, MisreadError, UnknownNameError
from misread.schemas.tables import CHECKSUM
from stores import VIEW, planted_store, write_store


def reports_of(store: Store) -> list[str]:
    return store.sql("SELECT report FROM reports")["report"].to_list()


def unescaped(text: str) -> str:
    """Whatever a reader could make of a page: entities, JSON's and Markdown's escapes undone."""
    text = html.unescape(html.unescape(text))
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return re.sub(r"\\([!-/:-@[-`{-~])", r"\1", text)


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
    films = {view: [i for i, image in enumerate(images) if image["view"] == view] for view in ("AP", "PA")}
    counts = {(one["error_kind"], *one["terms"], one["rows"], one["errors"]) for one in own.subgroups}
    missed = sum(i % 2 for i in films["AP"])
    called = sum(1 - i % 2 for i in films["PA"])
    assert counts == {
        ("false negative", "view = AP", missed, missed),
        ("false positive", "view = PA", called, called),
    }
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


def test_phrases_that_held_out_films_deny_are_told_so(tmp_path: Path) -> None:
    """The phrase that comes first in the discovery half is not first where the confirmation half has it less inside;
    pages say whether each phrase is borne out, and which is rarer inside."""
    store = planted_store(tmp_path / "store")
    store.scan("m").discover(permutations=0, stability=0, most=1).describe().sink()
    table = Store.open(store.location).table("phrases").read()
    first = next(row for row in table.to_pylist() if row["rank"] == 1)
    denied = first | {"q_value": 0.9, "rate_inside": 0.1, "rate_outside": 0.4, "patients_outside": 40}
    fine = first | {"rank": 2, "phrase": "sure words", "q_value": 0.01, "patients_inside": 40}
    with store.commit("discover") as commit:
        commit.upsert("phrases", pa.Table.from_pylist([denied, fine], table.schema))
    report = Store.open(store.location).report()
    (told,) = (row["phrases"] for row in report.slices if row["slice_id"] == first["slice_id"])
    assert (told[0]["phrase"], told[0]["borne_out"]) == ("sure words", "yes")
    assert {one["borne_out"] for one in told if one["phrase"] == first["phrase"]} == {"no, rarer inside"}
    for page in (as_html(report), as_markdown(report)):
        assert "no, rarer inside" in page
        assert re.search("borne out", page, re.IGNORECASE)


def test_the_same_report_tomorrow(hostile: Store, whole: Report) -> None:
    """The page is the same to the byte."""
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


@pytest.mark.parametrize("form", ["html", "md", "json"])
def test_without_images_and_text_nothing_of_a_patient_is_passed_on(
    hostile: Store, whole: Report, tmp_path: Path, form: str
) -> None:
    """No byte of a picture, no five consecutive words of a report, no id: by search, with escapes undone."""
    path = tmp_path / f"report.{form}"
    options = ["--no-images", "--no-text"]
    ended = CliRunner().invoke(app, ["report", hostile.location, "--out", str(path), *options])
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


def test_a_report_says_what_of_patients_it_holds(hostile: Store, whole: Report, tmp_path: Path) -> None:
    """Pictures, ids and text of reports where they are there: not where they are left out, nor where there are none."""
    assert "This report holds images, ids and text of reports of patients." in as_html(whole)
    assert "This report holds ids and text of reports of patients, no images." in as_markdown(whole)
    bare = hostile.report(images=False, text=False)
    assert "This report holds no images, ids or text of reports of patients." in as_html(bare)
    without = planted_store(tmp_path / "store", samples=300, with_reports=False)
    without.scan("m").discover(permutations=0, stability=0).sink()
    report = Store.open(without.location).report()
    assert report.slices
    assert "This report holds ids of patients, no images or text of reports." in as_html(report)
    assert "This report holds ids of patients, no images or text of reports." in as_markdown(report)
    assert "one vector of its image and metadata" in as_html(report)


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


@pytest.mark.parametrize(
    ("unlabelled", "films", "is_told"), [(3, 1, False), (10, 1, False), (11, 1, True), (20, 2, False), (22, 2, True)]
)
def test_few_rows_left_out_are_not_counted(tmp_path: Path, unlabelled: int, films: int, is_told: bool) -> None:
    """Why rows were left out is told; how many only where they are of eleven patients, or with leave; and how many were
    selected, which less both halves would tell it, no more than that."""
    rng = np.random.default_rng(0)
    names = [f"s{i:03d}" for i in range(140)]
    labels = [None if i < unlabelled else i % 2 for i in range(140)]
    predictions = [
        {"sample_id": name, "model": "m", "target": "t", "label": label, "score": float(rng.random()), "threshold": 0.5}
        for name, label in zip(names, labels, strict=True)
    ]
    images = [{"sample_id": name, "patient_id": f"p{i // films}"} for i, name in enumerate(names)]
    vectors = {name: rng.standard_normal(4) for name in names}
    store = write_store(tmp_path / "store", images, predictions, vectors=vectors)
    store.scan("m").discover(permutations=0, stability=0).sink()
    opened = Store.open(store.location)
    for allowed in (False, True):
        report = opened.report(allow_small_cells=allowed)
        (target,) = report.targets
        assert report.audit["samples"] == (140 if is_told or allowed else None)
        assert "left_out_patients" not in target
        rows = {one["reason"]: one["rows"] for one in target["left_out"]}
        assert rows["no label"] == (unlabelled if is_told or allowed else None)
        assert target["confirmation_rows"] > 0


def test_numbers_of_few_patients_are_not_shown(tmp_path: Path) -> None:
    """A slice of fewer than 11 confirmation patients has no numbers unless they are asked for."""
    store = planted_store(tmp_path / "store", samples=120, inside=0.95)
    store.scan().discover(permutations=0, stability=0, min_size=5).sink()
    store = Store.open(store.location)
    few = store.sql("SELECT slice_id FROM slices WHERE confirmation_patients BETWEEN 1 AND 10")["slice_id"].to_list()
    assert few
    hidden = [row for row in store.report().slices if row["slice_id"] in few]
    shown = [row for row in store.report(allow_small_cells=True).slices if row["slice_id"] in few]
    for row in hidden:
        assert row["rows"] is row["errors"] is row["error_rate"] is row["patients"] is row["share"] is None
        assert not re.search(r"\d", row["sentence"])
        assert row["examples"] == []
    assert not {point["slice_id"] for point in store.report().points} & set(few)
    assert all(row["rows"] is not None and row["examples"] for row in shown)
    assert {point["slice_id"] for point in store.report(allow_small_cells=True).points} & set(few)
    assert "fewer than 11 patients are not shown" in as_html(store.report())


def test_nothing_of_few_patients_outside_is_shown(tmp_path: Path) -> None:
    """Nor anything of what is inside, which less the whole class would tell them, nor on the map who is in no slice."""
    store = planted_store(tmp_path / "store", samples=400, inside=0.95)
    store.scan().discover(permutations=0, stability=0).describe().sink()
    store = Store.open(store.location)
    kept = store.table("slices").read().drop_columns([CHECKSUM])
    place = kept.schema.get_field_index("baseline_patients")
    with store.commit("discover") as commit:
        few = pa.array([10] * kept.num_rows, pa.int64())
        commit.upsert("slices", kept.set_column(place, kept.schema.field(place), few))
    store = Store.open(store.location)
    hidden, shown = store.report(), store.report(allow_small_cells=True)
    assert any(row["phrases"] for row in hidden.slices)
    for row in hidden.slices:
        assert row["baseline_rate"] is row["lift"] is row["rows"] is row["patients"] is row["q_value"] is None
        assert not re.search(r"\d", row["sentence"])
        told = ("rows_inside", "rate_inside", "rate_outside", "lift", "q_value")
        assert {one[name] for one in row["phrases"] for name in told} <= {None}
    assert {point["slice_id"] for point in hidden.points} == {None}
    assert {point["slice_id"] for point in shown.points} > {None}
    assert all(row["baseline_rate"] is not None for row in shown.slices)
    assert any(one["rate_outside"] for row in shown.slices for one in row["phrases"])
    hidden, shown = store.report(text=False), store.report(text=False, allow_small_cells=True)
    assert not any("elsewhere" in row["sentence"] for row in hidden.slices)
    assert all("elsewhere" in row["sentence"] for row in shown.slices)


def test_an_audit_that_found_nothing_has_a_report(tmp_path: Path) -> None:
    """It says so, and what could have been seen."""
    store = planted_store(tmp_path / "store", samples=200, inside=0.12)
    store.scan().discover(permutations=19, stability=0).sink()
    page = as_html(Store.open(store.location).report())
    assert "No slice was found" in page
    assert "There are none in this audit" in page


def test_the_file_is_private_and_whole(hostile: Store, tmp_path: Path) -> None:
    """For its owner alone; a place that cannot be written is told, and the store is no such place."""
    path = tmp_path / "report.md"
    ended = CliRunner().invoke(app, ["report", hostile.location, "--audit", "November", "--out", str(path)])
    assert ended.exit_code == 0, ended.stderr
    assert "it holds ids and text of reports of patients, no images" in ended.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("# What net ")
    with pytest.raises(MisreadError, match="cannot be written"):
        hostile.report().save(tmp_path / "nowhere" / "report.html")
    inside = CliRunner().invoke(app, ["report", hostile.location, "--out", f"{hostile.location}/report.html"])
    assert inside.exit_code == 1
    assert "lies in the store" in inside.stderr
    unknown = CliRunner().invoke(app, ["report", hostile.location, "--out", str(tmp_path / "report.txt")])
    assert unknown.exit_code == 2
    with pytest.raises(UnknownNameError, match="November"):
        hostile.report("Novembre")


def test_a_notebook_shows_the_cards(whole: Report) -> None:
    """In a frame of its own, without any script."""
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


def test_shares_of_few_patients_outside_are_not_shown(tmp_path: Path) -> None:
    """A share outside a slice that one to ten held-out patients make up, of however many rows, is left out, and what
    would tell it, the tests among it; whether the confirmation half bears the phrase out is told."""
    store = planted_store(tmp_path / "store")
    store.scan("m").discover(permutations=0, stability=0).describe().sink()
    told = Store.open(store.location).table("phrases").read()
    few = ("patients_outside", "rate_outside", "lift", "lift_low", "lift_high", "z_score", "p_value", "q_value")

    def shown(patients: int) -> list[dict[str, object]]:
        counted = pa.array([patients] * told.num_rows, pa.int64())
        place = told.schema.get_field_index("patients_outside")
        with store.commit("discover") as commit:
            commit.upsert("phrases", told.set_column(place, told.schema.field(place), counted))
        report = Store.open(store.location).report()
        borne_out.append([one["borne_out"] for row in report.slices for one in row["phrases"]])
        return [{name: one[name] for name in few} for row in report.slices for one in row["phrases"]]

    borne_out: list[list[str]] = []

    assert any(one["rate_outside"] is not None for one in shown(11))
    assert shown(10)
    assert {value for one in shown(10) for value in one.values()} == {None}
    assert "yes" in borne_out[0]
    assert all(one == borne_out[0] for one in borne_out)


def test_a_slice_says_nothing_in_words_that_its_table_hides(tmp_path: Path) -> None:
    """What 1 to 10 patients outside have, the sentence does not compare with either."""
    store = planted_store(tmp_path / "store")
    store.scan("m").discover(permutations=0, stability=0).describe().sink()
    report = Store.open(store.location).report()
    hidden = [
        (row["sentence"], one["phrase"])
        for row in report.slices
        for one in row["phrases"]
        if one["rate_outside"] is None and one["phrase"] in row["sentence"]
    ]
    assert hidden
    for told, phrase in hidden:
        assert "against" not in told.partition(phrase)[2].partition(" and with ")[0]


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
    assert f"{target['smallest_effect_mean_loss']:.3g}" in as_html(report).partition("Least mean loss")[2]
    assert pl.DataFrame(report.points)["slice_id"].is_not_null().any()
    for page in (as_html(report), as_markdown(report)):
        assert "an audit of losses has none, so nothing was searched" in page
        assert not re.search(
            "No subgroup|read wrongly|read correctly|(slice|-01), right|(slice|-01), wrong|Least missed", page
        )


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


@pytest.mark.parametrize(("per_patient", "is_told"), [(20, False), (4, True)])
def test_a_half_of_few_patients_is_not_counted(tmp_path: Path, per_patient: int, is_told: bool) -> None:
    """However many films they have."""
    store = planted_store(tmp_path / "store", samples=200, per_patient=per_patient)
    store.scan("m").discover(permutations=0, stability=0, min_patients=1).sink()
    opened = Store.open(store.location)
    (shown,), (told,) = opened.report(allow_small_cells=True).targets, opened.report().targets
    halves = ("discovery", "confirmation")
    assert sum(shown[f"{half}_patients"] for half in halves) == 200 // per_patient
    assert all(shown[f"{half}_rows"] > 10 for half in halves)
    for name in (f"{half}_{what}" for half in halves for what in ("rows", "patients", "errors")):
        assert told[name] == (shown[name] if is_told else None)


def test_shares_of_patients_who_were_not_counted_are_not_shown(tmp_path: Path) -> None:
    """Audits from before patients outside were counted are read; nobody knows whether they are few."""
    store = planted_store(tmp_path / "store")
    store.scan("m").discover(permutations=0, stability=0).describe().sink()
    told = Store.open(store.location).table("phrases").read()
    place = told.schema.get_field_index("patients_outside")
    with store.commit("discover") as commit:
        unknown = pa.nulls(told.num_rows, pa.int64())
        commit.upsert("phrases", told.set_column(place, told.schema.field(place), unknown))
    opened = Store.open(store.location)
    for allowed in (False, True):
        report = opened.report(allow_small_cells=allowed)
        shares = {one["rate_outside"] for row in report.slices for one in row["phrases"]}
        assert (shares == {None}) is not allowed
