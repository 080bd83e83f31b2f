"""The trainers' own libraries around the demo's painter: LyCORIS (as kohya's trainer calls it) and PEFT.

A change is the library's modules put into a painter. The library computes with them, merges them and writes
their file; this project only turns the trainable numbers.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file
from torch import nn

from demo.train.models import Painter

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import peft
    from lycoris.kohya import LycorisNetworkKohya
    from lycoris.logging import logger

TRANSFORMER = "SpatialTransformer"
RESIDUAL = "ResBlock"
TEXT = ("CLIPAttention", "CLIPSdpaAttention", "CLIPMLP")
PEFT_LAYERS = r".*\.(proj_in|proj_out|to_q|to_k|to_v|to_out\.0|ff\.net\.0\.proj|ff\.net\.2)"


class Change(Protocol):
    """A library's modules in a painter."""

    def trained(self) -> dict[str, nn.Parameter]:
        """The numbers to be trained, by name."""

    def write(self, path: Path, facts: Mapping[str, str]) -> None:
        """Let the library write its file; `facts` is what the trainer around it would add."""

    def read(self, path: Path) -> None:
        """Let the library read a file back into its modules."""

    def merge(self) -> None:
        """Let the library merge into the painter's weights, at full strength, and leave it."""


@dataclass(frozen=True)
class Lycoris:
    """A LyCORIS network. `arguments` is what the trainer was told, as it notes it in the file."""

    painter: Painter
    network: LycorisNetworkKohya
    arguments: Mapping[str, Any]

    def trained(self) -> dict[str, nn.Parameter]:
        return dict(self.network.named_parameters())

    def write(self, path: Path, facts: Mapping[str, str]) -> None:
        self.network.save_weights(str(path), torch.float16, dict(facts))

    def read(self, path: Path) -> None:
        self.network.load_state_dict(load_file(path))

    @torch.no_grad()
    def merge(self) -> None:
        self.network.restore()
        for module in self.network.loras:
            module.merge_to(1.0)


def lycoris_change(
    algorithm: str, rank: int, alpha: float, convolutions: bool = False, **options: Any
) -> Callable[[Painter], Lycoris]:
    """A maker of LyCORIS networks for the attention of UNet and text model, with or without ResBlocks.

    The makers' targets are class attributes of LyCORIS, set anew for every network.
    """

    def make(painter: Painter) -> Lycoris:
        logger.setLevel("ERROR")
        LycorisNetworkKohya.apply_preset(
            {
                "enable_conv": True,
                "unet_target_module": [TRANSFORMER, *[RESIDUAL] * convolutions],
                "unet_target_name": [],
                "text_encoder_target_module": list(TEXT),
                "text_encoder_target_name": [],
                "module_algo_map": {},
                "name_algo_map": {},
            }
        )
        network = LycorisNetworkKohya(
            painter.text,
            painter.unet,
            lora_dim=rank,
            conv_lora_dim=rank,
            alpha=alpha,
            conv_alpha=alpha,
            network_module=algorithm,
            warn_on_unmatched=False,
            **options,
        )
        network.apply_to(painter.text, painter.unet, True, True)
        network.prepare_grad_etc()
        return Lycoris(painter, network, {"algo": algorithm, "dim": rank, "alpha": alpha, **options})

    return make


@dataclass(frozen=True)
class Peft:
    """A PEFT model around the UNet."""

    painter: Painter
    model: peft.PeftModel

    def trained(self) -> dict[str, nn.Parameter]:
        return {name: p for name, p in self.model.named_parameters() if p.requires_grad}

    def write(self, path: Path, facts: Mapping[str, str]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.model.save_pretrained(folder)
            path.write_bytes((Path(folder) / "adapter_model.safetensors").read_bytes())

    def read(self, path: Path) -> None:
        peft.set_peft_model_state_dict(self.model, load_file(path))

    def merge(self) -> None:
        self.painter.unet = self.model.merge_and_unload()


def peft_change(rank: int) -> Callable[[Painter], Peft]:
    """A maker of PEFT's DoRA for the UNet's attention; alpha equals the rank, as its file lacks it."""

    def make(painter: Painter) -> Peft:
        config = peft.LoraConfig(r=rank, lora_alpha=rank, use_dora=True, target_modules=PEFT_LAYERS)
        return Peft(painter, peft.get_peft_model(painter.unet, config))

    return make
