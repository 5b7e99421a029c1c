"""A run leaves a folder that standard tools can read, however it ends."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from gui_lab import paths
from gui_lab.core import memory
from gui_lab.core.events import BatchTrained, EpochEnded, Measuring, RunEnded, RunStarted, from_record
from gui_lab.core.experiment import Experiment, load
from gui_lab.core.history import History
from gui_lab.core.images import ImageSet
from gui_lab.core.pipeline import TRANSFORMS
from gui_lab.core.runs import Run
from gui_lab.core.training import weights_sha256
from gui_lab.errors import InvalidExperiment, LossNotFinite, OutOfMemory, StoreError

Made = Callable[..., Experiment]


@pytest.fixture
def run(made: Made, images: ImageSet) -> Run:
    return Run(made(), images)


def lines(run: Run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def digest(run: Run, name: str) -> str:
    """The digest of the weights in a file, put into a network of the run's kind."""
    model = run.experiment.model.build((1, 12, 12), 4)
    model.load_state_dict(load_file(run.folder / f"{name}.safetensors"))
    return weights_sha256(model)


def test_the_record_tells_which_half_done_pictures_are_kept_and_what_they_take(made: Made, images: ImageSet) -> None:
    names = ("ToTensor", "Normalize", "RandomErasing")
    chain = [TRANSFORMS.make("Resize", size=10), *(TRANSFORMS.make(name) for name in names)]
    run = Run(made().edited("transforms", tuple(chain)), images)
    environment = json.loads((run.folder / "environment.json").read_text())
    place = {"position": 0, "after": "Resize"}
    assert environment["kept"] == {
        "training": {**place, "pictures": 80, "bytes": 80 * 100},
        "others": {**place, "pictures": 40, "bytes": 40 * 100},
    }


def test_a_finished_run_leaves_its_recipe_machine_log_and_weights(run: Run) -> None:
    events = list(run.events())
    assert sorted(path.name for path in run.folder.iterdir()) == [
        "best.safetensors", "environment.json", "epochs", "experiment.lab", "last.safetensors", "metrics.jsonl",
    ]  # fmt: skip
    assert load(run.folder / "experiment.lab") == run.experiment
    environment = json.loads((run.folder / "environment.json").read_text())
    assert environment["device"] == "cpu"
    assert environment["torch"] == torch.__version__
    assert environment["threads"] == torch.get_num_threads()
    assert environment["kept"] == {}
    assert isinstance(events[0], RunStarted)
    assert events[-1] is run.ending
    assert run.ending.reason == "finished"
    assert (run.ending.epoch, run.ending.iteration, run.ending.sentence) == (2, 3, "")
    with safe_open(run.folder / "last.safetensors", "pt") as file:
        assert set(file.keys()) == set(run.learner.model.state_dict())


def test_the_recipe_names_every_field(run: Run) -> None:
    text = (run.folder / "experiment.lab").read_text()
    for name in ("nesterov", "dropout", "padding_mode", "split_seed", "device", "enabled"):
        assert f"{name} = " in text


def test_the_run_says_what_it_is_made_of(run: Run) -> None:
    started = next(run.events())
    assert started == RunStarted(
        run=str(run.folder), device="cpu", threads=torch.get_num_threads(), epochs=2, iterations=3, batch_size=32,
        samples=80, validation_samples=20, test_samples=20,
        parameters=sum(p.numel() for p in run.learner.model.parameters()),
    )  # fmt: skip


def test_the_log_holds_every_event_in_its_order(run: Run) -> None:
    names = ["run_started", *["batch_trained"] * 3, "epoch_ended", *["batch_trained"] * 3, "epoch_ended"]
    events = [event for event in run.events() if not isinstance(event, Measuring)]
    records = lines(run)
    assert [record["event"] for record in records] == [*names, "tested", "run_ended"]
    for event, record in zip(events, records, strict=True):
        for name, value in record.items():
            told = getattr(event, name, record["event"])
            assert told == value or (value is None and math.isnan(told))


@pytest.mark.parametrize(("seconds", "there"), [(0.0, 4), (3600.0, 0)])
def test_what_is_older_than_a_moment_is_on_the_disk_and_all_of_it_in_the_end(
    run: Run, monkeypatch: pytest.MonkeyPatch, seconds: float, there: int
) -> None:
    monkeypatch.setattr("gui_lab.core.runs._FLUSH_SECONDS", seconds)
    events = run.events()
    for _ in range(4):
        next(events)
    assert len(lines(run)) == there
    events.close()
    assert [record["event"] for record in lines(run)] == ["run_started", *["batch_trained"] * 3, "run_ended"]


def test_a_history_is_the_same_from_a_run_and_from_its_log(run: Run) -> None:
    live = History()
    for event in run.events():
        live.apply(event)
    replayed = History()
    for record in lines(run):
        replayed.apply(from_record(record))
    assert replayed.loss.values.tolist() == live.loss.values.tolist()
    assert replayed.validation_accuracy.values.tolist() == live.validation_accuracy.values.tolist()
    assert replayed.started == live.started


