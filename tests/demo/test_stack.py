"""A stack in the host, seen from inside: refiners, exchanged samplers, the report."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from tests.demo.conftest import PROMPT, ROOT, Host

pytestmark = pytest.mark.demo
FOLDER = ROOT / "demo" / "models" / "checkpoint"
HIRES = {
    "enable_hr": True,
    "hr_scale": 1.5,
    "denoising_strength": 0.6,
    "hr_second_pass_steps": 4,
}
REFINED = {"steps": 4, "refiner_checkpoint": "second", "refiner_switch_at": 0.5}


@pytest.fixture
def second(host: Host, tmp_path: Path) -> Iterator[None]:
    """Another checkpoint, known to the host as `second` and kept beside the first."""
    from modules import sd_checkpoints, sd_models, shared

    state = load_file(FOLDER / "tiny.safetensors")
    state["model.diffusion_model.out.2.bias"] = state["model.diffusion_model.out.2.bias"] + 0.5
    save_file(state, tmp_path / "second.safetensors")
    (tmp_path / "second.yaml").write_text((FOLDER / "tiny.yaml").read_text())
    (tmp_path / "text_config").mkdir()
    (tmp_path / "text_config" / "config.json").write_text(
        (FOLDER / "text_config" / "config.json").read_text()
    )
    shared.opts.data["sd_checkpoints_limit"] = 2
    sd_models.CheckpointInfo(str(tmp_path / "second.safetensors")).register()
    yield
    sd_checkpoints.list_models()
    sd_models.reload_model_weights(info=sd_checkpoints.get_closet_checkpoint_match("tiny"))


def wears(model: Any) -> bool:
    """Tell whether layers of ours stand in a model's UNet."""
    return any("forward" in vars(module) for module in model.model.diffusion_model.modules())


def with_stack() -> tuple[Any, ...]:
    from modules import scripts

    (script,) = [s for s in scripts.scripts_txt2img.alwayson_scripts if s.title() == "LoRA Stack"]
    defaults = [getattr(control, "value", None) for control in scripts.scripts_txt2img.inputs[1:]]
    args = [0, *defaults]
    args[script.args_from : script.args_from + 2] = [True, json.dumps([{"network": "clothing/mecha_suit"}])]
    return tuple(args)


@pytest.fixture
def seen(host: Host) -> list[tuple[str, bool]]:
    """What every step was computed with: the checkpoint's name, and whether it wore the stack."""
    from modules import shared

    found: list[tuple[str, bool]] = []
    host.log.acting["cfg_denoiser"] = lambda params: found.append(
        (shared.sd_model.sd_checkpoint_info.model_name, wears(shared.sd_model))
    )
    return found


def models() -> list[Any]:
    from modules import sd_models

    return list(sd_models.model_data.loaded_sd_models)


