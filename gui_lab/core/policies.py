"""What automatic augmentations choose from: operations, how strong each may be, and the pairs that searches found.

The tables are torchvision's, whose own lie in private attributes; the tests hold the two side by side. A draw is a
plain number, so an operation is its place in `OPERATIONS`, and a magnitude has the unit of its operation: a fraction
for shears, pixels for shifts, degrees, bits that stay, a part of white for Solarize, and for Brightness, Color,
Contrast and Sharpness what is added to a factor of 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gui_lab.core.dice import Dice, Indices

OPERATIONS = (
    "Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast",
    "Sharpness", "Posterize", "Solarize", "AutoContrast", "Equalize", "Invert",
)  # fmt: skip
SpaceName = Literal["AutoAugment", "RandAugment", "TrivialAugmentWide", "AugMix", "AugMix without colour"]
PolicyName = Literal["imagenet", "cifar10", "svhn"]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Span:
    """Magnitudes from `first` to `last` in equal steps; `signed` ones go either way, `whole` ones are rounded."""

    first: float
    last: float
    signed: bool = True
    whole: bool = False

    def magnitudes(self, bins: int) -> Floats:
        """float64 (bins,), the float32 values that torchvision has."""
        import torch

        if self.whole:
            fall = torch.arange(bins) / ((bins - 1) / (self.first - self.last))
            found = (self.first - fall).round().int()
        else:
            found = torch.linspace(self.first, self.last, bins)
        return np.asarray(found.tolist(), np.float64)


Space = Mapping[str, Span | None]
"""The operations of an augmentation in torchvision's order; None where there is nothing to be stronger or weaker."""


def space(name: SpaceName, height: int, width: int) -> Space:
    """What an augmentation chooses from for pictures of this size, pixels."""
    if name == "TrivialAugmentWide":
        moves, colours, bits = _moves(0.99, 32.0, 32.0, 135.0), _colours(0.99), Span(8, 2, False, True)
    elif name.startswith("AugMix"):
        moves, colours, bits = _moves(0.3, width / 3.0, height / 3.0, 30.0), _colours(0.9), Span(4, 0, False, True)
    else:
        across, down = 150.0 / 331.0 * width, 150.0 / 331.0 * height
        moves, colours, bits = _moves(0.3, across, down, 30.0), _colours(0.9), Span(8, 4, False, True)
    points: Space = {"Posterize": bits, "Solarize": Span(1, 0, False), "AutoContrast": None, "Equalize": None}
    match name:
        case "AutoAugment":
            return {**moves, **colours, **points, "Invert": None}
        case "AugMix":
            return {**moves, **points, **colours}
        case "AugMix without colour":
            return {**moves, **points}
        case _:
            return {"Identity": None, **moves, **colours, **points}


def _moves(shear: float, across: float, down: float, turn: float) -> Space:
    return {
        "ShearX": Span(0, shear),
        "ShearY": Span(0, shear),
        "TranslateX": Span(0, across),
        "TranslateY": Span(0, down),
        "Rotate": Span(0, turn),
    }


def _colours(most: float) -> Space:
    return {name: Span(0, most) for name in ("Brightness", "Color", "Contrast", "Sharpness")}


@dataclass(frozen=True)
class Choice:
    """A space as arrays, to draw for many pictures at once.

    Attributes:
        codes: int64 (N,), places in `OPERATIONS`.
        magnitudes: float64 (N, bins), 0 where an operation has none.
        signed: bool (N,).
    """

    codes: Indices
    magnitudes: Floats
    signed: npt.NDArray[np.bool_]

    def drawn(self, dice: Dice, picks: Indices, bins: Indices | int) -> tuple[Indices, Floats]:
        """The operations that were picked, int64 (B,), and their magnitudes, every second one negative where signed."""
        magnitudes = self.magnitudes[picks, bins]
        negative = dice.chance(0.5) & self.signed[picks]
        return self.codes[picks], np.where(negative, -magnitudes, magnitudes)


def choice(name: SpaceName, bins: int, height: int, width: int) -> Choice:
    spans = space(name, height, width)
    return Choice(
        np.array([OPERATIONS.index(operation) for operation in spans], np.int64),
        np.array([np.zeros(bins) if span is None else span.magnitudes(bins) for span in spans.values()]),
        np.array([span is not None and span.signed for span in spans.values()]),
    )


def words(operation: int, magnitude: float) -> str:
    """What was drawn, to be read: "Rotate by −9°", "Posterize to 5 bits", "Equalize"."""
    name = OPERATIONS[operation]
    if name.startswith("Shear"):
        return f"{name} by {_number(magnitude)}"
    if name.startswith("Translate"):
        return f"{name} by {_number(int(magnitude))} px"
    if name == "Rotate":
        return f"{name} by {_number(magnitude)}°"
    if name in ("Brightness", "Color", "Contrast", "Sharpness"):
        return f"{name} times {_number(1 + magnitude)}"
    if name == "Posterize":
        return f"{name} to {int(magnitude)} {'bit' if magnitude == 1 else 'bits'}"
    return f"{name} from {round(magnitude * 100)} % of white" if name == "Solarize" else name


