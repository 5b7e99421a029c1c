"""Contours lie where the height is, and levels are spread over the area."""

from __future__ import annotations

import numpy as np
import pytest

from gui_lab.core.contours import contour, levels, shades


def grid(low: float, high: float, count: int = 81) -> tuple[np.ndarray, np.ndarray]:
    values = np.linspace(low, high, count)
    return tuple(np.meshgrid(values, values))  # type: ignore[return-value]


def test_a_circle_is_found_where_it_is() -> None:
    x, y = grid(-2, 2)
    pieces = contour(x**2 + y**2, 1.0)
    radii = np.hypot(*np.moveaxis(pieces / 20 - 2, -1, 0))
    assert len(pieces) > 60
    assert radii == pytest.approx(np.ones_like(radii), abs=2e-3)


def test_the_line_of_a_plane_is_straight_and_exact() -> None:
    pieces = contour(np.add.outer(np.arange(5.0), 2 * np.arange(6.0)), 4.5)
    column, row = np.moveaxis(pieces, -1, 0)
    assert row + 2 * column == pytest.approx(np.full_like(row, 4.5))


@pytest.mark.parametrize(("heights", "joined"), [([[2, -1], [-1, 2]], True), ([[1, -2], [-2, 1]], False)])
def test_a_cell_of_a_saddle_is_cut_as_its_middle_says(heights: list[list[float]], joined: bool) -> None:
    pieces = contour(np.array(heights, np.float64), 0.0)
    assert len(pieces) == 2
    near = np.abs(pieces.mean(axis=1) - 0.5).sum(axis=1)
    corner = np.sign((pieces.mean(axis=1) - 0.5).prod(axis=1))  # positive at the corners that are above
    assert (near > 0).all()
    assert (corner < 0).all() if joined else (corner > 0).all()


def test_half_of_the_area_is_in_the_lower_half_of_the_shades() -> None:
    x, y = grid(-2, 2)
    rosenbrock = (1 - x) ** 2 + 100 * (y - x**2) ** 2
    assert np.median(shades(rosenbrock)) == pytest.approx(0.5, abs=1e-6)
    assert np.median(shades(x**2 - y**2)) == pytest.approx(0.5, abs=0.02)


def test_levels_rise_within_the_heights() -> None:
    x, y = grid(-1, 1)
    found = levels(x**4 + y**4, 9)
    assert len(found) == 9
    assert found == sorted(found)
    assert 0 < found[0] < found[-1] < 2


def test_what_is_not_finite_is_the_highest_and_has_no_line() -> None:
    heights = np.array([[0.0, 1.0, np.inf], [0.0, np.nan, 2.0], [0.0, 1.0, 2.0]])
    assert shades(heights)[0, 2] == shades(heights)[1, 1] == 1.0
    assert np.isfinite(contour(heights, 0.5)).all()


def test_a_flat_surface_has_shades_and_no_lines() -> None:
    flat = np.full((4, 4), 3.0)
    assert (shades(flat) == 0).all()
    assert not any(len(contour(flat, level)) for level in levels(flat, 3))
