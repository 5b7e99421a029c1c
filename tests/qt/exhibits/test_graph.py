"""The graph: boxes stand right of what they come from, never over each other, and answer pointer and keyboard alike."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from gui_lab.core.exhibits import Edge, Graph, Node
from gui_lab.qt.exhibits.graph import GraphView
from gui_lab.qt.exhibits.graph_layout import Size, laid_out
from gui_lab.qt.theme import THEME, colour

CHAIN = Graph(
    title="The graph",
    nodes=(
        Node("x", "x", ("(1, 2)",), "leaf", "done", {"wrt": "x"}),
        Node("y", "y = x + 2", ("(3, 4)", "AddBackward0"), "op", "now", {"of": "y"}),
        Node("L", "L = mean(y)", ("3.5",), "result", "waiting"),
    ),
    edges=(
        Edge("x", "y", "(1, 2)", "(0.5, 0.5)", "now"),
        Edge("y", "L", "(3, 4)", "(0.5, 0.5)", "waiting", {"of": "L"}),
    ),
)


def tones_of(widget: QWidget) -> set[int]:
    """All colours that it is painted with, as 0xAARRGGBB."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_ARGB32)
    return set(np.frombuffer(image.constBits(), np.uint32).tolist())


@pytest.fixture
def view(qtbot):
    THEME.install(QApplication.instance())
    THEME.choose("light")
    made = GraphView("stage.0.0")
    qtbot.addWidget(made)
    made.resize(700, 300)
    made.show_exhibit(CHAIN)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    THEME.choose("system")


@pytest.mark.parametrize("size", [(320, 180), (630, 300), (1800, 900)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_painted_at_any_size(view, size, scheme):
    THEME.choose(scheme)
    view.resize(*size)
    tones = tones_of(view)
    assert colour("surface").rgb() in tones
    assert colour("accent").rgb() in tones  # the box that is in hand


def test_it_grows_with_its_room_and_scrolls_where_it_has_too_little(view):
    scales = []
    for width in (320, 700, 1500):
        view.resize(width, 400)
        QTest.qWait(0)
        scales.append(view.canvas.scale)
    assert scales == sorted(scales)
    assert scales[0] < scales[-1]
    view.resize(200, 400)
    QTest.qWait(0)
    assert view.canvas.width() > view.room.viewport().width()


def test_a_click_on_a_box_or_an_arrow_sets_what_it_says(view, qtbot):
    for place, edit in (
        (view.canvas.place_of("x"), {"wrt": "x"}),
        (view.canvas.place_of("y"), {"of": "y"}),
        (view.canvas.place_between("y", "L"), {"of": "L"}),
    ):
        with qtbot.waitSignal(view.edited) as edited:
            QTest.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=place)
        assert edited.args == [edit]


def test_a_click_on_what_cannot_be_clicked_sets_nothing(view, qtbot):
    with qtbot.assertNotEmitted(view.edited):
        QTest.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=view.canvas.place_of("L"))
        QTest.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))


def test_the_keyboard_goes_from_box_to_box_and_clicks(view, qtbot):
    view.canvas.setFocus()
    said = []
    view.edited.connect(said.append)
    QTest.keyClick(view.canvas, Qt.Key.Key_Return)
    QTest.keyClick(view.canvas, Qt.Key.Key_Right)
    QTest.keyClick(view.canvas, Qt.Key.Key_Space)
    QTest.keyClick(view.canvas, Qt.Key.Key_Right)
    QTest.keyClick(view.canvas, Qt.Key.Key_Return)
    QTest.keyClick(view.canvas, Qt.Key.Key_Left)
    QTest.keyClick(view.canvas, Qt.Key.Key_Return)
    assert said == [{"wrt": "x"}, {"of": "y"}, {"of": "L"}, {"of": "y"}]


def test_a_graph_of_which_nothing_can_be_clicked_is_no_stop_of_the_tab_key(view):
    dumb = replace(CHAIN, nodes=tuple(replace(node, edit=None) for node in CHAIN.nodes), edges=())
    view.show_exhibit(dumb)
    assert view.canvas.focusPolicy() == Qt.FocusPolicy.NoFocus


