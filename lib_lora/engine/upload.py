"""Bringing a file's numbers to where they are computed with, without making the processor wait for them."""

from __future__ import annotations

import torch
from torch import Tensor


def place(source: Tensor, target: Tensor) -> None:
    """Copy a tensor into a part of another one, in its number type and on its device.

    To a graphics card it goes through page-locked memory, so that the copy runs beside what comes next.
    PyTorch keeps that memory and gives it out again only when the copy is over.
    """
    if target.device.type == "cuda" and source.device.type == "cpu":
        try:
            source = torch.empty(source.shape, dtype=target.dtype, pin_memory=True).copy_(source)
        except RuntimeError:  # the system gives no more of it
            source = source.to(target.dtype)
    target.copy_(source, non_blocking=True)
