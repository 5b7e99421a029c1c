"""The time budget: what a trial measures, what is proposed from it, and how right it was."""

from __future__ import annotations

from collections.abc import Callable, Generator
from itertools import islice
from typing import Any

import pytest
import torch

from gui_lab.core import budget
from gui_lab.core.budget import Trial, Trying, larger_batch, propose, told, trial, trials, verdict
from gui_lab.core.experiment import Experiment
from gui_lab.core.images import ImageSet
from gui_lab.core.learner import Learner
from gui_lab.core.learning import OPTIMIZERS
from gui_lab.errors import InvalidExperiment, LossNotFinite

Made = Callable[..., Experiment]


def finished(trying: Generator[Trying, None, Any]) -> tuple[list[Trying], Any]:
    said = []
    while True:
        try:
            said.append(next(trying))
        except StopIteration as end:
            return said, end.value


def made_trial(per_epoch: float, batch_size: int = 64, samples: int = 1000, **values: Any) -> Trial:
    times = {"seconds_per_iteration": 0.1, "seconds_after": 0.0, "seconds_to_start": 0.0, **values}
    return Trial(
        batch_size=batch_size, samples=samples, iterations=10, seconds_per_epoch=per_epoch, memory=1, device="cpu",
        precision="float32", **times,
    )  # fmt: skip


# trials


def test_a_trial_says_how_far_it_is_and_what_it_measured(made: Made, images: ImageSet) -> None:
    _, least = finished(trial(made(), images, seconds=1e-6))  # the first batch of a process loads much of torchvision
    assert least.iterations == 1
    state = torch.get_rng_state()
    said, found = finished(trial(made(epochs=500), images, seconds=0.3))
    assert torch.equal(torch.get_rng_state(), state)
    parts = [one.part for one in said]
    assert parts == sorted(parts)
    assert 0 == parts[0] < parts[-1] <= 1
    assert {one.batch_size for one in said} == {32}
    assert (found.batch_size, found.samples, found.device, found.precision) == (32, 80, "cpu", "float32")
    assert found.iterations > 3
    assert 0 < found.seconds_per_iteration < 0.3
    assert found.rate == 32 / found.seconds_per_iteration
    assert found.seconds_per_epoch > 80 / 32 * found.seconds_per_iteration
    assert found.memory > 50 * 2**20


def test_a_trial_ends_with_a_run_that_is_shorter_than_it(made: Made, images: ImageSet) -> None:
    _, found = finished(trial(made(epochs=1, patience=1), images, seconds=1))
    assert found.iterations == 3


def test_measuring_counts_into_epoch_and_end(made: Made, images: ImageSet) -> None:
    _, plain = finished(trial(made(epochs=50), images, seconds=0.3))
    _, thorough = finished(trial(made(epochs=50, remeasure=True), images, seconds=0.3))
    to_measure = plain.seconds_after / len(images.test)
    expected = 80 / 32 * plain.seconds_per_iteration + len(images.validation) * to_measure
    assert plain.seconds_per_epoch == pytest.approx(expected)
    to_measure = thorough.seconds_after / len(images.test)
    expected = 80 / 32 * thorough.seconds_per_iteration + (len(images.validation) + 80) * to_measure
    assert thorough.seconds_per_epoch == pytest.approx(expected)


def test_a_trial_can_be_left_at_any_moment(made: Made, images: ImageSet) -> None:
    trying = trial(made(deterministic=True), images, seconds=60)
    assert len(list(islice(trying, 2))) == 2
    trying.close()
    assert not torch.are_deterministic_algorithms_enabled()


def test_what_keeps_a_run_from_starting_keeps_a_trial_from_it(made: Made, images: ImageSet) -> None:
    with pytest.raises(InvalidExperiment):
        finished(trial(made(batch_size=81), images))
    broken = made(epochs=400).edited("optimizer", OPTIMIZERS.make("SGD", lr=1e9))
    with pytest.raises(LossNotFinite):
        finished(trial(broken, images))


