"""The learning rate over a run: torch's schedules multiplied, drawn before the start as they then are."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from gui_lab.core.learning import OPTIMIZERS, SCHEDULERS, Optimizer, Scheduler
from gui_lab.core.schedule import Schedule, momentum_of, planned

EPOCHS, ITERATIONS = 6, 10
LR = 0.1


def sgd(lr: float = LR) -> Optimizer:
    return OPTIMIZERS.make("SGD", lr=lr, momentum=0.9)


def made(name: str, **values: Any) -> Scheduler:
    return SCHEDULERS.make(name, **values)


def factors(schedule: Schedule, epochs: int, loss: float = 1.0) -> list[float]:
    """Those of each iteration of so many epochs."""
    found = []
    for _ in range(epochs):
        for _ in range(ITERATIONS):
            found.append(schedule.factor)
            schedule.iterated()
        schedule.epoch_ended(loss)
    return found


def torchs(build: Any, every: str) -> list[float]:
    """Learning rates before each iteration, with torch's scheduler stepped as its documentation says."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler, found = build(optimizer), []
    for _ in range(EPOCHS):
        for _ in range(ITERATIONS):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if every == "iteration":
                scheduler.step()
        if every == "epoch":
            scheduler.step()
    return found


def test_without_schedules_the_learning_rate_stays() -> None:
    schedule = Schedule(sgd(), (), EPOCHS, ITERATIONS)
    assert set(factors(schedule, EPOCHS)) == {1.0}
    assert schedule.momentum is None


@pytest.mark.parametrize("every", ["epoch", "iteration"])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("StepLR", {"step_size": 4}),
        ("ExponentialLR", {"gamma": 0.9}),
        ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
        ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2}),
        ("LinearLR", {"total_iters": 4}),
    ],
)
def test_one_schedule_is_torchs(name: str, values: dict[str, Any], every: str) -> None:
    expected = torchs(lambda optimizer: getattr(lr_scheduler, name)(optimizer, **values), every)
    schedule = Schedule(sgd(), [made(name, **values, every=every)], EPOCHS, ITERATIONS)
    assert [LR * factor for factor in factors(schedule, EPOCHS)] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("every", ["epoch", "iteration"])
@pytest.mark.parametrize(
    "chained",
    [
        {"LinearLR": {"total_iters": 4}, "ExponentialLR": {"gamma": 0.9}},
        {"StepLR": {"step_size": 2, "gamma": 0.5}, "ConstantLR": {"total_iters": 3}},
        {"LinearLR": {"total_iters": 3}, "CosineAnnealingLR": {"T_max": 60}},
    ],
    ids=str,
)
def test_several_are_multiplied_as_torchs_chained_scheduler_does(chained: dict[str, Any], every: str) -> None:
    def build(optimizer: torch.optim.Optimizer) -> lr_scheduler.ChainedScheduler:
        return lr_scheduler.ChainedScheduler(
            [getattr(lr_scheduler, name)(optimizer, **values) for name, values in chained.items()]
        )

    schedulers = [made(name, **values, every=every) for name, values in chained.items()]
    for ordered in (schedulers, schedulers[::-1]):
        found = factors(Schedule(sgd(), ordered, EPOCHS, ITERATIONS), EPOCHS)
        assert [LR * factor for factor in found] == pytest.approx(torchs(build, every), rel=1e-9)


