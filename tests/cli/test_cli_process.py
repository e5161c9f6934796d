"""The command as a process: streams, exit statuses, terminals, interruptions."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from misread.cli.main import app
from misread.ingest import embeddings, predictions, reports

Run = Callable[..., "subprocess.CompletedProcess[str]"]
COMMAND = [sys.executable, "-m", "misread.cli"]


def at_terminal(*arguments: str, columns: int = 100) -> str:
    """What a person sees at a terminal of that width."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    process = subprocess.Popen([*COMMAND, *arguments], stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    seen = b""
    while chunk := _read(leader):
        seen += chunk
    os.close(leader)
    process.wait()
    return seen.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux ends a terminal with an error
        return b""


def test_answers_and_refusals_go_their_own_ways(misread: Run, store: Path) -> None:
    """Results go to standard output with status 0; errors to standard error with 1, or 2 for wrong usage."""
    answered = misread("sql", store, "SELECT count(*) AS n FROM images")
    assert (answered.returncode, answered.stdout, answered.stderr) == (0, " n\n12\n", "")
    refused = misread("sql", store, "SELECT agee FROM images")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Error: no column 'agee' in images; did you mean 'age'?\n")
    misused = misread("sql", store)
    assert (misused.returncode, misused.stdout) == (2, "")
    assert "Usage" in misused.stderr


@pytest.mark.parametrize("wrong", [["nonsense"], ["sql", "store", "SELECT 1", "--format", "xml"], ["info", "--nope"]])
def test_wrong_usage_is_told(wrong: list[str]) -> None:
    """A command, an option, and a choice that there is not: status 2, and how it is used."""
    misused = CliRunner().invoke(app, wrong)
    assert (misused.exit_code, misused.stdout) == (2, "")
    assert "Usage" in misused.stderr


def test_no_error_is_a_bare_traceback(misread: Run, store: Path, tmp_path: Path) -> None:
    """A store that is missing or damaged is told in words; MISREAD_DEBUG=1 shows where it happened."""
    missing = misread("info", tmp_path / "nowhere")
    assert missing.returncode == 1
    assert "there is no misread store" in missing.stderr
    (tmp_path / "manifest.json").write_text("{")
    for settings in ({}, {"MISREAD_DEBUG": "1"}):
        damaged = misread("sql", tmp_path, "SELECT 1", **settings)
        assert damaged.returncode == 1
        assert ("Traceback" in damaged.stderr) == bool(settings)


def test_a_reader_that_leaves_is_no_error(store: Path) -> None:
    """`| head` ends quietly."""
    asked = ["sql", str(store), "SELECT * FROM range(200000)"]
    with subprocess.Popen([*COMMAND, *asked], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "range"
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_change_nothing(closed: str, store: Path, tmp_path: Path) -> None:
    """As where a scheduler gives none: the result is written, and the status is 0."""
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND]
    asked = subprocess.run([*shell, "slices", str(store), "--audit", "newer"], capture_output=True, check=False)
    told = b"" if ">&-" in closed.split() else b"Audit newer found no slices: too few errors to search\n"
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, told, b"")
    written = [*shell, "sql", str(store), "SELECT 1 AS x", "--output", str(tmp_path / "x.csv")]
    assert subprocess.run(written, check=False).returncode == 0
    assert (tmp_path / "x.csv").read_text() == "x\n1\n"


@pytest.mark.parametrize("reader", ["has left", "is a full disk"])
def test_notices_that_nobody_can_read_end_no_work(reader: str) -> None:
    """A job went no further, with status 0, where its first notice met a reader of standard error that had left."""
    program = """
import sys
from misread.cli import main, messages, progress

@main.app.command()
@main.guarded
def job():
    messages.note("begun")
    progress.Lines(every=0)(0, 2, "films")
    progress.Lines(every=0)(1, 2, "films")
    print("done")

sys.argv = ["misread", "job"]
main.run()
"""
    readable, writable = os.pipe()
    os.close(readable)
    if reader == "is a full disk":
        os.close(writable)
        writable = os.open("/dev/full", os.O_WRONLY)
    job = [sys.executable, "-c", program]
    ended = subprocess.run(job, stdout=subprocess.PIPE, stderr=writable, text=True, check=False)
    os.close(writable)
    assert (ended.returncode, ended.stdout) == (0, "done\n")


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.5])
def test_an_interruption_is_one_line(delay: float, store: Path, tmp_path: Path) -> None:
    """Ctrl-C, while the store is being opened or later, stops a long question with status 130 and one line."""
    asked = ["sql", str(store), "SELECT count(*) FROM range(1000000000000) a WHERE hash(a) = 1"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [*COMMAND, *asked], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        while not list(tmp_path.iterdir()):  # the session's folder: DuckDB is being opened
            time.sleep(0.05)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out) == (130, "")
    assert err.startswith("Interrupted")
    assert not list(tmp_path.iterdir())
    assert err.count("\n") == 1


