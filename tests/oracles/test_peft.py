"""Every family PEFT has too, fed with the same tensors, its known faults avoided.

Avoided: LoKr with both halves full (PEFT scales it). PEFT's own forms of OFT, BOFT, (IA)³ and DoRA are read
as its files hold them.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lib_lora.adapters import find_family
from tests.adapters.table import ALPHA, CASES, SHAPES, Tensors

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import peft

pytestmark = pytest.mark.filterwarnings("ignore")
TOLERANCE = 1e-6


def wrapped(host: nn.Module, config: Any) -> Any:
    """PEFT's layer around a copy of the host."""
    model = peft.get_peft_model(nn.Sequential(copy.deepcopy(host)), config)
    return model.base_model.model[0]


def layer(shape: tuple[int, ...]) -> nn.Module:
    """A layer of a weight's shape."""
    if len(shape) == 4:
        return nn.Conv2d(shape[1], shape[0], shape[2:], padding=shape[2] // 2)
    return nn.Linear(shape[1], shape[0])


def filled(made: Any, tensors: Tensors, roles: tuple[str, ...]) -> Tensor:
    """The difference PEFT computes when its parameters hold our tensors."""
    for role in roles:
        store = getattr(made, role)
        if "default" in store:
            del store["default"]
        if role in tensors:
            store["default"] = nn.Parameter(tensors[role].clone())
    return made.get_delta_weight("default")


LOHA_ROLES = ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2")
LOKR_ROLES = ("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2")


def lora_delta(host: nn.Module, tensors: Tensors) -> Tensor:
    made = wrapped(host, peft.LoraConfig(r=4, lora_alpha=ALPHA, target_modules=["0"]))
    made.lora_A["default"].weight.data = tensors["lora_down"].clone()
    made.lora_B["default"].weight.data = tensors["lora_up"].clone()
    return made.get_delta_weight("default")


def loha_delta(host: nn.Module, tensors: Tensors) -> Tensor:
    rank, tucker = len(tensors["hada_w1_b"]), "hada_t1" in tensors
    config = peft.LoHaConfig(r=rank, alpha=ALPHA, target_modules=["0"], use_effective_conv2d=tucker)
    return filled(wrapped(host, config), tensors, LOHA_ROLES)


def lokr_delta(host: nn.Module, tensors: Tensors) -> Tensor:
    rank = len(tensors.get("lokr_w2_b", tensors.get("lokr_w1_b")))
    config = peft.LoKrConfig(
        r=rank,
        alpha=ALPHA,
        target_modules=["0"],
        decompose_both="lokr_w1_a" in tensors,
        decompose_factor=4,
        use_effective_conv2d="lokr_t2" in tensors,
    )
    return filled(wrapped(host, config), tensors, LOKR_ROLES)


Oracle = Callable[[nn.Module, Tensors], Tensor]
ORACLES: tuple[tuple[str, Oracle], ...] = (
    ("LoRA", lora_delta),
    ("LoHa", loha_delta),
    ("LoHa Tucker", loha_delta),
    ("LoKr full ⊗ factors", lokr_delta),
    ("LoKr factors ⊗ factors", lokr_delta),
    ("LoKr factors ⊗ full", lokr_delta),
    ("LoKr Tucker", lokr_delta),
)
ALSO = (
    "OFT of PEFT",
    "BOFT of PEFT",
    "(IA)³ of PEFT on outputs",
    "(IA)³ of PEFT on inputs",
    "DoRA of PEFT",
)
"""Spellings of PEFT's own, each held by a test below."""
BY_NAME = {case.name: case for case in CASES}
ROWS = tuple(
    (name, host, oracle)
    for name, oracle in ORACLES
    for host in BY_NAME[name].hosts
    if host != "conv1x1"  # PEFT treats a point as a matrix or refuses the flat form
)


def close(ours: Tensor, theirs: Tensor) -> bool:
    """Equal to a millionth of the largest number."""
    return bool((ours - theirs).abs().max() <= TOLERANCE * theirs.abs().max())


@pytest.mark.parametrize(
    ("name", "host", "oracle"), ROWS, ids=[f"{name} on {host}" for name, host, _ in ROWS]
)
def test_peft_makes_the_same_change(name: str, host: str, oracle: Oracle) -> None:
    torch.manual_seed(21)
    theirs, tensors = layer(SHAPES[host]), BY_NAME[name].draw(SHAPES[host])
    adapter = find_family(tensors).read(tensors)
    with torch.no_grad():
        assert close(adapter.delta(theirs.weight), oracle(theirs, tensors))


@pytest.mark.parametrize("strength", [0.35, 1.0, -0.7])
@pytest.mark.parametrize("on_input", [False, True], ids=["outputs", "inputs"])
@pytest.mark.parametrize("host", ["linear", "conv3x3"])
def test_peft_scales_the_same_channels(host: str, on_input: bool, strength: float) -> None:
    torch.manual_seed(22)
    theirs = layer(SHAPES[host])
    made = wrapped(
        theirs, peft.IA3Config(target_modules=["0"], feedforward_modules=["0"] if on_input else [])
    )
    stored = 1 + 0.3 * torch.randn_like(made.ia3_l["default"].data)
    adapter = find_family({"ia3_l"}).read({"ia3_l": stored})
    made.ia3_l["default"].data = 1 + strength * (stored - 1)
    with torch.no_grad():
        made.merge()
        assert close(theirs.weight + strength * adapter.delta(theirs.weight), made.base_layer.weight)
        if not on_input:
            bias = theirs.bias + strength * adapter.bias(theirs.bias)
            assert close(bias, made.base_layer.bias)


@pytest.mark.parametrize("host", ["linear", "conv3x3"])
def test_peft_turns_the_inputs_with_its_default_series(host: str) -> None:
    torch.manual_seed(23)
    theirs = layer(SHAPES[host])
    made = wrapped(theirs, peft.OFTConfig(r=0, oft_block_size=4, target_modules=["0"]))
    stored = 0.1 * torch.randn_like(made.oft_R["default"].weight.data)
    made.oft_R["default"].weight.data = stored.clone()
    adapter = find_family({"oft_r"}).read({"oft_r": stored})
    assert adapter.fits(tuple(theirs.weight.shape))
    with torch.no_grad():
        made.merge()
        assert close(theirs.weight + adapter.delta(theirs.weight), made.base_layer.weight)


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_peft_turns_the_inputs_in_stages(stages: int) -> None:
    """PEFT builds several stages only on a GPU, so its layer's own methods are put together here."""
    torch.manual_seed(24)
    theirs = nn.Linear(32, 24)
    made = wrapped(
        theirs, peft.BOFTConfig(boft_block_size=4, boft_n_butterfly_factor=1, target_modules=["0"])
    )
    blocks, lengths = 0.3 * torch.randn(stages, 8, 4, 4), 1 + 0.2 * torch.randn(24, 1)
    adapter = find_family({"boft_r", "boft_s"}).read({"boft_r": blocks, "boft_s": lengths})
    columns = theirs.weight.detach().T
    for stage, stored in enumerate(blocks):
        order = made.block_butterfly_perm(32, 8 // 2**stage, 2, stages - 1)
        mixing = made.perm2mat(order)
        columns = mixing @ torch.block_diag(*made.cayley_batch(stored)) @ mixing.T @ columns
    assert close(theirs.weight + adapter.delta(theirs.weight.detach()), columns.T * lengths)


@pytest.mark.parametrize("host", ["linear", "conv3x3"])
def test_peft_gives_rows_the_same_length(host: str) -> None:
    torch.manual_seed(25)
    theirs = layer(SHAPES[host])
    tensors = BY_NAME["LoRA"].draw(SHAPES[host])
    made = wrapped(theirs, peft.LoraConfig(r=4, lora_alpha=ALPHA, use_dora=True, target_modules=["0"]))
    made.lora_A["default"].weight.data = tensors["lora_down"].clone()
    made.lora_B["default"].weight.data = tensors["lora_up"].clone()
    magnitude = made.lora_magnitude_vector["default"].weight
    magnitude.data = 1 + torch.rand_like(magnitude.data)
    tensors["magnitude"] = magnitude.data.clone()
    adapter = find_family(tensors).read(tensors)
    with torch.no_grad():
        made.merge()
        assert close(theirs.weight + adapter.delta(theirs.weight), made.base_layer.weight)


def test_peft_scales_its_bias_like_the_weight() -> None:
    torch.manual_seed(26)
    theirs, tensors = nn.Linear(16, 24), BY_NAME["LoRA"].draw((24, 16))
    tensors["lora_up_bias"] = torch.randn(24)
    made = wrapped(theirs, peft.LoraConfig(r=4, lora_alpha=ALPHA, lora_bias=True, target_modules=["0"]))
    made.lora_B["default"].bias.data = tensors["lora_up_bias"].clone()
    with torch.no_grad():
        made.merge()
        change = find_family(tensors).read(tensors).bias(theirs.bias)
        assert close(theirs.bias + change, made.base_layer.bias)
