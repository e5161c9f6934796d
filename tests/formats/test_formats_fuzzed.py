"""Readers meet files that are spoiled at random: they tell faults, and never crash or hang."""

import gzip
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from formats.miniatures import MINIATURES

from misread.formats import FORMATS, format_sources
from misread.ingest.checks import check
from misread.ingest.faultbook import FaultBook
from misread.progress import silent
from misread.schemas.errors import MisreadError
from misread.store import TableStore

FILES = 2000
"""Spoiled files a reader; a twentieth of them without `-m exhaustive`."""
SECONDS = 20
FILMS = 12
AT_ONCE = 10
NUMBERS = [b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\xff\xff\xff\x7f", b"-1", b"1e999", b"\x00", b'"', b"..", b"/"]

Spoil = Callable[[random.Random, bytes], bytes]


def flip(chance: random.Random, content: bytes) -> bytes:
    spoiled = bytearray(content)
    for _ in range(chance.choice([1, 1, 4, 32])):
        if spoiled:
            spoiled[chance.randrange(min(len(spoiled), chance.choice([600, len(spoiled)])))] = chance.randrange(256)
    return bytes(spoiled)


def cut(chance: random.Random, content: bytes) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def lose(chance: random.Random, content: bytes) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + content[at + chance.randrange(1, 64) :]


def double(chance: random.Random, content: bytes) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + content[max(0, at - 100) :]


def insert(chance: random.Random, content: bytes) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice([*NUMBERS, chance.randbytes(16)]) + content[at:]


def overwrite(chance: random.Random, content: bytes) -> bytes:
    number = chance.choice(NUMBERS)
    at = chance.randrange(len(content) + 1)
    return content[:at] + number + content[at + len(number) :]


def noise(chance: random.Random, content: bytes) -> bytes:
    return chance.randbytes(chance.choice([0, 1, 200, len(content)]))


SPOILS: list[Spoil] = [flip, flip, flip, cut, lose, double, insert, overwrite, overwrite, noise]


def spoiled(chance: random.Random, content: bytes) -> bytes:
    """The content with one thing wrong; what is packed is now and then spoiled inside."""
    if content[:2] == b"\x1f\x8b" and chance.random() < 0.8:
        return gzip.compress(chance.choice(SPOILS)(chance, gzip.decompress(content)), 1)
    return chance.choice(SPOILS)(chance, content)


@contextmanager
def no_longer_than(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def chosen(chance: random.Random, files: list[Path]) -> list[Path]:
    """One table, which may hide what is wrong with all else, or several other files."""
    tables = [path for path in files if path.suffix in (".csv", ".gz", ".npz")]
    others = sorted(set(files) - set(tables))
    if tables and (not others or chance.random() < 0.5):
        return [chance.choice(tables)]
    return chance.sample(others, AT_ONCE)


def fuzz(name: str, folder: Path, wanted: int) -> float:
    """Reads the miniature with files spoiled until `wanted` were; returns the share of readings that told faults."""
    root = folder / "root"
    root.mkdir()
    MINIATURES[name](root, FILMS)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    whole = {path: path.read_bytes() for path in files}
    store = TableStore.open_or_new(folder / "store")
    sources = format_sources(name, root, folder / "store")
    told = readings = count = 0
    while count < wanted:
        chance = random.Random(readings)
        some = chosen(chance, files)
        for path in some:
            path.write_bytes(spoiled(chance, whole[path]))
        book = FaultBook(skipping=True)
        try:
            with no_longer_than(SECONDS):
                check(store, sources, book, silent)
                told += bool(book.faults)
        except MisreadError:
            told += 1
        except BaseException as error:
            raise AssertionError(f"{name}, reading {readings}: {error!r}") from error
        for path in some:
            path.write_bytes(whole[path])
        count += len(some)
        readings += 1
    return told / readings


@pytest.mark.slow
@pytest.mark.parametrize("files", [FILES // 20, pytest.param(FILES, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_spoiled_files_are_told(name: str, files: int, tmp_path: Path) -> None:
    """Whatever is in a file, reading ends, soon, with an answer or with faults; much that is spoiled is told."""
    assert fuzz(name, tmp_path, files) > 0.2
