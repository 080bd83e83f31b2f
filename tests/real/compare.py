"""Pictures against pictures: plain, with the WebUI's own Lora, and with ours."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.real.webui import PROMPT, WebUI, difference, stack

EQUAL = 1.0
"""Mean difference of 255 up to which two pictures are the same: one step of one colour."""

SEEN = 2.0
"""Mean difference above which a LoRA has done something."""

Row = tuple[str, float] | dict[str, Any]


def tag(row: Row) -> str:
    """Return the tag that asks the WebUI's own Lora for the same: text encoder first, then UNet."""
    if isinstance(row, tuple):
        return f"<lora:{row[0]}:{row[1]}:{row[1]}>"
    weight = row["weight"]
    return f"<lora:{row['network']}:{row.get('te', weight)}:{row.get('unet', weight)}>"


def compare(host: WebUI, *rows: Row, prompt: str = PROMPT, beside: str = "", **request: Any) -> float:
    """Draw plain, by the WebUI's own Lora, by ours, and plain again; return the largest mean difference.

    beside: tags that stay in the prompt of all four. Fails where the LoRA did nothing, where ours differs
    from theirs, where both are one colour, as numbers out of range are drawn, and where anything stayed
    behind.
    """
    base = prompt + beside
    plain = host.plain(prompt=base, **request)
    theirs = host.draw(prompt=base + "".join(map(tag, rows)), **request).pictures
    ours = host.draw(stack(*rows), prompt=base, **request).pictures
    again = host.draw(prompt=base, **request).pictures
    assert len(plain) == len(theirs) == len(ours) == len(again)
    assert all(map(np.array_equal, plain, again)), "something stayed behind"
    effect = min(map(difference, plain, ours))
    distance = max(map(difference, theirs, ours))
    print(f"effect {effect:.2f}, to the WebUI's own {distance:.5f}, at most {_most(theirs, ours):.0f}")
    assert effect > SEEN, "the LoRA did nothing"
    assert min(float(picture.std()) for picture in ours) > SEEN, "no picture at all"
    assert distance <= EQUAL
    return distance


def _most(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))
