"""Events become arrays: what a plot draws and a command line prints is what the run said."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gui_lab.core.events import (
    BatchTrained,
    Changed,
    EpochEnded,
    Event,
    Measuring,
    Paused,
    RunEnded,
    RunStarted,
    as_record,
    from_record,
)
from gui_lab.core.events import Tested as Examined
from gui_lab.core.history import Column, History, Mark, Smoothed

STARTED = RunStarted("runs/0001-x", "cpu", 2, 3, 4, 10, 37, 8, 99)


def batch(epoch: int, iteration: int, loss: float, correct: int = 5, samples: int = 10, seconds: float = 0.0) -> Event:
    return BatchTrained(epoch, iteration, loss, correct, samples, seconds)


def told(*events: Event) -> History:
    history = History()
    for event in events:
        history.apply(event)
    return history


def test_a_column_holds_what_was_appended() -> None:
    column = Column()
    values = np.random.default_rng(0).normal(size=5000)
    for count, value in enumerate(values):
        assert len(column) == count
        column.append(value)
    assert np.array_equal(column.values, values)


def test_a_view_of_a_column_stays_as_it_was_while_the_column_grows() -> None:
    column = Column()
    for value in range(1024):
        column.append(value)
    view = column.values
    for value in range(3000):
        column.append(-value)
    assert np.array_equal(view, np.arange(1024))


def test_smoothing_is_the_weighted_mean_of_all_values_so_far() -> None:
    smoothed, memory = Smoothed(0.9), 0.9
    values = np.random.default_rng(0).normal(size=50)
    for value in values:
        smoothed.append(value)
    for place in range(50):
        weights = memory ** np.arange(place, -1, -1)
        assert smoothed.values[place] == pytest.approx(np.average(values[: place + 1], weights=weights))


def test_smoothing_has_no_bias_at_its_start() -> None:
    smoothed = Smoothed()
    for _ in range(20):
        smoothed.append(2.5)
    assert smoothed.values == pytest.approx(np.full(20, 2.5))


def test_a_run_of_many_batches_is_smoothed_over_more_of_them() -> None:
    short, long = told(STARTED), told(RunStarted("", "cpu", 2, 100, 100, 10, 1000, 8, 99))
    for history in (short, long):
        for iteration, loss in enumerate([1.0] * 50 + [0.0] * 20, 1):
            history.apply(batch(1, iteration, loss))
    assert short.smooth.values[-1] < long.smooth.values[-1] < 1


def test_a_history_is_what_the_events_said() -> None:
    ended = RunEnded("finished", 2, 2, 1, "abc", 2.0)
    history = told(
        STARTED,
        batch(1, 1, 2.0, correct=1),
        batch(1, 2, 1.5, correct=2, samples=7),
        EpochEnded(1, 1.8, 0.2, 1.4, 0.5, True, 1.0),
        batch(2, 1, 1.0, correct=6, seconds=1.5),
        batch(2, 2, 0.5, correct=7, samples=7, seconds=1.75),
        EpochEnded(2, 0.8, 0.8, 0.9, 0.25, False, 2.0),
        Examined(0.7, 0.75, 20),
        ended,
    )
    assert history.started is STARTED
    assert history.loss.values.tolist() == [2.0, 1.5, 1.0, 0.5]
    assert history.seconds.values.tolist() == [0.0, 0.0, 1.5, 1.75]
    assert history.epochs == 2
    assert history.epoch_at.values.tolist() == [2, 4]
    assert history.epoch_loss.values.tolist() == [1.8, 0.8]
    assert history.epoch_accuracy.values.tolist() == [0.2, 0.8]
    assert history.validation_loss.values.tolist() == [1.4, 0.9]
    assert history.validation_accuracy.values.tolist() == [0.5, 0.25]
    assert (history.best_epoch, history.best_accuracy) == (1, 0.5)
    assert (history.correct, history.samples, history.trained) == (13, 17, 34)
    assert history.tested == Examined(0.7, 0.75, 20)
    assert history.ended is ended


def test_the_rate_is_pictures_a_second() -> None:
    history = told(STARTED)
    assert math.isnan(history.rate())
    for iteration in range(1, 401):
        history.apply(batch(1, iteration, 1.0, seconds=iteration * (0.1 if iteration < 200 else 0.2)))
    assert history.rate() == pytest.approx(10 / 0.2)


def test_measuring_is_not_counted_as_slow_training() -> None:
    history = told(STARTED, batch(1, 1, 1.0, seconds=1.0), batch(1, 2, 1.0, seconds=2.0))
    for event in (Measuring("validation", 1, 8, 8, 50.0), EpochEnded(1, 1.0, 0.5, 1.0, 0.5, True, 50.0)):
        history.apply(event)
    history.apply(batch(2, 1, 1.0, seconds=51.0))
    assert history.rate() == pytest.approx(10 / 1.0)


def test_a_column_that_reserved_its_room_keeps_what_it_had() -> None:
    column = Column()
    for value in range(100):
        column.append(value)
    column.reserve(5000)
    column.append(100)
    assert column.values.tolist() == list(range(101))


# ---------------------------------------------------------------- what the loop says beside its losses


def test_learning_rates_and_gradient_norms_are_told_for_each_iteration() -> None:
    history = told(STARTED)
    assert math.isnan(history.lr_now)
    assert math.isnan(history.norm_now)
    for iteration, (lr, norm) in enumerate([(0.1, 3.0), (0.05, 2.0), (0.025, math.nan)], 1):
        history.apply(BatchTrained(1, iteration, 1.0, 5, 10, 0.0, lr, norm))
    assert history.lr.values.tolist() == [0.1, 0.05, 0.025]
    assert history.gradient_norm.values[:2].tolist() == [3.0, 2.0]
    assert np.isnan(history.gradient_norm.values[2])
    assert (history.lr_now, history.norm_now) == (0.025, 2.0)


def test_what_is_measured_goes_with_its_epoch() -> None:
    history = told(STARTED, batch(1, 1, 1.0), Measuring("training", 1, 20, 37, 0.5))
    assert history.measuring == Measuring("training", 1, 20, 37, 0.5)
    history.apply(EpochEnded(1, 1.8, 0.2, 1.4, 0.5, True, 1.0, remeasured_loss=1.2))
    assert history.measuring is None
    assert history.remeasured_loss.values.tolist() == [1.2]
    assert history.epoch_seconds.values.tolist() == [1.0]


def test_changes_and_pauses_are_marked_where_they_happened() -> None:
    history = told(STARTED, batch(1, 1, 1.0), batch(1, 2, 1.0), Paused(1, 2))
    history.apply(Changed(1, 2, "optimizer.lr", 0.001, 0.0003))
    history.apply(batch(1, 3, 1.0))
    history.apply(Changed(1, 3, "training.epochs", 3, 1200))
    assert history.marks == [
        Mark(2, "paused", "paused"),
        Mark(2, "changed", "learning rate 0.001 to 0.0003"),
        Mark(3, "changed", "epochs 3 to 1,200"),
    ]
    assert history.epochs_planned == 1200


def test_patience_is_counted_from_the_best_epoch_and_follows_a_change() -> None:
    history = told(replace(STARTED, patience=3), batch(1, 1, 1.0))
    assert history.patience_left() == 3
    for epoch, best in ((1, True), (2, False), (3, False)):
        history.apply(batch(epoch, 1, 1.0))
        history.apply(EpochEnded(epoch, 1.0, 0.5, 1.0, 0.5, best, 1.0))
    assert history.patience_left() == 1
    history.apply(Changed(3, 4, "training.patience", 3, 5))
    assert history.patience_left() == 3
    history.apply(Changed(3, 4, "training.patience", 5, 1))
    assert history.patience_left() == 1  # it is asked again after the next epoch
    history.apply(Changed(3, 4, "training.patience", 1, 0))
    assert history.patience_left() is None


def test_there_is_no_patience_left_to_tell_when_it_is_over() -> None:
    history = told(replace(STARTED, patience=1), batch(1, 1, 1.0), EpochEnded(1, 1.0, 0.5, 1.0, 0.5, True, 1.0))
    assert history.patience_left() == 1
    history.apply(Measuring("test", 1, 5, 10, 1.0))
    assert history.patience_left() is None


# ---------------------------------------------------------------- the time left


def a_run(
    epochs: int, iterations: int, *, batch_seconds: float, validation_seconds: float = 0.0, test_seconds: float = 0.0
) -> Iterator[Event]:
    """Events of a run at a steady pace: 50 pictures are measured in five parts after each epoch, and 50 at the end."""
    clock = 0.0
    yield replace(STARTED, epochs=epochs, iterations=iterations, validation_samples=50, test_samples=50)
    for epoch in range(1, epochs + 1):
        for iteration in range(1, iterations + 1):
            clock += batch_seconds
            yield batch(epoch, iteration, 1.0, seconds=clock)
        for part in range(1, 6):
            clock += validation_seconds / 5
            yield Measuring("validation", epoch, part * 10, 50, clock)
        yield EpochEnded(epoch, 1.0, 0.5, 1.0, 0.5, True, clock)
    for part in range(1, 6):
        clock += test_seconds / 5
        yield Measuring("test", epochs, part * 10, 50, clock)
    yield Examined(1.0, 0.5, 50)


def left_over_time(events: Iterable[Event]) -> list[tuple[float, float]]:
    """The run's clock and the time left after each event."""
    history, found = History(), []
    for event in events:
        history.apply(event)
        found.append((history.elapsed, history.seconds_left()))
    return found


