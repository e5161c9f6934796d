"""Large products of matrices: by numpy, or by torch on CUDA where both are found and there is enough to do."""

from collections.abc import Callable
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from misread.devices import device_of, emptied, is_cuda, is_out_of_memory, whole_precision
from misread.schemas.errors import MisreadError, first_line

if TYPE_CHECKING:
    from torch import Tensor

Numbers = NDArray[np.floating]
Floats = NDArray[np.float64]

WORTH_A_DEVICE: Final = 4e11
"""Products of two numbers from which on a GPU is asked for: 9 to 19 seconds of one processor, as measured by
`benchmarks.scale`; loading torch takes one, and waking a GPU some more, which was not measured."""
TILE: Final = 128
"""Rows that numpy has in double precision at a time, so few that they stay near the processor."""
FEWEST: Final = 64
"""Where not even so many rows fit into a device's memory, it is given up."""


class Products:
    """Products of rows by numpy or, with a `device`, by torch; several threads may use the same.

    The numbers are those of numpy but for the order of sums: products of float32 are added in float32 and nothing
    shorter, those of float64 in float64. A device has one thread at a time. What does not fit into its memory is tried
    in halves; where that does not help, or the device fails, numpy does what is left. `notes` tell which device worked
    and whether it was given up. Sent to another process, which has no device of its own, it works by numpy.
    """

    def __init__(self, device: str | None = None) -> None:
        self.device = device
        self.notes = [f"products of vectors were worked out by torch on {device}"] if device else []
        self._lock = Lock()

    def __reduce__(self) -> tuple[type["Products"], tuple[()]]:
        return Products, ()

    def gram(self, rows: Numbers) -> Numbers:
        """(d, d): rows.T @ rows of rows (n, d), in their type; float64 where a device took several goes."""
        found = self._by_device(rows, lambda part: part.T @ part)
        if found is None:
            return np.asarray(rows.T @ rows)
        return found[0] if len(found) == 1 else np.asarray(np.sum(found, axis=0, dtype=float))

    def centered(self, rows: Numbers, center: Floats, weights: Floats) -> Floats:
        """(n, s) float64: (rows - center) @ weights, in double precision, of rows (n, d).

        A row that holds NaN or infinity gives numbers that are not finite.
        """

        def work(part: "Tensor") -> "Tensor":
            import torch

            middle, onto = (torch.from_numpy(numbers).to(part.device) for numbers in (center, weights))
            return (part.double() - middle) @ onto

        found = self._by_device(rows, work)
        return _centered(rows, center, weights) if found is None else np.concatenate(found)

    def _by_device(self, rows: Numbers, work: "Callable[[Tensor], Tensor]") -> list[Numbers] | None:
        """What `work` gives for parts of the rows in turn; None where numpy has to do it."""
        if self.device is None:
            return None
        import torch

        with self._lock:
            device = self.device
            if not device:  # given up meanwhile
                return None
            try:
                with whole_precision(), torch.inference_mode():
                    return self._in_halves(np.require(rows, requirements=["C", "W"]), work, device)
            except (MemoryError, RuntimeError) as error:
                told = f"{device} was given up, what was left worked out by the processor: {first_line(error)}"
                self.notes.append(told)
                self.device = None
                return None

    def _in_halves(self, rows: Numbers, work: "Callable[[Tensor], Tensor]", device: str) -> list[Numbers]:
        import torch

        try:
            return [work(torch.from_numpy(rows).to(device)).cpu().numpy()]
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error) or len(rows) < 2 * FEWEST:
                raise
        emptied(device)
        halves = np.array_split(rows, 2)
        return [numbers for half in halves for numbers in self._in_halves(half, work, device)]


def products_for(count: float) -> Products:
    """What works out so many products of two numbers best: torch on CUDA where both are found, if it is worth it.

    For less than `WORTH_A_DEVICE` torch is not even imported.
    """
    if count < WORTH_A_DEVICE or find_spec("torch") is None:
        return Products()
    try:
        device = device_of(None)
    except MisreadError as error:  # a GPU that does not answer
        found = Products()
        found.notes.append(f"products of vectors were worked out by the processor: {error.message}")
        return found
    return Products(device if is_cuda(device) else None)


def _centered(rows: Numbers, center: Floats, weights: Floats) -> Floats:
    """A tile at a time in one buffer: casting and centring take no time beside the products."""
    found, held = np.empty((len(rows), weights.shape[1])), np.empty((min(TILE, len(rows)), len(center)))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(rows), TILE):
            some = rows[start : start + TILE]
            tile = held[: len(some)]
            np.copyto(tile, some)
            tile -= center
            np.matmul(tile, weights, out=found[start : start + TILE])
    return found
