"""What the picker and the Library tab ask, over real files with hostile names and metadata."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from lib_lora.files.hashes import payload_sha256
from lib_lora.library.library import Library
from lib_lora.ui.address import PREFIX
from lib_lora.ui.compat import is_closing
from lib_lora.ui.events import follow
from lib_lora.ui.guards import require_login
from lib_lora.ui.ports import LibraryPorts
from lib_lora.ui.routes import add_routes
from tests.ui.files import write_network

HOSTILE = "<img src=x onerror=alert(1)>\"'&"


class NoReports:
    def last(self, tab: str) -> None:
        return None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lora"
    tags = json.dumps({"10_x": {"neon": 9, "city": 3, HOSTILE: 2}})
    told = {"ss_session_id": "7", "ss_tag_frequency": tags, "modelspec.title": HOSTILE}
    write_network(folder / "styles" / "neon-000001.safetensors", fill=1, **told)
    write_network(folder / "styles" / "neon-000002.safetensors", fill=2, **told)
    write_network(folder / "people" / "Mira, «光» 🙂.safetensors", fill=3, **{"modelspec.tags": "character"})
    picture = io.BytesIO()
    Image.new("RGB", (600, 300), "red").save(picture, "PNG")
    (folder / "styles" / "neon-000001.png").write_bytes(picture.getvalue())
    (tmp_path / "secret.png").write_bytes(picture.getvalue())
    return folder


def served(library: Library, guard: Any = None, architecture: str = "sd1") -> FastAPI:
    app = FastAPI()
    ports = LibraryPorts(lambda: library, lambda: library, lambda: architecture, lambda path: NORMS)
    add_routes(app, lambda: library, NoReports(), [Depends(guard)] if guard else (), ports=ports)
    return app


NORMS = {"norms": {"down_blocks_1": 2.0, "te_layers_3": None}, "faults": [], "not_finite": [], "all_zero": []}


@pytest.fixture
def page(library: Library) -> TestClient:
    return TestClient(served(library), base_url="http://127.0.0.1", headers={"X-LoRA-Stack": "1"})


def ask(page: TestClient, name: str, **query: Any) -> Any:
    answer = page.get(f"{PREFIX}/{name}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def labels(answer: Any) -> list[str]:
    return [item["label"] for item in answer["items"]]


ONE, TWO, MIRA = "styles/neon-000001", "styles/neon-000002", "people/Mira, «光» 🙂"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [MIRA, ONE, TWO]),
        ({"q": "光"}, [MIRA]),
        ({"q": "city neon"}, [ONE, TWO]),
        ({"q": '"', "sort": "name"}, [ONE, TWO]),
        ({"q": "%"}, []),
        ({"q": "ne*"}, []),
        ({"folder": "styles"}, [ONE, TWO]),
        ({"folder": "style"}, []),
        ({"role": "character"}, [MIRA]),
        ({"tag": "CITY"}, [ONE, TWO]),
        ({"architecture": "sd1", "family": "lora"}, [MIRA, ONE, TWO]),
        ({"architecture": ""}, []),
        ({"fits": 1, "root": 0}, [MIRA, ONE, TWO]),
        ({"root": 1}, []),
        ({"favourite": 1}, []),
        ({"recent": 1}, []),
        ({"sort": "name", "descending": 1}, [TWO, ONE, MIRA]),
    ],
    ids=str,
)
def test_words_and_filters(page: TestClient, query: dict[str, Any], found: list[str]) -> None:
    assert labels(ask(page, "networks", **query)) == found


@pytest.mark.parametrize("full_text", [True, False])
def test_without_full_text_the_same_is_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch, full_text: bool
) -> None:
    monkeypatch.setattr("lib_lora.library.database.has_full_text", lambda: full_text)
    library = Library([folder])
    library.scan()
    for words, count in (("neon", 2), ("EO CIT", 2), ("光", 1), ("mira zorp", 0), ('" OR zz', 0)):
        assert len(library.search(words)) == count, words


def test_a_folder_that_is_not_there_is_told_with_the_files(library: Library, folder: Path) -> None:
    library.look(library.roots, [folder / "mroe"])
    (problem,) = ask(TestClient(served(library)), "networks")["problems"]
    assert problem == f"The folder {folder / 'mroe'} does not exist. Create it, or change the setting."


def test_facets_count_with_all_filters_but_their_own(page: TestClient) -> None:
    told = ask(page, "facets", folder="styles", role="style")
    assert told["total"] == 2
    assert [(row["path"], row["count"]) for row in told["folders"]] == [("styles", 2)]
    assert {row["name"]: row["count"] for row in told["roles"]} == {"style": 2}
    assert {row["name"]: row["count"] for row in ask(page, "facets")["tags"]}["neon"] == 2
    assert told["checkpoint"] == {"architecture": "sd1", "label": "SD 1.x"}


def test_what_does_not_fit_is_listed_and_explained(library: Library) -> None:
    page = TestClient(served(library, architecture="sdxl"), base_url="http://127.0.0.1")
    item = ask(page, "networks")["items"][0]
    assert (item["fits"], item["misfit"]) == (
        False,
        "It was made for SD 1.x; the loaded checkpoint is SDXL.",
    )
    assert ask(page, "networks", fits=1)["total"] == 0


def test_everything_of_one_file(page: TestClient, folder: Path) -> None:
    told = ask(page, "network", label=ONE)
    assert told["tag_frequencies"] == [["neon", 9], ["city", 3], [HOSTILE, 2]]
    assert told["title"] == told["raw"]["modelspec.title"] == HOSTILE
    assert told["hashes"]["autov3"] is None
    assert (told["tensors"], told["previews"], told["session"]) == (2, 1, "7")
    assert str(folder.parent) not in json.dumps(told), "the page needs no path of this machine"
    assert ask(page, "network", id=told["id"])["label"] == ONE


def test_every_answer_is_hardened(page: TestClient) -> None:
    for name in (
        "networks",
        "facets",
        f"network?label={ONE}",
        "status",
        f"preview?label={ONE}",
        "preview?label=x",
    ):
        answer = page.get(f"{PREFIX}/{name}")
        assert answer.headers["x-content-type-options"] == "nosniff", name
        assert answer.headers["content-type"].split(";")[0] in ("application/json", "image/png", "image/webp")
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_notes_by_route_and_in_the_webuis_own_file(page: TestClient, folder: Path) -> None:
    body = {"label": MIRA, "trigger_words": "mira, hat", "weight": 0.7, "rating": 3, "sidecar": True}
    answer = page.patch(f"{PREFIX}/network", json=body)
    assert answer.json()["trigger_words"] == ["mira", "hat"]
    kept = json.loads((folder / f"{MIRA}.json").read_text("utf-8"))
    assert kept == {"activation text": "mira, hat", "preferred weight": 0.7}
    assert ask(page, "networks", sort="rating")["items"][0]["label"] == MIRA


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"label": "nobody", "rating": 1}, 404),
        ({"id": "../../etc/passwd", "rating": 1}, 404),
        ({"label": ["x"], "rating": 1}, 422),
        ({"label": MIRA, "rating": "many"}, 422),
        ({"label": MIRA, "path": "/etc/passwd"}, 422),
        ({"label": MIRA, "sidecar": "yes"}, 422),
        ([], 422),
        ("x", 422),
    ],
    ids=str,
)
def test_senseless_notes(page: TestClient, body: Any, status: int) -> None:
    answer = page.patch(f"{PREFIX}/network", json=body)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_metadata_is_written_and_copied_to_the_same_training(page: TestClient, folder: Path) -> None:
    before = payload_sha256(folder / f"{ONE}.safetensors")
    fields = {"modelspec.title": "New", "modelspec.author": "Me"}
    answer = page.post(f"{PREFIX}/metadata", json={"label": ONE, "fields": fields, "backup": False}).json()
    assert (answer["item"]["title"], answer["backup"]) == ("New", None)
    assert payload_sha256(folder / f"{ONE}.safetensors") == before
    told = page.post(f"{PREFIX}/metadata/copy", json={"from": ONE, "to": [TWO, MIRA]}).json()
    assert told["copied"] == [TWO]
    assert [row["label"] for row in told["skipped"]] == [MIRA]
    assert ask(page, "network", label=TWO)["editable"]["modelspec.author"] == "Me"
    assert ask(page, "networks", q="New")["items"][0]["label"] == ONE
    assert labels(ask(page, "siblings", label=ONE)) == [TWO]
    own = {"modelspec.hash_sha256": f"0x{before}", "modelspec.date": "2024", "modelspec.license": "MIT"}
    page.post(f"{PREFIX}/metadata", json={"label": ONE, "fields": own, "backup": False})
    page.post(f"{PREFIX}/metadata/copy", json={"from": ONE, "to": [TWO]})
    copied = ask(page, "network", label=TWO)["raw"]
    assert [copied.get(key) for key in own] == [None, None, "MIT"], "what is true of one file stays there"
    refused = page.post(f"{PREFIX}/metadata", json={"label": ONE, "fields": {"ss_network_dim": "1"}})
    assert refused.status_code == 422


def test_hashing_in_the_background(page: TestClient, library: Library, folder: Path) -> None:
    told = page.post(f"{PREFIX}/hash", json={"all": True}).json()
    assert told["of"] == 3
    library.hashing.wait(60)
    assert library.hashing.status()["state"] == "idle"
    hashes = ask(page, "network", label=ONE)["hashes"]
    assert hashes["payload_sha256"] == payload_sha256(folder / f"{ONE}.safetensors")
    assert page.post(f"{PREFIX}/hash", json={"all": True}).json()["of"] == 0, "nothing twice"
    assert page.delete(f"{PREFIX}/hash").status_code == 200


def test_two_files_compared(page: TestClient) -> None:
    told = ask(page, "compare", a=ONE, b=TWO)
    assert told["tags"]["both"][0] == ["neon", 9, 9]
    assert {row["key"]: row["same"] for row in told["rows"]}["family"] is True


def test_strengths_come_from_who_can_compute_them(page: TestClient) -> None:
    told = ask(page, "strengths", label=ONE)
    assert told["blocks"] == [
        {"name": "down_blocks_1", "part": "unet", "norm": 2.0},
        {"name": "te_layers_3", "part": "text encoder", "norm": None},
    ]
    assert told["largest"] == 2.0


def test_a_small_preview_and_its_tag(page: TestClient) -> None:
    answer = page.get(f"{PREFIX}/preview", params={"label": ONE, "size": 100})
    assert Image.open(io.BytesIO(answer.content)).size == (128, 64)
    again = page.get(
        f"{PREFIX}/preview",
        params={"label": ONE, "size": 100},
        headers={"If-None-Match": answer.headers["etag"]},
    )
    assert (again.status_code, again.content) == (304, b"")


def test_a_link_to_a_picture_elsewhere_is_not_served(page: TestClient, folder: Path) -> None:
    (folder / f"{TWO}.png").symlink_to(folder.parent / "secret.png")
    page.post(f"{PREFIX}/refresh")
    assert page.get(f"{PREFIX}/preview", params={"label": TWO}).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"X-LoRA-Stack": "1"}, 200),
        ({"X-LoRA-Stack": "1", "Origin": "http://127.0.0.1"}, 200),
        ({"X-LoRA-Stack": "1", "Origin": "https://evil.example"}, 403),
        ({"X-LoRA-Stack": "1", "Origin": "null"}, 403),
        ({"X-LoRA-Stack": "1", "Sec-Fetch-Site": "same-origin", "Origin": "https://behind.proxy"}, 200),
        ({"X-LoRA-Stack": "1", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"X-LoRA-Stack": "1", "Sec-Fetch-Site": "same-site"}, 403),
    ],
    ids=str,
)
def test_only_our_page_may_change_something(library: Library, headers: dict[str, str], status: int) -> None:
    page = TestClient(served(library), base_url="http://127.0.0.1")
    for method, name in (("PATCH", "network"), ("POST", "refresh"), ("DELETE", "hash"), ("POST", "used")):
        body = {"label": ONE, "labels": [ONE], "rating": 1} if method == "PATCH" else {"labels": [ONE]}
        if method == "PATCH":
            body.pop("labels")
        answer = page.request(method, f"{PREFIX}/{name}", json=body, headers=headers)
        assert answer.status_code == status, (method, name, answer.text)


@pytest.mark.parametrize(
    ("user", "passwords", "page_served", "given", "status"),
    [
        (None, {}, True, None, 200),
        (None, {"api": "secret"}, True, None, 200),
        (None, {"api": "secret"}, False, None, 401),
        (None, {"api": "secret"}, False, ("api", "secret"), 200),
        (None, {"api": "secret"}, False, ("api", "wrong"), 401),
        (lambda request: None, {}, True, None, 401),
        (lambda request: "me", {}, True, None, 200),
        (lambda request: None, {"api": "secret"}, True, ("api", "secret"), 200),
    ],
)
def test_who_may_ask(
    library: Library, user: Any, passwords: dict[str, str], page_served: bool, given: Any, status: int
) -> None:
    page = TestClient(
        served(library, require_login(user, passwords, page_served)), base_url="http://127.0.0.1"
    )
    assert page.get(f"{PREFIX}/networks", auth=given).status_code == status


def test_events_tell_status_and_changes(library: Library) -> None:
    ports = LibraryPorts(lambda: library, lambda: library)

    async def listen() -> list[str]:
        told: list[str] = []
        turns = iter(range(4))

        async def is_gone() -> bool:
            if next(turns, None) is None:
                return True
            if len(told) == 1:
                library.note(library.find("neon-000001"), {"rating": 5})
            return False

        async for text in follow(ports, is_gone, every=0.0):
            told.append(text)
        return told

    loop = asyncio.new_event_loop()  # not `asyncio.run`, which drops the loop that gradio's import made
    try:
        told = loop.run_until_complete(listen())
    finally:
        loop.close()
    assert [text.split("\n")[0] for text in told] == [
        *("event: status", "event: status", "event: changed", "event: file")
    ]
    assert json.loads(told[3].split("data: ")[1])["label"] == ONE


def test_events_end_with_the_server_though_the_page_still_listens(library: Library) -> None:
    """Else Reload UI would wait for every open Library tab."""
    server = SimpleNamespace(should_exit=False)
    demo = SimpleNamespace(server=server)
    ports = LibraryPorts(lambda: library, lambda: library, closing=lambda: is_closing(demo))

    async def still_there() -> bool:
        return False

    async def listen() -> list[str]:
        told: list[str] = []
        async for text in follow(ports, still_there, every=0.0):
            told.append(text)
            server.should_exit = True
        return told

    loop = asyncio.new_event_loop()
    try:
        told = loop.run_until_complete(asyncio.wait_for(listen(), 30))
    finally:
        loop.close()
    assert len(told) == 1
    assert not is_closing(None)
