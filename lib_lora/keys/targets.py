"""What a file can be compared with: the architectures, and their checkpoints for inpainting and editing.

Such a checkpoint differs in one weight only: its first convolution reads more than four channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lib_lora.keys.architecture import Architecture
from lib_lora.keys.resolve import ARCHITECTURES
from lib_lora.keys.sd1 import SD1
from lib_lora.keys.sd2 import SD2
from lib_lora.keys.sdxl import SDXL
from lib_lora.keys.shapes import Shape
from lib_lora.keys.unet import LATENT_CHANNELS

INPUT_LAYER = "unet.input_blocks.0.0"
"""The only layer whose input a checkpoint for inpainting or editing widens."""

WIDER: tuple[tuple[Architecture, str, str, int], ...] = (
    (SD1, "inpaint", "inpainting", 9),
    (SD1, "ip2p", "instruct-pix2pix", 8),
    (SD2, "inpaint", "inpainting", 9),
    (SD2, "depth", "depth", 5),
    (SDXL, "inpaint", "inpainting", 9),
    (SDXL, "ip2p", "instruct-pix2pix", 8),
)


@dataclass(frozen=True)
class Target:
    """A kind of checkpoint with all its weights' shapes; `name` is what the command line calls it."""

    name: str
    label: str
    architecture: Architecture
    input_channels: int = LATENT_CHANNELS

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """Shape of every weight by canonical name."""
        return self.architecture.shapes(self.input_channels)


@dataclass(frozen=True)
class LoadedTarget(Target):
    """The checkpoint in memory: its sizes are its own, and not those of its kind."""

    sizes: Mapping[str, Shape] = field(default_factory=dict)

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """Shape of every weight by canonical name, a 1×1 convolution's as a matrix's."""
        return {name: size[:2] if size[2:] == (1, 1) else size for name, size in self.sizes.items()}


TARGETS: tuple[Target, ...] = (
    *(Target(known.name, known.label, known) for known in ARCHITECTURES),
    *(
        Target(f"{known.name}-{name}", f"{known.label} {label}", known, channels)
        for known, name, label, channels in WIDER
    ),
)


def find_target(name: str) -> Target:
    """Return the target of that name; KeyError for an unknown one."""
    return {target.name: target for target in TARGETS}[name]
