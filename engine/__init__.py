"""misread finds, explains and lets people query the slices of data that an image classifier misreads.

import misread as mr
print(mr.open("my-store").scan(model="m", target="Pneumothorax").discover().describe().collect())
"""

import os
from typing import TYPE_CHECKING, Any

# polars' allocator keeps freed memory for a second, as if it were held; it reads this when polars is first imported
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0")

if TYPE_CHECKING:
    from misread.schemas.errors import MisreadError

    from .frame import LazyFrame
    from .library import Store, open, scan_samples, scan_table  # noqa: A004 - mr.open(...) reads as it does

    __version__: str

__all__ = ["LazyFrame", "MisreadError", "Store", "__version__", "open", "scan_samples", "scan_table"]


def __dir__() -> list[str]:
    """What `mr.` offers in a notebook, before anything of it is loaded."""
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    """Loads the library when it is first used, so that `import misread` stays light."""
    if name == "__version__":
        from importlib.metadata import version

        return version("misread")
    if name == "MisreadError":
        from misread.schemas.errors import MisreadError

        return MisreadError
    if name in __all__:
        from . import library

        return getattr(library, name)
    raise AttributeError(f"module 'misread' has no attribute {name!r}")
