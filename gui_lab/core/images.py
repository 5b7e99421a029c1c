"""Image sets: pictures, labels and the split, in memory as uint8 or on disk.

A `Dataset` is what a person chooses (a spec); opening it yields progress and returns an `ImageSet`, which is data. The
validation part is split off the training pictures class by class, from a seed of its own, so that two runs with
different seeds are measured on the same pictures. Pictures that fit are kept as one uint8 array: no decoding, no
worker processes, and a batch is one gather. numpy only: the sample grid does not wait for torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from gui_lab.core.dice import Indices, shuffled
from gui_lab.core.pipeline import Kind
from gui_lab.errors import DataError
from gui_lab.schema import Registry, Spec, knob

Picture = npt.NDArray[np.uint8]
"""(C, H, W), values 0..255."""


@dataclass(frozen=True)
class Progress:
    """How far an opening is: `done` of `total` in `unit` (total 0 where it is not known yet)."""

    doing: str
    done: int = 0
    total: int = 0
    unit: str = ""


Opening = Generator[Progress, None, "ImageSet"]


class Pictures(Protocol):
    """Where pictures come from. `take` may be called from any thread."""

    kind: Kind

    def __len__(self) -> int: ...

    def take(self, indices: Indices) -> Picture | list[Picture]:
        """uint8 (B, C, H, W) where all are of one size, else B arrays (C, H, W).

        Raises:
            DataError: a picture cannot be read (any more).
        """


class InMemory:
    """Pictures of one size as one uint8 array (N, C, H, W)."""

    def __init__(self, pixels: npt.NDArray[np.uint8]) -> None:
        if pixels.ndim != 4 or pixels.dtype != np.uint8:
            raise ValueError(f"pixels are uint8 (N, C, H, W), not {pixels.dtype} {pixels.shape}")
        self.pixels = pixels
        self.kind = Kind.image(*pixels.shape[1:])

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, indices: Indices) -> Picture:
        return np.take(self.pixels, indices, axis=0)  # two thirds of the time of pixels[indices]


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Pictures with labels and a split.

    Attributes:
        pictures: all of them; an index into it is a picture's identity, and what its random draws come from.
        labels: int64 (N,), each in 0..len(classes) - 1.
        classes: their names, in the order of the labels.
        train, validation, test: int64 indices; disjoint; `test` may be empty.
        skipped: what could not be read, as (name, reason).
        names: a short name for each picture (a file name), or empty.
        own_validation: the validation part came with the pictures and is no choice.
    """

    pictures: Pictures
    labels: Indices
    classes: tuple[str, ...]
    train: Indices
    validation: Indices
    test: Indices
    skipped: tuple[tuple[str, str], ...] = ()
    names: Sequence[str] = field(default=())
    own_validation: bool = False

    @property
    def kind(self) -> Kind:
        return self.pictures.kind

    @cached_property
    def split(self) -> str:
        """A digest of which pictures are trained on and measured with, and of all classes."""
        digest = hashlib.sha256()
        for values in (self.train, self.validation, self.test, self.labels):
            digest.update(np.ascontiguousarray(values, np.int64).tobytes() + b";")
        return digest.hexdigest()[:16]

    def counts(self, part: Indices) -> Indices:
        """How many pictures of each class are in a part, int64 (classes,)."""
        return np.bincount(self.labels[part], minlength=len(self.classes)).astype(np.int64)

    def picture(self, index: int) -> Picture:
        """uint8 (C, H, W)."""
        return self.pictures.take(np.array([index]))[0]

    def part_of(self, index: int) -> str:
        """ "training", "validation" or "test"."""
        for name, part in (("training", self.train), ("validation", self.validation)):
            if np.isin(index, part):
                return name
        return "test"


