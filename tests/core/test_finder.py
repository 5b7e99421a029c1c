"""The learning rate finder: it tries what a run would do, touches nothing, and its suggestions are where they say."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
import torch

from gui_lab.core.events import BatchTrained
from gui_lab.core.experiment import Experiment
from gui_lab.core.finder import Suggestion, Tried, curve, find, suggestions
from gui_lab.core.images import ImageSet
from gui_lab.core.learner import Learner
from gui_lab.core.training import train, weights_sha256

Made = Callable[..., Experiment]


@pytest.fixture
def learner(made: Made, images: ImageSet) -> Learner:
    return Learner(made(), images)


def test_learner_optimiser_and_generator_are_untouched_to_the_bit(made: Made, images: ImageSet) -> None:
    """After some steps of a run, so that there is a momentum to disturb; with dropout and random transforms."""
    learner = Learner(made(ema_decay=0.9), images)
    for _ in islice(train(learner), 2):
        pass
    weights, average = weights_sha256(learner.model), weights_sha256(learner.evaluated)
    momenta = [state["momentum_buffer"].clone() for state in learner.optimizer.state.values()]
    plan, rates = learner.plan.lr, [group["lr"] for group in learner.optimizer.param_groups]
    state = torch.get_rng_state()
    for _ in find(learner, steps=15):
        assert torch.equal(torch.get_rng_state(), state)
    assert weights_sha256(learner.model) == weights
    assert weights_sha256(learner.evaluated) == average
    kept = [state["momentum_buffer"] for state in learner.optimizer.state.values()]
    assert momenta
    assert all(torch.equal(one, other) for one, other in zip(momenta, kept, strict=True))
    assert (learner.plan.lr, [group["lr"] for group in learner.optimizer.param_groups]) == (plan, rates)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_run_that_is_searched_in_its_midst_ends_with_the_same_weights(made: Made, images: ImageSet) -> None:
    def trained(search: bool) -> str:
        learner = Learner(made(), images)
        for place, _ in enumerate(train(learner)):
            if search and place == 1:
                list(find(learner, steps=5))
        return weights_sha256(learner.model)

    assert trained(search=True) == trained(search=False)


def test_rates_grow_in_equal_ratios_from_low_to_high(learner: Learner) -> None:
    tried = list(find(learner, low=1e-6, high=1e-2, steps=9))
    assert [one.lr for one in tried] == pytest.approx(np.geomspace(1e-6, 1e-2, 9).tolist())


def test_losses_are_those_of_a_run_at_these_rates(made: Made, images: ImageSet) -> None:
    """The first epoch's batches with its draws, and no schedule; then the second's, with nothing measured between."""
    tried = list(find(Learner(made(), images), low=1e-4, high=1e-2, steps=5))
    plain = Learner(made(), images)
    losses, events = [], train(plain)
    for rate in np.geomspace(1e-4, 1e-2, 5):
        plain.plan.lr = float(rate)
        losses.append(next(event.loss for event in events if isinstance(event, BatchTrained)))
    assert [one.loss for one in tried] == losses


def test_nothing_is_measured_between_the_epochs(made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    learner, asked, batch = Learner(made(remeasure=True), images), [], Learner.batch

    def watched(learner: Learner, indices: Any, epoch: int, training: bool) -> Any:
        asked.append((epoch, training))
        return batch(learner, indices, epoch, training)

    monkeypatch.setattr(Learner, "batch", watched)
    assert len(list(find(learner, high=1e-5, steps=7))) == 7
    assert asked == [(1, True), (2, True), (3, True)]  # all batches of an epoch are made together


def test_with_accumulated_gradients_each_rate_is_that_of_a_step(made: Made, images: ImageSet) -> None:
    """Three batches an epoch, two for a step: the last group of an epoch is one batch alone."""
    tried = list(find(Learner(made(accumulate=2), images), low=1e-9, high=1e-8, steps=4))
    plain = Learner(made(accumulate=2), images)
    plain.plan.lr = 1e-9
    losses = [event.loss for event in train(plain) if isinstance(event, BatchTrained)]
    groups = [(losses[0] + losses[1]) / 2, losses[2], (losses[3] + losses[4]) / 2, losses[5]]
    assert [one.loss for one in tried] == pytest.approx(groups, rel=1e-5)


def test_it_ends_early_when_the_loss_explodes(learner: Learner) -> None:
    tried = list(find(learner, low=1e-5, high=1e8, steps=60))
    assert 10 < len(tried) < 60
    assert all(math.isfinite(one.loss) for one in tried)
    best = min(one.smoothed for one in tried)
    assert all(one.smoothed <= 4 * best for one in tried[:-1])


def test_it_ends_at_a_loss_that_is_not_finite(made: Made, images: ImageSet) -> None:
    experiment = made().edited("model", "SoftmaxRegression")
    assert len(list(find(Learner(experiment, images), low=1e36, high=1e38, steps=50))) < 50


def test_closing_it_ends_it_and_leaves_no_mode_behind(made: Made, images: ImageSet) -> None:
    searching = find(Learner(made(deterministic=True), images), steps=50)
    next(searching)
    assert torch.are_deterministic_algorithms_enabled()
    searching.close()
    assert not torch.are_deterministic_algorithms_enabled()


# suggestions


def swept(losses: np.ndarray, low: float = 1e-7, high: float = 10.0) -> list[Tried]:
    rates = np.geomspace(low, high, len(losses))
    return [Tried(float(lr), float(loss), float(loss)) for lr, loss in zip(rates, losses, strict=True)]


def bowl(noise: float = 0.0) -> list[Tried]:
    """Flat at 2.3 until 1e-4, a descent that is steepest at 1e-3 down to 0.5 near 1e-1, then up."""
    decade = np.linspace(-7, 1, 100)
    losses = 2.3 - 1.8 / (1 + np.exp(-4 * (decade + 3))) + np.exp(4 * (decade + 0.2))
    return swept(losses + noise * np.random.default_rng(0).standard_normal(100))


def named(tried: list[Tried]) -> dict[str, Suggestion]:
    return {one.name: one for one in suggestions(tried)}


@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_suggestions_are_where_their_names_say(noise: float) -> None:
    tried = bowl(noise)
    found = named(tried)
    assert found["Steepest descent"].lr == pytest.approx(1e-3, rel=0.7)
    lowest = tried[int(curve(tried).argmin())].lr
    assert found["Tenth of the minimum"].lr == pytest.approx(lowest / 10, rel=0.06)
    assert 3e-4 < found["Valley"].lr < lowest
    for one in found.values():
        place = int(np.abs(np.log([other.lr for other in tried]) - math.log(one.lr)).argmin())
        assert one.loss == pytest.approx(curve(tried)[place], abs=0.15)
        assert one.why.endswith(".")
        assert float(f"{one.lr:.1e}") == one.lr


def test_the_valley_is_two_thirds_down_the_longest_descent() -> None:
    losses = np.concatenate([np.full(10, 3.0), np.linspace(3, 0, 31)[1:], np.linspace(0, 9, 21)[1:]])
    rates = [one.lr for one in swept(losses)]
    found = named(swept(losses))["Valley"]
    assert abs(np.interp(math.log(found.lr), np.log(rates), np.arange(60)) - (10 + 20)) < 4


def test_the_curve_does_not_lag_behind_its_rates() -> None:
    step = swept(np.repeat([2.0, 1.0], 30))
    assert curve(step)[29] + curve(step)[30] == pytest.approx(3.0)
    assert all(later < earlier + 1e-9 for earlier, later in pairwise(curve(step)))


@pytest.mark.parametrize(
    "losses", [np.linspace(2, 1, 9), np.full(50, 2.3), np.linspace(2.3, 9, 50), np.tile([2.3, 2.25], 25)]
)
def test_nothing_is_suggested_where_nothing_was_learned(losses: np.ndarray) -> None:
    assert suggestions(swept(losses)) == ()


def test_a_real_search_suggests_rates_that_learn(made: Made, images: ImageSet) -> None:
    experiment = made(batch_size=8).edited("model", "SoftmaxRegression")
    tried = list(find(Learner(experiment, images), steps=60))
    found = suggestions(tried)
    assert [one.name for one in found] == ["Steepest descent", "Valley", "Tenth of the minimum"]
    for one in found:
        learner = Learner(experiment.edited("optimizer.lr", one.lr).edited("training.epochs", 3), images)
        losses = [event.loss for event in train(learner) if isinstance(event, BatchTrained)]
        assert np.mean(losses[-8:]) < 0.9 * losses[0]
