"""Optimisers that leave torch's compiler alone.

torch.optim shields some methods of its optimisers from torch.compile, and has it stop at each of their steps. For that
the compiler is imported, nine hundred modules and two to five seconds, when the first optimiser is made, and asked for
again in each iteration. The lab compiles nothing. torch looks whether a method has its shield already: here each is
told to be its own; and a step does without gradients what it did, and no more. Where another torch is built otherwise
nothing is changed, and the first batch is late.

Around each step torch tells its profiler of it, which takes as long as the step of a small network, and longer in a
window: torch imports a module for it each time, and Qt's Python has its own say in every import. `step_of` is the step
without that.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from types import MethodType
from typing import Any

import torch
from torch.optim import Optimizer, optimizer

_SHIELD = "__dynamo_disable"
"""Where torch._compile keeps it, at the plain function."""
_STOPS = "_use_grad"
"""What torch.optim.optimizer calls the function around a step."""
_AROUND = Optimizer.profile_hook_step(id).__code__ if hasattr(Optimizer, "profile_hook_step") else None
"""What it puts around that again, to tell its profiler."""


def leave_the_compiler_out() -> None:
    """For all optimisers of this process; twice is harmless."""
    for method in vars(Optimizer).values():
        plain = getattr(method, "__wrapped__", None)
        if plain is not None and not hasattr(plain, _SHIELD):
            setattr(plain, _SHIELD, plain)
    for kind in _kinds(Optimizer):
        step: Any = vars(kind).get("step")
        if getattr(getattr(step, "__code__", None), "co_name", "") == _STOPS:
            kind.step = _without_gradients(step.__wrapped__)  # type: ignore[method-assign]  # the point


def step_of(optimiser: Optimizer) -> Callable[..., Any]:
    """Its step, without torch's word to the profiler; with all that is around it where somebody hooked into steps or
    put another one in its place, or where this torch is built otherwise."""
    around: Any = type(optimiser).step
    try:
        hooked = optimiser._optimizer_step_pre_hooks or optimiser._optimizer_step_post_hooks
        hooked = hooked or optimizer._global_optimizer_pre_hooks or optimizer._global_optimizer_post_hooks
        if around.__code__ is _AROUND is not None and not hooked and "step" not in vars(optimiser):
            return MethodType(around.__wrapped__, optimiser)
    except AttributeError:
        pass
    return optimiser.step


def _kinds(kind: type[Optimizer]) -> Iterator[type[Optimizer]]:
    for one in kind.__subclasses__():
        yield one
        yield from _kinds(one)


def _without_gradients(step: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(step)
    def stepped(self: Optimizer, *given: Any, **named: Any) -> Any:
        with torch.set_grad_enabled(self.defaults["differentiable"]):
            return step(self, *given, **named)

    return stepped
