"""Prompt weights: `(word)` ×1.1, `[word]` ÷1.1, `(word:1.3)`, backslash escapes, BREAK."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"\\\(|\\\)|\\\[|\\\]|\\\\|\\"  # escapes
    r"|\(|\[|:\s*([+-]?[.\d]+)\s*\)|\)|\]"  # brackets and weights
    r"|[^\\()\[\]:]+|:"
)
_BREAK = re.compile(r"\s*\bBREAK\b\s*", re.DOTALL)
_ROUND = 1.1


def parse_prompt_attention(text: str) -> list[list]:
    """Split a prompt into [text, weight] pieces; neighbours of one weight are joined; BREAK has weight -1."""
    pieces: list[list] = []
    round_starts: list[int] = []
    square_starts: list[int] = []

    def multiply(start: int, factor: float) -> None:
        for piece in pieces[start:]:
            piece[1] *= factor

    for match in _TOKEN.finditer(text):
        token, weight = match.group(0), match.group(1)
        if token.startswith("\\"):
            pieces.append([token[1:], 1.0])
        elif token == "(":
            round_starts.append(len(pieces))
        elif token == "[":
            square_starts.append(len(pieces))
        elif weight is not None and round_starts:
            multiply(round_starts.pop(), float(weight))
        elif token == ")" and round_starts:
            multiply(round_starts.pop(), _ROUND)
        elif token == "]" and square_starts:
            multiply(square_starts.pop(), 1 / _ROUND)
        else:
            parts = _BREAK.split(token)
            for index, part in enumerate(parts):
                if index > 0:
                    pieces.append(["BREAK", -1])
                pieces.append([part, 1.0])
    for start in round_starts:
        multiply(start, _ROUND)
    for start in square_starts:
        multiply(start, 1 / _ROUND)
    return _joined(pieces) or [["", 1.0]]


def _joined(pieces: list[list]) -> list[list]:
    joined: list[list] = []
    for text, weight in pieces:
        if joined and joined[-1][1] == weight and weight != -1:
            joined[-1][0] += text
        else:
            joined.append([text, weight])
    return joined
