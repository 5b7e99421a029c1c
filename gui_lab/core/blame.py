"""Where a loss that is not a number came from: the first layer whose output is not finite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


@torch.no_grad()
def first_not_finite(network: nn.Module, run: Callable[[], Tensor]) -> str:
    """Which part of a forward pass is the first with a value that is NaN or infinite, in words: "the pictures", "the
    weights of 3 (Linear)", "the output of 3 (Linear)"; "the loss" where all that leaves the network is finite.

    Args:
        run: repeats the forward pass, and returns what left the network.
    """
    found: list[str] = []

    def watch(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, arriving: tuple[Any, ...], left: Any) -> None:
            if found:
                return
            layer = f"{name} ({type(module).__name__})"
            if not _finite(*arriving):
                found.append("the pictures")
            elif not _finite(*module.parameters(recurse=False), *module.buffers(recurse=False)):
                found.append(f"the weights of {layer}")
            elif not _finite(left):
                found.append(f"the output of {layer}")

        return hook

    layers = [(name, module) for name, module in network.named_modules() if not list(module.children())]
    hooks = [module.register_forward_hook(watch(name or "the network")) for name, module in layers]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    return found[0] if found else "the loss"


def _finite(*values: Any) -> bool:
    return all(bool(torch.isfinite(value).all()) for value in values if isinstance(value, Tensor))
