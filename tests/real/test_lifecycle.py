"""A stack acts exactly as long as it is asked for: encoded prompts, checkpoints and refiners in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.real.checkpoints import TWIN, write_twin
from tests.real.compare import EQUAL, SEEN, tag
from tests.real.test_equality import HIRES, LORA, SECOND
from tests.real.webui import PROMPT, WebUI, difference, stack

TEXT_ONLY = {"network": "real_lora", "weight": 3.0, "unet": 0}
UNET_ONLY = {"network": "real_lora", "weight": 3.0, "te": 0}


@pytest.fixture(scope="module")
def twin(host: WebUI) -> Iterator[str]:
    """Another checkpoint of the same structure; its title."""
    path, before = host.checkpoint(), host.options()["sd_model_checkpoint"]
    if path.stat().st_size > 300e6:
        pytest.skip("the checkpoint is too large to make another one of it")
    write_twin(path)
    host.call("/sdapi/v1/refresh-checkpoints", {})
    titles = [model["title"] for model in host.call("/sdapi/v1/sd-models").body]
    yield next(title for title in titles if Path(title.split(" [")[0]).stem == TWIN)
    host.set(sd_model_checkpoint=before or path.name)


@pytest.mark.parametrize("request_", [{}, HIRES], ids=["plain", "hires"])
def test_encoded_prompts_are_never_stale(host: WebUI, request_: dict[str, Any]) -> None:
    """AddNet 2023 drew with the prompt encoded for another stack, or for none, and kept ours for the next."""
    plain = host.plain(**request_)[0]
    text_only = host.draw(stack(TEXT_ONLY), **request_).pictures[0]
    both = host.draw(stack(("real_lora", 3.0)), **request_).pictures[0]
    assert difference(plain, text_only) > SEEN
    assert difference(both, host.draw(stack(UNET_ONLY), **request_).pictures[0]) > SEEN
    for what, expected in ((None, plain), (stack(TEXT_ONLY), text_only), (None, plain)):
        assert np.array_equal(host.draw(what, **request_).pictures[0], expected)


def test_a_new_prompt_with_a_stack_is_not_kept_for_the_next(host: WebUI) -> None:
    prompt = "a boy, green shirt, in a forest"
    changed = host.draw(stack(TEXT_ONLY), prompt=prompt).pictures[0]
    plain = host.draw(prompt=prompt).pictures[0]
    assert difference(plain, changed) > SEEN
    with host.settings(persistent_cond_cache=False):
        host.draw()
        assert np.array_equal(host.draw(prompt=prompt).pictures[0], plain)
        assert np.array_equal(host.draw(stack(TEXT_ONLY), prompt=prompt).pictures[0], changed)


def test_another_checkpoint_and_back(host: WebUI, twin: str) -> None:
    first = host.options()["sd_model_checkpoint"]
    before, plain = host.draw(stack(LORA)).pictures[0], host.plain()[0]
    try:
        host.set(sd_model_checkpoint=twin)
        ours = host.draw(stack(LORA)).pictures[0]
        theirs = host.draw(prompt=PROMPT + tag(LORA)).pictures[0]
        assert difference(ours, theirs) <= EQUAL
        assert difference(ours, before) > SEEN
    finally:
        host.set(sd_model_checkpoint=first)
    assert np.array_equal(host.draw(stack(LORA)).pictures[0], before)
    assert np.array_equal(host.draw().pictures[0], plain)


@pytest.mark.parametrize("kept", [1, 2], ids=["loaded in place", "both in memory"])
def test_a_checkpoint_of_the_request(host: WebUI, twin: str, kept: int) -> None:
    override = {"override_settings": {"sd_model_checkpoint": twin}}
    with host.settings(sd_checkpoints_limit=kept):
        before = host.draw(stack(LORA)).pictures[0]
        for _ in range(2):
            ours = host.draw(stack(LORA), **override).pictures[0]
            theirs = host.draw(prompt=PROMPT + tag(LORA), **override).pictures[0]
            assert difference(ours, theirs) <= EQUAL
            assert np.array_equal(host.draw(stack(LORA)).pictures[0], before)


def test_a_refiner_wears_the_stack_too(host: WebUI, twin: str) -> None:
    """It takes over in the middle of one sampling; no hook of a script learns of it.

    With one checkpoint in memory the refiner is loaded into the first one's layers. A1111's own Lora draws
    something else then; ours draws the same.
    """
    refined = {"refiner_checkpoint": twin, "refiner_switch_at": 0.5, "n_iter": 2}
    with host.settings(sd_checkpoints_limit=2):
        plain = host.draw(**refined).pictures
        ours = host.draw(stack(LORA), **refined).pictures
        theirs = host.draw(prompt=PROMPT + tag(LORA), **refined).pictures
        assert max(map(difference, ours, theirs)) <= EQUAL
        assert difference(plain[0], host.plain()[0]) > SEEN
        assert difference(plain[0], ours[0]) > SEEN
        assert all(map(np.array_equal, host.draw(**refined).pictures, plain))
    with host.settings(sd_checkpoints_limit=1):
        assert all(map(np.array_equal, host.draw(stack(LORA), **refined).pictures, ours))
        assert all(map(np.array_equal, host.draw(**refined).pictures, plain))


def test_a_hires_checkpoint_wears_the_stack_too(host: WebUI, twin: str) -> None:
    request = {**HIRES, "hr_checkpoint_name": twin}
    plain = host.draw(**request).pictures[0]
    ours = host.draw(stack(LORA), **request).pictures[0]
    theirs = host.draw(prompt=PROMPT + tag(LORA), **request).pictures[0]
    assert difference(ours, theirs) <= EQUAL
    assert difference(plain, ours) > SEEN
    assert np.array_equal(host.draw(**request).pictures[0], plain)


def test_both_ways_of_applying_agree(host: WebUI) -> None:
    merged = host.draw(stack(LORA, SECOND)).pictures[0]
    with host.settings(lora_stack_mode="Least memory"):
        beside = host.draw(stack(LORA, SECOND)).pictures[0]
        on_top = host.draw(stack(LORA), prompt=PROMPT + tag(SECOND)).pictures[0]
        assert difference(merged, beside) <= EQUAL
        assert difference(merged, on_top) <= EQUAL
    assert np.array_equal(host.draw(stack(LORA, SECOND)).pictures[0], merged)


def test_settings_that_store_weights_otherwise(host: WebUI) -> None:
    """Eight-bit weights: ours is computed beside them, the WebUI's own is rounded into them once more."""
    if host.kind == "forge" or "cache_fp16_weight" not in host.options():
        pytest.skip("this WebUI has no such setting, or takes it and ignores it")
    plain = host.plain()[0]
    try:
        host.set(fp8_storage="Enable", cache_fp16_weight=True)
        changed = host.draw(stack(LORA)).pictures[0]
        effect = difference(changed, host.draw().pictures[0])
        assert effect > SEEN
        assert difference(changed, host.draw(prompt=PROMPT + tag(LORA)).pictures[0]) < effect / 2
    finally:
        host.set(fp8_storage="Disable", cache_fp16_weight=False)
    assert np.array_equal(host.draw().pictures[0], plain)


