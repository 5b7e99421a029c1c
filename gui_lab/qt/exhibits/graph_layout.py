"""Where the boxes of a graph stand: in layers from left to right, with as few crossings as a few sweeps leave.

The method is that of Sugiyama: a box stands right of all it comes from, an arrow that passes a layer has a place of its
own there, neighbours are ordered by the mean place of what they are joined to, and each layer is then moved as near to
that mean as the room between its boxes allows. Graphs here have tens of boxes, so nothing has to be clever. Only sizes
come in and only places go out, so it is tested without a window.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_SWEEPS = 6
_BETWEEN = 18.0  # pixels from box to box in a layer
_LEAST_GAP = 52.0  # from layer to layer
_BESIDE_LABEL = 13.0  # of a line and its head, left and right of its words
_PASSING = 12.0  # the height of a place that an arrow has in a layer it passes


class Size(NamedTuple):
    width: float
    height: float


class Spot(NamedTuple):
    x: float
    y: float


@dataclass(frozen=True)
class Box:
    """Of a node, from its top left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """
    Attributes:
        boxes: by key.
        routes: of each edge the spots that it goes through, from box to box; the words stand between the last two.
        size: of all of it.
    """

    boxes: Mapping[str, Box]
    routes: tuple[tuple[Spot, ...], ...]
    size: Size


Links = Sequence[tuple[str, str]]
_Place = str | tuple[int, int]
"""A node, or the place of an edge (its number) in a layer that it passes."""


def laid_out(boxes: Mapping[str, Size], links: Links, labels: Sequence[Size]) -> Layout:
    """
    Args:
        boxes: the size of each node, in the order in which they are told.
        links: from key to key, without cycles.
        labels: the room that the words of each link need.
    """
    layer = _layers(tuple(boxes), links)
    chains = [_chain(number, link, layer) for number, link in enumerate(links)]
    rows = _ordered(_first_order(tuple(boxes), layer, chains), chains)
    ports = _Ports(rows, chains, labels)
    sizes: dict[_Place, Size] = {place: Size(0, _PASSING) for row in rows for place in row}
    for key, size in boxes.items():
        sizes[key] = Size(size.width, max(size.height, ports.height(key)))
    middles = _middles(rows, chains, sizes)
    lefts, widths, whole = _columns(rows, chains, sizes, labels)
    top = min((middles[place] - size.height / 2 for place, size in sizes.items()), default=0.0)
    bottom = max((middles[place] + size.height / 2 for place, size in sizes.items()), default=0.0)
    middles = {place: middle - top for place, middle in middles.items()}
    placed = {
        key: Box(
            lefts[layer[key]] + (widths[layer[key]] - sizes[key].width) / 2,
            middles[key] - sizes[key].height / 2,
            *sizes[key],
        )
        for key in boxes
    }
    routes = tuple(_route(number, chain, placed, middles, ports, lefts, widths) for number, chain in enumerate(chains))
    return Layout(placed, routes, Size(whole, bottom - top))


# -------------------------------------------------------------------- layers and their order


def _layers(keys: Sequence[str], links: Links) -> dict[str, int]:
    """Of each node: one more than the last it comes from; what comes from nothing stands before what it goes to."""
    into: dict[str, list[str]] = {key: [] for key in keys}
    out: dict[str, list[str]] = {key: [] for key in keys}
    for start, end in links:
        into[end].append(start)
        out[start].append(end)
    found: dict[str, int] = {}

    def of(key: str) -> int:
        if key not in found:
            found[key] = max((of(start) + 1 for start in into[key]), default=0)
        return found[key]

    for key in keys:
        of(key)
    for key in keys:
        if not into[key] and out[key]:
            found[key] = min(found[end] for end in out[key]) - 1
    return found


def _chain(number: int, link: tuple[str, str], layer: Mapping[str, int]) -> list[_Place]:
    """The places that an edge goes through, its nodes first and last."""
    start, end = link
    return [start, *((number, between) for between in range(layer[start] + 1, layer[end])), end]


