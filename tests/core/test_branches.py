"""A branch goes on from an epoch of another run as if nothing had happened, or otherwise where that is wanted."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from gui_lab.core import checkpoints, precision, training
from gui_lab.core.branches import Branch
from gui_lab.core.events import BatchTrained, Branched, Changed, EpochEnded, Event, RunEnded, RunStarted, from_record
from gui_lab.core.experiment import Experiment, load
from gui_lab.core.history import History
from gui_lab.core.images import ImageSet, opened
from gui_lab.core.learning import MODELS, OPTIMIZERS, SCHEDULERS
from gui_lab.core.pipeline import TRANSFORMS
from gui_lab.core.runs import Run
from gui_lab.errors import InvalidExperiment, StoreError

Made = Callable[..., Experiment]


@pytest.fixture
def every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of quick runs, too."""
    monkeypatch.setattr(checkpoints, "_SECONDS_BETWEEN", 0.0)


def trained(experiment: Experiment, images: ImageSet, branch: Branch | None = None) -> tuple[Run, list[Event]]:
    run = Run(experiment, images, branch=branch)
    return run, list(run.events())


def recorded(run: Run) -> list[Event]:
    log = (run.folder / "metrics.jsonl").read_text(encoding="utf-8")
    return [from_record(json.loads(line)) for line in log.splitlines()]


def without_time(event: Event) -> dict[str, Any]:
    """A number that was not measured equals itself here."""
    values = {name: getattr(event, name) for name in type(event).__slots__ if name not in ("seconds", "gradient_norm")}
    return {name: "unknown" if value != value else value for name, value in values.items()}


def digest(run: Run) -> str:
    assert run.ending is not None
    return run.ending.weights_sha256


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_with_the_same_settings_it_ends_with_the_same_weights_whatever_optimises(
    made: Made, images: ImageSet, name: str
) -> None:
    slower = {"lr": 0.01} if name == "LBFGS" else {}  # as torch has it, it diverges here
    experiment = made(epochs=4).edited("optimizer", OPTIMIZERS.make(name, **slower))
    whole, events = trained(experiment, images)
    branch, again = trained(experiment, images, Branch(whole.folder, 2))
    assert digest(branch) == digest(whole)
    ours = [without_time(event) for event in again if isinstance(event, BatchTrained | EpochEnded)]
    assert ours == [without_time(event) for event in events if isinstance(event, BatchTrained | EpochEnded)]


@pytest.mark.parametrize(
    "change",
    [
        {"training.ema_decay": 0.9, "training.accumulate": 2, "training.max_norm": 1.0},
        {"schedulers": (SCHEDULERS.make("OneCycleLR", max_lr=0.1), SCHEDULERS.make("ReduceLROnPlateau", patience=0))},
        {"optimizer.momentum": 0.0},
        {"training.precision": "bfloat16", "training.deterministic": True},
        {"training.patience": 1, "optimizer.lr": 0.5},
    ],
    ids=lambda change: next(iter(change)),
)
def test_average_schedule_patience_and_precision_go_on_too(
    made: Made, images: ImageSet, change: dict[str, Any]
) -> None:
    experiment = made(epochs=4)
    for path, value in change.items():
        experiment = experiment.edited(path, value)
    whole, _ = trained(experiment, images)
    branch, _ = trained(experiment, images, Branch(whole.folder, 1))
    assert branch.ending is not None
    assert whole.ending is not None
    ours, theirs = (without_time(run.ending) for run in (branch, whole))
    assert ours == theirs
    for name in ("best", "last"):
        weights, others = (load_file(run.folder / f"{name}.safetensors") for run in (branch, whole))
        assert all(torch.equal(weights[key], others[key]) for key in others)


