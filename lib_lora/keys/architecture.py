"""What there is to know of a kind of model by name and size alone: its parts, their modules, their shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from lib_lora.keys.clip import TextEncoder, clip_aliases, clip_shapes
from lib_lora.keys.openclip import FUSED, fused_modules, openclip_path
from lib_lora.keys.shapes import Shape
from lib_lora.keys.spellings import flat
from lib_lora.keys.unet import UNetLayout, attention_aliases, unet_modules, unet_shapes

UNET = "unet"
Tables = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Architecture:
    """A kind of model: its name, its UNet and its text encoders.

    called: pairs of what a prefix says (`te`, `te2`, …, see `spellings.PREFIXES`) and the part it means here.
    """

    name: str
    label: str
    unet: UNetLayout
    texts: tuple[TextEncoder, ...]
    called: tuple[tuple[str, str], ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of its parts, as canonical names begin with."""
        return (UNET, *(text.part for text in self.texts))

    def part_of(self, said: str) -> str:
        """Return the part that a prefix means in this architecture, or an empty text."""
        return UNET if said == UNET else dict(self.called).get(said, "")

    def paths(self) -> Tables:
        """Return, by part, every flattened path a file may use for a module, and the canonical name."""
        return _paths(self)

    def shapes(self, input_channels: int = 4) -> Mapping[str, Shape]:
        """Return the shape of every weight of the public models by canonical name.

        input_channels: 4, or as many as a checkpoint of this kind for inpainting (9) or editing (8) reads.
        """
        return _shapes(self, input_channels)


@cache
def _paths(architecture: Architecture) -> Tables:
    tables: dict[str, Mapping[str, str]] = {}
    unet: dict[str, str] = {}
    for diffusers_path, ldm_path in unet_modules(architecture.unet):
        for path in (diffusers_path, ldm_path):
            for spelling in (path, *attention_aliases(path)):
                unet[flat(spelling)] = f"{UNET}.{ldm_path}"
    tables[UNET] = MappingProxyType(unet)
    for text in architecture.texts:
        tables[text.part] = MappingProxyType(
            {flat(spelling): f"{text.part}.{path}" for spelling, path in _text_spellings(text)}
        )
    return MappingProxyType(tables)


def _text_spellings(text: TextEncoder) -> Iterator[tuple[str, str]]:
    """Yield every spelling of a text encoder's modules and the Hugging Face path it means."""
    for path in clip_shapes(text):
        yield path, path
        for alias in clip_aliases(path):
            yield alias, path
        theirs = openclip_path(path)
        if theirs is not None and not text.split:
            yield theirs, path
    if not text.split:
        for theirs, path in fused_modules(text.layers):
            yield theirs, path


@cache
def _shapes(architecture: Architecture, input_channels: int) -> Mapping[str, Shape]:
    found = {f"{UNET}.{path}": shape for path, shape in unet_shapes(architecture.unet, input_channels)}
    for text in architecture.texts:
        found |= {f"{text.part}.{path}": shape for path, shape in clip_shapes(text).items()}
        if not text.split:
            size = text.width
            found |= {f"{text.part}.{path}": (FUSED * size, size) for _, path in fused_modules(text.layers)}
    return MappingProxyType(found)
