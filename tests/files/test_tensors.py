"""Tensors come as float32, finite, and only from files that stayed the same."""

from __future__ import annotations

import os
import re
import struct
import tempfile
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from lib_lora.errors import (
    FileError,
    HugeNumberError,
    NonFiniteTensorError,
    NotSafetensorsError,
    TensorOffsetError,
    TensorSizeError,
    UnknownDtypeError,
    UnreadableFileError,
)
from lib_lora.files.tensors import open_tensors
from tests.files.samples import GOOD, one, raw, write
from tests.fuzz.limits import bounded

FLOATS = [
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_every_float_becomes_float32(tmp_path: Path, dtype: torch.dtype) -> None:
    values = torch.tensor([[0.0, 1.0, -1.5], [0.25, 448.0, -0.0625]]).to(dtype)
    path = tmp_path / "x.safetensors"
    save_file({"w": values, "v": values[0].clone()}, path)
    with open_tensors(path) as file:
        assert set(file.names()) == {"w", "v"}
        read = file.get("w")
        assert read.dtype == torch.float32
        assert torch.equal(read, values.float())
        assert torch.equal(file.get("v"), values[0].float())


def test_shapes(tmp_path: Path) -> None:
    tensors = {
        "scalar.alpha": torch.tensor(4.0),
        "rank zero": torch.empty(0, 8),
        "conv": torch.arange(36.0).reshape(2, 2, 3, 3),
    }
    save_file(tensors, tmp_path / "x.safetensors")
    with open_tensors(tmp_path / "x.safetensors") as file:
        for name, tensor in tensors.items():
            assert file.get(name).shape == tensor.shape
            assert torch.equal(file.get(name), tensor)


def test_a_tensor_belongs_to_its_reader(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"w": torch.ones(4)}, path)
    with open_tensors(path) as file:
        file.get("w").zero_()
        assert torch.equal(file.get("w"), torch.ones(4))
    assert torch.equal(load_file(path)["w"], torch.ones(4))


def test_a_payload_at_an_odd_place_is_read_right(tmp_path: Path) -> None:
    header = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    for spaces in range(8):
        path = write(
            tmp_path / f"{spaces}.safetensors", raw(header + b" " * spaces, struct.pack("<2f", 1.5, -2.0))
        )
        with open_tensors(path) as file:
            assert file.get("a").tolist() == [1.5, -2.0]


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int8, torch.uint8, torch.bool], ids=str)
def test_whole_numbers_are_no_weights_but_may_be_alpha(tmp_path: Path, dtype: torch.dtype) -> None:
    path = tmp_path / "x.safetensors"
    save_file(
        {"m.lora_up.weight": torch.ones(2, 2, dtype=dtype), "m.alpha": torch.tensor(1, dtype=dtype)}, path
    )
    with open_tensors(path) as file:
        assert file.get("m.alpha").item() == 1.0
        with pytest.raises(
            UnknownDtypeError, match=r"x\.safetensors: tensor 'm\.lora_up\.weight' is stored as"
        ):
            file.get("m.lora_up.weight")


@pytest.mark.parametrize("kind", ["F4", "F6_E2M3", "F8_E8M0", "C64", "U16"])
def test_number_types_no_weight_is_stored_in(tmp_path: Path, kind: str) -> None:
    bits = {"F4": 4, "F6_E2M3": 6, "F8_E8M0": 8, "C64": 64, "U16": 16}[kind]
    header = f'{{"a":{{"dtype":"{kind}","shape":[8],"data_offsets":[0,{bits}]}}}}'.encode()
    path = write(tmp_path / "x.safetensors", raw(header, b"\0" * bits))
    with open_tensors(path) as file, pytest.raises(UnknownDtypeError, match=kind):
        file.get("a")


def test_an_older_torch_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.ones(1).to(torch.float8_e4m3fn)}, path)
    monkeypatch.delattr(torch, "float8_e4m3fn")
    with open_tensors(path) as file, pytest.raises(UnknownDtypeError, match="this PyTorch"):
        file.get("a")


