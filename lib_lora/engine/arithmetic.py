"""The arithmetic of a merge: no gradients, no inference tensors, no autocast, no shortcuts of the device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

import torch

SHORTCUTS = (
    "allow_fp16_reduced_precision_reduction",
    "allow_bf16_reduced_precision_reduction",
    "allow_fp16_accumulation",
)
"""Switches under which products of 16-bit numbers are summed in 16 bits; a PyTorch may lack some."""


@contextmanager
def exact_arithmetic(devices: Iterable[torch.device]) -> Iterator[None]:
    """Sum in float32 at least, whatever the host has switched on; everything is put back afterwards.

    Hosts sample under autocast, which would bring the products of all but the low-rank families to 16 bits.
    """
    kinds = {device.type for device in devices}
    with torch.inference_mode(False), torch.no_grad(), ExitStack() as undo:
        for kind in kinds:
            undo.enter_context(without_autocast(kind))
        if "cuda" in kinds:
            undo.enter_context(_no_shortcuts(torch.backends.cuda.matmul))
        yield


def without_autocast(kind: str) -> AbstractContextManager[Any]:
    """Leave number types on a kind of device as they are."""
    return torch.autocast(kind, enabled=False) if autocasts(kind) else nullcontext()


def autocasts(kind: str) -> bool:
    """Tell whether PyTorch itself brings number types together on a kind of device at this moment."""
    try:
        return torch.is_autocast_enabled(kind)
    except TypeError:  # before PyTorch 2.4 the question was only about CUDA
        return torch.is_autocast_cpu_enabled() if kind == "cpu" else torch.is_autocast_enabled()
    except RuntimeError:  # a kind of device that has no autocast
        return False


@contextmanager
def _no_shortcuts(matmul: Any) -> Iterator[None]:
    with ExitStack() as undo:
        for name, exact in (
            _tf32(matmul),
            *((name, False) for name in SHORTCUTS if has_switch(matmul, name)),
        ):
            undo.callback(setattr, matmul, name, getattr(matmul, name))
            setattr(matmul, name, exact)
        yield


def has_switch(matmul: Any, name: str) -> bool:
    """Tell whether this PyTorch has a switch; older ones fail an assertion where they have none."""
    try:
        getattr(matmul, name)
    except (AttributeError, AssertionError):
        return False
    return True


def _tf32(matmul: Any) -> tuple[str, Any]:
    """Return the switch for TF32 and its exact value; the old one cannot be read once the new one is used."""
    try:
        _ = matmul.allow_tf32
    except RuntimeError:
        return "fp32_precision", "ieee"
    return "allow_tf32", False
