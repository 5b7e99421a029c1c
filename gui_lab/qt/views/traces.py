"""What a chain does to some pictures, as columns of frames: the same draws and the same kernels as training uses.

Headers need no torch (the kinds are followed by the chain itself), nor does the column of the pictures as they came;
both are there while torch is still imported. The rest is computed by a `Tracer`, which may run on any one thread. It
remembers the stages of the pictures it was asked for last: after an edit only what stands at or behind the edited
transform is computed anew, which is what makes a strip as quick as a slider.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from gui_lab.core.chain import Chain
from gui_lab.core.dice import Dice, salt_of
from gui_lab.core.images import ImageSet
from gui_lab.core.pipeline import Kind, Transform, every
from gui_lab.core.stages import Stage
from gui_lab.qt.pictures import reducing_step
from gui_lab.qt.theme import DARK, LIGHT
from gui_lab.qt.views.facts import Histogram, bars_of, counted_step, histogram_of, span
from gui_lab.qt.views.frames import SOURCE, Column, Frame, as_picture, drawn_words, image_of, kind_words, range_words
from gui_lab.qt.views.strip_grid import HISTOGRAM

if TYPE_CHECKING:
    from torch import Tensor

_CANDIDATES = 256
_LARGE = 512 * 512  # pixels; handing on what takes less to another thread takes longer
_SMALL = 64  # pixels of a side up to which a transform may be made for one size


@dataclass(frozen=True)
class View:
    """How to look: with the draws of which seed and epoch, on the training or the validation path, tensors as signed
    colours or brought back to pictures, for a dark or a light ground, in cells of `side` device pixels (0: pictures
    are not reduced). `pinned` holds the epoch whose numbers are drawn at a position, for those where it is another one;
    at the position `without` the transform is left out."""

    seed: int
    epoch: int
    training: bool = True
    as_pictures: bool = False
    dark: bool = False
    pinned: Mapping[int, int] = field(default_factory=dict)
    side: int = 0
    without: int | None = None


def outline(chain: Chain, images: ImageSet, indices: Sequence[int], view: View) -> list[Column]:
    """The columns with all but the first still empty; without torch.

    Raises:
        DataError: a picture cannot be read.
    """
    headers = _headers(chain, chain.kinds(images.kind, view.training))
    return [replace(headers[0], frames=tuple(_source(images, index, view) for index in indices)), *headers[1:]]


def _headers(chain: Chain, kinds: Sequence[tuple[int, Kind]]) -> list[Column]:
    columns = []
    for position, after in kinds:
        name = "Source" if position == SOURCE else chain.transforms[position].name_of()
        random = position != SOURCE and chain.transforms[position].random
        columns.append(Column(position, name, random, kind_words(after), range_words(after)))
    return columns


def _source(images: ImageSet, index: int, view: View, picture: npt.NDArray[Any] | None = None) -> Frame:
    picture = images.picture(index) if picture is None else picture
    name = images.classes[images.labels[index]]
    image = image_of(picture, 0, 255, dark=view.dark, side=view.side)
    kind = Kind.image(*picture.shape)
    histogram = histogram_of(picture, 0, 255)
    bars = _bars(histogram, view)
    return Frame(image, kind.shape, lambda: picture, kind, name, (name,), None, histogram, bars)


def traced(chain: Chain, images: ImageSet, indices: Sequence[int], view: View) -> list[Column]:
    """The columns with a frame for each picture. Imports torch.

    Raises:
        DataError: a picture cannot be read.
    """
    return Tracer().columns(chain, images, indices, view)


@dataclass(frozen=True, eq=False)
class _Kept:
    """A picture's stages, what each was computed from, and the frames made of them."""

    steps: tuple[Any, ...]
    stages: tuple[Stage, ...]
    frames: dict[int, tuple[Any, Stage, Frame]] = field(default_factory=dict)


