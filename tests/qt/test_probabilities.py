"""Softmax bars: what a card says, which classes it shows, and that names and bars keep apart."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea

from gui_lab.core.trails import Trail, Trails
from gui_lab.qt.theme import THEME, class_colour, colour
from gui_lab.qt.views.pinned_card import Pinned
from gui_lab.qt.views.probabilities import Probabilities

ANIMALS = ("cat", "dog", "hippopotamus", "a very long name of a class that fits nowhere")


@pytest.fixture
def bars(qtbot):
    THEME.install(QApplication.instance())
    THEME.choose("light")
    made = Probabilities()
    qtbot.addWidget(made)
    made.resize(300, 400)
    made.show()
    yield made
    THEME.choose("system")


def pin(index: int, label: int) -> Pinned:
    image = QImage(64, 64, QImage.Format.Format_RGB32)
    image.fill(QColor("black"))
    return Pinned(index, image, label)


def count_of(picture: QImage, role: str, left: int = 0, right: int | None = None) -> int:
    """How many pixels have exactly the colour of a role, between two columns."""
    wanted = colour(role).rgb()
    columns = range(left, right if right is not None else picture.width())
    return sum(picture.pixel(x, y) == wanted for x in columns for y in range(picture.height()))


def test_each_card_says_what_the_network_thinks_and_whether_it_is_right(bars):
    bars.show_pictures([pin(7, 0), pin(9, 1)], ANIMALS)
    bars.show_probabilities((7, 9), np.array([[0.9, 0.1, 0, 0], [0.7, 0.2, 0.1, 0]], np.float32))
    assert bars.accessibleDescription() == "cat 90%, right; cat 70%, true: dog"
    assert np.allclose(bars.probabilities(7), [0.9, 0.1, 0, 0])
    bars.show_probabilities((7, 9), np.array([[0.9, 0.1, 0, 0], [0.2, 0.71, 0.09, 0]], np.float32))
    assert bars.accessibleDescription() == "cat 90%, right; dog 71%, right"


def test_the_true_class_is_green_and_a_wrong_guess_is_red(bars):
    bars.show_pictures([pin(0, 1)], ANIMALS)
    bars.show_probabilities((0,), np.array([[0.1, 0.8, 0.1, 0]], np.float32))
    right = bars.grab().toImage()
    assert count_of(right, "error") == 0
    assert count_of(right, "best") > 100
    bars.show_probabilities((0,), np.array([[0.7, 0.2, 0.1, 0]], np.float32))
    wrong = bars.grab().toImage()
    assert count_of(wrong, "error") > count_of(wrong, "best") > 50


def test_a_bar_is_as_long_as_its_probability(bars):
    bars.show_pictures([pin(0, 0)], ANIMALS)
    lengths = []
    for part in (0.25, 0.5, 1.0):
        bars.show_probabilities((0,), np.array([[part, 1 - part, 0, 0]], np.float32)[:, [0, 1, 2, 3]])
        lengths.append(count_of(bars.grab().toImage(), "best"))
    assert lengths[0] < lengths[1] < lengths[2]


def test_before_there_is_anything_cards_show_the_true_class_and_empty_bars(bars):
    bars.show_pictures([pin(3, 2)], ANIMALS)
    picture = bars.grab().toImage()
    assert bars.probabilities(3) is None
    assert count_of(picture, "best") == count_of(picture, "training") == 0
    assert count_of(picture, "raised") > 100
    bars.show_probabilities((3,), np.eye(4, dtype=np.float32)[:1])
    bars.show_probabilities((), np.zeros((0, 0), np.float32))
    assert bars.probabilities(3) is None


def test_of_many_classes_the_most_probable_and_the_true_one_are_shown(bars):
    names = tuple(f"class {number}" for number in range(100))
    row = np.full(100, 0.001, np.float32)
    row[[3, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59]] = 0.08
    card = pin(0, 99)
    bars.show_pictures([card], names)
    rows = bars._rows(card, row)
    assert len(rows) == 10
    assert 99 in rows
    assert rows == sorted(rows)
    assert set(rows) - {99} <= {3, *range(50, 60)}
    assert 99 in bars._rows(card, None)
    bars.show_probabilities((0,), row[None])
    assert not bars.grab().isNull()


def test_long_names_are_shortened_and_never_reach_the_bars(bars, monkeypatch):
    drawn: list[tuple[float, float]] = []
    elided = bars._elided

    def note(painter, text, width):
        words = elided(painter, text, width)
        drawn.append((painter.fontMetrics().horizontalAdvance(words), width))
        return words

    monkeypatch.setattr(bars, "_elided", note)
    for width in (240, 300, 700):
        bars.resize(width, 400)
        bars.show_pictures([pin(0, 0), pin(1, 3)], ANIMALS)
        bars.show_probabilities((0, 1), np.full((2, 4), 0.25, np.float32))
        bars.grab()
        for place in range(2):
            assert bars._rectangle(place).right() <= width
        assert bars._rectangle(0).intersects(bars._rectangle(1)) is False
    assert len(drawn) >= 3 * 8
    assert all(words <= room for words, room in drawn)


def test_a_name_that_fits_is_written_in_full(bars, monkeypatch):
    written = []
    elided = bars._elided
    monkeypatch.setattr(bars, "_elided", lambda *given: written.append(elided(*given)) or written[-1])
    bars.show_pictures([pin(0, 0)], ("circle", "triangle", "hexagon"))
    bars.grab()
    assert {"circle", "triangle", "hexagon"} <= set(written)


def test_cards_stand_in_as_many_columns_as_fit_and_the_height_follows(bars):
    bars.show_pictures([pin(0, 0)], ANIMALS)
    of_one = bars.heightForWidth(280)
    bars.show_pictures([pin(index, 0) for index in range(6)], ANIMALS)
    assert bars.heightForWidth(280) == 6 * of_one
    assert bars.heightForWidth(3 * 280) == 2 * of_one
    bars.resize(280, 100)
    assert bars.minimumHeight() == 6 * of_one


def test_double_click_on_a_card_asks_to_unpin_that_picture(bars):
    asked = []
    bars.unpin_wanted.connect(asked.append)
    bars.show_pictures([pin(11, 0), pin(22, 1)], ANIMALS)
    second = bars._rectangle(1).center().toPoint()
    QTest.mouseDClick(bars, Qt.MouseButton.LeftButton, pos=second)
    QTest.mouseDClick(bars, Qt.MouseButton.LeftButton, pos=QPoint(5, bars.height() - 1))
    assert asked == [22]


def test_values_of_pictures_that_left_are_forgotten(bars):
    bars.show_pictures([pin(1, 0), pin(2, 1)], ANIMALS)
    bars.show_probabilities((1, 2), np.full((2, 4), 0.25, np.float32))
    bars.show_pictures([pin(2, 1)], ANIMALS)
    assert bars.probabilities(1) is None
    assert bars.probabilities(2) is not None


# the chosen picture


@pytest.fixture
def chosen(bars):
    """Indices that were said to be chosen."""
    found = []
    bars.chosen.connect(found.append)
    return found


def test_there_is_always_a_chosen_picture_and_a_click_chooses_another(bars, chosen):
    assert bars.chosen_index is None
    bars.show_pictures([pin(11, 0), pin(22, 1), pin(33, 2)], ANIMALS)
    assert (bars.chosen_index, chosen) == (11, [11])
    QTest.mouseClick(bars, Qt.MouseButton.LeftButton, pos=bars._rectangle(2).center().toPoint())
    QTest.mouseClick(bars, Qt.MouseButton.LeftButton, pos=bars._rectangle(2).center().toPoint())
    assert chosen == [11, 33]
    bars.show_pictures([pin(11, 0), pin(22, 1)], ANIMALS)  # it was unpinned: its neighbour takes its place
    assert (bars.chosen_index, chosen) == (22, [11, 33, 22])
    bars.choose(99)
    assert bars.chosen_index == 22
    bars.show_pictures([], ANIMALS)
    assert bars.chosen_index is None


def test_arrow_keys_walk_the_cards_and_delete_unpins(bars, chosen):
    asked = []
    bars.unpin_wanted.connect(asked.append)
    bars.resize(560, 400)
    bars.show_pictures([pin(index, 0) for index in range(5)], ANIMALS)
    assert bars._columns(bars.width()) == 2
    keys = Qt.Key
    walk = [(keys.Key_Right, 1), (keys.Key_Down, 3), (keys.Key_Down, 3), (keys.Key_Left, 2), (keys.Key_Up, 0),
            (keys.Key_Left, 0), (keys.Key_End, 4), (keys.Key_Home, 0)]  # fmt: skip
    for key, place in walk:
        QTest.keyClick(bars, key)
        assert bars.chosen_index == place, key
    QTest.keyClick(bars, keys.Key_Delete)
    assert asked == [0]
    assert chosen == [0, 1, 3, 2, 0, 4, 0]


def test_the_chosen_card_has_a_ring_that_is_wider_with_the_keyboard_on_it(bars, qtbot):
    bars.show_pictures([pin(1, 0), pin(2, 1)], ANIMALS)
    bars.clearFocus()
    ring = count_of(bars.grab().toImage(), "accent")
    assert ring > 100
    bars.window().activateWindow()
    bars.setFocus()
    qtbot.waitUntil(bars.hasFocus)
    assert count_of(bars.grab().toImage(), "accent") > 1.5 * ring


def test_without_pictures_there_is_nothing_to_focus(bars):
    bars.show_pictures([pin(1, 0)], ANIMALS)
    assert bars.focusPolicy() == Qt.FocusPolicy.StrongFocus
    bars.show_pictures([], ANIMALS)
    assert bars.focusPolicy() == Qt.FocusPolicy.NoFocus


def test_a_card_that_is_chosen_by_key_comes_into_sight(qtbot):
    made, area = Probabilities(), QScrollArea()
    qtbot.addWidget(area)
    area.setWidgetResizable(True)
    area.setWidget(made)
    area.resize(300, 220)
    area.show()
    made.show_pictures([pin(index, 0) for index in range(8)], ANIMALS)
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() > 0)
    QTest.keyClick(made, Qt.Key.Key_End)
    card = made._rectangle(7).toRect()
    top = area.verticalScrollBar().value()
    assert top <= card.top()
    assert card.bottom() <= top + area.viewport().height() + 1


# own pictures, the run, and what is no number


def test_a_picture_of_ones_own_is_neither_right_nor_wrong(bars):
    own = Pinned(-1, pin(0, 0).image, -1, "mine.png")
    bars.show_pictures([own], ANIMALS)
    bars.show_probabilities((-1,), np.array([[0.1, 0.8, 0.1, 0]], np.float32))
    assert bars.accessibleDescription() == "dog 80%, mine.png"
    picture = bars.grab().toImage()
    assert count_of(picture, "error") == count_of(picture, "best") == 0
    assert count_of(picture, "training") > 100
    assert bars._rows(own, None) == [0, 1, 2, 3]


class Run:
    """A run in which the picture with index 1 went from the first class to the second."""

    def __init__(self) -> None:
        self.trail = Trail(4)
        for trained in range(1, 101):
            row = [1, 0, 0, 0] if trained <= 50 else [0, 1, 0, 0]
            self.trail.add(trained, np.array(row, np.float32))

    def of(self, index: int) -> Trail | None:
        return self.trail if index == 1 else None


def test_the_run_so_far_is_below_the_bars(bars):
    bars.show_pictures([pin(1, 1), pin(2, 1)], ANIMALS)
    values = np.full((2, 4), 0.25, np.float32)
    bars.show_probabilities((1, 2), values)
    before = bars.grab().toImage()
    bars.show_probabilities((1, 2), values, Run())
    picture = bars.grab().toImage()
    first, second = bars._rectangle(0), bars._rectangle(1)
    y = round(first.bottom()) - 20
    mine = class_colour(1).rgb()
    assert picture.pixel(round(first.left()) + 12, y) != mine
    assert picture.pixel(round(first.right()) - 12, y) == mine
    assert before.copy(second.toRect()) == picture.copy(second.toRect())
    bars.show_probabilities((), np.zeros((0, 0), np.float32))
    assert bars.grab().toImage().pixel(round(first.right()) - 12, y) == colour("raised").rgb()


def test_what_is_no_number_is_not_drawn_as_one(bars):
    bars.show_pictures([pin(1, 1)], ANIMALS)
    bars.show_probabilities((1,), np.full((1, 4), np.nan, np.float32))
    assert bars.accessibleDescription() == "no numbers"
    picture = bars.grab().toImage()
    assert count_of(picture, "best") == count_of(picture, "error") == count_of(picture, "training") == 0


def test_what_is_painted_of_the_news_is_what_all_of_it_painted_anew_would_be(bars, qtbot):
    random = np.random.default_rng(3)
    bars.show_pictures([pin(0, 0), pin(1, 2), pin(2, -1)], ANIMALS)
    trails = Trails()
    for step in range(1, 25):
        rows = random.dirichlet([0.2] * 4, 3).astype(np.float32)
        if step % 5 == 0:
            rows[1] = np.nan
        rows[2] = [0.97, 0.03, 0, 0]  # and one that stays as it is
        seen = SimpleNamespace(epoch=1, iteration=step, trained=step, indices=(0, 1, 2), probabilities=rows)
        trails.take(seen)
        bars.show_probabilities((0, 1, 2), rows, trails, goes_on=step % 7 != 0)
        if step % 6 == 0:
            bars.choose(step // 6 % 3)
        QApplication.processEvents()
        news = bars.grab().toImage()
        bars._ground = None
        assert news == bars.grab().toImage(), step


def test_of_the_screen_only_the_bars_are_painted_that_have_changed(bars, qtbot):
    bars.show_pictures([pin(0, 0), pin(1, 2)], ANIMALS)
    rows = np.array([[0.9, 0.1, 0, 0], [0.1, 0.2, 0.7, 0]], np.float32)
    bars.show_probabilities((0, 1), rows)
    QApplication.processEvents()
    painted = []

    class Regions(QObject):
        def eventFilter(self, watched, event):
            if event.type() == QEvent.Type.Paint:
                painted.append(event.region().boundingRect())
            return False

    watcher = Regions()
    bars.installEventFilter(watcher)
    rows[1] = [0.1, 0.25, 0.65, 0]
    bars.show_probabilities((0, 1), rows)
    QApplication.processEvents()
    (where,) = painted
    second = bars._rectangle(1).toAlignedRect()
    assert second.contains(where)
    assert where.height() <= 32
    bars.show_probabilities((0, 1), rows)
    QApplication.processEvents()
    assert painted == [where]
