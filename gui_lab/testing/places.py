"""The places of the window in the user's words: what one does on a page, and what is read from it."""

from __future__ import annotations

import re
from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, QRect

from gui_lab.qt.pages.model import ModelPage
from gui_lab.qt.pages.transforms import TransformsPage
from gui_lab.qt.views.image_grid import ImageGrid
from gui_lab.qt.views.transform_list import TransformList
from gui_lab.testing.hands import Hands, RobotError

if TYPE_CHECKING:
    from gui_lab.testing.robot import Robot

__tracebackhide__ = methodcaller("errisinstance", RobotError)


class Place:
    """A page of the window."""

    name: str

    def __init__(self, robot: Robot) -> None:
        self.robot = robot

    @property
    def hands(self) -> Hands:
        return self.robot.hands

    def show(self) -> None:
        """Go there."""
        self.robot.go(self.name)

    def set_fields(self, prefix: str, values: dict[str, Any]) -> None:
        """Edit fields of a form; the value must have arrived in the experiment afterwards unless it is refused."""
        for field, value in values.items():
            self.hands.set_field(f"{prefix}.{field}", value)


class DatasetPlace(Place):
    """Catalogue, settings and sample grid."""

    name = "Dataset"

    def choose(self, name: str, *, wait: bool = True, **values: Any) -> None:
        """Click a data set in the catalogue, edit its fields, and wait until it is opened (or has failed)."""
        self.show()
        self.hands.click_row("dataset.catalogue", name)
        self.hands.wait(lambda: self.robot.experiment.dataset.name_of() == name, f"{name} is chosen")
        self.set(**values)
        if wait:
            self.wait_opened()

    def set(self, **values: Any) -> None:
        """Edit fields of the chosen data set."""
        self.show()
        self.set_fields("dataset", values)

    def choose_folder(self, path: Path, *, wait: bool = True) -> None:
        """Choose a folder of own pictures through the file dialog."""
        self.show()
        self.hands.click("dataset.choose_folder")
        self.robot.in_dialog(path)
        self.hands.wait(lambda: getattr(self.robot.experiment.dataset, "root", None) == path, f"{path} is chosen")
        if wait:
            self.wait_opened()

    def wait_opened(self, seconds: float = 120.0) -> None:
        """Wait until the pictures are there or an error says why not."""
        session = self.robot.lab.session
        self.hands.wait(
            lambda: session.progress is None and (session.images is not None or session.data_error is not None),
            "the data set is opened",
            seconds,
        )

    def error(self) -> str:
        """What the page says where there are no pictures; empty where there are some."""
        self.show()
        if not self.hands.sees("dataset.notice.sentence"):
            return ""
        return f"{self.hands.text('dataset.notice.sentence')} {self.hands.text('dataset.notice.remedy')}"

    def pin(self, index: int) -> None:
        """Go to a picture in the grid by keyboard and pin it."""
        self.show()
        grid = self.hands.find("dataset.grid", ImageGrid)
        self.hands.click(grid)
        order = list(grid.indices())
        self.hands.press(grid, "Home")
        for _ in range(order.index(index)):
            self.hands.press(grid, "Right")
        self.hands.press(grid, "P")
        self.hands.wait(lambda: index in self.robot.lab.session.pins, f"picture {index} is pinned")


