"""The line below the curves says what a careful eye sees in them."""

from __future__ import annotations

import numpy as np
import pytest

from gui_lab.core import events
from gui_lab.core.events import BatchTrained, EpochEnded, RunEnded, RunStarted
from gui_lab.core.history import History
from gui_lab.qt import words
from gui_lab.qt.views.curve_words import figure, said_of

EACH = 50


def trained(loss, validation=(), training=None, ended=False) -> History:
    """A history of these losses, `EACH` iterations an epoch, and these validation losses of its epochs."""
    history = History()
    history.apply(RunStarted("", "cpu", 1, 20, EACH, 64, 64 * EACH, 100, 1))
    best = np.inf
    for at, value in enumerate(loss):
        epoch, iteration = at // EACH + 1, at % EACH + 1
        history.apply(BatchTrained(epoch, iteration, float(value), 32, 64, at / 100))
        if iteration == EACH and epoch <= len(validation):
            now = validation[epoch - 1]
            mean = float(np.mean(loss[at + 1 - EACH : at + 1])) if training is None else training[epoch - 1]
            history.apply(EpochEnded(epoch, mean, 0.5, now, 0.9 / (1 + now), now < best, at / 100))
            best = min(best, now)
    if ended:
        history.apply(RunEnded("finished", len(loss) // EACH, EACH, 1, "", 1.0))
    return history


def falling(count: int, end: float = 0.41) -> np.ndarray:
    return np.linspace(2.3, end, count)


def test_before_the_first_batch_nothing_is_said():
    assert said_of(History()) == ""


def test_of_one_batch_only_its_loss_is_said():
    assert said_of(trained([2.31])) == "Loss of the first batch: 2.31."


def test_a_loss_that_fell_is_said_with_both_ends_and_whether_it_still_falls():
    assert said_of(trained(falling(200))).startswith("Loss fell from 2.30 to 0.5")
    assert "and still falls" in said_of(trained(falling(200)))
    flat = np.concatenate([falling(100), np.full(300, 0.41)])
    assert said_of(trained(flat)) == "Loss fell from 2.30 to 0.41 and hardly changes now."


def test_of_a_run_that_is_over_it_is_not_said_what_it_still_does():
    assert said_of(trained(np.concatenate([falling(100), np.full(300, 0.41)]), ended=True)) == (
        "Loss fell from 2.30 to 0.41."
    )


def test_a_loss_that_has_not_fallen_is_not_said_to_have():
    said = said_of(trained(np.full(100, 2.3)))
    assert said == "Loss has not fallen yet: it began at 2.30 and is 2.30."


def test_a_loss_that_rises_again_is_said_with_its_lowest_place_and_a_remedy():
    rising = np.concatenate([falling(2 * EACH), np.linspace(0.41, 3.0, 4 * EACH)])
    said = said_of(trained(rising))
    assert said.startswith("Loss rises: it is 2.")
    assert "in epoch 3" in said
    assert "lower learning rate" in said


def test_noise_at_the_bottom_is_not_a_rise():
    noisy = np.concatenate([falling(300, 0.001), np.full(300, 0.001), np.full(200, 0.003)])
    assert said_of(trained(noisy)).startswith("Loss fell from 2.30 to 0.00")


def test_validation_that_stands_still_is_said_with_its_epochs():
    said = said_of(trained(falling(6 * EACH), [1.0, 0.6, 0.5, 0.499, 0.501, 0.498]))
    assert "validation flat for 3 epochs." in said
    assert "validation flat for 1 epoch." in said_of(trained(falling(3 * EACH), [1.0, 0.5, 0.499]))


def test_validation_that_falls_is_said_to():
    assert "; validation falls too, to 0.40." in said_of(trained(falling(3 * EACH), [1.0, 0.6, 0.4]))
    assert "; validation fell to 0.40." in said_of(trained(falling(3 * EACH), [1.0, 0.6, 0.4], ended=True))


def test_validation_that_rises_while_training_falls_is_over_fitting():
    said = said_of(trained(falling(5 * EACH), [1.0, 0.5, 0.4, 0.45, 0.55]))
    assert "validation rises since epoch 3, from 0.40 to 0.55 while training falls: over-fitting." in said


def test_validation_that_rises_with_training_is_not_over_fitting():
    said = said_of(trained(falling(4 * EACH), [1.0, 0.5, 0.6, 0.8], training=[2.0, 1.0, 1.2, 1.4]))
    assert "validation rises since epoch 2, from 0.50 to 0.80." in said
    assert "over-fitting" not in said


def test_nothing_is_said_of_validation_before_two_epochs_or_without_it():
    assert "; " not in said_of(trained(falling(EACH), [1.0]))
    assert "; " not in said_of(trained(falling(3 * EACH), [float("nan")] * 3))


def test_the_best_epoch_and_the_test_pictures_are_named():
    history = trained(falling(3 * EACH), [1.0, 0.4, 0.7])
    history.apply(events.Tested(0.5, 0.971, 10_000))
    said = said_of(history)
    assert f"Best validation accuracy {words.percent(0.9 / 1.4)}, in epoch 2." in said
    assert said.endswith(f"On 10,000 test pictures: {words.percent(0.971)} right.")


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.304, "2.30"), (0.41, "0.41"), (0.0523, "0.052"), (0.000031, "3.1e-5"), (0, "0.00"), (12345, "12,345.00")],
)
def test_a_loss_is_told_short(value, text):
    assert figure(value) == text
