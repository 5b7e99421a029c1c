"""The generated form: what each kind of knob becomes, what leaves it, and what stays in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pytest
from pydantic import Field, model_validator
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui_lab.qt.form import Form
from gui_lab.qt.views.number_box import NumberBox
from gui_lab.schema import FieldError, Problem, Repair, Spec, knob


class Recipe(Spec):
    """A spec with a knob of every kind."""

    epochs: int = knob(10, "How often.", unit="times", ge=1, le=10_000)
    seed: int = knob(1, "Where chance starts.", ge=0, le=2**31)
    lr: float = knob(0.001, "Length of a step.", gt=0, le=1e10)
    eps: float = knob(1e-8, "Keeps from dividing by zero.", ge=0, le=1)
    p: float = knob(0.5, "How probable.", ge=0, le=1, felt=True)
    rate: float = knob(0.01, "How fast.", ge=0.001, le=10, felt=True)
    shuffled: bool = knob(True, "In another order each time.")
    mode: Literal["edge", "reflect"] = knob("edge", "What the border shows.")
    channels: Literal[1, 3] = knob(1, "Grey or colour.")
    size: Annotated[int, Field(ge=1)] | tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = knob(
        28, "Height and width.", unit="px"
    )
    degrees: Annotated[float, Field(ge=0, le=360)] | tuple[float, float] = knob(10.0, "The angle.", felt=True)
    hidden: tuple[Annotated[int, Field(ge=1)], ...] = knob((128,), "Units of each layer.")
    longest: Annotated[int, Field(ge=1, le=99)] | None = knob(None, "No longer than this.")
    note: str = knob("", "A word.", max_length=20)
    root: Path | None = knob(None, "A folder.")
    numbers: Path | None = knob(None, "A file.", files="*.npy")
    unlisted: bool = knob(True, "Has its place elsewhere.", listed=False)


class Pair(Spec):
    """Two fields that must agree."""

    mean: tuple[float, ...] = knob((0.5,), "Means.")
    std: tuple[float, ...] = knob((0.5,), "Deviations.")

    @model_validator(mode="after")
    def _as_many(self) -> Self:
        if len(self.mean) != len(self.std):
            raise FieldError("std", f"{len(self.mean)} means, {len(self.std)} deviations.")
        return self


@pytest.fixture
def form(qtbot: Any) -> Form:
    form = Form("training")
    qtbot.addWidget(form)
    form.resize(320, 700)
    form.show_spec(Recipe())
    form.show()
    form.activateWindow()
    QTest.qWaitForWindowActive(form)
    form.heard = []  # type: ignore[attr-defined]
    form.edited.connect(lambda path, value: form.heard.append((path, value)))
    return form


def editor(form: Form, field: str) -> Any:
    found = [widget for widget in form.findChildren(QWidget) if widget.objectName() == f"{form.prefix}.{field}"]
    assert len(found) == 1
    return found[0]


def part(form: Form, name: str, kind: type[Any] = QWidget) -> Any:
    return form.findChild(kind, f"{form.prefix}.{name}")


def type_into(widget: Any, text: str, *, enter: bool = True) -> None:
    widget.setFocus()
    widget.selectAll()
    QTest.keyClicks(widget, text)
    if enter:
        QTest.keyClick(widget, Qt.Key.Key_Return)


def lines(form: Form, field: str) -> list[str]:
    found = form.findChildren(QLabel, f"{form.prefix}.{field}.problem")
    return [line.text() for line in found if line.isVisible()]


def test_each_kind_of_knob_has_its_editor_and_shows_its_value(form: Form) -> None:
    kinds = {"epochs": NumberBox, "lr": NumberBox, "shuffled": QCheckBox, "mode": QComboBox, "size": QLineEdit,
             "note": QLineEdit, "root": QLineEdit, "longest": QLineEdit}  # fmt: skip
    assert all(isinstance(editor(form, field), kind) for field, kind in kinds.items())
    assert editor(form, "epochs").text() == "10\u2009times"
    assert (editor(form, "lr").text(), editor(form, "eps").text()) == ("0.001", "1e-08")
    assert (editor(form, "size").text(), editor(form, "hidden").text()) == ("28", "128")
    assert (editor(form, "longest").text(), editor(form, "longest").placeholderText()) == ("", "none")
    assert part(form, "unlisted") is None


def test_only_some_fields_are_shown_when_asked_for(qtbot: Any) -> None:
    form = Form("training", only=("lr",))
    qtbot.addWidget(form)
    form.show_spec(Recipe())
    assert part(form, "lr") is not None
    assert part(form, "epochs") is None


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        ("epochs", "1,438", 1438),
        ("seed", "2147483648", 2**31),
        ("lr", "1e-08", 1e-8),
        ("lr", "0,25", 0.25),
        ("eps", "0.0000123456789", 1.23456789e-5),
        ("size", "32", 32),
        ("size", "28, 32", (28, 32)),
        ("size", "28 x 32", (28, 32)),
        ("size", "(28×32)", (28, 32)),
        ("hidden", "64", (64,)),
        ("hidden", "64 32 16", (64, 32, 16)),
        ("longest", "40", 40),
        ("note", "hello", "hello"),
    ],
)
def test_what_is_typed_leaves_as_a_plain_value(form: Form, field: str, typed: str, value: Any) -> None:
    type_into(editor(form, field), typed)
    assert form.heard == [(f"training.{field}", value)]  # type: ignore[attr-defined]
    assert type(form.heard[0][1]) is type(value)  # type: ignore[attr-defined]


def test_typing_says_nothing_before_it_is_finished(form: Form) -> None:
    type_into(editor(form, "epochs"), "25", enter=False)
    type_into(editor(form, "size"), "3", enter=False)
    assert form.heard == [("training.epochs", 25)]  # type: ignore[attr-defined]  # left for the next editor
    QTest.keyClicks(editor(form, "size"), "2")
    editor(form, "lr").setFocus()
    assert form.heard[1:] == [("training.size", 32)]  # type: ignore[attr-defined]


def test_steps_and_clicks_act_at_once(form: Form) -> None:
    epochs = editor(form, "epochs")
    epochs.setFocus()
    QTest.keyClick(epochs, Qt.Key.Key_Up)
    editor(form, "shuffled").click()
    mode = editor(form, "mode")
    mode.setFocus()
    QTest.keyClick(mode, Qt.Key.Key_Down)
    channels = editor(form, "channels")
    channels.setFocus()
    QTest.keyClick(channels, Qt.Key.Key_Down)
    assert form.heard == [  # type: ignore[attr-defined]
        ("training.epochs", 11), ("training.shuffled", False), ("training.mode", "reflect"), ("training.channels", 3),
    ]  # fmt: skip


def test_a_learning_rate_is_stepped_along_the_decades(form: Form) -> None:
    lr = editor(form, "lr")
    lr.setFocus()
    for _ in range(4):
        QTest.keyClick(lr, Qt.Key.Key_Up)
    for _ in range(5):
        QTest.keyClick(lr, Qt.Key.Key_Down)
    assert [value for _, value in form.heard] == [  # type: ignore[attr-defined]
        0.002, 0.005, 0.01, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005,
    ]  # fmt: skip


def test_the_arrows_stop_at_the_bounds(form: Form) -> None:
    epochs = editor(form, "epochs")
    type_into(epochs, "2")
    for _ in range(3):
        QTest.keyClick(epochs, Qt.Key.Key_Down)
    assert epochs.plain() == 1
    probability = editor(form, "p")
    type_into(probability, "0.995")
    QTest.keyClick(probability, Qt.Key.Key_Up)
    assert probability.plain() == 1


def test_what_is_felt_has_a_slider_that_moves_with_its_box(form: Form) -> None:
    slider = part(form, "p.slider", QSlider)
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert form.heard == [("training.p", 0.51)]  # type: ignore[attr-defined]
    assert editor(form, "p").text() == "0.51"
    type_into(editor(form, "p"), "0.2")
    assert slider.value() == 20
    assert part(form, "lr.slider") is None


def test_what_is_felt_over_powers_of_ten_has_a_slider_that_gives_each_the_same_room(form: Form) -> None:
    slider = part(form, "rate.slider", QSlider)
    assert (slider.minimum(), slider.value(), slider.maximum()) == (0, 50, 200)
    for wanted in (0.0105, 0.011, 0.0115):
        QTest.keyClick(slider, Qt.Key.Key_Right)
        assert part(form, "rate", NumberBox).value() == pytest.approx(wanted, rel=0.01)
    slider.setValue(slider.maximum())
    assert part(form, "rate", NumberBox).value() == 10


def test_a_pair_of_angles_has_no_place_on_the_slider(form: Form) -> None:
    slider = part(form, "degrees.slider", QSlider)
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert form.heard == [("training.degrees", 11.0)]  # type: ignore[attr-defined]
    type_into(editor(form, "degrees"), "-5, 20")
    assert form.heard[-1] == ("training.degrees", (-5.0, 20.0))  # type: ignore[attr-defined]
    assert not slider.isEnabled()


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("epochs", "0", "greater than or equal to 1"),
        ("lr", "-1", "greater than 0"),
        ("size", "0", "greater than or equal to 1"),
        ("size", "big", "Not a number: big."),
        ("longest", "100", "less than or equal to 99"),
        ("note", "far more than twenty letters", "20"),
    ],
)
def test_what_does_not_fit_stays_and_is_explained_under_its_field(
    form: Form, field: str, typed: str, words: str
) -> None:
    type_into(editor(form, field), typed)
    assert form.heard == []  # type: ignore[attr-defined]
    assert words in lines(form, field)[0]
    form.show_spec(Recipe())
    assert editor(form, field).text().startswith(typed)
    assert lines(form, field)


def test_a_value_that_fits_takes_its_red_line_away(form: Form) -> None:
    type_into(editor(form, "epochs"), "0")
    type_into(editor(form, "epochs"), "7")
    assert form.heard == [("training.epochs", 7)]  # type: ignore[attr-defined]
    assert lines(form, "epochs") == []


def test_going_back_to_the_old_value_takes_the_red_line_away_and_says_nothing(form: Form) -> None:
    type_into(editor(form, "epochs"), "0")
    type_into(editor(form, "epochs"), "10")
    assert form.heard == []  # type: ignore[attr-defined]
    assert lines(form, "epochs") == []


def test_fields_that_fit_only_together_leave_together(qtbot: Any) -> None:
    form = Form("transforms.1")
    qtbot.addWidget(form)
    form.show_spec(Pair())
    form.show()
    heard = []
    form.edited.connect(lambda path, value: heard.append((path, value)))
    type_into(editor(form, "mean"), "0.1, 0.2, 0.3")
    assert heard == []
    assert lines(form, "std") == ["3 means, 1 deviations."]
    type_into(editor(form, "std"), "1, 2, 3")
    assert heard == [("transforms.1", Pair(mean=(0.1, 0.2, 0.3), std=(1, 2, 3)))]
    assert lines(form, "std") == []


def test_values_from_outside_are_shown_silently(form: Form) -> None:
    before = editor(form, "lr")
    form.show_spec(Recipe(lr=0.5, p=0.25, mode="reflect", size=(4, 5), shuffled=False))
    assert editor(form, "lr") is before
    assert (before.text(), editor(form, "size").text()) == ("0.5", "4, 5")
    assert editor(form, "mode").currentText() == "reflect"
    assert part(form, "p.slider", QSlider).value() == 25
    assert not editor(form, "shuffled").isChecked()
    assert form.heard == []  # type: ignore[attr-defined]


def test_an_editor_that_is_typed_in_is_not_disturbed(form: Form) -> None:
    size = editor(form, "size")
    type_into(size, "3", enter=False)
    form.show_spec(Recipe(size=99, epochs=3))
    assert size.text() == "3"
    QTest.keyClicks(size, "2")
    QTest.keyClick(size, Qt.Key.Key_Return)
    assert form.heard == [("training.size", 32)]  # type: ignore[attr-defined]


def test_undoing_a_change_of_the_field_replaces_a_refused_text(form: Form) -> None:
    type_into(editor(form, "epochs"), "0")
    form.show_spec(Recipe(epochs=5))
    assert editor(form, "epochs").plain() == 5
    assert lines(form, "epochs") == []


def test_problems_appear_under_their_field_and_those_of_the_whole_at_the_top(form: Form) -> None:
    repair = Repair("Use 16", "training.epochs", 16)
    chosen: list[Repair] = []
    form.repair_chosen.connect(chosen.append)
    form.show_problems(
        [
            Problem("training.epochs", "Too many.", (repair,)),
            Problem("training", "All of it."),
            Problem("model", "Elsewhere."),
        ]
    )
    assert lines(form, "epochs") == ["Too many."]
    assert [line.text() for line in form.findChildren(QLabel, "training.problem")] == ["All of it."]
    QTest.mouseClick(part(form, "epochs.repair.0"), Qt.MouseButton.LeftButton)
    assert chosen == [repair]
    form.show_problems([])
    assert lines(form, "epochs") == []


def test_reset_appears_when_a_value_differs_and_takes_it_back(form: Form) -> None:
    reset = part(form, "epochs.reset", QToolButton)
    assert not reset.isVisible()
    type_into(editor(form, "epochs"), "12")
    assert reset.isVisible()
    QTest.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert form.heard[-1] == ("training.epochs", 10)  # type: ignore[attr-defined]
    assert (editor(form, "epochs").plain(), reset.isVisible()) == (10, False)


def test_an_empty_optional_field_is_none(form: Form) -> None:
    form.show_spec(Recipe(longest=40))
    type_into(editor(form, "longest"), " ")
    assert form.heard == [("training.longest", None)]  # type: ignore[attr-defined]


def test_help_appears_for_the_field_one_is_in_without_moving_anything(form: Form) -> None:
    text = form.findChild(QLabel, "training.help")
    tall = form.sizeHint().height()
    editor(form, "lr").setFocus()
    assert text.text() == "Length of a step."
    assert form.sizeHint().height() == tall
    assert editor(form, "lr").accessibleDescription() == "Length of a step."


def test_fields_may_be_chosen_and_put_in_order(qtbot: Any) -> None:
    form = Form("training", only=("seed", "lr", "epochs"), first=("lr", "epochs"))
    qtbot.addWidget(form)
    form.show_spec(Recipe())
    form.show()
    fields = ("lr", "epochs", "seed")
    qtbot.waitUntil(lambda: editor(form, "seed").mapTo(form, QPoint()).y() > 40)
    tops = [editor(form, field).mapTo(form, QPoint()).y() for field in fields]
    assert tops == sorted(tops)
    assert form.findChild(QWidget, "training.note") is None


def test_help_can_be_shown_elsewhere(qtbot: Any) -> None:
    form = Form("training", foot=False)
    qtbot.addWidget(form)
    form.show_spec(Recipe())
    form.show()
    form.activateWindow()
    QTest.qWaitForWindowActive(form)
    said: list[str] = []
    form.explained.connect(said.append)
    editor(form, "lr").setFocus()
    assert said[-1] == "Length of a step."
    assert form.help_of(editor(form, "seed")) == "Where chance starts."
    assert form.help_of(form) == form.help_of(None) == ""
    assert not form.findChild(QLabel, "training.help").isVisible()


def test_a_name_that_leaves_its_editor_no_room_stands_above_it(qtbot: Any) -> None:
    class Long(Spec):
        """One long name among short ones."""

        p: float = knob(0.5, "How probable.", ge=0, le=1, felt=True)
        initial_accumulator_value: float = knob(0.0, "A start.")

    form = Form("optimizer", room=200)
    qtbot.addWidget(form)
    form.show_spec(Long())
    form.resize(200, 300)
    form.show()
    qtbot.waitUntil(lambda: form.minimumSizeHint().width() <= 200)
    long, name = editor(form, "initial_accumulator_value"), _name_of(form, "initial_accumulator_value")
    qtbot.waitUntil(lambda: name.mapTo(form, QPoint(0, name.height())).y() <= long.mapTo(form, QPoint()).y())
    short, name = editor(form, "p"), _name_of(form, "p")
    assert abs(name.mapTo(form, name.rect().center()).y() - short.mapTo(form, short.rect().center()).y()) <= 2


def _name_of(form: Form, field: str) -> QLabel:
    return next(label for label in form.findChildren(QLabel) if label.text() == field)


def test_what_stands_beside_a_field_stays_when_editors_are_made_anew(qtbot: Any) -> None:
    form, button = Form("optimizer"), QToolButton()
    qtbot.addWidget(form)
    form.put_beside("lr", button)
    form.show_spec(Recipe())
    form.show()

    class Other(Spec):
        """It has the field too."""

        lr: float = knob(0.1, "Length of a step.")

    for spec, seen in ((Other(), True), (Pair(), False), (Recipe(), True)):
        form.show_spec(spec)
        assert button.isVisible() == seen
        assert not seen or button.parent().isAncestorOf(editor(form, "lr"))  # type: ignore[union-attr]


def test_a_note_stands_under_its_editor(form: Form) -> None:
    form.set_note("epochs", "23 iterations per epoch")
    note = form.findChild(QLabel, "training.epochs.note")
    assert (note.text(), note.isVisible()) == ("23 iterations per epoch", True)
    form.set_note("epochs", "")
    assert not note.isVisible()


def test_the_wheel_is_left_to_the_page_unless_the_editor_has_the_focus(form: Form) -> None:
    editor(form, "note").setFocus()
    taken = [_turn(widget) for widget in (editor(form, "epochs"), part(form, "p.slider"), editor(form, "mode"))]
    assert taken == [False, False, False]
    assert form.heard == []  # type: ignore[attr-defined]
    editor(form, "epochs").setFocus()
    assert _turn(editor(form, "epochs"))
    assert form.heard == [("training.epochs", 9)]  # type: ignore[attr-defined]


def _turn(widget: QWidget) -> bool:
    """Turn the wheel over a widget; True if it took it."""
    where = QPointF(widget.rect().center())
    modifiers, phase = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(
        where, widget.mapToGlobal(where), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton, modifiers, phase, False
    )
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def test_a_folder_can_be_browsed_for(form: Form, qtbot: Any, tmp_path: Path) -> None:
    QTest.mouseClick(part(form, "root.browse"), Qt.MouseButton.LeftButton)
    dialog = form.findChild(QFileDialog)
    assert dialog.isVisible()
    dialog.fileSelected.emit(str(tmp_path))
    dialog.close()
    assert form.heard == [("training.root", tmp_path)]  # type: ignore[attr-defined]


def test_a_file_of_its_pattern_can_be_browsed_for(form: Form, tmp_path: Path) -> None:
    QTest.mouseClick(part(form, "numbers.browse"), Qt.MouseButton.LeftButton)
    dialog = form.findChild(QFileDialog)
    assert dialog.fileMode() == QFileDialog.FileMode.ExistingFile
    assert dialog.nameFilters() == ["*.npy"]
    dialog.fileSelected.emit(str(tmp_path / "mean.npy"))
    dialog.close()
    assert form.heard == [("training.numbers", tmp_path / "mean.npy")]  # type: ignore[attr-defined]


def test_another_class_or_prefix_makes_the_editors_anew(form: Form) -> None:
    form.prefix = "transforms.0"
    form.show_spec(Pair())
    assert form.findChild(QWidget, "training.epochs") is None
    assert editor(form, "mean").text() == "0.5"
    first = editor(form, "mean")
    form.prefix = "transforms.1"
    form.show_spec(Pair())
    assert editor(form, "mean") is not first


def test_it_holds_at_280_pixels(form: Form) -> None:
    assert form.minimumSizeHint().width() <= 280


def test_a_click_on_a_name_goes_to_its_editor(form: Form) -> None:
    names = {name.text(): name for name in form.findChildren(QLabel)}
    QTest.mouseClick(names["size"], Qt.MouseButton.LeftButton)
    assert editor(form, "size").hasFocus()
    QTest.mouseClick(names["shuffled"], Qt.MouseButton.LeftButton)
    assert form.heard == [("training.shuffled", False)]  # type: ignore[attr-defined]


def test_tab_goes_from_top_to_bottom_through_the_form_and_on(qtbot: Any) -> None:
    window, before, after = QWidget(), QLineEdit(), QLineEdit()
    qtbot.addWidget(window)
    form = Form("transforms.0")
    column = QVBoxLayout(window)
    for part in (before, form, after):
        column.addWidget(part)
    window.show()
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    form.show_spec(Recipe())
    form.prefix = "transforms.1"
    form.show_spec(Pair(mean=(0.25,)))
    form.show_problems([Problem("transforms.1.mean", "Odd.", (Repair("Mend", "transforms", ()),))])
    before.setFocus()
    seen = []
    for _ in range(5):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        seen.append(QApplication.focusWidget())
    assert [one.objectName() for one in seen[:-1]] == [
        "transforms.1.mean", "transforms.1.mean.reset", "transforms.1.mean.repair.0", "transforms.1.std",
    ]  # fmt: skip
    assert seen[-1] is after


class Filling(Spec):
    """Numbers, or a word in their place."""

    value: Annotated[float, Field(ge=0, le=1)] | Literal["random"] | tuple[float, ...] = knob(0.0, "What stands there.")


def test_a_word_may_stand_for_numbers(qtbot: Any) -> None:
    form = Form("transforms.0")
    qtbot.addWidget(form)
    form.show_spec(Filling())
    form.show()
    form.activateWindow()
    QTest.qWaitForWindowActive(form)
    heard: list[Any] = []
    form.edited.connect(lambda path, value: heard.append((path, value)))
    type_into(editor(form, "value"), "random ")
    assert heard == [("transforms.0.value", "random")]
    form.show_spec(Filling(value="random"))
    assert editor(form, "value").text() == "random"
    type_into(editor(form, "value"), "chance")
    assert lines(form, "value") == ["Not a number: chance."]
