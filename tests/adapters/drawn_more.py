"""Rarer spellings for the table: stored scales, what early LyCORIS kept beside a LoRA, PEFT's own forms."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from tests.adapters.drawn import ALPHA, Shape, Tensors, draw_lora, flat, lora, normal

# ---- LoRA with more beside it


def draw_scaled(shape: Shape) -> Tensors:
    return {**draw_lora(shape), "scale": torch.tensor(0.5)}


def scaled(weight: Tensor, t: Tensors) -> Tensor:
    """The stored scale stands for alpha / rank."""
    return 0.5 * 4 / ALPHA * lora(weight, t)


def draw_rest(shape: Shape) -> Tensors:
    return {**draw_lora(shape), "bias": normal(*shape)}


def rest(weight: Tensor, t: Tensors) -> Tensor:
    return lora(weight, t) + ALPHA / 4 * t["bias"].reshape(weight.shape)


def draw_sparse_rest(shape: Shape) -> Tensors:
    places = torch.randperm(flat(shape)[0] * flat(shape)[1])[:20]
    indices = torch.ones(shape).nonzero()[places].T
    return {
        **draw_lora(shape),
        "bias_indices": indices.float().contiguous(),  # how they lie differs by processor
        "bias_values": normal(20),
        "bias_size": torch.tensor([float(size) for size in shape]),
    }


def sparse_rest(weight: Tensor, t: Tensors) -> Tensor:
    change = torch.zeros_like(weight)
    change[tuple(t["bias_indices"].long())] = t["bias_values"]
    return lora(weight, t) + ALPHA / 4 * change


# ---- PEFT's own OFT, BOFT and (IA)³


def draw_peft_oft(shape: Shape) -> Tensors:
    return {"oft_r": 0.3 * normal(flat(shape)[1] // 4, 6)}


def peft_oft(weight: Tensor, t: Tensors) -> Tensor:
    """Columns, turned by the first terms of the Cayley rotation's series."""
    blocks = []
    for triangle in t["oft_r"]:
        turn = torch.zeros(4, 4, dtype=weight.dtype)
        turn[tuple(torch.triu_indices(4, 4, 1))] = triangle
        turn = turn - turn.T
        powers = [torch.linalg.matrix_power(turn, exponent) for exponent in range(5)]
        blocks.append(powers[0] + 2 * sum(powers[1:]))
    return (weight.flatten(1) @ torch.block_diag(*blocks).T).reshape(weight.shape) - weight


def draw_peft_boft(shape: Shape) -> Tensors:
    return {"boft_r": normal(2, flat(shape)[1] // 4, 4, 4), "boft_s": 1 + 0.2 * normal(shape[0], 1)}


def peft_boft(weight: Tensor, t: Tensors) -> Tensor:
    columns = weight.flatten(1)
    half, width = 2, columns.shape[1]
    for stage, blocks in enumerate(t["boft_r"]):
        skew = (blocks.mT - blocks) / 2
        one = torch.eye(4, dtype=weight.dtype)
        rotation = torch.block_diag(*(torch.linalg.inv(one - skew) @ (one + skew)))
        apart = 2**stage  # groups between the halves of a pair; LyCORIS widens the groups instead
        places = [
            first * 2 * apart * half + side * apart * half + group * half + place
            for first in range(width // (2 * apart * half))
            for group in range(apart)
            for side in range(2)
            for place in range(half)
        ]
        turned = torch.empty_like(columns)
        turned[:, places] = columns[:, places] @ rotation.T
        columns = turned
    return (columns * t["boft_s"]).reshape(weight.shape) - weight


def draw_peft_ia3(on_input: bool) -> Callable[[Shape], Tensors]:
    def draw(shape: Shape) -> Tensors:
        if len(shape) == 4:
            return {"ia3_l": 1 + normal(1, shape[1 if on_input else 0], 1, 1)}
        return {"ia3_l": 1 + (normal(1, shape[1]) if on_input else normal(shape[0], 1))}

    return draw


def peft_ia3(weight: Tensor, t: Tensors) -> Tensor:
    """A row or, for convolutions and outputs, as many numbers as there are outputs."""
    factor = t["ia3_l"]
    on_input = factor.dim() == 2 and factor.shape[0] == 1
    return torch.einsum(
        "oi..., i -> oi..." if on_input else "oi..., o -> oi...", weight, factor.flatten() - 1
    )
