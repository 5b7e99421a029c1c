"""Arrays that are too large for an experiment's file: each a `.npy` file of its own, named by its content.

A whitening matrix of CIFAR-size pictures is 37 MB; a recipe is a page of text. So the recipe holds the file's name. A
name without a folder is one of the files that the lab itself has measured; it ends in a digest of the content, which
is compared when it is read, so that a recipe means the same numbers for ever. A run keeps copies in its own folder,
named in the same way. Reading maps plain numbers only and never unpickles.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gui_lab import paths
from gui_lab.core.files import write_atomically
from gui_lab.errors import DataError, StoreError

LARGEST_SIDE = 4096
_LARGEST_FILE = LARGEST_SIDE**2 * 8 + 4096  # bytes: a square of doubles and its header
_DIGEST = re.compile(r"-([0-9a-f]{16})\.npy$")
_MAGIC = b"\x93NUMPY"
FILES = "*.npy"
"""What the files are called, for a form that chooses one."""


@dataclass(frozen=True)
class Stored:
    """A file as it was when it was looked at; another content is another value, so that it can key a cache."""

    path: Path
    modified: int
    size: int

    @property
    def measured(self) -> bool:
        return self.path.parent == paths.measured()


def keep(stem: str, values: npt.NDArray[np.float32]) -> Path:
    """Write an array among those that the lab has measured; returns its name, "<stem>-<digest>.npy".

    Raises:
        StoreError: it cannot be written.
    """
    content = io.BytesIO()
    np.save(content, np.ascontiguousarray(values, np.float32), allow_pickle=False)
    whole = content.getvalue()
    name = f"{stem}-{hashlib.sha256(whole).hexdigest()[:16]}.npy"
    try:
        paths.measured().mkdir(parents=True, exist_ok=True)
        write_atomically(paths.measured() / name, whole)
    except OSError as error:
        raise StoreError(
            f"What was measured could not be saved: {error.strerror or error}.",
            f"It needs {len(whole) / 1e6:.0f} MB in {paths.measured()}.",
        ) from error
    return Path(name)


def measured(name: Path) -> bool:
    """Whether a name is that of a file that the lab has measured, wherever a copy of it may lie."""
    return name.name == str(name) and bool(_DIGEST.search(name.name))


def copied(name: Path, folder: Path) -> Path:
    """Copy a file into a folder; returns its name there, which ends in the digest of its content.

    Raises:
        DataError: there is no such file.
        OSError: it cannot be read, or not be written.
    """
    content = find(name).path.read_bytes()
    stem = _DIGEST.sub("", name.name).removesuffix(".npy")
    here = Path(f"{stem}-{hashlib.sha256(content).hexdigest()[:16]}.npy")
    write_atomically(folder / here, content)
    return here


def find(name: Path) -> Stored:
    """
    Raises:
        DataError: there is no such file.
    """
    stored_here = name.name == str(name)
    path = paths.measured() / name if stored_here else name.expanduser()
    try:
        status = path.stat()
        if not path.is_file():
            raise FileNotFoundError(path)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        remedy = "Measure it from the data again." if stored_here else "Choose it again."
        raise DataError(f"The file {name.name or name} is not there.", remedy) from error
    return Stored(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=4)  # 64 MB each at most
def read(stored: Stored, dimensions: int) -> npt.NDArray[np.float32]:
    """Its numbers, float32 with this number of dimensions, at most 4096 along each; shared, so never to be changed.

    Raises:
        DataError: it is no such array, or not what it was when it was measured.
    """
    name = stored.path.name
    remedy = "Measure it from the data again." if stored.measured else "Choose another file."
    if stored.size > _LARGEST_FILE:
        raise DataError(f"The file {name} is larger than {LARGEST_SIDE:,} x {LARGEST_SIDE:,} numbers.", remedy)
    try:
        values = _plain(stored)
    except (OSError, EOFError, SyntaxError, tokenize.TokenError, ValueError) as error:
        raise DataError(f"The file {name} is damaged, or not an array that numpy.save wrote.", remedy) from error
    if values.ndim != dimensions or not values.size or max(values.shape) > LARGEST_SIDE:
        shape = " x ".join(f"{side:,}" for side in values.shape) or "a single number"
        wanted = "a row of numbers" if dimensions == 1 else "a matrix"
        raise DataError(f"The file {name} should hold {wanted}, but holds {shape}.", remedy)
    if not np.isfinite(values).all():
        raise DataError(f"The file {name} holds values that are not finite.", remedy)
    return values


def _plain(stored: Stored) -> npt.NDArray[np.float32]:
    content = stored.path.read_bytes()
    digest = _DIGEST.search(stored.path.name)
    if not content.startswith(_MAGIC) or (digest and hashlib.sha256(content).hexdigest()[:16] != digest[1]):
        raise ValueError(stored.path.name)
    mapped = np.load(stored.path, mmap_mode="r", allow_pickle=False)  # refuses a header that promises too much
    if mapped.dtype.kind != "f":
        raise ValueError(mapped.dtype)
    with np.errstate(over="ignore"):  # what is too large for a float32 is told as not finite
        return np.array(mapped, np.float32)
