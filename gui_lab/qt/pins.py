"""Locked dice follow their transform: rows come, go and move, and the numbers that were kept stay where they belong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gui_lab.core.pipeline import Transform


def followed(before: Sequence[Transform], after: Sequence[Transform], pins: Mapping[int, int]) -> dict[int, int]:
    """
    Args:
        before, after: the chain before and after an edit.
        pins: the epoch whose numbers are kept, by position before.

    Returns:
        The same by position after; without those whose transform is gone.
    """
    found: dict[int, int] = {}
    for position, epoch in sorted(pins.items()):
        place = _place_of(before, after, position)
        if place is not None and after[place].random:
            found[place] = epoch
    return found


def _place_of(before: Sequence[Transform], after: Sequence[Transform], position: int) -> int | None:
    """Where a transform is after an edit; where it was when only its own values were edited."""
    if position >= len(before):
        return None
    transform = before[position]
    same = [place for place, other in enumerate(after) if other == transform]
    rank = sum(other == transform for other in before[:position])
    if rank < len(same):
        return same[rank]
    stays = len(before) == len(after) and after[position].name_of() == transform.name_of()
    return position if stays else None