@pytest.mark.parametrize("way", ["announced by new prompts", "without a word"])
def test_a_refiner_wears_the_stack_too(
    host: Host, second: None, seen: list[tuple[str, bool]], way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No hook of a script hears of it; the second way not even encodes the prompts again."""
    if way == "without a word":
        from modules import processing

        whole = processing.StableDiffusionProcessingTxt2Img.setup_conds
        monkeypatch.setattr(
            processing.StableDiffusionProcessingTxt2Img,
            "setup_conds",
            lambda p: whole(p) if p.c is None else None,
        )
    plain = host.draw(**REFINED).images[0].tobytes()
    seen.clear()
    drawn = host.draw(args=with_stack(), **REFINED)
    assert seen == [("tiny", True)] * 2 + [("second", True)] * 2
    assert drawn.images[0].tobytes() != plain
    assert len(models()) == 2 and not any(map(wears, models()))
    assert host.draw(**REFINED).images[0].tobytes() == plain


def test_a_refiner_loaded_into_the_same_layers(
    host: Host, second: None, seen: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one checkpoint in memory every module stays and every weight changes."""
    from modules import shared

    both_kept = host.draw(args=with_stack(), n_iter=2, **REFINED)
    plain = host.draw(**REFINED).images[0].tobytes()
    shared.opts.data["sd_checkpoints_limit"] = 1
    seen.clear()
    drawn = host.draw(args=with_stack(), n_iter=2, **REFINED)
    assert seen == ([("tiny", True)] * 2 + [("second", True)] * 2) * 2
    assert [i.tobytes() for i in drawn.images] == [i.tobytes() for i in both_kept.images]
    assert not any(map(wears, models()))
    assert host.draw(**REFINED).images[0].tobytes() == plain


@pytest.mark.parametrize(
    ("refined", "expected"),
    [
        pytest.param("first pass", ["tiny", "second", "tiny", "tiny"], id="first"),
        pytest.param("second pass", ["tiny", "tiny", "tiny", "second"], id="second"),
        pytest.param("both passes", ["tiny", "second", "tiny", "second"], id="both"),
    ],
)
def test_a_refiner_of_either_pass(
    host: Host, second: None, seen: list[tuple[str, bool]], refined: str, expected: list[str]
) -> None:
    """The second pass begins with the request's own checkpoint again."""
    from modules import shared

    shared.opts.data["hires_fix_refiner_pass"] = refined
    host.draw(args=with_stack(), **{**REFINED, **HIRES, "denoising_strength": 1.0})
    first, last = seen[: REFINED["steps"]], seen[REFINED["steps"] :]
    halves = [first[:2], first[2:], last[:2], last[2:]]
    assert [{name for name, _ in half} for half in halves] == [{name} for name in expected]
    assert all(worn for _, worn in seen)
    assert not any(map(wears, models()))


def test_a_checkpoint_of_the_second_pass(host: Host, second: None, seen: list[tuple[str, bool]]) -> None:
    request = {**HIRES, "hr_checkpoint_name": "second"}
    plain = host.draw(**request).images[0].tobytes()
    seen.clear()
    drawn = host.draw(args=with_stack(), n_iter=2, **request)
    names = [name for name, _ in seen]
    assert names[:2] == ["tiny"] * 2 and names[len(names) // 2 - 1] == "second" == names[-1]
    assert all(worn for _, worn in seen)
    assert drawn.images[0].tobytes() != plain
    assert host.draw(**request).images[0].tobytes() == plain


def test_a_model_put_away_between_pictures(host: Host) -> None:
    """Another object, with weights of its own: nothing of the last one may be used."""
    from modules import scripts, sd_models

    plain, usual = host.draw().images[0].tobytes(), host.draw(args=with_stack()).images[0].tobytes()
    door = next(data.module.door for data in scripts.scripts_data if hasattr(data.module, "door"))
    kept = door._opened.lifecycle._session._store
    assert kept
    sd_models.unload_model_weights()
    assert not kept, "unloading is for the memory"
    sd_models.load_model()
    assert host.draw(args=with_stack()).images[0].tobytes() == usual
    assert host.draw().images[0].tobytes() == plain


@pytest.mark.parametrize("way", ["an error", "an interruption"])
def test_a_run_that_ends_early(host: Host, way: str) -> None:
    """The host's last hooks do not run then; the next picture is as if nothing had been."""
    from modules import shared

    plain = host.draw().images[0].tobytes()
    if way == "an error":
        root = shared.sd_model.model.diffusion_model
        hook = root.register_forward_hook(lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            host.draw(args=with_stack())
        hook.remove()
    else:
        host.log.acting["cfg_after_cfg"] = lambda params: shared.state.interrupt()
        host.draw(args=with_stack())
        del host.log.acting["cfg_after_cfg"]
    assert not any(map(wears, models()))
    assert host.draw().images[0].tobytes() == plain


def test_the_same_object_again_and_again(host: Host) -> None:
    """As loopback and the batch tab do; the panel may have been switched off in between."""
    from modules import processing, scripts

    p = processing.StableDiffusionProcessingTxt2Img(
        prompt=PROMPT, seed=1, steps=2, width=64, height=64, cfg_scale=5.0, sampler_name="Euler"
    )
    p.do_not_save_samples = True
    p.scripts, drawn = scripts.scripts_txt2img, []
    plain = (0, *(getattr(control, "value", None) for control in p.scripts.inputs[1:]))
    for args in (with_stack(), plain, with_stack()):
        p.script_args = args
        drawn.append(processing.process_images(p).images[0].tobytes())
    assert drawn[0] == drawn[2] != drawn[1]
    assert drawn[1] == host.draw(steps=2).images[0].tobytes()
    p.close()


def test_a_sampler_exchanged_on_the_object(host: Host, seen: list[tuple[str, bool]]) -> None:
    """As img2imgalt does: the host then calls past the class's method."""
    usual = host.draw(args=with_stack()).images[0].tobytes()
    seen.clear()

    def exchange(p: Any, *args: Any) -> None:
        p.sample = functools.partial(type(p).sample.__wrapped__, p)

    host.log.acting["process"] = exchange
    assert host.draw(args=with_stack()).images[0].tobytes() == usual
    assert all(worn for _, worn in seen)
    assert not any(map(wears, models()))


def test_hires_tags_on_little_memory(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host then activates and encodes the second pass's tags before the first pass, and goes back."""
    from modules import shared

    request = {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.6, "hr_second_pass_steps": 2}
    request |= {"prompt": f"{PROMPT}<lora:mecha_suit:0.8>", "hr_prompt": f"{PROMPT}<lora:neon:1>"}
    usual = host.draw(**request).images[0].tobytes()
    monkeypatch.setattr(shared.sd_model, "lowvram", True)
    assert host.draw(**request).images[0].tobytes() == usual
    assert host.draw(**{**request, "hr_prompt": PROMPT}).images[0].tobytes() != usual
    assert not any(map(wears, models()))


def test_a_nested_run_without_our_script_has_its_own_tags(host: Host) -> None:
    """ADetailer draws faces in the middle of a run, with prompts of its own and without our script."""
    from modules import processing

    request = {"prompt": f"{PROMPT}<lora:neon:1>", "seed": 3, "steps": 2}
    expected = host.draw(**request).images[0].tobytes()
    usual = host.draw(args=with_stack(), n_iter=2)
    inner = []

    def nested(p: Any, pp: Any, *args: Any) -> None:
        twin = processing.StableDiffusionProcessingTxt2Img(
            width=64, height=64, cfg_scale=5.0, sampler_name="Euler", do_not_save_samples=True, **request
        )
        inner.append(processing.process_images(twin).images[0].tobytes())

    host.log.acting["postprocess_image"] = nested
    drawn = host.draw(args=with_stack(), n_iter=2)
    assert inner == [expected] * 2
    assert [i.tobytes() for i in drawn.images] == [i.tobytes() for i in usual.images]


def test_the_report_is_in_the_answer_and_not_in_the_picture(host: Host) -> None:
    processed = host.draw(args=with_stack())
    report = json.loads(processed.js())["extra_generation_params"]["LoRA Stack report"]
    assert [entry["network"] for entry in report["entries"]] == ["clothing/mecha_suit"]
    assert report["unet_calls"] > 0 and report["mode"] == "merged"
    assert "LoRA Stack: " in processed.infotexts[0]
    assert "report" not in processed.infotexts[0]
    assert "LoRA Stack report" not in host.draw().extra_generation_params


def test_reload_doubles_nothing(host: Host) -> None:
    from app import page
    from modules import extra_networks, scripts, shared

    request = {"prompt": f"{PROMPT}<lora:mecha_suit:0.8>"}
    usual = host.draw(**request).images[0].tobytes()
    before = extra_networks.extra_network_registry["lora"]
    page.reload(shared.demo)
    assert "activate" not in vars(before)
    assert host.draw(**request).images[0].tobytes() == usual
    (plot,) = [data.module for data in scripts.scripts_data if data.path.endswith("xyz_grid.py")]
    ours = [option.label for option in plot.axis_options if option.label.startswith("[LoRA Stack]")]
    assert ours and len(ours) == len(set(ours))
    titles = [script.title() for script in scripts.scripts_txt2img.alwayson_scripts]
    assert len(titles) == len(set(titles))
