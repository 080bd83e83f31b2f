"""What the command line tells of a file: facts, alphas, hashes, fit, values; and its exit codes."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lib_lora.__main__ import main
from lib_lora.errors import UnreadableFileError
from lib_lora.files.header import read_header
from lib_lora.inspection.inspect import inspect_file
from lib_lora.inspection.numbers import read_numbers
from lib_lora.inspection.values import check_values

ROOT = Path(__file__).resolve().parents[2]
QUERY = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
TEXT = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"


def write(path: Path, metadata: dict[str, str] | None = None, **more: torch.Tensor) -> Path:
    """A LoRA of rank 2 and alpha 1 for one weight of SD1's UNet and one of its text encoder."""
    tensors = {
        f"{QUERY}.lora_up.weight": torch.full((320, 2), 0.5),
        f"{QUERY}.lora_down.weight": torch.full((2, 768), 0.25),
        f"{QUERY}.alpha": torch.tensor(1.0),
        f"{TEXT}.lora_up.weight": torch.ones(768, 2),
        f"{TEXT}.lora_down.weight": torch.ones(2, 768),
        f"{TEXT}.alpha": torch.tensor(1.0, dtype=torch.bfloat16),
        **more,
    }
    save_file({name: tensor for name, tensor in tensors.items() if tensor.nelement()}, path, metadata or {})
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "one.safetensors", {"ss_output_name": "one", "ss_network_dim": "2"})


def test_facts(file: Path) -> None:
    table = inspect_file(file)
    assert table["families"] == ["lora"]
    assert (table["architecture"], table["parts"]) == ("sd1", ["unet", "te"])
    assert (table["ranks"], table["alphas"], table["title"]) == ([2], [1.0], "one")
    assert table["dtypes"] == {"F32": 5, "BF16": 1}
    assert table["trained"] == {"Rank": "2"}


def test_hashes(file: Path) -> None:
    raw = file.read_bytes()
    payload = raw[8 + struct.unpack("<Q", raw[:8])[0] :]
    hashes = inspect_file(file)["hashes"]
    assert hashes["payload_sha256"] == hashlib.sha256(payload).hexdigest()
    assert hashes["autov3"] == hashes["payload_sha256"][:12]
    assert hashes["sha256"] == hashlib.sha256(raw).hexdigest()
    assert hashes["autov2"] == hashes["sha256"][:10]
    assert hashes["legacy"] == ""  # too small a file to have one
    assert hashes["declared_is_right"]


def test_a_wrong_declared_hash_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "x.safetensors", {"sshs_model_hash": hashlib.sha256(b"another").hexdigest()})
    assert not inspect_file(path)["hashes"]["declared_is_right"]
    main(["inspect", str(path)])
    assert "declares another hash" in capsys.readouterr().out


@pytest.mark.parametrize(
    "dtype",
    [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8],
    ids=str,
)
def test_an_alpha_of_any_number_type_is_read_without_torch(tmp_path: Path, dtype: torch.dtype) -> None:
    path = write(tmp_path / "x.safetensors", **{f"{QUERY}.alpha": torch.tensor([3], dtype=dtype)})
    numbers = read_numbers(path, read_header(path), ".alpha")
    assert numbers[f"{QUERY}.alpha"] == 3


def test_alphas_of_a_file_that_became_shorter(file: Path) -> None:
    header = read_header(file)
    file.write_bytes(file.read_bytes()[: header.payload_start])
    with pytest.raises(UnreadableFileError, match="became shorter"):
        read_numbers(file, header, ".alpha")


def test_an_alpha_that_is_no_number_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "x.safetensors", **{f"{QUERY}.alpha": torch.tensor(torch.nan)})
    assert main(["inspect", str(path)]) == 0
    assert "1 alphas are not finite" in capsys.readouterr().out


def test_fit(file: Path) -> None:
    fit = inspect_file(file, "sd1")["fit"]
    assert fit["fits"]
    assert (fit["matched"], fit["total"], fit["unmatched"]) == (2, 2, [])
    assert fit["parts"] == {"unet": {"matched": 1, "of": 1}, "clip_l": {"matched": 1, "of": 1}}


