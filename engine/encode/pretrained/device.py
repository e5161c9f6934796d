"""Where a model runs, how precisely, and how much of a batch fits into memory."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np

from misread.devices import device_of, emptied, is_cuda, is_out_of_memory
from misread.encode.registry import Vectors
from misread.schemas.errors import MisreadError

Precision = Literal["float32", "float16"]
PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)
ITEMS_AT_ONCE: Final = 64


@dataclass
class Device:
    """A place to run. `at_once`: how many items are tried at a time; halved whenever they do not fit."""

    name: str
    precision: Precision
    at_once: int = ITEMS_AT_ONCE

    @property
    def is_cuda(self) -> bool:
        return is_cuda(self.name)

    def tensors(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """Arrays as tensors that the device can fetch while it works: in pinned memory where it has its own."""
        import torch

        tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
        return {name: tensor.pin_memory() for name, tensor in tensors.items()} if self.is_cuda else tensors

    def run(self, model: Callable[..., Any], tensors: Mapping[str, Any], rows: int) -> Vectors:
        """(rows, d) float32 of a model over tensors of as many rows, as many at a time as fit.

        Raises MisreadError where not even one fits into memory.
        """
        parts: list[Vectors] = []
        done = 0
        while done < rows:
            some = slice(done, done + self.at_once)
            try:
                parts.append(self._run(model, {name: tensor[some] for name, tensor in tensors.items()}))
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                self._halve(min(self.at_once, rows - done))
                continue
            done += self.at_once
        return np.concatenate(parts) if len(parts) != 1 else parts[0]

    def _run(self, model: Callable[..., Any], tensors: Mapping[str, Any]) -> Vectors:
        import torch

        with torch.inference_mode(), self._mixed():
            moved = {name: tensor.to(self.name, non_blocking=True) for name, tensor in tensors.items()}
            vectors: Vectors = model(**moved).float().cpu().numpy()
        return vectors

    def _halve(self, tried: int) -> None:
        emptied(self.name)
        if tried <= 1:
            raise MisreadError(
                f"the model does not fit into the memory of {self.name}: one item at a time is too many",
                "take --device cpu, --precision float16, or a smaller model; what is encoded so far is kept",
            )
        self.at_once = tried // 2

    @contextlib.contextmanager
    def _mixed(self) -> Iterator[None]:
        """Half precision where it does no harm: in products of matrices, and not in sums and norms."""
        import torch

        if self.precision == "float32":
            yield
            return
        with torch.autocast(self.name.partition(":")[0], dtype=torch.float16):
            yield


def device(name: str | None, precision: Precision, threads: int | None) -> Device:
    """The device asked for; else a GPU, if there is one. Raises MisreadError for one that is not there."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    return Device(device_of(name), precision)
