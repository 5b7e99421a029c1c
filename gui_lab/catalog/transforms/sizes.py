"""Transforms that give a picture another size: crops, borders and scaling.

Those without draws call torchvision's own functional kernel on the whole batch. A crop with a place of its own for each
picture selects from all windows there are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from gui_lab.core.canvas import (
    Borders,
    Fill,
    PaddingMode,
    Repairs,
    Scaling,
    Side,
    Size,
    borders,
    check_border,
    check_fill,
    check_range,
    check_scaling,
    levels,
    showing,
    sides,
    size_words,
    suggested_side,
)
from gui_lab.core.dice import Dice
from gui_lab.core.pipeline import TRANSFORMS, Drawn, Illegal, Kind, Transform
from gui_lab.core.sampling import windows
from gui_lab.schema import knob

if TYPE_CHECKING:
    from torch import Tensor


_SCALING = "How values between pixels are found; box and hamming are for PIL pictures."
_ANTIALIAS = "Average over all pixels when shrinking, with bilinear, bicubic and lanczos."


@TRANSFORMS.add
class CenterCrop(Transform):
    """Cuts out the middle of the picture; where the picture is smaller, black is added around it."""

    group: ClassVar[str] = "On pictures"

    size: Size = knob(help="Height and width of what is cut out; one number for a square.", unit="px")

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(size=suggested_side(kind, 0.875))

    def output(self, kind: Kind) -> Kind:
        wanted = sides(self.size)
        inside = wanted[0] <= kind.least[0] and wanted[1] <= kind.least[1]
        return kind.sized(*wanted) if inside else showing(kind.sized(*wanted), 0)

    def moves(self) -> bool:
        return True

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms.v2 import functional

        return functional.center_crop(picture, list(sides(self.size)))


@TRANSFORMS.add
class RandomCrop(Transform):
    """Cuts out a piece at a random place, after adding a border if one is asked for."""

    group: ClassVar[str] = "On pictures"
    random: ClassVar[bool] = True

    size: Size = knob(help="Height and width of the piece; one number for a square.", unit="px")
    padding: Borders | None = knob(
        None, "Border added first: one number, (left/right, top/bottom), or (left, top, right, bottom).", unit="px"
    )
    pad_if_needed: bool = knob(False, "Add a border where the picture is smaller than the piece.")
    fill: Fill = knob(0, "Value of a constant border: one number, or one for each of R, G and B.")
    padding_mode: PaddingMode = knob("constant", "What the border shows: fill, or the picture continued.")

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        side = suggested_side(kind)
        return cls(size=side, padding=max(side // 8, 1))

    def _border(self, height: int, width: int) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) for a picture of this size."""
        left, top, right, bottom = borders(self.padding or 0)
        if self.pad_if_needed:
            wanted = sides(self.size)
            more_height = max(wanted[0] - height - top - bottom, 0)
            more_width = max(wanted[1] - width - left - right, 0)
            left, top, right, bottom = left + more_width, top + more_height, right + more_width, bottom + more_height
        return left, top, right, bottom

    def output(self, kind: Kind) -> Kind:
        check_fill(self, self.fill, kind)
        wanted = sides(self.size)
        height, width = kind.least
        border = left, top, right, bottom = self._border(height, width)
        check_border(self, self.padding_mode, border, kind)
        padded = (height + top + bottom, width + left + right)
        if padded[0] < wanted[0] or padded[1] < wanted[1]:
            fitting = min(padded)
            repairs: Repairs = [
                (f"Pad to {size_words(wanted)}", (self.changed(pad_if_needed=True),)),
                (f"Crop to {fitting}", (self.changed(size=fitting),)),
            ]
            raise Illegal(
                f"Crop is larger than the picture ({size_words(wanted)} > {size_words(padded)}).", "size", repairs
            )
        filled = any(border) and self.padding_mode == "constant"
        return showing(kind.sized(*wanted), *levels(self.fill)) if filled else kind.sized(*wanted)

    def moves(self) -> bool:
        return True

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        _, height, width = shape
        left, top, right, bottom = self._border(height, width)
        wanted = sides(self.size)
        return {
            "top": dice.integers(height + top + bottom - wanted[0] + 1),
            "left": dice.integers(width + left + right - wanted[1] + 1),
        }

    def _padded(self, picture: Any) -> Any:
        from torchvision.transforms.v2 import functional

        return _bordered(picture, self._border(*functional.get_size(picture)), self.fill, self.padding_mode)

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms.v2 import functional

        return functional.crop(self._padded(picture), drawn["top"], drawn["left"], *sides(self.size))

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor:
        return windows(self._padded(pictures), drawn["top"], drawn["left"], *sides(self.size))


