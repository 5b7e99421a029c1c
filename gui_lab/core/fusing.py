"""Fusing: a stretch of a chain that acts on one number for each pixel, chunk by chunk, instead of on three channels.

Crops, borders, flips and turns by the nearest pixel only copy pixels, so it does not matter what a pixel is. In a
stretch of them it is its colour as one number, 65536 R + 256 G + B: float32 holds all of these exactly, and black is 0
as what lies outside of a picture. The transforms run their own kernels on these numbers, so nothing is computed in a
second way that could differ, and three channels cost what one does. A transform that changes some of the pictures
(a grey one in ten) gets these as pictures. ToTensor and Normalize at the end of a stretch overwrite the batch that the
network gets while it lies in the cache. A stretch works on a few pictures at a time: memory is bounded by the batch.

A turn by bilinear sampling ends a stretch, and the moves behind it begin another. Moves before it cannot be part of
the sampling and stay exact, also where the fill is the same: the places that are read would be reckoned from another
size and middle, which changes the last bits of their weights and with them a level here and there, and what a crop cut
away would come back into view. Moves behind it could, for they only choose among what was sampled; but a crop takes a
thirtieth of the time of the sampling, and a flip an eighth.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gui_lab.core.canvas import levels
from gui_lab.core.dice import Indices
from gui_lab.core.pipeline import Drawn, Illegal, Kind, Transform

if TYPE_CHECKING:
    import torch
    from torch import Tensor

CHUNK = 1 << 18
"""Pixels that are worked on at a time: their numbers take 1 MB, about what a core keeps close."""


@dataclass(frozen=True)
class Step:
    """A transform in a stretch.

    Attributes:
        position: in the chain's list.
        transform: as it stands there.
        mover: the same with its fill as a colour number; None where it gets some pictures as pictures.
        shape: (C, H, W) of the pictures that arrive.
    """

    position: int
    transform: Transform
    mover: Transform | None
    shape: tuple[int, int, int]


@dataclass(frozen=True)
class Stretch:
    """Consecutive transforms that are applied as one.

    Attributes:
        steps: on colour numbers; may be empty.
        tail: what then overwrites the batch as float32; may be empty.
        shape: (C, H, W) of the pictures that leave.
    """

    steps: tuple[Step, ...]
    tail: tuple[Transform, ...]
    shape: tuple[int, int, int]

    def __len__(self) -> int:
        return len(self.steps) + len(self.tail)

    def apply(self, pictures: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        """What its transforms do one after the other, to the bit.

        Args:
            pictures: uint8 (B, C, H, W); not changed.
            drawn: what each of `steps` drew for these pictures.

        Returns:
            (B, *shape), contiguous; float32 where there is a tail, else uint8.
        """
        import torch

        out = torch.empty(
            (len(pictures), *self.shape), dtype=torch.float32 if self.tail else torch.uint8, device=pictures.device
        )
        pixels = max(pictures[0, 0].numel(), out[0, 0].numel()) if len(pictures) else 1
        count = max(CHUNK // pixels, 1)
        for start in range(0, len(pictures), count):
            part = slice(start, start + count)
            self._chunk(pictures[part], [chosen(numbers, part) for numbers in drawn], out[part])
        return out

    def _chunk(self, pictures: Tensor, drawn: Sequence[Drawn], out: Tensor) -> None:
        if self.steps:
            numbers = as_numbers(pictures)
            for step, numbers_drawn in zip(self.steps, drawn, strict=True):
                numbers = _stepped(step, numbers, numbers_drawn)
            spread(numbers, out)
        else:
            out.copy_(pictures)
        for transform in self.tail:
            transform.overwrite(out)


def stretch(steps: Sequence[tuple[int, Transform]], shape: tuple[int, int, int]) -> Stretch | None:
    """The transforms at the front of `steps` that can be applied as one to uint8 pictures of this (C, H, W); None where
    that gains nothing."""
    found: list[Step] = []
    tail: list[Transform] = []
    kind = Kind.image(*shape)
    for position, transform in steps:
        try:
            leaving = transform.output(kind)
        except Illegal:
            break
        if leaving.size is None or leaving.pil or leaving.mixed:
            break
        step = None if tail else _step(position, transform, kind, leaving)
        if step is not None:
            found.append(step)
        elif transform.overwrites() and leaving.dtype == "float32" and leaving != kind:
            tail.append(transform)
        else:
            break
        kind = leaving
    moves = sum(step.mover is not None for step in found)
    if moves + bool(tail) < 2 and len(tail) < 2:
        return None
    return Stretch(tuple(found), tuple(tail), kind.shape)


def _step(position: int, transform: Transform, kind: Kind, leaving: Kind) -> Step | None:
    if kind.channels not in (1, 3) or (leaving.dtype, leaving.channels) != ("uint8", kind.channels):
        return None
    if transform.moves():
        mover = _mover(transform, kind.channels)
        return None if mover is None else Step(position, transform, mover, kind.shape)
    if transform.decider and leaving.size == kind.size:
        return Step(position, transform, None, kind.shape)
    return None


def _mover(transform: Transform, channels: int) -> Transform | None:
    """The transform with its fill as a colour number; None where kernels would round a fill each in its own way."""
    fill = levels(getattr(transform, "fill", 0))
    if not any(fill):
        return transform
    if any(level != round(level) for level in fill):
        return None
    number = 0.0
    for level in fill * channels if len(fill) == 1 else fill:
        number = number * 256 + level
    return transform.model_copy(update={"fill": number})


def chosen(drawn: Drawn, which: slice | Indices) -> Drawn:
    """What was drawn for some of the pictures."""
    return {name: values[which] for name, values in drawn.items()}


def _stepped(step: Step, numbers: Tensor, drawn: Drawn) -> Tensor:
    transform = step.mover or step.transform
    if not transform.decider:
        return _one_size(transform.apply(numbers, drawn))
    places = np.flatnonzero(drawn[transform.decider])
    if not len(places):
        return numbers
    import torch

    which, their = torch.from_numpy(places).to(numbers.device), chosen(drawn, places)
    some = numbers.index_select(0, which)
    if step.mover is not None:
        changed = _one_size(transform.apply(some, their))
    else:
        pictures = some.new_empty((len(some), *step.shape), dtype=torch.uint8)
        spread(some, pictures)
        changed = as_numbers(_one_size(transform.apply(pictures, their)))
    return numbers.index_copy_(0, which, changed)  # they are this stretch's own: no transform gives a shared view


def _one_size(applied: Tensor | list[Tensor]) -> Tensor:
    assert not isinstance(applied, list), "a transform that moves pixels gives pictures of one size"
    return applied


def as_numbers(pictures: Tensor) -> Tensor:
    """Colours as numbers, a new float32 (B, 1, H, W), from uint8 (B, C, H, W) with one channel or three."""
    import torch

    if pictures.shape[1] == 1:
        return pictures.to(torch.float32, memory_format=torch.contiguous_format)
    shifted = pictures.to(torch.int32, memory_format=torch.contiguous_format) << _shifts(pictures.device)
    return shifted.sum(1, keepdim=True, dtype=torch.int32).to(torch.float32)


def spread(numbers: Tensor, out: Tensor) -> None:
    """The inverse of `as_numbers`, into uint8 or float32 (B, C, H, W)."""
    import torch

    if out.shape[1] == 1:
        out.copy_(numbers)
    else:
        out.copy_((numbers.to(torch.int32) >> _shifts(numbers.device)).bitwise_and_(255))


@functools.lru_cache(maxsize=8)
def _shifts(device: torch.device) -> Tensor:
    """By how many bits red, green and blue are shifted in a colour's number."""
    import torch

    return torch.tensor([16, 8, 0], dtype=torch.int32, device=device)[:, None, None]
