"""Masks as pictures: what is read from which file, how they are kept, and what is none."""

from __future__ import annotations

import base64
import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_lora.errors import MaskError
from lib_lora.library.masks import MaskPicture, MaskStore, from_base64, read_channels, read_mask

LEFT = np.repeat(np.array([[255, 255, 0, 0]], np.uint8), 2, axis=0)


def packed(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def alpha_image() -> Image.Image:
    image = Image.new("RGBA", (4, 2), (9, 9, 9, 0))
    image.paste((0, 0, 0, 255), (0, 0, 2, 2))
    return image


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(Image.fromarray(LEFT), id="grey"),
        pytest.param(Image.fromarray(LEFT).convert("RGB"), id="colours"),
        pytest.param(Image.fromarray(LEFT).convert("1"), id="black and white"),
        pytest.param(Image.fromarray(LEFT).convert("P"), id="palette"),
        pytest.param(Image.fromarray(LEFT).convert("RGBA"), id="opaque"),
        pytest.param(alpha_image(), id="transparency counts where there is any"),
        pytest.param(Image.fromarray(LEFT.astype(np.uint16) * 257), id="16 bits"),
    ],
)
def test_every_way_to_pack_a_mask_is_the_same_mask(image: Image.Image) -> None:
    mask = read_mask(packed(image))
    assert (mask.width, mask.height, mask.pixels) == (4, 2, LEFT.tobytes())
    assert mask.share == 0.5
    assert mask.hash == MaskPicture(4, 2, LEFT.tobytes()).hash


def test_the_hash_tells_pixels_and_sizes_apart() -> None:
    assert MaskPicture(4, 2, bytes(8)).hash != MaskPicture(2, 4, bytes(8)).hash
    assert MaskPicture(4, 2, bytes(8)).hash != MaskPicture(4, 2, bytes(7) + b"\1").hash


def test_grey_stays_grey() -> None:
    assert read_mask(packed(Image.new("L", (2, 1), 100))).pixels == bytes([100, 100])


def test_the_channels_of_a_picture_are_three_masks() -> None:
    image = Image.new("RGB", (2, 1), (255, 0, 7))
    assert [mask.pixels[0] for mask in read_channels(packed(image))] == [255, 0, 7]
    assert [mask.pixels[0] for mask in read_channels(image)] == [255, 0, 7]


def test_a_mask_is_kept_once_and_read_again(tmp_path: Path) -> None:
    store = MaskStore(tmp_path / "outputs" / "masks")
    mask = read_mask(packed(Image.fromarray(LEFT), "BMP"))
    assert store.keep(mask) == store.keep(mask) == mask.hash
    assert [path.name for path in store.folder.iterdir()] == [f"{mask.hash}.png"]
    assert store.open(mask.hash) == mask
    path = store.path(mask.hash)
    assert path is not None
    with Image.open(path) as image:
        assert image.mode == "L"


def test_two_who_keep_one_mask_at_once_both_keep_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mask, store = read_mask(packed(Image.fromarray(LEFT))), MaskStore(tmp_path / "masks")
    both = Barrier(2, timeout=30)
    real = os.replace

    def together(part: Any, path: Any) -> None:
        both.wait()
        real(part, path)

    monkeypatch.setattr(os, "replace", together)
    with ThreadPoolExecutor(2) as pool:
        kept = list(pool.map(store.keep, [mask, mask]))
    assert kept == [mask.hash] * 2
    assert [path.name for path in (tmp_path / "masks").iterdir()] == [f"{mask.hash}.png"]


def test_a_reference_is_a_hash_or_the_picture_itself(tmp_path: Path) -> None:
    store = MaskStore(tmp_path)
    text = base64.b64encode(packed(Image.fromarray(LEFT))).decode()
    mask = store.read(f"data:image/png;base64,{text}")
    assert mask == store.read(text)
    assert store.read(store.keep(mask)) == mask


@pytest.mark.parametrize("digest", ["../secret", "0" * 16, "", "0" * 16 + "/x", "0" * 16 + "\n"])
def test_only_kept_masks_are_found(tmp_path: Path, digest: str) -> None:
    (tmp_path / "secret.png").write_bytes(packed(Image.fromarray(LEFT)))
    store = MaskStore(tmp_path / "masks")
    store.folder.mkdir()
    assert store.path(digest) is None
    with pytest.raises(MaskError, match="is missing"):
        store.open(digest)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"", "not a picture", id="nothing"),
        pytest.param(b"<html>", "not a picture", id="a web page"),
        pytest.param(packed(Image.fromarray(LEFT))[:40], "not a picture", id="half a picture"),
        pytest.param(packed(Image.fromarray(LEFT), "GIF"), "PNG, JPEG, WEBP or BMP", id="another kind"),
        pytest.param(packed(Image.new("1", (9000, 8000))), "9000 × 8000 pixels", id="too large"),
        pytest.param(bytes(64 * 1024**2 + 1), "larger than any mask", id="too many bytes"),
    ],
)
def test_what_is_no_mask_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(MaskError, match=says):
        read_mask(data)


@pytest.mark.parametrize("text", ["?", "data:image/png;base64,?", "abc", "Ä" * 8])
def test_what_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(MaskError, match="nor base64"):
        from_base64(text)


def test_a_mask_that_was_spoiled_is_told(tmp_path: Path) -> None:
    (tmp_path / ("0" * 16 + ".png")).write_bytes(b"nothing")
    with pytest.raises(MaskError, match="not a picture"):
        MaskStore(tmp_path).open("0" * 16)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MaskError, match=r"cannot be kept in .*file/masks"):
        MaskStore(tmp_path / "file" / "masks").keep(MaskPicture(1, 1, b"\0"))
