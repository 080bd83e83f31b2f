"""A run inside a run, the way ADetailer does it: it redraws faces with an object that our script never sees.

Before the first face it calls `postprocess` on a copy of the outer object, after the last one
`before_process` and `process` on another, with the model in between used by the inner object alone.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.demo.conftest import PROMPT, STEPS, Host

pytestmark = pytest.mark.demo

FACE: dict[str, Any] = {"seed": 4, "steps": STEPS, "width": 64, "height": 64, "denoising_strength": 0.9}
ROW = {"network": "clothing/mecha_suit", "weight": 1.2}


def args_of(*rows: dict[str, Any]) -> tuple[Any, ...]:
    """The host's list of arguments with ours filled in."""
    from modules import scripts

    script = next(s for s in scripts.scripts_txt2img.alwayson_scripts if s.title() == "LoRA Stack")
    args = [0] + [getattr(control, "value", None) for control in scripts.scripts_txt2img.inputs[1:]]
    args[script.args_from : script.args_to] = [bool(rows), json.dumps({"version": 1, "entries": rows})]
    return tuple(args)


def detailer(prompt: str = PROMPT) -> Callable[..., None]:
    """What ADetailer does to one picture."""

    def redraw(p: Any, pp: Any, *_: Any) -> None:
        from modules import processing

        if getattr(p, "_ad_inner", False):
            return
        p.scripts.postprocess(copy.copy(p), processing.Processed(p, []))
        inner = processing.StableDiffusionProcessingImg2Img(
            init_images=[pp.image],
            prompt=prompt,
            cfg_scale=5.0,
            sampler_name="Euler",
            do_not_save_samples=True,
            **FACE,
        )
        inner._ad_inner = True
        inner.scripts, inner.script_args = copy.copy(p.scripts), copy.deepcopy(p.script_args)
        inner.scripts.alwayson_scripts = []
        try:
            pp.image = processing.process_images(inner).images[0]
        finally:
            inner.close()
        p.scripts.before_process(copy.copy(p))
        p.scripts.process(copy.copy(p))

    return redraw


def in_two_steps(host: Host, args: tuple[Any, ...], prompt: str = PROMPT) -> np.ndarray:
    """The same picture, its face redrawn by hand."""
    picture = host.draw(args=args).images[0]
    return np.asarray(host.draw("img2img", args, init_images=[picture], prompt=prompt, **FACE).images[0])


def in_one(host: Host, args: tuple[Any, ...], prompt: str = PROMPT, **fields: Any) -> list[np.ndarray]:
    host.log.acting["postprocess_image"] = detailer(prompt)
    try:
        return [np.asarray(image) for image in host.draw(args=args, **fields).images]
    finally:
        host.log.acting.clear()


def test_a_face_is_drawn_with_the_rows_of_its_picture(host: Host) -> None:
    args = args_of(ROW)
    (face,) = in_one(host, args)
    assert np.array_equal(face, in_two_steps(host, args))
    assert not np.array_equal(face, in_one(host, args_of())[0])


def test_so_are_the_faces_of_the_next_batch(host: Host) -> None:
    args = args_of(ROW)
    first, second = in_one(host, args, n_iter=2)
    assert np.array_equal(first, in_one(host, args)[0])
    assert np.array_equal(second, in_one(host, args, seed=2)[0])


def test_the_tags_of_its_own_prompt_come_on_top(host: Host) -> None:
    prompt = "a girl <lora:neon:0.8>"
    (face,) = in_one(host, args_of(ROW), prompt)
    assert np.array_equal(face, in_two_steps(host, args_of(ROW), prompt))


def test_a_picture_without_rows_has_none_for_its_faces(host: Host) -> None:
    plain = in_two_steps(host, args_of())
    in_one(host, args_of(ROW))
    assert np.array_equal(in_one(host, args_of())[0], plain)


def test_the_face_is_told_of_with_its_picture(host: Host) -> None:
    """Rows for one of the two were said to have had no such pass, and the picture's own report was gone."""
    rows = ({**ROW, "passes": "base"}, {"network": "style/neon", "weight": 0.5, "passes": "detailer"})
    host.log.acting["postprocess_image"] = detailer("a girl <lora:ink:0.3>")
    drawn = host.draw(args=args_of(*rows), n_iter=2)
    told = json.loads(drawn.js())["extra_generation_params"]["LoRA Stack report"]
    assert [(entry["row"], entry["network"]) for entry in told["entries"]] == [
        (1, "clothing/mecha_suit"),
        (2, "style/neon"),
        (3, "style/ink"),
    ]
    assert not any("did not have" in note for note in told["notes"])
    status, body = host.call("/lora-stack/report?tab=txt2img")
    assert status == 200 and body["line"].startswith("3 of 3 applied")


def test_tags_of_a_face_alone_are_told_of_in_the_tab_of_its_picture(host: Host) -> None:
    host.log.acting["postprocess_image"] = detailer("a girl <lora:ink:0.3>")
    before = {tab: host.call(f"/lora-stack/report?tab={tab}")[1] for tab in ("txt2img", "img2img")}
    host.draw(args=args_of())
    after = {tab: host.call(f"/lora-stack/report?tab={tab}")[1] for tab in ("txt2img", "img2img")}
    assert after["img2img"].get("serial") == before["img2img"].get("serial")
    assert after["txt2img"]["line"].startswith("1 of 1 applied")
