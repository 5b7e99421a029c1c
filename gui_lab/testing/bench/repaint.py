"""How long the curves of a very long run take to show news: what they cost a window ten times a second."""

from __future__ import annotations

import time
from array import array

import numpy as np

from gui_lab.core.events import RunStarted
from gui_lab.core.history import Column, History
from gui_lab.qt.app import application
from gui_lab.qt.views.curves import Curves
from gui_lab.testing.bench.children import Answer, serve
from gui_lab.testing.bench.heartbeat import part_of
from gui_lab.testing.bench.processors import Others

_NEWS = 100  # iterations between two repaints
_ITERATIONS = 1000  # in an epoch
_SIZE = (1200, 800)


_BATCHES = ("loss", "seconds", "lr", "gradient_norm")
_EPOCHS = ("epoch_at", "epoch_loss", "epoch_accuracy", "validation_loss", "validation_accuracy")


class LongRun:
    """A history of many iterations, put into its columns as arrays: by events it would take minutes."""

    def __init__(self, iterations: int, more: int) -> None:
        """
        Args:
            iterations: trained so far.
            more: that may still be trained.
        """
        self.history = History()
        room = iterations + more
        epochs = room // _ITERATIONS + 1
        self.history.apply(RunStarted("", "cpu", 1, epochs, _ITERATIONS, 64, 64 * _ITERATIONS, 1000, 1))
        at, random = np.arange(room), np.random.default_rng(0)
        losses = 2.3 * np.exp(-3 * at / room) + random.exponential(0.2, room)
        rates = 0.05 * (1 + np.cos(np.pi * at / room))
        ended = np.arange(_ITERATIONS, room + 1, _ITERATIONS, dtype=np.float64)
        values = [losses, at / 1000, rates, random.exponential(1.0, room), ended]
        values += [random.random(len(ended)) for _ in _EPOCHS[1:]]
        for name, its in zip((*_BATCHES, *_EPOCHS), values, strict=True):
            self._column(name)._values = its
        self.trained = 0
        self.train(iterations)

    def _column(self, name: str) -> Column:
        column: Column = getattr(self.history, name)
        return column

    def train(self, iterations: int) -> None:
        """So many more."""
        self.trained += iterations
        for name in _BATCHES:
            self._column(name)._count = self.trained
        for name in _EPOCHS:
            self._column(name)._count = self.trained // _ITERATIONS


def repaint(points: int, rounds: int) -> Answer:
    """Milliseconds to take in a hundred iterations and to repaint the loss plot, of a run of so many points; `opened`
    the seconds until all of it was there, piece by piece."""
    app = application()
    run = LongRun(points, (rounds + 1) * _NEWS)
    curves = Curves()
    curves.resize(*_SIZE)
    curves.show()
    app.processEvents()
    began = time.perf_counter()
    curves.show_history(run.history)
    while curves._catch_up.isActive():
        app.processEvents()
    opened = time.perf_counter() - began
    took, others = array("d"), Others()
    for _ in range(rounds):
        run.train(_NEWS)
        began = time.perf_counter()
        curves.show_history(run.history)
        curves.loss.repaint()
        took.append(1000 * (time.perf_counter() - began))
        app.processEvents()
    part = others.part()
    curves.close_down()
    curves.hide()
    return {"p50": part_of(took, 0.5), "p99": part_of(took, 0.99), "opened": opened, "others": part}


def main() -> None:
    serve(lambda question: repaint(question["points"], question["rounds"]))


if __name__ == "__main__":
    main()