def test_the_first_iterations_and_a_hiccup_do_not_count_but_what_comes_again_and_again_does() -> None:
    assert budget._usual([9.0, 5.0, 4.0, 1.0, 1.1, 0.9, 1.0]) == pytest.approx(1.0)
    assert budget._usual([9.0, 1.0, 1.2, *[1.0] * 40, 50.0, *[1.0] * 40]) == pytest.approx(1.0)
    assert budget._usual([9.0, 1.0, 1.2, *[1.0, 1.0, 1.0, 5.0] * 40]) == pytest.approx(2.0)
    assert budget._usual([3.0]) == 3.0
    assert budget._usual([3.0, 1.0]) == 1.0


def test_larger_batches_are_tried_only_where_no_epoch_fits(made: Made, images: ImageSet) -> None:
    said, found = finished(trials(made(), images, available=3600, seconds=0.05))
    assert [one.batch_size for one in found] == [32]
    said, found = finished(trials(made(), images, available=1e-6, seconds=0.05))
    assert [one.batch_size for one in found] == [32, 80]
    assert [one.batch_size for one in said] == sorted(one.batch_size for one in said)


def test_larger_batches_that_memory_does_not_hold_are_left_out(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Learner.batch

    def batch(learner: Learner, indices: Any, epoch: int, training: bool) -> Any:
        if len(indices) > 32:
            raise MemoryError
        return whole(learner, indices, epoch, training)

    monkeypatch.setattr(Learner, "batch", batch)
    monkeypatch.setattr("gui_lab.core.batches.PICTURES", 1)  # not several batches together
    _, found = finished(trials(made(), images, available=1e-6, seconds=0.05))
    assert [one.batch_size for one in found] == [32]


# proposals


def test_as_many_epochs_are_proposed_as_fit() -> None:
    found = propose([made_trial(12.5, seconds_after=4.0, seconds_to_start=5.0)], 300)
    assert (found.epochs, found.batch_size, found.fits) == (23, 64, True)
    assert found.expected_seconds == 23 * 12.5 + 4
    assert found.words == "23 epochs of 12.5 s each with batches of 64: about 4:52."


def test_no_more_epochs_are_proposed_than_a_run_may_have() -> None:
    assert propose([made_trial(1e-4)], 3600).epochs == 10_000


def test_where_no_epoch_fits_a_larger_batch_is_tried() -> None:
    slow = made_trial(400)
    assert larger_batch(slow, 300) == 256
    assert larger_batch(slow, 500) == 0
    assert larger_batch(made_trial(400, batch_size=64, samples=100), 300) == 100
    assert larger_batch(made_trial(400, batch_size=2048, samples=9000), 300) == 0
    found = propose([slow, made_trial(120, batch_size=256)], 300)
    assert (found.epochs, found.batch_size, found.fits) == (2, 256, True)
    assert "With batches of 64 one epoch takes 6:40." in found.words
    assert "learning rate" in found.words


def test_the_batch_size_stays_where_it_fits() -> None:
    assert propose([made_trial(100), made_trial(20, batch_size=256)], 300).batch_size == 64


def test_where_nothing_fits_it_says_so_and_what_to_do() -> None:
    found = propose([made_trial(750), made_trial(700, batch_size=256)], 300)
    assert (found.epochs, found.fits) == (1, False)
    assert found.words.startswith("Not even one epoch fits: it takes about 12:30.")
    assert "smaller" in found.words


def test_one_epoch_is_said_in_the_singular() -> None:
    assert propose([made_trial(200)], 300).words == "1 epoch with batches of 64: about 3:20."


# afterwards


@pytest.mark.parametrize(
    ("expected", "took", "said"),
    [
        (292, 303, "It was to take 4:52 and took 5:03: 4 % longer."),
        (60, 45, "It was to take 1:00 and took 45.0 s: 25 % shorter."),
        (100, 100.2, "It was to take 1:40 and took 1:40: just as expected."),
        (2.0, 5.0, "It was to take 2.00 s and took 5.00 s: 150 % longer."),
    ],
)
def test_the_verdict_says_how_right_it_was(expected: float, took: float, said: str) -> None:
    assert verdict(expected, took) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0042, "4.2 ms"),
        (0.0996, "0.10 s"),
        (0.84, "0.84 s"),
        (9.996, "10.0 s"),
        (12.51, "12.5 s"),
        (59.96, "1:00"),
        (292.4, "4:52"),
        (3723, "1:02:03"),
    ],
)
def test_times_are_said_with_three_digits_or_as_a_clock_does(seconds: float, said: str) -> None:
    assert told(seconds) == said
