"""Precision: bfloat16 where it is faster, said with both figures, and nothing else is touched by asking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from gui_lab.core import precision
from gui_lab.core.experiment import Experiment
from gui_lab.core.images import ImageSet
from gui_lab.core.learner import Learner
from gui_lab.core.training import weights_sha256
from gui_lab.errors import TrainingError

PICTURES, LABELS = torch.rand(8, 1, 12, 12), torch.arange(8) % 4


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_SECONDS", 0.02)


def network() -> nn.Module:
    layers = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(400, 4)
    return nn.Sequential(*layers)


def test_measuring_leaves_network_gradients_and_generator_as_they_are() -> None:
    model = network().eval()
    before, state = weights_sha256(model), torch.get_rng_state()
    choice = precision.measured(model, PICTURES, LABELS, cross_entropy, "cpu")
    assert choice.precision in ("float32", "bfloat16")
    assert weights_sha256(model) == before
    assert torch.equal(torch.get_rng_state(), state)
    assert not model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(parameter.is_contiguous() for parameter in model.parameters())


def slow_in(dtype: torch.dtype) -> nn.Module:
    """A network that takes long where its linear layer computes in these numbers."""

    class Slow(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(144, 4)

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            outputs: torch.Tensor = self.linear(pictures.flatten(1))
            if outputs.dtype == dtype:
                torch.ones(400, 400) @ torch.ones(400, 400)
            return outputs

    return Slow()


@pytest.mark.parametrize(("slow", "faster"), [(torch.float32, "bfloat16"), (torch.bfloat16, "float32")])
def test_the_faster_one_is_chosen(slow: torch.dtype, faster: str) -> None:
    choice = precision.measured(slow_in(slow), PICTURES, LABELS, cross_entropy, "cpu")
    assert choice.precision == faster
    assert choice.why.startswith(f"{faster}: ")


def test_the_choice_is_explained_with_both_figures() -> None:
    assert precision.chosen(1690.4, 3211.7) == precision.Choice(
        "bfloat16", "bfloat16: 1.9 times as fast as float32 here (3,210 and 1,690 pictures/s)."
    )
    kept = precision.chosen(100.0, 109.0)
    assert kept.precision == "float32"
    assert "1.09 times as fast here (100 and 109 pictures/s)" in kept.why
    assert "10 %" in kept.why
    assert precision.chosen(1.0, 1.11).precision == "bfloat16"


def test_without_support_it_is_float32_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.amp, "is_autocast_available", lambda kind: kind != "mps")
    choice = precision.measured(network(), PICTURES, LABELS, cross_entropy, "mps:0")
    assert choice == precision.Choice("float32", "float32: torch has no bfloat16 for mps devices.")


def test_a_layer_that_cannot_compute_in_bfloat16_keeps_float32_and_is_named() -> None:
    class Only(nn.Module):
        def forward(self, scores: torch.Tensor) -> torch.Tensor:
            if scores.dtype == torch.bfloat16:
                raise NotImplementedError("'only_cpu' not implemented for 'BFloat16'\nmore lines")
            return scores

    choice = precision.measured(nn.Sequential(network(), Only()), PICTURES, LABELS, cross_entropy, "cpu")
    assert choice.precision == "float32"
    assert choice.why.endswith("('only_cpu' not implemented for 'BFloat16').")


def test_an_error_of_the_network_itself_is_not_taken_for_one_of_bfloat16() -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        precision.measured(nn.Sequential(nn.Flatten(), nn.Linear(7, 4)), PICTURES, LABELS, cross_entropy, "cpu")


def test_prepared_keeps_parameters_and_values_and_lays_convolutions_out_by_channels() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4, 2))
    parameters, before = list(model.parameters()), weights_sha256(model)
    assert precision.prepared(model, "float32")[0].weight.is_contiguous()
    assert precision.prepared(model, "bfloat16") is model
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert all(one is other for one, other in zip(model.parameters(), parameters, strict=True))
    assert weights_sha256(model) == before


def test_autocast_computes_in_what_was_asked_for() -> None:
    layer = nn.Linear(3, 2)
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        with precision.autocast("cpu", name):
            assert layer(torch.rand(4, 3)).dtype == dtype
    assert layer(torch.rand(4, 3)).dtype == torch.float32


Made = Callable[..., Experiment]


def test_a_run_on_auto_takes_the_measured_one_and_says_why(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def measured(*arguments: Any) -> precision.Choice:
        given.extend(arguments)
        return precision.Choice("bfloat16", "because")

    monkeypatch.setattr(precision, "measured", measured)
    learner = Learner(made(precision="auto").edited("model", "SoftmaxRegression"), images)
    assert (learner.precision, learner.why) == ("bfloat16", "because")
    assert given[1].shape == (32, 1, 12, 12)
    with precision.autocast("cpu", "bfloat16"):
        assert torch.equal(learner.outputs(given[1]), learner.model(given[1]).float())


def test_bfloat16_on_a_device_without_it_is_refused(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "why_not", lambda device: f"{device} has no bfloat16.")
    with pytest.raises(TrainingError, match="cpu has no bfloat16") as caught:
        Learner(made(precision="bfloat16"), images)
    assert "float32" in caught.value.remedy
