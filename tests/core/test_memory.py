"""Memory that is freed is there again without the system, and what never goes is not looked through."""

from __future__ import annotations

import gc
import subprocess
import sys

import psutil
import pytest

from gui_lab.core import memory

RUN = """
import contextlib, resource, sys
from gui_lab.core import memory
memory.keep_freed()

def cleared(megabytes):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = bytearray(b"x") * (megabytes << 20)
    del held
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[1])

start = resident()
with memory.kept_for_a_run() if sys.argv[1] == "run" else contextlib.nullcontext():
    cleared(300)
    again, kept = cleared(300), resident()
print(again, kept - start, resident() - start)
"""
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


@pytest.mark.skipif(
    sys.platform != "linux" or psutil.virtual_memory().total < 3 << 30,
    reason="the C libraries of other systems have no such switch, and an eighth of the memory is to hold 300 MB",
)
def test_in_a_run_large_arrays_are_taken_again_without_clearing_pages_and_go_back_after_it() -> None:
    def pages_of(how: str) -> list[int]:
        child = subprocess.run([sys.executable, "-c", RUN, how], capture_output=True, text=True, check=True)
        return [int(word) for word in child.stdout.split()]

    cleared, kept, left = pages_of("run")
    assert cleared < pages_of("no run")[0] / 4
    assert left < kept / 4


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
