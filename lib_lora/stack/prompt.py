"""`<lora:name:te:unet>` tags of a prompt, read and written as the WebUI's own Lora reads them.

`name` first; then text encoder, UNet, dyn by position or as te=, unet=, dyn=. One number counts for both.
An item with exactly one `=` is named, whatever stands before it (A1111 `extra_networks.ExtraNetworkParams`).
LoRA Block Weight's lbw= (w=), lbwe=, x=, start=, stop=, step= and loractl's numbers over the steps, hr=,
hrunet= and hrte= become the row's own fields; so do a preset or numbers of blocks in the place of the UNet's
weight, as tags had them before the WebUI took that place: <lora:name:0.8:OUTALL:ATTNDEEPOFF>.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from ..errors import EntryValueError
from .blocks import LAYOUTS, is_number
from .entry import DECIMALS, FIELDS, Entry, row_title, shown
from .passes import HIRES, PASSES, Pass, write_passes
from .schedule import LATE
from .stack import Stack

KINDS = ("lora", "lyco")
DYN = "dyn"  # extra field of a row: how many ranks of a DyLoRA
REST = "tag"  # extra field of a row: items of the tag that nobody knows, as they came
UNSAID = ("schedule", "te_schedule", "region", "feather", "passes", "side")
"""Fields that no tag has a word for; a schedule would need the weight in every point."""

_TAG = re.compile(r"<(\w+):([^>]+)>")
_GAP = "\0"
_GAPS = re.compile(rf"[ \t]*,?[ \t]*(?:{_GAP}[ \t,]*)+")
_WORD = re.compile(r"[^\W\d_][\w .]*")
_INHERITED = re.compile(r"X(?:([+-])([\d.]+))?")


def read_tags(prompt: str, gap: str = "") -> tuple[str, tuple[Entry, ...]]:
    """Return the prompt with `gap` in the place of its lora tags, and a row for each; other tags stay.

    Raises EntryValueError naming the tag.
    """
    entries: list[Entry] = []

    def take(match: re.Match[str]) -> str:
        if match[1] not in KINDS:
            return match[0]
        entries.append(_read_tag(match[0], match[2]))
        return gap

    return _TAG.sub(take, prompt), tuple(entries)


def take_tags(prompt: str) -> tuple[str, tuple[Entry, ...]]:
    """Return the prompt without its lora tags and the commas that held them, and a row for each.

    Nothing else is touched: every comma of a prompt counts for the picture. Raises EntryValueError.
    """
    rest, entries = read_tags(prompt.replace(_GAP, ""), _GAP)

    def close(match: re.Match[str]) -> str:
        before, after = rest[: match.start()][-1:], rest[match.end() :][:1]
        if before in ("", "\n") or after == "":
            return ""
        if after == "\n":
            return "," if match[0].lstrip().startswith(",") else ""
        return ", " if "," in match[0] else " "

    return (_GAPS.sub(close, rest).strip() if entries else prompt), entries


def read_tag(items: Sequence[str]) -> Entry:
    """Return the row of one tag, given what stands between its colons; raises EntryValueError."""
    content = ":".join(items)
    return _read_tag(f"<{KINDS[0]}:{content}>", content)


def names_blocks(items: Sequence[str]) -> bool:
    """Tell whether a tag has its blocks in the place of the UNet's weight, where the host reads a number."""
    positional = [item for item in items if item.count("=") != 1]
    return len(positional) > 2 and _are_blocks(positional[2])


def not_understood(entry: Entry) -> tuple[str, ...]:
    """Return what a tag's row says that this version cannot act on, in the tag's own words."""
    rest = dict(entry.extra).get(REST, ())
    return tuple(str(item) for item in rest) if isinstance(rest, tuple) else ()


def write_tags(stack: Stack, name_of: Callable[[Entry], str] = lambda entry: entry.network) -> str:
    """Return one tag for every row that is on, in order, separated by spaces.

    Raises EntryValueError where a tag cannot say it: a name with `:`, `>` or a single `=`, or a region, a
    schedule and the like.
    """
    return " ".join(
        _write_tag(row_title(index, entry.network), name_of(entry), entry)
        for index, entry in enumerate(stack.entries)
        if entry.on
    )


