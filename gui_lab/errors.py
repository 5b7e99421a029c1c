"""Every error a person can meet: a sentence that says what is wrong and a remedy that says what to do next.

Anything else that is raised is a bug of ours (or of trusted user code) and is shown as a report, once.

    LabError                    expected, shown as a banner (window) or a line (command line)
    ├── InvalidExperiment       an experiment has problems, each with the path of its field
    ├── UnreadableDocument      a file is not an experiment: broken TOML, wrong version, too large, not there
    ├── UnknownName             the catalogue has no entry of that name
    ├── DataError               pictures cannot be used: none there, one class, unreadable
    │   └── DownloadError       pictures could not be fetched
    ├── TrainingError           a run ended before its end
    │   ├── LossNotFinite       the loss became NaN or infinite
    │   └── OutOfMemory         the device or the machine has no memory left
    ├── OwnCodeError            a transform that came with the experiment failed
    ├── StoreError              a run could not be written
    └── DisplayError            no window can be opened on this machine
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui_lab.schema import Problem, Repair


class LabError(Exception):
    """An expected error. `sentence` says what is wrong, `remedy` what to do next; both are shown as they are, and
    `repairs` are those remedies that are an edit of the experiment, one click each."""

    def __init__(self, sentence: str, remedy: str = "", repairs: Sequence[Repair] = ()) -> None:
        super().__init__(f"{sentence} {remedy}".strip())
        self.sentence = sentence
        self.remedy = remedy
        self.repairs = tuple(repairs)


class InvalidExperiment(LabError):
    """An experiment that cannot run. `problems` lists all that is wrong at once, each with its path."""

    def __init__(self, problems: Sequence[Problem], where: str = "This experiment") -> None:
        count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(f"{where} has {count}:", " ".join(f"{p.path}: {p.sentence}" for p in problems))
        self.problems = tuple(problems)


class UnreadableDocument(LabError):
    """A file that cannot be read as an experiment, or not written."""


class UnknownName(LabError):
    """A name that the catalogue does not have; the remedy names the nearest ones."""


class DataError(LabError):
    """Pictures that cannot be used for training."""


class DownloadError(DataError):
    """Pictures that could not be fetched; what had arrived is kept and continued next time."""


class TrainingError(LabError):
    """A run that ended before its end."""


class LossNotFinite(TrainingError):
    """The loss became NaN or infinite; raised before the optimiser's step, so the weights are still finite."""


class OutOfMemory(TrainingError):
    """No memory was left on the device or the machine."""


class OwnCodeError(LabError):
    """A transform that came with the experiment failed, or is not trusted (any more)."""


class StoreError(LabError):
    """A run folder could not be written or read."""


class DisplayError(LabError):
    """No window can be opened: no display, or a system library of Qt is missing."""
