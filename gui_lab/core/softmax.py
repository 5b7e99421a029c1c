"""Softmax step by step, as a ladder shows it: scores, less their maximum, exp of that, the sum, the quotient.

While a network trains the steps are torch's own (`probing.py`). Here they are taken for another temperature, which is a
question of the person who looks and not of the run: numpy in float32, so that a window answers at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Steps:
    """All float32, of several pictures or (after `of`) of one.

    Attributes:
        scores: (P, classes), what softmax gets.
        minus_max: (P, classes), less the largest of the row; 0 at most, so that exp cannot overflow.
        exps: (P, classes), e to the power of these, 0..1.
        sums: (P,), of the exps, 1..classes.
        probabilities: (P, classes), exps / sums.
    """

    scores: Floats
    minus_max: Floats
    exps: Floats
    sums: Floats
    probabilities: Floats

    def of(self, place: int) -> Steps:
        """The steps of one picture: (classes,) each, `sums` ()."""
        rows = (self.scores, self.minus_max, self.exps, self.sums, self.probabilities)
        return Steps(*(values[place] for values in rows))

    def surprise(self, label: int) -> float:
        """-log p of a class, of one picture: log(sum) - (score - max), which is exact where p itself rounds to 0."""
        with np.errstate(invalid="ignore"):
            return float(np.log(self.sums) - self.minus_max[label])


def at_temperature(scores: npt.NDArray[Any], temperature: float) -> Steps:
    """The steps for scores that are divided by a temperature first (Hinton and others, 2015): above 1 the classes come
    closer to each other, below 1 the largest wins more. What is no number stays none.

    Args:
        scores: float32 (P, classes) or (classes,).
        temperature: above 0.
    """
    with np.errstate(all="ignore"):
        tempered = scores.astype(np.float32) / np.float32(temperature)
        minus_max = tempered - tempered.max(-1, keepdims=True)
        exps = np.exp(minus_max)
        sums = exps.sum(-1, dtype=np.float32)
        return Steps(tempered, minus_max, exps, sums, exps / sums[..., None])