def _read_tag(tag: str, content: str) -> Entry:
    positional: list[str] = []
    named: dict[str, str] = {}
    for item in content.split(":"):
        name, sign, value = item.partition("=")
        if sign and "=" not in value:
            named[name] = value
        else:
            positional.append(item)
    if not positional:
        raise EntryValueError(f"{tag[:80]} names no file. Write <lora:name:0.8>.")
    early = positional[2:] if names_blocks(positional) else []
    positional = positional[:2] if early else positional
    te_text = named.pop("te", positional[1] if len(positional) > 1 else "1")
    unet_text = named.pop("unet", positional[2] if len(positional) > 2 else te_text)
    te, _ = _over_steps(tag, "te", te_text)
    unet, schedule = _over_steps(tag, "unet", unet_text)
    unet = 1.0 if schedule else unet
    dyn = named.pop(DYN, positional[3] if len(positional) > 3 else None)
    start, stop = (named.pop(name, "") for name in ("start", "stop"))
    if "step" in named and not (start or stop):
        start, _, stop = named.pop("step").partition("-")
    blocks = _blocks(tag, named, early)
    passes = _hires(named, te, unet, schedule)
    rest = (*positional[4:], *early, *(f"{name}={value}" for name, value in named.items()))
    extra: dict[str, object] = ({} if dyn is None else {DYN: _ranks(tag, dyn)}) | (
        {REST: rest} if rest else {}
    )
    try:
        return Entry(
            network=positional[0],
            weight=unet,
            te=None if te == unet else te,
            schedule=schedule,
            start=_window_start(start),
            stop=_window_stop(stop),
            blocks=blocks,
            passes=passes,
            extra=tuple(extra.items()),
        )
    except EntryValueError as error:
        raise EntryValueError(f"{tag[:80]}: {error}") from None


def _are_blocks(text: str) -> bool:
    """Tell a preset's name or as many numbers as there are blocks from a weight, however it is written."""
    if any(sign in text for sign in "@~"):
        return False
    return text.count(",") + 1 in {len(layout.blocks) for layout in LAYOUTS} or _is_word(text)


def _is_word(text: str) -> bool:
    return _WORD.fullmatch(text.strip()) is not None and not is_number(text)


def _blocks(tag: str, named: dict[str, str], early: list[str]) -> str:
    """Return the row's blocks; what they are made of is taken out of `named` and `early`.

    X among the numbers is that of `x=`, or 1; X+0.2 and X-0.2 are as much more and less.
    """
    first = early.pop(0) if early else ""
    rules = early.pop(0) if early and _is_word(early[0]) else ""
    inherited = early.pop(0) if early and is_number(early[0]) else "1"
    short = named.pop("w", first)
    blocks, rules = named.pop("lbw", short), named.pop("lbwe", rules)
    numbers = [part.strip() for part in blocks.split(",")]
    if len(numbers) > 1 and any(_INHERITED.fullmatch(number) for number in numbers):
        base = _weight(tag, "x", named.pop("x", inherited))
        blocks = ",".join(_inherited(number, base) for number in numbers)
    return ";".join(part for part in (blocks, rules) if part)


def _inherited(number: str, base: float) -> str:
    match = _INHERITED.fullmatch(number)
    if match is None or (match[2] is not None and not is_number(match[2])):
        return number
    return _shortest(base + float(f"{match[1]}{match[2]}" if match[2] else 0))


