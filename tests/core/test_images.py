"""Splits are fair, repeatable and disjoint; what cannot be learned from is refused before training."""

import numpy as np
import pytest

from gui_lab.core.dice import shuffled
from gui_lab.core.images import Dataset, ImageSet, InMemory, Progress, opened, stratified
from gui_lab.errors import DataError

CASES = [
    (counts, fraction, seed)
    for counts in ([2, 2], [5, 50, 500], [1, 3, 100], [10] * 10, [7, 0, 9])
    for fraction in (0.001, 0.1, 0.25, 0.5, 0.999)
    for seed in (0, 1, 12345)
]


def labelled(counts: list[int]) -> np.ndarray:
    labels = np.repeat(np.arange(len(counts)), counts)
    return labels[shuffled(len(labels), 7)]


def blank(count: int) -> InMemory:
    return InMemory(np.zeros((count, 1, 4, 4), np.uint8))


@pytest.mark.parametrize(("counts", "fraction", "seed"), CASES)
def test_a_stratified_part_has_the_fraction_of_every_class(counts: list[int], fraction: float, seed: int) -> None:
    labels = labelled(counts)
    part = stratified(labels, np.arange(len(labels)), fraction, seed)
    assert np.array_equal(part, np.unique(part))
    for label, count in enumerate(counts):
        held = int((labels[part] == label).sum())
        assert abs(held - count * fraction) <= 1
        assert held < max(count, 1)
        assert held >= 1 or count < 2


@pytest.mark.parametrize(("counts", "fraction", "seed"), CASES)
def test_the_same_split_seed_gives_the_same_part(counts: list[int], fraction: float, seed: int) -> None:
    labels = labelled(counts)
    everything = np.arange(len(labels))
    first, second = (stratified(labels, everything, fraction, seed) for _ in range(2))
    assert np.array_equal(first, second)


def test_another_split_seed_gives_another_part() -> None:
    labels = labelled([100, 100])
    parts = [stratified(labels, np.arange(200), 0.2, seed) for seed in range(20)]
    assert len({part.tobytes() for part in parts}) == 20


def test_a_stratified_part_takes_only_from_what_it_is_given() -> None:
    labels = labelled([40, 40])
    among = np.arange(0, 80, 2)
    assert set(stratified(labels, among, 0.3, 0)) <= set(among)


def test_a_stratified_part_of_nothing_is_empty() -> None:
    assert stratified(np.array([], np.int64), np.array([], np.int64), 0.2, 0).shape == (0,)


@pytest.mark.parametrize("count", [0, 1, 2, 10, 1000])
@pytest.mark.parametrize("parts", [(0,), (1, 2), (2**31, 5, 7)])
def test_shuffled_is_a_permutation_that_depends_on_its_integers_alone(count: int, parts: tuple[int, ...]) -> None:
    order = shuffled(count, *parts)
    assert np.array_equal(np.sort(order), np.arange(count))
    assert np.array_equal(order, shuffled(count, *parts))


def test_shuffled_leaves_no_place_preferred() -> None:
    first = np.bincount([int(shuffled(8, seed)[0]) for seed in range(4000)], minlength=8)
    assert first.min() > 400
    assert first.max() < 600


def test_parts_are_disjoint_and_together_everything() -> None:
    labels = labelled([30, 40, 50])
    test = np.arange(0, 120, 6)
    images = Dataset().with_split(blank(120), labels, ["a", "b", "c"], test=test)
    together = np.concatenate([images.train, images.validation, images.test])
    assert np.array_equal(np.sort(together), np.arange(120))
    assert np.array_equal(images.test, test)
    for name, part in (("training", images.train), ("validation", images.validation), ("test", images.test)):
        assert {images.part_of(int(index)) for index in part} == {name}
    assert images.counts(images.train).sum() == len(images.train)


def test_a_given_validation_part_is_kept() -> None:
    validation = np.array([0, 5, 9])
    images = Dataset(validation=0.5).with_split(blank(40), labelled([20, 20]), ["a", "b"], validation=validation)
    assert np.array_equal(images.validation, validation)
    assert len(images.train) == 37


@pytest.mark.parametrize(
    ("counts", "classes", "named"),
    [
        ([], [], "There are no classes."),
        ([5], ["cat"], "only one class (cat)"),
        ([5, 0], ["cat", "dog"], "dog"),
        ([1, 1], ["cat", "dog"], "held back"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(counts: list[int], classes: list[str], named: str) -> None:
    labels = labelled(counts) if counts else np.array([], np.int64)
    with pytest.raises(DataError) as refused:
        Dataset().with_split(blank(len(labels)), labels, classes)
    assert named in refused.value.sentence
    assert refused.value.remedy


def test_pictures_in_memory_are_taken_by_index() -> None:
    pixels = np.arange(5 * 3 * 2 * 2, dtype=np.uint8).reshape(5, 3, 2, 2)
    pictures = InMemory(pixels)
    assert np.array_equal(pictures.take(np.array([4, 0, 4])), pixels[[4, 0, 4]])
    assert pictures.kind.shape == (3, 2, 2)


def test_pixels_of_another_type_are_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="uint8"):
        InMemory(np.zeros((2, 1, 4, 4), np.float32))  # type: ignore[arg-type]  # the mistake


def test_opened_runs_an_opening_to_its_end() -> None:
    class Two(Dataset):
        def open(self, download: bool = False):  # type: ignore[no-untyped-def]  # as short as it can be
            yield Progress("Reading")
            return self.with_split(blank(8), labelled([4, 4]), ["a", "b"])

    assert isinstance(opened(Two()), ImageSet)
