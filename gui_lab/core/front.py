"""The front of a chain, computed once: what its leading transforms without draws make of each picture is kept.

Resizing a photograph, or whitening it, gives the same result in every epoch, and so does reading it from disk. For
validation pictures random transforms do not act, so their front is the whole chain. Each picture is kept when a batch
first asks for it, in one array per part of the data set whose size is known and bounded beforehand, without torch, so
that a page can tell it. Transforms that merely overwrite (ToTensor, Normalize) are left out at the end: reading four
times the bytes takes as long as computing them anew.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gui_lab.core.chain import Chain
from gui_lab.core.dice import Indices
from gui_lab.core.images import ImageSet, InMemory, Pictures
from gui_lab.core.pipeline import Kind

if TYPE_CHECKING:
    from torch import Tensor

_LARGEST = 4 << 30  # bytes
_SHARE = 4  # one part in so many of the machine's memory


@functools.cache
def bound() -> int:
    """Bytes that kept pictures may take: a quarter of the machine's memory, 4 GiB at most."""
    import psutil

    return min(int(psutil.virtual_memory().total) // _SHARE, _LARGEST)


@dataclass(frozen=True)
class Place:
    """Where in a chain pictures are kept.

    Attributes:
        steps: how many of `chain.steps(training)` come before it.
        position: of the last of these in the chain's list; -1 for the pictures as they came.
        name: its name; "source" for the pictures as they came.
        kind: of the pictures there, all of one size.
        pictures: how many there are.
    """

    steps: int
    position: int
    name: str
    kind: Kind
    pictures: int

    @property
    def bytes(self) -> int:
        """What all of them take."""
        return self.pictures * math.prod(self.kind.shape) * (4 if self.kind.dtype == "float32" else 1)

    def words(self) -> str:
        """For a person: "12,000 pictures kept after Resize: 58 MB"."""
        where = f"after {self.name}" if self.steps else "as they were read"
        return f"{self.pictures:,} pictures kept {where}: {math.ceil(self.bytes / 1e6):,} MB"


def place(chain: Chain, kind: Kind, pictures: int, *, training: bool, read: bool, most: int) -> Place | None:
    """The last place of the chain where so many pictures can be kept, and keeping them saves something; torch is not
    needed.

    Args:
        chain: legal for pictures of this kind (up to its first illegal transform).
        kind: of the pictures in the data set.
        pictures: how many would be kept.
        training: whether random transforms act on them.
        read: they are read from disk, so that keeping them as they came saves something too.
        most: bytes that they may take.
    """
    steps = chain.steps(training)
    kinds = chain.kinds(kind, training)
    best = None
    for done, (position, here) in enumerate(kinds):
        if done:
            transform = steps[done - 1][1]
            if transform.random:
                break
            if transform.overwrites():
                continue
        elif not read:
            continue
        name = steps[done - 1][1].name_of() if done else "source"
        if here.size is not None:
            found = Place(done, position, name, here, pictures)
            best = found if found.bytes <= most else best
    return best


def places(chain: Chain, images: ImageSet, most: int | None = None) -> tuple[Place | None, Place | None]:
    """Where the training pictures are kept, and where those for validation and test, in what these leave of `most`
    bytes (`bound()` where left out)."""
    most = bound() if most is None else most
    read = not isinstance(images.pictures, InMemory)
    others = len(images.validation) + len(images.test)
    trained = place(chain, images.kind, len(images.train), training=True, read=read, most=most)
    left = most - (trained.bytes if trained else 0)
    return trained, place(chain, images.kind, others, training=False, read=read, most=left)


class Front:
    """The kept pictures of one part of a data set. For the thread that trains alone.

    Attributes:
        place: where in the chain they are kept.
        held: how many are kept so far.
    """

    def __init__(self, place: Place, chain: Chain, pictures: Pictures, part: Indices, training: bool) -> None:
        """
        Args:
            place: for the pictures of this part.
            chain, pictures: what they go through, and where they come from.
            part: their indices in the data set.
            training: whether random transforms act on them.
        """
        import torch

        self.place, self.held = place, 0
        self._chain, self._pictures, self._training = chain, pictures, training
        self._rows = np.full(len(pictures), -1, np.int64)
        self._rows[part] = np.arange(len(part))
        self._there = np.zeros(len(part), np.bool_)
        # the system gives memory to a page when it is first written: what is not held yet takes nothing
        self._kept = torch.empty((len(part), *place.kind.shape), dtype=getattr(torch, place.kind.dtype))

    @property
    def bytes(self) -> int:
        """What the pictures held so far take; `place.bytes` once all are."""
        return self.held * self._kept[:1].nbytes

    def take(self, indices: Indices, device: str) -> Tensor:
        """Pictures after the first `place.steps` steps of the chain, to the bit as without the front.

        Returns:
            (B, C, H, W) on the device; those of other parts are computed and not kept.

        Raises:
            DataError: a picture cannot be read.
        """
        import torch

        rows = self._rows[indices]
        if (rows < 0).any():
            return self._made(indices, device)
        new = ~self._there[rows]
        if new.any():
            self._kept[torch.from_numpy(rows[new])] = self._made(indices[new], device).cpu()
            self._there[rows] = True
            self.held = int(self._there.sum())
        return self._kept.index_select(0, torch.from_numpy(rows)).to(device)

    def _made(self, indices: Indices, device: str) -> Tensor:
        pictures = taken(self._pictures, indices, device)
        return self._chain.run(
            pictures, indices, seed=0, epoch=1, training=self._training, steps=slice(0, self.place.steps)
        )


def taken(pictures: Pictures, indices: Indices, device: str) -> Tensor | list[Tensor]:
    """Pictures as they are in the data set, on a device: uint8 (B, C, H, W), or a list where sizes differ."""
    import torch

    found = pictures.take(indices)
    if isinstance(found, list):
        return [torch.from_numpy(picture).to(device) for picture in found]
    return torch.from_numpy(found).to(device)


def fronts(chain: Chain, images: ImageSet, most: int | None = None) -> tuple[Front | None, Front | None]:
    """The fronts at `places`, for training and for validation and test."""
    trained, others = places(chain, images, most)
    rest = np.concatenate([images.validation, images.test])
    return (
        Front(trained, chain, images.pictures, images.train, training=True) if trained else None,
        Front(others, chain, images.pictures, rest, training=False) if others else None,
    )
