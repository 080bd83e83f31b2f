"""Other ways of applying a stack, with one surface: `attach`, `set_weights`, and `remove` where it is needed.

Two are packages of their authors, used as their documentation says. Two are ports in own words of methods
that have no package: that of sd-webui-additional-networks and that of AUTOMATIC1111's built-in Lora.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.bench.models import Net


class CopyFloor:
    """Reading every weight once and writing it once: what no merge into a buffer can go below."""

    def __init__(self, layers: dict[str, nn.Module], targets: Mapping[str, Tensor]) -> None:
        self._pairs = [(targets[name], module.weight) for name, module in layers.items()]

    def set_weights(self, weights: Sequence[float]) -> None:
        for target, source in self._pairs:
            target.copy_(source)


class PlainProducts:
    """One product per layer with everything at hand beforehand: `W + up @ down`, and no more."""

    def __init__(
        self, layers: dict[str, nn.Module], nets: Sequence[Net], targets: Mapping[str, Tensor]
    ) -> None:
        self._given = []
        for name, module in layers.items():
            up = torch.cat([net[name].up for net in nets], dim=1)
            down = torch.cat([net[name].down.flatten(1) for net in nets])
            self._given.append((module.weight.flatten(1), up, down, targets[name].flatten(1)))

    def set_weights(self, weights: Sequence[float]) -> None:
        for weight, up, down, out in self._given:
            torch.addmm(weight, up, down, out=out)


class AddNet:
    """A chain of wrapped forwards: one pair of small layers per network and layer, added at every step."""

    def __init__(self, layers: dict[str, nn.Module], nets: Sequence[Net], weights: Sequence[float]) -> None:
        self._layers = layers
        self._multipliers = [[weight] for weight in weights]
        for net, multiplier in zip(nets, self._multipliers, strict=True):
            for name, found in net.items():
                self._wrap(layers[name], found.down, found.up, found.alpha / len(found.down), multiplier)

    @staticmethod
    def _wrap(layer: Any, down: Tensor, up: Tensor, scale: float, multiplier: list[float]) -> None:
        inner = layer.forward
        if isinstance(layer, nn.Linear):

            def forward(x: Tensor) -> Tensor:
                change = functional.linear(functional.linear(x, down), up)
                return inner(x) + change * multiplier[0] * scale
        else:
            up = up[:, :, None, None]

            def forward(x: Tensor) -> Tensor:
                hidden = functional.conv2d(x, down, None, layer.stride, layer.padding)
                return inner(x) + functional.conv2d(hidden, up) * multiplier[0] * scale

        layer.forward = forward

    def set_weights(self, weights: Sequence[float]) -> None:
        for multiplier, weight in zip(self._multipliers, weights, strict=True):
            multiplier[0] = weight

    def remove(self) -> None:
        for layer in self._layers.values():
            vars(layer).pop("forward", None)


class BuiltIn:
    """Every layer's weight is kept in main memory; a change copies all back and adds network by network."""

    KINDS = (nn.Linear, nn.Conv2d, nn.GroupNorm, nn.LayerNorm)

    def __init__(self, unet: Any, nets: Sequence[Net]) -> None:
        self._layers = [
            (name, found) for name, found in unet.named_modules() if isinstance(found, self.KINDS)
        ]
        self._kept = {name: self._copies(module) for name, module in self._layers}
        self._nets = [
            {name: (found.down.cpu(), found.up.cpu(), found.alpha) for name, found in net.items()}
            for net in nets
        ]

    @staticmethod
    def _copies(module: Any) -> tuple[Tensor, Tensor | None]:
        bias = None if module.bias is None else module.bias.to("cpu", copy=True)
        return module.weight.to("cpu", copy=True), bias

    def set_weights(self, weights: Sequence[float]) -> None:
        for name, module in self._layers:
            self._restore(name, module)
            for net, multiplier in zip(self._nets, weights, strict=True):
                if name in net:
                    self._add(module.weight, *net[name], multiplier)

    @staticmethod
    def _add(weight: Tensor, down: Tensor, up: Tensor, alpha: float, multiplier: float) -> None:
        down, up = down.to(weight.device), up.to(weight.device)
        change = (up.flatten(1) @ down.flatten(1)).reshape(weight.shape)
        change = change * (alpha / len(down))
        change = change * multiplier
        weight.copy_((weight.to(change.dtype) + change).to(weight.dtype))

    def _restore(self, name: str, module: Any) -> None:
        weight, bias = self._kept[name]
        module.weight.copy_(weight)
        if bias is not None:
            module.bias.copy_(bias)

    def remove(self) -> None:
        for name, module in self._layers:
            self._restore(name, module)


class Peft:
    """diffusers with peft: side by side, or fused into the weights and taken out again by subtraction."""

    def __init__(self, unet: Any, nets: Sequence[Net], weights: Sequence[float], fused: bool = False) -> None:
        self._unet, self._fused = unet, fused
        self._names = [f"net{index}" for index in range(len(nets))]
        self._scales = []
        for name, net in zip(self._names, nets, strict=True):
            state = {}
            for path, found in net.items():
                points = (1,) * (found.down.dim() - 2)
                state[f"{path}.lora_A.weight"] = found.down
                state[f"{path}.lora_B.weight"] = found.up.view(*found.up.shape, *points)
            unet.load_lora_adapter(state, adapter_name=name, prefix=None)
            self._scales.append(found.alpha / len(found.down))
        self._set(weights)
        if fused:
            unet.fuse_lora(adapter_names=self._names)

    def _set(self, weights: Sequence[float]) -> None:
        pairs = zip(weights, self._scales, strict=True)
        self._unet.set_adapters(self._names, weights=[weight * scale for weight, scale in pairs])

    def set_weights(self, weights: Sequence[float]) -> None:
        if self._fused:
            self._unet.unfuse_lora()
        self._set(weights)
        if self._fused:
            self._unet.fuse_lora(adapter_names=self._names)


class Lycoris:
    """lycoris-lora: `merge_to` on weights copied back beforehand, as it has no way to take a merge out.

    beside: `apply_to` instead, which makes the change anew at every call.
    """

    def __init__(
        self, unet: Any, nets: Sequence[Net], weights: Sequence[float], beside: bool = False
    ) -> None:
        from lycoris import create_lycoris_from_weights

        logging.getLogger("LyCORIS").setLevel(logging.ERROR)
        self._layers = {name: dict(unet.named_modules())[name] for name in nets[0]}
        self._kept = {} if beside else {name: layer.weight.clone() for name, layer in self._layers.items()}
        self._networks = []
        for net, weight in zip(nets, weights, strict=True):
            state = {}
            for path, found in net.items():
                stem, points = "lycoris_" + path.replace(".", "_"), (1,) * (found.down.dim() - 2)
                state[f"{stem}.lora_down.weight"] = found.down
                state[f"{stem}.lora_up.weight"] = found.up.view(*found.up.shape, *points)
                state[f"{stem}.alpha"] = torch.tensor(found.alpha)
            network, _ = create_lycoris_from_weights(weight, None, unet, weights_sd=state)
            network.weights_sd = None
            if beside:
                network.apply_to()
            self._networks.append(network.requires_grad_(False))

    def set_weights(self, weights: Sequence[float]) -> None:
        self.remove()
        for network, weight in zip(self._networks, weights, strict=True):
            network.merge_to(weight)

    def remove(self) -> None:
        for name, layer in self._layers.items():
            layer.weight.copy_(self._kept[name])
