"""What everything around the products costs: layers that need nothing, putting on and off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from lib_lora.engine.view import LINEAR, Layer, ModelView
from lib_lora.keys.sd1 import SD1
from lib_lora.keys.sdxl import SDXL
from lib_lora.network import Network
from lib_lora.plan import Plan, make_plan
from lib_lora.session import Session
from lib_lora.stack.entry import Entry
from lib_lora.stack.stack import Stack
from tests.bench import models, peers
from tests.bench.merging import begin
from tests.bench.race import Row, Work, race

LAYERS = 800
TEXTS = {"SD1.5": SD1.texts, "SDXL": SDXL.texts}
COUNT = 3
"""Networks of the rows about text encoders."""


class Root(nn.Module):
    """A part of a model: a list of layers."""

    def __init__(self, layers: Iterable[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)


def _text_encoders(structure: str, dtype: torch.dtype) -> Iterator[tuple[str, dict[str, nn.Module]]]:
    """Yield the attention layers of each of a model's text encoders by their names, `clip_l` and so on."""
    for text in TEXTS[structure]:
        found: dict[str, nn.Module] = {}
        for number in range(text.layers):
            for place in ("q", "k", "v", "out"):
                layer = nn.Linear(text.width, text.width, dtype=dtype).requires_grad_(False)
                found[f"{text.part}.text_model.encoder.layers.{number}.self_attn.{place}_proj"] = layer
        yield text.part, found


def text_encoder(structure: str, dtype: torch.dtype, rank: int, rounds: int) -> Row:
    """The text encoder's weight of one row moves: the UNet's layers must not be merged again.

    The floor is the text encoders' share of the bare products: their layers take as long for their size as
    those of the UNet.
    """
    unet = models.build(structure, dtype, bare=True)
    layers, view = models.targets(unet, False), models.view_of(unet, structure)
    parts, text = dict(view.parts), dict[str, nn.Module]()
    for part, found in _text_encoders(structure, dtype):
        parts[part] = Root(found.values())
        text |= found
    more = {name: Layer(name, LINEAR, module) for name, module in text.items()}
    view = replace(view, parts=parts, layers={**view.layers, **more})
    nets, spoken = (models.draw(found, [rank] * COUNT, dtype) for found in (layers, text))
    networks = [
        replace(network, adapters={**network.adapters, **dict(models.adapters_of(net))})
        for network, net in zip(models.opened(nets, structure), spoken, strict=True)
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

    both = [{**net, **more} for net, more in zip(nets, spoken, strict=True)]
    largest = torch.empty(max(module.weight.nelement() for module in layers.values()), dtype=dtype)
    places = {
        name: largest[: module.weight.nelement()].view_as(module.weight)
        for name, module in {**layers, **text}.items()
    }
    all_products = peers.PlainProducts({**layers, **text}, both, places)
    text_products = peers.PlainProducts(text, both, places)
    ways: dict[str, Work] = {
        "everything": everything,
        "text only": text_only,
        "all products": lambda number: all_products.set_weights(()),
        "text products": lambda number: text_products.set_weights(()),
    }
    times = race(ways, rounds)
    session.forget()
    detail = times.detail()
    numbers = [sum(module.weight.nelement() for module in found.values()) for found in (text, layers)]
    detail["the text encoders' share of all numbers"] = round(numbers[0] / sum(numbers), 4)
    return Row(
        "text-encoder weight of one row moved / everything",
        f"{structure}, attention, {COUNT}×{rank}, {models.told(dtype)}",
        times.ratio("text only", "everything"),
        0.1,
        detail=detail,
        floor=times.ratio("text products", "all products"),
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
