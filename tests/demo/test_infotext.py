"""The text under a picture goes out and comes back: quoting, parsing, pasting into the page."""

from __future__ import annotations

import pytest

from tests.demo.conftest import Host

pytestmark = pytest.mark.demo

HOSTILE = 'a "quoted", value: with\nlines \\ and 128x64 {"json": [1, 2]}'


def test_round_trip_of_a_script_value(host: Host) -> None:
    from modules.infotext_utils import parse_generation_parameters

    host.log.acting["process"] = lambda p, *args: p.extra_generation_params.update(
        {"Probe text": HOSTILE, "Plain": 3}
    )
    processed = host.draw(prompt="first line\nsecond line", negative_prompt="bad, worse", steps=1)
    params = parse_generation_parameters(processed.infotexts[0])
    assert params["Probe text"] == HOSTILE
    assert params["Plain"] == "3"
    assert params["Prompt"] == "first line\nsecond line"
    assert params["Negative prompt"] == "bad, worse"
    assert (params["Size-1"], params["Size-2"]) == ("64", "64")
    assert params["Sampler"] == "Euler"


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("plain", "plain"),
        ("a,b", '"a,b"'),
        ("a:b", '"a:b"'),
        ("a\nb", '"a\\nb"'),
        (1.5, "1.5"),
        ('say "x"', 'say "x"'),
    ],
    ids=["plain", "comma", "colon", "line", "number", "quotes alone stay"],
)
def test_only_what_breaks_the_line_is_quoted(host: Host, value: object, quoted: str) -> None:
    from modules.infotext_utils import quote, unquote

    assert quote(value) == quoted
    assert unquote(quoted) == str(value)


def test_values_may_be_lists_or_functions(host: Host) -> None:
    def act(p, *args):
        p.extra_generation_params["Per picture"] = ["one", "two"]
        p.extra_generation_params["Made"] = lambda p, index, **kwargs: f"number {index}"
        p.extra_generation_params["Nothing"] = None

    host.log.acting["process"] = act
    first, second = host.draw(batch_size=2, steps=1).infotexts
    assert "Per picture: one" in first
    assert "Per picture: two" in second
    assert "Made: number 1" in second
    assert "Nothing" not in first


def test_pasting_fills_fields_of_the_host_and_of_scripts(host: Host) -> None:
    from modules import infotext_utils

    translation = {"Probe text": "translated"}
    host.log.acting["infotext_pasted"] = lambda text, params: params.update(translation)
    text = (
        "a boy\nNegative prompt: rain\n"
        "Steps: 7, Sampler: Euler a, CFG scale: 3.5, Seed: 42, Size: 192x64, "
        "Denoising strength: 0.4, Hires upscale: 2, Hires upscaler: Latent, "
        "Probe switch: True, Probe text: old"
    )
    params = infotext_utils.read_params(text)
    values = {}
    for field in infotext_utils.paste_fields["txt2img"]["fields"]:
        update = infotext_utils.value_for(field[0], field[1], params)
        values[field[0].elem_id] = update.get("value", "untouched")
    assert values["txt2img_prompt"] == "a boy"
    assert values["txt2img_neg_prompt"] == "rain"
    assert values["txt2img_steps"] == 7
    assert values["txt2img_sampling"] == "Euler a"
    assert values["txt2img_cfg_scale"] == 3.5
    assert values["txt2img_seed"] == 42
    assert (values["txt2img_width"], values["txt2img_height"]) == (192, 64)
    assert values["txt2img_hr-checkbox"] is True
    assert values["txt2img_hr_scale"] == 2
    assert values["txt2img_denoising_strength"] == 0.4
    assert values["probe_switch_False"] is True
    assert values["probe_text_False"] == "translated"
    assert values["txt2img_subseed"] == "untouched"


def test_a_text_without_hires_switches_it_off(host: Host) -> None:
    from modules import infotext_utils

    params = infotext_utils.read_params("a boy\nSteps: 7, Sampler: Euler a, Seed: 42")
    fields = {field[0].elem_id: field for field in infotext_utils.paste_fields["txt2img"]["fields"]}
    component, key = fields["txt2img_hr-checkbox"][:2]
    assert infotext_utils.value_for(component, key, params)["value"] is False


def test_text_without_parameters_is_a_prompt(host: Host) -> None:
    from modules.infotext_utils import parse_generation_parameters

    assert parse_generation_parameters("only words, nothing else")["Prompt"] == "only words, nothing else"


def test_the_infotext_makes_the_same_picture_again(host: Host) -> None:
    from modules.infotext_utils import parse_generation_parameters

    first = host.draw(seed=11, cfg_scale=3.0, sampler_name="DPM++ 2M", enable_hr=True, denoising_strength=0.6)
    params = parse_generation_parameters(first.infotexts[0])
    again = host.draw(
        prompt=params["Prompt"],
        seed=int(params["Seed"]),
        steps=int(params["Steps"]),
        cfg_scale=float(params["CFG scale"]),
        sampler_name=params["Sampler"],
        width=int(params["Size-1"]),
        height=int(params["Size-2"]),
        enable_hr="Hires upscale" in params,
        hr_scale=float(params["Hires upscale"]),
        denoising_strength=float(params["Denoising strength"]),
    )
    assert again.images[0].tobytes() == first.images[0].tobytes()
