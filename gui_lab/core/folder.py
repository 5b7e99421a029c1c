"""A person's own pictures: a folder that is listed, read into memory where it fits, and else decoded when asked for.

The layout and the order are those of torchvision's `ImageFolder`, and so are the pixels (RGB, transparency dropped,
no turning by EXIF), so that a script that uses torchvision sees the same pictures. What differs is what happens to
pictures that cannot be read: they are left out with a reason that can be shown, before training and never during it.
Names come from anywhere, so those that are shown have their unprintable characters escaped.
"""

from __future__ import annotations

import os
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import psutil

from gui_lab.core.decoding import UnreadableError, measured, read
from gui_lab.core.dice import Indices
from gui_lab.core.images import InMemory, Picture, Pictures, Progress
from gui_lab.core.pipeline import Kind
from gui_lab.errors import DataError

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""torchvision's own list."""
LAYOUT = "Put each class in a folder of its own: root/cat/1.jpg, root/dog/2.jpg."

_CLUTTER = ("thumbs.db", "desktop.ini")
_WORTH_A_THREAD = 96 * 96  # pixels; below, handing the interpreter lock around costs more than a second core brings
_TICK = 0.25  # seconds

Part = Literal["train", "validation", "test"]
Steps = Generator[Progress, None, None]
_PARTS: dict[str, Part] = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


@dataclass
class Listing:
    """What a folder holds by its names alone.

    Attributes:
        classes: names of the class folders, sorted as torchvision sorts them, fit to be shown.
        paths, names, labels, parts: of each picture: where it is, what to call it, its class, and its part.
        given: the parts that have a folder of their own; empty where there is only `class/picture`.
        skipped: what was left out, as (name, reason).
    """

    classes: tuple[str, ...] = ()
    paths: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    given: frozenset[str] = frozenset()
    skipped: list[tuple[str, str]] = field(default_factory=list)


def shown(name: str) -> str:
    """A name with everything unprintable escaped: line ends, direction marks, bytes that are no UTF-8."""
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


def budget() -> int:
    """Bytes that pictures may take: a quarter of the memory that is free now."""
    return int(psutil.virtual_memory().available) // 4


def listed(root: Path) -> Generator[Progress, None, Listing]:
    """Find the pictures of `class/picture`, or of the same below `train`, `val` and `test`.

    Raises:
        DataError: it is no folder, or not laid out like this.
    """
    listing = Listing()
    folders = _class_folders(root, listing, root)
    tops = _part_folders(root, folders)
    if not tops:
        _require_classes(root, folders)
        yield from _list_part(listing, root, root, "train", folders)
        return listing
    listing.given = frozenset(tops.values())
    for name in (name for name in folders if name not in tops):
        listing.skipped.append((shown(name), "it stands beside train and is no part of it"))
    for top in sorted(tops, key=lambda top: (tops[top] != "train", top)):
        below = _class_folders(root / top, listing, root)
        if tops[top] == "train":
            _require_classes(root / top, below)
        yield from _list_part(listing, root, root / top, tops[top], below)
    return listing


def _part_folders(root: Path, folders: Sequence[str]) -> dict[str, Part]:
    """Which folders are parts; none where all are classes (a class may be named train, beside other classes)."""
    tops = {name: _PARTS[name.lower()] for name in folders if name.lower() in _PARTS}
    whole = len(tops) == len(folders)
    if not whole and not (len(tops) > 1 and "train" in tops.values()):
        return {}
    if tops and "train" not in tops.values():
        raise DataError(f"{shown(str(root))} has no folder named train.", f"Add it, or leave the parts out. {LAYOUT}")
    return tops


def _require_classes(folder: Path, names: Sequence[str]) -> None:
    if not names:
        raise DataError(f"{shown(str(folder))} holds no folders with pictures.", LAYOUT)
    if len(names) == 1 and any(inside.is_dir() for inside in (folder / names[0]).iterdir()):
        raise DataError(
            f"{shown(str(folder))} holds a single folder ({shown(names[0])}), which holds folders.",
            f"Choose the folder {shown(names[0])} itself. {LAYOUT}",
        )