def test_the_time_left_is_not_told_before_it_can_be_known() -> None:
    quick = [left for _, left in left_over_time(a_run(3, 20, batch_seconds=0.01))]
    assert np.isnan(quick[:10]).all()
    assert not np.isnan(quick[10:]).any()
    slow = [left for _, left in left_over_time(a_run(3, 20, batch_seconds=1.0))]
    assert np.isnan(slow[:3]).all()
    assert not np.isnan(slow[3:]).any()


def test_the_time_left_of_a_steady_run_is_right_with_all_that_is_measured() -> None:
    told = left_over_time(a_run(10, 100, batch_seconds=0.1, validation_seconds=5.0, test_seconds=5.0))
    end = told[-1][0]
    assert end == pytest.approx(10 * (10 + 5) + 5)
    late = [(clock, left) for clock, left in told if clock > 60]
    assert all(left == pytest.approx(end - clock, rel=0.1, abs=1.0) for clock, left in late)


def test_the_time_left_never_jumps() -> None:
    told = left_over_time(a_run(10, 100, batch_seconds=0.1, validation_seconds=5.0, test_seconds=5.0))
    shown = [(clock, left) for clock, left in told if clock > 5]
    for (before, left), (after, then) in pairwise(shown):
        assert abs(then - (left - (after - before))) <= max(0.05 * left, 0.5)


