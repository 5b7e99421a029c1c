"""Memory: what is freed stays with the process, and what never goes is not looked through.

The C library of Linux gives freed memory back to the system, which clears each page anew when it is wanted again. A
strip of photographs frees and takes the same hundred megabytes with every turn of a knob, and a step of training all
that lies between the layers: clearing pages was half of the time that a rotation took, a third of what LeNet takes, and
nearly half of the two-conv network's with batches of 1,024. What may be kept is bounded, far above while a run goes
on; when it ends all of it goes back.

Python's collector looks through all objects now and then for circles that nobody holds. A process that has imported
torch holds half a million, which takes a quarter of a second: a window that stands still, and a run too.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

KEPT = 256 << 20
"""Bytes of freed memory that the process keeps at most, beside the gaps between what it holds."""
KEPT_IN_A_RUN = 1 / 8
"""Part of the machine's memory that is kept at most while a run goes on, 2 GiB at most and no less than else: a step
frees all that its layers made."""
_IN_HEAP = 32 << 20  # bytes: what is larger comes from the system each time, and goes back alone
_LARGEST = (1 << 31) - 1  # that mallopt takes
_lock, _runs = threading.Lock(), 0
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of mallopt, from malloc.h


def keep_freed() -> None:
    """To be called before there are other threads: all of them then share one heap, for glibc keeps little of the
    others'. Does nothing where the C library is another one."""
    library = _glibc()
    if library is not None:
        library.mallopt(_ARENA_MAX, 1)
        _keep(library, _IN_HEAP, KEPT)


@contextlib.contextmanager
def kept_for_a_run() -> Iterator[None]:
    """While this is entered freed memory is kept for the next step, however large its arrays are; then it goes back.
    May be entered again and from several threads: the last to leave gives it back."""
    library = _glibc()
    if library is None:
        yield
        return
    global _runs
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with _lock:
        _runs += 1
        _keep(library, _LARGEST, min(max(int(KEPT_IN_A_RUN * machine), KEPT), _LARGEST))
    try:
        yield
    finally:
        with _lock:
            _runs -= 1
            if not _runs:
                _keep(library, _IN_HEAP, KEPT)
                library.malloc_trim(0)


def _keep(library: Any, in_heap: int, most: int) -> None:
    if not library.mallopt(_MMAP_THRESHOLD, in_heap):  # older ones take no more than this
        library.mallopt(_MMAP_THRESHOLD, _IN_HEAP)
    library.mallopt(_TRIM_THRESHOLD, most)


def _glibc() -> Any:
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "mallopt") else None


def set_aside() -> None:
    """What is there by now is never looked through again; to be called once all libraries are loaded. At the end of
    the process it is, for libraries that count their objects then."""
    gc.freeze()
    atexit.register(gc.unfreeze)