def test_a_story_with_its_whole_told_moves_nothing_from_step_to_step(view):
    bare = replace(CHAIN, edges=tuple(replace(edge, forward="", backward="") for edge in CHAIN.edges), whole=CHAIN)
    view.show_exhibit(bare)
    before = [view.canvas.place_of(key) for key in "xyL"]
    assert view.canvas.layout_made == 1
    view.show_exhibit(replace(CHAIN, whole=CHAIN))
    assert [view.canvas.place_of(key) for key in "xyL"] == before
    assert view.canvas.layout_made == 1


def test_what_is_cut_off_is_told_by_the_tool_tip_and_to_a_screen_reader(view):
    long = "a very long title of an operation that has no room in any box of a graph"
    view.show_exhibit(replace(CHAIN, nodes=(replace(CHAIN.nodes[0], title=long), *CHAIN.nodes[1:])))
    assert long in view.canvas.accessibleDescription()
    assert view.canvas.accessibleName() == "The graph"


# the layout


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 9))
    keys = [f"n{place}" for place in range(count)]
    pairs = list(itertools.combinations(keys, 2))
    links = draw(st.lists(st.sampled_from(pairs), max_size=14)) if pairs else []
    sides = st.integers(20, 150)
    return {key: Size(draw(sides), draw(sides)) for key in keys}, links


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_boxes_never_lie_over_each_other_and_arrows_run_to_the_right(graph):
    sizes, links = graph
    made = laid_out(sizes, links, [Size(40, 30)] * len(links))
    rects = [QRectF(box.x, box.y, box.width, box.height) for box in made.boxes.values()]
    for one, other in itertools.combinations(rects, 2):
        assert not one.intersects(other)
    for (start, end), route in zip(links, made.routes, strict=True):
        assert made.boxes[start].x < made.boxes[end].x
        assert all(one.x <= other.x for one, other in itertools.pairwise(route))
        assert route[-1].x - route[-2].x >= 40  # the words have room
    for box in made.boxes.values():
        assert box.x >= 0
        assert box.y >= -1e-6
        assert box.x + box.width <= made.size.width + 1e-6
        assert box.y + box.height <= made.size.height + 1e-6


def test_two_arrows_between_the_same_boxes_lie_apart():
    made = laid_out({"x": Size(50, 20), "m": Size(50, 20)}, [("x", "m"), ("x", "m")], [Size(40, 30)] * 2)
    one, other = made.routes
    assert abs(one[0].y - other[0].y) >= 30
    assert abs(one[-1].y - other[-1].y) >= 30


def test_a_leaf_stands_close_to_where_it_is_used():
    keys = ("x", "w", "a", "b", "c", "y")
    links = [("x", "a"), ("w", "a"), ("a", "b"), ("b", "c"), ("y", "c")]
    made = laid_out({key: Size(50, 20) for key in keys}, links, [Size(0, 0)] * len(links))
    assert made.boxes["y"].x == made.boxes["b"].x


def test_a_graph_that_is_not_tall_takes_the_height_of_its_drawing_at_any_width(view, qtbot):
    around = QWidget()
    qtbot.addWidget(around)
    QVBoxLayout(around).addWidget(view)
    view.show_exhibit(replace(CHAIN, tall=False))
    around.show()
    for width in (900, 1500, 420, 1500):
        around.resize(width, 800)
        qtbot.waitUntil(lambda: view.room.viewport().height() >= view.canvas.height() - 1)
        assert view.room.height() < 0.85 * view.canvas.whole.height() * view.canvas.scale + 60
    view.setParent(None)


def test_what_is_in_hand_is_scrolled_to_where_not_all_can_be_seen(view):
    view.resize(230, 300)
    for place in (2, 0, 1):
        states = ["now" if number == place else "done" for number in range(3)]
        nodes = tuple(replace(node, state=state) for node, state in zip(CHAIN.nodes, states, strict=True))
        view.show_exhibit(replace(CHAIN, nodes=nodes, edges=tuple(replace(edge, state="done") for edge in CHAIN.edges)))
        seen = view.canvas.visibleRegion().boundingRect()
        assert view.canvas.width() > seen.width()
        assert seen.contains(view.canvas.place_of(nodes[place].key))