@TRANSFORMS.add
class Resize(Transform):
    """Scales the picture: one number is the length of the shorter side, two are height and width."""

    group: ClassVar[str] = "On pictures"

    size: Size = knob(help="One number: length of the shorter side. Two: height and width.", unit="px")
    interpolation: Scaling = knob("bilinear", _SCALING)
    max_size: Side | None = knob(
        None, "The longer side becomes no longer than this; with a single size only.", unit="px"
    )
    antialias: bool = knob(True, _ANTIALIAS)

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(size=suggested_side(kind) if kind is None or min(kind.least) > 16 else 28)

    def output(self, kind: Kind) -> Kind:
        if self.max_size is not None and (not isinstance(self.size, int) or self.max_size <= self.size):
            raise Illegal(
                "max_size needs a single size that is smaller than it.",
                "max_size",
                [("Leave max_size out", (self.changed(max_size=None),))],
            )
        check_scaling(self, self.interpolation, self.antialias, kind)
        if kind.size is not None or not isinstance(self.size, int):
            return kind.sized(*self._scaled(*kind.least))
        shortest = self.size if self.max_size is None else 1
        return replace(kind, least=(shortest, shortest))

    def _scaled(self, height: int, width: int) -> tuple[int, int]:
        """As torchvision computes it: the shorter side becomes `size`, the longer keeps the ratio, truncated. Where
        `max_size` would leave nothing of the shorter side, one pixel remains."""
        if not isinstance(self.size, int):
            return self.size
        short, long = (width, height) if width <= height else (height, width)
        new_short, new_long = self.size, int(self.size * long / short)
        if self.max_size is not None and new_long > self.max_size:
            new_short, new_long = max(int(self.max_size * new_short / new_long), 1), self.max_size
        return (new_long, new_short) if width <= height else (new_short, new_long)

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms.v2 import functional

        return _resized(picture, self._scaled(*functional.get_size(picture)), self.interpolation, self.antialias)


