"""What the page's buttons run, without a browser."""

from __future__ import annotations

import base64
import io
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.demo.conftest import Host

pytestmark = pytest.mark.demo

ERRORS = "<div class='error'>"


def handler(name: str) -> tuple[Callable[..., tuple], list[Any]]:
    """The function behind a Generate button, and the components it reads."""
    from modules import shared

    page = shared.demo
    if isinstance(page.fns, dict):  # gradio 4
        found = next(function for function in page.fns.values() if function.name == name)
        return found.fn, found.inputs
    number = next(number for number, function in enumerate(page.fns) if function.name == name)
    return page.fns[number].fn, [page.blocks[block] for block in page.dependencies[number]["inputs"]]


def page_values(tab: str, **changes: object) -> list[object]:
    """Values of a freshly opened page, as its Generate button would send them."""
    values = []
    for block in handler(tab)[1]:
        key = (block.elem_id or "").removeprefix(f"{tab}_")
        values.append(block.preprocess(changes.get(key, getattr(block, "value", None))))
    return ["task(test)", *values[1:]]


@pytest.fixture
def small() -> dict[str, object]:
    return {"prompt": "a girl", "steps": 2, "width": 64, "height": 64, "seed": 3}


def press(tab: str, values: list[object]) -> tuple:
    return handler(tab)[0](*values)


def test_generate_makes_files_and_texts(host: Host, small: dict) -> None:
    files, info, text, log = press("txt2img", page_values("txt2img", **small))
    info = json.loads(info)
    assert info["all_seeds"] == [3]
    assert "Seed: 3" in text
    assert "Time taken" in log
    with Image.open(files[0]) as image:
        assert image.info["parameters"] == info["infotexts"][0]


def test_errors_are_shown_and_the_next_picture_is_made(host: Host, small: dict, monkeypatch) -> None:
    from modules import processing

    def fail(p):
        raise ValueError("no <conds> today")

    monkeypatch.setattr(processing.StableDiffusionProcessingTxt2Img, "setup_conds", fail)
    files, _, _, log = press("txt2img", page_values("txt2img", **small))
    assert files is None
    assert log.startswith(ERRORS + "ValueError: no &lt;conds&gt; today</div>")
    monkeypatch.undo()
    assert press("txt2img", page_values("txt2img", **small))[0]


def test_img2img_without_a_picture_says_so(host: Host) -> None:
    log = press("img2img", page_values("img2img", steps=2))[-1]
    assert "needs a picture" in log
    values = page_values("img2img", steps=2, selected_tab=2)
    assert "needs a picture" in press("img2img", values)[-1]


def test_progress_of_a_task(host: Host, small: dict) -> None:
    from modules import progress

    seen = []
    host.log.acting["cfg_after_cfg"] = lambda params: seen.append(
        progress.progress_of("task(test)", -1, True)
    )
    press("txt2img", page_values("txt2img", **{**small, "steps": 3}))
    assert [answer["step"] for answer in seen] == [1, 1, 2]
    assert all(answer["active"] for answer in seen)
    assert seen[0]["progress"] < seen[2]["progress"] < 1
    assert progress.progress_of("task(test)", -1, True)["completed"]


def test_the_head_carries_our_and_the_extensions_scripts_and_no_other_server(host: Host) -> None:
    with urllib.request.urlopen(host.url + "/") as response:
        page = response.read().decode()
    scripts = [part.split('"')[0] for part in page.split('src="')[1:]]
    names = [Path(source.split("?")[0]).name for source in scripts if source.startswith("file=")]
    assert names.index("script.js") == 0
    assert len(names) > 3
    for server in ("googleapis", "gstatic", "cloudflare"):
        assert server not in page
    first = next(source for source in scripts if source.startswith("file="))
    with urllib.request.urlopen(f"{host.url}/{first}") as response:
        assert b"gradioApp" in response.read()


@pytest.mark.parametrize("path", ["/etc/hostname", "../../../etc/hostname"])
def test_only_own_pictures_are_sent_on(host: Host, path: str) -> None:
    from modules.ui_common import _chosen

    info = json.dumps({"infotexts": ["text"], "files": [path]})
    assert _chosen(info, 0) == ("text", None)


def test_png_info_reads_what_was_written(host: Host, small: dict) -> None:
    from modules.ui import run_pnginfo

    file = press("txt2img", page_values("txt2img", **small))[0][0]
    with Image.open(file) as image:
        shown, text = run_pnginfo(image)
    assert text.startswith("a girl")
    assert "Seed: 3" in shown
    assert run_pnginfo(Image.new("RGB", (8, 8))) == ("<p>Nothing found in the image.</p>", "")


def test_settings_show_options_of_extensions_and_keep_them(host: Host) -> None:
    from modules import shared

    assert "samples_save" in shared.settings_components
    assert any(key.startswith("lora_stack") for key in shared.settings_components)
    saved = Path(shared.config_filename)
    shared.opts.set("CLIP_stop_at_last_layers", 2)
    shared.opts.save(saved)
    assert json.loads(saved.read_text())["CLIP_stop_at_last_layers"] == 2
    saved.unlink()


def test_other_sites_may_not_read_the_answers(host: Host) -> None:
    request = urllib.request.Request(
        host.url + "/sdapi/v1/samplers", headers={"Origin": "https://example.org"}
    )
    with urllib.request.urlopen(request) as response:
        assert "access-control-allow-origin" not in {name.lower() for name in response.headers}


def test_a_painted_mask_comes_as_a_data_address(host: Host) -> None:
    from modules.img2img import read_painted_mask

    buffer = io.BytesIO()
    Image.new("RGBA", (16, 16), "white").save(buffer, format="PNG")
    address = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    mask = read_painted_mask(address, (64, 32))
    assert (mask.mode, mask.size, mask.getextrema()) == ("L", (64, 32), (255, 255))
    assert read_painted_mask("", (64, 32)) is None


def test_a_copy_of_a_switch_for_its_new_value_makes_no_second_accordion(host: Host) -> None:
    """gradio 4 makes one for every value that is pasted."""
    from modules.ui_components import InputAccordion

    copy = InputAccordion(True, label="x", elem_id="txt2img_hr", render=False)
    assert copy.elem_id == "txt2img_hr-checkbox"
    assert not hasattr(copy, "accordion")


def test_the_switch_of_an_accordion_is_a_hidden_check_box(host: Host) -> None:
    from modules import shared

    blocks = {
        block.elem_id: block for block in shared.demo.blocks.values() if getattr(block, "elem_id", None)
    }
    switch, accordion = blocks["txt2img_hr-checkbox"], blocks["txt2img_hr"]
    assert switch.visible is False
    assert switch.value is False
    assert switch.get_block_name() == "checkbox"
    assert accordion.get_block_name() == "accordion"
    config = next(row for row in shared.demo.config["components"] if row["id"] == switch._id)
    assert config["props"]["label"] == "Hires. fix"
    assert config["props"]["visible"] is False


def test_reload_runs_everything_again_once(host: Host) -> None:
    from app import page
    from modules import shared

    before = [event for event in host.start_events if event not in ("list_optimizers", "list_unets")]
    page.reload(shared.demo)
    events = [event for event in host.log.events if event not in ("list_optimizers", "list_unets")]
    assert events == ["script_unloaded", *before]
    host.log.events.clear()
    host.draw(steps=1)
    assert host.log.events.count("process") == 1
    assert host.log.events.count("cfg_denoiser") == 1
    assert host.call("/sdapi/v1/scripts")[0] == 200
