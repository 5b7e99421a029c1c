"""Transforms that bend the picture and keep its size: a perspective, and waves as if seen through water.

Both say for each output pixel where it is read, and a batch is read at once through one grid for each picture. What an
elastic transform draws is one seed for each picture: its field of random numbers is made where it is needed, so that
what was drawn stays small enough to be shown and kept.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from gui_lab.core.canvas import (
    LARGEST_SIDE,
    Fill,
    Turning,
    check_fill,
    check_turning,
    levels,
    moved,
    sampled,
    showing,
    size_words,
)
from gui_lab.core.dice import Dice, noise
from gui_lab.core.pipeline import TRANSFORMS, Drawn, Illegal, Kind, Transform
from gui_lab.schema import knob

if TYPE_CHECKING:
    from torch import Tensor

_CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")
_SINGULAR = 1e-9


@TRANSFORMS.add
class RandomPerspective(Transform):
    """Shows the picture as if seen from the side, with a given probability: its corners move inwards at random.

    Corners that torch's equations have no answer for, which strong distortions of small pictures bring about, leave the
    picture as it is; torchvision raises there, or shows what rounding makes of it.
    """

    group: ClassVar[str] = "On pictures"
    random: ClassVar[bool] = True
    decider: ClassVar[str] = "warped"

    distortion_scale: float = knob(
        0.5, "How far corners move inwards at most: 0 not at all, 1 to the middle.", ge=0, le=1, felt=True
    )
    p: float = knob(0.5, "Probability that a picture is warped.", ge=0, le=1, felt=True)
    interpolation: Turning = knob(
        "bilinear", "How values between pixels are found; nearest-exact and bicubic are for PIL pictures."
    )
    fill: Fill = knob(0, "Value of what comes into view: one number, or one for each of R, G and B.")

    def output(self, kind: Kind) -> Kind:
        check_turning(self, self.interpolation, kind)
        check_fill(self, self.fill, kind)
        if min(kind.least) < 2:
            sentence = f"A picture of {size_words(kind.least)} has no four corners to move."
            raise Illegal(sentence, "", [("Remove it", ())])
        return showing(kind, *levels(self.fill))

    def moves(self) -> bool:
        return self.interpolation == "nearest"

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        """Where the corners come to lie, in pixels from the upper left, and whether the picture is warped at all."""
        _, height, width = shape
        down, across = (int(self.distortion_scale * (length // 2)) + 1 for length in (height, width))
        warped, drawn = dice.chance(self.p), {}
        for corner in _CORNERS:
            x, y = dice.integers(across), dice.integers(down)
            drawn[f"{corner}_x"] = x + (width - across if corner.endswith("right") else 0)
            drawn[f"{corner}_y"] = y + (height - down if corner.startswith("bottom") else 0)
        return {"warped": warped & ~_singular(_corners(drawn)), **drawn}

    def told(self, drawn: Mapping[str, Any]) -> str:
        if not drawn["warped"]:
            return "left as it is"
        places = [f"({drawn[f'{corner}_x']}, {drawn[f'{corner}_y']})" for corner in _CORNERS]
        return f"corners at {', '.join(places)}"

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms import InterpolationMode
        from torchvision.transforms.v2 import functional

        if not drawn["warped"]:
            return picture
        corners = _corners({name: np.array([value]) for name, value in drawn.items()})
        coefficients = _coefficients(corners, *functional.get_size(picture))[0].tolist()
        mode, fill = InterpolationMode(self.interpolation), list(levels(self.fill))
        return self._without_holes(functional.perspective(picture, None, None, mode, fill, coefficients))

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor:
        corners = _corners(drawn)

        def warped(some: Tensor, places: Any) -> Tensor:
            grid = _perspective_grid(_coefficients(corners[places], *some.shape[2:]), some)
            seen: Tensor = self._without_holes(sampled(some, grid, self.interpolation, self.fill))
            return seen

        return moved(pictures, drawn["warped"], warped)

    def _without_holes(self, warped: Any) -> Any:
        """On the horizon, which strong distortions bring into view, torch reads floats at infinity and finds NaN; one
        of them spoils a training, so that `fill` comes into view there as well."""
        import torch

        if not isinstance(warped, torch.Tensor) or not warped.is_floating_point():
            return warped
        return torch.where(warped.isnan(), warped.new_tensor(levels(self.fill)).view(-1, 1, 1), warped)


def _corners(drawn: Drawn) -> npt.NDArray[np.float64]:
    """The places (x, y) of the four corners, (B, 4, 2)."""
    places = [np.stack([drawn[f"{corner}_x"], drawn[f"{corner}_y"]], axis=1) for corner in _CORNERS]
    return np.stack(places, axis=1).astype(np.float64)


def _singular(corners: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Where `_coefficients` would have no answer, bool (B,).

    By Heckbert (1989), the upper left 2x2 part of the matrix that takes a rectangle to the corners: its determinant is
    the number that the equations set to 1.
    """
    x, y = corners[..., 0].T, corners[..., 1].T
    far_x, far_y = x[1] - x[2], y[1] - y[2]
    low_x, low_y = x[3] - x[2], y[3] - y[2]
    bent_x, bent_y = x[0] - x[1] + x[2] - x[3], y[0] - y[1] + y[2] - y[3]
    area = far_x * low_y - low_x * far_y
    g, h = bent_x * low_y - low_x * bent_y, far_x * bent_y - bent_x * far_y
    a, b = (x[1] - x[0]) * area + g * x[1], (x[3] - x[0]) * area + h * x[3]
    d, e = (y[1] - y[0]) * area + g * y[1], (y[3] - y[0]) * area + h * y[3]
    vanishes: npt.NDArray[np.bool_] = np.abs(a * e - b * d) <= _SINGULAR * (np.abs(a * e) + np.abs(b * d))
    return vanishes