def _number(value: float) -> str:
    """Three significant digits with a true minus; no minus before zero."""
    return f"{value + 0.0:.3g}".replace("-", "−")


def log_gamma_variates(dice: Dice, alpha: float) -> Floats:
    """Logarithms of one number per picture from the gamma distribution of this shape, float64 (B,).

    After Marsaglia and Tsang (2000), with their step for shapes below 1; in logarithms, because such a number is often
    too small for a float. A picture takes its first attempt that is accepted, whatever the others of its batch need.
    """
    d = alpha + 1 - 1 / 3
    found, waiting = np.zeros(len(dice)), np.ones(len(dice), bool)
    boost = np.log1p(-dice.uniform()) / alpha
    while waiting.any():
        normal = np.sqrt(-2 * np.log1p(-dice.uniform())) * np.cos(2 * np.pi * dice.uniform())
        cube = (1 + normal / np.sqrt(9 * d)) ** 3
        log_cube = np.log(np.where(cube > 0, cube, 1))
        accepted = (cube > 0) & (np.log1p(-dice.uniform()) < 0.5 * normal**2 + d - d * cube + d * log_cube)
        found = np.where(waiting & accepted, np.log(d) + log_cube, found)
        waiting &= ~accepted
    return found + boost


def shares(dice: Dice, alpha: float, count: int) -> npt.NDArray[np.float32]:
    """Numbers that sum to 1 for each picture, float32 (count, B): the symmetric Dirichlet distribution, which for two
    is Beta(alpha, alpha). As those of torch's sampler they are never quite 0 or 1. However many are drawn, the dice
    stand where they stood."""
    logs = np.stack([log_gamma_variates(dice.fork(place), alpha) for place in range(count)])
    parts = np.exp(logs - logs.max(axis=0))
    smallest, largest = np.finfo(np.float32).tiny, np.nextafter(np.float32(1), np.float32(0))
    return np.asarray(np.clip((parts / parts.sum(axis=0)).astype(np.float32), smallest, largest), np.float32)


Step = tuple[str, float, int | None]
"""An operation, the probability that it is applied, and the place of its magnitude among ten."""

