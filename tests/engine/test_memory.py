"""How much each family takes while it is added: no whole change where a slab will do, and the same result."""

from __future__ import annotations

import pytest
import torch

from lib_lora.adapters import find_family, tensors
from tests.adapters.table import CASES, Case
from tests.engine.peak import Peak, tensors_in

SHAPES = {"linear": (512, 512), "conv3x3": (128, 128, 3, 3)}
SLAB = 4096
SMALL, A_COPY = 0.3, 1.35
"""Parts of the weight's own size; slabs are a fortieth of it here, and there may be a few at a time."""
COPIES = {
    "DoHa": A_COPY,  # V is made once, because its lengths are needed before it can be added
    "DoKr on inputs": A_COPY,
    "DoRA of a full difference": A_COPY,
    "DoRA of OFT": A_COPY,
}
UNBOUNDED = ("T-LoRA",)  # a singular value decomposition in float64
ROWS = [
    (case, host) for case in CASES for host in SHAPES if host in case.hosts and case.name not in UNBOUNDED
]


@pytest.mark.parametrize(("case", "host"), ROWS, ids=[f"{case.name} on {host}" for case, host in ROWS])
def test_a_change_is_not_made_before_it_is_added(
    case: Case, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensors, "SLAB", SLAB)
    torch.manual_seed(1)
    drawn, base = case.draw(SHAPES[host]), torch.randn(SHAPES[host])
    adapter, out = find_family(drawn).read(drawn), base.clone()
    with Peak((out, base, *tensors_in(adapter))) as peak:
        adapter.add_to(out, base, 0.5)
    assert peak.bytes <= COPIES.get(case.name, SMALL) * base.nbytes
    wanted = base + 0.5 * adapter.delta(base)
    assert (out - wanted).abs().max() <= 1e-6 * wanted.abs().max()
