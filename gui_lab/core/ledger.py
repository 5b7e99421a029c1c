"""The layers of a network, what leaves each of them, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from gui_lab.core.learning import Model
from gui_lab.core.machine import out_of_memory_told


@dataclass(frozen=True)
class Layer:
    """A row of the ledger: a layer in words, the shape that leaves it (without the batch) and its parameters."""

    name: str
    kind: str
    detail: str
    output: tuple[int, ...]
    parameters: int


_LIGHT = 20_000_000  # parameters; such a network runs on one picture in milliseconds


def ledger(model: Model, shape: tuple[int, int, int], classes: int) -> list[Layer]:
    """The layers of a network in the order in which they run, found by running it on one empty picture.

    No random number is drawn: the weights are whatever memory holds. A heavy network stays on the meta device, without
    memory and arithmetic; a light one does not, since the first run there imports seconds of machinery.

    Raises:
        OutOfMemory: there is no memory even for one picture.
    """
    with out_of_memory_told("the network"):
        return _layers(model, shape, classes)


def _layers(model: Model, shape: tuple[int, int, int], classes: int) -> list[Layer]:
    with torch.device("meta"):
        built = model.network(shape, classes)
    light = sum(parameter.numel() for parameter in built.parameters()) <= _LIGHT
    if light:
        weights = {key: torch.empty(value.shape, dtype=value.dtype) for key, value in built.state_dict().items()}
        built.load_state_dict(weights, assign=True)
    picture = torch.zeros(1, *shape, device="cpu" if light else "meta")
    rows: list[Layer] = []

    def note(name: str) -> Callable[[nn.Module, object, torch.Tensor], None]:
        def hook(module: nn.Module, _: object, output: torch.Tensor) -> None:
            own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
            rows.append(Layer(name, type(module).__name__, module.extra_repr(), tuple(output.shape[1:]), own))

        return hook

    for name, module in built.named_modules():
        if not list(module.children()):
            module.register_forward_hook(note(name))
    with torch.inference_mode():
        built.eval()(picture)
    return rows


def multiplications(layers: Sequence[Layer]) -> int:
    """Multiplications of one forward pass of one picture: each parameter of a layer is used once for each place of its
    output (for convolutions and linear layers exactly, biases counted along)."""
    return sum(layer.parameters * math.prod(layer.output[1:]) for layer in layers)
