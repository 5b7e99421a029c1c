"""What is traced: facts and histograms of values, and a tracer that computes no more than an edit has changed."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import numpy as np
import pytest
import torch
from PySide6.QtCore import QSize
from PySide6.QtGui import QFontMetrics

from gui_lab.core import trust
from gui_lab.core.chain import Chain
from gui_lab.core.images import ImageSet, InMemory
from gui_lab.core.pipeline import TRANSFORMS, Kind
from gui_lab.qt.pictures import reduced
from gui_lab.qt.sights import Desk, Request, merged
from gui_lab.qt.views.chain_words import network_words
from gui_lab.qt.views.facts import BINS, bars_of, counted_words, facts_of, histogram_of, what_words
from gui_lab.qt.views.frames import Column, drawn_words, kind_words
from gui_lab.qt.views.strip_grid import LINE, NAME_LINE, broken, grid, rows_in, small
from gui_lab.qt.views.traces import Tracer, View, traced

make = TRANSFORMS.make
CROP, FLIP = make("RandomCrop", size=16, padding=2), make("RandomHorizontalFlip")
TENSORS = (make("ToTensor"), make("Normalize", mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4)))


def colourful(count: int = 60, side: int = 16) -> ImageSet:
    """Pictures of 3 x side x side in three classes."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, 3, side, side), dtype=np.uint8)
    cut = count * 2 // 3
    return ImageSet(
        InMemory(pixels), np.arange(count) % 3, ("red", "green", "blue"),
        np.arange(cut), np.arange(cut, count), np.array([], np.int64),
    )  # fmt: skip


# ---------------------------------------------------------------- facts


def test_facts_are_those_of_all_values() -> None:
    values = np.array([[[-1.0, 0.0], [0.5, 2.5]]], np.float32)
    facts = facts_of(values, Kind("float32", 1, 2, 2, (2, 2), -3, 3))
    assert (facts.what, facts.dtype, facts.shape) == ("float tensor", "float32", (1, 2, 2))
    assert (facts.low, facts.high, facts.mean) == (-1.0, 2.5, 0.5)
    assert facts.std == pytest.approx(float(values.std()))


def test_a_histogram_counts_every_value_of_a_small_picture_where_it_belongs() -> None:
    values = np.array([[[0, 7, 8, 255]]], np.uint8)
    counted = histogram_of(values, 0, 255)
    assert (counted.every, counted.counts.sum(), len(counted.counts)) == (1, 4, BINS)
    assert (counted.counts[0], counted.counts[1], counted.counts[-1]) == (2, 1, 1)
    signed = histogram_of(np.array([-9.0, -1.0, 0.99, np.nan], np.float32), -1, 1)
    assert signed.signed
    assert (signed.counts[0], signed.counts[-1]) == (3, 1)


def test_the_histogram_of_a_large_picture_keeps_its_shape() -> None:
    values = np.tile(np.array([0, 255], np.uint8), 300_000)  # an even step would see one of the two alone
    counted = histogram_of(values, 0, 255)
    assert counted.every > 1
    assert counted_words(counted) == f"one value in {counted.every}"
    assert histogram_of(values[:16_384], 0, 255).every == 1
    assert counted.counts.sum() <= 65_536
    assert counted.counts[0] == pytest.approx(counted.counts[-1], rel=0.01)


def test_bars_are_as_high_as_the_root_of_their_part() -> None:
    image = bars_of(histogram_of(np.repeat(np.array([0, 255], np.uint8), (1, 4)), 0, 255), 10, "#ff0000")
    filled = [sum(image.pixelColor(x, y).alpha() > 0 for y in range(10)) for x in (0, 5, BINS - 1)]
    assert filled == [5, 0, 10]


def test_a_picture_says_whether_it_is_an_image_a_tensor_or_one_of_pil() -> None:
    image = Kind.image(3, 4, 5)
    assert what_words(image) == "uint8 image"
    assert what_words(make("ToTensor").output(image)) == "float tensor"
    pil = Kind("uint8", 3, 4, 5, (4, 5), pil=True)
    assert (what_words(pil), kind_words(pil)) == ("PIL picture", "PIL 3x4x5")


def test_seeds_of_noise_are_told_by_their_last_digits() -> None:
    assert drawn_words({"seed": 4_503_599_627_370_496}) == "seed \u20260496"
    assert drawn_words({"order": [1, 0], "flipped": True}) == "order 1 0, flipped"


