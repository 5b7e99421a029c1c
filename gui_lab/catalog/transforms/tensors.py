"""Transforms that act on float tensors: normalising, erasing, and a linear map of all values.

On an image 0..255 or a PIL picture each of them is illegal, since their numbers are meant for tensors. What is too
large for a form, a whitening matrix, stays in files of its own.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from gui_lab.core import arrays
from gui_lab.core.dice import Dice, normal_noise
from gui_lab.core.pipeline import TRANSFORMS, Drawn, Illegal, Kind, Transform
from gui_lab.errors import DataError
from gui_lab.schema import FieldError, knob

if TYPE_CHECKING:
    from torch import Tensor

Repairs = list[tuple[str, tuple[Transform, ...]]]


def _check_tensor(transform: Transform, kind: Kind) -> None:
    if kind.dtype != "float32":
        repairs: Repairs = [("Insert ToTensor before it", (TRANSFORMS.make("ToTensor"), transform))]
        arriving = "PIL picture" if kind.pil else "uint8 image"
        raise Illegal(f"{transform.name_of()} needs a float tensor, but a {arriving} arrives.", "", repairs)


@TRANSFORMS.add
class Normalize(Transform):
    """Subtracts the mean and divides by the standard deviation, channel by channel."""

    group: ClassVar[str] = "On tensors"
    measures: ClassVar[Literal["", "mean and std", "whitening"]] = "mean and std"

    mean: tuple[Annotated[float, Field(ge=-1000, le=1000)], ...] = knob(
        (0.5,), "One mean for each channel, on the scale 0..1.", min_length=1, max_length=16
    )
    std: tuple[Annotated[float, Field(ge=1e-6, le=1000)], ...] = knob(
        (0.5,), "One standard deviation for each channel, on the scale 0..1.", min_length=1, max_length=16
    )
    inplace: bool = knob(False, "torchvision's switch to overwrite its input; the result is the same.")

    @model_validator(mode="after")
    def _as_many(self) -> Self:
        if len(self.mean) != len(self.std):
            raise FieldError("std", f"There are {len(self.mean)} means but {len(self.std)} standard deviations.")
        return self

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        channels = kind.channels if kind else 1
        return cls(mean=(0.5,) * channels, std=(0.5,) * channels)

    def output(self, kind: Kind) -> Kind:
        _check_tensor(self, kind)
        if len(self.mean) not in (1, kind.channels):
            fitting = (self.mean * kind.channels)[: kind.channels], (self.std * kind.channels)[: kind.channels]
            values = "value" if kind.channels == 1 else "values"
            repairs = [(f"Use {kind.channels} {values}", (self.changed(mean=fitting[0], std=fitting[1]),))]
            sentence = f"{len(self.mean)} means, but the pictures have {kind.channels} channel(s)."
            raise Illegal(sentence, "mean", repairs)
        pairs = list(zip(self.mean, self.std, strict=True))
        low = min((kind.low - mean) / std for mean, std in pairs)
        high = max((kind.high - mean) / std for mean, std in pairs)
        return replace(kind, low=low, high=high)

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        mean = picture.new_tensor(self.mean).view(-1, 1, 1)
        std = picture.new_tensor(self.std).view(-1, 1, 1)
        return picture.sub(mean).div_(std)

    def overwrites(self) -> bool:
        return True

    def overwrite(self, pictures: Tensor) -> None:
        pictures.sub_(pictures.new_tensor(self.mean).view(-1, 1, 1)).div_(pictures.new_tensor(self.std).view(-1, 1, 1))


_TRIES = 10
_RECTANGLE = ("top", "left", "height", "width")
_FARTHEST = 8.66  # from 0 that a normal number of `normal_noise` can lie
Value = Annotated[float, Field(ge=-1000, le=1000)]
Share = Annotated[float, Field(ge=0, le=1)]
Aspect = Annotated[float, Field(ge=0.01, le=100)]


@TRANSFORMS.add
class RandomErasing(Transform):
    """Erases a rectangle at a random place (Zhong et al., 2017), so that no single part decides alone."""

    group: ClassVar[str] = "On tensors"
    random: ClassVar[bool] = True
    decider: ClassVar[str] = "erased"

    p: float = knob(0.5, "Probability that something is erased.", ge=0, le=1, felt=True)
    scale: tuple[Share, Share] = knob((0.02, 0.33), "Least and largest part of the picture's area that is erased.")
    ratio: tuple[Aspect, Aspect] = knob((0.3, 3.3), "Least and largest height of the rectangle, divided by its width.")
    value: Value | Annotated[tuple[Value, ...], Field(min_length=1, max_length=16)] | Literal["random"] = knob(
        0.0, "What stands there: one number, one for each channel, or random for normal noise."
    )
    inplace: bool = knob(False, "torchvision's switch to overwrite its input; the result is the same.")

    def output(self, kind: Kind) -> Kind:
        _check_tensor(self, kind)
        for field in ("scale", "ratio"):
            low, high = getattr(self, field)
            if low > high:
                swapped = self.changed(**{field: (high, low)})
                raise Illegal(f"The first {field} is larger than the second.", field, [("Swap them", (swapped,))])
        if self.value == "random":
            return replace(kind, low=min(kind.low, -_FARTHEST), high=max(kind.high, _FARTHEST))
        values = self._values()
        if len(values) not in (1, kind.channels):
            repairs: Repairs = [("Use one value", (self.changed(value=values[0]),))]
            sentence = f"{len(values)} values, but the pictures have {kind.channels} channel(s)."
            raise Illegal(sentence, "value", repairs)
        return replace(kind, low=min(kind.low, *values), high=max(kind.high, *values))

    def _values(self) -> tuple[float, ...]:
        assert self.value != "random"
        return self.value if isinstance(self.value, tuple) else (float(self.value),)

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        """The rectangle, as torchvision's `make_params` finds it: up to ten tries for one that is smaller than the
        picture, in pixels from the upper left. Where nothing is erased its height and width are 0."""
        _, height, width = shape
        erased, found = dice.chance(self.p), np.zeros(len(dice), np.bool_)
        heights, widths = np.zeros((2, len(dice)))
        for _ in range(_TRIES):
            area = height * width * dice.uniform(*self.scale)
            aspect = np.exp(dice.uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            tall, wide = np.rint(np.sqrt(area * aspect)), np.rint(np.sqrt(area / aspect))
            takes = ~found & (tall < height) & (wide < width)
            heights[takes], widths[takes] = tall[takes], wide[takes]
            found |= takes
        top, left = dice.uniform() * (height - heights + 1), dice.uniform() * (width - widths + 1)
        erased &= found
        place = {"top": np.floor(top), "left": np.floor(left), "height": heights, "width": widths}
        numbers = {name: np.where(erased, values, 0).astype(np.int64) for name, values in place.items()}
        return {"erased": erased, **numbers} | ({"seed": dice.seeds()} if self.value == "random" else {})

    def told(self, drawn: Mapping[str, Any]) -> str:
        if not drawn["erased"]:
            return "not erased"
        return f"erased {drawn['height']}x{drawn['width']} at top {drawn['top']}, left {drawn['left']}"

    def _fixed(self, pictures: Tensor) -> Tensor | None:
        """A value for each channel, (C, 1, 1) or (1, 1, 1); None for noise."""
        return None if self.value == "random" else pictures.new_tensor(self._values())[:, None, None]

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms.v2 import functional

        if not drawn["erased"]:
            return picture
        top, left, height, width = (drawn[name] for name in _RECTANGLE)
        fixed = self._fixed(picture)
        what = _noise(picture, drawn["seed"], height, width) if fixed is None else fixed
        return functional.erase(picture, top, left, height, width, what)

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor:
        erased, fixed = pictures.clone(), self._fixed(pictures)
        rectangles = np.stack([drawn[name] for name in _RECTANGLE], axis=1).tolist()
        for place in np.flatnonzero(drawn["erased"]).tolist():
            top, left, height, width = rectangles[place]
            what = _noise(pictures[place], int(drawn["seed"][place]), height, width) if fixed is None else fixed
            erased[place, :, top : top + height, left : left + width] = what
        return erased


def _noise(picture: Tensor, seed: int, height: int, width: int) -> Tensor:
    """Normal noise for a rectangle of a picture, (C, height, width)."""
    import torch

    shape = (picture.shape[-3], height, width)
    return torch.from_numpy(normal_noise(seed, math.prod(shape)).reshape(shape)).to(picture)


@dataclass(frozen=True, eq=False)
class _Linear:
    """What the files of a LinearTransformation hold, and the range it can give for values between two bounds.

    Attributes:
        matrix: float32 (D, D), or None for the identity.
        mean: float32 (D,), or None for zeros.
    """

    matrix: npt.NDArray[np.float32] | None
    mean: npt.NDArray[np.float32] | None

    @functools.cached_property
    def _sums(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Of each column the sum of what is positive and of what is negative, and what the mean becomes."""
        mean = np.float64(0) if self.mean is None else self.mean.astype(np.float64)
        if self.matrix is None:
            return np.ones(1), np.zeros(1), np.atleast_1d(mean)
        positive = np.maximum(self.matrix, 0).sum(0, dtype=np.float64)
        negative = np.minimum(self.matrix, 0).sum(0, dtype=np.float64)
        turned = np.zeros(1) if self.mean is None else self.mean.astype(np.float64) @ self.matrix
        return positive, negative, turned

    def span(self, low: float, high: float) -> tuple[float, float]:
        positive, negative, mean = self._sums
        least, most = low * positive + high * negative - mean, high * positive + low * negative - mean
        return float(least.min()), float(most.max())


