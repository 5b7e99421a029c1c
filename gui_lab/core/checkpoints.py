"""What a run is when an epoch has ended: all that its next epochs depend on, so that another run can begin there.

    <run>/epochs/0005.safetensors    tensors: network.*, averaged.*, best.* (of an epoch before), optimizer.*
                                     and in its metadata, as JSON, the rest

Random numbers need no place in it: they are functions of seed, epoch and iteration. Of a long run not every epoch is
kept: every second, every fourth ..., so that what is kept spans all of it, and always the newest one that was written.
A file is a safetensors file: reading one never runs anything that stands in it.
"""

from __future__ import annotations

import contextlib
import copy
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as to_safetensors
from torch import Tensor, nn

from gui_lab.core.files import write_atomically
from gui_lab.core.learner import Learner, Plan, Standing
from gui_lab.errors import StoreError

FOLDER = "epochs"
_MOST, _LEAST = 24, 2  # kept of a run, beside the newest
_MOST_BYTES = 1 << 30  # of them
_SECONDS_BETWEEN = 1.0  # epochs that are over sooner are written less often
_VERSION = 1
_FAMILIES = ("network", "averaged", "best")
_SHAPE_MEMORY = {"momentum": bool, "amsgrad": bool, "centered": bool, "history_size": int}
"""Settings of optimisers that decide what they remember, and what of each."""

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Facts:
    """What of a checkpoint is no tensor.

    Attributes:
        standing, plan: how far the run had come, and what it was to do.
        shape: of the pictures that reach the network, (C, H, W).
        classes: their names.
        split: a digest of which pictures are trained on and measured with, and of all classes.
        iterations: of an epoch.
        optimizer, loss: their names and settings.
        lr: the learning rate that the schedules' factors are meant for.
        device: it was computed on.
        measured: the precision that "auto" chose there; empty where it was named.
        averaged: whether a moving average was kept.
    """

    standing: Standing
    plan: Plan
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    split: str
    iterations: int
    optimizer: Mapping[str, Any]
    loss: Mapping[str, Any]
    lr: float
    device: str
    measured: str
    averaged: bool

    @classmethod
    def of(cls, learner: Learner) -> Facts:
        """Of a learner whose epoch has just ended."""
        experiment, images = learner.experiment, learner.images
        return cls(
            standing=copy.deepcopy(learner.standing),
            plan=copy.copy(learner.plan),
            shape=learner.chain.output(images.kind).shape,
            classes=tuple(images.classes),
            split=images.split,
            iterations=experiment.training.iterations(len(images.train)),
            optimizer=experiment.optimizer.table(full=True),
            loss=experiment.loss.table(full=True),
            lr=learner.schedule.lr,
            device=learner.device,
            measured=learner.precision if experiment.training.precision == "auto" else "",
            averaged=learner.averaged is not None,
        )

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Facts:
        """From its record."""
        values = {field.name: told[field.name] for field in fields(cls)}
        values |= {"standing": Standing(**told["standing"]), "plan": Plan(**told["plan"])}
        values |= {name: tuple(told[name]) for name in ("shape", "classes")}
        return cls(**values)

    def remembers_for(self, optimizer: Mapping[str, Any]) -> bool:
        """Whether an optimiser of this name and these settings can go on with what is remembered."""
        return _kind(optimizer) == _kind(self.optimizer)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """
    Attributes:
        facts: what is no tensor.
        network: the weights and buffers, on the CPU.
        averaged: of the moving average; empty where none is kept.
        best: those of the best epoch so far as it was validated; empty where that is this epoch.
        memory: what the optimiser remembers, as torch's state, by number of parameter.
    """

    facts: Facts
    network: Weights
    averaged: Weights
    best: Weights
    memory: Mapping[int, Any]

    @classmethod
    def of(cls, learner: Learner, best: Path) -> Checkpoint:
        """Of a learner whose epoch has just ended; `best` is the file with the weights of its best one."""
        standing = learner.standing
        return cls(
            Facts.of(learner),
            network=weights(learner.model),
            averaged=weights(learner.averaged) if learner.averaged is not None else {},
            best=load_file(best) if 0 < standing.best_epoch < standing.epoch else {},
            memory=learner.optimizer.state_dict()["state"],
        )

    @property
    def evaluated(self) -> Weights:
        """The weights that were validated after this epoch: those of the average where one was kept."""
        inside = "module."
        averaged = {key.removeprefix(inside): one for key, one in self.averaged.items() if key.startswith(inside)}
        return averaged or self.network

    def give(self, learner: Learner) -> None:
        """Put a learner where the run was: it goes on from there by its own plan. Its network is one of the same kind;
        another optimiser, or one that is set to remember other things, begins with nothing to remember, and schedules
        that follow another loss have learned nothing of it."""
        learner.model.load_state_dict(self.network)
        if learner.averaged is not None and self.averaged:
            learner.averaged.load_state_dict(self.averaged)
        elif learner.averaged is not None:
            learner.averaged.module.load_state_dict(self.network)
        if self.facts.remembers_for(learner.experiment.optimizer.table(full=True)):
            built = learner.optimizer.state_dict()
            built["state"] = _laid_out(self.memory, learner.optimizer)
            learner.optimizer.load_state_dict(built)
        facts, standing = self.facts, copy.deepcopy(self.facts.standing)
        if learner.plan.lr == facts.plan.lr:  # it may have been changed under its schedules
            learner.schedule = learner.scheduled(facts.lr)
        same = learner.experiment.loss.table(full=True) == facts.loss
        learner.schedule.go_on_after(standing.epoch, standing.validation_losses if same else ())
        learner.standing = standing

    def to_bytes(self) -> bytes:
        """The content of its file."""
        tensors = {f"{family}.{key}": value for family in _FAMILIES for key, value in getattr(self, family).items()}
        memory = _apart(dict(self.memory), "optimizer", tensors)
        told = {"version": _VERSION, **asdict(self.facts), "memory": memory}
        content: bytes = to_safetensors(tensors, {"gui_lab": json.dumps(told)})
        return content


