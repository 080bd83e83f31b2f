"""The view on a Forge model: its own Linear, text encoders by name, weights that arrive late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from lib_lora.errors import EngineError, ModelUnavailableError
from lib_lora.hosts import models
from lib_lora.hosts.forge import builtin_networks, changes_at_calls, is_forge, model_key, view_of_model
from lib_lora.network import NetworkCache
from lib_lora.plan import make_plan
from lib_lora.session import Session
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack
from tests.builders import ToyModel, toy_sd1
from tests.sessions import Output, distance, is_untouched, open_networks, plan_of, same


class Linear(nn.Module):
    """Forge's: not PyTorch's class, without a weight before the checkpoint is read."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.weight = self.scale_weight = self.bias = None
        self.parameters_manual_cast = False
        self.weight_function: list[Callable[[Tensor], Tensor]] = []  # reForge's, where memory is short
        self.weight = layer.weight
        self.bias = layer.bias

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight if self.scale_weight is None else self.weight * self.scale_weight
        for function in self.weight_function:
            weight = function(weight)
        return nn.functional.linear(x, weight, self.bias)


def in_forge_s_classes(root: nn.Module) -> nn.Module:
    for parent in list(root.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear):
                setattr(parent, name, Linear(child))
    return root


def sd_model(toy: ToyModel, **changed: Any) -> Any:
    unet = SimpleNamespace(model=SimpleNamespace(diffusion_model=toy.unet))
    clip = SimpleNamespace(cond_stage_model=SimpleNamespace(clip_l=SimpleNamespace(transformer=toy.clip_l)))
    found = {
        "forge_objects": SimpleNamespace(unet=unet, clip=clip),
        "cond_stage_model": None,
        "sd_checkpoint_info": SimpleNamespace(filename="a.safetensors"),
        "current_lora_hash": "[]",
        "is_sd1": True,
    }
    return SimpleNamespace(**{**found, **changed})


@pytest.fixture
def toy() -> ToyModel:
    made = toy_sd1()
    return ToyModel(in_forge_s_classes(made.unet), in_forge_s_classes(made.clip_l))


def test_told_by_its_objects_alone(toy: ToyModel) -> None:
    """A placeholder stands for the model until the first picture."""
    assert is_forge(sd_model(toy))
    assert not is_forge(sd_model(toy, forge_objects=None))
    assert not is_forge(SimpleNamespace())


def test_every_layer_has_the_name_it_has_elsewhere(toy: ToyModel) -> None:
    assert view_of_model(sd_model(toy), 1).shapes == toy_sd1().view().shapes


def test_the_family_is_asked_of_the_model(toy: ToyModel) -> None:
    model = sd_model(toy)
    assert models.view_of_model(model, 1).key == model_key(model, 1) == models.model_key(model, 1)
    assert models.model_key(model, 2) != models.model_key(model, 1)
    with pytest.raises(ModelUnavailableError, match="No checkpoint"):
        models.view_of_model(SimpleNamespace(), 1)


@pytest.mark.parametrize(
    ("flag", "encoders", "name"),
    [
        pytest.param("is_sd1", ["clip_l"], "sd1", id="SD 1"),
        pytest.param("is_sd2", ["clip_h"], "sd2", id="SD 2"),
        pytest.param("is_sdxl", ["clip_l", "clip_g"], "sdxl", id="SDXL"),
        pytest.param("is_sdxl", ["clip_g"], "refiner", id="SDXL refiner"),
    ],
)
def test_the_kind_of_checkpoint(toy: ToyModel, flag: str, encoders: list[str], name: str) -> None:
    model = sd_model(toy, **{"is_sd1": False, flag: True})
    text = SimpleNamespace(transformer=toy.clip_l)
    model.forge_objects.clip.cond_stage_model = SimpleNamespace(**dict.fromkeys(encoders, text))
    view = view_of_model(model, 1)
    assert view.architecture == name
    assert set(view.parts) == {"unet", *encoders}


def test_other_kinds_say_so(toy: ToyModel) -> None:
    with pytest.raises(ModelUnavailableError, match="SDXL and its refiner"):
        view_of_model(sd_model(toy, is_sd1=False), 1)


def test_the_builtin_s_wishes_are_seen(toy: ToyModel) -> None:
    before, after = sd_model(toy), sd_model(toy, current_lora_hash="[['a', 1.0]]")
    assert builtin_networks(before) != builtin_networks(after)
    assert models.builtin_networks(before) == builtin_networks(before)


