"""Small text encoders with OpenCLIP's modules and with Hugging Face's, holding the same numbers."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from lib_lora.engine.view import ModelView, build_view
from lib_lora.plan import Contribution, Plan
from tests.openclip import text_tower

WIDTH, LAYERS, HEADS, VOCABULARY, TOKENS = 24, 2, 4, 64, 8
STEM = "clip_g.text_model.encoder.layers"
PROMPT = torch.tensor([[1, 5, 9, 2, 63, 0, 0, 0], [3, 3, 8, 63, 0, 0, 0, 0]])
Attributes = dict[str, set[str]]


def openclip(seed: int = 0) -> nn.Module:
    """Make SDXL's second text encoder in small, with nothing left at zero or one."""
    tower = text_tower(WIDTH, LAYERS, HEADS, VOCABULARY, TOKENS)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in tower.parameters():
            noise = torch.randn(tensor.shape, generator=generator)
            tensor.copy_(noise * (0.2 if tensor.dim() > 1 else 0.1) + (tensor.dim() < 2))
    return tower


def hugging_face(tower: nn.Module) -> nn.Module:
    """The same encoder in Hugging Face's modules, its weights put there under their canonical names."""
    config = CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        max_position_embeddings=TOKENS,
        projection_dim=WIDTH,
        hidden_act="gelu",
        eos_token_id=2,  # which asks for the place of the largest token
    )
    model = CLIPTextModelWithProjection(config).eval()
    with torch.no_grad():
        for name, layer in view_of(tower).layers.items():
            module = model.get_submodule(name.removeprefix("clip_g."))
            module.weight.copy_(layer.module.weight)
            if getattr(module, "bias", None) is not None:
                module.bias.copy_(layer.module.bias)
    return model


def view_of(tower: nn.Module) -> ModelView:
    """Describe an encoder to the engine."""
    return build_view("sdxl", key="tower", clip_g=tower)


def encode(tower: nn.Module) -> Tensor:
    """Encode as AUTOMATIC1111 does: past the tower's own forward, through its modules and parameters."""
    with torch.no_grad():
        x = tower.token_embedding(PROMPT) + tower.positional_embedding
        for block in tower.transformer.resblocks:
            x = block(x, attn_mask=tower.attn_mask.to(x.dtype))
        x = tower.ln_final(x)
        return torch.cat([x.flatten(1), x[[0, 1], PROMPT.argmax(-1)] @ tower.text_projection], dim=1)


def encode_hugging_face(model: nn.Module) -> Tensor:
    """The same output from the other tree."""
    with torch.no_grad():
        found = model(input_ids=PROMPT)
        return torch.cat([found.last_hidden_state.flatten(1), found.text_embeds], dim=1)


def plan_of(changes: Mapping[str, tuple[Contribution, ...]]) -> Plan:
    """A plan of nothing but these changes."""
    return Plan("tower", dict(changes), (), ())


def merged_by_hand(tower: nn.Module, changes: Mapping[str, Iterable[Contribution]]) -> nn.Module:
    """A copy of the encoder with its parameters overwritten, computed in float64."""
    other = copy.deepcopy(tower)
    layers = view_of(other).layers
    with torch.no_grad():
        for name, found in changes.items():
            module = layers[name].module
            weight = module.weight.double()
            for change in found:
                weight = weight + change.strength * change.adapter.delta(module.weight.float()).double()
            module.weight.copy_(weight)
            for change in found:
                bias = getattr(module, "bias", None)
                shift = change.adapter.bias(None if bias is None else bias.float())
                if shift is not None:
                    bias.add_(change.strength * shift)
    return other


def attributes(tower: nn.Module) -> Attributes:
    """Names of everything that hangs on every module."""
    return {path: set(vars(module)) for path, module in tower.named_modules()}


def digests(tower: nn.Module) -> dict[str, bytes]:
    """The bytes of every parameter."""
    return {name: tensor.detach().numpy().tobytes() for name, tensor in tower.named_parameters()}
