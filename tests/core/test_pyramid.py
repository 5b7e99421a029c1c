"""A long series drawn with few points: no peak is lost at any zoom, and news costs what is new."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from gui_lab.core.pyramid import Growing, Pyramid

MANY = 300_007
ZOOMS = [(0, MANY), (0, 1000), (1234, 5678), (99_999, 250_001), (MANY - 70_000, MANY), (MANY - 5, MANY), (7, 7)]


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(count)


def followed(values: np.ndarray) -> Pyramid:
    pyramid = Pyramid()
    pyramid.follow(values)
    return pyramid


@pytest.mark.parametrize(("first", "last"), ZOOMS)
@pytest.mark.parametrize("columns", [50, 337, 1919])
def test_every_peak_of_every_column_survives_at_every_zoom(first, last, columns):
    values = noise(MANY)
    values[[0, 1300, 12_345, 150_000, MANY - 3]] = 9, 99, -99, 999, -9
    chosen = followed(values).peaks(values, first, last, columns)
    assert np.all(np.diff(chosen) > 0)
    assert len(chosen) <= 4 * columns + 4
    edges = np.linspace(first, last, columns + 1).astype(int)
    near = (last - first) / columns + 1  # a peak may be drawn with the column beside its own
    for start, end in pairwise(edges):
        if start < end:
            beside = chosen[(chosen >= start - near) & (chosen <= end + near)]
            assert values[beside].max() >= values[start:end].max()
            assert values[beside].min() <= values[start:end].min()


def test_few_values_are_drawn_as_they_are():
    values = noise(90)
    assert np.array_equal(followed(values).peaks(values, 10, 80, 50), np.arange(10, 80))


@pytest.mark.parametrize("step", [1, 31, 32, 33, 4097])
def test_what_comes_in_pieces_is_found_as_if_it_had_come_at_once(step):
    values = noise(40_000)[: 40 * step if step < 1000 else 40_000]
    pieces = Pyramid()
    for end in range(step, len(values) + step, step):
        pieces.follow(values[:end])
    whole = followed(values)
    for first, last in ((0, len(values)), (len(values) // 3, len(values) - 1)):
        for columns in (1, 7, 60):
            found, wanted = (one.blocks(values, first, last, columns) for one in (pieces, whole))
            assert all(np.array_equal(*pair) for pair in zip(found, wanted, strict=True))


def test_at_most_so_many_values_are_taken_in_at_once_and_only_those_are_drawn():
    values = noise(10_000)
    pyramid = Pyramid()
    for count in (3000, 6000, 9000, 10_000):
        pyramid.follow(values, 3000)
        assert pyramid.count == count
        assert pyramid.range(values, 0, count) == (values[:count].min(), values[:count].max())


def test_news_is_looked_at_once_and_nothing_old_again(monkeypatch):
    from gui_lab.core import pyramid as module

    values = noise(200_000)
    pyramid = followed(values[:-1000])
    looked_at, ends = [], module._ends
    monkeypatch.setattr(module, "_ends", lambda blocks: looked_at.append(blocks.size) or ends(blocks))
    pyramid.follow(values)
    assert sum(looked_at) < 4 * 1000


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_numbers_are_left_out_and_hide_no_peak(missing):
    values = noise(100_000)
    values[::2] = missing
    values[30_000:60_000] = missing  # whole blocks of them
    values[[20_001, 80_001]] = 9, -9
    pyramid = followed(values)
    for columns in (100, 40_000):
        chosen = pyramid.peaks(values, 0, len(values), columns)
        assert np.isfinite(values[chosen]).all()
        assert {20_001, 80_001} <= set(chosen)
    assert pyramid.range(values, 0, len(values)) == (-9, 9)


def test_a_series_of_nothing_but_missing_values_is_empty():
    values = np.full(5000, np.nan)
    pyramid = followed(values)
    assert len(pyramid.peaks(values, 0, 5000, 100)) == 0
    assert np.isnan(pyramid.range(values, 0, 5000)).all()


def test_blocks_stand_still_while_the_view_moves():
    values = noise(100_000)
    pyramid = followed(values)
    before, after = (pyramid.blocks(values, first, first + 50_000, 100) for first in (10_000, 10_700))
    shared = np.intersect1d(before[0], after[0])
    assert len(shared) > 90
    for place in (1, 2):
        ends = [one[place][np.isin(one[0], shared)][:-1] for one in (before, after)]
        assert np.array_equal(*ends)


def test_an_array_that_grows_keeps_what_it_gave_away():
    grown = Growing(np.float64)
    grown.extend(np.arange(50.0))
    before = grown.values
    grown.extend(np.arange(1000.0))
    assert len(grown) == 1050
    assert np.array_equal(before, np.arange(50.0))
    assert np.array_equal(grown.values, np.concatenate([np.arange(50.0), np.arange(1000.0)]))
