"""Pictures on disk for both sides: arrays for the lab, and for the script what its class of torchvision reads.

What is here as picture files stays those files (links, where the disk can), so that the script decodes exactly what a
person's script would. What is drawn for the measurement becomes jpg files first, and the lab then trains on what these
show: a jpg changes pixels, and both sides must see the same ones.
"""

from __future__ import annotations

import dataclasses
import os
import pickle
import shutil
import struct
from pathlib import Path

import numpy as np
from PIL import Image

from gui_lab.core.decoding import read
from gui_lab.testing.bench.pictures import Found

_QUALITY = 95  # of a jpg
FOLDER = "torchvision"
"""Below the folder of a layout: what the script reads."""


def lay_out(pictures: Found, folder: Path) -> None:
    """Write them for the lab and, below `torchvision/`, as the class of their form reads them."""
    root = folder / FOLDER
    root.mkdir(parents=True)
    if pictures.form == "ImageFolder":
        pictures = _as_folder(pictures, root)
    elif pictures.form == "CIFAR10":
        _as_batches(pictures, root / "cifar-10-batches-py")
    else:
        _as_idx(pictures, root / "MNIST" / "raw")
    np.save(folder / "pixels.npy", pictures.pixels)
    np.save(folder / "labels.npy", pictures.labels)
    names = [name.replace(" ", "-") for name in pictures.classes]
    (folder / "classes.txt").write_text("\n".join([str(pictures.trained), *names]), encoding="utf-8")


def _parts(pictures: Found) -> tuple[tuple[str, slice], ...]:
    return ("train", slice(None, pictures.trained)), ("test", slice(pictures.trained, None))


def _as_folder(pictures: Found, root: Path) -> Found:
    """train/class/picture.jpg; returns the pictures as these files show them."""
    folders = []
    for part, _ in _parts(pictures):
        folders.append([root / part / f"{label:03}" for label in range(len(pictures.classes))])
        for folder in folders[-1]:
            folder.mkdir(parents=True)
    shown = []
    for place, label in enumerate(pictures.labels):
        folder = folders[place >= pictures.trained][label]
        if pictures.files:
            _link(pictures.files[place], folder / f"{place:06}{pictures.files[place].suffix}")
        else:
            drawn = folder / f"{place:06}.jpg"
            Image.fromarray(pictures.pixels[place].transpose(1, 2, 0)).save(drawn, quality=_QUALITY)
            shown.append(read(str(drawn)))
    return dataclasses.replace(pictures, pixels=np.stack(shown)) if shown else pictures


def _link(file: Path, to: Path) -> None:
    try:
        os.link(file, to)
    except OSError:  # another disk, or one that has no links
        shutil.copyfile(file, to)


def _as_idx(pictures: Found, folder: Path) -> None:
    """LeCun's format, two files for each part: a magic number, the sizes, the bytes."""
    folder.mkdir(parents=True)
    for (_, part), name in zip(_parts(pictures), ("train", "t10k"), strict=True):
        pixels, labels = pictures.pixels[part], pictures.labels[part]
        count, _, height, width = pixels.shape
        header = struct.pack(">4i", 2051, count, height, width)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
        header = struct.pack(">2i", 2049, count)
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(header + labels.astype(np.uint8).tobytes())


def _as_batches(pictures: Found, folder: Path) -> None:
    """One file for each part, as CIFAR-10's are."""
    folder.mkdir(parents=True)
    for name, part in _parts(pictures):
        pixels, labels = pictures.pixels[part], pictures.labels[part]
        batch = {"data": pixels.reshape(len(pixels), -1), "labels": labels.tolist()}
        (folder / name).write_bytes(pickle.dumps(batch))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(pictures.classes)}))
