"""Which base model a network was made for, told from names and shapes of its tensors.

Widths decide where they are those of the public models; else the tree of names does, which also holds for
smaller models of the same build. Names are compared with dots as underscores, so that all spellings are one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

Shape = tuple[int, ...]
LABELS: Mapping[str, str] = MappingProxyType(
    {
        "sd1": "SD 1.x",
        "sd2": "SD 2.x",
        "sdxl": "SDXL",
        "refiner": "SDXL refiner",
        "flux": "Flux",
        "chroma": "Chroma",
        "sd3": "SD 3",
        "cascade": "Stable Cascade",
        "auraflow": "AuraFlow",
        "pixart": "PixArt",
        "hunyuan": "Hunyuan",
        "lumina": "Lumina",
        "wan": "Wan",
        "qwen": "Qwen-Image",
        "motion": "AnimateDiff's motion module",
        "transformer": "another diffusion transformer",
    }
)
# What cross-attention reads from, as wide as the text encoder's output.
TEXT_WIDTHS: Mapping[int, str] = MappingProxyType({768: "sd1", 1024: "sd2", 2048: "sdxl", 1280: "refiner"})
REFINER_WIDTHS = frozenset({768, 1536})  # of its blocks with attention; no other UNet has them
FLUX_WIDTH = 3072

_INPUT_SECOND = re.compile(
    r"(?:\.lora_down|\.lora_A(?:_\d+)?(?:\.[^.]+)?|[._]lora\.down|\.lora_linear_layer\.down)\.weight$"
    r"|\.lora_(?:down|A)$|\.hada_w[12]_b$|\.(?:diff|set_weight)$|\.(?:a2|q_layer)\.weight$"
)
_KRONECKER = re.compile(r"(.*)\.lokr_(w[12])(?:_b)?$")
# Where a name begins in models that have no levels: `blocks.0…` itself, not the end of `down_blocks.0…`.
_START = r"(?m:^)(?:lycoris_|lora_unet_|lora_transformer_|transformer_|model_)*(?:diffusion_model_)?"
_FOREIGN: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("chroma", re.compile(r"distilled_guidance_layer")),
    ("auraflow", re.compile(r"joint_transformer_blocks_")),
    ("flux", re.compile(r"double_blocks_|single_blocks_|single_transformer_blocks_")),
    ("sd3", re.compile(r"joint_blocks_|lora_te3_")),
    ("lumina", re.compile(rf"noise_refiner_|context_refiner_|{_START}layers_\d+_attention_(?:qkv|out)")),
    ("wan", re.compile(rf"{_START}blocks_\d+_(?:self|cross)_attn_[qkvo](?:_img)?[_.]")),
    ("hunyuan", re.compile(rf"{_START}blocks_\d+_(?:attn[12]_(?:Wqkv|\w+_proj)|default_modulation)")),
    ("pixart", re.compile(rf"{_START}blocks_\d+_(?:attn_qkv|cross_attn_(?:q_linear|kv_linear))")),
    ("qwen", re.compile(rf"{_START}transformer_blocks_\d+_(?:img|txt)_(?:mlp|mod)")),
    ("sd3", re.compile(rf"{_START}transformer_blocks_\d+_attn_")),
    ("pixart", re.compile(r"adaln_single_")),
    ("transformer", re.compile(rf"{_START}(?:transformer_blocks|blocks|layers)_\d+_")),
)
"""In this order: those with names of their own first."""
_LIKE_OURS = (("cascade", "lora_prior_"), ("motion", "motion_modules_"))
"""Foreign models whose names speak of levels as our UNets' do."""
_LEVELS = ("down_blocks_", "input_blocks_", "mid_block_", "middle_block_", "up_blocks_", "output_blocks_")

SAME_NAMES = frozenset({("flux", "chroma"), ("flux", "hunyuan"), ("sd3", "pixart"), ("sd3", "qwen")})
"""Pairs of which only the metadata tells which one it is; the first is what names alone suggest."""

_CLAIMS: tuple[tuple[str, str], ...] = (
    ("sdxl_refiner", "refiner"),
    ("stable-diffusion-xl-v1-refiner", "refiner"),
    ("sdxl", "sdxl"),
    ("stable-diffusion-xl", "sdxl"),
    ("sd_v1", "sd1"),
    ("stable-diffusion-v1", "sd1"),
    ("sd_v2", "sd2"),
    ("stable-diffusion-v2", "sd2"),
    ("sd3", "sd3"),
    ("stable-diffusion-3", "sd3"),
    ("stable-cascade", "cascade"),
    ("flux", "flux"),
    ("chroma", "chroma"),
    ("auraflow", "auraflow"),
    ("pixart", "pixart"),
    ("hunyuan", "hunyuan"),
    ("lumina", "lumina"),
    ("wan", "wan"),
    ("qwen", "qwen"),
)
"""How `ss_base_model_version` and `modelspec.architecture` begin, and what that means."""

_DEEP = re.compile(r"_transformer_blocks_[2-9]_|lora_te2_|text_encoder_2_|clip_g_|label_emb_|add_embedding_")
_FOUR_LEVELS = re.compile(
    r"(?:down|up)_blocks_3_|(?:in|out)put_blocks_(?:9|1[01])_"
    r"|down_blocks_0_attentions_|up_blocks_2_attentions_|input_blocks_[12]_1_|output_blocks_[678]_1_"
)
_THREE_LEVELS = re.compile(r"up_blocks_0_attentions_|output_blocks_[012]_1_(?:norm|proj|transformer)")
_LOWEST_OF_THREE = re.compile(r"down_blocks_2_attentions_|input_blocks_[78]_1_")
_BLOCK_WIDTH = re.compile(r"attn1[._]to_[qkv]\b|attn1[._]to_[qkv]_|attn2[._]to_q|proj_in")
_QUERY = re.compile(r"attn[._]to_q")
_TIME = re.compile(r"time_emb_proj|emb_layers[._]1")
_TEXT_LAYER = re.compile(r"q_proj|mlp[_.]fc1")
_PROJECTION = re.compile(r"proj_in")
_PLAIN_TEXT_ENCODER = re.compile(r"(?m)^lora_te_")