@TRANSFORMS.add
class Pad(Transform):
    """Adds a border around the picture."""

    group: ClassVar[str] = "On pictures"

    padding: Borders = knob(
        help="Width of the border: one number, (left/right, top/bottom), or (left, top, right, bottom).", unit="px"
    )
    fill: Fill = knob(0, "Value of a constant border: one number, or one for each of R, G and B.")
    padding_mode: PaddingMode = knob("constant", "What the border shows: fill, or the picture continued.")

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(padding=max(suggested_side(kind) // 8, 1))

    def output(self, kind: Kind) -> Kind:
        check_fill(self, self.fill, kind)
        border = left, top, right, bottom = borders(self.padding)
        check_border(self, self.padding_mode, border, kind)
        if any(border) and self.padding_mode == "constant":
            kind = showing(kind, *levels(self.fill))
        least = kind.least[0] + top + bottom, kind.least[1] + left + right
        return kind.sized(*least) if kind.size else replace(kind, least=least)

    def moves(self) -> bool:
        return True

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        return _bordered(picture, borders(self.padding), self.fill, self.padding_mode)


_TRIES = 10
Share = Annotated[float, Field(ge=0, le=10)]
Growth = Annotated[float, Field(ge=1, le=10)]
Aspect = Annotated[float, Field(ge=0.01, le=100)]


@TRANSFORMS.add
class RandomResizedCrop(Transform):
    """Cuts out a piece of random area, shape and place, and scales it to one size (Szegedy et al., 2014)."""

    group: ClassVar[str] = "On pictures"
    random: ClassVar[bool] = True

    size: Size = knob(help="Height and width of what comes out; one number for a square.", unit="px")
    scale: tuple[Share, Share] = knob((0.08, 1.0), "Least and largest part of the picture's area that is cut out.")
    ratio: tuple[Aspect, Aspect] = knob(
        (3.0 / 4.0, 4.0 / 3.0), "Least and largest width of the piece, divided by its height."
    )
    interpolation: Scaling = knob("bilinear", _SCALING)
    antialias: bool = knob(True, _ANTIALIAS)

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(size=min(suggested_side(kind), 224))

    def output(self, kind: Kind) -> Kind:
        check_range(self, "scale", self.scale, "scale")
        check_range(self, "ratio", self.ratio, "ratio")
        check_scaling(self, self.interpolation, self.antialias, kind)
        return kind.sized(*sides(self.size))

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        """The piece, as torchvision's `make_params` finds it: the first of ten tries that lies inside of the picture,
        and where none does the largest piece in the middle whose shape is allowed."""
        _, height, width = shape
        heights, widths = (np.zeros(len(dice), np.int64) for _ in range(2))
        for _ in range(_TRIES):
            area = height * width * dice.uniform(*self.scale)
            aspect = np.exp(dice.uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            across, down = np.rint(np.sqrt(area * aspect)), np.rint(np.sqrt(area / aspect))
            takes = (heights == 0) & (across > 0) & (across <= width) & (down > 0) & (down <= height)
            heights[takes], widths[takes] = down[takes], across[takes]
        top = np.floor(dice.uniform() * (height - heights + 1)).astype(np.int64)
        left = np.floor(dice.uniform() * (width - widths + 1)).astype(np.int64)
        missed = heights == 0
        tall, wide = self._in_the_middle(height, width)
        heights[missed], widths[missed] = tall, wide
        top[missed], left[missed] = (height - tall) // 2, (width - wide) // 2
        return {"top": top, "left": left, "height": heights, "width": widths}

    def _in_the_middle(self, height: int, width: int) -> tuple[int, int]:
        """Height and width; at least one pixel, where torchvision may leave none."""
        narrowest, broadest = self.ratio
        if width / height < narrowest:
            return max(round(width / narrowest), 1), width
        if width / height > broadest:
            return height, max(round(height * broadest), 1)
        return height, width

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms.v2 import functional

        piece = functional.crop(picture, drawn["top"], drawn["left"], drawn["height"], drawn["width"])
        return _resized(piece, sides(self.size), self.interpolation, self.antialias)


@TRANSFORMS.add
class RandomZoomOut(Transform):
    """Places the picture somewhere on a larger canvas with a given probability, as in SSD (Liu et al., 2016)."""

    group: ClassVar[str] = "On pictures"
    random: ClassVar[bool] = True

    fill: Fill = knob(0, "Value of the canvas: one number, or one for each of R, G and B.")
    side_range: tuple[Growth, Growth] = knob(
        (1.0, 4.0), "Least and largest side of the canvas, in sides of the picture."
    )
    p: float = knob(0.5, "Probability that a picture is zoomed out.", ge=0, le=1, felt=True)

    def output(self, kind: Kind) -> Kind:
        check_range(self, "side_range", self.side_range, "side")
        check_fill(self, self.fill, kind)
        low, high = self.side_range
        least = _canvas(kind.least, low if self.p == 1 else 1.0)
        most = _canvas(kind.least, high if self.p > 0 else 1.0)
        if self.p > 0 and (high > 1 if kind.size is None else most != kind.least):
            kind = showing(kind, *levels(self.fill))
        if kind.size is not None and least == most:
            return kind.sized(*least)
        return replace(kind, height=None, width=None, least=least)

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(side_range=(1.0, 2.0))

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        """The borders that make the canvas, all 0 where the picture is not zoomed out."""
        _, height, width = shape
        zoomed, (low, high) = dice.chance(self.p), self.side_range
        side = np.float32(low) + dice.uniform().astype(np.float32) * np.float32(high - low)
        side = np.where(zoomed, np.minimum(side, np.float32(high)), np.float32(1))
        more_height, more_width = (np.trunc(length * side).astype(np.int64) - length for length in (height, width))
        left = np.floor(more_width * dice.uniform()).astype(np.int64)
        top = np.floor(more_height * dice.uniform()).astype(np.int64)
        return {"left": left, "top": top, "right": more_width - left, "bottom": more_height - top}

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        border = drawn["left"], drawn["top"], drawn["right"], drawn["bottom"]
        return _bordered(picture, border, self.fill, "constant")


def _canvas(size: tuple[int, int], factor: float) -> tuple[int, int]:
    """Height and width, truncated as torchvision does, in single precision."""
    return int(size[0] * np.float32(factor)), int(size[1] * np.float32(factor))


def _bordered(picture: Any, border: tuple[int, int, int, int], fill: float | tuple[float, ...], mode: str) -> Any:
    import torch
    from torchvision.transforms.v2 import functional

    if not any(border):
        return picture
    filled = list(levels(fill)) if mode == "constant" else None
    if isinstance(picture, torch.Tensor) and filled is not None and len(filled) == 1:  # the same without its detours
        left, top, right, bottom = border
        return torch.nn.functional.pad(picture, [left, right, top, bottom], value=float(filled[0]))
    return functional.pad(picture, list(border), fill=filled, padding_mode=mode)


def _resized(picture: Any, size: tuple[int, int], interpolation: str, antialias: bool) -> Any:
    import torch
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.v2 import functional

    mode, wanted = InterpolationMode(interpolation), list(size)
    if not isinstance(picture, torch.Tensor):
        return functional.resize(picture, wanted, mode)  # PIL always averages; asked for less, torchvision warns
    if interpolation == "lanczos" and picture.device.type != "cpu":  # which torch has on the processor only
        return _resized(picture.cpu(), size, interpolation, antialias).to(picture.device)
    if size == (1, 1):
        # torch's kernel for colour cannot tell which way a single pixel lies in memory
        grey = picture.reshape(-1, 1, *picture.shape[-2:])
        return functional.resize(grey, wanted, mode, antialias=antialias).view(*picture.shape[:-2], 1, 1)
    return functional.resize(picture, wanted, mode, antialias=antialias)
