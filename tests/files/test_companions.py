"""Every sidecar of other tools is read, the user's own words first, and none of them is believed blindly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib_lora.files.companions import join, read_companions
from lib_lora.files.previews import inside, type_of
from lib_lora.files.sidecars import Sidecar
from tests.files.samples import write

SITE = {
    "id": 22,
    "modelId": 11,
    "name": "v1.0",
    "baseModel": "SD 1.5",
    "trainedWords": ["neon glow, night", "neon glow"],
    "description": "<p>Bright &amp; <b>loud</b></p><script>alert(1)</script>",
    "model": {"name": "Neon nights", "tags": ["style", "city"]},
    "files": [{"hashes": {"SHA256": "AB" * 32, "AutoV3": "CD" * 6}}],
    "images": [{"meta": {"prompt": "a street at night"}}, {"meta": None}, 7],
}
MANAGER = {
    "model_name": "Neon of mine",
    "base_model": "SD 1.5",
    "notes": "my note",
    "tags": ["glow"],
    "favorite": True,
    "sha256": "ab" * 32,
    "usage_tips": '{"strength_min": 0.2, "strength_max": 1.2, "strength": 0.6}',
    "civitai": SITE,
}
RGTHREE = {
    "name": "Neon",
    "strengthMin": -1,
    "strengthMax": 2,
    "userNote": "careful",
    "trainedWords": [{"word": "neon", "count": 5}, {"word": 7}, "night"],
    "raw": SITE,
}


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return tmp_path / "neon v1.5.safetensors"


def read(network: Path, **files: Any) -> dict[str, Sidecar]:
    """Write files of these kinds and read them, by name."""
    endings = {
        "webui": "neon v1.5.json",
        "manager": "neon v1.5.metadata.json",
        "rgthree": "neon v1.5.safetensors.rgthree-info.json",
        "civitai": "neon v1.5.civitai.info",
        "api": "neon v1.5.api_info.json",
        "text": "neon v1.5.txt",
        "description": "neon v1.5.description.txt",
    }
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        write(network.parent / endings[name], text.encode())
    found = read_companions(network, [path.name for path in network.parent.iterdir()])
    return {companion.name: companion.sidecar for companion in found}


def test_the_sites_answer(network: Path) -> None:
    (told,) = read(network, civitai=SITE).values()
    assert (told.title, told.base_model, told.tags) == ("Neon nights", "SD 1.5", ("style", "city"))
    assert told.trained_words == ("neon glow, night", "neon glow")
    assert (told.sha256, told.autov3) == ("ab" * 32, "cd" * 6)
    assert "Bright & loud" in told.description
    assert "<" not in told.description


def test_prompts_and_numbers_of_the_site(network: Path) -> None:
    read(network, civitai=SITE)
    (companion,) = read_companions(network, ["neon v1.5.civitai.info"])
    assert companion.prompts == ("a street at night",)
    assert companion.model == ("11", "22")


def test_lora_managers(network: Path) -> None:
    (told,) = read(network, manager=MANAGER).values()
    assert (told.title, told.notes, told.tags, told.favourite) == ("Neon of mine", "my note", ("glow",), True)
    assert (told.strength_min, told.strength_max, told.preferred_weight) == (0.2, 1.2, 0.6)
    assert told.trained_words == ("neon glow, night", "neon glow")


def test_rgthrees(network: Path) -> None:
    (told,) = read(network, rgthree=RGTHREE).values()
    assert (told.title, told.notes, told.trained_words) == ("Neon", "careful", ("neon", "night"))
    assert (told.strength_min, told.strength_max) == (-1.0, 2.0)


def test_what_the_user_wrote_goes_before_what_a_site_says(network: Path) -> None:
    webui = {"notes": "mine", "preferred weight": 0.4}
    told = join(read(network, webui=webui, manager=MANAGER, civitai=SITE, text="plain").values())
    assert (told.notes, told.preferred_weight, told.title) == ("mine", 0.4, "Neon of mine")
    assert "Bright" in told.description


@pytest.mark.parametrize("name", ["webui", "manager", "rgthree", "civitai", "api"])
@pytest.mark.parametrize("content", ["{", "[1]", "7", "null", '"x"', "[" * 50_000], ids=lambda text: text[:5])
def test_what_is_no_document_is_empty_and_says_so(network: Path, name: str, content: str) -> None:
    (told,) = read(network, **{name: content}).values()
    assert told.problem
    assert (told.title, told.trained_words) == ("", ())


@pytest.mark.parametrize("name", ["webui", "manager", "rgthree", "civitai", "api"])
@pytest.mark.parametrize(
    "odd", [7, None, [], {}, "x" * 100_000, [[["a"]]], {"a": {"b": 1}}, float("nan")], ids=repr
)
def test_values_of_any_type_and_length_do_no_harm(network: Path, name: str, odd: object) -> None:
    keys = {*SITE, *MANAGER, *RGTHREE, "activation text", "preferred weight", "modelDescription"}
    (told,) = read(network, **{name: dict.fromkeys(keys, odd)}).values()
    for value in told:
        assert not isinstance(value, str) or len(value) <= 20_000
        json.dumps(value, allow_nan=False)


def test_only_names_that_are_there_are_opened(network: Path) -> None:
    read(network, civitai=SITE)
    assert read_companions(network, []) == ()


PNG = b"\x89PNG\r\n\x1a\nrest"


@pytest.mark.parametrize(
    ("thumbnail", "found"),
    [
        ("data:image/png;base64,iVBORw0KGgpyZXN0", (PNG,)),
        ("data:image/jpeg;base64,iVBORw0KGgpyZXN0", (PNG,)),
        ("data:image/svg+xml;base64,PHN2Zy8+", ()),
        ("data:text/html;base64,PHNjcmlwdD4=", ()),
        ("data:image/png;base64,PHNjcmlwdD4=", ()),
        ("data:image/png;base64,!!!", ()),
        ("data:image/png,iVBORw0KGgo", ()),
        ("https://example.org/x.png", ()),
        ("javascript:alert(1)", ()),
        ("", ()),
    ],
)
def test_pictures_inside_are_believed_by_their_bytes(thumbnail: str, found: tuple[bytes, ...]) -> None:
    assert inside({"modelspec.thumbnail": thumbnail}) == found


def test_addnets_covers() -> None:
    assert inside({"ssmd_cover_images": json.dumps(["iVBORw0KGgpyZXN0", 7, "x", "PHN2Zy8+"])}) == (PNG,)
    assert inside({"ssmd_cover_images": "{"}) == ()


def test_types_by_first_bytes() -> None:
    assert [type_of(b) for b in (PNG, b"\xff\xd8\xff", b"GIF89a", b"RIFF....WEBP", b"<svg>", b"")] == [
        *("image/png", "image/jpeg", "image/gif", "image/webp"),
        "",
        "",
    ]