def _first_order(
    keys: Sequence[str], layer: Mapping[str, int], chains: Sequence[Sequence[_Place]]
) -> list[list[_Place]]:
    rows: list[list[_Place]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for key in keys:
        rows[layer[key]].append(key)
    for chain in chains:
        for place in chain[1:-1]:
            assert isinstance(place, tuple)
            rows[place[1]].append(place)
    return rows


def _joined(chains: Sequence[Sequence[_Place]], forward: bool) -> dict[_Place, list[_Place]]:
    """Of each place those in the layer before it, or after it."""
    found: dict[_Place, list[_Place]] = {}
    for chain in chains:
        for one, other in itertools.pairwise(chain):
            here, there = (other, one) if forward else (one, other)
            found.setdefault(here, []).append(there)
    return found


def _ordered(rows: list[list[_Place]], chains: Sequence[Sequence[_Place]]) -> list[list[_Place]]:
    """Each layer by the mean place of what its places are joined to, there and back; the best order met."""
    best, fewest = rows, _crossings(rows, chains)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        joined = _joined(chains, forward)
        rows = [list(row) for row in rows]
        for number in range(len(rows)) if forward else reversed(range(len(rows))):
            beside = number - 1 if forward else number + 1
            if 0 <= beside < len(rows):
                where = {place: rank for rank, place in enumerate(rows[beside])}
                now = {place: rank for rank, place in enumerate(rows[number])}
                rows[number].sort(key=_mean_rank(joined, where, now))
        crossings = _crossings(rows, chains)
        if crossings < fewest:
            best, fewest = rows, crossings
    return best


def _mean_rank(
    joined: Mapping[_Place, list[_Place]], where: Mapping[_Place, int], now: Mapping[_Place, int]
) -> Callable[[_Place], float]:
    def rank(place: _Place) -> float:
        ranks = [where[other] for other in joined.get(place, ())]
        return sum(ranks) / len(ranks) if ranks else float(now[place])

    return rank


def _crossings(rows: Sequence[Sequence[_Place]], chains: Sequence[Sequence[_Place]]) -> int:
    where = {place: (number, rank) for number, row in enumerate(rows) for rank, place in enumerate(row)}
    steps = [(where[one], where[other]) for chain in chains for one, other in itertools.pairwise(chain)]
    return sum(
        one[0][0] == other[0][0] and (one[0][1] - other[0][1]) * (one[1][1] - other[1][1]) < 0
        for place, one in enumerate(steps)
        for other in steps[:place]
    )


# -------------------------------------------------------------------- places


class _Ports:
    """Where on the sides of a box its arrows end: one below the other, with room for their words."""

    def __init__(
        self, rows: Sequence[Sequence[_Place]], chains: Sequence[Sequence[_Place]], labels: Sequence[Size]
    ) -> None:
        rank = {place: rank for row in rows for rank, place in enumerate(row)}
        self._into: dict[str, list[int]] = {}
        self._out: dict[str, list[int]] = {}
        for number, chain in enumerate(chains):
            start, end = chain[0], chain[-1]
            assert isinstance(start, str)
            assert isinstance(end, str)
            self._out.setdefault(start, []).append(number)
            self._into.setdefault(end, []).append(number)
        for key, numbers in self._out.items():
            self._out[key] = sorted(numbers, key=[rank[chain[1]] for chain in chains].__getitem__)
        for key, numbers in self._into.items():
            self._into[key] = sorted(numbers, key=[rank[chain[-2]] for chain in chains].__getitem__)
        self._step = max((size.height for size in labels), default=0.0) + 4

    def height(self, key: str) -> float:
        most = max(len(self._into.get(key, ())), len(self._out.get(key, ())))
        return most * self._step if most > 1 else 0.0

    def start(self, number: int, box: Box, key: str) -> Spot:
        return Spot(box.x + box.width, self._y(number, box, self._out[key]))

    def end(self, number: int, box: Box, key: str) -> Spot:
        return Spot(box.x, self._y(number, box, self._into[key]))

    def _y(self, number: int, box: Box, numbers: Sequence[int]) -> float:
        return box.y + box.height / 2 + (numbers.index(number) - (len(numbers) - 1) / 2) * self._step


def _middles(
    rows: Sequence[Sequence[_Place]], chains: Sequence[Sequence[_Place]], sizes: Mapping[_Place, Size]
) -> dict[_Place, float]:
    """The height of the middle of each place."""
    found: dict[_Place, float] = {}
    for row in rows:
        y = 0.0
        for place in row:
            found[place] = y + sizes[place].height / 2
            y += sizes[place].height + _BETWEEN
        for place in row:
            found[place] -= y / 2
    back, on = _joined(chains, True), _joined(chains, False)
    for sweep in range(2 * _SWEEPS):
        forward = sweep % 2 == 0
        for row in rows if forward else reversed(rows):
            wished = []
            for place in row:
                near = (back if forward else on).get(place) or back.get(place, []) + on.get(place, [])
                wished.append(sum(found[one] for one in near) / len(near) if near else found[place])
            found |= zip(row, _apart(wished, [sizes[place].height for place in row]), strict=True)
    return found


def _apart(wished: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Middles as near as can be to the wished ones, in this order and not over each other (isotonic regression)."""
    offsets, y = [], 0.0
    for place, height in enumerate(heights):
        y += height / 2
        offsets.append(y)
        y += height / 2 + _BETWEEN if place + 1 < len(heights) else 0
    blocks: list[tuple[float, int]] = []
    for one, offset in zip(wished, offsets, strict=True):
        mean, count = one - offset, 1
        while blocks and blocks[-1][0] > mean:
            before, many = blocks.pop()
            mean, count = (before * many + mean * count) / (many + count), many + count
        blocks.append((mean, count))
    flat = [mean for mean, count in blocks for _ in range(count)]
    return [one + offset for one, offset in zip(flat, offsets, strict=True)]


def _columns(
    rows: Sequence[Sequence[_Place]],
    chains: Sequence[Sequence[_Place]],
    sizes: Mapping[_Place, Size],
    labels: Sequence[Size],
) -> tuple[list[float], list[float], float]:
    """The left sides of the layers, their widths, and the width of all of them."""
    column = {place: number for number, row in enumerate(rows) for place in row}
    widths = [max(sizes[place].width for place in row) for row in rows]
    gaps = [_LEAST_GAP] * len(rows)
    for chain, label in zip(chains, labels, strict=True):
        before = column[chain[-1]] - 1
        gaps[before] = max(gaps[before], label.width + 2 * _BESIDE_LABEL)
    lefts, x = [], 0.0
    for width, gap in zip(widths, gaps, strict=True):
        lefts.append(x)
        x += width + gap
    return lefts, widths, lefts[-1] + widths[-1] if lefts else 0.0


def _route(
    number: int,
    chain: Sequence[_Place],
    boxes: Mapping[str, Box],
    middles: Mapping[_Place, float],
    ports: _Ports,
    lefts: Sequence[float],
    widths: Sequence[float],
) -> tuple[Spot, ...]:
    start, *between, end = chain
    assert isinstance(start, str)
    assert isinstance(end, str)
    spots = [ports.start(number, boxes[start], start)]
    for place in between:
        assert isinstance(place, tuple)
        left, width = lefts[place[1]], widths[place[1]]
        spots += [Spot(left, middles[place]), Spot(left + width, middles[place])]
    return (*spots, ports.end(number, boxes[end], end))