def test_the_last_weights_load_back_to_the_digest_that_was_told(run: Run) -> None:
    *_, ended = run.events()
    assert digest(run, "last") == ended.weights_sha256 == weights_sha256(run.learner.model)


def test_the_best_weights_are_those_of_the_best_epoch(made: Made, images: ImageSet) -> None:
    run, digests, best = Run(made(epochs=6), images), {}, 0
    for event in run.events():
        if isinstance(event, EpochEnded):
            digests[event.epoch] = weights_sha256(run.learner.model)
            best = event.epoch if event.best else best
    assert digest(run, "best") == digests[best]
    assert run.ending is not None
    assert run.ending.best_epoch == best
    assert digest(run, "last") == digests[6]


def test_two_runs_of_one_recipe_end_with_the_same_digest(made: Made, images: ImageSet) -> None:
    digests = []
    for _ in range(2):
        *_, ended = Run(made(seed=5), images).events()
        digests.append(ended.weights_sha256)
    assert digests[0] == digests[1]


# ends before the end


def test_a_stopped_run_keeps_its_weights_and_says_so(run: Run) -> None:
    events = run.events()
    *_, last = islice(events, 3)
    events.close()
    assert run.ending is not None
    assert run.ending.reason == "stopped"
    assert (run.ending.epoch, run.ending.iteration) == (last.epoch, last.iteration) == (1, 2)
    assert lines(run)[-1]["event"] == "run_ended"
    assert lines(run)[-1]["weights_sha256"] == digest(run, "last") == weights_sha256(run.learner.model)


def test_a_run_stopped_before_its_first_batch_keeps_its_first_weights(run: Run) -> None:
    events = run.events()
    next(events)
    events.close()
    assert [line["event"] for line in lines(run)] == ["run_started", "run_ended"]
    assert digest(run, "last") == weights_sha256(run.learner.model)


def test_stopping_twice_is_stopping_once(run: Run) -> None:
    events = run.events()
    next(events)
    events.close()
    before = (run.folder / "metrics.jsonl").read_bytes()
    events.close()
    assert list(events) == []
    assert (run.folder / "metrics.jsonl").read_bytes() == before


@pytest.mark.skipif("sys.platform != 'linux'", reason="only its C library is told to keep what is freed")
def test_a_run_that_fails_in_who_follows_it_lets_go_of_memory_at_once(run: Run) -> None:
    """Though its error, which holds all frames, is kept to be shown."""
    events = run.events()
    next(event for event in events if isinstance(event, BatchTrained))
    assert memory._runs == 1
    with pytest.raises(ZeroDivisionError) as kept:
        events.throw(ZeroDivisionError("a look failed"))
    assert kept.tb is not None
    assert memory._runs == 0


