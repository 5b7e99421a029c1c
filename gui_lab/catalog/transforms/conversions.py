"""Conversions between the kinds of pictures: uint8 images, float tensors and PIL pictures.

On its way through a chain a PIL picture is carried as the uint8 tensor of its values, so that a batch stays one
tensor; what makes it a PIL picture is that PIL's kernels act on it (`apply_pil`). So these conversions change numbers
only where torchvision's do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gui_lab.core.pipeline import TRANSFORMS, Drawn, Illegal, Kind, TooLate, Transform
from gui_lab.schema import knob

if TYPE_CHECKING:
    from torch import Tensor

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


@TRANSFORMS.add
class ToTensor(Transform):
    """Turns a uint8 image 0..255 into a float32 tensor 0..1; today's ToImage and ToDtype(float32, scale=True)."""

    group: ClassVar[str] = "Conversion"
    to_pil: ClassVar[bool | None] = False

    def output(self, kind: Kind) -> Kind:
        return kind if kind.dtype == "float32" else replace(kind, dtype="float32", low=0.0, high=1.0, pil=False)

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        import torch

        values = _as_tensor(picture)
        if values.is_floating_point():
            return values
        return values.to(torch.float32, memory_format=torch.contiguous_format).mul_(1.0 / 255)

    def overwrites(self) -> bool:
        return True

    def overwrite(self, pictures: Tensor) -> None:
        pictures.mul_(1.0 / 255)


@TRANSFORMS.add
class ToImage(Transform):
    """Turns a PIL picture into an image tensor with the same values; an image or a tensor stays as it is."""

    group: ClassVar[str] = "Conversion"
    to_pil: ClassVar[bool | None] = False

    def output(self, kind: Kind) -> Kind:
        return replace(kind, pil=False)

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        return _as_tensor(picture)


@TRANSFORMS.add
class PILToTensor(Transform):
    """Turns a PIL picture into a uint8 tensor with the same values; an image or a tensor stays as it is."""

    group: ClassVar[str] = "Conversion"
    to_pil: ClassVar[bool | None] = False

    def output(self, kind: Kind) -> Kind:
        return replace(kind, pil=False)

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        return _as_tensor(picture)


@TRANSFORMS.add
class ToDtype(Transform):
    """Gives the values another type, and with scale another range; a PIL picture passes as it is."""

    group: ClassVar[str] = "Conversion"

    dtype: Literal["float32", "uint8"] = knob(help="The type afterwards: float32 for a tensor, uint8 for an image.")
    scale: bool = knob(False, "Scale 0..255 to 0..1 and back; without it the values stay and only their type changes.")

    @classmethod
    def suggested(cls, kind: Kind | None) -> Transform:
        return cls(dtype="float32", scale=True)

    def output(self, kind: Kind) -> Kind:
        if kind.pil or kind.dtype == self.dtype:
            return kind
        if self.dtype == "float32":
            unit = 255 if self.scale else 1
            return replace(kind, dtype="float32", low=kind.low / unit, high=kind.high / unit)
        most, step = (1, 255.999) if self.scale else (255, 1)
        if not _within(kind, most):
            raise Illegal(
                f"A uint8 image can show 0..{most} {'with' if self.scale else 'without'} scale, but {_span(kind)} "
                "arrives.",
                "dtype",
                [("Remove it", ())],
            )
        low, high = (min(max(math.floor(end * step), 0), 255) for end in (kind.low - 1e-6, kind.high + 1e-6))
        return replace(kind, dtype="uint8", low=low, high=high)

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        import torch
        from torchvision.transforms.v2 import functional

        if not isinstance(picture, torch.Tensor):
            return picture
        return functional.to_dtype(picture, getattr(torch, self.dtype), self.scale)

    def apply_pil(self, pictures: Tensor, drawn: Drawn) -> Tensor:
        return pictures


@TRANSFORMS.add
class ToPILImage(Transform):
    """Turns an image or a tensor 0..1 into a PIL picture of whole levels; from here on PIL's own kernels act."""

    group: ClassVar[str] = "Conversion"
    to_pil: ClassVar[bool | None] = True

    mode: Literal["L", "LA", "RGB", "RGBA"] | None = knob(
        None, "PIL's name for the channels: L 1, LA 2, RGB 3, RGBA 4. Empty: by their number."
    )

    def output(self, kind: Kind) -> Kind:
        if kind.pil:
            return kind
        mode = _MODES.get(kind.channels)
        if mode is None:
            sentence = f"A PIL picture has 1 to 4 channels, but {kind.channels} arrive."
            raise Illegal(sentence, "", [("Remove it", ())])
        if self.mode not in (None, mode):
            sentence = f"Mode {self.mode} does not fit the {kind.channels} channel(s) that arrive."
            raise Illegal(sentence, "mode", [(f"Use {mode}", (self.changed(mode=mode),))])
        if kind.dtype == "uint8":
            return replace(kind, pil=True)
        if not _within(kind, 1):
            sentence = f"ToPILImage needs a tensor 0..1, but {_span(kind)} arrives."
            raise TooLate(sentence, "", [("Remove it", ())])
        low, high = (min(max(math.floor(end * 255), 0), 255) for end in (kind.low - 1e-6, kind.high + 1e-6))
        return replace(kind, dtype="uint8", low=low, high=high, pil=True)

    def one(self, picture: Any, drawn: Mapping[str, Any]) -> Any:
        import torch

        if not isinstance(picture, torch.Tensor) or not picture.is_floating_point():
            return picture
        return picture.mul(255).to(torch.uint8)


def _as_tensor(picture: Any) -> Any:
    """The values of a PIL picture; a tensor as it is."""
    import torch
    from torchvision.transforms.v2 import functional

    return picture if isinstance(picture, torch.Tensor) else functional.pil_to_tensor(picture)


def _within(kind: Kind, most: float) -> bool:
    return kind.low >= 0 and kind.high <= most


def _span(kind: Kind) -> str:
    return f"{kind.low:.3g} to {kind.high:.3g}".replace("-", "\N{MINUS SIGN}")
