"""What is merged and what is computed beside the model, and how that is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from lib_lora.engine import budget
from lib_lora.engine.budget import MARGIN, Candidate, decide, free_memory
from lib_lora.engine.modes import AUTO, BYPASS, LEAST_MEMORY, MERGED
from lib_lora.engine.view import CONV, GROUP_NORM, LINEAR, Layer

CPU = torch.device("cpu")
PLENTY = 10 * MARGIN


def candidate(name: str, module: nn.Module, kind: str = LINEAR, **facts: object) -> Candidate:
    return Candidate(Layer(name, kind, module), **{"new_bytes": 100, "factor_bytes": 50, **facts})  # type: ignore[arg-type]


def some(dtype: torch.dtype = torch.float32, **facts: object) -> list[Candidate]:
    return [
        candidate("a", nn.Linear(4, 4).to(dtype), **facts),
        candidate("b", nn.Conv2d(4, 4, 1).to(dtype), CONV, **facts),
    ]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_merged_is_the_rule(dtype: torch.dtype) -> None:
    decision = decide(some(dtype), AUTO, lambda device: PLENTY)
    assert decision.modes == {"a": MERGED, "b": MERGED}
    assert decision.roomy == {CPU}
    assert decision.notes == ()


def test_too_little_memory_is_told_with_figures() -> None:
    needs = [candidate("a", nn.Linear(4, 4), new_bytes=3 * 1024**2)]
    decision = decide(needs, AUTO, lambda device: MARGIN + 1024**2)
    assert decision.modes == {"a": BYPASS}
    assert "3 MB needed, 1 MB to spare" in decision.notes[0]


def test_memory_for_the_weights_but_not_for_the_factors() -> None:
    decision = decide(some(), AUTO, lambda device: MARGIN + 250)
    assert decision.modes == {"a": MERGED, "b": MERGED}
    assert decision.roomy == frozenset()


def test_weights_that_are_kept_already_need_nothing() -> None:
    decision = decide(some(new_bytes=0), AUTO, lambda device: 0)
    assert set(decision.modes.values()) == {MERGED}


def test_the_user_may_force_either() -> None:
    assert set(decide(some(), MERGED, lambda device: 0).modes.values()) == {MERGED}
    forced = decide(some(), BYPASS, lambda device: PLENTY)
    assert set(forced.modes.values()) == {BYPASS}
    assert forced.notes == ()


def test_what_memory_reaches_for_is_merged_the_narrow_layers_first() -> None:
    wide, narrow = nn.Linear(64, 64), nn.Linear(8, 8)
    needs = [
        candidate("wide", wide, new_bytes=64, beside_bytes=4),
        candidate("narrow", narrow, new_bytes=64, beside_bytes=4),
        candidate("twice", nn.Linear(16, 16), new_bytes=128, beside_bytes=4),
    ]
    decision = decide(needs, AUTO, lambda device: MARGIN + 12 + 60 + 59)
    assert decision.modes == {"wide": BYPASS, "narrow": MERGED, "twice": BYPASS}
    assert "2 of 3 weights are changed while sampling" in decision.notes[0]
    decision = decide(needs, AUTO, lambda device: MARGIN + 12 + 60 + 60)
    assert decision.modes == {"wide": MERGED, "narrow": MERGED, "twice": BYPASS}


@pytest.mark.parametrize("mode", [AUTO, LEAST_MEMORY])
def test_what_takes_a_copy_beside_the_layer_too_is_merged(mode: str) -> None:
    needs = [
        candidate("matrix", nn.Linear(4, 4), new_bytes=64, beside_bytes=64),
        candidate("factors", nn.Linear(4, 4), new_bytes=64, beside_bytes=8),
    ]
    assert decide(needs, mode, lambda device: 0).modes == {"matrix": MERGED, "factors": BYPASS}
    assert decide(needs, BYPASS, lambda device: 0).modes == {"matrix": BYPASS, "factors": BYPASS}


def test_unknown_memory_is_taken_as_enough() -> None:
    assert set(decide(some(), AUTO, lambda device: None).modes.values()) == {MERGED}


@pytest.mark.parametrize("mode", [AUTO, MERGED, BYPASS])
def test_compressed_weights_are_never_merged(mode: str) -> None:
    stored = nn.Linear(4, 4)
    stored.weight = nn.Parameter(torch.zeros(4, 4, dtype=torch.float8_e4m3fn), requires_grad=False)
    packed = nn.Linear(4, 4)
    packed.weight.quant_state = object()  # type: ignore[assignment]
    decision = decide([candidate("a", stored), candidate("b", packed)], mode, lambda device: PLENTY)
    assert decision.modes == {"a": BYPASS, "b": BYPASS}
    assert decision.notes[0].startswith("2 weights are stored compressed")


def test_a_layer_somebody_else_wrapped_is_not_merged() -> None:
    decision = decide(some(wrapped=True), MERGED, lambda device: PLENTY)
    assert set(decision.modes.values()) == {BYPASS}
    assert "another extension" in decision.notes[0]


@pytest.mark.parametrize("mode", [AUTO, BYPASS])
def test_norm_layers_are_always_merged(mode: str) -> None:
    decision = decide([candidate("n", nn.GroupNorm(2, 4), GROUP_NORM)], mode, lambda device: 0)
    assert decision.modes == {"n": MERGED}


def test_free_memory_of_this_machine_is_a_number_or_unknown(tmp_path: Path) -> None:
    free = free_memory(CPU)
    assert free is None or free > 0
    assert free_memory(torch.device("meta")) is None
    table = tmp_path / "meminfo"
    table.write_text("MemTotal: 9 kB\nMemAvailable:    2048 kB\n")
    assert budget._available_main_memory(table) == 2048 * 1024
    assert budget._available_main_memory(tmp_path / "missing") is None
