"""Transforms of colour: grey, and brightness, contrast, saturation and hue by chance.

Every picture of a batch has factors and an order of its own; `core/colours` brings those that do the same side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from gui_lab.core.canvas import check_range, showing
from gui_lab.core.colours import PARTS, ByChance, adjusted, check_channels, in_range, white
from gui_lab.core.dice import Dice
from gui_lab.core.pipeline import TRANSFORMS, Drawn, Kind, TooLate, Transform
from gui_lab.schema import knob

if TYPE_CHECKING:
    from torch import Tensor


@TRANSFORMS.add
class Grayscale(Transform):
    """Turns colour into grey by the weights of human vision: 0.2989 R + 0.587 G + 0.114 B."""

    group: ClassVar[str] = "On pictures"

    num_output_channels: Literal[1, 3] = knob(1, "1: one grey channel. 3: the same grey three times, as R, G and B.")

    def output(self, kind: Kind) -> Kind:
        check_channels(self, kind)
        return replace(kind, channels=self.num_output_channels)

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms.v2 import functional

        return functional.rgb_to_grayscale(picture, self.num_output_channels)


@TRANSFORMS.add
class RandomGrayscale(ByChance):
    """Makes a picture grey with a given probability, as torchvision's Grayscale does; its channels stay."""

    decider: ClassVar[str] = "grey"

    p: float = knob(0.1, "Probability that a picture becomes grey.", ge=0, le=1, felt=True)

    def output(self, kind: Kind) -> Kind:
        check_channels(self, kind)
        weight = 0.2989 + 0.587 + 0.114  # a little below 1
        return showing(kind, int(kind.low * weight) if kind.dtype == "uint8" else kind.low * weight, kind.high * weight)

    def change(self, picture: Any) -> Any:
        from torchvision.transforms.v2 import functional

        return functional.rgb_to_grayscale(picture, functional.get_num_channels(picture))

    def change_batch(self, pictures: Tensor) -> Tensor:
        if pictures.shape[1] == 1:
            return pictures
        grey: Tensor = self.change(pictures)
        return grey.contiguous()  # torchvision's three channels are one in memory


Strength = Annotated[float, Field(ge=0, le=10)]
Jitter = Strength | tuple[Strength, Strength] | None
Shift = Annotated[float, Field(ge=-0.5, le=0.5)]
_SPAN = "One number x: a factor from max(0, 1 - x) to 1 + x. Two: from the first to the second. 1 changes nothing."
_FACTOR = "A factor from the first to the second number; 1 changes nothing."


@TRANSFORMS.add
class ColorJitter(Transform):
    """Changes brightness, contrast, saturation and hue by random amounts, in a random order."""

    group: ClassVar[str] = "On pictures"
    random: ClassVar[bool] = True

    brightness: Jitter = knob(None, _SPAN, felt=True)
    contrast: Jitter = knob(None, _SPAN, felt=True)
    saturation: Jitter = knob(None, _SPAN, felt=True)
    hue: Annotated[float, Field(ge=0, le=0.5)] | tuple[Shift, Shift] | None = knob(
        None, "One number h: a turn from -h to h of the colour circle, up to 0.5. Two: from the first to the second.",
        felt=True,
    )  # fmt: skip

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        if kind is not None and kind.channels == 1:
            return cls(brightness=0.4, contrast=0.4)
        return cls(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)

    def _span(self, part: str) -> tuple[float, float] | None:
        """From where to where the factor is drawn; None where the part is left alone, as torchvision decides it."""
        value, neutral = getattr(self, part), 0.0 if part == "hue" else 1.0
        if value is None:
            return None
        low, high = value if isinstance(value, tuple) else (neutral - value, neutral + value)
        if part != "hue":
            low = max(low, 0.0)
        return None if low == high == neutral else (low, high)

    def output(self, kind: Kind) -> Kind:
        check_channels(self, kind)
        for part in PARTS:
            value = getattr(self, part)
            if isinstance(value, tuple):
                check_range(self, part, value, "value")
        acting = [part for part in PARTS if self._span(part) and (kind.channels == 3 or part in PARTS[:2])]
        if "hue" in acting:
            _check_hue(self, kind, [("Leave hue out", (self.changed(hue=None),))])
        return replace(kind, low=0.0, high=white(kind)) if acting else kind

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        drawn: Drawn = {"fn_idx": _permutations(dice, len(PARTS))}
        for part in PARTS:
            unit, span = dice.uniform(), self._span(part)  # rolled in any case: one part's range is not another's draw
            if span is not None:
                drawn[f"{part}_factor"] = _factors(unit, span)
        return drawn

    def told(self, drawn: Mapping[str, Any]) -> str:
        done = [PARTS[place] for place in drawn["fn_idx"] if f"{PARTS[place]}_factor" in drawn]
        return ", ".join(_words(part, drawn) for part in done) or "nothing"

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        for place in drawn["fn_idx"]:
            if f"{PARTS[place]}_factor" in drawn:
                picture = _adjusted_one(picture, PARTS[place], drawn)
        return picture

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor:
        present = np.array([f"{part}_factor" in drawn for part in PARTS])
        if not present.any():
            return pictures
        order = np.where(present[drawn["fn_idx"]], drawn["fn_idx"], -1)
        return adjusted(pictures, order, _drawn_factors(drawn))


