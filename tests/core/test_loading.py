"""An epoch's order and its batches: what is shown is what a run trains on, made only where it is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from gui_lab.core.experiment import default
from gui_lab.core.images import ImageSet, opened
from gui_lab.core.learner import Learner
from gui_lab.core.loading import Batches, by_class, epoch_order


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return opened(default().dataset)


@pytest.mark.parametrize("balanced", [False, True])
def test_the_order_is_the_one_that_a_run_takes(digits: ImageSet, balanced: bool) -> None:
    chosen = default().edited("training.balanced", balanced).edited("training.seed", 7)
    learner = Learner(chosen, digits)
    for epoch in (1, 3):
        order = epoch_order(digits.train, digits.labels, seed=7, epoch=epoch, balanced=balanced)
        assert np.array_equal(order, learner.order(epoch))


def test_an_epoch_takes_each_picture_once(digits: ImageSet) -> None:
    order = epoch_order(digits.train, digits.labels, seed=3, epoch=2)
    assert np.array_equal(np.sort(order), digits.train)
    assert not np.array_equal(order, epoch_order(digits.train, digits.labels, seed=3, epoch=3))


def test_sorted_by_class_pictures_of_a_class_stay_in_their_order(digits: ImageSet) -> None:
    found = by_class(digits.train, digits.labels)
    labels = digits.labels[found]
    assert np.all(np.diff(labels) >= 0)
    for label in range(10):
        assert np.all(np.diff(found[labels == label]) > 0)


@pytest.mark.parametrize(("samples", "size", "lengths"), [(10, 4, [4, 4, 2]), (8, 4, [4, 4]), (3, 9, [3]), (0, 4, [])])
def test_batches_hold_all_of_the_order_in_turn(samples: int, size: int, lengths: list[int]) -> None:
    order = np.arange(samples)[::-1].copy()
    batches = Batches(order, size)
    assert [len(batch) for batch in batches] == lengths
    assert [tile.index for batch in batches for tile in batch] == order.tolist()
    assert len(batches) == len(lengths)
    with pytest.raises(IndexError):
        batches[len(lengths)]


def test_a_tile_is_the_picture_of_its_index(digits: ImageSet) -> None:
    batches = Batches(digits.train, 16, digits.labels, digits.pictures)
    for tile in batches[-1]:
        assert tile.label == digits.labels[tile.index]
        assert tile.picture is not None
        assert np.array_equal(tile.picture, digits.picture(tile.index))
    assert batches.classes(0) == len({tile.label for tile in batches[0]})
    assert Batches(digits.train, 16).classes(0) == 0


def test_batches_are_compared_by_what_they_hold(digits: ImageSet) -> None:
    made = Batches(digits.train, 16, digits.labels, digits.pictures)
    assert made == Batches(digits.train.copy(), 16, digits.labels, digits.pictures)
    assert made != Batches(digits.train, 17, digits.labels, digits.pictures)
    assert made != Batches(digits.train[::-1], 16, digits.labels, digits.pictures)
    assert made != Batches(digits.train, 16)
    assert made != "batches"


def test_pictures_on_disk_are_there_once_they_were_read() -> None:
    class Disk:
        kind = opened(default().dataset).kind

        def __len__(self) -> int:
            return 40

        def take(self, indices: object) -> list[np.ndarray]:
            return [np.full((3, 300, 200), index, np.uint8) for index in np.asarray(indices)]

    batches = Batches(np.arange(40), 8, np.zeros(40, np.int64), Disk())  # type: ignore[arg-type]
    batches.read(2)
    near, far = batches[2][3], batches[0][0]
    assert near.picture is not None
    assert near.picture.max() == near.index == 19
    assert max(near.picture.shape) < 150
    assert far.picture is None
