"""The backpropagation page: the case of the course is exact, every number is torch's, weights go downhill by torch's
own optimiser, and a person's own network gives the gradients that torch gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from gui_lab.catalog.concepts.backpropagation import Backpropagation
from gui_lab.core import experiment
from gui_lab.core.concepts import NOTHING, Own, Weights
from gui_lab.core.exhibits import Claims, Facts, Graph, Plot, Table
from gui_lab.core.images import opened
from gui_lab.core.looks import NO_LABEL
from gui_lab.core.own_network import own_network
from gui_lab.errors import InvalidExperiment

LAST = 10**9
ONE_WEIGHT = 10
"""Steps until the way back is told."""
numbers = st.floats(-3, 3).map(lambda value: round(value, 3))


@pytest.fixture(scope="module")
def own():
    chosen = experiment.default()
    return Own(chosen, opened(chosen.dataset))


def scene(step=LAST, own=NOTHING, **values):
    return Backpropagation.model_validate(values).scene(step, own)


def shown(scene, kind):
    return [exhibit for row in scene.rows for exhibit in row if isinstance(exhibit, kind)]


def test_the_worked_case_is_exact():
    facts = scene(ONE_WEIGHT - 1).facts
    told = [facts[name] for name in ("y_hat", "s", "loss", "dloss_ds", "dloss_dw", "w", "updates")]
    assert told == [1, -1, 1, -2, -2, 1, 0]


def test_it_is_told_in_the_three_steps_and_then_downhill():
    known = [set(scene(step).facts) - {"x", "y", "w", "lr", "updates"} for step in range(ONE_WEIGHT)]
    assert known[0] == set()
    assert known[3] == {"y_hat", "s", "loss"}
    assert known[6] == known[3] | {"dloss_ds", "ds_dy_hat", "dy_hat_dw"}
    assert known[9] == known[6] | {"dloss_dy_hat", "dloss_dw"}
    assert [len(shown(scene(step), Facts)) for step in (9, 10)] == [3, 1]
    (graph,) = shown(scene(9), Graph)
    assert [edge.backward for edge in graph.edges] == ["1 × −2\n= −2", "", "1 × −2\n= −2", "", "−2 × 1\n= −2"]


def test_nothing_is_filled_in_before_it_is_computed():
    forward, local, back = shown(scene(4), Facts)
    assert [fact.value for fact in forward.facts] == ["1", "−1", "1"]
    assert [fact.value for fact in local.facts] == ["−2", "", ""]
    assert [fact.value for fact in back.facts] == ["", "", ""]


@settings(max_examples=25, deadline=None)
@given(numbers, numbers, numbers, numbers, st.sampled_from(["one weight", "two layers"]))
def test_all_its_numbers_are_torchs(x, y, w, w2, network):
    net = {"network": network, "x": x, "y": y, "w": w, "w2": w2, "updates": 0}
    last = scene(**net)
    tensor = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (w, w2)]
    values = {"y_hat": tensor[0] * x} if network == "one weight" else {}
    if not values:
        values["a"] = tensor[0] * x
        values["h"] = torch.sigmoid(values["a"])
        values["y_hat"] = tensor[1] * values["h"]
    values["s"] = values["y_hat"] - y
    values["loss"] = values["s"] ** 2
    weights = dict(zip(["w"] if network == "one weight" else ["w1", "w2"], tensor, strict=False))
    inner = {name: value for name, value in values.items() if name != "loss"} | weights
    grads = torch.autograd.grad(values["loss"], list(inner.values()))
    for name, value in values.items():
        assert last.facts[name] == pytest.approx(float(value.detach()), rel=1e-9, abs=1e-12)
    for name, grad in zip(inner, grads, strict=True):
        assert last.facts[f"dloss_d{name}"] == pytest.approx(float(grad), rel=1e-9, abs=1e-12)
    (claims,) = shown(last, Claims)
    assert claims.claims
    assert all(claim.holds for claim in claims.claims)


@settings(max_examples=10, deadline=None)
@given(numbers, st.floats(0.01, 0.4).map(lambda value: round(value, 3)), st.integers(1, 15))
def test_updates_are_steps_of_torchs_sgd(w, lr, updates):
    weight = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.SGD([weight], lr=lr)
    for _ in range(updates):
        optimiser.zero_grad()
        ((weight * 1.5 - 2) ** 2).backward()
        optimiser.step()
    facts = scene(x=1.5, y=2, w=w, lr=lr, updates=updates).facts
    assert facts["updates"] == updates
    assert facts["w"] == pytest.approx(float(weight.detach()), rel=1e-9, abs=1e-12)


def test_the_point_rolls_down_the_curve():
    whole = [scene(step) for step in range(ONE_WEIGHT, scene().steps)]
    losses = [one.facts["loss"] for one in whole]
    assert losses == sorted(losses, reverse=True)
    for one in whole:
        (plot,) = shown(one, Plot)
        (spot,) = plot.spots
        assert (spot.x, spot.y) == (one.facts["w"], one.facts["loss"])
        curve = plot.lines[0]
        assert list(curve.y) == pytest.approx(list((curve.x * 1.0 - 2) ** 2))
        assert plot.x_range == shown(whole[0], Plot)[0].x_range


def test_a_learning_rate_that_is_too_large_is_told():
    last = scene(lr=1.1)
    assert last.facts["loss"] > 1
    assert "too large" in last.says


def test_a_weight_that_runs_away_stays_a_number():
    assert abs(scene(lr=2, x=5, updates=100).facts["w"]) <= 1e6


# the own network


@pytest.mark.parametrize("model", ["MNISTNet", "LeNet5", "MLP", "SoftmaxRegression"])
@pytest.mark.parametrize("index", [0, 7])
def test_the_sizes_of_the_own_networks_gradients_are_torchs(own, model, index):
    chosen = own.experiment.edited("model", model)
    own = replace(own, experiment=chosen.edited("model.padding", 4) if model == "LeNet5" else chosen)
    last = scene(own=own, network="mine", index=index)
    found = own_network(own)
    label = int(own.images.labels[index])
    loss = functional.cross_entropy(found.network(found.pictures(np.array([index]))), torch.tensor([label]))
    loss.backward()
    assert last.facts["loss"] == pytest.approx(float(loss.detach()), rel=1e-5)
    assert last.facts["label"] == label != NO_LABEL
    layers = [(name, one) for name, one in found.network.named_modules() if isinstance(one, (nn.Linear, nn.Conv2d))]
    for name, layer in layers:
        size = torch.cat([one.grad.flatten() for one in layer.parameters()]).norm()
        assert last.facts[f"weight_grad_size_{name}"] == pytest.approx(float(size), rel=1e-4)
    (table,) = shown(last, Table)
    assert len(table.rows) == len(layers)


def test_the_own_network_is_told_forward_and_back_layer_by_layer(own):
    steps = scene(own=own, network="mine").steps
    whole = [scene(step, own=own, network="mine") for step in range(steps)]
    reached = [sum(row[-1] is not None for row in shown(one, Table)[0].rows) for one in whole]
    assert reached == sorted(reached)
    assert (reached[0], reached[-1]) == (0, 4)
    assert "loss" not in whole[0].facts
    assert "grad_size_picture" in whole[-1].facts
    first, *others = [shown(one, Graph)[0].whole for one in whole]
    assert all(other == first for other in others)


def test_the_weights_of_a_run_are_used_where_there_are_some(own):
    before = scene(own=own, network="mine")
    state = {name: value * 1.5 for name, value in own_network(own).network.state_dict().items()}
    after = scene(own=replace(own, weights=Weights(1, 1, state)), network="mine")
    assert after.facts["loss"] != before.facts["loss"]


def test_a_network_that_ends_in_log_softmax_is_measured_by_nll_loss(own):
    scores = scene(own=own, network="mine").facts["loss"]
    log = replace(own, experiment=own.experiment.edited("model.ends_in", "LogSoftmax"))
    assert scene(own=log, network="mine").facts["loss"] == pytest.approx(scores, rel=1e-5)


def test_without_pictures_it_says_what_is_missing():
    assert scene(network="mine").missing


def test_a_chain_that_cannot_run_is_told(own):
    broken = replace(own, experiment=own.experiment.edited("transforms", []))
    for _ in range(2):  # also when it is asked for again
        with pytest.raises(InvalidExperiment):
            scene(own=broken, network="mine")
