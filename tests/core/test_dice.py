"""A draw depends on where it is used and on nothing else."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from gui_lab.core.dice import Dice, normal_noise, normal_noises, salt_of, seed_of, shuffled

WORD = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15


def mixed(value: int) -> int:
    """SplitMix64's finaliser in Python's own integers."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & WORD
    return value ^ (value >> 31)


def key(*parts: int) -> int:
    value = 0
    for part in parts:
        value = mixed((value + part + GOLDEN) & WORD)
    return value


def test_each_roll_is_the_published_generator_at_a_counter() -> None:
    dice = Dice(seed=5, epoch=3, indices=[0, 7, 59_999], salt=11)
    for rolled in (1, 2, 3, 4):
        expected = []
        for index in (0, 7, 59_999):
            place = mixed((key(5, 3, 11) + index * GOLDEN) & WORD)
            expected.append((mixed((place + rolled * GOLDEN) & WORD) >> 11) * 2.0**-53)
        assert dice.uniform().tolist() == expected


def test_a_draw_does_not_depend_on_the_other_pictures_of_the_batch() -> None:
    indices = np.array([4, 9, 2, 9, 1_000_000])
    together = Dice(1, 2, indices, 3)
    first, second = together.uniform(), together.integers(10)
    assert first[1] == first[3]
    for place, index in enumerate(indices):
        alone = Dice(1, 2, [index], 3)
        assert alone.uniform()[0] == first[place]
        assert alone.integers(10)[0] == second[place]


@pytest.mark.parametrize("other", [(2, 1, 1), (1, 2, 1), (1, 1, 2)], ids=["seed", "epoch", "place in the chain"])
def test_another_place_draws_other_numbers(other: tuple[int, int, int]) -> None:
    indices = np.arange(100)
    seed, epoch, salt = other
    assert not np.any(Dice(1, 1, indices, 1).uniform() == Dice(seed, epoch, indices, salt).uniform())


def test_seed_and_epoch_cannot_stand_in_for_each_other() -> None:
    assert Dice(1, 2, [0], 3).uniform()[0] != Dice(2, 1, [0], 3).uniform()[0]
    assert seed_of(1, 2) != seed_of(2, 1)


def test_uniform_draws_are_uniform() -> None:
    dice = Dice(1, 1, np.arange(100_000), 1)
    draws = dice.uniform(-3, 5)
    assert draws.min() >= -3
    assert draws.max() < 5
    counts, _ = np.histogram(draws, bins=20, range=(-3, 5))
    assert chi_square(counts) < 45.3  # exceeded by one in a thousand of fair dice with 19 degrees of freedom


def test_integers_are_equally_likely() -> None:
    counts = np.bincount(Dice(1, 1, np.arange(90_000), 1).integers(9))
    assert len(counts) == 9
    assert chi_square(counts) < 26.1  # as above, 8 degrees of freedom


def test_one_value_is_drawn_where_there_is_one() -> None:
    assert Dice(1, 1, np.arange(1000), 1).integers(1).tolist() == [0] * 1000


@pytest.mark.parametrize("p", [0.0, 0.25, 1.0])
def test_a_chance_comes_true_as_often_as_it_says(p: float) -> None:
    came = Dice(1, 1, np.arange(40_000), 1).chance(p)
    assert came.mean() == pytest.approx(p, abs=0.01 if 0 < p < 1 else 0)


def test_neighbours_are_not_alike() -> None:
    """Next picture, next roll, next epoch, next seed and next place: none tells anything about another."""
    indices = np.arange(20_000)
    dice = Dice(1, 1, indices, 1)
    base, rolled = dice.uniform(), dice.uniform()
    others = [Dice(2, 1, indices, 1).uniform(), Dice(1, 2, indices, 1).uniform(), Dice(1, 1, indices, 2).uniform()]
    for other in (np.roll(base, 1), rolled, *others):
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.03


@pytest.mark.parametrize("count", [0, 1, 2, 1437])
def test_a_shuffle_is_a_permutation(count: int) -> None:
    order = shuffled(count, 1, 2)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(count))


def test_each_epoch_and_seed_has_an_order_of_its_own() -> None:
    orders = {shuffled(50, seed, epoch).tobytes() for seed in range(20) for epoch in range(20)}
    assert len(orders) == 400
    assert shuffled(50, 3, 4).tobytes() in orders


def test_every_first_place_of_a_shuffle_is_equally_likely() -> None:
    firsts = np.bincount([shuffled(8, seed)[0] for seed in range(4000)], minlength=8)
    assert chi_square(firsts) < 24.3  # 7 degrees of freedom


@pytest.mark.parametrize("parts", [(0,), (2**31, 10_000, 10**9), (-1, 5), (2**64, 1)])
def test_a_seed_is_one_that_torch_takes(parts: tuple[int, ...]) -> None:
    seed = seed_of(*parts)
    assert 0 <= seed < 2**63
    assert torch.Generator().manual_seed(seed).initial_seed() == seed


def test_salts_tell_names_and_occurrences_apart() -> None:
    salts = {salt_of(name, occurrence) for name in ("RandomCrop", "RandomRotation") for occurrence in range(50)}
    assert len(salts) == 100


def test_the_global_generators_are_not_touched() -> None:
    before = (torch.get_rng_state(), np.random.get_state()[1].tobytes(), random.getstate())
    Dice(1, 1, np.arange(10), 1).uniform()
    shuffled(10, 1)
    seed_of(1)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tobytes() == before[1]
    assert random.getstate() == before[2]


def chi_square(counts: np.ndarray) -> float:
    expected = counts.sum() / len(counts)
    return float(((counts - expected) ** 2 / expected).sum())


def test_dice_made_together_roll_what_each_alone_would() -> None:
    indices = np.array([0, 7, 3, 2**40, 5])
    salts = [salt_of("RandomCrop", 0), salt_of("RandomCrop", 1), 9]
    for dice, salt in zip(Dice.together(3, 2, indices, salts), salts, strict=True):
        alone = Dice(3, 2, indices, salt)
        assert len(dice) == len(alone)
        for _ in range(4):  # the first two are mixed ahead
            assert np.array_equal(dice.uniform(-2, 5), alone.uniform(-2, 5))
        assert np.array_equal(dice.fork(4).integers(9), alone.fork(4).integers(9))
    assert Dice.together(3, 2, indices, []) == []


@pytest.mark.parametrize("count", [1, 2, 7, 3072, 3075])
def test_fields_of_noise_that_are_drawn_together_are_those_of_each_alone(count: int) -> None:
    seeds = Dice(3, 2, range(9), 5).seeds().tolist()
    together = normal_noises(seeds, count)
    assert together.shape == (9, count)
    for seed, field in zip(seeds, together, strict=True):
        assert np.array_equal(field, normal_noise(seed, count))