class Guesser:
    """Tells the architecture of files whose tensors have these names; what names alone tell is found once."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._text = "\n".join(names).replace(".", "_")

    def guess(self, shapes: Sequence[Shape]) -> tuple[str, str]:
        """Return the architecture (a key of `LABELS`, or empty for unknown) and a note where the case is odd.

        `shapes` are those of the tensors, in the order of the names.
        """
        names = self._text
        if self._foreign:
            wide = self._foreign == "sd3" and FLUX_WIDTH in _seconds(self._queries, shapes)
            return ("flux" if wide else self._foreign), ""
        widths = self._cross_attention_widths(shapes)
        for width in widths:
            if width in TEXT_WIDTHS:
                return TEXT_WIDTHS[width], ""
        note = f"Made for a model of another size (text width {widths[0]})." if widths else ""
        if REFINER_WIDTHS & {*_seconds(self._blocks, shapes)} or 1536 in _seconds(self._times, shapes):
            return "refiner", note
        if _DEEP.search(names):
            return "sdxl", note
        text_width = next(iter(_seconds(self._text_layers, shapes)), 0)  # 0 where none is changed
        if _FOUR_LEVELS.search(names):
            return ("sd2" if text_width == 1024 or self._linear_projections(shapes) else "sd1"), note
        if _THREE_LEVELS.search(names) or (
            _LOWEST_OF_THREE.search(names) and self._linear_projections(shapes)
        ):
            return "sdxl", note
        if text_width in (1024, 1280):
            return ("sd2" if text_width == 1024 else "sdxl"), note
        if _PLAIN_TEXT_ENCODER.search(names):
            odd = "" if text_width in (0, 768) else f"Made for a text encoder of another size ({text_width})."
            return "sd1", odd
        return "", _undecided(names, text_width)

    def _cross_attention_widths(self, shapes: Sequence[Shape]) -> list[int]:
        """Return the widths that cross-attention reads from, the commonest first."""
        plain, kronecker = self._cross
        counts = Counter(_seconds(plain, shapes))
        products: dict[str, dict[str, int]] = {}
        for place, module, factor in kronecker:
            if len(shapes[place]) >= 2:
                products.setdefault(module, {})[factor] = shapes[place][1]
        counts.update(known["w1"] * known["w2"] for known in products.values() if len(known) == 2)
        return [width for width, _ in counts.most_common()]

    def _linear_projections(self, shapes: Sequence[Shape]) -> bool:
        """Return whether the transformers' proj_in are linear, as in SD 2, not 1×1 convolutions as in SD 1.

        LoHa's factors do not tell: LyCORIS keeps those of 1×1 convolutions flat too.
        """
        return bool(self._projections) and len(shapes[self._projections[0]]) == 2

    @cached_property
    def _foreign(self) -> str:
        """The architecture of a file that is not for a UNet of ours, or an empty text."""
        for architecture, mark in _LIKE_OURS:
            if mark in self._text:
                return architecture
        if any(level in self._text for level in _LEVELS):
            return ""
        return next((architecture for architecture, mark in _FOREIGN if mark.search(self._text)), "")

    @cached_property
    def _cross(self) -> tuple[list[int], list[tuple[int, str, str]]]:
        """Where tensors stand that tell what cross-attention reads; of Kronecker's, two tell it together."""
        plain, kronecker = [], []
        for place, name in enumerate(self._names):
            if "attn2" not in name or ("to_k" not in name and "to_v" not in name):
                continue
            if _INPUT_SECOND.search(name):
                plain.append(place)
            elif match := _KRONECKER.match(name):
                kronecker.append((place, match[1], match[2]))
        return plain, kronecker

    @cached_property
    def _queries(self) -> list[int]:
        return self._places(_QUERY)

    @cached_property
    def _blocks(self) -> list[int]:
        return self._places(_BLOCK_WIDTH)

    @cached_property
    def _times(self) -> list[int]:
        return self._places(_TIME)

    @cached_property
    def _text_layers(self) -> list[int]:
        return self._places(_TEXT_LAYER)

    @cached_property
    def _projections(self) -> list[int]:
        return [place for place in self._places(_PROJECTION) if "hada_" not in self._names[place]]

    def _places(self, modules: re.Pattern[str]) -> list[int]:
        """Return where tensors stand that are as wide as what modules of such names read."""
        return [
            place
            for place, name in enumerate(self._names)
            if modules.search(name) and _INPUT_SECOND.search(name)
        ]


def from_metadata(metadata: Mapping[str, str]) -> str:
    """Return the architecture that the metadata claims, or an empty text; merges and renames make it lie."""
    for field in ("ss_base_model_version", "modelspec.architecture"):
        claim = metadata.get(field, "").lower()
        for prefix, architecture in _CLAIMS:
            if claim.startswith(prefix):
                return architecture
    return "sd2" if metadata.get("ss_v2") == "True" else ""


def _undecided(names: str, text_width: int) -> str:
    if text_width == 768:
        return "Only the text encoder is changed; it may be SD 1.x or SDXL."
    return "It may be SD 1.x or SDXL." if _LOWEST_OF_THREE.search(names) else ""


def _seconds(places: Iterable[int], shapes: Sequence[Shape]) -> list[int]:
    """Return the second sizes of the tensors in these places, without those that have none."""
    return [shapes[place][1] for place in places if len(shapes[place]) >= 2]
