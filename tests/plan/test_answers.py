"""Answers that are kept: what was worked out once is not worked out again."""

import stat
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import misread as mr
from misread.execute import fusing
from misread.execute.cache import Cache, key_of
from misread.library import Store


def test_an_answer_is_kept_by_what_it_is_the_answer_to(mixed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same plan is worked out once; another plan, or other content, is another answer; a damaged one is none."""
    cache = Cache(mixed)
    cache.clear()
    frame = mixed.scan("m").fuse(modalities=["image"])
    first = frame.collect()
    (kept,) = cache.kept()
    assert "Fuse" in kept.plan
    with monkeypatch.context() as nothing_runs:
        nothing_runs.setattr("misread.execute.work._given", None)
        nothing_runs.setattr(fusing, "FusionFit", None)
        assert_frame_equal(mixed.scan("m").fuse(modalities=["image"]).collect(), first)
    assert key_of(mixed, frame.plan) != key_of(mixed, frame.head(3).plan)
    path = Path(mixed.location) / "cache" / f"{kept.key}.arrow"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = bytearray(path.read_bytes())
    content[-200] ^= 1
    path.write_bytes(content)
    assert_frame_equal(frame.collect(), first)
    assert cache.clear() == 1
    assert cache.kept() == []


def test_what_an_audit_found_is_searched_for_once(
    mixed: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked of memberships that were collected, or of slices of an audit that was kept, is read back."""
    import shutil

    shutil.copytree(mixed.location, tmp_path / "store")
    audit = mr.open(tmp_path / "store").scan("m").discover(permutations=0, stability=0)
    rows = audit.collect()
    audit.sink()
    slices = audit.describe().collect(cache=False)
    monkeypatch.setattr("misread.execute.work._given", None)
    assert_frame_equal(audit.filter("half = 'discovery'").collect(), rows.filter(pl.col("half") == "discovery"))
    views = audit.store.scan_table("images").select("sample_id", "view")
    assert audit.join(views, on="sample_id").collect().height == rows.height
    assert_frame_equal(audit.describe().collect(), slices)
    assert_frame_equal(audit.describe().select("slice_id").lazy().collect(), slices.select("slice_id"))


def test_old_answers_make_room_for_new_ones(mixed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache stays within its bytes; the answer unused for longest goes first."""
    cache = Cache(mixed)
    cache.clear()
    frames = [mixed.scan_table("images").head(rows) for rows in (10, 20, 30)]
    frames[0].collect()
    frames[1].collect()
    frames[0].collect()
    size = sum(kept.bytes for kept in cache.kept())
    monkeypatch.setattr("misread.execute.cache.MOST_BYTES", size + 500)
    frames[2].collect()
    keys = {kept.key for kept in cache.kept()}
    assert key_of(mixed, frames[1].plan) not in keys
    assert key_of(mixed, frames[2].plan) in keys
    cache.clear()


def test_equal_steps_run_once(mixed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two audits over the same vectors fuse them once."""
    fitted = []
    fit = fusing.FusionFit.fusion
    monkeypatch.setattr(fusing.FusionFit, "fusion", lambda self: fitted.append(1) or fit(self))
    fused = mixed.scan().fuse(modalities=["image"])
    left, right = fused.discover(permutations=0), fused.discover(permutations=0, min_size=12)
    left.join(right.select("slice_id", "sample_id"), on=["slice_id", "sample_id"]).collect(cache=False)
    assert fitted == [1]
