"""OpenCLIP's text encoder: q, k and v are rows of one parameter, changed alone or together, and undone."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from lib_lora.engine.modes import BYPASS, MERGED
from lib_lora.engine.sections import PLACES
from lib_lora.engine.view import ATTENTION, EMBEDDING, PARAMETER
from lib_lora.errors import EngineError
from lib_lora.plan import Contribution
from lib_lora.session import Session
from tests.engine.changes import DoublingInPlace, change, lora
from tests.engine.towers import (
    LAYERS,
    STEM,
    WIDTH,
    attributes,
    digests,
    encode,
    encode_hugging_face,
    hugging_face,
    merged_by_hand,
    openclip,
    plan_of,
    view_of,
)

Changes = dict[str, tuple[Contribution, ...]]
ATTENTION_0 = f"{STEM}.0.self_attn"
AROUND = (
    f"{STEM}.1.layer_norm1",
    f"{STEM}.1.mlp.fc1",
    f"{STEM}.1.mlp.fc2",
    "clip_g.text_model.final_layer_norm",
    "clip_g.text_model.embeddings.position_embedding",
    "clip_g.text_model.embeddings.token_embedding",
    "clip_g.text_projection",
)
TARGETS = (
    *((place, (f"{ATTENTION_0}.{place}",)) for place in PLACES),
    ("q and v", (f"{ATTENTION_0}.q_proj", f"{ATTENTION_0}.v_proj")),
    ("k and out", (f"{ATTENTION_0}.k_proj", f"{ATTENTION_0}.out_proj")),
    ("all four", tuple(f"{ATTENTION_0}.{place}" for place in PLACES)),
    *((name.rpartition(".")[2], (name,)) for name in AROUND),
    (
        "everything",
        (*(f"{STEM}.{layer}.self_attn.{place}" for layer in range(LAYERS) for place in PLACES), *AROUND),
    ),
)


def changes_for(tower: nn.Module, names: tuple[str, ...], networks: int = 2) -> Changes:
    """Changes of several networks to each weight; norms get one that is not of low rank."""
    shapes = view_of(tower).shapes
    found: Changes = {}
    for index, name in enumerate(names):
        shape = shapes[name]
        if len(shape) == 1:
            found[name] = (change(DoublingInPlace(shape, bias_shift=0.3), shape, 0.4),)
        else:
            found[name] = tuple(
                change(lora(shape, seed=10 * index + n), shape, 0.7 - n, f"network {n} of {names}")
                for n in range(networks)
            )
    return found


def error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def test_every_weight_has_its_canonical_name() -> None:
    layers = view_of(openclip()).layers
    assert set(layers) == {
        f"clip_g.{path}"
        for path, module in hugging_face(openclip()).named_modules()
        if hasattr(module, "weight")
    }
    assert layers[f"{ATTENTION_0}.out_proj"].kind == ATTENTION
    assert layers["clip_g.text_projection"].kind == PARAMETER
    assert layers["clip_g.text_model.embeddings.token_embedding"].kind == EMBEDDING
    assert view_of(openclip()).shapes[f"{ATTENTION_0}.k_proj"] == (WIDTH, WIDTH)


def test_both_trees_compute_the_same_with_weights_moved_by_name() -> None:
    """So q, k and v are the rows they are taken for, and the projection is transposed."""
    tower = openclip()
    assert error(encode_hugging_face(hugging_face(tower)), encode(tower)) < 1e-6


@pytest.mark.parametrize("mode", [MERGED, BYPASS])
@pytest.mark.parametrize("names", [row[1] for row in TARGETS], ids=[row[0] for row in TARGETS])
def test_a_change_is_exact_and_leaves_no_trace(names: tuple[str, ...], mode: str) -> None:
    tower = openclip()
    before, plain, hung = digests(tower), encode(tower), attributes(tower)
    changes = changes_for(tower, names)
    expected = encode(merged_by_hand(tower, changes))
    assert error(expected, plain) > 1e-3
    session = Session()
    session.attach(view_of(tower), plan_of(changes), mode)
    assert error(encode(tower), expected) < 1e-6
    assert digests(tower) == before
    assert session.report().te_layers == len(changes)
    session.detach()
    assert torch.equal(encode(tower), plain)
    assert digests(tower) == before
    assert attributes(tower) == hung


@pytest.mark.parametrize("mode", [MERGED, BYPASS])
def test_changes_for_one_side_of_the_prompt_come_and_go(mode: str) -> None:
    tower = openclip()
    before, plain, hung = digests(tower), encode(tower), attributes(tower)
    everything = changes_for(tower, TARGETS[-1][1], 1)
    with Session() as session:
        session.attach(view_of(tower), plan_of(everything), mode)
        both = encode(tower)
    sided = {
        name: tuple(replace(one, side="negative") for one in found) for name, found in everything.items()
    }
    with Session() as session:
        session.attach(view_of(tower), plan_of(sided), mode)
        for side in ("positive", "negative", "negative", "positive", "negative"):
            session.encode(side)
            assert error(encode(tower), both if side == "negative" else plain) < 1e-6
    assert digests(tower) == before and attributes(tower) == hung


@pytest.mark.parametrize("mode", [MERGED, BYPASS])
def test_changes_that_are_not_of_low_rank_and_change_biases(mode: str) -> None:
    tower = openclip()
    names = [f"{ATTENTION_0}.{place}" for place in ("k_proj", "out_proj")]
    shape = (WIDTH, WIDTH)
    changes = {name: (change(DoublingInPlace(shape, bias_shift=0.2), shape, 0.5),) for name in names}
    other = openclip()
    attention = other.transformer.resblocks[0].attn
    with torch.no_grad():
        for weight, bias in (
            (attention.in_proj_weight[WIDTH : 2 * WIDTH], attention.in_proj_bias[WIDTH : 2 * WIDTH]),
            (attention.out_proj.weight, attention.out_proj.bias),
        ):
            weight.mul_(1.5)
            bias.add_(0.5 * (0.2 + bias))
    with Session() as session:
        session.attach(view_of(tower), plan_of(changes), mode)
        assert error(encode(tower), encode(other)) < 1e-6


@pytest.mark.parametrize("mode", [MERGED, BYPASS])
def test_half_precision_is_one_rounding_away(mode: str) -> None:
    tower = openclip().half()
    changes = changes_for(tower, dict(TARGETS)["everything"])
    expected = encode(merged_by_hand(tower, changes))
    with Session() as session:
        session.attach(view_of(tower), plan_of(changes), mode)
        assert error(encode(tower).float(), expected.float()) < 2e-3


def test_compressed_weights_are_brought_to_the_inputs_type_at_every_call() -> None:
    """The attention's class could not compute with them; ours does, what is not changed included."""
    tower, bare = openclip(), openclip()
    changes = changes_for(tower, dict(TARGETS)["q and v"])
    for encoder in (tower, bare):
        attention = encoder.transformer.resblocks[0].attn
        small = attention.in_proj_weight.detach().to(torch.float8_e4m3fn)
        kept = small if encoder is tower else small.float()
        attention.in_proj_weight = nn.Parameter(kept, requires_grad=False)
    expected = encode(merged_by_hand(bare, changes))
    with Session() as session:
        session.attach(view_of(tower), plan_of(changes))
        assert error(encode(tower), expected) < 1e-6
        assert session.report().bypassed == 2


