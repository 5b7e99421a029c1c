"""Schedules in closed form are torch's own schedulers, step by step."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from gui_lab.core.learning import OPTIMIZERS, SCHEDULERS, Scheduler
from gui_lab.core.schedule import momentum_of
from gui_lab.schema import knobs

ENTRY = pytest.mark.parametrize("entry", list(SCHEDULERS), ids=lambda entry: entry.name_of())
LR = 0.2
TOTAL = 60

SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 1, "gamma": 0.9}),
    ("MultiStepLR", {"milestones": (10, 30, 50)}),
    ("MultiStepLR", {"milestones": (30, 10, 30), "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.97}),
    ("CosineAnnealingLR", {"T_max": 60}),
    ("CosineAnnealingLR", {"T_max": 13, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 1}),
    ("CosineAnnealingWarmRestarts", {"T_0": 10}),
    ("CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": 2, "eta_min": 0.02}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 3}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 60}),
    ("OneCycleLR", {"max_lr": 0.2, "total_steps": 60, "anneal_strategy": "linear", "pct_start": 0.11}),
    ("OneCycleLR", {"max_lr": 0.2, "total_steps": 60, "three_phase": True, "div_factor": 7.0, "pct_start": 0.41}),
    ("OneCycleLR", {"max_lr": 0.2, "total_steps": 60, "three_phase": True, "pct_start": 0.7}),
    ("OneCycleLR", {"max_lr": 0.2, "total_steps": 60, "pct_start": 0.0}),
    ("OneCycleLR", {"max_lr": 0.2, "total_steps": 60, "pct_start": 1.0}),
    ("LinearLR", {"total_iters": 5}),
    ("LinearLR", {"start_factor": 0.9, "end_factor": 0.1, "total_iters": 41}),
    ("ConstantLR", {"total_iters": 5}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 59}),
    ("PolynomialLR", {"total_iters": 60}),
    ("PolynomialLR", {"total_iters": 17, "power": 2.5}),
]


def torchs(name: str, values: dict[str, Any], optimizer: str = "SGD") -> list[dict[str, Any]]:
    """The optimiser's group before each of `TOTAL` steps, with torch's own scheduler on it."""
    built = OPTIMIZERS.make(optimizer, lr=LR).build([torch.nn.Parameter(torch.zeros(1))])
    values = {"cycle_momentum": False, **values} if name == "OneCycleLR" else values
    scheduler, groups = getattr(lr_scheduler, name)(built, **values), []
    groups.append(dict(built.param_groups[0]))
    for _ in range(TOTAL - 1):
        built.step()
        scheduler.step()
        groups.append(dict(built.param_groups[0]))
    return groups


@pytest.mark.parametrize(("name", "values"), SCHEDULES)
def test_every_step_is_torchs(name: str, values: dict[str, Any]) -> None:
    expected = [group["lr"] for group in torchs(name, values)]
    steps = np.arange(TOTAL, dtype=np.float64)
    factors = SCHEDULERS.make(name, **values).factors(steps, TOTAL, LR)
    assert factors.dtype == np.float64
    np.testing.assert_allclose(LR * factors, expected, rtol=1e-9, atol=1e-12)


def test_every_schedule_was_tried() -> None:
    assert {name for name, _ in SCHEDULES} | {"ReduceLROnPlateau"} == set(SCHEDULERS.names())


@ENTRY
def test_a_step_is_the_same_alone_and_among_others(entry: type[Scheduler]) -> None:
    steps = np.arange(TOTAL, dtype=np.float64)
    for scheduler in [entry(), *(SCHEDULERS.make(name, **values) for name, values in SCHEDULES)]:
        together = scheduler.factors(steps, TOTAL, LR)
        alone = [float(scheduler.factors(steps[place : place + 1], TOTAL, LR)[0]) for place in range(TOTAL)]
        np.testing.assert_allclose(together, alone, rtol=1e-12)


@ENTRY
def test_arguments_and_defaults_are_torchs_but_for_lengths_fitted_to_the_run(entry: type[Scheduler]) -> None:
    signature = inspect.signature(getattr(lr_scheduler, entry.name_of()).__init__).parameters
    left_out = {"self", "optimizer", "last_epoch"}
    left_out |= {"OneCycleLR": {"epochs", "steps_per_epoch"}, "ReduceLROnPlateau": {"mode"}}.get(entry.name_of(), set())
    own = [knob for knob in knobs(entry) if knob.name != "every"]
    assert [knob.name for knob in own] == [name for name in signature if name not in left_out]
    for knob in own:
        default = signature[knob.name].default
        if not knob.optional and default is not inspect.Parameter.empty:
            assert knob.default == default, knob.name


@pytest.mark.parametrize("total", [1, 2, 3, 4, 5, 7, 10, 60, 1000])
@ENTRY
def test_a_run_of_any_length_has_a_finite_learning_rate(entry: type[Scheduler], total: int) -> None:
    factors = entry().factors(np.arange(total + 1, dtype=np.float64), total, LR)
    assert np.isfinite(factors).all()
    assert (factors >= 0).all()


@pytest.mark.parametrize(
    ("name", "field", "fitted"),
    [
        ("StepLR", "step_size", 20),
        ("MultiStepLR", "milestones", (30, 45)),
        ("CosineAnnealingLR", "T_max", 60),
        ("CosineAnnealingWarmRestarts", "T_0", 15),
        ("OneCycleLR", "total_steps", 60),
        ("LinearLR", "total_iters", 3),
        ("ConstantLR", "total_iters", 3),
        ("PolynomialLR", "total_iters", 60),
    ],
)
def test_a_length_that_is_not_named_is_fitted_to_the_run(name: str, field: str, fitted: Any) -> None:
    steps = np.arange(TOTAL, dtype=np.float64)
    named = SCHEDULERS.make(name, **{field: fitted}).factors(steps, TOTAL, LR)
    assert np.array_equal(SCHEDULERS.make(name).factors(steps, TOTAL, LR), named)


# OneCycleLR


@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize(("optimizer", "group"), [("SGD", "momentum"), ("Adam", "betas"), ("RMSprop", "momentum")])
def test_one_cycle_moves_momentum_as_torchs_does(optimizer: str, group: str, three_phase: bool) -> None:
    values = {"max_lr": 0.3, "total_steps": TOTAL, "three_phase": three_phase, "base_momentum": 0.6}
    expected = [one[group] for one in torchs("OneCycleLR", {**values, "cycle_momentum": True}, optimizer)]
    expected = [one[0] if group == "betas" else one for one in expected]
    found = SCHEDULERS.make("OneCycleLR", **values).momenta(np.arange(TOTAL, dtype=np.float64), TOTAL)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_one_cycle_moves_momentum_where_torchs_can() -> None:
    for entry in OPTIMIZERS:
        if entry.name_of() == "Muon":
            continue  # no optimiser of torch alone
        built, moves = entry().build([torch.nn.Parameter(torch.zeros(1))]), True
        try:
            lr_scheduler.OneCycleLR(built, max_lr=0.1, total_steps=10)
        except ValueError:
            moves = False
        assert (momentum_of(entry()) is not None) == moves, entry.name_of()


def test_one_cycle_climbs_to_the_learning_rate_of_the_optimiser_where_none_is_named() -> None:
    factors = SCHEDULERS.make("OneCycleLR").factors(np.arange(1000, dtype=np.float64), 1000, LR)
    assert factors.max() == pytest.approx(1)
    assert factors[0] == pytest.approx(1 / 25)


def test_one_cycle_stays_where_it_ends() -> None:
    scheduler = SCHEDULERS.make("OneCycleLR", total_steps=20)
    factors = scheduler.factors(np.arange(40, dtype=np.float64), 40, LR)
    assert set(factors[19:]) == {factors[19]}
    momenta = scheduler.momenta(np.arange(40, dtype=np.float64), 40)
    assert momenta is not None
    assert set(momenta[19:]) == {0.95}


def test_a_climb_of_one_step_is_no_division_by_zero() -> None:
    """torch's own cannot be stepped here: 0.1 of 10 steps end at step 0."""
    factors = SCHEDULERS.make("OneCycleLR", pct_start=0.1).factors(np.arange(10, dtype=np.float64), 10, LR)
    assert factors[0] == 1
    assert (np.diff(factors) < 0).all()


