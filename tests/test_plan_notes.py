"""What a plan tells of a row beside what its file tells: ranks that cannot be cut."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lib_lora.errors import EntryValueError
from lib_lora.network import open_network
from lib_lora.plan import Plan, make_plan
from lib_lora.stack.prompt import read_tags
from lib_lora.stack.stack import Stack
from tests.adapters.table import draw_loha
from tests.builders import TOY_LAYERS, make_lora_file, toy_sd1

LAYER = "lora_unet_conv_in"


def planned(path: Path, tag: str) -> Plan:
    """The plan of a prompt's tag."""
    _, entries = read_tags(tag)
    return make_plan(Stack(entries), [open_network(path, "sd1")], toy_sd1().view())


def test_dyn_of_a_prompts_tag_cuts_the_ranks(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    make_lora_file(path, TOY_LAYERS, rank=4)
    whole, cut = planned(path, "<lora:x:1>"), planned(path, "<lora:x:1:1:dyn=2>")
    assert {change.adapter.rank for found in whole.changes.values() for change in found} == {4}
    assert {change.adapter.rank for found in cut.changes.values() for change in found} == {2}
    assert cut.te_key != whole.te_key
    assert cut.entries[0].notes == whole.entries[0].notes


def test_where_dyn_does_nothing_the_row_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    tensors = make_lora_file(path, {name: size for name, size in TOY_LAYERS.items() if name != LAYER})
    loha = {f"{LAYER}.{role}": tensor for role, tensor in draw_loha((8, 4, 3, 3)).items()}
    save_file({**tensors, **loha}, path)
    notes = planned(path, "<lora:x:1:1:dyn=2>").entries[0].notes
    assert f"dyn=2 does nothing for 1 of {len(TOY_LAYERS)} weights: only a plain LoRA can be cut" in notes


@pytest.mark.parametrize("tag", ["<lora:x:1:1:dyn=0>", "<lora:x:1:1:dyn=-1>"])
def test_no_ranks_at_all_are_refused(tmp_path: Path, tag: str) -> None:
    path = tmp_path / "x.safetensors"
    save_file({f"{LAYER}.diff": torch.ones(8, 4, 3, 3)}, path)
    with pytest.raises(EntryValueError, match="dyn must be a whole number from 1"):
        planned(path, tag)
