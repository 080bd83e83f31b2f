"""Two hosts behind one client that splits a batch, as stable-diffusion-webui-distributed does.

Each host gets the same request with its share of `batch_size`, the seed moved on by the pictures before it,
and every always-on script's arguments as they are. So the stack must hold all that makes the picture.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from lib_lora.stack import infotext
from tests.integration.server import Answer, Server, serve
from tests.integration.small import SmallServer
from tests.integration.test_pictures import stack
from tests.real.webui import Answer as Seen

pytestmark = pytest.mark.demo

SHARES = (2, 1)
SEED = 40
ROWS = stack({"network": "clothing/mecha_suit", "weight": 0.8, "te": 0.4}, ("style/neon", 0.5))


@pytest.fixture(scope="module")
def hosts(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """The page every test speaks to, and one more with nothing of its own."""
    for other in serve(tmp_path_factory.mktemp("other")):
        yield SmallServer(server.url), SmallServer(other.url)


def split(hosts: tuple[Server, Server], what: Any, **request: Any) -> list[Answer]:
    """Let every host draw its share, at the same time."""
    shares, first = [], SEED
    for share in SHARES:
        shares.append({**request, "seed": first, "batch_size": share})
        first += share
    with ThreadPoolExecutor(len(hosts)) as pool:
        jobs = [pool.submit(host.draw, what, **share) for host, share in zip(hosts, shares, strict=True)]
        return [job.result() for job in jobs]


def pictures(answers: list[Answer]) -> list[np.ndarray]:
    return [picture for answer in answers for picture in Seen(answer.status, answer.body).pictures]


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({}, id="plain"),
        pytest.param({"sampler_name": "Euler a"}, id="a sampler that adds noise"),
        pytest.param({"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.6}, id="hires"),
    ],
)
def test_two_hosts_draw_what_one_does(hosts: tuple[Server, Server], request_: dict[str, Any]) -> None:
    whole = hosts[0].draw(ROWS, seed=SEED, batch_size=sum(SHARES), **request_)
    one, two = pictures([whole]), pictures(split(hosts, ROWS, **request_))
    assert len(one) == len(two) == sum(SHARES)
    # Sums over a batch of another size are put together in another order.
    assert max(float(np.abs(a - b).max()) for a, b in zip(one, two, strict=True)) <= 1
    plain = pictures([hosts[0].draw(seed=SEED, batch_size=sum(SHARES), **request_)])
    assert min(float(np.abs(a - b).mean()) for a, b in zip(plain, two, strict=True)) > 2


def test_what_the_page_sends_is_what_the_other_host_reads(hosts: tuple[Server, Server]) -> None:
    """The master hands on its own arguments: text, with names and hashes that the other finds by itself."""
    master = hosts[0].draw(ROWS, seed=SEED)
    text = master.info["extra_generation_params"][infotext.KEY]
    handed = json.loads(json.dumps([True, text]))
    answer = hosts[1].draw(seed=SEED, alwayson_scripts={"lora stack": {"args": handed}})
    assert answer.status == 200, answer.body
    assert answer.pixels == master.pixels
    assert answer.info["extra_generation_params"][infotext.KEY] == text


def test_a_host_that_lacks_a_file_says_so(hosts: tuple[Server, Server]) -> None:
    """Not half a batch without the row: the client sees which host it was, and what it lacks."""
    answers = split(hosts, stack(("clothing/mecha_suit", 0.8), ("nobody/has_this", 1.0)))
    assert [answer.status for answer in answers] == [422, 422]
    assert all("row 2 (nobody/has_this)" in answer.body["detail"] for answer in answers)
