"""How far this process may grow while questions run, as the system holds it to that."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

_lock = threading.Lock()
_unbounded: list[int] = []
"""The limit that was set before the first of the questions under way, once for each of them."""


@contextlib.contextmanager
def bounded_growth(more: int) -> Iterator[None]:
    """While inside, the system refuses this process more than `more` bytes of new data (where it keeps such limits).

    DuckDB's own limit knows its buffers alone: one call of repeat or range, worked out while the question is planned,
    is neither counted nor interrupted. Refused, it is an error like any other. The last of several questions decides.
    """
    data = _statm(5)
    if data is None:
        yield
        return
    import resource

    kind = resource.RLIMIT_DATA
    with _lock:
        before, hard = resource.getrlimit(kind)
        _unbounded.append(_unbounded[0] if _unbounded else before)
        _set(kind, _least(data + more, _unbounded[0], hard), hard)
    try:
        yield
    finally:
        with _lock:
            first = _unbounded.pop()
            if not _unbounded:
                _set(kind, first, hard)


def resident_bytes() -> int | None:
    """What the process holds in memory; None where the system does not say."""
    return _statm(1)


def _statm(field: int) -> int | None:
    """Bytes by a field of /proc/self/statm: 1 is what is resident, 5 data and stack; None where there is no such."""
    try:
        import resource

        return int(Path("/proc/self/statm").read_text("ascii").split()[field]) * resource.getpagesize()
    except (ImportError, OSError, ValueError, IndexError):
        return None


def _least(wanted: int, *limits: int) -> int:
    """The smallest of the limits that are set; negative ones stand for none."""
    return min([wanted, *(limit for limit in limits if limit >= 0)])


def _set(kind: int, soft: int, hard: int) -> None:
    import resource

    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (soft, hard))
