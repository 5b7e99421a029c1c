"""What does not fit together is told before anything runs, at its field, and every repair mends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gui_lab.core.experiment import Experiment, default
from gui_lab.core.images import ImageSet
from gui_lab.core.learning import SCHEDULERS, Scheduler
from gui_lab.core.pairing import learning_problems
from gui_lab.schema import Problem

CLASSES, SAMPLES = 10, 6400  # a hundred batches of 64 an epoch


def problems(experiment: Experiment) -> list[Problem]:
    return learning_problems(
        experiment.model, experiment.loss, experiment.optimizer, experiment.schedulers, experiment.training,
        experiment.chain, classes=CLASSES, samples=SAMPLES,
    )  # fmt: skip


def edited(**edits: Any) -> Experiment:
    """The experiment that the lab opens with, with values put at paths (with _ for the dots)."""
    experiment = default()
    for path, value in edits.items():
        experiment = experiment.edited(path.replace("__", "."), value)
    return experiment


def scheduled(*schedulers: Scheduler, **edits: Any) -> Experiment:
    return edited(**edits).edited("schedulers", schedulers)


def made(name: str, **values: Any) -> Scheduler:
    return SCHEDULERS.make(name, **values)


def told(experiment: Experiment, path: str, severity: str, repairs: int) -> Problem:
    """The one problem of an experiment, of which so many repairs leave nothing."""
    (problem,) = problems(experiment)
    assert (problem.path, problem.severity) == (path, severity)
    assert len(problem.repairs) == repairs
    assert 10 < len(problem.sentence) <= 160
    for repair in problem.repairs:
        left = problems(experiment.edited(repair.path, repair.value))
        assert not left, repair.label
    return problem


def test_the_lab_opens_with_nothing_wrong() -> None:
    assert problems(default()) == []


def test_every_schedule_fits_as_it_is_first_added() -> None:
    """SGD, but for its own momentum: nothing is told of a run of twenty epochs."""
    for entry in SCHEDULERS:
        assert problems(scheduled(entry(), optimizer={"name": "SGD", "momentum": 0.9})) == [], entry.name_of()


# losses


@pytest.mark.parametrize(
    ("loss", "ends_in", "path", "severity", "repairs"),
    [
        ("CrossEntropyLoss", "Softmax", "model.ends_in", "warning", 1),
        ("CrossEntropyLoss", "LogSoftmax", "model.ends_in", "warning", 1),
        ("NLLLoss", "scores", "loss", "error", 2),
        ("NLLLoss", "Softmax", "loss", "error", 1),
        ("BCEWithLogitsLoss", "Softmax", "model.ends_in", "warning", 1),
        ("BCEWithLogitsLoss", "LogSoftmax", "model.ends_in", "warning", 1),
        ("MultiMarginLoss", "Softmax", "model.ends_in", "warning", 1),
        ("MultiMarginLoss", "LogSoftmax", "model.ends_in", "warning", 1),
    ],
)
def test_what_the_network_ends_in_fits_its_loss(
    loss: str, ends_in: str, path: str, severity: str, repairs: int
) -> None:
    told(edited(loss=loss, model__ends_in=ends_in), path, severity, repairs)


def test_a_margin_takes_no_mixed_labels() -> None:
    experiment = edited(loss="MultiMarginLoss")
    mixed = experiment.edited("transforms", (*experiment.transforms, {"name": "MixUp"}))
    told(mixed, "loss", "error", 1)


def test_there_are_as_many_weights_as_classes() -> None:
    assert "10 classes" in told(edited(loss__weight=(1.0, 2.0)), "loss.weight", "error", 2).sentence


def test_classes_are_not_balanced_twice() -> None:
    told(edited(loss__weight="balanced", training__balanced=True), "training.balanced", "warning", 2)


# optimisers


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("training__accumulate", 4),
        ("training__max_norm", 1.0),
        ("training__precision", "bfloat16"),
        ("training__precision", "auto"),
    ],
)
def test_a_closure_steps_with_whole_batches_and_plain_gradients(path: str, value: Any) -> None:
    lbfgs = {"name": "LBFGS", "line_search_fn": "strong_wolfe"}
    told(edited(optimizer=lbfgs, **{path: value}), path.replace("__", "."), "error", 2)
    assert problems(edited(**{path: value})) == []


def test_lbfgs_without_a_line_search_takes_all_pictures_at_once() -> None:
    told(edited(optimizer="LBFGS"), "optimizer.line_search_fn", "warning", 2)
    assert problems(edited(optimizer="LBFGS", training__batch_size=SAMPLES)) == []


def test_schedules_change_nothing_for_rprop() -> None:
    told(scheduled(made("StepLR"), optimizer="Rprop"), "schedulers", "warning", 1)


def test_climbing_is_hardly_meant() -> None:
    told(edited(optimizer__maximize=True), "optimizer.maximize", "warning", 1)


# schedules


def test_one_that_sets_the_learning_rate_stands_first() -> None:
    assert problems(scheduled(made("OneCycleLR"), made("ExponentialLR"))) == []
    told(scheduled(made("ExponentialLR"), made("OneCycleLR")), "schedulers.1", "error", 2)


def test_only_one_sets_the_learning_rate() -> None:
    told(scheduled(made("OneCycleLR"), made("OneCycleLR", max_lr=0.1)), "schedulers.1", "error", 1)


def test_only_one_follows_the_validation_loss() -> None:
    two = made("ReduceLROnPlateau"), made("ReduceLROnPlateau", patience=3)
    told(scheduled(*two), "schedulers.1", "error", 1)


@pytest.mark.parametrize("optimizer", ["Adadelta", "Adagrad", "ASGD", "LBFGS"])
def test_momentum_is_moved_only_where_there_is_some(optimizer: str) -> None:
    whole = {"training__batch_size": SAMPLES}
    told(scheduled(made("OneCycleLR"), optimizer=optimizer, **whole), "schedulers.0.cycle_momentum", "error", 1)


@pytest.mark.parametrize("optimizer", ["SGD", "RMSprop"])
def test_a_momentum_that_a_cycle_would_switch_on_is_told(optimizer: str) -> None:
    told(scheduled(made("OneCycleLR"), optimizer=optimizer), "schedulers.0.cycle_momentum", "warning", 2)
    assert problems(scheduled(made("OneCycleLR", cycle_momentum=False), optimizer=optimizer)) == []


def test_a_cycle_that_ends_before_the_run_is_told() -> None:
    told(scheduled(made("OneCycleLR", total_steps=500)), "schedulers.0.total_steps", "warning", 1)


@pytest.mark.parametrize("name", ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"])
def test_a_learning_rate_that_would_climb_is_told(name: str) -> None:
    told(scheduled(made(name, eta_min=0.1)), "schedulers.0.eta_min", "warning", 1)


@pytest.mark.parametrize(
    ("scheduler", "repairs"),
    [
        (made("StepLR", step_size=20), 2),
        (made("StepLR", gamma=1.0), 1),
        (made("MultiStepLR", milestones=(30, 40)), 2),
        (made("MultiStepLR", milestones=()), 2),
        (made("LinearLR", start_factor=1.0), 1),
    ],
    ids=str,
)
def test_a_schedule_that_changes_nothing_is_told(scheduler: Scheduler, repairs: int) -> None:
    told(scheduled(scheduler), "schedulers.0", "warning", repairs)


@pytest.mark.parametrize(
    ("scheduler", "repairs"),
    [
        (made("ExponentialLR", every="iteration"), 2),
        (made("PolynomialLR", total_iters=5), 2),
        (made("StepLR", step_size=1, gamma=0.01), 2),
        (made("LinearLR", end_factor=0.0), 1),
    ],
    ids=str,
)
def test_a_learning_rate_that_vanishes_is_told(scheduler: Scheduler, repairs: int) -> None:
    told(scheduled(scheduler), "schedulers.0", "warning", repairs)


def test_a_plateau_can_act_within_the_run() -> None:
    told(scheduled(made("ReduceLROnPlateau"), training__epochs=10), "schedulers.0.patience", "warning", 1)
    told(scheduled(made("ReduceLROnPlateau"), training__epochs=1), "schedulers.0.patience", "warning", 0)


def test_a_plateau_acts_before_the_run_is_stopped() -> None:
    told(scheduled(made("ReduceLROnPlateau", patience=5), training__patience=6), "schedulers.0.patience", "warning", 2)
    told(scheduled(made("ReduceLROnPlateau", patience=0), training__patience=1), "schedulers.0.patience", "warning", 1)
    assert problems(scheduled(made("ReduceLROnPlateau", patience=4), training__patience=6)) == []


def test_a_plateau_starts_above_its_least_learning_rate() -> None:
    told(scheduled(made("ReduceLROnPlateau", min_lr=1.0)), "schedulers.0.min_lr", "warning", 1)


# settings


@pytest.mark.parametrize(("epochs", "patience", "repairs"), [(20, 19, 2), (20, 1000, 2), (3, 2, 2), (2, 1, 1)])
def test_a_patience_that_never_ends_is_told(epochs: int, patience: int, repairs: int) -> None:
    told(edited(training__epochs=epochs, training__patience=patience), "training.patience", "warning", repairs)


def test_a_patience_that_can_stop_the_run_is_not_told() -> None:
    assert problems(edited(training__patience=18)) == []


def test_no_more_batches_are_added_up_than_an_epoch_has() -> None:
    told(edited(training__accumulate=101), "training.accumulate", "warning", 1)
    assert problems(edited(training__accumulate=100)) == []


@pytest.mark.parametrize(
    ("decay", "epochs", "repairs"), [(0.3, 20, 2), (0.9999, 20, 2), (0.999, 1, 2), (0.1, 1, 2), (0.49, 10_000, 2)]
)
def test_an_average_remembers_neither_too_little_nor_too_much(decay: float, epochs: int, repairs: int) -> None:
    told(edited(training__ema_decay=decay, training__epochs=epochs), "training.ema_decay", "warning", repairs)


def test_an_average_over_few_steps_can_only_be_left_out() -> None:
    experiment = edited(training__ema_decay=0.99, training__epochs=1, training__accumulate=10)
    told(experiment, "training.ema_decay", "warning", 1)


def test_an_average_of_usual_memory_is_not_told() -> None:
    assert problems(edited(training__ema_decay=0.99)) == []
    assert problems(edited(training__ema_decay=0.998)) == []


# all at once


def test_all_problems_are_told_at_once() -> None:
    experiment = scheduled(
        made("ExponentialLR"), made("OneCycleLR"), optimizer="LBFGS", loss="NLLLoss", training__accumulate=2,
        training__max_norm=1.0, training__patience=50,
    )  # fmt: skip
    assert {problem.path for problem in problems(experiment) if problem.severity == "error"} == {
        "loss", "training.accumulate", "training.max_norm", "schedulers.1", "schedulers.1.cycle_momentum",
    }  # fmt: skip


def test_an_experiment_tells_them_of_its_pictures(made: Callable[..., Experiment], images: ImageSet) -> None:
    experiment = made().edited("loss", "NLLLoss").edited("loss.weight", (1.0, 2.0))
    found = {problem.path: problem.sentence for problem in experiment.problems(images)}
    assert set(found) == {"loss", "loss.weight"}
    assert "4 classes" in found["loss.weight"]
