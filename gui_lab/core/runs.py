"""The run store: each run leaves a folder that standard tools can read.

    <runs>/0007-digits-mnistnet/
        experiment.lab       the recipe, every field written out
        *.npy                the arrays that the recipe names, if any: the folder can be moved with all it needs
        environment.json     versions, device, threads, and which half-done pictures are kept in memory
        metrics.jsonl        one event a line
        last.safetensors     the weights after the last finished epoch, or where the run was stopped
        best.safetensors     the weights of the best validation accuracy so far (the average's where one is kept)
        epochs/              what other runs can branch from (checkpoints.py)

Weights are written atomically (whole or not at all), the log is appended and flushed about once a second. A `Run`
wraps the training loop: it records what passes through and, however the loop ends, writes the ending.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Generator
from pathlib import Path
from typing import IO

from safetensors.torch import save as to_safetensors

from gui_lab import paths
from gui_lab.core import machine
from gui_lab.core.branches import Branch
from gui_lab.core.checkpoints import Checkpoint, Keeper, Weights, weights
from gui_lab.core.events import (
    BatchTrained,
    Changed,
    EpochEnded,
    Event,
    Measuring,
    Paused,
    Reason,
    RunEnded,
    RunStarted,
    as_record,
)
from gui_lab.core.experiment import Experiment
from gui_lab.core.files import write_atomically
from gui_lab.core.images import ImageSet
from gui_lab.core.learner import Learner
from gui_lab.core.training import train, weights_sha256
from gui_lab.errors import InvalidExperiment, LabError, StoreError

_IN_JSON = json.JSONEncoder(check_circular=False).encode
_FLUSH_SECONDS = 1.0
_LINES = 64
"""Of the log that are made together: one at a time, between a network's steps, each takes three times as long."""