def test_large_pictures_are_reduced_by_whole_pixels_and_small_ones_never() -> None:
    small = np.arange(3 * 10 * 12, dtype=np.uint8).reshape(3, 10, 12)
    assert reduced(small, 7) is small
    large = np.random.default_rng(0).random((3, 1000, 1500), dtype=np.float32)
    longest = max(reduced(large, 100).shape[1:])
    assert 100 <= longest < 200
    four = np.array([[[0, 2], [4, 6]]], np.uint8)
    assert reduced(four, 1).tolist() == [[[3]]]


def test_little_room_leaves_out_histograms_and_no_picture() -> None:
    class Room:
        def __init__(self, width: int, height: int) -> None:
            self._size = width, height

        def width(self) -> int:
            return self._size[0]

        def height(self) -> int:
            return self._size[1]

    low: Any = Room(580, 420)
    assert grid((), low, rows_in(420), False).histogram == 0
    roomy: Any = Room(1400, 820)
    assert grid((), roomy, rows_in(820), False).histogram > 0
    assert rows_in(820) > rows_in(420)


@pytest.mark.parametrize("card", [False, True])
@pytest.mark.parametrize("name", sorted((entry.name_of() for entry in TRANSFORMS), key=len)[-6:])
def test_no_line_of_a_header_lies_under_the_pictures_or_reaches_the_next_column(
    qapp: Any, name: str, card: bool
) -> None:
    random = TRANSFORMS.get(name).random
    columns = [Column(-1, "Source", False, "uint8 3x1000x1500", "0 to 255")]
    columns += [Column(place, name, random, "float32 3x224x224", "\u22122.12 to 2.64") for place in range(4)]
    widest = max(QFontMetrics(small()).horizontalAdvance(column.kind) for column in columns)
    for width, height in itertools.product(range(400, 1900, 60), (420, 620, 900)):
        found = grid(columns, QSize(width, height), rows_in(height), card)
        lines = max(len(broken(column, found.width)) for column in columns)
        assert found.header >= lines * NAME_LINE + 2 * LINE
        assert widest < found.column(1) - found.column(0)


def test_what_own_code_gives_is_drawn_in_the_range_that_it_has() -> None:
    code = make("Lambda", lambd="lambda picture: picture * 2 - 1").code()
    assert code is not None
    trust.trust(code)
    chain = Chain((*TENSORS, make("Lambda", lambd="lambda picture: picture * 2 - 1")))
    column = traced(chain, colourful(), [0], View(seed=1, epoch=1))[-1]
    frame = column.frames[0]
    assert column.span == "any value"
    assert (frame.kind.low, frame.kind.high) == (frame.values.min(), frame.values.max())
    assert frame.histogram.low == frame.kind.low
    assert network_words(chain.output(colourful().kind), chain.output(colourful().kind), "") == (
        "float32 3x16x16, any value, in training and validation"
    )


# ---------------------------------------------------------------- speed


class Counting(Chain):
    """A chain that counts what it applies."""

    applied: list[int]

    def _draw(self, position: int, *rest: Any) -> Any:
        self.applied.append(position)
        return super()._draw(position, *rest)


def counted(tracer: Tracer, transforms: Any, indices: list[int], view: View) -> tuple[list[Any], list[int]]:
    chain = Counting(transforms)
    chain.applied = []
    return tracer.columns(chain, IMAGES, indices, view), chain.applied


IMAGES = colourful()


def test_an_edit_costs_only_what_stands_at_or_behind_it() -> None:
    tracer, view = Tracer(), View(1, 1)
    counted(tracer, (CROP, FLIP, *TENSORS), [4, 7], view)
    edited = (CROP, FLIP, TENSORS[0], TENSORS[1].changed(mean=(0.1, 0.2, 0.3)))
    columns, applied = counted(tracer, edited, [4, 7], view)
    assert applied == [3]  # both pictures in one go
    fresh = traced(Chain(edited), IMAGES, [4, 7], view)
    for mine, theirs in zip(columns, fresh, strict=True):
        assert all(np.array_equal(a.values, b.values) for a, b in zip(mine.frames, theirs.frames, strict=True))


@pytest.mark.parametrize("view", [View(1, 2), View(2, 1), View(1, 1, pinned={0: 5})])
def test_other_dice_are_rolled_anew(view: View) -> None:
    tracer = Tracer()
    counted(tracer, (CROP, *TENSORS), [4, 7], View(1, 1))
    columns, applied = counted(tracer, (CROP, *TENSORS), [4, 7], view)
    assert applied == [0, 1, 2]
    fresh = traced(Chain((CROP, *TENSORS)), IMAGES, [4, 7], view)
    assert np.array_equal(columns[-1].frames[1].values, fresh[-1].frames[1].values)


