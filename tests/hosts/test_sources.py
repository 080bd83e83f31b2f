"""Panel, AddNet's arguments and prompt tags become one request, whoever speaks first."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib_lora.errors import EntryValueError, NetworkNotFoundError
from lib_lora.hosts.infotext import HASHES, share_hashes
from lib_lora.hosts.request import ATTRIBUTE, Request, make_request
from lib_lora.hosts.sources import take_legacy, take_panel, take_tags
from lib_lora.library.library import Library
from lib_lora.library.masks import MaskPicture, MaskStore, packed
from tests.builders import TOY_LAYERS, make_lora_file


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("loras")
    for seed, name in enumerate("abc"):
        make_lora_file(folder / f"{name}.safetensors", TOY_LAYERS, seed=seed)
    found = Library([folder])
    found.scan()
    return found


class Processing:
    """The few things of the host's object that are touched."""

    def __init__(self) -> None:
        self.extra_generation_params: dict[str, Any] = {}
        self.comments: list[str] = []

    def comment(self, text: str) -> None:
        self.comments.append(text)

    @property
    def request(self) -> Request | None:
        return getattr(self, ATTRIBUTE, None)

    @property
    def rows(self) -> list[tuple[str, float]]:
        request = self.request
        assert request is not None and request.failure is None
        assert len(request.files) == len(request.stack.active())
        return [(entry.network, entry.weight) for entry in request.stack.entries]


def panel(p: Any, library: Library, enabled: bool = True, **weights: float) -> None:
    rows = [{"network": name, "weight": weight} for name, weight in weights.items()]
    take_panel(p, (enabled, json.dumps(rows)), lambda: library)


def addnet(p: Any, library: Library, *rows: tuple[str, float], enabled: bool = True) -> None:
    slots = [value for name, weight in rows for value in ("LoRA", name, weight, weight)]
    take_legacy(p, (enabled, False, *slots), 5, lambda: library)


def tags(p: Any, library: Library, **weights: float) -> None:
    rows = [{"network": name, "weight": weight} for name, weight in weights.items()]
    take_tags(p, make_request("txt2img", rows, library))


@pytest.mark.parametrize("first", ["panel", "addnet"])
def test_parts_add_up_in_any_order_of_scripts(library: Library, first: str) -> None:
    p = Processing()
    if first == "panel":
        panel(p, library, a=0.5)
        addnet(p, library, ("b", 0.3))
    else:
        addnet(p, library, ("b", 0.3))
        panel(p, library, a=0.5)
    assert p.rows == [("a", 0.5), ("b", 0.3)]
    assert p.extra_generation_params["AddNet Model 1"].startswith("b(")
    tags(p, library, c=1.0)
    assert p.rows == [("a", 0.5), ("b", 0.3), ("c", 1.0)]
    written = json.loads(p.extra_generation_params["LoRA Stack"])["entries"]
    assert [row["network"] for row in written] == ["a", "b"], "tags are in the prompt already"


def test_a_file_in_panel_and_arguments_acts_once(library: Library) -> None:
    """A caller sends a picture's text, which fills the panel, and the arguments it was made with."""
    p = Processing()
    panel(p, library, a=0.5, c=0.2)
    addnet(p, library, ("a", 0.3), ("a", 0.1))
    assert p.rows == [("c", 0.2), ("a", 0.3), ("a", 0.1)]
    assert "row 1" in p.comments[-1] and "used once" in p.comments[-1]


def test_both_off_is_nothing(library: Library) -> None:
    p = Processing()
    p.extra_generation_params["AddNet Enabled"] = "True"
    panel(p, library, enabled=False, a=0.5)
    addnet(p, library, ("b", 1), enabled=False)
    assert p.request is None
    assert p.extra_generation_params == {}


@pytest.mark.parametrize("broken", ["panel", "addnet"])
def test_a_failure_of_one_part_stops_the_picture(library: Library, broken: str) -> None:
    p = Processing()
    panel(p, library, **({"gone": 1} if broken == "panel" else {"a": 1}))
    addnet(p, library, ("gone" if broken == "addnet" else "a", 1))
    assert p.request is not None and isinstance(p.request.failure, NetworkNotFoundError)
    assert "LoRA Stack" not in p.extra_generation_params