def test_its_record_is_whole_and_says_where_it_branched(made: Made, images: ImageSet) -> None:
    whole, _ = trained(made(epochs=3), images)
    changed = made(epochs=4).edited("optimizer.lr", 0.001)
    branch, events = trained(changed, images, Branch(whole.folder, 2))
    assert isinstance(events[0], RunStarted)
    assert events[0].run == str(branch.folder)
    assert [type(event) for event in recorded(branch)] == [
        type(event) for event in events if type(event).__name__ != "Measuring"
    ]
    (place,) = [place for place, event in enumerate(events) if isinstance(event, Branched)]
    assert events[place] == Branched(whole.folder.name, 2, 4, 0)
    batches = [event for event in events if isinstance(event, BatchTrained)]
    assert [(event.epoch, event.iteration) for event in batches] == [(k // 3 + 1, k % 3 + 1) for k in range(12)]
    assert [event.lr for event in batches] == [0.05] * 6 + [0.001] * 6
    assert all(one.seconds <= other.seconds for one, other in itertools.pairwise(batches))
    environment = json.loads((branch.folder / "environment.json").read_text())
    assert environment["branch"] == {"run": whole.folder.name, "epoch": 2}
    assert load(branch.folder / "experiment.lab") == changed


def test_its_history_has_one_curve_with_a_mark(made: Made, images: ImageSet) -> None:
    whole, _ = trained(made(epochs=3, patience=2), images)
    _, events = trained(made(epochs=5), images, Branch(whole.folder, 1))
    history = History()
    for event in events:
        history.apply(event)
    assert (len(history.loss), history.epochs, history.epochs_planned, history.patience) == (15, 5, 5, 0)
    (mark,) = history.marks
    assert (mark.at, mark.kind, mark.words) == (3, "branched", f"branched from {whole.folder.name} after epoch 1")
    assert history.branched == Branched(whole.folder.name, 1, 5, 0)


def test_a_branch_can_be_branched_also_where_it_began_and_when_the_first_run_is_gone(
    made: Made, images: ImageSet, every_epoch: None
) -> None:
    experiment = made(epochs=4)
    whole, _ = trained(experiment, images)
    branch, _ = trained(experiment, images, Branch(whole.folder, 2))
    assert checkpoints.kept(branch.folder) == [2, 3, 4]
    for path in sorted(whole.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    for epoch, marks in ((2, [2]), (3, [2, 3])):
        again, events = trained(experiment, images, Branch(branch.folder, epoch))
        assert digest(again) == digest(branch)
        assert [event.epoch for event in events if isinstance(event, Branched)] == marks


def test_of_a_stopped_run_it_goes_on_from_the_last_whole_epoch(made: Made, images: ImageSet) -> None:
    whole, _ = trained(made(epochs=4), images)
    run = Run(made(epochs=4), images)
    events = run.events()
    for event in events:
        if isinstance(event, BatchTrained) and (event.epoch, event.iteration) == (3, 2):
            break
    events.close()
    branch = Branch(run.folder)
    assert branch.epoch == 2
    assert digest(trained(branch.recipe(), images, branch)[0]) == digest(whole)


def test_what_was_changed_while_the_run_went_on_is_in_the_recipe(made: Made, images: ImageSet) -> None:
    run = Run(made(epochs=3), images)
    for event in run.events():
        if isinstance(event, BatchTrained) and (event.epoch, event.iteration) == (1, 1):
            run.change("optimizer.lr", 0.01)
            run.change("training.epochs", 5)
    branch = Branch(run.folder, 2)
    recipe = branch.recipe()
    assert (recipe.optimizer.lr, recipe.training.epochs) == (0.01, 5)
    again, events = trained(recipe, images, branch)
    assert digest(again) == digest(run)
    assert [event.setting for event in events if isinstance(event, Changed)] == ["optimizer.lr", "training.epochs"]


def test_the_best_weights_of_before_are_kept_until_there_are_better_ones(made: Made, images: ImageSet) -> None:
    whole, events = trained(made(epochs=3, seed=4), images)
    worse = made(epochs=4).edited("optimizer.lr", 1e-9)
    measured = [event.validation_accuracy for event in events if isinstance(event, EpochEnded)]
    branch, _ = trained(worse, images, Branch(whole.folder, 3))
    assert branch.ending is not None
    assert branch.ending.best_epoch == measured.index(max(measured)) + 1
    best, before = (load_file(run.folder / "best.safetensors") for run in (branch, whole))
    assert all(torch.equal(best[key], before[key]) for key in before)


def test_stopped_before_its_first_batch_it_has_the_weights_it_began_with(made: Made, images: ImageSet) -> None:
    whole, _ = trained(made(epochs=2), images)
    run = Run(made(epochs=3), images, branch=Branch(whole.folder))
    events = run.events()
    next(events)
    assert run.replaying
    events.close()
    last, before = (load_file(one.folder / "last.safetensors") for one in (run, whole))
    assert all(torch.equal(last[key], before[key]) for key in before)
    assert isinstance(run.ending, RunEnded)
    assert run.ending.reason == "stopped"


def test_another_optimiser_begins_with_nothing_to_remember_and_that_is_said(made: Made, images: ImageSet) -> None:
    whole, _ = trained(made(epochs=2), images)
    other = made(epochs=3).edited("optimizer", OPTIMIZERS.make("Adam"))
    branch = Branch(whole.folder)
    (warning,) = branch.problems(other, images)
    assert warning.severity == "warning"
    assert warning.sentence.startswith("What SGD remembers of the run is left behind")
    run, _ = trained(other, images, branch)
    assert all(state["step"] == 3 for state in run.learner.optimizer.state.values())


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("SGD", {"momentum": 0.9}, {"momentum": 0.0}),
        ("SGD", {"momentum": 0.0}, {"momentum": 0.9}),
        ("Adam", {}, {"amsgrad": True}),
        ("RMSprop", {}, {"centered": True}),
        ("RMSprop", {}, {"momentum": 0.5}),
        ("LBFGS", {"lr": 0.01, "history_size": 3}, {"history_size": 9}),
    ],
)
def test_the_same_optimiser_that_remembers_other_things_begins_anew_too(
    made: Made, images: ImageSet, name: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    whole, _ = trained(made(epochs=2).edited("optimizer", OPTIMIZERS.make(name, **before)), images)
    other = made(epochs=3).edited("optimizer", OPTIMIZERS.make(name, **before | after))
    assert [problem.path for problem in Branch(whole.folder).problems(other, images)] == ["optimizer"]
    trained(other, images, Branch(whole.folder))


@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("SGD", {"lr": 0.2, "weight_decay": 1e-4, "momentum": 0.5, "nesterov": True}),
        ("AdamW", {"weight_decay": 0.0, "betas": (0.8, 0.99)}),
    ],
)
def test_other_rates_decays_and_parts_keep_what_is_remembered(
    made: Made, images: ImageSet, name: str, after: dict[str, Any]
) -> None:
    start = {"momentum": 0.9} if name == "SGD" else {}
    whole, _ = trained(made(epochs=2).edited("optimizer", OPTIMIZERS.make(name, **start)), images)
    other = made(epochs=3).edited("optimizer", OPTIMIZERS.make(name, **start | after))
    assert Branch(whole.folder).problems(other, images) == []
    run = Run(other, images, branch=Branch(whole.folder))
    kept, there = run.learner.optimizer.state_dict()["state"], whole.learner.optimizer.state_dict()["state"]
    assert kept.keys() == there.keys()
    for number, state in there.items():
        assert state
        assert all(torch.equal(torch.as_tensor(state[key]), torch.as_tensor(kept[number][key])) for key in state)
    list(run.events())


