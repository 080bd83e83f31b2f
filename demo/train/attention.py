"""Attention with the scale folded into the queries: the same answer with one pass less over the large map."""

from __future__ import annotations

from types import MethodType

import torch
from torch import nn


def lean_attention(unet: nn.Module) -> None:
    """Give every attention of a UNet the leaner way; nothing but this object changes."""
    for module in unet.modules():
        if type(module).__name__ == "CrossAttention":
            module.forward = MethodType(_attend, module)


def _attend(self: nn.Module, x: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
    context = x if context is None else context

    def heads(values: torch.Tensor) -> torch.Tensor:
        batch, count, width = values.shape
        apart = values.view(batch, count, self.heads, width // self.heads).transpose(1, 2)
        return apart.reshape(batch * self.heads, count, width // self.heads)

    batch, count, _ = x.shape
    likeness = torch.bmm(heads(self.to_q(x) * self.scale), heads(self.to_k(context)).transpose(1, 2))
    out = torch.bmm(likeness.softmax(-1), heads(self.to_v(context)))
    return self.to_out(out.view(batch, self.heads, count, -1).transpose(1, 2).reshape(batch, count, -1))
