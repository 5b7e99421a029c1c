"""Two hours of live training in minutes: ten million iterations through the real window, from the thread of the run by
its mailbox into the history and onto the curves, with pinned pictures probed as always.

    uv run python tests/benchmarks/soak.py --events 10000000

The run is a real one whose iterations are not computed but made up, as fast as the window takes them: the thread waits
where thousands lie in the mailbox. Memory may grow by the numbers that are kept, so many
bytes an iteration from the first million to the last, and by nothing else; the window's pulse and the time that a
million takes must stay what they were.
"""

from __future__ import annotations

import math
import random
import time
from array import array
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import psutil

from gui_lab.testing.bench.heartbeat import Heartbeat, part_of
from gui_lab.testing.bench.processors import Others

ITERATIONS = 1000  # in an epoch
PARTS = 10
_MOST_WAITING = 3_000  # events in the mailbox
_PAUSED = (3, 6, 9)  # parts in which it is paused and the learning rate changed
_MOST_BYTES = 160  # that an iteration may leave: its numbers in the history, and what the curves keep of them
_SLOWER = 1.25

HEADING = """\
(cpu: of the window's thread; p50, p99, longest: gaps of the 16 ms heartbeat; others: part of the processors taken)
   events  seconds    cpu s    RSS MB  bytes/event  p50 ms  p99 ms  longest  others"""


def made_up(learner: Any, mailbox: Any) -> Iterator[Any]:
    """What a run says, but for what it computes."""
    from gui_lab.core.events import BatchTrained, EpochEnded, Measuring

    numbers, trained, epochs = random.Random(1), 0, learner.plan.epochs
    for epoch in range(1, epochs + 1):
        loss = 2.3 * math.exp(-3 * epoch / epochs)
        for iteration in range(1, ITERATIONS + 1):
            trained += 1
            norm = numbers.expovariate(1) if iteration % 50 == 0 else float("nan")
            value = loss + numbers.expovariate(5)
            yield BatchTrained(epoch, iteration, value, 60, 64, trained * 7e-4, learner.plan.lr, norm)
            full = len(mailbox) > _MOST_WAITING
            while full and mailbox:  # until the window has looked: a run that fills what is emptied holds it
                time.sleep(0.002)
        for done in (500, 1000):
            yield Measuring("validation", epoch, done, 1000, trained * 7e-4)
        accuracy = 1 - loss / 2.3
        yield EpochEnded(epoch, loss, accuracy, loss, accuracy, True, trained * 7e-4, loss)


def flood(events: int, faults: Any) -> bool:
    """Let so many iterations through and print a line for each tenth; True where all stayed as it was."""
    from gui_lab.qt import running
    from gui_lab.qt.app import application
    from gui_lab.testing.hands import Hands
    from gui_lab.testing.robot import start

    application()
    robot = start(alone=True)
    robot.hands = Hands(robot.lab.window)
    control, epochs = robot.lab.control, min(max(events // ITERATIONS, 10), 10_000)
    control.failed.connect(lambda failed: faults.raised("the run failed", failed.error))
    before, running._new_run = running._new_run, _flowing(control)
    robot.lab.session.edit("model", "SoftmaxRegression")
    robot.lab.session.edit("training.epochs", epochs)
    robot.train.show()
    print(HEADING, flush=True)
    try:
        rows = _measured(robot, epochs * ITERATIONS // PARTS)
        robot.train.wait_done()
    finally:
        running._new_run = before
        robot.close()
    return _verdict(rows, faults)


@dataclass
class Part:
    """What was measured while a tenth of the events came."""

    events: int
    seconds: float
    processor: float
    megabytes: float
    grown: float
    gaps: array[float]
    others: float

    def row(self) -> str:
        p50, p99 = part_of(self.gaps, 0.5), part_of(self.gaps, 0.99)
        return (
            f"{self.events:10,} {self.seconds:8.1f} {self.processor:8.1f} {self.megabytes:9.1f} {self.grown:12.1f} "
            f"{p50:7.1f} {p99:7.1f} {part_of(self.gaps, 1.0):8.1f} {self.others:7.0%}"
        )


def _measured(robot: Any, part: int) -> list[Part]:
    process, heart, rows = psutil.Process(), Heartbeat(), []
    robot.train.start()
    for number in range(1, PARTS + 1):
        heart.begin()
        before, others = process.memory_info().rss, Others()
        began, used = time.perf_counter(), time.thread_time()
        if number in _PAUSED:
            robot.train.pause()
            robot.lab.session.edit("optimizer.lr", 0.001 * (1 + number))
            robot.train.carry_on()
        robot.hands.wait(lambda: len(robot.train.history.loss) >= part * number, "a tenth has come", 3600)  # noqa: B023
        now = process.memory_info().rss
        seconds, processor = time.perf_counter() - began, time.thread_time() - used
        row = Part(part * number, seconds, processor, now / 2**20, (now - before) / part, heart.gaps, others.part())
        heart.end()
        print(row.row(), flush=True)
        rows.append(row)
    return rows


def _verdict(rows: list[Part], faults: Any) -> bool:
    """The first part has the start in it, so the second is what others are compared with."""
    second, last = rows[1], rows[-1]
    grown = max(row.grown for row in rows[1:])
    flat, quick = grown <= _MOST_BYTES, last.processor <= _SLOWER * second.processor
    print(f"verdict: memory {'is flat' if flat else 'GROWS'}: {grown:.0f} bytes an iteration at most")
    slower = last.processor / second.processor
    print(f"verdict: the window's thread needs {slower:.2f} of the time it needed at first")
    print(f"verdict: {len(rows[0].gaps):,} beats; {faults.found.total()} exceptions and warnings")
    return flat and quick and not faults.found


def _flowing(control: Any) -> Callable[..., Any]:
    from gui_lab.core.events import BatchTrained
    from gui_lab.core.runs import Run

    class Flood(Run):
        """A run whose iterations are made up and not recorded: a gigabyte of lines would only measure the disk."""

        def _started(self) -> Any:
            return replace(super()._started(), iterations=ITERATIONS, samples=64 * ITERATIONS)

        def _trained(self) -> Generator[Any, None, Any]:
            for event in made_up(self.learner, control._thread.mailbox):
                self._follow(event)
                if not isinstance(event, BatchTrained):
                    self._record(event)
                yield event
            return "finished"

        def _save(self, *_: object) -> None: ...

    return Flood
