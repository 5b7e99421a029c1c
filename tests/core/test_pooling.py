"""Quick max pooling: torch's own numbers to the bit, forward and backward, also where pixels are equal."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from gui_lab.core.pooling import halved, quickened


def pictures(*shape: int) -> Tensor:
    """Whole numbers from few, after ReLU: in most windows several pixels are the largest."""
    return torch.randint(-2, 4, shape, generator=torch.Generator().manual_seed(1)).float().relu()


def both_ways(pool: Any, given: Tensor) -> tuple[Tensor, Tensor]:
    given = given.detach().requires_grad_()
    pooled = pool(given)
    weights = torch.randn(pooled.shape, generator=torch.Generator().manual_seed(2)).to(pooled.dtype)
    (gradient,) = torch.autograd.grad(pooled, given, weights)
    return pooled.detach(), gradient


@pytest.mark.parametrize(
    "given",
    [
        pictures(30, 6, 28, 28),
        pictures(3, 6, 28, 28),
        pictures(2, 1, 2, 2),
        pictures(5, 4, 6),
        torch.randn(99, 70, 10, 8, generator=torch.Generator().manual_seed(3)),
        pictures(20, 50, 7, 8),
        pictures(0, 3, 4, 4),
        pictures(20, 50, 8, 8).to(memory_format=torch.channels_last),
        pictures(20, 50, 8, 8).to(torch.bfloat16),
        pictures(20, 50, 8, 8).double(),
        torch.full((64, 64, 4, 4), float("-inf")),
        pictures(17, 64, 32, 32),
    ],
    ids=lambda given: f"{tuple(given.shape)}-{given.dtype}-{given.stride()}",
)
def test_it_is_torchs_own_to_the_bit(given: Tensor) -> None:
    for ours, theirs in zip(
        both_ways(halved, given), both_ways(lambda values: max_pool2d(values, 2), given), strict=True
    ):
        assert torch.equal(ours, theirs)
        assert ours.stride() == theirs.stride()
    with torch.inference_mode():
        assert torch.equal(halved(given), max_pool2d(given, 2))


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_gradient_that_is_not_finite_stays_in_its_window(value: float) -> None:
    given = pictures(64, 64, 4, 4).requires_grad_()
    gradient = torch.ones(64, 64, 2, 2)
    gradient[3, 2, 0, 1] = value
    (ours,) = torch.autograd.grad(halved(given), given, gradient)
    (theirs,) = torch.autograd.grad(max_pool2d(given, 2), given, gradient)
    assert torch.equal(ours.nan_to_num(9.0, 8.0), theirs.nan_to_num(9.0, 8.0))


def test_a_pixel_that_is_not_a_number_makes_its_window_none() -> None:
    given = pictures(1, 1, 4, 4)
    given[0, 0, 1, 2] = float("nan")
    assert torch.equal(halved(given).isnan(), max_pool2d(given, 2).isnan())


def test_only_pooling_by_two_is_quickened_and_a_copy_is_too() -> None:
    others = [nn.MaxPool2d(3), nn.MaxPool2d(2, 1), nn.MaxPool2d(2, padding=1), nn.MaxPool2d(2, ceil_mode=True)]
    network = nn.Sequential(nn.MaxPool2d(2), nn.MaxPool2d((2, 2), (2, 2)), *others, nn.AvgPool2d(2))
    assert quickened(network) is network
    for one in (network, copy.deepcopy(network)):
        assert ["forward" in module.__dict__ for module in one] == [True, True, *[False] * 5]
    assert type(network[0]) is nn.MaxPool2d
    assert not network.state_dict()
