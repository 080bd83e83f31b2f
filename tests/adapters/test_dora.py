"""DoRA by hand, the axis of its lengths, and its faulty files."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from lib_lora.adapters import find_family
from lib_lora.adapters.dora import read
from lib_lora.errors import AdapterError
from tests.adapters.table import Tensors, draw_loha, draw_lokr, draw_lora, draw_oft

NOTHING = {"lora_up": torch.zeros(2, 1), "lora_down": torch.zeros(1, 2)}
W = torch.tensor([[3.0, 4.0], [0.0, 2.0]])


def test_rows_get_their_lengths() -> None:
    """The rows (3, 4) and (0, 2) have lengths 5 and 2; they shall have 10 and 1."""
    adapter = read({**NOTHING, "dora_scale": torch.tensor([[10.0], [1.0]])})
    assert torch.allclose(W + adapter.delta(W), torch.tensor([[6.0, 8.0], [0.0, 1.0]]))


def test_columns_get_their_lengths() -> None:
    """The columns (3, 0) and (4, 2) have lengths 3 and √20; they shall have 6 and √5."""
    adapter = read({**NOTHING, "dora_scale": torch.tensor([[6.0, 5**0.5]])})
    assert torch.allclose(W + adapter.delta(W), torch.tensor([[6.0, 2.0], [0.0, 1.0]]))


def test_strength_0_is_the_untouched_weight_not_the_change_without_lengths() -> None:
    torch.manual_seed(1)
    adapter = read({**draw_lora((24, 16)), "dora_scale": torch.rand(24, 1)})
    weight = torch.randn(24, 16)
    assert torch.equal(weight + 0.0 * adapter.delta(weight), weight)


def test_a_row_of_zeros_stays_one() -> None:
    adapter = read({**NOTHING, "dora_scale": torch.ones(2, 1)})
    base = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    assert adapter.delta(base).isfinite().all()
    out = base.clone()
    adapter.add_to(out, base, 1.0)
    assert torch.allclose(out, base)


@pytest.mark.parametrize(
    ("shape", "lengths", "role", "on_input"),
    [
        ((24, 16), (24, 1), "dora_scale", False),
        ((24, 16), (1, 16), "dora_scale", True),
        ((24, 16), (24,), "dora_scale", False),
        ((24, 16), (1, 24), "dora_scale", False),
        ((24, 16), (24,), "magnitude", False),
        ((16, 16), (1, 16), "dora_scale", True),
        ((16, 16), (16, 1), "dora_scale", False),
        ((16, 16), (16,), "magnitude", False),
        ((24, 16, 3, 3), (24, 1, 1, 1), "dora_scale", False),
        ((24, 16, 3, 3), (1, 16, 1, 1), "dora_scale", True),
        ((24, 16, 3, 3), (1, 24, 1, 1), "dora_scale", False),
        ((16, 16, 3, 3), (1, 16, 1, 1), "dora_scale", True),
        ((16, 16, 3, 3), (1, 16, 1, 1), "magnitude", False),
        ((24, 48), (1, 24), "dora_scale", False),
    ],
    ids=str,
)
def test_the_axis_is_told_by_name_and_shape(
    shape: tuple[int, ...], lengths: tuple[int, ...], role: str, on_input: bool
) -> None:
    adapter = read({**draw_lora(shape), role: torch.ones(lengths)})
    assert adapter.on_input is on_input
    ambiguous = role == "dora_scale" and len(shape) == 4 and shape[0] == shape[1]
    assert bool(adapter.notes) is ambiguous


def test_a_change_stored_flat_hides_a_kernel_not_the_axis() -> None:
    """LoHa keeps [out, in·kh·kw]: with 16 inputs and 16 outputs of 3×3, [1, 16, 1, 1] may be of both."""
    square = read({**draw_loha((16, 16, 3, 3)), "dora_scale": torch.ones(1, 16, 1, 1)})
    assert square.on_input
    assert "could be of outputs or of inputs" in square.notes[0]
    assert square.fits((16, 16, 3, 3))
    assert not read({**draw_loha((16, 32, 3, 3)), "dora_scale": torch.ones(1, 16, 1, 1)}).on_input


def test_turns_and_factors_stand_inside_too() -> None:
    turned = read({**draw_oft()((24, 16)), "dora_scale": torch.ones(1, 16)})
    assert (turned.family, turned.on_input) == ("DoRA (OFT)", True)
    assert turned.fits((24, 16))
    assert not turned.fits((24, 17))
    scaled = read({"ia3": torch.ones(16), "on_input": torch.tensor(1.0), "dora_scale": torch.ones(24, 1)})
    assert (scaled.family, scaled.on_input) == ("DoRA ((IA)³)", False)
    assert scaled.fits((24, 16))


def test_other_families_stand_inside() -> None:
    assert read({**draw_loha((24, 16)), "dora_scale": torch.ones(24, 1)}).family == "DoRA (LoHa)"
    lokr = draw_lokr("full", "factors")((24, 16))
    assert read({**lokr, "dora_scale": torch.ones(1, 16)}).family == "DoRA (LoKr)"
    assert read({**draw_lora((24, 16)), "dora_scale": torch.ones(24, 1)}).family == "DoRA"


@pytest.mark.parametrize("draw", [draw_lora, draw_loha], ids=["LoRA", "LoHa"])
@pytest.mark.parametrize("lengths", [(24, 1, 1, 1), (1, 4, 1, 1)], ids=["outputs", "inputs"])
def test_input_channels_beyond_its_own_stay_and_count_in_no_length(
    draw: Callable[[tuple[int, ...]], Tensors], lengths: tuple[int, ...]
) -> None:
    torch.manual_seed(2)
    adapter = read({**draw((24, 4, 3, 3)), "dora_scale": torch.ones(lengths)})
    base = torch.randn(24, 9, 3, 3)
    change = adapter.delta(base)
    assert not change[:, 4:].any()
    assert torch.allclose(change[:, :4], adapter.delta(base[:, :4]), atol=1e-6)
    out = base.clone()
    adapter.add_to(out, base, 1.0)
    assert torch.allclose(out, base + change, atol=1e-6)


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        ({"dora_scale": torch.ones(2, 1)}, "dora_scale stands alone"),
        ({"magnitude": torch.ones(2)}, "magnitude stands alone"),
        ({**NOTHING, "dora_scale": torch.ones(3, 1)}, r"\[3, 1\], but the change is for \[2, 2\]"),
        ({**NOTHING, "dora_scale": torch.ones(1, 3)}, r"dora_scale has shape \[1, 3\]"),
        ({**NOTHING, "dora_scale": torch.ones(2, 2)}, "one number per output or input"),
        ({"lora_up": torch.ones(2, 1), "dora_scale": torch.ones(2, 1)}, "lora_down is missing"),
    ],
    ids=["alone", "PEFT's alone", "too many rows", "too many columns", "a matrix", "half a LoRA"],
)
def test_faulty_tensors_are_refused(tensors: dict[str, torch.Tensor], told: str) -> None:
    with pytest.raises(AdapterError, match=told):
        find_family(tensors).read(tensors)
