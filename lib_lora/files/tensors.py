"""Tensors of a safetensors file: one at a time as float32, or many at once as they are stored.

Read with plain file reads, not mapped: a file that shrinks under a mapping takes the whole WebUI down.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor

from ..errors import (
    HugeNumberError,
    NonFiniteTensorError,
    TensorSizeError,
    UnknownDtypeError,
    UnreadableFileError,
)
from .disk import check_unchanged, open_regular, reasons, refuse_pickle
from .header import BITS, DAMAGED, NAME_SHOWN, Header, TensorInfo, read_open_header
from .text import clean

NUMBERS_LIMIT = 2**28  # numbers in one tensor, 1 GiB as float32; the largest layers of any model have half
NUMBER_LIMIT = 1e6  # trained weights are below a thousand; products of six such numbers stay finite
SCALE_LIMIT = 1e12  # some write the rank they asked for as alpha, which may be ten thousand millions
BLOCK = 1 << 19  # bytes read and looked at in one go, a multiple of every number's size
LINE = 64  # bytes; a place of a file is copied a quarter faster to a place as far behind such a line
# Without its sign, a float's bits grow with it, and those of infinity and NaN are above all others.
_FLOAT_BITS: Mapping[str, tuple[str, str, int]] = MappingProxyType(
    {  # as whole numbers with and without sign, and the bits of the largest number that is taken
        "F16": ("int16", "uint16", 0x7BFF),
        "BF16": ("int16", "uint16", 0x4974),
        "F32": ("int32", "uint32", 0x49742400),
    }
)
DIMENSIONS_LIMIT = 8  # torch computes with 64; a change has 4, two more in a stage of BOFT

# Whole numbers are fine where they stand for one number, a switch or places, never as weights.
NUMBER_SUFFIXES = (".alpha", ".scale", ".on_input", ".reshape_weight", ".bias_indices", ".bias_size")
SCALE_SUFFIXES = (".scale_weight", ".scale_input", ".weight_scale", ".input_scale", "scaled_fp8")
_FLOATS: Mapping[str, str] = MappingProxyType(
    {
        "F64": "float64",
        "F32": "float32",
        "F16": "float16",
        "BF16": "bfloat16",
        "F8_E4M3": "float8_e4m3fn",
        "F8_E5M2": "float8_e5m2",
        "F8_E4M3FNUZ": "float8_e4m3fnuz",
        "F8_E5M2FNUZ": "float8_e5m2fnuz",
    }
)
_KEPT = ("F16", "BF16", "F32")
_NUMBERS: Mapping[str, str] = MappingProxyType(
    {
        **_FLOATS,
        "I64": "int64",
        "I32": "int32",
        "I16": "int16",
        "I8": "int8",
        "U8": "uint8",
        "BOOL": "bool",
    }
)


@dataclass(frozen=True)
class TensorFile:
    """An open file: its checked header, and its tensors on demand."""

    path: Path
    header: Header
    file: FileIO

    def names(self) -> tuple[str, ...]:
        """Return the names of all tensors, in the order of the header."""
        return tuple(self.header.tensors)

    def get(self, name: str) -> Tensor:
        """Read one tensor as float32; KeyError for a name the header lacks.

        Raises TensorSizeError, UnknownDtypeError, NonFiniteTensorError, HugeNumberError, UnreadableFileError.
        """
        info = self.header.tensors[name]
        dtype = self._dtype(name, info)
        self._check_size(name, info)
        if info.start == info.end:  # rank 0; torch makes no tensor of an empty buffer
            return torch.empty(info.shape, dtype=torch.float32)
        tensor = torch.frombuffer(self._read(info), dtype=dtype).to(torch.float32).reshape(info.shape)
        self._check_numbers(name, tensor)
        return tensor

    def read(self, names: Sequence[str]) -> dict[str, Tensor]:
        """Read tensors in the number type of the file, those of 8 or 64 bits and whole numbers as float32.

        What lies side by side in the file is read in one go, and looked at while it is in the processor's
        cache. Raises what `get` raises.
        """
        found: dict[str, Tensor] = {}
        for run in self._runs(names):
            first, last = (self.header.tensors[name] for name in (run[0], run[-1]))
            if first.dtype not in _KEPT or first.start == last.end:
                found |= {name: self.get(name) for name in run}
                continue
            numbers, sound = self._read_run(first.start, last.end, first.dtype)
            width, infos = numbers.element_size(), [self.header.tensors[name] for name in run]
            pieces = numbers.split_with_sizes([(info.end - info.start) // width for info in infos])
            for name, info, piece in zip(run, infos, pieces, strict=True):
                found[name] = piece.view(info.shape)
                if not sound:
                    self._check_numbers(name, found[name].to(torch.float32))
        return found

    def _runs(self, names: Sequence[str]) -> Iterator[list[str]]:
        """Group tensors that lie side by side and have one number type, in the order of the file."""
        run: list[str] = []
        infos = self.header.tensors
        for name in sorted(set(names), key=lambda name: infos[name].start):
            info = infos[name]
            if info.dtype not in _KEPT:
                self._dtype(name, info)
            self._check_size(name, info)
            before = infos[run[-1]] if run else None
            if before is not None and (before.end != info.start or before.dtype != info.dtype):
                yield run
                run = []
            run.append(name)
        if run:
            yield run

    def _read_run(self, start: int, end: int, dtype: str) -> tuple[Tensor, bool]:
        """Read numbers, and tell whether each is one that any network may hold."""
        signed, bare, largest = _FLOAT_BITS[dtype]
        sound, width, position = True, BITS[dtype] // 8, self.header.payload_start + start
        sign = 1 << (8 * width - 1)
        space = torch.empty(end - start + LINE, dtype=torch.uint8)
        ahead = (position - space.data_ptr()) % LINE // width * width
        raw = space[ahead : ahead + end - start]
        buffer, with_sign, without = raw.numpy().data, raw.numpy().view(signed), raw.numpy().view(bare)
        with reasons(self.path):
            self.file.seek(position)
        for begin in range(0, end - start, BLOCK):
            self._fill(buffer[begin : begin + BLOCK])
            part = slice(begin // width, (begin + BLOCK) // width)
            # The highest above zero, and the lowest below: the highest bits of all when the sign is one.
            sound = sound and with_sign[part].max() <= largest and without[part].max() <= sign + largest
        return raw.view(getattr(torch, _FLOATS[dtype])), bool(sound)

    def _check_numbers(self, name: str, tensor: Tensor) -> None:
        """Refuse NaN, infinity, and numbers that no training gives; where there are none, nothing."""
        if not tensor.numel():
            return
        low, high = torch.aminmax(tensor)
        largest = max(-float(low), float(high))
        if not math.isfinite(largest):
            raise NonFiniteTensorError(
                f"{self._title(name)} holds NaN or infinity; it would turn pictures black. "
                "The training went wrong or the file is damaged. Use an earlier epoch, or download it again."
            )
        limit = SCALE_LIMIT if name.endswith(NUMBER_SUFFIXES) else NUMBER_LIMIT
        if largest > limit:
            raise HugeNumberError(
                f"{self._title(name)} holds {largest:.3g}; no such number of a network is above {limit:.0e}. "
                "It would turn pictures black. Use an earlier epoch, or download it again."
            )

    def _title(self, name: str) -> str:
        return f"{self.path.name}: tensor '{clean(name, NAME_SHOWN)}'"

    def _check_size(self, name: str, info: TensorInfo) -> None:
        """Refuse what no layer has, before memory is asked for; sizes count even where another one is 0."""
        if len(info.shape) <= DIMENSIONS_LIMIT and 0 < info.end - info.start <= NUMBERS_LIMIT:
            return  # a number takes a byte or more
        if len(info.shape) > DIMENSIONS_LIMIT:
            raise TensorSizeError(
                f"{self._title(name)} has {len(info.shape)} dimensions; the limit is {DIMENSIONS_LIMIT}. "
                f"{DAMAGED}"
            )
        numbers = math.prod(size for size in info.shape if size)
        if numbers > NUMBERS_LIMIT:
            raise TensorSizeError(
                f"{self._title(name)} is of {numbers} numbers; the limit is {NUMBERS_LIMIT}. {DAMAGED}"
            )

    def _read(self, info: TensorInfo) -> bytearray:
        buffer = bytearray(info.end - info.start)
        with reasons(self.path):
            self.file.seek(self.header.payload_start + info.start)
        self._fill(memoryview(buffer))
        return buffer

    def _fill(self, rest: memoryview) -> None:
        """Read on until a buffer is full."""
        try:
            while rest and (count := self.file.readinto(rest)):
                rest = rest[count:]
        except OSError as error:
            with reasons(self.path):
                raise error
        if rest:
            raise UnreadableFileError(f"{self.path.name} became shorter while it was read. Try again.")

    def _dtype(self, name: str, info: TensorInfo) -> torch.dtype:
        known = _NUMBERS if name.endswith(NUMBER_SUFFIXES) else _FLOATS
        if info.dtype not in known:
            raise UnknownDtypeError(
                f"{self._title(name)} is stored as {info.dtype}, which is not a number type "
                "of weights. Use the fp16, bf16 or fp32 version of the file."
            )
        dtype = getattr(torch, known[info.dtype], None)
        if not isinstance(dtype, torch.dtype):
            raise UnknownDtypeError(
                f"{self.path.name}: this PyTorch ({torch.__version__}) cannot read {info.dtype}. "
                "Use the fp16 version of the file."
            )
        return dtype


def _refuse_scaled(path: Path, header: Header) -> None:
    """Refuse fp8 whose numbers have to be multiplied by a scale beside them: without it they are wrong."""
    scaled = next((name for name in header.tensors if name.endswith(SCALE_SUFFIXES)), None)
    if scaled is not None:
        raise UnknownDtypeError(
            f"{path.name}: tensor '{clean(scaled, NAME_SHOWN)}' belongs to scaled fp8, which is not "
            "supported. Use the fp16 or bf16 version of the file."
        )


@contextmanager
def open_tensors(path: Path) -> Iterator[TensorFile]:
    """Open a file for reading its tensors; on leaving, check that it did not change meanwhile.

    Raises FileError; pickles (.pt, .ckpt) are refused with an explanation.
    """
    refuse_pickle(path)
    with open_regular(path) as (file, identity):
        header = read_open_header(path, file, identity.size)
        _refuse_scaled(path, header)
        yield TensorFile(path, header, file)
    check_unchanged(path, identity)