def _class_folders(folder: Path, listing: Listing, root: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError as error:
        raise DataError(f"{shown(str(folder))} is no folder that can be read.", "Choose another folder.") from error
    names = sorted(entry.name for entry in found if _is_folder(entry))
    hidden = [name for name in names if name.startswith(".") or name == "__MACOSX"]
    listing.skipped += [(_relative(str(folder / name), root), "hidden folders are no classes") for name in hidden]
    loose = sum(1 for entry in found if entry.name.lower().endswith(EXTENSIONS) and not _is_folder(entry))
    if loose:
        where = _relative(str(folder / "*"), root)
        listing.skipped.append((where, f"{loose:,} pictures lie beside the class folders, in none of them"))
    return [name for name in names if name not in hidden]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _relative(path: str, root: Path) -> str:
    return shown(os.path.relpath(path, root).replace(os.sep, "/"))


def _list_part(listing: Listing, root: Path, top: Path, part: Part, folders: list[str]) -> Steps:
    """Add the pictures of one part; the first part decides which classes there are."""
    if not listing.classes:
        listing.classes = tuple(shown(name) for name in folders)
    labels = {name: label for label, name in enumerate(listing.classes)}
    for name in folders:
        label = labels.get(shown(name))
        if label is None:
            listing.skipped.append((_relative(str(top / name), root), "there is no such class in train"))
            continue
        for path in (yield from _files(top / name, listing, root)):
            listing.paths.append(path)
            listing.names.append(_relative(path, root))
            listing.labels.append(label)
            listing.parts.append(part)


def _files(top: Path, listing: Listing, root: Path) -> Generator[Progress, None, list[str]]:
    """Paths of the pictures of a class, in torchvision's order. A folder that links lead to twice is taken once, and
    one that holds the class not at all: the pictures of the other classes would come with it."""
    found: list[tuple[str, list[str]]] = []
    other: Counter[str] = Counter()
    seen = {(facts.st_dev, facts.st_ino) for facts in (os.stat(root), os.stat(top.parent))}
    waiting, count = [str(top)], len(listing.paths)
    while waiting:
        folder = waiting.pop()
        try:
            facts = os.stat(folder)
            with os.scandir(folder) as entries:
                inside = [] if (facts.st_dev, facts.st_ino) in seen else list(entries)
        except OSError as error:
            listing.skipped.append((_relative(folder, root), f"this folder cannot be read: {error.strerror}"))
            continue
        seen.add((facts.st_dev, facts.st_ino))
        waiting += sorted((entry.path for entry in inside if _is_folder(entry)), reverse=True)
        files = sorted(entry.name for entry in inside if not _is_folder(entry))
        pictures = [name for name in files if name.lower().endswith(EXTENSIONS)]
        other.update(os.path.splitext(name)[1].lower() for name in files if _unexpected(name))
        found.append((folder, pictures))
        count += len(pictures)
        yield Progress("Looking for pictures", count, 0, "pictures")
    for extension, times in sorted(other.items()):
        reason = f"{times:,} {'file is' if times == 1 else 'files are'} not named {', '.join(EXTENSIONS)}"
        listing.skipped.append((_relative(str(top / f"*{extension}"), root), reason))
    return [os.path.join(folder, name) for folder, names in sorted(found) for name in names]


def _unexpected(name: str) -> bool:
    return not (name.lower().endswith(EXTENSIONS) or name.startswith(".") or name.lower() in _CLUTTER)


Gathering = Generator[Progress, None, tuple[Pictures, Indices, dict[int, str]]]


def gathered(paths: Sequence[str], names: Sequence[str]) -> Gathering:
    """Read pictures into memory where they are of one size and fit, else leave them on disk.

    Returns:
        The pictures that can be used, their places in `paths`, and the reasons of the others by place.

    Raises:
        DataError: none can be used.
    """
    skipped: dict[int, str] = {}
    first = _first_size(paths, skipped)
    pixels = yield from _pixels(paths, first, skipped)
    if pixels is not None:
        kept = np.setdiff1d(np.arange(len(paths)), list(skipped))
        return InMemory(pixels[kept] if skipped else pixels), kept, skipped
    sizes = np.zeros((len(paths), 2), np.int64)

    def measure(place: int) -> None:
        if place not in skipped:
            try:
                sizes[place] = measured(paths[place])
            except UnreadableError as unreadable:
                skipped[place] = str(unreadable)

    yield from _each(len(paths), measure, 1, 64, "Measuring pictures")
    kept = np.setdiff1d(np.arange(len(paths)), list(skipped))
    on_disk = OnDisk([paths[i] for i in kept], [names[i] for i in kept], sizes[kept], budget())
    return on_disk, kept, skipped


def _first_size(paths: Sequence[str], skipped: dict[int, str]) -> tuple[int, int]:
    for place, path in enumerate(paths):
        try:
            return measured(path)
        except UnreadableError as unreadable:
            skipped[place] = str(unreadable)
    reason = f" (the first one: {skipped[0]})" if skipped else ""
    raise DataError(f"None of the {len(paths):,} pictures can be read{reason}.", "Choose another folder.")


def _pixels(
    paths: Sequence[str], size: tuple[int, int], skipped: dict[int, str]
) -> Generator[Progress, None, npt.NDArray[np.uint8] | None]:
    """All pictures as one array (N, 3, H, W), or None where they do not fit or are not of one size."""
    height, width = size
    if 3 * height * width * len(paths) > budget():
        return None
    pixels = np.empty((len(paths), 3, height, width), np.uint8)
    different = threading.Event()

    def put(place: int) -> None:
        if place in skipped or different.is_set():
            return
        try:
            picture = read(paths[place])
        except UnreadableError as unreadable:
            skipped[place] = str(unreadable)
            return
        if picture.shape[1:] == size:
            pixels[place] = picture
        else:
            different.set()

    workers = (os.cpu_count() or 1) if height * width >= _WORTH_A_THREAD else 1
    at_once = min(max(4_000_000 // (height * width), 1), 256)
    for progress in _each(len(paths), put, workers, at_once, "Reading pictures"):
        if different.is_set():
            return None
        yield progress
    return None if different.is_set() else pixels


def _each(count: int, work: Callable[[int], None], workers: int, at_once: int, doing: str) -> Steps:
    """Do something for each of range(count) in threads; leaving the generator stops them."""
    stop = threading.Event()

    def several(start: int) -> None:
        for place in range(start, min(start + at_once, count)):
            if stop.is_set():
                return
            work(place)

    pool = ThreadPoolExecutor(workers, thread_name_prefix="pictures")
    running: list[Future[None]] = [pool.submit(several, start) for start in range(0, count, at_once)]
    try:
        for number, future in enumerate(running, 1):
            while not wait([future], _TICK).done:
                yield Progress(doing, (number - 1) * at_once, count, "pictures")
            future.result()
            yield Progress(doing, min(number * at_once, count), count, "pictures")
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
        hanging = wait([future for future in running if not future.cancelled()], 1.0).not_done
        pool.shutdown(wait=not hanging)  # a network disk that died must not hold us


class OnDisk:
    """Pictures that stay files and are decoded when they are taken; what was decoded last is kept in memory."""

    def __init__(self, paths: Sequence[str], names: Sequence[str], sizes: Indices, keep_bytes: int) -> None:
        """
        Args:
            sizes: int64 (N, 2), height and width of each.
            keep_bytes: how much of memory decoded pictures may take.
        """
        self._paths = paths
        self._names = names
        self._sizes = sizes
        self._keep_bytes = keep_bytes
        self._kept: OrderedDict[int, Picture] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        height, width = (int(side) for side in sizes.min(axis=0))
        same = bool((sizes == (height, width)).all())
        self.kind = Kind.image(3, height, width) if same else Kind.image(3, None, None, (height, width))

    def __len__(self) -> int:
        return len(self._paths)

    @property
    def kept_bytes(self) -> int:
        """How much of memory decoded pictures take now."""
        return self._bytes

    def take(self, indices: Indices) -> Picture | list[Picture]:
        """uint8 (B, 3, H, W) where all of the set are of one size, else B arrays (3, H, W).

        Raises:
            DataError: a picture cannot be read any more, or is not the one that was there.
        """
        places = [int(index) for index in indices]
        missing = [place for place in dict.fromkeys(places) if self._remembered(place) is None]
        decoded = dict(zip(missing, self._decoded(missing), strict=True))
        pictures = [decoded[place] if place in decoded else self._again(place) for place in places]
        return np.stack(pictures) if self.kind.size else pictures

    def _again(self, place: int) -> Picture:
        picture = self._remembered(place)  # another thread's pictures may have pushed it out meanwhile
        return self._decode(place) if picture is None else picture

    def _decoded(self, places: list[int]) -> list[Picture]:
        if len(places) < 2:
            return [self._decode(place) for place in places]
        with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="pictures") as pool:
            return list(pool.map(self._decode, places))

    def _decode(self, place: int) -> Picture:
        try:
            picture = np.ascontiguousarray(read(self._paths[place]))
        except UnreadableError as unreadable:
            raise self._lost(place, str(unreadable)) from unreadable
        if picture.shape[1:] != tuple(self._sizes[place]):
            raise self._lost(place, "it has another size than before")
        self._remember(place, picture)
        return picture

    def _lost(self, place: int, reason: str) -> DataError:
        return DataError(
            f"{self._names[place]} cannot be used any more: {reason}.", "Put it back, or open the data set again."
        )

    def _remembered(self, place: int) -> Picture | None:
        with self._lock:
            if place in self._kept:
                self._kept.move_to_end(place)
            return self._kept.get(place)

    def _remember(self, place: int, picture: Picture) -> None:
        with self._lock:
            if place in self._kept or picture.nbytes > self._keep_bytes:
                return
            self._kept[place] = picture
            self._bytes += picture.nbytes
            while self._bytes > self._keep_bytes:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes
