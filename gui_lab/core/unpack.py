"""Unpacking what was fetched without trusting what the archive says about itself.

Python's own filters for archives have been bypassed more than once, so nothing here follows a name: only plain files
and folders with plain names below the target are taken, into a temporary folder, and they get their place when all of
the archive was good. Otherwise nothing is left, inside or outside.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from gui_lab.core.images import Progress
from gui_lab.errors import DataError

MOST_FILES = 10_000
LARGEST = 2_000_000_000  # bytes of all files together
LARGEST_RATIO = 200  # unpacked to packed; pictures and idx files stay far below
_RATIO_FROM = 10_000_000  # bytes; a small archive may shrink more
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}

Unpacking = Generator[Progress, None, None]


def unpack_tar(archive: Path, into: Path) -> Unpacking:
    """Unpack a tar archive (plain, gz, bz2 or xz) into a folder; files of the same name are replaced.

    Raises:
        DataError: it is damaged, or holds anything but plain files and folders of a sensible number and size.
    """
    with _told(archive):
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=into) as temporary:
            files = yield from _members(archive, Path(temporary))
            for name in files:
                place = into / name
                if not place.parent.resolve().is_relative_to(into.resolve()):
                    raise _refused(archive, f"{name} would leave the folder through a link")
                place.parent.mkdir(parents=True, exist_ok=True)
                os.replace(Path(temporary) / name, place)


def unpack_gzip(archive: Path, target: Path, largest: int = 200_000_000) -> Unpacking:
    """Unpack one gzip file, whole or not at all.

    Raises:
        DataError: it is damaged, or holds more than `largest` bytes.
    """
    with _told(archive), tempfile.TemporaryDirectory(prefix=".unpacking-", dir=target.parent) as temporary:
        place, total = Path(temporary) / target.name, archive.stat().st_size
        if not total:  # gzip takes nothing at all for an archive of nothing
            raise EOFError
        with place.open("wb") as file, archive.open("rb") as packed, gzip.open(packed) as source:
            while data := source.read(1 << 20):
                file.write(data)
                if file.tell() > largest:
                    raise _refused(archive, "it is larger than expected when unpacked")
                yield Progress(f"Unpacking {archive.name}", packed.tell(), total, "bytes")
        os.replace(place, target)


def _members(archive: Path, into: Path) -> Generator[Progress, None, list[str]]:
    """Unpack into an empty folder; returns the names of the files."""
    seen: set[str] = set()
    files: list[str] = []
    unpacked, packed = 0, archive.stat().st_size
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isdir() and not PurePosixPath(member.name).parts:
                continue  # the folder that was packed, named "."
            name = _plain_name(archive, member.name)
            unpacked += member.size
            if name.casefold() in seen and not member.isdir():
                raise _refused(archive, f"{name} is in it twice")
            seen.add(name.casefold())
            if len(seen) > MOST_FILES or unpacked > LARGEST or unpacked > max(LARGEST_RATIO * packed, _RATIO_FROM):
                raise _refused(archive, "it holds more than expected")
            if member.isdir():
                continue
            if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.issparse():
                raise _refused(archive, f"{name} is no plain file")
            place = into / name
            place.parent.mkdir(parents=True, exist_ok=True)
            source = tar.extractfile(member)
            assert source is not None
            _copied(source, place, member.size)
            files.append(name)
            yield Progress(f"Unpacking {archive.name}", len(files), 0, "files")
    return files


def _copied(source: IO[bytes], place: Path, size: int) -> None:
    with source, place.open("xb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
        if file.tell() != size:
            raise EOFError


def _plain_name(archive: Path, name: str) -> str:
    """A name of plain parts below the target, on every system."""
    parts = PurePosixPath(name).parts
    plain = bool(parts) and not any(
        part in ("/", "//", "..")
        or not part.isprintable()
        or any(character in part for character in '\\:*?"<>|')
        or part != part.rstrip(" .")
        or part.partition(".")[0].casefold() in _RESERVED
        for part in parts
    )
    if not plain or len(name) > 200:
        raise _refused(archive, f"it holds the name {name[:60]!r}")
    return "/".join(parts)


def _refused(archive: Path, reason: str) -> DataError:
    remedy = "Delete this file and download it again, or choose another folder."
    return DataError(f"{archive.name} was not unpacked: {reason}.", remedy)


@contextlib.contextmanager
def _told(archive: Path) -> Iterator[None]:
    """Say in a sentence what archives and disks raise."""
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, ValueError, gzip.BadGzipFile) as error:
        sentence = f"{archive.name} is damaged and cannot be unpacked."
        raise DataError(sentence, "Delete this file and download it again.") from error
    except OSError as error:
        sentence = f"{archive.name} could not be unpacked: {error.strerror or error}."
        raise DataError(sentence, "Free some space or choose another folder.") from error
