"""The model's tree is AUTOMATIC1111's, checkpoints are exchanged as there, bad ones refused with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.demo.conftest import ROOT, Host

pytestmark = pytest.mark.demo
FOLDER = ROOT / "demo" / "models" / "checkpoint"
TINY = FOLDER / "tiny.safetensors"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small checkpoint with one changed weight, under another name, with the same yaml."""
    folder = tmp_path_factory.mktemp("checkpoints")
    state = load_file(TINY)
    state["model.diffusion_model.out.2.bias"] = state["model.diffusion_model.out.2.bias"] + 0.5
    save_file(state, folder / "other.safetensors")
    text = (FOLDER / "tiny.yaml").read_text()
    (folder / "other.yaml").write_text(text)
    (folder / "text_config").mkdir()
    config = (FOLDER / "text_config" / "config.json").read_text()
    (folder / "text_config" / "config.json").write_text(config)
    return folder / "other.safetensors"


@pytest.fixture
def back_to_tiny(host: Host) -> Iterator[None]:
    yield
    from modules import sd_checkpoints, sd_models

    sd_checkpoints.list_models()
    sd_models.reload_model_weights(info=sd_checkpoints.get_closet_checkpoint_match("tiny"))


def test_tree(host: Host) -> None:
    from modules import shared

    model = shared.sd_model
    unet = model.model.diffusion_model
    assert type(unet).__module__ == "ldm.modules.diffusionmodules.openaimodel"
    assert type(unet.input_blocks[1][1].transformer_blocks[0].attn1.to_q) is torch.nn.Linear
    text = model.cond_stage_model.wrapped.transformer.text_model
    assert type(text.encoder.layers[0].self_attn.q_proj) is torch.nn.Linear
    assert model.first_stage_model.decoder.conv_out.out_channels == 3
    assert model.is_sd1
    assert not (model.is_sdxl or model.is_sd2 or model.is_sd3)
    assert model.sd_checkpoint_info.filename == str(TINY)
    assert model.alphas_cumprod.shape == (1000,)
    assert model.alphas_cumprod.dtype is torch.float32


def test_every_weight_is_the_files_own(host: Host) -> None:
    from modules import shared

    state = load_file(TINY)
    own = shared.sd_model.state_dict()
    unet = [key for key in own if key.startswith("model.diffusion_model.")]
    assert len(unet) > 500
    for key in unet:
        assert torch.equal(own[key], state[key].float()), key
    text = "cond_stage_model.wrapped.transformer.text_model.embeddings.token_embedding.weight"
    assert torch.equal(own[text], state[text.replace("wrapped.", "")].float())


def test_same_configuration_is_loaded_into_the_same_objects(
    host: Host, other: Path, back_to_tiny: None
) -> None:
    from modules import sd_models, shared

    before = shared.sd_model
    unet, wrapper, text = (
        before.model.diffusion_model,
        before.cond_stage_model,
        before.cond_stage_model.wrapped,
    )
    parameter = unet.out[2].bias
    old = parameter.detach().clone()
    sd_models.reload_model_weights(info=sd_models.CheckpointInfo(str(other)))
    assert shared.sd_model is before
    assert shared.sd_model.model.diffusion_model is unet
    assert unet.out[2].bias is parameter
    assert torch.allclose(parameter, old + 0.5, atol=1e-2)
    assert shared.sd_model.cond_stage_model is not wrapper
    assert shared.sd_model.cond_stage_model.wrapped is text
    assert host.log.events == ["model_loaded"]
    assert shared.sd_model.sd_checkpoint_info.model_name == "other"


def test_two_kept_checkpoints_are_two_objects_and_reuse_tells_nobody(
    host: Host, other: Path, back_to_tiny: None
) -> None:
    from modules import sd_checkpoints, sd_models, shared

    shared.opts.data["sd_checkpoints_limit"] = 2
    before = shared.sd_model
    sd_models.reload_model_weights(info=sd_models.CheckpointInfo(str(other)))
    assert shared.sd_model is not before
    assert "model_loaded" in host.log.events
    host.log.events.clear()
    sd_models.reload_model_weights(info=sd_checkpoints.get_closet_checkpoint_match("tiny"))
    assert shared.sd_model is before
    assert host.log.events == []


def test_the_refiner_takes_over_in_mid_sampling(host: Host, other: Path, back_to_tiny: None) -> None:
    from modules import sd_models, shared

    shared.opts.data["sd_checkpoints_limit"] = 2
    sd_models.CheckpointInfo(str(other)).register()
    seen = []
    host.log.acting["cfg_denoiser"] = lambda params: seen.append(
        shared.sd_model.sd_checkpoint_info.model_name
    )
    host.draw(steps=4, refiner_checkpoint="other", refiner_switch_at=0.5)
    assert seen == ["tiny", "tiny", "other", "other"]
    assert host.log.events.count("after_extra_networks_activate") == 1
    host.draw(steps=1)
    assert seen[-1] == "tiny"


