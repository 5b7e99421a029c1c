"""The training batches of an epoch, several of them made at once, and the next ones while these are trained.

A small batch is so few numbers that calling the kernels takes longer than their arithmetic: eight batches of 64 digits
made together take a quarter of the time that they take one by one. What a picture becomes does not depend on which
others are made with it, so each batch is to the bit what it would be alone. That holds where the chain acts on every
picture by itself, in one stretch; only there it also pays. Where pictures may have to be read from disk, or are large,
batches are made one by one, so that pause and stop are answered as soon.

Where that still takes long and a processor is left beside those that train, a thread makes the next ones meanwhile, so
that who trains hardly ever waits for pictures: with six random transforms LeNet trains an eighth faster on two cores.
Where it takes no more time than two threads lose by taking turns at Python, the thread that trains does it itself. All
draws come from `dice`, none from torch's generator: who makes a batch, and when, changes no bit of it. A person's own
code may draw from anywhere; that too stays with the thread that trains.
"""

from __future__ import annotations

import math
import time
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from gui_lab.core import machine
from gui_lab.core.images import InMemory
from gui_lab.core.learner import Learner

Made = list[tuple[Tensor, Tensor]]

PICTURES = 512
"""Made at once, at most: more are no faster, and the first batch would wait for them."""
BYTES = 4 << 20
"""Of the pictures made at once, at most: about what a processor's cache holds."""
WORTH_SECONDS = 0.002
"""To make what is made at once: from then on it is worth a thread. Eight small batches of digits take a sixth of it."""


class Batches:
    """The batches of one epoch, in their order. For the thread that trains alone, which closes them.

    Attributes:
        together: how many are made at once, once all that is kept of the pictures is there.
    """

    def __init__(self, learner: Learner, epoch: int) -> None:
        self._learner, self._epoch = learner, epoch
        self._order = learner.order(epoch)
        self._size = learner.experiment.training.batch_size
        self.together = together(learner)
        self._maker = ThreadPoolExecutor(1, "batches") if ahead(learner) else None
        self._worth = False
        self._coming: tuple[range, Future[Made]] | None = None
        self._here = range(0)  # the numbers of the batches that are at hand
        self._made: Made = []

    def __len__(self) -> int:
        return -(-len(self._order) // self._size)

    def take(self, number: int) -> tuple[Tensor, Tensor]:
        """The batch of this number, counted from 0: as `Learner.batch` gives it, to the bit.

        Raises:
            DataError: a picture cannot be read.
        """
        if number not in self._here:
            self._bring(number)
        return self._made[number - self._here.start]

    def _bring(self, number: int) -> None:
        """Have this batch at hand, with those that are made with it, and the next ones under way."""
        coming, self._coming = self._coming, None
        self._here, self._made = range(0), []  # the old ones need not be there while new ones are made
        if coming is not None and number in coming[0]:
            group, made = coming[0], coming[1].result()
        else:
            group, began = self._group(number), time.perf_counter()
            made = self._make(group)
            self._worth = time.perf_counter() - began > WORTH_SECONDS
        self._here, self._made = group, made
        if self._maker is not None and self._worth and group.stop < len(self):
            following = self._group(group.stop)
            self._coming = following, self._maker.submit(self._make, following)

    def _group(self, number: int) -> range:
        """The numbers of those that are made with a batch. Groups are counted from the epoch's start, so that who goes
        on in its middle meets the same ones."""
        front = self._learner.fronts[0]
        count = self.together if front is None or front.held == front.place.pictures else 1
        start = number // count * count
        return range(start, min(start + count, len(self)))

    def _make(self, group: range) -> Made:
        part = self._order[group.start * self._size : group.stop * self._size]
        pictures, labels = self._learner.batch(part, self._epoch, training=True)
        return list(zip(torch.split(pictures, self._size), torch.split(labels, self._size), strict=True))

    def close(self) -> None:
        """Wait until nothing is made any more."""
        if self._maker is not None:
            self._maker.shutdown(cancel_futures=True)


def ahead(learner: Learner) -> bool:
    """Whether the next batches are made while others are trained."""
    return machine.spare(learner.device, learner.threads) and not learner.experiment.code()


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
