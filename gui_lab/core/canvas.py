"""What transforms that move pixels have in common: sizes, borders, ranges and what fills them, as fields and in words,
and how a batch is read at places of its own for each picture.

torchvision's kernels know which fields go together and raise in the middle of a run where they do not. Here the same is
asked of the kind that arrives, before anything runs, and each answer comes with its repairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from gui_lab.core.pipeline import Illegal, Kind, Transform

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_SIDE = 4096
Side = Annotated[int, Field(ge=1, le=LARGEST_SIDE)]
Size = Side | tuple[Side, Side]
Level = Annotated[float, Field(ge=-255, le=255)]
Fill = Level | tuple[Level, Level, Level]
Border = Annotated[int, Field(ge=0, le=1024)]
Borders = Border | tuple[Border, Border] | tuple[Border, Border, Border, Border]
Coordinate = Annotated[float, Field(ge=-LARGEST_SIDE, le=2 * LARGEST_SIDE)]
Angle = Annotated[float, Field(ge=-360, le=360)]
Degrees = Annotated[float, Field(ge=0, le=360)] | tuple[Angle, Angle]
PaddingMode = Literal["constant", "edge", "reflect", "symmetric"]
Turning = Literal["nearest", "nearest-exact", "bilinear", "bicubic"]
Scaling = Literal["nearest", "nearest-exact", "bilinear", "bicubic", "box", "hamming", "lanczos"]
Repairs = list[tuple[str, tuple[Transform, ...]]]
Values = npt.NDArray[np.float64]


def sides(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def size_words(size: tuple[int, int]) -> str:
    return str(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"


def suggested_side(kind: Kind | None, part: float = 1.0) -> int:
    return min(max(round(min(kind.size or kind.least) * part), 1), LARGEST_SIDE) if kind else 28


def around(one_or_two: float | tuple[float, float]) -> tuple[float, float]:
    """The range that a field of torchvision means: d is from -d to d."""
    return one_or_two if isinstance(one_or_two, tuple) else (-one_or_two, one_or_two)


def borders(padding: int | tuple[int, ...]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom), pixels."""
    given = (padding,) if isinstance(padding, int) else padding
    left, top, right, bottom = given * (4 // len(given))
    return left, top, right, bottom


def showing(kind: Kind, *levels: float) -> Kind:
    """The same kind where these values come into view as well."""
    return replace(kind, low=min(kind.low, *levels), high=max(kind.high, *levels))


def levels(fill: float | tuple[float, ...]) -> tuple[float, ...]:
    return fill if isinstance(fill, tuple) else (fill,)


def check_fill(transform: Transform, fill: float | tuple[float, ...], kind: Kind) -> None:
    if isinstance(fill, tuple) and len(fill) != kind.channels:
        repairs = [("Use one value", (transform.changed(fill=fill[0]),))]
        raise Illegal(f"{len(fill)} fill values, but the picture has {kind.channels} channel(s).", "fill", repairs)
    if kind.dtype == "uint8" and min(levels(fill)) < 0:
        black = transform.changed(fill=tuple(max(level, 0) for level in fill) if isinstance(fill, tuple) else 0)
        raise Illegal("An image has no values below 0 to fill with.", "fill", [("Fill with black", (black,))])


def check_range(transform: Transform, field: str, values: Sequence[float], noun: str) -> None:
    """The second value of each pair is not smaller than the first."""
    pairs = [(values[place], values[place + 1]) for place in range(0, len(values), 2)]
    if any(low > high for low, high in pairs):
        swapped = transform.changed(**{field: tuple(value for pair in pairs for value in sorted(pair))})
        raise Illegal(f"The first {noun} is larger than the second.", field, [("Swap them", (swapped,))])


def check_border(transform: Transform, mode: str, border: tuple[int, int, int, int], kind: Kind) -> None:
    """torch mirrors a picture once; numpy, which pads PIL pictures, as often as it takes."""
    if mode not in ("reflect", "symmetric") or kind.pil:
        return
    left, top, right, bottom = border
    slack = 1 if mode == "reflect" else 0
    if max(top, bottom) <= kind.least[0] - slack and max(left, right) <= kind.least[1] - slack:
        return
    repairs: Repairs = [("Use a constant border", (transform.changed(padding_mode="constant"),))]
    repairs.append(("Continue the edge", (transform.changed(padding_mode="edge"),)))
    or_equal = "as wide as or " if slack else ""
    sentence = f"A {mode} border cannot be {or_equal}wider than the picture ({size_words(kind.least)})."
    raise Illegal(sentence, "padding", repairs)


def check_turning(transform: Transform, interpolation: str, kind: Kind) -> None:
    """What torchvision's kernels for turns and warps of tensors know."""
    if not kind.pil and interpolation not in ("nearest", "bilinear"):
        plainer = "nearest" if interpolation.startswith("nearest") else "bilinear"
        repairs = [(f"Use {plainer}", (transform.changed(interpolation=plainer),))]
        raise Illegal(f"torchvision has {interpolation} here for PIL pictures only.", "interpolation", repairs)


def check_scaling(transform: Transform, interpolation: str, antialias: bool, kind: Kind) -> None:
    """What torchvision's kernels for scaling of tensors know."""
    if not kind.pil and interpolation in ("box", "hamming"):
        repairs = [("Use bilinear", (transform.changed(interpolation="bilinear"),))]
        raise Illegal(f"torchvision scales with {interpolation} on PIL pictures only.", "interpolation", repairs)
    if not kind.pil and interpolation == "lanczos" and not antialias:
        repairs = [("Switch antialias on", (transform.changed(antialias=True),))]
        raise Illegal("torchvision has lanczos with antialias only.", "antialias", repairs)


def inverse_affine(
    size: tuple[int, int],
    center: tuple[float, float] | None,
    angle: Values,
    translate: tuple[Values | float, Values | float] = (0.0, 0.0),
    scale: Values | float = 1.0,
    shear: tuple[Values | float, Values | float] = (0.0, 0.0),
) -> Values:
    """Where the pixels of turned, moved, scaled and sheared pictures come from, by the formula of torchvision's
    `_get_inverse_affine_matrix`.

    Args:
        size: (height, width) of the pictures.
        center: the point (x, y) that stays, pixels from the upper left; None: the middle.
        angle: degrees, clockwise, (B,); for `rotate`, which is counter-clockwise, the negative.
        translate: pixels to the right and down.
        scale: factor.
        shear: degrees along x and along y.

    Returns:
        float64 (B, 6), matrices (2, 3) in row order, in pixels from the middle.
    """
    height, width = size
    x, y = (0.0, 0.0) if center is None else (center[0] - width * 0.5, center[1] - height * 0.5)
    turn, shear_x, shear_y = (np.radians(np.asarray(values)) for values in (angle, *shear))
    cosine, sine = _each(math.cos, turn), _each(math.sin, turn)
    a, b, c, d = cosine, -sine, sine, cosine
    if np.any(shear_x) or np.any(shear_y):
        a = _each(math.cos, turn - shear_y) / _each(math.cos, shear_y)
        c = _each(math.sin, turn - shear_y) / _each(math.cos, shear_y)
        slant = _each(math.tan, shear_x)
        b, d = -(a * slant + sine), cosine - c * slant
    top = d / scale, -b / scale
    bottom = -c / scale, a / scale
    to_x, to_y = x + translate[0], y + translate[1]
    rows = [
        *top, x - top[0] * to_x - top[1] * to_y,
        *bottom, y - bottom[0] * to_x - bottom[1] * to_y,
    ]  # fmt: skip
    matrices = np.empty((*np.shape(angle), 6))
    for place, row in enumerate(rows):
        matrices[..., place] = row
    return matrices


def _each(function: Callable[[float], float], values: Values) -> Values:
    """Python's own sine, cosine and tangent, as in torchvision's kernel: numpy's may differ in the last bit."""
    if not values.ndim:
        return np.asarray(function(float(values)))
    return np.array([function(value) for value in values.ravel().tolist()]).reshape(values.shape)


def sampled(pictures: Tensor, grid: Tensor, interpolation: str, fill: float | tuple[float, ...]) -> Tensor:
    """Pictures read at other places, as torchvision's `_apply_grid_transform` does: sampled together with a mask of
    ones that tells how much of each output pixel came from outside.

    Args:
        pictures: (B, C, H, W), uint8 or float32.
        grid: float32 (B, H', W', 2) in [-1, 1], where each output pixel is read.
        interpolation: "nearest", "bilinear" or "bicubic".
        fill: the value of what comes from outside, one or one for each channel.

    Returns:
        (B, C, H', W') of the pictures' dtype.
    """
    import torch
    from torch.nn.functional import grid_sample

    values = pictures if pictures.is_floating_point() else pictures.to(torch.float32)
    if interpolation == "nearest" and not any(levels(fill)):  # what comes from outside is 0 anyway
        read = grid_sample(values, grid, mode="nearest", padding_mode="zeros", align_corners=False)
        return read.to(pictures.dtype)
    with_mask = torch.cat([values, torch.ones_like(values[:, :1])], dim=1)
    read = grid_sample(with_mask, grid, mode=interpolation, padding_mode="zeros", align_corners=False)
    values, mask = read[:, :-1], read[:, -1:]
    outside = torch.tensor(levels(fill), dtype=values.dtype, device=values.device).view(1, -1, 1, 1)
    if interpolation == "nearest":
        values = torch.where(mask < 0.5, outside, values)
    else:
        values = values.sub(outside).mul_(mask).add_(outside)
    return values if pictures.is_floating_point() else values.round_().to(pictures.dtype)


def moved(pictures: Tensor, which: npt.NDArray[np.bool_], act: Callable[[Tensor, Any], Tensor]) -> Tensor:
    """A batch of which some pictures are changed and keep their size.

    Args:
        pictures: (B, C, H, W).
        which: bool (B,).
        act: what becomes of those, given them and their places, int64 (b,).
    """
    import torch

    places = np.flatnonzero(which)
    if not len(places):
        return pictures
    if len(places) == len(pictures):
        whole: Tensor = act(pictures, places)
        return whole
    sources = np.arange(len(pictures))  # choosing by `index_select` copies memory: many times faster than writing
    sources[places] = len(pictures) + np.arange(len(places))
    chosen, taken = (torch.from_numpy(whose).to(pictures.device) for whose in (places, sources))
    return torch.cat([pictures, act(pictures.index_select(0, chosen), places)]).index_select(0, taken)