def test_the_model_is_set_after_its_callback(host: Host, other: Path, back_to_tiny: None) -> None:
    from modules import sd_models, shared

    seen = {}

    def act(model):
        seen["given"] = model.sd_checkpoint_info.model_name
        seen["shared"] = shared.sd_model

    host.log.acting["model_loaded"] = act
    shared.opts.data["sd_checkpoints_limit"] = 2
    before = shared.sd_model
    sd_models.load_model(sd_models.CheckpointInfo(str(other)))
    assert seen["given"] == "other"
    assert seen["shared"] is before


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("cut.safetensors", lambda path: path.write_bytes(TINY.read_bytes()[:1000]), "cannot be read"),
        ("text.safetensors", lambda path: path.write_text("hello"), "cannot be read"),
        ("pickle.ckpt", lambda path: path.write_bytes(b"\x80\x04N."), "only .safetensors"),
        ("lora.safetensors", lambda path: save_file({"a": torch.zeros(1)}, path), "is no Stable Diffusion"),
    ],
    ids=["cut short", "text", "pickle", "another file"],
)
def test_bad_checkpoints(host: Host, tmp_path: Path, name: str, make, words: str) -> None:
    from modules import sd_models, shared

    path = tmp_path / name
    make(path)
    before = shared.sd_model
    with pytest.raises(sd_models.CheckpointError, match=words):
        sd_models.load_model(sd_models.CheckpointInfo(str(path)))
    assert shared.sd_model is before
    assert len(host.draw(steps=1).images) == 1


def test_of_two_files_of_one_name_the_given_one_is_meant(host: Host, tmp_path: Path) -> None:
    from modules import sd_checkpoints

    given = tmp_path / TINY.name
    save_file({"a": torch.zeros(1)}, given)
    kept = dict(sd_checkpoints.checkpoints_list), dict(sd_checkpoints.checkpoint_aliases)
    for names in (sd_checkpoints.checkpoints_list, sd_checkpoints.checkpoint_aliases):
        names.clear()
    try:
        for path in (given, TINY):
            info = sd_checkpoints.CheckpointInfo(str(path))
            info.register()
            info.calculate_shorthash()
        assert sd_checkpoints.checkpoint_aliases[TINY.name].filename == str(given)
        assert len(sd_checkpoints.checkpoints_list) == 2
    finally:
        sd_checkpoints.checkpoints_list.clear()
        sd_checkpoints.checkpoint_aliases.clear()
        sd_checkpoints.checkpoints_list.update(kept[0])
        sd_checkpoints.checkpoint_aliases.update(kept[1])


def test_without_a_yaml_it_is_stable_diffusion_15(host: Host, tmp_path: Path) -> None:
    from modules.sd_models_build import LatentDiffusion
    from modules.sd_models_config import find_checkpoint_config

    config = find_checkpoint_config(str(tmp_path / "real.safetensors"))
    with torch.device("meta"):
        model = LatentDiffusion(config)
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    assert shapes["model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"] == (
        320,
        768,
    )
    assert shapes["cond_stage_model.transformer.text_model.encoder.layers.11.mlp.fc2.weight"] == (768, 3072)
    assert shapes["first_stage_model.decoder.conv_in.weight"] == (512, 4, 3, 3)
    assert sum(key.startswith("model.diffusion_model.") for key in shapes) == 686


def test_the_yaml_says_what_the_model_predicts(host: Host, tmp_path: Path) -> None:
    from modules.k_sampling import CompVisDenoiser, CompVisVDenoiser, wrap_model
    from modules.sd_models_build import LatentDiffusion
    from modules.sd_models_config import find_checkpoint_config

    def predicting(line: str) -> object:
        text = re.sub(r"\n +parameterization:.*", "", TINY.with_suffix(".yaml").read_text(encoding="utf8"))
        (tmp_path / "m.yaml").write_text(text.replace("params:\n", f"params:\n{line}", 1), encoding="utf8")
        config = find_checkpoint_config(str(tmp_path / "m.safetensors"))
        model = LatentDiffusion(config)
        model.make_schedule(config)
        return type(wrap_model(model))

    assert predicting("") is CompVisDenoiser
    assert predicting("    parameterization: eps\n") is CompVisDenoiser
    assert predicting('    parameterization: "v"\n') is CompVisVDenoiser
    with pytest.raises(ValueError, match="eps or v"):
        predicting("    parameterization: x0\n")
