"""One store, one way to write ids: with another key than the store's, or without it, every sample comes twice."""

import re
from collections.abc import Iterable
from typing import Final

import polars as pl

from .cells import id_texts
from .faultbook import FaultBook
from .files import Source
from .pseudonyms import DIGITS, Pseudonyms

_PSEUDONYM: Final = re.compile(f"[0-9a-f]{{{DIGITS}}}")
_SAMPLE: Final = "sample_id"
_ANOTHER_KEY: Final = (
    "the ids in the store are hashed under another key: give that one with --key, or every sample would be there twice"
)
_NO_KEY: Final = (
    "the ids in the store are keyed hashes, and these are not: give the same key with --key (that of --format dicom is "
    "STORE.key), or --keep-identifiers sample_id to store these as they are"
)
_AS_THEY_ARE: Final = (
    "the store holds these ids as they are, and with --key every sample would be there twice: leave out --key, or make "
    "a new store with it"
)


def has_stored_ids(
    files: Iterable[Source], stored: pl.Series, pseudonyms: Pseudonyms | None, kept: Iterable[str], book: FaultBook
) -> bool:
    """Whether the samples of some files, as given, are written as those of the store (`stored`: its sample ids).

    What is not is a fault of its file: without a key, ids as they are where every one of the store has the form of a
    keyed hash; with a key, ids that the store holds as they are, or a store whose ids are all hashes of another key.
    Who names sample_id among the identifiers `kept` wants it as it is.
    """
    if _SAMPLE in {name.casefold() for name in kept} or not len(stored):
        return True
    if pseudonyms is not None and _SAMPLE not in pseudonyms.hashed:
        return True
    is_keyed = all(_PSEUDONYM.fullmatch(one) for one in stored)
    is_of_another = (
        pseudonyms is not None and is_keyed and not any(pseudonyms.of(_SAMPLE, one) == one for one in stored)
    )
    whole = True
    for source in files:
        reason = None
        if is_of_another:
            reason = _ANOTHER_KEY
        elif is_keyed and pseudonyms is None and not all(_PSEUDONYM.fullmatch(one) for one in _ids(source)):
            reason = _NO_KEY
        elif not is_keyed and pseudonyms is not None and _ids(source).is_in(stored.implode()).any():
            reason = _AS_THEY_ARE
        if reason:
            book.whole(source.name, reason, _SAMPLE)
            whole = False
    return whole


def _ids(source: Source) -> pl.Series:
    column = next((name for name in source.columns if name.casefold() == _SAMPLE), None)
    cells = None if column is None else id_texts(source.frame[column])
    return pl.Series([], dtype=pl.String) if cells is None else cells.drop_nulls()
