"""Memory that is freed is there again without the system, and what never goes is not looked through."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from gui_lab.core import memory

CHILD = """
import resource, sys
from gui_lab.core import memory
if sys.argv[1] == "kept":
    memory.keep_freed()

def taken_and_freed():
    held = [bytearray(b"x") * (8 << 20) for _ in range(12)]
    del held

taken_and_freed()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
taken_and_freed()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages(how: str) -> int:
    """How many pages the system had to clear for memory that had been in use a moment before."""
    return int(subprocess.run([sys.executable, "-c", CHILD, how], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the C libraries of other systems have no such switch")
def test_what_was_freed_is_taken_again_without_clearing_pages() -> None:
    assert pages("kept") < pages("given back") / 4


def test_what_is_set_aside_is_not_looked_through_again() -> None:
    kept = [[number] for number in range(1000)]
    before = gc.get_freeze_count()
    try:
        memory.set_aside()
        assert gc.get_freeze_count() > before + 1000
        seen = {id(one) for one in gc.get_objects()}
        assert id(kept) not in seen
    finally:
        gc.unfreeze()
