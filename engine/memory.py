"""Memory that was freed, given back to the machine."""

import contextlib
import ctypes
import gc


def give_back() -> None:
    """Returns what the C library keeps of freed memory, where it is asked to (glibc); elsewhere nothing happens.

    Long tables of text leave it full of holes that arrays cannot use: between two steps this is worth a few
    milliseconds.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