@functools.lru_cache(maxsize=2)
def _linear(matrix: arrays.Stored | None, mean: arrays.Stored | None) -> _Linear:
    return _Linear(arrays.read(matrix, 2) if matrix else None, arrays.read(mean, 1) if mean else None)


@functools.lru_cache(maxsize=2)
def _ready(linear: _Linear, device: str) -> tuple[Tensor | None, Tensor | None]:
    """Matrix and mean on a device; on the processor they share the memory of the arrays."""
    import torch

    matrix, mean = (
        None if values is None else torch.from_numpy(values).to(device) for values in (linear.matrix, linear.mean)
    )
    return matrix, mean


@TRANSFORMS.add
class LinearTransformation(Transform):
    """Subtracts a mean picture and multiplies all values of the picture by one matrix, as whitening does."""

    group: ClassVar[str] = "On tensors"
    measures: ClassVar[Literal["", "mean and std", "whitening"]] = "whitening"

    transformation_matrix: Path | None = knob(
        None,
        "A .npy file with D x D numbers, D = channels x height x width. Empty: the values stay.",
        files=arrays.FILES,
    )
    mean_vector: Path | None = knob(
        None, "A .npy file with the D numbers that are subtracted first. Empty: zeros.", files=arrays.FILES
    )

    def _held(self) -> _Linear:
        """What the files hold.

        Raises:
            DataError: a file is not there, or damaged.
        """
        files = (self.transformation_matrix, self.mean_vector)
        return _linear(*(None if file is None else arrays.find(file) for file in files))

    def output(self, kind: Kind) -> Kind:
        _check_tensor(self, kind)
        if kind.size is None:
            side = min(*kind.least, arrays.LARGEST_SIDE)
            fitting = (TRANSFORMS.make("Resize", size=side), TRANSFORMS.make("CenterCrop", size=side), self)
            sentence = "LinearTransformation needs pictures of one size, but they arrive in different sizes."
            raise Illegal(sentence, "", [(f"Resize and CenterCrop to {side}", fitting)])
        linear = self._checked()
        values = math.prod(kind.shape)
        for numbers in (linear.matrix, linear.mean):
            if numbers is not None and len(numbers) != values:
                shape = f"{kind.channels}x{kind.height}x{kind.width}"
                raise Illegal(
                    f"LinearTransformation is for {len(numbers):,} values, but {values:,} ({shape}) arrive.",
                    "transformation_matrix" if numbers is linear.matrix else "mean_vector",
                    [*self._fitted(kind, len(numbers)), ("Remove it", ())],
                )
        low, high = linear.span(kind.low, kind.high)
        return replace(kind, low=low, high=high)

    def _checked(self) -> _Linear:
        """What the files hold, if they fit each other."""
        for field, dimensions in (("transformation_matrix", 2), ("mean_vector", 1)):
            file = getattr(self, field)
            try:
                numbers = None if file is None else arrays.read(arrays.find(file), dimensions)
            except DataError as error:
                raise Illegal(str(error), field, self._without(field)) from error
            if numbers is not None and dimensions == 2 and numbers.shape[0] != numbers.shape[1]:
                rows, columns = numbers.shape
                raise Illegal(f"The matrix is not square: {rows:,} x {columns:,}.", field, self._without(field))
        linear = self._held()
        if linear.matrix is not None and linear.mean is not None and len(linear.matrix) != len(linear.mean):
            sentence = f"The matrix is for {len(linear.matrix):,} values, but the mean has {len(linear.mean):,}."
            raise Illegal(sentence, "mean_vector", self._without("mean_vector"))
        return linear

    def _without(self, field: str) -> Repairs:
        return [("Leave it out", (self.changed(**{field: None}),)), ("Remove the transformation", ())]

    def _fitted(self, kind: Kind, values: int) -> Repairs:
        """What makes as many values of the pictures as it is for, where scaling or grey ones do."""
        side = math.isqrt(values // kind.channels)
        if side * side * kind.channels == values:
            resize = TRANSFORMS.make("Resize", size=(side, side))
            return [(f"Insert Resize to {side}x{side} before it", (resize, self))]
        side = math.isqrt(values)
        if kind.channels != 3 or side * side != values:
            return []
        grey = TRANSFORMS.make("Grayscale")
        if kind.size == (side, side):
            return [("Insert Grayscale before it", (grey, self))]
        resize = TRANSFORMS.make("Resize", size=(side, side))
        return [(f"Insert Grayscale and Resize to {side}x{side} before it", (grey, resize, self))]

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        """Of a batch all pictures go through one multiplication, as in torchvision, which sums in another order than
        that of a single one: each value v is the same within 2 D eps sum(abs(values) abs(weights)), eps = 2**-24.
        One multiplication for each picture would be equal to the bit, and read the whole matrix for each of them."""
        matrix, mean = _ready(self._held(), str(picture.device))
        flat = picture.reshape(-1, math.prod(picture.shape[-3:]))
        if mean is not None:
            flat = flat - mean
        if matrix is not None:
            flat = flat.mm(matrix)
        return flat.reshape(picture.shape)
