"""The trap of the class-level cache: a text-encoder change that is not in the key is not seen, or stays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.demo.conftest import Host

pytestmark = pytest.mark.demo


def pixels(processed) -> str:
    return hashlib.sha256(processed.images[0].tobytes()).hexdigest()


@contextmanager
def changed_text_encoder() -> Iterator[None]:
    """Change what the text encoder answers, as an extension would while its hooks run."""
    from modules import shared

    layer = shared.sd_model.cond_stage_model.wrapped.transformer.text_model.encoder.layers[0].mlp.fc1
    handle = layer.register_forward_hook(lambda module, args, output: output + 1.0)
    try:
        yield
    finally:
        handle.remove()


@pytest.fixture
def base(host: Host) -> str:
    return pixels(host.draw())


def test_a_change_is_not_seen_by_a_prompt_that_is_cached(host: Host, base: str) -> None:
    with changed_text_encoder():
        assert pixels(host.draw()) == base


def test_a_change_stays_after_it_was_taken_off(host: Host, base: str) -> None:
    from modules import processing

    processing.StableDiffusionProcessing.cached_c[:] = [None, None]
    with changed_text_encoder():
        changed = pixels(host.draw())
    assert changed != base
    assert pixels(host.draw()) == changed


def test_an_own_part_of_the_key_cures_both(host: Host, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import processing

    klass = processing.StableDiffusionProcessing
    original = klass.cached_params
    state = []
    monkeypatch.setattr(
        klass, "cached_params", lambda p, *args, **kwargs: (*original(p, *args, **kwargs), tuple(state))
    )
    assert pixels(host.draw()) == base
    with changed_text_encoder():
        state.append("changed")
        assert pixels(host.draw()) != base
    state.clear()
    assert pixels(host.draw()) == base


def test_without_the_persistent_cache_only_the_first_picture_is_stale(host: Host, base: str) -> None:
    from modules import shared

    shared.opts.data["persistent_cond_cache"] = False
    with changed_text_encoder():
        assert pixels(host.draw()) == base
        assert pixels(host.draw()) != base
    assert pixels(host.draw()) == base


def test_tags_are_part_of_the_key(host: Host) -> None:
    from modules import processing

    host.draw()
    first = processing.StableDiffusionProcessing.cached_c[0]
    host.draw(prompt="a girl, red hair, blue shirt, black trousers, in a forest<lora:x:1>")
    assert processing.StableDiffusionProcessing.cached_c[0] != first


def test_the_second_pass_takes_the_first_pass_conds(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import processing, shared

    calls = []
    model = type(shared.sd_model)
    original = model.get_learned_conditioning
    monkeypatch.setattr(
        model, "get_learned_conditioning", lambda m, texts: (calls.append(1), original(m, texts))[1]
    )
    # Equal keys need equal sizes: the size is part of the key.
    host.draw(enable_hr=True, hr_scale=1.0, denoising_strength=0.5)
    with_steps_in_key = len(calls)
    assert processing.StableDiffusionProcessingTxt2Img.cached_hr_c[0] is not None
    assert with_steps_in_key == 4  # hires steps are part of the key: both passes encode both prompts
    host.draw(enable_hr=True, hr_scale=1.0, denoising_strength=0.5)
    assert len(calls) == with_steps_in_key
