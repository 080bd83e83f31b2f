"""Embeddings packed into a LoRA, inside the running demo: known to prompts while the row is on, not after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.integration.server import Server, serve

pytestmark = pytest.mark.demo

NAME = "zorblax"
PROMPT = f"a girl, {NAME}, in a meadow"
LORAS = Path(__file__).resolve().parents[2] / "demo" / "models" / "lora"


def written(folder: Path) -> None:
    """A copy of one of the demo's own files with an embedding packed into it."""
    source = min(LORAS.rglob("*.safetensors"))
    tensors = load_file(source)
    width = next(t.shape[1] for name, t in tensors.items() if "te_" in name and "q_proj.lora_down" in name)
    seeded = torch.Generator().manual_seed(1)
    tensors[f"bundle_emb.{NAME}.emb_params"] = torch.randn(2, width, generator=seeded)
    tensors["bundle_emb.other kind.emb_params"] = torch.ones(1, width + 1)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "packed.safetensors")


@pytest.fixture(scope="module")
def packing_server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    data = tmp_path_factory.mktemp("data")
    written(data / "loras")
    yield from serve(data)


def row(weight: float) -> dict[str, Any]:
    return {"version": 1, "entries": [{"network": "packed", "weight": weight}]}


def test_a_prompt_knows_the_embedding_exactly_while_the_row_is_on(packing_server: Server) -> None:
    """At weight 0 only the embedding acts: it has no strength."""
    plain = packing_server.draw(prompt=PROMPT).pixels
    assert packing_server.draw(row(0), prompt=PROMPT).pixels != plain
    assert packing_server.draw(prompt=PROMPT).pixels == plain
    other = "a girl, in a meadow"
    assert packing_server.draw(row(0), prompt=other).pixels == packing_server.draw(prompt=other).pixels


def test_the_report_names_what_could_not_be_used(packing_server: Server) -> None:
    packing_server.draw(row(1), prompt=PROMPT)
    line = packing_server.call("/lora-stack/report?tab=txt2img").body["line"]
    assert "'other kind' inside the file is for another kind of checkpoint" in line
