"""A file opened: everything in it has a place or is told; a file that does not fit says why."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lib_lora.engine.merged import MergedWeight
from lib_lora.engine.scratch import Scratch
from lib_lora.errors import (
    AdapterError,
    FileError,
    NetworkMismatchError,
    NonFiniteTensorError,
    NotAnAdapterError,
    UnreadableFileError,
)
from lib_lora.network import NetworkCache, check_fit, fit_to, open_network
from lib_lora.plan import Contribution
from tests.builders import TOY_LAYERS, make_lora_file, toy_sd1

QUERY = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
SAME = "unet__mid_block__attentions__0__transformer_blocks__0__attn1__to_q"
SHAPES = toy_sd1().view().shapes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ghibli.safetensors"


def write(path: Path, **tensors: torch.Tensor) -> None:
    save_file({name.replace("__", "."): tensor for name, tensor in tensors.items()}, path)


def test_every_weight_of_a_kohya_file_finds_its_adapter(path: Path) -> None:
    make_lora_file(path, TOY_LAYERS, rank=4)
    network = open_network(path, "sd1")
    fit = check_fit(network, SHAPES, "sd1")
    assert len(fit.matched) == fit.total == network.total == 5
    assert fit.absent == fit.unmatched == fit.misfits == ()
    assert {adapter.rank for adapter in network.adapters.values()} == {4}
    assert network.name == "ghibli"
    assert network.nbytes > 0


def test_what_has_no_place_is_counted_and_named(path: Path) -> None:
    tensors = make_lora_file(path, TOY_LAYERS)
    tensors["lora_unet_nonsense.lora_up.weight"] = torch.ones(1)
    tensors["lora_unet_nonsense.alpha"] = torch.ones(1)
    tensors["lora_unet_conv_out.lora_up.weight"] = torch.ones(4, 2, 1, 1)
    tensors["lora_unet_conv_out.lora_down.weight"] = torch.ones(2, 8, 3, 3)
    save_file(tensors, path)
    fit = check_fit(open_network(path, "sd1"), SHAPES, "sd1")
    assert (len(fit.matched), fit.total) == (5, 7)
    assert fit.unmatched == ("lora_unet_nonsense",)
    assert fit.absent == ("unet.out.2",)


def test_one_weight_of_another_size_is_enough_to_refuse(path: Path) -> None:
    make_lora_file(path, {**TOY_LAYERS, QUERY: (8, 16, 0)})
    network = open_network(path, "sd1")
    with pytest.raises(NetworkMismatchError, match=r"to_q is 8×8 in the checkpoint, 8×16 in the file"):
        check_fit(network, SHAPES, "sd1")
    assert len(fit_to(network, SHAPES).misfits) == 1


def test_a_file_of_another_architecture_is_told_by_name(path: Path) -> None:
    names = [f"lora_unet_double_blocks_{block}_img_attn_qkv" for block in range(3)]
    make_lora_file(path, dict.fromkeys(names, (24, 8, 0)))
    network = open_network(path, "sd1")
    assert not network.adapters
    with pytest.raises(
        NetworkMismatchError, match=r"loaded checkpoint \(SD 1\.x\).*0 of its 3.*made for Flux"
    ):
        check_fit(network, SHAPES, "sd1")


def test_a_few_lucky_weights_do_not_make_a_fit(path: Path) -> None:
    foreign = [f"lora_unet_output_blocks_1_1_transformer_blocks_{n}_attn1_to_q" for n in range(2, 9)]
    make_lora_file(path, dict.fromkeys([QUERY, *foreign], (8, 8, 0)))
    with pytest.raises(NetworkMismatchError, match="only 1 of its 8 weights"):
        check_fit(open_network(path, "sd1"), SHAPES, "sd1")


def test_an_inpainting_checkpoints_first_layer_may_be_wider(path: Path) -> None:
    make_lora_file(path, TOY_LAYERS)
    network = open_network(path, "sd1")
    wide = toy_sd1(in_channels=9).view().shapes
    assert len(check_fit(network, wide, "sd1").matched) == 5
    factors = network.adapters["unet.input_blocks.0.0"].factors(wide["unet.input_blocks.0.0"])
    assert factors is not None
    spatial = factors.down.reshape(4, 9, 3, 3)
    assert not spatial[:, 4:].any()
    assert spatial[:, :4].any()
    with pytest.raises(NetworkMismatchError):  # no other layer may
        check_fit(network, {**SHAPES, "unet.middle_block.1.proj_in": (8, 12, 1, 1)}, "sd1")


def test_a_matrix_fits_a_1x1_convolution_and_back(path: Path) -> None:
    name = "lora_unet_mid_block_attentions_0_proj_in"
    for kernel, shape in ((0, (8, 8, 1, 1)), (1, (8, 8))):
        make_lora_file(path, {name: (8, 8, kernel)})
        assert check_fit(open_network(path, "sd1"), {"unet.middle_block.1.proj_in": shape}, "sd1").matched


BROKEN = (
    (
        "two spellings of one weight",
        {f"{QUERY}__lora_up__weight": (8, 2), f"{SAME}__lora_B__weight": (8, 2)},
        "changes the same weight twice",
    ),
    ("half an adapter", {f"{QUERY}__lora_up__weight": (8, 2)}, "lora_down"),
    (
        "ranks that differ",
        {f"{QUERY}__lora_up__weight": (8, 2), f"{QUERY}__lora_down__weight": (3, 8)},
        "rank 2.*rank 3",
    ),
    (
        "an alpha of two numbers",
        {f"{QUERY}__lora_up__weight": (8, 2), f"{QUERY}__lora_down__weight": (2, 8), f"{QUERY}__alpha": (2,)},
        "alpha must be one number",
    ),
)


@pytest.mark.parametrize(("sizes", "message"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_tensors_that_make_no_change_name_file_and_weight(
    path: Path, sizes: dict[str, tuple[int, ...]], message: str
) -> None:
    write(path, **{name: torch.ones(size) for name, size in sizes.items()})
    with pytest.raises(AdapterError, match=rf"(?s)'ghibli\.safetensors'.*{message}"):
        open_network(path, "sd1")


def test_a_nan_is_refused(path: Path) -> None:
    tensors = make_lora_file(path, TOY_LAYERS)
    tensors[f"{QUERY}.alpha"] = torch.tensor(float("nan"))
    save_file(tensors, path)
    with pytest.raises(NonFiniteTensorError, match="alpha"):
        open_network(path, "sd1")


def test_a_checkpoint_is_not_a_lora(path: Path) -> None:
    write(path, model__diffusion_model__out__0__weight=torch.ones(8))
    with pytest.raises(NotAnAdapterError, match="checkpoint"):
        open_network(path, "sd1")


def test_unknown_content_is_not_a_lora(path: Path) -> None:
    write(path, something=torch.ones(8))
    with pytest.raises(NotAnAdapterError, match="something"):
        open_network(path, "sd1")


def test_a_missing_file_and_a_broken_one(path: Path, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="ghibli"):
        NetworkCache().open(path, "sd1")
    path.write_bytes(b"\x00")
    with pytest.raises(FileError):
        NetworkCache().open(path, "sd1")


def test_odd_scales_are_noted(path: Path) -> None:
    tensors = make_lora_file(path, {QUERY: (8, 8, 0), "lora_unet_conv_in": (8, 4, 3)}, alpha=0)
    tensors["lora_unet_conv_in.lora_down.weight"] = torch.ones(0, 4, 3, 3)
    tensors["lora_unet_conv_in.lora_up.weight"] = torch.ones(8, 0, 1, 1)
    save_file(tensors, path)
    notes = open_network(path, "sd1").notes
    assert any(note.startswith("1 of 2 weights: has alpha 0") for note in notes)
    assert any("rank 0" in note for note in notes)


def test_the_cache_gives_the_same_network_until_the_file_changes(path: Path) -> None:
    make_lora_file(path, TOY_LAYERS, rank=2)
    cache = NetworkCache()
    first = cache.open(path, "sd1")
    assert cache.open(path, "sd1") is first
    make_lora_file(path, TOY_LAYERS, rank=3)
    second = cache.open(path, "sd1")
    assert second is not first
    assert second.key != first.key
    cache.clear()
    assert cache.open(path, "sd1") is not second


def test_the_cache_forgets_what_was_used_longest_ago(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.safetensors" for name in "abc"]
    for path in paths:
        make_lora_file(path, TOY_LAYERS)
    cache = NetworkCache(limit=2 * open_network(paths[0], "sd1").nbytes)
    first, second = (cache.open(path, "sd1") for path in paths[:2])
    assert cache.open(paths[0], "sd1") is first
    cache.open(paths[2], "sd1")
    assert cache.open(paths[0], "sd1") is first
    assert cache.open(paths[1], "sd1") is not second


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_factors_stay_as_they_are_stored_and_mean_the_same(tmp_path: Path, dtype: torch.dtype) -> None:
    """Half the memory, and the same change to the last bit as from a file that stores float32."""
    name, base = "unet.input_blocks.0.0", torch.ones(8, 4, 3, 3)
    paths = {kind: tmp_path / f"{kind}.safetensors" for kind in ("narrow", "wide")}
    make_lora_file(paths["wide"], {"lora_unet_conv_in": (8, 4, 3)})
    state = {key: tensor.to(dtype) for key, tensor in load_file(paths["wide"]).items()}
    save_file(state, paths["narrow"])
    save_file({key: tensor.float() for key, tensor in state.items()}, paths["wide"])
    narrow, wide = (open_network(path, "sd1") for path in paths.values())
    assert 2 * narrow.nbytes == wide.nbytes
    assert narrow.adapters[name].factors(base.shape).up.dtype == dtype
    assert torch.equal(narrow.adapters[name].delta(base), wide.adapters[name].delta(base))
    merged = []
    for network in (narrow, wide):
        weight, layer = MergedWeight(), torch.nn.Conv2d(4, 8, 3).requires_grad_(False)
        layer.weight.copy_(base)
        adapter = network.adapters[name]
        changes = [
            Contribution(number, adapter, adapter.factors(base.shape), 0.3 * number) for number in (1, 2)
        ]
        weight.update(layer, changes, Scratch())
        merged.append(weight.weight)
    assert torch.equal(*merged)
