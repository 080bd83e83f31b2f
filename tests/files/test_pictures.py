"""The text in a picture, as the WebUI writes it into each kind of file."""

from __future__ import annotations

import io

import pytest
from PIL import Image, PngImagePlugin

from lib_lora.errors import PictureTextError
from lib_lora.files.pictures import BYTE_LIMIT, EXIF, USER_COMMENT, read_parameters

TEXT = "a girl, ネオン 👩\nSteps: 4, Seed: 1"


def picture(kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(target, kind, **options)
    return target.getvalue()


def commented(kind: str, comment: bytes) -> bytes:
    exif = Image.Exif()
    exif[EXIF] = {USER_COMMENT: comment}
    return picture(kind, exif=exif)


@pytest.mark.parametrize("zip", [False, True])
def test_png(zip: bool) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("parameters", TEXT, zip=zip)
    assert read_parameters(picture("PNG", pnginfo=info)) == TEXT


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize(
    "comment",
    [
        b"UNICODE\0" + TEXT.encode("utf-16-be"),
        b"UNICODE\0" + TEXT.encode("utf-16-le"),
        b"\0" * 8 + TEXT.encode(),
    ],
    ids=["big end first", "little end first", "utf-8"],
)
def test_exif(kind: str, comment: bytes) -> None:
    assert read_parameters(commented(kind, comment)) == TEXT


@pytest.mark.parametrize("order", ["utf-16-be", "utf-16-le"])
def test_exif_of_a_prompt_that_begins_with_chinese(order: str) -> None:
    text = f"美しい少女\n{TEXT}"
    assert read_parameters(commented("JPEG", b"UNICODE\0" + text.encode(order))) == text


def test_gif() -> None:
    assert read_parameters(picture("GIF", comment=b"Steps: 4")) == "Steps: 4"


def test_the_pixels_are_never_read() -> None:
    """A picture whose pixels are missing, or would need gigabytes, still has its text."""
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "Steps: 4")
    data = picture("PNG", pnginfo=info)
    assert read_parameters(data[: data.index(b"IDAT") + 8]) == "Steps: 4"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (picture("PNG"), "no parameters"),
        (picture("JPEG"), "no parameters"),
        (b"", "not a picture"),
        (b"<html>", "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "not a picture"),
        (b"\0" * (BYTE_LIMIT + 1), "MB"),
    ],
    ids=["png", "jpeg", "nothing", "page", "half", "huge"],
)
def test_what_carries_none_says_so(data: bytes, told: str) -> None:
    with pytest.raises(PictureTextError, match=told):
        read_parameters(data)
