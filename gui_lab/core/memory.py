"""Memory that is freed and soon wanted again stays with the process.

The C library of Linux gives freed memory back to the system, which clears each page anew when it is wanted again. A
strip of photographs frees and takes the same hundred megabytes with every turn of a knob, and so does a batch of large
pictures: clearing pages was half of the time that a rotation took. What may be kept is bounded.
"""

from __future__ import annotations

import ctypes
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
