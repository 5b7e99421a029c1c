"""What the curves say, in a sentence or three: how the loss went, whether validation follows it, and the best epoch.

The judgements are rules of thumb, with their limits below; each names what is seen ("validation rises since epoch 4")
before what it is called ("over-fitting").
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gui_lab.core.history import History
from gui_lab.qt import words

Floats = npt.NDArray[np.float64]

_FLAT = 0.02
"""Part of a loss by which it has to change to be no longer flat."""
_RISEN = 0.05
"""Part of its lowest value by which validation has to rise to be called over-fitting, while training falls."""
_DIVERGED = 1.5
"""Times its lowest value from which on a training loss rises, rather than being noisy; and then"""
_LOST = 0.1
"""part of what it had fallen by that is lost again."""
_RECENT = 0.2
"""Part of the run, its end, by which is judged whether the loss still falls."""


def said_of(history: History) -> str:
    """What the curves say; empty before the first batch."""
    if not len(history.loss):
        return ""
    said = [_of_training(history)]
    validation = _of_validation(history)
    if validation:
        said[0] += f"; {validation}"
    said[0] += "."
    if history.best_epoch:
        best = words.percent(history.best_accuracy)
        said.append(f"Best validation accuracy {best}, in epoch {history.best_epoch:,}.")
    if history.tested is not None:
        right = words.percent(history.tested.accuracy)
        said.append(f"On {history.tested.samples:,} test pictures: {right} right.")
    return " ".join(said)


def _of_training(history: History) -> str:
    """Where the loss began, where it is, and where it is going. The smoothed line is looked at in 200 places."""
    smooth, first = history.smooth.values, float(history.loss.values[0])
    places = np.unique(np.linspace(0, len(smooth) - 1, 200).astype(np.int64))
    line = smooth[places]
    now, lowest = float(line[-1]), float(line.min())
    if len(smooth) == 1:
        return f"Loss of the first batch: {figure(now)}"
    if now > _DIVERGED * lowest and now - lowest > _LOST * (first - lowest) and len(smooth) >= 20:
        at = _epoch_of(history, int(places[line.argmin()]) + 1)
        return (
            f"Loss rises: it is {figure(now)} and was {figure(lowest)} in epoch {at:,}; a lower learning rate may help"
        )
    if now >= first * (1 - _FLAT):
        return f"Loss has not fallen yet: it began at {figure(first)} and is {figure(now)}"
    told = f"Loss fell from {figure(first)} to {figure(now)}"
    recent = line[int(len(line) * (1 - _RECENT))]
    if len(smooth) >= 50 and history.ended is None:
        told += " and still falls" if now < recent * (1 - _FLAT) else " and hardly changes now"
    return told


def _of_validation(history: History) -> str:
    """Whether validation falls, stands still or rises, and since when; empty before the second epoch."""
    losses = history.validation_loss.values
    if len(losses) < 2 or not np.isfinite(losses).all():
        return ""
    lowest = int(losses.argmin())
    now, best = float(losses[-1]), float(losses[lowest])
    since = len(losses) - 1 - lowest
    if since and now > best * (1 + _RISEN):
        training = history.epoch_loss.values
        overfitting = training[-1] < training[lowest]
        told = f"validation rises since epoch {lowest + 1:,}, from {figure(best)} to {figure(now)}"
        return f"{told} while training falls: over-fitting" if overfitting else told
    flat = _epochs_flat(losses)
    if flat:
        return f"validation flat for {flat:,} epoch{'s' if flat > 1 else ''}"
    return (
        f"validation fell to {figure(now)}" if history.ended is not None else f"validation falls too, to {figure(now)}"
    )


def _epochs_flat(losses: Floats) -> int:
    """For how many epochs none was clearly better than what had been reached before them."""
    reached = np.minimum.accumulate(losses)
    before = reached > reached[-1] * (1 + _FLAT)
    first = int(np.flatnonzero(before)[-1]) + 1 if before.any() else 0
    return len(losses) - 1 - first


def _epoch_of(history: History, trained: int) -> int:
    iterations = history.started.iterations if history.started is not None else 1
    return -(-trained // iterations)


def figure(value: float) -> str:
    """Two decimals, or two digits of a small one: 2.30, 0.41, 0.052, 3.1e-5."""
    if abs(value) >= 0.1 or value == 0:
        return f"{value:,.2f}"
    return f"{value:.2g}".replace("e-0", "e-")