def test_a_terminal_shows_a_drawn_table(store: Path) -> None:
    """At a terminal the table is drawn, and data still cannot act on it."""
    seen = at_terminal("sql", str(store), "SELECT sample_id, report FROM reports")
    assert "│" in seen
    assert "\\x1b[31mdrain" in seen
    assert "\x1b[31m" not in seen
    for form in ("csv", "json"):
        assert "\x1b" not in at_terminal("sql", str(store), "SELECT report FROM reports", "--format", form)


def test_a_narrow_terminal_shows_all_columns(store: Path) -> None:
    """Where columns would be squeezed past reading, the table is plain."""
    seen = at_terminal("sql", str(store), "SELECT * FROM images", columns=60)
    assert "│" not in seen
    assert seen.split()[0] == "sample_id"


def test_parquet_is_not_thrown_at_a_terminal(store: Path) -> None:
    """Binary output at a terminal is wrong usage."""
    seen = at_terminal("sql", str(store), "SELECT 1", "--format", "parquet")
    assert "PAR1" not in seen
    assert "--output" in seen


def test_other_encodings_of_the_terminal_break_nothing(misread: Run, store: Path) -> None:
    """Output off a terminal is UTF-8 whatever the locale."""
    ended = misread(
        "sql", store, "SELECT chr(233) || chr(10003) AS x", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"
    )
    assert (ended.returncode, ended.stdout) == (0, "x\né✓\n")


def test_a_question_in_another_encoding_is_told(store: Path) -> None:
    """Bytes that are no UTF-8 in the question are an error in words."""
    ended = subprocess.run([*COMMAND, "sql", str(store), b"SELECT '\xff'"], capture_output=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith(b"Error: query: text is ")
    assert b"no UTF-8" in ended.stderr


def test_help_and_version() -> None:
    """`misread` alone prints help; every command has one sentence; --version tells the version."""
    alone = CliRunner().invoke(app)
    assert alone.exit_code == 0
    for verb in ("demo", "ingest", "embed", "discover", "slices", "sql", "info"):
        assert f"\n  {verb} " in alone.stdout
    assert "..." not in alone.stdout.split("Commands:")[1]
    told = CliRunner().invoke(app, ["--version"])
    assert told.stdout.startswith("misread 0.")


@pytest.mark.parametrize("verb", ["demo", "ingest", "embed", "discover", "slices", "sql", "info"])
def test_every_option_is_explained(verb: str) -> None:
    """No option of any command goes without words."""
    command = typer.main.get_command(app).commands[verb]  # type: ignore[attr-defined]
    assert all(parameter.help for parameter in command.params if parameter.name != "help")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_no_fault_of_misread(store: Path) -> None:
    """Where a result goes there may be no room: that is told as such."""
    with Path("/dev/full").open("wb") as full:
        asked = [*COMMAND, "sql", str(store), "SELECT * FROM images"]
        ended = subprocess.run(asked, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1
    assert "does not fit: No space left on device" in ended.stderr
    assert "fault of misread" not in ended.stderr


def test_very_many_faults_stay_readable_at_a_terminal(misread: Run, tmp_path: Path) -> None:
    """The first of every column are drawn and the rest counted; away from a terminal all are told."""
    rows = [f"s{at // 2},60" if at < 1200 else f"s{at},60,M" for at in range(2400)]
    file = tmp_path / "metadata.csv"
    file.write_text("\n".join(["sample_id,age", *rows, ""]))
    asked = ("ingest", str(tmp_path / "store"), "--metadata", str(file))
    seen = at_terminal(*asked, columns=160)
    assert seen.count("the row has 3 cells") == seen.count("is there 2 times") == 10
    assert "and 2,380 more like these" in seen
    assert "Error: 2400 faults in the input." in seen
    assert misread(*asked).stderr.count("metadata.csv") == 2400


@pytest.mark.parametrize("where", ["before", "within"])
def test_an_interrupted_command_does_not_wait_for_threads_that_call_back(where: str) -> None:
    """It is told and the process ends without Python's own end, which a thread of Lance's would abort."""
    program = f"""
import atexit, sys
from misread.cli import main

@main.app.command()
@main.guarded
def stopped():
    raise KeyboardInterrupt

if {where == "before"}:
    main.remember_interruptions = stopped.__wrapped__
atexit.register(print, "Python's own end")
print("said before")
sys.argv = ["misread", "stopped"]
main.run()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (130, "said before\n")
    assert ended.stderr == "Interrupted. Nothing half-done is visible in the store.\n"


def test_the_help_of_ingest_names_every_column() -> None:
    """What a file may have and the help does not say is found by nobody: as a task, without which the classes of one
    question are judged each by itself."""
    told = " ".join(CliRunner().invoke(app, ["ingest", "--help"]).stdout.split())
    for file, module in (("reports", reports), ("predictions", predictions), ("embeddings", embeddings)):
        own = told.partition(f"--{file} FILE")[2].partition(" --")[0]
        assert all(re.search(rf"\b{column}\b", own) for column in module.COLUMNS)
