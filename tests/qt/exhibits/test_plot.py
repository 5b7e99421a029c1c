"""A plot shows what it is given at any size, follows the pointer, and is set by mouse and by keys."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage

from gui_lab.core.exhibits import Line, Mark, Plot, Spot, Surface
from gui_lab.qt.exhibits.plane import fit
from gui_lab.qt.exhibits.plot import PlotView, number
from gui_lab.qt.exhibits.plot_paint import thinned
from gui_lab.qt.exhibits.plot_words import Placed, _around
from gui_lab.qt.theme import CAPTION, THEME, colour, numbers_font

STEPS = np.arange(60.0)
RACE = Plot(
    title="A race",
    surface=Surface(np.add.outer(np.linspace(-1, 1, 21) ** 2, np.linspace(-2, 2, 21) ** 2), (-2, 2), (-1, 1), "loss"),
    lines=(
        Line("SGD", np.linspace(-1.5, 0, 9), np.linspace(0.8, 0, 9), "training", points=True),
        Line("Adam", np.linspace(-1.5, 0, 9), np.linspace(0.8, 0.2, 9), "error", arrows=True),
    ),
    spots=(Spot(-1.5, 0.8, "start"), Spot(0.0, 0.0, "minimum", "best")),
    x_name="w1",
    y_name="w2",
    place=("start_x", "start_y"),
)
CURVES = Plot(
    lines=(
        Line("healthy", STEPS, np.exp(-STEPS / 9)),
        Line("buggy", STEPS, np.where(STEPS < 40, 1.5, np.nan), "class 6", dashed=True),
    ),
    marks=(Mark(1.4612, "a floor"), Mark(30.0, "epoch 2", axis="x", role="accent")),
    x_name="step",
    y_name="loss",
)
BARS = Plot(
    lines=(
        Line("before", np.arange(4.0), np.array([1.0, 2.0, 3.0, 4.0]), bars=True),
        Line("after", np.arange(4.0), np.array([4.0, -3.0, 2.0, 1.0]), "validation", bars=True),
    )
)
ODD = (
    Plot(),
    Plot(lines=(Line("empty", np.empty(0), np.empty(0)),)),
    Plot(lines=(Line("one", np.array([3.0]), np.array([2.0])),)),
    Plot(lines=(Line("flat", STEPS, np.zeros(60)),), log_y=True),
    Plot(lines=(Line("lost", STEPS, np.full(60, np.nan)),)),
    Plot(lines=(Line("diverges", STEPS, 10.0 ** (STEPS * 4)), Line("inf", STEPS, np.full(60, np.inf))), log_y=True),
)


@pytest.fixture
def view(qtbot) -> Iterator[PlotView]:
    THEME.choose("light")
    made = PlotView("stage.0.0")
    qtbot.addWidget(made)
    made.resize(640, 420)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    THEME.choose("system")


def grabbed(view: PlotView) -> QImage:
    return view.body.grab().toImage()


def tones(picture: QImage, tone: QColor) -> int:
    """How many pixels have this colour."""
    pixels = picture.convertToFormat(QImage.Format.Format_RGB32)
    values = np.frombuffer(pixels.constBits(), np.uint32).reshape(picture.height(), -1)
    return int((values & 0xFFFFFF == tone.rgb() & 0xFFFFFF).sum())


@pytest.mark.parametrize("plot", [RACE, CURVES, BARS, *ODD])
@pytest.mark.parametrize("size", [(210, 160), (640, 420), (1530, 900)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_plot_is_painted_at_each_size(view, plot, size, scheme) -> None:
    THEME.choose(scheme)
    view.resize(*size)
    view.show_exhibit(plot)
    picture = grabbed(view)
    assert tones(picture, colour("window")) < picture.width() * picture.height()


def test_lines_and_marks_are_seen_in_their_colours(view) -> None:
    view.show_exhibit(CURVES)
    picture = grabbed(view)
    for role in ("training", "accent"):
        assert tones(picture, colour(role)) > 20


def test_what_is_the_same_is_not_painted_anew(view) -> None:
    view.show_exhibit(CURVES)
    grabbed(view)
    before = view.body._picture
    again = Plot(**{**vars(CURVES), "lines": tuple(Line(**vars(line)) for line in CURVES.lines)})
    view.show_exhibit(again)
    assert view.body._picture is before
    view.show_exhibit(Plot(**{**vars(CURVES), "y_name": "accuracy"}))
    assert view.body._picture is not before


def test_a_step_over_a_surface_keeps_the_surface(view) -> None:
    view.show_exhibit(RACE)
    grabbed(view)
    before = view.body._ground
    view.show_exhibit(Plot(**{**vars(RACE), "lines": RACE.lines[:1] + RACE.lines[:1], "spots": ()}))
    grabbed(view)
    assert view.body._ground is not before  # its names changed, and with them the room
    before = view.body._ground
    view.show_exhibit(Plot(**{**vars(RACE), "lines": RACE.lines[:1] + RACE.lines[:1]}))
    grabbed(view)
    assert view.body._ground is before


def test_a_click_sets_the_place(view, qtbot) -> None:
    view.show_exhibit(RACE)
    at = view.body.plane.place(1.0, -0.5)
    with qtbot.waitSignal(view.edited) as caught:
        qtbot.mouseClick(view.body, Qt.MouseButton.LeftButton, pos=at.toPoint())
    assert caught.args[0] == pytest.approx({"start_x": 1.0, "start_y": -0.5}, abs=0.02)


def test_the_arrow_keys_move_the_place_from_where_it_is(view, qtbot) -> None:
    view.show_exhibit(RACE)
    edits = []
    view.edited.connect(edits.append)
    qtbot.keyClick(view.body, Qt.Key.Key_Right)
    qtbot.keyClick(view.body, Qt.Key.Key_Up)
    qtbot.keyClick(view.body, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert edits[0] == pytest.approx({"start_x": -1.42, "start_y": 0.8}, abs=0.005)
    assert edits[1] == pytest.approx({"start_x": -1.42, "start_y": 0.84}, abs=0.005)
    assert edits[2]["start_x"] == pytest.approx(-1.404, abs=0.005)


def test_the_place_stays_within_the_axes(view, qtbot) -> None:
    view.show_exhibit(Plot(**{**vars(RACE), "spots": (Spot(2.0, 1.0),)}))
    with qtbot.waitSignal(view.edited) as caught:
        qtbot.keyClick(view.body, Qt.Key.Key_Up)
    assert caught.args[0] == {"start_x": 2.0, "start_y": 1.0}


def test_a_plot_that_sets_nothing_takes_no_focus_and_answers_no_click(view, qtbot) -> None:
    view.show_exhibit(CURVES)
    assert view.body.focusPolicy() == Qt.FocusPolicy.NoFocus
    with qtbot.assertNotEmitted(view.edited):
        qtbot.mouseClick(view.body, Qt.MouseButton.LeftButton, pos=view.body.plane.area.center().toPoint())


def test_the_pointer_reads_each_line_at_the_nearest_step(view) -> None:
    view.show_exhibit(CURVES)
    rows = view.body.readout(view.body.plane.place(20.2, 1.0))
    assert rows == [
        ("step", "20", ""),
        ("healthy", number(float(np.exp(-20 / 9))), "training"),
        ("buggy", "1.5000", "class 6"),
    ]


def test_the_pointer_reads_the_height_of_a_surface(view) -> None:
    view.show_exhibit(RACE)
    names = {name: float(value) for name, value, _ in view.body.readout(view.body.plane.place(1.0, 0.5))}
    assert names == pytest.approx({"w1": 1.0, "w2": 0.5, "loss": 1.25}, abs=0.01)


def test_the_pointer_draws_its_cross_hair(view, qtbot) -> None:
    view.show_exhibit(CURVES)
    before = tones(grabbed(view), colour("quiet"))
    qtbot.mouseMove(view.body, view.body.plane.area.center().toPoint())
    qtbot.waitUntil(lambda: view.body._mouse is not None)
    assert tones(grabbed(view), colour("quiet")) > before + 200


def test_a_logarithmic_axis_reads_values_and_leaves_out_what_is_not_positive() -> None:
    plot = Plot(lines=(Line("a", STEPS, np.where(STEPS == 5, 0.0, 10.0**-STEPS)),), log_y=True, y_range=(1e-6, 1.0))
    plane = fit(plot, QRectF(0, 0, 100, 60))
    assert plane.y == pytest.approx((-6.0, 0.0))
    assert plane.place(0.0, 1e-3).y() == pytest.approx(30.0)
    assert plane.at(QPointF(0.0, 30.0))[1] == pytest.approx(1e-3)
    free = fit(Plot(lines=plot.lines, log_y=True), QRectF(0, 0, 100, 60))
    assert free.y == pytest.approx((-12.0, 0.0))


def test_bars_stand_on_zero_and_side_by_side() -> None:
    plane = fit(BARS, QRectF(0, 0, 100, 100))
    assert plane.y[0] < -3.0
    assert plane.y[1] > 4.0
    assert plane.x[0] < -0.4
    assert plane.x[1] > 3.4
    ground = fit(Plot(lines=BARS.lines[:1]), QRectF(0, 0, 100, 100))
    assert ground.y[0] == 0.0


def test_a_long_line_keeps_its_peaks_in_two_points_a_pixel() -> None:
    x, y = np.linspace(0, 500, 100_000), np.zeros(100_000)
    y[70_001], y[80_001] = 9.0, -9.0
    across, down = thinned(x, y, 500)
    assert len(across) == 1000
    assert (down.max(), down.min()) == (9.0, -9.0)


def test_words_never_cover_each_other() -> None:
    room = Placed(QRectF(0, 0, 300, 200), numbers_font(CAPTION), np.empty((0, 2)))
    found = [room.find(_around(QPointF(150, 100), *room.size("momentum")), "momentum") for _ in range(6)]
    placed = [where for where in found if where is not None]
    assert len(placed) >= 4
    assert not any(one.intersects(other) for one in placed for other in placed if one is not other)


def test_words_leave_lines_free_as_long_as_there_is_other_room() -> None:
    line = np.stack([np.linspace(0, 300, 200), np.full(200, 100.0)], axis=1)
    room = Placed(QRectF(0, 0, 300, 200), numbers_font(CAPTION), line)
    where = room.find(_around(QPointF(150, 100), *room.size("here")), "here")
    assert where is not None
    assert not where.top() < 100 < where.bottom()
    full = Placed(QRectF(0, 90, 300, 24), numbers_font(CAPTION), line)
    assert full.find(_around(QPointF(150, 100), *full.size("here")), "here") is not None