@TRANSFORMS.add
class RandomPhotometricDistort(Transform):
    """Changes brightness, contrast, saturation, hue and the order of the channels, each by chance: SSD (Liu, 2016)."""

    group: ClassVar[str] = "On pictures"
    random: ClassVar[bool] = True

    brightness: tuple[Strength, Strength] = knob((0.875, 1.125), _FACTOR)
    contrast: tuple[Strength, Strength] = knob((0.5, 1.5), _FACTOR)
    saturation: tuple[Strength, Strength] = knob((0.5, 1.5), _FACTOR)
    hue: tuple[Shift, Shift] = knob((-0.05, 0.05), "A part of the colour circle, up to half of it either way.")
    p: float = knob(0.5, "Probability of each of the five, on its own.", ge=0, le=1, felt=True)

    def output(self, kind: Kind) -> Kind:
        check_channels(self, kind)
        for part in PARTS:
            check_range(self, part, getattr(self, part), "value")
        if self.p == 0:
            return kind
        if kind.channels == 3:
            _check_hue(self, kind, [("Take it out", ())])
        return showing(kind, 0, white(kind))

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        drawn: Drawn = {}
        for part in PARTS:
            drawn[part] = dice.chance(self.p)
            drawn[f"{part}_factor"] = _factors(dice.uniform(), getattr(self, part))
        drawn["contrast_before"] = dice.chance(0.5)
        drawn["permuted"] = dice.chance(self.p)
        drawn["channel_permutation"] = _permutations(dice, shape[0])
        return drawn

    def _steps(self, drawn: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """What is done one after the other, each with whether it is done: of one picture or of a batch."""
        before = np.asarray(drawn["contrast_before"])
        return [
            ("brightness", drawn["brightness"]),
            ("contrast", drawn["contrast"] & before),
            ("saturation", drawn["saturation"]),
            ("hue", drawn["hue"]),
            ("contrast", drawn["contrast"] & ~before),
        ]

    def told(self, drawn: Mapping[str, Any]) -> str:
        words = [_words(part, drawn) for part, done in self._steps(drawn) if done]
        if drawn["permuted"] and len(drawn["channel_permutation"]) == 3:
            words.append("channels " + "".join("RGB"[place] for place in drawn["channel_permutation"]))
        return ", ".join(words) or "nothing"

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        from torchvision.transforms.v2 import functional

        for part, done in self._steps(drawn):
            if done:
                picture = _adjusted_one(picture, part, drawn)
        return functional.permute_channels(picture, drawn["channel_permutation"]) if drawn["permuted"] else picture

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor:
        import torch

        order = np.stack([np.where(done, PARTS.index(part), -1) for part, done in self._steps(drawn)], axis=1)
        distorted = adjusted(pictures, order, _drawn_factors(drawn))
        count, channels, height, width = distorted.shape
        if channels == 1 or not drawn["permuted"].any():
            return distorted
        chosen = np.where(drawn["permuted"][:, None], drawn["channel_permutation"], np.arange(channels))
        planes = torch.from_numpy((chosen + channels * np.arange(count)[:, None]).ravel()).to(pictures.device)
        return distorted.view(-1, height, width).index_select(0, planes).view(distorted.shape)


def _check_hue(transform: Transform, kind: Kind, repairs: list[tuple[str, tuple[Transform, ...]]]) -> None:
    """Hue, saturation and value are those of a colour between black and white."""
    if not in_range(kind):
        sentence = f"Hue needs values from 0 to {white(kind):g}, but {kind.low:.4g} to {kind.high:.4g} arrive."
        raise TooLate(sentence, "hue", repairs)


def _permutations(dice: Dice, count: int) -> npt.NDArray[np.int64]:
    """int64 (B, count): for each picture the numbers below `count` in any order, all orders equally likely."""
    keys = np.stack([dice.uniform() for _ in range(count)], axis=1)
    return np.argsort(keys, axis=1).astype(np.int64)


def _factors(unit: npt.NDArray[np.float64], span: tuple[float, float]) -> npt.NDArray[np.float32]:
    """Uniform in a range, as float32 like torchvision's."""
    low, high = span
    return (low + (high - low) * unit).astype(np.float32)


def _drawn_factors(drawn: Drawn) -> dict[str, npt.NDArray[np.float32]]:
    return {part: drawn[f"{part}_factor"] for part in PARTS if f"{part}_factor" in drawn}


def _words(part: str, drawn: Mapping[str, Any]) -> str:
    """ "brightness 1.2", "hue −0.04"."""
    return f"{part} {drawn[f'{part}_factor']:.3g}".replace("-", "−")


def _adjusted_one(picture: Any, part: str, drawn: Mapping[str, Any]) -> Any:
    from torchvision.transforms.v2 import functional

    return getattr(functional, f"adjust_{part}")(picture, drawn[f"{part}_factor"])
