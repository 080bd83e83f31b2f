"""T-LoRA: a low-rank part instead of the weight's own, `ΔW = s · (P diag(λ) Q − P₀ diag(λ₀) Q₀)`.

    p_layer [out, r]    lambda_layer [1, r]    q_layer [r, in]    alpha

The part that is taken away is not in the file: it is the first r singular values and vectors of the
weight the file was trained on. It is computed from the weight at hand, which is right only for the same
checkpoint (and for trainings that kept LyCORIS' default start). While training, fewer ranks act on
noisy steps; here all of them do. LyCORIS' `tlora`, Soboleva et al. 2025, arXiv 2507.05964.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_lora.adapters.base import WEIGHT, Family, Shape, fits
from lib_lora.adapters.lora import read_scale
from lib_lora.adapters.tensors import check_product, demand, laid_over, matrix, shown, size_of
from lib_lora.errors import TensorShapeError

NOTE = "is T-LoRA: right only on the checkpoint it was trained on, and its rank does not follow the steps"


@dataclass(frozen=True, eq=False)
class TLoRA:
    """up `[out, r]` = P diag(λ), down `[r, in]` = Q."""

    up: Tensor
    down: Tensor
    scale: float
    shape: Shape
    notes: tuple[str, ...] = (NOTE,)
    family: str = "T-LoRA"
    reads: str = WEIGHT

    @property
    def rank(self) -> int:
        """Width of the bottleneck."""
        return self.down.shape[0]

    @property
    def nbytes(self) -> int:
        """Memory the tensors take."""
        return size_of(self.up, self.down)

    def fits(self, host: Shape) -> bool:
        """Tell whether the change can be applied to a weight of that shape."""
        return fits(self.shape, host) and self.rank <= min(self.shape)

    def factors(self, shape: Shape) -> None:
        """The change depends on the weight, so it has no factors of its own."""

    def delta(self, base: Tensor) -> Tensor:
        """Return the change in the shape of `base`; takes a singular value decomposition of it."""
        up, down = self._difference(base)
        return laid_over((up @ down).mul_(self.scale), base)

    def add_to(self, out: Tensor, base: Tensor, strength: float) -> None:
        """Add the change to `out`, a contiguous tensor of the shape of `base`."""
        up, down = self._difference(base)
        out.view(out.shape[0], -1).addmm_(up, down, alpha=strength * self.scale)

    def bias(self, base: Tensor | None = None) -> None:
        """No change to the bias."""

    def _difference(self, base: Tensor) -> tuple[Tensor, Tensor]:
        """Return the change as factors of twice the rank: what comes, and what goes with a minus."""
        rows = base.reshape(base.shape[0], -1).to("cpu", torch.float64)  # in float32 it loses a digit
        left, values, right = torch.linalg.svd(rows, full_matrices=False)
        rank = self.rank
        own_up, own_down = -left[:, :rank] * values[:rank], right[:rank]
        return torch.cat((self.up, own_up.to(self.up)), 1), torch.cat((self.down, own_down.to(self.down)))


def read(tensors: Mapping[str, Tensor]) -> TLoRA:
    """Make one weight's adapter from tensors by role; `AdapterError` when they do not belong together."""
    demand(tensors, "p_layer", "q_layer", "lambda_layer")
    left, right, values = matrix(tensors, "p_layer"), matrix(tensors, "q_layer"), tensors["lambda_layer"]
    check_product(("p_layer", left), ("q_layer", right))
    rank = right.shape[0]
    if values.numel() != rank:
        raise TensorShapeError(
            f"lambda_layer has shape {shown(values)}; one number for each of {rank} was expected."
        )
    scale, note = read_scale(tensors, rank)
    shape = (left.shape[0], right.shape[1])
    return TLoRA(left * values.reshape(1, rank), right, scale, shape, (NOTE, note) if note else (NOTE,))


FAMILY = Family(
    name="T-LoRA",
    marks=frozenset({"lambda_layer", "p_layer", "q_layer"}),
    may_have=frozenset({"alpha", "scale"}),
    read=read,
)
