"""A convolution under the microscope: what arrives, what leaves, and the arithmetic of a single pixel.

A `View` is one convolution with all that belongs to it: the activation and the pooling behind it, what the next layer
costs, and how far back into the picture a pixel sees. It is the same for a kernel that a person typed and for a layer
of a network, of which a forward pass is watched with hooks. All numbers are torch's, but for `pixel_sum` and `field`,
which are reckoned here and compared with torch's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import Tensor, nn

Pair = tuple[int, int]
"""Of rows and of columns."""


@dataclass(frozen=True)
class Sliding:
    """How a window slides, in pixels."""

    size: Pair
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)

    @property
    def extent(self) -> Pair:
        """From the first to the last pixel of the window: D (F - 1) + 1."""
        height, width = (dilation * (size - 1) + 1 for size, dilation in zip(self.size, self.dilation, strict=True))
        return height, width

    def leaves(self, arriving: Pair) -> Pair:
        """(W - F + 2P) / S + 1 rounded down, F being the extent; 0 where the window does not fit."""
        height, width = (
            max((side - extent + 2 * padding) // stride + 1, 0)
            for side, extent, padding, stride in zip(arriving, self.extent, self.padding, self.stride, strict=True)
        )
        return height, width

    def corner(self, row: int, column: int) -> Pair:
        """The first pixel of the window of an output pixel, in the picture with its padding."""
        return row * self.stride[0], column * self.stride[1]


@dataclass(frozen=True, eq=False)
class Pool:
    """What a pooling makes of maps.

    Attributes:
        leaving: (maps, rows, columns).
        winners: of a maximum, int64 (maps, rows, columns): the place of each window's largest, row * width + column.
    """

    kind: Literal["max", "average"]
    sliding: Sliding
    leaving: Tensor
    winners: Tensor | None = None


@dataclass(frozen=True, eq=False)
class View:
    """A convolution and what follows it.

    Attributes:
        name: of the layer.
        arriving: (channels, H, W), without padding.
        weight: (maps, channels of a group, rows, columns).
        bias: (maps,).
        maps: (maps, rows, columns), what leaves it.
        activation: in words, such as "ReLU"; empty where none follows.
        active: what leaves the activation; the maps themselves where none follows.
        pool: what follows; None where nothing does.
        before: how the windows of all layers slid through which the picture came, the first one first; None where
            layers branch, so that this is not told by their windows alone.
        next_cost: multiplications of the next layer for so many rows and columns of maps; None where none follows.
    """

    name: str
    arriving: Tensor
    weight: Tensor
    bias: Tensor
    sliding: Sliding
    groups: int
    maps: Tensor
    activation: str
    active: Tensor
    pool: Pool | None
    before: tuple[Sliding, ...] | None
    next_cost: Callable[[Pair], int] | None

    @property
    def size(self) -> Pair:
        """Rows and columns of the maps."""
        return self.maps.shape[1], self.maps.shape[2]

    @property
    def multiplications(self) -> int:
        """Each weight of a filter once for each pixel of its map."""
        return self.weight.numel() * math.prod(self.size)

    @cached_property
    def padded(self) -> Tensor:
        """What the windows slide over, (channels, H + 2P, W + 2P)."""
        from torch.nn.functional import pad

        rows, columns = self.sliding.padding
        return pad(self.arriving, (columns, columns, rows, rows))

    def channels_of(self, channel: int) -> range:
        """Which of the arriving channels a map is made of: all, unless the convolution has groups."""
        each = self.weight.shape[1]
        start = channel // (self.weight.shape[0] // self.groups) * each
        return range(start, start + each)

    def patch(self, channel: int, row: int, column: int) -> Tensor:
        """What lies under the filter at a pixel of its map, (channels of the group, rows, columns)."""
        (top, left), (height, width) = self.sliding.corner(row, column), self.sliding.extent
        down, right = self.sliding.dilation
        some = self.channels_of(channel)
        return self.padded[some.start : some.stop, top : top + height : down, left : left + width : right]

    def products(self, channel: int, row: int, column: int) -> Tensor:
        """Patch times filter, number by number."""
        return self.patch(channel, row, column) * self.weight[channel]

    def pixel_sum(self, channel: int, row: int, column: int) -> float:
        """Sum of the products and the bias, in double precision: what the pixel ought to be."""
        patch, weight = self.patch(channel, row, column).double(), self.weight[channel].double()
        return float((patch * weight).sum() + self.bias[channel].double())

    def window(self, channel: int, row: int, column: int) -> Tensor:
        """What a pixel of the pooled map was made of, (rows, columns); without what lies in the padding."""
        assert self.pool is not None
        sliding = self.pool.sliding
        top, left = (at - by for at, by in zip(sliding.corner(row, column), sliding.padding, strict=True))
        (height, width), (down, right) = sliding.extent, sliding.dilation
        first, start = top % down if top < 0 else top, left % right if left < 0 else left
        return self.active[channel, first : top + height : down, start : left + width : right]


def field(before: Sequence[Sliding], pixel: Pair, picture: Pair) -> tuple[Pair, Pair]:
    """The receptive field of a pixel: the first and the last row, and column, of the picture that it depends on.

    Back through the layers goes the set of places that each window touches; what lies in a padding depends on nothing.

    Args:
        before: how the windows slid from the picture to the map of the pixel.
        pixel: row and column in that map.
        picture: rows and columns.
    """
    sizes = [picture]
    for sliding in before[:-1]:
        sizes.append(sliding.leaves(sizes[-1]))
    found = []
    for axis in (0, 1):
        places = {pixel[axis]}
        for sliding, size in zip(reversed(before), reversed(sizes), strict=True):
            first = -sliding.padding[axis]
            window = range(0, sliding.extent[axis], sliding.dilation[axis])
            touched = {first + place * sliding.stride[axis] + step for place in places for step in window}
            places = {place for place in touched if 0 <= place < size[axis]}
        found.append((min(places, default=0), max(places, default=-1)))
    return found[0], found[1]


def field_by_gradient(before: Sequence[Sliding], pixel: Pair, picture: Pair) -> tuple[Pair, Pair]:
    """The same as autograd finds it: where the gradient of the pixel is not zero if all weights are one."""
    import torch
    from torch.nn.functional import conv2d

    with torch.enable_grad():
        seen = torch.zeros(1, 1, *picture, requires_grad=True)
        there = seen
        for one in before:
            ones = torch.ones(1, 1, *one.size)
            there = conv2d(there, ones, None, one.stride, one.padding, one.dilation)
        (gradient,) = torch.autograd.grad(there[0, 0, pixel[0], pixel[1]], seen)
    rows, columns = gradient[0, 0].nonzero(as_tuple=True)
    if not len(rows):
        return (0, -1), (0, -1)
    return (int(rows.min()), int(rows.max())), (int(columns.min()), int(columns.max()))


# ---------------------------------------------------------------- a kernel of one's own


def view_of_kernel(picture: Tensor, kernel: Tensor, bias: float, sliding: Sliding, pool: str, pool_size: int) -> View:
    """
    Args:
        picture: float32 (1, H, W).
        kernel: float32 (rows, columns); it fits into the picture.
        pool: "max", "average"; anything else, or a window larger than the map, for none.
    """
    import torch
    from torch.nn.functional import conv2d, relu

    weight, biases = kernel[None, None], torch.tensor([bias])
    maps = conv2d(picture[None], weight, biases, sliding.stride, sliding.padding, sliding.dilation)[0]
    active = relu(maps)
    fits = pool in ("max", "average") and pool_size <= min(maps.shape[1:])
    made = pooled(active, pool, Sliding((pool_size,) * 2, (pool_size,) * 2)) if fits else None

    def again(arriving: Pair) -> int:
        return math.prod(sliding.leaves(arriving)) * kernel.numel()

    return View(
        "the kernel", picture, weight, biases, sliding, 1, maps, "ReLU", active, made, (sliding,), again
    )  # fmt: skip


def pooled(maps: Tensor, kind: str, sliding: Sliding, ceil: bool = False) -> Pool:
    """Pooling of (maps, rows, columns) as nn.MaxPool2d and nn.AvgPool2d do it; `ceil` is their `ceil_mode`."""
    from torch.nn.functional import avg_pool2d, max_pool2d

    if kind == "average":
        return Pool("average", sliding, avg_pool2d(maps[None], sliding.size, sliding.stride, sliding.padding, ceil)[0])
    leaving, winners = max_pool2d(
        maps[None], sliding.size, sliding.stride, sliding.padding, sliding.dilation, ceil, return_indices=True
    )
    return Pool("max", sliding, leaving[0], winners[0])


# ---------------------------------------------------------------- layers of a network


@dataclass(frozen=True, eq=False)
class _Passed:
    """A layer that a picture went through, and whether it took exactly what the layer before gave."""

    name: str
    module: nn.Module
    arriving: Tensor
    leaving: Tensor
    chained: bool


def views_of_network(network: nn.Module, picture: Tensor) -> list[View]:
    """Each convolution of a network, in the order in which a picture passes through them.

    Args:
        network: in evaluation mode, so that nothing is drawn.
        picture: float32 (C, H, W), as it reaches the network.
    """
    from torch import nn

    passed = _watched(network, picture)
    found, before, chained = [], [], True
    for place, layer in enumerate(passed):
        chained = chained and layer.chained
        if isinstance(layer.module, nn.Conv2d):
            before.append(_sliding(layer.module))
            reach = tuple(before) if chained else None
            found.append(_view(layer, passed[place + 1 :], before[-1], reach))
        elif _is_pool(layer.module):
            before.append(_sliding(layer.module))
        elif not _keeps_places(layer):
            chained = False
    return found


def _watched(network: nn.Module, picture: Tensor) -> list[_Passed]:
    import torch

    passed: list[_Passed] = []
    last: list[Tensor] = []

    def note(name: str) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            chained = not last or inputs[0] is last[-1]
            passed.append(_Passed(name, module, inputs[0], output.clone(), chained))  # the next may work in place
            last[:] = [output]

        return hook

    hooks = [
        module.register_forward_hook(note(name))
        for name, module in network.named_modules()
        if not list(module.children())
    ]
    try:
        with torch.no_grad():
            network(picture[None])
    finally:
        for hook in hooks:
            hook.remove()
    return passed


def _view(layer: _Passed, after: Sequence[_Passed], sliding: Sliding, before: tuple[Sliding, ...] | None) -> View:
    import torch
    from torch import nn

    module = layer.module
    assert isinstance(module, nn.Conv2d)
    weight = module.weight.detach()
    bias = torch.zeros(len(weight)) if module.bias is None else module.bias.detach()
    follows, rest = _following(after)
    active = follows[-1].leaving if follows else layer.leaving
    words = " and ".join(type(one.module).__name__ for one in follows if "Dropout" not in type(one.module).__name__)
    pool = None
    if rest and _is_pool(rest[0].module):
        kind = "average" if isinstance(rest[0].module, nn.AvgPool2d) else "max"
        pool = pooled(active[0], kind, _sliding(rest[0].module), bool(rest[0].module.ceil_mode))
        pool = replace(pool, leaving=rest[0].leaving[0])
    cost = _next_cost(rest, layer.leaving.shape)
    return View(
        layer.name, layer.arriving[0], weight, bias, sliding, module.groups, layer.leaving[0], words, active[0], pool,
        before, cost,
    )  # fmt: skip


def _following(after: Sequence[_Passed]) -> tuple[list[_Passed], Sequence[_Passed]]:
    """The layers that change values and no places, and those from the first other one on."""
    for place, layer in enumerate(after):
        if not layer.chained or not _keeps_places(layer):
            return list(after[:place]), after[place:]
    return list(after), ()


def _next_cost(rest: Sequence[_Passed], shape: Sequence[int]) -> Callable[[Pair], int] | None:
    """Of the first layer with weights that follows maps of a shape (1, maps, rows, columns). A linear one has a weight
    for each number that arrives, unless all places were brought to one before it."""
    from torch import nn

    arriving = math.prod(shape[2:])
    for layer in rest:
        module = layer.module
        if _is_pool(module):
            arriving = math.prod(layer.leaving.shape[2:])
        elif isinstance(module, nn.Conv2d):
            sliding, weights = _sliding(module), module.weight.numel()
            return lambda pair: math.prod(sliding.leaves(pair)) * weights
        elif isinstance(module, nn.Linear):
            weights, spread = module.weight.numel(), module.in_features == shape[1] * arriving
            return lambda pair: weights // arriving * math.prod(pair) if spread else weights
    return None


def _is_pool(module: nn.Module) -> bool:
    from torch import nn

    return isinstance(module, (nn.MaxPool2d, nn.AvgPool2d))


def _keeps_places(layer: _Passed) -> bool:
    """Whether each number that leaves depends on what arrived at its own place: activations, normalisation, dropout."""
    from torch import nn

    weighted = isinstance(layer.module, (nn.Conv2d, nn.Linear))
    same = layer.arriving.shape == layer.leaving.shape and layer.leaving.ndim == 4
    return same and not weighted and not _is_pool(layer.module)


def _sliding(module: Any) -> Sliding:
    """Of a convolution or a pooling of torch, whose arguments are numbers, pairs or words."""
    size, dilation = _pair(module.kernel_size), _pair(getattr(module, "dilation", 1))
    stride = _pair(module.stride)
    if module.padding == "same":
        padding = (dilation[0] * (size[0] - 1) // 2, dilation[1] * (size[1] - 1) // 2)
    else:
        padding = (0, 0) if module.padding == "valid" else _pair(module.padding)
    return Sliding(size, stride, padding, dilation)


def _pair(given: int | Sequence[int]) -> Pair:
    if isinstance(given, int):
        return given, given
    return int(given[0]), int(given[1])
