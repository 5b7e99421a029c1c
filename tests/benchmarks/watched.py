"""What watching costs, to a hundredth: the loop without a window and the window take turns of about a second.

    xvfb-run -a -s "-screen 0 1440x900x24" python tests/benchmarks/watched.py [--only NAME ...] [--cycles 45]

`gui-lab bench` asks the same in turns of seconds to minutes, between which a machine that others use too changes its
speed by a fifth. Here both processes train all the time and one of them is always stopped, in an order that is drawn
anew for each cycle. Printed is the median of the cycles' ratios with the standard error of their mean: the promise is
0.90. The speeds, in iterations a second, are of the machine as it was then.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import mmap
import os
import random
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import psutil
from live import root

from gui_lab.testing.bench import layouts, pictures
from gui_lab.testing.bench.cases import CASES, Case

WAYS = ("loop", "window")
_WARMING_SECONDS = 8.0
_AWAKE_SECONDS = 0.4  # after it was stopped, before it counts
_LONGEST_SECONDS = 24 * 3600.0


class Counter:
    """How many batches a process has trained: eight bytes that another one reads."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(bytes(mmap.PAGESIZE))
        with file.open("r+b") as opened:
            self._bytes = mmap.mmap(opened.fileno(), mmap.PAGESIZE)

    def read(self) -> int:
        return int(struct.unpack_from("q", self._bytes)[0])

    def write(self, count: int) -> None:
        struct.pack_into("q", self._bytes, 0, count)


class Trainer:
    """A process that trains one way until it is closed; stopped but for when it is measured."""

    def __init__(self, way: str, case: Case, folder: Path, home: Path) -> None:
        self._name = f"{case.title}, {way}"
        self._counter = Counter(home / f"{way}.count")
        self._process = psutil.Popen([sys.executable, __file__, "--way", way, case.name, str(folder), str(home)])

    def warm(self) -> None:
        """Wait until it trains, and a little more."""
        while self._counter.read() < 1:
            self._look()
            time.sleep(0.1)
        time.sleep(_WARMING_SECONDS)
        self._process.suspend()

    def speed(self, seconds: float) -> float:
        """Iterations a second, of so many seconds."""
        self._process.resume()
        time.sleep(_AWAKE_SECONDS)
        count, began = self._counter.read(), time.perf_counter()
        time.sleep(seconds)
        speed = (self._counter.read() - count) / (time.perf_counter() - began)
        self._look()
        self._process.suspend()
        return speed

    def _look(self) -> None:
        if self._process.poll() is not None:
            raise SystemExit(f"{self._name}: the process ended with status {self._process.returncode}.")

    def close(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended by itself
            self._process.kill()
        self._process.wait()


def measure(case: Case, folder: Path, cycles: int, seconds: float) -> None:
    """Print the line of one case."""
    with tempfile.TemporaryDirectory(prefix="gui-lab-watched-") as home:
        trainers: dict[str, Trainer] = {}
        try:
            for way in WAYS:
                trainers[way] = Trainer(way, case, folder, Path(home))
                trainers[way].warm()
            speeds: dict[str, list[float]] = {way: [] for way in WAYS}
            for _ in range(cycles):
                for way in random.sample(WAYS, len(WAYS)):
                    speeds[way].append(trainers[way].speed(seconds))
        finally:
            for trainer in trainers.values():
                trainer.close()
    loop, window = (speeds[way] for way in WAYS)
    ratios = [one / other for one, other in zip(window, loop, strict=True)]
    error = statistics.stdev(ratios) / len(ratios) ** 0.5
    fast, slow = statistics.median(loop), statistics.median(window)
    print(f"{case.title:42} {statistics.median(ratios):7.3f} {error:7.3f} {slow:9.1f} {fast:9.1f}", flush=True)


def train(way: str, case: Case, folder: Path, home: Path) -> None:
    """In the process that trains: one way, without an end."""
    os.environ["GUI_LAB_HOME"] = str(home / way)
    from gui_lab.core import memory, runs
    from gui_lab.core.events import BatchTrained

    memory.keep_freed()
    pictures.register()
    counter, trained = Counter(home / f"{way}.count"), runs.train

    def counted(learner: Any) -> Generator[Any, None, Any]:
        events, count = trained(learner), 0
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                return end.value
            count += isinstance(event, BatchTrained)
            counter.write(count)
            yield event

    runs.train = counted
    if way == "loop":
        from gui_lab.testing.bench import ours

        ours.loop(dataclasses.replace(case, epochs=0), folder, _LONGEST_SECONDS)
    else:
        from gui_lab.qt.app import application
        from gui_lab.testing.bench.live import LiveWindow
        from gui_lab.testing.hands import Hands
        from gui_lab.testing.robot import start

        application()
        robot = start(alone=True)
        robot.hands = Hands(robot.lab.window)
        LiveWindow(robot).train(case.experiment(folder), _LONGEST_SECONDS)


def main(arguments: Sequence[str]) -> None:
    cases = {case.name: case for case in CASES}
    if arguments[:1] == ["--way"]:
        _, way, name, folder, home = arguments
        train(way, cases[name], Path(folder), Path(home))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=cases, help="one case; may be given again")
    parser.add_argument("--cycles", type=int, default=45)
    parser.add_argument("--seconds", type=float, default=1.2, help="of each turn that count")
    given = parser.parse_args(arguments)
    if given.cycles < 2:
        parser.error("a standard error needs two cycles")
    print(f"{'':42}   ratio   error    window      loop")
    with tempfile.TemporaryDirectory(prefix="gui-lab-watched-") as temporary:
        for name in given.only or cases:
            folder = Path(temporary) / cases[name].family
            if not folder.exists():
                layouts.lay_out(pictures.found(cases[name].family, root()), folder)
            measure(cases[name], folder, given.cycles, given.seconds)


if __name__ == "__main__":
    main(sys.argv[1:])
