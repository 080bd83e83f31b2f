"""Low-rank and Kronecker families for the table: how their tensors are drawn, and the change they mean."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Shape = tuple[int, ...]
Tensors = dict[str, Tensor]
ALPHA = 3.0


def normal(*shape: int) -> Tensor:
    """Draw from the global generator, which every test seeds."""
    return torch.randn(*shape) * 0.3


def point(tensor: Tensor, like: Shape) -> Tensor:
    """Give a matrix the trailing 1s a convolution's factors have."""
    return tensor[:, :, None, None] if len(like) == 4 else tensor


def flat(shape: Shape) -> tuple[int, int]:
    """Size of a weight as a matrix."""
    count = 1
    for size in shape[1:]:
        count *= size
    return shape[0], count


# ---- LoRA


def draw_lora(shape: Shape, rank: int = 4) -> Tensors:
    return {
        "lora_up": point(normal(shape[0], rank), shape),
        "lora_down": normal(rank, *shape[1:]),
        "alpha": torch.tensor(ALPHA),
    }


def lora(weight: Tensor, t: Tensors) -> Tensor:
    up, down = t["lora_up"].flatten(1), t["lora_down"]
    alpha = float(t["alpha"].reshape(-1)[0]) if "alpha" in t else 0
    scale = (alpha or len(down)) / len(down)
    return scale * torch.einsum("or, ri -> oi", up, down.flatten(1)).reshape(weight.shape)


def without(draw: Callable[[Shape], Tensors], role: str) -> Callable[[Shape], Tensors]:
    return lambda shape: {name: tensor for name, tensor in draw(shape).items() if name != role}


def with_roles(draw: Callable[[Shape], Tensors], **more: Tensor) -> Callable[[Shape], Tensors]:
    return lambda shape: {**draw(shape), **more}


def draw_tucker(shape: Shape) -> Tensors:
    return {
        "lora_up": normal(shape[0], 4, 1, 1),
        "lora_mid": normal(4, 4, *shape[2:]),
        "lora_down": normal(4, shape[1], 1, 1),
        "alpha": torch.tensor(ALPHA),
    }


def tucker(weight: Tensor, t: Tensors) -> Tensor:
    up, mid, down = t["lora_up"].flatten(1), t["lora_mid"], t["lora_down"].flatten(1)
    return ALPHA / 4 * torch.einsum("oa, abyx, bi -> oiyx", up, mid, down)


# ---- LoHa


def draw_loha(shape: Shape, rank: int = 5) -> Tensors:
    rows, columns = flat(shape)
    return {
        "hada_w1_a": normal(rows, rank),
        "hada_w1_b": normal(rank, columns),
        "hada_w2_a": normal(rows, rank),
        "hada_w2_b": normal(rank, columns),
        "alpha": torch.tensor(ALPHA),
    }


def loha(weight: Tensor, t: Tensors) -> Tensor:
    scale = ALPHA / t["hada_w1_b"].shape[0]
    product = torch.einsum(
        "or, rn, os, sn -> on",
        t["hada_w1_a"],
        t["hada_w1_b"].flatten(1),
        t["hada_w2_a"],
        t["hada_w2_b"].flatten(1),
    )
    return scale * product.reshape(weight.shape)


def draw_loha_tucker(shape: Shape) -> Tensors:
    halves = {}
    for half in "12":
        halves[f"hada_t{half}"] = normal(5, 5, *shape[2:])
        halves[f"hada_w{half}_a"], halves[f"hada_w{half}_b"] = normal(5, shape[0]), normal(5, shape[1])
    return {**halves, "alpha": torch.tensor(ALPHA)}


def loha_tucker(weight: Tensor, t: Tensors) -> Tensor:
    first, second = (
        torch.einsum("abyx, ao, bi -> oiyx", t[f"hada_t{half}"], t[f"hada_w{half}_a"], t[f"hada_w{half}_b"])
        for half in "12"
    )
    return ALPHA / 5 * first * second


# ---- LoKr: 24 = 4·6, 16 = 4·4, 768 = 4·192


def draw_lokr(first: str, second: str, rank: int = 1) -> Callable[[Shape], Tensors]:
    """Draw w1 as `full` or `factors` and w2 as `full`, `factors`, `spatial factors` or `tucker`."""

    def draw(shape: Shape) -> Tensors:
        rows, columns, kernel = shape[0] // 4, shape[1] // 4, shape[2:]
        taps = flat(shape)[1] // shape[1]
        w1: Tensors = {"lokr_w1": normal(4, 4)}
        if first == "factors":
            w1 = {"lokr_w1_a": normal(4, rank), "lokr_w1_b": normal(rank, 4)}
        w2: Tensors = {"lokr_w2": normal(rows, columns, *kernel)}
        if second == "factors":
            w2 = {"lokr_w2_a": normal(rows, 2), "lokr_w2_b": normal(2, columns * taps)}
        elif second == "spatial factors":
            w2 = {"lokr_w2_a": normal(rows, 2), "lokr_w2_b": normal(2, columns, *kernel)}
        elif second == "tucker":
            w2 = {
                "lokr_t2": normal(2, 2, *kernel),
                "lokr_w2_a": normal(2, rows),
                "lokr_w2_b": normal(2, columns),
            }
        return {**w1, **w2, "alpha": torch.tensor(ALPHA)}

    return draw


def lokr(weight: Tensor, t: Tensors) -> Tensor:
    rank = None
    w1 = t.get("lokr_w1")
    if w1 is None:
        w1, rank = t["lokr_w1_a"] @ t["lokr_w1_b"], len(t["lokr_w1_b"])
    w2 = t.get("lokr_w2")
    if w2 is None:
        rank = len(t["lokr_w2_b"])
        if "lokr_t2" in t:
            w2 = torch.einsum("abyx, ac, bd -> cdyx", t["lokr_t2"], t["lokr_w2_a"], t["lokr_w2_b"])
        else:
            w2 = t["lokr_w2_a"] @ t["lokr_w2_b"].flatten(1)
    scale = 1.0 if rank is None else ALPHA / rank
    spread = torch.einsum("ab, cn -> acbn", w1, w2.flatten(1))
    return scale * spread.reshape(weight.shape)


# ---- GLoRA


def draw_glora(shape: Shape) -> Tensors:
    rows, columns = shape[:2]
    return {
        "a1": point(normal(columns, 4), shape),
        "a2": point(normal(4, columns), shape),
        "b1": point(normal(rows, 4), shape),
        "b2": normal(4, *shape[1:]),
        "alpha": torch.tensor(ALPHA),
    }


def glora(weight: Tensor, t: Tensors) -> Tensor:
    a = t["a1"].flatten(1) @ t["a2"].flatten(1)
    b = (t["b1"].flatten(1) @ t["b2"].flatten(1)).reshape(weight.shape)
    return ALPHA / 4 * (b + torch.einsum("oi..., ij -> oj...", weight, a))


def draw_old_glora(shape: Shape) -> Tensors:
    new = draw_glora(shape)
    return {"a1": new["a2"], "a2": new["a1"], "b1": new["b2"], "b2": new["b1"], "alpha": new["alpha"]}


def old_glora(weight: Tensor, t: Tensors) -> Tensor:
    a1, a2 = t["a1"].flatten(1), t["a2"].flatten(1)
    b = (t["b2"].flatten(1) @ t["b1"].flatten(1)).reshape(weight.shape)
    return ALPHA / 4 * (b + torch.einsum("oi..., ij -> oj...", weight, a2 @ a1))
