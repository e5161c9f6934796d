"""Every error misread raises on purpose: what happened, then what exists instead or what to do."""

import os
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

_OF_LIBRARIES: Final = re.compile(r"^(?:(?:Invalid|External error|Unknown error): )+|, /\S+\.rs:\d+:\d+")
"""What Arrow and Lance put around an error: its kind, and where in their own source they met it."""
_GONE: Final = (
    "run the command again, or open the store again, as deleting a patient removes all older states; where that "
    "does not help, its files were changed or removed by something other than misread: restore them from a copy"
)
OF_ANOTHER: Final = (
    "misread writes files for the user alone who runs it: run it as the user whose store this is, or, where it was run "
    "as another (such as root), give that user the files again: chown -R USER STORE"
)
"""What to do about files of a store that this user may not read."""


class MisreadError(Exception):
    """A fault the user can mend. `message` says what happened, `hint` what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\n{hint}" if hint else message)
        self.message = message
        self.hint = hint


class UnknownNameError(MisreadError):
    """A column, table, model, target, encoder or audit that does not exist."""


class StoreError(MisreadError):
    """The store is missing, busy, damaged or of another format."""


class QueryError(MisreadError):
    """SQL that is refused or does not run."""


class AuditError(MisreadError):
    """An audit that cannot be made from what was asked."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the input.

    `row` is the row as a spreadsheet numbers it (the header is row 1, the first record row 2); None where
    the whole file or column is meant. `column` is None where the whole row or file is meant. A name that is wrong in
    many rows is one fault, of the first, whose reason tells how many there are.
    """

    file: str
    row: int | None
    column: str | None
    reason: str


class InputFaultsError(MisreadError):
    """Everything wrong with the input, at once; nothing has been stored."""

    def __init__(self, faults: Sequence[Fault], hint: str = "") -> None:
        count = len(faults)
        first = faults[0]
        where = ", ".join(
            part for part in (first.file, f"row {first.row}" if first.row else "", first.column or "") if part
        )
        super().__init__(f"{count} fault{'s' if count != 1 else ''} in the input; first: {where}: {first.reason}", hint)
        self.faults = tuple(faults)


def unknown_name(kind: str, name: str, known: Iterable[str], place: str = "", others: str = "") -> UnknownNameError:
    """An error for a name that does not exist, with the nearest one that does, and all of them.

    `others` follows the names: how further ones are given.
    """
    names = sorted(set(known))
    folded = {known_name.casefold(): known_name for known_name in names}
    near = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    message = f"no {kind} {name!r}{f' in {place}' if place else ''}"
    if near:
        message += f"; did you mean {folded[near[0]]!r}?"
    shown = ", ".join(names[:40]) + (f", … ({len(names)} in all)" if len(names) > 40 else "")
    return UnknownNameError(message, (f"there is: {shown}" if names else f"there is no {kind} yet") + others)


def first_line(error: BaseException) -> str:
    """The first line of what an error says; its kind where it says nothing."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def unreadable(what: str, reason: str) -> StoreError:
    """An error for what was in the store and is not there as it was; `reason`: what its reader said, of any length."""
    told = _OF_LIBRARIES.sub("", reason.strip().partition("\n")[0])
    return StoreError(f"{what} cannot be read: {told}", OF_ANOTHER if "Permission denied" in reason else _GONE)


def nothing_audited(store: str) -> AuditError:
    """An error for a store without audits."""
    return AuditError(f"nothing in {store} has been audited yet", f"find slices with: {command('discover', store)}")


def nothing_predicted(store: str) -> AuditError:
    """An error for a store without predictions."""
    return AuditError(
        f"the store {store} holds no predictions", f"add them with: {command('ingest', store, '--predictions', 'FILE')}"
    )


def command(*words: str | os.PathLike[str]) -> str:
    """A misread command to be copied into a shell, whatever the names in it."""
    return shlex.join(["misread", *(os.fspath(word) for word in words)])