@pytest.mark.parametrize(
    "scheduler",
    [SCHEDULERS.make("OneCycleLR", max_lr=0.1), SCHEDULERS.make("CosineAnnealingLR", eta_min=0.01)],
    ids=lambda one: one.name_of(),
)
def test_a_rate_that_was_changed_under_a_schedule_goes_on_under_it(
    made: Made, images: ImageSet, scheduler: Any
) -> None:
    run = Run(made(epochs=5).edited("schedulers", (scheduler,)), images)
    for event in run.events():
        if isinstance(event, BatchTrained) and (event.epoch, event.iteration) == (1, 1):
            run.change("optimizer.lr", 0.02)
    first = Branch(run.folder, 2)
    branch, _ = trained(first.recipe(), images, first)
    again, _ = trained(first.recipe(), images, Branch(branch.folder, 3))
    assert digest(branch) == digest(again) == digest(run)


def test_the_precision_that_was_measured_is_not_measured_again(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = made(epochs=3, precision="auto")
    monkeypatch.setattr(precision, "measured", lambda *_: precision.Choice("bfloat16", "it was faster"))
    whole, _ = trained(experiment, images)
    monkeypatch.setattr(precision, "measured", lambda *_: precision.Choice("float32", "it was faster"))
    branch, events = trained(experiment, images, Branch(whole.folder, 1))
    assert digest(branch) == digest(whole)
    assert isinstance(events[0], RunStarted)
    assert events[0].precision == "bfloat16"
    assert "as it was measured for the run that this one branched from" in events[0].why


def test_without_the_average_the_best_weights_are_still_those_that_were_validated(made: Made, images: ImageSet) -> None:
    whole, events = trained(made(epochs=3, ema_decay=0.5), images)
    best = max(event.epoch for event in events if isinstance(event, EpochEnded) and event.best)
    branch = Branch(whole.folder, best)
    plain = made(epochs=4).edited("optimizer.lr", 1e-9)
    assert [one.sentence for one in branch.problems(plain, images)] == ["The average of the weights is left behind."]
    run = Run(plain, images, branch=branch)
    ours, there = load_file(run.folder / "best.safetensors"), branch.checkpoint()
    assert all(torch.equal(ours[key], there.averaged[f"module.{key}"]) for key in there.network)
    assert not all(torch.equal(ours[key], there.network[key]) for key in there.network)


def test_patience_that_is_used_up_is_told_with_what_to_do(made: Made, images: ImageSet) -> None:
    experiment = made(epochs=9, patience=1).edited("optimizer.lr", 1e-9)
    whole, _ = trained(experiment, images)
    assert whole.ending is not None
    assert whole.ending.reason == "patience"
    branch = Branch(whole.folder)
    (problem,) = branch.problems(experiment, images)
    assert problem.sentence == "The patience of 1 is used up: no epoch of the last 1 was better."
    assert [repair.value for repair in problem.repairs] == [2, 0]
    for repair in problem.repairs:
        assert branch.problems(experiment.edited(repair.path, repair.value), images) == []


def test_another_split_is_told(made: Made, images: ImageSet) -> None:
    whole, _ = trained(made(epochs=2), images)
    other = made(epochs=3).edited("dataset.split_seed", 9)
    (warning,) = Branch(whole.folder).problems(other, opened(other.dataset))
    assert (warning.path, warning.severity) == ("dataset", "warning")
    assert "the network may have been trained on some of them" in warning.sentence


def test_with_another_loss_a_schedule_that_follows_it_begins_anew(made: Made, images: ImageSet) -> None:
    plateau = SCHEDULERS.make("ReduceLROnPlateau", patience=0, factor=0.1, threshold=0.5)
    experiment = made(epochs=4).edited("schedulers", (plateau,))
    whole, _ = trained(experiment, images)
    assert whole.learner.schedule.factor < 1
    other = made(epochs=5).edited("schedulers", (plateau,)).edited("loss.label_smoothing", 0.5)
    assert [problem.path for problem in Branch(whole.folder).problems(other, images)] == ["loss"]
    assert Run(other, images, branch=Branch(whole.folder)).learner.schedule.factor == 1


def test_each_epoch_that_is_kept_is_in_the_record_by_then(made: Made, images: ImageSet, every_epoch: None) -> None:
    run = Run(made(epochs=3), images)
    for event in run.events():
        if isinstance(event, EpochEnded):
            assert checkpoints.kept(run.folder)[-1] == event.epoch
            Branch(run.folder).check()


def test_stopped_while_it_says_what_the_other_run_said_its_record_is_whole(made: Made, images: ImageSet) -> None:
    whole, _ = trained(made(epochs=3), images)
    run = Run(made(epochs=4), images, branch=Branch(whole.folder, 3))
    events = run.events()
    for event in events:
        if isinstance(event, BatchTrained):
            break
    events.close()
    assert run.ending is not None
    assert (run.ending.epoch, run.ending.iteration, run.ending.reason) == (3, 3, "stopped")
    straight, _ = trained(made(epochs=4), images, Branch(whole.folder, 3))
    again, _ = trained(made(epochs=4), images, Branch(run.folder, 3))
    assert digest(again) == digest(straight)


def test_weights_of_a_step_that_was_begun_are_not_kept_as_those_of_the_epoch_before(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_MOST", 1)
    monkeypatch.setattr(checkpoints, "_SECONDS_BETWEEN", math.inf)
    step = training._Stepper.step

    def interrupted(self: Any, *given: Any) -> Any:
        stepped = step(self, *given)
        if given[2] == 4:
            raise KeyboardInterrupt
        return stepped

    monkeypatch.setattr(training._Stepper, "step", interrupted)
    run = Run(made(epochs=9), images)
    with pytest.raises(KeyboardInterrupt):
        list(run.events())
    assert checkpoints.kept(run.folder) == [2]


def test_a_record_whose_last_line_has_no_end_is_taken_over_whole(made: Made, images: ImageSet) -> None:
    whole, _ = trained(made(epochs=2), images)
    log = whole.folder / "metrics.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    last = max(place for place, line in enumerate(lines) if "epoch_ended" in line)
    log.write_text("".join(lines[: last + 1]).rstrip("\n"))
    branch, events = trained(made(epochs=3), images, Branch(whole.folder))
    assert len(recorded(branch)) == len([event for event in events if type(event).__name__ != "Measuring"])


@pytest.mark.parametrize(
    ("path", "value", "at", "sentence", "repairs"),
    [
        ("model", MODELS.make("LeNet5"), "model", "The network is another one", ["Use its MNISTNet"]),
        ("training.epochs", 2, "training.epochs", "The plan is 2 epochs, and 2 are over", ["Train 10 more"]),
        ("training.batch_size", 16, "training.batch_size", "An epoch has 5 iterations; in the run it had 3.",
         ["Use batches of 32"]),
        ("transforms", (TRANSFORMS.make("Resize", size=14), TRANSFORMS.make("ToTensor")), "transforms",
         "Pictures of 1x14x14 reach the network; in the run they were 1x12x12.", ["Use its transforms"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_with_a_repair_that_mends_it(
    made: Made, images: ImageSet, path: str, value: Any, at: str, sentence: str, repairs: list[str]
) -> None:
    whole, _ = trained(made(epochs=2), images)
    branch, edited = Branch(whole.folder), made(epochs=3).edited(path, value)
    (problem,) = branch.problems(edited, images)
    assert (problem.path, problem.severity) == (at, "error")
    assert problem.sentence.startswith(sentence)
    assert [repair.label for repair in problem.repairs] == repairs
    with pytest.raises(InvalidExperiment, match="This branch has a problem"):
        Run(edited, images, branch=branch)
    mended = edited.edited(problem.repairs[0].path, problem.repairs[0].value)
    assert branch.problems(mended, images) == []


def test_pictures_of_other_classes_do_not_fit(made: Made, images: ImageSet) -> None:
    whole, _ = trained(made(epochs=2), images)
    renamed = replace(opened(made().dataset), classes=("a", "b", "c", "d"))
    (problem,) = Branch(whole.folder).problems(made(epochs=3), renamed)
    assert (problem.path, problem.repairs[0].value) == ("dataset", made().dataset)


def test_a_run_of_which_no_epoch_has_ended_cannot_be_branched(made: Made, images: ImageSet, tmp_path: Path) -> None:
    run = Run(made(), images)
    events = run.events()
    for event in events:
        if isinstance(event, BatchTrained):
            break
    events.close()
    for folder in (run.folder, tmp_path / "nowhere"):
        with pytest.raises(StoreError, match="There is nothing to begin from"):
            Branch(folder)


def test_an_epoch_that_is_not_kept_is_answered_with_those_that_are(made: Made, images: ImageSet) -> None:
    whole, _ = trained(made(epochs=2), images)
    with pytest.raises(StoreError, match=r"Epoch 7 of .* is not kept\. Choose one of these: 1, 2\."):
        Branch(whole.folder, 7)


@pytest.mark.parametrize("damage", ["empty", "no tensors", "other tensors", "other version"])
def test_a_damaged_checkpoint_is_told(made: Made, images: ImageSet, damage: str) -> None:
    whole, _ = trained(made(epochs=2), images)
    file, branch = whole.folder / "epochs" / "0002.safetensors", Branch(whole.folder)
    content = {
        "empty": b"",
        "no tensors": b"no tensors",
        "other tensors": (whole.folder / "last.safetensors").read_bytes(),
        "other version": file.read_bytes().replace(b'version\\": 1', b'version\\": 9'),
    }[damage]
    assert content != file.read_bytes()
    file.write_bytes(content)
    with pytest.raises(StoreError, match=r"0002\.safetensors is not there, damaged, or of another version"):
        Run(made(epochs=3), images, branch=branch)


@pytest.mark.parametrize("left", ["nothing", "some lines", "a torn line"])
def test_a_record_that_ends_too_early_is_told_and_makes_no_run(made: Made, images: ImageSet, left: str) -> None:
    whole, _ = trained(made(epochs=2), images)
    log = whole.folder / "metrics.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    log.write_text("".join({"nothing": [], "some lines": lines[:5], "a torn line": [*lines[:2], lines[2][:20]]}[left]))
    with pytest.raises(StoreError, match=r"cannot be read up to epoch 2\. Begin after an earlier epoch"):
        Run(made(epochs=3), images, branch=Branch(whole.folder, 2))
    assert len(list(whole.folder.parent.iterdir())) == 1


def test_a_line_of_the_record_that_says_nothing_ends_the_branch_with_its_sentence(made: Made, images: ImageSet) -> None:
    whole, _ = trained(made(epochs=2), images)
    log = whole.folder / "metrics.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    log.write_text("".join([*lines[:2], '{"event": "applauded"}\n', *lines[2:]]))
    run = Run(made(epochs=3), images, branch=Branch(whole.folder, 2))
    with pytest.raises(StoreError, match="cannot be read up to epoch 2"):
        list(run.events())
    assert run.ending is not None
    assert run.ending.reason == "failed"


def test_of_a_long_run_epochs_are_kept_that_span_it(
    made: Made, images: ImageSet, every_epoch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_MOST", 4)
    run, _ = trained(made(epochs=11), images)
    assert checkpoints.kept(run.folder) == [4, 8, 11]


def test_of_quick_epochs_only_those_are_written_that_stay_and_the_last(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_MOST", 3)
    monkeypatch.setattr(checkpoints, "_SECONDS_BETWEEN", math.inf)
    written = []
    write = checkpoints.Keeper._write

    def noted(self: checkpoints.Keeper, checkpoint: checkpoints.Checkpoint) -> int:
        written.append(checkpoint.facts.standing.epoch)
        return write(self, checkpoint)

    monkeypatch.setattr(checkpoints.Keeper, "_write", noted)
    run, _ = trained(made(epochs=9), images)
    assert written == [1, 2, 3, 4, 6, 8, 9]
    assert checkpoints.kept(run.folder) == [4, 8, 9]


def test_large_ones_are_kept_as_few_as_there_is_room_for(
    made: Made, images: ImageSet, every_epoch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_MOST_BYTES", 10)
    run, _ = trained(made(epochs=5), images)
    assert checkpoints.kept(run.folder) == [2, 4, 5]
