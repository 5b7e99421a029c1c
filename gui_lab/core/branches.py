"""A branch: a new run that begins where another one was after one of its epochs, with settings of its own.

It takes over what was said until then, so that its curve is whole and its folder needs no other; where it left the
other run is an event like all others. With the same settings it ends with the same weights as the other run, to the
bit; with others the two can be compared from that epoch on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from gui_lab.core import checkpoints
from gui_lab.core.checkpoints import Checkpoint, Facts
from gui_lab.core.events import Branched, Event, from_record
from gui_lab.core.experiment import Experiment, load
from gui_lab.core.images import ImageSet
from gui_lab.errors import LabError, StoreError
from gui_lab.schema import Problem, Repair


class Branch:
    """Where a run begins: after an epoch of another one.

    Attributes:
        folder: of that run.
        epoch: of it, from 1.
    """

    def __init__(self, folder: Path, epoch: int | None = None) -> None:
        """
        Args:
            epoch: None for the newest that is kept.

        Raises:
            StoreError: nothing is kept of that run, or of that epoch.
        """
        there = checkpoints.kept(folder)
        if not there:
            raise StoreError(
                f"There is nothing to begin from in {folder}.", "Choose a run of which an epoch has ended."
            )
        if epoch is not None and epoch not in there:
            listed = ", ".join(f"{one:,}" for one in there)
            raise StoreError(f"Epoch {epoch:,} of {folder.name} is not kept.", f"Choose one of these: {listed}.")
        self.folder, self.epoch = folder, there[-1] if epoch is None else epoch

    @cached_property
    def facts(self) -> Facts:
        """What of the checkpoint is no tensor.

        Raises:
            StoreError: it cannot be read (any more).
        """
        return checkpoints.facts(self.folder, self.epoch)

    def checkpoint(self) -> Checkpoint:
        """All of it; read anew each time, for it may be large.

        Raises:
            StoreError: it cannot be read (any more).
        """
        return checkpoints.load(self.folder, self.epoch)

    def recipe(self) -> Experiment:
        """The experiment of the other run with what a person had changed by then.

        Raises:
            LabError: it cannot be read.
        """
        return self.as_planned(load(self.folder / "experiment.lab"))

    def as_planned(self, experiment: Experiment) -> Experiment:
        """The experiment of the other run, as it began, with what a person had changed by then.

        Raises:
            StoreError: the checkpoint cannot be read (any more).
        """
        plan = self.facts.plan
        training = experiment.training.changed(epochs=plan.epochs, patience=plan.patience)
        return replace(experiment, training=training, optimizer=experiment.optimizer.changed(lr=plan.lr))

    def problems(self, experiment: Experiment, images: ImageSet) -> list[Problem]:
        """What keeps an experiment, which could be trained by itself, from going on from there; and as warnings what
        of the other run is left behind.

        Raises:
            LabError: the other run cannot be read.
        """
        there, recipe, found = self.facts, self.recipe(), []
        shape = experiment.chain.output(images.kind).shape
        if experiment.model != recipe.model:
            repair = Repair(f"Use its {recipe.model.name_of()}", "model", recipe.model)
            found.append(Problem("model", "The network is another one than that of the run.", (repair,)))
        elif shape != there.shape:
            sizes = ("x".join(str(side) for side in size) for size in (shape, there.shape))
            repair = Repair("Use its transforms", "transforms", recipe.transforms)
            sentence = "Pictures of {} reach the network; in the run they were {}.".format(*sizes)
            found.append(Problem("transforms", sentence, (repair,)))
        if tuple(images.classes) != there.classes:
            repair = Repair("Use its pictures", "dataset", recipe.dataset)
            found.append(Problem("dataset", "The pictures have other classes than those of the run.", (repair,)))
        found += self._length_problems(experiment, recipe, len(images.train))
        return [*found, *(Problem(path, said, severity="warning") for path, said in self._left(experiment, images))]

    def _length_problems(self, experiment: Experiment, recipe: Experiment, samples: int) -> list[Problem]:
        found, training, there = [], experiment.training, self.facts
        if training.iterations(samples) != there.iterations:
            size = recipe.training.batch_size
            alike = training.changed(batch_size=size).iterations(samples) == there.iterations
            repairs = (Repair(f"Use batches of {size:,}", "training.batch_size", size),) if alike else ()
            sentence = (
                f"An epoch has {training.iterations(samples):,} iterations; in the run it had {there.iterations:,}."
            )
            found.append(Problem("training.batch_size", sentence, repairs))
        if training.epochs <= self.epoch:
            more = min(max(recipe.training.epochs - self.epoch, 10), 10_000 - self.epoch)
            repairs = (Repair(f"Train {more:,} more", "training.epochs", self.epoch + more),) if more > 0 else ()
            sentence = f"The plan is {training.epochs:,} epochs, and {self.epoch:,} are over where it branches."
            found.append(Problem("training.epochs", sentence, repairs))
        waited = self.epoch - there.standing.best_epoch
        if training.patience and waited >= training.patience:
            sentence = f"The patience of {training.patience:,} is used up: no epoch of the last {waited:,} was better."
            longer = min(waited + training.patience, 1000)
            found.append(Problem("training.patience", sentence, (
                Repair(f"Wait for {longer - waited:,} more", "training.patience", longer),
                Repair("Do not stop early", "training.patience", 0),
            )))  # fmt: skip
        return found

    def _left(self, experiment: Experiment, images: ImageSet) -> Iterator[tuple[str, str]]:
        """What of the other run is left behind: a path and a sentence each."""
        there = self.facts
        if not there.remembers_for(experiment.optimizer.table(full=True)):
            name = there.optimizer["name"]
            yield "optimizer", f"What {name} remembers of the run is left behind: the optimiser remembers other things."
        if tuple(images.classes) == there.classes and images.split != there.split:
            yield (
                "dataset",
                "Not the same pictures are held back as in the run: the network may have been trained on some of them.",
            )
        if experiment.schedulers and experiment.loss.table(full=True) != there.loss:
            yield "loss", "The loss is another one: a schedule that follows it begins anew."
        if there.averaged and not experiment.training.ema_decay:
            yield "training.ema_decay", "The average of the weights is left behind."

    def lines(self) -> Iterator[str]:
        """What the other run had recorded by then, a line for each event but its start.

        Raises:
            StoreError: its record cannot be read, or ends before.
        """
        try:
            with (self.folder / "metrics.jsonl").open(encoding="utf-8") as log:
                for line in log:
                    kind = line[:40].partition('"event": "')[2].partition('"')[0]
                    if kind not in ("run_started", "run_ended"):
                        yield line.rstrip("\n") + "\n"
                    if kind == "epoch_ended" and json.loads(line)["epoch"] == self.epoch:
                        return
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._unreadable() from error
        raise self._unreadable()

    def check(self) -> None:
        """
        Raises:
            StoreError: the record of the other run does not reach as far.
        """
        for _ in self.lines():
            pass

    def said(self) -> Iterator[Event]:
        """The same as events.

        Raises:
            StoreError: one of them cannot be read.
        """
        try:
            for line in self.lines():
                yield from_record(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise self._unreadable() from error

    def _unreadable(self) -> LabError:
        return StoreError(
            f"The record of {self.folder.name} cannot be read up to epoch {self.epoch:,}.",
            "Begin after an earlier epoch, or from another run.",
        )

    def branched(self, experiment: Experiment) -> Branched:
        """The event that ends what is taken over."""
        return Branched(self.folder.name, self.epoch, experiment.training.epochs, experiment.training.patience)
