"""Chains side by side in one run: ours, ours not fused, torchvision's picture by picture, and kornia's if it is there.

    python tests/benchmarks/chain.py [--threads N] [--seconds S]

Each cell is the least and the median time for a picture over many batches, in microseconds, in turns: what disturbs one
way disturbs the others too. Below each table: how far the memory of the process rose above its level before, less the
batch that came out.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gui_lab.testing.bench.processors import Others

_MEAN, _STD = (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)
Batch = Callable[[torch.Tensor, int], torch.Tensor]


@dataclass(frozen=True)
class Case:
    """A chain by torchvision's names, the side of its pictures and how many are in a batch."""

    title: str
    steps: tuple[tuple[str, dict[str, Any]], ...]
    side: int
    batches: tuple[int, ...]


CASES = (
    Case(
        "RandomCrop(32, padding=4), RandomGrayscale, RandomRotation(15), RandomHorizontalFlip, ToTensor, Normalize",
        (
            ("RandomCrop", {"size": 32, "padding": 4}),
            ("RandomGrayscale", {"p": 0.1}),
            ("RandomRotation", {"degrees": 15}),
            ("RandomHorizontalFlip", {"p": 0.5}),
            ("ToTensor", {}),
            ("Normalize", {"mean": _MEAN, "std": _STD}),
        ),
        32,
        (64, 128, 512),
    ),
    Case(
        "RandomCrop(224, padding=16), RandomRotation(15), RandomHorizontalFlip, ToTensor, Normalize",
        (
            ("RandomCrop", {"size": 224, "padding": 16}),
            ("RandomRotation", {"degrees": 15}),
            ("RandomHorizontalFlip", {"p": 0.5}),
            ("ToTensor", {}),
            ("Normalize", {"mean": _MEAN, "std": _STD}),
        ),
        224,
        (32,),
    ),
)


def ours(case: Case, *, fuses: bool) -> Batch:
    from gui_lab import catalog
    from gui_lab.core.chain import Chain
    from gui_lab.core.pipeline import TRANSFORMS

    catalog.load()
    chain = Chain([TRANSFORMS.make(name, **values) for name, values in case.steps], fuses=fuses)

    def run(pictures: torch.Tensor, epoch: int) -> torch.Tensor:
        return chain.run(pictures, np.arange(len(pictures)), seed=1, epoch=epoch, training=True)

    return run


def torchvisions(case: Case) -> Batch:
    """The usual script: one picture after the other, as a data set's `__getitem__` gets them, then stacked."""
    from torchvision.transforms import v2

    steps: list[Any] = []
    for name, values in case.steps:
        if name == "ToTensor":
            steps += [v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
        else:
            steps.append(getattr(v2, name)(**values))
    chain = v2.Compose(steps)
    return lambda pictures, _: torch.stack([chain(picture) for picture in pictures])


def kornias(case: Case) -> Batch:
    import kornia.augmentation as k

    steps: list[Any] = []
    for name, values in case.steps:
        if name == "RandomCrop":
            steps.append(k.RandomCrop((values["size"],) * 2, padding=values["padding"]))
        elif name == "RandomRotation":
            steps.append(k.RandomRotation(values["degrees"], resample="nearest", p=1.0))
        elif name != "ToTensor":
            steps.append(getattr(k, name)(**values))
    chain = k.AugmentationSequential(*steps)
    return lambda pictures, _: chain(pictures.to(torch.float32).div_(255))


def ways(case: Case) -> dict[str, Batch]:
    found = {
        "ours": ours(case, fuses=True),
        "ours, not fused": ours(case, fuses=False),
        "torchvision": torchvisions(case),
    }
    return found | ({"kornia": kornias(case)} if find_spec("kornia") else {})


def measure(case: Case, count: int, seconds: float) -> None:
    """A line for each way: they take turns until the time is over, each at least three times."""
    pictures = torch.randint(0, 256, (count, 3, case.side, case.side), dtype=torch.uint8)
    acting, others = ways(case), Others()
    taken: dict[str, list[float]] = {}
    for name, act in acting.items():
        act(pictures, 0)
        taken[name] = []
    end, epoch = time.perf_counter() + seconds, 1
    while time.perf_counter() < end or epoch <= 3:
        for name, act in acting.items():
            for _ in range(1 if name == "torchvision" else 5):
                began = time.perf_counter()
                act(pictures, epoch)
                taken[name].append((time.perf_counter() - began) / count * 1e6)
        epoch += 1
    usual = min(taken["torchvision"])
    for name, times in taken.items():
        ratio = f"{usual / min(times):7.1f}x"
        print(f"{count:6} {name:18} {min(times):10.2f} {statistics.median(times):10.2f} {ratio}  {others.part():6.0%}")


def memory_beyond(case: Case, count: int) -> str:
    """How far a batch lifts the process's memory, less its result. The system's own high-water mark, Linux only."""
    mark = Path("/proc/self/clear_refs")
    if not mark.exists():
        return "not measured on this system"
    act, pictures = ours(case, fuses=True), torch.zeros((count, 3, case.side, case.side), dtype=torch.uint8)
    act(pictures[:2], 1)
    gc.collect()
    mark.write_text("5")  # sets the mark back to what is in use now
    before = _status("VmRSS")
    out = act(pictures, 1)
    beyond = _status("VmHWM") - before - out.nbytes
    return f"{beyond / 1e6:.1f} MB beyond the {out.nbytes / 1e6:.1f} MB of a batch of {count}"


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of torch")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each batch size")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"{arguments.threads} threads; microseconds a picture; others: the part of the processors that others took")
    for case in CASES:
        print(f"\n{case.title}, {case.side}x{case.side}")
        print(f"{'batch':>6} {'':18} {'least':>10} {'median':>10} {'speed':>8}  others")
        for count in case.batches:
            measure(case, count, arguments.seconds)
        print(f"memory: {memory_beyond(case, 4 * case.batches[-1])}")
    if not find_spec("kornia"):
        print("\nkornia is not installed and was left out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
