"""The training: every stage can be stopped and taken up again without a trace."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from demo.train import stages
from demo.train.attention import lean_attention
from demo.train.base import (
    COMPOSITION,
    LOOKS,
    heavier,
    judge_now,
    latent_scale,
    noisy,
    only,
    train_stage,
)
from demo.train.guided import lead_back, walk
from demo.train.kl import INNER, lift, make_inner
from demo.train.loop import Dice, rate_at, save
from demo.train.lora import Pairs, draw_pairs, metadata, payload_of, tag_frequency, train_lora
from demo.train.models import Painter, Words, make_alphas
from demo.train.pictures import draw_batch, draw_pool, to_tensor
from demo.train.recipes import RECIPES, find_recipe
from demo.train.sampler import load_model, paint, with_loras
from demo.train.settings import FULL, TOY
from demo.world.concepts import CONCEPTS
from demo.world.render import enlarge


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which art, text and base were run for three steps."""
    folder = tmp_path_factory.mktemp("toy")
    torch.set_num_threads(1)
    stages.run_art(TOY, folder)
    stages.run_text(TOY, folder)
    stages.run_base(TOY, folder)
    return folder


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(("before", "name"), list(pairwise(("text", *LOOKS))))
def test_a_stopped_run_gives_the_same_bytes_and_keeps_the_words(
    toy: Path, tmp_path: Path, before: str, name: str
) -> None:
    art = stages.read_art(toy)
    train_stage(name, TOY, tmp_path, art, stages.finished(toy, before, Painter), stop_after=1)
    again = train_stage(name, TOY, tmp_path, art, stages.finished(toy, before, Painter))
    whole, old = (torch.load(toy / f"{n}.pt", weights_only=True) for n in (name, before))
    assert same(again.state_dict(), whole)
    kept = {name for name in whole if torch.equal(whole[name], old[name])}
    assert any("token_embedding" in name for name in kept)
    assert "unet.out.2.weight" not in kept
    assert all(weight.requires_grad for weight in again.parameters())


def test_the_judge_reports_now_and_then(toy: Path) -> None:
    art, painter = stages.read_art(toy), stages.finished(toy, "base", Painter)
    report = judge_now(painter, Words(), art, latent_scale(art), count=2, steps=1)
    assert report(999) == ""
    assert report(1000).startswith("who ")


def test_v_gives_back_picture_and_noise() -> None:
    latents, alphas = torch.randn(8, 4, 16, 16), make_alphas()
    inputs, times, v = noisy(latents, Dice.of(1, 1), alphas, COMPOSITION.early)
    alpha = alphas[times].view(-1, 1, 1, 1)
    torch.testing.assert_close(alpha.sqrt() * inputs - (1 - alpha).sqrt() * v, latents, atol=1e-4, rtol=0)
    assert int((times > 400).sum()) >= 5, "most are drawn where the composition is decided"


def test_lean_attention_answers_the_same() -> None:
    torch.manual_seed(2)
    painter = Painter().requires_grad_(False)
    torch.nn.init.normal_(painter.unet.out[2].weight, std=0.1)
    question = (torch.randn(2, 4, 16, 16), torch.tensor([5, 900]), torch.randint(0, 49000, (2, 77)))
    before = painter(*question)
    lean_attention(painter.unet)
    torch.testing.assert_close(painter(*question), before, atol=1e-5, rtol=0)


def test_what_tells_weighs_more_and_the_mean_stays_one() -> None:
    batch = draw_batch(6, random.Random(3))
    telling, figures = batch.telling(), batch.figures()
    assert 0.15 < float(telling.mean()) < 0.5
    assert 0.15 < float(figures.mean()) < 0.5
    assert float((figures * (1 - telling)).mean()) > 0.02, "shirt and face tell nothing here"
    weights = heavier(telling, 4)
    assert weights.shape == (6, 1, 16, 16)
    torch.testing.assert_close(weights.mean((1, 2, 3)), torch.ones(6))
    torch.testing.assert_close(weights.amax((1, 2, 3)) / weights.amin((1, 2, 3)), torch.full((6,), 4.0))


def test_a_drifted_picture_is_led_back() -> None:
    """v of a drifted input, followed all the way, ends at the picture and not where it had drifted to."""
    latents, drift, alphas = torch.randn(8, 4, 16, 16), torch.randn(8, 4, 16, 16), make_alphas()
    plain, _, _ = noisy(latents, Dice.of(1, 1), alphas)
    inputs, times, v = noisy(latents, Dice.of(1, 1), alphas, drift=drift)
    signal, rest = (share.sqrt()[times].view(-1, 1, 1, 1) for share in (alphas, 1 - alphas))
    torch.testing.assert_close(signal * inputs - rest * v, latents, atol=1e-4, rtol=1e-4)
    moved = (inputs - plain).abs().amax((1, 2, 3)) / signal.flatten()
    assert moved[0] < moved[4], "where little noise is left there is little to lead back"


def test_a_walk_under_guidance_moves_the_figure_s_colours_and_is_led_back(toy: Path) -> None:
    painter, words, alphas = stages.finished(toy, "base", Painter), Words(), make_alphas()
    torch.nn.init.normal_(painter.unet.out[2].weight, std=0.1)
    latents = torch.randn(6, 4, 16, 16)
    tokens, empty = words(["a girl, red hair"] * 6), words([""] * 6)
    x, times = walk(painter, latents, tokens, empty, Dice.of(1, 1), alphas)
    v = lead_back(x, latents, times, alphas)
    signal, rest = (share.sqrt()[times].view(-1, 1, 1, 1) for share in (alphas, 1 - alphas))
    torch.testing.assert_close(signal * x - rest * v, latents, atol=1e-4, rtol=1e-4)
    without, same_times = walk(painter, latents, empty, empty, Dice.of(1, 1), alphas)
    assert torch.equal(times, same_times)
    assert not torch.equal(x, without), "the words steer the walk"
    assert int(times.min()) > 100 and int(times.max()) < 900
    assert not x.requires_grad


