"""What the machine offers, and the one rule by which a run chooses device and threads.

Weights after the same seed are equal to the bit on a CPU only at the same number of torch threads, so the window and
the command line both ask here, and a run records the answer.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import psutil
import torch

import gui_lab
from gui_lab.errors import OutOfMemory
from gui_lab.schema import Repair


def devices() -> tuple[str, ...]:
    """The devices that torch can use here, the fastest first; "cpu" is always among them."""
    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    for name in ("xpu", "mps"):
        backend = getattr(torch, name, None) or getattr(torch.backends, name, None)
        if backend is not None and backend.is_available():
            found.append(name)
    return (*found, "cpu")


def resolve(device: str) -> str:
    """The device meant: "auto" is the fastest there is."""
    return devices()[0] if device == "auto" else device


_WORTH_A_THREAD, _WORTH_WAKING = 20_000_000, 150_000_000
"""Multiplications per batch: with fewer, handing out the work costs what it brings; the second where threads that wait
sleep at once, and have to be woken for each layer."""


def threads(work: int) -> int:
    """How many threads torch computes with on the CPU: OMP_NUM_THREADS where it is set, else one for each twenty
    million multiplications (hundred and fifty where OpenMP is not told to spin shortly, `gui_lab/__init__.py`), at most
    one for each processor that this process may use, physical cores at most.

    Measured on two cores: on two threads LeNet-5 trains colour pictures (42 million multiplications per batch) 1.4
    times as fast as on one, the two-conv network MNIST's (770 million) 1.4 to 1.7 times; digits of 8x8 pixels (22
    million) 1.2 times, for which a core is better left to the window and to the batches that come next.

    Args:
        work: multiplications of one forward pass of a batch.
    """
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit() and int(given) > 0:
        return int(given)
    awake = sys.platform == "linux" and os.environ.get("GOMP_SPINCOUNT", "0") != "0"
    return min(max(work // (_WORTH_A_THREAD if awake else _WORTH_WAKING), 1), _processors())


def spare(device: str, threads: int) -> bool:
    """Whether a processor is left beside those that a run with so many threads computes on."""
    return device != "cpu" or threads < _processors()


def _processors() -> int:
    """How many this process may use, physical cores at most."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(min(allowed, psutil.cpu_count(logical=False) or allowed), 1)


def environment(device: str, threads: int) -> dict[str, Any]:
    """What a run was made with, for its record."""
    from importlib.metadata import version

    record: dict[str, Any] = {
        "gui_lab": gui_lab.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": version("torchvision"),
        "numpy": version("numpy"),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "device": device,
        "threads": threads,
        "frozen": bool(getattr(sys, "frozen", False)),
    }
    if device.startswith("cuda"):
        record["device_name"] = torch.cuda.get_device_name(device)
        record["cuda"] = torch.version.cuda
    return record


def out_of_memory_told(what: str, repairs: Sequence[Repair] = ()) -> contextlib.AbstractContextManager[None]:
    """Turns every way in which torch and Python say "no memory" into `OutOfMemory`; may be entered again.

    Args:
        what: there is no memory for.
        repairs: edits of the experiment that need less.
    """
    return _Told(what, repairs)


class _Told(contextlib.AbstractContextManager[None]):
    """Entered in each iteration: a generator in its place would take a fiftieth of a small network's."""

    def __init__(self, what: str, repairs: Sequence[Repair]) -> None:
        self._what, self._repairs = what, repairs

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
            isinstance(error, RuntimeError)  # the CPU allocator raises no type of its own
            and any(words in str(error) for words in ("allocate memory", "not enough memory"))
        ):
            raise _out_of_memory(self._what, self._repairs) from error


def _out_of_memory(what: str, repairs: Sequence[Repair]) -> OutOfMemory:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    remedy = "Use a smaller batch size, smaller pictures or a smaller model."
    return OutOfMemory(f"There is not enough memory for {what}.", remedy, repairs)


def seed(number: int, device: str) -> None:
    """Seed torch's default generator of the processor, and that of the device. torch.manual_seed does the same for all
    devices that there could be, and takes a millisecond for it: more than an iteration of a small network."""
    torch.default_generator.manual_seed(number)
    kind = device.partition(":")[0]
    if kind != "cpu":
        torch.get_device_module(kind).manual_seed(number)


@contextlib.contextmanager
def deterministic(wanted: bool) -> Iterator[None]:
    """Only algorithms that give the same bits every time, where torch has them; the switch is one of the process, and
    touched only where it matters, for torch imports its compiler to turn it, which takes seconds."""
    before, warned = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    if not wanted and not before:
        yield
        return
    torch.use_deterministic_algorithms(wanted or before, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)


@contextlib.contextmanager
def generators_kept(device: str) -> Iterator[None]:
    """Whatever is drawn inside, torch's default generators, that of the processor and that of the device, are
    afterwards as they were: they belong to the run alone."""
    kind = device.partition(":")[0]
    module = None if kind == "cpu" else torch.get_device_module(kind)
    state, own = torch.get_rng_state(), module.get_rng_state() if module else None
    try:
        yield
    finally:
        torch.set_rng_state(state)
        if module and own is not None:
            module.set_rng_state(own)


_PROCESS = psutil.Process()


def memory_in_use(device: str) -> int:
    """Bytes: on CUDA what torch has taken from the device, which is the most that was needed so far; elsewhere all
    that this process has in memory."""
    if device.startswith("cuda"):
        return torch.cuda.memory_reserved(device)
    return int(_PROCESS.memory_info().rss)
