"""What is painted of a run waits for the end of a batch, and the run sleeps meanwhile; neither waits for long."""

from __future__ import annotations

import threading
import time
from functools import partial
from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QWidget

from gui_lab.qt import turns as turns_module
from gui_lab.qt.turns import Turns


class Painted(QWidget):
    """Tells when it is painted."""

    def __init__(self, tell) -> None:
        super().__init__()
        self._tell = tell

    def paintEvent(self, event) -> None:
        self._tell("painted")


class Running:
    """A run while this is entered, whose batches take so many `seconds` each; `batches` counts them."""

    def __init__(self, turns: Turns, seconds: float = 1e-4) -> None:
        self.batches = 0
        self._over, self._seconds = False, seconds
        self._turns = turns
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join()

    def _run(self) -> None:
        while not self._over:
            self.batches += 1
            self._turns.pass_on()
            time.sleep(self._seconds)


@pytest.fixture
def turns(qtbot):
    return Turns()


@pytest.fixture
def run(turns, monkeypatch):
    monkeypatch.setattr(turns_module, "_PATIENCE_MILLISECONDS", 60_000)  # no batch takes long, however busy the machine
    turns.expect(True)
    with Running(turns) as run:
        yield run


def test_without_a_run_it_is_done_at_once(turns):
    done = []
    turns.ask(lambda: done.append(1))
    assert done == [1]


def test_what_waits_when_a_run_ends_is_done_then(turns, qtbot):
    turns.expect(True)
    done = []
    turns.ask(lambda: done.append(1))
    assert not done
    turns.expect(False)
    assert not done  # whoever says so is in the middle of something
    turns.ask(lambda: done.append(2))
    qtbot.waitUntil(lambda: len(done) == 2)
    qtbot.wait(60)
    assert done == [1, 2]


def test_a_window_that_closes_leaves_nothing_to_be_done(turns, qtbot):
    turns.expect(True)
    done = []
    turns.ask(lambda: done.append(1))
    turns.close_down()
    turns.expect(False)
    qtbot.wait(60)
    assert not done
    assert not turns._patience.isActive()


def test_what_is_asked_for_again_is_done_once(turns, run, qtbot):
    done = []
    work = partial(done.append, 1)
    for _ in range(3):
        turns.ask(work)
    qtbot.waitUntil(lambda: bool(done))
    qtbot.wait(60)
    assert done == [1]


def test_the_run_sleeps_while_it_is_done_and_painted_and_is_then_woken(turns, run, qtbot, monkeypatch):
    monkeypatch.setattr(turns_module, "_SLEEP_SECONDS", 60.0)
    seen = []
    widget = Painted(lambda what: seen.append((what, run.batches)))
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitUntil(lambda: bool(seen))
    seen.clear()

    def work() -> None:
        seen.append(("begun", run.batches))
        time.sleep(0.002)
        widget.update()

    for _ in range(20):
        turns.ask(work)
        qtbot.waitUntil(lambda: bool(seen) and seen[-1][0] == "painted")
        (_, first), (_, last) = seen
        assert last == first
        seen.clear()
    before = run.batches
    qtbot.waitUntil(lambda: run.batches > before + 5)


def test_a_run_in_the_middle_of_a_long_batch_is_not_waited_for(turns, qtbot):
    turns.expect(True)
    done = []
    turns.ask(lambda: done.append(1))
    qtbot.waitUntil(lambda: bool(done), timeout=1000)


def test_a_run_whose_batches_take_long_goes_on_while_it_is_done(turns, qtbot, monkeypatch):
    monkeypatch.setattr(turns_module, "_SLEEP_SECONDS", 60.0)
    turns.expect(True)
    seen = []
    with Running(turns, seconds=0.03) as run:
        qtbot.waitUntil(lambda: run.batches > 2)

        def work() -> None:
            before = run.batches
            time.sleep(0.1)
            seen.append(run.batches - before)

        for count in range(1, 4):
            turns.ask(work)
            qtbot.waitUntil(lambda count=count: len(seen) == count)
    assert min(seen) > 0


