"""What a transform is, and the kind of pictures that it takes and gives.

A transform is split in two. `draw` turns random numbers into plain parameters, one per picture, from (seed, epoch,
index) alone; `apply` is pure and takes a whole batch. The same two functions feed training, previews and the command
line, so what a preview shows is what training gets.

The reference is `torchvision.transforms.v2` on uint8 image tensors. `one` says what a transform means: torchvision's
own kernels on one picture, with the numbers drawn for it. `apply` does the same to a batch, by default picture by
picture; where a faster way gives the same pixels, a transform has its own. torch is imported inside of both only, so
that the catalogue can be listed, edited and checked in milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy.typing as npt

from gui_lab.core.dice import Dice
from gui_lab.schema import Registry, Spec, knob

if TYPE_CHECKING:
    from torch import Tensor

    from gui_lab.core.trust import Code

Drawn = dict[str, npt.NDArray[Any]]
"""What a transform drew: plain numbers, each array with one entry per picture."""


UNBOUNDED = 1e6
"""Bounds that stand for "any value": finite, so that what follows can be reckoned with them."""


@dataclass(frozen=True)
class Kind:
    """What kind of pictures stand at a place of the chain.

    Attributes:
        dtype: "uint8" for an image with values 0..255, "float32" for a tensor.
        channels: 1 (grey) or 3 (RGB); any other number is carried along.
        height, width: pixels; None where the pictures differ in size.
        least: the smallest height and width that occur, pixels.
        low, high: the range of values that can occur.
        pil: a PIL picture: the values are as in an image, and PIL's own kernels act on it.
        mixed: pictures of a batch are mixed with each other, and so are their labels.
    """

    dtype: Literal["uint8", "float32"]
    channels: int
    height: int | None
    width: int | None
    least: tuple[int, int]
    low: float = 0.0
    high: float = 255.0
    pil: bool = False
    mixed: bool = False

    @classmethod
    def image(cls, channels: int, height: int | None, width: int | None, least: tuple[int, int] | None = None) -> Kind:
        """A uint8 image."""
        return cls("uint8", channels, height, width, least or (height or 1, width or 1))

    @property
    def bounded(self) -> bool:
        """Whether a range of values is known; own code may give any."""
        return self.high - self.low < UNBOUNDED

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) in pixels, or None where the pictures differ in size."""
        return None if self.height is None or self.width is None else (self.height, self.width)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width); only where all pictures are of one size."""
        assert self.height is not None
        assert self.width is not None
        return (self.channels, self.height, self.width)

    def sized(self, height: int, width: int) -> Kind:
        """The same kind at one size."""
        if (self.height, self.width) == self.least == (height, width):
            return self
        return replace(self, height=height, width=width, least=(height, width))

    def __str__(self) -> str:
        size = f"{self.height}x{self.width}" if self.size else "various sizes"
        what = "PIL picture" if self.pil else "image" if self.dtype == "uint8" else "tensor"
        return f"{what} {self.dtype} {self.channels}x{size}"


class Illegal(Exception):
    """Raised by `Transform.output`: what arrives cannot be transformed.

    `repairs` are pairs of a label and the transforms that stand in this one's place once the repair is made; `code` is
    what a person has to read and trust first.
    """

    def __init__(
        self,
        sentence: str,
        field: str = "",
        repairs: Sequence[tuple[str, tuple[Transform, ...]]] = (),
        code: Code | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.repairs = tuple(repairs)
        self.code = code


class TooLate(Illegal):
    """An earlier place of the chain may be the right one; the check looks for it and offers the move."""


class Transform(Spec):
    """One step of a chain. Fields are named as the arguments of torchvision's class of the same name."""

    random: ClassVar[bool] = False
    """True where it draws; such a transform acts on training pictures only."""
    mixes: ClassVar[bool] = False
    """True where it mixes the pictures of a batch with each other, and their labels (CutMix, MixUp)."""
    to_pil: ClassVar[bool | None] = None
    """True where it turns pictures into PIL pictures, False where into tensors, None where they stay what they are."""

    measures: ClassVar[Literal["", "mean and std", "whitening"]] = ""
    """What *Measure from data* finds out for its fields (`probes.measuring_for`); empty where there is nothing."""

    decider: ClassVar[str] = ""
    """The drawn bool without which a picture passes unchanged; empty where every picture may change."""

    enabled: bool = knob(True, "Switched off, it stays in the list and does nothing.", listed=False)

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        """The values a person most likely wants when adding it to pictures of this kind; a valid instance always."""
        return cls()

    def output(self, kind: Kind) -> Kind:
        """The kind that leaves when `kind` arrives.

        Raises:
            Illegal: it cannot be applied to what arrives.
        """
        return kind

    @property
    def title(self) -> str:
        """What a list calls it."""
        return self.name_of()

    def code(self) -> Code | None:
        """A person's code that it runs, where it has some; what is in transforms that it holds is theirs to tell."""
        return None

    def draw(self, dice: Dice, shape: tuple[int, int, int]) -> Drawn:
        """Parameters for each picture of a batch whose pictures have this (channels, height, width)."""
        return {}

    def told(self, drawn: Mapping[str, Any]) -> str:
        """The drawn numbers of one picture in words, empty where the numbers speak for themselves."""
        return ""

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        """What it means: torchvision's own functional kernels.

        Args:
            picture: a tensor (..., C, H, W), uint8 or float32, or a PIL picture; never changed in place.
            drawn: plain numbers, one picture's part of what `draw` returned; empty where it draws nothing.

        Returns:
            A tensor or a PIL picture, as what came in.
        """
        raise NotImplementedError(f"{self.name_of()} does not say how it is applied")

    def apply(self, pictures: Tensor, drawn: Drawn) -> Tensor | list[Tensor]:
        """Transform a batch: what `one` does to each picture, to the bit for moves, crops, flips and nearest pixels, to
        one level of 255 where values between pixels are computed.

        Args:
            pictures: (B, C, H, W), uint8 or float32; never changed in place.
            drawn: what `draw` returned for these pictures.

        Returns:
            (B, C', H', W'), or B tensors (C', H', W') where sizes come out different.
        """
        if not drawn:
            whole: Tensor = self.one(pictures, {})
            return whole
        return each(pictures, drawn, self.one)

    def apply_pil(self, pictures: Tensor, drawn: Drawn) -> Tensor | list[Tensor]:
        """As `apply`, by the kernels for PIL pictures: uint8 in, uint8 out."""
        from torchvision.transforms.v2 import functional

        def act(picture: Tensor, numbers: Mapping[str, Any]) -> Tensor:
            acted: Tensor = functional.pil_to_tensor(self.one(functional.to_pil_image(picture), numbers))
            return acted

        return each(pictures, drawn, act)

    def moves(self) -> bool:
        """Whether each pixel that leaves is one that arrived, or else its `fill` (black where it has none), unchanged,
        and all pictures of a batch leave in one size: then `fusing` may apply it to other numbers than channels."""
        return False

    def overwrites(self) -> bool:
        """Whether `overwrite` is there: then each value that leaves comes from the one value in its place alone, and
        never from a larger one a smaller one."""
        return False

    def overwrite(self, pictures: Tensor) -> None:
        """Do in place what `apply` does, to the bit.

        Args:
            pictures: float32 (B, C, H, W), contiguous; levels 0..255 where `apply` takes uint8.
        """
        raise NotImplementedError(f"{self.name_of()} does not say how it overwrites")

    def mix_labels(self, labels: Tensor, drawn: Drawn, shape: tuple[int, int, int]) -> Tensor:
        """What becomes of the labels of a batch that `apply` mixes.

        Args:
            labels: float32 (B, classes), rows sum to 1.
            drawn: what `draw` returned for this batch.
            shape: (channels, height, width) of the pictures that arrive.
        """
        return labels


def plain(drawn: Drawn, place: int) -> dict[str, Any]:
    """One picture's part of what was drawn, as plain ints, floats, bools and lists."""
    return {name: values[place].tolist() for name, values in drawn.items()}


def each(pictures: Tensor, drawn: Drawn, act: Callable[[Tensor, Mapping[str, Any]], Tensor]) -> Tensor | list[Tensor]:
    """A batch picture by picture, each with its part of what was drawn."""
    import torch

    acted = [act(picture, plain(drawn, place)) for place, picture in enumerate(pictures)]
    return torch.stack(acted) if all(one.shape == acted[0].shape for one in acted) else acted


TRANSFORMS: Registry[Transform] = Registry("transform")


def every(transforms: Sequence[Transform]) -> Iterator[Transform]:
    """All transforms, those too that others hold, an outer one before its inner ones."""
    for transform in transforms:
        yield transform
        for field in transform.holds:
            yield from every(getattr(transform, field))
