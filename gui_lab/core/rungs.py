"""From scores to the loss and back, one rung at a time, each taken by torch in float32; beside them what torch's own
functions say.

With `subtract_max` the rungs are those that torch's LogSoftmax takes: exp cannot overflow, and log p is exact where p
itself rounds to 0. Without, they are the formula as it is written down, which breaks where float32 ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

Row = tuple[float, ...]
"""A number for each class."""

Curve = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Rungs:
    """
    Attributes:
        scores: as they were given.
        tempered: scores / temperature.
        shifted: less the largest of them, or as they are.
        exps: e to the power of these.
        sum_exp: of them all.
        p: exps / sum_exp.
        y: one-hot: 1 at the label, 0 elsewhere.
        log_p: logarithms of the probabilities.
        terms: -y log p.
        divergence: their sum, D(y_hat, y).
        slopes: (p - y) / temperature, the gradient of the loss for each score.
    """

    scores: Row
    tempered: Row
    shifted: Row
    exps: Row
    sum_exp: float
    p: Row
    y: Row
    log_p: Row
    terms: Row
    divergence: float
    slopes: Row

    @property
    def finite(self) -> bool:
        """Whether the formula came through."""
        return abs(self.divergence) < float("inf") and all(abs(one) < float("inf") for one in self.slopes)


@dataclass(frozen=True)
class Torchs:
    """What torch's own functions say of the same scores, label and temperature.

    Attributes:
        cross_entropy: of nn.CrossEntropyLoss.
        nll: of nn.LogSoftmax and then nn.NLLLoss.
        p: of torch.softmax.
        log_softmax: of nn.LogSoftmax.
        slopes: of autograd, the gradient of the cross-entropy for each score.
    """

    cross_entropy: float
    nll: float
    p: Row
    log_softmax: Row
    slopes: Row


def climbed(scores: Sequence[float], label: int, temperature: float = 1.0, subtract_max: bool = True) -> Rungs:
    """The rungs for scores of two classes or more; `label` is the true class."""
    import torch

    given = torch.tensor(scores, dtype=torch.float32)
    tempered = given / temperature
    shifted = tempered - tempered.max() if subtract_max else tempered
    exps = shifted.exp()
    sum_exp = exps.sum()
    p = exps / sum_exp
    y = torch.zeros_like(p)
    y[label] = 1
    log_p = shifted - sum_exp.log() if subtract_max else p.log()
    terms = -y * log_p
    return Rungs(
        scores=_row(given),
        tempered=_row(tempered),
        shifted=_row(shifted),
        exps=_row(exps),
        sum_exp=float(sum_exp),
        p=_row(p),
        y=_row(y),
        log_p=_row(log_p),
        terms=_row(terms),
        divergence=float(terms.sum()) + 0.0,
        slopes=_row((p - y) / temperature),
    )


def asked(scores: Sequence[float], label: int, temperature: float = 1.0) -> Torchs:
    """torch's own answers."""
    import torch
    from torch import nn

    leaf = torch.tensor(scores, dtype=torch.float32, requires_grad=True)
    batch, labels = (leaf / temperature)[None], torch.tensor([label])
    loss = nn.CrossEntropyLoss()(batch, labels)
    loss.backward()
    assert leaf.grad is not None
    with torch.no_grad():
        log_softmax = nn.LogSoftmax(dim=1)(batch)
        nll = nn.NLLLoss()(log_softmax, labels)
        p = torch.softmax(batch[0], 0)
    return Torchs(loss.item(), nll.item(), _row(p), _row(log_softmax[0]), _row(leaf.grad))


def losses(top: float, count: int = 300) -> tuple[Curve, Curve]:
    """The loss over the probability of the true class, up to a loss of `top` or of 80, where float32 ends: p and
    -log p, float32 (count,)."""
    import torch

    p = torch.exp(-torch.linspace(0, min(top, 80.0), count))
    return p.numpy(), (-p.log()).numpy()


def pulled(
    scores: Sequence[float], label: int, temperature: float, span: tuple[float, float], count: int = 120
) -> tuple[Curve, Curve]:
    """The probabilities of all classes while one score goes through `span`: the scores, float32 (count,), and
    torch.softmax of them with the others, float32 (classes, count)."""
    import torch

    along = torch.linspace(*span, count)
    many = torch.tensor(scores, dtype=torch.float32).repeat(count, 1)
    many[:, label] = along
    return along.numpy(), torch.softmax(many / temperature, 1).T.numpy()


def _row(values: Tensor) -> Row:
    """As plain numbers, without the minus zero that -0 * log p is."""
    return tuple(value + 0.0 for value in values.tolist())
