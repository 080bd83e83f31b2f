"""A file's page: what lies beside the file is told too."""

from __future__ import annotations

import json
from pathlib import Path

from lib_lora.library.catalogue import Catalogue
from lib_lora.library.details import details
from lib_lora.library.library import Library
from tests.library.shelves import put


def test_sidecars_and_what_they_say_stand_on_the_page(tmp_path: Path) -> None:
    path = put(tmp_path / "lora", "zorp")
    said = {"activation text": "zorp", "preferred weight": 0.7}
    path.with_suffix(".json").write_text(json.dumps(said), encoding="utf-8")
    path.with_suffix(".civitai.info").write_text(json.dumps({"trainedWords": ["a", "b"]}), encoding="utf-8")
    library = Library([tmp_path / "lora"])
    library.scan()
    page = json.loads(json.dumps(details(Catalogue(library), library.find("zorp"))))
    told = {sidecar["name"]: sidecar["fields"] for sidecar in page["sidecars"]}
    assert told["zorp.json"] == {"activation_text": "zorp", "preferred_weight": 0.7}
    assert told["zorp.civitai.info"]["trained_words"] == ["a", "b"]
