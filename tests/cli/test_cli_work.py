"""The commands that change a store hand their options on and tell what happened."""

import functools
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import misread as mr
from misread.cli.main import app
from misread.encode import PRECISIONS, Settings
from misread.schemas.errors import Fault, InputFaultsError
from stores import VIEW, planted_store, write_store

FAULTS = (
    Fault("metadata.csv", 3, "image", "no such file: \x1b[2J.png"),
    Fault("predictions.csv", 7, "score", "1.5 is outside 0..1"),
    Fault("reports.csv", None, None, "empty file"),
)


class Recorder:
    """Stands for a module's function: remembers how it was called and returns or raises what it was given."""

    def __init__(self, result: object) -> None:
        self.result = result
        self.called: dict[str, Any] = {}

    def __call__(self, *arguments: object, **named: object) -> object:
        self.called = {"arguments": arguments, **named}
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


def standing_in(monkeypatch: pytest.MonkeyPatch, module: str, **attributes: object) -> None:
    """The module is replaced wherever it is imported from now on."""
    import misread

    stand_in = SimpleNamespace(**attributes)
    monkeypatch.setitem(sys.modules, f"misread.{module}", stand_in)
    monkeypatch.setattr(misread, module, stand_in, raising=False)


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def ingest_with(monkeypatch: pytest.MonkeyPatch, result: object) -> Recorder:
    recorder = Recorder(result)
    sources = lambda *given, **named: (*given, named["identifiers_kept"])  # noqa: E731 - a stand-in
    standing_in(monkeypatch, "ingest", ingest=recorder, Sources=sources)
    return recorder


def test_ingest_tells_what_became_of_the_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Counts go to standard output, notices to standard error."""
    counts = SimpleNamespace(added=3, changed=1, unchanged=0)
    result = SimpleNamespace(tables={"images": counts}, notices=("2 patients unknown",), faults=(), rejected=None)
    recorder = ingest_with(monkeypatch, result)
    named = 'name, "Name, first"'
    ended = invoke("ingest", tmp_path / "s", "--metadata", "m.csv", "--keep-identifiers", named)
    assert (ended.exit_code, ended.stdout) == (0, "images: 3 added, 1 changed, 0 unchanged\n")
    assert ended.stderr == "2 patients unknown\n"
    assert recorder.called["arguments"][1] == (Path("m.csv"), None, None, None, None, ("name", "Name, first"))
    assert recorder.called["skip_faulty"] is False


def test_every_fault_of_the_input_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All faults come as one table on standard error, with file, row, column and reason, and their number."""
    ingest_with(monkeypatch, InputFaultsError(FAULTS, "mend them, or use --skip-faulty"))
    ended = invoke("ingest", tmp_path / "s", "--metadata", "m.csv")
    assert (ended.exit_code, ended.stdout) == (1, "")
    lines = ended.stderr.splitlines()
    assert lines[0].split() == ["file", "row", "column", "reason"]
    assert lines[1].split()[:3] == ["metadata.csv", "3", "image"]
    assert "\\x1b[2J" in lines[1]
    assert lines[3].split()[:3] == ["reports.csv", "NULL", "NULL"]
    assert lines[4] == "Error: 3 faults in the input."
    assert lines[5] == "mend them, or use --skip-faulty"


