"""What the studio has computed in the background: the strip, the end of a chain that is kept, or nine variants.

A desk remembers what it computed last, so that an edit costs only what stands behind it. It is used by one thread.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gui_lab.core.chain import Chain
from gui_lab.core.images import ImageSet
from gui_lab.qt.views.frames import KEPT, Column
from gui_lab.qt.views.seen_words import picture_words
from gui_lab.qt.views.traces import Tracer, View, outline
from gui_lab.qt.views.variants import COUNT, Variant


@dataclass(frozen=True, eq=False)
class Request:
    """
    Attributes:
        chain: what acts.
        indices: of the pictures, one for each row.
        view: how to look.
        other: a chain whose end is shown beside that of `chain`.
        nine: the picture and the position (negative: the end) of which variants are wanted instead.
        first: the row that is wanted at once, before the others; None for all rows.
    """

    chain: Chain
    images: ImageSet
    indices: tuple[int, ...]
    view: View
    other: Chain | None = None
    nine: tuple[int, int] | None = None
    first: int | None = None


@dataclass(frozen=True, eq=False)
class Seen:
    """The columns of the strip, or variants with what they are of. Where the request has a `first` row, each column has
    that frame alone."""

    request: Request
    columns: list[Column] = field(default_factory=list)
    variants: tuple[Variant, ...] = ()
    title: str = ""


class Desk:
    """Computes requests, one after the other."""

    def __init__(self) -> None:
        self._strip, self._other = Tracer(), Tracer()
        self._nine = tuple(Tracer() for _ in range(COUNT))
        self.seconds = 0.0
        """What the strip took the last time that all of its rows were computed."""

    @staticmethod
    def outline(request: Request) -> Seen:
        """What can be seen without torch.

        Raises:
            DataError: a picture cannot be read.
        """
        return Seen(request, outline(request.chain, request.images, request.indices, request.view))

    def see(self, request: Request) -> Seen:
        """
        Raises:
            DataError: a picture cannot be read.
        """
        if request.nine is not None:
            return self._variants(request, *request.nine)
        began = time.perf_counter()
        indices = request.indices if request.first is None else request.indices[request.first : request.first + 1]
        columns = self._strip.columns(request.chain, request.images, indices, request.view)
        if request.other is not None:
            view = replace(request.view, without=None, pinned={})
            end = self._other.columns(request.other, request.images, indices, view)[-1]
            columns = [*columns, replace(end, position=KEPT, name="A\u2019s end", random=False)]
        if request.first is None:
            self.seconds = time.perf_counter() - began
        return Seen(request, columns)

    def _variants(self, request: Request, index: int, position: int) -> Seen:
        """One picture in consecutive epochs."""
        view, variants, name = request.view, [], ""
        for place, tracer in enumerate(self._nine):
            seen = replace(view, epoch=view.epoch + place)
            columns = tracer.columns(request.chain, request.images, (index,), seen)
            wanted = _up_to(columns, position)
            told = ", ".join(column.frames[0].told for column in wanted if column.random and column.frames[0].told)
            variants.append(Variant(seen.epoch, wanted[-1].frames[0], told))
            name = wanted[-1].name
        images = request.images
        of = picture_words(
            index, images.classes[images.labels[index]], images.names[index] if len(images.names) else ""
        )
        place_words = f" after {name}" if position >= 0 else ""
        return Seen(request, variants=tuple(variants), title=f"{of[0].upper()}{of[1:]}{place_words}")


def merged(before: Sequence[Column], now: Sequence[Column], row: int) -> list[Column]:
    """The strip with one row anew, where the others keep what they showed until theirs comes; empty where it has other
    columns than before, so that there is nothing to keep."""
    shown = [column.frames for column in before]
    same = [column.position for column in before] == [column.position for column in now]
    if not same or any(len(frames) <= row for frames in shown):
        return []
    return [
        replace(column, frames=(*frames[:row], *column.frames, *frames[row + 1 :]))
        for column, frames in zip(now, shown, strict=True)
    ]


def _up_to(columns: Sequence[Column], position: int) -> Sequence[Column]:
    """The columns up to a position; all where it is negative or is not among them."""
    places = [place for place, column in enumerate(columns) if column.position == position]
    return columns[: places[0] + 1] if places and position >= 0 else columns
