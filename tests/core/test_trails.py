"""What was thought over the run: right, in order, and in bounded memory."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gui_lab.core.trails import SLICES, Trail, Trails


def probabilities(part: float) -> np.ndarray:
    return np.array([part, 1 - part], np.float32)


def seen(indices: tuple[int, ...], trained: int, part: float = 0.5) -> SimpleNamespace:
    rows = np.stack([probabilities(part) for _ in indices])
    return SimpleNamespace(epoch=1, iteration=trained, trained=trained, indices=indices, probabilities=rows)


def test_while_there_is_room_each_iteration_has_a_slice() -> None:
    trail = Trail(2)
    for trained in range(1, SLICES + 1):
        trail.add(trained, probabilities(trained / SLICES))
    assert trail.every == 1
    assert trail.means()[:, 0] == pytest.approx(np.arange(1, SLICES + 1) / SLICES)


@pytest.mark.parametrize("iterations", [SLICES + 1, 1000, 12_345])
def test_when_there_is_no_room_pairs_of_slices_become_one(iterations: int) -> None:
    trail = Trail(2)
    parts = np.linspace(0, 1, iterations)
    for trained, part in enumerate(parts, 1):
        trail.add(trained, probabilities(part))
    means = trail.means()
    assert SLICES // 2 <= len(means) <= SLICES
    whole = iterations // trail.every
    expected = parts[: whole * trail.every].reshape(whole, trail.every).mean(1)
    np.testing.assert_allclose(means[:whole, 0], expected, atol=1e-5)
    np.testing.assert_allclose(means.sum(1), 1, rtol=1e-5)


def test_a_jump_over_a_million_iterations_is_no_longer_than_its_memory() -> None:
    trail = Trail(2)
    for trained in (1, 10, 1_000_000, 10_000_000):
        trail.add(trained, probabilities(0.25))
    means = trail.means()
    assert len(means) <= SLICES
    np.testing.assert_allclose(means[:, 0], 0.25)


def test_slices_in_which_nobody_looked_show_what_was_seen_before() -> None:
    trail = Trail(2)
    trail.add(3, probabilities(0.1))
    trail.add(6, probabilities(0.9))
    means = trail.means()[:, 0]
    assert np.isnan(means[:2]).all()
    assert means[2:] == pytest.approx([0.1, 0.1, 0.1, 0.9])


def test_what_is_no_number_is_left_out() -> None:
    trail = Trail(2)
    trail.add(1, probabilities(0.5))
    trail.add(1, np.full(2, np.nan, np.float32))
    assert trail.means()[0] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("classes", [2, 10, 1000, 10_000])
def test_the_memory_of_a_trail_is_bounded(classes: int) -> None:
    trail = Trail(classes)
    row = np.full(classes, 1 / classes, np.float32)
    for trained in range(1, 2000, 50):
        trail.add(trained, row)
    assert trail.means().nbytes <= max(65_536, 32 * classes) * 4
    assert len(trail.means()) >= 16


def test_each_pinned_picture_has_its_own_and_those_that_left_are_forgotten() -> None:
    trails = Trails()
    trails.take(seen((3, 7), 1, 0.2))
    trails.take(seen((7, -1), 2, 0.4))
    assert trails.of(3) is None
    assert trails.of(7).means()[:, 0] == pytest.approx([0.2, 0.4])
    assert np.isnan(trails.of(-1).means()[0, 0])
    assert trails.of(-1).means()[1, 0] == pytest.approx(0.4)


def test_looking_twice_at_the_same_weights_adds_only_what_was_pinned_meanwhile() -> None:
    trails = Trails()
    trails.take(seen((1,), 1, 0.0))
    for _ in range(5):
        trails.take(seen((1, 2), 1, 1.0))
    assert trails.of(1).means()[:, 0].tolist() == [0]
    assert trails.of(2).means()[:, 0].tolist() == [1]