def test_only_the_figure_counts_after_a_walk() -> None:
    figures = draw_batch(3, random.Random(1)).figures()
    weights = only(figures)
    torch.testing.assert_close(weights.mean((1, 2, 3)), torch.ones(3))
    assert (weights == 0).any() and len(weights[0].unique()) == 2


def test_a_character_has_its_place_and_a_style_is_everywhere() -> None:
    assert 0.05 < float(draw_pairs("mecha_helmet", 4).own().float().mean()) < 0.6
    assert draw_pairs("neon", 4).own().float().mean() > 0.99


def test_where_a_concept_does_not_show_the_model_is_its_teacher(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing of its own to learn, a LoRA that still changes nothing makes no error at all."""
    nowhere = torch.zeros(TOY.lora_pictures, 1, 16, 16, dtype=torch.bool)
    monkeypatch.setattr(Pairs, "own", lambda pairs: nowhere)
    for name in ("art.pt", f"{stages.LAST}.pt"):
        (tmp_path / name).write_bytes((toy / name).read_bytes())
    tensors = train_lora(TOY, tmp_path, "zorp").tensors()
    assert all(float(value.abs().max()) == 0 for name, value in tensors.items() if "lora_up" in name)


def test_a_stopped_lora_run_gives_the_same_bytes(toy: Path, tmp_path: Path) -> None:
    whole = train_lora(TOY, toy, "zorp").tensors()
    for name in ("art.pt", f"{stages.LAST}.pt"):
        (tmp_path / name).write_bytes((toy / name).read_bytes())
    train_lora(TOY, tmp_path, "zorp", stop_after=1)
    assert same(train_lora(TOY, tmp_path, "zorp").tensors(), whole)
    assert any(float(value.abs().max()) > 0 for name, value in whole.items() if "lora_up" in name)


def test_the_lifted_autoencoder_repeats_the_inner_one() -> None:
    torch.manual_seed(0)
    inner = make_inner()
    art = draw_pool(2, 1)
    with torch.no_grad():
        outer = lift(inner)
        latents = inner.moments(to_tensor(art))[0]
        large = outer.moments(to_tensor(enlarge(art)))[0]
        small = inner.decode(latents)
        assert torch.allclose(latents, large, atol=1e-5)
        wide = small.repeat_interleave(4, 2).repeat_interleave(4, 3)
        assert torch.allclose(wide, outer.decode(latents), atol=1e-4)
    assert len(INNER["ch_mult"]) == 2


def test_export_is_read_back_and_a_lora_leaves_no_trace(toy: Path, tmp_path: Path) -> None:
    save(lift(make_inner()).state_dict(), toy / "kl.pt")
    model = load_model(stages.run_export(toy, tmp_path))
    before = {name: value.clone() for name, value in model.painter.state_dict().items()}
    from safetensors.torch import save_file

    path = tmp_path / "lora.safetensors"
    lora = train_lora(TOY, toy, "ink")
    for change in lora.changes.values():
        torch.nn.init.normal_(change.up.weight, std=0.5)
    save_file(lora.tensors(), path)
    plain = paint(model, ["a girl"], [1], steps=2)
    with with_loras(model.painter, [(path, 1.0)]):
        changed = paint(model, ["a girl"], [1], steps=2)
    assert plain.shape == (1, 128, 128, 3)
    assert (plain != changed).any()
    assert same(model.painter.state_dict(), before)


def test_metadata_counts_the_captions_that_were_shown() -> None:
    recipe = find_recipe("zorp")
    specs = draw_pairs("zorp", TOY.lora_pictures).specs
    facts = metadata(recipe, TOY, specs, b"payload")
    tags = json.loads(facts["ss_tag_frequency"])["zorp"]
    assert tags == tag_frequency("zorp", specs, TOY.lora)
    assert 0 < tags["zorp"] <= TOY.lora.steps * TOY.lora.batch
    assert facts["sshs_model_hash"] == hashlib.sha256(b"payload").hexdigest()


def test_payload_is_what_follows_the_header() -> None:
    assert payload_of({"a": torch.ones(2, dtype=torch.float32)}) == torch.ones(2).numpy().tobytes()


def test_every_concept_has_a_recipe() -> None:
    assert {recipe.name for recipe in RECIPES} == set(CONCEPTS)
    with pytest.raises(KeyError, match="zorp"):
        find_recipe("nobody")


def test_chance_depends_on_seed_and_step_alone() -> None:
    assert torch.equal(Dice.of(1, 5).normal(3), Dice.of(1, 5).normal(3))
    assert not torch.equal(Dice.of(1, 5).normal(3), Dice.of(1, 6).normal(3))


def test_rate_warms_up_holds_and_falls() -> None:
    plan = FULL.polish
    rates = [rate_at(plan, step) for step in range(plan.steps)]
    assert rates[0] < rates[plan.warm] == plan.rate
    assert rates[-1] == pytest.approx(plan.rate * 0.02)


def test_a_stage_that_hands_over_stops_on_the_way_down() -> None:
    plan = FULL.base
    whole = replace(plan, steps=plan.horizon, horizon=0)
    assert plan.steps < plan.horizon
    assert rate_at(plan, plan.steps - 1) == rate_at(whole, plan.steps - 1) > 0.1 * plan.rate