def test_a_packed_weight_inside_an_attention_is_refused_with_the_way_out() -> None:
    tower = openclip()
    weight = tower.transformer.resblocks[0].attn.out_proj.weight
    weight.quant_state = SimpleNamespace(shape=weight.shape)
    with Session() as session:
        session.attach(view_of(tower), plan_of(changes_for(tower, dict(TARGETS)["out_proj"])))
        with pytest.raises(EngineError, match="Load the checkpoint without compression"):
            encode(tower)


def test_a_weight_written_in_between_is_merged_anew() -> None:
    tower = openclip()
    changes = changes_for(tower, dict(TARGETS)["everything"])
    with Session() as session:
        session.attach(view_of(tower), plan_of(changes), MERGED)
        encode(tower)
        with torch.no_grad():
            tower.transformer.resblocks[0].attn.in_proj_weight.mul_(1.2)
            tower._parameters["text_projection"].mul_(0.7)  # as `load_state_dict` reaches it
            tower.transformer.resblocks[1].attn.out_proj.bias.add_(0.1)
        assert error(encode(tower), encode(merged_by_hand_detached(tower, changes))) < 1e-6


def merged_by_hand_detached(tower: nn.Module, changes: Changes) -> nn.Module:
    """`merged_by_hand` of a tower that is patched at this moment: a new one with the same parameters."""
    bare = openclip()
    bare.load_state_dict(tower.state_dict())
    return merged_by_hand(bare, changes)


