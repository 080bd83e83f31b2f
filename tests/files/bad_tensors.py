"""Files with an honest header whose tensors lie: every tensor spelled out, the error, a part of the message.

A line is `name type shape bytes`, the bytes in hexadecimal and repeated to fill the shape; zeros where they
are left out. The names lead to the first convolution of SD 1.x.
"""

from __future__ import annotations

import json
import math

import pytest

from lib_lora.errors import (
    DuplicateWeightError,
    HugeNumberError,
    MissingTensorError,
    MixedFamiliesError,
    NonFiniteTensorError,
    NotAnAdapterError,
    NotOneNumberError,
    OversizedChangeError,
    TensorShapeError,
    TensorSizeError,
    UnknownDtypeError,
)
from tests.files.samples import raw
from tests.fuzz.draft import BITS

UP, DOWN, MID = "conv_in.lora_up.weight", "conv_in.lora_down.weight", "conv_in.lora_mid.weight"
PAIR = (f"{UP} F16 [8,2]", f"{DOWN} F16 [2,4]")


def spelled(*lines: str) -> bytes:
    """The file in which the tensors stand one after another."""
    header, payload = {}, b""
    for line in lines:
        name, dtype, shape, numbers = (*line.split(), "00")[:4]
        sizes = json.loads(shape)
        length = math.prod(sizes) * BITS[dtype] // 8
        value = bytes.fromhex(numbers)
        end = len(payload) + length
        header[name] = {"dtype": dtype, "shape": sizes, "data_offsets": [len(payload), end]}
        payload += (value * (length // len(value) + 1))[:length]
    return raw(json.dumps(header).encode(), payload)


def halves(first: str, second: str, then: str = "") -> tuple[str, ...]:
    """Both halves of a LoHa alike, or with another second `hada_w2_b`."""
    return (
        f"conv_in.hada_w1_a F16 {first}",
        f"conv_in.hada_w1_b F16 {second}",
        f"conv_in.hada_w2_a F16 {first}",
        f"conv_in.hada_w2_b F16 {then or second}",
    )


MISSING = [
    pytest.param([PAIR[0]], MissingTensorError, "lora_down is missing", id="up without down"),
    pytest.param([PAIR[1]], MissingTensorError, "lora_up is missing", id="down without up"),
    pytest.param([f"{MID} F16 [2,2,3,3]"], MissingTensorError, "lora_up and lora_down", id="middle alone"),
    pytest.param(["conv_in.hada_w1_a F16 [8,2]"], MissingTensorError, "hada_w2_a", id="a quarter of a LoHa"),
    pytest.param(
        [*halves("[2,8]", "[2,4]"), "conv_in.hada_t1 F16 [2,2,3,3]"],
        MissingTensorError,
        "hada_t2 is missing",
        id="one core of a LoHa",
    ),
    pytest.param(["conv_in.lokr_w1 F16 [2,2]"], MissingTensorError, "lokr_w2 is missing", id="half a LoKr"),
    pytest.param(
        ["conv_in.lokr_w1 F16 [2,2]", "conv_in.lokr_w2_a F16 [4,1]"],
        MissingTensorError,
        "lokr_w2_b is missing",
        id="half of a LoKr's half",
    ),
    pytest.param(
        ["conv_in.a1.weight F16 [4,2]"], MissingTensorError, "a2 and b1 and b2", id="a quarter GLoRA"
    ),
    pytest.param(["conv_in.boft_R F16 [1,1,2,2]"], MissingTensorError, "boft_s", id="BOFT without its scale"),
    pytest.param(
        ["conv_in.p_layer.weight F16 [8,2]"], MissingTensorError, "q_layer", id="a third of a T-LoRA"
    ),
    pytest.param(["conv_in.on_input U8 []"], MissingTensorError, "weight is missing", id="a switch alone"),
    pytest.param(["conv_in.dora_scale F16 [8,1]"], MissingTensorError, "stands alone", id="lengths alone"),
    pytest.param(["conv_in.rescale F16 [8,1]"], MixedFamiliesError, "is only rescale", id="rescale alone"),
    pytest.param(["conv_in.scale F16 []"], MixedFamiliesError, "is only scale", id="a scale alone"),
]
MIXED = [
    pytest.param(
        [*PAIR, *halves("[8,2]", "[2,4]")],
        MixedFamiliesError,
        "mixes LoRA with hada_w1_a",
        id="two families on one weight",
    ),
    pytest.param([*PAIR, "conv_in.diff F16 [8,4]"], MixedFamiliesError, "LoRA with diff", id="LoRA and full"),
    pytest.param(
        ["conv_in.diff F16 [8,4]", "conv_in.set_weight F16 [8,4]"],
        MixedFamiliesError,
        "diff stands beside set_weight",
        id="a difference and a new value",
    ),
    pytest.param(
        ["conv_in.lokr_w1 F16 [2,2]", "conv_in.lokr_w1_a F16 [2,1]", "conv_in.lokr_w2 F16 [4,2]"],
        MixedFamiliesError,
        "only one of them can be meant",
        id="a half whole and in factors",
    ),
    pytest.param(
        [*PAIR, "lora_unet_conv_in.lora_up.weight F16 [8,2]"],
        DuplicateWeightError,
        "twice under two names",
        id="one weight under two names",
    ),
    pytest.param(
        [*PAIR, "unet.conv_in.alpha F16 []", "input_blocks.0.0.alpha F16 []"],
        DuplicateWeightError,
        "twice under two names",
        id="two alphas under two names",
    ),
]
SHAPES = [
    pytest.param(
        [PAIR[0], f"{DOWN} F16 [3,4]"], TensorShapeError, "has rank 2, but", id="up and down of two ranks"
    ),
    pytest.param(
        [f"{UP} F16 [8]", PAIR[1]], TensorShapeError, "lora_up has shape [8]", id="up of one dimension"
    ),
    pytest.param([PAIR[0], f"{DOWN} F16 []"], TensorShapeError, "lora_down has shape []", id="down of none"),
    pytest.param([f"{UP} F16 [8,2,1]", PAIR[1]], TensorShapeError, "shape [8, 2, 1]", id="up of three"),
    pytest.param([f"{UP} F16 [8,2,3,3]", PAIR[1]], TensorShapeError, "must be 1×1", id="up with a kernel"),
    pytest.param(
        [PAIR[0], f"{DOWN} F16 [2,4,0,0]"], TensorShapeError, "[2, 4, 0, 0]", id="kernel of nothing"
    ),
    pytest.param(
        [f"{UP} F16 [0,2]", PAIR[1], "conv_in.bias F16 [0]"],
        TensorShapeError,
        "0 × 4 numbers",
        id="no outputs",
    ),
    pytest.param([*PAIR, f"{MID} F16 [2,2,3]"], TensorShapeError, "can have a middle", id="middle of three"),
    pytest.param(
        [*PAIR, f"{MID} F16 [3,2,3,3]"], TensorShapeError, "does not fit between", id="middle's rank"
    ),
    pytest.param(
        [*PAIR, "conv_in.bias F16 [3]"], TensorShapeError, "has shape [3]", id="bias of another size"
    ),
    pytest.param([*PAIR, "conv_in.diff_b F16 [4]"], TensorShapeError, "has shape [4]", id="inputs as bias"),
    pytest.param(
        [*PAIR, "conv_in.dora_scale F16 [5,1]"], TensorShapeError, "the change is for", id="lengths"
    ),
    pytest.param([*PAIR, "conv_in.dora_scale F16 [0]"], TensorShapeError, "dora_scale has", id="no lengths"),
    pytest.param(halves("[8,2]", "[3,4]"), TensorShapeError, "does not fit", id="LoHa's ranks"),
    pytest.param(
        halves("[8,2]", "[2,4]", "[2,5]"), TensorShapeError, "[8, 4] and [8, 5]", id="LoHa's halves"
    ),
    pytest.param(
        [*halves("[2,8]", "[2,4]"), "conv_in.hada_t1 F16 [2,2,0,0]", "conv_in.hada_t2 F16 [2,2,0,0]"],
        TensorShapeError,
        "a core of four dimensions",
        id="cores of nothing",
    ),
    pytest.param(
        ["conv_in.lokr_w1 F16 [2,2]", "conv_in.lokr_w2 F16 [4]"],
        TensorShapeError,
        "lokr_w2",
        id="LoKr's half",
    ),
    pytest.param(
        [
            "conv_in.a1.weight F16 [4,2]",
            "conv_in.a2.weight F16 [2,4]",
            "conv_in.b1.weight F16 [8,2]",
            "conv_in.b2.weight F16 [2]",
        ],
        TensorShapeError,
        "b2 has shape [2]",
        id="GLoRA's last of one dimension",
    ),
    pytest.param(
        ["conv_in.oft_blocks F16 [2,4,3]"], TensorShapeError, "square blocks", id="blocks not square"
    ),
    pytest.param(["conv_in.oft_blocks F16 [4,4]"], TensorShapeError, "square blocks", id="one block"),
    pytest.param(["conv_in.oft_blocks F16 [0,4,4]"], TensorShapeError, "square blocks", id="no blocks"),
    pytest.param(
        ["conv_in.oft_blocks F16 [0,16384,16384]"], TensorShapeError, "square blocks", id="no enormous blocks"
    ),
    pytest.param(
        ["conv_in.oft_R.weight F16 []"], TensorShapeError, "triangles", id="PEFT's triangle a number"
    ),
    pytest.param(["conv_in.oft_R.weight F16 [2,4]"], TensorShapeError, "triangles", id="no triangle"),
    pytest.param(
        ["conv_in.oft_R.weight F16 [100000000,0]"], TensorShapeError, "triangles", id="empty triangles"
    ),
    pytest.param(
        ["conv_in.oft_blocks F16 [1,1,1]", "conv_in.rescale F16 []"],
        TensorShapeError,
        "rescale",
        id="rescale",
    ),
    pytest.param(
        ["conv_in.oft_blocks F16 [1,2,3,3]"], TensorShapeError, "of even b", id="odd blocks of BOFT"
    ),
    pytest.param(["conv_in.oft_blocks F16 [3,2,2,2]"], TensorShapeError, "more stages", id="too many stages"),
    pytest.param(
        ["conv_in.oft_blocks F16 [60000000,0,2,2]"], TensorShapeError, "of even b", id="stages of nothing"
    ),
    pytest.param(
        ["conv_in.weight F16 [2,4]", "conv_in.on_input U8 []"],
        TensorShapeError,
        "per channel",
        id="IA3 matrix",
    ),
    pytest.param(
        [
            "conv_in.a1.weight F16 [4,2]",
            "conv_in.a2.weight F16 [2,4]",
            "conv_in.b1.weight F16 [8,2]",
            "conv_in.b2.weight F16 [2,4,3,3]",
            "conv_in.bm.weight F16 [2,2,3,3]",
        ],
        TensorShapeError,
        "beside bm its kernel must be 1×1",
        id="GLoRA's two kernels",
    ),
    pytest.param(["conv_in.diff F16 [8,4,3]"], TensorShapeError, "which no layer has", id="full of three"),
    pytest.param(
        ["conv_in.boft_R F16 [1,2,2,2]", "conv_in.boft_s F16 [0,1]"],
        TensorShapeError,
        "boft_s has shape [0, 1]",
        id="BOFT of no outputs",
    ),
    pytest.param(["conv_in.diff_b F16 [8,1]"], TensorShapeError, "per output", id="bias as a matrix"),
    pytest.param(
        ["conv_in.w_norm F16 [8]", "conv_in.b_norm F16 [4]"],
        TensorShapeError,
        "[8] and [4]",
        id="norm's halves",
    ),
    pytest.param(
        [
            "conv_in.p_layer.weight F16 [8,2]",
            "conv_in.q_layer.weight F16 [2,4]",
            "conv_in.lambda_layer F16 [3]",
        ],
        TensorShapeError,
        "lambda_layer",
        id="T-LoRA's values",
    ),
]
NUMBERS = [
    pytest.param([*PAIR, "conv_in.alpha F16 [2]"], NotOneNumberError, "alpha must be one", id="two alphas"),
    pytest.param(
        [*PAIR, "conv_in.alpha F16 [0]"], NotOneNumberError, "alpha must be one", id="alpha of none"
    ),
    pytest.param([*PAIR, "conv_in.alpha F16 [] 007e"], NonFiniteTensorError, "alpha", id="alpha NaN"),
    pytest.param([*PAIR, "conv_in.alpha F16 [] 007c"], NonFiniteTensorError, "alpha", id="alpha infinite"),
    pytest.param([*PAIR, "conv_in.alpha U32 [] 01000000"], UnknownDtypeError, "U32", id="alpha of odd type"),
    pytest.param(
        ["conv_in.weight F16 [8]", "conv_in.on_input U8 [] 02"], NotOneNumberError, "is 2", id="switch of 2"
    ),
    pytest.param([f"{UP} F16 [8,2] 007e", PAIR[1]], NonFiniteTensorError, "NaN or infinity", id="NaN"),
    pytest.param([f"{UP} F16 [8,2] 00fc", PAIR[1]], NonFiniteTensorError, "NaN or infinity", id="infinity"),
    pytest.param([f"{UP} BF16 [8,2] c07f", PAIR[1]], NonFiniteTensorError, "NaN or", id="NaN in bf16"),
    pytest.param([f"{UP} F8_E4M3 [8,2] 7f", PAIR[1]], NonFiniteTensorError, "NaN or", id="NaN in fp8"),
    pytest.param(
        [f"{UP} F64 [8,2] 9c7500883ce4377e", PAIR[1]], NonFiniteTensorError, "NaN or", id="1e300 in fp64"
    ),
    pytest.param([f"{UP} F32 [8,2] caf24971", PAIR[1]], HugeNumberError, "holds 1e+30", id="1e30 in fp32"),
    pytest.param([*PAIR, "conv_in.alpha F32 [] caf24971"], HugeNumberError, "holds 1e+30", id="alpha 1e30"),
    pytest.param(
        [f"{UP} I8 [8,2]", PAIR[1]], UnknownDtypeError, "stored as I8", id="weights of whole numbers"
    ),
    pytest.param(
        [f"{UP} BOOL [8,2]", PAIR[1]], UnknownDtypeError, "stored as BOOL", id="weights of switches"
    ),
    pytest.param([f"{UP} C64 [8,2]", PAIR[1]], UnknownDtypeError, "stored as C64", id="complex weights"),
    pytest.param([f"{UP} F8_E8M0 [8,2]", PAIR[1]], UnknownDtypeError, "F8_E8M0", id="fp8 without fractions"),
    pytest.param(
        [*PAIR, "conv_in.lora_up.scale_weight F32 []"], UnknownDtypeError, "scaled fp8", id="scaled fp8"
    ),
    pytest.param([f"{UP} F4 [8,2]", PAIR[1]], UnknownDtypeError, "stored as F4", id="four bits"),
]
ENORMOUS = [
    pytest.param(
        [f"{UP} F16 [1,16384]", f"{DOWN} F16 [1,16384]", f"{MID} F16 [16384,1,1,1]"],
        OversizedChangeError,
        "16384 × 16384",
        id="Tucker core of kilobytes",
    ),
    pytest.param(
        [f"{UP} F16 [16384,1]", f"{DOWN} F16 [1,16384]"], OversizedChangeError, "16384 × 16384", id="LoRA"
    ),
    pytest.param(halves("[16384,1]", "[1,16384]"), OversizedChangeError, "16384 × 16384", id="LoHa"),
    pytest.param(
        [
            *halves("[1,1]", "[1,16384]"),
            "conv_in.hada_t1 F16 [1,1,100,100]",
            "conv_in.hada_t2 F16 [1,1,100,100]",
        ],
        OversizedChangeError,
        "1 × 16384 × 100 × 100",
        id="LoHa's cores",
    ),
    pytest.param(
        ["conv_in.lokr_w1 F16 [1,1]", "conv_in.lokr_w2_a F16 [16384,1]", "conv_in.lokr_w2_b F16 [1,16384]"],
        OversizedChangeError,
        "16384 × 16384",
        id="LoKr's factors",
    ),
    pytest.param(
        ["conv_in.lokr_w1 F16 [128,128]", "conv_in.lokr_w2 F16 [128,128]"],
        OversizedChangeError,
        "128 × 128 × 128 × 128",
        id="LoKr's product",
    ),
    pytest.param(
        [f"{UP} F16 [8,4097]", f"{DOWN} F16 [4097,4]"], OversizedChangeError, "rank 4097", id="rank 4097"
    ),
    pytest.param(
        ["conv_in.oft_blocks F16 [1,4097,4097]"],
        TensorShapeError,
        "the limit is 4096",
        id="a block of a minute",
    ),
    pytest.param(
        [f"{UP} F16 [4611686018427387904,0]", f"{DOWN} F16 [0,4]"],
        TensorSizeError,
        "numbers",
        id="rows of nothing",
    ),
    pytest.param(
        ["conv_in.diff F16 [1,1,1,1,1,1,1,1,1]"], TensorSizeError, "9 dimensions", id="nine dimensions"
    ),
]
STRANGERS = [
    pytest.param(
        ["model.diffusion_model.out.0.weight F16 [8]"], NotAnAdapterError, "checkpoint", id="checkpoint"
    ),
    pytest.param(
        ["first_stage_model.encoder.x F16 [8]"], NotAnAdapterError, "checkpoint", id="a VAE's tensor"
    ),
    pytest.param(["emb_params F16 [1,8]"], NotAnAdapterError, "an embedding", id="embedding"),
    pytest.param(["layer.0 F16 [8]"], NotAnAdapterError, "'layer.0'", id="nothing known"),
    pytest.param(["conv_in.alpha F16 []"], NotAnAdapterError, "conv_in.alpha", id="alpha alone"),
]
