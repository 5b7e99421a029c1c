"""The lab without its window, and without everything but the arithmetic: what watching costs is told by the first,
what our loop costs by the second.

`loop` is what `gui-lab train` iterates: a run with its record on disk, its history and its validation. `compute` has
its batches ready in memory and does forward, backward and step, nothing else, on as many threads.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from gui_lab.core import memory
from gui_lab.core.events import BatchTrained, EpochEnded
from gui_lab.core.history import History
from gui_lab.core.images import ImageSet, opened
from gui_lab.core.learner import Learner
from gui_lab.core.runs import Run
from gui_lab.core.training import backward
from gui_lab.testing.bench.cases import BATCH, CASES, Case
from gui_lab.testing.bench.children import Answer, serve
from gui_lab.testing.bench.pace import Pace
from gui_lab.testing.bench.pictures import BenchPictures, register
from gui_lab.testing.bench.processors import Others

_MOST_BYTES = 256 << 20
_WARMING = 20  # batches
_LEAST_EPOCHS = 2


def loop(case: Case, folder: Path, seconds: float) -> Answer:
    """Train for about so many seconds and whole epochs, two at least; or the epochs of the case."""
    run = Run(case.experiment(folder, case.epochs), _images(folder))
    started, history, others = run.learner, History(), Others()
    pace = Pace(case.experiment(folder).training.iterations(len(started.images.train)))
    end = time.perf_counter() + seconds
    with contextlib.closing(run.events()) as events:
        for event in events:
            history.apply(event)
            if isinstance(event, BatchTrained):
                pace.note(len(history.loss))
            enough = isinstance(event, EpochEnded) and event.epoch >= _LEAST_EPOCHS and time.perf_counter() > end
            if enough and not case.epochs:
                break
    return {
        "epoch_seconds": pace.epoch_seconds(),
        "batch_seconds": pace.batch_seconds(),
        "epochs": history.epochs,
        "accuracy": float(history.validation_accuracy.values[-1]),
        "others": others.part(),
        "device": started.device,
        "threads": started.threads,
        "precision": started.precision,
        "why": started.why,
    }


def compute(case: Case, folder: Path, seconds: float) -> Answer:
    """Pass after pass over batches that are ready, for about so many seconds."""
    learner = Learner(case.experiment(folder), _images(folder))
    batches = _ready(learner)
    loss_of, network, optimizer = nn.CrossEntropyLoss(), learner.model.train(), learner.optimizer
    one = torch.ones((), device=learner.device)

    def step(pictures: torch.Tensor, labels: torch.Tensor) -> None:
        optimizer.zero_grad()
        backward(loss_of(learner.outputs(pictures, network), labels), one)
        optimizer.step()

    passes: list[float] = []
    with memory.kept_for_a_run():
        for batch in batches[:_WARMING]:
            step(*batch)
        others, end = Others(), time.perf_counter() + seconds
        while not passes or time.perf_counter() < end:
            began = time.perf_counter()
            for batch in batches:
                step(*batch)
            torch.accelerator.synchronize() if learner.device != "cpu" else None
            passes.append((time.perf_counter() - began) / len(batches))
    return {"batch_seconds": float(np.median(passes)), "others": others.part(), "batches": len(batches)}


def _ready(learner: Learner) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The whole batches of an epoch as the network gets them, as many as a quarter of a gigabyte holds."""
    order = learner.order(1)
    first = learner.batch(order[:BATCH], epoch=1, training=True)
    most = max(min(len(order) // BATCH, _MOST_BYTES // first[0].nbytes), 1)
    return [first] + [learner.batch(order[k * BATCH : (k + 1) * BATCH], 1, training=True) for k in range(1, most)]


@cache
def _images(folder: Path) -> ImageSet:
    return opened(BenchPictures(root=folder))


def perform(question: Mapping[str, Any]) -> Answer:
    """What is asked for: `loop` or `compute`, with a case."""
    act = {"loop": loop, "compute": compute}[question["way"]]
    case = next(case for case in CASES if case.name == question["case"])
    return act(case, Path(question["folder"]), question["seconds"])


def main() -> None:
    memory.keep_freed()
    register()
    serve(perform)


if __name__ == "__main__":
    main()
