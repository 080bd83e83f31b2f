"""The text form of one picture's parameters: quoting, and reading it back."""

from __future__ import annotations

import json
import re

_PARAM = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_SIZE = re.compile(r"^(\d+)x(\d+)$")


def quote(value) -> str:
    """JSON-quote a value only where it would break the line."""
    text = str(value)
    if "," not in text and "\n" not in text and ":" not in text:
        return text
    return json.dumps(text, ensure_ascii=False)


def unquote(text: str) -> str:
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def parse_generation_parameters(x: str, skip_fields: list[str] | None = None) -> dict[str, object]:
    """Read the text under a picture: {"Prompt": …, "Steps": "20", "Size-1": "128", …}."""
    skip_fields = skip_fields or []
    result: dict[str, object] = {}
    *lines, last = x.strip().split("\n")
    if len(_PARAM.findall(last)) < 3:
        lines.append(last)
        last = ""
    prompt: list[str] = []
    negative: list[str] = []
    in_negative = False
    for line in lines:
        line = line.strip()
        if line.startswith("Negative prompt:"):
            in_negative = True
            line = line[len("Negative prompt:") :].strip()
        (negative if in_negative else prompt).append(line)
    for key, value in _PARAM.findall(last):
        value = unquote(value)
        size = _SIZE.match(value)
        if size is not None:
            result[f"{key}-1"], result[f"{key}-2"] = size.groups()
        else:
            result[key] = value
    result["Prompt"] = "\n".join(prompt)
    result["Negative prompt"] = "\n".join(negative)
    if "Clip skip" not in result:
        result["Clip skip"] = "1"
    if "Hires resize-1" not in result:
        result["Hires resize-1"] = result["Hires resize-2"] = 0
    for key, default in (
        ("Hires sampler", "Use same sampler"),
        ("Hires schedule type", "Use same scheduler"),
        ("Hires checkpoint", "Use same checkpoint"),
        ("Hires prompt", ""),
        ("Hires negative prompt", ""),
        ("Mask mode", "Inpaint masked"),
        ("Masked content", "original"),
        ("Inpaint area", "Whole picture"),
        ("Masked area padding", 32),
        ("Schedule type", "Automatic"),
    ):
        result.setdefault(key, default)
    for key in skip_fields:
        result.pop(key, None)
    return result
