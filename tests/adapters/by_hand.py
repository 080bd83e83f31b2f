"""Every spelling once more with numbers small enough for a pencil: tensors, a weight, and its change.

Literal fixtures stand where a trainer's library is the only other witness, or none is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

Numbers = list[object] | float


class Hand(NamedTuple):
    """Tensors by role, the weight, and the change it gets."""

    tensors: Mapping[str, Numbers]
    weight: Numbers
    change: Numbers


W: Numbers = [[1, 2], [3, 4]]
UP, DOWN = [[1], [2]], [[3, 4]]  # up @ down = [[3, 4], [6, 8]]
QUARTER = [[[0, 1], [0, 0]]]  # Q = [[0, 1], [-1, 0]] and R = [[0, 1], [-1, 0]]: RᵀW = [-row 2, row 1]
SHORTER = 2**0.5 / 4  # alpha · 2 outputs is half of ‖Q‖ = √2: R = [[3, 4], [-4, 3]] / 5
STAGES = [QUARTER * 2] * 2  # pairs of neighbours, then of every second: (a, b) becomes (b, -a)
FACTOR = [1, -1]

# DoRA: W + Δ = [[3, 4], [0, 2]], whose rows are 5 and 2 long, whose columns 3 and √20
TO_ROWS: Numbers = [[1, 4], [0, 2]]
MADE = {"lora_up": [[2], [0]], "lora_down": [[1, 0]]}
MADE_AS_LOHA = {
    "hada_w1_a": [[2], [0]],
    "hada_w1_b": [[1, 0]],
    "hada_w2_a": [[1], [1]],
    "hada_w2_b": [[1, 1]],
}
MADE_AS_LOKR = {"lokr_w1": [[1, 0], [0, 0]], "lokr_w2_a": [[2]], "lokr_w2_b": [[1]]}
ROWS_10_AND_1: Numbers = [[5, 4], [0, -1]]
COLUMNS_6_AND_ROOT_5: Numbers = [[5, -2], [0, -1]]

BY_HAND: Mapping[str, Hand] = MappingProxyType(
    {
        "LoRA": Hand({"lora_up": UP, "lora_down": DOWN, "alpha": 0.5}, W, [[1.5, 2], [3, 4]]),
        "LoRA without alpha": Hand({"lora_up": UP, "lora_down": DOWN}, W, [[3, 4], [6, 8]]),
        "LoRA with alpha 0": Hand({"lora_up": UP, "lora_down": DOWN, "alpha": 0}, W, [[3, 4], [6, 8]]),
        "LoRA with alpha of shape [1]": Hand(
            {"lora_up": UP, "lora_down": DOWN, "alpha": [3]}, W, [[9, 12], [18, 24]]
        ),
        "LoRA with a stored scale": Hand(
            {"lora_up": UP, "lora_down": DOWN, "alpha": 3, "scale": 2}, W, [[6, 8], [12, 16]]
        ),
        "LoRA with a rest": Hand(
            {"lora_up": UP, "lora_down": DOWN, "alpha": 2, "bias": [[1, 0], [0, 1]]}, W, [[8, 8], [12, 18]]
        ),
        "LoRA with a sparse rest": Hand(
            {
                "lora_up": UP,
                "lora_down": DOWN,
                "bias_indices": [[0, 1], [1, 0]],
                "bias_values": [10, 20],
                "bias_size": [2, 2],
            },
            W,
            [[3, 14], [26, 8]],
        ),
        # mid · down = (302, 504), times up: 302 + 5040; the middle transposed would give 5432
        "LoCon Tucker": Hand(
            {
                "lora_up": [[[[1]], [[10]]]],
                "lora_mid": [[[[2]], [[3]]], [[[4]], [[5]]]],
                "lora_down": [[[[1]]], [[[100]]]],
            },
            [[[[7]]]],
            [[[[5342]]]],
        ),
        "LoHa of rank 2": Hand(
            {
                "hada_w1_a": [[1, 0], [0, 1]],
                "hada_w1_b": [[1, 2], [3, 4]],
                "hada_w2_a": [[1, 1], [0, 1]],
                "hada_w2_b": [[1, 0], [0, 1]],
                "alpha": 1,
            },
            W,
            [[0.5, 1], [0, 2]],
        ),
        "LoKr full ⊗ full": Hand(
            {"lokr_w1": [[1, 2]], "lokr_w2": [[3], [5]], "alpha": 64}, W, [[3, 6], [5, 10]]
        ),
        "LoKr factors of two ranks": Hand(
            {
                "lokr_w1_a": [[1], [2]],
                "lokr_w1_b": [[1]],
                "lokr_w2_a": [[1, 10]],
                "lokr_w2_b": [[3, 4], [5, 6]],
                "alpha": 1,  # w2's rank counts: half of (1, 2)ᵀ ⊗ (53, 64)
            },
            W,
            [[26.5, 32], [53, 64]],
        ),
        "LoKr with a spatial w2_b": Hand(
            {"lokr_w1": [[2]], "lokr_w2_a": [[1], [10]], "lokr_w2_b": [[[[3, 4]]]]},
            [[[[1, 1]]], [[[1, 1]]]],
            [[[[6, 8]]], [[[60, 80]]]],
        ),
        "GLoRA": Hand(  # b1 @ b2 = [[3, 4], [6, 8]]; W @ a1 @ a2 = [[0, 5], [0, 11]]
            {"a1": [[1], [2]], "a2": [[0, 1]], "b1": UP, "b2": DOWN}, W, [[3, 9], [6, 19]]
        ),
        "GLoRA old": Hand({"a2": [[1], [2]], "a1": [[0, 1]], "b2": UP, "b1": DOWN}, W, [[3, 9], [6, 19]]),
        "OFT": Hand({"oft_blocks": QUARTER, "alpha": 0}, W, [[-4, -6], [-2, -2]]),
        "OFT without alpha": Hand({"oft_blocks": QUARTER}, W, [[-4, -6], [-2, -2]]),
        "COFT": Hand({"oft_blocks": QUARTER, "alpha": SHORTER}, [[5, 0], [0, 5]], [[-2, -4], [4, -2]]),
        "OFT with rescale": Hand({"oft_blocks": QUARTER, "rescale": [[2], [2]]}, W, [[-7, -10], [-1, 0]]),
        "OFT of kohya": Hand(
            {"kohya_oft_blocks": QUARTER, "alpha": SHORTER}, [[5, 0], [0, 5]], [[-2, -4], [4, -2]]
        ),
        "OFT of kohya with constraint 0": Hand(
            {"kohya_oft_blocks": QUARTER, "alpha": 0}, W, [[0, 0], [0, 0]]
        ),
        "OFT storing R": Hand({"oft_diag": [[[0, 1], [-1, 0]]]}, W, [[-4, -6], [-2, -2]]),
        "OFT of PEFT": Hand(  # Q = ½[[0, 1], [-1, 0]], R = I + 2(Q + Q² + Q³ + Q⁴) = [[5, 6], [-6, 5]] / 8
            {"oft_r": [[0.5]]}, [[8, 0], [0, 8]], [[-3, -6], [6, -3]]
        ),
        "BOFT": Hand(  # (1, 2, 3, 4) → (2, -1, 4, -3) → (4, -3, -2, 1)
            {"oft_blocks": STAGES, "alpha": 0}, [[1], [2], [3], [4]], [[3], [-5], [-5], [-3]]
        ),
        "BOFT with constraint": Hand(
            {"oft_blocks": [QUARTER], "alpha": SHORTER}, [[5, 0], [0, 5]], [[-2, 4], [-4, -2]]
        ),
        "BOFT with rescale": Hand(
            {"oft_blocks": STAGES, "rescale": [[2], [1], [1], [1]]},
            [[1], [2], [3], [4]],
            [[7], [-5], [-5], [-3]],
        ),
        "BOFT of PEFT": Hand(  # Q = (Aᵀ − A)/2 turns the columns (a, b) to (-b, a), then the rows are scaled
            {"boft_r": [[[[0, 2], [0, 0]]]], "boft_s": [[2], [1]]}, W, [[-5, 0], [-7, -1]]
        ),
        "(IA)³ on outputs": Hand({"weight": FACTOR, "on_input": 0}, W, [[1, 2], [-3, -4]]),
        "(IA)³ on inputs": Hand({"weight": FACTOR, "on_input": 1}, W, [[1, -2], [3, -4]]),
        "(IA)³ of PEFT on outputs": Hand({"ia3_l": [[2], [0]]}, W, [[1, 2], [-3, -4]]),
        "(IA)³ of PEFT on inputs": Hand({"ia3_l": [[2, 0]]}, W, [[1, -2], [3, -4]]),
        "full": Hand({"diff": [[5, 6], [7, 8]], "alpha": 9}, W, [[5, 6], [7, 8]]),
        "set_weight": Hand({"set_weight": [[5, 6], [7, 8]]}, W, [[4, 4], [4, 4]]),
        "T-LoRA": Hand(  # the largest part of diag(5, 1) is diag(5, 0)
            {"p_layer": [[0], [1]], "q_layer": [[1, 0]], "lambda_layer": [[2]]},
            [[5, 0], [0, 1]],
            [[-5, 0], [2, 0]],
        ),
        "DoRA on outputs": Hand({**MADE, "dora_scale": [[10], [1]]}, TO_ROWS, ROWS_10_AND_1),
        "DoRA on inputs": Hand({**MADE, "dora_scale": [[6, 5**0.5]]}, TO_ROWS, COLUMNS_6_AND_ROOT_5),
        "DoRA on inputs of a square": Hand(
            {**MADE, "dora_scale": [[6, 5**0.5]]}, TO_ROWS, COLUMNS_6_AND_ROOT_5
        ),
        "DoRA by a vector": Hand({**MADE, "dora_scale": [10, 1]}, TO_ROWS, ROWS_10_AND_1),
        "DoRA of PEFT": Hand({**MADE, "magnitude": [10, 1]}, TO_ROWS, ROWS_10_AND_1),
        "DoHa": Hand({**MADE_AS_LOHA, "dora_scale": [[10], [1]]}, TO_ROWS, ROWS_10_AND_1),
        "DoRA of a full difference": Hand(
            {"diff": [[2, 0], [0, 0]], "dora_scale": [[10], [1]]}, TO_ROWS, ROWS_10_AND_1
        ),
        "DoKr on inputs": Hand({**MADE_AS_LOKR, "dora_scale": [[6, 5**0.5]]}, TO_ROWS, COLUMNS_6_AND_ROOT_5),
        "DoRA of OFT": Hand(  # the quarter turn makes (3, 4) and (0, 2) of (0, 2) and (-3, -4)
            {"oft_blocks": QUARTER, "dora_scale": [[10], [1]]}, [[0, 2], [-3, -4]], [[6, 6], [3, 5]]
        ),
    }
)


def tensors_of(hand: Hand) -> dict[str, Tensor]:
    """The tensors of a fixture, in float32."""
    return {role: torch.tensor(numbers, dtype=torch.float32) for role, numbers in hand.tensors.items()}
