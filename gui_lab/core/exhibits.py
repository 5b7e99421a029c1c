"""What a concept shows: graphs, matrices, tables, pictures, plots, batches, as plain values.

A concept computes numbers and says in these few kinds how they are to be seen; the window has one view for each kind.
So a page can be tested without a window, and every page looks and answers alike. What can be clicked carries an `Edit`:
the fields of the concept that the click sets. Nothing here computes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Edit = Mapping[str, Any]
"""Fields of the concept and the values that a click gives them."""

State = Literal["plain", "waiting", "now", "done"]
"""Of a part in a story told step by step: without one, not reached yet (faint), in hand (accent), over."""

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """
    Attributes:
        title: above it; empty for none.
        caption: below it, one quiet line; empty for none.
        weight: its part of the width beside its neighbours.
        tall: False for what needs only as much height as it has rows.
    """

    title: str = ""
    caption: str = ""
    weight: int = 1
    tall: bool = True


# -------------------------------------------------------------------- graphs


@dataclass(frozen=True)
class Node:
    """A box of a graph.

    Attributes:
        key: its name in edges; unique in the graph.
        title: what it is: a name, an operation.
        lines: below the title: value, shape, grad_fn, gradient.
        kind: "leaf" a person gave, "op" an operation, "result" what comes out; drawn by shape as well as colour.
        state: in the story.
        edit: what a click sets; None where it cannot be clicked.
    """

    key: str
    title: str
    lines: tuple[str, ...] = ()
    kind: Literal["leaf", "op", "result"] = "op"
    state: State = "plain"
    edit: Edit | None = None


@dataclass(frozen=True)
class Edge:
    """An arrow from the node `start` to the node `end`, with what goes forward above it (training's blue) and what
    comes back below it (validation's orange)."""

    start: str
    end: str
    forward: str = ""
    backward: str = ""
    state: State = "plain"
    edit: Edit | None = None


@dataclass(frozen=True, kw_only=True)
class Graph(Exhibit):
    """Boxes and arrows without cycles, laid out from left to right by the view.

    Attributes:
        whole: the same boxes and arrows with all that they come to say in the story; the room is made for it from the
            start, so that nothing moves from step to step. None for no more than there is now.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    whole: Graph | None = None


# -------------------------------------------------------------------- numbers in rows


@dataclass(frozen=True, eq=False)
class Matrix:
    """Numbers in brackets, float (rows, columns); `marked` cells are in hand. A cell in `edits` can be clicked."""

    values: Floats
    title: str = ""
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    marked: frozenset[tuple[int, int]] = frozenset()
    state: State = "plain"


@dataclass(frozen=True, kw_only=True)
class Equation(Exhibit):
    """Matrices and the signs between them, in one line: `[v] @ [J2] @ [J1] = [vJ]`."""

    terms: tuple[Matrix | str, ...]
    tall: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        kind: "text"; "number", right-aligned with `digits` after the point; "bar", a bar from 0 to `high` with its
            number; "signed", a bar to the left or right of a middle line with its number, an arrow at its tip.
        high: length of the full bar; 0 for the largest number of the column.
        sets: of a "signed" column, the field of the concept that holds its numbers, one for each row: then they can be
            pulled, between -high and high, or changed by the arrow keys; "" where they cannot.
        step: between the numbers that can be set so.
    """

    title: str
    kind: Literal["text", "number", "bar", "signed"] = "number"
    digits: int = 4
    high: float = 0.0
    state: State = "plain"
    sets: str = ""
    step: float = 0.1


Cell = str | float | None
"""None leaves the place empty."""


@dataclass(frozen=True, kw_only=True)
class Table(Exhibit):
    """Rows of numbers.

    Attributes:
        rows: of as many cells as there are columns. A string stands in any column as it is.
        foot: rows below a hairline, such as a sum.
        marked: rows in hand, with a triangle before them (the true class).
        classes: of each row the class whose colour stands before it; empty for no colours.
        edits: of each row what a click on it sets; empty where rows cannot be clicked.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    foot: tuple[tuple[Cell, ...], ...] = ()
    marked: tuple[int, ...] = ()
    classes: tuple[int, ...] = ()
    edits: tuple[Edit, ...] = ()
    tall: bool = False


@dataclass(frozen=True)
class Fact:
    """A quantity and how it comes about: `iterations`, "ceil(N / B)", "ceil(1,438 / 64)", "23"."""

    name: str
    value: str
    formula: str = ""
    filled_in: str = ""
    state: State = "plain"


@dataclass(frozen=True, kw_only=True)
class Facts(Exhibit):
    """Quantities below each other; formulas with the numbers in force filled in."""

    facts: tuple[Fact, ...]
    tall: bool = False


# -------------------------------------------------------------------- pictures


@dataclass(frozen=True)
class Frame:
    """Cells of a picture that are in hand: from (row, column), `height` by `width` of them. Role is a colour role."""

    row: int
    column: int
    height: int = 1
    width: int = 1
    role: str = "accent"


@dataclass(frozen=True, eq=False)
class Picture:
    """
    Attributes:
        values: uint8 or float, (H, W) or (3, H, W); colour pictures are uint8, or float 0..1.
        scale: "grey" from black to white; "diverging", blue to red around 0; "sequential", cividis.
        low, high: ends of the scale; None for those of the values (of a diverging one the larger on both sides).
        numbers: write the values into the cells where there is room.
        frames: cells in hand.
        place: names of the two fields that a click sets to the row and the column of its cell; None where cells cannot
            be clicked.
        chosen: the place that is set now, from which the arrow keys go on; None for the cell that was clicked last.
        pitch, shift: for a picture with fewer places than cells: the row set is (row - shift) // pitch, 0 at least.
        edit: what a click anywhere sets; None for nothing.
        state: "now" for the one that is chosen.
    """

    values: npt.NDArray[Any]
    title: str = ""
    scale: Literal["grey", "diverging", "sequential"] = "grey"
    low: float | None = None
    high: float | None = None
    numbers: bool = False
    frames: tuple[Frame, ...] = ()
    place: tuple[str, str] | None = None
    chosen: tuple[int, int] | None = None
    pitch: int = 1
    shift: int = 0
    edit: Edit | None = None
    state: State = "plain"


@dataclass(frozen=True, kw_only=True)
class Pictures(Exhibit):
    """Pictures side by side, as large as fits; with `columns` in rows of so many, 0 lets the view choose. `signs` stand
    between them ("*", "+", "=") where they are an equation: one fewer than pictures. Where they are not `tall`, their
    cells are about `cell` pixels, more where there is much room."""

    pictures: tuple[Picture, ...]
    columns: int = 0
    signs: tuple[str, ...] = ()
    cell: int = 40


# -------------------------------------------------------------------- plots


@dataclass(frozen=True, eq=False)
class Line:
    """A line of a plot: x, y float (n,), NaN leaves a gap. `role` is a colour role ("training", "validation", "best",
    "error", "accent", "quiet") or "class 3" for the colour of a class. `points` draws its points, `arrows` an arrow
    from each point to the next, `bars` bars from 0."""

    name: str
    x: Floats
    y: Floats
    role: str = "training"
    dashed: bool = False
    points: bool = False
    arrows: bool = False
    bars: bool = False


@dataclass(frozen=True)
class Mark:
    """A dashed line across the plot at a value of one axis, with its words: a floor, a moment."""

    at: float
    words: str = ""
    axis: Literal["x", "y"] = "y"
    role: str = "quiet"


@dataclass(frozen=True)
class Spot:
    """A point with a ring and its words: where one is now, the minimum."""

    x: float
    y: float
    words: str = ""
    role: str = "accent"


@dataclass(frozen=True, eq=False)
class Surface:
    """Heights below a plot, float (rows, columns), drawn as shades with contours: first row at `y[0]`. `name` is what
    the heights are."""

    heights: Floats
    x: tuple[float, float]
    y: tuple[float, float]
    name: str = "height"


@dataclass(frozen=True, kw_only=True)
class Plot(Exhibit):
    """
    Attributes:
        x_range, y_range: what is seen; None for all there is. A fixed range does not jump while a story goes on.
        place: names of the two fields that a click sets to x and y; None where it cannot be clicked. The first of the
            spots is where it is set now: arrow keys start from there.
    """

    lines: tuple[Line, ...] = ()
    marks: tuple[Mark, ...] = ()
    spots: tuple[Spot, ...] = ()
    surface: Surface | None = None
    x_name: str = ""
    y_name: str = ""
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    log_y: bool = False
    place: tuple[str, str] | None = None


# -------------------------------------------------------------------- batches


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture in the order in which it is used: its index in the data set, its class (-1 where it is not known), and
    itself, uint8 (C, H, W)."""

    index: int
    label: int
    picture: npt.NDArray[np.uint8] | None = None


@dataclass(frozen=True, kw_only=True)
class Conveyor(Exhibit):
    """Tiles on their way into batches.

    Attributes:
        batches: the tiles of each batch; a view asks only for those that it shows, so they may be made when asked for.
        current: the batch in use; -1 for none.
        size: tiles of a whole batch; a shorter one is drawn with its empty places.
        dropped: whether the last, short batch is thrown away.
        names: of the classes.
    """

    batches: Sequence[Sequence[Tile]]
    current: int = -1
    size: int = 1
    dropped: bool = False
    names: tuple[str, ...] = ()


# -------------------------------------------------------------------- questions


@dataclass(frozen=True, kw_only=True)
class Question(Exhibit):
    """A question that is checked at once.

    Attributes:
        sets: the field of the concept that takes the answer: a whole number, or one of `choices`.
        choices: answers as buttons: words by value; empty for a number to type.
        answer: given so far; None or "" for none.
        verdict: "" before an answer.
        remark: why, after an answer.
    """

    text: str
    sets: str
    choices: Mapping[str, str] = field(default_factory=dict)
    answer: int | str | None = None
    verdict: Literal["", "right", "wrong"] = ""
    remark: str = ""
    tall: bool = False


@dataclass(frozen=True)
class Claim:
    """What is claimed and what torch says of it, both as numbers; `holds` where they are equal within `within`, the
    largest difference in absolute terms or relative to torch's number, whichever is larger."""

    words: str
    ours: float
    torchs: float
    within: float = 1e-5

    @property
    def holds(self) -> bool:
        if np.isnan(self.ours) or np.isnan(self.torchs):
            return bool(np.isnan(self.ours) and np.isnan(self.torchs))
        if np.isinf(self.ours) or np.isinf(self.torchs):
            return self.ours == self.torchs
        return bool(abs(self.ours - self.torchs) <= self.within * max(1.0, abs(self.torchs)))


@dataclass(frozen=True, kw_only=True)
class Claims(Exhibit):
    """Checks, each with a green tick or a red cross and both numbers."""

    claims: tuple[Claim, ...]
    tall: bool = False
