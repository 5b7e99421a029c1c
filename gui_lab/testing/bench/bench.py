"""The table: asks each way of training in turns and compares what was measured side by side.

A ratio is taken within a round, in which each way trains once, one after the other; a figure is the median of the
rounds' ratios. So what slows the machine for a minute slows both sides, and beside each figure stands what part of the
processors other programs took.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

import gui_lab
from gui_lab.errors import LabError
from gui_lab.testing.bench import first_paint, layouts, pictures
from gui_lab.testing.bench.cases import CASES, Case, Family
from gui_lab.testing.bench.children import Answer, Child
from gui_lab.testing.bench.figures import Figure

OTHERS = ("heartbeat", "curve", "start")
"""What is measured beside the cases."""
_PACKAGE = "gui_lab.testing.bench"
AS_TORCH_HAS_IT = {"OMP_WAIT_POLICY": "", "GOMP_SPINCOUNT": None}
"""The script runs as a person would run it: what the lab tells OpenMP about waiting is taken back. An empty policy is
none to OpenMP, and one that a person has set to the lab, which then says nothing."""
_ACCURACY_POINTS = 0.2
_CURVE_POINTS = 10_000_000
_CURVE_SECONDS = 300.0
_REPAINTS = 50


@dataclass(frozen=True)
class Effort:
    """How much time is taken.

    Attributes:
        rounds: in which each way trains once.
        seconds: of training in a round, for ours; the script trains whole epochs.
        pictures: at most so many to train on; None for all, 0 for what each case calls quick.
        beat_seconds: of heartbeat, for each network.
        starts: of the program, beside one that is not counted.
        points: of the curve that is repainted.
    """

    rounds: int = 3
    seconds: float = 5.0
    pictures: int | None = None
    beat_seconds: float = 60.0
    starts: int = 5
    points: int = _CURVE_POINTS

    def of(self, case: Case) -> int | None:
        """Pictures to train on; None for all."""
        return case.quick if self.pictures == 0 else self.pictures


QUICK = Effort(rounds=1, seconds=1.5, pictures=0, beat_seconds=3.0, starts=1)


def machine(qt_platform: str) -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "name": platform.node(),
        "processor": _processor(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "gui_lab": gui_lab.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "torchvision", "numpy")},
        "PySide6": version("PySide6-Essentials"),
        "qt_platform": qt_platform,
    }


def _processor() -> str:
    """Its name as a person knows it; Python tells it on Windows and macOS only."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


class Bench:
    """Measures figure after figure.

    Attributes:
        notes: what is to be known of them, in sentences: where the pictures are from, what was chosen.
    """

    def __init__(self, root: Path, effort: Effort, doing: Callable[[str], None] = lambda _: None) -> None:
        """
        Args:
            root: where the published pictures are, as torchvision lays them out.
            effort: how much time is taken.
            doing: told what is measured now.
        """
        self.notes: list[str] = []
        self._root, self._effort, self._doing = root, effort, doing
        self._found: dict[Family, pictures.Found] = {}

    def figures(self, only: Sequence[str] = ()) -> Iterator[Figure]:
        """All figures, or those of the cases named, as they are measured.

        Raises:
            LabError: a part of the measurement failed.
        """
        wanted = only or [*(case.name for case in CASES), *OTHERS]
        with tempfile.TemporaryDirectory(prefix="gui-lab-bench-") as temporary, ExitStack() as children:
            home = Path(temporary)
            ways = _Ways(home, children, self._doing)
            for case in CASES:
                if case.name in wanted:
                    yield from self._case(case, ways, self._laid_out(case, home))
            if "heartbeat" in wanted:
                yield from self._heartbeats(ways, home)
            if "curve" in wanted:
                yield self._curve(home)
            if "start" in wanted:
                yield from self._starts(home)

    def _laid_out(self, case: Case, home: Path) -> Path:
        """A folder with the pictures of a case."""
        count = self._effort.of(case)
        folder = home / f"{case.family}-{count or 'all'}"
        if not folder.exists():
            self._doing(f"{case.title}: pictures")
            if case.family not in self._found:
                self._found[case.family] = pictures.found(case.family, self._root)
                self.notes.append(self._found[case.family].words)
            found = self._found[case.family]
            layouts.lay_out(found.first(count) if count else found, folder)
        return folder

    def _case(self, case: Case, ways: _Ways, folder: Path) -> Iterator[Figure]:
        rounds = []
        for number in range(self._effort.rounds):
            where = f"{case.title}, round {number + 1} of {self._effort.rounds}"
            rounds.append(ways.round(case, folder, self._effort.seconds, where))
        yield from compared(case, rounds, judged=self._effort.of(case) is None)
        if case.precision == "auto":
            chosen = ", ".join(f"{one.loop['precision']} and {one.window['precision']}" for one in rounds)
            self.notes.append(f"{case.title}: without and in the window {chosen}. {rounds[-1].loop['why']}")

    def _heartbeats(self, ways: _Ways, home: Path) -> Iterator[Figure]:
        from gui_lab.core.learning import MODELS

        case = CASES[0]
        folder, seconds = self._laid_out(case, home), self._effort.beat_seconds
        for model in MODELS.names():
            self._doing(f"Heartbeat of the window, {model}")
            beat = ways.beat(case, folder, model, seconds)
            told = f"p50 {beat['p50']:.1f} ms; curves {beat['curves']:.1f}/s, softmax {beat['softmax']:.1f}/s"
            group = f"Window heartbeat (16 ms), {seconds:.0f} s of each network"
            yield Figure(group, f"{model}: p99", beat["p99"], "ms", 22, "at most", told, beat["others"])
            most = f"of {beat['beats']:,} beats"
            yield Figure(group, f"{model}: longest", beat["longest"], "ms", 50, "at most", most, beat["others"])

    def _curve(self, home: Path) -> Figure:
        points = self._effort.points
        self._doing(f"Repaint of a curve of {points:,} points")
        with Child(f"{_PACKAGE}.repaint", home / "repaint") as child:
            seen = child.ask(_CURVE_SECONDS, points=points, rounds=_REPAINTS)
        told = f"p99 {seen['p99']:.1f} ms; all of it there after {seen['opened']:.1f} s"
        name = f"{points:,} points, 100 of them new"
        return Figure("Repaint of the loss plot", name, seen["p50"], "ms", 5, "at most", told, seen["others"])

    def _starts(self, home: Path) -> Iterator[Figure]:
        self._doing("Start of the program")
        seen = first_paint.measured(home, self._effort.starts)
        for name, goal in ((first_paint.PAINTED, 0.5), (first_paint.TRAINED, 9.0)):
            seconds = [one[name] / 1000 for one in seen]
            told = f"{min(seconds):.2f} to {max(seconds):.2f} s in {len(seconds)} start{'s' * (len(seconds) > 1)}"
            others = max(one["others"] for one in seen)
            group = "From the start of the process"
            value = statistics.median(seconds)
            yield Figure(group, name, value, "s", goal, "at most", told, others, tuple(seconds))


