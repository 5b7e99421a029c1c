"""Networks fit whatever pictures and classes come, and are what their papers and examples say they are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import nn

from gui_lab.core.learning import MODELS, Model
from gui_lab.core.ledger import ledger

Shape = tuple[int, int, int]
ENTRY = pytest.mark.parametrize("entry", list(MODELS), ids=lambda entry: entry.name_of())


@pytest.fixture(autouse=True)
def _generator_as_before() -> Iterator[None]:
    with torch.random.fork_rng():
        yield


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@ENTRY
@pytest.mark.parametrize("classes", [2, 10, 100])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 17, 40), (3, 29, 18)])
def test_scores_come_out_for_any_picture_and_number_of_classes(entry: type[Model], shape: Shape, classes: int) -> None:
    network = entry().build(shape, classes)
    scores = network(torch.rand(3, *shape))
    assert scores.shape == (3, classes)
    assert scores.dtype == torch.float32
    assert not torch.allclose(scores.exp().sum(1), torch.ones(3))  # raw: the loss contains the softmax


@ENTRY
def test_every_parameter_gets_a_gradient(entry: type[Model]) -> None:
    network = entry().build((1, 28, 28), 10)
    nn.CrossEntropyLoss()(network(torch.rand(8, 1, 28, 28)), torch.arange(8)).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@ENTRY
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")  # what one pixel less comes to
@pytest.mark.parametrize("channels", [1, 3])
def test_the_smallest_side_is_true(entry: type[Model], channels: int) -> None:
    for model in (entry(), *with_other_smallest_sides(entry)):
        side = model.smallest_side()
        assert side >= 1
        for shape in ((channels, side, side), (channels, side, side + 9), (channels, side + 4, side)):
            scores = model.build(shape, 3)(torch.rand(2, *shape))
            assert scores.shape == (2, 3)
        if side > 1:
            for shape in ((channels, side - 1, side - 1), (channels, side + 9, side - 1)):
                assert not works(model, shape)


def with_other_smallest_sides(entry: type[Model]) -> list[Model]:
    return [entry(padding=border) for border in (0, 1, 5, 7, 8, 16)] if "padding" in entry.model_fields else []


def works(model: Model, shape: Shape) -> bool:
    """Whether the layers leave anything of such a picture."""
    try:
        rows = ledger(model, shape, 3)
    except RuntimeError:
        return False
    return all(math.prod(row.output) > 0 for row in rows)


# as the papers and examples have them


def test_softmax_regression_is_one_matrix_and_one_bias() -> None:
    network = MODELS.make("SoftmaxRegression").build((1, 28, 28), 10)
    assert parameters(network) == 7850
    picture = torch.rand(2, 1, 28, 28)
    weight, bias = network.parameters()
    assert torch.allclose(network(picture), picture.flatten(1) @ weight.T + bias, atol=1e-6)


def test_lenet5_has_the_61706_parameters_of_its_paper() -> None:
    assert parameters(MODELS.make("LeNet5").build((1, 28, 28), 10)) == 61_706
    assert parameters(MODELS.make("LeNet5", padding=0).build((1, 32, 32), 10)) == 61_706
    rows = ledger(MODELS.make("LeNet5"), (1, 28, 28), 10)
    shapes = [row.output for row in rows if row.kind in ("Conv2d", "MaxPool2d", "Linear")]
    assert shapes == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120,), (84,), (10,)]


def test_the_historical_lenet5_averages_and_uses_tanh() -> None:
    kinds = [row.kind for row in ledger(MODELS.make("LeNet5", activation="Tanh", pooling="AvgPool2d"), (1, 28, 28), 10)]
    assert kinds.count("Tanh") == 4
    assert kinds.count("AvgPool2d") == 2


def test_the_mnist_network_is_that_of_the_pytorch_example() -> None:
    model = MODELS.make("MNISTNet")
    assert parameters(model.build((1, 28, 28), 10)) == 1_199_882
    rows = ledger(model, (1, 28, 28), 10)
    assert [row.kind for row in rows] == [
        "Conv2d", "ReLU", "Conv2d", "ReLU", "MaxPool2d", "Dropout", "Flatten", "Linear", "ReLU", "Dropout", "Linear",
    ]  # fmt: skip
    assert [row.detail for row in rows if row.kind == "Dropout"] == ["p=0.25, inplace=False", "p=0.5, inplace=False"]


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ({}, ["Flatten", "Linear", "ReLU", "Linear"]),
        ({"hidden": ()}, ["Flatten", "Linear"]),
        ({"hidden": (9, 5), "activation": "GELU"}, ["Flatten", "Linear", "GELU", "Linear", "GELU", "Linear"]),
        ({"dropout": 0.5}, ["Flatten", "Linear", "ReLU", "Dropout", "Linear"]),
    ],
)
def test_a_perceptron_has_the_layers_that_were_asked_for(values: dict[str, Any], kinds: list[str]) -> None:
    model = MODELS.make("MLP", **values)
    rows = ledger(model, (3, 8, 8), 4)
    assert [row.kind for row in rows] == kinds
    widths = [192, *model.hidden, 4]
    expected = sum(before * after + after for before, after in pairwise(widths))
    assert sum(row.parameters for row in rows) == expected


@pytest.mark.parametrize("activation", ["ReLU", "Tanh", "Sigmoid", "GELU"])
@pytest.mark.parametrize("entry", ["MLP", "LeNet5"])
def test_every_activation_is_torchs(entry: str, activation: str) -> None:
    network = MODELS.make(entry, activation=activation).build((1, 28, 28), 10)
    assert any(type(module) is getattr(nn, activation) for module in network.modules())
    assert network(torch.rand(2, 1, 28, 28)).isfinite().all()


def test_what_is_switched_off_at_random_is_all_on_in_evaluation() -> None:
    network = MODELS.make("MNISTNet").build((1, 12, 12), 4)
    pictures = torch.rand(4, 1, 12, 12)
    assert not torch.equal(network(pictures), network(pictures))
    network.eval()
    assert torch.equal(network(pictures), network(pictures))
