"""What a network costs."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from gui_lab.core.learning import MODELS
from gui_lab.core.ledger import ledger, multiplications
from gui_lab.errors import OutOfMemory


def test_multiplications_are_those_that_torch_counts_but_for_the_biases() -> None:
    for name in ("LeNet5", "MNISTNet", "MLP", "SoftmaxRegression"):
        model = MODELS.make(name)
        rows = ledger(model, (1, 28, 28), 10)
        with FlopCounterMode(display=False) as counter:
            model.build((1, 28, 28), 10).eval()(torch.zeros(1, 1, 28, 28))
        counted = counter.get_total_flops() / 2  # torch counts the additions too
        assert counted <= multiplications(rows) <= 1.12 * counted


def test_a_network_that_memory_cannot_hold_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("no memory is left")

    monkeypatch.setattr(torch.nn.Linear, "forward", full)
    with pytest.raises(OutOfMemory, match="not enough memory for the network"):
        ledger(MODELS.make("MLP"), (1, 28, 28), 10)
