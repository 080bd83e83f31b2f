"""The stack in a picture's parameters: one key, whose value is the stack text.

The host quotes a value that holds `,` or `:` as a JSON string, and takes the quotes off on paste; values that
come from a PNG reader or an API client may still wear them.
"""

from __future__ import annotations

import json

from ..errors import StackSyntaxError
from .names import KEY as KEY
from .serialization import CHARACTER_LIMIT, decode, encode
from .stack import Stack

QUOTE_LIMIT = 3  # layers of quoting that are taken off


def write(stack: Stack) -> str:
    """Return the value for `KEY`, in one line; the host adds its quotes."""
    return encode(stack)


def read(text: str) -> Stack:
    """Read the value, quoted or not. Raises StackSyntaxError, StackVersionError, EntryValueError."""
    text = text.strip()
    for _ in range(QUOTE_LIMIT):
        if len(text) > CHARACTER_LIMIT or not text.startswith('"'):
            break
        text = _unquoted(text).strip()
    if text and text[0] not in "{[\ufeff":
        raise StackSyntaxError(
            f"'{text[:40]}' is not what '{KEY}' holds in a picture's parameters. "
            f"Paste the whole line that begins with Steps, or only what follows '{KEY}: '."
        )
    return decode(text)


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        raise StackSyntaxError(
            f"The value of '{KEY}' ends in the middle. Copy the parameters again, to the last quote."
        ) from None
