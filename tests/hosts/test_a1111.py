"""The view on AUTOMATIC1111's model, and what cannot be patched there."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from lib_lora.engine.view import ATTENTION
from lib_lora.errors import ModelUnavailableError
from lib_lora.hosts.a1111 import builtin_networks, computes_beside, model_key, settle_builtin, view_of_model
from tests.builders import toy_sd1
from tests.engine.towers import openclip


def sd_model(**changed: Any) -> Any:
    toy = toy_sd1()
    found = {
        "model": SimpleNamespace(diffusion_model=toy.unet),
        "cond_stage_model": SimpleNamespace(wrapped=SimpleNamespace(transformer=toy.clip_l)),
        "sd_checkpoint_info": SimpleNamespace(filename="a.safetensors"),
        "is_sd1": True,
    }
    return SimpleNamespace(**{**found, **changed})


def test_both_parts_by_their_names() -> None:
    model = sd_model()
    view = view_of_model(model, 1)
    assert view.architecture == "sd1"
    assert view.parts["unet"] is model.model.diffusion_model
    assert "unet.input_blocks.0.0" in view.layers
    assert "clip_l.text_model.encoder.layers.0.self_attn.q_proj" in view.layers


def wrapped(**inner: Any) -> Any:
    """A text encoder inside the host's own object."""
    return SimpleNamespace(wrapped=SimpleNamespace(**inner))


SIZES = SimpleNamespace(outdim=256)
"""Stands for SDXL's embedders of sizes and crops, which hold no text encoder."""


def test_sd2_has_openclip_alone() -> None:
    model = sd_model(is_sd1=False, is_sd2=True, cond_stage_model=wrapped(model=openclip()))
    view = view_of_model(model, 1)
    assert view.architecture == "sd2"
    assert set(view.parts) == {"unet", "clip_h"}
    assert view.layers["clip_h.text_model.encoder.layers.1.self_attn.v_proj"].kind == ATTENTION


@pytest.mark.parametrize("hijacked", [True, False], ids=["wrapped", "bare"])
def test_sdxl_has_two_text_encoders_and_its_refiner_one(hijacked: bool) -> None:
    tower, first = openclip(), sd_model().cond_stage_model
    second = wrapped(model=tower) if hijacked else SimpleNamespace(model=tower)
    # While it is loaded, `cond_stage_model` is the conditioner, or the only text encoder.
    both = SimpleNamespace(embedders=[first if hijacked else first.wrapped, second, SIZES])
    view = view_of_model(sd_model(is_sd1=False, is_sdxl=True, conditioner=both, cond_stage_model=both), 1)
    assert view.architecture == "sdxl"
    assert set(view.parts) == {"unet", "clip_l", "clip_g"}
    assert view.entry("clip_g") is tower.token_embedding
    assert view.entry("clip_l") is view.parts["clip_l"]
    assert "clip_g.text_projection" in view.layers
    alone = SimpleNamespace(embedders=[second, SIZES])
    refiner = sd_model(is_sd1=False, is_sdxl=True, conditioner=alone, cond_stage_model=second)
    view = view_of_model(refiner, 1)
    assert view.architecture == "refiner"
    assert set(view.parts) == {"unet", "clip_g"}


def test_a_reload_in_place_is_another_model() -> None:
    """The host keeps the modules and copies other weights into them."""
    model = sd_model()
    assert view_of_model(model, 1).key == view_of_model(model, 1).key
    assert view_of_model(model, 1).key != view_of_model(model, 2).key


@pytest.mark.parametrize(
    ("model", "said"),
    [
        pytest.param(None, "No checkpoint", id="nothing loaded"),
        pytest.param(SimpleNamespace(), "No checkpoint", id="a placeholder"),
        pytest.param(sd_model(is_sd1=False), "Stable Diffusion 1 and 2, SDXL", id="another architecture"),
        pytest.param(
            sd_model(cond_stage_model=SimpleNamespace(wrapped=SimpleNamespace(roberta=None))),
            "another kind",
            id="another text encoder",
        ),
    ],
)
def test_what_cannot_be_served_says_why(model: Any, said: str) -> None:
    with pytest.raises(ModelUnavailableError, match=said):
        view_of_model(model, 1)


def test_a_converted_unet_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    modules, sd_unet = ModuleType("modules"), ModuleType("modules.sd_unet")
    sd_unet.current_unet = object()  # type: ignore[attr-defined]
    modules.sd_unet = sd_unet  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "modules", modules)
    monkeypatch.setitem(sys.modules, "modules.sd_unet", sd_unet)
    with pytest.raises(ModelUnavailableError, match="converted UNet"):
        view_of_model(sd_model(), 1)


def test_the_builtin_settles_the_layers_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    networks, settled = ModuleType("networks"), []
    networks.network_apply_weights = settled.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "networks", networks)
    known, unknown = SimpleNamespace(network_layer_name="x"), SimpleNamespace()
    settle_builtin(known)
    settle_builtin(unknown)
    assert settled == [known]


@pytest.mark.parametrize("beside", [False, True])
def test_the_builtin_in_its_old_mode_is_asked_to_restore_and_not_to_merge(
    monkeypatch: pytest.MonkeyPatch, beside: bool
) -> None:
    """With nothing wanted it would leave merged what it was asked to merge."""
    networks, done = ModuleType("networks"), []
    for name in (
        "network_apply_weights",
        "network_restore_weights_from_backup",
        "network_reset_cached_weight",
    ):
        setattr(networks, name, lambda module, name=name: done.append(name.split("_")[1]))
    networks.network_forward = None if not beside else object()  # type: ignore[attr-defined]
    modules, shared = ModuleType("modules"), ModuleType("modules.shared")
    shared.opts = SimpleNamespace(data={"lora_functional": True})  # type: ignore[attr-defined]
    modules.shared = shared  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "networks", networks)
    monkeypatch.setitem(sys.modules, "modules", modules)
    monkeypatch.setitem(sys.modules, "modules.shared", shared)
    assert computes_beside() is beside
    settle_builtin(SimpleNamespace(network_layer_name="x"))
    assert done == (["restore", "reset"] if beside else ["apply"])
    done.clear()
    settle_builtin(SimpleNamespace(network_layer_name="x", in_proj_weight=None))
    assert done == ["apply"]
    shared.opts.data.clear()  # type: ignore[attr-defined]
    assert not computes_beside()


def test_without_a_builtin_nothing_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "networks", None)
    settle_builtin(SimpleNamespace(network_layer_name="x"))


def test_the_cheap_key_is_the_view_s() -> None:
    model = sd_model()
    assert model_key(model, 3) == view_of_model(model, 3).key
    assert model_key(model, 3) != model_key(sd_model(), 3)


def test_what_the_builtin_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "networks", raising=False)
    assert builtin_networks() == ()
    networks = ModuleType("networks")
    wanted = SimpleNamespace(name="a", te_multiplier=1.0, unet_multiplier=0.5, dyn_dim=None)
    networks.loaded_networks = [wanted]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "networks", networks)
    before = builtin_networks()
    wanted.unet_multiplier = 0.6
    assert builtin_networks() != before
