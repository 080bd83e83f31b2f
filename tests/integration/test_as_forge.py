"""The demo in the manner of Forge, with which `tests/real` compares pictures of a real one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.integration.server import Server, serve
from tests.real.inputs import inpaint, picture_of
from tests.real.test_equality import HIRES
from tests.real.webui import WebUI, stack

pytestmark = pytest.mark.demo
MECHA = "clothing/mecha_suit"


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebUI]:
    for server in serve(tmp_path_factory.mktemp("as-forge"), as_forge=True):
        yield WebUI(server.url, "forge")


def test_it_rounds_noise_levels(forge: WebUI, server: Server) -> None:
    rounded, exact = forge.draw(**HIRES).pictures[0], WebUI(server.url, "a1111").draw(**HIRES).pictures[0]
    with forge.settings(enable_quantization=False):
        assert np.array_equal(forge.draw(**HIRES).pictures[0], exact)
    assert not np.array_equal(rounded, exact)


@pytest.mark.parametrize("only_masked", [False, True])
def test_it_inpaints_with_noise_and_a_row_keeps_to_its_mask(forge: WebUI, only_masked: bool) -> None:
    init = forge.draw().body["images"][0]
    request = {"init_images": [init], "denoising_strength": 0.8, "route": "img2img", **inpaint(only_masked)}
    plain = forge.draw(**request).pictures[0]
    row = stack({"network": MECHA, "weight": 1.0, "region": "inpaint"})
    changed = forge.draw(row, **request).pictures[0]
    outside = picture_of(request["mask"]) == 0
    assert np.array_equal(plain[outside], changed[outside])
    assert np.abs(plain - changed)[~outside].mean() > 1
    assert np.array_equal(forge.draw(**request).pictures[0], plain)
    # Without a picture made from words before it the generator stands elsewhere.
    assert not np.array_equal(WebUI(forge.url, "a1111").draw(**request).pictures[0], plain)


def test_settings_that_its_api_does_not_list(forge: WebUI) -> None:
    """Else its own Lora would never be what ours is compared with: the tags would stay ours."""

    class Silent(WebUI):
        def options(self) -> dict[str, Any]:
            return {
                key: value for key, value in super().options().items() if not key.startswith("lora_stack")
            }

    with Silent(forge.url, "forge").settings(
        lora_stack_takeover=False, lora_stack_mode="Least memory", other=1
    ):
        changed = forge.options()
        assert (changed["lora_stack_takeover"], changed["lora_stack_mode"]) == (False, "Least memory")
    assert forge.options() == {**changed, "lora_stack_takeover": True, "lora_stack_mode": "Automatic"}
