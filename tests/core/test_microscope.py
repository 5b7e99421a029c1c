"""The microscope against torch: sizes, patches, winners, costs and receptive fields, for any window that slides."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from gui_lab.core.microscope import Sliding, View, field, field_by_gradient, pooled, view_of_kernel, views_of_network

quick = settings(max_examples=25, deadline=None)


def pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


slidings = st.builds(Sliding, pairs(1, 4), pairs(1, 3), pairs(0, 3), pairs(1, 3))


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def convolution(sliding: Sliding, arriving: int = 3, leaving: int = 4, groups: int = 1) -> nn.Conv2d:
    made = nn.Conv2d(
        arriving, leaving, sliding.size, sliding.stride, sliding.padding, sliding.dilation, groups, device="meta"
    ).to_empty(device="cpu")
    with torch.no_grad():
        made.weight.copy_(random(*made.weight.shape, seed=1))
        made.bias.copy_(random(leaving, seed=2))
    return made


@given(slidings, pairs(1, 12))
@quick
def test_a_window_leaves_the_size_that_torch_says(sliding, size):
    leaves = sliding.leaves(size)
    assume(all(leaves))
    assert convolution(sliding, 1, 1)(torch.zeros(1, 1, *size)).shape[2:] == leaves


@given(slidings, pairs(1, 12), st.data())
@quick
def test_each_pixel_is_the_sum_of_its_products(sliding, size, data):
    assume(all(sliding.leaves(size)))
    groups = data.draw(st.sampled_from([1, 2]))
    module = convolution(sliding, 4, 6, groups)
    (view,) = views_of_network(module, random(4, *size))
    channel = data.draw(st.integers(0, 5))
    row, column = (data.draw(st.integers(0, side - 1)) for side in view.size)
    torchs = module(random(4, *size)[None])[0, channel, row, column].item()
    assert view.maps[channel, row, column].item() == torchs
    assert view.pixel_sum(channel, row, column) == pytest.approx(torchs, abs=1e-4)
    assert view.products(channel, row, column).shape == view.weight[channel].shape
    assert view.multiplications == 6 * view.size[0] * view.size[1] * (4 // groups) * sliding.size[0] * sliding.size[1]


@given(st.lists(slidings, min_size=1, max_size=3), pairs(4, 14), st.data())
@quick
def test_the_receptive_field_is_where_autograd_finds_a_gradient(before, picture, data):
    size = picture
    for sliding in before:
        size = sliding.leaves(size)
        assume(all(size))
    pixel = tuple(data.draw(st.integers(0, side - 1)) for side in size)
    rows, columns = field(before, pixel, picture)
    assume(rows[0] <= rows[1] and columns[0] <= columns[1])
    assert (rows, columns) == field_by_gradient(before, pixel, picture)


def test_a_pixel_that_lies_in_the_padding_alone_depends_on_nothing():
    far = Sliding((1, 1), padding=(2, 2))
    rows, columns = field((far,), (0, 0), (3, 3))
    assert rows[1] < rows[0]
    assert columns[1] < columns[0]
    assert field_by_gradient((far,), (0, 0), (3, 3)) == (rows, columns)


@given(pairs(2, 9), st.integers(1, 3), st.integers(1, 3), st.sampled_from(["max", "average"]), st.data())
@quick
def test_a_pooled_pixel_is_the_largest_or_the_mean_of_its_window(size, window, stride, kind, data):
    assume(min(size) >= window)
    maps = random(2, *size)
    pool = pooled(maps, kind, Sliding((window, window), (stride, stride)))
    torchs = (functional.max_pool2d if kind == "max" else functional.avg_pool2d)(maps, window, stride)
    assert torch.equal(pool.leaving, torchs)
    row, column = (data.draw(st.integers(0, side - 1)) for side in pool.leaving.shape[1:])
    view = View("", maps, maps, maps, pool.sliding, 1, maps, "", maps, pool, None, None)
    inside = view.window(1, row, column)
    ours = inside.max() if kind == "max" else inside.mean()
    assert ours.item() == pytest.approx(torchs[1, row, column].item(), abs=1e-6)
    if pool.winners is not None:
        assert maps[1].flatten()[pool.winners[1, row, column]] == torchs[1, row, column]


def test_the_window_of_a_padded_pool_leaves_the_padding_out():
    maps = random(1, 5, 5)
    pool = pooled(maps, "max", Sliding((3, 3), (2, 2), (1, 1)))
    view = View("", maps, maps, maps, pool.sliding, 1, maps, "", maps, pool, None, None)
    assert view.window(0, 0, 0).shape == (2, 2)
    assert view.window(0, 0, 0).max() == pool.leaving[0, 0, 0]


def test_a_network_is_seen_layer_by_layer():
    made = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Dropout(0.5),
        nn.Conv2d(4, 6, 3, padding=1, bias=False), nn.Tanh(), nn.AvgPool2d(3), nn.Flatten(), nn.Linear(6, 10),
    ).eval()  # fmt: skip
    picture = random(1, 9, 9)
    first, second = views_of_network(made, picture)
    assert (first.name, second.name) == ("0", "5")
    assert (first.activation, second.activation) == ("BatchNorm2d and ReLU", "Tanh")
    assert torch.equal(first.maps, made[0](picture[None])[0])
    assert torch.equal(first.active, made[:3](picture[None])[0])
    assert torch.equal(first.pool.leaving, second.arriving)
    assert torch.equal(second.pool.leaving, made[:8](picture[None])[0])
    assert (first.pool.kind, second.pool.kind) == ("max", "average")
    assert not second.bias.any()
    assert len(second.before) == 3
    assert field(second.before, (1, 1), (9, 9)) == field_by_gradient(second.before, (1, 1), (9, 9))


def test_the_next_layer_costs_what_its_weights_say():
    made = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.MaxPool2d(2), nn.Conv2d(4, 6, 2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(6, 10)
    )
    first, second = views_of_network(made, random(1, 8, 8))
    assert first.next_cost((3, 3)) == second.multiplications == 6 * 2 * 2 * 4 * 2 * 2
    assert first.next_cost((6, 6)) == 6 * 5 * 5 * 4 * 2 * 2
    assert second.next_cost((1, 1)) == 60
    assert second.next_cost((2, 2)) == 240


def test_where_layers_branch_no_receptive_field_is_claimed():
    class Branching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1)

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            return self.second(self.first(pictures) + pictures)

    first, second = views_of_network(Branching(), random(1, 6, 6))
    assert first.before is not None
    assert second.before is None


def test_looking_leaves_no_hooks_and_no_gradients_behind():
    made = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU())
    (view,) = views_of_network(made, random(1, 6, 6))
    assert not made[0]._forward_hooks
    assert not view.maps.requires_grad
    assert made[0].weight.grad is None


def test_a_kernel_without_a_fitting_pool_has_none():
    view = view_of_kernel(random(1, 4, 4), random(3, 3), 0.0, Sliding((3, 3)), "max", 3)
    assert view.pool is None
    assert view_of_kernel(random(1, 4, 4), random(3, 3), 0.0, Sliding((3, 3)), "none", 2).pool is None
