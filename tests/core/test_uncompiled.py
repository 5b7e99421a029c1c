"""A run needs no compiler: nothing imports it, and steps are the same without its shields."""

from __future__ import annotations

import subprocess
import sys

import torch

from gui_lab.core.learning import OPTIMIZERS

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


def test_every_optimizer_of_the_lab_still_steps():
    for name in OPTIMIZERS.names():
        weight = torch.nn.Parameter(torch.ones(3, 3))
        made = OPTIMIZERS.make(name).build([weight])

        def closure(weight=weight):
            weight.grad = torch.ones_like(weight)
            return (weight**2).sum()

        made.step(closure)
        assert not torch.equal(weight.detach(), torch.ones(3, 3)), name
