"""The angle between files' changes: right against the changes made in full, whatever their kind."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lib_lora.interference import measure_interference
from lib_lora.network import Network, open_network
from tests.builders import TOY_LAYERS, make_lora_file


def lora(path: Path, seed: int, rank: int = 4, **options: float) -> Network:
    make_lora_file(path, TOY_LAYERS, rank=rank, seed=seed, **options)
    return open_network(path, "sd1")


def in_full(first: Network, second: Network) -> float:
    """The cosine of both changes, made and laid out flat."""

    def flat(network: Network) -> torch.Tensor:
        names = sorted({*first.adapters, *second.adapters})
        parts = []
        for name in names:
            shape = (first.adapters.get(name) or second.adapters[name]).shape
            adapter = network.adapters.get(name)
            parts.append(
                adapter.delta(torch.zeros(shape)).flatten() if adapter else torch.zeros(math.prod(shape))
            )
        return torch.cat(parts).double()

    return float(torch.nn.functional.cosine_similarity(flat(first), flat(second), dim=0))


def test_cosines_are_those_of_the_changes_in_full(tmp_path: Path) -> None:
    networks = [lora(tmp_path / f"{seed}.safetensors", seed, rank=2 + seed) for seed in range(3)]
    told = measure_interference(networks)
    assert told.left_out == (0, 0, 0)
    for row, first in enumerate(networks):
        for column, second in enumerate(networks):
            assert told.matrix[row][column] == pytest.approx(in_full(first, second), abs=1e-5)
    assert told.matrix[0][0] == pytest.approx(1)


def test_full_changes_are_compared_with_low_ranks(tmp_path: Path) -> None:
    """A file of `.diff` beside one of factors of the same change: the same direction."""
    network = lora(tmp_path / "low.safetensors", 1)
    tensors = load_file(tmp_path / "low.safetensors")
    full = {}
    for name in {key.partition(".")[0] for key in tensors}:
        up, down = (tensors[f"{name}.lora_{part}.weight"] for part in ("up", "down"))
        shape = (up.shape[0], *down.shape[1:])
        full[f"{name}.diff"] = (up.flatten(1) @ down.flatten(1)).reshape(shape).contiguous()
    save_file(full, tmp_path / "full.safetensors")
    other = open_network(tmp_path / "full.safetensors", "sd1")
    told = measure_interference([network, other])
    assert told.matrix[0][1] == pytest.approx(1, abs=1e-5)
    assert told.matrix[1][0] == told.matrix[0][1]


def test_files_that_change_different_weights_are_at_right_angles(tmp_path: Path) -> None:
    names = list(TOY_LAYERS)
    networks = []
    for index, half in enumerate((names[:2], names[2:])):
        path = tmp_path / f"{index}.safetensors"
        make_lora_file(path, {name: TOY_LAYERS[name] for name in half}, seed=3)
        networks.append(open_network(path, "sd1"))
    assert measure_interference(networks).matrix[0][1] == 0


def test_what_cannot_be_compared_is_none_or_counted(tmp_path: Path) -> None:
    first = lora(tmp_path / "a.safetensors", 1)
    tensors = load_file(tmp_path / "a.safetensors")
    one = sorted({key.partition(".")[0] for key in tensors})[0]
    tensors[f"{one}.dora_scale"] = torch.ones(tensors[f"{one}.lora_up.weight"].shape[0], 1)
    save_file(tensors, tmp_path / "dora.safetensors")
    dora = open_network(tmp_path / "dora.safetensors", "sd1")
    other = open_network(tmp_path / "a.safetensors", "sdxl")
    told = measure_interference([first, dora, other])
    assert told.left_out[:2] == (0, 1)
    assert told.matrix[0][1] is not None and told.matrix[0][1] < 1
    assert told.matrix[0][2] is None
    assert measure_interference([]).matrix == ()
