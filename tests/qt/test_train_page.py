"""The Train page and the run bar: what can be pressed when, what is said, and that what is drawn is what happened."""

from __future__ import annotations

import re
from math import ceil

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog, QLabel

from gui_lab.qt import words
from gui_lab.qt.running import State
from gui_lab.qt.views.curve_words import figure

BUTTONS = ("train", "pause", "one_batch", "stop")


@pytest.fixture
def quick_lab(lab):
    """On the Train page, with a network that trains hundreds of batches a second for as long as a test needs."""
    lab.lab.session.edit("model", "SoftmaxRegression")
    lab.lab.session.edit("training.epochs", 9000)
    lab.go("Train")
    return lab


def page(lab):
    return lab.lab.window.page("Train")


def enabled(lab) -> tuple[str, ...]:
    return tuple(name for name in BUTTONS if lab.hands.find(f"run.{name}").isEnabled())


# ---------------------------------------------------------------- the run bar


def test_buttons_offer_what_can_be_done_now(quick_lab):
    lab = quick_lab
    assert enabled(lab) == ("train", "one_batch")
    lab.train.start()
    lab.train.wait_state(State.TRAINING)
    assert enabled(lab) == ("pause", "stop")
    lab.train.pause()
    assert enabled(lab) == ("train", "one_batch", "stop")
    assert lab.hands.text("run.train") == "Carry on"
    assert lab.hands.text("run.state") == "Paused"
    lab.train.carry_on()
    lab.train.stop()
    assert enabled(lab) == ("train", "one_batch")
    assert lab.hands.text("run.train") == "Train"
    assert lab.hands.text("run.state") == "Stopped"


def test_keys_start_pause_step_and_stop(quick_lab):
    lab, window = quick_lab, quick_lab.lab.window
    lab.go("Dataset")
    lab.hands.press(window, "F5")
    lab.hands.wait(lambda: lab.lab.control.running, "F5 starts")
    assert page(lab).isVisible()
    lab.train.wait_iterations(2)
    lab.hands.press(window, "F6")
    lab.train.wait_state(State.PAUSED)
    before = len(lab.train.history.loss)
    lab.hands.press(window, "F7")
    lab.hands.wait(lambda: len(lab.train.history.loss) == before + 1, "F7 trains one batch")
    lab.hands.press(window, "Shift+F5")
    lab.train.wait_done()


def test_why_training_cannot_start_is_said_beside_the_button_and_on_the_page(quick_lab):
    lab = quick_lab
    lab.lab.session.edit("transforms", ())
    assert enabled(lab) == ()
    why = lab.blocked()
    assert "float" in why
    train = lab.hands.find("run.train")
    assert train.toolTip() == why
    assert train.accessibleDescription() == why
    assert lab.hands.find("run.state").property("role") == "error"
    assert why in lab.train.says()
    assert any(why in line.text() for line in page(lab).editor.problems.findChildren(QLabel))
    lab.hands.click_button(lab.lab.session.problems[0].repairs[0].label)
    assert lab.blocked() == ""
    assert enabled(lab) == ("train", "one_batch")
    assert train.accessibleDescription() == ""


