"""Ways to spoil a file, level by level; each takes what it spoils and a random generator, and is small."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

from tests.fuzz.draft import BITS, Draft, Entry, Piece
from tests.fuzz.seeds import METADATA, SPELLED

LARGEST = 600_000  # bytes of one tensor; two of them can mean a gigabyte
SIZES = (0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 24, 36, 64, 72, 1024, 16384, 2**31, 2**40, 2**62, 2**63)
HALVES = tuple(struct.pack("<H", bits) for bits in (0, 0x8000, 0x3C00, 0x7C00, 0xFC00, 0x7E00, 0x7BFF, 1))
SINGLES = tuple(
    struct.pack("<f", value)
    for value in (0, -0.0, 1, -1, 4, 0.5, float("nan"), float("inf"), -float("inf"), 3e38, 1e30, 1e-45)
)
LETTERS = (".", "_", "..", "/", "../", "\0", "\n", "\u202e", "\ud800", "ネ", "😀", " ", '"', "lora_unet_")
ODD = (
    "null",
    "true",
    "-1",
    "-0",
    "0",
    "1.0",
    "1e3",
    "NaN",
    "Infinity",
    "18446744073709551615",
    "18446744073709551616",
    "9" * 4400,
    '""',
    '"F16"',
    '"\\ud800"',
    '"\\u0000"',
    "[]",
    "[0]",
    "[0,0,0]",
    "[-1,2]",
    "[" + ",".join("1" * 70) + "]",
    "[" * 60 + "]" * 60,
    "[" * 3000,
    "{}",
    '{"a":{"b":1}}',
    '{"dtype":"F16"}',
    "\x01",
    "",
)
HEADS = (
    b"\x80\x04",
    b"PK\x03\x04",
    b"<!DOCTYPE html>",
    b"version https://git-lfs",
    b'{"error":"no"}',
    b"\x1f\x8b",
)


def refit(piece: Piece) -> None:
    """Give a tensor as many bytes as its shape asks for, repeating its own; too many: leave the lie."""
    size = piece.size
    if 0 <= size <= LARGEST:
        data = piece.data or bytes(8)
        piece.data = (data * (size // len(data) + 1))[:size]


# ---- on tensors


def drop(draft: Draft, rng: Random) -> None:
    draft.pieces.pop(rng.randrange(len(draft.pieces)))


def double(draft: Draft, rng: Random) -> None:
    one = rng.choice(draft.pieces)
    draft.pieces.append(Piece(one.name, one.dtype, list(one.shape), one.data))


def exchange_names(draft: Draft, rng: Random) -> None:
    one, other = rng.choice(draft.pieces), rng.choice(draft.pieces)
    one.name, other.name = other.name, one.name


def other_role(draft: Draft, rng: Random) -> None:
    """Call a tensor, or a copy of it, by the suffix of another role."""
    one = rng.choice(draft.pieces)
    ends = [end for spellings in SPELLED.values() for end in spellings if one.name.endswith(end)]
    stem = one.name[: -len(max(ends, key=len))] if ends else one.name
    if rng.random() < 0.5:
        one = Piece("", one.dtype, list(one.shape), one.data)
        draft.pieces.append(one)
    one.name = stem + rng.choice(SPELLED[rng.choice(list(SPELLED))])


def spoil_name(draft: Draft, rng: Random) -> None:
    one = rng.choice(draft.pieces)
    place = rng.randint(0, len(one.name))
    more = rng.choice(LETTERS) * rng.choice((1, 1, 1, 3, 1200))
    one.name = one.name[:place] + more + one.name[place + rng.choice((0, 0, 1, 5)) :]


def one_size(draft: Draft, rng: Random) -> None:
    """Change one size of one tensor."""
    one = rng.choice(draft.pieces)
    if one.shape:
        place = rng.randrange(len(one.shape))
        now = one.shape[place]
        one.shape[place] = rng.choice((*SIZES, now + 1, max(now - 1, 0), 2 * now))
        refit(one)


def same_sizes(draft: Draft, rng: Random) -> None:
    """Change a size everywhere it stands, so that shapes keep fitting."""
    known = [size for piece in draft.pieces for size in piece.shape]
    if known:
        now, then = rng.choice(known), rng.choice(SIZES[:19])
        for piece in draft.pieces:
            piece.shape = [then if size == now else size for size in piece.shape]
            refit(piece)


def enormous(draft: Draft, rng: Random) -> None:
    """Make the largest size enormous everywhere, or any two: kilobytes that multiply to gigabytes."""
    known = sorted({size for piece in draft.pieces for size in piece.shape})
    chosen = known[-1:] if rng.random() < 0.6 else rng.sample(known, min(2, len(known)))
    for piece in draft.pieces:
        piece.shape = [16384 if size in chosen else size for size in piece.shape]
        refit(piece)


def second_name(draft: Draft, rng: Random) -> None:
    """Change a weight a second time under another spelling of its name."""
    one = rng.choice(draft.pieces)
    draft.pieces.append(Piece(one.name.removeprefix("lora_"), one.dtype, list(one.shape), one.data))


def packed(draft: Draft, rng: Random) -> None:
    """Pack an embedding into the file, or call a tensor one."""
    one = rng.choice(draft.pieces)
    ends = ("emb_params", "clip_l", "clip_g", "string_to_param.*", "step", "")
    name = f"bundle_emb.{rng.choice(('neon', 'a.b c', ''))}.{rng.choice(ends)}"
    draft.pieces.append(Piece(name, one.dtype, list(one.shape), one.data))


def dimensions(draft: Draft, rng: Random) -> None:
    one = rng.choice(draft.pieces)
    shape = one.shape
    changed = (
        [],
        shape[::-1],
        [*shape, 1],
        [1, *shape],
        [*shape, 1, 1],
        [*shape, 3, 3],
        shape[:-1],
        shape[1:],
        [1] * rng.randint(5, 70),
    )
    one.shape = list(rng.choice(changed))
    refit(one)


def other_type(draft: Draft, rng: Random) -> None:
    one = rng.choice(draft.pieces)
    one.dtype = rng.choice((*BITS, "F99", "f16", ""))
    if rng.random() < 0.9:
        refit(one)


def other_numbers(draft: Draft, rng: Random) -> None:
    one = rng.choice(draft.pieces)
    odd = {"F16": HALVES, "F32": SINGLES}.get(one.dtype)
    width = max(BITS.get(one.dtype, 8) // 8, 1)
    value = rng.choice(odd) if odd else rng.randbytes(width)
    count = len(one.data) // width
    if count:
        place = rng.randrange(count) * width
        everywhere = rng.random() < 0.3
        one.data = value * count if everywhere else one.data[:place] + value + one.data[place + width :]


def other_alpha(draft: Draft, rng: Random) -> None:
    for piece in draft.pieces:
        if piece.name.endswith((".alpha", ".on_input", ".scale")):
            piece.dtype = rng.choice(("F32", "F16", "I64", "U8", "BOOL"))
            odd = {"F16": HALVES, "F32": SINGLES}.get(piece.dtype)
            piece.data = rng.choice(odd) if odd else rng.randbytes(1) + bytes(BITS[piece.dtype] // 8 - 1)
            piece.shape = rng.choice(([], [1], [1, 1]))


def own_metadata(draft: Draft, rng: Random) -> None:
    key, value = rng.choice(METADATA)
    strange: tuple[object, ...] = (None, 4, 1.5, [], {"a": 1}, "", "None", "\ud800", "[" * 2000, "9" * 5000)
    draft.metadata = {**(draft.metadata or {}), key: rng.choice((*strange, value * rng.choice((1, 50))))}


# ---- on header entries


def odd_field(found: list[Entry], rng: Random) -> None:
    entry = rng.choice(found)
    if entry.fields:
        place = rng.randrange(len(entry.fields))
        key, _ = entry.fields[place]
        entry.fields[place] = (key, rng.choice(ODD))


def odd_number(found: list[Entry], rng: Random) -> None:
    """Change one number within offsets or shape."""
    entry = rng.choice(found)
    places = [place for place, (_, value) in enumerate(entry.fields) if value.startswith("[")]
    if places:
        place = rng.choice(places)
        key, value = entry.fields[place]
        numbers = value.strip("[]").split(",")
        which = rng.randrange(len(numbers))
        now = int(numbers[which]) if numbers[which].isdigit() else 0
        numbers[which] = str(
            rng.choice((now + 1, now - 1, 2 * now, -now, 0, 2**63, 2**64 - 1, 2**64, now + 8))
        )
        entry.fields[place] = (key, f"[{','.join(numbers)}]")


def drop_field(found: list[Entry], rng: Random) -> None:
    entry = rng.choice(found)
    if entry.fields:
        entry.fields.pop(rng.randrange(len(entry.fields)))


def double_field(found: list[Entry], rng: Random) -> None:
    entry = rng.choice(found)
    entry.fields.append(rng.choice(entry.fields) if entry.fields and rng.random() < 0.6 else ('"x"', "0"))


def double_entry(found: list[Entry], rng: Random) -> None:
    found.append(rng.choice(found))


def exchange_entries(found: list[Entry], rng: Random) -> None:
    rng.shuffle(found)


def odd_key(found: list[Entry], rng: Random) -> None:
    rng.choice(found).name = rng.choice(('"__metadata__"', '""', "1", "null", '"\\ud800"', '"a', '"\\q"'))


# ---- on bytes


def flip(content: bytearray, rng: Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 8))):
        if content:
            content[rng.randrange(len(content))] = rng.randrange(256)


def flip_header(content: bytearray, rng: Random) -> None:
    end = min(len(content), 8 + int.from_bytes(content[:8], "little"))
    if end > 8:
        content[rng.randrange(8, end)] = rng.choice(b'"{}[]:,\\0919eE-. nt\xff\x00')


def cut(content: bytearray, rng: Random) -> None:
    del content[rng.randint(0, len(content)) :]


def cut_out(content: bytearray, rng: Random) -> None:
    start = rng.randint(0, len(content))
    del content[start : start + rng.choice((1, 2, 8, 50))]


def put_in(content: bytearray, rng: Random) -> None:
    place = rng.choice((rng.randint(0, len(content)), len(content), min(8, len(content))))
    content[place:place] = rng.choice((b" ", b"\xef\xbb\xbf", b"\0", b"{", rng.randbytes(3), bytes(100)))


def other_length(content: bytearray, rng: Random) -> None:
    now = int.from_bytes(content[:8], "little")
    odd = (
        0,
        1,
        2,
        now - 1,
        now + 1,
        len(content) - 8,
        len(content),
        100_000_000,
        100_000_001,
        2**63,
        2**64 - 1,
    )
    content[:8] = struct.pack("<Q", rng.choice(odd) % 2**64)


def other_head(content: bytearray, rng: Random) -> None:
    head = rng.choice(HEADS)
    content[: len(head)] = head


ON_TENSORS: tuple[Callable[[Draft, Random], None], ...] = (
    drop,
    double,
    exchange_names,
    other_role,
    other_role,
    spoil_name,
    one_size,
    one_size,
    one_size,
    same_sizes,
    same_sizes,
    enormous,
    second_name,
    packed,
    dimensions,
    other_type,
    other_numbers,
    other_numbers,
    other_alpha,
    own_metadata,
)
ON_ENTRIES: tuple[Callable[[list[Entry], Random], None], ...] = (
    odd_field,
    odd_number,
    odd_number,
    drop_field,
    double_field,
    double_entry,
    exchange_entries,
    odd_key,
)
ON_BYTES: tuple[Callable[[bytearray, Random], None], ...] = (
    flip,
    flip_header,
    flip_header,
    cut,
    cut_out,
    put_in,
    other_length,
    other_head,
)
