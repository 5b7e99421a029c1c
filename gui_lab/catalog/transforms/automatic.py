"""Augmentations that choose by themselves: from a list of operations, or from pairs that a search found.

They call torchvision's functional kernels with the very arguments of its automatic augmentations, whose own code for it
is private. In a batch of small pictures, those that drew the same operation and magnitude go through its kernel
together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from gui_lab.core import policies
from gui_lab.core.canvas import Fill, Turning, check_fill, check_turning, levels, showing
from gui_lab.core.dice import Dice
from gui_lab.core.pipeline import TRANSFORMS, Drawn, Illegal, Kind, Transform, each
from gui_lab.core.policies import OPERATIONS, PolicyName
from gui_lab.schema import FieldError, knob

if TYPE_CHECKING:
    from torch import Tensor

_INTERPOLATION = "How values between pixels are found where an operation moves them."
_FILL = "Value of what comes into view: one number, or one for each of R, G and B; empty: black."

_LARGE = 3 * 64 * 64  # values; from here on a batch that goes through a kernel together leaves the processor's cache


class _Automatic(Transform):
    """Operations of torchvision's table, one after the other, drawn as places in `OPERATIONS` and their magnitudes."""

    group: ClassVar[str] = "On pictures"
    random: ClassVar[bool] = True

    if TYPE_CHECKING:  # each class declares them itself, for they stand last among torchvision's arguments
        interpolation: Turning
        fill: Fill | None

    def output(self, kind: Kind) -> Kind:
        if kind.channels not in (1, 3):
            raise Illegal(f"{self.name_of()} takes pictures of 1 or 3 channels, not {kind.channels}.")
        white = 255 if kind.dtype == "uint8" else 1
        if kind.low < 0 or kind.high > white:
            arriving = f"values from {kind.low:.4g} to {kind.high:.4g} arrive"
            sentence = f"{self.name_of()} takes values from 0 to {white}, but {arriving}. Its place is further up."
            raise Illegal(sentence, "", [("Take it out", ())])
        check_turning(self, self.interpolation, kind)
        if self.fill is not None:
            check_fill(self, self.fill, kind)
            self._check_fill_within(levels(self.fill), white)
        return showing(kind, 0, white)

    def _check_fill_within(self, fill: tuple[float, ...], white: int) -> None:
        """Operations that follow count on values from black to white."""
        if min(fill) < 0 or max(fill) > white:
            scale = 255 if max(fill) > white else 1
            within = tuple(max(level / scale, 0) for level in fill)
            mended = self.changed(fill=within if len(within) > 1 else within[0])
            sentence = "The pictures are tensors with values from 0 to 1, and fill lies outside of them."
            raise Illegal(sentence, "fill", [("Bring it into 0 to 1", (mended,))])

    def told(self, drawn: Mapping[str, Any]) -> str:
        return _told(_steps(drawn))

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        for operation, magnitude in _steps(drawn):
            picture = self._operated(picture, operation, magnitude)
        return picture

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor | list[Tensor]:
        if pictures.shape[1:].numel() > _LARGE:
            return super().apply(pictures, drawn)
        for operations, magnitudes in zip(drawn["operation"].T, drawn["magnitude"].T, strict=True):
            pictures = self._step(pictures, operations, magnitudes)
        return pictures

    def _step(self, pictures: Tensor, operations: npt.NDArray[Any], magnitudes: npt.NDArray[Any]) -> Tensor:
        """One operation for each picture, the same ones together. Sharpness is a convolution, whose sums torch forms in
        another order for several pictures: what is not rounded afterwards goes by itself."""
        import torch

        alone = OPERATIONS.index("Sharpness") if pictures.is_floating_point() else -1
        alike: dict[tuple[int, float, int], list[int]] = {}
        for place, (operation, magnitude) in enumerate(zip(operations.tolist(), magnitudes.tolist(), strict=True)):
            alike.setdefault((operation, magnitude, place if operation == alone else -1), []).append(place)
        done = torch.empty_like(pictures)
        for (operation, magnitude, _), places in alike.items():
            some = torch.tensor(places, device=pictures.device)
            done[some] = self._operated(pictures[some], operation, magnitude)
        return done

    def _operated(self, picture: Any, operation: int, magnitude: float) -> Any:
        """As `_AutoAugmentBase._apply_image_or_video_transform` of torchvision."""
        from torchvision.transforms.v2 import functional

        name = OPERATIONS[operation]
        if name.startswith(("Shear", "Translate", "Rotate")):
            return self._moved(picture, name, magnitude)
        match name:
            case "Identity":
                return picture
            case "Brightness":
                return functional.adjust_brightness(picture, 1.0 + magnitude)
            case "Color":
                return functional.adjust_saturation(picture, 1.0 + magnitude)
            case "Contrast":
                return functional.adjust_contrast(picture, 1.0 + magnitude)
            case "Sharpness":
                return functional.adjust_sharpness(picture, 1.0 + magnitude)
            case "Posterize":
                return functional.posterize(picture, int(magnitude))
            case "Solarize":
                return functional.solarize(picture, _white(picture) * magnitude)
            case "AutoContrast":
                return functional.autocontrast(picture)
            case "Equalize":
                return functional.equalize(picture)
            case _:
                return functional.invert(picture)

    def _moved(self, picture: Any, name: str, magnitude: float) -> Any:
        from torchvision.transforms import InterpolationMode
        from torchvision.transforms.v2 import functional

        mode = InterpolationMode(self.interpolation)
        fill = [float(level) for level in self.fill] if isinstance(self.fill, tuple) else self.fill
        if name == "Rotate":
            return functional.rotate(picture, magnitude, mode, fill=fill)
        along = [magnitude, 0.0] if name.endswith("X") else [0.0, magnitude]
        if name.startswith("Translate"):
            shift = [int(pixels) for pixels in along]
            return functional.affine(picture, 0.0, shift, 1.0, [0.0, 0.0], mode, fill)
        shear = [math.degrees(math.atan(slope)) for slope in along]
        return functional.affine(picture, 0.0, [0, 0], 1.0, shear, mode, fill, center=[0, 0])


