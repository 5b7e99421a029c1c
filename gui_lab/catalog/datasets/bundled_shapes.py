"""Colour pictures whose making is known: one can ask for more of them, for more clutter or for more noise, and see
what a network needs and what it forgives. A shape is a signed distance, so that a batch of pictures is drawn by a few
array operations with smooth edges. Colours are chosen in Oklab (Ottosson, 2020), where a step in lightness is a step
in what one sees; they are drawn alike for all classes, so that only the shape tells the class."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from gui_lab.core.dice import Dice, Indices, salt_of, shuffled
from gui_lab.core.images import DATASETS, Dataset, InMemory, Opening, Progress
from gui_lab.schema import knob

Plane = npt.NDArray[np.float32]
"""(B, H, W), or what broadcasts to it."""
Numbers = npt.NDArray[np.float64]

_SIDE = 64
_AT_ONCE = 64  # pictures; their planes then stay in the processor's cache
_MARKS = 10  # places for clutter in a picture
_PATCH = 22  # pixels; the square in which a mark is drawn
_GRAIN = 1 << 18  # numbers of noise, from which each picture takes a stretch of its own


@DATASETS.add
class Shapes(Dataset):
    """Eight shapes in all colours, sizes and directions, drawn when opened: RGB pictures of 64x64 pixels."""

    group: ClassVar[str] = "Bundled"
    licence: ClassVar[str] = "BSD-3-Clause"
    credit: ClassVar[str] = "drawn by GUI Lab"

    count: int = knob(4_000, "How many pictures are drawn.", unit="pictures", ge=80, le=20_000, step=500)
    clutter: float = knob(0.4, "How much lies about in the background.", ge=0, le=1, felt=True)
    noise: float = knob(0.02, "Standard deviation of the grain; 1 is from black to white.", ge=0, le=0.5, felt=True)
    seed: int = knob(0, "Decides every picture.", ge=0, le=2**31)

    def open(self, download: bool = False) -> Opening:
        labels = shuffled(self.count, self.seed) % len(SHAPES)
        pixels = np.empty((self.count, 3, _SIDE, _SIDE), np.uint8)
        grain, done = _grain(self.seed), 0
        for label, distance in enumerate(SHAPES.values()):
            members = np.flatnonzero(labels == label)
            for start in range(0, len(members), _AT_ONCE):
                some = members[start : start + _AT_ONCE]
                pixels[some] = self._drawn(some, distance, grain)
                done += len(some)
                yield Progress("Drawing Shapes", done, self.count, "pictures")
        return self.with_split(InMemory(pixels), labels, tuple(SHAPES))

    def _drawn(self, indices: Indices, distance: Distance, grain: Plane) -> npt.NDArray[np.uint8]:
        dice = Dice(self.seed, 0, indices, salt_of("Shapes", 0))
        radius = dice.uniform(0.3, 0.62)
        reach = 0.97 - radius
        places = [dice.uniform(-1, 1) * reach for _ in range(2)]
        across, down = _local(places[0], places[1], dice.uniform(0, 2 * np.pi), radius)
        outside = distance(across, down) * _column(radius * _SIDE / 2)  # in pixels
        inside = np.clip(0.5 - outside, 0, 1)
        around = (1 - inside) * (1 - np.clip(1 - np.abs(outside) / 4, 0, 1) * np.float32(0.16))
        tint = _gradient(dice)
        self._add_marks(dice, tint)
        planes = np.stack([around, around * tint, inside, inside * down], axis=1)
        picture = _colours(dice) @ planes.reshape(len(indices), 4, -1)
        return self._finished(picture.reshape(-1, 3, _SIDE, _SIDE), dice, grain)

    def _add_marks(self, dice: Dice, tint: Plane) -> None:
        """Put small strokes and dots into the tint of the background."""
        steps = np.arange(_PATCH)
        middle = (steps - (_PATCH - 1) / 2).astype(np.float32)
        flat = tint.reshape(-1)
        for _ in range(_MARKS):
            there = np.flatnonzero(dice.chance(self.clutter))
            left, top = (dice.integers(_SIDE - _PATCH + 1)[there] for _ in range(2))
            angle, length = dice.uniform(0, np.pi)[there], np.maximum(dice.uniform(-6, 7), 0)[there]
            width, amount = dice.uniform(1.0, 3.2)[there], dice.uniform(-1.1, 1.1)[there]
            along = _column(np.cos(angle)) * middle + _column(np.sin(angle)) * middle[:, None]
            aside = _column(np.cos(angle)) * middle[:, None] - _column(np.sin(angle)) * middle
            along = np.maximum(np.abs(along) - _column(length), 0)
            cover = np.clip(_column(width) + 0.5 - np.sqrt(along * along + aside * aside), 0, 1) * _column(amount)
            corner = there * _SIDE * _SIDE + top * _SIDE + left
            flat[corner[:, None, None] + steps[:, None] * _SIDE + steps] += cover

    def _finished(self, picture: Plane, dice: Dice, grain: Plane) -> npt.NDArray[np.uint8]:
        if self.noise:
            size = picture[0].size
            for one, start in zip(picture, dice.integers(_GRAIN - size), strict=True):
                one += np.float32(self.noise) * grain[start : start + size].reshape(one.shape)
        picture *= 255
        picture += 0.5
        return np.clip(picture, 0, 255, out=picture).astype(np.uint8)


def _column(numbers: Numbers) -> Plane:
    """One number a picture, to go with planes."""
    return numbers.astype(np.float32)[:, None, None]


def _grid() -> Plane:
    """Middles of the pixels from -1 to 1."""
    return ((np.arange(_SIDE) + 0.5) / (_SIDE / 2) - 1).astype(np.float32)


def _local(x: Numbers, y: Numbers, angle: Numbers, radius: Numbers) -> tuple[Plane, Plane]:
    """Coordinates in which the shape stands upright in the middle and reaches about 1."""
    columns, rows = _grid()[None, None, :] - _column(x), _grid()[None, :, None] - _column(y)
    cos, sin = _column(np.cos(angle) / radius), _column(np.sin(angle) / radius)
    return cos * columns + sin * rows, cos * rows - sin * columns


def _gradient(dice: Dice) -> Plane:
    """A slope from 0 to 1 or so across the picture, in a direction of its own."""
    angle = dice.uniform(0, 2 * np.pi)
    slope = _column(np.cos(angle) / 2) * _grid()[None, None, :] + _column(np.sin(angle) / 2) * _grid()[None, :, None]
    return np.ascontiguousarray(slope + np.float32(0.5))


def _grain(seed: int) -> Plane:
    """Numbers of mean 0 and standard deviation 1, nearly normal (a sum of four uniform ones)."""
    dice = Dice(seed, 0, np.arange(_GRAIN), salt_of("Shapes.noise", 0))
    total = sum(dice.uniform(-1, 1) for _ in range(4))
    return np.asarray(total / np.sqrt(4 / 3), np.float32)


def _colours(dice: Dice) -> Plane:
    """float32 (B, 3, 4): RGB of the background, what its tint adds, RGB of the shape, and what its sheen adds.

    The shape is always much lighter or much darker than the background.
    """
    light, hue, apart = dice.uniform(0.25, 0.93), dice.uniform(0, 2 * np.pi), dice.uniform(-0.09, 0.09)
    ground = _rgb(light - apart, dice.uniform(0.02, 0.07), hue)
    other = _rgb(light + apart, dice.uniform(0.04, 0.1), hue + dice.uniform(-1.3, 1.3))
    contrast = dice.uniform(0.3, 0.5)
    own = np.where(light > 0.59, light - contrast, light + contrast)
    hue, chroma, sheen = dice.uniform(0, 2 * np.pi), dice.uniform(0.11, 0.21), dice.uniform(0.01, 0.05)
    paint, shine = _rgb(own, chroma, hue), _rgb(own + sheen, chroma, hue + 0.25)
    return np.stack([ground, other - ground, paint, shine - paint], axis=2).astype(np.float32)


def _rgb(light: Numbers, chroma: Numbers, hue: Numbers) -> Numbers:
    """sRGB (B, 3) in 0..1 from Oklab's lightness, chroma and hue, clipped to what a screen shows."""
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    cones = np.stack([
        light + 0.3963377774 * a + 0.2158037573 * b,
        light - 0.1055613458 * a - 0.0638541728 * b,
        light - 0.0894841775 * a - 1.2914855480 * b,
    ]) ** 3  # fmt: skip
    linear = np.array([
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]) @ cones  # fmt: skip
    linear = np.clip(linear, 0, 1).T
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


