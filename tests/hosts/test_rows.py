"""Which side of the prompt each row of a call is of, as the hosts tell it."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from lib_lora.hosts.rows import Rows, side_of_texts
from lib_lora.stack.side import NEGATIVE, POSITIVE


def latents(rows: int) -> torch.Tensor:
    return torch.zeros(rows, 4, 8, 8)


def step(texts: Any, rows: int) -> SimpleNamespace:
    return SimpleNamespace(x=latents(rows), text_cond=texts)


@pytest.mark.parametrize(
    ("texts", "rows", "calls"),
    [
        pytest.param(torch.zeros(1, 77, 8), 2, ["pn"], id="one picture"),
        pytest.param(torch.zeros(2, 77, 8), 4, ["ppnn"], id="two pictures"),
        pytest.param(torch.zeros(3, 77, 8), 4, ["pppn"], id="three subprompts"),
        pytest.param(torch.zeros(2, 77, 8), 4, ["pp", "nn"], id="rows apart"),
        pytest.param(torch.zeros(3, 77, 8), 4, ["pp", "p", "n"], id="in pieces"),
        pytest.param(torch.zeros(2, 77, 8), 4, ["pp"], id="the negative prompt skipped"),
        pytest.param({"crossattn": torch.zeros(1, 77, 8), "vector": None}, 2, ["pn"], id="SDXL"),
        pytest.param(torch.zeros(1, 77, 8), 3, ["pnn"], id="a model that edits pictures"),
    ],
)
def test_rows_are_counted_from_the_beginning_of_a_step(texts: Any, rows: int, calls: list[str]) -> None:
    found = Rows()
    for _ in range(2):
        found.expect(step(texts, rows))
        told = [found.sides_of((latents(len(call)),), {}) for call in calls]
        assert ["".join(side[0] for side in sides or ()) for sides in told] == calls


def test_forge_tells_with_every_call() -> None:
    found = Rows()
    found.expect(step(torch.zeros(2, 77, 8), 1))
    options = {"transformer_options": {"cond_or_uncond": [1, 0, 0]}}
    assert found.sides_of((latents(6),), options) == [NEGATIVE] * 2 + [POSITIVE] * 4


@pytest.mark.parametrize("params", [None, SimpleNamespace(), step(None, 2), step(torch.zeros(4, 77, 8), 2)])
def test_what_is_not_told_is_not_guessed(params: Any) -> None:
    found = Rows()
    found.expect(params)
    assert found.sides_of((latents(2),), {}) is None
    assert found.sides_of((), {}) is None


def test_more_rows_than_were_laid_out_are_unknown() -> None:
    found = Rows()
    found.expect(step(torch.zeros(1, 77, 8), 2))
    assert found.sides_of((latents(3),), {}) is None


def test_the_host_marks_negative_prompts() -> None:
    class Prompts(list[str]):
        is_negative_prompt = False

    prompts = Prompts(["a girl"])
    call = functools.partial(print, "p", "function", prompts)
    assert side_of_texts(call) == POSITIVE
    prompts.is_negative_prompt = True
    assert side_of_texts(call) == NEGATIVE
    assert side_of_texts(functools.partial(print, required_prompts=prompts)) == NEGATIVE