def test_a_moved_slider_and_another_set_of_weights() -> None:
    tower, session = openclip(), Session()
    for names in (dict(TARGETS)["all four"], dict(TARGETS)["q and v"], dict(TARGETS)["text_projection"]):
        changes = changes_for(tower, names, networks=1)
        session.attach(view_of(tower), plan_of(changes), MERGED)
        assert error(encode(tower), encode(merged_by_hand_detached(tower, changes))) < 1e-6
    session.forget()


@pytest.mark.parametrize("batch_first", [True, False], ids=["batch first", "tokens first"])
@pytest.mark.parametrize("need_weights", [True, False])
def test_the_attention_takes_and_returns_what_its_class_does(batch_first: bool, need_weights: bool) -> None:
    tower = openclip()
    tower.transformer.resblocks[0].attn.batch_first = batch_first
    attention = tower.transformer.resblocks[0].attn
    name = f"{ATTENTION_0}.v_proj"
    x = torch.randn(3, 8, WIDTH, generator=torch.Generator().manual_seed(2))
    nothing = {name: (change(lora((WIDTH, WIDTH)), (WIDTH, WIDTH), 1e-12),)}
    with torch.no_grad():
        expected = attention(x, x, x, need_weights=need_weights)
        with Session() as session:
            session.attach(view_of(tower), plan_of(nothing), MERGED)
            found = attention(x, x, x, need_weights=need_weights)
    assert torch.allclose(found[0], expected[0], atol=1e-6)
    assert (found[1] is None) == (expected[1] is None)
    if need_weights:
        assert torch.allclose(found[1], expected[1], atol=1e-6)


def test_an_attention_without_biases() -> None:
    tower = openclip()
    tower.transformer.resblocks[0].attn = nn.MultiheadAttention(WIDTH, 4, bias=False, batch_first=True).eval()
    changes = changes_for(tower, dict(TARGETS)["all four"])
    with Session() as session:
        expected = encode(merged_by_hand(tower, changes))
        session.attach(view_of(tower), plan_of(changes), MERGED)
        assert error(encode(tower), expected) < 1e-6


def test_a_wrapper_around_the_embedding_changes_no_name() -> None:
    tower = openclip()

    class EmbeddingsWithFixes(nn.Module):
        def __init__(self, wrapped: nn.Module) -> None:
            super().__init__()
            self.wrapped = wrapped

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return self.wrapped(tokens)

    changes = changes_for(tower, dict(TARGETS)["token_embedding"])
    expected = encode(merged_by_hand(tower, changes))
    tower.token_embedding = EmbeddingsWithFixes(tower.token_embedding)
    with Session() as session:
        session.attach(view_of(tower), plan_of(changes), MERGED)
        assert error(encode(tower), expected) < 1e-6


def test_an_attention_that_another_extension_replaced_is_refused() -> None:
    tower = openclip()
    vars(tower.transformer.resblocks[0].attn)["forward"] = lambda *args, **kwargs: None
    changes = changes_for(tower, dict(TARGETS)["all four"])
    hung = attributes(tower)
    with pytest.raises(EngineError, match=r"q_proj.*Switch that extension off"):
        Session().attach(view_of(tower), plan_of(changes), MERGED)
    assert attributes(tower) == hung
