"""Scripts of the WebUI that draw many pictures with one request: plots, loopback, prompts from a list."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.real.compare import EQUAL, SEEN, tag
from tests.real.test_equality import LORA, SECOND
from tests.real.webui import PROMPT, Answer, WebUI, difference, stack

ROWS = stack(LORA, SECOND)


def picture(host: WebUI, tab: str) -> dict[str, Any]:
    """What a request of a tab needs besides the prompt."""
    if tab == "txt2img":
        return {}
    return {"init_images": [host.draw().body["images"][0]], "denoising_strength": 0.8, "route": tab}


def arguments(host: WebUI, tab: str) -> list[dict[str, Any]]:
    """What the plot of a tab asks for: reForge's asks for more than A1111's."""
    known = host.call("/sdapi/v1/script-info").body
    found = [row for row in known if row["name"] == "x/y/z plot"]
    (info,) = [row for row in found if row["is_img2img"] == (tab == "img2img")]
    return list(info["args"])


def axes(host: WebUI, tab: str) -> list[str]:
    """The kinds of axes that the plot of a tab offers."""
    return list(arguments(host, tab)[0]["choices"])


def plot(host: WebUI, tab: str, x: tuple[str, str], y: tuple[str, str] = ("Nothing", "")) -> Answer:
    """Draw a plot over axes, by their labels and values; the pictures are the grid and its cells."""
    known = axes(host, tab)
    args = [known.index(x[0]), x[1], [], known.index(y[0]), y[1], [], 0, "", []]
    chosen = {"Draw legend": False, "Include Sub Images": True, "Use text inputs instead of dropdowns": True}
    args += [chosen.get(arg["label"], arg["value"]) for arg in arguments(host, tab)[len(args) :]]
    return host.draw(ROWS, script_name="X/Y/Z plot", script_args=args, **picture(host, tab))


@pytest.mark.parametrize("tab", ["txt2img", "img2img"])
def test_a_plot_of_weights(host: WebUI, tab: str) -> None:
    """Each cell is the picture of its stack, `None` the one without the row."""
    ours = [label for label in axes(host, tab) if label.startswith("[LoRA Stack]")]
    assert len(ours) == len(set(ours)) > 0
    answer = plot(host, tab, ("[LoRA Stack] Weight", "1: None, 0.3, 0.8"))
    cells = answer.pictures[1:4]
    rows = [stack(SECOND), stack(("real_lora", 0.3), SECOND), ROWS]
    for cell, row in zip(cells, rows, strict=True):
        assert np.array_equal(cell, host.draw(row, **picture(host, tab)).pictures[0])
    assert difference(cells[0], cells[2]) > SEEN
    assert np.array_equal(host.draw().pictures[0], host.plain()[0])


def test_a_plot_of_text_encoder_weights_and_files(host: WebUI) -> None:
    """AddNet: from the second cell on the text encoder was that of the first."""
    answer = plot(
        host,
        "txt2img",
        ("[LoRA Stack] Text encoder weight", "1: 0, 1.5"),
        ("[LoRA Stack] Network", "2: real-suite/real_second, real-suite/real_unet"),
    )
    cells = iter(answer.pictures[1:5])
    for name in ("real_second", "real_unet"):
        for te in (0, 1.5):
            row = {"network": "real_lora", "weight": 0.8, "te": te}
            expected = host.draw(stack(row, (name, SECOND[1]))).pictures[0]
            assert np.array_equal(next(cells), expected)


def test_an_axis_of_the_webui_beside_ours(host: WebUI) -> None:
    answer = plot(host, "txt2img", ("[LoRA Stack] Leave one out", "each"), ("Seed", "5,6"))
    expected = [
        host.draw(row, seed=seed).pictures[0] for seed in (5, 6) for row in (ROWS, stack(SECOND), stack(LORA))
    ]
    assert all(map(np.array_equal, answer.pictures[1:7], expected))


def test_loopback(host: WebUI) -> None:
    """Every loop starts from the last one's picture, with the same object."""
    request = {
        **picture(host, "img2img"),
        "script_name": "Loopback",
        "script_args": [2, 0.6, "Linear", "None"],
    }
    tagged = PROMPT + tag(LORA)
    host.draw(prompt=tagged, **request)  # A1111's own Lora draws the first one otherwise than all that follow
    theirs = host.draw(prompt=tagged, **request).pictures
    ours = host.draw(stack(LORA), **request).pictures
    plain = host.draw(**request).pictures
    assert len(ours) == len(theirs) == len(plain) >= 2
    assert max(map(difference, ours, theirs)) <= EQUAL
    assert min(map(difference, ours, plain)) > SEEN
    assert np.array_equal(host.draw().pictures[0], host.plain()[0])


def test_prompts_from_a_list(host: WebUI) -> None:
    """Each line stands before the prompt, drawn by a copy of the request; one brings a tag of its own."""
    lines = ["at night", f"a boy, blue hair {tag(SECOND)}", "a boy, blue hair"]
    request = {
        "script_name": "Prompts from file or textbox",
        "script_args": [False, False, "start", "\n".join(lines)],
    }
    drawn = host.draw(stack(LORA), **request).pictures[-len(lines) :]
    for cell, line in zip(drawn, lines, strict=True):
        assert np.array_equal(cell, host.draw(stack(LORA), prompt=f"{line} {PROMPT}").pictures[0])
