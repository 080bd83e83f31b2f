"""Which file a case is: told by its number and the seed alone, so that every case can be made again."""

from __future__ import annotations

from random import Random

from tests.fuzz.draft import Draft, assembled, entries
from tests.fuzz.mutations import ON_BYTES, ON_ENTRIES, ON_TENSORS
from tests.fuzz.seeds import numbers, words

HEADER, LIBRARY, TENSORS = "header", "library", "tensors"
ROUND = (*(HEADER,) * 41, *(LIBRARY,) * 2, *(TENSORS,) * 7)
"""What every fifty cases go through: 82 % the header's reader, 4 % inspection and library, 14 % the maths."""


def kind_of(number: int) -> str:
    """Return what a case goes through."""
    return ROUND[number % len(ROUND)]


def make_case(seed: int, number: int) -> bytes:
    """Return the bytes of a case's file."""
    rng = Random(f"{seed}/{number}")
    if kind_of(number) == TENSORS:
        draft = numbers(rng)
        _spoil(draft, rng, rng.choice((0, 1, 1, 1, 2, 2, 3)))
        found, payload = entries(draft)
        return assembled(found, payload)
    draft = words(rng)
    _spoil(draft, rng, rng.choice((0, 0, 1, 1, 2)))
    found, payload = entries(draft)
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        if found:
            rng.choice(ON_ENTRIES)(found, rng)
    content = bytearray(assembled(found, payload))
    for _ in range(rng.choice((0, 0, 1, 2))):
        rng.choice(ON_BYTES)(content, rng)
    return bytes(content)


def _spoil(draft: Draft, rng: Random, times: int) -> None:
    for _ in range(times):
        if draft.pieces:
            rng.choice(ON_TENSORS)(draft, rng)
