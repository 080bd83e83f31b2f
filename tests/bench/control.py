"""What everything around the products costs: layers that need nothing, putting on and off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from lib_lora.engine.view import LINEAR, Layer, ModelView
from lib_lora.network import Network
from lib_lora.plan import Plan, make_plan
from lib_lora.session import Session
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack
from tests.bench import models
from tests.bench.merging import begin
from tests.bench.race import Row, race

LAYERS = 800
TEXT_WIDTH, TEXT_LAYERS = 768, 12


class Root(nn.Module):
    """A part of a model: a list of layers."""

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)


def _text_layers() -> list[nn.Module]:
    return [nn.Linear(TEXT_WIDTH, TEXT_WIDTH).requires_grad_(False) for _ in range(4 * TEXT_LAYERS)]


def text_encoder(structure: str, rounds: int) -> Row:
    """The text encoder's weight of one row moves: the UNet's layers must not be merged again.

    What is left is the text encoder's share of the products, told beside the figure.
    """
    unet = models.build(structure, torch.float32)
    layers, view = models.targets(unet, False), models.view_of(unet, structure)
    text = Root(_text_layers())
    names = [
        f"clip_l.text_model.encoder.layers.{index // 4}.self_attn.{place}_proj"
        for index, place in enumerate(("q", "k", "v", "out") * TEXT_LAYERS)
    ]
    more = {name: Layer(name, LINEAR, layer) for name, layer in zip(names, text.layers, strict=True)}
    view = replace(view, parts={**view.parts, "clip_l": text}, layers={**view.layers, **more})
    nets = models.draw(layers, [32] * 3, torch.float32)
    networks = [
        replace(network, adapters={**network.adapters, **dict(models.text_adapters(more, index))})
        for index, network in enumerate(models.opened(nets, structure))
    ]
    session, last = Session(), Plan(view.key, {}, (), ())

    def attach(te: float, shift: float) -> None:
        nonlocal last
        first, *others = (Entry(network.name, weight=0.5 + shift, te=0.4) for network in networks)
        last = make_plan(Stack((replace(first, te=te), *others)), networks, view, last)
        session.attach(view, last, "merged")
        for part in view.parts:
            begin(view, part)

    def everything(number: int) -> None:
        attach(0.503 + 0.01 * number, 0.01 * number + 0.005)

    def text_only(number: int) -> None:
        attach(0.507 + 0.01 * number, 0.01 * number + 0.005)

    times = race({"everything": everything, "text only": text_only}, rounds)
    session.forget()
    detail = {name: round(times.median(name), 3) for name in times.by_way}
    numbers = [sum(module.weight.nelement() for module in found) for found in (text.layers, layers.values())]
    detail["the text encoder's share of all products"] = numbers[0] / sum(numbers)
    return Row(
        "text-encoder weight of one row moved / everything",
        f"{structure}, attention, 3×32, fp32",
        times.ratio("text only", "everything"),
        0.1,
        detail=detail,
    )


def again(rounds: int) -> Row:
    """Put on again what was taken off, with nothing changed: 800 layers of one UNet."""
    small = [nn.Linear(8, 8).requires_grad_(False) for _ in range(LAYERS)]
    root = Root(small)
    layers = {f"unet.{index}": Layer(f"unet.{index}", LINEAR, module) for index, module in enumerate(small)}
    view = ModelView("sdxl", "bench", {"unet": root}, layers)
    adapters = dict(models.text_adapters(layers, 0, rank=2))
    network = Network(Path("0"), ("bench", 0), "sdxl", adapters, (), ())
    plan, session = make_plan(Stack((Entry("0"),)), [network], view), Session()

    def work(number: int) -> None:
        session.attach(view, plan)
        begin(view)
        session.detach()

    times = race({"again": work}, max(rounds, 15))
    return Row(
        "detached and attached again, nothing changed",
        f"{LAYERS} layers",
        times.median("again"),
        2,
        unit="ms",
    )