def test_a_twin_before_it_changes_what_a_transform_draws_even_where_it_is_switched_off() -> None:
    tracer, view = Tracer(), View(1, 1)
    twin, other = CROP.changed(enabled=False), FLIP.changed(enabled=False)
    before, _ = counted(tracer, (twin, CROP, *TENSORS), [4], view)
    after, _ = counted(tracer, (other, CROP, *TENSORS), [4], view)
    assert before[1].frames[0].told != after[1].frames[0].told
    fresh = traced(Chain((other, CROP, *TENSORS)), IMAGES, [4], view)
    assert np.array_equal(after[-1].frames[0].values, fresh[-1].frames[0].values)


def test_frames_that_have_not_changed_are_the_same_objects() -> None:
    tracer, view = Tracer(), View(1, 1)
    before = tracer.columns(Chain((CROP, *TENSORS)), IMAGES, [4], view)
    after = tracer.columns(Chain((CROP, TENSORS[0])), IMAGES, [4], view)
    assert [a.frames[0] is b.frames[0] for a, b in zip(before, after, strict=False)] == [True, True, True]
    darker = tracer.columns(Chain((CROP, TENSORS[0])), IMAGES, [4], View(1, 1, dark=True))
    assert darker[1].frames[0] is not after[1].frames[0]


def test_a_row_is_not_merged_into_other_columns() -> None:
    desk = Desk()
    view, images = View(1, 1), IMAGES
    whole = desk.see(Request(Chain((CROP, *TENSORS)), images, (4, 7), view)).columns
    one = desk.see(Request(Chain(TENSORS), images, (4, 7), view, first=1)).columns
    assert [len(column.frames) for column in one] == [1, 1, 1]
    assert merged(whole, one, 1) == []


def test_large_pictures_are_traced_in_two_threads_with_the_same_result() -> None:
    large, view = colourful(6, side=520), View(1, 1)
    chain = Chain((make("RandomCrop", size=512), FLIP, *TENSORS))
    threads: set[int] = set()

    class Noted(Chain):
        def _draw(self, *what: Any) -> Any:
            threads.add(threading.get_ident())
            return super()._draw(*what)

    columns = Tracer().columns(Noted(chain.transforms), large, [0, 1, 2, 3], view)
    assert threading.get_ident() not in threads
    indices = np.arange(4)
    seen = chain.run(torch.from_numpy(large.pictures.take(indices)), indices, seed=1, epoch=1, training=True)
    assert all(np.array_equal(frame.values, one) for frame, one in zip(columns[-1].frames, seen.numpy(), strict=True))


@pytest.mark.parametrize("others", [[4, 9, 7], [4, 7, 11]])
def test_pictures_that_are_mixed_are_never_taken_from_another_mixture(others: list[int]) -> None:
    tracer, view, mixed = Tracer(), View(1, 1), Chain((*TENSORS, make("MixUp")))
    before = tracer.columns(mixed, IMAGES, [4, 7, 9], view)
    after = tracer.columns(mixed, IMAGES, others, view)
    assert not np.array_equal(before[-1].frames[0].values, after[-1].frames[0].values)
    fresh = traced(mixed, IMAGES, others, view)
    assert np.array_equal(after[-1].frames[0].values, fresh[-1].frames[0].values)


def test_a_transform_that_speaks_for_itself_is_listened_to() -> None:
    columns = traced(Chain((make("RandAugment"), *TENSORS)), IMAGES, [4], View(1, 1))
    augment = Chain((make("RandAugment"),)).transforms[0]
    assert columns[1].frames[0].told
    assert columns[1].frames[0].captions[0] == columns[1].frames[0].told
    drawn = Chain((augment,)).trace([torch.from_numpy(IMAGES.picture(4))], np.array([4]), seed=1, epoch=1)[0][1].drawn
    assert columns[1].frames[0].told == augment.told(drawn)


def test_where_each_pixel_has_a_black_of_its_own_no_picture_is_brought_back() -> None:
    class Uneven(type(TENSORS[1])):  # type: ignore[misc]
        """Takes another value off each pixel."""

        def one(self, picture: Any, drawn: Any) -> Any:
            return picture - torch.linspace(0, 1, picture.shape[-1])

    chain = Chain((TENSORS[0], Uneven(mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))))
    tensor, uneven = traced(chain, IMAGES, [4], View(1, 1))[1:]
    assert tensor.frames[0].ends is not None
    assert uneven.frames[0].ends is None
