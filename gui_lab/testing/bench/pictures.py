"""The pictures that are trained on: the published ones where they are, others of the same shape where they are not.

They are laid out once for both sides. The tutorial script gets them as torchvision lays them out, the lab as arrays;
the training pictures are the same, and both measure on the same ones after each epoch (the published test pictures,
as the tutorials do).
"""

from __future__ import annotations

import hashlib
import pickle
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

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


@dataclass(frozen=True)
class Found:
    """Pictures of a family: `trained` first, then those to measure with; `words` say where they come from."""

    pixels: _Pixels
    labels: Indices
    trained: int
    classes: tuple[str, ...]
    words: str

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
        return Found(self.pixels[taken], self.labels[taken], count, self.classes, words)


def found(family: Family, root: Path) -> Found:
    """The published pictures below a folder, as torchvision lays them out (of CIFAR-10 also as an image folder
    `cifar10/train/...`); generated ones, with a sentence that says so, where they are not. Nothing is downloaded.

    Raises:
        DataError: an image folder is there and has no pictures.
    """
    catalog.load()
    folder = root / "cifar10"
    if family == "cifar10" and (folder / "train").is_dir():
        return _published(opened(DATASETS.make("ImageFolder", root=folder)), f"CIFAR-10 as pictures in {folder}")
    name = "MNIST" if family == "mnist" else "CIFAR10"
    try:
        return _published(opened(DATASETS.make(name, root=root)), f"{name} in {root}")
    except DataError as error:
        pixels, labels, trained, classes, words = _GENERATED[family]()
        return Found(pixels, labels, trained, classes, f"{error.sentence} Instead: {words}")


def _published(images: ImageSet, words: str) -> Found:
    """All that is not test, then the test pictures."""
    train = np.sort(np.concatenate([images.train, images.validation]))
    order = np.concatenate([train, images.test])
    taken = images.pictures.take(order)
    if isinstance(taken, list):
        raise DataError("The pictures have different sizes.", "Choose the folder of the published ones.")
    return Found(taken, images.labels[order], len(train), images.classes, words)


_Made = tuple[_Pixels, Indices, int, tuple[str, ...], str]


def _digits() -> _Made:
    """The bundled digits, three times as large and moved about: 28x28, as many as MNIST has."""
    images = opened(DATASETS.make("Digits"))
    return _repeated(images, "mnist", lambda pixels: np.pad(pixels.repeat(3, 2).repeat(3, 3), _MARGIN), "Digits, 28x28")


def _shapes() -> _Made:
    """The drawn shapes at half their size: 32x32 in colour, as many as CIFAR-10 has."""
    images = opened(DATASETS.make("Shapes"))
    return _repeated(images, "cifar10", lambda pixels: pixels[:, :, ::2, ::2], "Shapes, 32x32")


_MARGIN = ((0, 0), (0, 0), (2, 2), (2, 2))
_GENERATED: dict[str, Callable[[], _Made]] = {"mnist": _digits, "cifar10": _shapes}


def _repeated(images: ImageSet, family: str, enlarged: Callable[[_Pixels], _Pixels], what: str) -> _Made:
    """As many as published, each copy of a picture moved by another few pixels."""
    trained = _TRAINED[family]
    parts = [np.resize(images.train, trained), np.resize(images.validation, _MEASURED)]
    order = np.concatenate(parts)
    pixels = enlarged(np.asarray(images.pictures.take(order)))
    for copy in range(9):
        some = slice(copy, None, 9)
        pixels[some] = np.roll(pixels[some], (copy // 3 - 1, copy % 3 - 1), (2, 3))
    return pixels, images.labels[order], trained, images.classes, f"{what}, as many, repeated with small moves."


def lay_out(pictures: Found, family: Family, folder: Path) -> None:
    """Write them for the lab and, below `torchvision/`, as the family's own class of torchvision reads them."""
    folder.mkdir(parents=True)
    np.save(folder / "pixels.npy", pictures.pixels)
    np.save(folder / "labels.npy", pictures.labels)
    (folder / "classes.txt").write_text(
        "\n".join([str(pictures.trained), *(name.replace(" ", "-") for name in pictures.classes)]), encoding="utf-8"
    )
    for part, name in ((slice(None, pictures.trained), "train"), (slice(pictures.trained, None), "test")):
        if family == "mnist":
            _as_idx(pictures.pixels[part], pictures.labels[part], folder / "torchvision" / "MNIST" / "raw", name)
        else:
            _as_batches(pictures, part, folder / "torchvision" / "cifar-10-batches-py", name)


def _as_idx(pixels: _Pixels, labels: Indices, folder: Path, part: str) -> None:
    """The two files of a part in LeCun's format: a magic number, the sizes, the bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    name, (count, _, height, width) = {"train": "train", "test": "t10k"}[part], pixels.shape
    header = struct.pack(">4i", 2051, count, height, width)
    (folder / f"{name}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
    header = struct.pack(">2i", 2049, count)
    (folder / f"{name}-labels-idx1-ubyte").write_bytes(header + labels.astype(np.uint8).tobytes())


def _as_batches(pictures: Found, part: slice, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pixels, labels = pictures.pixels[part], pictures.labels[part]
    batch = {"data": pixels.reshape(len(pixels), -1), "labels": labels.tolist()}
    (folder / name).write_bytes(pickle.dumps(batch))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(pictures.classes)}))


def digest(folder: Path) -> str:
    """Of the pictures that were laid out; says in a record whether two measurements had the same ones."""
    return hashlib.sha256((folder / "pixels.npy").read_bytes()).hexdigest()[:16]
