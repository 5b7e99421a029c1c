"""The left of the Transforms page: the chain as a list, and a form for the chosen transform.

Transforms that stand inside of another one are rows of the same list, set in. Everything that is changed goes through
the session, so that it can be undone; what comes back from there is shown, whoever changed it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QToolButton, QVBoxLayout, QWidget

from gui_lab.core import nesting
from gui_lab.core.chain import Chain
from gui_lab.core.nesting import Place, Transforms
from gui_lab.core.pipeline import TRANSFORMS, Transform
from gui_lab.qt.chain_menu import ChainMenu
from gui_lab.qt.form import Form
from gui_lab.qt.measuring import Measuring
from gui_lab.qt.own_transforms import OwnCode, OwnTransforms
from gui_lab.qt.samples import Samples
from gui_lab.qt.session import Session
from gui_lab.qt.theme import XS, L, M, S, label, set_role, with_icon
from gui_lab.qt.views.chain_words import row_of
from gui_lab.qt.views.column import hairline
from gui_lab.qt.views.finder import Finder
from gui_lab.qt.views.transform_list import TransformList

_WIDTH = 340
NONE = -1
_CHOOSE = "Choose a transform to see its settings."
_UNCHANGED = "Pictures go to the network as they came."


class ChainEditor(QFrame):
    """
    `went` says that another transform is chosen, by its position in the chain; NONE where none is.
    """

    went = Signal(int)

    def __init__(self, session: Session, page: QWidget) -> None:
        """
        Args:
            session: what is edited.
            page: what the search lies over.
        """
        super().__init__(page)
        self.session, self._page = session, page
        self.setProperty("role", "column")
        self.setFixedWidth(_WIDTH)
        self._place: Place | None = (0,) if session.experiment.transforms else None
        self._wanted: tuple[Place | None] | None = None
        self._before: Transforms = ()
        self.measuring = Measuring(session)
        self.own_code = OwnCode(session)
        self._samples = Samples(session)
        self._build()
        session.experiment_changed.connect(self._show_experiment)
        session.problems_changed.connect(self._show_chain)
        session.images_changed.connect(self._show_experiment)
        session.ready_changed.connect(self._show_experiment)
        self._show_experiment()

    @property
    def current(self) -> int:
        """The position of the chosen transform in the chain, or of the one that it stands inside of; NONE for none."""
        return NONE if self._place is None else self._place[0]

    @property
    def busy(self) -> bool:
        """True while something is measured."""
        return self.measuring.busy

    def close_down(self) -> None:
        self.measuring.close_down()
        self.own_code.close_down()
        self._samples.close_down()

    # ---------------------------------------------------------------- building

    def _build(self) -> None:
        self.list = TransformList("transforms.list")
        set_role(self.list, "bare")
        self.list.went.connect(self._go_row)
        self.list.nudged.connect(lambda row, step: self._nudge(self._places[row], step))
        self.list.dropped.connect(self._drop)
        self.list.switched.connect(self._switch)
        self.list.removed.connect(lambda row: self._remove(self._places[row]))
        self.list.duplicated.connect(lambda row: self._duplicate(self._places[row]))
        top = QVBoxLayout()
        top.setContentsMargins(M, M, M, 0)
        top.setSpacing(S)
        top.addLayout(self._make_buttons())
        top.addWidget(self.list)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 1, 0)
        column.setSpacing(M)
        column.addLayout(top)
        column.addWidget(hairline())
        column.addWidget(self._make_settings(), 1)

    def _make_buttons(self) -> QHBoxLayout:
        self.add = QPushButton("Add")
        self.add.setObjectName("transforms.add")
        self.add.setAccessibleName("Add a transform")
        self.add.setToolTip("Add a transform after the chosen one")
        with_icon(self.add, "plus")
        self.add.clicked.connect(self._open_finder)
        self.finder = Finder("transforms.add", "Search for a transform", self._page)
        self.finder.chosen.connect(self._insert)
        self._samples.arrived.connect(self.finder.show_pictures)
        row = QHBoxLayout()
        row.setSpacing(XS)
        row.addWidget(self.add)
        row.addStretch(1)
        self._acts = {
            "up": self._act("up", "arrow-up", "Move up (Alt+Up)", lambda place: self._nudge(place, -1)),
            "down": self._act("down", "arrow-down", "Move down (Alt+Down)", lambda place: self._nudge(place, 1)),
            "duplicate": self._act("duplicate", "copy", "Duplicate (Ctrl+D)", self._duplicate),
            "remove": self._act("remove", "trash", "Remove (Delete)", self._remove),
        }
        for button in self._acts.values():
            row.addWidget(button)
        row.addWidget(self._make_menu())
        return row

    def _act(self, verb: str, sign: str, tip: str, act: Callable[[Place], None]) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"transforms.{verb}")
        button.setAccessibleName(tip.partition(" (")[0])
        button.setToolTip(tip)
        set_role(button, "plain")
        with_icon(button, sign)
        button.clicked.connect(partial(self._on_chosen, act))
        return button

    def _make_menu(self) -> QToolButton:
        self.menu = ChainMenu(self.session, self)
        self.menu.pasted.connect(self._insert_all)
        self.menu.replaced.connect(lambda transforms: self._edit(transforms, (0,) if transforms else None))
        self.list.addAction(self.menu.paste)
        self.own = OwnTransforms(self.session, self)
        self.own.made.connect(lambda made: self._insert_all((made,)))
        self.menu.own_wanted.connect(self.own.choose)
        self.menu.example_wanted.connect(self.own.begin)
        button = QToolButton()
        button.setObjectName("transforms.more")
        button.setAccessibleName("Presets, copy and paste")
        button.setToolTip("Presets, copy and paste")
        button.clicked.connect(lambda: self.menu.popup(button.mapToGlobal(QPoint(0, button.height() + XS))))
        set_role(button, "plain")
        with_icon(button, "dots-three")
        return button

    def _make_settings(self) -> QScrollArea:
        self._heading = label("", "section", name="transforms.chosen")
        self._summary = label("", "quiet", wrap=True, name="transforms.summary")
        self.form = Form("transforms.0")
        self.form.edited.connect(self.session.try_edit)
        self.form.repair_chosen.connect(self.session.repair)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(M, 0, M, L)
        column.setSpacing(S)
        for part in (self._heading, self._summary, self.form, self.own_code, self.measuring):
            column.addWidget(part)
        column.addStretch(1)
        area = QScrollArea()
        area.setObjectName("transforms.settings")
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        return area

    # ---------------------------------------------------------------- what the session says

    @property
    def _transforms(self) -> Transforms:
        return self.session.experiment.transforms

    @property
    def _places(self) -> list[Place]:
        """The place of each row."""
        return nesting.places(self._transforms)

    @property
    def _chosen(self) -> Transform | None:
        return None if self._place is None else nesting.at(self._transforms, self._place)

    def _show_experiment(self) -> None:
        transforms = self._transforms
        if self._wanted is not None:
            (self._place,) = self._wanted
        else:
            self._place = _kept(self._before, transforms, self._place)
        if transforms != self._before:
            self._before = transforms
            self.measuring.forget_note()
        self._show_chain()

    def _show_chain(self) -> None:
        places, problems = self._places, self.session.problems
        rows = [row_of(self._transforms, place, problems) for place in places]
        self.list.show_rows(rows, NONE if self._place is None else places.index(self._place))
        beside = () if self._place is None else nesting.siblings(self._transforms, self._place)
        position = NONE if self._place is None else self._place[-1]
        self._acts["up"].setEnabled(position > 0)
        self._acts["down"].setEnabled(NONE < position < len(beside) - 1)
        self._acts["duplicate"].setEnabled(position > NONE)
        self._acts["remove"].setEnabled(position > NONE)
        self._show_form()
        self.went.emit(self.current)

    def _show_form(self) -> None:
        chosen, place = self._chosen, self._place
        self.form.setVisible(chosen is not None)
        self._heading.setVisible(chosen is not None)
        self.own_code.offer(self.current, chosen)
        if chosen is None or place is None:
            self._summary.setText(_CHOOSE if self._transforms else _UNCHANGED)
        else:
            self._heading.setText(f"{'.'.join(str(position + 1) for position in place)}  {chosen.title}")
            self._summary.setText(chosen.summary())
            self.form.prefix = nesting.path(self._transforms, place)
            self.form.show_spec(chosen)
            self.form.show_problems(self.session.problems)
        self.measuring.offer(place[0] if place is not None and len(place) == 1 else NONE)

    # ---------------------------------------------------------------- what a person does

    def go(self, position: int) -> None:
        """Choose the transform at a position of the chain."""
        self._go_to((position,))

    def _go_row(self, row: int) -> None:
        self._go_to(self._places[row] if row >= 0 else None)

    def _go_to(self, place: Place | None) -> None:
        self._place = place
        self.measuring.forget_note()
        self._show_chain()

    def _on_chosen(self, act: Callable[[Place], None]) -> None:
        if self._place is not None:
            act(self._place)

    def _open_finder(self) -> None:
        self.finder.open_below(self.add, self._samples.entries())
        self._samples.ask(self._behind()[0])

    def _behind(self) -> Place:
        """The place after the chosen transform; at the end where none is chosen."""
        return (len(self._transforms),) if self._place is None else (*self._place[:-1], self._place[-1] + 1)

    def _insert(self, name: str) -> None:
        """A new transform after the chosen one, with what suits the pictures there."""
        if name == "Own":
            self.own.choose()
            return
        place, images = self._behind(), self.session.images
        arriving = Chain(self._transforms[: place[0]])
        kind = arriving.output(images.kind) if images is not None else None
        self._insert_all((TRANSFORMS.get(name).suggested(kind),))
        self.list.setFocus()

    def _insert_all(self, made: Transforms) -> None:
        place = self._behind()
        self._edit(nesting.inserted(self._transforms, place, made), place)

    def _switch(self, row: int, on: bool) -> None:
        self.session.try_edit(f"{nesting.path(self._transforms, self._places[row])}.enabled", on)

    def _nudge(self, place: Place, step: int) -> None:
        """Past the next one that stands beside it."""
        to = place[-1] + step
        if 0 <= to < len(nesting.siblings(self._transforms, place)):
            before = (*place[:-1], to + (1 if step > 0 else 0))
            self._edit(*nesting.moved(self._transforms, place, before))

    def _drop(self, row: int, before: int) -> None:
        places = self._places
        to = places[before] if before < len(places) else (len(self._transforms),)
        self._edit(*nesting.moved(self._transforms, places[row], to))

    def _duplicate(self, place: Place) -> None:
        behind = (*place[:-1], place[-1] + 1)
        self._edit(nesting.inserted(self._transforms, behind, (nesting.at(self._transforms, place),)), behind)

    def _remove(self, place: Place) -> None:
        """What holds nothing any more goes with its last one."""
        beside = nesting.siblings(self._transforms, place)
        if len(place) > 1 and len(beside) == 1:
            self._remove(place[:-1])
            return
        rest = nesting.replaced(self._transforms, place, ())
        left = len(beside) - 1
        self._edit(rest, (*place[:-1], min(place[-1], left - 1)) if left else None)

    def _edit(self, transforms: Transforms, chosen: Place | None) -> None:
        self._wanted = (chosen,)
        try:
            if not self.session.try_edit("transforms", transforms):
                self._wanted = None
                self._show_chain()
        finally:
            self._wanted = None


def _kept(before: Sequence[Transform], after: Sequence[Transform], place: Place | None) -> Place | None:
    """Where the chosen transform is after a change from outside: followed where rows came, went or moved; in its
    place where its own values changed."""
    if not after:
        return None
    if place is None:
        return None if before else (0,)
    if not before:
        return place if place[0] < len(after) else (len(after) - 1,)
    current = place[0]
    chosen = before[current]
    edited = len(before) == len(after) and Counter(before) != Counter(after)
    if not edited and chosen in after and (current >= len(after) or after[current] != chosen):
        return (after.index(chosen), *place[1:])
    return place if place in nesting.places(after) else (min(current, len(after) - 1),)
