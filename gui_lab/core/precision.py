"""In which numbers a network computes: float32, or bfloat16 where that is faster here.

bfloat16 is torch's autocast: weights, optimiser and loss stay float32, only the costly layers compute in bfloat16, and
convolutions get their weights as channels_last, which is the layout that bfloat16 kernels are made for. A convolution
takes its layout from its weights, so pictures need no rearranging; measured on two cores, rearranging them costs more
than it brings. Whether bfloat16 pays depends on the processor and on the network, so "auto" asks both.
"""

from __future__ import annotations

import contextlib
import copy
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gui_lab.core.machine import generators_kept

_SECONDS = 0.5  # of measuring for each precision
_ROUNDS = 5  # in which they take turns, so that what else the machine does meets both
_WARM_UP = 2  # steps; the first ones choose algorithms and allocate
_MUST_WIN = 1.1
"""How many times as fast bfloat16 has to be: for less it is not worth its fewer digits."""


@dataclass(frozen=True)
class Choice:
    """ "float32" or "bfloat16", and why in a sentence with both figures."""

    precision: str
    why: str


def autocast(device: str, precision: str) -> AbstractContextManager[object]:
    """What a forward pass runs in; outputs may leave it in bfloat16, and the loss is computed outside, in float32."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(_kind(device), torch.bfloat16)


def prepared(network: nn.Module, precision: str) -> nn.Module:
    """The same network, in place, with its weights in the layout that suits the precision; their values stay."""
    if precision == "bfloat16" and any(isinstance(module, nn.Conv2d) for module in network.modules()):
        network.to(memory_format=torch.channels_last)
    return network


def measured(
    network: nn.Module, pictures: Tensor, labels: Tensor, loss: Callable[[Tensor, Tensor], Tensor], device: str
) -> Choice:
    """Try both precisions for a moment on copies of a network, forward and backward, and take the faster one. The
    network and torch's generators are left as they are; takes about a second and a half.

    Args:
        network: in training or evaluation mode, on the device.
        pictures: a real batch on the device, float32 (B, C, H, W).
        labels: that fit the loss.
        loss: of outputs float32 (B, classes) and labels, a tensor ().
    """
    missing = why_not(device)
    if missing:
        return Choice("float32", f"float32: {missing}")
    with generators_kept(device):
        float32, bfloat16 = (_Trial(network, pictures, labels, loss, device, name) for name in ("float32", "bfloat16"))
        float32.warm_up()
        try:
            bfloat16.warm_up()
        except RuntimeError as error:  # a layer without a kernel, or no memory for a second copy
            return Choice("float32", f"float32: this network does not compute in bfloat16 here ({_first_line(error)}).")
        for _ in range(_ROUNDS):
            for trial in (float32, bfloat16):
                trial.measure(_SECONDS / _ROUNDS)
    return chosen(float32.rate(), bfloat16.rate())


def chosen(float32: float, bfloat16: float) -> Choice:
    """The choice between two speeds in pictures per second."""
    ratio = bfloat16 / float32
    if ratio >= _MUST_WIN:
        figures = _rates(bfloat16, float32)
        return Choice("bfloat16", f"bfloat16: {ratio:.1f} times as fast as float32 here ({figures}).")
    figures = _rates(float32, bfloat16)
    return Choice("float32", f"float32: bfloat16 is {ratio:.2f} times as fast here ({figures}); it has to win by 10 %.")


class _Trial:
    """One precision being timed on a copy of the network."""

    def __init__(
        self,
        network: nn.Module,
        pictures: Tensor,
        labels: Tensor,
        loss: Callable[[Tensor, Tensor], Tensor],
        device: str,
        precision: str,
    ) -> None:
        self._network = prepared(copy.deepcopy(network), precision).train()
        self._pictures, self._labels, self._loss = pictures, labels, loss
        self._device, self._precision = device, precision
        self._rates: list[float] = []

    def warm_up(self) -> None:
        for _ in range(_WARM_UP):
            self._step()
        self._finish()

    def measure(self, seconds: float) -> None:
        """Steps for so long, one at least."""
        steps, since = 0, time.perf_counter()
        while not steps or time.perf_counter() - since < seconds:
            self._step()
            self._finish()
            steps += 1
        self._rates.append(steps * len(self._pictures) / (time.perf_counter() - since))

    def rate(self) -> float:
        """Pictures per second in the middle one of its turns."""
        return statistics.median(self._rates)

    def _step(self) -> None:
        self._network.zero_grad(set_to_none=True)
        with autocast(self._device, self._precision):
            outputs = self._network(self._pictures)
        self._loss(outputs.float(), self._labels).backward()  # type: ignore[no-untyped-call]  # torch's

    def _finish(self) -> None:
        """Wait for what a device computes on its own."""
        if self._device != "cpu":
            torch.get_device_module(_kind(self._device)).synchronize()


def why_not(device: str) -> str:
    """Why nothing can be computed in bfloat16 on a device, in a sentence; empty where it can."""
    kind = _kind(device)
    if not torch.amp.is_autocast_available(kind):
        return f"torch has no bfloat16 for {kind} devices."
    if kind == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return f"{torch.cuda.get_device_name(device)} has no bfloat16."
    return ""


def _kind(device: str) -> str:
    """The kind of a device: "cuda" of "cuda:1"."""
    return device.partition(":")[0]


def _rate(value: float) -> str:
    """Three significant digits, thousands separated."""
    return f"{float(f'{value:.3g}'):,.0f}" if value >= 100 else f"{value:.3g}"


def _rates(first: float, second: float) -> str:
    return f"{_rate(first)} and {_rate(second)} pictures/s"


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")[:120]
