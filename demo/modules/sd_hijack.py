"""What the host changes in a loaded model: a faster attention, and the text encoder's wrapper."""

from __future__ import annotations

import torch
from modules.sd_hijack_clip import FrozenCLIPEmbedder, FrozenCLIPEmbedderWithCustomWords
from modules.textual_inversion.textual_inversion import EmbeddingDatabase


def sdp_attention_forward(self, x, context=None, mask=None):
    """CrossAttention.forward with torch's fused attention; to_q, to_k, to_v, to_out are called as modules."""
    batch, _, _ = x.shape
    context = x if context is None else context

    def heads(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.view(batch, -1, self.heads, tensor.shape[-1] // self.heads).transpose(1, 2)

    q, k, v = heads(self.to_q(x)), heads(self.to_k(context)), heads(self.to_v(context))
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return self.to_out(out.transpose(1, 2).reshape(batch, x.shape[1], -1))


class TorchForUnet:
    """torch as ldm's UNet sees it: joining a skip of an odd size stretches the other part to fit."""

    def __getattr__(self, name: str):
        return getattr(torch, name)

    def cat(self, tensors, *args, **kwargs):
        if len(tensors) == 2:
            a, b = tensors
            if a.shape[-2:] != b.shape[-2:]:
                a = torch.nn.functional.interpolate(a, b.shape[-2:], mode="nearest")
            tensors = (a, b)
        return torch.cat(tensors, *args, **kwargs)


class StableDiffusionModelHijack:
    """Wraps the text encoder at every load and unwraps it before weights are copied in."""

    layers = None
    optimization_method = None

    def __init__(self) -> None:
        self.comments: list[str] = []
        self.extra_generation_params: dict[str, object] = {}
        self.embedding_db = EmbeddingDatabase()
        self.fixes: list[list[tuple[int, torch.Tensor]]] | None = None

    def apply_optimizations(self, option=None) -> None:
        from ldm.modules.attention import CrossAttention
        from ldm.modules.diffusionmodules import openaimodel

        CrossAttention.forward = sdp_attention_forward
        openaimodel.th = TorchForUnet()
        self.optimization_method = "sdp"

    def hijack(self, model) -> None:
        if isinstance(model.cond_stage_model, FrozenCLIPEmbedder):
            model.cond_stage_model = FrozenCLIPEmbedderWithCustomWords(model.cond_stage_model, self)
        self.apply_optimizations()

    def undo_hijack(self, model) -> None:
        if isinstance(model.cond_stage_model, FrozenCLIPEmbedderWithCustomWords):
            model.cond_stage_model = model.cond_stage_model.wrapped

    def clear_comments(self) -> None:
        self.comments = []
        self.extra_generation_params = {}

    def get_prompt_lengths(self, text: str) -> tuple[int, int]:
        """Tokens of a prompt and the room they take: (12, 75)."""
        from modules import sd_models

        model = sd_models.model_data.sd_model
        if model is None:
            return 0, 75
        _, count = model.cond_stage_model.tokenize_line(text)
        return count, model.cond_stage_model.get_target_prompt_token_count(count)


model_hijack = StableDiffusionModelHijack()