def test_a_run_that_is_interrupted_from_the_keyboard_is_a_stopped_one(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(run.learner.model, "forward", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(run.events())
    assert run.ending is not None
    assert run.ending.reason == lines(run)[-1]["reason"] == "stopped"


def test_a_run_whose_loss_is_lost_keeps_finite_weights_and_says_why(made: Made, images: ImageSet) -> None:
    run = Run(made(epochs=50).edited("optimizer.lr", 1e9), images)
    with pytest.raises(LossNotFinite) as caught:
        list(run.events())
    assert run.ending is not None
    assert run.ending.reason == "failed"
    assert (run.ending.sentence, run.ending.remedy) == (caught.value.sentence, caught.value.remedy)
    assert lines(run)[-1]["sentence"] == caught.value.sentence
    assert digest(run, "last") == run.ending.weights_sha256
    weights = load_file(run.folder / "last.safetensors")
    assert all(bool(value.isfinite().all()) for value in weights.values())


@pytest.mark.parametrize(
    ("error", "raised", "words"),
    [
        (MemoryError(), OutOfMemory, "There is not enough memory for a batch of 32."),
        (ValueError("a bug of ours"), ValueError, "ValueError: a bug of ours"),
    ],
)
def test_a_failed_run_keeps_its_weights_and_says_why(
    error: Exception, raised: type[Exception], words: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise error

    def go_on() -> None:
        for count, _ in enumerate(run.events()):
            if count == 2:
                monkeypatch.setattr(run.learner.model, "forward", fail)

    with pytest.raises(raised):
        go_on()
    assert run.ending is not None
    assert (run.ending.reason, run.ending.sentence) == ("failed", words)
    assert [line["event"] for line in lines(run)] == ["run_started", "batch_trained", "batch_trained", "run_ended"]
    assert lines(run)[-1]["sentence"] == words
    assert digest(run, "last") == run.ending.weights_sha256


# the store


def test_runs_are_numbered_one_above_the_highest(made: Made, images: ImageSet, tmp_path: Path) -> None:
    store = tmp_path / "store"
    names = [Run(made(), images, store).folder.name for _ in range(2)]
    assert names == ["0001-corners-mnistnet", "0002-corners-mnistnet"]
    (store / "0041-older-mlp").mkdir()
    (store / "notes.txt").touch()
    (store / "0002-corners-mnistnet").rename(store / "renamed")
    assert Run(made(), images, store).folder.name == "0042-corners-mnistnet"
    (store / "10000-large-mlp").mkdir()
    assert Run(made(), images, store).folder.name == "10001-corners-mnistnet"


def test_runs_are_kept_at_home_where_nothing_else_is_said(run: Run, home: Path) -> None:
    assert run.folder.parent == paths.runs() == home / "runs"


def test_an_experiment_that_cannot_run_leaves_no_folder(made: Made, images: ImageSet) -> None:
    with pytest.raises(InvalidExperiment):
        Run(made(batch_size=1000), images)
    assert not paths.runs().exists()


def test_a_store_that_is_a_file_is_told(made: Made, images: ImageSet, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(StoreError, match="could not be written") as caught:
        Run(made(), images, tmp_path / "taken")
    assert str(tmp_path / "taken") in caught.value.sentence
    assert "another folder" in caught.value.remedy


def test_a_store_that_may_not_be_written_is_told(
    made: Made, images: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreError, match="Permission denied"):
        Run(made(), images, tmp_path / "store")


def full(*_: object) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class FullDisk:
    """Lets the first writes through and fails from then on."""

    def __init__(self, writes: int) -> None:
        self.left = writes
        self._fsync = os.fsync

    def fsync(self, handle: int) -> None:
        self.left -= 1
        if self.left < 0:
            full()
        self._fsync(handle)


@pytest.mark.parametrize("writes", range(12))
def test_a_disk_that_fills_leaves_what_was_written_readable(
    writes: int, made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recipe, machine, weights and checkpoint of each epoch, weights at the end: each of these writes is the first that
    fails once."""
    monkeypatch.setattr(os, "fsync", FullDisk(writes).fsync)
    run, ended = ran(made(epochs=3), images)
    (folder,) = paths.runs().iterdir()
    assert list(folder.rglob("*.tmp")) == list(folder.rglob(".*")) == []
    for weights in folder.rglob("*.safetensors"):
        assert load_file(weights)
    if (folder / "experiment.lab").exists():
        assert load(folder / "experiment.lab") == made(epochs=3)
    if run is not None:
        assert lines(run)[-1]["event"] == "run_ended"
        assert lines(run)[0]["event"] == "run_started"
    assert ended == (writes > 2 + 3 + 3 + bests(run))


def ran(experiment: Experiment, images: ImageSet) -> tuple[Run | None, bool]:
    """The run, if it could begin, and whether it came to its end."""
    run = None
    try:
        run = Run(experiment, images)
        for _ in run.events():
            pass
    except StoreError as error:
        assert error.remedy  # noqa: PT017 - whether it is raised depends on the disk
        return run, False
    return run, True


def bests(run: Run | None) -> int:
    """How many epochs were the best so far."""
    return sum(line.get("best", False) for line in lines(run)) if run is not None else 0


def test_a_folder_that_vanishes_is_told_at_the_next_write(run: Run, tmp_path: Path) -> None:
    events = run.events()
    next(events)
    run.folder.rename(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="could not be written"):
        list(events)
    assert run.ending is not None
    assert run.ending.reason == "failed"
    assert run.ending.weights_sha256 == weights_sha256(run.learner.model)


class FullLog:
    """A file on a full disk: what is written fails when it is flushed or closed."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, text: str) -> None:
        pass

    def flush(self) -> None:
        full()

    def __enter__(self) -> FullLog:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        full()


@pytest.fixture
def full_log(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    def opened(self: Path, mode: str = "r", **rest: Any) -> Any:
        return FullLog(real(self, mode, **rest)) if self.name == "metrics.jsonl" else real(self, mode, **rest)

    monkeypatch.setattr(Path, "open", opened)


@pytest.mark.usefixtures("full_log")
@pytest.mark.parametrize("flush_seconds", [0.0, 3600.0])
def test_a_log_that_cannot_be_written_is_told_and_the_weights_are_kept(
    flush_seconds: float, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui_lab.core.runs._FLUSH_SECONDS", flush_seconds)
    with pytest.raises(StoreError, match="No space left"):
        list(run.events())
    assert digest(run, "last") == weights_sha256(run.learner.model)


@pytest.mark.usefixtures("full_log")
def test_a_store_that_fails_at_the_end_does_not_hide_why_the_run_failed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(run.learner.model, "forward", no_memory)
    with pytest.raises(OutOfMemory):
        list(run.events())
    assert isinstance(run.ending, RunEnded)
    assert run.ending.reason == "failed"


def test_a_log_is_readable_while_the_run_goes_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gui_lab.core.runs._FLUSH_SECONDS", 0.0)
    events = run.events()
    for count, _ in enumerate(islice(events, 4), 1):
        assert len(lines(run)) == count
    events.close()
