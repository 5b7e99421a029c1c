"""The smoothed line is the recurrence of every textbook over every value, however it comes."""

from __future__ import annotations

import numpy as np
import pytest

from gui_lab.core.history import Smoothed
from gui_lab.core.smoothing import Smoothing


def textbook(values: np.ndarray, memory: float) -> np.ndarray:
    smooth, weight, found = 0.0, 0.0, []
    for value in values:
        if value == value:
            smooth = memory * smooth + (1 - memory) * value
            weight = memory * weight + (1 - memory)
        found.append(smooth / weight if weight else np.nan)
    return np.array(found)


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.98, 0.999])
@pytest.mark.parametrize("count", [1, 63, 64, 65, 5000])
def test_it_is_the_textbooks_recurrence(memory, count):
    values = np.random.default_rng(0).random(count)
    smoothing = Smoothing(memory)
    smoothing.follow(values)
    assert smoothing.values == pytest.approx(textbook(values, memory), rel=1e-10)


@pytest.mark.parametrize("most", [1, 50, 64, 1000])
def test_in_pieces_it_is_the_same_as_at_once(most):
    values = np.random.default_rng(1).random(3000)
    smoothing = Smoothing(0.97)
    while len(smoothing.values) < len(values):
        before = len(smoothing.values)
        smoothing.follow(values, most)
        assert 0 < len(smoothing.values) - before <= most
    assert smoothing.values == pytest.approx(textbook(values, 0.97), rel=1e-10)


def test_missing_values_are_passed_over():
    values = np.random.default_rng(2).random(500)
    values[:3] = values[100:180] = values[::7] = np.nan
    for most in (500, 60):
        smoothing = Smoothing(0.9)
        while len(smoothing.values) < 500:
            smoothing.follow(values, most)
        assert smoothing.values == pytest.approx(textbook(values, 0.9), rel=1e-10, nan_ok=True)


def test_nothing_but_missing_values_stays_missing_and_what_follows_is_smoothed():
    smoothing, values = Smoothing(0.9), np.array([np.nan] * 5 + [2.0] * 3)
    smoothing.follow(values[:5])
    smoothing.follow(values)
    assert np.isnan(smoothing.values[:5]).all()
    assert smoothing.values[5:] == pytest.approx([2.0] * 3)


def test_it_agrees_with_the_smoothed_loss_of_the_history():
    values, column = np.random.default_rng(3).random(2000), Smoothed()
    column.remember(50)
    for value in values:
        column.append(value)
    smoothing = Smoothing(1 - 1 / 50)
    smoothing.follow(values)
    assert smoothing.values == pytest.approx(column.values, rel=1e-10)
