"""Transforms that change values without mixing colours: each picture by chance, and always in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from gui_lab.core.canvas import showing
from gui_lab.core.colours import ByChance, check_channels, in_range, sharpened, white
from gui_lab.core.pipeline import TRANSFORMS, Illegal, Kind, TooLate, Transform
from gui_lab.schema import knob

if TYPE_CHECKING:
    from torch import Tensor


@TRANSFORMS.add
class RandomInvert(ByChance):
    """Turns black into white and white into black, as in a negative, with a given probability."""

    decider: ClassVar[str] = "inverted"

    p: float = knob(0.5, "Probability that a picture is inverted.", ge=0, le=1, felt=True)

    def output(self, kind: Kind) -> Kind:
        check_channels(self, kind)
        return showing(kind, white(kind) - kind.high, white(kind) - kind.low)

    def change(self, picture: Any) -> Any:
        from torchvision.transforms.v2 import functional

        return functional.invert(picture)


@TRANSFORMS.add
class RandomPosterize(ByChance):
    """Keeps few levels of each channel, as on a poster, with a given probability: the highest of the 8 bits."""

    decider: ClassVar[str] = "posterized"

    bits: int = knob(help="How many bits of each channel stay: 1 leaves 2 levels, 2 leave 4, and so on.", ge=0, le=8)
    p: float = knob(0.5, "Probability that a picture is posterized.", ge=0, le=1, felt=True)

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(bits=3)

    def output(self, kind: Kind) -> Kind:
        check_channels(self, kind)
        if kind.pil and self.bits == 0:
            raise Illegal("PIL keeps 1 bit at least.", "bits", [("Keep 1 bit", (self.changed(bits=1),))])
        return showing(kind, 0)

    def change(self, picture: Any) -> Any:
        from torchvision.transforms.v2 import functional

        return functional.posterize(picture, self.bits)


@TRANSFORMS.add
class RandomSolarize(ByChance):
    """Inverts all values from a threshold on, as an overexposed photograph, with a given probability."""

    decider: ClassVar[str] = "solarized"

    threshold: float = knob(
        help="This value and all above it are inverted; 0 to 255, or 0 to 1 of a tensor.", ge=0, le=255
    )
    p: float = knob(0.5, "Probability that a picture is solarized.", ge=0, le=1, felt=True)

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(threshold=0.5 if kind is not None and kind.dtype == "float32" else 128)

    def output(self, kind: Kind) -> Kind:
        check_channels(self, kind)
        if self.threshold > white(kind):
            sentence = f"The threshold {self.threshold:g} is above 1, the brightest value of a tensor."
            repairs = [("Divide it by 255", (self.changed(threshold=self.threshold / 255),))]
            raise Illegal(sentence, "threshold", repairs)
        if kind.high < self.threshold:
            return kind
        return showing(kind, white(kind) - kind.high, white(kind) - max(kind.low, self.threshold))

    def change(self, picture: Any) -> Any:
        from torchvision.transforms.v2 import functional

        return functional.solarize(picture, self.threshold)

    def change_batch(self, pictures: Tensor) -> Tensor:
        import torch

        if pictures.dtype != torch.uint8:
            return super().change_batch(pictures)
        inverting = (pictures >= self.threshold).view(torch.uint8).mul_(255)
        return inverting.bitwise_xor_(pictures)  # a tenth of the time of `torch.where`


@TRANSFORMS.add
class RandomAdjustSharpness(ByChance):
    """Blurs or sharpens the picture with a given probability, by torchvision's adjust_sharpness."""

    decider: ClassVar[str] = "sharpened"

    sharpness_factor: float = knob(help="0 blurs, 1 leaves it as it is, 2 sharpens twofold.", ge=0, le=100)
    p: float = knob(0.5, "Probability that a picture is sharpened.", ge=0, le=1, felt=True)

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(sharpness_factor=2)

    def output(self, kind: Kind) -> Kind:
        check_channels(self, kind)
        return showing(kind, 0, white(kind))

    def change(self, picture: Any) -> Any:
        from torchvision.transforms.v2 import functional

        return functional.adjust_sharpness(picture, self.sharpness_factor)

    def change_batch(self, pictures: Tensor) -> Tensor:
        return sharpened(pictures, self.sharpness_factor)


@TRANSFORMS.add
class RandomAutocontrast(ByChance):
    """Stretches each channel so that its darkest value is black and its brightest white, with a given probability."""

    decider: ClassVar[str] = "stretched"

    p: float = knob(0.5, "Probability that a picture is stretched.", ge=0, le=1, felt=True)

    def output(self, kind: Kind) -> Kind:
        check_channels(self, kind)
        return showing(kind, 0, white(kind))

    def change(self, picture: Any) -> Any:
        from torchvision.transforms.v2 import functional

        return functional.autocontrast(picture)


@TRANSFORMS.add
class RandomEqualize(ByChance):
    """Spreads the values of each channel until all are about equally frequent, with a given probability."""

    decider: ClassVar[str] = "equalized"

    p: float = knob(0.5, "Probability that a picture is equalized.", ge=0, le=1, felt=True)

    def output(self, kind: Kind) -> Kind:
        check_channels(self, kind)
        if not in_range(kind):
            sentence = f"RandomEqualize takes values from 0 to 1, but {kind.low:.4g} to {kind.high:.4g} arrive."
            raise TooLate(sentence, "", [("Take it out", ())])
        return showing(kind, 0, white(kind))

    def change(self, picture: Any) -> Any:
        from torchvision.transforms.v2 import functional

        return functional.equalize(picture)
