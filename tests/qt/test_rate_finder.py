"""The learning rate finder's window: the curve grows, dots are taken, and no run is ever beside it."""

from __future__ import annotations

import math
import threading
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget

from gui_lab.core import finder
from gui_lab.core.finder import Tried
from gui_lab.core.history import History
from gui_lab.errors import OutOfMemory
from gui_lab.qt.rate_finder import RateFinder
from gui_lab.qt.running import RunControl, State
from gui_lab.qt.session import Session
from gui_lab.qt.theme import THEME, colour
from gui_lab.qt.views.rate_plot import Dot, RatePlot, power_of_ten, ticks


@pytest.fixture
def control(quick, qtbot):
    session = Session(quick)
    with qtbot.waitSignal(session.pins_changed, timeout=10_000):
        session.open_images()
    session.set_ready()
    made = RunControl(session)
    yield made
    made.close()
    session.close()


@pytest.fixture
def searcher(control, qtbot):
    home = QWidget()
    qtbot.addWidget(home)
    made = RateFinder(control.session, control, home)
    made.open()
    yield made
    made.close_down()


class Slowly:
    """In place of the search: each step waits until a test lets it come."""

    def __init__(self) -> None:
        self.steps = threading.Semaphore(0)
        self.closed = threading.Event()

    def __call__(self, experiment, images):
        try:
            for place, lr in enumerate(np.geomspace(1e-7, 10, 100)):
                self.steps.acquire(timeout=0.02)
                yield Tried(float(lr), 2.3 - 0.01 * place, 2.3 - 0.01 * place)
        finally:
            self.closed.set()


@pytest.fixture
def slowly(monkeypatch):
    made = Slowly()
    monkeypatch.setattr(finder, "search", made)
    return made


def button(searcher, name: str) -> QPushButton:
    return searcher.findChild(QPushButton, f"rate_finder.{name}")


def begin(searcher, slowly, qtbot) -> None:
    """A search that is under way."""
    button(searcher, "run").click()
    slowly.steps.release()
    qtbot.waitUntil(lambda: len(searcher.plot._rates) > 0, timeout=5000)


def test_a_search_draws_a_curve_and_suggests_rates_that_a_click_takes(searcher, control, qtbot):
    session, before = control.session, control.session.experiment
    assert not any(taker.isEnabled() for taker in searcher.takers)
    button(searcher, "run").click()
    assert button(searcher, "run").text() == "Stop"
    qtbot.waitUntil(lambda: not searcher.busy, timeout=30_000)
    assert session.experiment is before
    assert 10 < len(searcher.plot._rates) <= finder.STEPS
    lr = searcher._found[1].lr
    assert button(searcher, "take_valley").text() == f"Use {lr}"
    middle = searcher.plot.dot_places()[1].toPoint()
    QTest.mouseClick(searcher.plot, Qt.MouseButton.LeftButton, pos=middle)
    assert session.experiment.optimizer.lr == lr
    assert button(searcher, "take_valley").text() == f"{lr} is set"
    assert not button(searcher, "take_valley").isEnabled()
    session.undo()
    assert session.experiment == before
    assert button(searcher, "take_valley").isEnabled()
    button(searcher, "take_tenth_of_the_minimum").click()
    assert session.experiment.optimizer.lr == searcher._found[2].lr


def test_the_curve_grows_while_it_searches(searcher, slowly, qtbot):
    button(searcher, "run").click()
    for steps in (3, 7):
        for _ in range(steps):
            slowly.steps.release()
        seen = len(searcher.plot._rates)
        qtbot.waitUntil(lambda seen=seen: len(searcher.plot._rates) > seen, timeout=5000)
    assert "of 100: learning rate" in searcher.status.text()


def test_no_run_starts_beside_a_search_and_one_does_after_it(searcher, control, slowly, qtbot):
    begin(searcher, slowly, qtbot)
    assert control.why_not() == "The learning rate finder is at work."
    control.train()
    assert not control.running
    button(searcher, "run").click()
    qtbot.waitUntil(lambda: not searcher.busy, timeout=5000)
    assert slowly.closed.is_set()
    assert control.why_not() == ""


def test_no_search_starts_beside_a_run(searcher, control, qtbot):
    control.session.edit("training.epochs", 9000)
    control.train()
    assert not button(searcher, "run").isEnabled()
    assert "run has ended" in button(searcher, "run").toolTip()
    searcher.start_or_stop()
    assert not searcher.busy
    control.stop()
    qtbot.waitUntil(lambda: control.state == State.IDLE, timeout=30_000)
    assert button(searcher, "run").isEnabled()


def test_stopping_early_suggests_nothing_and_one_can_search_again(searcher, slowly, qtbot):
    button(searcher, "run").click()
    slowly.steps.release()
    button(searcher, "run").click()
    button(searcher, "run").click()
    qtbot.waitUntil(lambda: not searcher.busy, timeout=5000)
    assert "Stopped before" in searcher.status.text()
    assert not any(taker.isEnabled() for taker in searcher.takers)
    assert button(searcher, "run").isEnabled()


def test_closing_the_dialog_ends_the_search(searcher, control, slowly, qtbot):
    begin(searcher, slowly, qtbot)
    button(searcher, "close").click()
    qtbot.waitUntil(lambda: not searcher.busy, timeout=5000)
    assert slowly.closed.is_set()
    assert control.why_not() == ""


