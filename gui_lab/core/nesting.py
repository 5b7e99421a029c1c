"""A chain with transforms inside of transforms, edited by where things stand.

A place is a tuple of positions: (2,) is the third transform of the chain, (2, 0) the first one that it holds. Each
function returns a new chain; nothing is changed in place.
"""

from __future__ import annotations

from collections.abc import Sequence

from gui_lab.core.pipeline import Transform

Place = tuple[int, ...]
Transforms = tuple[Transform, ...]


def holding(transform: Transform) -> str:
    """The field in which it holds others; empty where it holds none."""
    return next(iter(transform.holds), "")


def held(transform: Transform) -> Transforms:
    """What it holds."""
    field = holding(transform)
    inside: Transforms = getattr(transform, field) if field else ()
    return inside


def places(transforms: Sequence[Transform], above: Place = ()) -> list[Place]:
    """All places from top to bottom, each before those inside of it."""
    found: list[Place] = []
    for position, transform in enumerate(transforms):
        place = (*above, position)
        found += [place, *places(held(transform), place)]
    return found


def at(transforms: Sequence[Transform], place: Place) -> Transform:
    """What stands at a place."""
    found = transforms[place[0]]
    return at(held(found), place[1:]) if len(place) > 1 else found


def siblings(transforms: Sequence[Transform], place: Place) -> Transforms:
    """All that stand beside a place, itself included."""
    return held(at(transforms, place[:-1])) if len(place) > 1 else tuple(transforms)


def path(transforms: Sequence[Transform], place: Place) -> str:
    """Where a place is in a document: "transforms.2.transforms.0"."""
    if len(place) == 1:
        return f"transforms.{place[0]}"
    return f"{path(transforms, place[:-1])}.{holding(at(transforms, place[:-1]))}.{place[-1]}"


def with_siblings(transforms: Sequence[Transform], place: Place, beside: Transforms) -> Transforms:
    """The chain with all that stand beside a place replaced."""
    if len(place) == 1:
        return beside
    above = at(transforms, place[:-1])
    changed = above.model_copy(update={holding(above): beside})
    return replaced(transforms, place[:-1], (changed,))


def replaced(transforms: Sequence[Transform], place: Place, instead: Transforms) -> Transforms:
    """The chain with what stands at a place replaced by others: by none, it is removed."""
    beside, position = siblings(transforms, place), place[-1]
    return with_siblings(transforms, place, (*beside[:position], *instead, *beside[position + 1 :]))


def inserted(transforms: Sequence[Transform], place: Place, new: Transforms) -> Transforms:
    """The chain with others before what stands at a place, which may be the one behind the last."""
    beside, position = siblings(transforms, place), place[-1]
    return with_siblings(transforms, place, (*beside[:position], *new, *beside[position:]))


def moved(transforms: Sequence[Transform], place: Place, to: Place) -> tuple[Transforms, Place]:
    """The chain with one transform taken to before another place, and where it stands then; unchanged where that lies
    inside of it."""
    if to[: len(place)] == place:
        return tuple(transforms), place
    taken = at(transforms, place)
    level = len(place) - 1
    beside = len(to) > level and to[:level] == place[:level] and to[level] > place[level]
    landing = (*to[:level], to[level] - 1, *to[level + 1 :]) if beside else to
    return inserted(replaced(transforms, place, ()), landing, (taken,)), landing