@pytest.mark.parametrize(("lora", "share"), [("", 0.5), (" (fp16 LoRA)", 0.01)], ids=["rounded", "beside"])
def test_weights_that_forge_stores_in_eight_bits(host: WebUI, lora: str, share: float) -> None:
    """Its own Lora is rounded into them, or computed beside them as ours always is: then they are the same.

    Over the API the model is loaded anew only where a setting of its memory changes too.
    """
    if host.kind != "forge":
        pytest.skip("not Forge")
    plain = host.plain()[0]
    with host.settings(forge_unet_storage_dtype=f"float8-e4m3fn{lora}", forge_inference_memory=1100):
        base = host.draw().pictures[0]
        assert difference(base, plain) > 0, "it stores them as before"
        ours = host.draw(stack(LORA)).pictures[0]
        theirs = host.draw(prompt=PROMPT + tag(LORA)).pictures[0]
        effect, distance = difference(ours, base), difference(ours, theirs)
        print(f"effect {effect:.2f}, to the WebUI's own {distance:.5f}")
        assert effect > SEEN
        assert distance < effect * share
        assert np.array_equal(host.draw().pictures[0], base)
    assert np.array_equal(host.draw().pictures[0], plain)


def test_the_builtin_computing_beside_the_weights(host: WebUI) -> None:
    """Its old mode merges nothing, and takes nothing back that we would have made it merge."""
    if host.kind == "forge":
        pytest.skip("Forge takes the setting and ignores it")
    plain = host.draw().pictures[0]
    with host.settings(lora_functional=True):
        theirs = host.draw(prompt=PROMPT + tag(LORA) + tag(SECOND)).pictures[0]
        ours = host.draw(stack(LORA), prompt=PROMPT + tag(SECOND)).pictures[0]
        assert difference(theirs, ours) <= EQUAL
        assert difference(ours, plain) > SEEN
        assert np.array_equal(host.draw().pictures[0], plain)
    assert np.array_equal(host.draw().pictures[0], plain)
