"""What people judge slices to be."""

import getpass
import shutil
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import misread as mr
from misread.cli.main import app
from misread.library import Store
from misread.schemas.errors import MisreadError, UnknownNameError
from misread.schemas.tables import CHECKSUM
from stores import planted_store


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with an audit; to be copied."""
    store = planted_store(tmp_path_factory.mktemp("judged") / "store", samples=600)
    store.scan().discover(permutations=0, stability=0).sink()
    return Path(store.location)


@pytest.fixture
def audited(made: Path, tmp_path: Path) -> Store:
    return mr.open(shutil.copytree(made, tmp_path / "store"))


def slices(store: Store) -> list[str]:
    return store.sql("SELECT slice_id FROM slices JOIN audits USING (audit_id) ORDER BY created_at, slice_id")[
        "slice_id"
    ].to_list()


def verdicts(store: Store) -> pl.DataFrame:
    return mr.open(store.location).sql("FROM verdicts ORDER BY slice_id")


def test_the_newest_verdict_of_a_slice_counts(audited: Store) -> None:
    """Earlier ones are kept, and the view shows the last, with who, when and why."""
    (first, *_) = slices(audited)
    audited.judge(first, "unclear", judged_by="A. Reader")
    mr.open(audited.location).judge(first, "artefact", judged_by="B. Reader", note="a lead crosses the lung")
    (row,) = verdicts(audited).to_dicts()
    assert (row["slice_id"], row["verdict"], row["judged_by"]) == (first, "artefact", "B. Reader")
    assert row["note"] == "a lead crosses the lung"
    assert row["carried_from"] is None
    assert mr.open(audited.location).scan_table("verdicts").collect().height == 2


def test_a_verdict_is_carried_to_the_slice_of_a_later_audit_it_agrees_with(audited: Store) -> None:
    """By the Jaccard index of members, at least a half; a verdict of its own takes its place."""
    (first, *_) = slices(audited)
    audited.judge(first, "confirmed", judged_by="A. Reader")
    mr.open(audited.location).scan(seed=1).discover(permutations=0, stability=0).sink()
    later = mr.open(audited.location)
    members = {name: set(rows["sample_id"]) for (name,), rows in later.sql("FROM memberships").group_by(["slice_id"])}
    kinds = dict(later.sql("SELECT slice_id, error_kind FROM slices").iter_rows())
    carried = verdicts(later).filter(pl.col("carried_from").is_not_null())
    agreeing = {
        name: overlap
        for name in slices(later)
        if not name.startswith(first[:12]) and kinds[name] == kinds[first]
        if (overlap := len(members[name] & members[first]) / len(members[name] | members[first])) >= 0.5
    }
    assert agreeing
    assert dict(carried.select("slice_id", "overlap").iter_rows()) == pytest.approx(agreeing)
    assert carried["carried_from"].unique().to_list() == [first]
    own = carried["slice_id"][0]
    later.judge(own, "label error", judged_by="B. Reader")
    (row,) = verdicts(later).filter(pl.col("slice_id") == own).to_dicts()
    assert (row["verdict"], row["carried_from"]) == ("label error", None)


def test_a_clock_that_was_set_back_makes_nothing_older(audited: Store) -> None:
    """What is audited and judged last is the newest, though what was before bears a later date."""
    ahead = datetime(2099, 1, 1, tzinfo=UTC)
    (first, *_) = slices(audited)
    audited.judge(first, "unclear", judged_by="A. Reader")
    for name, column in (("audits", "created_at"), ("verdicts", "judged_at")):
        rows = audited.table(name).read().drop_columns([CHECKSUM])
        place = rows.schema.get_field_index(column)
        moved = rows.set_column(place, rows.schema.field(place), pa.array([ahead], rows.schema.field(place).type))
        with audited.commit("test") as commit:
            commit.append_batches(name, [moved], moved.schema, replacing=True)
    audited.judge(first, "artefact", judged_by="B. Reader")
    assert verdicts(audited)["verdict"].to_list() == ["artefact"]
    last = audited.scan(seed=1).discover(permutations=0, stability=0).sink()
    assert audited.sql("SELECT audit_id FROM latest_audits")["audit_id"].to_list() == [last]
    assert audited.sql(audited.question("audits_made"))["audit_id"][0] == last


def test_what_cannot_be_judged_is_told(audited: Store) -> None:
    """A slice or verdict that does not exist is told with those that do; nothing is kept."""
    (first, *_) = slices(audited)
    with pytest.raises(UnknownNameError, match="did you mean"):
        audited.judge(first[:-1], "confirmed", judged_by="A")
    with pytest.raises(UnknownNameError, match="label error"):
        audited.judge(first, "wrong", judged_by="A")
    with pytest.raises(MisreadError, match="name"):
        audited.judge(first, "confirmed", judged_by=" ")
    assert verdicts(audited).is_empty()


def test_the_command_keeps_a_verdict(audited: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """`misread verdict STORE SLICE VERDICT`, by whoever is logged in unless --by says else."""
    (first, *_) = slices(audited)
    monkeypatch.setattr(getpass, "getuser", lambda: "reader")
    ended = CliRunner().invoke(app, ["verdict", audited.location, first, "label error", "--note", "no drain"])
    assert (ended.exit_code, ended.stdout) == (0, "")
    (row,) = verdicts(audited).to_dicts()
    assert (row["verdict"], row["judged_by"], row["note"]) == ("label error", "reader", "no drain")
    assert CliRunner().invoke(app, ["verdict", audited.location, first, "odd"]).exit_code == 2


@pytest.mark.parametrize("error", [KeyError("getpwuid(): uid not found: 12345"), OSError("no username set")])
def test_who_has_no_name_is_asked_for_one(audited: Store, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """In a container the user may be a number alone: nothing is kept, and the option is named."""

    def nobody() -> str:
        raise error

    (first, *_) = slices(audited)
    monkeypatch.setattr(getpass, "getuser", nobody)
    ended = CliRunner().invoke(app, ["verdict", audited.location, first, "unclear"])
    assert ended.exit_code == 2
    assert "--by NAME" in ended.stderr
    assert verdicts(audited).is_empty()
