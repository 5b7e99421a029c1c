"""`gui-lab train` and `gui-lab branch`: a run without a window, over the same generator of events that the window
iterates.

A signal asks the run to end after the current batch, as the window's Stop does: the generator is closed, which keeps
the weights and writes the ending. What is shown is one of three views of the same events: records for programs, lines
for a log, and a bar for a person.
"""

from __future__ import annotations

import contextlib
import json
import math
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Protocol, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from gui_lab import catalog, paths
from gui_lab.cli.documents import File, Settings, TrustCode, completed, read
from gui_lab.cli.terminal import busy, clock, complain, count, opened, percent, problem_lines, say
from gui_lab.core.events import (
    BatchTrained,
    Branched,
    EpochEnded,
    Event,
    Measuring,
    RunEnded,
    RunStarted,
    Tested,
    as_record,
)
from gui_lab.core.experiment import Experiment
from gui_lab.core.history import History
from gui_lab.errors import StoreError

if TYPE_CHECKING:
    from gui_lab.core.branches import Branch
    from gui_lab.core.runs import Run

_PATIENCE = 2.0  # seconds after which a second signal is a person's and not the same one, passed on by a parent
_SECONDS_BETWEEN_UPDATES = 0.1


Runs = Annotated[
    Path | None, typer.Option("--runs", metavar="DIR", help="Keep the run here instead of among your own.")
]
Download = Annotated[bool, typer.Option("--download", help="Fetch the data set if it is missing.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one event a line as JSON, the last with the weights' digest.")
]


def train(
    file: File,
    settings: Settings = None,
    runs: Runs = None,
    download: Download = False,
    as_json: AsJson = False,
    trust_code: TrustCode = False,
) -> None:
    """Train an experiment.

    Ctrl+C stops after the current batch and keeps the weights.
    """
    experiment = read(file, settings, trust_code)
    _train(lambda: _prepared(experiment, runs, download), as_json)


def branch(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The folder of a run, or its number among your own.")],
    epoch: Annotated[
        int | None, typer.Option("--epoch", metavar="N", min=1, help="The epoch after which it begins: the newest.")
    ] = None,
    settings: Settings = None,
    runs: Runs = None,
    download: Download = False,
    as_json: AsJson = False,
    trust_code: TrustCode = False,
) -> None:
    """Begin a new run where another one was after an epoch.

    Without --set it goes on as that one did, to the same weights; it also carries on what was stopped.
    """
    catalog.load()
    with busy("Starting torch"):
        from gui_lab.core.branches import Branch
    begun = Branch(_folder(run, runs or paths.runs()), epoch)
    experiment = completed(begun.recipe(), settings, trust_code)
    _train(lambda: _prepared(experiment, runs, download, begun), as_json)


def _folder(run: str, runs: Path) -> Path:
    """Of a run that is named by its folder or its number.

    Raises:
        StoreError: there is none.
    """
    found = sorted(runs.glob(f"{int(run):04}-*")) if run.isdecimal() else []
    folder = found[0] if found else Path(run).absolute()
    if not folder.is_dir():
        raise StoreError(f"There is no run {run}.", f"Name its folder, or the number of one in {runs}.")
    return folder


def _train(prepare: Callable[[], Run], as_json: bool) -> None:
    """Train what is prepared to its end, or until a signal comes."""
    with Signals() as signals:
        try:
            run = prepare()
            signals.gentle = True
            _follow(run, signals, Records() if as_json else view(run))
        except Interrupted:
            if not signals.gentle:
                complain("Stopped before training began; no run was made.")
    if signals.received:
        raise typer.Exit(128 + signals.received)


class Interrupted(GeneratorExit):
    """Raised by a signal that cannot wait; to whatever generator is running it is the request to close."""


class Signals:
    """SIGINT and SIGTERM while this is entered.

    Attributes:
        gentle: a signal is only noted, in `received`; else it raises `Interrupted` where the program is.
        received: the first signal's number, 0 before it.
    """

    def __init__(self) -> None:
        self.gentle = False
        self.received = 0
        self._at = 0.0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        now = time.monotonic()
        first = not self.received
        if first:
            self.received, self._at = number, now
        if (first and not self.gentle) or (not first and now - self._at > _PATIENCE):
            raise Interrupted


def _prepared(experiment: Experiment, runs: Path | None, download: bool, branch: Branch | None = None) -> Run:
    """A run of an experiment, whose pictures are opened; warnings of what it branches from are told."""
    images = opened(experiment.dataset, download)
    with busy("Starting torch"):
        from gui_lab.core.runs import Run

        run = Run(experiment, images, runs.absolute() if runs else None, branch)
    for problem in branch.problems(experiment, images) if branch is not None else ():
        complain("\n".join(problem_lines(problem)))
    return run


