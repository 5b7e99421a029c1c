"""Which pictures an epoch takes in which order, and how that order is cut into batches.

The order is a function of seed and epoch, so whoever wants to see a batch of a run, past or future, has it from here
and not from the run. Batches are made when they are asked for: of a hundred thousand pictures only those on screen.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from gui_lab.core.dice import Indices, shuffled
from gui_lab.core.exhibits import Tile
from gui_lab.core.images import InMemory, Picture, Pictures

_KEPT = 128  # batches
_SIDE = 64  # pixels: a tile is not larger than twice that
_READ = 64  # pictures on disk: reading them takes some tenths of a second

Batch = tuple[Tile, ...]


def epoch_order(train: Indices, labels: Indices, *, seed: int, epoch: int, balanced: bool = False) -> Indices:
    """The training pictures in the order in which a run takes them.

    Args:
        train: indices of the training pictures, int64 (N,).
        labels: of all pictures of the data set.
        seed, epoch: of the run; epochs count from 1.
        balanced: each class equally often instead of each picture once.
    """
    if balanced:
        train = _balanced(train, labels[train], seed, epoch)
    return train[shuffled(len(train), seed, epoch)]


def _balanced(train: Indices, labels: Indices, *parts: int) -> Indices:
    """As many pictures as there are, each class equally often and of each class no picture more than once oftener than
    another; which ones are repeated or left out is another choice in each epoch."""
    classes = np.unique(labels)
    shares = np.full(len(classes), len(train) // len(classes))
    shares[shuffled(len(classes), *parts)[: len(train) % len(classes)]] += 1
    found: list[Any] = []
    for share, label in zip(shares, classes, strict=True):
        own = train[labels == label]
        own = own[shuffled(len(own), *parts, int(label))]
        found.append(np.resize(own, share))
    return np.concatenate(found)


def by_class(indices: Indices, labels: Indices) -> Indices:
    """Indices sorted by class as a folder of class folders gives them, within a class as they were."""
    return indices[np.argsort(labels[indices], kind="stable")]


class Batches(Sequence[Batch]):
    """An order cut into batches of tiles; compared by what it holds.

    Attributes:
        order: indices of the pictures in their data set, int64 (N,).
        size: pictures of a whole batch; the last one may be shorter.
    """

    def __init__(
        self, order: Indices, size: int, labels: Indices | None = None, pictures: Pictures | None = None
    ) -> None:
        """
        Args:
            labels: of all pictures of the data set; None where classes are not known.
            pictures: all of them; None where they are only counted.
        """
        self.order, self.size = order, size
        self._labels, self._pictures = labels, pictures
        self._made: OrderedDict[int, Batch] = OrderedDict()
        self._read: dict[int, Picture] = {}

    def __len__(self) -> int:
        return -(-len(self.order) // self.size)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Batches):
            return NotImplemented
        alike = (self.size, self._pictures, self._labels is None) == (
            other.size,
            other._pictures,
            other._labels is None,
        )
        return alike and np.array_equal(self.order, other.order)

    __hash__ = None  # type: ignore[assignment]  # compared by value, and an array has no hash

    @overload
    def __getitem__(self, place: int) -> Batch: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Batch]: ...
    def __getitem__(self, place: int | slice) -> Batch | Sequence[Batch]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        place %= len(self)
        made = self._made.get(place)
        if made is None:
            made = self._made[place] = tuple(self._tile(index) for index in self.indices(place).tolist())
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return made

    def indices(self, place: int) -> Indices:
        """Of the pictures of a batch, int64."""
        return self.order[place * self.size : (place + 1) * self.size]

    def classes(self, place: int) -> int:
        """How many classes there are in a batch; 0 where they are not known."""
        return 0 if self._labels is None else len(np.unique(self._labels[self.indices(place)]))

    def read(self, place: int) -> None:
        """Read the pictures of a batch and of those that come next beforehand, as many as take no time; only pictures
        on disk need that, for whoever paints does not wait for a disk.

        Raises:
            DataError: a picture cannot be read.
        """
        if self._pictures is None or isinstance(self._pictures, InMemory):
            return
        first = place * self.size
        wanted = self.order[first : first + min(2 * self.size, _READ)]
        for index, picture in zip(wanted.tolist(), self._pictures.take(wanted), strict=True):
            self._read[index] = _small(picture)

    def _tile(self, index: int) -> Tile:
        label = -1 if self._labels is None else int(self._labels[index])
        if isinstance(self._pictures, InMemory):
            return Tile(index, label, _small(self._pictures.pixels[index]))
        return Tile(index, label, self._read.get(index))


def _small(picture: Picture) -> Picture:
    """With pixels left out, so that hundreds of large pictures are drawn at once."""
    step = max(min(picture.shape[1:]) // _SIDE, 1)
    return picture[:, ::step, ::step]
