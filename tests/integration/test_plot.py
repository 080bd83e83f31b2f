"""Our axes in the X/Y/Z plot: each cell is the picture of its stack, in both tabs."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from lib_lora.hosts.xyz import AXES, PREFIX
from tests.integration.server import Answer, Server
from tests.integration.small import SmallServer
from tests.integration.test_pictures import stack

pytestmark = pytest.mark.demo


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    return SmallServer(server.url)


ROWS = stack({"network": "clothing/mecha_suit", "weight": 0.8, "role": "clothing"}, ("style/neon", 0.5))
ONE = stack(("clothing/mecha_suit", 0.8))


def labels(server: Server, tab: str) -> list[str]:
    (info,) = [
        row
        for row in server.call("/sdapi/v1/script-info").body
        if row["name"] == "x/y/z plot" and row["is_img2img"] == (tab == "img2img")
    ]
    return list(info["args"][0]["choices"])


def plot(
    server: Server,
    axis: str,
    values: str,
    rows: Any = ROWS,
    *,
    y: tuple[str, str] = ("Nothing", ""),
    **request: Any,
) -> Answer:
    tab = request.get("route", "txt2img")
    known = labels(server, tab)
    args = [known.index(f"[LoRA Stack] {axis}"), values, [], known.index(y[0]), y[1], [], 0, "", []]
    args += [False, True, False, False, False, False, False, 0, True]
    enabled = request.pop("enabled", True)
    return server.draw(rows, enabled=enabled, script_name="X/Y/Z plot", script_args=args, **request)


def cells(answer: Answer) -> tuple[str, ...]:
    assert answer.status == 200, answer.body
    return answer.pixels[1:]


@pytest.mark.parametrize("tab", ["txt2img", "img2img"])
def test_the_axes_are_there_once(server: Server, tab: str) -> None:
    ours = [label for label in labels(server, tab) if label.startswith("[LoRA Stack]")]
    assert sorted(ours) == sorted(PREFIX + label for label, _, _ in AXES)


@pytest.mark.parametrize("tab", ["txt2img", "img2img"])
def test_weights_of_a_row_with_a_baseline(server: Server, tab: str) -> None:
    request: dict[str, Any] = {"route": tab}
    if tab == "img2img":
        request |= {"init_images": server.draw().body["images"], "denoising_strength": 0.7}
    drawn = cells(plot(server, "Weight", "1: None, 0-0.8 [2]", **request))
    without = server.draw(stack(("style/neon", 0.5)), **request).pixels[0]
    full = server.draw(ROWS, **request).pixels[0]
    assert drawn == (without, without, full)


def test_the_legend_names_the_files(server: Server) -> None:
    answer = plot(server, "Weight", "1: None, 0.8")
    assert answer.info["extra_generation_params"]["X labels"] == ["without mecha_suit", "mecha_suit: 0.8"]
    assert '\\"weight\\":0.8' in answer.info["infotexts"][2]


def test_parts_roles_and_the_prompt_s_cache(server: Server) -> None:
    """AddNet: the second and third cell had the first one's text encoder, from the host's cache."""
    drawn = cells(plot(server, "Text encoder weight", "clothing: 0, 1.5"))
    rows = [{**ROWS["entries"][0], "te": te} for te in (0, 1.5)]
    assert drawn == tuple(server.draw(stack(row, ("style/neon", 0.5))).pixels[0] for row in rows)
    assert drawn[0] != drawn[1]


def test_networks_by_row_and_from_the_list(server: Server) -> None:
    names = ("clothing/mecha_suit", "style/neon")
    expected = tuple(server.draw(stack((name, 0.8))).pixels[0] for name in names)
    assert cells(plot(server, "Network", "mecha_suit, neon", ONE)) == expected
    assert cells(plot(server, "Network of row 1", "clothing/mecha_suit, style/neon", ONE)) == expected


def test_leave_one_out_and_switches(server: Server) -> None:
    both, no_mecha, no_neon = (
        server.draw(what).pixels[0]
        for what in (ROWS, stack(("style/neon", 0.5)), stack(("clothing/mecha_suit", 0.8)))
    )
    assert cells(plot(server, "Leave one out", "each")) == (both, no_mecha, no_neon)
    assert cells(plot(server, "On or off", "2: on, off")) == (both, no_neon)


def test_an_axis_switches_the_panel_on(server: Server) -> None:
    assert cells(plot(server, "Weight", "0.8", ONE, enabled=False)) == (server.draw(ONE).pixels[0],)


def test_two_axes_of_ours_and_the_host_s(server: Server) -> None:
    drawn = cells(plot(server, "Weight", "1: 0.3, 0.8", y=("[LoRA Stack] Weight", "2: 0.2")))
    rows = [stack(("clothing/mecha_suit", weight), ("style/neon", 0.2)) for weight in (0.3, 0.8)]
    assert drawn == tuple(server.draw(row).pixels[0] for row in rows)
    seeds = cells(plot(server, "Weight", "1: 0.8", y=("Seed", "6")))
    assert seeds == (server.draw(ROWS, seed=6).pixels[0],)


@pytest.mark.parametrize(
    ("axis", "values", "named"),
    [
        pytest.param("Weight", "0.5", "2 rows", id="which of two"),
        pytest.param("Weight", "3: 0.5", "no row 3", id="no such row"),
        pytest.param("Weight", "1: strong", "strong", id="no number"),
        pytest.param("Network", "1: mecha_sut", "'mecha_suit'", id="unknown name with the nearest"),
    ],
)
def test_what_no_cell_can_draw_is_said_before_the_first(
    server: Server, axis: str, values: str, named: str
) -> None:
    answer = plot(server, axis, values)
    assert answer.status == 422, answer.body
    assert named in answer.body["detail"]


def test_rows_of_presets_in_the_place_of_an_empty_panel(server: Server) -> None:
    body = json.dumps({"name": "both", "stack": json.dumps(ROWS)}).encode()
    headers = {"Content-Type": "application/json", "X-LoRA-Stack": "test"}
    urllib.request.urlopen(urllib.request.Request(f"{server.url}/lora-stack/presets", body, headers)).close()
    answer = plot(
        server, "Weight", "2: 0.9", [], y=("[LoRA Stack] Stack preset", "None, both"), enabled=False
    )
    rows = stack(ROWS["entries"][0], ("style/neon", 0.9))
    assert cells(answer) == (server.draw().pixels[0], server.draw(rows).pixels[0])
    assert answer.info["extra_generation_params"]["X labels"] == ["neon: 0.9"]


def test_a_plot_leaves_the_next_picture_alone(server: Server) -> None:
    plain = server.draw().pixels
    plot(server, "Weight", "1: 0.3")
    assert server.draw().pixels == plain
