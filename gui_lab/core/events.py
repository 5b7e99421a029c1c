"""What a run says: few facts, past tense, frozen, JSON-able. The window, the command line and the record read the
same ones. Epochs and iterations are counted from 1."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

Reason = Literal["finished", "patience", "stopped", "failed"]
"""`patience`: validation had not improved for as many epochs as were allowed."""

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class RunStarted:
    """`samples` training pictures in `iterations` batches per epoch, on `device` with `threads` CPU threads, in
    `precision` ("float32" or "bfloat16"); `why` says what it was chosen for where it was measured."""

    run: str
    device: str
    threads: int
    epochs: int
    iterations: int
    batch_size: int
    samples: int
    validation_samples: int
    parameters: int
    patience: int = 0
    precision: str = "float32"
    why: str = ""
    test_samples: int = 0


@dataclass(frozen=True, slots=True)
class BatchTrained:
    """One iteration: mean loss of the batch, how many of its pictures were right before the step, and seconds since
    the run started (pauses not counted). `lr` is the learning rate of its step, `gradient_norm` the Euclidean norm of
    all gradients before they were clipped (NaN where it was not measured)."""

    epoch: int
    iteration: int
    loss: float
    correct: int
    samples: int
    seconds: float
    lr: float = _NAN
    gradient_norm: float = _NAN


@dataclass(frozen=True, slots=True)
class Measuring:
    """Measuring goes on: `done` of `total` pictures of a `part` ("training", "validation", "test"). Not recorded."""

    part: Literal["training", "validation", "test"]
    epoch: int
    done: int
    total: int
    seconds: float


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """`loss` and `accuracy` over the epoch's batches as they were trained (dropout and random transforms on);
    `validation_...` measured afterwards in evaluation mode, and `remeasured_loss` that of the training pictures in the
    same mode (NaN where it was not asked for). Accuracies 0..1."""

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    best: bool
    seconds: float
    remeasured_loss: float = _NAN


@dataclass(frozen=True, slots=True)
class Changed:
    """A person changed a setting while the run went on, from the next iteration on. `setting` is its path in the
    experiment: "optimizer.lr", "training.epochs" or "training.patience"."""

    epoch: int
    iteration: int
    setting: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Paused:
    """The run waits after this iteration; nothing is computed until it is told to go on."""

    epoch: int
    iteration: int


@dataclass(frozen=True, slots=True)
class Branched:
    """All that was said so far was said by another run, `run`, up to the end of this epoch; from here on it is this
    run's own, which is to have so many `epochs` in all, with this `patience`."""

    run: str
    epoch: int
    epochs: int
    patience: int


@dataclass(frozen=True, slots=True)
class Tested:
    """The data set's own test pictures, measured once after the last epoch with the last weights."""

    loss: float
    accuracy: float
    samples: int


@dataclass(frozen=True, slots=True)
class RunEnded:
    """How it ended. `weights_sha256` is the digest of the last weights, `sentence` and `remedy` say what failed."""

    reason: Reason
    epoch: int
    iteration: int
    best_epoch: int
    weights_sha256: str
    seconds: float
    sentence: str = ""
    remedy: str = ""


Event = RunStarted | BatchTrained | Measuring | EpochEnded | Changed | Paused | Branched | Tested | RunEnded


def as_record(event: Event) -> dict[str, Any]:
    """As a JSON-able record: {"event": "batch_trained", ...}; NaN and infinity become None."""
    kind, names = _LINES[type(event)]
    record: dict[str, Any] = {"event": kind}
    for name in names:
        value = getattr(event, name)
        record[name] = None if isinstance(value, float) and not math.isfinite(value) else value
    return record


def from_record(record: Mapping[str, Any]) -> Event:
    """The event of a record; a number that was not finite comes back as NaN.

    Raises:
        KeyError: there is no such event.
        TypeError: it lacks a field, or has one that there is not.
    """
    kind = _KINDS[record["event"]]
    floats = _FLOATS[kind]
    given = {
        name: _NAN if value is None and name in floats else value for name, value in record.items() if name != "event"
    }
    made: Event = kind(**given)
    return made


def _name(kind: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


_KINDS: dict[str, Any] = {_name(kind): kind for kind in get_args(Event)}
_FLOATS: dict[type, frozenset[str]] = {
    kind: frozenset(field.name for field in fields(kind) if field.type == "float") for kind in _KINDS.values()
}
_LINES: dict[type, tuple[str, tuple[str, ...]]] = {
    kind: (name, tuple(field.name for field in fields(kind))) for name, kind in _KINDS.items()
}
