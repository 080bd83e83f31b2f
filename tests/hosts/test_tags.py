"""Which tags of a prompt are ours, and which stay with the host's own Lora."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lib_lora.hosts import options
from lib_lora.hosts.tags import Sorted, sort_tags
from lib_lora.library.library import Library
from tests.builders import TOY_LAYERS, make_lora_file, toy_sd1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("loras")
    for seed, name in enumerate(("a", "styles/b", "twin/c", "other/c")):
        (root / name).parent.mkdir(exist_ok=True)
        make_lora_file(root / f"{name}.safetensors", TOY_LAYERS, seed=seed)
    tensors = load_file(root / "a.safetensors")
    save_file({**tensors, "bundle_emb.word.string_to_param.*": torch.ones(4)}, root / "bundled.safetensors")
    (root / "pickled.pt").write_bytes(b"\x80\x02}q\x00.")
    (root / "broken.safetensors").write_bytes(b"12345678")
    return root


@pytest.fixture(scope="module")
def library(folder: Path) -> Library:
    found = Library([folder])
    found.scan()
    return found


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    data: dict[str, Any] = {}
    monkeypatch.setattr(options, "_option", lambda key, default: data.get(key, default))
    monkeypatch.setattr(options, "installed", lambda script: script in data.get("installed", ()))
    monkeypatch.setattr(options, "block_presets", lambda: data.get("presets", {}))
    monkeypatch.setitem(sys.modules, "networks", None)
    return data


def sort(library: Library, *tags: str, fits: Any = lambda path, view: "") -> Sorted:
    params = [SimpleNamespace(items=tag.split(":")) for tag in tags]
    return sort_tags(SimpleNamespace(), params, toy_sd1().view(), library, fits)


def rows(found: Sorted) -> list[tuple[str, float, float]]:
    assert found.ours is None or found.ours.failure is None
    entries = found.ours.stack.entries if found.ours else ()
    return [(entry.network, entry.te_weight, entry.unet_weight) for entry in entries]


def test_names_and_weights(library: Library, settings: dict[str, Any]) -> None:
    found = sort(library, "a:0.5", "b:te=0.1:unet=0.2", "styles/b")
    assert rows(found) == [("a", 0.5, 0.5), ("styles/b", 0.1, 0.2), ("styles/b", 1.0, 1.0)]
    assert found.left == () and found.notes == ()
    assert found.ours is not None
    assert found.ours.names == ("a", "b", "styles/b")
    assert all(len(entry.hash) == 12 for entry in found.ours.stack.entries)


def test_blocks_of_lora_block_weight(library: Library, settings: dict[str, Any]) -> None:
    found = sort(library, "a:0.5:lbw=OUTD")
    assert found.ours is not None and found.ours.stack.entries[0].blocks == "OUTD"
    settings["presets"] = {"MYFACE": "1" + ",0" * 16}
    found = sort(library, "a:0.5:lbw=MyFace")
    assert found.ours is not None and found.ours.stack.entries[0].blocks == settings["presets"]["MYFACE"]


def test_blocks_where_the_host_reads_a_number_are_never_left_to_it(
    library: Library, settings: dict[str, Any]
) -> None:
    """It would fail at them, with LoRA Block Weight as without, and draw without any of the prompt's tags."""
    settings["installed"] = ("lora_block_weight.py",)
    found = sort(library, "a:0.5:MIDD:ATTNDEEPOFF")
    assert found.left == () and rows(found) == [("a", 0.5, 0.5)]
    assert found.ours is not None and found.ours.stack.entries[0].blocks == "MIDD;ATTNDEEPOFF"


@pytest.mark.parametrize(
    ("script", "tag"),
    [
        ("lora_block_weight.py", "a:1:lbw=OUTD"),
        ("lora_block_weight.py", "a:1:start=3"),
        ("lora_block_weight.py", "a:1:lbw=1,R,U" + ",0" * 14),
        ("lora_block_weight.py", "a:1:lbw=XYZ"),
        ("loractl.py", "a:0@0,1@1"),
    ],
)
def test_what_another_extension_taught_the_host_stays_its_own(
    library: Library, settings: dict[str, Any], script: str, tag: str
) -> None:
    settings["installed"] = (script,)
    found = sort(library, tag, "b")
    assert rows(found) == [("styles/b", 1.0, 1.0)]
    assert len(found.left) == 1 and found.notes == ()


def test_hashes_are_names_too(library: Library, settings: dict[str, Any]) -> None:
    digest = library.hash_of(library.find("a"))
    assert rows(sort(library, f"{digest}:0.5", f"renamed({digest})")) == [("a", 0.5, 0.5), ("a", 1.0, 1.0)]


