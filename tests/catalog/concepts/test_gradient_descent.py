"""The race is torch's own, the slopes by hand are autograd's, and the words say what the learning rate does."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from gui_lab.catalog.concepts import gradient_descent
from gui_lab.catalog.concepts.gradient_descent import GradientDescent
from gui_lab.core.concepts import NOTHING
from gui_lab.core.exhibits import Claims, Plot, Table

KINDS = get_args(gradient_descent.Kind)
MAKERS = {
    "SGD": lambda w, lr: torch.optim.SGD(w, lr=lr),
    "momentum": lambda w, lr: torch.optim.SGD(w, lr=lr, momentum=0.9),
    "RMSprop": lambda w, lr: torch.optim.RMSprop(w, lr=lr),
    "Adam": lambda w, lr: torch.optim.Adam(w, lr=lr),
}
xs, ys = some.floats(-2, 2, width=32), some.floats(-1, 3, width=32)
rates = some.floats(1e-4, 0.2)


def raced(kind: str, name: str, lr: float, start: tuple[float, float], steps: int) -> tuple[float, float, float]:
    """x, y and the loss after so many steps of one optimiser alone."""
    w = torch.tensor(start, requires_grad=True)
    optimizer = MAKERS[name]([w], lr)
    loss_of = gradient_descent._LANDS[kind].loss
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(w[0], w[1]).backward()
        optimizer.step()
    return *w.tolist(), loss_of(w[0], w[1]).item()


@settings(max_examples=25, deadline=None)
@given(some.sampled_from(KINDS), rates, xs, ys, some.integers(0, 12))
def test_each_optimiser_is_where_torch_brings_it_alone(kind: str, lr: float, x: float, y: float, step: int) -> None:
    scene = GradientDescent(surface=kind, lr=lr, start_x=x, start_y=y).scene(step, NOTHING)
    land = scene.rows[0][0]
    assert isinstance(land, Plot)
    for line in land.lines:
        there = raced(kind, line.name, lr, (x, y), step)
        found = (line.x[-1], line.y[-1], scene.facts[f"loss_{line.name}"])
        assert found == pytest.approx(there, rel=1e-6, nan_ok=True)
        if line.name == "SGD":
            assert (scene.facts["x_SGD"], scene.facts["y_SGD"]) == pytest.approx(found[:2], rel=0, abs=0, nan_ok=True)


@settings(max_examples=25, deadline=None)
@given(some.sampled_from(KINDS), xs, ys)
def test_slopes_by_hand_are_those_of_autograd_in_double_precision(kind: str, x: float, y: float) -> None:
    w = torch.tensor((x, y), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(gradient_descent._LANDS[kind].loss(*w), w)
    assert gradient_descent._LANDS[kind].slope(x, y) == pytest.approx(slope.tolist(), rel=1e-9, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(some.sampled_from(KINDS), some.floats(1e-4, 10), xs, ys, some.integers(0, 6))
def test_each_step_of_sgd_is_the_rule_on_the_page(kind: str, lr: float, x: float, y: float, step: int) -> None:
    scene = GradientDescent(surface=kind, lr=lr, start_x=x, start_y=y).scene(step, NOTHING)
    claims = [claim for row in scene.rows for one in row if isinstance(one, Claims) for claim in one.claims]
    assert len(claims) in (0, 2)
    assert len(claims) == 2 or scene.facts["diverged"]
    assert all(claim.holds for claim in claims)


@pytest.mark.parametrize("kind", KINDS)
def test_the_minima_are_where_the_slope_is_0_and_nothing_is_lower(kind: str) -> None:
    land = gradient_descent._LANDS[kind]
    surface = gradient_descent._surface(kind)
    for low in land.lows:
        assert land.slope(*low) == pytest.approx((0, 0), abs=1e-9)
        assert float(land.loss(*low)) <= surface.heights.min() + 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_the_surface_is_the_loss_at_each_place(kind: str) -> None:
    surface = gradient_descent._surface(kind)
    rows, columns = surface.heights.shape
    x, y = np.linspace(*surface.x, columns), np.linspace(*surface.y, rows)
    for row, column in ((0, 0), (7, 100), (rows - 1, 3)):
        there = float(gradient_descent._LANDS[kind].loss(x[column], y[row]))
        assert surface.heights[row, column] == pytest.approx(there, rel=1e-4, abs=1e-4)


def alone(**values: object) -> GradientDescent:
    return GradientDescent(momentum=False, RMSprop=False, Adam=False, **values)


@pytest.mark.parametrize(
    ("lr", "verdict", "words"),
    [
        (0.001, "too small", "lr = 0.001 is too small"),
        (0.085, "right", "lr = 0.085 is right"),
        (0.102, "diverging", "SGD diverges"),
    ],
)
def test_words_say_whether_a_learning_rate_is_too_small_right_or_diverging(lr: float, verdict: str, words: str) -> None:
    scene = alone(lr=lr).scene(100, NOTHING)
    assert words in scene.says
    table = next(one for row in scene.rows for one in row if isinstance(one, Table))
    assert table.rows[0][-1] == verdict
    assert scene.facts["diverged"] is (verdict == "diverging")


def test_sgd_diverges_beyond_2_over_the_largest_curvature_and_not_below() -> None:
    assert not alone(surface="bowl", lr=0.99).scene(100, NOTHING).facts["diverged"]
    assert alone(surface="bowl", lr=1.01).scene(100, NOTHING).facts["diverged"]
    assert alone(surface="bowl", lr=0.5).scene(1, NOTHING).facts["loss_SGD"] == pytest.approx(0, abs=1e-12)


def test_a_step_that_goes_to_and_fro_is_too_large_and_never_too_small() -> None:
    scene = alone(surface="bowl", lr=0.99).scene(60, NOTHING)
    assert "too large" in scene.says
    assert "too small" in alone(surface="bowl", lr=0.01).scene(60, NOTHING).says
    assert "diverges" in alone(surface="Rosenbrock", lr=0.3).scene(60, NOTHING).says


def test_on_the_ridge_of_the_saddle_nobody_leaves_it_and_beside_it_adam_does() -> None:
    ridge = GradientDescent(surface="saddle", lr=0.1, start_x=-1.5, start_y=1.0).scene(100, NOTHING)
    assert ridge.facts["y_SGD"] == 1.0
    assert ridge.facts["loss_Adam"] == pytest.approx(0.5, abs=1e-3)
    beside = GradientDescent(surface="saddle", lr=0.1, start_x=-1.5, start_y=1.001).scene(25, NOTHING)
    assert beside.facts["loss_Adam"] < 0.1
    assert beside.facts["loss_SGD"] > 0.4


def test_who_does_not_race_is_not_shown_and_changes_nothing() -> None:
    every, one = GradientDescent().scene(30, NOTHING), alone().scene(30, NOTHING)
    assert one.facts["loss_SGD"] == every.facts["loss_SGD"]
    assert "loss_Adam" not in one.facts
    assert [line.name for line in one.rows[0][0].lines] == ["SGD"]  # type: ignore[attr-defined]
    nobody = alone(SGD=False).scene(30, NOTHING)
    assert "Nobody races" in nobody.says
    assert "x_SGD" not in nobody.facts
