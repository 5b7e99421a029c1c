"""Losses of torch.nn with torch's own arguments and defaults.

Each says what the network has to end in: a loss that takes scores as they are computes the softmax itself, and a second
one before it makes learning slow or impossible without a word from torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from gui_lab.core.learning import LOSSES, Loss, Model
from gui_lab.schema import Problem, Repair, knob

if TYPE_CHECKING:
    from torch import Tensor, nn

Reduction = Literal["mean", "none"]
Weight = Annotated[float, Field(gt=0, le=1e6)]
Weights = Literal["balanced"] | tuple[Weight, ...] | None
_ENDS_IN = "model.ends_in"
_TO_SCORES = Repair("End in scores", _ENDS_IN, "scores")
_TO_LOG_SOFTMAX = Repair("End in LogSoftmax", _ENDS_IN, "LogSoftmax")
_WEIGHT = "Weight of each class; balanced: pictures / (classes x its pictures); none: 1."


def _cross_entropy() -> Repair:
    return Repair("Use CrossEntropyLoss", "loss", CrossEntropyLoss())


def _balanced(counts: Sequence[int]) -> list[float]:
    """samples / (classes * count) for each class; one without pictures counts as one with a single picture."""
    return [sum(counts) / (len(counts) * max(count, 1)) for count in counts]


def _tensor(weights: Weights, balanced: list[float]) -> Tensor | None:
    """float32 (classes,), or None where all classes weigh alike."""
    import torch

    if weights is None:
        return None
    return torch.tensor(balanced if weights == "balanced" else weights, dtype=torch.float32)


def _as_many(weights: Weights, field: str, classes: int) -> list[Problem]:
    if weights is None or weights == "balanced" or len(weights) == classes:
        return []
    path = f"loss.{field}"
    sentence = f"{len(weights)} weights, but there are {classes} classes."
    repairs = (Repair("Balance the classes", path, "balanced"), Repair("Weigh all alike", path, None))
    return [Problem(path, sentence, repairs)]


class _Weighted(Loss):
    weight: Weights = knob(None, _WEIGHT)

    def weights(self, counts: Sequence[int]) -> Tensor | None:
        return _tensor(self.weight, _balanced(counts))

    def problems(self, model: Model, mixed: bool, classes: int) -> list[Problem]:
        return _as_many(self.weight, "weight", classes)


@LOSSES.add
class CrossEntropyLoss(_Weighted):
    """Cross-entropy of the softmax of raw scores, in nats: LogSoftmax and NLLLoss in one."""

    label_smoothing: float = knob(
        0.0, "Part of the probability that is shared among all classes (Szegedy and others, 2015).", ge=0, le=1,
        felt=True,
    )  # fmt: skip

    def build(self, counts: Sequence[int], reduction: Reduction) -> nn.Module:
        from torch import nn

        smoothing = self.label_smoothing
        return nn.CrossEntropyLoss(weight=self.weights(counts), label_smoothing=smoothing, reduction=reduction)

    def problems(self, model: Model, mixed: bool, classes: int) -> list[Problem]:
        found = super().problems(model, mixed, classes)
        if model.ends_in == "Softmax":
            floor = math.log(math.e + classes - 1) - 1
            sentence = (
                f"CrossEntropyLoss computes the softmax itself. After this one it cannot fall below {floor:.2f} with "
                f"{classes} classes, however right the network is, and learns slowly."
            )
            found.append(Problem(_ENDS_IN, sentence, (_TO_SCORES,), "warning"))
        elif model.ends_in == "LogSoftmax":
            sentence = "CrossEntropyLoss computes LogSoftmax itself. A second one changes nothing and costs time."
            found.append(Problem(_ENDS_IN, sentence, (_TO_SCORES,), "warning"))
        return found


@LOSSES.add
class NLLLoss(_Weighted):
    """Minus the log-probability of the true class, in nats, from a network that ends in LogSoftmax."""

    def build(self, counts: Sequence[int], reduction: Reduction) -> nn.Module:
        """Of mixed labels it is what CrossEntropyLoss makes of the same scores: minus the sum over the classes of label
        times weight times log-probability; the mean is that over the pictures."""
        from torch import nn

        class Mixed(nn.NLLLoss):
            def forward(self, outputs: Tensor, labels: Tensor) -> Tensor:
                if labels.dim() == 1:
                    return super().forward(outputs, labels)
                weighted = outputs if self.weight is None else outputs * self.weight
                losses = -(labels * weighted).sum(1)
                return losses.mean() if self.reduction == "mean" else losses

        return Mixed(weight=self.weights(counts), reduction=reduction)

    def problems(self, model: Model, mixed: bool, classes: int) -> list[Problem]:
        found = super().problems(model, mixed, classes)
        if model.ends_in != "LogSoftmax":
            scores = model.ends_in == "scores"
            leaves = "scores" if scores else "probabilities"
            sentence = f"NLLLoss needs log-probabilities, but {leaves} leave the network."
            repairs = (_TO_LOG_SOFTMAX, _cross_entropy()) if scores else (_TO_LOG_SOFTMAX,)
            found.append(Problem("loss", sentence, repairs))
        return found


@LOSSES.add
class MultiMarginLoss(_Weighted):
    """Hinge loss: every other class that comes closer to the true one than a margin costs."""

    p: Literal[1, 2] = knob(1, "Power that what is missing of the margin is raised to.")
    margin: float = knob(1.0, "By how much the score of the true class has to be above every other.", ge=0, le=1000)

    def build(self, counts: Sequence[int], reduction: Reduction) -> nn.Module:
        from torch import nn

        return nn.MultiMarginLoss(self.p, self.margin, self.weights(counts), reduction=reduction)

    def problems(self, model: Model, mixed: bool, classes: int) -> list[Problem]:
        found = super().problems(model, mixed, classes)
        if mixed:
            sentence = "MultiMarginLoss takes one class for each picture, but the transforms mix pictures and labels."
            found.append(Problem("loss", sentence, (_cross_entropy(),)))
        if model.ends_in == "Softmax":
            sentence = (
                "MultiMarginLoss compares scores; probabilities are never more than 1 apart, and it learns slowly."
            )
            found.append(Problem(_ENDS_IN, sentence, (_TO_SCORES,), "warning"))
        elif model.ends_in == "LogSoftmax":
            sentence = "MultiMarginLoss compares scores. LogSoftmax changes none of their differences and costs time."
            found.append(Problem(_ENDS_IN, sentence, (_TO_SCORES,), "warning"))
        return found


@LOSSES.add
class BCEWithLogitsLoss(Loss):
    """One question for each class, "this one or not?", each answered by the sigmoid of its own score."""

    pos_weight: Weights = knob(
        None, "Weight of the answer yes of each class; balanced: other pictures / its own; none: 1."
    )

    def build(self, counts: Sequence[int], reduction: Reduction) -> nn.Module:
        """Of a picture it is the mean over the classes: torch's mean over all answers is that of the pictures."""
        from torch import nn

        class OneAgainstRest(nn.BCEWithLogitsLoss):
            def forward(self, outputs: Tensor, labels: Tensor) -> Tensor:
                if labels.dim() == 1:
                    labels = nn.functional.one_hot(labels, outputs.shape[1]).to(outputs.dtype)
                answers = super().forward(outputs, labels)
                return answers if self.reduction == "mean" else answers.mean(1)

        others = [(sum(counts) - count) / max(count, 1) for count in counts]
        return OneAgainstRest(pos_weight=_tensor(self.pos_weight, others), reduction=reduction)

    def problems(self, model: Model, mixed: bool, classes: int) -> list[Problem]:
        found = _as_many(self.pos_weight, "pos_weight", classes)
        if model.ends_in != "scores":
            what = "Probabilities become" if model.ends_in == "Softmax" else "Log-probabilities become"
            span = "0.5 to 0.73" if model.ends_in == "Softmax" else "0.5 at most"
            sentence = f"BCEWithLogitsLoss takes the sigmoid of raw scores. {what} {span}, so that it stays high."
            found.append(Problem(_ENDS_IN, sentence, (_TO_SCORES,), "warning"))
        return found
