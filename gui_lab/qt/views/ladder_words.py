"""What a softmax ladder says of one picture, as numbers in words: the same ones are painted, read aloud and tested."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gui_lab.core.softmax import Steps, at_temperature
from gui_lab.qt.words import NONE

if TYPE_CHECKING:
    from gui_lab.core.learning import Ending
    from gui_lab.core.looks import Probed

MOST_ROWS = 10
_MINUS = "\u2212"
_OUTPUTS = {"scores": "score", "LogSoftmax": "log p", "Softmax": "output"}
_ENDINGS = {
    "scores": "",
    "LogSoftmax": "The network ends in LogSoftmax: log-probabilities leave it, and their softmax is p again.",
    "Softmax": "The network ends in Softmax: probabilities leave it already. The softmax here is a second one, as "
    "CrossEntropyLoss takes it.",
}


@dataclass(frozen=True)
class Row:
    """A class, or several together (label -1): its numbers as text, and `part` as the length of its bar, 0..1."""

    label: int
    name: str
    score: str
    minus_max: str
    exp: str
    probability: str
    part: float


@dataclass(frozen=True)
class Said:
    """All that is written.

    Attributes:
        score: what the column of scores is headed.
        rows: the classes; the true one is at place `true` of them, None where there is none.
        guess: the most probable class and its probability; `right` whether it is the true one, None where nobody knows.
        rest: those that have no row, together; None where all have one.
        sums: of the columns exp and probability.
        surprise: -log p of the true class.
        cross_entropy, nll: torch's two losses at temperature 1; `agree` whether they are the same as written.
        loss: the name of the run's own loss and what it is.
        note: about the network's ending and the temperature; empty where there is nothing to say.
    """

    score: str
    rows: tuple[Row, ...]
    true: int | None
    guess: tuple[str, str]
    right: bool | None
    rest: Row | None
    sums: tuple[str, str]
    surprise: str
    cross_entropy: str
    nll: str
    agree: bool | None
    loss: tuple[str, str]
    note: str


def said(probed: Probed, place: int, classes: Sequence[str], temperature: float = 1.0) -> Said:
    """
    Args:
        place: of the picture among those that were looked at.
        temperature: 1 shows the steps that torch took.
    """
    own = temperature == 1
    steps = probed.steps.of(place) if own else at_temperature(probed.outputs[place], temperature)
    label = int(probed.labels[place])
    shown = rows_shown(steps.probabilities, label)
    columns = steps.scores, steps.minus_max, steps.exps, steps.probabilities
    numbers = zip(*(column[shown].tolist() for column in columns), strict=True)
    cross_entropy, nll = (loss(float(values[place])) for values in (probed.cross_entropy, probed.nll))
    guess = int(steps.probabilities.argmax())
    known = label >= 0 and bool(np.isfinite(steps.probabilities).all())
    head = _OUTPUTS[probed.ends_in]
    return Said(
        score=head if own else f"{head} / T",
        rows=tuple(_row(one, classes[one], *row) for one, row in zip(shown, numbers, strict=True)),
        true=shown.index(label) if label >= 0 else None,
        guess=(classes[guess], part(float(steps.probabilities[guess]))),
        right=guess == label if known else None,
        rest=_rest(steps, shown),
        sums=(part(float(steps.sums)), part(float(steps.probabilities.sum()))),
        surprise=loss(steps.surprise(label) if label >= 0 else math.nan),
        cross_entropy=cross_entropy,
        nll=nll,
        agree=cross_entropy == nll if cross_entropy != NONE else None,
        loss=(probed.loss, loss(float(probed.losses[place]))),
        note=_note(probed.ends_in, temperature, label),
    )


def rows_shown(probabilities: npt.NDArray[np.float32], label: int) -> list[int]:
    """All classes; where there are many the true one and the most probable ones. In their own order."""
    if len(probabilities) <= MOST_ROWS:
        return list(range(len(probabilities)))
    strongest: list[int] = np.argsort(-probabilities, kind="stable")[:MOST_ROWS].tolist()
    if label >= 0 and label not in strongest:
        strongest[-1] = label
    return sorted(strongest)


def _row(label: int, name: str, outcome: float, minus_max: float, exp: float, probability: float) -> Row:
    length = probability if math.isfinite(probability) else 0.0
    return Row(label, name, score(outcome), score(minus_max), part(exp), part(probability), length)


def _rest(steps: Steps, shown: Sequence[int]) -> Row | None:
    count = len(steps.probabilities) - len(shown)
    if not count:
        return None
    others = np.ones(len(steps.probabilities), np.bool_)
    others[list(shown)] = False
    exps, probability = float(steps.exps[others].sum()), float(steps.probabilities[others].sum())
    length = probability if math.isfinite(probability) else 0.0
    return Row(-1, f"{count:,} others", "", "", part(exps), part(probability), length)


def _note(ends_in: Ending, temperature: float, label: int) -> str:
    notes = [_ENDINGS[ends_in]] if _ENDINGS[ends_in] else []
    if temperature != 1:
        losses = " The two losses are those at T = 1." if label >= 0 else ""
        notes.append(f"Divided by T = {degree(temperature)} before exp; the network's own is T = 1.{losses}")
    if label < 0:
        notes.append("A picture of your own has no true class, so there is no loss.")
    return " ".join(notes)


def score(value: float) -> str:
    """Two decimals with a true minus, fewer where there is no room for them."""
    if math.isnan(value):
        return NONE
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    size = abs(value)
    if size < 999.995:
        text = f"{value:.2f}" if round(value, 2) else "0.00"
    elif size < 99_999.5:
        text = f"{value:.0f}"
    else:
        mantissa, exponent = f"{value:.1e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", _MINUS)


def part(value: float) -> str:
    """A part of one, four decimals; of sums of a thousand fewer."""
    if not math.isfinite(value):
        return NONE
    return f"{value:.4f}" if value < 99.99995 else f"{value:.2f}"


def loss(value: float) -> str:
    """Four decimals, as all losses have them; infinite ones are said to be."""
    return "∞" if math.isinf(value) else score(value) if value >= 999.995 else _plain(value)


def _plain(value: float) -> str:
    if math.isnan(value):
        return NONE
    return f"{value:.4f}" if round(value, 4) else "0.0000"  # never a minus zero


def degree(temperature: float) -> str:
    """Three significant digits: 0.10, 1.00, 10.0"""
    return f"{temperature:.1f}" if temperature >= 9.995 else f"{temperature:.2f}"