def _coefficients(corners: npt.NDArray[np.float64], height: int, width: int) -> Tensor:
    """The eight numbers of each perspective, float32 (B, 8), by the equations of torchvision's
    `_get_perspective_coeffs`, solved by the same routine."""
    import torch

    whole = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float64)
    x, y = corners[..., 0], corners[..., 1]
    equations = np.zeros((len(corners), 4, 2, 8))
    for row, target in enumerate((whole[:, 0], whole[:, 1])):
        equations[:, :, row, 3 * row], equations[:, :, row, 3 * row + 1], equations[:, :, row, 3 * row + 2] = x, y, 1
        equations[:, :, row, 6], equations[:, :, row, 7] = -target * x, -target * y
    wanted = torch.from_numpy(whole).reshape(1, 8, 1).expand(len(corners), 8, 1)
    left = torch.from_numpy(equations).reshape(-1, 8, 8)
    solution: Tensor = torch.linalg.lstsq(left, wanted, driver="gels").solution
    return solution[..., 0].to(torch.float32)


def _perspective_grid(coefficients: Tensor, pictures: Tensor) -> Tensor:
    """Where each output pixel is read from, (B, H, W, 2) in [-1, 1], as torchvision's `_perspective_grid`."""
    import torch

    height, width = pictures.shape[2:]
    x = torch.linspace(0.5, width - 0.5, width)
    y = torch.linspace(0.5, height - 0.5, height)
    base = torch.ones(1, height, width, 3)
    base[..., 0], base[..., 1] = x, y[:, None]
    base = base.view(1, height * width, 3).to(pictures.device)
    half = torch.tensor([0.5 * width, 0.5 * height])
    above = coefficients[:, :6].reshape(-1, 2, 3).transpose(1, 2) / half
    below = torch.cat([coefficients[:, 6:], torch.ones(len(coefficients), 1)], dim=1)[:, :, None].expand(-1, -1, 2)
    grid = (base @ above.to(pictures.device)).div_(base @ below.to(pictures.device)).sub_(1.0)
    return grid.view(-1, height, width, 2)


_STRONGEST = 10_000
Strength = Annotated[float, Field(ge=0, le=_STRONGEST)]
Smoothness = Annotated[float, Field(ge=0, le=100)]