class Dataset(Spec):
    """A choice of pictures."""

    licence: ClassVar[str] = ""
    credit: ClassVar[str] = ""
    downloads: ClassVar[bool] = False
    """True where opening may fetch pictures from the network."""
    handed: ClassVar[bool] = False
    """True where a mirrored picture may mean something else: a mirrored 2 is no 2."""
    upright: ClassVar[float | None] = None
    """Degrees up to which a turned picture keeps its meaning (a 6 on its head is a 9); None where all do."""

    validation: float = knob(
        0.2, "Part of the training pictures that is held back to measure with, class by class.", gt=0, lt=1, felt=True
    )
    split_seed: int = knob(0, "Decides which pictures are held back; independent of the run's seed.", ge=0, le=2**31)

    def open(self, download: bool = False) -> Opening:
        """Open it: yields progress, returns the image set (`opened` runs it to its end). Closing the generator
        cancels.

        Args:
            download: fetch what is missing.

        Raises:
            DataError: with a sentence and a remedy.
        """
        raise NotImplementedError(f"{self.name_of()} does not say how it is opened")

    def with_split(
        self,
        pictures: Pictures,
        labels: Indices,
        classes: Sequence[str],
        *,
        test: Indices | None = None,
        validation: Indices | None = None,
        **facts: Any,
    ) -> ImageSet:
        """An image set whose validation part is split off by class, unless one is given.

        Raises:
            DataError: fewer than two classes, a class without pictures to train on, or none to measure with.
        """
        test = np.array([], np.int64) if test is None else test
        if len(classes) < 2:
            raise DataError(
                f"There is only one class ({classes[0]})." if classes else "There are no classes.",
                "A classifier needs at least two classes with pictures in each.",
            )
        rest = _without(np.arange(len(labels)), test)
        own_validation = validation is not None
        if validation is None:
            validation = stratified(labels, rest, self.validation, self.split_seed)
        train = _without(rest, validation)
        missing = [name for label, name in enumerate(classes) if not np.any(labels[train] == label)]
        if missing:
            raise DataError(
                f"There are no training pictures of {', '.join(missing[:5])}.",
                "Add pictures to this class, or remove its folder.",
            )
        if not len(validation):
            raise DataError(
                "No picture can be held back to measure with: there is only one of each class.",
                "Add pictures, at least two of each class.",
            )
        return ImageSet(
            pictures, labels, tuple(classes), train, validation, test, own_validation=own_validation, **facts
        )

    def split_anew(self, images: ImageSet) -> ImageSet:
        """The same pictures with this data set's validation part; nothing is read again.

        Raises:
            DataError: as `with_split`.
        """
        if images.own_validation:
            return images
        return self.with_split(
            images.pictures,
            images.labels,
            images.classes,
            test=images.test,
            skipped=images.skipped,
            names=images.names,
        )

    def same_pictures(self, other: Dataset) -> bool:
        """Whether two choices differ in their split alone."""
        return self.name_of() == other.name_of() and self == other.model_copy(update=_split_of(self))


DATASETS: Registry[Dataset] = Registry("data set")


def _split_of(dataset: Dataset) -> dict[str, Any]:
    return {"validation": dataset.validation, "split_seed": dataset.split_seed}


def stratified(labels: Indices, among: Indices, fraction: float, seed: int) -> Indices:
    """Indices of a part of `among` with the given fraction of each class, sorted. The whole part is the rounded
    fraction of all (6,000 of 60,000), but each class that has two or more pictures gives at least one and keeps at
    least one."""
    sizes = np.bincount(labels[among])
    counts = _shares(sizes, fraction)
    chosen = []
    for label in np.flatnonzero(sizes):
        members = among[labels[among] == label]
        chosen.append(members[shuffled(len(members), seed, int(label))[: counts[label]]])
    return np.sort(np.concatenate(chosen)) if chosen else np.array([], np.int64)


def _shares(sizes: Indices, fraction: float) -> Indices:
    """How many of each class, by largest remainders: the sum is the rounded fraction of all."""
    exact = sizes * fraction
    counts = np.floor(exact).astype(np.int64)
    missing = round(float(exact.sum())) - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:missing]] += 1
    keeps_one: Indices = np.clip(counts, np.minimum(1, sizes - 1).clip(0), (sizes - 1).clip(0))
    return keeps_one


def _without(indices: Indices, left_out: Indices) -> Indices:
    """Ascending indices less some of them (numpy's own set functions load its masked arrays first, 40 ms)."""
    keep = np.zeros(int(indices[-1]) + 1 if len(indices) else 0, np.bool_)
    keep[indices] = True
    keep[left_out] = False
    return np.flatnonzero(keep)


def opened(dataset: Dataset, download: bool = False) -> ImageSet:
    """Open a data set in one go."""
    opening = dataset.open(download)
    while True:
        try:
            next(opening)
        except StopIteration as end:
            image_set: ImageSet = end.value
            return image_set
