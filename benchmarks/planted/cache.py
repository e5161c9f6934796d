"""Where what is slow to make is kept between runs: outside of the repository."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.generic]]


def default_folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "misread-benchmarks"


def kept(path: Path, make: Callable[[], Arrays]) -> Arrays:
    """The arrays in `path`, made and written there if they are not; a run that is killed leaves no half of them."""
    if path.exists():
        with np.load(path) as stored:
            return {name: stored[name] for name in stored.files}
    arrays = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.stem}.{os.getpid()}.part.npz")
    np.savez(part, **arrays)  # type: ignore[arg-type]  # the stub takes a flag for an array
    part.replace(path)
    return arrays