def test_after_a_long_batch_it_is_done_without_waiting_for_the_next_end(turns, qtbot, monkeypatch):
    monkeypatch.setattr(turns_module, "_PATIENCE_MILLISECONDS", 60_000)
    clock = iter([0.0])
    monkeypatch.setattr(turns_module, "time", SimpleNamespace(perf_counter=lambda: next(clock, 90.0)))
    turns.expect(True)
    turns.pass_on()
    turns.pass_on()  # a minute and a half later
    done = []
    turns.ask(lambda: done.append(1))
    assert not done  # whoever asks is in the middle of something
    qtbot.waitUntil(lambda: bool(done))


def test_neither_what_came_before_a_run_nor_a_turn_makes_a_batch_long(turns, monkeypatch):
    monkeypatch.setattr(turns_module, "_PATIENCE_MILLISECONDS", 200)
    turns.expect(True)
    done = []

    def work() -> None:
        time.sleep(0.3)
        done.append(1)

    turns.pass_on()
    for count in (1, 2):
        turns.ask(work)
        assert len(done) == count - 1
        turns.pass_on()  # on this thread: what is granted is done at once
        assert len(done) == count
        turns.pass_on()


def test_a_run_does_not_wait_for_a_window_that_is_busy(turns):
    turns.expect(True)
    turns.ask(lambda: None)
    with Running(turns) as run:
        time.sleep(0.5)  # and no event is handled
    assert run.batches > 20


def test_what_takes_long_is_done_in_several_turns_in_its_order(turns, run, qtbot):
    done = []

    def work(name: str):
        def long() -> None:
            time.sleep(0.005)
            done.append((name, run.batches))

        return long

    for name in "abc":
        turns.ask(work(name))
    qtbot.waitUntil(lambda: len(done) == 3)
    assert [name for name, _ in done] == ["a", "b", "c"]
    first, second, third = (batches for _, batches in done)
    assert first < second < third


def test_what_takes_long_to_paint_is_painted_in_a_turn_of_its_own(turns, run, qtbot):
    seen = []

    class Slow(QWidget):
        def paintEvent(self, event) -> None:
            seen.append(run.batches)
            time.sleep(0.005)

    both = [Slow(), Slow()]
    for widget in both:
        qtbot.addWidget(widget)
        widget.show()
    qtbot.waitUntil(lambda: len(seen) >= 2)
    qtbot.wait(60)
    seen.clear()
    for widget in both:
        turns.ask(widget.update)
    qtbot.waitUntil(lambda: len(seen) == 2)
    assert seen[0] < seen[1]


def test_what_comes_of_a_work_joins_its_turn(turns, run, qtbot):
    done = []

    def last() -> None:
        done.append(("last", run.batches))

    def first() -> None:
        done.append(("first", run.batches))
        assert turns.join(last)
        assert turns.join(last)  # once is enough
        done.append(("first is over", run.batches))

    assert not turns.join(last)
    turns.ask(first)
    qtbot.waitUntil(lambda: len(done) == 3)
    assert [name for name, _ in done] == ["first", "first is over", "last"]
    assert len({batches for _, batches in done}) == 1
    qtbot.wait(60)
    assert len(done) == 3
    assert not turns.join(last)


def test_what_fails_keeps_neither_the_run_nor_other_work(turns, run, qtbot):
    done = []

    def fail() -> None:
        raise ValueError("as it was told to")

    with qtbot.capture_exceptions() as caught:
        turns.ask(fail)
        turns.ask(lambda: done.append(1))
        qtbot.waitUntil(lambda: bool(done))
    assert [str(error) for _, error, _ in caught] == ["as it was told to"]
    before = run.batches
    qtbot.waitUntil(lambda: run.batches > before + 5)


def test_a_widget_that_is_gone_is_passed_over(turns, qtbot):
    turns.expect(True)

    class Wanting(QWidget):
        def work(self) -> None:
            self.update()

    done = []
    widget = Wanting()
    turns.ask(widget.work)
    widget.deleteLater()
    turns.ask(lambda: done.append(1))
    qtbot.waitUntil(lambda: bool(done))
