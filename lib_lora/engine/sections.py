"""Weights that are no module's own: rows of a fused attention, its output layer, a bare parameter.

To everything behind it such a section is a linear layer with a weight `[out, in]` and a bias. PyTorch's
`nn.MultiheadAttention`, of which OpenCLIP's text encoders are made, stacks q, k and v in one parameter and
never calls its output layer as a module, so none of the four can be given a forward of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from torch import Tensor

IN_PLACES = ("q_proj", "k_proj", "v_proj")
OUT_PLACE = "out_proj"
NO_PARAMETERS: Mapping[str, Any] = MappingProxyType({})
PLACES = (*IN_PLACES, OUT_PLACE)
"""What can be changed in a fused attention, by the names the weights have where they are not fused."""


@dataclass(frozen=True, eq=False)
class Section:
    """A part of a module's parameter, read anew at every access.

    owner: the module that computes with it. holder: the one whose parameters they are. place: which of a
    fused attention's. rows: from where to where. transposed: whether the owner keeps it as `[in, out]`.
    """

    owner: Any
    holder: Any
    weight_name: str
    bias_name: str = ""
    place: str = ""
    rows: tuple[int, int] | None = None
    transposed: bool = False

    @property
    def weight(self) -> Tensor:
        """The weight `[out, in]`, a view on the owner's parameter."""
        weight: Tensor = self._cut(self.parameters[self.weight_name])
        return weight.t() if self.transposed else weight

    @property
    def bias(self) -> Tensor | None:
        """The bias `[out]`, a view on the owner's parameter, if there is one."""
        bias = self.parameters.get(self.bias_name)
        return None if bias is None else self._cut(bias)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The holder's own table, which an attribute of ours cannot hide."""
        table: Mapping[str, Any] = self.holder._parameters
        return table

    def _cut(self, parameter: Any) -> Any:
        return parameter if self.rows is None else parameter[slice(*self.rows)]


def is_fused(module: Any) -> bool:
    """Tell whether a module is an attention with q, k and v in one parameter."""
    return vars(module).get("_parameters", {}).get("in_proj_weight") is not None


def fused_section(module: Any, place: str) -> Section:
    """Return one of the four weights of a fused attention."""
    if place == OUT_PLACE:
        return Section(module, module.out_proj, "weight", "bias", place)
    size = module.in_proj_weight.shape[0] // len(IN_PLACES)
    start = IN_PLACES.index(place) * size
    return Section(module, module, "in_proj_weight", "in_proj_bias", place, (start, start + size))


def owner_of(module: Any) -> Any:
    """Return the module that computes with a layer's weight."""
    return module.owner if isinstance(module, Section) else module


def entry_in(module: Any, which: str) -> tuple[Mapping[str, Any], str]:
    """Return the table and the name in it that hold a layer's `weight` or `bias`."""
    if not isinstance(module, Section):
        return module.__dict__.get("_parameters", NO_PARAMETERS), which
    return module.parameters, module.weight_name if which == "weight" else module.bias_name


def origin(module: Any, which: str) -> Tensor | None:
    """Return the tensor in which a layer's `weight` or `bias` is stored, whole."""
    if not isinstance(module, Section):
        return getattr(module, which, None)
    table, name = entry_in(module, which)
    return table.get(name)