def _white(picture: Any) -> float:
    import torch

    return 1.0 if isinstance(picture, torch.Tensor) and picture.is_floating_point() else 255.0


def _steps(drawn: Mapping[str, Any]) -> list[tuple[int, float]]:
    """What one picture drew as pairs of operation and magnitude, in the order in which they act."""
    return list(zip(drawn["operation"], drawn["magnitude"], strict=True))


def _side_by_side(steps: Sequence[tuple[npt.NDArray[Any], npt.NDArray[Any]]], count: int) -> Drawn:
    """The steps of `count` pictures as arrays of shape (count, steps); an Identity has magnitude 0."""
    codes, magnitudes = np.zeros((count, len(steps)), np.int64), np.zeros((count, len(steps)))
    for place, (operation, magnitude) in enumerate(steps):
        codes[:, place], magnitudes[:, place] = operation, np.where(operation == 0, 0.0, magnitude)
    return {"operation": codes, "magnitude": magnitudes}


def _told(drawn: Sequence[tuple[int, float]]) -> str:
    """Operations and magnitudes in words, without those that leave a picture as it is."""
    acting = [policies.words(operation, magnitude) for operation, magnitude in drawn if operation]
    return ", then ".join(acting) or OPERATIONS[0]


@TRANSFORMS.add
class AutoAugment(_Automatic):
    """Applies one of 25 pairs of operations that a search found to help: AutoAugment (Cubuk et al., 2018).

    Each operation of the pair acts with a probability of its own, at a strength of its own, to either side at random.
    """

    policy: PolicyName = knob("imagenet", "The data set that the pairs were searched on.")
    interpolation: Turning = knob("nearest", _INTERPOLATION)
    fill: Fill | None = knob(None, _FILL)

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(policy="cifar10") if kind is not None and min(kind.least) <= 64 else cls()

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        choice = policies.choice("AutoAugment", 10, *shape[1:])
        pairs = policies.pairs(self.policy)
        pair = dice.integers(len(pairs.picks))
        steps = []
        for place in (0, 1):
            acting = dice.uniform() < pairs.probabilities[pair, place]
            operation, magnitude = choice.drawn(dice, pairs.picks[pair, place], pairs.bins[pair, place])
            steps.append((operation * acting, magnitude))
        return {"pair": pair, **_side_by_side(steps, len(dice))}

    def told(self, drawn: Mapping[str, Any]) -> str:
        return f"pair {drawn['pair'] + 1}: {super().told(drawn)}"


@TRANSFORMS.add
class RandAugment(_Automatic):
    """Applies a few operations drawn from a list, all equally strong: RandAugment (Cubuk et al., 2019)."""

    num_ops: int = knob(2, "How many operations are drawn, one after the other.", unit="operations", ge=0, le=16)
    magnitude: int = knob(9, "How strong they are: counted from 0, below num_magnitude_bins.", ge=0, le=999, felt=True)
    num_magnitude_bins: int = knob(31, "How many strengths there are, from none to the strongest.", ge=2, le=1000)
    interpolation: Turning = knob("nearest", _INTERPOLATION)
    fill: Fill | None = knob(None, _FILL)

    @model_validator(mode="after")
    def _within(self) -> Self:
        if self.magnitude >= self.num_magnitude_bins:
            highest = self.num_magnitude_bins - 1
            sentence = f"With {self.num_magnitude_bins} strengths the highest is {highest}, not {self.magnitude}."
            raise FieldError("magnitude", sentence)
        return self

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        choice = policies.choice("RandAugment", self.num_magnitude_bins, *shape[1:])
        steps = []
        for _ in range(self.num_ops):
            steps.append(choice.drawn(dice, dice.integers(len(choice.codes)), self.magnitude))
        return _side_by_side(steps, len(dice))


