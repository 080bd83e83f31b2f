"""What only the numbers tell: NaN, tensors of zeros, how strongly each block is changed. Needs torch."""

from __future__ import annotations

import math
import re
from pathlib import Path

import torch
from torch import Tensor

from lib_lora.adapters import ANY, NOTHING, Adapter, find_family
from lib_lora.errors import AdapterError, HugeNumberError, NonFiniteTensorError, UnknownDtypeError
from lib_lora.files.tensors import TensorFile, open_tensors
from lib_lora.inspection.inspect import Table
from lib_lora.keys.spellings import flat, split_suffix

_BLOCK = re.compile(r"(?:down|up|input|output)_blocks_\d+|mid(?:dle)?_block|(?:te\d?|encoder)_.*?layers_\d+")


def check_values(path: Path) -> Table:
    """Return names of tensors not finite or all zero, faulty weights, and ‖ΔW‖ (Frobenius) per block.

    A block's norm is None where one of its changes depends on the checkpoint's weight. Raises FileError.
    """
    not_finite: list[str] = []
    all_zero: list[str] = []
    faults: list[str] = []
    squares: dict[str, float | None] = {}
    with open_tensors(path) as file:
        for module, roles in _roles(file).items():
            tensors: dict[str, Tensor] = {}
            for role, name in roles.items():
                try:
                    tensors[role] = file.get(name)
                except NonFiniteTensorError:
                    not_finite.append(name)
                except (HugeNumberError, UnknownDtypeError) as error:
                    faults.append(str(error))
                else:
                    if tensors[role].nelement() and not tensors[role].any():
                        all_zero.append(name)
            if len(tensors) < len(roles):
                continue
            try:
                square = _square(tensors)
            except AdapterError as error:
                faults.append(f"{module}: {error}")
                continue
            block, before = _block(module), squares.get(_block(module), 0.0)
            squares[block] = None if square is None or before is None else before + square
    norms = {block: None if square is None else math.sqrt(square) for block, square in squares.items()}
    return {"not_finite": not_finite, "all_zero": all_zero, "faults": faults, "norms": norms}


def _roles(file: TensorFile) -> dict[str, dict[str, str]]:
    modules: dict[str, dict[str, str]] = {}
    for name in file.names():
        split = split_suffix(name)
        module, role = split if split else (name, "")
        modules.setdefault(module, {})[role] = name
    return modules


def _block(module: str) -> str:
    found = _BLOCK.search(flat(module))
    return found[0] if found else "other"


def _square(tensors: dict[str, Tensor]) -> float | None:
    """Return ‖ΔW‖² of one weight, None where it depends on the weight, 0 for no change at all."""
    family = find_family(role for role in tensors if role)
    if family is None:
        return 0.0
    adapter: Adapter = family.read(tensors)
    shape = adapter.shape
    if adapter.reads != NOTHING or ANY in shape:
        return None
    factors = adapter.factors(shape)
    if factors is not None:  # ‖up @ down‖² without the product
        inner = (factors.up.double().T @ factors.up.double()) * (
            factors.down.double() @ factors.down.double().T
        )
        return float(inner.sum()) * factors.scale**2
    change = adapter.delta(torch.empty(shape, device="meta"))
    return float(torch.linalg.vector_norm(change, dtype=torch.float64)) ** 2