def test_skipped_faults_are_shown_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With --skip-faulty the good rows are in, the faults are shown, and the exit status is 0."""
    result = SimpleNamespace(tables={}, notices=(), faults=FAULTS, rejected=Path("s.rejected"))
    recorder = ingest_with(monkeypatch, result)
    ended = invoke("ingest", tmp_path / "s", "--metadata", "m.csv", "--skip-faulty")
    assert ended.exit_code == 0
    assert recorder.called["skip_faulty"] is True
    assert "3 faults" in ended.stderr
    assert "s.rejected" in ended.stderr


def test_ingest_of_nothing_is_wrong_usage(tmp_path: Path) -> None:
    """Without any input file there is nothing to do; no store is made."""
    assert invoke("ingest", tmp_path / "s").exit_code == 2
    assert not (tmp_path / "s").exists()


def test_embed_hands_its_encoders_on(monkeypatch: pytest.MonkeyPatch, store: Path) -> None:
    """The built-in encoders are the default; `none` leaves a modality out."""
    done = SimpleNamespace(encoded=5, total=12, dimension=64)
    recorder = Recorder(SimpleNamespace(encoders={"hog": done}, notices=()))
    standing_in(monkeypatch, "encode", embed=recorder, Settings=Settings, PRECISIONS=PRECISIONS)
    assert invoke("embed", store).stdout == "hog: 5 of 12 encoded, 64 numbers a vector\n"
    assert (recorder.called["image_encoder"], recorder.called["report_encoder"]) == ("hog", "tfidf")
    assert recorder.called["settings"] == Settings()
    assert invoke("embed", store, "--report-encoder", "none", "--refit").exit_code == 0
    assert recorder.called["report_encoder"] is None
    assert recorder.called["refit"] is True
    asked = [
        "--image-encoder",
        "models/clip",
        "--device",
        "cpu",
        "--precision",
        "float16",
        "--threads",
        3,
        "--download",
    ]
    assert invoke("embed", store, *asked).exit_code == 0
    assert recorder.called["image_encoder"] == "models/clip"
    assert recorder.called["settings"] == Settings("cpu", "float16", 3, download=True)
    assert invoke("embed", store, "--precision", "float8").exit_code == 2
    assert invoke("embed", store, "--image-encoder", "none", "--report-encoder", "none").exit_code == 2


class Plan:
    """Stands for the store and its plan: remembers each step."""

    def __init__(self) -> None:
        self.steps: dict[str, Any] = {}

    def __getattr__(self, step: str) -> Any:
        def record(*arguments: object, **named: object) -> object:
            self.steps[step] = (arguments, named)
            return "audit-7" if step == "sink" else self

        return record


def test_discover_builds_the_plan_that_was_asked_for(monkeypatch: pytest.MonkeyPatch, store: Path) -> None:
    """Each option reaches its step; what is not given is left to the step."""
    plan = Plan()
    standing_in(monkeypatch, "library", open=plan.open)
    asked = ["--model", "a", "--model", "b", "--where", "age > 60", "--modalities", "image,metadata", "--min-size", 9]
    ended = invoke("discover", store, *asked, "--metadata-columns", "age, sex", "--threshold", 0.3, "--seed", 4)
    assert (ended.exit_code, ended.stdout) == (0, "audit-7\n")
    assert "misread slices" in ended.stderr
    assert plan.steps["scan"][1] == {"model": ["a", "b"], "target": None, "seed": 4, "include_train": False}
    assert plan.steps["filter"][0] == ("age > 60",)
    assert plan.steps["fuse"][1]["modalities"] == ("image", "metadata")
    assert plan.steps["fuse"][1]["metadata"] == ("age", "sex")
    assert plan.steps["discover"][1] == {"min_size": 9, "threshold": 0.3}
    assert invoke("discover", store, "--losses").exit_code == 0
    assert plan.steps["discover"][1] == {"losses": True}
    assert invoke("discover", store, "--pool", 20_000).exit_code == 0
    assert plan.steps["discover"][1] == {"pool": 20_000}
    assert invoke("discover", store, "--where", "").exit_code == 0
    assert plan.steps["filter"][0] == ("",)  # a variable that a script left empty is no reason to audit all rows


def test_discover_explains_its_plan_and_names_its_audit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`--explain` shows the plan on standard output and runs nothing; `--name` names the audit."""
    store = planted_store(tmp_path / "store", samples=200)
    ended = invoke("discover", store.location, "--explain", "--where", "view = 'PA'")
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout == store.scan().filter("view = 'PA'").fuse().discover().describe().explain() + "\n"
    ended = invoke("discover", store.location, "--explain", "--permutations", 29, "--min-size", 12, "--stability", 3)
    asked = store.scan().fuse().discover(permutations=29, min_size=12, stability=3)
    assert ended.stdout == asked.describe().explain() + "\n"
    assert "audits" not in mr.open(store.location).manifest.tables
    ended = invoke("discover", store.location, "--name", "november", "--stability", 0)
    assert ended.exit_code == 0, ended.stderr
    assert mr.open(store.location).audit_id("november") == ended.stdout.strip()