@TRANSFORMS.add
class TrivialAugmentWide(_Automatic):
    """Applies one operation from a list, at a random strength: TrivialAugment (Müller and Hutter, 2021)."""

    num_magnitude_bins: int = knob(31, "How many strengths there are, from none to the strongest.", ge=2, le=1000)
    interpolation: Turning = knob("nearest", _INTERPOLATION)
    fill: Fill | None = knob(None, _FILL)

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        choice = policies.choice("TrivialAugmentWide", self.num_magnitude_bins, *shape[1:])
        pick, level = dice.integers(len(choice.codes)), dice.integers(self.num_magnitude_bins)
        return _side_by_side([choice.drawn(dice, pick, level)], len(dice))


@TRANSFORMS.add
class AugMix(_Automatic):
    """Blends a picture with versions of itself that were augmented step by step: AugMix (Hendrycks et al., 2019).

    The picture's own weight comes from Beta(alpha, alpha), those of the versions from a Dirichlet distribution. The
    operations are the kernels for tensors on PIL pictures too, as in torchvision.
    """

    severity: int = knob(3, "The strongest magnitude that is drawn, of ten.", ge=1, le=10, felt=True)
    mixture_width: int = knob(3, "How many augmented versions are blended in.", unit="versions", ge=1, le=10)
    chain_depth: int = knob(-1, "Operations for each version; below 1: one to three at random.", ge=-1, le=10)
    alpha: float = knob(1.0, "Small: one version outweighs the others. Large: all weigh alike.", ge=0.001, le=1000)
    all_ops: bool = knob(True, "Brightness, Color, Contrast and Sharpness are among the operations.")
    interpolation: Turning = knob("bilinear", _INTERPOLATION)
    fill: Fill | None = knob(None, _FILL)

    def output(self, kind: Kind) -> Kind:
        check_turning(self, self.interpolation, replace(kind, pil=False))
        return super().output(kind)

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        """`original`: the picture's own weight; `weight`: (B, mixture_width), of the versions; `operation` and
        `magnitude`: the steps of the first version, then of the second and so on, shorter ones with Identity behind."""
        choice = policies.choice("AugMix" if self.all_ops else "AugMix without colour", 10, *shape[1:])
        original, rest = policies.shares(dice.fork(0), self.alpha, 2)
        weight = policies.shares(dice.fork(1), self.alpha, self.mixture_width) * rest
        steps = []
        for _ in range(self.mixture_width):
            depth = dice.integers(3) + 1 if self.chain_depth < 1 else self.chain_depth
            for place in range(3 if self.chain_depth < 1 else self.chain_depth):
                pick, level = dice.integers(len(choice.codes)), dice.integers(self.severity)
                operation, magnitude = choice.drawn(dice, pick, level)
                steps.append((operation * (place < depth), magnitude))
        return {"original": original, "weight": weight.T, **_side_by_side(steps, len(dice))}

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        import torch
        from torchvision.transforms.v2 import functional

        if not isinstance(picture, torch.Tensor):
            return functional.to_pil_image(self.one(functional.pil_to_tensor(picture), drawn))
        return self._mixed(picture, [drawn["original"], *drawn["weight"]], _steps(drawn), self._operated)

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor | list[Tensor]:
        import torch

        if pictures.shape[1:].numel() > _LARGE:
            return each(pictures, drawn, self.one)
        shares = np.concatenate([drawn["original"][:, None], drawn["weight"]], axis=1).T
        weights = torch.from_numpy(shares).to(pictures.device)[..., None, None, None]
        steps = list(zip(drawn["operation"].T, drawn["magnitude"].T, strict=True))
        return self._mixed(pictures, list(weights), steps, self._step)

    def apply_pil(self, pictures: Tensor, drawn: Drawn) -> Tensor | list[Tensor]:
        return self.apply(pictures, drawn)

    def _mixed(
        self,
        pictures: Tensor,
        weights: Sequence[Any],
        steps: Sequence[tuple[Any, Any]],
        act: Callable[[Tensor, Any, Any], Tensor],
    ) -> Tensor:
        """The sum of the picture and its versions, each times its weight, in float32; whole levels are cut off."""
        mixed: Tensor = weights[0] * pictures
        for augmented, weight in zip(self._versions(pictures, steps, act), weights[1:], strict=True):
            mixed.add_(weight * augmented)
        return mixed.to(pictures.dtype)

    def _versions(
        self, pictures: Tensor, steps: Sequence[tuple[Any, Any]], act: Callable[[Tensor, Any, Any], Tensor]
    ) -> Iterator[Tensor]:
        for chain in self._chains(steps):
            augmented = pictures
            for operation, magnitude in chain:
                augmented = act(augmented, operation, magnitude)
            yield augmented

    def _chains(self, steps: Sequence[tuple[Any, Any]]) -> list[Sequence[tuple[Any, Any]]]:
        depth = len(steps) // self.mixture_width
        return [steps[start : start + depth] for start in range(0, len(steps), depth)]

    def told(self, drawn: Mapping[str, Any]) -> str:
        parts = [f"{drawn['original']:.2f} of the picture"]
        for weight, chain in zip(drawn["weight"], self._chains(_steps(drawn)), strict=True):
            parts.append(f"{weight:.2f} of ({_told(chain)})")
        return " + ".join(parts)
