"""A run's history as a table that other programs read: a row for each iteration, nothing thinned out.

What is measured once an epoch stands in the row of the iteration that ended the epoch and is empty in the others: so
one file holds all, and each program can leave out the empty rows of a column.
"""

from __future__ import annotations

import csv
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gui_lab.core.history import History, Mark
from gui_lab.errors import StoreError

Floats = npt.NDArray[np.float64]

EACH_ITERATION = ("seconds", "loss", "learning_rate", "gradient_norm")
EACH_EPOCH = (
    "epoch_seconds",
    "training_loss",
    "training_accuracy",
    "remeasured_loss",
    "validation_loss",
    "validation_accuracy",
)
HEADER = ("iteration", "epoch", *EACH_ITERATION, *EACH_EPOCH, "event")
_ROWS = 20_000  # at once


@dataclass(frozen=True, eq=False)
class Table:
    """A history as it is now; it may grow meanwhile.

    Attributes:
        iterations: of an epoch.
        batches: a column for each of `EACH_ITERATION`, float64 (n,); iteration counts from 1 over the whole run.
        epochs: a column for each of `EACH_EPOCH`, float64 (m,).
        ends: iterations trained when each epoch had ended, float64 (m,).
        marks: what happened; it stands in the row of the iteration before it.
    """

    iterations: int
    batches: tuple[Floats, ...]
    epochs: tuple[Floats, ...]
    ends: Floats
    marks: tuple[Mark, ...]

    @classmethod
    def of(cls, history: History) -> Table:
        batches = (history.seconds, history.loss, history.lr, history.gradient_norm)
        epochs = (
            history.epoch_seconds,
            history.epoch_loss,
            history.epoch_accuracy,
            history.remeasured_loss,
            history.validation_loss,
            history.validation_accuracy,
        )
        return cls(
            history.started.iterations if history.started is not None else 1,
            tuple(column.values for column in batches),
            tuple(column.values for column in epochs),
            history.epoch_at.values,
            tuple(history.marks),
        )

    def write(self, path: Path, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Write it as CSV, whole or not at all; False where it was stopped before the end.

        Raises:
            StoreError: it cannot be written.
        """
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            with temporary.open("x", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(HEADER)
                for rows in self._rows():
                    if stopped():
                        return False
                    writer.writerows(rows)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except OSError as error:
            raise unwritten(path, error) from error
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def _rows(self) -> Iterator[list[tuple[object, ...]]]:
        """All rows, many at a time."""
        count = len(self.batches[0])
        measured = {int(end): tuple(map(_told, values)) for end, *values in zip(self.ends, *self.epochs, strict=True)}
        happened = self._happened()
        blank = ("",) * len(self.epochs)
        for start in range(0, count, _ROWS):
            columns = [map(_told, column[start : start + _ROWS].tolist()) for column in self.batches]
            yield [
                (at, -(-at // self.iterations), *values, *measured.get(at, blank), happened.get(at, ""))
                for at, values in enumerate(zip(*columns, strict=True), start + 1)
            ]

    def _happened(self) -> dict[int, str]:
        found: dict[int, list[str]] = {}
        for mark in self.marks:
            found.setdefault(max(mark.at, 1), []).append(mark.words)
        return {at: "; ".join(words) for at, words in found.items()}


def unwritten(path: Path, error: OSError) -> StoreError:
    """What a person is told when a file of curves cannot be written."""
    return StoreError(
        f"{path.name} could not be written: {error.strerror or error}.",
        "Choose another folder, or free some space; nothing was left half written.",
    )


def _told(value: float) -> str:
    """All its digits; nothing where it was not measured."""
    return repr(float(value)) if value == value else ""
