"""Masks over maps of any size: exact means of areas, whatever the window, the sizes and the softness."""

from __future__ import annotations

import pytest
import torch

from lib_lora.engine.masks import Picture, Rest, box_mask, drawn_mask

SQUARE = Picture(512, 512)
SIZES = [(64, 64), (8, 8), (5, 7), (1, 1), (13, 96), (3, 2)]


def drawing(height: int = 48, width: int = 32) -> torch.Tensor:
    return torch.rand(height, width, generator=torch.Generator().manual_seed(1)).round(decimals=1)


@pytest.mark.parametrize("size", SIZES)
def test_a_mask_is_the_mean_over_each_cell(size: tuple[int, int]) -> None:
    """Compared with a map so fine that every cell is a whole number of points."""
    values = drawing(12, 10)
    height, width = size
    fine = values.repeat_interleave(height, 0).repeat_interleave(width, 1)
    expected = fine.reshape(height, 12, width, 10).mean((1, 3))
    assert torch.allclose(drawn_mask("a", values, SQUARE).at(*size), expected, atol=1e-6)


def test_a_box_covers_cells_by_parts() -> None:
    assert box_mask((0, 0, 0.5, 1), SQUARE).at(1, 3).tolist() == [[1, 0.5, 0]]
    assert box_mask((0.25, 0.5, 0.5, 0.25), SQUARE).at(4, 2).tolist() == [[0, 0], [0, 0], [0.5, 0.5], [0, 0]]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("feather", [0, 0.1])
def test_whole_is_one_and_nothing_is_zero_exactly(size: tuple[int, int], feather: float) -> None:
    ones = drawn_mask("a", torch.ones(37, 53), SQUARE, feather)
    assert ones.full and not ones.empty and torch.equal(ones.at(*size), torch.ones(size))
    none = drawn_mask("b", torch.zeros(37, 53), SQUARE, feather)
    assert none.empty and not none.full and torch.equal(none.at(*size), torch.zeros(size))
    assert box_mask((0, 0, 1, 1), SQUARE, feather).full


def test_outside_is_zero_and_inside_is_one_exactly() -> None:
    mask = box_mask((0.1, 0.1, 0.6, 0.6), SQUARE).at(10, 10)
    assert (mask == 1).sum() == 36 and (mask == 0).sum() == 64


@pytest.mark.parametrize("feather", [0.0, 0.25])
def test_a_mask_and_its_rest_add_up_to_one(feather: float) -> None:
    mask = box_mask((0.13, 0.2, 0.41, 0.5), SQUARE, feather)
    for size in SIZES:
        assert torch.equal(mask.at(*size) + Rest(mask).at(*size), torch.ones(size))
    assert Rest(mask).share == pytest.approx(1 - mask.share)
    again = Rest(Rest(mask))
    assert torch.allclose(again.at(8, 8), mask.at(8, 8), atol=1e-7)


def test_softness_is_a_ramp_of_that_width() -> None:
    row = box_mask((0, 0, 0.5, 1), Picture(512, 512), 0.25).at(1, 64)[0]
    assert (row[:24] == 1).all() and (row[40:] == 0).all()
    assert (row[24:40].diff() < 0).all() and row.mean() == pytest.approx(0.5, abs=1e-6)


def test_softness_is_as_wide_across_as_down_in_any_picture() -> None:
    wide = Picture(1024, 512)
    across = box_mask((0, 0, 0.5, 1), wide, 0.25).at(1, 1024)[0]
    down = box_mask((0, 0, 1, 0.5), wide, 0.25).at(512, 1)[:, 0]
    assert int(((across > 0) & (across < 1)).sum()) == pytest.approx(128, abs=2)
    assert int(((down > 0) & (down < 1)).sum()) == pytest.approx(128, abs=2)


def test_a_region_at_the_border_stays_whole_there() -> None:
    assert box_mask((0, 0, 0.5, 0.5), SQUARE, 0.2).at(8, 8)[0, 0] == 1


def test_a_window_shows_its_part() -> None:
    values = drawing(48, 32)
    part = drawn_mask("a", values, Picture(320, 480, (0.25, 0.5, 0.75, 1.0)))
    assert torch.allclose(part.at(24, 16), values[24:, 8:24], atol=1e-6)
    left = box_mask((0, 0, 0.5, 1), Picture(100, 100, (0.5, 0, 1, 1)))
    assert left.empty and Rest(left).full


def test_equal_masks_are_equal() -> None:
    one = box_mask((0, 0, 0.5, 1), Picture(512, 768))
    assert one == box_mask((0, 0, 0.5, 1), Picture(1024, 1536)), "the proportions count, not the size"
    assert one != box_mask((0, 0, 0.5, 1), Picture(512, 512))
    assert one != box_mask((0, 0, 0.5, 1), Picture(512, 768), 0.1)
    assert one != box_mask((0, 0, 0.5, 1), Picture(512, 768, (0, 0, 0.5, 1)))
    assert Rest(one) == Rest(box_mask((0, 0, 0.5, 1), Picture(512, 768))) != one
    assert len({one, box_mask((0, 0, 0.5, 1), Picture(512, 768))}) == 1
