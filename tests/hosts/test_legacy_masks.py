"""AddNet's mask image: three masks in the channels of one picture, for the first three networks used."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_lora.errors import MaskError
from lib_lora.hosts.legacy_masks import read_stack
from lib_lora.library.masks import from_base64, read_mask

OFF = ("LoRA", "None", 1.0, 1.0)


def slot(name: str, weight: float = 1.0) -> tuple[Any, ...]:
    return "LoRA", name, weight, weight


def image() -> np.ndarray:
    """Red on the left, green nowhere, blue at half strength."""
    found = np.zeros((2, 4, 3), np.uint8)
    found[:, :2, 0] = 255
    found[..., 2] = 128
    return found


def coded(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize("given", ["numbers", "picture", "base64", "data"])
def test_channels_are_for_the_networks_used(given: str) -> None:
    mask: Any = {
        "numbers": image(),
        "picture": Image.fromarray(image()),
        "base64": coded(image()),
        "data": f"data:image/png;base64,{coded(image())}",
    }[given]
    slots = (*slot("a"), *OFF, *slot("zero", 0), *slot("b"), *slot("c"))
    stack = read_stack((True, False, *slots, mask, "Refresh models"), 5)
    assert [(row.network, row.region) for row in stack.entries] == [
        ("a", "mask:AddNet red"),
        ("b", ""),  # its channel is black: AddNet sets no mask then
        ("c", "mask:AddNet blue"),
    ]
    found = {name: read_mask(from_base64(text)) for name, text in stack.masks}
    assert found["AddNet red"].share == 0.5
    assert set(found["AddNet blue"].pixels) == {128}


def test_networks_after_the_third_are_everywhere() -> None:
    slots = tuple(value for name in "abcd" for value in slot(name))
    stack = read_stack((True, False, *slots, *OFF, np.full((2, 2, 3), 255, np.uint8)), 5)
    assert [row.region for row in stack.entries] == [
        "mask:AddNet red",
        "mask:AddNet green",
        "mask:AddNet blue",
        "",
    ]


def test_no_image_is_no_masks() -> None:
    stack = read_stack((True, False, *slot("a"), *OFF * 4, None), 5)
    assert not stack.masks and stack.entries[0].region == ""
    assert not read_stack((False, False, *slot("a"), *OFF * 4, "nonsense"), 5).entries


@pytest.mark.parametrize("mask", ["aGVsbG8=", {"image": ""}, [1], 7])
def test_what_is_no_image_is_refused(mask: Any) -> None:
    with pytest.raises(MaskError, match=r"Additional networks for generating: its mask image (is|has)"):
        read_stack((True, False, *slot("a"), *OFF * 4, mask), 5)
