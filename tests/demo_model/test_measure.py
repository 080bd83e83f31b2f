"""The model card's numbers: what a share of the way and a largest step are."""

import numpy as np
import pytest

from demo.train.measure import Slider, Target, gone


def a_target() -> Target:
    before = np.full((4, 4, 3), 100.0)
    after = before.copy()
    after[:2] += (60, 0, 0)
    inside = np.zeros((4, 4), bool)
    inside[:2] = True
    return Target(before, after, inside, ~inside)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0, 1.4])
def test_the_way_is_the_share_of_the_mixture_whatever_else_differs(share: float) -> None:
    target = a_target()
    picture = target.before + share * (target.after - target.before)
    picture[3] += (0, 40, -9)
    picture[:2, ::2, 1] += 25
    assert gone(picture, target) == pytest.approx(share)


def test_the_largest_step_is_a_share_of_the_whole_between_0_and_1() -> None:
    slider = Slider((100, 90, 70, 50, 45, 40, 10), (0, 0.1, 0.4, 0.6, 0.7, 0.8, 2), (0, 0))
    assert slider.largest_step == pytest.approx(20 / 60)
    assert slider.largest_way == pytest.approx(0.3 / 0.8)
