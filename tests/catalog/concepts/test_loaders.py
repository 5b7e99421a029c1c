"""Epoch, batch size and iterations: the numbers are those of a DataLoader, the batches those of the run."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from gui_lab.core.concepts import CONCEPTS, NOTHING, Concept, Own, Scene
from gui_lab.core.exhibits import Claims, Conveyor, Facts, Plot, Question
from gui_lab.core.experiment import default
from gui_lab.core.images import opened
from gui_lab.core.learner import Learner

EXPERIMENT = default()
IMAGES = opened(EXPERIMENT.dataset)
OWN = Own(EXPERIMENT, IMAGES)


def loaders(**values: object) -> Concept:
    return CONCEPTS.make("Loaders", **values)


def shown(scene: Scene, kind: type) -> object:
    return next(exhibit for row in scene.rows for exhibit in row if isinstance(exhibit, kind))


def conveyor(scene: Scene) -> Conveyor:
    found = shown(scene, Conveyor)
    assert isinstance(found, Conveyor)
    return found


@settings(max_examples=25, deadline=None)
@given(
    samples=st.integers(1, 3000), size=st.integers(1, 400), shuffle=st.booleans(), drop_last=st.booleans(),
    step=st.integers(0, 5000),
)  # fmt: skip
def test_every_number_is_that_of_a_data_loader(
    samples: int, size: int, shuffle: bool, drop_last: bool, step: int
) -> None:
    concept = loaders(samples=samples, batch_size=size, shuffle=shuffle, drop_last=drop_last)
    scene = concept.scene(step, OWN)
    batches = [len(batch) for batch in DataLoader(range(samples), size, drop_last=drop_last).batch_sampler]
    facts = scene.facts
    assert facts["samples"] == samples
    assert facts["batch_size"] == size
    assert facts["iterations"] == len(batches)
    assert facts["last_batch"] == (batches[-1] if batches else 0)
    assert facts["left_out"] == samples - sum(batches)
    belt = conveyor(scene)
    assert [len(belt.batches[place]) for place in range(len(batches))] == batches
    assert sum(len(batch) for batch in belt.batches) == samples
    if batches:
        current = belt.batches[int(facts["batch"]) - 1]
        assert facts["batch"] == min(step, len(batches) - 1) + 1 == belt.current + 1
        assert facts["classes_in_batch"] == len({tile.label for tile in current} - {-1})
    claims = shown(scene, Claims)
    assert isinstance(claims, Claims)
    assert all(claim.holds for claim in claims.claims)


def test_sixty_thousand_in_batches_of_128_are_469_iterations() -> None:
    scene = loaders(samples=60_000, batch_size=128).scene(468, NOTHING)
    assert scene.facts["iterations"] == scene.steps == math.ceil(60_000 / 128) == 469
    assert scene.facts["last_batch"] == 96
    facts = shown(scene, Facts)
    assert isinstance(facts, Facts)
    assert ("ceil(60,000 / 128)", "469") in [(fact.filled_in, fact.value) for fact in facts.facts]
    assert all(tile.picture is None and tile.label == -1 for tile in conveyor(scene).batches[468])


def test_followed_during_a_run_the_batch_is_the_one_that_the_run_trains_on() -> None:
    chosen = EXPERIMENT.edited("training.batch_size", 48).edited("training.seed", 11)
    learner = Learner(chosen, IMAGES)
    for epoch, iteration in ((1, 1), (2, 17), (3, 30)):
        scene = loaders(follow=True).scene(0, Own(chosen, IMAGES, place=(epoch, iteration)))
        belt = conveyor(scene)
        trained = learner.order(epoch)[(iteration - 1) * 48 : iteration * 48]
        assert [tile.index for tile in belt.batches[belt.current]] == trained.tolist()
        assert scene.facts["batch"] == iteration
        assert "is training on" in scene.says


def test_followed_without_a_run_it_shows_the_own_settings_step_by_step() -> None:
    chosen = EXPERIMENT.edited("training.batch_size", 48)
    scene = loaders(follow=True, batch_size=7).scene(4, Own(chosen, IMAGES))
    assert scene.facts["batch_size"] == 48
    assert scene.facts["batch"] == 5
    assert "Press Train" in scene.says


def test_sorted_without_shuffle_a_batch_has_few_classes_and_shuffled_many() -> None:
    sorted_one = loaders(shuffle=False, sorted_by_class=True)
    belt = conveyor(sorted_one.scene(0, OWN))
    labels = [tile.label for batch in belt.batches for tile in batch]
    assert labels == sorted(labels)
    assert sorted_one.scene(0, OWN).facts["classes_in_batch"] == 1
    assert loaders(sorted_by_class=True).scene(0, OWN).facts["classes_in_batch"] == 10


def test_the_tiles_are_the_persons_pictures() -> None:
    belt = conveyor(loaders(batch_size=5).scene(3, OWN))
    for tile in belt.batches[3]:
        assert tile.index in IMAGES.train
        assert tile.label == IMAGES.labels[tile.index]
        assert np.array_equal(tile.picture, IMAGES.picture(tile.index))


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("samples", [0, 1000, 60_000])
def test_the_question_takes_the_right_answer_and_no_other(samples: int, drop_last: bool) -> None:
    concept = loaders(samples=samples, drop_last=drop_last)
    count = samples or len(IMAGES.train)
    right = count // 100 if drop_last else math.ceil(count / 100)
    for answer, verdict in ((None, ""), (right, "right"), (right + 1, "wrong"), (-3, "wrong")):
        scene = concept.changed(answer=answer).scene(0, OWN)
        question = shown(scene, Question)
        assert isinstance(question, Question)
        assert question.verdict == verdict
        assert scene.facts["right"] == (verdict == "right")
        assert scene.facts["answered"] == (answer is not None)
        assert bool(question.remark) == (answer is not None)


def test_an_answer_is_forgotten_with_its_question() -> None:
    answered = loaders(batch_size=16).changed(answer=15)
    assert answered.scene(0, OWN).facts["right"]
    assert not answered.changed(batch_size=32).scene(0, OWN).facts["answered"]


def test_a_knob_that_is_turned_acts_whatever_was_switched_on() -> None:
    followed = loaders().changed(**CONCEPTS.get("Loaders").mine)
    assert followed.scene(0, OWN).facts["batch_size"] == EXPERIMENT.training.batch_size
    assert followed.changed(batch_size=9).scene(0, OWN).facts["batch_size"] == 9
    raced = loaders().changed(twin=True)
    assert "shuffled_loss" in raced.changed(batch_size=32).scene(0, OWN).facts
    assert raced.changed(drop_last=True).scene(0, OWN).facts["iterations"] == len(IMAGES.train) // 64
    assert "shuffled_loss" not in raced.changed(follow=True, twin=False).scene(0, OWN).facts


def test_without_one_full_batch_and_with_drop_last_there_is_no_iteration() -> None:
    scene = loaders(samples=10, batch_size=16, drop_last=True).scene(0, OWN)
    assert scene.facts["iterations"] == scene.facts["batch"] == 0
    assert conveyor(scene).current == -1
    assert "no iteration" in scene.says


def test_sorted_data_without_shuffle_is_learned_badly() -> None:
    scene = loaders(twin=True).scene(10**6, OWN)
    facts = scene.facts
    assert float(facts["shuffled_accuracy"]) > 0.9
    assert float(facts["sorted_accuracy"]) < 0.6
    plots = [exhibit for row in scene.rows for exhibit in row if isinstance(exhibit, Plot)]
    assert [plot.lines[0].y[-1] for plot in plots] == [facts["sorted_loss"], facts["sorted_accuracy"]]
    belt = conveyor(scene)
    labels = [tile.label for batch in belt.batches for tile in batch]
    assert labels == sorted(labels)
    assert belt.current == (int(facts["iteration"]) - 1) % len(belt.batches)
