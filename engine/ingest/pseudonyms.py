"""Ids as keyed hashes: the same id gives the same pseudonym wherever the key is the same, and none without it.

A pseudonym proves itself: its last digits are a hash, under the key, of those before. So what was hashed once, in rows
that were rejected or in an answer of the store, is known again and stays as it is.
"""

import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

import polars as pl

from misread.schemas.errors import MisreadError
from misread.writing import create

from .beside_store import beside
from .cells import id_texts
from .files import Source

IDS: Final = ("sample_id", "patient_id", "study_id")
DIGITS: Final = 32
_PROOF: Final = 12
"""Digits that prove the others: a text of the same form passes for a pseudonym once in 16^12."""
_SHORTEST_KEY = 16


@dataclass(frozen=True)
class Pseudonyms:
    """HMAC-SHA256 of ids under a key. `kept`: columns among IDS and `image` that stay as they are.

    `new_in`: where a key that is in no file yet is to be kept before anything hashed with it is (`keep_key`).
    """

    key: bytes
    kept: frozenset[str] = frozenset()
    new_in: Path | None = None

    def of(self, kind: str, text: str) -> str:
        """32 hex digits for one id; the kind is hashed with it, so that equal ids of two kinds do not show.

        A pseudonym of this key and kind stays as it is: `of(kind, of(kind, text)) == of(kind, text)`.
        """
        if len(text) == DIGITS and self._proof(kind, text[:-_PROOF]) == text[-_PROOF:]:
            return text
        digits = self._digest(f"{kind}\0{text}")[: DIGITS - _PROOF]
        return digits + self._proof(kind, digits)

    def _proof(self, kind: str, digits: str) -> str:
        return self._digest(f"\0{kind}\0{digits}")[:_PROOF]  # no id is hashed so: its kind is never empty

    def _digest(self, text: str) -> str:
        return hmac.new(self.key, text.encode("utf-8", "surrogatepass"), sha256).hexdigest()

    def keep_key(self) -> None:
        """Puts a new key into its file. Raises MisreadError for a place that cannot be written, or has another key."""
        if self.new_in is not None and kept_key(self.new_in, self.key) != self.key:
            raise MisreadError(
                f"another command made the key {self.new_in} meanwhile",
                "run the same command again; nothing of this one is stored",
            )

    @property
    def hashed(self) -> tuple[str, ...]:
        """The ids that are hashed, among IDS."""
        return tuple(name for name in IDS if name not in self.kept)

    def source(self, source: Source) -> Source:
        """The file with its ids hashed; columns that can hold no ids stay, to be told as faults."""
        frame = source.frame
        for column in source.columns:
            kind = column.casefold()
            cells = id_texts(frame[column]) if kind in self.hashed else None
            if cells is not None:
                frame = frame.with_columns(self._hashed(kind, cells).alias(column))
        return replace(source, frame=frame)

    def pictures(
        self, frame: pl.DataFrame, read: Callable[[str], bytes]
    ) -> tuple[pl.DataFrame, Callable[[str], bytes]]:
        """The rows with the paths of their pictures hashed, and what reads pictures by the hashes."""
        if "image" in self.kept:
            return frame, read
        hashed = self._hashed("image", frame["image"])
        paths = dict(zip(hashed.to_list(), frame["image"].to_list(), strict=True))
        return frame.with_columns(hashed.alias("image")), lambda name: read(paths[name])

    def _hashed(self, kind: str, cells: pl.Series) -> pl.Series:
        return pl.Series(cells.name, [None if c is None else self.of(kind, c) for c in cells], pl.String)


def read_key(path: Path) -> bytes:
    """The key in a file, without blanks around it. Raises MisreadError where there is none or it is too short."""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise MisreadError(
            f"the key file {path} cannot be read: {error.strerror}",
            "make one, for its owner alone to read, with: (umask 077; openssl rand -hex 32 > FILE)",
        ) from None
    if not key:
        raise MisreadError(
            f"the key file {path} is empty",
            "put back the key that ids were stored with; if there is none yet, remove the file, or make a key with: "
            "(umask 077; openssl rand -hex 32 > FILE)",
        )
    if len(key) < _SHORTEST_KEY:
        raise MisreadError(
            f"the key in {path} has {len(key)} bytes, too few to keep ids from being guessed",
            f"a key has at least {_SHORTEST_KEY} bytes; make one with: (umask 077; openssl rand -hex 32 > FILE)",
        )
    return key


def key_beside(store: str | os.PathLike[str]) -> Path:
    """The file of a store's own key, `STORE.key`."""
    return beside(store, ".key")


def by_key_in(path: Path, kept: frozenset[str]) -> Pseudonyms:
    """Hashes under the key in a file; where there is none, under a new one, which is not kept yet.

    Raises MisreadError as `read_key` does.
    """
    return Pseudonyms(read_key(path), kept) if path.exists() else Pseudonyms(new_key(), kept, path)


def new_key() -> bytes:
    return secrets.token_hex(32).encode()


def kept_key(path: Path, key: bytes) -> bytes:
    """The key in a file: this one, for its owner alone to read, where there was none.

    Raises MisreadError for a place that cannot be written, and as `read_key` does.
    """
    if not path.exists():
        create(path, key + b"\n")
    return read_key(path)
