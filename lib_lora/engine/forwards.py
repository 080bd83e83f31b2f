"""What a patched layer computes: the same as its class, with our weight in the place of the host's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lib_lora.engine.merged import MergedWeight
from lib_lora.engine.view import CONV, EMBEDDING, GROUP_NORM, LAYER_NORM, LINEAR

Compute = Callable[[Any, Tensor, Tensor, "Tensor | None"], Tensor]
Forward = Callable[..., Any]


def _linear(module: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return functional.linear(x, weight, bias)


def _conv(module: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    computed: Tensor = module._conv_forward(x, weight, bias)
    return computed


def _embedding(module: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return functional.embedding(x, weight, module.padding_idx)


def _group_norm(module: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    exact, weight, bias = _exact(x, weight, bias)
    return functional.group_norm(exact, module.num_groups, weight, bias, module.eps).to(x.dtype)


def _layer_norm(module: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    exact, weight, bias = _exact(x, weight, bias)
    return functional.layer_norm(exact, module.normalized_shape, weight, bias, module.eps).to(x.dtype)


def _exact(x: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Bring a norm's tensors to float32 at least, as the class of the UNet's residual blocks does."""
    dtype = torch.promote_types(x.dtype, torch.float32)
    return x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)


COMPUTE: tuple[tuple[str, Compute], ...] = (
    (LINEAR, _linear),
    (CONV, _conv),
    (GROUP_NORM, _group_norm),
    (LAYER_NORM, _layer_norm),
    (EMBEDDING, _embedding),
)


def computation(kind: str) -> Compute:
    """Return how a layer of that kind computes."""
    return dict(COMPUTE)[kind]


def compute_merged(compute: Compute, module: Any, merged: MergedWeight, x: Tensor) -> Tensor:
    """Compute a layer with our weight, moved to where the input is and to its number type if need be."""
    weight, bias = in_form_of(x, *merged_tensors(module, merged))
    return compute(module, x, weight, bias)


def merged_tensors(module: Any, merged: MergedWeight) -> tuple[Tensor, Tensor | None]:
    """Return our weight, and our bias or, where nothing changes it, the host's."""
    assert merged.weight is not None
    bias = merged.bias
    return merged.weight, getattr(module, "bias", None) if bias is None else bias


def in_form_of(x: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Move a weight and a bias to where the input is, and to its number type if need be."""
    if weight.dtype != x.dtype and x.is_floating_point() and not _autocast(x):
        weight = weight.to(x.dtype)
    if weight.device != x.device:
        weight = weight.to(x.device)
    if bias is not None and (bias.dtype != weight.dtype or bias.device != weight.device):
        bias = bias.to(weight)
    return weight, bias


def _autocast(x: Tensor) -> bool:
    """Tell whether PyTorch itself brings number types together at this moment."""
    try:
        return torch.is_autocast_enabled(x.device.type)
    except TypeError:  # before PyTorch 2.4 the question was only about CUDA
        return torch.is_autocast_enabled()
    except RuntimeError:  # a kind of device that has no autocast
        return False
