"""Losses are torch's, of a batch to the bit and of each picture; and they say what the network has to end in."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from gui_lab.core.learning import LOSSES, MODELS, Loss
from gui_lab.errors import InvalidExperiment

CLASSES = 5
COUNTS = (10, 40, 20, 5, 25)
BALANCED = (2.0, 0.5, 1.0, 4.0, 0.8)
OWN = (0.3, 1.0, 2.5, 0.1, 7.0)
ENTRY = pytest.mark.parametrize("entry", list(LOSSES), ids=lambda entry: entry.name_of())


def batch(loss: Loss, count: int = 33, mixed: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """What leaves a network that fits the loss, and labels."""
    drawn = torch.Generator().manual_seed(count)
    outputs = 3 * torch.randn(count, CLASSES, generator=drawn)
    labels = torch.randint(CLASSES, (count,), generator=drawn)
    if loss.name_of() == "NLLLoss":
        outputs = outputs.log_softmax(1)
    if mixed:
        part = torch.rand(count, 1, generator=drawn)
        one_hot = functional.one_hot(labels, CLASSES).float()
        return outputs, part * one_hot + (1 - part) * one_hot.flip(0)
    return outputs, labels


def values(*names: str) -> list[dict[str, Any]]:
    """Each loss with its fields at their defaults and off them, with and without weights."""
    weights: list[Any] = [{}, {"weight": "balanced"}, {"weight": OWN}]
    others: dict[str, list[dict[str, Any]]] = {
        "CrossEntropyLoss": [{}, {"label_smoothing": 0.2}],
        "NLLLoss": [{}],
        "MultiMarginLoss": [{}, {"p": 2, "margin": 0.5}],
    }
    found = [{"name": name, **weight, **other} for name in others for weight in weights for other in others[name]]
    found += [{"name": "BCEWithLogitsLoss", "pos_weight": weight} for weight in (None, "balanced", OWN)]
    return [one for one in found if not names or one["name"] in names]


def made(chosen: dict[str, Any]) -> Loss:
    return LOSSES.make(**chosen)


def theirs(chosen: dict[str, Any], reduction: str) -> nn.Module:
    """torch's own module with the same fields."""
    given = {name: value for name, value in chosen.items() if name != "name"}
    if given.get("weight"):
        given["weight"] = torch.tensor(BALANCED if given["weight"] == "balanced" else given["weight"])
    if given.get("pos_weight"):
        against = [(100 - count) / count for count in COUNTS]
        given["pos_weight"] = torch.tensor(against if given["pos_weight"] == "balanced" else given["pos_weight"])
    return getattr(nn, chosen["name"])(**given, reduction=reduction)


@pytest.mark.parametrize("chosen", values(), ids=str)
@pytest.mark.parametrize("count", [1, 33])
def test_the_loss_of_a_batch_is_torchs_to_the_bit(chosen: dict[str, Any], count: int) -> None:
    loss = made(chosen)
    outputs, labels = batch(loss, count)
    taken = functional.one_hot(labels, CLASSES).float() if chosen["name"] == "BCEWithLogitsLoss" else labels
    expected = theirs(chosen, "mean")(outputs, taken)
    assert torch.equal(loss.build(COUNTS, "mean")(outputs, labels), expected)


@pytest.mark.parametrize("chosen", values(), ids=str)
def test_the_loss_of_each_picture_is_torchs(chosen: dict[str, Any]) -> None:
    loss = made(chosen)
    outputs, labels = batch(loss)
    found = loss.build(COUNTS, "none")(outputs, labels)
    assert found.shape == (33,)
    assert found.dtype == torch.float32
    if chosen["name"] == "BCEWithLogitsLoss":
        answers = theirs(chosen, "none")(outputs, functional.one_hot(labels, CLASSES).float())
        assert torch.equal(found, answers.mean(1))
    else:
        assert torch.equal(found, theirs(chosen, "none")(outputs, labels))


@pytest.mark.parametrize("chosen", values(), ids=str)
def test_gradients_reach_the_scores(chosen: dict[str, Any]) -> None:
    loss = made(chosen)
    outputs, labels = batch(loss)
    loss.build(COUNTS, "mean")(outputs.requires_grad_(), labels).backward()
    assert outputs.grad is not None
    assert outputs.grad.abs().sum() > 0


@pytest.mark.parametrize("chosen", values("CrossEntropyLoss", "BCEWithLogitsLoss"), ids=str)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_mixed_labels_are_what_torch_makes_of_probabilities(chosen: dict[str, Any], reduction: Any) -> None:
    loss = made(chosen)
    outputs, labels = batch(loss, mixed=True)
    expected = theirs(chosen, reduction)(outputs, labels)
    if expected.dim() == 2:
        expected = expected.mean(1)
    assert torch.equal(loss.build(COUNTS, reduction)(outputs, labels), expected)


@pytest.mark.parametrize("weight", [None, "balanced", OWN])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_log_softmax_and_nll_are_cross_entropy_of_mixed_labels_too(weight: Any, reduction: Any) -> None:
    nll, cross = LOSSES.make("NLLLoss", weight=weight), LOSSES.make("CrossEntropyLoss", weight=weight)
    scores, labels = batch(cross, mixed=True)
    found = nll.build(COUNTS, reduction)(scores.log_softmax(1), labels)
    assert torch.allclose(found, cross.build(COUNTS, reduction)(scores, labels), rtol=1e-5)


