"""The families' table: for every way to write a family, tensors by role and the change they mean.

The formulas are written out here in float64, in words of their own, and share nothing with the package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from tests.adapters.drawn import (
    ALPHA,
    Shape,
    Tensors,
    draw_glora,
    draw_loha,
    draw_loha_tucker,
    draw_lokr,
    draw_lora,
    draw_old_glora,
    draw_tucker,
    glora,
    loha,
    loha_tucker,
    lokr,
    lora,
    normal,
    old_glora,
    point,
    tucker,
    with_roles,
    without,
)
from tests.adapters.drawn_more import (
    draw_peft_boft,
    draw_peft_ia3,
    draw_peft_oft,
    draw_rest,
    draw_scaled,
    draw_sparse_rest,
    peft_boft,
    peft_ia3,
    peft_oft,
    rest,
    scaled,
    sparse_rest,
)

LINEAR, POINT, CONV, TEXT = (24, 16), (24, 16, 1, 1), (24, 16, 3, 3), (768, 768)
SHAPES = {"linear": LINEAR, "conv1x1": POINT, "conv3x3": CONV, "text encoder": TEXT}
EVERYWHERE = tuple(SHAPES)


@dataclass(frozen=True)
class Case:
    """One spelling of a family: how its tensors are drawn, and the change they make to a weight."""

    name: str
    draw: Callable[[Shape], Tensors]
    formula: Callable[[Tensor, Tensors], Tensor]
    hosts: tuple[str, ...] = EVERYWHERE


def weight_for(name: str) -> Tensor:
    """Draw a weight."""
    return torch.randn(SHAPES[name]) * 0.5


# ---- OFT, BOFT


def rotation(blocks: Tensor, longest: float | None = None) -> Tensor:
    skew = blocks - blocks.mT
    length = float((skew**2).sum().sqrt())
    if longest is not None and length > longest:
        skew = skew / length * longest
    one = torch.eye(blocks.shape[-1], dtype=blocks.dtype)
    return torch.linalg.inv(one - skew.mT).mT @ (one + skew)  # the two commute


def draw_oft(
    alpha: float | None = 0.0, role: str = "oft_blocks", rescale: bool = False
) -> Callable[[Shape], Tensors]:
    def draw(shape: Shape) -> Tensors:
        tensors: Tensors = {role: normal(shape[0] // 4, 4, 4)}
        if alpha is not None:
            tensors["alpha"] = torch.tensor(alpha)
        if rescale:
            tensors["rescale"] = 1 + 0.2 * normal(shape[0], *(1 for _ in shape[1:]))
        return tensors

    return draw


def turned(weight: Tensor, rotations: Tensor, rescale: Tensor | None) -> Tensor:
    rotated = (torch.block_diag(*rotations).mT @ weight.flatten(1)).reshape(weight.shape)
    return (rotated if rescale is None else rescale * rotated) - weight


def oft(weight: Tensor, t: Tensors) -> Tensor:
    if "oft_diag" in t:
        return turned(weight, t["oft_diag"], t.get("rescale"))
    alpha = float(t["alpha"]) if "alpha" in t else 0.0
    longest = alpha * weight.shape[0] if alpha or "kohya_oft_blocks" in t else None
    blocks = t["oft_blocks"] if "oft_blocks" in t else t["kohya_oft_blocks"]
    return turned(weight, rotation(blocks, longest), t.get("rescale"))


def draw_boft(alpha: float = 0.0, rescale: bool = False) -> Callable[[Shape], Tensors]:
    def draw(shape: Shape) -> Tensors:
        tensors = draw_oft(alpha, rescale=rescale)(shape)
        return {**tensors, "oft_blocks": normal(2, shape[0] // 4, 4, 4)}

    return draw


def boft(weight: Tensor, t: Tensors) -> Tensor:
    alpha, blocks = float(t["alpha"]), t["oft_blocks"]
    stages = rotation(blocks, alpha * weight.shape[0] if alpha else None)
    turned_rows = weight.flatten(1)
    for stage, rotations in enumerate(stages):
        half = 2 * 2**stage
        places = [
            (row // (2 * half)) * 2 * half + (row % 2) * half + (row % (2 * half)) // 2
            for row in range(weight.shape[0])
        ]
        arranged = torch.block_diag(*rotations) @ turned_rows[places]
        turned_rows = torch.empty_like(turned_rows)
        turned_rows[places] = arranged
    rotated = turned_rows.reshape(weight.shape)
    return rotated * t["rescale"] - weight if "rescale" in t else rotated - weight


# ---- (IA)³, full, T-LoRA


def draw_ia3(on_input: int) -> Callable[[Shape], Tensors]:
    def draw(shape: Shape) -> Tensors:
        count = shape[1 if on_input else 0]
        factor = normal(1, count, 1, 1) if len(shape) == 4 else normal(count)
        return {"weight": factor, "on_input": torch.tensor(float(on_input))}

    return draw


def ia3(weight: Tensor, t: Tensors) -> Tensor:
    factor = t["weight"].flatten()
    return torch.einsum("oi..., i -> oi..." if float(t["on_input"]) else "oi..., o -> oi...", weight, factor)


def draw_tlora(shape: Shape) -> Tensors:
    return {
        "p_layer": point(normal(shape[0], 4), shape),
        "q_layer": point(normal(4, shape[1]), shape),
        "lambda_layer": normal(1, 4),
        "alpha": torch.tensor(ALPHA),
    }


def tlora(weight: Tensor, t: Tensors) -> Tensor:
    matrix = weight.flatten(1)
    left, values, right = torch.linalg.svd(matrix)
    own = left[:, :4] @ torch.diag(values[:4]) @ right[:4]
    new = t["p_layer"].flatten(1) @ torch.diag(t["lambda_layer"][0]) @ t["q_layer"].flatten(1)
    return (ALPHA / 4 * (new - own)).reshape(weight.shape)


# ---- DoRA


def draw_dora(draw: Callable[[Shape], Tensors], axis: str) -> Callable[[Shape], Tensors]:
    def drawn(shape: Shape) -> Tensors:
        kernel = (1,) * (len(shape) - 2)
        sizes = {
            "out": (shape[0], 1, *kernel),
            "in": (1, shape[1], *kernel),
            "vector": (shape[0],),
            "magnitude": (1, shape[0], 1, 1) if len(shape) == 4 else (shape[0],),
        }[axis]
        role = "magnitude" if axis == "magnitude" else "dora_scale"
        return {**draw(shape), role: 5 + torch.rand(sizes)}

    return drawn


def dora(formula: Callable[[Tensor, Tensors], Tensor], axis: str) -> Callable[[Tensor, Tensors], Tensor]:
    def changed(weight: Tensor, t: Tensors) -> Tensor:
        direction = weight + formula(weight, t)
        lengths = t["magnitude" if axis == "magnitude" else "dora_scale"].flatten()
        if axis == "in":
            norms = direction.pow(2).transpose(0, 1).flatten(1).sum(1).sqrt()
            return torch.einsum("oi..., i -> oi...", direction, lengths / norms) - weight
        norms = direction.pow(2).flatten(1).sum(1).sqrt()
        return torch.einsum("oi..., o -> oi...", direction, lengths / norms) - weight

    return changed


LINEARS = ("linear", "text encoder")
FLAT = ("linear", "conv1x1", "text encoder")
SPATIAL = ("conv3x3",)

CASES: tuple[Case, ...] = (
    Case("LoRA", draw_lora, lora),
    Case("LoRA without alpha", without(draw_lora, "alpha"), lora),
    Case("LoRA with alpha 0", with_roles(draw_lora, alpha=torch.tensor(0.0)), lora),
    Case("LoRA with alpha of shape [1]", with_roles(draw_lora, alpha=torch.tensor([ALPHA])), lora),
    Case("LoRA with a stored scale", draw_scaled, scaled),
    Case("LoRA with a rest", draw_rest, rest),
    Case("LoRA with a sparse rest", draw_sparse_rest, sparse_rest),
    Case("LoCon Tucker", draw_tucker, tucker, SPATIAL),
    Case("LoHa", draw_loha, loha),
    Case("LoHa of rank 2", lambda shape: draw_loha(shape, 2), loha),
    Case("LoHa Tucker", draw_loha_tucker, loha_tucker, SPATIAL),
    Case("LoKr full ⊗ factors", draw_lokr("full", "factors"), lokr),
    Case("LoKr full ⊗ full", draw_lokr("full", "full"), lokr),
    Case("LoKr factors ⊗ factors", draw_lokr("factors", "factors", rank=2), lokr),
    Case("LoKr factors of two ranks", draw_lokr("factors", "factors", rank=1), lokr),
    Case("LoKr factors ⊗ full", draw_lokr("factors", "full"), lokr),
    Case("LoKr with a spatial w2_b", draw_lokr("full", "spatial factors"), lokr),
    Case("LoKr Tucker", draw_lokr("full", "tucker"), lokr, SPATIAL),
    Case("GLoRA", draw_glora, glora),
    Case("GLoRA old", draw_old_glora, old_glora),
    Case("OFT", draw_oft(), oft),
    Case("OFT without alpha", draw_oft(None), oft),
    Case("COFT", draw_oft(0.001), oft),
    Case("OFT with rescale", draw_oft(rescale=True), oft),
    Case("OFT of kohya", draw_oft(0.001, "kohya_oft_blocks"), oft),
    Case("OFT of kohya with constraint 0", draw_oft(0.0, "kohya_oft_blocks"), oft),
    Case("OFT storing R", draw_oft(None, "oft_diag"), oft),
    Case("OFT of PEFT", draw_peft_oft, peft_oft, FLAT),
    Case("BOFT", draw_boft(), boft),
    Case("BOFT with constraint", draw_boft(0.001), boft),
    Case("BOFT with rescale", draw_boft(rescale=True), boft),
    Case("BOFT of PEFT", draw_peft_boft, peft_boft, FLAT),
    Case("(IA)³ on outputs", draw_ia3(0), ia3),
    Case("(IA)³ on inputs", draw_ia3(1), ia3),
    Case("(IA)³ of PEFT on outputs", draw_peft_ia3(False), peft_ia3),
    Case("(IA)³ of PEFT on inputs", draw_peft_ia3(True), peft_ia3, LINEARS),
    Case("full", lambda shape: {"diff": normal(*shape)}, lambda weight, t: t["diff"]),
    Case(
        "set_weight", lambda shape: {"set_weight": normal(*shape)}, lambda weight, t: t["set_weight"] - weight
    ),
    Case("T-LoRA", draw_tlora, tlora, FLAT),
    Case("DoRA on outputs", draw_dora(draw_lora, "out"), dora(lora, "out")),
    Case("DoRA on inputs", draw_dora(draw_lora, "in"), dora(lora, "in"), ("linear", "conv1x1", "conv3x3")),
    Case("DoRA on inputs of a square", draw_dora(draw_lora, "in"), dora(lora, "in"), ("text encoder",)),
    Case("DoRA by a vector", draw_dora(draw_lora, "vector"), dora(lora, "out")),
    Case("DoRA of PEFT", draw_dora(draw_lora, "magnitude"), dora(lora, "magnitude")),
    Case("DoHa", draw_dora(draw_loha, "out"), dora(loha, "out")),
    Case(
        "DoRA of a full difference",
        draw_dora(lambda shape: {"diff": normal(*shape)}, "out"),
        dora(lambda weight, t: t["diff"], "out"),
    ),
    Case("DoKr on inputs", draw_dora(draw_lokr("full", "factors"), "in"), dora(lokr, "in")),
    Case("DoRA of OFT", draw_dora(draw_oft(None), "out"), dora(oft, "out")),
)

ROWS = tuple((case, host) for case in CASES for host in case.hosts)
ROW_NAMES = tuple(f"{case.name} on {host}" for case, host in ROWS)


def exact(tensors: Mapping[str, Tensor]) -> Tensors:
    """The same numbers in float64."""
    return {role: tensor.double() for role, tensor in tensors.items()}
