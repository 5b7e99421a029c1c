"""Each bug is real and can be seen, its twin is healthy, and the quiz tells nothing before it is answered."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from gui_lab.catalog.concepts.bug_gallery import BugGallery
from gui_lab.core.bugs import BUGS, MOMENTS, NAMES, erased
from gui_lab.core.concepts import NOTHING, Scene
from gui_lab.core.exhibits import Plot, Question, Table
from gui_lab.core.twins import Moment

LAST = MOMENTS - 1


def told(name: str) -> tuple[list[Moment], list[Moment]]:
    """All moments of both."""
    moments = BugGallery(bug=name)._moments(LAST)
    healthy, buggy = zip(*moments, strict=True)
    return list(healthy), list(buggy)


def accuracy(moments: list[Moment]) -> float:
    """Of the last few moments."""
    return float(np.mean([moment.accuracy for moment in moments[-6:]]))


def same_training(healthy: list[Moment], buggy: list[Moment]) -> bool:
    return [one.loss for one in healthy] == [one.loss for one in buggy]


SEEN: dict[str, Callable[[list[Moment], list[Moment]], bool]] = {
    "no zero_grad": lambda healthy, buggy: buggy[-1].loss > 20 and min(one.loss for one in buggy) < 2.2,
    "no eval() at validation": lambda healthy, buggy: (
        same_training(healthy, buggy) and accuracy(buggy) < accuracy(healthy) - 0.06
    ),
    "shuffled labels": lambda healthy, buggy: buggy[-1].loss > 2.2 and accuracy(buggy) < 0.2,
    "softmax before the loss": lambda healthy, buggy: (
        min(one.loss for one in buggy) > 1.4612 and accuracy(buggy) < accuracy(healthy) - 0.2
    ),
    "argmax over wrong axis": lambda healthy, buggy: same_training(healthy, buggy) and accuracy(buggy) < 0.25,
    "Normalize twice": lambda healthy, buggy: buggy[-1].loss > 5 * healthy[-1].loss and accuracy(buggy) < 0.85,
    "augmenting validation": lambda healthy, buggy: (
        same_training(healthy, buggy) and accuracy(buggy) < accuracy(healthy) - 0.06
    ),
    "train/test leak": lambda healthy, buggy: accuracy(buggy) > 0.95 and accuracy(healthy) < 0.9,
    "learning rate x100": lambda healthy, buggy: (
        max(one.loss for one in buggy[:3]) > 2.5 and min(one.loss for one in buggy[3:]) > 2.2
    ),
    "sorted data, no shuffle": lambda healthy, buggy: (
        accuracy(buggy) < 0.3 and min(one.loss for one in buggy) < 0.5 and max(one.loss for one in buggy) > 4
    ),
    "frozen layer": lambda healthy, buggy: 0.3 < accuracy(buggy) < accuracy(healthy) - 0.1,
    "integer-divided pixels": lambda healthy, buggy: 0.3 < accuracy(buggy) < accuracy(healthy) - 0.1,
}


@pytest.mark.parametrize("name", NAMES)
def test_each_bug_is_seen_in_the_curves_and_its_twin_is_healthy(name: str) -> None:
    healthy, buggy = told(name)
    assert len(healthy) == MOMENTS
    assert SEEN[name](healthy, buggy), (healthy[-1], buggy[-1])
    assert accuracy(healthy) > (0.8 if name in ("train/test leak", "augmenting validation") else 0.89)
    assert healthy[-1].loss < 0.8


@pytest.mark.parametrize("name", NAMES)
def test_its_code_with_both_lines_comes_to_the_numbers_on_screen(name: str) -> None:
    step = 3
    scene = BugGallery(bug=name).scene(step, NOTHING)
    names: dict[str, float] = {}
    exec(BugGallery(bug=name).code(step, NOTHING), names)
    for fact in ("healthy_loss", "healthy_accuracy", "buggy_loss", "buggy_accuracy"):
        assert names[fact] == pytest.approx(scene.facts[fact], rel=1e-4, abs=1e-6), fact


@pytest.mark.parametrize("name", NAMES)
def test_the_two_lines_on_the_page_are_those_of_the_code(name: str) -> None:
    concept = BugGallery(bug=name)
    table = concept.scene(0, NOTHING).rows[-1][0]
    assert isinstance(table, Table)
    assert table.caption
    written = concept.code(0, NOTHING)
    for _, line in table.rows:
        assert str(line) in written


def test_the_first_moment_of_the_healthy_twin_is_what_torch_says() -> None:
    """The same network, weights and batch, by hand."""
    from gui_lab.core.concepts import fresh
    from gui_lab.core.twins import samples

    data = samples(None)
    network = fresh(lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), 3)
    batch = torch.randperm(len(data.labels), generator=torch.Generator().manual_seed(3))[:32]
    loss = functional.cross_entropy(network(data.pictures[batch]), data.labels[batch])
    loss.backward()
    torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9).step()
    scores = network(data.held[:350])
    right = (scores.argmax(1) == data.held_labels[:350]).float().mean()
    facts = BugGallery(seed=3).scene(0, NOTHING).facts
    assert facts["healthy_loss"] == facts["buggy_loss"] == pytest.approx(loss.item(), rel=1e-6)
    assert facts["healthy_accuracy"] == pytest.approx(right.item(), abs=1e-6)


def test_erasing_takes_a_square_out_of_each_picture_and_leaves_the_batch_as_it_was() -> None:
    pictures = torch.ones(20, 1, 8, 8)
    holed = erased(pictures, 4)
    assert (pictures == 1).all()
    for picture in holed:
        rows, columns = torch.nonzero(picture[0] == 0, as_tuple=True)
        assert len(rows) == 16
        assert rows.max() - rows.min() == columns.max() - columns.min() == 3
    assert len(torch.unique(holed.flatten(1), dim=0)) > 1
    assert torch.equal(holed, erased(pictures, 4))


def test_the_floor_of_a_second_softmax_is_drawn_where_it_is() -> None:
    plot = BugGallery(bug="softmax before the loss").scene(0, NOTHING).rows[0][0]
    assert isinstance(plot, Plot)
    floor = functional.cross_entropy(torch.eye(10)[:1], torch.tensor([0]))
    assert plot.marks[-1].at == pytest.approx(floor.item(), rel=1e-6)
    assert "1.4612" in plot.marks[-1].words


# ---------------------------------------------------------------- the quiz


def question(scene: Scene) -> Question:
    return next(one for row in scene.rows for one in row if isinstance(one, Question))


@pytest.mark.parametrize("number", [1, 3, 12])
def test_a_question_tells_nothing_before_it_is_answered(number: int) -> None:
    concept = BugGallery(mode="find", round=number)
    scene = concept.scene(0, NOTHING)
    name = concept._bug().name
    asked = question(scene)
    assert name in asked.choices.values()
    assert len(set(asked.choices.values())) == len(asked.choices) == 6
    assert len({BUGS[other].look for other in asked.choices.values()}) == 6
    assert "bug" not in scene.facts
    assert not scene.facts["answered"]
    assert name not in scene.says
    assert not any(isinstance(one, Table) for row in scene.rows for one in row)
    assert BUGS[name].written not in concept.code(0, NOTHING)
    plots = [one for one in scene.rows[0] if isinstance(one, Plot)]
    assert [len(plot.lines[0].x) for plot in plots] == [MOMENTS, MOMENTS]


def test_an_answer_is_judged_and_explained_at_once() -> None:
    concept = BugGallery(mode="find", round=2)
    asked = question(concept.scene(0, NOTHING))
    name = concept._bug().name
    for value, offered in asked.choices.items():
        scene = concept.changed(answer=value).scene(0, NOTHING)
        assert scene.facts["bug"] == name
        assert scene.facts["answered"] is True
        assert scene.facts["right"] is (offered == name)
        judged = question(scene)
        assert judged.verdict == ("right" if offered == name else "wrong")
        assert judged.answer == value
        assert name in judged.remark
        assert BUGS[name].seen in judged.remark


def test_another_round_is_another_question_and_twelve_have_all_bugs() -> None:
    concept = BugGallery(mode="find", round=1)
    value = next(iter(question(concept.scene(0, NOTHING)).choices))
    answered = concept.changed(answer=value)
    assert answered.scene(0, NOTHING).facts["answered"] is True
    assert answered.changed(round=2).scene(0, NOTHING).facts["answered"] is False
    assert {concept.changed(round=number)._bug().name for number in range(1, 13)} == set(NAMES)


def test_an_answer_that_was_never_offered_is_none() -> None:
    assert BugGallery(mode="find", answer="1: gremlins").scene(0, NOTHING).facts["answered"] is False
