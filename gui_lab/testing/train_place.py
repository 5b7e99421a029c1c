"""The Train place in the user's words: settings, the run from start to end, and what it shows."""

from __future__ import annotations

from operator import methodcaller
from typing import Any

import numpy as np
import numpy.typing as npt

from gui_lab.qt.pages.train import TrainPage
from gui_lab.qt.running import State
from gui_lab.testing.hands import RobotError
from gui_lab.testing.places import Place

__tracebackhide__ = methodcaller("errisinstance", RobotError)


class TrainPlace(Place):
    """Settings, run bar and what the run shows."""

    name = "Train"

    def set(self, **values: Any) -> None:
        """Edit settings: epochs, batch_size, patience, device, ... or fields of the optimiser (lr, momentum, ...)."""
        self.show()
        training = set(type(self.robot.experiment.training).model_fields)
        for field, value in values.items():
            self._set("training" if field in training else "optimizer", {field: value})

    def optimizer(self, name: str, **values: Any) -> None:
        """Choose an optimiser and edit its fields."""
        self.show()
        self.unfold("optimizer")
        self.hands.choose("optimizer.name", name)
        self._set("optimizer", values)

    def scheduler(self, name: str, **values: Any) -> None:
        """Add a learning rate schedule by typing its name, behind those that are there, and edit its fields."""
        self.show()
        self.unfold("schedulers")
        before = len(self.robot.experiment.schedulers)
        self.hands.click("schedulers.add")
        self.hands.wait(lambda: self.hands.sees("schedulers.add.search"), "the search opens")
        self.hands.type_keys("schedulers.add.search", name)
        self.hands.press("schedulers.add.search", "Return")
        self.hands.wait(lambda: len(self.robot.experiment.schedulers) > before, f"{name} is added")
        self._set(f"schedulers.{before}", values)

    def remove_scheduler(self, position: int) -> None:
        """Take a learning rate schedule away."""
        self.show()
        self.unfold("schedulers")
        self.hands.click(f"schedulers.{position}.remove")

    def unfold(self, path: str) -> None:
        """Click the title of the part of the settings in which a field stands, unless it is open."""
        if self._page.sides.key != "settings":
            self.hands.click("train.side.settings")
        section = self._page.editor.section_of(path)
        if section.folded:
            self.hands.click(section.title)
            self.hands.wait(lambda: not section.folded, f"{section.title.text()} is open")

    def _set(self, prefix: str, values: dict[str, Any]) -> None:
        for field, value in values.items():
            self.unfold(f"{prefix}.{field}")
            self.set_fields(prefix, {field: value})

    def start(self) -> TrainPlace:
        """Press Train."""
        self.hands.click("run.train")
        control = self.robot.lab.control
        self.hands.wait(lambda: control.running or control.in_words() != State.IDLE.value, "the run starts")
        return self

    def pause(self) -> None:
        """Press Pause and wait until nothing is computed."""
        self.hands.click("run.pause")
        self.wait_state(State.PAUSED)

    def carry_on(self) -> None:
        self.hands.click("run.train")
        self.hands.wait(lambda: self.state != State.PAUSED, "the run goes on")

    def one_batch(self) -> None:
        """Press One batch and wait until it is trained."""
        before = len(self.history.loss) if self.robot.lab.control.running else 0
        self.hands.click("run.one_batch")
        self.hands.wait(
            lambda: self.state == State.PAUSED and len(self.history.loss) == before + 1, "one batch is trained"
        )

    def batches(self, count: int) -> None:
        """Train 10 or 100 batches through the menu beside One batch, and wait for the pause after them."""
        before = len(self.history.loss) if self.robot.lab.control.running else 0
        self.hands.click("run.more_batches")
        self.hands.choose_in_menu(f"{count} batches")
        self.hands.wait(
            lambda: self.state == State.PAUSED and len(self.history.loss) == before + count, f"{count} batches", 60.0
        )

    def one_epoch(self) -> None:
        """Train to the end of the epoch through the menu beside One batch, and wait for the pause after it."""
        before = self.history.epochs if self.robot.lab.control.running else 0
        self.hands.click("run.more_batches")
        self.hands.choose_in_menu("To the end of the epoch")
        self.hands.wait(
            lambda: self.state == State.PAUSED and self.history.epochs == before + 1, "the epoch is trained", 60.0
        )

    def discard(self) -> None:
        """Throw the run away through the menu beside Stop, and wait until it is gone."""
        self.hands.click("run.more_stop")
        self.hands.choose_in_menu("Discard")
        self.wait_done()

    def branch(self, epoch: int) -> TrainPlace:
        """Begin a new run where the one on screen was after an epoch, through the button above the curves; one that
        goes on is stopped and kept."""
        self.show()
        before = self.history.started
        self.hands.click("train.branch")
        self.hands.wait(lambda: self.hands.sees("branch.begin"), "it is asked where to branch")
        kept = self.hands.entries("branch.epoch")
        wanted = next((text for text in kept if text.partition(":")[0] == f"{epoch:,}"), f"epoch {epoch:,}")
        self.hands.choose("branch.epoch", wanted)
        self.hands.click("branch.begin")
        self.hands.wait(lambda: self.history.branched is not None and self.history.started is not before, "it branches")
        return self

    def stop(self) -> None:
        """Press Stop and wait until the run has ended."""
        self.hands.click("run.stop")
        self.wait_done()

    def wait_done(self, seconds: float = 120.0) -> TrainPlace:
        """Wait until the run has ended, however it did."""
        self.hands.wait(lambda: not self.robot.lab.control.running, "the run ends", seconds)
        return self

    def wait_iterations(self, count: int, seconds: float = 120.0) -> None:
        """Wait until so many batches are trained (or the run has ended)."""
        control = self.robot.lab.control
        self.hands.wait(
            lambda: len(self.history.loss) >= count or not control.running, f"{count} batches are trained", seconds
        )

    def wait_state(self, state: State, seconds: float = 60.0) -> None:
        self.hands.wait(lambda: self.state == state, f"the run is {state.value.lower()}", seconds)

    @property
    def state(self) -> State:
        return self.robot.lab.control.state

    @property
    def history(self) -> Any:
        """All that the run has said (`gui_lab.core.history.History`)."""
        return self.robot.lab.control.history

    def says(self) -> str:
        """The line below the curves."""
        self.show()
        return self.hands.text("train.says")

    def loss(self) -> npt.NDArray[np.float64]:
        """The training loss of each batch as the plot shows it, float64 (iterations,)."""
        return self._line("loss", "each batch")

    def choose_loss(self, name: str, **values: Any) -> None:
        """Choose a loss and edit its fields."""
        self.show()
        self.unfold("loss")
        self.hands.choose("loss.name", name)
        self._set("loss", values)

    def validation_loss(self) -> npt.NDArray[np.float64]:
        """The validation loss of each epoch as the plot shows it, float64 (epochs,), nats."""
        return self._line("loss", "validation")

    def validation_accuracy(self) -> float:
        """The best validation accuracy so far, 0..1."""
        return float(self.history.best_accuracy)

    def test_accuracy(self) -> float:
        """Accuracy on the data set's own test pictures after the run, 0..1; NaN where it has none."""
        tested = self.history.tested
        return float(tested.accuracy) if tested is not None else float("nan")

    def probabilities(self, index: int) -> npt.NDArray[np.float32] | None:
        """The softmax bars of a pinned picture, float32 (classes,)."""
        self.show()
        return self._page.watching.probabilities.probabilities(index)

    def weights_sha256(self) -> str:
        """The digest of the last weights of the run that has ended."""
        ended = self.history.ended
        return str(ended.weights_sha256) if ended is not None else ""

    @property
    def _page(self) -> TrainPage:
        page = self.robot.lab.window.page("Train")
        assert isinstance(page, TrainPage)
        return page

    def _line(self, pane: str, name: str) -> npt.NDArray[np.float64]:
        self.show()
        return self._page.curves.panes[pane].shown(name)[1]
