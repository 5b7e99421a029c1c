"""Optimisers of torch.optim with torch's own arguments and defaults.

Arguments that say how a step is computed and not what it is (foreach, capturable, ...) are left to torch, but for
`fused`: torch leaves Adam's off on a processor, where its step takes a third of the time with it. For others it brings
next to nothing.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from gui_lab.core.learning import OPTIMIZERS, Optimizer, Training
from gui_lab.schema import FieldError, Problem, Repair, knob

Beta = Annotated[float, Field(ge=0, lt=1)]
_StepSize = Annotated[float, Field(gt=0, le=1000)]


@OPTIMIZERS.add
class SGD(Optimizer):
    """Stochastic gradient descent: a step against the gradient, with momentum if one wants."""

    lr: float = knob(0.001, "Learning rate: length of the step along the gradient.", gt=0, le=1e10)
    momentum: float = knob(0.0, "Part of the last step that is carried on.", ge=0, lt=1, felt=True)
    dampening: float = knob(0.0, "Part of the new gradient that momentum leaves out.", ge=0, le=1)
    weight_decay: float = knob(0.0, "Pull of every weight towards zero (L2 penalty).", ge=0, le=10)
    nesterov: bool = knob(False, "Look ahead along the momentum before the gradient is taken.")
    maximize: bool = knob(False, "Climb instead of descend.")

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise FieldError("nesterov", "Nesterov needs a momentum above 0 and a dampening of 0.")
        return self


class _AdamLike(Optimizer):
    lr: float = knob(0.001, "Learning rate: scale of the step.", gt=0, le=1e10)
    betas: tuple[Beta, Beta] = knob((0.9, 0.999), "Memory of the averaged gradient and of its square.")
    eps: float = knob(1e-8, "Added to the denominator so that it never is zero.", ge=0, le=1)


@OPTIMIZERS.add
class Adam(_AdamLike):
    """Adam: steps scaled weight by weight with running averages of the gradient (Kingma and Ba, 2014)."""

    fuses: ClassVar[bool] = True

    weight_decay: float = knob(
        0.0, "Pull of every weight towards zero, through the gradient (L2 penalty).", ge=0, le=10
    )
    amsgrad: bool = knob(False, "Never let the scale grow again (Reddi, Kale and Kumar, 2018).")
    maximize: bool = knob(False, "Climb instead of descend.")


@OPTIMIZERS.add
class AdamW(_AdamLike):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter, 2017)."""

    fuses: ClassVar[bool] = True

    weight_decay: float = knob(
        0.01, "Part by which every weight shrinks per step, times the learning rate.", ge=0, le=10
    )
    amsgrad: bool = knob(False, "Never let the scale grow again (Reddi, Kale and Kumar, 2018).")
    maximize: bool = knob(False, "Climb instead of descend.")


@OPTIMIZERS.add
class NAdam(_AdamLike):
    """Adam that looks ahead along its momentum, as Nesterov does (Dozat, 2016)."""

    lr: float = knob(0.002, "Learning rate: scale of the step.", gt=0, le=1e10)
    weight_decay: float = knob(0.0, "Pull of every weight towards zero.", ge=0, le=10)
    momentum_decay: float = knob(0.004, "How fast the momentum grows to its full size.", ge=0, le=1)
    decoupled_weight_decay: bool = knob(False, "Weight decay apart from the gradient, as in AdamW.")
    maximize: bool = knob(False, "Climb instead of descend.")


@OPTIMIZERS.add
class RAdam(_AdamLike):
    """Adam that steps carefully until its averages are trustworthy (Liu and others, 2019)."""

    weight_decay: float = knob(0.0, "Pull of every weight towards zero.", ge=0, le=10)
    decoupled_weight_decay: bool = knob(False, "Weight decay apart from the gradient, as in AdamW.")
    maximize: bool = knob(False, "Climb instead of descend.")


@OPTIMIZERS.add
class Adamax(_AdamLike):
    """Adam scaled by the largest gradient of late instead of the mean square (Kingma and Ba, 2014)."""

    lr: float = knob(0.002, "Learning rate: scale of the step.", gt=0, le=1e10)
    weight_decay: float = knob(0.0, "Pull of every weight towards zero (L2 penalty).", ge=0, le=10)
    maximize: bool = knob(False, "Climb instead of descend.")


@OPTIMIZERS.add
class RMSprop(Optimizer):
    """RMSprop: steps scaled weight by weight with a running mean square of the gradient (Hinton, 2012)."""

    lr: float = knob(0.01, "Learning rate: scale of the step.", gt=0, le=1e10)
    alpha: float = knob(0.99, "Memory of the averaged square of the gradient.", ge=0, lt=1, felt=True)
    eps: float = knob(1e-8, "Added to the denominator so that it never is zero.", ge=0, le=1)
    weight_decay: float = knob(0.0, "Pull of every weight towards zero (L2 penalty).", ge=0, le=10)
    momentum: float = knob(0.0, "Part of the last step that is carried on.", ge=0, lt=1, felt=True)
    centered: bool = knob(False, "Scale by the variance of the gradient instead of its mean square.")
    maximize: bool = knob(False, "Climb instead of descend.")