def merged(toy: ToyModel, folder: Path, late: float | None = None) -> Output:
    """A run with a stack; `late` is what the built-in adds to a layer after ours is attached."""
    view = view_of_model(sd_model(toy), 1)
    session = Session()
    session.attach(view, plan_of(open_networks(folder), view, a=0.8), "merged")
    if late is not None:
        with torch.inference_mode():
            layer = toy.unet.middle_block[1]["transformer_blocks"][0]["attn1"]["to_q"]
            layer.weight = nn.Parameter(layer.weight + late, requires_grad=False)
    with torch.inference_mode():
        output = toy.run()
    session.detach()
    return output


def test_a_stack_draws_the_same_as_elsewhere(toy: ToyModel, tmp_path: Path) -> None:
    plain = toy.run()
    ours = merged(toy, tmp_path)
    other = toy_sd1()
    session, view = Session(), other.view()
    session.attach(view, plan_of(open_networks(tmp_path), view, a=0.8), "merged")
    assert same(ours, other.run())
    assert same(toy.run(), plain)
    assert is_untouched(toy)


def test_weights_that_come_after_attaching_are_merged_on(toy: ToyModel, tmp_path: Path) -> None:
    """Forge merges its own LoRAs into new parameters when the sampler loads the model, in inference mode."""
    before, after = merged(toy, tmp_path), merged(toy, tmp_path, late=0.5)
    assert not same(before, after)
    assert same(after, merged(toy, tmp_path))


@pytest.mark.parametrize("mode", ["merged", "auto", "least memory", "bypass"])
def test_what_the_host_does_to_a_weight_at_every_call_is_kept(
    toy: ToyModel, tmp_path: Path, mode: str
) -> None:
    """reForge leaves weights in main memory where a card's is short, and its own LoRAs change them there."""
    view, networks = view_of_model(sd_model(toy), 1), open_networks(tmp_path)
    plan = plan_of(networks, view, a=0.8)
    layer = toy.unet.middle_block[1]["transformer_blocks"][0]["attn1"]["to_q"]
    merged_into, plain = merged(toy, tmp_path, late=0.5), layer.weight
    layer.weight = nn.Parameter(plain - 0.5, requires_grad=False)
    session = Session()
    session.attach(view, plan, mode)
    before = toy.run()
    session.detach()
    layer.weight_function = [lambda weight: weight + 0.5]
    session.attach(view, plan, mode)
    after = toy.run()
    session.detach()
    assert distance(after, merged_into) < 1e-5 < 0.01 < distance(before, merged_into)
    assert is_untouched(toy)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weight_function", [torch.neg]),
        ("bias_function", [torch.neg]),
        ("weight_lowvram_function", torch.neg),
        ("bias_lowvram_function", torch.neg),
        ("forge_online_loras", {"weight": ["a"]}),
    ],
)
def test_every_host_s_way_of_changing_weights_at_calls_is_known(name: str, value: object) -> None:
    module = Linear(nn.Linear(2, 2))
    for nothing in ([], None, {}):
        setattr(module, name, nothing)
        assert not changes_at_calls(module)
    setattr(module, name, value)
    assert changes_at_calls(module)


def test_a_weight_that_has_its_scale_beside_it_is_scaled(toy: ToyModel, tmp_path: Path) -> None:
    whole = merged(toy, tmp_path)
    layer = toy.unet.middle_block[1]["transformer_blocks"][0]["attn1"]["to_q"]
    layer.weight = nn.Parameter(layer.weight * 4, requires_grad=False)
    layer.scale_weight = nn.Parameter(torch.tensor(0.25), requires_grad=False)
    assert distance(merged(toy, tmp_path), whole) < 1e-5


def test_a_norm_that_the_host_changes_at_every_call_is_told_of(toy: ToyModel, tmp_path: Path) -> None:
    norm = "unet.middle_block.1.transformer_blocks.0.norm1"
    path = tmp_path / "norm.safetensors"
    save_file({f"{norm.replace('unet', 'diffusion_model', 1)}.w_norm": torch.ones(8)}, path)
    view = view_of_model(sd_model(toy), 1)
    plan = make_plan(Stack((Entry("norm"),)), [NetworkCache().open(path, "sd1")], view)
    vars(toy.unet.middle_block[1]["transformer_blocks"][0]["norm1"])["weight_function"] = [torch.neg]
    session = Session()
    session.attach(view, plan)
    with pytest.raises(EngineError, match="own networks out of the prompt"):
        toy.run()
    session.detach()
    assert is_untouched(toy)
