"""Whole files against diffusers: its loader, its names, its UNet, with the same weights behind both trees."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from lib_lora.keys.sd1 import LAYOUT
from lib_lora.keys.unet import unet_modules
from lib_lora.network import NetworkCache
from lib_lora.plan import make_plan
from lib_lora.session import Session
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack
from tests.builders import CONTEXT, SmallModel, kohya_layers, make_lora_file, small_sd1

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from diffusers import UNet2DConditionModel
    from diffusers.loaders import StableDiffusionLoraLoaderMixin

pytestmark = pytest.mark.filterwarnings("ignore")

TABLE = dict(unet_modules(LAYOUT))
WEIGHT = 0.8
Tensors = dict[str, Tensor]


class Pipeline(StableDiffusionLoraLoaderMixin):
    """As much of a pipeline as loading a LoRA needs."""

    def __init__(self, unet: nn.Module, text_encoder: nn.Module) -> None:
        self.unet, self.text_encoder = unet, text_encoder
        self.components = {"unet": unet, "text_encoder": text_encoder}
        self.hf_device_map = None


def diffusers_twin(model: SmallModel) -> nn.Module:
    """The same UNet as diffusers builds it, with the same weights."""
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(32, 64, 64, 64),
        cross_attention_dim=CONTEXT,
        attention_head_dim=2,
    ).eval()
    state = model.unet.state_dict()
    unet.load_state_dict({name: state[ldm_name(name)] for name in unet.state_dict()})
    return unet


def ldm_name(parameter: str) -> str:
    module, _, kind = parameter.rpartition(".")
    return f"{TABLE[module]}.{kind}"


def predict(unet: nn.Module, call: Callable[..., Tensor]) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    latent = torch.randn(1, 4, 8, 8, generator=generator)
    text = torch.randn(1, 6, CONTEXT, generator=generator)
    with torch.no_grad():
        return call(unet, latent, torch.tensor([10]), text)


def ours(unet: nn.Module, latent: Tensor, time: Tensor, text: Tensor) -> Tensor:
    return unet(latent, time, context=text)


def theirs(unet: nn.Module, latent: Tensor, time: Tensor, text: Tensor) -> Tensor:
    return unet(latent, time, encoder_hidden_states=text).sample


@pytest.fixture(scope="module")
def model() -> SmallModel:
    return small_sd1()


def test_the_twin_predicts_the_same(model: SmallModel) -> None:
    twin = predict(diffusers_twin(model), theirs)
    assert (predict(model.unet, ours) - twin).abs().max() < 1e-5


def as_kohya(tensors: Tensors) -> Tensors:
    return tensors


def as_dotted(up: str, down: str, processor: bool = False) -> Callable[[Tensors], Tensors]:
    """Rename a kohya file to a spelling of diffusers, with alpha/rank folded in, which these cannot say."""

    def rename(tensors: Tensors) -> Tensors:
        renamed: Tensors = {}
        for name in TABLE:
            flat = "lora_unet_" + name.replace(".", "_")
            if f"{flat}.alpha" not in tensors:
                continue
            lower = tensors[f"{flat}.lora_down.weight"]
            if processor:
                name = name.replace(".to_", ".processor.to_").replace(".to_out.0", ".to_out")
            renamed[f"unet.{name}{up}"] = tensors[f"{flat}.lora_up.weight"]
            renamed[f"unet.{name}{down}"] = lower * (float(tensors[f"{flat}.alpha"]) / lower.shape[0])
        return renamed

    return rename


DIALECTS: tuple[tuple[str, Callable[[Tensors], Tensors], str], ...] = (
    ("kohya", as_kohya, "attentions"),
    ("lora_A and lora_B", as_dotted(".lora_B.weight", ".lora_A.weight"), "attentions"),
    ("lora.up and lora.down", as_dotted(".lora.up.weight", ".lora.down.weight"), "attentions"),
    ("processor", as_dotted("_lora.up.weight", "_lora.down.weight", processor=True), "_attn"),
)


@pytest.mark.parametrize(
    ("rename", "layers"), [row[1:] for row in DIALECTS], ids=[row[0] for row in DIALECTS]
)
def test_the_same_file_gives_the_same_prediction(
    model: SmallModel, tmp_path: Path, rename: Callable[[Tensors], Tensors], layers: str
) -> None:
    path = tmp_path / "style.safetensors"
    sizes = {name: size for name, size in kohya_layers(model, text=False).items() if layers in name}
    tensors = {name: tensor.contiguous() for name, tensor in rename(make_lora_file(path, sizes)).items()}
    save_file(tensors, path)
    network = NetworkCache().open(path, "sd1")
    base, view, session = predict(model.unet, ours), model.view(), Session()
    twin = diffusers_twin(model)
    Pipeline(twin, model.clip_l).load_lora_weights(dict(tensors), adapter_name="style")
    twin.set_adapters("style", WEIGHT)
    twin.fuse_lora(adapter_names=["style"])
    session.attach(view, make_plan(Stack((Entry("style", weight=WEIGHT),)), [network], view))
    got = predict(model.unet, ours)
    report = session.report()
    session.detach()
    assert report.unet_layers == report.entries[0].matched == report.entries[0].total == len(sizes)
    assert (got - base).abs().max() > 0.01
    assert (got - predict(twin, theirs)).abs().max() < 2e-5