def test_wrong_arguments_are_kept_as_the_failure(library: Library) -> None:
    p = Processing()
    take_legacy(p, (True, False, "LoRA", "a", "strong", 1), 5, lambda: library)
    assert p.request is not None and isinstance(p.request.failure, EntryValueError)


def test_whatever_goes_wrong_is_not_left_to_the_host(library: Library) -> None:
    def fail() -> Library:
        raise OSError("disk on fire")

    p = Processing()
    take_panel(p, (True, '[{"network": "a"}]'), fail)
    assert p.request is not None and isinstance(p.request.failure, OSError)


def test_the_next_picture_with_the_same_object_starts_anew(library: Library) -> None:
    """Loopback and the batch tab call process() again and again on one object."""
    p = Processing()
    panel(p, library, a=0.5)
    addnet(p, library, ("b", 0.3))
    tags(p, library, c=1)
    panel(p, library, enabled=False)
    addnet(p, library, enabled=False)
    assert p.request is None


def test_tags_come_and_go_and_equal_parts_are_the_same_request(library: Library) -> None:
    """Plans are kept by the request's identity: the passes of hires must not make them anew."""
    p = Processing()
    panel(p, library, a=0.5)
    alone = p.request
    tags(p, library, b=1)
    first = p.request
    tags(p, library, c=1)
    assert p.rows[-1] == ("c", 1.0)
    tags(p, library, b=1)
    assert p.request is first
    take_tags(p, None)
    assert p.request is alone


def test_a_copy_changes_alone(library: Library) -> None:
    p = Processing()
    panel(p, library, a=0.5)
    twin = copy.copy(p)
    tags(twin, library, b=1)
    panel(twin, library, c=1)
    assert p.rows == [("a", 0.5)]
    assert twin.rows == [("c", 1.0)]


def hashes(p: Any) -> list[str]:
    share_hashes(p, p.request)
    text = p.extra_generation_params.get(HASHES, "")
    return [pair.partition(":")[0] for pair in text.split(", ")] if text else []


def test_hashes_of_rows_and_tags_beside_the_builtin_s(library: Library) -> None:
    p = Processing()
    panel(p, library, a=0.5)
    assert hashes(p) == ["a"]
    p.extra_generation_params[HASHES] = "theirs: 0123456789ab"  # the built-in writes at every activation
    tags(p, library, b=1)
    assert hashes(p) == ["theirs", "a", "b"]
    p.is_hr_pass = True
    p.extra_generation_params[HASHES] = "theirs: 0123456789ab"
    tags(p, library, c=1)
    assert hashes(p) == ["theirs", "a", "b", "c"]
    p.is_hr_pass = False
    tags(p, library, c=1)
    assert hashes(p) == ["theirs", "a", "c"], "the next batch begins anew"


def test_a_plot_s_cells_do_not_inherit_hashes(library: Library) -> None:
    """The copies that draw them share one table of parameters."""
    first = Processing()
    second = copy.copy(first)
    panel(first, library, a=0.5)
    assert hashes(first) == ["a"]
    panel(second, library, b=0.5)
    assert hashes(second) == ["b"]
    panel(second, library, enabled=False)
    assert hashes(second) == []


def test_a_copy_in_the_middle_of_a_run_leaves_the_picture_s_text_alone(library: Library) -> None:
    """ADetailer calls process() for a copy after every face."""
    p = Processing()
    panel(p, library, a=0.5)
    tags(p, library, b=1)
    assert hashes(p) == ["a", "b"]
    before = dict(p.extra_generation_params)
    twin = copy.copy(p)
    panel(twin, library, enabled=False)
    addnet(twin, library, ("c", 1))
    assert hashes(twin) == ["c"]
    assert p.extra_generation_params == before


def test_an_old_hash_nobody_may_trust_leads_nowhere(library: Library) -> None:
    """AddNet resolved `e3b0c44298fc`, the hash of nothing, to whichever file claimed it (Forge #1769)."""
    p = Processing()
    addnet(p, library, ("b(e3b0c44298fc)", 1))
    assert p.rows == [("b", 1.0)]
    addnet(p, library, ("gone(e3b0c44298fc)", 1))
    assert p.request is not None and isinstance(p.request.failure, NetworkNotFoundError)


