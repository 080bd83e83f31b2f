"""Files that LyCORIS and PEFT write: read whole, and merged as the library that wrote them merges them.

The exactness is held with files full of chance, written by the libraries in the run itself; the committed
ones are asked in test_trained_kinds.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from demo.train.export import export
from demo.train.kinds import KINDS, TOY, TOY_PICTURES, facts, find_kind, run_kind, train_kind
from demo.train.models import KL, Autoencoder, Painter, Words
from demo.train.sampler import Model
from tests.programs import told_by

FAMILY = {"loha": "LoHa", "lokr": "LoKr", "glora": "GLoRA", "oft": "OFT", "ia3": "IA3", "dora": "DoRA"}
ATTENTION, TEXT, CONVOLUTIONS = 192, 12, 81  # layers of the model
LAYERS = {
    "loha": ATTENTION + TEXT,
    "lokr": ATTENTION + TEXT + CONVOLUTIONS,
    "glora": ATTENTION + TEXT,
    "oft": ATTENTION + TEXT,
    "ia3": ATTENTION + TEXT + CONVOLUTIONS,
    "dora": ATTENTION,
}
NAMES = [kind.name for kind in KINDS]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program found about files of chance."""
    return told_by("tests.demo_model.kinds_run", tmp_path_factory.mktemp("kinds"), "--random")


@pytest.mark.demo
@pytest.mark.parametrize("name", NAMES)
def test_every_layer_of_the_library_s_file_is_read(told: dict[str, Any], name: str) -> None:
    assert told[name]["families"] == [FAMILY[name]]
    assert told[name]["layers"] == LAYERS[name]
    assert told[name]["unmatched"] == []


@pytest.mark.demo
@pytest.mark.parametrize("name", NAMES)
def test_every_weight_is_the_one_the_library_merges(told: dict[str, Any], name: str) -> None:
    """LoHa and LoKr are trained with alpha = rank, since LyCORIS' merge counts their scale twice."""
    assert told[name]["weight_error"] <= 1e-6


@pytest.mark.demo
@pytest.mark.parametrize("name", NAMES)
def test_the_picture_is_the_one_of_the_library_s_merge(told: dict[str, Any], name: str) -> None:
    """Mean difference of all colour values, 0 to 255; the effect shows that there was something to miss."""
    assert told[name]["picture_error"] <= 1
    assert told[name]["effect"] > 10
    assert told["plain_again"] == 0


def model() -> Model:
    """An untrained model, the same at every call; layers that start as zero would let no gradient through."""
    torch.manual_seed(3)
    painter = Painter().eval().requires_grad_(False)
    for number in painter.unet.parameters():
        if not number.any():
            number.normal_(std=0.05)
    return Model(painter, Autoencoder(KL).requires_grad_(False), Words())


@pytest.mark.parametrize("name", ["oft", "dora"], ids=["LyCORIS", "PEFT"])
def test_a_stopped_training_writes_the_same_file(tmp_path: Path, name: str) -> None:
    kind = find_kind(name)

    def numbers(folder: str, stop_after: int | None = None) -> dict[str, torch.Tensor]:
        change = train_kind(model(), kind, TOY, TOY_PICTURES, tmp_path / folder, stop_after)
        change.write(tmp_path / f"{folder}.safetensors", {})
        return {name: number.detach().clone() for name, number in change.trained().items()}

    whole = numbers("whole")
    halfway, again = numbers("stopped", stop_after=1), numbers("stopped")
    assert not all(torch.equal(whole[name], halfway[name]) for name in whole)
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    first, second = (tmp_path / f"{folder}.safetensors" for folder in ("whole", "stopped"))
    assert first.read_bytes() == second.read_bytes()


def test_a_run_writes_the_file_its_preview_and_its_sidecar(tmp_path: Path) -> None:
    start = model()
    export(start.painter, start.autoencoder, 1.0, tmp_path / "checkpoint")
    kind = find_kind("ia3")
    path = run_kind(tmp_path, tmp_path / "states", kind, toy=True)
    assert path == kind.file(tmp_path)
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    assert metadata["ss_network_module"] == "lycoris.kohya"
    assert json.loads(metadata["ss_network_args"]) == {"algo": "ia3"}
    assert metadata["sshs_model_hash"], "LyCORIS writes it by itself"
    assert path.with_suffix(".png").stat().st_size < 100_000
    assert json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["activation text"] == "ink style"


def test_peft_is_handed_no_facts() -> None:
    start = model()
    assert facts(find_kind("dora"), find_kind("dora").make(start.painter), TOY, 1) == {}


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match="dora, lokr"):
        find_kind("lora")