def test_an_older_torch_reads_fp16_which_it_cannot_compare_on_a_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch 2.1, which AUTOMATIC1111 installs, has no `aminmax` for it; 2.2 was the first."""
    ends = torch.aminmax

    def older(numbers: Tensor) -> tuple[Tensor, Tensor]:
        if numbers.dtype == torch.float16:
            raise RuntimeError("\"aminmax_cpu\" not implemented for 'Half'")
        return ends(numbers)

    monkeypatch.setattr(torch, "aminmax", older)
    sound, broken = (tmp_path / name for name in ("sound.safetensors", "broken.safetensors"))
    numbers = torch.linspace(-6e4, 6e4, 7).half()
    save_file({"a": numbers}, sound)
    save_file({"a": torch.cat([numbers, torch.tensor([torch.inf]).half()])}, broken)
    with open_tensors(sound) as file:
        assert torch.equal(file.read(["a"])["a"], numbers)
    with open_tensors(broken) as file, pytest.raises(NonFiniteTensorError):
        file.read(["a"])


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -float("inf")], ids=["nan", "inf", "minus inf"]
)
@pytest.mark.parametrize("name", ["m.lora_up.weight", "m.alpha"])
def test_not_finite(tmp_path: Path, value: float, name: str) -> None:
    path = tmp_path / "x.safetensors"
    save_file({name: torch.tensor([1.0, value]).half(), "good": torch.ones(1)}, path)
    with open_tensors(path) as file:
        with pytest.raises(
            NonFiniteTensorError, match=rf"x\.safetensors: tensor '{name}' holds NaN or infinity"
        ):
            file.get(name)
        assert file.get("good").item() == 1.0


def test_nothing_beside_what_is_not_finite_is_no_fault(tmp_path: Path) -> None:
    """Both are read in one go, and what holds no number is looked at again with the other."""
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.empty(0, 2), "b": torch.tensor([float("nan")]), "c": torch.empty(2, 0)}, path)
    with open_tensors(path) as file, pytest.raises(NonFiniteTensorError, match="'b'"):
        file.read(("a", "b", "c"))


def test_a_double_beyond_float32_is_not_finite(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.tensor([1e300], dtype=torch.float64)}, path)
    with open_tensors(path) as file, pytest.raises(NonFiniteTensorError):
        file.get("a")


def test_an_unknown_name_is_the_callers_mistake(tmp_path: Path) -> None:
    with open_tensors(write(tmp_path / "x.safetensors", GOOD)) as file, pytest.raises(KeyError):
        file.get("b")


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        pytest.param("[4611686018427387904,0]", "is of 4611686018427387904 numbers", id="enormous beside 0"),
        pytest.param("[0,16384,16385]", "268451840 numbers; the limit is 268435456", id="just too many"),
        pytest.param("[1,1,1,1,1,1,1,1,0]", "has 9 dimensions; the limit is 8", id="dimensions"),
        pytest.param("[0" + ",1" * 100_000 + "]", "has 100001 dimensions", id="hundred thousand dimensions"),
    ],
)
def test_a_tensor_no_layer_can_have(tmp_path: Path, shape: str, told: str) -> None:
    info = f'{{"dtype":"F16","shape":{shape},"data_offsets":[0,0]}}'
    path = write(tmp_path / "x.safetensors", one(info, b""))
    with open_tensors(path) as file, pytest.raises(TensorSizeError, match=told), bounded():
        file.get("a")


def test_a_tensor_in_a_file_with_holes_is_refused_before_memory_is_asked_for(tmp_path: Path) -> None:
    """600 MB that take no room on the disk."""
    path = tmp_path / "x.safetensors"
    header = one('{"dtype":"F16","shape":[300000000],"data_offsets":[0,600000000]}', b"")
    os.truncate(write(path, header), len(header) + 600_000_000)
    with open_tensors(path) as file, pytest.raises(TensorSizeError, match="300000000 numbers"), bounded():
        file.get("a")


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "x.pt")
    torch.save({"a": torch.ones(1)}, tmp_path / "y.safetensors")
    for name in ("x.pt", "y.safetensors"):
        with pytest.raises(NotSafetensorsError, match="can run code"), open_tensors(tmp_path / name):
            pass


def test_a_lying_header_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", GOOD[:-1])
    with pytest.raises(TensorOffsetError), open_tensors(path):
        pass


def test_a_file_that_shrinks_while_it_is_open(tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", GOOD)
    with pytest.raises(UnreadableFileError, match="became shorter"), open_tensors(path) as file:
        path.write_bytes(GOOD[:-1])
        file.get("a")


def test_a_file_replaced_while_it_was_read(tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", GOOD)
    with pytest.raises(UnreadableFileError, match="changed while"), open_tensors(path) as file:
        file.get("a")
        write(tmp_path / "y", GOOD).replace(path)


def test_the_file_is_closed_after_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", GOOD)
    with pytest.raises(RuntimeError, match="mine"), open_tensors(path) as file:
        raise RuntimeError("mine")
    assert file.file.closed


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_many_at_once_are_those_one_by_one(tmp_path: Path, dtype: torch.dtype) -> None:
    """Of a size beyond one block, with others of another type between them."""
    path = tmp_path / "x.safetensors"
    shapes = {"a.alpha": (), "b": (700, 500), "c": (3, 0), "d": (8, 4, 3, 3), "e": (300_000,)}
    state = {name: torch.randn(shape).to(dtype) for name, shape in shapes.items()}
    save_file({**state, "f.alpha": torch.tensor(5)}, path)
    with open_tensors(path) as file:
        wanted = [name for name in file.names() if name != "d"]
        read = file.read(wanted)
        assert sorted(read) == sorted(wanted)
        for name, tensor in read.items():
            assert torch.equal(tensor.float(), file.get(name))
            kept = name in ("b", "e") and dtype != torch.float64
            assert tensor.dtype == (dtype if kept else tensor.dtype)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("bad", [float("inf"), -float("inf"), float("nan"), 3e6])
def test_a_bad_number_among_many_is_named(tmp_path: Path, dtype: torch.dtype, bad: float) -> None:
    path = tmp_path / "x.safetensors"
    state = {name: torch.ones(600_000, dtype=dtype) for name in "abc"}
    state["b"][-1] = torch.tensor(bad).to(dtype)
    save_file(state, path)
    with open_tensors(path) as file, pytest.raises((NonFiniteTensorError, HugeNumberError), match="'b'"):
        file.read(file.names())


BITS = {
    torch.float16: (torch.int16, (0x7BFF, 0x7C00, 0x7C01, 0x7E00)),
    torch.bfloat16: (torch.int16, (0x4974, 0x4975, 0x7F7F, 0x7F80, 0x7FC0)),
    torch.float32: (torch.int32, (0x49742400, 0x49742401, 0x7F7FFFFF, 0x7F800000, 0x7FC00000)),
}


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_numbers_read_many_at_once_are_refused_as_one_by_one(data: st.DataObject) -> None:
    """Any bits of any float, with those around the limits: both ways take or refuse the same."""
    dtype = data.draw(st.sampled_from(list(BITS)))
    whole, edges = BITS[dtype]
    bits = torch.iinfo(whole).bits
    value = st.one_of(st.sampled_from((0, 1, *edges)), st.integers(0, 2 ** (bits - 1) - 1))
    number = st.builds(lambda size, minus: size - minus * 2 ** (bits - 1), value, st.booleans())
    numbers = torch.tensor(data.draw(st.lists(number, min_size=1, max_size=4)), dtype=whole).view(dtype)
    header = "x" * data.draw(st.integers(0, 90))  # so that it lies anywhere behind a line of memory
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.safetensors")
        save_file({"a": torch.ones(3, dtype=dtype), "b": numbers}, path, {"a": header})
        with open_tensors(path) as file:
            try:
                expected = file.get("b")
            except FileError as error:
                with pytest.raises(type(error), match=re.escape(str(error))):
                    file.read(("a", "b"))
            else:
                read = file.read(("a", "b"))
                assert torch.equal(read["b"].float(), expected)
                assert torch.equal(read["a"].float(), torch.ones(3))
