"""What the page is told of a file, what a search finds, and which kind a file seems to be."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lib_lora.library.library import Library
from lib_lora.library.roles import guess_role
from lib_lora.stack.advice import ROLES
from tests.files.samples import lora, network, write
from tests.library.shelves import network_bytes, put

SHAPES = lora("lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k", 640, 768, 8)
METADATA = {
    "ss_output_name": "Neon",
    "modelspec.title": "Neon nights",
    "modelspec.trigger_phrase": "neon glow",
    "modelspec.description": "From the file.",
    "sshs_model_hash": "ab" * 32,
}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    path = write(tmp_path / "styles" / "neon.safetensors", network(SHAPES, METADATA))
    write(path.with_suffix(".png"), b"")
    put(tmp_path, "zorp", 1)
    library = Library([tmp_path])
    library.scan()
    return library


def test_the_summary(library: Library) -> None:
    file = library.find("neon")
    assert file.summary() == {
        "id": file.id,
        "label": "styles/neon",
        "folder": "styles",
        "name": "neon",
        "title": "Neon nights",
        "alias": "Neon",
        "hash": "ab" * 6,
        "hash_note": "",
        "size": file.path.stat().st_size,
        "mtime": pytest.approx(file.path.stat().st_mtime),
        "architecture": "sd1",
        "architecture_label": "SD 1.x",
        "architecture_note": "",
        "family": "lora",
        "rank": "8",
        "parts": ["unet"],
        "base_model": "",
        "trigger_words": ["neon glow"],
        "negative": "",
        "preview": True,
        "preview_version": f"{file.path.with_suffix('.png').stat().st_mtime_ns:x}",
        "preferred_weight": None,
        "strength_min": None,
        "strength_max": None,
        "notes": "",
        "description": "From the file.",
        "role": "style",
        "problem": "",
    }


def test_every_picture_that_changes_is_drawn_anew(tmp_path: Path) -> None:
    """A page keeps pictures for a year, and the small ones are kept on disk: by this text."""
    path = write(
        tmp_path / "a.safetensors", network(SHAPES, {"modelspec.thumbnail": "data:image/png;base64,AA"})
    )
    pictures = [write(path.with_suffix(ending), b"") for ending in (".png", ".jpg")]
    library, versions = Library([tmp_path]), set()
    for turn, changed in enumerate((path, *pictures, path)):
        os.utime(changed, ns=(0, (turn + 1) * 10**9))
        library.scan()
        versions.add(library.find("a").picture_version)
    assert len(versions) == 4


def test_the_users_own_words_go_first(tmp_path: Path, library: Library) -> None:
    document = {
        "activation text": "glow, , night",
        "preferred weight": 0.4,
        "notes": "n",
        "description": "Mine.",
    }
    write(tmp_path / "styles" / "neon.json", json.dumps(document).encode())
    library.scan()
    summary = library.find("neon").summary()
    assert summary["trigger_words"] == ["glow", "night"]
    assert (summary["preferred_weight"], summary["notes"], summary["description"]) == (0.4, "n", "Mine.")


def test_the_summary_of_a_file_in_trouble(tmp_path: Path, library: Library) -> None:
    write(tmp_path / "broken.safetensors", b"")
    library.scan()
    summary = library.find("broken").summary()
    assert "is empty" in str(summary["problem"])
    assert (summary["architecture"], summary["family"], summary["parts"]) == ("", "", [])


def test_a_file_that_vanished_is_gone_after_the_next_scan(library: Library) -> None:
    file = library.find("neon")
    file.path.unlink()
    library.scan()
    assert [file.label for file in library.files()] == ["zorp"]
    assert library.search("neon") == ()


def test_a_checkpoint_among_the_networks(tmp_path: Path, library: Library) -> None:
    write(tmp_path / "model.safetensors", network({"model.diffusion_model.out.2.weight": (4, 4)}))
    library.scan()
    assert "whole checkpoint" in library.find("model").problem


def test_every_summary_is_json(library: Library) -> None:
    for file in library.files():
        assert json.loads(json.dumps(library.summary(file), allow_nan=False)) == library.summary(file)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("", ["styles/neon", "zorp"], id="nothing finds everything"),
        pytest.param("NEON", ["styles/neon"], id="name in other case"),
        pytest.param("styles", ["styles/neon"], id="folder"),
        pytest.param("glow", ["styles/neon"], id="trigger word"),
        pytest.param("nights", ["styles/neon"], id="title"),
        pytest.param("glow sty", ["styles/neon"], id="two words, two places"),
        pytest.param("glow zorp", [], id="every word must be there"),
        pytest.param("o", ["styles/neon", "zorp"], id="a letter"),
    ],
)
def test_search(library: Library, text: str, found: list[str]) -> None:
    assert [file.label for file in library.search(text)] == found


def test_what_has_it_in_its_name_comes_first(tmp_path: Path, library: Library) -> None:
    put(tmp_path, "zz glow", 3)
    library.scan()
    assert [file.label for file in library.search("glow")] == ["zz glow", "styles/neon"]


def test_notes_are_searched(tmp_path: Path, library: Library) -> None:
    write(tmp_path / "zorp.json", '{"notes": "Grün wie ein Frosch"}'.encode())
    library.scan()
    assert [file.label for file in library.search("GRÜN frosch")] == ["zorp"]


@pytest.mark.parametrize(
    ("words", "role"),
    [
        *(pytest.param([role.name], role.name, id=role.name) for role in ROLES),
        pytest.param(["Styles"], "style", id="plural and capital"),
        pytest.param(["outfits"], "clothing", id="another word"),
        pytest.param(["clothes"], "clothing", id="a plural word"),
        pytest.param(["2023", "Characters"], "character", id="the first that tells"),
        pytest.param(["style", "character"], "style", id="the first of two"),
        pytest.param(["freestyle", ""], "", id="part of a word tells nothing"),
        pytest.param([], "", id="no words"),
    ],
)
def test_roles(words: list[str], role: str) -> None:
    assert guess_role(words) == role


@pytest.mark.parametrize(
    ("label", "tags", "role"),
    [
        pytest.param("styles/neon", "", "style", id="folder"),
        pytest.param("character/style/neon", "", "style", id="the nearest folder"),
        pytest.param("styles/neon", "anime, concept", "concept", id="tags of the file go first"),
        pytest.param("neon", "", "", id="nothing tells"),
    ],
)
def test_the_role_of_a_file(tmp_path: Path, label: str, tags: str, role: str) -> None:
    write(tmp_path / f"{label}.safetensors", network_bytes(1, {"modelspec.tags": tags} if tags else None))
    library = Library([tmp_path])
    library.scan()
    assert library.files()[0].role == role