@OPTIMIZERS.add
class Adagrad(Optimizer):
    """Adagrad: steps scaled by all gradients so far, so that they grow ever shorter (Duchi and others, 2011)."""

    lr: float = knob(0.01, "Learning rate: scale of the step.", gt=0, le=1e10)
    lr_decay: float = knob(0.0, "How fast the learning rate falls: it is divided by 1 + steps x this.", ge=0, le=1)
    weight_decay: float = knob(0.0, "Pull of every weight towards zero (L2 penalty).", ge=0, le=10)
    initial_accumulator_value: float = knob(0.0, "What the sum of squares begins with.", ge=0, le=1000)
    eps: float = knob(1e-10, "Added to the denominator so that it never is zero.", ge=0, le=1)
    maximize: bool = knob(False, "Climb instead of descend.")


@OPTIMIZERS.add
class Adadelta(Optimizer):
    """Adadelta: steps scaled by the ratio of past steps to past gradients (Zeiler, 2012)."""

    lr: float = knob(1.0, "Scale of the step that Adadelta finds by itself.", gt=0, le=1e10)
    rho: float = knob(0.9, "Memory of the averaged squares.", ge=0, le=1, felt=True)
    eps: float = knob(1e-6, "Added under the roots so that they never are zero.", ge=0, le=1)
    weight_decay: float = knob(0.0, "Pull of every weight towards zero (L2 penalty).", ge=0, le=10)
    maximize: bool = knob(False, "Climb instead of descend.")


@OPTIMIZERS.add
class ASGD(Optimizer):
    """Gradient descent whose learning rate falls slowly; torch averages the weights beside it (Polyak, 1992)."""

    lr: float = knob(0.01, "Learning rate: length of the step along the gradient.", gt=0, le=1e10)
    lambd: float = knob(1e-4, "Decay of the weights and of the learning rate.", ge=0, le=1)
    alpha: float = knob(0.75, "Power by which the learning rate falls.", ge=0, le=10)
    t0: float = knob(1e6, "Step at which torch begins to average the weights.", unit="steps", ge=0, le=1e10)
    weight_decay: float = knob(0.0, "Pull of every weight towards zero (L2 penalty).", ge=0, le=10)
    maximize: bool = knob(False, "Climb instead of descend.")


@OPTIMIZERS.add
class Rprop(Optimizer):
    """Steps by the sign of the gradient alone, made for batches of all pictures (Riedmiller and Braun, 1993)."""

    follows_lr: ClassVar[bool] = False

    lr: float = knob(0.01, "Length of the first step; each weight then finds its own.", gt=0, le=1e10)
    etas: tuple[Annotated[float, Field(gt=0, lt=1)], Annotated[float, Field(gt=1, le=100)]] = knob(
        (0.5, 1.2), "What a step is multiplied with where the gradient turned, and where it did not."
    )
    step_sizes: tuple[_StepSize, _StepSize] = knob((1e-6, 50.0), "Shortest and longest step.")
    maximize: bool = knob(False, "Climb instead of descend.")

    @model_validator(mode="after")
    def _shortest_first(self) -> Self:
        if self.step_sizes[0] > self.step_sizes[1]:
            raise FieldError("step_sizes", "The shortest step comes first, the longest second.")
        return self


@OPTIMIZERS.add
class LBFGS(Optimizer):
    """Steps along the curvature that past gradients tell of; computes each batch several times over (Nocedal, 1980)."""

    closure: ClassVar[bool] = True

    lr: float = knob(1.0, "Length of the step along the direction that was found.", gt=0, le=1e10)
    max_iter: int = knob(20, "Inner steps for each batch at most.", unit="steps", ge=1, le=1000)
    max_eval: int | None = knob(
        None, "Computations of the loss for each batch at most; none: 1.25 x max_iter.", ge=1, le=10_000
    )
    tolerance_grad: float = knob(1e-7, "A batch is done when no gradient is larger.", ge=0, le=1)
    tolerance_change: float = knob(1e-9, "A batch is done when loss and weights change by less.", ge=0, le=1)
    history_size: int = knob(100, "Past steps that are remembered, each as large as the network.", ge=1, le=1000)
    line_search_fn: Literal["strong_wolfe"] | None = knob(
        None, "Search along the direction for a step that is long enough and falls; none: lr is its length."
    )

    def problems(self, training: Training, samples: int) -> list[Problem]:
        if self.line_search_fn is not None or training.batch_size >= samples:
            return []
        path = "optimizer.line_search_fn"
        sentence = (
            f"LBFGS compares each batch with the last. Without a line search, on batches of {training.batch_size:,} of "
            f"{samples:,} pictures, its steps easily grow out of bounds."
        )
        repairs = [Repair("Search along the line", path, "strong_wolfe")]
        if samples <= 65_536:
            repairs.append(Repair(f"Use one batch of {samples:,}", "training.batch_size", samples))
        return [Problem(path, sentence, tuple(repairs), "warning")]
