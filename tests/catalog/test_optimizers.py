"""Optimisers are torch's: the same steps to the bit, whatever the fields; and Muon is two of them in one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from gui_lab.core.learning import OPTIMIZERS, Optimizer
from gui_lab.errors import InvalidExperiment
from gui_lab.schema import knobs

OF_TORCH = [entry for entry in OPTIMIZERS if entry.name_of() != "Muon"]
ENTRY = pytest.mark.parametrize("entry", OF_TORCH, ids=lambda entry: entry.name_of())


def network() -> nn.Sequential:
    """A convolution, a hidden matrix, and one for the classes; the same numbers each time."""
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(32, 6), nn.ReLU(), nn.Linear(6, 3))


def stepped(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 4) -> list[torch.Tensor]:
    pictures, labels = torch.randn(8, 1, 6, 6, generator=torch.Generator().manual_seed(1)), torch.arange(8) % 3

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        found = nn.functional.cross_entropy(model(pictures), labels)
        found.backward()
        return found

    for _ in range(steps):
        optimizer.step(loss)
    return [parameter.detach().clone() for parameter in model.parameters()]


def off_default(entry: type[Optimizer]) -> dict[str, Any]:
    """Every number and switch at another value that torch takes."""
    values: dict[str, Any] = {}
    for knob in knobs(entry):
        if knob.kind == "float":
            values[knob.name] = 0.3 if knob.name in ("momentum", "rho", "alpha") else knob.default * 2 + 1e-4
        elif knob.kind == "bool":
            values[knob.name] = True
        elif knob.kind == "int":
            values[knob.name] = 3
        elif knob.name == "betas":
            values[knob.name] = (0.7, 0.95)
        elif knob.kind == "choice":
            values[knob.name] = knob.choices[0]
    return values | {"SGD": {"dampening": 0.0}, "Rprop": {"etas": (0.4, 1.3)}}.get(entry.name_of(), {})


@ENTRY
def test_steps_are_torchs_to_the_bit(entry: type[Optimizer]) -> None:
    with torch.random.fork_rng():
        for values in ({}, off_default(entry)):
            ours, theirs = network(), network()
            start = [parameter.detach().clone() for parameter in ours.parameters()]
            found = stepped(ours, entry(**values).build(ours.parameters()))
            how = {"fused": True} if entry.fuses else {}
            expected = stepped(theirs, getattr(torch.optim, entry.name_of())(theirs.parameters(), **values, **how))
            assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
            assert not any(torch.equal(one, other) for one, other in zip(found, start, strict=True))


@ENTRY
def test_a_step_in_one_pass_is_the_same_but_for_its_last_bits(entry: type[Optimizer]) -> None:
    with torch.random.fork_rng():
        for values in ({}, off_default(entry)):
            ours, theirs = network(), network()
            built = entry(**values).build(ours.parameters())
            assert bool(built.defaults.get("fused")) == (entry.name_of() in ("Adam", "AdamW"))
            found = stepped(ours, built)
            expected = stepped(theirs, getattr(torch.optim, entry.name_of())(theirs.parameters(), **values))
            for one, other in zip(found, expected, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_elsewhere_than_on_a_processor_torch_chooses_how() -> None:
    built = OPTIMIZERS.make("Adam").build(network().to("meta").parameters())
    assert not built.defaults["fused"]


def test_those_that_compute_the_loss_anew_say_so() -> None:
    assert [entry.name_of() for entry in OPTIMIZERS if entry.closure] == ["LBFGS"]


def test_only_rprop_takes_the_learning_rate_for_its_first_step_alone() -> None:
    """The learning rate is changed after the first step, and nothing but the steps of Rprop stays the same."""
    with torch.random.fork_rng():
        for entry in OPTIMIZERS:
            found = []
            for factor in (1.0, 0.01):
                model = network()
                optimizer = entry().build(model.parameters())
                stepped(model, optimizer, 1)
                for group in optimizer.param_groups:
                    group["lr"] *= factor
                found.append(stepped(model, optimizer, 3))
            same = all(torch.equal(one, other) for one, other in zip(*found, strict=True))
            assert same != entry.follows_lr, entry.name_of()


@pytest.mark.parametrize(
    ("name", "values", "field"),
    [("Rprop", {"step_sizes": (1.0, 0.1)}, "step_sizes"), ("Rprop", {"etas": (1.2, 0.5)}, "etas")],
)
def test_pairs_stand_in_their_order(name: str, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        OPTIMIZERS.make(name, **values)
    assert [problem.path for problem in caught.value.problems] == [field]


# Muon


def muon(**values: Any) -> tuple[nn.Sequential, torch.optim.Optimizer]:
    model = network()
    return model, OPTIMIZERS.make("Muon", **values).build(model.parameters())


@pytest.mark.parametrize("values", [{}, {"lr": 0.02, "momentum": 0.8, "adjust_lr_fn": "match_rms_adamw"}])
def test_muon_steps_hidden_matrices_and_adamw_all_else(values: dict[str, Any]) -> None:
    with torch.random.fork_rng():
        model, optimizer = muon(**values)
        found = stepped(model, optimizer)
        other = network()
        chosen = OPTIMIZERS.make("Muon", **values)
        hidden = other[2].weight
        rest = [parameter for parameter in other.parameters() if parameter is not hidden]
        parts = [
            torch.optim.Muon([hidden], **values),
            torch.optim.AdamW(rest, lr=chosen.lr, weight_decay=chosen.weight_decay),
        ]
        both = _Both(parts)
        assert all(torch.equal(one, two) for one, two in zip(found, stepped(other, both), strict=True))


class _Both:
    """Two optimisers that step one after the other."""

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        self.parts = parts

    def zero_grad(self) -> None:
        for part in self.parts:
            part.zero_grad()

    def step(self, closure: Any) -> None:
        closure()
        for part in self.parts:
            part.step()


def test_muon_is_one_optimiser_to_who_uses_it() -> None:
    with torch.random.fork_rng():
        model, optimizer = muon()
        assert isinstance(optimizer, torch.optim.Optimizer)
        held = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        assert {id(one) for one in held} == {id(one) for one in model.parameters()}
        for group in optimizer.param_groups:
            group["lr"] = 0.0
        before = [parameter.detach().clone() for parameter in model.parameters()]
        after = stepped(model, optimizer, 1)
        assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
        optimizer.zero_grad()
        assert all(parameter.grad is None for parameter in model.parameters())


def test_muon_carries_on_from_its_saved_state() -> None:
    with torch.random.fork_rng():
        model, optimizer = muon(lr=0.01)
        stepped(model, optimizer, 3)
        weights, saved = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict())
        expected = stepped(model, optimizer, 3)
        other, resumed = muon(lr=0.5)
        other.load_state_dict(weights)
        resumed.load_state_dict(saved)
        found = stepped(other, resumed, 3)
        assert all(torch.equal(one, two) for one, two in zip(found, expected, strict=True))


@pytest.mark.parametrize("model", [nn.Linear(4, 3), nn.Linear(4, 3, bias=False), nn.Conv2d(1, 2, 3)])
def test_muon_takes_networks_without_hidden_matrices(model: nn.Module) -> None:
    optimizer = OPTIMIZERS.make("Muon").build(model.parameters())
    assert len(optimizer.param_groups) == 1
    weights = next(model.parameters())
    weights.grad = torch.ones_like(weights)
    before = weights.detach().clone()
    optimizer.step()
    assert not torch.equal(weights, before)