class View(Protocol):
    """Something that shows a run's events."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, event: Event) -> None: ...


def _follow(run: Run, signals: Signals, shown: View) -> None:
    """Iterate the run to its end, to a signal, or to its failure; the ending is shown in each case."""
    ended = False
    with shown:
        try:
            with contextlib.closing(run.events()) as events:
                for event in events:
                    shown.show(event)
                    ended = isinstance(event, RunEnded)
                    if signals.received:
                        break
        finally:
            if run.ending is not None and not ended:
                shown.show(run.ending)


class Records:
    """One JSON object a line, for programs."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def show(self, event: Event) -> None:
        if not isinstance(event, Measuring):
            say(json.dumps(as_record(event)))


class Lines:
    """One line an epoch, for logs, and a summary."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._history = History()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def show(self, event: Event) -> None:
        self._history.apply(event)
        match event:
            case RunStarted():
                self._started(event)
            case EpochEnded():
                self._epoch(event)
            case Branched():
                say(f"         branched from {event.run} after epoch {event.epoch}")
            case RunEnded():
                self._summary(event)

    def _started(self, event: RunStarted) -> None:
        experiment = self._run.experiment
        noun = "thread" if event.threads == 1 else "threads"
        threads = f", {event.threads} {noun}" if event.device == "cpu" else ""
        say(", ".join(part.name_of() for part in (experiment.dataset, experiment.model, experiment.optimizer)))
        say(
            f"{count(event.samples)} training and {count(event.validation_samples)} validation pictures, "
            f"{count(event.parameters)} parameters, {event.device}{threads}, {event.precision}"
        )
        if event.why:
            say(event.why)
        say()
        say("             training           validation")
        say("  epoch    loss  accuracy      loss  accuracy   pictures/s    left")

    def _epoch(self, event: EpochEnded) -> None:
        epochs = self._history.epochs_planned
        say(
            f"{f'{event.epoch}/{epochs}':>7}  {event.loss:6.4f}  {percent(event.accuracy):>8}    "
            f"{event.validation_loss:6.4f}  {percent(event.validation_accuracy):>8}   "
            f"{count(self._history.rate()):>10}  {clock(self._history.seconds_left()):>6}"
            f"{'  best so far' if event.best else ''}"
        )

    def _summary(self, event: RunEnded) -> None:
        history = self._history
        say()
        waited = f"Stopped early: no better validation accuracy for {self._run.learner.plan.patience} epochs,"
        words = {"finished": "Finished", "patience": waited, "stopped": "Stopped", "failed": "Failed"}
        seconds = f"{event.seconds:.1f} s" if event.seconds < 10 else clock(event.seconds)
        where = "after"
        if event.reason in ("stopped", "failed"):
            where = f"in epoch {event.epoch}, iteration {event.iteration}, after"
        say(f"{words[event.reason]} {where} {seconds}.")
        best = f"{event.best_epoch}, validation accuracy {percent(history.best_accuracy)}" if event.best_epoch else "-"
        say(f"  best epoch      {best}")
        say(f"  test accuracy   {_tested(history.tested)}")
        say(f"  folder          {self._run.folder}")
        say(f"  weights_sha256  {event.weights_sha256}")


class Live(Lines):
    """The same lines with a bar below them that moves, for a person."""

    def __init__(self, run: Run, console: Console) -> None:
        super().__init__(run)
        status = TextColumn("{task.fields[status]}", markup=False)
        columns = (TextColumn("{task.description}"), BarColumn(None, complete_style="blue"), status)
        self._bar = Bar(*columns, console=console, transient=True, expand=True, redirect_stderr=False)
        self._task = self._bar.add_task("", total=None, status="")
        self._updated = 0.0

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, event: Event) -> None:
        if isinstance(event, RunEnded):
            self._bar.stop()
        super().show(event)
        now = time.monotonic()
        if isinstance(event, BatchTrained) and now - self._updated >= _SECONDS_BETWEEN_UPDATES:
            self._updated = now
            self._update(event)
            self._bar.start()

    def _update(self, event: BatchTrained) -> None:
        history, started = self._history, self._history.started
        assert started is not None, "a batch is trained after the run has started"
        parts = [f"loss {history.smooth.values[-1]:.4f}"]
        if history.epochs:
            parts.append(f"validation {percent(history.validation_accuracy.values[-1])}")
        if math.isfinite(history.seconds_left()):
            parts.append(f"{count(history.rate())} pictures/s  {clock(history.seconds_left())} left")
        self._bar.update(
            self._task,
            description=f"epoch {event.epoch}/{started.epochs}",
            completed=len(history.loss),
            total=started.epochs * started.iterations,
            status="  ".join(parts),
        )


def view(run: Run) -> Lines:
    """What a person sees of a run: a bar where stdout is a terminal, lines where it is not."""
    console = Console()
    return Live(run, console) if console.is_terminal else Lines(run)


def _tested(tested: Tested | None) -> str:
    return f"{percent(tested.accuracy)} of {count(tested.samples)} pictures" if tested else "-"