@TRANSFORMS.add
class ElasticTransform(Transform):
    """Bends the picture in random waves, as if seen through water (Simard et al., 2003)."""

    group: ClassVar[str] = "On pictures"
    random: ClassVar[bool] = True

    alpha: Strength | tuple[Strength, Strength] = knob(
        50.0, "How strong the waves are; two numbers: along x and along y.", felt=True
    )
    sigma: Smoothness | tuple[Smoothness, Smoothness] = knob(
        5.0, "How wide and smooth the waves are; two numbers: along x and along y.", unit="px", felt=True
    )
    interpolation: Literal["nearest", "bilinear", "bicubic"] = knob(
        "bilinear", "How values between pixels are found; bicubic is for float tensors."
    )
    fill: Fill = knob(0, "Value of what comes into view: one number, or one for each of R, G and B.")

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        """Waves that look the same at every size: at 28 pixels torchvision's defaults."""
        if kind is None:
            return cls()
        side = min(min(kind.least), LARGEST_SIDE)
        sigma = min(round(5 * side / 28, 1), 10.0, _smoothest(side))
        alpha = min(max(round(50 / 28 / 5 * side * sigma), 1), _STRONGEST)
        return cls(alpha=float(alpha), sigma=sigma)

    def _sigmas(self) -> tuple[float, float]:
        return self.sigma if isinstance(self.sigma, tuple) else (self.sigma, self.sigma)

    def output(self, kind: Kind) -> Kind:
        check_fill(self, self.fill, kind)
        sigmas, most = self._sigmas(), _smoothest(min(kind.least))
        if (sigmas[0] == 0) != (sigmas[1] == 0):
            repairs = [(f"Use {max(sigmas):g} for both", (self.changed(sigma=max(sigmas)),))]
            raise Illegal("Waves are smoothed along both axes or along none.", "sigma", repairs)
        if max(sigmas) > 0 and _reach(max(sigmas)) >= min(kind.least):
            fitting = self.changed(sigma=tuple(min(sigma, most) for sigma in sigmas))
            sentence = f"A sigma of {max(sigmas):g} is too wide for the picture ({size_words(kind.least)})."
            raise Illegal(sentence, "sigma", [(f"Use at most {most:g}", (fitting,))])
        if self.interpolation == "bicubic" and kind.dtype == "uint8":
            repairs = [("Use bilinear", (self.changed(interpolation="bilinear"),))]
            sentence = "With bicubic, torchvision's values of an image run over 255 and start again from 0."
            raise Illegal(sentence, "interpolation", repairs)
        return showing(kind, *levels(self.fill))

    def moves(self) -> bool:
        return self.interpolation == "nearest"

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        """A seed for each picture, from which `displacement` makes its waves."""
        return {"seed": dice.seeds()}

    def displacement(self, seed: int, height: int, width: int) -> Tensor:
        """How far from itself each pixel is read, as torchvision's `make_params` computes it from uniform noise: in
        half widths and half heights of the picture, float32 (1, H, W, 2)."""
        import torch

        waves = torch.from_numpy(noise(seed, 2 * height * width).reshape(2, height, width) * 2 - 1)
        alphas = self.alpha if isinstance(self.alpha, tuple) else (self.alpha, self.alpha)
        sigmas = self._sigmas()
        along = []
        for axis, length in enumerate((width, height)):
            reach = _reach(sigmas[axis])
            smooth = _blurred(_blurred(waves[axis], reach, sigmas[0]).T, reach, sigmas[1]).T
            along.append(smooth * alphas[axis] / length)
        return torch.stack(along, dim=-1)[None].to(torch.float32)

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms import InterpolationMode
        from torchvision.transforms.v2 import functional

        displacement = self.displacement(drawn["seed"], *functional.get_size(picture))
        mode = InterpolationMode(self.interpolation)
        return functional.elastic(picture, displacement, mode, list(levels(self.fill)))

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor:
        import torch

        height, width = pictures.shape[2:]
        x, y = (torch.linspace((1 - length) / length, (length - 1) / length, length) for length in (width, height))
        grid = torch.cat([self.displacement(seed, height, width) for seed in drawn["seed"].tolist()])
        grid[..., 0] += x
        grid[..., 1] += y[:, None]
        return sampled(pictures, grid.to(pictures.device), self.interpolation, self.fill)


def _reach(sigma: float) -> int:
    """To how many pixels on either side torchvision's blur looks, which must be less than the picture's side."""
    return (int(8 * sigma + 1) | 1) // 2 if sigma > 0 else 0


def _smoothest(side: int) -> float:
    """The largest sigma, to a tenth, for pictures of this side."""
    return min(math.floor((2 * side - 1) / 8 * 10) / 10, 100.0)


_STRIP = 64


def _blurred(field: Tensor, reach: int, sigma: float) -> Tensor:
    """Smoothed along the last axis as by torchvision's `gaussian_blur`, which mirrors the ends; float64 (H, W). As
    products with one small matrix, strip by strip: the time grows with the picture, and not with its square."""
    import torch
    from torch.nn.functional import pad

    if reach == 0:
        return field
    length = field.shape[-1]
    blur = torch.from_numpy(_blur(min(length, _STRIP), reach, sigma))
    mirrored = pad(field, (reach, reach), mode="reflect")
    strips = []
    for start in range(0, length, _STRIP):
        wide = min(_STRIP, length - start)
        strips.append(mirrored[:, start : start + wide + 2 * reach] @ blur[: wide + 2 * reach, :wide])
    return torch.cat(strips, dim=-1)


@functools.lru_cache(maxsize=16)
def _blur(width: int, reach: int, sigma: float) -> npt.NDArray[np.float64]:
    """What makes `width` smoothed values of `width + 2 * reach`: the weights of a blur, each column one lower."""
    size = 2 * reach + 1
    farthest = (size - 1) / (2.0 * math.sqrt(2.0))
    weights = np.exp(-np.square(np.linspace(-farthest, farthest, size) / sigma))
    matrix = np.zeros((width + 2 * reach, width))
    for column in range(width):
        matrix[column : column + size, column] = weights / weights.sum()
    return matrix
