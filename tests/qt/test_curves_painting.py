"""Curves cost what they must: news is painted once, and only where it changes anything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtWidgets import QApplication

from gui_lab.core.events import BatchTrained, EpochEnded, RunEnded, RunStarted
from gui_lab.core.history import History
from gui_lab.qt.theme import THEME
from gui_lab.qt.turns import TURNS
from gui_lab.qt.views import curve_paint, pinned_card, probabilities
from gui_lab.qt.views.curves import Curves

EACH = 10


@pytest.fixture
def curves(qtbot):
    THEME.install(QApplication.instance())
    made = Curves()
    qtbot.addWidget(made)
    made.resize(480, 520)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.close_down()


def advance(history: History, count: int) -> None:
    """Until so many iterations are trained, ten an epoch."""
    if history.started is None:
        history.apply(RunStarted("", "cpu", 1, 40, EACH, 64, 640, 100, 1))
    for at in range(len(history.loss) + 1, count + 1):
        epoch, loss = -(-at // EACH), 2.3 * np.exp(-at / 100)
        history.apply(BatchTrained(epoch, (at - 1) % EACH + 1, loss, 32, 64, at / 100))
        if at % EACH == 0:
            history.apply(EpochEnded(epoch, loss, 0.5, loss, 0.5, epoch == 1, at / 100))


class Painted(QObject):
    """Which plot was painted, each time, and where."""

    def __init__(self, curves):
        super().__init__(curves)
        self.names, self.places = [], []
        for pane in curves.panes.values():
            pane.installEventFilter(self)

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            self.names.append(watched.objectName())
            self.places.append(event.rect())
        return False


def live(qtbot, milliseconds):
    timer = QTimer()
    timer.setSingleShot(True)
    with qtbot.waitSignal(timer.timeout):
        timer.start(milliseconds)


def test_news_is_painted_once_and_only_in_plots_that_it_changes(curves, qtbot):
    history = History()
    advance(history, 105)
    curves.show_history(history)
    live(qtbot, 100)
    painted = Painted(curves)
    both = ["plots.accuracy", "plots.loss"]
    for count, names in ((106, ["plots.loss"]), (111, both), (300, both), (300, [])):
        advance(history, count)
        curves.show_history(history)
        live(qtbot, 100)
        assert sorted(painted.names) == names, count
        painted.names.clear()


def test_the_axes_stand_still_while_news_comes_and_are_painted_again_when_they_move(curves, qtbot, monkeypatch):
    drawn, draw = [], curve_paint.draw_axes
    monkeypatch.setattr(curve_paint, "draw_axes", lambda *given: drawn.append(1) or draw(*given))
    history = History()
    for count in range(100, 301):
        advance(history, count)
        curves.show_history(history)
        curves.loss.repaint()
    assert 1 <= len(drawn) < 20  # of 201 times


def test_a_mouse_that_moves_draws_no_line_again(curves, qtbot, monkeypatch):
    history = History()
    advance(history, 200)
    curves.show_history(history)
    curves.grab()
    drawn, draw = [], curve_paint.draw_line
    monkeypatch.setattr(curve_paint, "draw_line", lambda *given: drawn.append(1) or draw(*given))
    for x in range(100, 300, 7):
        at, none = QPointF(x, 100), Qt.MouseButton.NoButton
        move = QMouseEvent(QEvent.Type.MouseMove, at, at, none, none, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(curves.loss, move)
        curves.loss.repaint()
        curves.accuracy.repaint()
    assert curves.loss.readout()
    assert drawn == []


def test_a_hidden_plot_takes_nothing_in_and_catches_up_when_it_is_shown(curves):
    history = History()
    advance(history, 50)
    curves.show_history(history)
    assert curves.lr.lines["learning rate"].count == 0
    curves.tools.actions_of["lr"].trigger()
    assert curves.lr.lines["learning rate"].count == 50


def test_the_axis_of_epochs_grows_in_steps_and_fits_when_the_run_is_over(curves):
    history, ends = History(), []
    for count in range(100, 331, 5):
        advance(history, count)
        curves.show_history(history)
        ends.append(curves.loss.view.x[1])
        assert ends[-1] >= count / EACH
    assert len(set(ends)) < 10
    assert ends[-1] < 42
    history.apply(RunEnded("stopped", 33, 10, 1, "", 1.0))
    curves.show_history(history)
    assert curves.loss.view.x[1] == pytest.approx(33, rel=0.03)


def test_the_names_of_classes_are_measured_once_however_often_their_bars_are_painted(qtbot, monkeypatch):
    measured = []
    width = probabilities._width_of
    monkeypatch.setattr(probabilities, "_width_of", lambda names: measured.append(names) or width(names))
    bars = probabilities.Probabilities()
    qtbot.addWidget(bars)
    picture = QImage(8, 8, QImage.Format.Format_Grayscale8)
    picture.fill(0)
    classes = [f"class {number}" for number in range(1000)]
    bars.show_pictures([pinned_card.Pinned(index, picture, index) for index in range(3)], classes)
    for _ in range(3):
        bars.show_probabilities((0, 1, 2), np.full((3, 1000), 0.001, np.float32))
        bars.grab()
    assert len(measured) == 1


@pytest.mark.parametrize("unit", ["epoch", "iteration", "time"])
@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("each", [5000, 90], ids=["few epochs", "many epochs"])
def test_what_is_drawn_at_the_end_of_a_line_is_what_all_of_it_drawn_anew_would_be(curves, unit, logarithmic, each):
    random = np.random.default_rng(5)
    look = replace(curves.look, panes=tuple(curves.panes), unit=unit)
    curves.look = replace(look, logarithmic=("loss", "gradient_norm") if logarithmic else ())
    history, trained, grown = History(), 0, dict.fromkeys(curves.panes.values(), 0)
    history.apply(RunStarted("", "cpu", 1, 20_000 // each, each, 64, 640, 100, 1))
    for _ in range(120):
        for _ in range(int(random.integers(1, 120))):
            trained += 1
            epoch, iteration = divmod(trained - 1, each)
            loss, norm = 2.3 * np.exp(-trained / 3000) * random.exponential(1.0), random.exponential(1.0)
            norm = norm if trained % 7 == 0 else float("nan")
            history.apply(BatchTrained(epoch + 1, iteration + 1, loss, 32, 64, trained / 100, 0.1, norm))
            if trained % each == 0:
                accuracy = float(random.random())
                better = accuracy > history.best_accuracy or not history.best_epoch
                history.apply(EpochEnded(epoch + 1, loss, 0.5, 1.1 * loss, accuracy, better, trained / 100))
        curves.show_history(history)
        for pane in curves.panes.values():
            before = pane._picture
            news = pane.grab().toImage()
            grown[pane] += before is pane._picture
            pane._picture = None
            assert news == pane.grab().toImage(), (pane.title, trained)
    assert grown[curves.loss] > 35
    assert grown[curves.accuracy] > 35


def test_an_epoch_that_ends_leaves_the_dots_of_few_batches_where_they_are(curves):
    history = History()
    history.apply(RunStarted("", "cpu", 1, 3, 20, 64, 640, 100, 1))
    for epoch in (1, 2, 3):
        for iteration in range(20):
            history.apply(BatchTrained(epoch, iteration + 1, 2.3 - iteration / 20, 32, 64, epoch + iteration / 100))
        curves.show_history(history)
        curves.loss.grab()
        history.apply(EpochEnded(epoch, 1.4, 0.5, 1.0, 0.5, True, epoch + 0.3))  # measuring took longer than a pull
        curves.show_history(history)
        news = curves.loss.grab().toImage()
        curves.loss._picture = None
        assert news == curves.loss.grab().toImage()


def test_of_the_screen_only_that_part_is_painted_where_a_line_has_grown(curves, qtbot):
    history = History()
    advance(history, 321)  # the axis has room for some more
    curves.show_history(history)
    live(qtbot, 200)
    painted = Painted(curves)
    for count in range(322, 342):
        advance(history, count)
        curves.show_history(history)
        live(qtbot, 60)
        screen = curves.loss.grab().toImage()
        curves.loss._picture = None
        assert screen == curves.loss.grab().toImage()
    places = zip(painted.names, painted.places, strict=True)
    narrow = {name for name, place in places if place.width() < curves.loss.width() / 2}
    assert narrow == {"plots.loss", "plots.accuracy"}


def test_panes_that_get_news_together_are_painted_in_frames_of_their_own(curves, qtbot):
    history = History()
    advance(history, 2 * EACH)
    curves.show_history(history)
    live(qtbot, 200)
    frames = []
    request = QEvent.Type.UpdateRequest

    class Frames(QObject):
        def eventFilter(self, watched, event):
            if event.type() == request:
                frames.append([])
            elif event.type() == QEvent.Type.Paint and frames:
                frames[-1].append(watched.objectName())
            return False

    watcher = Frames()
    for one in (curves, *curves.panes.values()):
        one.installEventFilter(watcher)
    advance(history, 3 * EACH)
    curves.show_history(history)
    live(qtbot, 200)
    assert [frame for frame in frames if frame] == [["plots.loss"], ["plots.accuracy"]]


def test_while_a_run_goes_on_the_first_pane_is_painted_in_the_turn_that_brings_its_news(curves, qtbot):
    history = History()
    advance(history, 52)
    curves.show_history(history)
    live(qtbot, 200)
    seen = Painted(curves)
    advance(history, 67)  # an epoch has ended: news for both panes

    def pull() -> None:
        curves.show_history(history)
        assert not seen.names

    TURNS.expect(True)
    try:
        TURNS.ask(pull)
        TURNS._turn()
        assert seen.names == ["plots.loss"]
    finally:
        TURNS.expect(False)
    qtbot.waitUntil(lambda: len(seen.names) == 2)
    live(qtbot, 100)
    assert seen.names == ["plots.loss", "plots.accuracy"]


def test_where_the_best_point_was_before_the_screen_is_painted_too(curves, qtbot):
    history = History()
    advance(history, 321)
    curves.show_history(history)
    live(qtbot, 200)
    painted = Painted(curves)
    assert curves.accuracy.best.trained == EACH
    history.best_epoch = 32
    curves.show_history(history)
    live(qtbot, 100)
    places = zip(painted.names, painted.places, strict=True)
    assert [place for name, place in places if name == "plots.accuracy"] == [curves.accuracy.rect()]
