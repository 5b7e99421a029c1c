"""Transforms that blur pictures and add noise to them, each picture by numbers of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from gui_lab.core.canvas import check_range, sides, size_words
from gui_lab.core.colours import check_channels, white
from gui_lab.core.dice import Dice, normal_noise, normal_noises
from gui_lab.core.pipeline import TRANSFORMS, Drawn, Illegal, Kind, Transform
from gui_lab.schema import knob

if TYPE_CHECKING:
    from torch import Tensor

Kernel = Annotated[int, Field(ge=1, le=255)]
Sigma = Annotated[float, Field(ge=0.01, le=100)]


@TRANSFORMS.add
class GaussianBlur(Transform):
    """Blurs the picture by a random amount: a mean of the pixels around, with the weights of a Gaussian bell."""

    group: ClassVar[str] = "On pictures"
    random: ClassVar[bool] = True

    kernel_size: Kernel | tuple[Kernel, Kernel] = knob(
        help="How many pixels the bell spans: odd; two numbers are its width and its height.", unit="px"
    )
    sigma: Sigma | tuple[Sigma, Sigma] = knob(
        (0.1, 2.0), "Width of the bell: one number, or drawn between the first and the second."
    )

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(kernel_size=5 if kind is None else min(5, 2 * min(kind.least) - 1))

    def output(self, kind: Kind) -> Kind:
        size = sides(self.kernel_size)
        if any(side % 2 == 0 for side in size):
            odd = tuple(side - (side % 2 == 0) for side in size)
            raise self._refused("A blur needs odd numbers of pixels, so that one is in the middle.", odd)
        least = kind.least[::-1]  # width first, as in kernel_size
        if any(side // 2 >= room for side, room in zip(size, least, strict=True)):
            fitting = tuple(min(side, 2 * room - 1) for side, room in zip(size, least, strict=True))
            sentence = f"A blur of {size_words(size)} reaches beyond a picture of {size_words(kind.least)} mirrored."
            raise self._refused(sentence, fitting)
        if isinstance(self.sigma, tuple):
            check_range(self, "sigma", self.sigma, "sigma")
        return kind

    def _refused(self, sentence: str, fitting: tuple[int, ...]) -> Illegal:
        value = fitting if isinstance(self.kernel_size, tuple) else min(fitting)
        words = "x".join(map(str, fitting)) if isinstance(value, tuple) else str(value)
        return Illegal(sentence, "kernel_size", [(f"Use {words}", (self.changed(kernel_size=value),))])

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        low, high = self.sigma if isinstance(self.sigma, tuple) else (self.sigma, self.sigma)
        return {"sigma": dice.uniform(low, high).astype(np.float32)}

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms.v2 import functional

        return functional.gaussian_blur(picture, list(sides(self.kernel_size)), [drawn["sigma"], drawn["sigma"]])

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor:
        """The bell is a product, so rows and columns are blurred one after the other: a sum of shifted pictures each,
        where torch's convolution of many small pictures takes far longer."""
        import torch
        from torch.nn.functional import pad

        across, down = sides(self.kernel_size)
        values = pictures if pictures.is_floating_point() else pictures.to(torch.float32)
        sigma = torch.from_numpy(drawn["sigma"]).to(pictures.device)
        values = pad(values, [across // 2, across // 2, down // 2, down // 2], mode="reflect")
        values = _weighted_sum(values, _bells(across, sigma), 3)
        values = _weighted_sum(values, _bells(down, sigma), 2)
        return values if pictures.is_floating_point() else values.round_().to(pictures.dtype)


def _bells(size: int, sigma: Tensor) -> Tensor:
    """float32 (size, B, 1, 1, 1): the weights, which sum to 1, on torchvision's scale of distances."""
    import torch

    reach = (size - 1) / (2.0 * 2.0**0.5)
    places = torch.linspace(-reach, reach, steps=size, device=sigma.device)
    return torch.softmax(places.div(sigma[:, None]).pow(2).neg(), dim=1).T[..., None, None, None]


def _weighted_sum(values: Tensor, weights: Tensor, axis: int) -> Tensor:
    """Of each pixel and those that follow along an axis, which becomes shorter by as many."""
    length = values.shape[axis] - len(weights) + 1
    whole = values.narrow(axis, 0, length) * weights[0]
    for place in range(1, len(weights)):
        whole.addcmul_(values.narrow(axis, place, length), weights[place])
    return whole


_CHUNK = 1 << 15  # numbers that are drawn at a time: they stay in the cache
LARGEST_NORMAL = (2 * 54 * np.log(2)) ** 0.5
"""No number of `normal_noise` is further from 0: it comes from uniform ones of 2**-54 and above."""


@TRANSFORMS.add
class GaussianNoise(Transform):
    """Adds to each value a random number of its own, normally distributed, as a camera does in the dark."""

    group: ClassVar[str] = "On pictures"
    random: ClassVar[bool] = True

    mean: float = knob(0.0, "Mean of what is added, on the scale 0 to 1 also for an image.", ge=-10, le=10)
    sigma: float = knob(0.1, "Standard deviation of what is added, on the scale 0 to 1.", ge=0, le=10, felt=True)
    clip: bool = knob(True, "Keep values between black and white; off, those of an image wrap around.")

    def output(self, kind: Kind) -> Kind:
        check_channels(self, kind)
        if kind.pil:
            before: tuple[Transform, ...] = (TRANSFORMS.make("ToTensor"), self)
            repairs = [("Insert ToTensor before it", before)]
            raise Illegal("GaussianNoise needs a tensor, but a PIL picture arrives.", "", repairs)
        if self.clip or kind.dtype == "uint8":
            return replace(kind, low=0.0, high=white(kind))
        most = self.sigma * LARGEST_NORMAL
        return replace(kind, low=kind.low + self.mean - most, high=kind.high + self.mean + most)

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        return {"seed": dice.seeds()}

    def told(self, drawn: Mapping[str, Any]) -> str:
        return "noise of its own"

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        noise = normal_noise(drawn["seed"], picture.numel()).astype(np.float32)
        return self._noisy(picture, noise.reshape(picture.shape))

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor:
        import torch

        seeds, values = drawn["seed"].tolist(), math.prod(pictures.shape[1:])
        noisy = torch.empty_like(pictures)
        count = max(_CHUNK // max(values, 1), 1)
        for start in range(0, len(seeds), count):
            part = slice(start, start + count)
            noise = normal_noises(seeds[part], values).reshape(-1, *pictures.shape[1:])
            noisy[part] = self._noisy(pictures[part], noise)
        return noisy

    def _noisy(self, pictures: Tensor, noise: npt.NDArray[np.float32]) -> Tensor:
        """torchvision's `gaussian_noise` with these numbers, which it would draw from torch's own generator."""
        import torch

        drawn = torch.from_numpy(noise).to(pictures.device)
        if pictures.is_floating_point():
            noisy = pictures + (self.mean + drawn * self.sigma)
            return noisy.clamp_(0, 1) if self.clip else noisy
        whole = pictures + (self.mean * 255 + drawn * (self.sigma * 255)).to(torch.int16)
        return (whole.clamp_(0, 255) if self.clip else whole).to(torch.uint8)
