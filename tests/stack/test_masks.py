"""The masks of a stack text: read, written, refused."""

from __future__ import annotations

import pytest

from lib_lora.errors import StackSyntaxError
from lib_lora.stack.masks import is_hash
from lib_lora.stack.serialization import decode, encode

ROW = '"entries":[{"network":"a"}]'


def test_masks_stand_between_rows_and_what_is_unknown() -> None:
    text = '{"zoo":1,"masks":{"left":"3f0c9a51b2d4e687","hat":"iVBORw0KGgo="},' + ROW + "}"
    stack = decode(text)
    assert stack.masks == (("left", "3f0c9a51b2d4e687"), ("hat", "iVBORw0KGgo="))
    assert encode(stack) == (
        '{"version":1,' + ROW + ',"masks":{"left":"3f0c9a51b2d4e687","hat":"iVBORw0KGgo="},"zoo":1}'
    )
    assert decode(encode(stack)) == stack


def test_no_masks_are_not_written() -> None:
    assert encode(decode("{" + ROW + ',"masks":{}}')) == '{"version":1,' + ROW + "}"
    assert decode("{" + ROW + ',"masks":null}').masks == ()


def test_a_kept_mask_is_told_from_a_picture() -> None:
    assert is_hash("3f0c9a51b2d4e687")
    assert not is_hash("3f0c9a51b2d4e68") and not is_hash("data:image/png;base64,AAAA")


@pytest.mark.parametrize(
    ("masks", "says"),
    [
        pytest.param('["left"]', "must be an object", id="a list"),
        pytest.param('"left"', "must be an object", id="a text"),
        pytest.param('{"":"AAAA"}', "1 to 80 characters", id="no name"),
        pytest.param('{" left":"AAAA"}', "without spaces", id="a name with spaces around it"),
        pytest.param('{"' + "x" * 81 + '":"AAAA"}', "1 to 80 characters", id="a long name"),
        pytest.param('{"left":3}', "mask 'left': must be", id="a number"),
        pytest.param('{"left":" "}', "mask 'left': must be", id="nothing"),
    ],
)
def test_wrong_masks_are_refused(masks: str, says: str) -> None:
    with pytest.raises(StackSyntaxError, match=says):
        decode("{" + ROW + ',"masks":' + masks + "}")


def test_too_many_masks_are_refused() -> None:
    masks = {str(index): "AAAA" for index in range(201)}
    with pytest.raises(StackSyntaxError, match="has 201 masks; the most is 200"):
        decode({"entries": [], "masks": masks})


def test_a_mask_beyond_reason_is_refused() -> None:
    with pytest.raises(StackSyntaxError, match="mask 'left' is larger"):
        decode({"entries": [], "masks": {"left": "A" * 20_000_001}})
