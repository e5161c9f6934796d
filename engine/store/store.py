"""A store as its readers see it: one state, its tables, its encoders."""

import contextlib
import io
import os
import zipfile
import zlib
from collections.abc import Iterator
from typing import Self

import numpy as np

from misread.schemas.errors import StoreError, command, unknown_name
from misread.schemas.tables import contract_of

from .commit import MODELS, Commit, model_file, table_in, table_uri
from .files import RESTORE, StoreFiles
from .lance_table import LanceTable
from .manifest import EncoderEntry, Manifest
from .newest import Newest, changed_meanwhile, newest, swapped
from .unnamed import remove_unnamed


class TableStore:
    """A directory (or object-store URI) of Lance tables. `TableStore.open` for one that is there.

    What is read is the state that was the newest when the store was opened; a commit made through this object
    moves it on.
    """

    def __init__(self, files: StoreFiles, manifest: Manifest) -> None:
        self.files = files
        self.manifest = manifest

    @classmethod
    def open(cls, location: str | os.PathLike[str], *, state: int | None = None) -> Self:
        """Opens the newest state, or an older one by its number.

        Raises StoreError if there is no store, no such state, or the format is another version's.
        """
        files = StoreFiles(location)
        there = newest(files)
        if there is None:
            raise StoreError(
                f"there is no misread store at {files.location}",
                f"make one with: {command('ingest', location, '--metadata', 'metadata.csv')}",
            )
        manifest = there.manifest
        opened = manifest if state is None else manifest.at(state)
        if opened.states and opened.states[-1].forgotten:
            raise StoreError(
                f"state {state} of the store {files.location} is gone: it held a patient that was deleted",
                f"the oldest state that is left is {next(s.state for s in manifest.states if not s.forgotten)}",
            )
        return cls(files, opened)

    @classmethod
    def open_or_new(cls, location: str | os.PathLike[str]) -> Self:
        """Opens a store, or stands for one that its first commit will make; writes nothing.

        Raises StoreError where a file or a folder of other things stands in the way.
        """
        files = StoreFiles(location)
        there = newest(files)
        if there is not None:
            return cls(files, there.manifest)
        if not files.is_empty() and not any(map(table_in, files.folders())):
            raise StoreError(
                f"{files.location} is not empty and not a misread store", "name a new folder for the store"
            )
        return cls(files, Manifest())

    @property
    def location(self) -> str:
        """Where the store lies: an absolute path, or a URI."""
        return self.files.location

    @property
    def state(self) -> int:
        """The number of the state that is read."""
        return self.manifest.state

    @property
    def tables(self) -> list[str]:
        """The names of the tables."""
        return sorted(self.manifest.tables)

    @property
    def encoders(self) -> dict[str, EncoderEntry]:
        """The encoders that the store holds vectors of, by name."""
        return self.manifest.encoders

    def has(self, name: str) -> bool:
        return name in self.manifest.tables

    def table(self, name: str) -> LanceTable:
        """One table. Raises UnknownNameError if the store has none of that name."""
        entry = self.manifest.tables.get(name)
        if entry is None:
            raise unknown_name("table", name, self.tables, self.location)
        return LanceTable(table_uri(self.files, name), contract_of(name), entry.version)

    def table_at(self, name: str, version: int) -> LanceTable:
        """One table at the version that a plan names. Raises StoreError if the store no longer holds it."""
        return LanceTable(table_uri(self.files, name), contract_of(name), version)

    def read_model(self, file: str) -> dict[str, np.ndarray]:
        """The arrays of a fitted model. Raises StoreError if the file is gone or is not what was written."""
        try:
            with np.load(io.BytesIO(self.files.read(file)), allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise StoreError(f"the model {file} of {self.location} cannot be read: {error}", RESTORE) from error
        name = file.removeprefix(f"{MODELS}/").rpartition("-")[0]
        if model_file(name, arrays) != file:
            raise StoreError(f"the model {file} of {self.location} is not what was written", RESTORE)
        return arrays

    def purge(self) -> None:
        """Removes from the disk what no state names: older versions of forgotten states, what killed writers left.

        Raises StoreError while another process writes. In an object store, which has no lock, whoever is writing then
        is told so when it ends.
        """
        with self.files.writing():
            there = newest(self.files)
            if there is not None:
                self._remove_unnamed(
                    there if self.files.is_local else swapped(self.files, there, there.manifest, closed=True)
                )

    @contextlib.contextmanager
    def commit(self, command: str, *, although_closed: bool = False) -> Iterator[Commit]:
        """One writer's changes on top of the newest state; all visible at the end, none if it raises.

        What older states held is removed from the disk before another may write, if the commit forgets them.
        Raises StoreError where another writes, or, in an object store, where another's commit came first, or has not
        removed yet what it forgets; `although_closed` removes that too, and on a disk what killed writers left.
        """
        if newest(self.files) is None:
            self.files.create_root()
        with self.files.writing():
            commit = Commit(self.files, newest(self.files), command)
            if not although_closed:
                self._check_is_not_closed(commit.newest)
            try:
                yield commit
                made = commit.finish()
            except (StoreError, OSError) as error:  # a deletion may have removed what this commit was built on
                if newest(self.files) != commit.newest:
                    raise changed_meanwhile(f"the store {self.location}") from error
                raise
            self.manifest = made.manifest if made else Manifest()
            if made and (commit.forgets_older or made.closed or (although_closed and self.files.is_local)):
                self._remove_unnamed(made)

    def _check_is_not_closed(self, there: Newest | None) -> None:
        if there and there.closed and not self.files.is_local:
            raise StoreError(
                f"the store {self.location} is closed while its older states are removed",
                "wait until the command that does it (`misread delete`, `misread embed --refit`) has finished, or, if "
                "it was killed, run it again; nothing was changed",
            )

    def _remove_unnamed(self, there: Newest) -> None:
        """Removes what no state names; an object store, which is closed meanwhile, is opened again."""
        remove_unnamed(self.files, there.manifest)
        if not self.files.is_local:
            swapped(self.files, there, there.manifest)

    def is_forgotten(self) -> bool:
        """Whether patients were deleted since this state: what was read of it may hold them."""
        there = newest(self.files)
        return there is not None and there.manifest.forgets(self.state)
