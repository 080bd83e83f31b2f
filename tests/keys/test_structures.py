"""The tables against the real structures at full size: exact bijections, every shape equal."""

from __future__ import annotations

import pytest
import torch

from lib_lora.keys import ARCHITECTURES, TARGETS, Architecture, find_architecture, find_target
from lib_lora.keys.clip import TextEncoder, clip_modules
from lib_lora.keys.openclip import FUSED_NAME, canonical_path, fused_rows, openclip_path
from lib_lora.keys.spellings import flat
from lib_lora.keys.unet import unet_modules
from tests.keys.structures import diffusers_unet, hugging_face_text, ldm_unet
from tests.openclip import text_tower

MODULES = {"sd1": 391, "sd2": 391, "sdxl": 1050, "refiner": 742}
TEXTS = [(known.name, text) for known in ARCHITECTURES for text in known.texts]
TEXT_IDS = [f"{name} {text.part}" for name, text in TEXTS]


@pytest.mark.parametrize("name", MODULES)
def test_the_unet_table_is_a_bijection_of_equal_shapes(name: str) -> None:
    """diffusers' tree, ldm's tree and the generated shapes hold the same weights."""
    theirs, ours = diffusers_unet(name), ldm_unet(name)
    table = dict(unet_modules(find_architecture(name).unet))
    assert len(table) == len(set(table.values()))
    pairs = {path: table[path] for path in theirs}
    assert len(pairs) == len(theirs) == len(ours) == MODULES[name]
    assert {pairs[path]: shape for path, shape in theirs.items()} == ours
    shapes = find_architecture(name).shapes()
    assert {path: shape for path, shape in shapes.items() if path.startswith("unet.")} == {
        f"unet.{path}": shape for path, shape in ours.items()
    }


@pytest.mark.parametrize("name", MODULES)
def test_the_table_lists_beyond_the_model_only_shortcuts_that_it_lacks(name: str) -> None:
    known = find_architecture(name)
    extra = {f"unet.{ours}" for _, ours in unet_modules(known.unet)} - set(known.shapes())
    assert extra
    assert all(path.endswith(".skip_connection") for path in extra)


@pytest.mark.parametrize(("name", "text"), TEXTS, ids=TEXT_IDS)
def test_the_text_table_is_exactly_the_text_model(name: str, text: TextEncoder) -> None:
    shapes = find_architecture(name).shapes()
    table = {
        path.partition(".")[2]: shape
        for path, shape in shapes.items()
        if path.startswith(f"{text.part}.") and not path.endswith(FUSED_NAME)
    }
    assert table == hugging_face_text(text.width, text.layers, text.projection)


@pytest.mark.parametrize(
    ("name", "text"),
    [pair for pair in TEXTS if not pair[1].split],
    ids=[case for case, pair in zip(TEXT_IDS, TEXTS, strict=True) if not pair[1].split],
)
def test_openclips_tree_is_the_same_with_a_fused_attention(name: str, text: TextEncoder) -> None:
    """Every parameter of OpenCLIP's tower is one canonical weight, or three of them stacked."""
    with torch.device("meta"):
        tower = text_tower(text.width, text.layers, heads=text.width // 64)
    shapes = find_architecture(name).shapes()
    seen: set[str] = set()
    for path, parameter in tower.named_parameters():
        if path.endswith("bias"):
            continue
        module = path.removesuffix(".weight").removesuffix("_weight")
        if module.endswith(FUSED_NAME):
            stem = canonical_path(module.removesuffix(f".{FUSED_NAME}"))
            fused = f"{text.part}.{stem}.{FUSED_NAME}"
            assert shapes[fused] == tuple(parameter.shape)
            rows = fused_rows(fused)
            assert sum(shapes[row][0] for row in rows) == parameter.shape[0]
            seen |= {fused, *rows}
            continue
        canonical = canonical_path(module)
        assert canonical is not None, module
        assert openclip_path(canonical) == module
        if canonical == "text_projection" and not text.projection:
            continue  # SD 2 uses the hidden states only
        expected = parameter.shape[::-1] if canonical == "text_projection" else parameter.shape
        assert shapes[f"{text.part}.{canonical}"] == tuple(expected), module
        seen.add(f"{text.part}.{canonical}")
    assert seen == {path for path in shapes if path.startswith(f"{text.part}.")}


@pytest.mark.parametrize("known", ARCHITECTURES, ids=lambda known: known.name)
def test_no_spelling_means_two_weights(known: Architecture) -> None:
    own = [path for pair in unet_modules(known.unet) for path in pair]
    assert len({flat(path) for path in own}) == len(set(own))
    for text in known.texts:
        paths = [*clip_modules(text.layers), *filter(None, map(openclip_path, clip_modules(text.layers)))]
        assert len({flat(path) for path in paths}) == len(paths)
    canonical = {name for table in known.paths().values() for name in table.values()}
    shortcuts = {name for name in canonical if name.endswith(".skip_connection")}
    assert canonical - shortcuts == set(known.shapes()) - shortcuts
    for part, table in known.paths().items():
        assert all(name.startswith(f"{part}.") for name in table.values())


@pytest.mark.parametrize(
    ("name", "channels"),
    [("sd1-inpaint", 9), ("sd1-ip2p", 8), ("sd2-inpaint", 9), ("sd2-depth", 5), ("sdxl-inpaint", 9)],
)
def test_a_checkpoint_for_inpainting_or_editing_differs_in_its_first_layer_only(
    name: str, channels: int
) -> None:
    target = find_target(name)
    plain = target.architecture.shapes()
    different = {path for path, shape in target.shapes.items() if plain[path] != shape}
    assert different == {"unet.input_blocks.0.0"}
    if name == "sd1-ip2p":
        assert diffusers_unet("sd1", in_channels=8)["conv_in"] == target.shapes["unet.input_blocks.0.0"]
    assert target.shapes["unet.input_blocks.0.0"][1] == channels


def test_targets_have_names_of_their_own() -> None:
    assert len({target.name for target in TARGETS}) == len(TARGETS)
    assert {known.name for known in ARCHITECTURES} <= {target.name for target in TARGETS}
