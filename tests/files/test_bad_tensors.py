"""Tensors that do not make one change have their own error, and small files never cost much."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lib_lora.adapters.oft import read as read_oft
from lib_lora.errors import LoraStackError, NonFiniteChangeError
from lib_lora.inspection.values import check_values
from lib_lora.network import open_network
from tests.files.bad_tensors import ENORMOUS, MISSING, MIXED, NUMBERS, PAIR, SHAPES, STRANGERS, spelled
from tests.files.samples import write
from tests.fuzz.limits import bounded
from tests.fuzz.readable import check_readable

BAD = [*MISSING, *MIXED, *SHAPES, *NUMBERS, *ENORMOUS, *STRANGERS]


@pytest.mark.parametrize(("lines", "error", "message"), BAD)
def test_bad_tensors(tmp_path: Path, lines: list[str], error: type[LoraStackError], message: str) -> None:
    path = write(tmp_path / "bad.safetensors", spelled(*lines))
    with pytest.raises(LoraStackError) as caught, bounded():
        open_network(path, "sd1")
    assert type(caught.value) is error, caught.value
    assert message in str(caught.value)
    assert "bad.safetensors" in str(caught.value)
    check_readable(caught.value)


@pytest.mark.parametrize(("lines", "error", "message"), BAD)
def test_their_values_can_be_asked_for(
    tmp_path: Path, lines: list[str], error: type[LoraStackError], message: str
) -> None:
    """The command line tells all faults of a file at once, so that no tensor may end it."""
    path = write(tmp_path / "bad.safetensors", spelled(*lines))
    with bounded():
        try:
            check_values(path)
        except LoraStackError as told:
            check_readable(told)


@pytest.mark.parametrize(
    "tensors",
    [
        pytest.param({"oft_r": torch.full((1, 3), 1e30)}, id="series"),
        pytest.param({"oft_blocks": torch.full((1, 3, 3), 1e30).triu(1)}, id="inverse of nothing"),
        pytest.param({"oft_blocks": torch.full((1, 1, 2, 2), 3e38).triu(1).sub(3e38)}, id="beyond float32"),
    ],
)
def test_rotations_by_enormous_numbers(tensors: dict[str, torch.Tensor]) -> None:
    """The reader of files lets none so large pass; the maths does not rely on it."""
    with pytest.raises(NonFiniteChangeError, match="so large that no rotation"):
        read_oft(tensors)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([*PAIR, "conv_in.alpha I64 [] 0200000000000000"], id="alpha a whole number"),
        pytest.param([*PAIR, "conv_in.alpha F16 [1] 00c0"], id="alpha negative, as an inversion"),
        pytest.param([*PAIR, "conv_in.alpha F16 []"], id="alpha 0"),
        pytest.param([*PAIR, "conv_in.alpha F32 [] f9021550"], id="alpha 10000000000, a rank asked for"),
        pytest.param(["conv_in.lora_up.weight F16 [8,0]", "conv_in.lora_down.weight F16 [0,4]"], id="rank 0"),
        pytest.param(
            ["conv_in.lora_up.weight F8_E4M3 [8,2]", "conv_in.lora_down.weight F8_E5M2 [2,4]"], id="fp8"
        ),
        pytest.param(["conv_in.w_norm F16 [8]"], id="half a norm layer"),
        pytest.param(["conv_in.diff_b F16 [8]"], id="bias only"),
        pytest.param(["lora_unet_conv_in.weight F16 [8]"], id="(IA)³ without its switch"),
    ],
)
def test_odd_but_good(tmp_path: Path, lines: list[str]) -> None:
    """What other programs stumble over and section 5 of the facts wants read."""
    network = open_network(write(tmp_path / "odd.safetensors", spelled(*lines)), "sd1")
    assert list(network.adapters) == ["unet.input_blocks.0.0"]
