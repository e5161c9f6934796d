"""The dense layers that some sentence-transformers models end with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from misread.schemas.errors import MisreadError


def dense_layers(layers: Sequence[tuple[str, Path]], device: str) -> Sequence[Any]:
    """Callable layers, each a linear one and its activation.

    Raises MisreadError for weights that are no linear layer's.
    """
    return [_layer(activation, weights, device) for activation, weights in layers]


def _layer(activation: str, weights: Path, device: str) -> Any:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        stored = load_file(weights)
    except (SafetensorError, OSError) as error:
        raise MisreadError(f"{weights} is no whole safetensors file: {error}") from error
    matrix, bias = stored.get("linear.weight"), stored.get("linear.bias")
    if matrix is None or matrix.ndim != 2 or (bias is not None and bias.shape != matrix.shape[:1]):
        raise MisreadError(f"{weights} holds no linear layer", "it is to have linear.weight and perhaps linear.bias")
    linear = torch.nn.Linear(matrix.shape[1], matrix.shape[0], bias=bias is not None)
    linear.load_state_dict({name.removeprefix("linear."): value.float() for name, value in stored.items()})
    return torch.nn.Sequential(linear, getattr(torch.nn, activation)()).eval().requires_grad_(False).to(device)