def test_audits_that_chose_different_thresholds_are_told_apart(tmp_path: Path) -> None:
    """Two years at two Youden points have error rates that do not compare; at one given threshold they do. Of many
    models and targets three are told, and how many more there are."""
    rng = np.random.default_rng(0)
    names = [f"s{i:03d}" for i in range(200)]
    images = [{"sample_id": name, "view": str(2025 + i % 2)} for i, name in enumerate(names)]
    predictions = [
        {"sample_id": name, "model": "m", "target": of, "label": int(rng.random() < 0.5), "score": float(rng.random())}
        for name in names
        for of in "tuvw"
    ]
    vectors = {name: rng.standard_normal(4) for name in names}
    store = write_store(tmp_path / "store", images, predictions, vectors=vectors, metadata=[VIEW]).location

    def audited(year: int, *options: object) -> Result:
        return invoke("discover", store, "--where", f"view = '{year}'", "--stability", 0, "--permutations", 0, *options)

    first, second = audited(2025), audited(2026)
    taken = dict(mr.open(store).sql("SELECT audit_id, threshold FROM audit_targets WHERE target = 't'").iter_rows())
    before, after = (taken[ended.stdout.strip()] for ended in (first, second))
    assert before != after
    assert "do not compare" not in first.stderr
    assert f"m, t: the threshold chosen here is {after:.3g}, that of audit {first.stdout.strip()}" in second.stderr
    assert f"--threshold {before}, or" in second.stderr
    assert second.stderr.count("do not compare") == 3
    assert "… and likewise for 1 more\n" in second.stderr
    assert "do not compare" not in audited(2026, "--threshold", before).stderr


def test_cache_shows_and_clears_the_answers_that_are_kept(tmp_path: Path) -> None:
    """One row an answer: its plan's first line, the one used last first; `--clear` removes them all."""
    store = planted_store(tmp_path / "store", samples=50)
    assert invoke("cache", store.location, "--format", "csv").stdout == "answer,last_used,kilobytes,plan\n"
    frames = (store.scan_table("images").head(3), store.scan_table("reports"))
    for frame in frames:
        frame.collect()
    rows = json.loads(invoke("cache", store.location, "--format", "json").stdout)
    assert [row["plan"] for row in rows] == [frame.explain(optimised=False).splitlines()[0] for frame in frames[::-1]]
    assert all(row["kilobytes"] > 0 for row in rows)
    ended = invoke("cache", store.location, "--clear")
    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "", "2 answers removed\n")
    assert json.loads(invoke("cache", store.location, "--format", "json").stdout) == []


def test_discover_refuses_what_cannot_be(store: Path) -> None:
    """A modality that does not exist and a threshold outside 0 to 1 are wrong usage."""
    assert invoke("discover", store, "--modalities", "image,sound").exit_code == 2
    assert invoke("discover", store, "--threshold", 1.5).exit_code == 2


def test_an_unexpected_error_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A fault of misread itself names its kind, and how to see more; status 1."""
    ingest_with(monkeypatch, RuntimeError("odd\nthings"))
    ended = invoke("ingest", tmp_path / "s", "--metadata", "m.csv")
    assert ended.exit_code == 1
    assert ended.stderr.splitlines()[0] == "Error: RuntimeError: odd"
    assert "MISREAD_DEBUG=1" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_the_demo_shows_what_it_finds_and_then_the_known_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`misread demo STORE` prints the slices, the answer to its SQL, and apart from them what was planted."""
    from misread.demo import run as demonstration

    small = functools.partial(demonstration.run, films=100, training_films=60)
    monkeypatch.setattr(demonstration, "run", small)
    result = invoke("demo", str(tmp_path / "store"))
    assert result.exit_code == 0, result.stderr
    parts = ("Slices found", "misread sql", "The known answer", "pneumothorax without a drain", "look on with")
    places = [result.stdout.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)
