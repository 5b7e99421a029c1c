"""Muon of torch.optim, which takes matrices alone, with AdamW for all other weights: one optimiser to who uses it.

The oldest torch that the lab runs with has it; what later versions added to its arguments is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from gui_lab.core.learning import OPTIMIZERS, Optimizer
from gui_lab.schema import knob

if TYPE_CHECKING:
    from torch import nn, optim

Coefficient = Annotated[float, Field(ge=-100, le=100)]


@OPTIMIZERS.add
class Muon(Optimizer):
    """Muon for the matrices of hidden layers, AdamW for convolutions, biases and the last layer (Jordan, 2024)."""

    lr: float = knob(0.001, "Learning rate of both: scale of the step.", gt=0, le=1e10)
    weight_decay: float = knob(
        0.1, "Part by which every weight shrinks per step, times the learning rate.", ge=0, le=10
    )
    momentum: float = knob(0.95, "Part of the last step that is carried on.", ge=0, lt=1, felt=True)
    nesterov: bool = knob(True, "Look ahead along the momentum.")
    ns_coefficients: tuple[Coefficient, Coefficient, Coefficient] = knob(
        (3.4445, -4.775, 2.0315), "Of the Newton-Schulz steps that make a step orthogonal."
    )
    eps: float = knob(1e-7, "Added to the norm so that it never is zero.", ge=0, le=1)
    ns_steps: int = knob(5, "Newton-Schulz steps for each step.", ge=1, le=99)
    adjust_lr_fn: Literal["original", "match_rms_adamw"] | None = knob(
        None, "How the step follows the shape of the matrix; match_rms_adamw suits a rate that was found for AdamW."
    )

    def build(self, parameters: Iterable[nn.Parameter]) -> optim.Optimizer:
        """AdamW has the same learning rate and weight decay, and torch's defaults for the rest. It takes the last
        matrix too (that of the classes), as Muon's author does."""
        from torch import optim

        every = list(parameters)
        hidden = [one for one in every if one.ndim == 2][:-1]
        chosen = {id(one) for one in hidden}
        rest = [one for one in every if id(one) not in chosen]
        parts: list[optim.Optimizer] = [optim.Muon(hidden, **dict(self))] if hidden else []
        parts += [optim.AdamW(rest, lr=self.lr, weight_decay=self.weight_decay)] if rest else []
        return _together(parts, dict(self))


def _together(parts: list[optim.Optimizer], defaults: dict[str, Any]) -> optim.Optimizer:
    """Several optimisers, each of one group of parameters, as one: its groups and its state are theirs."""
    from torch import enable_grad, no_grad, optim

    class Together(optim.Optimizer):
        def __init__(self) -> None:
            super().__init__([group for part in parts for group in part.param_groups], defaults)

        @no_grad()
        def step(self, closure: Callable[[], Any] | None = None) -> Any:
            loss = None
            if closure is not None:
                with enable_grad():
                    loss = closure()
            for part, group in zip(parts, self.param_groups, strict=True):
                part.param_groups, part.state = [group], self.state  # load_state_dict gives this one new ones
                part.step()
            return loss

    return Together()
