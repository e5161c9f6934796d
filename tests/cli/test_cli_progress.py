"""Long work tells how far it is where nobody watches, too."""

import time

import pytest

from misread.cli.progress import Lines


def test_lines_tell_rate_and_time_left(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """At most one line a minute for each kind of work; the rate is that of this run, not of what was there before."""
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    told = Lines()
    told(5_000, 20_000, "images encoded")
    for _ in range(13):
        now += 10
        told(5_000 + round(now - 1000) * 5, 20_000, "images encoded")
        told(1, 2, "reports encoded")
    assert capsys.readouterr().err.splitlines() == [
        "5,300 of 20,000 images encoded, 5.0 a second, 49 min left",
        "5,600 of 20,000 images encoded, 5.0 a second, 48 min left",
    ]
    now += 60
    told(20_000, 20_000, "images encoded")
    assert capsys.readouterr().err == "20,000 of 20,000 images encoded, 78.9 a second\n"


def test_short_work_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """What is done within a minute writes nothing."""
    told = Lines()
    for done in range(100):
        told(done, 100, "rows")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("seconds", "left"), [(20, "under a minute"), (1000, "17 min"), (8000, "2 h 13 min")])
def test_time_left_is_told_as_people_do(
    seconds: int, left: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In minutes, and in hours from an hour on."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    told = Lines()
    told(0, 1000, "rows")
    now = 100.0
    told(100, 100 + seconds, "rows")
    assert capsys.readouterr().err.endswith(f", {left} left\n")
