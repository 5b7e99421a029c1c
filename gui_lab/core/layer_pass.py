"""One picture forward through a network and its loss back again, layer by layer, with the size of the gradient at each
place: how much of the loss's answer still reaches the first layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gui_lab.core.learning import Ending

if TYPE_CHECKING:
    from torch import Tensor, nn

_FOLLOWERS = (
    "Dropout",
    "Flatten",
    "ReLU",
    "Tanh",
    "Sigmoid",
    "GELU",
    "BatchNorm",
    "LayerNorm",
    "GroupNorm",
    "Identity",
)
"""Kinds of layers that are told in the box of the layer before them."""


@dataclass(frozen=True)
class Passed:
    """A layer, or several that are told as one.

    Attributes:
        name: of the first of them in the network.
        kinds: of all of them, the first one first.
        shape: of what leaves the last, without the batch.
        arriving: size (2-norm) of the gradient of the loss by what leaves it.
        weights: size of the gradient by its own weights and biases; None where it has none.
        parameters: how many those are.
    """

    name: str
    kinds: tuple[str, ...]
    shape: tuple[int, ...]
    arriving: float
    weights: float | None
    parameters: int


@dataclass(frozen=True)
class Pass:
    """
    Attributes:
        layers: in the order in which they are computed.
        input: shape of the picture as the network gets it.
        at_input: size of the gradient by the picture.
        scores: what leaves the network.
        loss: cross-entropy of the label; of a network that ends in LogSoftmax, nn.NLLLoss.
    """

    layers: tuple[Passed, ...]
    input: tuple[int, ...]
    at_input: float
    scores: tuple[float, ...]
    label: int
    loss: float


@dataclass(eq=False)
class _Met:
    """A layer as the picture passed it."""

    name: str
    modules: list[nn.Module]
    output: Tensor | None = None
    kinds: list[str] = field(default_factory=list)


def passed(network: nn.Module, picture: Tensor, label: int, ends_in: Ending) -> Pass:
    """
    Args:
        network: on the CPU, in evaluation mode; its gradients are set anew.
        picture: as the network gets it, float32 (C, H, W).
    """
    import torch

    met: list[_Met] = []
    hooks = [
        module.register_forward_hook(_noting(name, met))
        for name, module in network.named_modules()
        if not list(module.children())
    ]
    network.zero_grad()
    batch = picture[None].clone().requires_grad_()
    try:
        with torch.enable_grad():
            scores = network(batch)
            loss = loss_of(scores, torch.tensor([label]), ends_in)
            loss.backward()  # type: ignore[no-untyped-call]  # torch's
    finally:
        for hook in hooks:
            hook.remove()
    return Pass(
        tuple(_told(one) for one in met), tuple(picture.shape), _size([batch.grad]), tuple(scores[0].tolist()), label,
        float(loss.detach()),
    )  # fmt: skip


def loss_of(scores: Tensor, labels: Tensor, ends_in: Ending) -> Tensor:
    from torch.nn import functional

    measure = functional.nll_loss if ends_in == "LogSoftmax" else functional.cross_entropy
    return measure(scores, labels)


def _noting(name: str, met: list[_Met]) -> Callable[[nn.Module, object, Tensor], None]:
    def hook(module: nn.Module, _: object, output: Tensor) -> None:
        kind = type(module).__name__
        if not met or not kind.startswith(_FOLLOWERS):
            met.append(_Met(name, []))
        output.retain_grad()
        met[-1].modules.append(module)
        met[-1].kinds.append(kind)
        met[-1].output = output

    return hook


def _told(met: _Met) -> Passed:
    assert met.output is not None
    own = [parameter for module in met.modules for parameter in module.parameters(recurse=False)]
    return Passed(
        met.name, tuple(met.kinds), tuple(met.output.shape[1:]), _size([met.output.grad]),
        _size([one.grad for one in own]) if own else None, sum(one.numel() for one in own),
    )  # fmt: skip


def _size(gradients: list[Tensor | None]) -> float:
    """The 2-norm of all of them together; of what got none it is 0."""
    import torch

    known = [one.flatten() for one in gradients if one is not None]
    return float(torch.cat(known).norm()) if known else 0.0
