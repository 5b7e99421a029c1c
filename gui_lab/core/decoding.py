"""One picture file to pixels, whatever is in the file.

Pictures come from anywhere: truncated, empty, mislabelled, in CMYK or sixteen bits, or made to fill the memory. What
can be read becomes RGB as torchvision reads it; what cannot is refused with a reason before its pixels are decoded.
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from gui_lab.core.images import Picture

FORMATS = ("JPEG", "PNG", "PPM", "BMP", "TIFF", "WEBP")
LARGEST_FILE = 100_000_000  # bytes
LARGEST_PICTURE = 64_000_000  # pixels

_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, OverflowError, RuntimeError,
           struct.error, zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning)  # fmt: skip

# Pillow says this once between its two limits and then decodes; a picture beyond our own limit is never decoded
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class UnreadableError(Exception):
    """A picture that cannot be used; the message is the reason, without the name."""


@contextlib.contextmanager
def _picture(path: str) -> Iterator[tuple[Image.Image, BinaryIO, int]]:
    """A picture whose header was read, its file and the file's size.

    Raises:
        UnreadableError: it cannot be used, also where that shows only while it is decoded.
    """
    try:
        facts = os.stat(path)
        if not stat.S_ISREG(facts.st_mode):  # opening a pipe would wait for ever
            raise UnreadableError("it is no plain file")
        if facts.st_size == 0:
            raise UnreadableError("the file is empty")
        if facts.st_size > LARGEST_FILE:
            raise UnreadableError(f"the file is larger than {LARGEST_FILE // 1_000_000} MB")
        with open(path, "rb") as file, Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > LARGEST_PICTURE:
                raise UnreadableError(f"it has more than {LARGEST_PICTURE // 1_000_000} million pixels")
            yield image, file, facts.st_size
    except FileNotFoundError:
        raise UnreadableError("it is not there any more") from None
    except PermissionError:
        raise UnreadableError("it may not be read") from None
    except UnidentifiedImageError:
        raise UnreadableError(f"its content is none of {', '.join(FORMATS)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnreadableError(f"it has more than {LARGEST_PICTURE // 1_000_000} million pixels") from None
    except _DAMAGE as error:
        raise UnreadableError(f"it is damaged ({str(error) or type(error).__name__:.80})") from error


def read(path: str) -> Picture:
    """A picture as RGB, uint8 (3, H, W); of an animation the first frame.

    Raises:
        UnreadableError: it cannot be used.
    """
    with _picture(path) as (image, _, _):
        return _rgb(image)


def _rgb(image: Image.Image) -> Picture:
    if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow's own conversion would clip to white
        grey = (np.clip(np.asarray(image), 0, 65_535) >> 8).astype(np.uint8)
        return np.ascontiguousarray(np.broadcast_to(grey, (3, *grey.shape)))
    if image.mode == "F":
        raise UnreadableError("its pixels are floating-point numbers of an unknown range")
    if image.mode == "P" and "transparency" in image.info:  # the colours stay the same; Pillow warns on the direct way
        image = image.convert("RGBA")
    pixels = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    return pixels.transpose(2, 0, 1)


def measured(path: str) -> tuple[int, int]:
    """(height, width) of a picture, from its header where its end shows that the file is complete.

    Raises:
        UnreadableError: it cannot be used.
    """
    with _picture(path) as (image, file, size):
        if not _ends_well(image.format, file, size):
            _rgb(image)
        return image.height, image.width


def _ends_well(form: str | None, file: BinaryIO, size: int) -> bool:
    """Whether a file of this format ends as a complete one does; decoding decides where this says no."""
    before = file.tell()
    try:
        if form == "WEBP":
            file.seek(4)
            return int.from_bytes(file.read(4), "little") + 8 <= size
        file.seek(max(size - 64, 0))
        end = file.read().rstrip(b"\0")
        return (form == "JPEG" and end.endswith(b"\xff\xd9")) or (form == "PNG" and end.endswith(b"IEND\xaeB`\x82"))
    finally:
        file.seek(before)