def _weight(tag: str, part: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise EntryValueError(
            f"{tag[:80]}: {part} must be a number such as 0.8, or numbers over the steps such as 0@0,1@0.5, "
            f"not {shown(text)}."
        ) from None


def _over_steps(tag: str, part: str, text: str) -> tuple[float, str]:
    """Return the weight at the start, and the row's schedule, empty for one number.

    loractl's `0@0,1@0.4`: a position without `@` is the end, a list that begins without one its first number.
    It looks at the step before the one being made (the first sees itself), so its steps are two less than the
    progress bar's, and its fractions are of the steps from the second on. The text encoder is asked once.
    """
    points = [part.replace("~", "@").partition("@") for part in re.split("[,;]", text) if part.strip()]
    if not any(sign for _, sign, _ in points):
        return _weight(tag, part, text), ""  # 0,8 is no list, and the host cannot read it either
    if not points[0][1]:
        return _weight(tag, part, points[0][0]), ""
    try:
        numbers = [(float(value), float(place) if sign else 1.0) for value, sign, place in points]
    except ValueError:
        return _weight(tag, part, text), ""
    numbers.sort(key=lambda point: point[1])
    if len(numbers) == 1:
        return numbers[0][0], ""
    late = numbers[-1][1] <= 1
    curve = ",".join(
        f"{_shortest(value)}@{_shortest(place if late else place + 2)}" for value, place in numbers
    )
    return numbers[0][0], f"{LATE}{curve}" if late else curve


def _window_start(text: str) -> str:
    """Return a row's start for LoRA Block Weight's: it counts steps from 0, and 1 is the beginning too."""
    return (str(int(text) + 1) if int(text) > 1 else "") if _is_step(text) else text


def _window_stop(text: str) -> str:
    """Return a row's stop: the step named there is the first without, 1 is before the first."""
    return (text if int(text) > 1 else "0") if _is_step(text) else text


def _is_step(text: str) -> bool:
    """Whether a text counts steps; `²` is a digit for Python and no number."""
    return text.isascii() and text.isdecimal() and len(text) < 10


def _hires(named: dict[str, str], te: float, unet: float, schedule: str) -> str:
    """Return the row's passes for loractl's weights of the second pass; `hr` is for both parts.

    Taken out of `named` where a row can say them: numbers, and no curve that would act there too.
    """
    both = named.get("hr")
    texts = {"unet": named.get("hrunet", both), "te": named.get("hrte", both)}
    if texts["unet"] is None and texts["te"] is None:
        return ""
    try:
        own_unet, own_te = (
            float(given) if given is not None else usual
            for given, usual in ((texts["unet"], unet), (texts["te"], te))
        )
    except ValueError:
        return ""
    if schedule or not (math.isfinite(own_unet) and math.isfinite(own_te)):
        return ""
    for name in ("hr", "hrunet", "hrte"):
        named.pop(name, None)
    second = Pass(HIRES, own_unet, None if own_te == own_unet and te == unet else own_te)
    return write_passes([second if name == HIRES else Pass(name) for name in PASSES])


def _ranks(tag: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise EntryValueError(f"{tag[:80]}: dyn must be a whole number, not {shown(text)}.") from None


def _write_tag(title: str, name: str, entry: Entry) -> str:
    for known in FIELDS:
        unsaid = known.name in UNSAID
        value = getattr(entry, known.name)
        unsaid |= known.name in ("start", "stop") and _window(known.name, str(value)) is None
        if unsaid and value != known.default:
            raise EntryValueError(
                f"{title}: a prompt tag cannot say '{known.name}'. Keep the row in the panel."
            )
    te, unet = _shortest(entry.te_weight), _shortest(entry.unet_weight)
    extra = dict(entry.extra)
    rest = extra.get(REST)
    items = ["lora", name, te]
    items += [unet] if unet != te or DYN in extra else []
    items += [f"{DYN}={extra[DYN]}"] if DYN in extra else []
    if ":" in entry.blocks or ";" in entry.blocks:
        raise EntryValueError(
            f"{title}: a prompt tag cannot say the rules in 'blocks'. Keep the row in the panel."
        )
    items += [f"lbw={entry.blocks}"] if entry.blocks else []
    items += [f"{edge}={said}" for edge in ("start", "stop") if (said := _window(edge, getattr(entry, edge)))]
    items += [str(item) for item in rest] if isinstance(rest, tuple) else []
    if name.count("=") == 1 or any(sign in item for item in items for sign in ":>"):
        raise EntryValueError(
            f"{title}: a prompt tag cannot carry a name with ':', '>' or '='. "
            "Rename the file, or keep the row in the panel."
        )
    return f"<{':'.join(items)}>"


def _window(edge: str, text: str) -> str | None:
    """Return what a tag says for an end of a row's window, empty for nothing, None where it cannot."""
    if not text or (edge == "start" and text in ("0", "1")):
        return ""
    step = int(text) if _is_step(text) else 1  # no tag names the second step as start, or the first as stop
    if edge == "start":
        return str(step - 1) if step > 2 else None
    return "1" if step == 0 else text if step > 1 else None


def _shortest(weight: float) -> str:
    return f"{weight:.{DECIMALS}f}".rstrip("0").rstrip(".")
