"""The masks of a stack: names, and for each the picture it stands for.

    "masks": {"left": "3f0c9a51b2d4e687", "hat": "data:image/png;base64,iVBOR…"}

A picture is named by the first 16 hex digits of its content's sha256, under which it is kept beside the
outputs; a caller may send the picture itself, as base64. In a picture's parameters only the digits stand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import StackSyntaxError
from .frozen import checked_text

Masks = tuple[tuple[str, str], ...]
"""Names in the user's order, each with its reference."""

HASH_DIGITS = 16
NAME_LIMIT = 80
COUNT_LIMIT = 200
CHARACTER_LIMIT = 20_000_000  # of one picture in base64
EXAMPLE = '{"left": "3f0c9a51b2d4e687"}'

_HASH = re.compile(rf"[0-9a-f]{{{HASH_DIGITS}}}")


def is_hash(reference: str) -> bool:
    """Tell whether a reference names a kept picture; anything else is the picture itself."""
    return _HASH.fullmatch(reference) is not None


def read_masks(value: object) -> Masks:
    """Read the `masks` of a stack text; raises StackSyntaxError. The pictures are not looked at."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise StackSyntaxError(f"'masks' must be an object of names and pictures, such as {EXAMPLE}.")
    if len(value) > COUNT_LIMIT:
        raise StackSyntaxError(f"The stack has {len(value)} masks; the most is {COUNT_LIMIT}.")
    return tuple(_read(name, reference) for name, reference in value.items())


def _read(name: object, reference: object) -> tuple[str, str]:
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_LIMIT or name != name.strip():
        raise StackSyntaxError(
            f"The name of a mask must be text of 1 to {NAME_LIMIT} characters without spaces at its ends."
        )
    if not isinstance(reference, str) or not reference.strip():
        raise StackSyntaxError(
            f"mask '{name}': must be the digits of a kept mask or a picture in base64, such as {EXAMPLE}."
        )
    if len(reference) > CHARACTER_LIMIT:
        raise StackSyntaxError(f"mask '{name}' is larger than any mask needs to be. Send a smaller picture.")
    try:
        return checked_text(name), checked_text(reference)
    except ValueError as error:
        raise StackSyntaxError(f"A mask {error}.") from None