class Tracer:
    """Traces and remembers; not for two threads at once."""

    def __init__(self) -> None:
        self._images: ImageSet | None = None
        self._kept: dict[int, _Kept] = {}
        self._ends: tuple[Any, dict[int, npt.NDArray[Any]]] = (None, {})

    def columns(self, chain: Chain, images: ImageSet, indices: Sequence[int], view: View) -> list[Column]:
        """As `traced`."""
        if images is not self._images:
            self._kept, self._images = {}, images
        acting = _without(chain, view.without)
        kinds = acting.kinds(images.kind, view.training)
        kept = self._traced(acting, images, indices, view)
        ends = self._ends_of(acting, kinds, view)
        columns, both = [], list(zip(kept, indices, strict=True))
        for place, column in enumerate(_headers(acting, kinds)):
            if all(len(row.stages) > place for row in kept):
                transform = acting.transforms[column.position] if place else None
                look = _Look(transform, kinds[place][1], ends.get(column.position), view)
                columns.append(
                    replace(column, frames=tuple(look.frame(row, place, images, index) for row, index in both))
                )
        return _with_the_one_left_out(columns, chain, view)

    def _traced(self, chain: Chain, images: ImageSet, indices: Sequence[int], view: View) -> list[_Kept]:
        """Rows of which equally much is known are traced together; all of them where pictures are mixed."""
        steps = _steps(chain, indices, view)
        known = {index: self._known(index, steps) for index in indices}
        if chain.mixes:
            known = dict.fromkeys(indices, min(known.values()))
        parts = [[index for index in indices if known[index] == count] for count in sorted(set(known.values()))]
        if _worth_two_threads(chain, images.kind):
            parts = [half for part in parts for half in (part[::2], part[1::2]) if half]
        trace = partial(self._trace, chain, images, view, steps, known)
        made: dict[int, _Kept] = {}
        if len(parts) > 1:
            with ThreadPoolExecutor(len(parts), thread_name_prefix="tracing") as pool:
                for some in pool.map(trace, parts):
                    made |= some
        elif parts:
            made = trace(parts[0])
        self._kept = made if len(made) >= len(self._kept) else self._kept | made
        return [made[index] for index in indices]

    def _ends_of(self, chain: Chain, kinds: Sequence[tuple[int, Kind]], view: View) -> dict[int, npt.NDArray[Any]]:
        """As `_ends`; what is random has no part in them."""
        key = (
            [one for one in chain.steps(view.training) if not one[1].random],
            [(one.dtype, one.channels) for _, one in kinds],
        )
        if self._ends[0] != (key, kinds[0][1]):
            import torch

            with torch.inference_mode():
                self._ends = (key, kinds[0][1]), _ends(chain, kinds)
        return self._ends[1]

    def _known(self, index: int, steps: tuple[Any, ...]) -> int:
        """How many of a picture's steps need not be done again."""
        kept = self._kept.get(index)
        return min(_shared(kept.steps, steps), len(kept.stages) - 1) if kept else 0

    def _trace(
        self,
        chain: Chain,
        images: ImageSet,
        view: View,
        steps: tuple[Any, ...],
        known: Mapping[int, int],
        indices: Sequence[int],
    ) -> dict[int, _Kept]:
        """Of pictures of which equally much is known."""
        import torch

        before = [self._kept.get(index) for index in indices]
        count = known[indices[0]]
        with torch.inference_mode():
            rows = chain.trace(
                [
                    one.stages[0].picture if one else torch.from_numpy(images.picture(index))
                    for index, one in zip(indices, before, strict=True)
                ],
                np.array(indices),
                seed=view.seed,
                epoch=view.epoch,
                training=view.training,
                pinned=view.pinned,
                known=[one.stages[: count + 1] for one in before if one] if count else (),
            )
        return {
            index: _Kept(steps, (one.stages[0], *row[1:]), one.frames) if one else _Kept(steps, tuple(row))
            for index, row, one in zip(indices, rows, before, strict=True)
        }


def _worth_two_threads(chain: Chain, kind: Kind) -> bool:
    """torch's kernels let another thread go on, which pays for pictures that are not small. A person's own code is
    never run twice at once."""
    large = kind.least[0] * kind.least[1] >= _LARGE
    return large and not chain.mixes and all(one.code() is None for one in every(chain.transforms))


def _steps(chain: Chain, indices: Sequence[int], view: View) -> tuple[Any, ...]:
    """What the stages come from, one value for each transform that acts; equal ones give equal stages."""
    found = []
    for position, transform in chain.steps(view.training):
        alike = sum(other.name_of() == transform.name_of() for other in chain.transforms[:position])
        dice = (view.seed, view.pinned.get(position, view.epoch), alike) if transform.random else None
        found.append((position, transform, dice, tuple(indices) if transform.mixes else None))
    return tuple(found)


