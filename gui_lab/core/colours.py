"""What transforms of colour have in common: what may arrive, a chance for each picture, and arithmetic for a batch.

torchvision's kernels take one factor for all pictures. Here each picture has its own, and an order of its own too, at
the cost of a few passes over the batch: pictures that do the same next are brought to stand side by side, so that each
adjustment acts in place on one slice. What a pixel becomes is torchvision's result to the bit, because every rounding
is done at the same place. Whole levels 0..255 are kept as float32 on the way, which holds them exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from gui_lab.core.canvas import moved
from gui_lab.core.dice import Dice
from gui_lab.core.pipeline import Drawn, Illegal, Kind, Transform

if TYPE_CHECKING:
    from torch import Tensor

Factors = npt.NDArray[np.float32]
PARTS = ("brightness", "contrast", "saturation", "hue")
"""In the order in which torchvision numbers them."""


def check_channels(transform: Transform, kind: Kind) -> None:
    """
    Raises:
        Illegal: neither grey nor RGB arrives, which is all that torchvision takes here.
    """
    if kind.channels not in (1, 3):
        sentence = f"{transform.name_of()} takes pictures of 1 or 3 channels, not {kind.channels}."
        raise Illegal(sentence, "", [("Take it out", ())])


def white(kind: Kind) -> float:
    """The brightest value: 255 of an image, 1 of a tensor."""
    return 255.0 if kind.dtype == "uint8" else 1.0


def in_range(kind: Kind) -> bool:
    """Whether all values lie between black and white."""
    return kind.low >= 0 and kind.high <= white(kind)


class ByChance(Transform):
    """Changes each picture with probability `p`, always in the same way. `decider` names what is drawn."""

    group: ClassVar[str] = "On pictures"
    random: ClassVar[bool] = True

    if TYPE_CHECKING:  # each class declares it itself, for it stands last among torchvision's arguments
        p: float

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        return {self.decider: dice.chance(self.p)}

    def change(self, picture: Any) -> Any:
        """torchvision's kernel; takes what `one` takes."""
        raise NotImplementedError(f"{self.name_of()} does not say what it changes")

    def change_batch(self, pictures: Tensor) -> Tensor:
        """The same to (B, C, H, W), where there is a faster way."""
        changed: Tensor = self.change(pictures)
        return changed

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        return self.change(picture) if drawn[self.decider] else picture

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor:
        return moved(pictures, drawn[self.decider], lambda some, _: self.change_batch(some))


def adjusted(pictures: Tensor, order: npt.NDArray[np.int64], factors: Mapping[str, Factors]) -> Tensor:
    """Brightness, contrast, saturation and hue of a batch, as torchvision's `adjust_...` kernels change them.

    Args:
        pictures: (B, C, H, W) with 1 or 3 channels, uint8 or float32; never changed in place.
        order: int (B, n): for each picture what is done one after the other, places in `PARTS`; -1 for nothing.
        factors: for each of `PARTS` that occurs, float32 (B,); those of hue in [-0.5, 0.5], the others from 0.

    Returns:
        (B, C, H, W) of the same dtype.
    """
    import torch

    whole = not pictures.is_floating_point()
    values = pictures.to(torch.float32, copy=True)
    standing = np.arange(len(pictures))  # which picture stands at each place
    for step in order.T:
        if (step < 0).all():
            continue
        values, standing = _rearranged(values, standing, np.argsort(step[standing], kind="stable"))
        ends = np.searchsorted(step[standing], np.arange(len(PARTS) + 1))
        for part, start, end in zip(PARTS, ends, ends[1:], strict=False):
            if start < end:
                _KERNELS[part](values[start:end], factors[part][standing[start:end]], whole)
    values, _ = _rearranged(values, standing, np.argsort(standing))
    return values.to(pictures.dtype)


def _rearranged(
    values: Tensor, standing: npt.NDArray[np.int64], ranks: npt.NDArray[np.int64]
) -> tuple[Tensor, npt.NDArray[np.int64]]:
    import torch

    if np.array_equal(ranks, np.arange(len(ranks))):
        return values, standing
    return values.index_select(0, torch.as_tensor(ranks, device=values.device)), standing[ranks]


def _per_picture(values: Tensor, factors: Factors) -> Tensor:
    import torch

    return torch.as_tensor(factors, dtype=values.dtype, device=values.device).view(-1, 1, 1, 1)


def _brightness(values: Tensor, factors: Factors, whole: bool) -> None:
    _bounded(values.mul_(_per_picture(values, factors)), whole)


def _contrast(values: Tensor, factors: Factors, whole: bool) -> None:
    grey = _grey(values, whole) if values.shape[1] == 3 else values
    _blend(values, grey.mean(dim=(1, 2, 3), keepdim=True), factors, whole)


def _saturation(values: Tensor, factors: Factors, whole: bool) -> None:
    if values.shape[1] == 3:
        _blend(values, _grey(values, whole), factors, whole)


