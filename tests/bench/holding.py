"""What the engine holds and reads: memory while merging, and a file from the disk's cache into slots."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file

from lib_lora.keys import find_architecture
from lib_lora.keys.unet import unet_modules
from lib_lora.network import open_network
from lib_lora.session import Session
from tests.bench import models
from tests.bench.merging import begin
from tests.bench.race import Row, race
from tests.engine.peak import Peak, tensors_in

FILE_BYTES, WIDTH, RANK = 150 * 10**6, 1280, 64


def memory(structure: str) -> Iterator[Row]:
    """Memory alive at once while a stack is merged for the first time, beyond one copy and the factors."""
    unet = models.build(structure, torch.float32)
    layers, view = models.targets(unet, False), models.view_of(unet, structure)
    networks = models.opened(models.draw(layers, [32] * 8, torch.float32), structure)
    known = [
        tensor for network in networks for one in network.adapters.values() for tensor in tensors_in(one)
    ]
    session = Session()
    plan = models.plan_of(networks, view, models.weights_at(8, 0))
    with Peak((*unet.parameters(), *known)) as peak:
        session.attach(view, plan, "merged")
        begin(view)
    copy = sum(module.weight.nbytes for module in layers.values())
    factors = sum(tensor.nbytes for tensor in known)
    session.forget()
    yield Row(
        "peak of memory / one copy of the layers and the factors",
        f"{structure}, attention, 8×32, fp32",
        peak.bytes / (copy + factors),
        1.02,
        detail={"peak MB": peak.bytes / 1e6, "copy MB": copy / 1e6, "factors MB": factors / 1e6},
    )


def opening(rounds: int) -> Row:
    """A file of 150 MB whose pages are in memory: opened and copied into slots, against copying its bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.safetensors")
        names = _write(path)
        payload = torch.ones(path.stat().st_size, dtype=torch.uint8)

        def copy(number: int) -> None:
            payload.clone()

        def ours(number: int) -> None:
            network = open_network(path, "sdxl")
            for adapter in network.adapters.values():
                found = adapter.factors((WIDTH, WIDTH))
                assert found is not None
                for factor in (found.up, found.down):
                    torch.empty_like(factor).copy_(factor)

        times = race({"copy": copy, "ours": ours}, rounds)
    detail = {name: round(times.median(name), 3) for name in times.by_way}
    case = f"{len(payload) / 1e6:.0f} MB, {names} layers, fp16"
    return Row("file opened into slots / memory copy", case, times.ratio("ours", "copy"), 2, detail=detail)


def _write(path: Path) -> int:
    """Write a file of the usual kind; return how many layers it changes."""
    state, count = {}, FILE_BYTES // (2 * 2 * WIDTH * RANK)
    known = [theirs for theirs, _ in unet_modules(find_architecture("sdxl").unet) if "attn" in theirs]
    for theirs in known[:count]:
        stem = f"lora_unet_{theirs.replace('.', '_')}"
        state[f"{stem}.lora_down.weight"] = torch.randn(RANK, WIDTH).half()
        state[f"{stem}.lora_up.weight"] = torch.randn(WIDTH, RANK).half() * 0.01
        state[f"{stem}.alpha"] = torch.tensor(float(RANK))
    save_file(state, path)
    return len(known[:count])