POLICIES: dict[PolicyName, tuple[tuple[Step, Step], ...]] = {
    "imagenet": (
        (("Posterize", 0.4, 8), ("Rotate", 0.6, 9)),
        (("Solarize", 0.6, 5), ("AutoContrast", 0.6, None)),
        (("Equalize", 0.8, None), ("Equalize", 0.6, None)),
        (("Posterize", 0.6, 7), ("Posterize", 0.6, 6)),
        (("Equalize", 0.4, None), ("Solarize", 0.2, 4)),
        (("Equalize", 0.4, None), ("Rotate", 0.8, 8)),
        (("Solarize", 0.6, 3), ("Equalize", 0.6, None)),
        (("Posterize", 0.8, 5), ("Equalize", 1.0, None)),
        (("Rotate", 0.2, 3), ("Solarize", 0.6, 8)),
        (("Equalize", 0.6, None), ("Posterize", 0.4, 6)),
        (("Rotate", 0.8, 8), ("Color", 0.4, 0)),
        (("Rotate", 0.4, 9), ("Equalize", 0.6, None)),
        (("Equalize", 0.0, None), ("Equalize", 0.8, None)),
        (("Invert", 0.6, None), ("Equalize", 1.0, None)),
        (("Color", 0.6, 4), ("Contrast", 1.0, 8)),
        (("Rotate", 0.8, 8), ("Color", 1.0, 2)),
        (("Color", 0.8, 8), ("Solarize", 0.8, 7)),
        (("Sharpness", 0.4, 7), ("Invert", 0.6, None)),
        (("ShearX", 0.6, 5), ("Equalize", 1.0, None)),
        (("Color", 0.4, 0), ("Equalize", 0.6, None)),
        (("Equalize", 0.4, None), ("Solarize", 0.2, 4)),
        (("Solarize", 0.6, 5), ("AutoContrast", 0.6, None)),
        (("Invert", 0.6, None), ("Equalize", 1.0, None)),
        (("Color", 0.6, 4), ("Contrast", 1.0, 8)),
        (("Equalize", 0.8, None), ("Equalize", 0.6, None)),
    ),
    "cifar10": (
        (("Invert", 0.1, None), ("Contrast", 0.2, 6)),
        (("Rotate", 0.7, 2), ("TranslateX", 0.3, 9)),
        (("Sharpness", 0.8, 1), ("Sharpness", 0.9, 3)),
        (("ShearY", 0.5, 8), ("TranslateY", 0.7, 9)),
        (("AutoContrast", 0.5, None), ("Equalize", 0.9, None)),
        (("ShearY", 0.2, 7), ("Posterize", 0.3, 7)),
        (("Color", 0.4, 3), ("Brightness", 0.6, 7)),
        (("Sharpness", 0.3, 9), ("Brightness", 0.7, 9)),
        (("Equalize", 0.6, None), ("Equalize", 0.5, None)),
        (("Contrast", 0.6, 7), ("Sharpness", 0.6, 5)),
        (("Color", 0.7, 7), ("TranslateX", 0.5, 8)),
        (("Equalize", 0.3, None), ("AutoContrast", 0.4, None)),
        (("TranslateY", 0.4, 3), ("Sharpness", 0.2, 6)),
        (("Brightness", 0.9, 6), ("Color", 0.2, 8)),
        (("Solarize", 0.5, 2), ("Invert", 0.0, None)),
        (("Equalize", 0.2, None), ("AutoContrast", 0.6, None)),
        (("Equalize", 0.2, None), ("Equalize", 0.6, None)),
        (("Color", 0.9, 9), ("Equalize", 0.6, None)),
        (("AutoContrast", 0.8, None), ("Solarize", 0.2, 8)),
        (("Brightness", 0.1, 3), ("Color", 0.7, 0)),
        (("Solarize", 0.4, 5), ("AutoContrast", 0.9, None)),
        (("TranslateY", 0.9, 9), ("TranslateY", 0.7, 9)),
        (("AutoContrast", 0.9, None), ("Solarize", 0.8, 3)),
        (("Equalize", 0.8, None), ("Invert", 0.1, None)),
        (("TranslateY", 0.7, 9), ("AutoContrast", 0.9, None)),
    ),
    "svhn": (
        (("ShearX", 0.9, 4), ("Invert", 0.2, None)),
        (("ShearY", 0.9, 8), ("Invert", 0.7, None)),
        (("Equalize", 0.6, None), ("Solarize", 0.6, 6)),
        (("Invert", 0.9, None), ("Equalize", 0.6, None)),
        (("Equalize", 0.6, None), ("Rotate", 0.9, 3)),
        (("ShearX", 0.9, 4), ("AutoContrast", 0.8, None)),
        (("ShearY", 0.9, 8), ("Invert", 0.4, None)),
        (("ShearY", 0.9, 5), ("Solarize", 0.2, 6)),
        (("Invert", 0.9, None), ("AutoContrast", 0.8, None)),
        (("Equalize", 0.6, None), ("Rotate", 0.9, 3)),
        (("ShearX", 0.9, 4), ("Solarize", 0.3, 3)),
        (("ShearY", 0.8, 8), ("Invert", 0.7, None)),
        (("Equalize", 0.9, None), ("TranslateY", 0.6, 6)),
        (("Invert", 0.9, None), ("Equalize", 0.6, None)),
        (("Contrast", 0.3, 3), ("Rotate", 0.8, 4)),
        (("Invert", 0.8, None), ("TranslateY", 0.0, 2)),
        (("ShearY", 0.7, 6), ("Solarize", 0.4, 8)),
        (("Invert", 0.6, None), ("Rotate", 0.8, 4)),
        (("ShearY", 0.3, 7), ("TranslateX", 0.9, 3)),
        (("ShearX", 0.1, 6), ("Invert", 0.6, None)),
        (("Solarize", 0.7, 2), ("TranslateY", 0.6, 7)),
        (("ShearY", 0.8, 4), ("Invert", 0.8, None)),
        (("ShearX", 0.7, 9), ("TranslateY", 0.8, 3)),
        (("ShearY", 0.8, 5), ("AutoContrast", 0.7, None)),
        (("ShearX", 0.7, 2), ("Invert", 0.1, None)),
    ),
}
"""AutoAugment's pairs for each data set that they were searched on."""


@dataclass(frozen=True)
class Pairs:
    """A policy as arrays of shape (pairs, 2): what `Choice.drawn` takes, and the probabilities."""

    picks: Indices
    bins: Indices
    probabilities: Floats


def pairs(policy: PolicyName) -> Pairs:
    """Picks are places in the space of AutoAugment."""
    names = list(space("AutoAugment", 1, 1))
    table: list[list[list[Any]]] = [
        [[names.index(n), bin_ or 0, p] for n, p, bin_ in pair] for pair in POLICIES[policy]
    ]
    numbers = np.array(table, np.float64)
    return Pairs(numbers[..., 0].astype(np.int64), numbers[..., 1].astype(np.int64), numbers[..., 2])
