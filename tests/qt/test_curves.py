"""Curves: no value is lost or made up on the way to the screen, and the person's view stays where they put it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QMenu

from gui_lab.core.events import BatchTrained, Changed, EpochEnded, Paused, RunEnded, RunStarted
from gui_lab.core.history import Column, History, Mark
from gui_lab.qt.theme import THEME
from gui_lab.qt.views import curve_paint
from gui_lab.qt.views.curve_tools import Look, memory_at, step_of
from gui_lab.qt.views.curves import Curves

EACH = 40
ALL = ("loss", "accuracy", "lr", "gradient_norm")
MANY = 10**6
NAN = float("nan")


@pytest.fixture
def curves(qtbot):
    THEME.install(QApplication.instance())
    made = Curves()
    qtbot.addWidget(made)
    made.resize(480, 640)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.close_down()


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(0).random(count)


def run(epochs=3.0, loss=None, remeasured=NAN, validation=None, planned=10, ended=False) -> History:
    history = History()
    history.apply(RunStarted("", "cpu", 1, planned, EACH, 64, 64 * EACH, 100, 1))
    losses = 2.3 * np.exp(-np.arange(round(epochs * EACH)) / 60) if loss is None else loss
    for at, value in enumerate(losses, 1):
        epoch, iteration = -(-at // EACH), (at - 1) % EACH + 1
        norm = 1.0 + at / 100
        history.apply(BatchTrained(epoch, iteration, float(value), 32, 64, at / 20, lr=0.1 / at, gradient_norm=norm))
        if iteration == EACH:
            measured = float(value) if validation is None else validation
            history.apply(
                EpochEnded(epoch, float(value), 0.2 * epoch, measured, 0.1 * epoch, True, at / 20, remeasured)
            )
    if ended:
        history.apply(RunEnded("finished", round(epochs), EACH, 1, "", 1.0))
    return history


def long_run(loss: np.ndarray) -> History:
    """Of so many iterations that to apply their events would take a test's time."""
    history = History()
    history.apply(RunStarted("", "cpu", 1, -(-len(loss) // 1000), 1000, 64, 64_000, 100, 1))
    for name, values in (("loss", loss), ("seconds", np.arange(1.0, len(loss) + 1))):
        column: Column = getattr(history, name)
        column._values, column._count = values, len(values)
    return history


def wheel(pane, notches=2, keys=Qt.KeyboardModifier.NoModifier, at=None):
    middle = QPointF(at or pane.view.area.center())
    event = QWheelEvent(
        middle,
        QPointF(pane.mapToGlobal(middle)),
        QPoint(0, 0),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(pane, event)


def mouse(pane, kind, at: QPointF, button=Qt.MouseButton.LeftButton):
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else button
    event = QMouseEvent(kind, at, QPointF(pane.mapToGlobal(at)), button, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(pane, event)


def drag(pane, start: QPointF, end: QPointF, button=Qt.MouseButton.LeftButton):
    mouse(pane, QEvent.Type.MouseButtonPress, start, button)
    for at in (start, (start + end) / 2, end):
        mouse(pane, QEvent.Type.MouseMove, at, button)
    mouse(pane, QEvent.Type.MouseButtonRelease, end, button)


def hover(pane, at: QPointF):
    mouse(pane, QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton)


def point_of(pane, trained: int, level: float) -> QPointF:
    """Where a value is drawn; a place on the y axis."""
    view = pane.view
    low, high = view.y
    y = view.area.bottom() - (level - low) / (high - low) * view.area.height()
    return QPointF(float(view.across(view.along.place(np.array([trained])))[0]), y)


# ---------------------------------------------------------------- what is drawn


@pytest.mark.parametrize("part", [(0, 1000), (123.4, 345.6), (400, 400.2)])
def test_of_a_million_values_every_peak_is_drawn_at_every_zoom(curves, qtbot, part):
    loss = 1 + noise(MANY)
    loss[[3, 200_123, 400_100, MANY - 1]] = 9
    loss[[5, 250_456, 400_150, MANY - 2]] = 0.01
    curves.show_history(long_run(loss))
    qtbot.waitUntil(lambda: not curves.loss.behind)
    curves.loss.moved.emit(*part)
    view, line = curves.loss.view, curves.loss.lines["each batch"]
    first, last = line.seen(view)
    x, y = line.points(view)
    assert len(x) <= 4 * view.columns
    assert np.all(np.diff(x) >= 0)
    seen = loss[first:last]
    assert y.min() == pytest.approx(view.down(np.array([seen.max()]))[0])
    assert y.max() == pytest.approx(view.down(np.array([seen.min()]))[0])
    columns = np.clip(view.across(np.arange(first + 1, last + 1) / 1000), view.area.left(), view.area.right())
    for peak in np.flatnonzero(seen == 9):
        drawn = np.abs(x - columns[peak]) <= 2
        assert y[drawn].min() == pytest.approx(view.down(np.array([9.0]))[0])


def test_a_single_peak_among_a_million_values_can_be_seen_on_the_screen(curves, qtbot):
    loss = np.full(MANY, 0.1)
    loss[:1000] = 1.0  # so that the axis is high enough
    loss[654_321] = 0.9
    curves.show_history(long_run(loss))
    qtbot.waitUntil(lambda: not curves.loss.behind)
    picture, at = curves.loss.grab().toImage(), point_of(curves.loss, 654_321, 0.5)
    ratio = curves.loss.devicePixelRatioF()
    wanted = curve_paint.mixed("training", 0.42).name()
    assert wanted in {picture.pixelColor(round(at.x() * ratio) + by, round(at.y() * ratio)).name() for by in (-1, 0, 1)}


def test_zooming_in_draws_each_value_in_view(curves, qtbot):
    loss = noise(MANY)
    curves.show_history(long_run(loss))
    qtbot.waitUntil(lambda: not curves.loss.behind)
    curves.loss.moved.emit(500.0, 500.1)
    view = curves.loss.view
    x, y = curves.loss.lines["each batch"].points(view)
    inside = np.arange(500_000, 500_101)
    assert set(np.round(view.across(inside / 1000), 6)) <= set(np.round(x, 6))
    assert set(np.round(view.down(loss[inside - 1]), 6)) <= set(np.round(y, 6))


def test_a_long_run_is_taken_in_by_pieces_that_never_hold_the_window_up(curves, qtbot, monkeypatch):
    monkeypatch.setattr("gui_lab.qt.views.curves._FRAME_SECONDS", 0.0)
    curves.show_history(long_run(noise(MANY)))
    assert 0 < curves.loss.lines["each batch"].count < MANY / 10
    qtbot.waitUntil(lambda: len(curves.loss.shown("smoothed")[1]) == MANY)
    assert not curves._catch_up.isActive()


def test_hidden_curves_take_nothing_more_in_until_they_are_shown(curves, qtbot, monkeypatch):
    monkeypatch.setattr("gui_lab.qt.views.curves._FRAME_SECONDS", 0.0)
    curves.show_history(long_run(noise(MANY)))
    curves.hide()
    assert not curves._catch_up.isActive()
    curves.show_history(curves._history)
    assert not curves._catch_up.isActive()
    curves.show()
    qtbot.waitUntil(lambda: len(curves.loss.shown("smoothed")[1]) == MANY)


def test_a_line_is_drawn_through_what_was_measured_only(curves):
    curves.show_history(run(3, loss=[2.0, NAN, 1.0], validation=NAN))
    x, _ = curves.loss.lines["each batch"].points(curves.loss.view)
    assert len(x) == 2
    curves.grab()


def test_all_raw_values_lie_within_their_band(curves):
    curves.resize(900, 700)
    loss = noise(5000) + 0.5
    curves.show_history(long_run(loss))
    view, line = curves.loss.view, curves.loss.lines["each batch"]
    x, y = line.band(view)
    places, drawn = line.points(view)
    half = len(x) // 2  # the lower edge from left to right, then the upper one back; pixels count downwards
    below, above = np.interp(places, x[:half], y[:half]), np.interp(places, x[:half], y[half:][::-1])
    assert np.all(drawn <= below + 1e-6)
    assert np.all(drawn >= above - 1e-6)
    assert np.mean(below - above) < 3 * np.ptp(drawn)


def test_without_values_the_plots_say_so_and_hold(curves):
    curves.look = Look(panes=ALL)
    curves.show_history(History())
    curves.grab()
    curves.show_history(run(1 / EACH))
    curves.grab()
    assert len(curves.loss.shown("each batch")[1]) == 1


def test_the_remeasured_loss_is_named_only_where_it_is_measured(curves):
    curves.show_history(run(2))
    assert "re-measured" not in [line.name for line in curves.loss._legend]
    curves.show_history(run(2, remeasured=0.3))
    assert "re-measured" in [line.name for line in curves.loss._legend]
    assert list(curves.loss.shown("re-measured")[1]) == [0.3, 0.3]


def test_another_run_takes_the_place_of_the_last_and_is_followed(curves):
    curves.show_history(run(5))
    wheel(curves.loss)
    assert not curves.live
    other = run(2)
    curves.show_history(other)
    assert curves.live
    assert np.array_equal(curves.loss.shown("each batch")[1], other.loss.values)
    assert len(curves.loss.shown("validation")[1]) == 2


# ---------------------------------------------------------------- axes


def test_each_unit_of_the_x_axis_puts_the_epochs_where_they_ended(curves):
    history = run(3)
    curves.show_history(history)
    for unit, ends in (("iteration", [40, 80, 120]), ("time", [2, 4, 6]), ("epoch", [1, 2, 3])):
        curves.tools.units.setCurrentText(unit.capitalize())
        curves.tools.units.activated.emit(curves.tools.units.currentIndex())
        assert curves.loss.shown("validation")[0] == pytest.approx(ends)
        assert curves.accuracy.view.x == curves.loss.view.x
        assert curves.accuracy.unit == unit
        assert curves.loss.view.x[0] <= 0 < ends[-1] <= curves.loss.view.x[1]
        curves.grab()


def test_the_logarithmic_axis_shows_all_losses_and_survives_a_loss_of_zero(curves):
    loss = np.array([2.0, 0.5, 0.0, 0.01, NAN])
    curves.show_history(run(loss=loss))
    curves.loss.log.click()
    curves.grab()
    low, high = curves.loss.view.y
    assert -2.5 < low <= -2
    assert np.log10(2) <= high < 1
    assert np.array_equal(curves.loss.shown("each batch")[1], loss, equal_nan=True)
    assert curves.look.logarithmic == ("loss",)
    curves.loss.log.click()
    assert curves.loss.view.y[0] <= 0 < curves.loss.view.y[1]


def test_a_rate_that_falls_to_nothing_does_not_squeeze_its_axis_together(curves):
    history = run(3)
    history.lr.values[-1] = 1e-30
    curves.look = Look(panes=ALL, logarithmic=("lr",))
    curves.show_history(history)
    low, high = curves.lr.view.y
    assert high - low < 6


def test_axes_hold_where_nothing_has_been_validated(curves):
    curves.show_history(run(2, validation=NAN))
    curves.grab()
    low, high = curves.loss.view.y
    assert low <= 0
    assert 2.3 <= high < 4


def test_the_axis_of_a_loss_of_zero_is_still_an_axis(curves):
    curves.show_history(run(loss=np.zeros(3)))
    low, high = curves.loss.view.y
    assert low <= 0 < high


def test_one_outburst_does_not_squeeze_the_rest_to_the_ground(curves):
    loss = np.concatenate([np.linspace(2.3, 0.5, 1000), [1e6], np.full(1000, 0.5)])
    curves.show_history(long_run(loss))
    assert curves.loss.view.y[1] < 10
    assert loss.max() in curves.loss.shown("each batch")[1]


def test_accuracy_is_seen_from_zero_to_one_with_its_words(curves):
    curves.show_history(run(3))
    low, high = curves.accuracy.view.y
    assert -0.2 < low < 0
    assert 1 < high < 1.2


def test_the_best_mark_stays_within_the_plot(curves):
    for epoch, accuracy in ((1, 0.01), (4, 0.5), (8, 1.0), (8, 0.0)):
        history = run(8)
        history.best_epoch, history.best_accuracy = epoch, accuracy
        curves.show_history(history)
        curves.grab()
        pane = curves.accuracy
        assert pane.best.trained == epoch * EACH
        assert pane.view.area.adjusted(-2, -2, 2, 2).contains(curve_paint.best_words(pane.best, pane.view))


# ---------------------------------------------------------------- the person


def test_zooming_leaves_live_in_all_plots_and_going_back_shows_all_again(curves):
    told = []
    curves.live_changed.connect(told.append)
    curves.show_history(run(3))
    assert not curves.tools.live.isEnabled()
    whole = curves.loss.view.x
    wheel(curves.loss)
    low, high = curves.loss.view.x
    assert high - low < whole[1] - whole[0]
    assert curves.accuracy.view.x == curves.loss.view.x
    curves.show_history(curves._history)
    assert curves.loss.view.x == (low, high)
    curves.tools.live.click()
    assert curves.loss.view.x == whole
    assert told == [False, True]
    assert not curves.tools.live.isEnabled()


def test_the_wheel_zooms_where_it_points_and_the_y_axis_follows_what_is_seen(curves):
    history = run(4)
    curves.show_history(history)
    at = point_of(curves.loss, 3 * EACH, 0.5)
    for _ in range(4):
        wheel(curves.loss, at=at)
    assert point_of(curves.loss, 3 * EACH, 0.5).x() == pytest.approx(at.x(), abs=1)
    first, last = curves.loss.lines["each batch"].seen(curves.loss.view)
    seen = history.loss.values[first:last]
    low, high = curves.loss.view.y
    assert low < seen.min()
    assert seen.max() < high < 1.5 * seen.max()


def test_the_wheel_with_control_zooms_the_y_axis_which_then_stays(curves):
    curves.show_history(run(3))
    x = curves.loss.view.x
    wheel(curves.loss, keys=Qt.KeyboardModifier.ControlModifier)
    y = curves.loss.view.y
    assert y[1] - y[0] < 1.6
    assert curves.loss.view.x == x
    wheel(curves.loss)
    assert curves.loss.view.y == y


def test_a_drag_moves_the_view_with_the_mouse(curves):
    curves.show_history(run(3))
    (x, _), (y, _) = curves.loss.view.x, curves.loss.view.y
    held = point_of(curves.loss, 60, 1.0)
    drag(curves.loss, held, held + QPointF(-50, 20))
    assert point_of(curves.loss, 60, 1.0).x() == pytest.approx(held.x() - 50, abs=0.5)
    assert point_of(curves.loss, 60, 1.0).y() == pytest.approx(held.y() + 20, abs=0.5)
    assert curves.loss.view.x[0] > x
    assert curves.loss.view.y[0] > y
    assert not curves.live


@pytest.mark.parametrize("by_button", [True, False])
def test_a_box_shows_what_it_frames(curves, by_button):
    curves.show_history(run(4))
    if by_button:
        curves.tools.box.click()
    button = Qt.MouseButton.LeftButton if by_button else Qt.MouseButton.RightButton
    start, end = point_of(curves.loss, EACH, 2.0), point_of(curves.loss, 3 * EACH, 0.5)
    drag(curves.loss, start, end, button)
    assert curves.loss.view.x == pytest.approx((1, 3), abs=0.02)
    assert curves.loss.view.y == pytest.approx((0.5, 2.0), abs=0.02)
    assert curves.accuracy.view.x == curves.loss.view.x
    curves.tools.live.click()
    assert curves.loss.view.y[0] <= 0


def test_a_click_is_no_box_and_asks_what_can_be_done_there(curves, qtbot):
    curves.show_history(run(4))
    at = point_of(curves.loss, 2 * EACH + 3, 1.0)
    with qtbot.waitSignal(curves.branch_wanted, timeout=5_000) as wanted:
        drag(curves.loss, at, at + QPointF(2, 1), Qt.MouseButton.RightButton)
        menu = curves.findChild(QMenu, "plots.place_menu")
        qtbot.waitUntil(menu.isVisible)
        branch = menu.actions()[0]
        assert branch.text() == "Branch after epoch 2\u2026"
        menu.setActiveAction(branch)
        qtbot.keyClick(menu, Qt.Key.Key_Return)
    assert wanted.args == [2]
    assert curves.live


def test_the_menu_key_asks_too_and_leads_back_to_live(curves, qtbot):
    curves.show_history(run(4))
    qtbot.keyClick(curves.loss, Qt.Key.Key_Plus)
    assert not curves.live
    QApplication.sendEvent(
        curves.loss, QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(9, 9), QPoint(9, 9))
    )
    menu = curves.findChild(QMenu, "plots.place_menu")
    qtbot.waitUntil(menu.isVisible)
    menu.setActiveAction(menu.actions()[-1])
    qtbot.keyClick(menu, Qt.Key.Key_Return)
    assert curves.live


def test_before_an_epoch_has_ended_there_is_nothing_to_branch(curves, qtbot):
    curves.show_history(History())
    drag(curves.loss, QPointF(200, 100), QPointF(200, 100), Qt.MouseButton.RightButton)
    menu = curves.findChild(QMenu, "plots.place_menu")
    qtbot.waitUntil(menu.isVisible)
    assert [action.objectName() for action in menu.actions()] == ["plots.back_to_live"]
    menu.close()


def test_a_mark_of_a_branch_looks_like_no_other(curves):
    shots = []
    for kind in ("changed", "paused", "branched"):
        history = run(4)
        history.marks.append(Mark(2 * EACH, kind, "there"))
        curves.show_history(history)
        shots.append(curves.loss.grab().toImage())
    assert all(one != other for one, other in itertools.combinations(shots, 2))


def test_keys_move_zoom_and_go_back(curves, qtbot):
    curves.show_history(run(4))
    whole = curves.loss.view.x
    qtbot.keyClick(curves.loss, Qt.Key.Key_Plus)
    zoomed = curves.loss.view.x
    assert whole[0] < zoomed[0] < zoomed[1] < whole[1]
    qtbot.keyClick(curves.loss, Qt.Key.Key_Right)
    assert curves.loss.view.x[0] > zoomed[0]
    qtbot.keyClick(curves.loss, Qt.Key.Key_Home)
    assert curves.loss.view.x == whole
    wheel(curves.accuracy)
    qtbot.mouseDClick(curves.accuracy, Qt.MouseButton.LeftButton)
    assert curves.live


def test_the_view_cannot_shrink_to_nothing(curves):
    curves.show_history(run(4))
    for _ in range(200):
        wheel(curves.loss)
    low, high = curves.loss.view.x
    assert high - low >= 1 / EACH
    curves.grab()


def test_the_cross_hair_reads_all_lines_of_all_plots_at_its_place(curves):
    history = run(4, remeasured=0.25)
    curves.look = Look(panes=ALL)
    curves.show_history(history)
    hover(curves.accuracy, point_of(curves.accuracy, 2 * EACH + 5, 0.5))
    at = 2 * EACH + 4
    of_loss, of_norm = dict(curves.loss.readout()), dict(curves.gradient_norm.readout())
    assert of_loss["each batch"] == pytest.approx(history.loss.values[at])
    assert of_loss["smoothed"] == pytest.approx(history.smooth.values[at])
    assert of_loss["validation"] == history.validation_loss.values[1]  # the nearest epoch's
    assert of_loss["re-measured"] == 0.25
    assert dict(curves.accuracy.readout())["validation"] == history.validation_accuracy.values[1]
    assert dict(curves.lr.readout())["learning rate"] == history.lr.values[at]
    assert of_norm["each batch"] == history.gradient_norm.values[at]
    curves.grab()
    QApplication.sendEvent(curves.accuracy, QEvent(QEvent.Type.Leave))
    assert curves.loss.readout() == []


def test_the_cross_hair_stays_under_the_mouse_when_the_axis_grows(curves):
    history = run(2, planned=40)
    curves.show_history(history)
    at = point_of(curves.loss, EACH, 1.0)
    hover(curves.loss, at)
    before = curves.loss._at
    for number in range(8 * EACH):
        history.apply(BatchTrained(3 + number // EACH, 1 + number % EACH, 0.3, 1, 64, 5 + number))
    curves.show_history(history)
    assert curves.loss._at > before
    assert point_of(curves.loss, curves.loss._at, 1.0).x() == pytest.approx(at.x(), abs=3)


def test_what_a_person_did_is_marked_and_told_where_the_mouse_is_near(curves):
    history = run(2)
    history.apply(Changed(2, EACH, "optimizer.lr", 0.1, 0.01))
    history.apply(Paused(2, EACH))
    curves.show_history(history)
    assert [mark.at for mark in curves.accuracy.marks] == [80, 80]
    for trained, near in ((81, True), (40, False)):
        hover(curves.loss, point_of(curves.loss, trained, 0.5))
        rows = [name for name, _, _ in curves.loss._rows(curves.loss.view, trained)]
        assert rows[0].startswith(f"epoch {-(-trained // EACH)}, iteration {trained}")
        assert ("learning rate 0.1 to 0.01" in rows) == ("paused" in rows) == near
        curves.grab()


# ---------------------------------------------------------------- the look


def test_smoothing_is_over_all_values_whatever_is_drawn_and_keeps_the_view(curves, qtbot):
    loss = noise(200_000)
    curves.show_history(long_run(loss))
    curves.loss.moved.emit(100.0, 101.0)
    curves.tools.slider.setValue(step_of(0.99))
    memory = memory_at(step_of(0.99))
    qtbot.waitUntil(lambda: len(curves.loss.shown("smoothed")[1]) == len(loss))
    part = loss[99_000:100_000]
    weights = (1 - memory) * memory ** np.arange(len(part))[::-1]
    assert curves.loss.shown("smoothed")[1][99_999] == pytest.approx((weights * part).sum(), rel=1e-3)
    assert curves.loss.view.x == (100.0, 101.0)
    assert curves.tools.value.text() == "0.99"
    curves.tools.slider.setValue(0)
    qtbot.waitUntil(lambda: len(curves.loss.shown("smoothed")[1]) == len(loss))
    assert np.array_equal(curves.loss.shown("smoothed")[1], loss)


def test_until_a_person_chooses_the_smoothing_suits_the_length_of_the_run(curves):
    history = run(3, planned=100)
    curves.show_history(history)
    assert curves.loss.shown("smoothed")[1] == pytest.approx(history.smooth.values)
    assert curves.look.memory is None


def test_places_of_the_slider_are_memories_and_back():
    assert [round(memory_at(step), 4) for step in (0, 50, 100, 150)] == [0, 0.9, 0.99, 0.999]
    assert all(step_of(memory_at(step)) == step for step in range(151))


def test_plots_can_be_hidden_but_not_all_and_the_lowest_has_the_words_of_the_axis(curves):
    chosen = []
    curves.look_changed.connect(chosen.append)
    curves.show_history(run(3))
    shows = curves.tools.actions_of
    shows["lr"].trigger()
    shows["loss"].trigger()
    assert [name for name, pane in curves.panes.items() if pane.isVisible()] == ["accuracy", "lr"]
    assert (curves.accuracy.unit, curves.lr.unit) == ("", "epoch")
    assert len(curves.lr.shown("learning rate")[1]) == 3 * EACH
    shows["lr"].trigger()
    shows["accuracy"].trigger()
    assert shows["accuracy"].isChecked()
    assert [look.panes for look in chosen] == [("loss", "accuracy", "lr"), ("accuracy", "lr"), ("accuracy",)]


def test_a_look_that_was_remembered_is_taken_up_whole(curves):
    told = []
    curves.look_changed.connect(told.append)
    look = Look(panes=("loss", "gradient_norm"), unit="iteration", memory=0.9, logarithmic=("gradient_norm",))
    curves.show_history(run(3))
    curves.look = look
    assert curves.look == look
    assert curves.gradient_norm.isVisible()
    assert curves.gradient_norm.logarithmic
    assert curves.tools.units.currentText() == "Iteration"
    assert curves.tools.value.text() == "0.9"
    assert curves.loss.shown("each batch")[0][-1] == 3 * EACH
    curves.look = replace(look, logarithmic=())
    assert not curves.gradient_norm.logarithmic
    assert told == []  # nobody chose it here


def test_colours_follow_the_scheme_while_lines_are_shown(curves):
    curves.show_history(run(3))
    for scheme in ("dark", "light"):
        THEME.choose(scheme)
        picture = curves.loss.grab().toImage()
        assert picture.pixelColor(1, picture.height() - 1).name() == THEME.colours.surface
        seen = {picture.pixelColor(x, y).name() for x in range(60, 470, 2) for y in range(40, picture.height())}
        assert {THEME.colours.training, THEME.colours.validation} <= seen
    THEME.choose("system")
