"""Memory: what is freed stays with the process, and what never goes is not looked through.

The C library of Linux gives freed memory back to the system, which clears each page anew when it is wanted again. A
strip of photographs frees and takes the same hundred megabytes with every turn of a knob, and so does a batch of large
pictures: clearing pages was half of the time that a rotation took. What may be kept is bounded.

Python's collector looks through all objects now and then for circles that nobody holds. A process that has imported
torch holds half a million, which takes a quarter of a second: a window that stands still, and a run too.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import sys

KEPT = 256 << 20
"""Bytes of freed memory that the process keeps at most, beside the gaps between what it holds."""
_IN_HEAP = 32 << 20  # bytes, the most that glibc allows: what is larger comes from the system each time
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of mallopt, from malloc.h


def keep_freed() -> None:
    """To be called before there are other threads: all of them then share one heap, for glibc keeps little of the
    others'. Does nothing where the C library is another one."""
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _IN_HEAP)
        mallopt(_TRIM_THRESHOLD, KEPT)
        mallopt(_ARENA_MAX, 1)


def set_aside() -> None:
    """What is there by now is never looked through again; to be called once all libraries are loaded. At the end of
    the process it is, for libraries that count their objects then."""
    gc.freeze()
    atexit.register(gc.unfreeze)