def test_closing_down_in_the_midst_waits_for_the_step_and_lets_runs_start(searcher, control, slowly, qtbot):
    begin(searcher, slowly, qtbot)
    searcher.close_down()
    assert slowly.closed.is_set()
    assert control.why_not() == ""
    searcher.close_down()


def test_what_fails_is_said_with_its_remedy(searcher, control, monkeypatch, qtbot):
    def fail(experiment, images):
        raise OutOfMemory("There is not enough memory.", "Use a smaller batch size.")
        yield

    monkeypatch.setattr(finder, "search", fail)
    button(searcher, "run").click()
    qtbot.waitUntil(lambda: not searcher.busy, timeout=5000)
    assert searcher.status.text() == "There is not enough memory. Use a smaller batch size."
    assert searcher.status.property("role") == "error"
    assert control.why_not() == ""


def test_a_loss_that_never_falls_gets_no_suggestion_but_a_sentence(searcher, monkeypatch, qtbot):
    rates = np.geomspace(1e-7, 10, 100)
    monkeypatch.setattr(finder, "search", lambda *_: (Tried(float(lr), 2.3, 2.3) for lr in rates))
    button(searcher, "run").click()
    qtbot.waitUntil(lambda: not searcher.busy, timeout=5000)
    assert "never fell" in searcher.status.text()
    assert not any(taker.isEnabled() for taker in searcher.takers)


def test_a_search_leaves_the_last_run_as_it_was(searcher, control, qtbot):
    control.train()
    qtbot.waitUntil(lambda: control.state == State.IDLE, timeout=30_000)
    history: History = control.history
    losses, ended = history.loss.values.copy(), history.ended
    button(searcher, "run").click()
    qtbot.waitUntil(lambda: not searcher.busy, timeout=30_000)
    assert control.history is history
    assert np.array_equal(history.loss.values, losses)
    assert history.ended is ended


# ---------------------------------------------------------------- the plot


@pytest.fixture
def plot(qtbot):
    THEME.choose("light")
    made = RatePlot(1e-7, 10.0)
    qtbot.addWidget(made)
    made.resize(600, 300)
    made.show()
    yield made
    THEME.choose("system")


def explosion(plot: RatePlot) -> None:
    rates = np.geomspace(1e-7, 10, 100)
    curve = 2.3 - 1.8 / (1 + np.exp(-4 * (np.log10(rates) + 3))) + np.exp(6 * (np.log10(rates) + 0.2))
    plot.show_curve(rates, curve, curve)


def test_decades_lie_equally_far_apart(plot):
    explosion(plot)
    places = [plot._place(10.0**decade, 1.0).x() for decade in range(-7, 2)]
    assert np.allclose(np.diff(places), (places[-1] - places[0]) / 8)


def test_an_explosion_leaves_at_the_top_and_the_descent_keeps_its_room(plot):
    explosion(plot)
    low, high = plot._span()
    assert low < 0.6
    assert 2.3 < high < 4
    assert plot._place(1e-7, 2.3).y() < plot._place(1e-1, 0.5).y() - 120


def test_dots_never_cover_each_other_and_each_can_be_clicked(plot, qtbot):
    explosion(plot)
    plot.show_dots([Dot(1e-3, 1.4, "one"), Dot(1e-3, 1.4, "two"), Dot(1.1e-3, 1.3, "three")])
    places = plot.dot_places()
    for first in range(3):
        for second in range(first):
            assert math.dist(places[first].toTuple(), places[second].toTuple()) >= 18
    for number, place in enumerate(places):
        with qtbot.waitSignal(plot.chosen) as said:
            QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place.toPoint())
        assert said.args == [number]
    with qtbot.assertNotEmitted(plot.chosen, wait=0):
        QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(60, 200))
    assert plot.accessibleDescription() == "1: one; 2: two; 3: three"


def test_curve_dots_and_the_rate_that_is_set_are_painted_in_both_schemes(plot):
    explosion(plot)
    plot.show_dots([Dot(1e-3, 1.4, "one")])
    for scheme in ("light", "dark"):
        THEME.choose(scheme)
        plot.show_now(0.0)
        without = plot.grab().toImage()
        plot.show_now(1e-5)
        picture = plot.grab().toImage()
        x = round(plot._place(1e-5, 1.0).x())
        assert any(picture.pixel(x, y) != without.pixel(x, y) for y in range(20, 200))
        dot = plot.dot_places()[0] + QPointF(6, 0)
        assert QColor(picture.pixel(dot.toPoint())) == colour("accent")
        column = round(plot._place(1e-6, 1.0).x()) + 3
        assert any(QColor(picture.pixel(column, y)) == colour("training") for y in range(picture.height()))


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.53, 3.17), (2.295, 2.305), (120.0, 4000.0)])
def test_ticks_are_few_and_round(low, high):
    found = ticks(low, high)
    assert 3 <= len(found) <= 8
    assert all(low - 1e-9 <= one <= high + 1e-9 for one in found)
    assert all(f"{later - earlier:.0e}"[0] in "125" for earlier, later in pairwise(found))
    assert np.allclose(np.diff(found, 2), 0)


def test_rates_are_written_as_powers_of_ten():
    assert [power_of_ten(decade) for decade in (-10, -3, 0, 1, 2)] == ["10⁻¹⁰", "10⁻³", "1", "10", "10²"]
