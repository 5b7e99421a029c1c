"""Twins begin alike, see the same batches, and differ in what was asked for alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from gui_lab.core.images import ImageSet, InMemory
from gui_lab.core.twins import Moment, Samples, Twin, race, samples


def build() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))


def optimizer(network: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(network.parameters(), lr=0.1)


@pytest.fixture(scope="module")
def digits() -> Samples:
    return samples(None)


@pytest.fixture
def healthy(digits: Samples) -> Twin:
    return Twin(digits, build, optimizer)


def raced(*twins: Twin, iterations: int = 41, seed: int = 3) -> list[tuple[Moment, ...]]:
    return list(race(twins, seed=seed, batch_size=32, iterations=iterations, every=20))


def test_it_is_what_a_plain_loop_of_torch_comes_to(healthy: Twin) -> None:
    (first,), (second,), (third,) = raced(healthy)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = build()
    descent = torch.optim.SGD(network.parameters(), lr=0.1)
    order = torch.randperm(len(healthy.samples.labels), generator=torch.Generator().manual_seed(3))
    losses, lengths = [], []
    for batch in islice(order.split(32), 41):
        loss = functional.cross_entropy(network(healthy.samples.pictures[batch]), healthy.samples.labels[batch])
        descent.zero_grad()
        loss.backward()
        descent.step()
        losses.append(loss.item())
        lengths.append(float(torch.cat([one.grad.flatten() for one in network.parameters()]).norm()))
    assert [one.iteration for one in (first, second, third)] == [1, 21, 41]
    assert first.loss == pytest.approx(losses[0], rel=1e-5)
    assert third.loss == pytest.approx(sum(losses[-20:]) / 20, rel=1e-4)
    assert third.gradient == pytest.approx(sum(lengths[-20:]) / 20, rel=1e-4)
    with torch.no_grad():
        scores = network(healthy.samples.held)
    assert third.accuracy == pytest.approx(float((scores.argmax(1) == healthy.samples.held_labels).float().mean()))
    assert third.held_loss == pytest.approx(float(functional.cross_entropy(scores, healthy.samples.held_labels)), 1e-4)


def test_twins_that_differ_in_nothing_stay_alike(healthy: Twin) -> None:
    assert all(one == other for one, other in raced(healthy, replace(healthy), iterations=100))


def test_the_last_moment_is_that_of_the_last_iteration(healthy: Twin) -> None:
    assert [one.iteration for (one,) in raced(healthy, iterations=30)] == [1, 21, 30]


def test_the_generator_of_a_run_is_left_alone(healthy: Twin) -> None:
    before = torch.get_rng_state()
    raced(healthy, replace(healthy, shuffle=False))
    assert torch.equal(before, torch.get_rng_state())


def test_gradients_add_up_where_they_are_not_zeroed(healthy: Twin) -> None:
    right, wrong = raced(healthy, replace(healthy, zero_grad=False))[-1]
    assert wrong.gradient > 3 * right.gradient


def test_without_evaluation_mode_the_batch_decides_what_is_answered(healthy: Twin) -> None:
    def normed() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 10))

    right = replace(healthy, build=normed, measured=4)
    one, other = raced(right, replace(right, evaluates=False), iterations=80)[-1]
    assert one.accuracy > other.accuracy
    assert one.loss == pytest.approx(other.loss, rel=1e-5), "batches of training are normed by themselves in both"


def test_a_frozen_layer_keeps_its_weights_and_gives_no_gradient(healthy: Twin) -> None:
    def frozen() -> nn.Module:
        network = build()
        network[1].requires_grad_(False)
        return network

    right, wrong = raced(healthy, replace(healthy, build=frozen))[0]
    assert wrong.loss == right.loss
    assert 0 < wrong.gradient < right.gradient


def test_what_is_counted_can_be_counted_wrong(healthy: Twin) -> None:
    def none(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return (scores.argmax(1) == labels).sum() * 0

    assert raced(replace(healthy, count=none))[-1][0].accuracy == 0


def of_shape(*shape: int, classes: int = 3) -> ImageSet:
    labels = np.arange(shape[0]) % classes
    everything = np.arange(shape[0])
    return ImageSet(
        InMemory(np.full(shape, 51, np.uint8)), labels, tuple(map(str, range(classes))), everything[::2],
        everything[1::2], everything[:0],
    )  # fmt: skip


def test_own_pictures_are_used_where_they_are_small() -> None:
    own = samples(of_shape(90, 3, 20, 24))
    assert own.own
    assert own.pictures.shape == (45, 3, 20, 24)
    assert torch.unique(own.pictures).tolist() == pytest.approx([0.2])
    assert len(samples(of_shape(10_000, 1, 4, 4)).labels) == 1500
    for large in (of_shape(90, 3, 20, 40), of_shape(90, 1, 8, 8, classes=13)):
        assert not samples(large).own
