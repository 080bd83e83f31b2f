"""How exact every spelling is through the engine; `python -m tests.engine.figures` writes it into the page.

The test of the page measures again and compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib_lora.adapters import Adapter, find_family
from lib_lora.engine.arithmetic import exact_arithmetic
from lib_lora.engine.bypass import Bypass
from lib_lora.engine.merged import MergedWeight
from lib_lora.engine.scratch import Scratch
from lib_lora.engine.view import CONV, LINEAR, Layer
from lib_lora.plan import Contribution
from tests.adapters.by_hand import BY_HAND
from tests.adapters.table import CASES, SHAPES, Case, Shape, exact

PAGE = Path(__file__).parents[2] / "docs" / "families.md"
STRENGTHS = (0.0, 0.35, 1.0, -0.7)
HALVES = (torch.float16, torch.bfloat16)
COLUMNS = (
    "spelling",
    "linear",
    "conv 1×1",
    "conv 3×3",
    "text encoder",
    "16 bits",
    "beside",
    "beside, 16 bits",
)
HEAD = "| " + " | ".join((*COLUMNS, "checked with")) + " |"


@dataclass(frozen=True)
class Figures:
    """Largest errors of one spelling; relative to the largest number, those of 16 bits in roundings.

    merged: by host. halves: of a merged number, in places of its number type; half a place is unavoidable.
    beside, beside_halves: of a layer's output; the second in halves of a place of the largest number.
    """

    merged: Mapping[str, float]
    halves: float
    beside: float
    beside_halves: float

    def cells(self) -> list[str]:
        """As on the page."""
        merged = [f"{self.merged[host]:.0e}" if host in self.merged else "–" for host in SHAPES]
        return [*merged, f"{self.halves:.2f}", f"{self.beside:.0e}", f"{self.beside_halves:.1f}"]


def layer(shape: Shape) -> nn.Module:
    """A layer of a weight's shape."""
    if len(shape) == 4:
        return nn.Conv2d(shape[1], shape[0], shape[2:], padding=shape[2] // 2)
    return nn.Linear(shape[1], shape[0])


def merge(host: nn.Module, changes: list[Contribution]) -> Tensor:
    """The engine's merged weight."""
    merged = MergedWeight()
    with exact_arithmetic([torch.device("cpu")]):
        merged.update(host, changes, Scratch())
    assert merged.weight is not None
    return merged.weight


@torch.no_grad()
def measure(case: Case) -> Figures:
    """Put a spelling through the engine in every way."""
    merged: dict[str, float] = {}
    halves = beside = beside_halves = 0.0
    for host in case.hosts:
        for weight_error, place_error, output_error, dtype in _errors(case, host):
            if dtype == torch.float32:
                merged[host] = max(merged.get(host, 0.0), weight_error)
                beside = max(beside, output_error)
            else:
                halves = max(halves, place_error)
                beside_halves = max(beside_halves, 2 * output_error / torch.finfo(dtype).eps)
    return Figures(merged, halves, beside, beside_halves)


def _errors(case: Case, host: str) -> Iterator[tuple[float, float, float, torch.dtype]]:
    torch.manual_seed(7)
    shape = SHAPES[host]
    tensors, plain = case.draw(shape), layer(shape)
    x = torch.randn(1, shape[1], 5, 5) if len(shape) == 4 else torch.randn(4, shape[1])
    family = find_family(tensors)
    assert family is not None
    adapter = family.read(tensors)
    factors = adapter.factors(shape)
    for dtype in (torch.float32, *HALVES):
        module, inputs = plain.to(dtype), x.to(dtype)
        weight = module.weight.double()
        change = case.formula(weight, exact(tensors))
        for strength in STRENGTHS:
            planned = [Contribution(case.name, adapter, factors, strength)]
            wanted = weight + strength * change
            error = (merge(module, planned).double() - wanted).abs()
            output = Bypass(_named(module), planned).add_to(module(inputs), inputs).double()
            right = _exact_output(module, adapter, inputs.double(), wanted, strength)
            yield (
                float(error.max() / wanted.abs().max()),
                float(((error - 1e-6 * wanted.abs().max()).clamp(min=0) / _places(wanted, dtype)).max()),
                float((output - right).abs().max() / right.abs().max()),
                dtype,
            )


def _named(module: nn.Module) -> Layer:
    return Layer("unet.out.2", CONV if isinstance(module, nn.Conv2d) else LINEAR, module)


def _places(numbers: Tensor, dtype: torch.dtype) -> Tensor:
    """How far apart the neighbours of every number are in a number type."""
    smallest = torch.finfo(dtype).tiny
    return torch.exp2(numbers.abs().clamp(min=smallest).log2().floor()) * torch.finfo(dtype).eps


def _exact_output(module: nn.Module, adapter: Adapter, x: Tensor, weight: Tensor, strength: float) -> Tensor:
    bias = module.bias.double()
    shift = adapter.bias(module.bias.float())
    if shift is not None:
        bias = bias + strength * shift.double()
    if isinstance(module, nn.Conv2d):
        return functional.conv2d(x, weight, bias, padding=module.padding)
    return functional.linear(x, weight, bias)


def witnesses(name: str, libraries: Mapping[str, set[str]]) -> str:
    """Which trainers' libraries, and whether numbers on paper, say what a spelling means."""
    found = [library for library, names in libraries.items() if name in names]
    return ", ".join([*found, *(["by hand"] if name in BY_HAND else [])]) or "–"


def libraries() -> dict[str, set[str]]:
    """The spellings each library is an oracle for."""
    from tests.oracles.test_lycoris import ORACLES as LYCORIS
    from tests.oracles.test_peft import ALSO
    from tests.oracles.test_peft import ORACLES as PEFT

    return {"LyCORIS": {name for name, _ in LYCORIS}, "PEFT": {name for name, _ in PEFT} | set(ALSO)}


def write_page() -> None:
    """Replace the table at the end of the page."""
    before = PAGE.read_text(encoding="utf-8").split("| spelling |")[0]
    known = libraries()
    rows = [[case.name, *measure(case).cells(), witnesses(case.name, known)] for case in CASES]
    lines = [HEAD, "|---|" + "---|" * (HEAD.count("|") - 2), *("| " + " | ".join(row) + " |" for row in rows)]
    PAGE.write_text(before + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_page()