Distance = Callable[[Plane, Plane], Plane]
"""From coordinates to how far outside the shape a point is; negative inside."""


def _circle(x: Plane, y: Plane) -> Plane:
    return np.sqrt(x * x + y * y) - np.float32(0.9)


def _cross(x: Plane, y: Plane) -> Plane:
    x, y = np.abs(x), np.abs(y)
    return np.asarray(np.maximum(np.maximum(x, y) - np.float32(0.95), np.minimum(x, y) - np.float32(0.3)))


def _heart(x: Plane, y: Plane) -> Plane:
    """A square on its corner with a half circle on each of its two upper sides."""
    side, x = np.float32(0.49), np.abs(x)
    y, half = y + np.float32(0.16), np.float32(0.5**0.5)
    right, left = (x - y) * half, (-x - y) * half
    square = np.maximum(np.abs(right), np.abs(left)) - side
    arch = np.sqrt((right - side) ** 2 + left * left) - side
    return np.asarray(np.minimum(square, arch))


def _moon(x: Plane, y: Plane) -> Plane:
    x = x + np.float32(0.12)
    bite = np.sqrt((x - np.float32(0.56)) ** 2 + y * y) - np.float32(0.9)
    return np.asarray(np.maximum(np.sqrt(x * x + y * y) - np.float32(0.88), -bite))


def _ring(x: Plane, y: Plane) -> Plane:
    return np.abs(np.sqrt(x * x + y * y) - np.float32(0.7)) - np.float32(0.23)


def _square(x: Plane, y: Plane) -> Plane:
    return np.maximum(np.abs(x), np.abs(y)) - np.float32(0.78)


def _star(x: Plane, y: Plane) -> Plane:
    """Five points: the plane is folded into half a point, of which one straight edge is left."""
    fifth, inner = np.float32(2 * np.pi / 5), 0.45
    far, turn = np.sqrt(x * x + y * y), np.arctan2(x, -y)
    turn = np.abs(turn - np.round(turn / fifth) * fifth)
    edge = np.array([inner * np.sin(np.pi / 5), inner * np.cos(np.pi / 5) - 1])
    normal = np.array([-edge[1], edge[0]], np.float32) / np.float32(np.hypot(*edge))
    return np.asarray(far * (np.sin(turn) * normal[0] + np.cos(turn) * normal[1]) - normal[1])


def _triangle(x: Plane, y: Plane) -> Plane:
    sides = np.abs(x) * np.float32(3**0.5 / 2) - y * np.float32(0.5)
    return np.asarray(np.maximum(sides, y) - np.float32(0.54))


SHAPES: dict[str, Distance] = {
    "circle": _circle,
    "cross": _cross,
    "heart": _heart,
    "moon": _moon,
    "ring": _ring,
    "square": _square,
    "star": _star,
    "triangle": _triangle,
}
