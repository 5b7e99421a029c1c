"""The softmax ladder: its numbers are torch's, its words are true, and they have room."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from torch import nn

from gui_lab.core.looks import NO_LABEL, Probed
from gui_lab.core.softmax import Steps
from gui_lab.qt.theme import THEME, class_colour, colour
from gui_lab.qt.views import ladder as ladder_steps
from gui_lab.qt.views import ladder_table, ladder_words, over_time
from gui_lab.qt.views.ladder import Ladder

SHAPES = ("circle", "square", "a very long name of a class that fits nowhere")
SCORES = [[2.0, -1.0, 0.5], [0.1, 0.2, 0.3]]


@pytest.fixture
def ladder(qtbot):
    THEME.install(QApplication.instance())
    THEME.choose("light")
    made = Ladder()
    qtbot.addWidget(made)
    made.resize(320, 520)
    made.show()
    yield made
    THEME.choose("system")


def probed(rows, labels, *, ends_in="scores", channels=1, factor=1.0) -> Probed:
    """What a probe finds where these leave the network; the indices are 10, 11, ..."""
    outputs, known = torch.tensor(rows, dtype=torch.float32), torch.tensor([one for one in labels if one >= 0])
    minus_max = outputs - outputs.amax(1, keepdim=True)
    exps = minus_max.exp()
    steps = Steps(*(one.numpy() for one in (outputs, minus_max, exps, exps.sum(1), outputs.softmax(1))))
    missing = np.full(len(rows) - len(known), np.nan, np.float32)
    scores = outputs[: len(known)]
    cross_entropy = nn.CrossEntropyLoss(reduction="none")(scores, known) if len(known) else torch.zeros(0)
    nll = nn.NLLLoss(reduction="none")(nn.LogSoftmax(1)(scores), known) if len(known) else torch.zeros(0)
    pictures = np.linspace(-1, 1, len(rows) * channels * 64, dtype=np.float32).reshape(len(rows), channels, 8, 8)
    cross_entropy, nll = np.append(cross_entropy.numpy(), missing), np.append(nll.numpy(), missing)
    indices = tuple(10 + place if label >= 0 else -1 - place for place, label in enumerate(labels))
    return Probed(
        1, 5, 5, indices, np.array(labels), pictures, -1.0, 1.0, ends_in, outputs.numpy(), steps.probabilities, steps,
        cross_entropy, nll, cross_entropy * np.float32(factor), "CrossEntropyLoss",
    )  # fmt: skip


def painted(ladder: Ladder, tone: QColor) -> int:
    """How many pixels have exactly this colour."""
    ladder.layout().activate()
    picture = ladder.steps.grab().toImage()
    points = ((x, y) for x in range(picture.width()) for y in range(picture.height()))
    return sum(picture.pixel(x, y) == tone.rgb() for x, y in points)


# numbers


def test_every_step_is_written_as_torch_took_it(ladder):
    ladder.show_probed(probed(SCORES, [0, 1]), 10, SHAPES)
    said = ladder.said()
    assert [(row.name, row.score, row.minus_max, row.exp, row.probability) for row in said.rows] == [
        ("circle", "2.00", "0.00", "1.0000", "0.7856"),
        ("square", "−1.00", "−3.00", "0.0498", "0.0391"),
        (SHAPES[2], "0.50", "−1.50", "0.2231", "0.1753"),
    ]
    assert said.sums == ("1.2729", "1.0000")
    assert said.true == 0
    assert said.surprise == f"{-math.log(0.7856):.4f}" == "0.2413"
    assert (said.guess, said.right, said.rest) == (("circle", "0.7856"), True, None)
    assert [row.part for row in said.rows] == pytest.approx([0.7856, 0.0391, 0.1753], abs=1e-4)


def test_cross_entropy_is_log_softmax_and_nll_and_both_numbers_stand_there(ladder):
    seen = probed(SCORES, [0, 1], factor=2)
    ladder.show_probed(seen, 11, SHAPES)
    said = ladder.said()
    assert said.cross_entropy == said.nll == said.surprise == f"{seen.cross_entropy[1]:.4f}"
    assert said.agree is True
    assert said.right is False
    assert said.loss == ("CrossEntropyLoss", f"{2 * seen.cross_entropy[1]:.4f}")
    assert painted(ladder, colour("best")) > 0
    seen.nll[1] += 0.001
    ladder.show_probed(seen, 11, SHAPES)
    assert ladder.said().agree is False


def test_a_temperature_rescales_the_scores_and_says_so(ladder, qtbot):
    seen = probed(SCORES, [0, 1])
    ladder.show_probed(seen, 10, SHAPES)
    own = ladder.said()
    assert not ladder.note.isVisible()
    ladder.slider.setValue(ladder.slider.maximum())
    assert ladder.temperature == 10
    said = ladder.said()
    expected = (torch.tensor(SCORES[0]) / 10).softmax(0)
    assert [row.part for row in said.rows] == pytest.approx(expected.tolist(), rel=1e-5)
    assert said.rows[0].score == "0.20"
    assert said.score == "score / T"
    assert said.surprise == f"{-expected[0].log():.4f}"
    assert said.cross_entropy == own.cross_entropy
    assert "Divided by T = 10.0" in ladder.note.text()
    assert ladder.note.isVisible()
    ladder.slider.setValue(ladder.slider.minimum())
    assert ladder.temperature == pytest.approx(0.1)
    assert ladder.degree.text() == "0.10"
    ladder.reset.click()
    assert ladder.said() == own
    assert not ladder.reset.isEnabled()


def test_the_keyboard_turns_the_temperature(ladder, qtbot):
    ladder.show_probed(probed(SCORES, [0, 1]), 10, SHAPES)
    before = ladder.said()
    QTest.keyClick(ladder.slider, Qt.Key.Key_Right)
    assert 1 < ladder.temperature < 1.05
    assert ladder.said() != before
    QTest.keyClick(ladder.slider, Qt.Key.Key_Left)
    assert ladder.temperature == 1
    assert ladder.said() == before


@pytest.mark.parametrize("classes", [11, 1000])
def test_of_many_classes_the_rest_is_one_line_and_everything_adds_up(ladder, classes):
    rows = np.random.default_rng(0).normal(0, 2, (1, classes)).astype(np.float32)
    least = int(rows.argmin())
    ladder.show_probed(probed(rows.tolist(), [least]), 10, tuple(f"class {one}" for one in range(classes)))
    said = ladder.said()
    assert len(said.rows) == 10
    assert said.rows[said.true].label == least
    assert [row.label for row in said.rows] == sorted(row.label for row in said.rows)
    strongest = set(np.argsort(-rows[0])[:9].tolist())
    assert strongest <= {row.label for row in said.rows}
    assert said.rest.name == f"{classes - 10:,} others"
    assert sum(row.part for row in (*said.rows, said.rest)) == pytest.approx(1, abs=1e-5)
    assert sum(float(row.exp) for row in (*said.rows, said.rest)) == pytest.approx(float(said.sums[0]), abs=0.01)
    assert painted(ladder, colour("training")) > 0


def test_two_classes_and_a_single_picture_are_enough(ladder):
    ladder.show_probed(probed([[0.0, 0.0]], [1]), 10, ("no", "yes"))
    assert [row.probability for row in ladder.said().rows] == ["0.5000", "0.5000"]
    assert ladder.said().surprise == f"{math.log(2):.4f}"


def test_a_picture_of_ones_own_has_no_true_class_and_no_loss(ladder):
    ladder.show_probed(probed(SCORES, [0, NO_LABEL]), -2, SHAPES)
    said = ladder.said()
    assert (said.true, said.right, said.agree) == (None, None, None)
    assert {said.surprise, said.cross_entropy, said.nll, said.loss[1]} == {"–"}
    assert "no true class" in ladder.note.text()
    assert painted(ladder, colour("best")) == 0


@pytest.mark.parametrize(("ends_in", "head"), [("LogSoftmax", "log p"), ("Softmax", "output")])
def test_what_leaves_the_network_is_called_what_it_is(ladder, ends_in, head):
    outputs = torch.tensor(SCORES)
    outputs = outputs.log_softmax(1) if ends_in == "LogSoftmax" else outputs.softmax(1)
    ladder.show_probed(probed(outputs.tolist(), [0, 1], ends_in=ends_in), 10, SHAPES)
    assert ladder.said().score == head
    assert ladder.said().rows[0].probability == ("0.7856" if ends_in == "LogSoftmax" else "0.4957")
    assert f"ends in {ends_in}" in ladder.note.text()


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_never_drawn_as_one(ladder, wrong):
    ladder.show_probed(probed([[wrong, 1.0, 0.0], [0.0, 1.0, 2.0]], [0, 1]), 10, SHAPES)
    said = ladder.said()
    if wrong != -math.inf:
        assert {row.probability for row in said.rows if row.part == 0} <= {"–", "0.0000"}
        assert said.right is None
        assert said.agree is None
    else:
        assert (said.cross_entropy, said.agree) == ("∞", True)
    ladder.slider.setValue(50)
    assert not ladder.grab().isNull()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.00"), (-0.001, "0.00"), (-12.345, "−12.35"), (999.99, "999.99"), (-1234.5, "−1234"), (-3.21e7, "−3.2e7"),
     (math.nan, "–"), (math.inf, "∞"), (-math.inf, "−∞")],
)  # fmt: skip
def test_scores_have_two_decimals_as_long_as_there_is_room(value, text):
    assert ladder_words.score(value) == text


# the view


def test_a_guess_that_grows_surer_has_its_new_number_drawn(ladder):
    first = probed([[2.0, -1.0, 0.5]], [0])
    ladder.show_probed(first, 10, SHAPES)
    ladder.layout().activate()
    ladder.grab()
    head = ladder.steps.rect().adjusted(0, 0, 0, -(ladder.steps.height() - 64))
    for surer in ([3.0, -1.0, 0.5], [4.0, -1.0, 0.5]):
        before = ladder.steps.grab(head).toImage()
        ladder.show_probed(replace(probed([surer], [0]), pictures=first.pictures), 10, SHAPES)
        news = ladder.steps.grab(head).toImage()
        assert news != before
        ladder.steps._painted = None
        assert ladder.steps.grab(head).toImage() == news


def test_before_there_is_anything_it_says_what_to_do(ladder):
    assert ladder.said() is None
    assert not ladder.grab().isNull()
    ladder.show_probed(probed(SCORES, [0, 1]), 10, SHAPES)
    full = ladder.steps.sizeHint().height()
    ladder.show_probed(probed(SCORES, [0, 1]), 99, SHAPES)  # not among those that were looked at
    assert ladder.said() is None
    assert ladder.steps.sizeHint().height() < full
    ladder.show_probed(None, None, ())
    assert ladder.said() is None


def test_bars_are_as_long_as_probabilities_and_the_true_one_is_green(ladder):
    ladder.resize(500, 520)
    greens = []
    for first in (0.0, 2.0, 20.0):
        ladder.show_probed(probed([[first, 0.0, 0.0]], [0]), 10, SHAPES)
        greens.append(painted(ladder, colour("best")))
    assert greens[0] < greens[1] < greens[2]


@pytest.mark.parametrize("width", [210, 250, 320, 500])
@pytest.mark.parametrize("classes", [3, 1000])
def test_nothing_is_written_over_something_else_at_any_width(ladder, monkeypatch, width, classes):
    drawn = []
    elided = ladder_table.elided

    def note(painter, text, room):
        words = elided(painter, text, room)
        drawn.append((painter.fontMetrics().horizontalAdvance(words), room))
        return words

    for module in (ladder_steps, ladder_table):
        monkeypatch.setattr(module, "elided", note)
    names = SHAPES if classes == 3 else tuple(f"class {one} with a name" for one in range(classes))
    rows = np.random.default_rng(1).normal(0, 30, (1, classes)).tolist()
    ladder.resize(width, 600)
    ladder.show_probed(probed(rows, [1]), 10, names)
    ladder.layout().activate()
    ladder.grab()
    assert ladder.steps.width() == width
    assert len(drawn) > 8
    assert all(words <= room for words, room in drawn if words)
    assert ladder.steps.height() >= ladder.steps.sizeHint().height()
    last = ladder.steps.grab(ladder.steps.rect().adjusted(0, ladder.steps.height() - 4, 0, 0)).toImage()
    assert {last.pixel(x, y) for x in range(last.width()) for y in range(last.height())} == {last.pixel(0, 0)}


@pytest.mark.parametrize("channels", [1, 3])
def test_the_picture_is_drawn_with_signed_colours_and_made_once(ladder, monkeypatch, channels):
    from gui_lab.qt.views import ladder as module

    made = []
    image_of = module.image_of
    monkeypatch.setattr(module, "image_of", lambda *given, **named: made.append(given) or image_of(*given, **named))
    seen = probed(SCORES, [0, 1], channels=channels)
    for _ in range(3):
        ladder.show_probed(seen, 10, SHAPES)
        ladder.grab()
    assert len(made) == 1
    assert np.array_equal(made[0][0], seen.pictures[0])
    assert made[0][1:] == (-1, 1)
    assert painted(ladder, QColor(33, 102, 172)) > 0  # the lowest value
    THEME.choose("dark")
    ladder.grab()
    assert len(made) == 2


def test_it_is_read_aloud(ladder):
    ladder.show_probed(probed(SCORES, [0, 1]), 10, SHAPES)
    words = ladder.steps.accessibleDescription()
    assert "circle: score 2.00, p 0.7856" in words
    assert "true: circle, minus log p 0.2413" in words
    ladder.show_probed(None, None, ())
    assert ladder.steps.accessibleDescription() == ""


# over the run


def column(image, x: int) -> list[int]:
    """The colours of a column of pixels from the bottom up."""
    return [image.pixel(x, y) for y in reversed(range(image.height()))]


@pytest.fixture
def light():
    THEME.install(QApplication.instance())
    THEME.choose("light")
    yield
    THEME.choose("system")


@pytest.mark.usefixtures("qapp", "light")
def test_the_true_class_lies_at_the_bottom_in_its_full_colour_under_a_line():
    means = np.array([[0.25, 0.5, 0.25], [0.0, 1.0, 0.0], [0.5, 0.0, 0.5]], np.float32)
    image = over_time.stacked(means, 1, 20)
    assert (image.width(), image.height()) == (3, 20)
    mine, line = class_colour(1).rgba(), colour("text").rgba()
    bottom = column(image, 0)
    assert bottom[:9] == [mine] * 9
    assert bottom[9] == line
    assert len(set(bottom[10:15])) == len(set(bottom[15:])) == 1
    assert bottom[10] != bottom[15]
    assert column(image, 1) == [mine] * 19 + [line]
    assert mine not in column(image, 2)


@pytest.mark.usefixtures("qapp", "light")
def test_where_nobody_looked_there_is_nothing_and_where_nobody_knows_all_have_their_colours():
    means = np.array([[np.nan, np.nan], [0.5, 0.5]], np.float32)
    image = over_time.stacked(means, -1, 10)
    assert set(column(image, 0)) == {0}
    assert column(image, 1) == [class_colour(0).rgba()] * 5 + [class_colour(1).rgba()] * 5


@pytest.mark.usefixtures("qapp", "light")
def test_of_many_classes_the_strongest_have_colours_and_the_rest_is_neutral():
    means = np.full((4, 1000), 0.0005, np.float32)
    means[:, [7, 500]] = 0.25
    assert set(over_time.layers(means, 999)) >= {999, 7, 500}
    assert over_time.layers(means, 999)[0] == 999
    assert len(over_time.layers(means, 999)) == over_time.LAYERS
    assert column(over_time.stacked(means, 999, 20), 0)[-1] == colour("line").rgba()


@pytest.mark.usefixtures("qapp", "light")
def test_the_colour_of_a_class_is_its_own_on_both_grounds():
    for scheme in ("light", "dark"):
        THEME.choose(scheme)
        assert len({class_colour(label).name() for label in range(30)}) == 30


@pytest.mark.parametrize("width", [220, 320, 420])
def test_what_is_painted_of_the_news_is_what_all_of_it_painted_anew_would_be(ladder, width):
    ladder.resize(width, 520)
    random = np.random.default_rng(1)
    for step in range(20):
        scores = random.normal(0, 3, (2, 3)).tolist()
        scores[0][2] = -50.0  # never anything but 0
        ladder.show_probed(probed(scores, [0, 1], factor=1.0 if step % 3 else 1.5), 10 + step % 2, SHAPES)
        QApplication.processEvents()
        news = ladder.steps.grab().toImage()
        ladder.steps._painted = None
        assert news == ladder.steps.grab().toImage(), step


def test_rows_whose_numbers_stay_are_not_painted_again(ladder):
    first = probed(SCORES, [0, 1])
    ladder.show_probed(first, 10, SHAPES)
    for _ in range(5):  # it asks for more room first
        QApplication.processEvents()
    painted = []

    class Regions(QObject):
        def eventFilter(self, watched, event):
            if event.type() == QEvent.Type.Paint:
                painted.append(event.region())
            return False

    watcher = Regions()
    ladder.steps.installEventFilter(watcher)
    ladder.show_probed(replace(probed(SCORES, [0, 1]), pictures=first.pictures), 10, SHAPES)
    QApplication.processEvents()
    assert painted == []
    other = probed([[2.0, -1.0, 0.6], SCORES[1]], [0, 1])
    ladder.show_probed(replace(other, pictures=first.pictures), 10, SHAPES)
    QApplication.processEvents()
    (region,) = painted
    assert not region.boundingRect().contains(ladder.steps.rect())