class Run:
    """One run: a learner, its folder, and the events that pass.

    Attributes:
        replaying: what is said was said by the run that it branched from.
        ending: how it ended; None while it goes on.
    """

    def __init__(
        self, experiment: Experiment, images: ImageSet, runs: Path | None = None, branch: Branch | None = None
    ) -> None:
        """
        Args:
            branch: where it begins; None for new weights.

        Raises:
            InvalidExperiment: it cannot run on these pictures, or not from there.
            StoreError: its folder cannot be made, or the run that it branches from not be read.
        """
        same = branch is not None and branch.facts.device == machine.resolve(experiment.training.device)
        self.learner = Learner(experiment, images, branch.facts.measured if branch is not None and same else "")
        self.experiment = experiment
        self._branch, self.replaying = branch, branch is not None
        begun = self._stand_where(branch) if branch is not None else None
        self.ending: RunEnded | None = None
        standing = self.learner.standing
        self._epoch, self._best_epoch, self._seconds = standing.epoch, standing.best_epoch, standing.seconds
        self._iteration = branch.facts.iterations if branch is not None else 0
        self._at_end_of_epoch = False
        self._flushed = time.monotonic()
        self._log: IO[str] | None = None
        self._unwritten: list[Event | str] = []
        with told_where_it_failed(runs or paths.runs()):
            self.folder = _new_folder(runs or paths.runs(), experiment)
            recipe = experiment.carried(self.folder)
            write_atomically(self.folder / "experiment.lab", recipe.to_toml(full=True).encode())
            record = machine.environment(self.learner.device, self.learner.threads)
            record["kept"] = _kept(self.learner)
            if branch is not None:
                record["branch"] = {"run": branch.folder.name, "epoch": branch.epoch}
            write_atomically(self.folder / "environment.json", json.dumps(record, indent=2).encode())
            self.keeper = Keeper(self.folder)
            if begun is not None:
                self._save("best", begun.best or begun.evaluated)
                self.keeper.begin(begun)

    def _stand_where(self, branch: Branch) -> Checkpoint:
        """Put the learner where it branches; returns that."""
        problems = [one for one in branch.problems(self.experiment, self.learner.images) if one.severity == "error"]
        if problems:
            raise InvalidExperiment(problems, "This branch")
        branch.check()
        begun = branch.checkpoint()
        begun.give(self.learner)
        return begun

    def events(self) -> Generator[Event, None, None]:
        """The run's events from `RunStarted` on, recorded as they pass. Closing it stops the run and keeps its
        weights; `ending` then says how it ended. On its natural end the last event is the ending itself.

        Raises:
            LabError: the run failed, with its sentence; it is recorded, and the weights are kept.
        """
        reason: Reason = "stopped"
        failure: BaseException | None = None
        with told_where_it_failed(self.folder):
            self._log = (self.folder / "metrics.jsonl").open("a", encoding="utf-8")
        try:
            started = self._started()
            self._record(started)
            yield started
            if self._branch is not None:
                yield from self._replayed(self._branch)
            reason = yield from self._trained()
        except (GeneratorExit, KeyboardInterrupt):
            raise  # a person stopped it
        except BaseException as error:
            reason, failure = "failed", error
            raise
        finally:
            ending = self._end(reason, failure)
        yield ending

    def _replayed(self, branch: Branch) -> Generator[Event, None, None]:
        """What the other run said, and that it was that one; recorded at once, should a person stop it there."""
        branched = branch.branched(self.experiment)
        for line in branch.lines():
            self._record(line)
        self._record(branched)
        yield from branch.said()
        self.replaying = False
        yield branched

    def _trained(self) -> Generator[Event, None, Reason]:
        with contextlib.closing(train(self.learner)) as training:
            while True:
                try:
                    event = next(training)
                except StopIteration as end:
                    self._at_end_of_epoch = True
                    reason: Reason = end.value
                    return reason
                self._follow(event)
                yield event
                self._at_end_of_epoch = False

    def change(self, setting: str, value: float) -> Changed | None:
        """Change the plan between two events, for the iterations to come; recorded. None where it is so already.

        Args:
            setting: "optimizer.lr", "training.epochs" or "training.patience".
        """
        name, plan = setting.rpartition(".")[2], self.learner.plan
        before = getattr(plan, name)
        if value == before:
            return None
        setattr(plan, name, value)
        if name == "epochs":
            self.learner.schedule.reach(int(value))
        changed = Changed(self._epoch, self._iteration, setting, before, value)
        self._record(changed)
        return changed

    def paused(self) -> Paused:
        """Note that a person paused here."""
        paused = Paused(self._epoch, self._iteration)
        self._record(paused)
        return paused

    def _started(self) -> RunStarted:
        training, images = self.experiment.training, self.learner.images
        return RunStarted(
            run=str(self.folder),
            device=self.learner.device,
            threads=self.learner.threads,
            epochs=training.epochs,
            iterations=training.iterations(len(images.train)),
            batch_size=training.batch_size,
            samples=len(images.train),
            validation_samples=len(images.validation),
            parameters=self.learner.parameters,
            patience=training.patience,
            precision=self.learner.precision,
            why=self.learner.why,
            test_samples=len(images.test),
        )

    def _follow(self, event: Event) -> None:
        if isinstance(event, BatchTrained):
            self._epoch, self._iteration, self._seconds = event.epoch, event.iteration, event.seconds
        self._record(event)
        if isinstance(event, EpochEnded):
            self._seconds, self._at_end_of_epoch = event.seconds, True
            self._save("last", weights(self.learner.model))
            if event.best:
                self._best_epoch = event.epoch
                self._save("best", weights(self.learner.evaluated))
            self._keep()

    def _keep(self, *, over: bool = False) -> None:
        """Keep the epoch that has ended, as far as it is recorded: after a crash each one that is kept can be used."""
        if self._log is not None:
            self._flush(self._log)
        with told_where_it_failed(self.folder):
            self.keeper.keep(self.learner, over=over)

    def _record(self, event: Event | str) -> None:
        """
        Args:
            event: or a line of another record.
        """
        if self._log is None or isinstance(event, Measuring):
            return
        self._unwritten.append(event)
        now = time.monotonic()
        if len(self._unwritten) < _LINES and now - self._flushed < _FLUSH_SECONDS:
            return
        if now - self._flushed >= _FLUSH_SECONDS:
            self._flush(self._log)
        else:
            with told_where_it_failed(self.folder):
                self._write(self._log)

    def _flush(self, log: IO[str]) -> None:
        with told_where_it_failed(self.folder):
            self._write(log)
            log.flush()
            self._flushed = time.monotonic()

    def _write(self, log: IO[str]) -> None:
        unwritten, self._unwritten = self._unwritten, []
        log.write("".join(one if isinstance(one, str) else f"{_IN_JSON(as_record(one))}\n" for one in unwritten))

    def _save(self, name: str, values: Weights) -> None:
        with told_where_it_failed(self.folder):
            write_atomically(self.folder / f"{name}.safetensors", to_safetensors(values))

    def _end(self, reason: Reason, failure: BaseException | None) -> RunEnded:
        """Write the ending; a store that fails now must not hide the failure that came before it."""
        expected = failure if isinstance(failure, LabError) else None
        self.ending = ending = RunEnded(
            reason=reason,
            epoch=self._epoch,
            iteration=self._iteration,
            best_epoch=self._best_epoch,
            weights_sha256=weights_sha256(self.learner.model),
            seconds=self._seconds,
            sentence=expected.sentence if expected else f"{type(failure).__name__}: {failure}" if failure else "",
            remedy=expected.remedy if expected else "",
        )
        try:
            with told_where_it_failed(self.folder), self._log or contextlib.nullcontext() as log:
                if log is not None:
                    self._unwritten.append(ending)
                    self._write(log)
                self._save("last", weights(self.learner.model))
                if self._at_end_of_epoch:
                    self._keep(over=True)
        except StoreError:
            if failure is None:
                raise
        return ending


class told_where_it_failed:  # noqa: N801 - a context manager reads as a verb
    """Turn an OSError while writing into a StoreError that names the folder and what to do."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError):
            raise StoreError(
                f"The run could not be written to {self._folder}: {error.strerror or error}.",
                "Free some space or choose another folder for runs; what was saved before is kept.",
            ) from error


def _kept(learner: Learner) -> dict[str, dict[str, int | str]]:
    """Of the training pictures, and of those for validation and test: after which transform they are kept in memory
    (position -1: as they were read), how many, and the bytes of all of them; none of a part that is computed anew."""
    places = {part: front.place for part, front in zip(("training", "others"), learner.fronts, strict=True) if front}
    return {
        part: {"position": one.position, "after": one.name, "pictures": one.pictures, "bytes": one.bytes}
        for part, one in places.items()
    }


def _new_folder(runs: Path, experiment: Experiment) -> Path:
    """A new folder whose number is one above the highest there is: ordered without trusting the clock."""
    runs.mkdir(parents=True, exist_ok=True)
    words = f"{experiment.dataset.name_of()}-{experiment.model.name_of()}".lower()
    number = max((int(found[0]) for path in runs.iterdir() if (found := re.findall(r"^(\d+)-", path.name))), default=0)
    while True:
        number += 1
        folder = runs / f"{number:04}-{words}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
