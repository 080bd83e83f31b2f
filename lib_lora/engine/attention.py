"""A fused attention computed with our weights: q, k, v and the output, each alone or together."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lib_lora.engine.forwards import in_form_of, merged_tensors
from lib_lora.engine.patch import Patch
from lib_lora.engine.sections import IN_PLACES, OUT_PLACE, PLACES, fused_section
from lib_lora.engine.temporary import Temporary


class FusedAttention:
    """The computation of one `nn.MultiheadAttention`; what no patch changes is the module's own."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.patches: dict[str, Patch] = {}
        self._own = {place: fused_section(module, place) for place in PLACES}

    def compute(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Do what the module's forward does; takes and returns the same."""
        module = self.module
        batch_first = module.batch_first and query.dim() == 3
        if batch_first:
            query, key, value = (tensor.transpose(0, 1) for tensor in (query, key, value))
        weights, biases = zip(*(self._tensors(place, query) for place in IN_PLACES), strict=True)
        out_weight, out_bias = self._tensors(OUT_PLACE, query)
        q_weight, k_weight, v_weight = weights
        output, attention = functional.multi_head_attention_forward(
            query,
            key,
            value,
            module.embed_dim,
            module.num_heads,
            None,
            _joined(biases, weights),
            module.bias_k,
            module.bias_v,
            module.add_zero_attn,
            module.dropout,
            out_weight,
            out_bias,
            training=module.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=True,
            q_proj_weight=q_weight,
            k_proj_weight=k_weight,
            v_proj_weight=v_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (output.transpose(0, 1) if batch_first else output), attention

    def _tensors(self, place: str, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return weight and bias of one place in the form of the input."""
        own, patch = self._own[place], self.patches.get(place)
        if patch is None or patch.idle:
            return in_form_of(x, own.weight, own.bias)
        if patch.merged is not None:
            return in_form_of(x, *merged_tensors(own, patch.merged))
        assert isinstance(patch.bypass, Temporary)
        return in_form_of(x, *patch.bypass.tensors(x))


def _joined(biases: tuple[Tensor | None, ...], weights: tuple[Tensor, ...]) -> Tensor | None:
    """Return the three biases as one, with zeros for a missing one; None where there is none at all."""
    if all(bias is None for bias in biases):
        return None
    whole = (
        weight.new_zeros(weight.shape[0]) if bias is None else bias
        for bias, weight in zip(biases, weights, strict=True)
    )
    return torch.cat(tuple(whole))