def _hue(values: Tensor, factors: Factors, whole: bool) -> None:
    """Through hue, saturation and value and back (Foley et al.), without branches: a choice between values is a sum in
    which all but one are multiplied by 0, which is exact and many times faster than a gather."""
    if values.shape[1] == 1:
        return
    if whole:
        values.mul_(1.0 / 255)
    value = values.amax(dim=1)
    spread = value - values.amin(dim=1)
    saturation = spread / value.clamp_min(_TINY)
    turned = _hue_of(values, value, spread).add_(_per_picture(values, factors)[:, 0])
    sixth = turned.sub_(turned.floor()).mul_(6)
    _fill_rgb(values, sixth, saturation, value)
    if whole:
        values.mul_(255 + 1.0 - 1e-3).floor_()


_TINY = 2.0**-126
"""Instead of a division of 0 by 0, where a pixel is grey: of 0 by the smallest normal float32."""


def _hue_of(values: Tensor, value: Tensor, spread: Tensor) -> Tensor:
    """Hue in [0, 1), (B, H, W). `red`, `green` and `blue` are 0 where that channel is the brightest, else above."""
    red, green, blue = value.unsqueeze(1).sub(values).div_(spread.clamp_min(_TINY).unsqueeze(1)).unbind(1)
    not_red, not_green = red.ceil(), green.ceil()
    from_blue = green.add(4.0).sub_(red).mul_(not_green)
    from_green = red.add(2.0).sub_(blue).mul_(1.0 - not_green)
    from_red = blue.sub(green).mul_(1.0 - not_red)
    hue = from_red.add_(from_green.add_(from_blue).mul_(not_red))
    return hue.mul_(1.0 / 6.0).add_(1.0).frac_()


def _fill_rgb(values: Tensor, sixth: Tensor, saturation: Tensor, value: Tensor) -> None:
    """From hue on the scale 0..6, saturation and value, (B, H, W) each, to RGB (B, 3, H, W) in place of `values`.

    In every sixth of the circle one channel is the brightest, one the darkest, and one between them, rising in even
    sixths and falling in odd ones.
    """
    sector = sixth.floor()
    part = sixth.sub_(sector).mul_(saturation)
    rest = 1.0 - saturation
    falling = (1.0 - part).mul_(value).clamp_(0.0, 1.0)
    rising = part.add_(rest).mul_(value).clamp_(0.0, 1.0)
    darkest = rest.mul_(value).clamp_(0.0, 1.0)
    odd = sector.mul(0.5).frac_().mul_(2.0)
    between = falling.mul_(odd).add_(rising.mul_(1.0 - odd))
    for channel, darkest_at in enumerate((2.5, 4.5, 0.5)):
        away = sector.sub(darkest_at).abs_()
        away = away.minimum(6.0 - away)  # 0.5: the two sixths where this channel is the darkest; 2.5: the brightest
        bright, dark = away.sub(1.5).clamp_(0.0, 1.0), (1.5 - away).clamp_(0.0, 1.0)
        middle = (1.0 - bright).sub_(dark)
        values[:, channel] = bright.mul_(value).add_(dark.mul_(darkest)).add_(middle.mul_(between))


_KERNELS: Mapping[str, Callable[[Any, Factors, bool], None]] = {
    "brightness": _brightness,
    "contrast": _contrast,
    "saturation": _saturation,
    "hue": _hue,
}


def _grey(values: Tensor, whole: bool) -> Tensor:
    red, green, blue = values[:, :1], values[:, 1:2], values[:, 2:]
    grey = red.mul(0.2989).add_(green, alpha=0.587).add_(blue, alpha=0.114)
    return grey.floor_() if whole else grey


def _blend(values: Tensor, other: Tensor, factors: Factors, whole: bool) -> None:
    """Each picture's own part of `other`. torch multiplies and adds in one rounding where the processor can, but only
    with one factor for all: hence the loop."""
    values.mul_(_per_picture(values, factors))
    for value, beside, factor in zip(values.unbind(), other.unbind(), factors.tolist(), strict=True):
        value.add_(beside, alpha=1.0 - factor)
    _bounded(values, whole)


def _bounded(values: Tensor, whole: bool) -> None:
    values.clamp_(0, 255 if whole else 1)
    if whole:
        values.floor_()


def sharpened(pictures: Tensor, factor: float) -> Tensor:
    """As torchvision's `adjust_sharpness` kernel: away from a blurred picture, or towards it below 1.

    The blur weighs the nine pixels around with 1 and the middle with 5, over 13: sums of whole levels, which no order
    of adding changes, where torch's convolution of many small pictures takes ten times as long.

    Args:
        pictures: (B, C, H, W), uint8 or float32; never changed in place.
        factor: from 0; 1 leaves the pictures as they are.
    """
    import torch

    if min(pictures.shape[-2:]) <= 2:
        return pictures
    whole = not pictures.is_floating_point()
    values = pictures.to(torch.float32, copy=True)
    inner = values[..., 1:-1, 1:-1]
    rows = (values[..., :-2] + values[..., 1:-1]).add_(values[..., 2:])
    blurred = (rows[..., :-2, :] + rows[..., 1:-1, :]).add_(rows[..., 2:, :]).add_(inner, alpha=4).div_(13)
    if whole:
        blurred.round_()
    inner.add_(blurred.sub_(inner), alpha=1.0 - factor)
    _bounded(values, whole)
    return values.to(pictures.dtype)
