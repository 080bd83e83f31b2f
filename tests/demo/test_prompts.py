"""Prompts: weights, editing by step, AND, long prompts."""

from __future__ import annotations

import pytest
import torch

from tests.demo.conftest import Host

pytestmark = pytest.mark.demo


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", [["plain", 1.0]]),
        ("a (b) c", [["a ", 1.0], ["b", 1.1], [" c", 1.0]]),
        ("(b:1.3)", [["b", 1.3]]),
        ("((b))", [["b", 1.21]]),
        ("[b]", [["b", 1 / 1.1]]),
        (r"\(b\)", [["(b)", 1.0]]),
        ("(open", [["open", 1.1]]),
        ("a BREAK b", [["a", 1.0], ["BREAK", -1], ["b", 1.0]]),
        ("", [["", 1.0]]),
    ],
)
def test_weights(host: Host, text: str, expected: list) -> None:
    from modules.prompt_parser import parse_prompt_attention

    result = parse_prompt_attention(text)
    assert [piece for piece, _ in result] == [piece for piece, _ in expected]
    assert [weight for _, weight in result] == pytest.approx([weight for _, weight in expected])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", [[10, "plain"]]),
        ("[a:b:0.5] c", [[5, "a c"], [10, "b c"]]),
        ("[a:b:3]", [[3, "a"], [10, "b"]]),
        ("x [later:0.2]", [[2, "x "], [10, "x later"]]),
        ("[early::0.3] x", [[3, "early x"], [10, " x"]]),
        ("[[a:b:0.2]:c:0.5]", [[2, "a"], [5, "b"], [10, "c"]]),
        ("[weak]", [[10, "[weak]"]]),
        ("(a:1.2)", [[10, "(a:1.2)"]]),
        ("[open", [[10, "[open"]]),
    ],
)
def test_editing(host: Host, text: str, expected: list) -> None:
    from modules.prompt_parser import get_learned_conditioning_prompt_schedules

    assert get_learned_conditioning_prompt_schedules([text], 10)[0] == expected


def test_alternation_changes_at_every_step(host: Host) -> None:
    from modules.prompt_parser import get_learned_conditioning_prompt_schedules

    assert get_learned_conditioning_prompt_schedules(["[a|b]"], 4)[0] == [
        [1, "a"],
        [2, "b"],
        [3, "a"],
        [4, "b"],
    ]


def test_edited_prompts_change_the_conditioning_with_the_steps(host: Host) -> None:
    seen = []
    host.log.acting["cfg_denoiser"] = lambda params: seen.append(params.text_cond.clone())
    host.draw(prompt="[red:blue:0.5] shirt", steps=4)
    assert torch.equal(seen[0], seen[2])
    assert not torch.equal(seen[2], seen[3])


def encode(text: str) -> torch.Tensor:
    from modules import shared

    with torch.no_grad():
        return shared.sd_model.get_learned_conditioning([text])[0]


def test_weight_one_is_no_weight(host: Host) -> None:
    assert torch.equal(encode("(a girl:1.0), red hair"), encode("a girl, red hair"))
    assert not torch.equal(encode("(a girl:1.4), red hair"), encode("a girl, red hair"))


def test_weights_keep_the_mean(host: Host) -> None:
    plain, weighted = encode("a girl, red hair"), encode("(a girl:1.4), red hair")
    assert weighted.mean().item() == pytest.approx(plain.mean().item(), rel=1e-4)


def test_long_prompts_are_cut_into_chunks_of_75(host: Host) -> None:
    assert encode("red " * 75).shape[0] == 77
    assert encode("red " * 76).shape[0] == 154
    assert encode("red BREAK blue").shape[0] == 154
    assert encode("").shape[0] == 77


def test_the_prompt_is_encoded_as_the_text_model_itself_does(host: Host) -> None:
    from modules import shared

    wrapped = shared.sd_model.cond_stage_model.wrapped
    ids = wrapped.tokenizer("a girl", padding="max_length", max_length=77, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        expected = wrapped.transformer(input_ids=ids).last_hidden_state[0]
    assert torch.allclose(encode("a girl"), expected, atol=1e-6)


def test_parts_of_and_add_up_by_weight(host: Host) -> None:
    from modules.prompt_parser import get_multicond_prompt_list

    indexes, flat = get_multicond_prompt_list(["a AND b :0.5", "b AND a"])
    assert list(flat) == ["a", " b", "b", " a"]
    assert indexes[0] == [(0, 1.0), (1, 0.5)]
