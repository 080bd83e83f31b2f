"""Embeddings packed into a LoRA file, from the file into the plan."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from lib_lora.errors import AdapterError, NotAnAdapterError
from lib_lora.network import Network, open_network
from lib_lora.plan import Plan, make_plan
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack
from tests.builders import TOY_LAYERS, make_lora_file, toy_sd1

GIRL = torch.ones(2, 8)


def packed(path: Path, **embeddings: Tensor) -> Network:
    """A LoRA file with embeddings in it, opened."""
    tensors = make_lora_file(path, TOY_LAYERS)
    save_file({**tensors, **{f"bundle_emb.{name}": tensor for name, tensor in embeddings.items()}}, path)
    return open_network(path, "sd1")


def planned(*networks: Network, weight: float = 1.0) -> Plan:
    stack = Stack(tuple(Entry(network.name, weight=weight) for network in networks))
    return make_plan(stack, networks, toy_sd1().view())


def test_they_are_no_weights_without_a_place(tmp_path: Path) -> None:
    network = packed(
        tmp_path / "a.safetensors", **{"girl.emb_params": GIRL, "boy.emb_params": GIRL[0].clone()}
    )
    assert network.unmatched == ()
    assert network.total == len(TOY_LAYERS)
    assert torch.equal(network.embeddings["girl"]["vectors"], GIRL)
    assert network.embeddings["boy"]["vectors"].shape == (1, 8)


def test_their_memory_is_told_on_an_older_torch_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nbytes(tensor: Tensor) -> int:
        raise AttributeError("PyTorch 2.0 has no 'nbytes'")

    plain, network = (
        open_network_of(tmp_path / "plain.safetensors"),
        packed(tmp_path / "a.safetensors", **{"girl.emb_params": GIRL}),
    )
    monkeypatch.setattr(Tensor, "nbytes", property(nbytes), raising=False)
    assert network.nbytes == plain.nbytes + GIRL.nelement() * 4


def test_prompts_are_encoded_anew_with_them_whatever_the_weight(tmp_path: Path) -> None:
    plain = open_network_of(tmp_path / "plain.safetensors")
    network = packed(tmp_path / "a.safetensors", **{"girl.emb_params": GIRL})
    assert planned(plain, weight=0).te_key == ()
    assert planned(network, weight=0).te_key != ()
    assert set(planned(network, weight=0).embeddings) == {"girl"}
    assert planned(plain).embeddings == {}


def open_network_of(path: Path) -> Network:
    make_lora_file(path, TOY_LAYERS)
    return open_network(path, "sd1")


def test_the_upper_of_two_rows_wins_and_the_lower_says_so(tmp_path: Path) -> None:
    first = packed(tmp_path / "a.safetensors", **{"girl.emb_params": GIRL})
    second = packed(
        tmp_path / "b.safetensors", **{"girl.emb_params": 2 * GIRL, "boy.emb_params": GIRL.clone()}
    )
    plan = planned(first, second)
    assert torch.equal(plan.embeddings["girl"]["vectors"], GIRL)
    assert set(plan.embeddings) == {"girl", "boy"}
    assert any("'girl' is also in a row above" in note for note in plan.entries[1].notes)
    assert not any("girl" in note for note in plan.entries[0].notes)


def test_a_file_of_embeddings_alone_is_no_lora(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"bundle_emb.girl.emb_params": GIRL}, path)
    with pytest.raises(NotAnAdapterError, match="folder of embeddings"):
        open_network(path, "sd1")


@pytest.mark.parametrize("vectors", [torch.ones(1, 2, 8), torch.ones(0, 8)], ids=["a cube", "nothing"])
def test_vectors_of_no_shape_are_refused(tmp_path: Path, vectors: Tensor) -> None:
    with pytest.raises(AdapterError, match=r"'bundle_emb\.girl\.emb_params' has shape"):
        packed(tmp_path / "a.safetensors", **{"girl.emb_params": vectors})