def test_only_one_cycle_sets_the_learning_rate_itself() -> None:
    assert [entry.name_of() for entry in SCHEDULERS if entry.absolute] == ["OneCycleLR"]


# ReduceLROnPlateau


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"patience": 2},
        {"patience": 0, "factor": 0.7, "threshold": 0.1},
        {"patience": 1, "threshold_mode": "abs", "threshold": 0.05, "cooldown": 3},
        {"patience": 1, "min_lr": 0.01},
        {"patience": 0, "eps": 0.05},
    ],
    ids=str,
)
def test_a_plateau_lowers_the_learning_rate_when_torchs_does(values: dict[str, Any]) -> None:
    drawn = np.random.default_rng(4)
    losses = 2 / np.sqrt(np.arange(1, 101)) + drawn.normal(0, 0.2, 100)
    losses[40] = np.nan
    built = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    theirs = lr_scheduler.ReduceLROnPlateau(built, **values)
    follow = SCHEDULERS.make("ReduceLROnPlateau", **values).follower(LR)
    assert follow is not None
    rates = []
    for loss in losses:
        theirs.step(loss)
        rates.append(built.param_groups[0]["lr"])
        assert LR * follow(loss) == pytest.approx(rates[-1], rel=1e-9)
    assert rates[-1] < LR


def test_each_run_follows_its_own_losses() -> None:
    scheduler = SCHEDULERS.make("ReduceLROnPlateau", patience=0)
    for _ in range(2):
        follow = scheduler.follower(LR)
        assert follow is not None
        assert [follow(loss) for loss in (1.0, 1.0)] == [1, pytest.approx(0.1)]


def test_schedules_that_are_known_before_the_run_follow_nothing() -> None:
    assert [entry.name_of() for entry in SCHEDULERS if entry().follower(LR) is not None] == ["ReduceLROnPlateau"]