def test_balanced_classes_weigh_the_same_in_all() -> None:
    loss = LOSSES.make("CrossEntropyLoss", weight="balanced").build(COUNTS, "none")
    labels = torch.arange(CLASSES).repeat_interleave(torch.tensor(COUNTS))
    losses = loss(torch.zeros(100, CLASSES), labels)
    sums = torch.stack([losses[labels == label].sum() for label in range(CLASSES)])
    assert torch.allclose(sums, sums[:1])
    assert losses.sum() / 100 == pytest.approx(math.log(CLASSES), rel=1e-5)


@pytest.mark.parametrize("name", ["CrossEntropyLoss", "BCEWithLogitsLoss"])
def test_a_class_without_training_pictures_is_no_infinite_weight(name: str) -> None:
    field = "pos_weight" if name == "BCEWithLogitsLoss" else "weight"
    loss = LOSSES.make(name, **{field: "balanced"}).build((3, 0, 2), "mean")
    assert math.isfinite(loss(torch.ones(2, 3), torch.tensor([1, 0])))


@ENTRY
def test_a_loss_moves_to_a_device_with_its_weights(entry: type[Loss]) -> None:
    field = "pos_weight" if entry.name_of() == "BCEWithLogitsLoss" else "weight"
    built = entry(**{field: OWN}).build(COUNTS, "mean")
    assert isinstance(built, nn.Module)
    built.to("meta")
    assert built(torch.zeros(2, CLASSES, device="meta"), torch.zeros(2, dtype=torch.long, device="meta")).is_meta


@pytest.mark.parametrize("weight", [(0.0, 1.0), (-1.0, 2.0), "rare", 3.0])
def test_weights_are_positive_numbers_or_balanced(weight: Any) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        LOSSES.make("CrossEntropyLoss", weight=weight)
    assert [problem.path for problem in caught.value.problems] == ["weight"]


# what the network ends in


SCORES, LOG_SOFTMAX, SOFTMAX = (MODELS.make("MLP", ends_in=ending) for ending in ("scores", "LogSoftmax", "Softmax"))
FITTING = {"NLLLoss": LOG_SOFTMAX}


@ENTRY
def test_a_loss_finds_nothing_wrong_with_the_ending_it_is_made_for(entry: type[Loss]) -> None:
    assert entry().problems(FITTING.get(entry.name_of(), SCORES), mixed=False, classes=10) == []


@ENTRY
def test_every_other_ending_is_told_where_it_is_chosen_and_mended(entry: type[Loss]) -> None:
    for model in (SCORES, LOG_SOFTMAX, SOFTMAX):
        if model == FITTING.get(entry.name_of(), SCORES):
            continue
        (problem,) = entry().problems(model, mixed=False, classes=10)
        assert problem.repairs
        for repair in problem.repairs:
            mended, loss = model, entry()
            if repair.path == "model.ends_in":
                mended = model.changed(ends_in=repair.value)
            else:
                assert repair.path == "loss"
                loss = repair.value
            assert loss.problems(mended, mixed=False, classes=10) == []
        refused = entry.name_of() == "NLLLoss"
        assert (problem.path, problem.severity) == (("loss", "error") if refused else ("model.ends_in", "warning"))


@pytest.mark.parametrize(("classes", "floor"), [(10, "1.46"), (2, "0.31")])
def test_the_floor_of_a_second_softmax_is_told_and_true(classes: int, floor: str) -> None:
    cross = LOSSES.make("CrossEntropyLoss")
    (problem,) = cross.problems(SOFTMAX, mixed=False, classes=classes)
    assert floor in problem.sentence
    certain = functional.one_hot(torch.tensor([1]), classes).float()
    assert f"{cross.build((1,) * classes, 'mean')(certain, torch.tensor([1])):.2f}" == floor


def test_a_second_log_softmax_changes_nothing_as_it_is_told() -> None:
    loss = LOSSES.make("CrossEntropyLoss")
    outputs, labels = batch(loss)
    built = loss.build(COUNTS, "mean")
    assert built(outputs.log_softmax(1), labels) == pytest.approx(float(built(outputs, labels)), rel=1e-5)


def test_a_margin_needs_one_class_for_each_picture() -> None:
    (problem,) = LOSSES.make("MultiMarginLoss").problems(SCORES, mixed=True, classes=10)
    assert (problem.path, problem.severity) == ("loss", "error")
    (repair,) = problem.repairs
    assert repair.value.problems(SCORES, mixed=True, classes=10) == []


@ENTRY
def test_there_are_as_many_weights_as_classes(entry: type[Loss]) -> None:
    field = "pos_weight" if entry.name_of() == "BCEWithLogitsLoss" else "weight"
    loss, model = entry(**{field: OWN}), FITTING.get(entry.name_of(), SCORES)
    assert loss.problems(model, mixed=False, classes=5) == []
    (problem,) = loss.problems(model, mixed=False, classes=10)
    assert (problem.path, problem.severity) == (f"loss.{field}", "error")
    for repair in problem.repairs:
        assert repair.path == problem.path
        assert loss.changed(**{field: repair.value}).problems(model, mixed=False, classes=10) == []