def test_names_without_a_place_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = "lora_unet_down_blocks_9_attentions_0_proj_in"
    path = write(tmp_path / "x.safetensors", **{f"{odd}.lora_up.weight": torch.ones(2, 2)})
    fit = inspect_file(path, "sd1")["fit"]
    assert (fit["matched"], fit["total"], fit["unmatched"], fit["fits"]) == (2, 3, [odd], True)
    assert main(["inspect", str(path), "--against", "sd1"]) == 0
    assert odd in capsys.readouterr().out


def test_a_file_for_another_model_does_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "x.safetensors", **{f"{QUERY}.lora_down.weight": torch.ones(2, 2048)})
    assert main(["inspect", str(path), "--against", "sd1"]) == 1
    shown = capsys.readouterr().out
    assert "does not fit" in shown
    assert "It was made for SDXL." in shown


def test_a_file_that_lies_has_its_error_and_exit_code_2(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    liar = tmp_path / "liar.safetensors"
    liar.write_bytes(struct.pack("<Q", 1000) + b"{}")
    assert main(["inspect", str(file), str(liar)]) == 2
    shown = capsys.readouterr().out
    assert "HeaderLengthError" in shown
    assert "AutoV3" in shown  # the good one is told all the same


def test_a_missing_file_and_a_checkpoint_have_exit_code_2(tmp_path: Path) -> None:
    assert main(["inspect", str(tmp_path / "none.safetensors")]) == 2
    model = tmp_path / "model.safetensors"
    save_file({"model.diffusion_model.out.2.weight": torch.ones(2)}, model)
    assert main(["inspect", str(model)]) == 2


def test_json(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(file), str(tmp_path / "none.safetensors"), "--json", "--against", "sd1"]) == 2
    one, none = json.loads(capsys.readouterr().out)["files"]
    assert one["fit"]["matched"] == 2
    assert none["error"]["name"] == "UnreadableFileError"


def test_norms_are_those_of_the_changes(file: Path) -> None:
    """½ · 2 · ½ · ¼ = ⅛ in all of 320 × 768 numbers; ½ · 2 = 1 in all of 768 × 768."""
    norms = check_values(file)["norms"]
    assert norms["down_blocks_0"] == pytest.approx(0.125 * (320 * 768) ** 0.5)
    assert norms["te_text_model_encoder_layers_0"] == pytest.approx(768)


def test_norms_without_factors(tmp_path: Path) -> None:
    """A Kronecker product is the same whatever the weight; a rotation is not."""
    path = tmp_path / "x.safetensors"
    save_file(
        {
            "lora_unet_mid_block_attentions_0_proj_in.lokr_w1": torch.ones(2, 2),
            "lora_unet_mid_block_attentions_0_proj_in.lokr_w2": torch.full((3, 4), 2.0),
            "lora_unet_up_blocks_1_attentions_0_proj_in.oft_blocks": torch.ones(2, 4, 4),
        },
        path,
    )
    assert check_values(path)["norms"] == {"mid_block": pytest.approx(2 * 48**0.5), "up_blocks_1": None}


@pytest.mark.parametrize("bad", [torch.nan, torch.inf], ids=str)
def test_numbers_that_are_none_are_named(
    tmp_path: Path, bad: float, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"{QUERY}.lora_down.weight"
    path = write(tmp_path / "x.safetensors", **{name: torch.full((2, 768), bad)})
    values = check_values(path)
    assert values["not_finite"] == [name]
    assert "down_blocks_0" not in values["norms"]
    assert main(["inspect", str(path), "--check-values"]) == 2
    assert name in capsys.readouterr().out


def test_tensors_of_zeros_are_named(tmp_path: Path) -> None:
    name = f"{QUERY}.lora_up.weight"
    assert check_values(write(tmp_path / "x.safetensors", **{name: torch.zeros(320, 2)}))["all_zero"] == [
        name
    ]


def test_tensors_that_make_no_change_are_faults(tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", **{f"{QUERY}.lora_up.weight": torch.ones(320, 3)})
    assert QUERY in check_values(path)["faults"][0]
    assert main(["inspect", str(path), "--check-values"]) == 2


def test_hostile_text_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "x.safetensors", {"modelspec.description": "a\x1b[31m\nb" * 1000})
    main(["inspect", str(path)])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) < 300


def test_it_runs_as_a_module_without_torch(file: Path) -> None:
    program = (
        "import sys, runpy; sys.modules['torch'] = None; runpy.run_module('lib_lora', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "inspect", str(file), "--against", "sd1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "2 of 2 weights" in done.stdout
