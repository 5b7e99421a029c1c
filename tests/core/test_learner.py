"""What a run can be told beside epochs and batches, each against torch written down by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from gui_lab.core.blame import first_not_finite
from gui_lab.core.dice import seed_of
from gui_lab.core.events import BatchTrained, EpochEnded, Event, Measuring
from gui_lab.core.experiment import Experiment
from gui_lab.core.images import ImageSet
from gui_lab.core.learner import Learner
from gui_lab.core.learning import MODELS, OPTIMIZERS, SCHEDULERS
from gui_lab.core.training import measure, train, weights_sha256
from gui_lab.errors import LossNotFinite, OutOfMemory

Made = Callable[..., Experiment]


def batches(events: Iterator[Event] | list[Event]) -> list[BatchTrained]:
    return [event for event in events if isinstance(event, BatchTrained)]


def epochs(events: Iterator[Event] | list[Event]) -> list[EpochEnded]:
    return [event for event in events if isinstance(event, EpochEnded)]


def ran(learner: Learner) -> list[Event]:
    return list(train(learner))


def left_with(events: Generator[Event, None, str]) -> tuple[list[Event], str]:
    """What passed, and what was returned in the end."""
    passed = []
    while True:
        try:
            passed.append(next(events))
        except StopIteration as end:
            return passed, end.value


# the step


def test_gradients_of_several_batches_make_one_step(made: Made, images: ImageSet) -> None:
    """80 pictures in batches of 32 are three batches: a group of two, and one that stays alone at the epoch's end."""
    learner = Learner(made(accumulate=2, epochs=1).edited("model", "SoftmaxRegression"), images)
    plain = Learner(made(epochs=1).edited("model", "SoftmaxRegression"), images)
    seen: list[str] = []
    for event in train(learner):
        if isinstance(event, BatchTrained):
            seen.append(weights_sha256(learner.model))
    order = plain.order(1)
    for group in ((order[:32], order[32:64]), (order[64:],)):
        plain.optimizer.zero_grad()
        for part in group:
            pictures, labels = plain.batch(part, 1, training=True)
            (cross_entropy(plain.model(pictures), labels) / len(group)).backward()
        plain.optimizer.step()
    first = weights_sha256(Learner(made().edited("model", "SoftmaxRegression"), images).model)
    assert seen[0] == first  # no step after the first batch of the group
    assert seen[1] != first
    assert seen[2] == weights_sha256(plain.model)


def test_long_gradients_are_shortened_and_their_own_length_is_told(made: Made, images: ImageSet) -> None:
    learner = Learner(made(max_norm=0.01, epochs=1), images)
    lengths = []
    step = learner.optimizer.step

    def measured(*given: Any) -> Any:
        gradients = [one.grad for one in learner.model.parameters() if one.grad is not None]
        lengths.append(float(nn.utils.get_total_norm(gradients)))
        return step(*given)

    learner.optimizer.step = measured
    told = [event.gradient_norm for event in batches(train(learner))]
    assert max(lengths) <= 0.01 * (1 + 1e-4)
    assert min(told) > 0.01


def test_the_length_of_gradients_is_measured_now_and_then(made: Made, images: ImageSet) -> None:
    learner = Learner(made(epochs=1, batch_size=8), images)
    told = [event.gradient_norm for event in batches(train(learner))]
    assert np.isfinite(told[0])
    gradients = Learner(made(epochs=1, batch_size=8), images)
    pictures, labels = gradients.batch(gradients.order(1)[:8], 1, training=True)
    torch.manual_seed(seed_of(gradients.experiment.training.seed, 1, 1))
    gradients.loss(gradients.model.train()(pictures), labels).backward()
    grads = [one.grad for one in gradients.model.parameters() if one.grad is not None]
    assert told[0] == pytest.approx(float(nn.utils.get_total_norm(grads)), rel=1e-6)


def test_lbfgs_takes_its_step_with_a_closure(made: Made, images: ImageSet) -> None:
    experiment = made(epochs=3, batch_size=80).edited("model", "SoftmaxRegression").edited("optimizer", "LBFGS")
    learner = Learner(experiment, images)
    torch.manual_seed(seed_of(1, 0))
    plain = experiment.model.build((1, 12, 12), 4)
    optimizer = torch.optim.LBFGS(plain.parameters())
    for epoch in (1, 2, 3):
        pictures, labels = learner.batch(learner.order(epoch), epoch, training=True)

        def closure(pictures: Any = pictures, labels: Any = labels) -> torch.Tensor:
            optimizer.zero_grad()
            loss = cross_entropy(plain(pictures), labels)
            loss.backward()
            return loss

        optimizer.step(closure)
    ran(learner)
    assert weights_sha256(learner.model) == weights_sha256(plain)


