"""Every family against LyCORIS itself, fed with the same tensors, each of its known faults avoided.

Avoided: `get_diff_weight` of LoHa and LoKr (scales twice), `make_module` of (IA)³, of LoKr with a Tucker core
and of DoRA on inputs (cannot load them), DoRA and rescale at strengths other than 1 (they do not vanish at
0), BOFT at strengths other than 1 (interpolates every stage), kernels of T-LoRA.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lib_lora.adapters import find_family
from tests.adapters.table import CASES, SHAPES, Tensors

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lycoris.functional import lokr as lokr_functions
    from lycoris.modules import get_module, make_module
    from lycoris.modules.ia3 import IA3Module
    from lycoris.modules.locon import LoConModule
    from lycoris.modules.lokr import LokrModule

pytestmark = pytest.mark.filterwarnings("ignore")
TOLERANCE = 1e-6
STRENGTHS = (0.35, 1.0, -0.7)

NAMES = {
    **{role: f"{role}.weight" for role in ("lora_up", "lora_down", "lora_mid", "a1", "a2", "b1", "b2")},
    **{role: f"{role}.weight" for role in ("p_layer", "q_layer")},
}
LOKR_ROLES = ("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2")


def layer(shape: tuple[int, ...]) -> nn.Module:
    """A layer of a weight's shape."""
    if len(shape) == 4:
        return nn.Conv2d(shape[1], shape[0], shape[2:], padding=shape[2] // 2)
    return nn.Linear(shape[1], shape[0])


def module(host: nn.Module, tensors: Tensors) -> nn.Module:
    """LyCORIS' module loaded from the tensors."""
    state = {f"x.{NAMES.get(role, role)}": tensor.clone() for role, tensor in tensors.items()}
    made = make_module(*get_module(state, "x"), "x", host)
    return made.eval()


def by_weight(host: nn.Module, tensors: Tensors, strength: float) -> Tensor:
    return host.weight + strength * module(host, tensors).get_weight(host.weight.shape)


def by_difference(host: nn.Module, tensors: Tensors, strength: float) -> Tensor:
    return host.weight + module(host, tensors).get_diff_weight(strength, host.weight.shape)[0]


def by_merging(host: nn.Module, tensors: Tensors, strength: float) -> Tensor:
    return module(host, tensors).get_merged_weight(strength, host.weight.shape)[0]


def by_lokr_function(host: nn.Module, tensors: Tensors, strength: float) -> Tensor:
    halves = [tensors.get(role) for role in LOKR_ROLES]
    change = lokr_functions.diff_weight(*halves, gamma=float(tensors["alpha"]))
    return host.weight + strength * change.reshape(host.weight.shape)


def by_lokr_module(host: nn.Module, tensors: Tensors, strength: float) -> Tensor:
    made = LokrModule("x", host, lora_dim=2, alpha=float(tensors["alpha"]), use_tucker=True, factor=4)
    for role in ("lokr_w1", "lokr_t2", "lokr_w2_a", "lokr_w2_b"):
        getattr(made, role).data = tensors[role].clone()
    return host.weight + strength * made.get_weight(host.weight.shape)


def by_ia3_module(host: nn.Module, tensors: Tensors, strength: float) -> Tensor:
    made = IA3Module("x", host, train_on_input=bool(tensors["on_input"]))
    made.weight.data = tensors["weight"].clone()
    return made.get_merged_weight(strength)[0]


def by_dora_module(host: nn.Module, tensors: Tensors, strength: float) -> Tensor:
    """LyCORIS at full strength, brought to other strengths by our rule."""
    lengths = tensors["dora_scale"]
    made = LoConModule(
        "x",
        host,
        lora_dim=len(tensors["lora_down"]),
        alpha=float(tensors["alpha"]),
        weight_decompose=True,
        wd_on_out=lengths.shape[0] != 1,
    )
    made.lora_up.weight.data = tensors["lora_up"].clone()
    made.lora_down.weight.data = tensors["lora_down"].clone()
    made.dora_scale.data = lengths.clone()
    return host.weight + strength * (made.get_merged_weight(1.0)[0] - host.weight)


def by_full_merge(host: nn.Module, tensors: Tensors, strength: float) -> Tensor:
    """LyCORIS at full strength only, brought to other strengths by our rule."""
    return host.weight + strength * (by_merging(host, tensors, 1.0) - host.weight)


Oracle = Callable[[nn.Module, Tensors, float], Tensor]
ORACLES: tuple[tuple[str, Oracle], ...] = (
    ("LoRA", by_difference),
    ("LoCon Tucker", by_difference),
    ("LoHa", by_weight),
    ("LoHa of rank 2", by_weight),
    ("LoHa Tucker", by_weight),
    ("LoKr full ⊗ factors", by_weight),
    ("LoKr full ⊗ full", by_weight),
    ("LoKr factors ⊗ factors", by_lokr_function),
    ("LoKr factors ⊗ full", by_lokr_function),
    ("LoKr Tucker", by_lokr_module),
    ("GLoRA", by_difference),
    ("OFT", by_merging),
    ("COFT", by_merging),
    ("OFT with rescale", by_full_merge),
    ("BOFT", by_full_merge),
    ("BOFT with constraint", by_full_merge),
    ("BOFT with rescale", by_full_merge),
    ("(IA)³ on outputs", by_ia3_module),
    ("(IA)³ on inputs", by_ia3_module),
    ("full", by_merging),
    ("T-LoRA", by_difference),
    ("DoRA on outputs", by_dora_module),
    ("DoRA on inputs", by_dora_module),
)
BY_NAME = {case.name: case for case in CASES}
ROWS = tuple((name, host, oracle) for name, oracle in ORACLES for host in BY_NAME[name].hosts)


@pytest.mark.parametrize(
    ("name", "host", "oracle"), ROWS, ids=[f"{name} on {host}" for name, host, _ in ROWS]
)
def test_lycoris_makes_the_same_weight(name: str, host: str, oracle: Oracle) -> None:
    torch.manual_seed(11)
    shape = (32, 16, *SHAPES[host][2:]) if "BOFT" in name else SHAPES[host]
    theirs, tensors = layer(shape), BY_NAME[name].draw(shape)
    if "BOFT" in name:  # LyCORIS derives the number of stages from the number of blocks: 8 blocks have four
        tensors["oft_blocks"] = 0.3 * torch.randn(4, 8, 4, 4)
    adapter = find_family(tensors).read(tensors)
    with torch.no_grad():
        weight = theirs.weight.detach().clone()
        delta = adapter.delta(weight)
        for strength in STRENGTHS:
            wanted = oracle(theirs, tensors, strength)
            error = (weight + strength * delta - wanted).abs().max() / wanted.abs().max()
            assert error <= TOLERANCE, f"strength {strength}"


@pytest.mark.parametrize("kind", [nn.LayerNorm(24), nn.GroupNorm(4, 24)], ids=["layer norm", "group norm"])
def test_lycoris_makes_the_same_norm(kind: nn.Module) -> None:
    torch.manual_seed(12)
    tensors = {"w_norm": torch.randn(24), "b_norm": torch.randn(24)}
    adapter = find_family(tensors).read(tensors)
    with torch.no_grad():
        weight, bias = module(kind, tensors).get_merged_weight(0.7)[:2]
        assert torch.allclose(kind.weight + 0.7 * adapter.delta(kind.weight), weight)
        assert torch.allclose(kind.bias + 0.7 * adapter.bias(), bias)


def test_lycoris_makes_the_same_bias() -> None:
    torch.manual_seed(13)
    host = nn.Linear(16, 24)
    tensors = {"diff": torch.randn(24, 16), "diff_b": torch.randn(24)}
    adapter = find_family(tensors).read(tensors)
    with torch.no_grad():
        bias = module(host, tensors).get_merged_weight(0.7, host.weight.shape)[1]
        assert torch.allclose(host.bias + 0.7 * adapter.bias(), bias)