def test_figures_are_those_of_the_run(quick_lab):
    lab = quick_lab
    images, training = lab.lab.session.images, lab.experiment.training
    iterations = ceil(len(images.train) / training.batch_size)
    assert lab.hands.text("run.where") == f"9,000 epochs of {iterations} iterations"
    lab.train.start()
    lab.train.wait_iterations(3 * iterations)
    lab.train.pause()
    lab.train.one_batch()  # a pause may fall into a validation, which is told in the place of the iteration
    last, done = lab.train.history.last, len(lab.train.history.loss)
    assert lab.hands.text("run.where") == f"epoch {last.epoch}/9000   iteration {last.iteration}/{iterations}"
    assert (last.epoch - 1) * iterations + last.iteration == done
    assert lab.hands.text("run.speed") == words.rate(lab.train.history.rate(), "pictures/s")
    assert re.fullmatch(r"[\d,.]+\u2009pictures/s", lab.hands.text("run.speed"))
    assert re.fullmatch(r"(\d+:)?\d+:\d\d left", lab.hands.text("run.left"))
    assert lab.hands.text("run.device") == "cpu"
    progress = lab.hands.find("run.progress_epoch").value(), lab.hands.find("run.progress_run").value()
    assert progress == (1000 * last.iteration // iterations, 1000 * done // (9000 * iterations))
    lab.train.stop()
    assert "left" not in lab.hands.text("run.left")


def test_the_number_of_iterations_is_explained_at_the_batch_size(quick_lab):
    lab = quick_lab
    samples = len(lab.lab.session.images.train)
    for batch in (64, 100, 1437, 1):
        lab.train.set(batch_size=batch)
        said = lab.hands.text("training.batch_size.note")
        assert said == f"ceil({samples:,} / {batch:,}) = {ceil(samples / batch):,} iterations per epoch"


# ---------------------------------------------------------------- optimisers


def test_each_optimiser_brings_its_own_fields_and_undo_brings_the_old_ones_back(quick_lab):
    lab = quick_lab
    assert lab.hands.sees("optimizer.betas")
    lab.train.optimizer("SGD", momentum=0.5)
    assert lab.experiment.optimizer.name_of() == "SGD"
    assert not lab.hands.sees("optimizer.betas")
    assert lab.hands.text("optimizer.summary") == lab.experiment.optimizer.summary()
    while lab.lab.session.can_undo and lab.experiment.optimizer.name_of() == "SGD":
        lab.undo()
    assert lab.hands.find("optimizer.name").currentText() == "Adam"
    assert lab.hands.sees("optimizer.betas")
    before = lab.experiment
    lab.hands.choose("optimizer.name", "Adam")
    assert lab.experiment is before


def test_every_setting_can_be_reached_by_hand_also_where_its_part_is_folded(quick_lab):
    lab = quick_lab
    lab.train.set(patience=7, max_norm=2.5, balanced=True, precision="bfloat16", lr=0.002)
    training = lab.experiment.training
    assert (training.patience, training.max_norm, training.balanced) == (7, 2.5, True)
    assert training.precision == "bfloat16"
    assert lab.experiment.optimizer.lr == 0.002
    assert "7 epochs" in lab.hands.text("training.patience.note")
    lab.train.choose_loss("CrossEntropyLoss", label_smoothing=0.1)
    assert lab.experiment.loss.label_smoothing == 0.1
    lab.train.choose_loss("NLLLoss")
    assert "log-probabilities" in lab.blocked()
    lab.hands.click("loss.repair.0")
    assert lab.experiment.model.ends_in == "LogSoftmax"
    assert lab.blocked() == ""


def test_a_run_follows_the_schedules_that_were_put_together_by_hand(quick_lab):
    lab = quick_lab
    lab.train.set(epochs=3)
    lab.train.scheduler("StepLR", step_size=2, gamma=0.5)
    lab.train.scheduler("ConstantLR")
    lab.train.remove_scheduler(1)
    (only,) = lab.experiment.schedulers
    assert (only.name_of(), only.step_size, only.gamma) == ("StepLR", 2, 0.5)
    plot = page(lab).editor.schedules.plot
    rate = lab.experiment.optimizer.lr
    lab.hands.wait(lambda: set(plot.curve()[1]) == {rate, rate / 2}, "the curve of this one schedule")
    lab.train.start().wait_done()
    iterations = lab.train.history.started.iterations
    assert np.array_equal(lab.train.history.lr.values, np.repeat([rate, rate / 2], [2 * iterations, iterations]))


def test_problems_of_other_pages_name_their_page_and_can_be_mended_here(quick_lab):
    lab = quick_lab
    lab.lab.session.edit("transforms", [{"name": "Normalize", "mean": [0.5], "std": [0.5]}])
    said = lab.hands.find("train").findChildren(QLabel)
    assert any(line.text().startswith("Transforms: ") for line in said if line.isVisible())
    lab.hands.click_button("Insert ToTensor before it")
    assert lab.transforms.names() == ["ToTensor", "Normalize"]


# ---------------------------------------------------------------- curves


def test_the_curves_show_exactly_what_the_history_has(quick_lab):
    lab = quick_lab
    lab.lab.session.edit("training.epochs", 3)
    lab.train.start().wait_done()
    history, curves = lab.train.history, page(lab).curves
    iterations = history.started.iterations
    batches = np.arange(1, 3 * iterations + 1) / iterations
    expected = {
        (curves.loss, "each batch"): (batches, history.loss.values),
        (curves.loss, "smoothed"): (batches, history.smooth.values),
        (curves.loss, "training, per epoch"): ([1, 2, 3], history.epoch_loss.values),
        (curves.loss, "validation"): ([1, 2, 3], history.validation_loss.values),
        (curves.accuracy, "training, per epoch"): ([1, 2, 3], history.epoch_accuracy.values),
        (curves.accuracy, "validation"): ([1, 2, 3], history.validation_accuracy.values),
    }
    for (pane, name), (x, y) in expected.items():
        shown_x, shown_y = pane.shown(name)
        assert np.array_equal(shown_x, x), name
        assert shown_y == pytest.approx(y, rel=1e-12), name
    best = curves.accuracy.best
    assert (best.trained, best.value) == (history.best_epoch * iterations, history.best_accuracy)
    assert best.words == f"best {words.percent(history.best_accuracy)}"
    assert words.percent(history.best_accuracy) in lab.train.says()
    lab.lab.session.edit("training.epochs", 9000)
    lab.train.start()
    lab.train.wait_iterations(1)
    lab.train.stop()
    assert len(page(lab).curves.loss.shown("each batch")[0]) == len(lab.train.history.loss)


def test_a_hidden_page_draws_nothing_and_catches_up_when_it_is_shown(quick_lab, monkeypatch):
    lab = quick_lab
    lab.train.start()
    lab.train.wait_iterations(5)
    drawn = []
    curves, bars = page(lab).curves, page(lab).watching.probabilities
    show_line, show_bars = curves.loss.show_line, bars.show_probabilities
    monkeypatch.setattr(
        curves.loss, "show_line", lambda *given, **more: drawn.append("line") or show_line(*given, **more)
    )
    monkeypatch.setattr(bars, "show_probabilities", lambda *given: drawn.append("bars") or show_bars(*given))
    lab.go("Model")
    drawn.clear()
    count = len(lab.train.history.loss)
    lab.train.wait_iterations(count + 50)
    assert drawn == []
    lab.train.pause()
    assert len(curves.loss.shown("each batch")[0]) < len(lab.train.history.loss)
    lab.go("Train")
    assert np.array_equal(curves.loss.shown("each batch")[1], lab.train.history.loss.values)
    assert "bars" in drawn


def test_where_a_person_has_zoomed_the_view_stays_until_they_go_back_to_live(quick_lab):
    lab = quick_lab
    lab.train.start()
    lab.train.wait_iterations(60)
    curves, live = page(lab).curves, lab.hands.find("plots.live")
    assert not live.isEnabled()
    curves.loss.moved.emit(0.5, 1.0)
    assert live.isEnabled()
    count = len(lab.train.history.loss)
    lab.train.wait_iterations(count + 100)
    assert curves.loss.view.x == (0.5, 1.0)
    lab.train.pause()
    lab.hands.click(live)
    assert not live.isEnabled()
    assert curves.loss.view.x[1] >= len(lab.train.history.loss) / lab.train.history.started.iterations


def test_the_curves_are_exported_where_the_dialog_says_and_a_failure_is_told(quick_lab, tmp_path):
    lab = quick_lab
    lab.hands.click("plots.export")
    dialog = page(lab).findChild(QFileDialog, "plots.export_dialog")
    assert [one.rpartition("*")[2] for one in dialog.nameFilters()] == [".png)", ".svg)", ".csv)"]
    dialog.fileSelected.emit(str(tmp_path / "curves.png"))
    dialog.close()
    assert (tmp_path / "curves.png").stat().st_size > 1000
    page(lab).curves.export(tmp_path / "nowhere" / "curves.svg")
    assert "curves.svg could not be written" in lab.banner()


def test_the_loss_axis_can_be_logarithmic_while_training(quick_lab):
    lab = quick_lab
    lab.train.start()
    lab.train.wait_iterations(60)
    lab.hands.click("plots.loss.logarithmic")
    lab.train.pause()
    low, high = page(lab).curves.loss.view.y
    loss = lab.train.history.loss.values
    assert low <= np.log10(loss.min())
    assert high >= np.log10(np.median(loss))
    assert np.array_equal(lab.train.loss(), loss)
    lab.hands.click("plots.loss.logarithmic")
    low, high = page(lab).curves.loss.view.y
    assert low <= 0 < high


# ---------------------------------------------------------------- pinned pictures


def shown_pins(lab) -> tuple[int, ...]:
    return tuple(pin.index for pin in page(lab).watching.probabilities._pinned)


def test_pins_of_another_data_set_wait_until_the_run_on_this_one_has_ended(quick_lab):
    lab = quick_lab
    of_digits = lab.lab.session.pins
    lab.train.start()
    lab.train.wait_iterations(5)
    lab.dataset.choose("Shapes", count=400)
    session = lab.lab.session
    session.pin(session.pins[0], False)
    session.pin(int(session.images.train[3]), True)
    of_shapes = session.pins
    lab.go("Train")
    lab.train.wait_iterations(len(lab.train.history.loss) + 100)
    assert lab.lab.control.pins == of_digits
    assert lab.lab.control.probed.indices == of_digits
    assert shown_pins(lab) == of_digits
    assert page(lab).watching.probabilities._classes == lab.lab.control.images.classes
    assert len(lab.train.probabilities(of_digits[0])) == 10
    lab.train.stop()
    lab.hands.wait(lambda: shown_pins(lab) == of_shapes, "the pictures that are chosen now")
    assert page(lab).watching.probabilities._classes == session.images.classes
    assert all(lab.train.probabilities(pin) is None for pin in of_shapes)
    lab.train.start()
    lab.hands.wait(lambda: lab.train.probabilities(of_shapes[0]) is not None, "their softmax")
    assert len(lab.train.probabilities(of_shapes[0])) == 8
    lab.train.stop()


def test_double_click_unpins_also_while_training(quick_lab):
    lab = quick_lab
    lab.train.start()
    lab.train.wait_iterations(5)
    bars = page(lab).watching.probabilities
    lab.hands.wait(lambda: len(shown_pins(lab)) == 6, "all cards")
    first, *others = shown_pins(lab)
    lab.hands.click(bars, bars._rectangle(0).center().toPoint(), times=2)
    lab.hands.wait(lambda: shown_pins(lab) == tuple(others), "one card less")
    assert first not in lab.lab.control.pins
    lab.lab.session.pin(others[0], False)
    for pin in others[1:]:
        lab.lab.session.pin(pin, False)
    lab.hands.wait(lambda: "No picture is pinned" in lab.hands.text("train.pins"), "what to do next")


def test_the_line_below_says_how_the_loss_went(quick_lab):
    lab = quick_lab
    assert lab.train.says() == "Press Train to begin."
    lab.lab.session.edit("training.epochs", 4)
    lab.train.start().wait_done()
    loss = lab.train.history.loss.values
    last = lab.train.history.smooth.values[-1]
    assert f"Loss fell from {figure(loss[0])} to {figure(last)}" in lab.train.says()
    assert f"in epoch {lab.train.history.best_epoch}." in lab.train.says()