def test_a_renamed_file_is_found_by_its_hash(library: Library, tmp_path: Path) -> None:
    """AddNet compared `Name(hash)` as text: a renamed file was never found by its 12 digits."""
    file = library.find("b")
    p = Processing()
    addnet(p, library, (f"an old name({library.hash_of(file)})", 1))
    assert p.rows == [("b", 1.0)]


def test_a_file_that_was_replaced_is_told_of_before_the_list_is_refreshed(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    make_lora_file(path, TOY_LAYERS, seed=1)
    library = Library([tmp_path])
    library.scan()
    row = {"network": "a", "hash": library.hash_of(library.find("a"))}
    assert make_request("txt2img", [row], library).notes == ()
    make_lora_file(path, TOY_LAYERS, seed=2)
    (note,) = make_request("txt2img", [row], library).notes
    assert "is not the file this stack was made with" in note


def test_rows_go_on_naming_the_same_rows_and_masks(library: Library, tmp_path: Path) -> None:
    """AddNet's rows come below the panel's; one that is in both leaves its place, and with it its region."""
    store = MaskStore(tmp_path)
    p = Processing()
    rows = [
        {"network": "a", "region": "box:0,0,0.5,1"},
        {"network": "b", "region": "not:1"},
        {"network": "c", "region": "mask:left"},
    ]
    document = {"version": 1, "entries": rows, "masks": {"left": packed(MaskPicture(2, 1, b"\xff\0"))}}
    take_panel(p, (True, json.dumps(document)), lambda: library, lambda: store)
    image = np.full((2, 2, 3), 255, np.uint8)
    slots = ("LoRA", "a", 0.3, 0.3, *("LoRA", "None", 1.0, 1.0) * 4)
    take_legacy(p, (True, False, *slots, image, "Refresh models"), 5, lambda: library, lambda: store)
    request = p.request
    assert request is not None and request.failure is None
    told = [(entry.network, entry.on, entry.region) for entry in request.stack.entries]
    assert told == [
        ("a", False, "box:0,0,0.5,1"),
        ("b", True, "not:1"),
        ("c", True, "mask:left"),
        ("a", True, "mask:AddNet red"),
    ]
    assert [name for name, _ in request.drawings] == ["left", "AddNet red"]
    assert all(store.path(digest) is not None for _, digest in request.stack.masks)
    written = json.loads(p.extra_generation_params["LoRA Stack"])
    assert written["masks"] == dict(request.stack.masks)


def test_a_row_moves_with_the_row_it_names(library: Library) -> None:
    p = Processing()
    panel(p, library, c=1.0)
    document = [{"network": "a", "region": "inpaint"}, {"network": "b", "region": "not:1"}]
    take_tags(p, make_request("txt2img", document, library))
    request = p.request
    assert request is not None
    assert [entry.region for entry in request.stack.entries] == ["", "inpaint", "not:2"]


def test_masks_of_one_name_in_panel_and_arguments_stay_two(library: Library, tmp_path: Path) -> None:
    """AddNet's are called alike in every picture, and an old picture's text brings its own into the panel."""
    store = MaskStore(tmp_path)
    p = Processing()
    upper = MaskPicture(2, 2, b"\xff\xff\0\0")
    rows = [{"network": "b", "region": "mask:AddNet red"}]
    document = {"version": 1, "entries": rows, "masks": {"AddNet red": packed(upper)}}
    take_panel(p, (True, json.dumps(document)), lambda: library, lambda: store)
    image = np.zeros((2, 2, 3), np.uint8)
    image[:, 0, 0] = 255
    slots = ("LoRA", "a", 0.3, 0.3, *("LoRA", "None", 1.0, 1.0) * 4)
    take_legacy(p, (True, False, *slots, image, "Refresh models"), 5, lambda: library, lambda: store)
    request = p.request
    assert request is not None and request.failure is None
    drawn = dict(request.drawings)
    acting = [drawn[entry.region.removeprefix("mask:")].pixels for entry in request.stack.entries]
    assert acting == [upper.pixels, b"\xff\0\xff\0"]
    assert dict(request.stack.masks) == {name: drawing.hash for name, drawing in drawn.items()}
