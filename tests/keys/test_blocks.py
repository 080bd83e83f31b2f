"""Canonical names lie in the blocks that LoRA Block Weight names."""

from __future__ import annotations

import pytest

from lib_lora.keys.blocks import block_of


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("unet.input_blocks.0.0", "IN00"),
        ("unet.input_blocks.11.0.in_layers.2", "IN11"),
        ("unet.middle_block.1.proj_in", "M00"),
        ("unet.output_blocks.3.1.transformer_blocks.0.attn1.to_q", "OUT03"),
        ("unet.out.2", "OUT11"),
        ("unet.time_embed.0", "BASE"),
        ("unet.label_emb.0.0", "BASE"),
        ("clip_l.text_model.encoder.layers.0.mlp.fc1", "BASE"),
        ("clip_g.transformer.resblocks.0.attn.in_proj", "BASE"),
    ],
)
def test_block_of(name: str, block: str) -> None:
    assert block_of(name, "OUT11") == block
