"""What is switched off while merging, and put back whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from lib_lora.engine.arithmetic import SHORTCUTS, autocasts, exact_arithmetic, has_switch

CUDA = torch.device("cuda", 0)
CPU = torch.device("cpu")
SWITCHES = ("allow_tf32", *(name for name in SHORTCUTS if has_switch(torch.backends.cuda.matmul, name)))


@pytest.fixture
def matmul() -> Iterator[SimpleNamespace]:
    found = torch.backends.cuda.matmul
    before = {name: getattr(found, name) for name in SWITCHES}
    for name in SWITCHES:
        setattr(found, name, True)
    yield found
    for name, value in before.items():
        setattr(found, name, value)


def test_the_graphics_cards_shortcuts_are_off_while_merging_and_come_back(matmul: SimpleNamespace) -> None:
    with pytest.raises(KeyError), exact_arithmetic([CUDA]):
        assert not any(getattr(matmul, name) for name in SWITCHES)
        raise KeyError
    assert all(getattr(matmul, name) for name in SWITCHES)


def test_a_switch_that_an_older_pytorch_lacks_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch 2.1 knows no `allow_fp16_accumulation`, and says so by a failed assertion."""

    class Older:
        allow_tf32 = allow_bf16_reduced_precision_reduction = True

        def __getattr__(self, name: str) -> object:
            raise AssertionError(f"Unknown attribute {name}")

    older = Older()
    monkeypatch.setattr(torch.backends.cuda, "matmul", older)
    with exact_arithmetic([CUDA]):
        assert not older.allow_tf32
        assert not older.allow_bf16_reduced_precision_reduction
    assert vars(older) == {"allow_tf32": True, "allow_bf16_reduced_precision_reduction": True}


def test_they_are_left_alone_where_no_graphics_card_is_used(matmul: SimpleNamespace) -> None:
    with exact_arithmetic([CPU]):
        assert all(getattr(matmul, name) for name in SWITCHES)


@pytest.mark.skipif(
    not has_switch(torch.backends.cuda.matmul, "fp32_precision"),
    reason="this PyTorch has the old switch only",
)
def test_the_new_switch_for_tf32_is_used_where_the_old_one_cannot_be_read(matmul: SimpleNamespace) -> None:
    matmul.allow_tf32 = False
    matmul.fp32_precision = "tf32"
    try:
        with exact_arithmetic([CUDA]):
            assert matmul.fp32_precision == "ieee"
        assert matmul.fp32_precision == "tf32"
    finally:
        matmul.fp32_precision = "ieee"


def test_products_keep_their_number_type_under_autocast() -> None:
    matrix = torch.ones(2, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert autocasts("cpu")
        assert (matrix @ matrix).dtype == torch.bfloat16
        with exact_arithmetic([CPU]):
            assert not autocasts("cpu")
            assert (matrix @ matrix).dtype == torch.float32
        assert autocasts("cpu")


def test_a_kind_of_device_without_autocast_has_none() -> None:
    assert not autocasts("no such device")
