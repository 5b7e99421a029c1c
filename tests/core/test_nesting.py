"""Editing a chain with transforms inside of transforms."""

from __future__ import annotations

from typing import ClassVar

import pytest

from gui_lab.core import nesting
from gui_lab.core.nesting import Place
from gui_lab.core.pipeline import TRANSFORMS, Transform


class Holder(Transform):
    """Holds others."""

    holds: ClassVar = {"transforms": TRANSFORMS}
    transforms: tuple[Transform, ...] = ()


def leaf(size: int) -> Transform:
    return TRANSFORMS.make("CenterCrop", size=size)


CHAIN = (leaf(1), Holder(transforms=(leaf(2), Holder(transforms=(leaf(3),)), leaf(4))), leaf(5))


def sizes(transforms: tuple[Transform, ...]) -> list:
    return [sizes(nesting.held(one)) if isinstance(one, Holder) else one.size for one in transforms]  # type: ignore[attr-defined]


def test_places_come_from_top_to_bottom() -> None:
    assert nesting.places(CHAIN) == [(0,), (1,), (1, 0), (1, 1), (1, 1, 0), (1, 2), (2,)]
    assert nesting.path(CHAIN, (1, 1, 0)) == "transforms.1.transforms.1.transforms.0"
    assert nesting.at(CHAIN, (1, 1, 0)) == leaf(3)
    assert nesting.siblings(CHAIN, (1, 2)) == nesting.held(CHAIN[1])


@pytest.mark.parametrize(
    ("place", "expected"),
    [((0,), [[2, [3], 4], 5]), ((1, 0), [1, [[3], 4], 5]), ((1, 1, 0), [1, [2, [], 4], 5]), ((2,), [1, [2, [3], 4]])],
)
def test_taking_away(place: Place, expected: list) -> None:
    assert sizes(nesting.replaced(CHAIN, place, ())) == expected


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ((0,), [9, 1, [2, [3], 4], 5]),
        ((3,), [1, [2, [3], 4], 5, 9]),
        ((1, 3), [1, [2, [3], 4, 9], 5]),
        ((1, 1, 0), [1, [2, [9, 3], 4], 5]),
    ],
)
def test_putting_in(place: Place, expected: list) -> None:
    assert sizes(nesting.inserted(CHAIN, place, (leaf(9),))) == expected


@pytest.mark.parametrize(
    ("place", "to", "expected", "landing"),
    [
        ((0,), (2,), [[2, [3], 4], 1, 5], (1,)),
        ((0,), (3,), [[2, [3], 4], 5, 1], (2,)),
        ((2,), (0,), [5, 1, [2, [3], 4]], (0,)),
        ((0,), (1, 0), [[1, 2, [3], 4], 5], (0, 0)),
        ((2,), (1, 1, 1), [1, [2, [3, 5], 4]], (1, 1, 1)),
        ((1, 0), (1, 3), [1, [[3], 4, 2], 5], (1, 2)),
        ((1, 0), (2,), [1, [[3], 4], 2, 5], (2,)),
        ((1, 1, 0), (0,), [3, 1, [2, [], 4], 5], (0,)),
        ((1, 0), (1, 1, 0), [1, [[2, 3], 4], 5], (1, 0, 0)),
        ((1,), (1, 1, 0), [1, [2, [3], 4], 5], (1,)),
    ],
)
def test_moving(place: Place, to: Place, expected: list, landing: Place) -> None:
    chain, where = nesting.moved(CHAIN, place, to)
    assert (sizes(chain), where) == (expected, landing)
    assert nesting.at(chain, where) == nesting.at(CHAIN, place)
