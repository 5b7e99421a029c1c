"""The settings of the Train page: parts that fold, schedules and their curve, and what a run that goes on makes of
them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QScrollArea, QWidget

from gui_lab.core.events import RunStarted
from gui_lab.core.experiment import Experiment
from gui_lab.core.images import ImageSet
from gui_lab.core.learning import LOSSES, OPTIMIZERS, SCHEDULERS, Training
from gui_lab.core.schedule import planned
from gui_lab.qt.learning_editor import LearningEditor
from gui_lab.qt.pages.model import ModelPage
from gui_lab.qt.running import RunControl, State
from gui_lab.qt.session import Session
from gui_lab.qt.theme import colour
from gui_lab.qt.views.schedule_plot import SchedulePlot
from gui_lab.schema import knobs

make = SCHEDULERS.make
NARROWEST = 270


class Bench:
    """An editor in a window of its own, and hands to use it."""

    def __init__(self, qtbot: Any, images: ImageSet, experiment: Experiment, runs: Path) -> None:
        self.qtbot = qtbot
        self.session = Session(experiment)
        self.session.images, self.session._opened = images, experiment.dataset
        self.errors: list[Any] = []
        self.session.erred.connect(self.errors.append)
        self.session.set_ready()
        self.control = RunControl(self.session, runs)
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.window.resize(NARROWEST + 400, 640)
        self.editor = LearningEditor(self.session, self.control, self.window)
        self.editor.setFixedWidth(NARROWEST)
        row = QHBoxLayout(self.window)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.editor)
        row.addStretch(1)
        self.window.show()
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)

    @property
    def experiment(self) -> Experiment:
        return self.session.experiment

    @property
    def plot(self) -> SchedulePlot:
        return self.editor.schedules.plot

    def find(self, name: str, kind: type[QWidget] = QWidget) -> Any:
        found = [one for one in self.window.findChildren(kind, name) if one.window() is self.window]
        assert len(found) == 1, f"{name}: {found}"
        return found[0]

    def text(self, name: str) -> str:
        widget = self.find(name)
        return widget.text() if widget.isVisible() else ""

    def click(self, name: str) -> None:
        self.lay_out()
        QTest.mouseClick(self.find(name), Qt.MouseButton.LeftButton)

    def unfold_all(self) -> None:
        for section in self.editor.sections.values():
            section.unfold()
        self.lay_out()

    def lay_out(self) -> None:
        """What came or went finds its place."""
        for _ in range(8):  # a layout in a layout waits for the next turn
            QApplication.processEvents()

    def add(self, name: str) -> None:
        self.click("schedulers.add")
        search = self.find("schedulers.add.search")
        QTest.keyClicks(search, name)
        QTest.keyClick(search, Qt.Key.Key_Return)

    def schedules(self) -> list[str]:
        return [one.name_of() for one in self.experiment.schedulers]

    def run_on(self) -> None:
        """Train until the test has seen what it wants."""
        self.session.edit("training.epochs", 9000)
        self.control.train()
        self.qtbot.waitUntil(lambda: len(self.control.history.loss) > 3, timeout=90_000)


@pytest.fixture
def bench(qtbot: Any, digits: ImageSet, quick: Experiment, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(qtbot, digits, quick, tmp_path / "runs")
    yield made
    made.control.close()
    made.editor.close_down()
    made.session.close()


# ---------------------------------------------------------------- parts


def test_every_setting_has_one_place(bench: Bench) -> None:
    bench.unfold_all()
    experiment = bench.experiment
    for family, spec in (("training", Training), ("optimizer", experiment.optimizer), ("loss", experiment.loss)):
        for knob in knobs(spec if isinstance(spec, type) else type(spec)):
            path = f"{family}.{knob.name}"
            assert bench.find(path).isVisible(), path
            assert bench.editor.section_of(path).isAncestorOf(bench.find(path)), path


def test_a_part_that_is_folded_says_what_is_set_inside(bench: Bench) -> None:
    sections = bench.editor.sections
    said = {name: section.title.accessibleDescription() for name, section in sections.items()}
    assert said == {
        "training": "", "optimizer": "", "schedulers": "constant", "loss": "CrossEntropyLoss",
        "regularisation": "none", "machine": "as usual",
    }  # fmt: skip
    bench.session.edit("training.max_norm", 2.5)
    bench.session.edit("training.balanced", True)
    bench.session.edit("training.precision", "bfloat16")
    bench.session.edit("schedulers", (make("StepLR"),))
    for name in ("training", "optimizer"):
        bench.click(f"train.fold.{name}")
    said = {name: section.title.accessibleDescription() for name, section in sections.items()}
    assert said == {
        "training": "2 epochs, batches of 128", "optimizer": "Adam, lr 0.001", "schedulers": "StepLR",
        "loss": "CrossEntropyLoss", "regularisation": "max_norm 2.5, balanced", "machine": "precision bfloat16",
    }  # fmt: skip
    bench.session.edit("schedulers", (make("StepLR"), make("LinearLR")))
    assert sections["schedulers"].title.accessibleDescription() == "2 schedules"


def test_the_keyboard_folds_and_unfolds_and_edits_leave_it_so(bench: Bench) -> None:
    title = bench.find("train.fold.machine")
    title.setFocus()
    assert not bench.find("training.device").isVisible()
    QTest.keyClick(title, Qt.Key.Key_Space)
    assert bench.find("training.device").isVisible()
    QTest.keyClick(bench.find("train.fold.training"), Qt.Key.Key_Space)
    bench.session.edit("training.seed", 5)
    bench.session.edit("optimizer", "SGD")
    assert bench.find("training.device").isVisible()
    assert not bench.find("training.epochs").isVisible()


def test_a_new_error_unfolds_its_part_and_is_told_where_it_is_folded_again(bench: Bench) -> None:
    loss = bench.editor.sections["loss"]
    assert loss.folded
    bench.session.edit("loss", "NLLLoss")
    assert not loss.folded
    assert "log-probabilities" in bench.text("loss.problem")
    bench.click("train.fold.loss")
    assert loss.title.accessibleDescription() == "1 problem"
    bench.session.edit("training.seed", 9)
    assert loss.folded


def test_a_warning_leaves_its_part_folded_and_is_told(bench: Bench) -> None:
    bench.session.edit("model.ends_in", "LogSoftmax")
    loss = bench.editor.sections["loss"]
    assert loss.folded
    assert loss.title.accessibleDescription() == "1 warning"


def test_numbers_are_told_in_words(bench: Bench) -> None:
    bench.unfold_all()
    assert bench.text("training.patience.note") == ""
    bench.session.edit("training.patience", 5)
    assert bench.text("training.patience.note") == "stops after 5 epochs without a better validation accuracy"
    bench.session.edit("training.patience", 1)
    assert "after 1 epoch without" in bench.text("training.patience.note")
    bench.session.edit("training.accumulate", 4)
    assert bench.text("training.accumulate.note") == "one step for 512 pictures"
    bench.session.edit("training.ema_decay", 0.99)
    assert bench.text("training.ema_decay.note") == "averages about the last 100 steps"


def test_help_stands_at_the_foot_for_the_field_one_is_in(bench: Bench) -> None:
    helps = {knob.name: knob.help for knob in knobs(Training)}
    foot = bench.find("train.help")
    room = foot.height()
    bench.find("training.seed").setFocus()
    assert foot.text() == helps["seed"]
    bench.find("optimizer.eps").setFocus()
    assert foot.text() == bench.find("optimizer.eps").accessibleDescription()
    for text in helps.values():
        assert foot.fontMetrics().boundingRect(0, 0, foot.width(), 999, Qt.TextFlag.TextWordWrap, text).height() <= room
    assert foot.height() == room


def test_tab_goes_from_top_to_bottom_whatever_was_made_anew(bench: Bench) -> None:
    bench.session.edit("schedulers", (make("StepLR"), make("LinearLR")))
    bench.session.edit("optimizer", "RMSprop")
    bench.unfold_all()
    area = bench.find("train.settings", QScrollArea).widget()
    bench.find("train.fold.training").setFocus()
    seen = []
    while True:
        focus = QApplication.focusWidget()
        if focus in seen or not area.isAncestorOf(focus):
            break
        seen.append(focus)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    tops = [one.mapTo(area, QPoint(0, one.height() // 2)).y() for one in seen]
    assert len(seen) > 30
    assert all(after >= before - 3 for before, after in pairwise(tops)), [
        (one.objectName(), top) for one, top in zip(seen, tops, strict=True)
    ]


def test_everything_that_can_be_used_is_named(bench: Bench) -> None:
    bench.session.edit("schedulers", (make("OneCycleLR"), make("LinearLR")))
    bench.unfold_all()
    used = [one for one in bench.editor.findChildren(QWidget) if one.focusPolicy() & Qt.FocusPolicy.TabFocus]
    own = [one for one in used if not one.objectName().startswith("qt_") and one.window() is bench.window]
    assert len(own) > 40
    nameless = [one for one in own if not one.objectName() or not one.accessibleName()]
    assert not nameless


def test_all_fits_into_the_narrowest_column(bench: Bench) -> None:
    bench.unfold_all()
    area = bench.find("train.settings", QScrollArea)

    def excess() -> int:
        return area.widget().minimumSizeHint().width() - (NARROWEST - 1 - area.verticalScrollBar().sizeHint().width())

    wide = []
    bench.session.edit("schedulers", tuple(entry() for entry in SCHEDULERS))
    for path, registry in (("optimizer", OPTIMIZERS), ("loss", LOSSES)):
        for name in registry.names():
            bench.session.edit(path, name)
            bench.lay_out()
            if excess() > 0:
                wide.append((name, excess()))
    assert not wide


# ---------------------------------------------------------------- optimiser and loss


def test_the_wheel_over_a_list_scrolls_and_chooses_nothing(bench: Bench) -> None:
    box = bench.find("optimizer.name")
    middle = QPointF(box.rect().center())
    turned = QWheelEvent(
        middle, QPointF(box.mapToGlobal(middle.toPoint())), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(box, turned)
    assert bench.experiment.optimizer.name_of() == "Adam"
    assert box.currentText() == "Adam"


def test_the_learning_rate_stands_first_with_its_button_whatever_the_optimiser(bench: Bench) -> None:
    asked = []
    bench.editor.find_rate_wanted.connect(lambda: asked.append("rate"))
    for name in OPTIMIZERS.names():
        bench.session.edit("optimizer", name)
        rate, button = bench.find("optimizer.lr"), bench.find("train.find_rate")
        others = [bench.find(f"optimizer.{knob.name}") for knob in knobs(OPTIMIZERS.get(name)) if knob.name != "lr"]
        bench.lay_out()
        assert abs(_middle(button) - _middle(rate)) <= 2, name
        assert all(_middle(other) > _middle(rate) for other in others), name
        asked.clear()
        bench.click("train.find_rate")
        assert asked == ["rate"], name


def _middle(widget: QWidget) -> int:
    return widget.mapToGlobal(QPoint(0, widget.height() // 2)).y()


def test_the_budget_is_asked_for_beside_the_epochs(bench: Bench) -> None:
    with bench.qtbot.waitSignal(bench.editor.budget_wanted):
        bench.click("train.time_budget")


def test_rate_and_budget_are_not_tried_beside_a_run_or_where_nothing_can_train(bench: Bench) -> None:
    buttons = [bench.find(name, QPushButton) for name in ("train.find_rate", "train.time_budget")]
    tips = [button.toolTip() for button in buttons]
    bench.session.edit("transforms", ())
    assert [button.isEnabled() for button in buttons] == [False, False]
    assert buttons[0].toolTip() == bench.control.why_not() != ""
    bench.session.undo()
    assert [(button.isEnabled(), button.toolTip()) for button in buttons] == [(True, tip) for tip in tips]
    bench.run_on()
    assert [button.isEnabled() for button in buttons] == [False, False]
    bench.control.stop()
    bench.qtbot.waitUntil(lambda: bench.control.state == State.IDLE, timeout=30_000)
    assert [button.isEnabled() for button in buttons] == [True, True]


def test_the_loss_and_the_last_layer_are_told_to_disagree_at_both_and_mended_at_each(bench: Bench) -> None:
    page = ModelPage(bench.session)
    bench.qtbot.addWidget(page)
    bench.session.edit("loss", "NLLLoss")
    at_model = page.form.findChild(QLabel, "model.ends_in.problem")
    assert at_model.text() == bench.text("loss.problem") != ""
    page.form.findChild(QPushButton, "model.ends_in.repair.0").click()
    assert bench.experiment.model.ends_in == "LogSoftmax"
    assert bench.session.problems == []
    bench.session.edit("loss", "CrossEntropyLoss")
    assert "second one" in bench.text("loss.pairing.problem")
    assert page.form.findChild(QLabel, "model.ends_in.problem").text() == bench.text("loss.pairing.problem")
    bench.click("loss.pairing.repair.0")
    assert bench.session.problems == []
    page.close_down()


# ---------------------------------------------------------------- schedules


def test_schedules_are_added_moved_and_removed_and_each_step_can_be_undone(bench: Bench) -> None:
    bench.unfold_all()
    bench.add("StepLR")
    bench.add("linear")
    bench.add("CosineAnnealingLR")
    assert bench.schedules() == ["StepLR", "LinearLR", "CosineAnnealingLR"]
    bench.click("schedulers.2.up")
    assert bench.schedules() == ["StepLR", "CosineAnnealingLR", "LinearLR"]
    assert bench.text("schedulers.1.name") == "2  CosineAnnealingLR"
    assert QApplication.focusWidget().objectName() == "schedulers.1.up"
    bench.click("schedulers.1.up")
    assert QApplication.focusWidget().objectName() == "schedulers.0.down"
    bench.click("schedulers.1.remove")
    assert bench.schedules() == ["CosineAnnealingLR", "LinearLR"]
    assert not bench.window.findChildren(QWidget, "schedulers.2.name")
    assert not bench.find("schedulers.0.up").isEnabled()
    assert not bench.find("schedulers.1.down").isEnabled()
    for expected in (3, 3, 3, 2, 1, 0):
        bench.session.undo()
        assert len(bench.schedules()) == expected
    for _ in range(6):
        bench.session.redo()
    assert bench.schedules() == ["CosineAnnealingLR", "LinearLR"]
    assert bench.find("schedulers.0.T_max").isVisible()


def test_the_fields_of_a_schedule_edit_its_place_in_the_list(bench: Bench) -> None:
    bench.unfold_all()
    bench.session.edit("schedulers", (make("StepLR"), make("StepLR")))
    box = bench.find("schedulers.1.gamma")
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, "0.5")
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert bench.experiment.schedulers == (make("StepLR"), make("StepLR", gamma=0.5))
    bench.session.undo()
    assert box.value() == 0.1


def test_the_search_says_what_each_schedule_does_and_draws_it(bench: Bench) -> None:
    bench.unfold_all()
    bench.click("schedulers.add")
    finder = bench.editor.schedules.finder
    entries = {entry.name: entry.summary for entry in finder._entries}
    assert entries == {entry.name_of(): entry.summary() for entry in SCHEDULERS}
    bench.qtbot.waitUntil(lambda: set(finder.list.pictures) == set(SCHEDULERS.names()), timeout=10_000)
    assert finder.geometry().bottom() <= bench.window.height()
    assert finder.height() > 200


def test_the_curve_is_the_rate_of_the_run_that_would_start_now(bench: Bench) -> None:
    bench.unfold_all()
    bench.session.edit("schedulers", (make("LinearLR"), make("CosineAnnealingLR")))
    bench.session.edit("optimizer.lr", 0.02)
    bench.session.edit("training.epochs", 7)

    def is_drawn() -> bool:
        experiment, samples = bench.experiment, len(bench.session.images.train)  # type: ignore[union-attr]
        iterations = experiment.training.iterations(samples)
        expected = planned(experiment.optimizer, experiment.schedulers, experiment.training.epochs, iterations)
        return all(np.array_equal(*pair) for pair in zip(bench.plot.curve(), expected, strict=True))

    bench.qtbot.waitUntil(is_drawn)
    assert bench.plot.accessibleDescription() == bench.plot.in_words()
    bench.session.edit("training.batch_size", 64)
    bench.qtbot.waitUntil(is_drawn)
    bench.session.edit("schedulers.0.start_factor", 0.01)
    bench.qtbot.waitUntil(is_drawn)


def test_without_schedules_there_is_a_sentence_and_no_curve(bench: Bench) -> None:
    bench.unfold_all()
    assert bench.text("schedulers.about") == "The learning rate stays as it is."
    assert not bench.plot.isVisible()
    bench.session.edit("schedulers", (make("ReduceLROnPlateau"),))
    assert bench.text("schedulers.about") == ("ReduceLROnPlateau follows the validation loss, so it is drawn flat.")
    assert bench.plot.isVisible()


def test_schedules_that_cannot_stand_together_have_no_curve_until_they_are_mended(bench: Bench) -> None:
    bench.session.edit("schedulers", (make("LinearLR"), make("OneCycleLR", cycle_momentum=False)))
    assert not bench.editor.sections["schedulers"].folded
    assert "stands first or alone" in bench.text("schedulers.1.problem")
    assert bench.plot.in_words() == "Drawn once what is wrong here is mended"
    bench.click("schedulers.1.repair.0")
    assert bench.schedules() == ["OneCycleLR", "LinearLR"]
    bench.qtbot.waitUntil(lambda: len(bench.plot.curve()[0]) > 1)


# ---------------------------------------------------------------- the run


def test_a_dot_on_the_curve_shows_where_the_run_is(bench: Bench) -> None:
    bench.unfold_all()
    bench.session.edit("schedulers", (make("ExponentialLR", gamma=0.999),))
    bench.run_on()
    bench.control.pause()
    bench.qtbot.waitUntil(lambda: bench.control.state == State.PAUSED, timeout=30_000)
    history = bench.control.history
    assert bench.plot.place == (len(history.loss) / history.started.iterations, history.last.lr)
    bench.session.edit("schedulers.0.gamma", 0.5)
    assert bench.plot.place is None  # the run does not follow what is edited now
    bench.session.undo()
    assert bench.plot.place is not None
    bench.control.stop()
    bench.qtbot.waitUntil(lambda: bench.control.state == State.IDLE, timeout=30_000)
    assert bench.plot.place is None


def test_what_waits_for_the_next_run_is_said_in_one_line(bench: Bench) -> None:
    bench.session.edit("training.batch_size", 100)
    assert bench.text("train.next_run") == ""
    bench.run_on()
    assert bench.text("train.next_run") == ""
    bench.session.edit("optimizer.lr", 0.0005)
    bench.session.edit("training.patience", 400)
    bench.session.edit("training.epochs", 8000)
    assert bench.text("train.next_run") == ""
    bench.session.edit("training.batch_size", 50)
    bench.session.edit("optimizer.eps", 1e-7)
    bench.session.edit("schedulers", (make("StepLR"),))
    assert bench.text("train.next_run") == "For the next run: eps, schedule, batch_size."
    bench.session.edit("optimizer", "SGD")
    assert bench.text("train.next_run") == "For the next run: optimiser, schedule, batch_size."
    for _ in range(4):
        bench.session.undo()
    assert bench.text("train.next_run") == ""
    bench.session.redo()
    bench.control.stop()
    bench.qtbot.waitUntil(lambda: bench.control.state == State.IDLE, timeout=30_000)
    assert bench.text("train.next_run") == ""


def test_what_auto_has_chosen_is_told_with_its_reason(bench: Bench) -> None:
    bench.unfold_all()
    bench.session.edit("training.precision", "auto")
    assert bench.text("training.device.note") == ""
    why = "bfloat16: 1.9 times as fast as float32 here."
    bench.control.experiment = bench.experiment
    bench.control.history.apply(RunStarted("", "cpu", 2, 2, 12, 128, 1438, 359, 650, precision="bfloat16", why=why))
    bench.control.advanced.emit()
    assert bench.text("training.device.note") == "auto took cpu"
    assert bench.text("training.precision.note") == why
    bench.session.edit("training.precision", "float32")
    assert bench.text("training.precision.note") == ""


# ---------------------------------------------------------------- the small plot


@pytest.fixture
def plot(qtbot: Any) -> SchedulePlot:
    made = SchedulePlot("plot")
    qtbot.addWidget(made)
    made.resize(220, 88)
    made.show_curve(np.array([0.0, 1.0, 4.0]), np.array([0.002, 0.01, 1e-5]))
    return made


def drawn(plot: SchedulePlot, role: str) -> set[tuple[int, int]]:
    """The points that are painted in a colour."""
    picture = plot.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    wanted = colour(role).rgb()
    size = picture.size()
    return {(x, y) for x in range(size.width()) for y in range(size.height()) if picture.pixel(x, y) == wanted}


def test_the_plot_draws_from_zero_to_the_highest_and_says_its_numbers(plot: SchedulePlot) -> None:
    assert plot.in_words() == "From 0.002 to 1e−05 over 4 epochs, at most 0.01"
    line = drawn(plot, "training")
    room = plot._room()
    assert {x for x, _ in line} == set(range(room.left(), room.left() + room.width()))
    top, bottom = min(y for _, y in line), max(y for _, y in line)
    assert (top, bottom) == (room.top(), room.bottom())
    highest = [x for x, y in line if y == top]
    assert room.left() + room.width() // 4 - 1 in highest


def test_the_dot_goes_along_and_only_its_surroundings_are_painted_anew(plot: SchedulePlot, qtbot: Any) -> None:
    painted: list[Any] = []
    with qtbot.waitExposed(plot):
        plot.show()
    before = len(drawn(plot, "training"))
    plot.show_place((1.0, 0.01))
    assert len(drawn(plot, "training")) > before + 20
    QApplication.processEvents()
    paint = plot.paintEvent
    plot.paintEvent = lambda event: (painted.append(event.region().boundingRect()), paint(event))  # type: ignore[method-assign,assignment]
    plot.show_place((1.001, 0.01))  # the same pixel
    QApplication.processEvents()
    assert painted == []
    plot.show_place((1.1, 0.0098))
    qtbot.waitUntil(lambda: bool(painted))
    assert painted[0].width() < 40
    plot.show_place((9.0, 0.5))
    assert plot._dot().x() <= plot.width()  # type: ignore[union-attr]


def test_rates_that_are_no_numbers_are_left_out(plot: SchedulePlot) -> None:
    plot.show_curve(np.array([0.0, 1.0, 2.0]), np.array([0.1, np.nan, 0.2]))
    assert plot.curve()[1].tolist() == [0.1, 0.2]
    plot.show_words("None here")
    plot.show_place((1.0, 0.1))
    assert plot.in_words() == "None here"
    assert drawn(plot, "training") == set()
