"""Transforms that mix the pictures of a batch with each other, and their labels by the same share.

As in torchvision each picture meets the one before it in the batch, which training shuffles in every epoch, and one
share is drawn for the whole batch: by the dice of its first picture, so that nothing but (seed, epoch, order) decides
it. A batch of one picture is mixed with itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from gui_lab.core.canvas import LARGEST_SIDE
from gui_lab.core.dice import Dice
from gui_lab.core.pipeline import TRANSFORMS, Drawn, Illegal, Kind, Transform
from gui_lab.schema import knob

if TYPE_CHECKING:
    from torch import Tensor


class _Mixing(Transform):
    """What both have in common.

    `num_classes` and `labels_getter` are arguments of torchvision's classes as well. They tell its function where the
    labels are and how many classes there are; here both are known from the data set.
    """

    group: ClassVar[str] = "On batches"
    random: ClassVar[bool] = True
    mixes: ClassVar[bool] = True
    share: ClassVar[str]
    """The name under which the own part of each picture is drawn."""

    alpha: float = knob(
        1.0,
        "Of Beta(alpha, alpha), which the share is drawn from. 1: any; small: all or nothing; large: about half.",
        gt=0,
        le=100,
        felt=True,
    )

    def output(self, kind: Kind) -> Kind:
        """Pictures meet pixel by pixel."""
        if kind.size is None:
            side = min(*kind.least, LARGEST_SIDE)
            fitting = (TRANSFORMS.make("Resize", size=side), TRANSFORMS.make("CenterCrop", size=side), self)
            sentence = f"{self.name_of()} needs pictures of one size, but they arrive in different sizes."
            raise Illegal(sentence, "", [(f"Insert Resize and CenterCrop to {side} before it", fitting)])
        return replace(kind, mixed=True)

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        """A picture alone is mixed with itself."""
        return picture

    def mix_labels(self, labels: Tensor, drawn: Drawn, shape: tuple[int, int, int]) -> Tensor:
        return _blended(labels, float(drawn[self.share][0]))

    def _wants_tensor(self, sentence: str) -> Illegal:
        before: tuple[Transform, ...] = (TRANSFORMS.make("ToTensor"), self)
        return Illegal(sentence, "", [("Insert ToTensor before it", before)])


def _blended(values: Tensor, share: float) -> Tensor:
    """Each with the one before it, the first with the last; in the order of torchvision's sums."""
    return values.roll(1, 0).mul_(1.0 - share).add_(values.mul(share))


def _beta(dice: Dice, alpha: float) -> npt.NDArray[np.float64]:
    """float64 of shape (B,) in [0, 1], distributed as Beta(alpha, alpha).

    Without rejection, so that two numbers are always enough: t = sqrt(u ** (-1 / alpha) - 1) cos(2 pi v) is Student's t
    over the root of its 2 alpha degrees of freedom (Bailey, 1994), and (1 + t / sqrt(1 + t²)) / 2 is symmetric beta
    (Devroye, Random variate generation in one line of code, 1996).
    """
    first, second = 1.0 - dice.uniform(), dice.uniform()
    with np.errstate(over="ignore"):  # of a small alpha: then one of the two takes all
        t = np.sqrt(first ** (-1.0 / alpha) - 1.0) * np.cos(2 * np.pi * second)
    return np.asarray(0.5 * (1.0 + np.sin(np.arctan(t))))


@TRANSFORMS.add
class MixUp(_Mixing):
    """Blends each picture of a batch with the one before it, and their labels alike."""

    share: ClassVar[str] = "lam"

    def output(self, kind: Kind) -> Kind:
        if kind.dtype != "float32":
            raise self._wants_tensor("MixUp computes fractions: it needs a float tensor, but a uint8 image arrives.")
        return super().output(kind)

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        """`lam`: the own part of each picture, the same for a whole batch."""
        return {"lam": _beta(dice, self.alpha)}

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor:
        return _blended(pictures, float(drawn["lam"][0]))


@TRANSFORMS.add
class CutMix(_Mixing):
    """Replaces a box of each picture of a batch by that of the one before it, and their labels by its area."""

    share: ClassVar[str] = "lam_adjusted"

    def output(self, kind: Kind) -> Kind:
        if kind.pil:
            raise self._wants_tensor("CutMix works on batches of tensors, but PIL pictures arrive.")
        return super().output(kind)

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        """`box`: left, top, right, bottom in pixels; `lam_adjusted`: the part of the picture outside of it, which is
        smaller than drawn where the box reached over the edge."""
        _, height, width = shape
        half = 0.5 * np.sqrt(1.0 - _beta(dice, self.alpha))
        middle_x, middle_y = dice.integers(width), dice.integers(height)
        half_width, half_height = (half * width).astype(np.int64), (half * height).astype(np.int64)
        left, right = np.maximum(middle_x - half_width, 0), np.minimum(middle_x + half_width, width)
        top, bottom = np.maximum(middle_y - half_height, 0), np.minimum(middle_y + half_height, height)
        outside = 1.0 - (right - left) * (bottom - top) / (width * height)
        return {"box": np.stack([left, top, right, bottom], axis=1), "lam_adjusted": outside}

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor:
        left, top, right, bottom = (int(side) for side in drawn["box"][0])
        mixed = pictures.clone()
        mixed[..., top:bottom, left:right] = pictures[..., top:bottom, left:right].roll(1, 0)
        return mixed
