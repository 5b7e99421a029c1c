"""A convolution as pictures: what arrives, its maps, its filters, with the pixel in hand in a frame.

Signed numbers are drawn blue and red around zero; what comes out of a ReLU has no sign and is drawn from dark to
bright. Pictures that are compared have one scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from gui_lab.core.exhibits import Frame, Picture, Pictures
from gui_lab.core.microscope import Sliding, View

if TYPE_CHECKING:
    from torch import Tensor

Grid = npt.NDArray[Any]
MOST = 64
"""Maps, filters or channels of a wall."""
PLACE = ("row", "column")


@dataclass(frozen=True, eq=False)
class Look:
    """A convolution, and where one looks.

    Attributes:
        channel: of the maps.
        row, column: the pixel in hand of that map.
        part: the one of the arriving channels that is seen in numbers.
        source: the picture as the data set has it, uint8 (C, H, W).
        reaching: what reaches the network, float (C, H, W); of a kernel of one's own the picture it slides over.
        name: of the picture, in words.
        typed: a kernel of one's own, and no network.
        weights: whose they are, as a sentence.
        layer, layers: which of how many convolutions, from 1.
        kept: of each snapshot of the run its epoch and its filters, as `View.weight`.
        newest: the filters as they are now; None for those of `view`.
        epoch: of the weights that are seen; 0 for the newest.
    """

    view: View
    channel: int
    row: int
    column: int
    part: int
    source: Grid
    reaching: Tensor
    name: str
    typed: bool
    weights: str = ""
    layer: int = 1
    layers: int = 1
    kept: tuple[tuple[int, Tensor], ...] = ()
    newest: Tensor | None = None
    epoch: int = 0

    @property
    def pixel(self) -> float:
        return float(self.view.maps[self.channel, self.row, self.column])

    @property
    def inside(self) -> int:
        """The place of `part` among the channels of its filter."""
        return self.part - self.view.channels_of(self.channel).start

    @property
    def pool_pixel(self) -> tuple[int, int]:
        """The pixel of the pooled map whose window holds the one in hand, or the nearest."""
        pool = self.view.pool
        assert pool is not None
        row, column = (
            min((at + by) // step, side - 1)
            for at, by, step, side in zip(
                (self.row, self.column), pool.sliding.padding, pool.sliding.stride, pool.leaving.shape[1:], strict=True
            )
        )
        return row, column


def number(value: float) -> str:
    """Four significant digits with a true minus."""
    return f"{value:.4g}".replace("-", "\u2212")


def count(value: int) -> str:
    return f"{value:,}"


def sides(shape: Sequence[int]) -> str:
    """8 × 8"""
    return " × ".join(str(side) for side in shape)


# ---------------------------------------------------------------- pictures


def plane(
    values: Tensor,
    title: str = "",
    *,
    grey: bool = False,
    two_sided: bool | None = None,
    limit: float = 0.0,
    numbers: bool = True,
    **more: Any,
) -> Picture:
    """Numbers (H, W) as a picture.

    Args:
        grey: from black to white for 0 to 1.
        two_sided: whether they can be below zero, as a map before a ReLU can; None where the values themselves tell.
        limit: the end of the scale, for pictures that are compared; 0 for that of the values.
    """
    grid = values.numpy()
    if grey:
        return Picture(grid, title, "grey", 0.0, 1.0, numbers=numbers, **more)
    end = limit or max(largest(values), 1e-6)
    if two_sided or (two_sided is None and values.numel() and float(values.min()) < 0):
        return Picture(grid, title, "diverging", -end, end, numbers=numbers, **more)
    return Picture(grid, title, "sequential", 0.0, end, numbers=numbers, **more)


def below_zero(values: Tensor) -> bool:
    return bool((values < 0).any())


def largest(values: Tensor) -> float:
    return float(values.abs().max()) if values.numel() else 0.0


def _patch_frames(sliding: Sliding, row: int, column: int) -> tuple[Frame, ...]:
    """Around what lies under the kernel; around each pixel of it where it has holes."""
    top, left = sliding.corner(row, column)
    (height, width), (down, right) = sliding.size, sliding.dilation
    if sliding.dilation == (1, 1):
        return (Frame(top, left, height, width),)
    return tuple(Frame(top + down * y, left + right * x) for y in range(height) for x in range(width))


def arriving(look: Look) -> Picture:
    """The channel in hand with its padding, and the pixels under the kernel."""
    view, sliding = look.view, look.view.sliding
    padded = view.padded[look.part]
    frames = _patch_frames(sliding, look.row, look.column)
    if any(sliding.padding):
        height, width = view.arriving.shape[1:]
        frames = (Frame(*sliding.padding, height, width, "quiet"), *frames)
    if look.typed or look.layer == 1:
        many = len(view.arriving) > 1
        title = f"{f'channel {look.part},' if many else 'picture'} {sides(view.arriving.shape[1:])}"
    else:
        title = f"arriving map {look.part}, {sides(view.arriving.shape[1:])}"
    title += f", with padding {sides(padded.shape)}" if any(sliding.padding) else ""
    even = sliding.stride[0] == sliding.stride[1] and sliding.size[0] == sliding.size[1]
    place = PLACE if even else None
    middle = sliding.extent[0] // 2
    return plane(
        padded, title, grey=look.typed, two_sided=below_zero(view.arriving), frames=frames, place=place,
        chosen=(look.row, look.column), pitch=sliding.stride[0], shift=middle,
    )  # fmt: skip


def map_picture(look: Look, values: Tensor, title: str, two_sided: bool, limit: float = 0.0) -> Picture:
    """A map with the pixel in hand; a click on another takes it in hand."""
    return plane(
        values, title, two_sided=two_sided, limit=limit, frames=(Frame(look.row, look.column),), place=PLACE,
        chosen=(look.row, look.column),
    )  # fmt: skip


def map_title(look: Look) -> str:
    return f"{'map' if look.typed else f'map {look.channel},'} {sides(look.view.size)}"


def wall(values: Tensor, name: str, chosen: int, sets: str, two_sided: bool, limit: float = 0.0) -> Pictures:
    """Many of a kind (n, H, W), of which a click chooses one; around the chosen one where there are too many."""
    start = chosen // MOST * MOST
    shown = values[start : start + MOST]
    end = limit or largest(shown)
    pictures = tuple(
        plane(
            one, str(start + place), two_sided=two_sided, limit=end, numbers=False,
            edit={sets: start + place}, state="now" if start + place == chosen else "plain",
        )
        for place, one in enumerate(shown)
    )  # fmt: skip
    which = f", {start} to {start + len(shown) - 1} of them" if len(values) > MOST else ""
    return Pictures(title=f"{count(len(values))} {name}{which}", pictures=pictures, weight=2)
