"""A picture of a person's own, from a file, that stands beside those of a data set as if it were one of them.

The network learned from pictures of one number of channels and often of one size, so that is what a file becomes: grey
where those are grey, scaled with its proportions kept and cut in the middle where those are of one size. What was done
is said. It has no class, so nobody says what is right. No torch.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from gui_lab.core.decoding import FORMATS, UnreadableError, read
from gui_lab.core.folder import shown
from gui_lab.core.images import ImageSet, Picture
from gui_lab.core.pipeline import Kind
from gui_lab.errors import DataError

_NUMBERS = itertools.count(-1, -1)
_MOST_UNEVEN = 50  # a thin strip would be scaled to nothing, or to a wall


@dataclass(frozen=True, eq=False)
class OwnPicture:
    """
    Attributes:
        index: what cards and probes call it: negative, and its own as long as the program runs.
        path: its file.
        name: the file's name, fit to be shown.
        picture: uint8 (C, H, W), as pictures of the data set are.
        note: what was done to it, in words; empty where nothing was.
    """

    index: int
    path: Path
    name: str
    picture: Picture
    note: str = ""

    def fits(self, kind: Kind) -> bool:
        """Whether it could be one of the pictures of this kind."""
        channels, *size = self.picture.shape
        if kind.size is not None:
            return (channels, *size) == kind.shape
        return channels == kind.channels and all(side >= least for side, least in zip(size, kind.least, strict=True))


def own_picture(path: Path, images: ImageSet) -> OwnPicture:
    """Read a file as a picture like those of a data set.

    Raises:
        DataError: it cannot be read, is a thin strip, or the data set's pictures are neither grey nor RGB.
    """
    kind, name = images.kind, shown(path.name)
    if kind.channels not in (1, 3):
        sentence = f"The pictures of this data set have {kind.channels} channels; those of a file have 3, or 1 if grey."
        raise DataError(sentence, "Choose a data set of grey or colour pictures.")
    try:
        found = read(str(path))
    except UnreadableError as unreadable:
        remedy = f"Choose a file with a picture in it: {', '.join(FORMATS)}."
        raise DataError(f"{name} cannot be pinned: {unreadable}.", remedy) from unreadable
    height, width = found.shape[1:]
    if max(height, width) > _MOST_UNEVEN * min(height, width):
        sentence = f"{name} is a strip of {width} x {height} pixels, of which nothing would be seen."
        raise DataError(sentence, "Cut a piece out of it whose sides are more alike.")
    picture, notes = Image.fromarray(np.ascontiguousarray(found.transpose(1, 2, 0))), []
    if kind.channels == 1:
        colourful = bool((found != found[:1]).any())
        picture, notes = picture.convert("L"), ["made grey"] if colourful else []
    picture, said = _sized(picture, kind)
    pixels = np.array(picture)  # torch wants arrays that can be written to
    values = pixels[None] if kind.channels == 1 else pixels.transpose(2, 0, 1)
    return OwnPicture(next(_NUMBERS), path, name, np.ascontiguousarray(values), _sentence([*notes, *said]))


def _sentence(notes: list[str]) -> str:
    *first, last = notes or [""]
    words = f"{', '.join(first)} and {last}" if first else last
    return f"{words[0].upper()}{words[1:]}, as the pictures of the data set are." if words else ""


def _sized(picture: Image.Image, kind: Kind) -> tuple[Image.Image, list[str]]:
    """The picture in the size that those of this kind have, and what was done in words; where they differ it stays as
    it is unless it is smaller than the smallest of them."""
    width, height = picture.size
    if kind.size is None:
        more = max(kind.least[0] / height, kind.least[1] / width)
        if more <= 1:
            return picture, []
        size = max(round(width * more), kind.least[1]), max(round(height * more), kind.least[0])
        said = f"scaled from {_size(width, height)} to {_size(*size)}"
        return picture.resize(size, Image.Resampling.BILINEAR), [said]
    high, wide = kind.size
    if (height, width) == (high, wide):
        return picture, []
    part = min(width / wide, height / high)  # the largest piece of the wanted proportions, from the middle
    across, down = wide * part, high * part
    left, top = (width - across) / 2, (height - down) / 2
    piece = (left, top, left + across, top + down)
    scaled = picture.resize((wide, high), Image.Resampling.BILINEAR, box=piece)
    done = ["cut in the middle"] if round(across) < width or round(down) < height else []
    done += ["scaled"] if part != 1 else []
    return scaled, [*done[:-1], f"{done[-1]} from {_size(width, height)} to {_size(wide, high)}"]


def _size(width: int, height: int) -> str:
    return f"{width} x {height}"
