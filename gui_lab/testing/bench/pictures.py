"""The pictures that are trained on: the published ones where they are, others of the same shape where they are not.

Both sides train on the same ones and measure on the same ones after each epoch (the published test pictures, as the
tutorials do). The script gets them in the form in which they are here (`layouts`), because that decides what a
tutorial does with them: of files of arrays torchvision's class reads everything at once, of a folder of pictures it
decodes each one again in each epoch. The lab reads either form into memory once, so it gets arrays; what that took is
told, not timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from gui_lab import catalog
from gui_lab.core.dice import Indices, shuffled
from gui_lab.core.images import DATASETS, Dataset, ImageSet, InMemory, Opening, Progress, opened
from gui_lab.errors import DataError
from gui_lab.schema import knob
from gui_lab.testing.bench.cases import Family

_Pixels = npt.NDArray[np.uint8]
_TRAINED, _MEASURED = {"mnist": 60_000, "cifar10": 50_000}, 10_000
_MEASURED_SHARE = 5  # one picture to measure with for so many to train on, where not all are taken


class BenchPictures(Dataset):
    """Pictures laid out for a measurement; those of the second part are only measured with."""

    licence: ClassVar[str] = "that of the pictures"

    root: Path = knob(help="The folder of pixels.npy, labels.npy and classes.txt.")

    def open(self, download: bool = False) -> Opening:
        yield Progress("Reading", 0, 1, "files")
        labels = np.load(self.root / "labels.npy", allow_pickle=False)
        pixels = np.load(self.root / "pixels.npy", allow_pickle=False)
        trained, *classes = (self.root / "classes.txt").read_text(encoding="utf-8").split()
        measured = np.arange(int(trained), len(labels))
        return self.with_split(InMemory(pixels), labels, classes, validation=measured)


def register() -> None:
    """Let this process's experiments name them; a process that shows the catalogue to a person does not."""
    catalog.load()
    if "BenchPictures" not in DATASETS:
        DATASETS.add(BenchPictures)


Form = Literal["MNIST", "CIFAR10", "ImageFolder"]
"""The class of torchvision that reads them."""


@dataclass(frozen=True)
class Found:
    """Pictures of a family: `trained` first, then those to measure with.

    Attributes:
        pixels: uint8 (N, C, H, W).
        labels: int64 (N,).
        words: where they come from.
        form: in which the script gets them.
        files: of each picture, where they are files already.
    """

    pixels: _Pixels
    labels: Indices
    trained: int
    classes: tuple[str, ...]
    words: str
    form: Form
    files: tuple[Path, ...] = ()

    def first(self, count: int) -> Found:
        """Fewer of them, by chance but always the same ones; one to measure with for five to train on."""
        if count >= self.trained:
            return self
        measured = max(count // _MEASURED_SHARE, 1)
        chosen = [
            shuffled(self.trained, 0)[:count],
            self.trained + shuffled(len(self.labels) - self.trained, 0)[:measured],
        ]
        taken = np.concatenate(chosen)
        words = f"{self.words}; {count:,} of them, {measured:,} to measure with"
        files = tuple(self.files[place] for place in taken) if self.files else ()
        return Found(self.pixels[taken], self.labels[taken], count, self.classes, words, self.form, files)


def found(family: Family, root: Path) -> Found:
    """The published pictures below a folder, as torchvision lays them out (of CIFAR-10 also as an image folder
    `cifar10/train/...`); generated ones, with a sentence that says so, where they are not. Nothing is downloaded.

    Raises:
        DataError: an image folder is there and has no pictures.
    """
    catalog.load()
    folder = root / "cifar10"
    if family == "cifar10" and (folder / "train").is_dir():
        return _of_files(folder)
    form: Form = "MNIST" if family == "mnist" else "CIFAR10"
    try:
        images = opened(DATASETS.make(form, root=root))
    except DataError as error:
        return _GENERATED[family](f"{error.sentence} Instead: ")
    order = _order(images)
    return _published(images, order, np.asarray(images.pictures.take(order)), f"{form} in {root}", form)


def _of_files(folder: Path) -> Found:
    began = time.perf_counter()
    images = opened(DATASETS.make("ImageFolder", root=folder))
    seconds, order = time.perf_counter() - began, _order(images)
    taken = images.pictures.take(order)
    if isinstance(taken, list):
        raise DataError("The pictures have different sizes.", "Choose the folder of the published ones.")
    words = (
        f"CIFAR-10 as {len(order):,} picture files in {folder}: the script reads them by torchvision's ImageFolder, "
        f"which decodes them in each epoch, the lab once when it opens them ({seconds:.1f} s, not counted)"
    )
    files = tuple(folder / images.names[place] for place in order)
    return _published(images, order, taken, words, "ImageFolder", files)


def _order(images: ImageSet) -> Indices:
    """All that is not test, then the test pictures."""
    return np.concatenate([np.sort(np.concatenate([images.train, images.validation])), images.test])


def _published(
    images: ImageSet, order: Indices, pixels: _Pixels, words: str, form: Form, files: tuple[Path, ...] = ()
) -> Found:
    trained = len(order) - len(images.test)
    return Found(pixels, images.labels[order], trained, images.classes, words, form, files)


def _digits(why: str) -> Found:
    """The bundled digits, three times as large and moved about: 28x28, as many as MNIST has."""
    images = opened(DATASETS.make("Digits"))
    words = f"{why}Digits, 28x28, as many, repeated with small moves."
    return _repeated(images, "mnist", lambda pixels: np.pad(pixels.repeat(3, 2).repeat(3, 3), _MARGIN), words, "MNIST")


def _shapes(why: str) -> Found:
    """The drawn shapes at half their size: 32x32 in colour, as many as CIFAR-10 has."""
    images = opened(DATASETS.make("Shapes"))
    words = (
        f"{why}Shapes, 32x32, as many, repeated with small moves; as jpg files in a folder, as people's own pictures "
        "are, which the script's ImageFolder decodes in each epoch."
    )
    return _repeated(images, "cifar10", lambda pixels: pixels[:, :, ::2, ::2], words, "ImageFolder")


_MARGIN = ((0, 0), (0, 0), (2, 2), (2, 2))
_GENERATED: dict[Family, Callable[[str], Found]] = {"mnist": _digits, "cifar10": _shapes}


def _repeated(
    images: ImageSet, family: Family, enlarged: Callable[[_Pixels], _Pixels], words: str, form: Form
) -> Found:
    """As many as published, each copy of a picture moved by another few pixels."""
    trained = _TRAINED[family]
    parts = [np.resize(images.train, trained), np.resize(images.validation, _MEASURED)]
    order = np.concatenate(parts)
    pixels = enlarged(np.asarray(images.pictures.take(order)))
    for copy in range(9):
        some = slice(copy, None, 9)
        pixels[some] = np.roll(pixels[some], (copy // 3 - 1, copy % 3 - 1), (2, 3))
    return Found(pixels, images.labels[order], trained, images.classes, words, form)
