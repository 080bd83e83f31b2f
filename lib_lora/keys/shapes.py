"""The shape of the weight that tensors were made for, told from their own shapes and without torch.

    made_for({"lora_up": (320, 4), "lora_down": (4, 768)}) == (320, 768)

Only for telling: what is applied is decided by the adapters, and a test holds both against each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]

ANY = -1
"""A size that the tensors do not tell; as the last of a shape it stands for everything that follows."""

EITHER = -2
"""As the first of two: the second is the number of outputs or of inputs."""


def made_for(shapes: Shapes) -> Shape | None:
    """Return the shape of the weight by role → shape of its tensors; None where they make no change."""
    for marks, read in _FAMILIES:
        if any(role in shapes for role in marks):
            try:
                return read(shapes)
            except (KeyError, ValueError, IndexError, StopIteration):  # some are missing or odd
                return None
    return None


def fits(made: Shape, host: Shape, may_be_wider: bool = False) -> bool:
    """Tell whether a change for one shape can be applied to a weight of another.

    A matrix fits a convolution with as many numbers in each row. may_be_wider: the weight may have further
    input channels, as the first layer of inpainting checkpoints has.
    """
    if may_be_wider and len(host) == 4 and len(made) >= 2 and made[0] in (ANY, host[0]):
        flat = len(made) == 2
        inputs, beyond = divmod(made[1], math.prod(host[2:])) if flat else (made[1], 0)
        if 0 < inputs < host[1] and beyond == 0 and (flat or made[2:] in ((ANY,), host[2:])):
            return True
    if made[:1] == (EITHER,):
        return len(host) >= 2 and made[1] in host[:2]
    if made[-1:] == (ANY,):
        made = made[:-1]
        host = host[: len(made)]
    elif len(made) == 2 and len(host) > 2:
        host = (host[0], math.prod(host[1:]))
    return len(made) == len(host) and all(
        ours in (ANY, theirs) for ours, theirs in zip(made, host, strict=True)
    )


def _lora(shapes: Shapes) -> Shape:
    up, down = shapes["lora_up"], shapes["lora_down"]
    if "lora_mid" in shapes:
        mid = shapes["lora_mid"]
        _same((up[1], down[0]), mid[:2])
        return up[0], down[1], *mid[2:]
    _same(up[1], down[0])
    return _plain((up[0], *down[1:]))


def _loha(shapes: Shapes) -> Shape:
    a, b = shapes["hada_w1_a"], shapes["hada_w1_b"]
    _same((shapes["hada_w2_a"][:1], math.prod(shapes["hada_w2_b"][1:])), (a[:1], math.prod(b[1:])))
    if "hada_t1" in shapes:
        return _plain((a[1], b[1], *shapes["hada_t1"][2:]))
    _same(a[1], b[0])
    return _plain((a[0], *b[1:]))


def _lokr(shapes: Shapes) -> Shape:
    (a, b), _ = _half(shapes, "lokr_w1")
    (c, d), kernel = _half(shapes, "lokr_w2")
    return _plain((a * c, b * d, *kernel))


def _half(shapes: Shapes, name: str) -> tuple[tuple[int, int], Shape]:
    whole = shapes.get(name)
    if whole is not None:
        return (whole[0], whole[1]), whole[2:]
    left, right = shapes[f"{name}_a"], shapes[f"{name}_b"]
    core = shapes.get("lokr_t2") if name == "lokr_w2" else None
    if core is not None:
        return (left[1], right[1]), core[2:]
    _same(left[1], right[0])
    return (left[0], right[1]), right[2:]


def _glora(shapes: Shapes) -> Shape:
    a1, a2, b1, b2 = (shapes[role] for role in ("a1", "a2", "b1", "b2"))
    kernel = shapes["bm"][2:] if "bm" in shapes else b2[2:]
    if not (a1[1] == b1[1] == a2[0] == b2[0]) or (b2[1] == b1[0] == a1[0] < a2[0]):  # the old layout
        _same(b2[1], b1[0])
        return _plain((b2[0], b1[1], *b1[2:]))
    return _plain((b1[0], b2[1], *kernel))


def _oft(shapes: Shapes) -> Shape:
    if "oft_r" in shapes:  # PEFT: triangles of b·(b − 1)/2 numbers, on the input side
        count, numbers = shapes["oft_r"]
        return ANY, count * ((1 + math.isqrt(1 + 8 * numbers)) // 2)
    blocks = next(shapes[role] for role in ("oft_blocks", "kohya_oft_blocks", "oft_diag") if role in shapes)
    return blocks[-3] * blocks[-1], ANY


def _boft(shapes: Shapes) -> Shape:
    _, count, size, _ = shapes["boft_r"]
    return ANY, count * size


def _ia3(shapes: Shapes) -> Shape | None:
    factor = next(shapes[role] for role in ("ia3_l", "ia3", "weight") if role in shapes)
    count = math.prod(factor)
    if "ia3_l" in shapes and len(factor) == 2:
        return (count, ANY) if factor[1] == 1 else (ANY, count, ANY)
    return EITHER, count  # which is a value of `on_input`, not a shape


def _full(shapes: Shapes) -> Shape:
    weight = shapes.get("diff", shapes.get("set_weight"))
    return (*shapes["diff_b"], ANY) if weight is None else _plain(weight)


def _norm(shapes: Shapes) -> Shape:
    return shapes["w_norm"] if "w_norm" in shapes else shapes["b_norm"]


def _tlora(shapes: Shapes) -> Shape:
    return shapes["p_layer"][0], shapes["q_layer"][1]


def _plain(shape: Shape) -> Shape:
    """Return a 1×1 convolution's shape as a matrix's."""
    return shape[:2] if shape[2:] == (1, 1) else shape


def _same(one: object, other: object) -> None:
    if one != other:
        raise ValueError


_FAMILIES: tuple[tuple[tuple[str, ...], Callable[[Shapes], Shape | None]], ...] = (
    (("lora_up", "lora_down"), _lora),
    (("hada_w1_a", "hada_w1_b"), _loha),
    (("lokr_w1", "lokr_w1_a", "lokr_w2", "lokr_w2_a"), _lokr),
    (("a1", "a2"), _glora),
    (("oft_blocks", "kohya_oft_blocks", "oft_diag", "oft_r"), _oft),
    (("boft_r",), _boft),
    (("ia3", "ia3_l", "on_input"), _ia3),
    (("lambda_layer", "p_layer", "q_layer"), _tlora),
    (("diff", "set_weight", "diff_b"), _full),
    (("w_norm", "b_norm"), _norm),
)
"""Roles that tell a family, and how its shapes are read; a full bias may stand beside LoRA: it comes late."""
