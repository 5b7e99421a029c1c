"""What a person's own transform has to keep to, tried on real pictures and told point by point.

A transform that breaks one of these works in a notebook and spoils a run: previews would show what training does not
get, or one picture would change another. Trying runs the code, so it is trusted first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gui_lab.core.chain import Chain
from gui_lab.core.pipeline import Transform
from gui_lab.errors import OwnCodeError

if TYPE_CHECKING:
    from torch import Tensor

_INDICES = np.arange(4)


@dataclass(frozen=True)
class Point:
    """One point of the contract; `fault` says how it was broken, empty where it was kept."""

    sentence: str
    fault: str = ""


def kept(transform: Transform, pictures: Tensor) -> Iterator[Point]:
    """Try a transform.

    Args:
        transform: trusted.
        pictures: uint8 or float32 (4, C, H, W), as they arrive at its place.

    Yields:
        A point at a time; the first broken one is the last.
    """
    for sentence, fault in _points(transform, pictures):
        try:
            found = fault()
        except OwnCodeError as error:
            found = str(error)
        yield Point(sentence, found)
        if found:
            return


def _points(transform: Transform, pictures: Tensor) -> list[tuple[str, Callable[[], str]]]:
    import torch

    chain = Chain([transform])

    def run(epoch: int = 1, part: slice = slice(None)) -> Tensor:
        return chain.run(pictures[part], _INDICES[part], seed=1, epoch=epoch, training=True)

    def one_size() -> str:
        try:
            run()
        except ValueError:
            return "Pictures of one size came out in different sizes."
        return ""

    def untouched() -> str:
        before = torch.random.get_rng_state()
        run()
        same = torch.equal(before, torch.random.get_rng_state())
        return "" if same else "It drew from torch's own generator: take a second parameter named generator."

    def repeated() -> str:
        return "" if torch.equal(run(), run()) else "The same picture in the same epoch came out differently."

    def alone() -> str:
        together, apart = run(), torch.cat([run(part=slice(place, place + 1)) for place in range(4)])
        return "" if torch.equal(together, apart) else "A picture came out differently beside others."

    def finite() -> str:
        made = run()
        whole = not made.is_floating_point() or bool(torch.isfinite(made).all())
        return "" if whole else "There are values that are not finite."

    return [
        ("It gives a picture: a tensor (C, H, W), uint8 or float32", one_size),
        ("All values are finite", finite),
        ("It draws from its own generator only", untouched),
        ("The same picture, epoch and seed give the same", repeated),
        ("A picture does not depend on those beside it", alone),
    ]
