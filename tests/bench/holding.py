"""What the engine holds and reads: memory while merging, and a file from the disk's cache into slots."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file

from lib_lora.files.tensors import BLOCK
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
    unet = models.build(structure, torch.float32, bare=True)
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
    """A file of 150 MB whose pages are in memory: opened and copied into slots, against copying its bytes.

    The floor is to read the bytes into memory that is there and to copy as many pieces, without a look.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.safetensors")
        names = _write(path)
        payload = torch.ones(path.stat().st_size, dtype=torch.uint8)
        place = torch.ones_like(payload)
        pieces = place[: names * 4 * WIDTH * RANK].view(torch.float16).split(WIDTH * RANK)

        def copy(number: int) -> None:
            payload.clone()

        def ours(number: int) -> None:
            network = open_network(path, "sdxl")
            for adapter in network.adapters.values():
                found = adapter.factors((WIDTH, WIDTH))
                assert found is not None
                for factor in (found.up, found.down):
                    torch.empty_like(factor).copy_(factor)

        def bare(number: int) -> None:
            with path.open("rb", buffering=0) as file:
                view = place.numpy().data
                for begin in range(0, len(place), BLOCK):
                    file.readinto(view[begin : begin + BLOCK])
            for piece in pieces:
                torch.empty_like(piece).copy_(piece)

        times = race({"copy": copy, "ours": ours, "read and copy": bare}, rounds)
    detail = times.detail()
    case = f"{len(payload) / 1e6:.0f} MB, {names} layers, fp16"
    value, floor = times.ratio("ours", "copy"), times.ratio("read and copy", "copy")
    return Row("file opened into slots / memory copy", case, value, 2, detail=detail, floor=floor)


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
