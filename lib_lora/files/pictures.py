"""The text that WebUIs write into a picture: what it was made with. The pixels are never read."""

from __future__ import annotations

import io

from ..errors import PictureTextError

BYTE_LIMIT = 64 * 1024**2
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
EXIF, USER_COMMENT = 0x8769, 0x9286


def read_parameters(data: bytes) -> str:
    """Return the parameters of a PNG, JPEG, WebP or GIF; raises PictureTextError."""
    from PIL import Image, UnidentifiedImageError

    if len(data) > BYTE_LIMIT:
        raise PictureTextError(f"The picture has more than {BYTE_LIMIT // 1024**2} MB. Drop a smaller one.")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            told = image.info.get("parameters") or _user_comment(image) or image.info.get("comment")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise PictureTextError(
            "This is not a picture that can be read. Drop a PNG, JPEG or WebP as the WebUI saved it."
        ) from None
    text = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told or "")
    if not text.strip():
        raise PictureTextError(
            "The picture carries no parameters: chats and picture sites often strip them. Drop the file as "
            "the WebUI saved it."
        )
    return text


def _user_comment(image: object) -> str:
    """Return the EXIF field in which JPEG and WebP carry it: eight letters name the encoding."""
    comment = image.getexif().get_ifd(EXIF).get(USER_COMMENT, b"")  # type: ignore[attr-defined]
    if isinstance(comment, str):
        return comment
    encoding, text = bytes(comment[:8]), bytes(comment[8:])
    if encoding.startswith(b"UNICODE"):
        # The standard leaves the order of bytes open. The Latin letters of `Steps` and the like tell it,
        # wherever they stand: a prompt may begin with others.
        orders = (text.decode(order, "replace") for order in ("utf-16-be", "utf-16-le"))
        return max(orders, key=lambda told: sum(map(str.isascii, told)))
    return text.decode("utf-8", "replace")