class Keeper:
    """Writes a run's checkpoints, and takes away those that there is no room for.

    Attributes:
        held: an epoch that stays as long as this says so: a person is about to choose it. 0 for none.
    """

    def __init__(self, run: Path) -> None:
        """
        Args:
            run: the folder of the run.
        """
        self._run = run
        self.held = 0
        self._first = 0
        self._every = 1
        self._written, self._at = 0, float("-inf")

    def begin(self, checkpoint: Checkpoint) -> None:
        """Keep where a branch begins, for good."""
        self._first = checkpoint.facts.standing.epoch
        self._write(checkpoint)

    def keep(self, learner: Learner, *, over: bool = False) -> None:
        """An epoch has ended; `over` where no other one follows. What was written before is not written again.

        Raises:
            OSError: it cannot be written.
        """
        epoch, now = learner.standing.epoch, time.monotonic()
        due = over or epoch % self._every == 0 or now - self._at >= _SECONDS_BETWEEN
        if due and epoch != self._written:
            size = self._write(Checkpoint.of(learner, self._run / "best.safetensors"))
            self._at = time.monotonic()
            self._thin_out(min(max(_MOST_BYTES // size, _LEAST), _MOST))

    def _write(self, checkpoint: Checkpoint) -> int:
        self._written = checkpoint.facts.standing.epoch
        (self._run / FOLDER).mkdir(exist_ok=True)
        content = checkpoint.to_bytes()
        write_atomically(_file(self._run, self._written), content)
        return len(content)

    def _thin_out(self, most: int) -> None:
        there = kept(self._run)
        while sum(epoch % self._every == 0 for epoch in there) > most:
            self._every *= 2
        for epoch in there:
            if epoch % self._every and epoch not in (self._first, self._written, self.held):
                _file(self._run, epoch).unlink(missing_ok=True)


def kept(run: Path) -> list[int]:
    """The epochs of a run that one can begin from, in their order."""
    names = (re.fullmatch(r"(\d{4,})\.safetensors", path.name) for path in (run / FOLDER).glob("*"))
    return sorted(int(name[1]) for name in names if name)


def facts(run: Path, epoch: int) -> Facts:
    """What is kept of an epoch, without its tensors: read in a moment, however large they are.

    Raises:
        StoreError: it is not there, or damaged.
    """
    path = _file(run, epoch)
    with _told_if_damaged(path):
        return Facts.read(_told(path))


def load(run: Path, epoch: int) -> Checkpoint:
    """All that is kept of an epoch.

    Raises:
        StoreError: it is not there, or damaged.
    """
    path = _file(run, epoch)
    with _told_if_damaged(path):
        told, tensors = _told(path), load_file(path)
        network, averaged, best = (
            {key.partition(".")[2]: value for key, value in tensors.items() if key.startswith(f"{family}.")}
            for family in _FAMILIES
        )
        memory = {int(key): _together(value, tensors) for key, value in told["memory"].items()}
        return Checkpoint(Facts.read(told), network, averaged, best, memory)


def _told(path: Path) -> Any:
    with safe_open(path, "pt") as file:
        told = json.loads((file.metadata() or {})["gui_lab"])
    if told["version"] != _VERSION:
        raise ValueError(f"version {told['version']}")
    return told


@contextlib.contextmanager
def _told_if_damaged(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"What was kept of that epoch cannot be read: {path.name} is not there, damaged, or of another version.",
            "Choose another epoch.",
        ) from error


def weights(network: nn.Module) -> Weights:
    """All weights and buffers, on the CPU, one after the other in memory."""
    return {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}


def _file(run: Path, epoch: int) -> Path:
    return run / FOLDER / f"{epoch:04}.safetensors"


def _kind(optimizer: Mapping[str, Any]) -> dict[str, Any]:
    """What decides what an optimiser remembers."""
    return {"name": optimizer["name"]} | {
        name: decides(optimizer[name]) for name, decides in _SHAPE_MEMORY.items() if name in optimizer
    }


def _apart(value: Any, name: str, tensors: Weights) -> Any:
    """As plain data, with the tensors in it taken out and named in their place."""
    if isinstance(value, Tensor):
        tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        return name
    if isinstance(value, dict):
        return {str(key): _apart(member, f"{name}.{key}", tensors) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_apart(member, f"{name}.{place}", tensors) for place, member in enumerate(value)]
    return value


def _together(value: Any, tensors: Weights) -> Any:
    if isinstance(value, str):
        return tensors[value].clone()  # as aligned as torch has it: sums of what lies otherwise differ in the last bits
    if isinstance(value, dict):
        return {key: _together(member, tensors) for key, member in value.items()}
    return [_together(member, tensors) for member in value] if isinstance(value, list) else value


def _laid_out(memory: Mapping[int, Any], optimizer: torch.optim.Optimizer) -> dict[int, Any]:
    """With tensors that belong to a parameter in memory as it is: fused steps go over both by their addresses."""
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    return {
        number: {
            name: torch.empty_like(one, dtype=value.dtype).copy_(value)
            if isinstance(value, Tensor) and value.shape == one.shape
            else value
            for name, value in memory[number].items()
        }
        for number, one in enumerate(parameters)
        if number in memory
    }
