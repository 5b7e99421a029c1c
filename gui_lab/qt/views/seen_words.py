"""One sentence about what is seen: of which epoch and seed, and in what it differs from what training gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gui_lab.core.pipeline import Transform
from gui_lab.qt.views.traces import View


def seen_words(view: View, transforms: Sequence[Transform], epochs: int) -> str:
    """
    Args:
        view: how one looks.
        transforms: the chain that is looked at.
        epochs: of the run.
    """
    if view.without is not None:
        name = transforms[view.without].name_of()
        return f"Without {view.without + 1} {name}, in this preview only"
    if not view.training:
        return "Validation: random transforms do not act"
    if not any(transform.random and transform.enabled for transform in transforms):
        return "The same in every epoch: nothing is random"
    kept = pinned_words(view.pinned, transforms, view.epoch)
    said = f"Epoch {view.epoch:,}, seed {view.seed}"
    if kept:
        return f"{said}, but {kept}"
    return f"{said}: what training gets" + (f"; the run ends after {epochs:,}" if view.epoch > epochs else "")


def pinned_words(pinned: Mapping[int, int], transforms: Sequence[Transform], epoch: int) -> str:
    """RandomCrop as in epoch 2"""
    return ", ".join(
        f"{transforms[position].name_of()} as in epoch {kept:,}"
        for position, kept in sorted(pinned.items())
        if kept != epoch and transforms[position].enabled
    )


def picture_words(index: int, class_name: str, name: str = "") -> str:
    """picture 12 (seven)"""
    return f"{name or f'picture {index:,}'} ({class_name})"


def pin_words(pinned: bool) -> str:
    """What a pin does, as its tool tip."""
    if pinned:
        return "Unpin: the network's answer for this picture is shown while it trains (Shift+P)"
    return "Pin: show the network's answer for this picture while it trains (Shift+P)"