def test_an_iteration_that_was_held_up_does_not_count() -> None:
    events = list(a_run(4, 100, batch_seconds=0.1))
    held = [replace(one, seconds=one.seconds + 30) if number > 150 else one for number, one in late(events)]
    plain, slow = left_over_time(events), left_over_time([*events[:1], *held])
    assert slow[200][1] == pytest.approx(plain[200][1], rel=0.02)


def late(events: list[Event]) -> list[tuple[int, Any]]:
    return [(number, one) for number, one in enumerate(events) if hasattr(one, "seconds")]


def test_a_run_that_becomes_slower_is_told_so_within_its_next_minute() -> None:
    history = told(replace(STARTED, epochs=1, iterations=3000))
    clock = 0.0
    for iteration in range(1, 1501):
        clock += 0.02 if iteration <= 500 else 0.06
        history.apply(batch(1, iteration, 1.0, seconds=clock))
    assert history.seconds_left() == pytest.approx(1500 * 0.06, rel=0.05)


def test_other_epochs_move_the_end_at_once_and_not_the_pace() -> None:
    events = list(a_run(10, 100, batch_seconds=0.1))
    history = told(*events[:500])
    before = history.seconds_left()
    history.apply(Changed(5, 1, "training.epochs", 10, 20))
    assert history.seconds_left() == pytest.approx(before + 100, rel=0.02)
    history.apply(Changed(5, 1, "training.epochs", 20, 1))  # the epoch under way is finished
    assert history.seconds_left() == pytest.approx(100 * 0.1 * history.last.epoch - history.elapsed, abs=0.5)


def test_when_patience_is_over_only_the_test_is_left() -> None:
    events = list(a_run(10, 100, batch_seconds=0.1, validation_seconds=1.0))
    history = told(*events[:316])
    assert history.seconds_left() > 50
    clock = history.elapsed
    for part in range(1, 41):
        history.apply(Measuring("test", 3, part * 10, 400, clock + part * 0.2))
    assert history.seconds_left() < 5
    history.apply(RunEnded("patience", 3, 100, 1, "abc", clock + 8))
    assert history.seconds_left() == 0


# ---------------------------------------------------------------- the record


EVENTS: tuple[Event, ...] = (
    STARTED,
    batch(1, 1, math.inf),
    Changed(1, 1, "optimizer.lr", 0.1, 0.2),
    Paused(1, 1),
    EpochEnded(1, 1.8, 0.2, math.nan, 0.5, True, 1.0),
    Examined(0.7, 0.75, 20),
    RunEnded("failed", 2, 2, 1, "abc", 2.0, "It is over.", "Begin anew."),
)


def test_every_event_is_a_line_of_strict_json() -> None:
    names = []
    for event in EVENTS:
        record = json.loads(json.dumps(as_record(event), allow_nan=False))
        names.append(record.pop("event"))
        assert set(record) == set(event.__slots__)
    assert names == ["run_started", "batch_trained", "changed", "paused", "epoch_ended", "tested", "run_ended"]
    assert as_record(EVENTS[1])["loss"] is None


def test_an_event_comes_back_from_its_record_with_nan_for_what_was_not_finite() -> None:
    for event in EVENTS:
        assert as_record(from_record(json.loads(json.dumps(as_record(event))))) == as_record(event)
    back = from_record(as_record(EVENTS[1]))
    assert isinstance(back, BatchTrained)
    assert math.isnan(back.loss)
