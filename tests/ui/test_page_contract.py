"""The library that the browser tests play answers as the real one does: the server has its every field."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient

from lib_lora.library.library import Library
from tests.browser.fake_library import FakeLibrary
from tests.ui.files import write_network
from tests.ui.test_library_routes import served


def test_the_played_library_answers_like_the_real_one(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_network(tmp_path / "lora" / "styles" / f"{name}.safetensors", fill=len(name))
    library = Library([tmp_path / "lora"], data=tmp_path / "data")
    library.scan()
    real = TestClient(served(library))
    played = FakeLibrary(8)
    page = real.get("/lora-stack/networks", params={"offset": 0, "limit": 9}).json()
    first, second = (item["id"] for item in page["items"])
    only_once = {"offset": ["0"], "limit": ["9"]}

    assert played._get_networks(only_once).keys() <= page.keys()
    assert played.items[0].keys() <= page["items"][0].keys()

    facets, told = played._get_facets({}), real.get("/lora-stack/facets").json()
    assert facets.keys() <= told.keys()
    for name in ("roots", "folders", "architectures", "families", "roles"):
        assert set(facets[name][0]) - {"label"} <= set(told[name][0]), name
    assert facets["checkpoint"].keys() == told["checkpoint"].keys()

    file = real.get("/lora-stack/network", params={"id": first}).json()
    known = played._get_network({"id": ["f7"]})
    assert known.keys() <= file.keys()
    assert known["hashes"].keys() <= file["hashes"].keys()

    params = {"a": first, "b": second}
    compared = real.get("/lora-stack/compare", params=params).json()
    fake = played._get_compare({"a": ["f1"], "b": ["f2"]})
    assert fake.keys() <= compared.keys()
    assert fake["rows"][0].keys() <= compared["rows"][0].keys()
    assert fake["tags"].keys() <= compared["tags"].keys()

    strengths = real.get("/lora-stack/strengths", params={"id": first}).json()
    assert played._get_strengths({}).keys() <= strengths.keys()
    assert played._get_strengths({})["blocks"][0].keys() <= strengths["blocks"][0].keys()
    assert (
        played._get_siblings({}).keys()
        <= real.get("/lora-stack/siblings", params={"id": first}).json().keys()
    )
