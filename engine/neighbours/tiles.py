"""Neighbours by products of tiles of vectors in torch, on a processor or a GPU, the same code on both.

The few smallest of a tile are kept and the tile is dropped, so that memory does not grow with the square of the rows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from misread.devices import whole_precision
from misread.spill import Vectors, mean_of

from .settle import Floats, Offered, Search, longest, rounding

if TYPE_CHECKING:
    from torch import Tensor

GROUP = 16
"""Columns of a tile whose smallest number stands for them while the smallest of all are sought."""
SHAPES = {"cpu": (256, 16384), "cuda": (2048, 32768)}
"""Rows and columns of a tile."""
HELD_BYTES = 256 << 20
"""Vectors in single precision that take no more are held for a processor; for a GPU in half of its free memory."""
UNIT = float(np.finfo(np.float32).eps) / 2


@contextlib.contextmanager
def tile_search(vectors: Vectors, width: int, device: str) -> Iterator[Search]:
    """A search for `width` rows near every row (n, d): those with the smallest lower bound of their squared distance.

    In single precision, of rows less their mean and at most 1 long. With c what `rounding` says, |y|^2 (1 - c) - 2 x.y,
    as it is worked out, is never more than |x - y|^2 - |x|^2 (1 - c) is: what bounds the rows that are kept from
    above bounds all others from below.
    """
    import torch

    scaled = _Scaled(vectors, device)

    def offer(here: slice) -> Offered:
        with torch.inference_mode():
            queries = scaled.queries(vectors[here])
            lowest, rows = _lowest(queries, scaled, width)
            lengths = queries[:, :-1].double().square().sum(1)
            beyond = scaled.unscaled(lengths * (1 - scaled.error) + 2 * lowest[:, -1].double())
        return Offered(here, rows.cpu().numpy(), beyond if width < len(vectors) else np.full(len(beyond), np.inf))

    with whole_precision(), _one_thread_each():
        yield Search(SHAPES[scaled.kind][0], offer)


class _Scaled:
    """Rows as tensors of single precision on a device, held there if they fit.

    Of a row y of a tile comes (y, (1 - c) |y|^2 / 2), of a query x (-x, 1): so one product gives what is compared.
    """

    def __init__(self, vectors: Vectors, device: str) -> None:
        self._vectors, self._device, self.kind = vectors, device, device.partition(":")[0]
        self._center = mean_of(vectors)
        self._length = longest(vectors, self._center)
        self.error = rounding(vectors.shape[1], UNIT)
        self._held = list(self._made()) if self._fits() else None

    def queries(self, rows: Floats) -> Tensor:
        numbers = self._single(rows)
        return self._tensor(-numbers, np.ones(len(numbers)))

    def tiles(self) -> Iterator[tuple[int, Tensor]]:
        """The number of the first row of each tile, and the tile."""
        return iter(self._held) if self._held is not None else self._made()

    def unscaled(self, squares: Tensor) -> Floats:
        return np.asarray(squares.cpu().numpy() * self._length**2)

    def _made(self) -> Iterator[tuple[int, Tensor]]:
        columns = SHAPES[self.kind][1]
        for start in range(0, len(self._vectors), columns):
            numbers = self._single(self._vectors[start : min(start + columns, len(self._vectors))])
            squares = np.square(numbers, dtype=np.float64).sum(axis=1)
            yield start, self._tensor(numbers, (1 - self.error) / 2 * squares)

    def _single(self, rows: Floats) -> NDArray[np.float32]:
        return ((rows - self._center) / self._length).astype(np.float32)

    def _tensor(self, numbers: NDArray[np.float32], last: Floats) -> Tensor:
        import torch

        return torch.from_numpy(np.column_stack([numbers, last.astype(np.float32)])).to(self._device)

    def _fits(self) -> bool:
        import torch

        needed = len(self._vectors) * self._vectors.shape[1] * 4
        return bool(needed <= (torch.cuda.mem_get_info(self._device)[0] // 2 if self.kind == "cuda" else HELD_BYTES))


def _lowest(queries: Tensor, scaled: _Scaled, width: int) -> tuple[Tensor, Tensor]:
    """(m, width) twice: the smallest |y|^2 (1 - c) / 2 - x.y of every query over all rows, rising, and whose."""
    import torch

    lowest, rows = queries.new_empty((len(queries), 0)), queries.new_empty((len(queries), 0), dtype=torch.int64)
    products = queries.new_empty((len(queries), SHAPES[queries.device.type][1]))
    for first, tile in scaled.tiles():
        if len(tile) < products.shape[1]:
            products = queries.new_empty((len(queries), len(tile)))
        found, places = smallest(torch.mm(queries, tile.T, out=products), width)
        both = torch.cat([lowest, found], 1)
        lowest, kept = both.topk(min(width, both.shape[1]), largest=False)
        rows = torch.cat([rows, places + first], 1).gather(1, kept)
    return lowest, rows


def smallest(numbers: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """The `width` smallest of every row (m, t), or all of fewer, rising, and their columns.

    They lie in the groups with the `width` smallest minima, which are far fewer than all and faster to find.
    """
    import torch

    height, columns = numbers.shape
    if columns <= 2 * width * GROUP:
        found, places = numbers.topk(min(width, columns), largest=False)
        return found, places
    spare = -columns % GROUP
    if spare:
        numbers = torch.nn.functional.pad(numbers, (0, spare), value=torch.inf)
    grouped = numbers.view(height, GROUP, -1)
    groups = grouped.amin(1).topk(width, largest=False).indices
    members = grouped.gather(2, groups[:, None, :].expand(-1, GROUP, -1)).reshape(height, -1)
    found, places = members.topk(width, largest=False)
    return found, places // width * grouped.shape[2] + groups.gather(1, places % width)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """One thread for every product: tiles are worked out beside each other instead."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
