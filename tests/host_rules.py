"""The rules by which other programs turn tensors into a change, where they are known and simple.

Written from what the programs do, in words of this project; they show where the recorded errors come from.
Each takes the weight, the tensors by role and the strength, and returns the change, all in float64.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from tests.adapters.drawn import Tensors, lora, old_glora
from tests.adapters.table import oft, rotation, turned

Rule = Callable[[Tensor, Tensors, float], Tensor]


def nothing(weight: Tensor, t: Tensors, strength: float) -> Tensor:
    """Alpha 0 read as a factor (all), or as the longest turn allowed (SD.Next)."""
    return torch.zeros_like(weight)


def old_glora_without_scale(weight: Tensor, t: Tensors, strength: float) -> Tensor:
    """A1111 and SD.Next never learn the rank, so alpha / rank stays away."""
    scale = float(t["alpha"]) / t["a1"].shape[0]
    return strength * old_glora(weight, t) / scale


def turn_fading_twice(weight: Tensor, t: Tensors, strength: float) -> Tensor:
    """ComfyUI fades the turn by the strength, and the change again."""
    return strength**2 * oft(weight, {"oft_blocks": t["oft_blocks"]})


def turn_held_too_short(weight: Tensor, t: Tensors, strength: float) -> Tensor:
    """ComfyUI compares the turn with alpha instead of alpha × outputs, and fades twice."""
    blocks = rotation(t["oft_blocks"], float(t["alpha"]))
    return strength**2 * turned(weight, blocks, None)


def rescale_faded(weight: Tensor, t: Tensors, strength: float) -> Tensor:
    """A1111 lets the rescale fade with the strength, as this project does."""
    return strength * oft(weight, t)


def rescale_kept(weight: Tensor, t: Tensors, strength: float) -> Tensor:
    """LyCORIS fades the turn only; at 0 its rescale is still there."""
    faded = weight + strength * oft(weight, {"oft_blocks": t["oft_blocks"]})
    return t["rescale"] * faded - weight


def stages(weight: Tensor, blocks: Tensor, strength: float) -> Tensor:
    """The weight turned in stages, each faded by the strength, as LyCORIS does."""
    one, rows = torch.eye(blocks.shape[-1], dtype=blocks.dtype), weight.flatten(1)
    half = blocks.shape[-1] // 2
    for stage, rotations in enumerate(rotation(blocks)):
        faded = torch.block_diag(*(strength * rotations + (1 - strength) * one))
        width = half * 2**stage
        order = torch.arange(len(rows)).reshape(-1, 2, width).transpose(1, 2).flatten()
        rows = (faded @ rows[order])[order.argsort()]
    return rows.reshape(weight.shape)


def stages_faded(weight: Tensor, t: Tensors, strength: float) -> Tensor:
    """LyCORIS: every stage fades."""
    return stages(weight, t["oft_blocks"], strength) - weight


def stages_faded_twice(weight: Tensor, t: Tensors, strength: float) -> Tensor:
    """ComfyUI: every stage fades, and the change again."""
    return strength * stages_faded(weight, t, strength)


def result_faded(weight: Tensor, t: Tensors, strength: float) -> Tensor:
    """A1111: the result fades, as in this project."""
    return strength * stages_faded(weight, t, 1.0)


def lengths(weight: Tensor, axis: int) -> Tensor:
    """Length of every output (0) or input (1), shaped to divide the weight."""
    return weight.pow(2).sum([n for n in range(weight.ndim) if n != axis], keepdim=True).sqrt()


def lengths_of_inputs(weight: Tensor, t: Tensors, strength: float) -> Tensor:
    """A1111 divides by the lengths of inputs, whatever the file's lengths belong to."""
    changed = weight + lora(weight, t)
    return strength * (t["dora_scale"] * changed / lengths(changed, 1) - weight)


def lengths_before(weight: Tensor, t: Tensors, strength: float) -> Tensor:
    """Forge and ComfyUI divide by the outputs' lengths before the change."""
    changed = weight + lora(weight, t)
    return strength * (t["dora_scale"] * changed / lengths(weight, 0) - weight)


def lengths_then_scale(weight: Tensor, t: Tensors, strength: float) -> Tensor:
    """SD.Next leaves alpha / rank out of the change and puts it on the result; lengths as in A1111."""
    scale = float(t["alpha"]) / t["lora_down"].shape[0]
    changed = weight + lora(weight, t) / scale
    return strength * scale * (t["dora_scale"] * changed / lengths(changed, 1) - weight)