def test_the_learning_rate_of_each_step_is_told(made: Made, images: ImageSet) -> None:
    experiment = made(epochs=3).edited("schedulers", (SCHEDULERS.make("StepLR", step_size=1, gamma=0.1),))
    told = [event.lr for event in batches(train(Learner(experiment, images)))]
    assert told == pytest.approx([0.05] * 3 + [0.005] * 3 + [0.0005] * 3)


# the weights that are validated


def test_the_average_of_the_weights_is_what_is_validated(made: Made, images: ImageSet) -> None:
    learner = Learner(made(ema_decay=0.9), images)
    wanted: dict[str, torch.Tensor] = {}
    for event in train(learner):
        if isinstance(event, BatchTrained):
            now = {name: value.clone() for name, value in learner.model.named_parameters()}
            wanted = {name: 0.9 * wanted[name] + 0.1 * now[name] for name in now} if wanted else now
    assert learner.averaged is not None
    for name, value in learner.evaluated.named_parameters():
        assert torch.allclose(value, wanted[name], atol=1e-6)
    assert weights_sha256(learner.evaluated) != weights_sha256(learner.model)
    ended = epochs(train(Learner(made(ema_decay=0.9), images)))[-1]
    assert ended.validation_loss == measure(learner, images.validation).mean_loss


def test_training_is_the_same_with_an_average_and_without(made: Made, images: ImageSet) -> None:
    with_it, without = Learner(made(ema_decay=0.9), images), Learner(made(), images)
    ran(with_it), ran(without)
    assert weights_sha256(with_it.model) == weights_sha256(without.model)


def test_the_training_loss_is_measured_again_as_validation_is(made: Made, images: ImageSet) -> None:
    learner = Learner(made(remeasure=True, epochs=1), images)
    events = ran(learner)
    assert epochs(events)[0].remeasured_loss == measure(learner, images.train).mean_loss
    assert [event.part for event in events if isinstance(event, Measuring)] == ["training", "validation", "test"]
    assert np.isnan(epochs(ran(Learner(made(epochs=1), images)))[0].remeasured_loss)


# which pictures


def test_balanced_drawing_gives_each_class_its_share(made: Made, images: ImageSet) -> None:
    few = ImageSet(images.pictures, images.labels, images.classes, images.train[:30], images.validation, images.test)
    labels = few.labels.copy()
    labels[few.train[:20]] = 0  # twenty of one class, the other ten as they come
    few = ImageSet(few.pictures, labels, few.classes, few.train, few.validation, few.test)
    learner = Learner(made(balanced=True, batch_size=8), few)
    present = len(set(labels[few.train].tolist()))
    orders = [learner.order(epoch) for epoch in (1, 2)]
    for order in orders:
        counts = Counter(labels[order].tolist())
        assert len(order) == 30
        assert max(counts.values()) - min(counts.values()) <= 1
        assert len(counts) == present
    assert orders[0].tolist() != orders[1].tolist()
    assert learner.order(1).tolist() == orders[0].tolist()


# how long


def test_patience_ends_the_run_and_says_so(made: Made, images: ImageSet) -> None:
    learner = Learner(made(patience=2, epochs=50).edited("optimizer.lr", 1e-12), images)
    passed, reason = left_with(train(learner))
    assert reason == "patience"
    assert [event.best for event in epochs(passed)] == [True, False, False]


def test_patience_that_is_not_used_up_finishes(made: Made, images: ImageSet) -> None:
    learner = Learner(made(patience=2, epochs=2).edited("optimizer.lr", 1e-12), images)
    assert left_with(train(learner))[1] == "finished"


def test_the_plan_can_be_changed_between_two_events(made: Made, images: ImageSet) -> None:
    learner, told = Learner(made(epochs=5), images), []
    for event in train(learner):
        if isinstance(event, BatchTrained):
            told.append((event.epoch, event.lr))
            if (event.epoch, event.iteration) == (1, 2):
                learner.plan.lr, learner.plan.epochs = 0.5, 2
    assert told == [(1, 0.05), (1, 0.05), (1, 0.5), (2, 0.5), (2, 0.5), (2, 0.5)]


