"""What is done with a file: everything the extension does, which works or raises a readable error of ours."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from safetensors import safe_open

from lib_lora.errors import FileError, LoraStackError
from lib_lora.files.header import read_header, read_metadata
from lib_lora.files.metadata import facts, read_words
from lib_lora.inspection.inspect import inspect_file
from lib_lora.inspection.numbers import read_numbers
from lib_lora.inspection.render import render
from lib_lora.keys import ARCHITECTURES, resolve
from lib_lora.library.library import Library
from tests.fuzz.cases import HEADER, LIBRARY, TENSORS
from tests.fuzz.readable import check_readable
from tests.fuzz.seeds import PLACES

MEMORY_DISK = Path("/dev/shm")
WORKS = "works"
CONFIGS = (
    b"",
    b'{"r": 4, "lora_alpha": 8}',
    b'{"r": 4, "lora_alpha": 8, "use_rslora": true, "rank_pattern": {"to_q": 0, ".*a.*a.*": 2, "(": 1}}',
    b'{"r": 5e-324, "lora_alpha": 1e308}',
    b'{"r": "4", "lora_alpha": null, "alpha_pattern": [1]}',
    b'{"r": NaN, "lora_alpha": 1e999}',
    b"[" * 3000,
    b"\xff",
)
"""What PEFT's exports have beside them, and what lies about it."""
NUMBERS = 100_000  # of a weight that is changed for a try; the toy's have a few hundred
Outcomes = list[str]


@contextmanager
def bench() -> Iterator[Path]:
    """Give a folder for one file, in memory where the system has such a disk; removed afterwards."""
    folder = Path(tempfile.mkdtemp(dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def run_case(kind: str, folder: Path, content: bytes, number: int) -> Outcomes:
    """Go through one kind of use; returns what happened, and raises whatever is no error of ours."""
    path = folder / "case.safetensors"
    path.write_bytes(content)
    architecture = ARCHITECTURES[number % len(ARCHITECTURES)].name
    return RUNS[kind](path, architecture, number)


def _header(path: Path, architecture: str, number: int) -> Outcomes:
    def whole() -> None:
        header = read_header(path)
        facts(header)
        resolve(header.tensors, architecture)
        read_numbers(path, header, ".alpha")
        with safe_open(path, "np") as file:  # what we accept the library accepts
            assert set(file.keys()) == set(header.tensors)

    return [_outcome(lambda: read_words(read_metadata(path))), _outcome(whole)]


def _library(path: Path, architecture: str, number: int) -> Outcomes:
    table = inspect_file(path, architecture)
    json.dumps(table).encode()
    lines = render(table)
    lines.encode("utf-8")
    path.with_suffix(".json").write_bytes(path.read_bytes()[8:])  # a sidecar as spoiled as the file
    library = Library([path.parent])
    library.scan()
    (file,) = library.files()
    json.dumps(library.summary(file), ensure_ascii=False).encode("utf-8")
    assert library.find("case") is file
    library.search("neon")
    return ["error" if "error" in table else WORKS, _outcome(lambda: library.hash_of(file))]


def _tensors(path: Path, architecture: str, number: int) -> Outcomes:
    from lib_lora.inspection.values import check_values
    from lib_lora.network import check_fit, open_network

    config = CONFIGS[number % len(CONFIGS)]
    path.with_name("adapter_config.json").write_bytes(config)

    def applied() -> None:
        network = open_network(path, "sd1")
        if number % 3 == 0:
            open_network(path, architecture)
        for adapter in network.adapters.values():
            _try_where_it_says(adapter)
        for tree in trees():
            fit = check_fit(network, {name: tuple(weight.shape) for name, weight in tree.items()}, "sd1")
            for name in fit.matched:
                _change(network.adapters[name], tree[name])

    return [_outcome(applied), _outcome(lambda: check_values(path))]


@cache
def trees() -> tuple[Mapping[str, Any], ...]:
    """The weights of the toy, and of an inpainting model like it; a text model's norm layer too."""
    import torch

    generator = torch.Generator().manual_seed(5)
    shapes = {name: shape for name, _, shape in PLACES.values()}
    norm = "clip_l.text_model.encoder.layers.0.layer_norm1"
    plain = {name: torch.randn(shape, generator=generator) for name, shape in {**shapes, norm: (8,)}.items()}
    wide = torch.randn(8, 9, 3, 3, generator=generator)
    return plain, {**plain, "unet.input_blocks.0.0": wide}


def _try_where_it_says(adapter: Any) -> None:
    """Change a weight of the shape that the file asks for, as long as it is small."""
    import math

    import torch

    shape = tuple(8 if size < 0 else size for size in adapter.shape)
    if math.prod(shape) <= NUMBERS and adapter.fits(shape):
        _change(adapter, torch.ones(shape))


def _change(adapter: Any, base: Any) -> None:
    """Make every form of one change, and hold their shapes."""
    import torch

    from lib_lora.adapters import InPlace

    delta = adapter.delta(base)
    assert (delta.shape, delta.dtype) == (base.shape, torch.float32), f"{adapter.family}: {delta.shape}"
    factors = adapter.factors(tuple(base.shape))
    if factors is not None:
        assert factors.up.shape[1] == factors.down.shape[0]
        assert factors.up.shape[0] * factors.down.shape[1] == base.numel()
    if isinstance(adapter, InPlace):
        adapter.add_to(base.clone(), base, 0.7)
    for own in (None, torch.ones(base.shape[0])):
        bias = adapter.bias(own)
        assert bias is None or tuple(bias.shape) == (base.shape[0],), f"{adapter.family}: bias {bias.shape}"


def _outcome(use: Callable[[], object]) -> str:
    """Return `works` or the name of our error, which must be readable and, for a file, name it."""
    try:
        use()
    except LoraStackError as error:
        check_readable(error)
        assert not isinstance(error, FileError) or "case" in str(error), f"does not name the file: {error}"
        return type(error).__name__
    return WORKS


RUNS: Mapping[str, Callable[[Path, str, int], Outcomes]] = {
    HEADER: _header,
    LIBRARY: _library,
    TENSORS: _tensors,
}
