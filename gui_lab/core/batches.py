"""The training batches of an epoch, several of them made at once.

A small batch is so few numbers that calling the kernels takes longer than their arithmetic: eight batches of 64 digits
made together take a quarter of the time that they take one by one. What a picture becomes does not depend on which
others are made with it, so each batch is to the bit what it would be alone. That holds where the chain acts on every
picture by itself, in one stretch; only there it also pays. Where pictures may have to be read from disk, or are large,
batches are made one by one, so that pause and stop are answered as soon.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gui_lab.core.images import InMemory
from gui_lab.core.learner import Learner

if TYPE_CHECKING:
    from torch import Tensor

PICTURES = 512
"""Made at once, at most: more are no faster, and the first batch would wait for them."""
BYTES = 4 << 20
"""Of the pictures made at once, at most: about what a processor's cache holds."""


class Batches:
    """The batches of one epoch, in their order. For the thread that trains alone.

    Attributes:
        together: how many are made at once, once all that is kept of the pictures is there.
    """

    def __init__(self, learner: Learner, epoch: int) -> None:
        self._learner, self._epoch = learner, epoch
        self._order = learner.order(epoch)
        self._size = learner.experiment.training.batch_size
        self.together = together(learner)
        self._pictures: Tensor | None = None
        self._labels: Tensor | None = None
        self._from = self._until = 0

    def __len__(self) -> int:
        return -(-len(self._order) // self._size)

    def take(self, number: int) -> tuple[Tensor, Tensor]:
        """The batch of this number, counted from 0: as `Learner.batch` gives it, to the bit.

        Raises:
            DataError: a picture cannot be read.
        """
        start = number * self._size
        end = min(start + self._size, len(self._order))
        if self._pictures is None or self._labels is None or not self._from <= start < self._until:
            # groups are counted from the epoch's start, so that who goes on in its middle meets the same ones
            count = self.together if self._all_there() else 1
            self._from = number // count * count * self._size
            self._until = min(self._from + count * self._size, len(self._order))
            part = self._order[self._from : self._until]
            self._pictures = self._labels = None  # the old ones need not be there while the new ones are made
            self._pictures, self._labels = self._learner.batch(part, self._epoch, training=True)
        here = slice(start - self._from, end - self._from)
        return self._pictures[here], self._labels[here]

    def _all_there(self) -> bool:
        front = self._learner.fronts[0]
        return front is None or front.held == front.place.pictures


def together(learner: Learner) -> int:
    """How many batches are made at once."""
    front, images, chain = learner.fronts[0], learner.images, learner.chain
    if front is None and not isinstance(images.pictures, InMemory):
        return 1
    kind, done = (images.kind, 0) if front is None else (front.place.kind, front.place.steps)
    if not chain.apart(kind, done):
        return 1
    size = learner.experiment.training.batch_size
    return max(min(PICTURES // size, BYTES // (size * 4 * math.prod(chain.output(images.kind).shape))), 1)
