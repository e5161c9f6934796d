"""Where torch works: a device asked for or the best there is, in whole precision, and what it says when it is full."""

import contextlib
from collections.abc import Iterator
from importlib.util import find_spec

from misread.schemas.errors import MisreadError, first_line


def device_of(asked: str | None) -> str:
    """The device asked for; else CUDA where torch finds it, else the processor. Raises MisreadError where it is not."""
    import torch

    chosen = asked or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        why = first_line(error)
        told = "" if why.startswith("Expected one of") else f": {why}"  # some twenty names, hardly one of use
        raise MisreadError(
            f"there is no device {chosen!r}{told}",
            "leave the device out for the best there is, or name cpu, cuda or cuda:1",
        ) from None
    return chosen


def check_device(asked: str | None) -> None:
    """Raises MisreadError for a device that is not here; without torch there is the processor alone."""
    if asked is None or asked == "cpu":
        return
    if find_spec("torch") is None:
        raise MisreadError(
            f"there is no device {asked!r} without torch",
            "leave the device out, or install PyTorch with: pip install 'misread[encoders]'",
        )
    device_of(asked)


def is_cuda(device: str) -> bool:
    return device.startswith("cuda")


@contextlib.contextmanager
def whole_precision() -> Iterator[None]:
    """Products in float32 as such: shorter ones (TF32), where somebody allowed them, break every bound on errors."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def is_out_of_memory(error: BaseException) -> bool:
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error)
    return "can't allocate memory" in text or "not enough memory" in text or "out of memory" in text


def emptied(device: str) -> None:
    """Gives back what torch keeps of a GPU's freed memory."""
    if is_cuda(device):
        import torch

        torch.cuda.empty_cache()
