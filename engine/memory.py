"""Memory that was freed, given back to the machine."""

import contextlib
import ctypes
import gc
import sys

LARGE = 1 << 20
"""Bytes from which an array has memory of its own, which goes back to the machine with it (see `map_large`)."""
KEPT = 8 << 20
"""What glibc may keep of a heap's free end: less, and every small array that comes and goes there is paid for."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def map_large() -> None:
    """From now on arrays of a megabyte or more are handed back as soon as they are freed (glibc; elsewhere nothing).

    Else glibc keeps arrays of up to 32 MB once such a one was freed, in a heap that soon is full of holes: a process
    that works on a large archive would hold half as much again.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE)
        ctypes.CDLL(None).mallopt(_M_TRIM_THRESHOLD, KEPT)


def give_back() -> None:
    """Returns what the C library keeps of freed memory, where it is asked to (glibc); elsewhere nothing happens.

    Long tables of text leave it full of holes that arrays cannot use: between two steps this is worth a few dozen
    milliseconds, which collecting takes.
    """
    gc.collect()
    trim()


def trim() -> None:
    """The same of what nothing refers to any more, at once: for the parts of a step."""
    if arrow := sys.modules.get("pyarrow"):
        arrow.default_memory_pool().release_unused()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