class TransformsPlace(Place):
    """The chain and its previews."""

    name = "Transforms"

    def names(self) -> list[str]:
        """The chain, first transform first."""
        return [transform.name_of() for transform in self.robot.experiment.transforms]

    def add(self, name: str, **values: Any) -> None:
        """Add a transform by typing its name, after the selected one, and edit its fields."""
        self.show()
        before = self._list.count()
        self.hands.click("transforms.add")
        self.hands.wait(lambda: self.hands.sees("transforms.add.search"), "the search opens")
        self.hands.type_keys("transforms.add.search", name)
        self.hands.press("transforms.add.search", "Return")
        self.hands.wait(lambda: self._list.count() > before, f"{name} is added")
        self.set(self.selected(), **values)

    def selected(self) -> int:
        """The row of the selected transform, -1 where none is; those inside of others have rows of their own."""
        return self._list.currentRow()

    def select(self, position: int | None) -> None:
        """Click a transform in the list; None takes the selection away."""
        self.show()
        if position is None:
            self.hands.press(self._list, "Esc")
        else:
            self.hands.click(self._list.viewport(), self._rectangle(position).center())
        self.hands.wait(lambda: self.selected() == (-1 if position is None else position), "it is selected")

    def set(self, position: int, **values: Any) -> None:
        """Edit the fields of a transform."""
        if values:
            self.select(position)
            page = self.robot.lab.window.page(self.name)
            assert isinstance(page, TransformsPage)
            self.set_fields(page.editor.form.prefix, values)

    def move(self, position: int, *, to: int) -> None:
        """Move a transform with Alt+Up and Alt+Down."""
        self.select(position)
        for step in range(abs(to - position)):
            self.hands.press(self._list, "Alt+Down" if to > position else "Alt+Up")
            there = position + (step + 1 if to > position else -step - 1)
            self.hands.wait(lambda there=there: self.selected() == there, "it has moved")  # type: ignore[misc]  # bound early

    def drag(self, position: int, *, to: int) -> None:
        """Move a transform with the mouse."""
        self.show()
        start, end = self._rectangle(position), self._list.visualItemRect(self._list.item(to))
        goal = QPoint(end.center().x(), end.bottom() - 4 if to > position else end.top() + 4)
        before = self.names()
        self.hands.drag(self._list.viewport(), start.center(), goal)
        self.hands.wait(lambda: self.names() != before, "it has moved")

    def remove(self, position: int) -> None:
        """Remove a transform with the Delete key."""
        before = len(self.names())
        self.select(position)
        self.hands.press(self._list, "Del")
        self.hands.wait(lambda: len(self.names()) == before - 1, "it is removed")

    def switch(self, position: int, on: bool) -> None:
        """Switch a transform on or off with its check box."""
        self.show()
        if self.robot.experiment.transforms[position].enabled != on:
            self._rectangle(position)
            self.hands.click(self._list.viewport(), self._list.box_of(position).center())
            self.hands.wait(lambda: self.robot.experiment.transforms[position].enabled == on, "it is switched")

    def measure(self, position: int, seconds: float = 60.0) -> None:
        """Press *Measure from data* of a Normalize and wait for its mean and std."""
        self.select(position)
        self.hands.click("transforms.measure")
        self.hands.wait(
            lambda: self.hands.text("transforms.measured").startswith("Measured"), "mean and std are measured", seconds
        )

    def problem(self) -> str:
        """What keeps the chain from training, as the page says it; empty where nothing does."""
        errors = [one for one in self.robot.lab.session.problems if one.severity == "error"]
        found = [one.sentence for one in errors if one.path.startswith("transforms")]
        return found[0] if found else ""

    def warning(self) -> str:
        """The first oddity of the chain, as the foot of the page says it; empty where there is none."""
        self.show()
        return self.hands.text("transforms.odd.problem") if self.hands.sees("transforms.odd.problem") else ""

    def preset(self, name: str) -> None:
        """Begin with a preset from the menu."""
        self.show()
        before = self.robot.experiment.transforms
        self.hands.click("transforms.more")
        self.hands.choose_in_menu("Begin with a preset", name)
        self.hands.wait(lambda: self.robot.experiment.transforms != before, f"the preset {name} is there")

    def add_own(self, path: Path) -> None:
        """Add the transform of a Python file, after the selected one, through the menu and the file dialog."""
        self.show()
        before = len(self.names())
        self.hands.click("transforms.more")
        self.hands.choose_in_menu("Add an own transform from a file")
        self.robot.in_dialog(path)
        self.hands.wait(lambda: len(self.names()) == before + 1, f"the transform of {path.name} is added")

    def trust(self) -> None:
        """Read the code of the chosen transform and trust it."""
        self.show()
        self.hands.click("transforms.code")
        self.hands.wait(lambda: self.hands.sees("code.trust"), "the code is shown")
        self.hands.click("code.trust")
        self.hands.wait(lambda: not self.hands.sees("code.trust"), "the dialog is closed")
        self.hands.back_to_window()

    def repair(self, label: str) -> None:
        """Press the button of a repair."""
        self.show()
        self.hands.click_button(label)

    def _rectangle(self, position: int) -> QRect:
        """Where a transform lies in the list, after scrolling to it."""
        item = self._list.item(position)
        self._list.scrollToItem(item)
        return self._list.visualItemRect(item)

    @property
    def _list(self) -> TransformList:
        return self.hands.find("transforms.list", TransformList)


class ModelPlace(Place):
    """The list of networks, their knobs and the layer table."""

    name = "Model"

    def choose(self, name: str, **values: Any) -> None:
        """Click a network in the list and edit its fields."""
        self.show()
        self.hands.click_row("model.catalogue", name)
        self.hands.wait(lambda: self.robot.experiment.model.name_of() == name, f"{name} is chosen")
        self.set(**values)

    def set(self, **values: Any) -> None:
        """Edit fields of the chosen network."""
        self.show()
        self.set_fields("model", values)

    def parameters(self) -> int:
        """The number of parameters that the layer table shows."""
        self.show()
        page = self.robot.lab.window.page(self.name)
        assert isinstance(page, ModelPage)
        self.hands.wait(lambda: page.counted and self.hands.sees("model.total"), "the layers are counted")
        return int(re.sub(r"\D", "", self.hands.text("model.total").split("parameters")[0]))
