"""Which device and number type the model uses."""

from __future__ import annotations

import contextlib

import torch

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
cpu = torch.device("cpu")
dtype = torch.float16 if device.type == "cuda" else torch.float32
dtype_unet = dtype
dtype_vae = torch.float32
dtype_inference = dtype
unet_needs_upcast = False
fp8 = False


class NansException(Exception):
    """The model answered with not-a-number only."""


def get_optimal_device() -> torch.device:
    return device


def get_optimal_device_name() -> str:
    return device.type


def autocast(disable: bool = False):
    """The context sampling runs in: mixed precision on a GPU, nothing on the CPU."""
    if disable or device.type != "cuda":
        return contextlib.nullcontext()
    return torch.autocast("cuda")


def without_autocast(disable: bool = False):
    """Plain precision inside `autocast()`."""
    if device.type == "cuda" and torch.is_autocast_enabled() and not disable:
        return torch.autocast("cuda", enabled=False)
    return contextlib.nullcontext()


def torch_gc() -> None:
    """Give cached GPU memory back."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def test_for_nans(x: torch.Tensor, where: str) -> None:
    """Raise NansException when the first number is none (one look, as the host does)."""
    if not torch.isnan(x[(0,) * x.ndim]):
        return
    if where == "unet":
        message = "A tensor with NaNs was produced in Unet."
    else:
        message = "A tensor with NaNs was produced in VAE."
    raise NansException(message)