# what the network ends in, and the arithmetic


@pytest.mark.parametrize("ending", ["LogSoftmax", "Softmax"])
def test_a_network_can_end_in_a_layer_of_its_own(ending: str, made: Made, images: ImageSet) -> None:
    learner = Learner(made(epochs=1).edited("model.ends_in", ending), images)
    pictures, _ = learner.batch(images.test, 1, training=False)
    scores = Learner(made(epochs=1), images).model.eval()(pictures)
    left = learner.outputs(pictures, learner.model.eval())
    torch.testing.assert_close(left, getattr(nn, ending)(dim=1)(scores))
    torch.testing.assert_close(learner.probabilities(left), scores.softmax(1))
    ran(learner)


def test_bfloat16_learns_as_float32_does_and_its_losses_are_float32(made: Made, images: ImageSet) -> None:
    learner = Learner(made(precision="bfloat16", epochs=3), images)
    pictures, labels = learner.batch(images.test, 1, training=False)
    outputs = learner.outputs(pictures)
    assert outputs.dtype == learner.losses(outputs, labels).dtype == torch.float32
    losses = [event.loss for event in epochs(ran(learner))]
    plain = [event.loss for event in epochs(ran(Learner(made(epochs=3), images)))]
    assert losses == pytest.approx(plain, rel=0.02)
    assert losses != plain
    assert all(value.dtype == torch.float32 for value in learner.model.parameters())


def test_the_precision_that_is_measured_is_told_with_its_reason(made: Made, images: ImageSet) -> None:
    learner = Learner(made(precision="auto"), images)
    assert learner.precision in ("float32", "bfloat16")
    assert "pictures/s" in learner.why
    plain = Learner(made(), images)
    assert weights_sha256(learner.model) == weights_sha256(plain.model)
    assert (plain.precision, plain.why) == ("float32", "")


def test_the_deterministic_switch_is_set_while_it_trains(made: Made, images: ImageSet) -> None:
    for wanted in (True, False):
        found = set()
        for _ in train(Learner(made(deterministic=wanted, epochs=1), images)):
            found.add(torch.are_deterministic_algorithms_enabled())
        assert found == {wanted}
        assert not torch.are_deterministic_algorithms_enabled()


# what goes wrong


def test_the_first_layer_that_is_not_finite_is_named(made: Made, images: ImageSet) -> None:
    learner = Learner(made(epochs=400).edited("optimizer", OPTIMIZERS.make("SGD", lr=1e9)), images)
    with pytest.raises(LossNotFinite, match=r"the output of \S+ \((Conv2d|Linear)\) is the first") as caught:
        ran(learner)
    assert caught.value.repairs[0].value == pytest.approx(1e8)
    assert caught.value.repairs[0].path == "optimizer.lr"


def test_blame_goes_to_pictures_weights_outputs_and_the_loss() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))
    pictures = torch.ones(1, 2)
    assert first_not_finite(network, lambda: network(pictures)) == "the loss"
    assert first_not_finite(network, lambda: network(pictures / 0)) == "the pictures"
    with torch.no_grad():
        network[2].bias.fill_(float("nan"))
    assert first_not_finite(network, lambda: network(pictures)) == "the weights of 2 (Linear)"
    with torch.no_grad():
        network[2].bias.fill_(0)
        network[0].bias.fill_(3e38)
        network[0].weight.fill_(3e38)
    assert first_not_finite(network, lambda: network(pictures)) == "the output of 0 (Linear)"
    assert not network[0]._forward_hooks


def test_no_memory_offers_smaller_batches(made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    learner = Learner(made(), images)

    def full(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(learner.model, "forward", full)
    with pytest.raises(OutOfMemory) as caught:
        ran(learner)
    smaller, alike = caught.value.repairs
    assert made().edited(smaller.path, smaller.value).training.batch_size == 16
    repaired = made().edited(alike.path, alike.value).training
    assert (repaired.batch_size, repaired.accumulate) == (16, 2)


def test_every_model_trains_in_each_precision(images: ImageSet, made: Made) -> None:
    for name in MODELS.names():
        for precision in ("float32", "bfloat16"):
            experiment = made(epochs=1, batch_size=40, precision=precision).edited("model", name)
            if experiment.model.smallest_side() <= 12:
                assert len(batches(train(Learner(experiment, images)))) == 2