def _shared(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How many steps are the same from the front on."""
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))


def _without(chain: Chain, position: int | None) -> Chain:
    """The chain with one transform switched off; the others draw what they drew."""
    if position is None:
        return chain
    off = chain.transforms[position].model_copy(update={"enabled": False})
    return Chain((*chain.transforms[:position], off, *chain.transforms[position + 1 :]))


def _with_the_one_left_out(columns: Sequence[Column], chain: Chain, view: View) -> list[Column]:
    """Its column stays in its place, with the pictures that pass it by, so that the others do not jump."""
    position = view.without
    if position is None or (position, chain.transforms[position]) not in chain.steps(view.training):
        return list(columns)
    before = [column for column in columns if column.position < position]
    transform, passing = chain.transforms[position], before[-1]
    frames = tuple(replace(frame, captions=("left out",), told="left out") for frame in passing.frames)
    out = replace(
        passing, position=position, name=transform.name_of(), random=transform.random, frames=frames, off=True
    )
    return [*before, out, *columns[len(before) :]]


@dataclass(frozen=True)
class _Look:
    """What a frame comes from beside its stage; the picture as it came has no transform."""

    transform: Transform | None
    kind: Kind
    ends: npt.NDArray[Any] | None
    view: View

    def frame(self, row: _Kept, place: int, images: ImageSet, index: int) -> Frame:
        """Made anew only where the stage or the look is another one."""
        stage = row.stages[place]
        ends = None if self.ends is None else self.ends.tobytes()
        look = (self.kind, ends, self.view.as_pictures, self.view.dark, self.view.side)
        made = row.frames.get(place)
        if made is not None and made[0] == look and made[1] is stage:
            return made[2]
        frame = _source(images, index, self.view, stage.picture.numpy()) if place == 0 else self._frame(stage)
        row.frames[place] = (look, stage, frame)
        return frame

    def _frame(self, stage: Stage) -> Frame:
        kind, view = self.kind.sized(*stage.shape[1:]), self.view
        told = self.transform.told(stage.drawn) or drawn_words(stage.drawn) if self.transform else ""
        captions = [told] if told else []
        if kind.dtype == "float32":
            captions.append(span(*stage.ends))
        if not kind.bounded:
            values = stage.picture.numpy()
            finite = values[np.isfinite(values)]
            low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
            kind = replace(kind, low=low, high=high)
        step = counted_step(math.prod(stage.shape))
        histogram = histogram_of(stage.every(step).numpy(), kind.low, kind.high, step * step)
        looks, low, high = stage.every(reducing_step(max(stage.shape[1:]), view.side)).numpy(), kind.low, kind.high
        if view.as_pictures and self.ends is not None:
            looks, low, high = as_picture(looks, self.ends), 0.0, 1.0
        image = image_of(looks, low, high, dark=view.dark, side=view.side)
        bars, planes = _bars(histogram, view), low < 0 and len(looks) > 1
        return Frame(
            image, stage.shape, partial(_values, stage), kind, told, tuple(captions), self.ends, histogram, bars, planes
        )


def _values(stage: Stage) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = stage.picture.numpy()
    return values


def _bars(histogram: Histogram, view: View) -> QImage:
    return bars_of(histogram, HISTOGRAM - 1, (DARK if view.dark else LIGHT).quiet)


def _ends(chain: Chain, kinds: Sequence[tuple[int, Kind]]) -> dict[int, npt.NDArray[Any]]:
    """What black and white have become at each place where pictures are tensors, as (2, C, 1, 1): with them a tensor
    is brought back to a picture, whatever made it one."""
    import torch

    found: dict[int, npt.NDArray[Any]] = {}
    marks: Tensor | None = None
    before = kinds[0][1]
    for position, after in kinds[1:]:
        transform = chain.transforms[position]
        if after.dtype == "float32" and marks is None:
            size = after.size if after.size and max(after.size) <= _SMALL else (1, 1)
            marks = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, after.channels, *size)
        elif marks is not None and _range(after) != _range(before) and not transform.random:
            changed = transform.apply(marks, {})
            marks = changed if not isinstance(changed, list) else torch.stack(changed)
            if not bool((marks == marks[:, :, :1, :1]).all()):
                break  # each pixel has a black of its own now (whitening): no picture comes back by black and white
        if marks is not None:
            found[position] = marks[:, :, :1, :1].numpy()
        before = after
    return {position: ends for position, ends in found.items() if np.all(ends[0] != ends[1])}


def _range(kind: Kind) -> tuple[float, float, int]:
    return kind.low, kind.high, kind.channels


def picked(images: ImageSet, choice: int, count: int) -> list[int]:
    """Indices of training pictures to look at, of as many classes as there are; another choice gives others."""
    dice = Dice(choice, 1, range(_CANDIDATES), salt_of("picked", 0))
    found = list(dict.fromkeys(images.train[dice.integers(len(images.train))].tolist()))
    seen: Counter[int] = Counter()
    rounds = {}
    for index in found:
        label = int(images.labels[index])
        rounds[index] = seen[label]
        seen[label] += 1
    return sorted(found, key=rounds.__getitem__)[:count]
