"""Transforms that move pixels and keep the size: flips, rotations and affine maps.

They work on a whole batch at once although every picture has numbers of its own: a rotation samples through one grid
for each picture, whose arithmetic is that of torchvision's kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from gui_lab.core.canvas import (
    Coordinate,
    Degrees,
    Fill,
    Turning,
    around,
    check_fill,
    check_range,
    check_turning,
    inverse_affine,
    levels,
    moved,
    sampled,
    showing,
)
from gui_lab.core.dice import Dice
from gui_lab.core.pipeline import TRANSFORMS, Drawn, Kind, Transform
from gui_lab.core.sampling import affine_grid
from gui_lab.schema import knob

if TYPE_CHECKING:
    from torch import Tensor


_TURNING = "How values between pixels are found; nearest-exact and bicubic are for PIL pictures."


@TRANSFORMS.add
class RandomHorizontalFlip(Transform):
    """Mirrors the picture left to right with a given probability."""

    group: ClassVar[str] = "On pictures"
    random: ClassVar[bool] = True
    decider: ClassVar[str] = "flipped"

    p: float = knob(0.5, "Probability that a picture is mirrored.", ge=0, le=1, felt=True)

    def moves(self) -> bool:
        return True

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        return {"flipped": dice.chance(self.p)}

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms.v2 import functional

        return functional.horizontal_flip(picture) if drawn["flipped"] else picture

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor:
        import torch

        if drawn["flipped"].all():
            return pictures.flip(-1)
        if not drawn["flipped"].any():
            return pictures
        flipped = torch.as_tensor(drawn["flipped"], device=pictures.device)[:, None, None, None]
        return torch.where(flipped, pictures.flip(-1), pictures)


@TRANSFORMS.add
class RandomVerticalFlip(Transform):
    """Turns the picture upside down, as in a mirror, with a given probability."""

    group: ClassVar[str] = "On pictures"
    random: ClassVar[bool] = True
    decider: ClassVar[str] = "flipped"

    p: float = knob(0.5, "Probability that a picture is mirrored.", ge=0, le=1, felt=True)

    def moves(self) -> bool:
        return True

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        return {"flipped": dice.chance(self.p)}

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms.v2 import functional

        return functional.vertical_flip(picture) if drawn["flipped"] else picture

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor:
        return moved(pictures, drawn["flipped"], lambda some, _: some.flip(-2))


@TRANSFORMS.add
class RandomRotation(Transform):
    """Turns the picture by a random angle, counter-clockwise for positive ones."""

    group: ClassVar[str] = "On pictures"
    random: ClassVar[bool] = True

    degrees: Degrees = knob(
        help="One number d: an angle between -d and d. Two: between the first and the second.",
        unit="degrees",
        felt=True,
    )
    interpolation: Turning = knob("nearest", _TURNING)
    expand: bool = knob(False, "Enlarge the picture so that all of it stays visible; sizes then differ.")
    center: tuple[Coordinate, Coordinate] | None = knob(
        None, "Turning point (x, y) from the upper left; empty: the middle.", unit="px"
    )
    fill: Fill = knob(0, "Value of what comes into view: one number, or one for each of R, G and B.")

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(degrees=10)

    def output(self, kind: Kind) -> Kind:
        low, high = around(self.degrees)
        check_range(self, "degrees", (low, high), "angle")
        check_turning(self, self.interpolation, kind)
        check_fill(self, self.fill, kind)
        turned = showing(kind, *levels(self.fill))
        if self.expand and (low, high) != (0, 0):
            return replace(turned, height=None, width=None, least=(min(kind.least), min(kind.least)))
        return turned

    def moves(self) -> bool:
        return self.interpolation == "nearest" and not self.expand

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        low, high = around(self.degrees)
        return {"angle": dice.uniform(low, high).astype(np.float32)}

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms import InterpolationMode
        from torchvision.transforms.v2 import functional

        center = None if self.center is None else list(self.center)
        mode = InterpolationMode(self.interpolation)
        return functional.rotate(picture, drawn["angle"], mode, self.expand, center, list(levels(self.fill)))

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor | list[Tensor]:
        if self.expand:
            return super().apply(pictures, drawn)
        angles = drawn["angle"].astype(np.float64)
        right = angles % 90 == 0  # torchvision turns these without sampling
        turned = self._sampled(pictures, angles)
        for place in np.flatnonzero(right):
            turned[place] = self.one(pictures[place], {"angle": float(angles[place])})
        return turned

    def _sampled(self, pictures: Tensor, angles: np.ndarray[Any, Any]) -> Tensor:
        """torchvision's `rotate` kernel with one angle per picture."""
        import torch

        height, width = pictures.shape[2:]
        matrices = inverse_affine((height, width), self.center, -(angles % 360))
        grid = affine_grid(matrices, height, width, torch.float32, pictures.device)
        return sampled(pictures, grid, self.interpolation, self.fill)


