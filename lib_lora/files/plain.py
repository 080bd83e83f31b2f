"""Headers written as the safetensors library writes them: read without taking every tensor apart.

Files of one trainer call their tensors the same, whatever their ranks: a header is those names with shapes
between, and where the tensors lie follows from the shapes. So the names are checked once, and of each further
file the header is written anew from names and shapes and compared, letter by letter, with what stands there.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from .architecture import Shape
from .header import BITS, COUNT_LIMIT, METADATA, NAME_LIMIT, TENSOR_LIMIT
from .structure import Names, Structure

REMEMBERED = 100_000  # tensors whose names are remembered; a kind of file has some hundreds to three thousand
KINDS = 50_000  # shapes remembered
SHAPE_LIMIT = 160  # characters
_HEAD = re.compile(r'"([^"\\\x00-\x1f]+)":\{"dtype":"(\w+)","shape":', re.ASCII)
_SHAPE = re.compile(r"(?:0|[1-9]\d{0,17})(?:,(?:0|[1-9]\d{0,17}))*", re.ASCII)
_AFTER_SHAPE = '],"data_offsets":'
_BETWEEN, _NEXT = '],"data_offsets":[', "]},"


class _OddError(Exception):
    """Not written as the library does."""


class _Kind(NamedTuple):
    """A shape, and the bytes of a tensor of that shape."""

    shape: Shape
    size: int


class _Kinds(dict[tuple[str, str], _Kind]):
    """Shapes by number type and text."""

    def __missing__(self, key: tuple[str, str]) -> _Kind:
        dtype, text = key
        if dtype not in BITS or len(text) > SHAPE_LIMIT or not (text == "" or _SHAPE.fullmatch(text)):
            raise _OddError
        shape = tuple(map(int, text.split(","))) if text else ()
        bits = BITS[dtype]
        for length in shape:
            bits *= length
            if bits > COUNT_LIMIT:
                raise _OddError
        if bits % 8:
            raise _OddError
        if len(self) >= KINDS:
            self.clear()
        self[key] = _Kind(shape, bits // 8)
        return self[key]


class _Shapes(dict[str, _Kind]):
    """The same of one number type, by all that stands between two opening brackets."""

    def __init__(self, kinds: _Kinds, dtype: str) -> None:
        super().__init__()
        self._kinds, self._dtype = kinds, dtype

    def __missing__(self, text: str) -> _Kind:
        if text[-len(_AFTER_SHAPE) :] != _AFTER_SHAPE:
            raise _OddError
        if len(self) >= KINDS:
            self.clear()
        self[text] = self._kinds[self._dtype, text[: -len(_AFTER_SHAPE)]]
        return self[text]


class _Called(NamedTuple):
    """Tensors of certain names and number types, and the header around their shapes and places."""

    called: list[str]
    names: Names
    dtypes: tuple[str, ...]
    frame: list[str]
    places: list[str]  # of the frame, what follows the shapes


class PlainHeaders:
    """Reads many headers in a row; remembers names and shapes. Not safe for threads."""

    def __init__(self) -> None:
        self._kinds = _Kinds()
        self._called: OrderedDict[str, _Called] = OrderedDict()
        self._tensors = 0
        self._last: dict[tuple[str, int], _Called] = {}  # by what begins a header, and its length
        self._shapes: dict[str, _Shapes] = {}

    def structure(self, text: str, payload: int) -> Structure | None:
        """Return the structure of the tensors that `text`, a header's entries and its last brace, describes.

        None where it is not written exactly as the library does for a payload of so many bytes, or where
        anything is wrong: then the whole header has to be read, which says what.
        """
        return self._as_before(text, payload) or self._any(text, payload)

    def _as_before(self, text: str, payload: int) -> Structure | None:
        """Return the structure where the tensors are called as the last ones that began so."""
        # One tensor is two pieces: its shape, and its place with the name and type of the next.
        pieces = text.split("[")
        called = self._last.get((pieces[0], len(pieces)))
        if called is None:
            return None
        try:
            kinds = list(map(self._shapes[called.dtypes[0]].__getitem__, pieces[1::2]))
        except _OddError:
            return None
        shapes, sizes = zip(*kinds, strict=True)
        ends = list(map(str, accumulate(sizes)))
        written = called.places.copy()
        written[::4], written[2::4] = ["0", *ends[:-1]], ends
        if ends[-1] != str(payload) or "".join(written) != "[".join(pieces[2::2]):
            return None
        return called.names.structure(shapes)

    def _any(self, text: str, payload: int) -> Structure | None:
        # One tensor is four pieces: its name and type, its shape, what stands between, its place.
        pieces = text.replace("]", "[").split("[")
        heads = pieces[:-1:4]
        if len(pieces) % 4 != 1 or not 0 < len(heads) <= TENSOR_LIMIT:
            return None
        try:
            called = self._names("[".join(heads), len(heads))
            kinds = list(map(self._kinds.__getitem__, zip(called.dtypes, pieces[1::4], strict=True)))
        except _OddError:
            return None
        shapes, sizes = zip(*kinds, strict=True)
        ends = list(map(str, accumulate(sizes)))
        end = ends[-1]
        if not _is(text, called, pieces[1::4], ["0", *ends[:-1]], ends):
            # Old versions of the library put the tensors in any order.
            begins, _, stops = zip(*(place.partition(",") for place in pieces[3::4]), strict=True)
            if not _is(text, called, pieces[1::4], begins, stops) or not _fill(begins, stops, sizes):
                return None
        return called.names.structure(shapes) if end == str(payload) else None

    def _names(self, heads: str, count: int) -> _Called:
        """Return what is known of tensors called so, checked the first time; raises _OddError."""
        known = self._called.get(heads)
        if known is not None:
            self._called.move_to_end(heads)
            return known
        found = _HEAD.findall(heads)
        names = [name for name, _ in found]
        distinct = set(names)
        odd = len(found) != count or len(distinct) != count or METADATA in distinct
        if odd or len(max(names, key=len)) > NAME_LIMIT:
            raise _OddError
        frame = ["", "", _BETWEEN, "", ",", ""] * count + ["]}}"]
        frame[:-1:6] = [_next(name, dtype, "[") for name, dtype in found]
        frame[0] = frame[0].removeprefix(_NEXT)
        same = next((known.names for known in self._called.values() if known.called == names), None)
        places = [part for name, dtype in found for part in ("", ",", "", _next(name, dtype, "["))][4:]
        dtypes = tuple(dtype for _, dtype in found)
        known = _Called(names, same or Names(names), dtypes, frame, [*places, "", ",", "", "]}}"])
        self._called[heads] = known
        if len(set(dtypes)) == 1:
            self._last[_next(names[0], dtypes[0], "").removeprefix(_NEXT), 2 * count + 1] = known
            self._shapes.setdefault(dtypes[0], _Shapes(self._kinds, dtypes[0]))
        self._tensors += count
        while self._tensors > REMEMBERED and len(self._called) > 1:
            self._tensors -= len(self._called.popitem(last=False)[1].dtypes)
            self._last.clear()
        return known


def _next(name: str, dtype: str, opening: str) -> str:
    """Return what ends a tensor and begins the next."""
    return f'{_NEXT}"{name}":{{"dtype":"{dtype}","shape":{opening}'


def _is(
    text: str, called: _Called, shapes: Sequence[str], starts: Sequence[str], ends: Sequence[str]
) -> bool:
    """Tell whether the library would write `text` for these tensors."""
    written = called.frame.copy()
    written[1::6], written[3::6], written[5::6] = shapes, starts, ends
    return "".join(written) == text


def _fill(starts: Sequence[str], ends: Sequence[str], sizes: Sequence[int]) -> bool:
    """Tell whether tensors of these sizes lie in these places one after the other, from 0 on."""
    try:
        places = [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]
    except ValueError:
        return False
    if [(str(start), str(end)) for start, end in places] != [*zip(starts, ends, strict=True)]:
        return False  # 07 and the like
    position = 0
    for (start, end), size in sorted(zip(places, sizes, strict=True)):
        if start != position or end != start + size:
            return False
        position = end
    return True
