"""Ticks are round, lie on the axis, are not too many, and read as what they are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gui_lab.qt.views.along import Along
from gui_lab.qt.views.axis import clock, linear, logarithmic, next_step, percents


def texts(ticks) -> list[str]:
    return [text for _, text in ticks]


@pytest.mark.parametrize("high", np.geomspace(1e-7, 1e7, 43))
@pytest.mark.parametrize("most", [2, 5, 11])
def test_linear_ticks_lie_on_the_axis_and_are_as_many_as_fit(high, most):
    for low in (0.0, 0.9 * high, -high):
        ticks = linear(low, high, most)
        assert 1 <= len(ticks) <= most + 2
        assert all(low - 1e-9 * high <= at <= high * (1 + 1e-9) for at, _ in ticks)
        assert len(set(texts(ticks))) == len(ticks), ticks
        for at, text in ticks:
            assert float(text.replace(",", "")) == pytest.approx(at, abs=1e-12 + 1e-6 * high)


def test_linear_ticks_read_as_people_write_them():
    assert texts(linear(0, 2.5, 5)) == ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5"]
    assert texts(linear(0, 45_000, 5)) == ["0", "10,000", "20,000", "30,000", "40,000"]
    assert texts(linear(0, 6e-5, 3)) == ["0", "2e-5", "4e-5", "6e-5"]
    assert texts(linear(0, 2, 8, whole=True)) == ["0", "1", "2"]
    assert texts(percents(-0.04, 1.04, 5)) == ["0", "50", "100"]


@pytest.mark.parametrize(("low", "high"), [(-9, 1), (-2.3, 0.4), (-0.3, 0.2), (-3, -2), (0, 12)])
def test_logarithmic_ticks_stand_at_the_logarithm_of_what_they_say(low, high):
    ticks = logarithmic(low, high, 6)
    assert 2 <= len(ticks) <= 9
    for at, text in ticks:
        assert low <= at <= high
        assert 10**at == pytest.approx(float(text.replace(",", "")), rel=1e-3)


def test_time_is_told_as_a_clock():
    assert texts(clock(0, 42, 5)) == ["0:00", "0:10", "0:20", "0:30", "0:40"]
    assert texts(clock(0, 7300, 3)) == ["0:00", "1:00:00", "2:00:00"]
    assert texts(clock(0, 1.2, 3)) == ["0.0\u2009s", "0.5\u2009s", "1.0\u2009s"]
    assert len(clock(0, 1e6, 4)) <= 5


@pytest.mark.parametrize(("value", "step"), [(1, 1), (1.01, 1.2), (2.42, 2.5), (9, 10), (0.013, 0.015), (777, 800)])
def test_an_axis_ends_at_the_next_round_number(value, step):
    assert next_step(value) == pytest.approx(step)


@pytest.mark.parametrize("value", np.geomspace(1e-6, 1e6, 50))
def test_an_axis_never_ends_before_its_values_nor_far_behind_them(value):
    assert value <= next_step(value) <= 1.35 * value


@pytest.mark.parametrize("unit", ["epoch", "iteration", "time"])
def test_a_place_on_the_axis_and_the_iterations_trained_there_are_inverse(unit):
    along = Along(unit, 40, np.cumsum(np.random.default_rng(0).random(200)))
    trained = np.arange(1, 201)
    places = along.place(trained)
    assert np.all(np.diff(places) > 0)
    assert [along.trained(x) for x in places] == pytest.approx(trained)
    assert along.place(np.array([0])) == pytest.approx([0])


def test_a_place_is_told_in_all_units():
    along = Along("epoch", 40, np.arange(1.0, 101))
    assert along.in_words(81) == "epoch 3, iteration 81, 1:21"
    assert along.in_words(80) == "epoch 2, iteration 80, 1:20"
    assert along.in_words(500) == "epoch 13, iteration 500"  # not trained yet
    assert math.isclose(Along("time", 40, np.empty(0)).place(np.array([3]))[0], 0.0)