Factor = Annotated[float, Field(ge=0.01, le=100)]
Part = Annotated[float, Field(ge=0, le=1)]
Shear = Annotated[float, Field(ge=-89, le=89)]


@TRANSFORMS.add
class RandomAffine(Transform):
    """Turns, moves, scales and shears the picture at random, all in one step; the turn is clockwise."""

    group: ClassVar[str] = "On pictures"
    random: ClassVar[bool] = True

    degrees: Degrees = knob(
        help="One number d: an angle between -d and d. Two: between the first and the second.",
        unit="degrees",
        felt=True,
    )
    translate: tuple[Part, Part] | None = knob(
        None, "How far it moves at most, to either side and up or down, in parts of width and height."
    )
    scale: tuple[Factor, Factor] | None = knob(None, "Least and largest factor of its size.")
    shear: Annotated[float, Field(ge=0, le=89)] | tuple[Shear, Shear] | tuple[Shear, Shear, Shear, Shear] | None = knob(
        None, "One number d: along x by -d to d. Two: from and to. Four: from and to along x, then y.", unit="degrees"
    )
    interpolation: Turning = knob("nearest", _TURNING)
    fill: Fill = knob(0, "Value of what comes into view: one number, or one for each of R, G and B.")
    center: tuple[Coordinate, Coordinate] | None = knob(
        None, "The point (x, y) from the upper left that stays; empty: the middle.", unit="px"
    )

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(degrees=10, translate=(0.1, 0.1), scale=(0.9, 1.1))

    def _shears(self) -> tuple[float, ...]:
        """(from, to) along x, (from, to) along y."""
        if isinstance(self.shear, tuple):
            return (*self.shear, 0.0, 0.0)[:4]
        return (*around(self.shear or 0.0), 0.0, 0.0)

    def output(self, kind: Kind) -> Kind:
        check_range(self, "degrees", around(self.degrees), "angle")
        check_range(self, "scale", self.scale or (), "factor")
        check_range(self, "shear", self.shear if isinstance(self.shear, tuple) else (), "shear")
        check_turning(self, self.interpolation, kind)
        check_fill(self, self.fill, kind)
        return showing(kind, *levels(self.fill))

    def moves(self) -> bool:
        return self.interpolation == "nearest"

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        """Angle and shears in degrees, the way in pixels to the right and down, the factor. What is left out is rolled
        all the same, so that the other numbers stay when it is put in."""
        _, height, width = shape
        part_x, part_y = self.translate or (0.0, 0.0)
        shears = self._shears()
        ranges = {
            "angle": around(self.degrees),
            "translate_x": around(part_x * width),
            "translate_y": around(part_y * height),
            "scale": self.scale or (1.0, 1.0),
            "shear_x": shears[:2],
            "shear_y": shears[2:],
        }
        drawn: Drawn = {name: dice.uniform(low, high).astype(np.float32) for name, (low, high) in ranges.items()}
        return drawn | {name: np.rint(drawn[name]).astype(np.int64) for name in ("translate_x", "translate_y")}

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms import InterpolationMode
        from torchvision.transforms.v2 import functional

        translate, shear = ([drawn[f"{what}_{along}"] for along in "xy"] for what in ("translate", "shear"))
        mode, center = InterpolationMode(self.interpolation), None if self.center is None else list(self.center)
        fill = list(levels(self.fill))
        return functional.affine(picture, drawn["angle"], translate, drawn["scale"], shear, mode, fill, center)

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor:
        import torch

        height, width = pictures.shape[2:]
        numbers = {name: values.astype(np.float64) for name, values in drawn.items()}
        translate = numbers["translate_x"], numbers["translate_y"]
        shear = numbers["shear_x"], numbers["shear_y"]
        matrices = inverse_affine((height, width), self.center, numbers["angle"], translate, numbers["scale"], shear)
        return sampled(
            pictures,
            affine_grid(matrices, height, width, torch.float32, pictures.device),
            self.interpolation,
            self.fill,
        )