@dataclass(frozen=True)
class Round:
    """What each way answered, one after the other."""

    loop: Answer
    window: Answer
    compute: Answer
    script: Answer


class _Ways:
    """The processes that train; started when they are first asked."""

    def __init__(self, home: Path, children: ExitStack, doing: Callable[[str], None]) -> None:
        self._home, self._children, self._doing = home, children, doing
        self._started: dict[str, Child] = {}

    def _child(self, name: str) -> Child:
        if name not in self._started:
            child = Child(f"{_PACKAGE}.{name}", self._home / name, AS_TORCH_HAS_IT if name == "tutorial" else None)
            self._started[name] = self._children.enter_context(child)
        return self._started[name]

    def round(self, case: Case, folder: Path, seconds: float, where: str) -> Round:
        """Each way once."""
        asked: dict[str, Any] = {"case": case.name, "folder": str(folder)}
        patience = 600 + 60 * seconds
        self._doing(f"{where}: without a window")
        loop = self._child("ours").ask(patience, way="loop", seconds=seconds, **asked)
        self._doing(f"{where}: in the window")
        window = self._child("live").ask(patience, way="train", epochs=loop["epochs"], limit=patience, **asked)
        self._doing(f"{where}: compute only")
        compute = self._child("ours").ask(patience, way="compute", seconds=seconds / 2, **asked)
        self._doing(f"{where}: the tutorial script")
        script = self._child("tutorial")
        epochs = case.epochs or 1
        answer = script.ask(patience * 4, recipe=case.recipe(), folder=str(folder), epochs=epochs)
        return Round(loop, window, compute, answer)

    def beat(self, case: Case, folder: Path, model: str, seconds: float) -> Answer:
        limit = 900 + 10 * seconds
        asked: dict[str, Any] = {"case": case.name, "folder": str(folder), "model": model}
        return self._child("live").ask(limit, way="beat", seconds=seconds, **asked)


def compared(case: Case, rounds: Sequence[Round], judged: bool = True) -> Iterator[Figure]:
    """The figures of a case from its rounds. What was learned is `judged` where it was learned from all pictures."""

    def ratio(name: str, slow: list[float], fast: list[float], goal: float, unit: str, told: str, *used: str) -> Figure:
        each = tuple(one / other for one, other in zip(slow, fast, strict=True))
        others = max(getattr(one, way)["others"] for one in rounds for way in used)
        return Figure(case.title, name, statistics.median(each), unit, goal, "at least", told, others, each)

    live, loop, script = (
        [getattr(one, way)["epoch_seconds"] for one in rounds] for way in ("window", "loop", "script")
    )
    ours, bare = ([getattr(one, way)["batch_seconds"] for one in rounds] for way in ("loop", "compute"))
    told = f"{_rate(live)} : {_rate(script)} epochs/s by {rounds[-1].script['reads']}"
    yield ratio("window : tutorial script", script, live, case.speedup, "x", told, "window", "script")
    told = f"{_rate(live)} : {_rate(loop)} epochs/s"
    yield ratio("window : our loop without a window", loop, live, 0.90, "", told, "window", "loop")
    told = f"{_micro(ours)} : {_micro(bare)} us a batch"
    yield ratio("our loop : compute only", bare, ours, case.compute, "", told, "loop", "compute")
    if case.epochs:
        window = statistics.median(one.window["accuracy"] for one in rounds)
        other = statistics.median(one.script["accuracy"] for one in rounds)
        told = f"{window:.2%} : {other:.2%} after {case.epochs} epochs"
        difference = 100 * (window - other)
        goal = -_ACCURACY_POINTS if judged else None
        yield Figure(case.title, "accuracy, window less script", difference, "points", goal, "at least", told)


def _rate(seconds: Sequence[float]) -> str:
    return f"{1 / statistics.median(seconds):.3g}"


def _micro(seconds: Sequence[float]) -> str:
    return f"{1e6 * statistics.median(seconds):,.0f}"


def can_run() -> None:
    """
    Raises:
        LabError: this program has no Python of its own to start other processes with.
    """
    if getattr(sys, "frozen", False):
        raise LabError("The packaged program cannot measure itself.", "Install it with pip and use `gui-lab bench`.")