def test_a_warm_up_by_iterations_goes_with_a_fall_by_epochs() -> None:
    schedulers = made("LinearLR", total_iters=15), made("StepLR", step_size=4)
    found = factors(Schedule(sgd(), schedulers, EPOCHS, ITERATIONS), EPOCHS)
    steps = np.arange(EPOCHS * ITERATIONS)
    expected = (1 / 3 + 2 / 3 * np.minimum(steps, 15) / 15) * 0.1 ** (steps // ITERATIONS // 4)
    assert found == pytest.approx(expected.tolist())


def test_a_plateau_lowers_the_learning_rate_of_the_epochs_to_come() -> None:
    schedulers = made("ReduceLROnPlateau", patience=1), made("ExponentialLR", gamma=0.5)
    schedule, found = Schedule(sgd(), schedulers, EPOCHS, ITERATIONS), []
    for loss in (1.0, 0.5, 0.6, 0.7, 0.4, 0.3):
        (factor,) = set(factors(schedule, 1, loss))
        found.append(factor)
    assert found == pytest.approx([1, 0.5, 0.25, 0.125, 0.1 * 0.0625, 0.1 * 0.03125])


@pytest.mark.parametrize(
    ("optimizer", "key"), [("SGD", "momentum"), ("AdamW", "betas"), ("Muon", "momentum"), ("Rprop", None)]
)
def test_momentum_is_given_as_the_groups_of_the_optimiser_have_it(optimizer: str, key: str | None) -> None:
    spec = OPTIMIZERS.make(optimizer)
    assert momentum_of(spec) == key
    schedule = Schedule(spec, [made("OneCycleLR")], 1, 60)
    if key is None:
        assert schedule.momentum is None
        return
    (group,) = spec.build([torch.nn.Parameter(torch.zeros(1))]).param_groups
    lowest = 1.0
    for _ in range(30):
        assert schedule.momentum is not None
        assert type(group[key]) is type(schedule.momentum[key])
        group.update(schedule.momentum)
        first = group["betas"][0] if key == "betas" else group["momentum"]
        lowest = min(lowest, first)
        schedule.iterated()
    assert lowest == pytest.approx(0.85, abs=0.01)
    if key == "betas":
        assert group["betas"][1] == 0.999


# a run whose length is changed


@pytest.mark.parametrize("name", ["OneCycleLR", "CosineAnnealingLR", "PolynomialLR"])
@pytest.mark.parametrize("length", [3, 4, 12])
def test_what_is_fitted_to_the_run_is_fitted_to_its_new_length(name: str, length: int) -> None:
    schedule = Schedule(sgd(), [made(name)], EPOCHS, ITERATIONS)
    before = factors(schedule, 2)
    schedule.reach(length)
    after = factors(schedule, length - 2)
    assert before == factors(Schedule(sgd(), [made(name)], EPOCHS, ITERATIONS), 2)
    assert after == factors(Schedule(sgd(), [made(name)], length, ITERATIONS), length)[2 * ITERATIONS :]


def test_a_length_may_change_within_an_epoch() -> None:
    schedule, longer = (Schedule(sgd(), [made("OneCycleLR")], epochs, ITERATIONS) for epochs in (EPOCHS, 20))
    for _ in range(4):
        schedule.iterated()
        longer.iterated()
    schedule.reach(20)
    assert schedule.factor == longer.factor


def test_lengths_that_were_named_stay() -> None:
    schedule = Schedule(sgd(), [made("StepLR", step_size=4)], EPOCHS, ITERATIONS)
    schedule.reach(12)
    assert factors(schedule, 12)[:: 4 * ITERATIONS] == pytest.approx([1, 0.1, 0.01])


def test_a_run_that_goes_on_beyond_a_cycle_keeps_its_last_rate() -> None:
    schedule = Schedule(sgd(), [made("OneCycleLR", total_steps=EPOCHS * ITERATIONS)], EPOCHS, ITERATIONS)
    last = factors(schedule, EPOCHS)[-1]
    schedule.reach(10)
    assert set(factors(schedule, 4)) == {last}


def test_a_plateau_is_not_forgotten_when_the_length_changes() -> None:
    schedule = Schedule(sgd(), [made("ReduceLROnPlateau", patience=0)], EPOCHS, ITERATIONS)
    factors(schedule, 2)
    schedule.reach(20)
    assert schedule.factor == pytest.approx(0.1)


# drawn before the start


@pytest.mark.parametrize("name", SCHEDULERS.names())
def test_a_short_run_is_drawn_step_by_step_as_it_is_trained(name: str) -> None:
    epochs, rates = planned(sgd(), [made(name)], EPOCHS, ITERATIONS)
    found = factors(Schedule(sgd(), [made(name)], EPOCHS, ITERATIONS), EPOCHS)
    assert epochs.tolist() == [*(step / ITERATIONS for step in range(EPOCHS * ITERATIONS)), EPOCHS]
    assert rates.tolist() == pytest.approx([LR * factor for factor in (*found, found[-1])])
    assert epochs.dtype == rates.dtype == np.float64


@pytest.mark.parametrize("iterations", [1, 100, 1000])
@pytest.mark.parametrize("name", SCHEDULERS.names())
def test_a_long_run_is_drawn_by_its_outline(name: str, iterations: int) -> None:
    epochs, rates = planned(sgd(), [made(name)], 300, iterations, points=200)
    assert len(epochs) == len(rates) <= 203
    assert (np.diff(epochs) > 0).all()
    assert (epochs[0], epochs[-1]) == (0, 300)
    _, every = planned(sgd(), [made(name)], 300, iterations, points=10**6)
    assert rates.max() == pytest.approx(every.max(), rel=1e-6)
    assert rates.min() == pytest.approx(every.min(), rel=1e-6)
    assert (rates[0], rates[-1]) == (every[0], every[-1])


def test_a_spike_between_two_points_is_drawn() -> None:
    """A restart each hundred steps of a hundred thousand: far more than there are points."""
    _, rates = planned(sgd(), [made("CosineAnnealingWarmRestarts", T_0=100, every="iteration")], 100, 1000)
    assert (np.maximum(rates[1:], rates[:-1]) > 0.99 * LR).mean() > 0.99


def test_the_longest_run_there_is_is_drawn_at_once() -> None:
    schedulers = [made("LinearLR"), made("CosineAnnealingWarmRestarts", T_0=1000, T_mult=2, every="iteration")]
    planned(sgd(), schedulers, 10, 10)  # once for what numpy sets up
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        planned(sgd(), schedulers, 10_000, 1000)
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.1


def test_asking_costs_a_run_next_to_nothing() -> None:
    schedule = Schedule(sgd(), [made("LinearLR"), made("OneCycleLR")], EPOCHS, 1000)
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(1000):
            assert schedule.factor > 0
            assert schedule.momentum is not None
            schedule.iterated()
        schedule.epoch_ended(1.0)
        taken.append((time.perf_counter() - start) / 1000)
    assert min(taken) < 20e-6


def test_a_curve_needs_no_torch() -> None:
    """It is drawn before torch is loaded."""
    told = (
        "import sys; from gui_lab import catalog; catalog.load()\n"
        "from gui_lab.core.learning import OPTIMIZERS, SCHEDULERS\n"
        "from gui_lab.core.schedule import planned\n"
        "planned(OPTIMIZERS.make('Adam'), [entry() for entry in SCHEDULERS], 10, 100)\n"
        "print('torch' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.strip() == "False"


def test_torchs_generator_is_not_touched() -> None:
    before = torch.get_rng_state()
    factors(Schedule(sgd(), [made("OneCycleLR"), made("ReduceLROnPlateau")], EPOCHS, ITERATIONS), EPOCHS)
    assert torch.equal(torch.get_rng_state(), before)