def test_without_hashes_in_the_pictures_none_are_computed(library: Library, settings: dict[str, Any]) -> None:
    settings["lora_add_hashes_to_infotext"] = False
    found = sort(library, "a")
    assert found.ours is not None and found.ours.stack.entries[0].hash == ""


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        pytest.param("bundle:1", "Nearest: 'bundled'", id="a name nobody knows"),
        pytest.param("c:1", "can be 2 files", id="a name of two files"),
        pytest.param("ffffaaaa0000:1", "no LoRA called", id="a hash nobody has"),
        pytest.param("bundled:1", "", id="embeddings inside the file"),
        pytest.param("a:1:1:0", "", id="no ranks at all"),
        pytest.param("a:0@0,x@1", "te must be a number", id="no numbers over the steps"),
        pytest.param("a:1:lbw=MINE", "MINE", id="a preset of the user's own"),
        pytest.param("a:1:MINE", "MINE", id="such a preset in LBW's old way"),
        pytest.param("a:1:x=0.5", "x=0.5", id="a word of LBW's that a row has not"),
        pytest.param("a:1:hr=0@0,1@1", "hr=0@0,1@1", id="a curve of loractl's for the hires pass"),
        pytest.param("pickled:1", "pickle", id="a pickle, which the host may read"),
        pytest.param("broken:1", "broken", id="a broken file"),
    ],
)
def test_left_to_the_host(library: Library, settings: dict[str, Any], tag: str, said: str) -> None:
    found = sort(library, tag, "b")
    assert rows(found) == [("styles/b", 1.0, 1.0)]
    assert [":".join(params.items) for params in found.left] == [tag]
    assert len(found.notes) == bool(said)
    if said:
        assert said in found.notes[0] and f"<lora:{tag}>" in found.notes[0]


def test_what_does_not_fit_is_left_and_told(library: Library, settings: dict[str, Any]) -> None:
    found = sort(library, "a", fits=lambda path, view: "made for SDXL")
    assert found.ours is None and len(found.left) == 1
    assert "made for SDXL" in found.notes[0]


def test_the_one_the_host_always_adds_stays_with_it(library: Library, settings: dict[str, Any]) -> None:
    """It adds it where no tag names it: taken by us, it would act twice."""
    settings["sd_lora"] = "a"
    found = sort(library, "a:0.5", "b")
    assert rows(found) == [("styles/b", 1.0, 1.0)]
    assert len(found.left) == 1 and found.notes == ()


def test_the_host_s_own_choice_of_file_counts(
    folder: Path, library: Library, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = ModuleType("networks")
    chosen = SimpleNamespace(filename=str(folder / "other" / "c.safetensors"))
    networks.available_networks = {"c": chosen}  # type: ignore[attr-defined]
    networks.available_network_aliases = {"c": chosen, "its alias": chosen}  # type: ignore[attr-defined]
    networks.forbidden_network_aliases = {"c": 1}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "networks", networks)
    assert rows(sort(library, "c", "its alias:0.5")) == [("other/c", 1.0, 1.0), ("other/c", 0.5, 0.5)]


def test_links_are_not_followed_for_every_file(
    folder: Path, library: Library, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The host may know the folder by a link, and a library has thousands of files."""
    (tmp_path / "Lora").symlink_to(folder, target_is_directory=True)
    networks = ModuleType("networks")
    chosen = SimpleNamespace(filename=str(tmp_path / "Lora" / "styles" / "b.safetensors"))
    networks.available_network_aliases = {"alias": chosen}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "networks", networks)
    followed: list[str] = []
    real = os.path.realpath
    monkeypatch.setattr(os.path, "realpath", lambda path: followed.append(str(path)) or real(path))
    assert rows(sort(library, "alias")) == [("styles/b", 1.0, 1.0)]
    assert [path for path in followed if path.startswith(str(folder))] == []


def test_tags_of_regional_prompter_s_regions_stay_with_the_host(
    library: Library, settings: dict[str, Any]
) -> None:
    """In its latent mode each region has its own tags, told to the built-in while sampling."""
    tags = [SimpleNamespace(items=["a"])]
    for active, mode, ours in ((True, "Latent", False), (True, "Attention", True), (False, "Latent", True)):
        p = SimpleNamespace(extra_generation_params={"RP Active": active, "RP Calc Mode": mode})
        found = sort_tags(p, tags, toy_sd1().view(), library, lambda path, view: "")
        assert (found.ours is not None) == ours
        assert list(found.left) == ([] if ours else tags) and found.notes == ()


def test_a_file_that_only_the_host_knows_is_no_problem(
    library: Library, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = ModuleType("networks")
    theirs = SimpleNamespace(filename="/elsewhere/x.safetensors")
    networks.available_network_aliases = {"x": theirs}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "networks", networks)
    found = sort(library, "x")
    assert found.ours is None and len(found.left) == 1 and found.notes == ()


def test_no_tags_of_ours_is_no_request(library: Library, settings: dict[str, Any]) -> None:
    assert sort(library).ours is None
