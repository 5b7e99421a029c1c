"""A run needs no compiler: nothing imports it, and steps are the same without its shields."""

from __future__ import annotations

import functools
import subprocess
import sys

import pytest
import torch

from gui_lab.core.learning import OPTIMIZERS
from gui_lab.core.uncompiled import leave_the_compiler_out, step_of

TRAINS = """
import sys
from pathlib import Path
from gui_lab import catalog
from gui_lab.core import experiment
from gui_lab.core.events import BatchTrained
from gui_lab.core.images import opened
from gui_lab.core.probing import Prober
from gui_lab.core.runs import Run

catalog.load()
for name in ("SGD", "Adam", "LBFGS"):
    made = experiment.default().edited("optimizer", name).edited("training.ema_decay", 0.9)
    run = Run(made, opened(made.dataset), Path(sys.argv[1]))
    events = run.events()
    batches = (event for event in events if isinstance(event, BatchTrained))
    for _ in range(2):
        next(batches)
    Prober(run.learner).look((0, 1), 1, 2)
    events.close()
print([name for name in ("torch._dynamo", "torch._inductor", "sympy") if name in sys.modules])
"""

STEPS = """
import torch
from torch import optim
for kind in (optim.SGD, optim.Adam, optim.Rprop, optim.Adagrad):
    weight = torch.nn.Parameter(torch.linspace(-1, 1, 8))
    made = kind([weight], lr=0.1)
    for _ in range(3):
        def closure():
            made.zero_grad()
            loss = (weight ** 2).sum()
            loss.backward()
            return loss
        made.step(closure)
    print(weight.tolist())
"""


def test_the_first_batches_are_trained_without_the_compiler_and_steps_are_torchs_own_to_the_bit(tmp_path):
    alone, after = (
        subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True).stdout
        for code in (STEPS, TRAINS + STEPS)
    )
    compiler, _, steps = after.partition("\n")
    assert compiler == "[]"
    assert steps == alone
    assert len(alone.splitlines()) == 4


def test_a_step_is_taken_without_a_word_to_the_profiler_and_does_the_same(monkeypatch):
    leave_the_compiler_out()
    weights = [torch.nn.Parameter(torch.linspace(-1, 1, 8)) for _ in range(2)]
    one, other = (OPTIMIZERS.make("Adam").build([weight]) for weight in weights)
    plain = step_of(other)
    for _ in range(3):
        for weight in weights:
            weight.grad = weight.detach() ** 2
        one.step()
        with monkeypatch.context() as patched:
            patched.delattr(torch.autograd.profiler, "record_function")
            plain()
    assert torch.equal(*weights)
    assert not torch.equal(weights[0].detach(), torch.linspace(-1, 1, 8))


@pytest.mark.parametrize("hook", ["register_step_pre_hook", "register_step_post_hook"])
def test_what_somebody_hooked_into_a_step_is_called(hook):
    weight, called = torch.nn.Parameter(torch.ones(2)), []
    made = OPTIMIZERS.make("SGD").build([weight])
    getattr(made, hook)(lambda *_: called.append(hook))
    step_of(made)()
    assert called == [hook]


def test_a_step_around_that_of_torch_is_the_one_taken():
    plain = OPTIMIZERS.make("SGD", lr=0.1).build([torch.nn.Parameter(torch.ones(2))])

    class Twice(type(plain)):
        @functools.wraps(type(plain).step)
        def step(self, closure=None):
            super().step(closure)
            return super().step(closure)

    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.ones(2)
    step_of(Twice([weight], lr=0.1))()
    torch.testing.assert_close(weight.detach(), torch.full((2,), 0.8))


def test_a_step_that_was_replaced_is_the_one_taken():
    made = OPTIMIZERS.make("SGD").build([torch.nn.Parameter(torch.ones(2))])
    made.step = lambda closure=None: "mine"
    assert step_of(made)() == "mine"


def test_every_optimizer_of_the_lab_still_steps():
    for name in OPTIMIZERS.names():
        weight = torch.nn.Parameter(torch.ones(3, 3))
        made = OPTIMIZERS.make(name).build([weight])

        def closure(weight=weight):
            weight.grad = torch.ones_like(weight)
            return (weight**2).sum()

        step_of(made)(closure)
        assert not torch.equal(weight.detach(), torch.ones(3, 3)), name
