"""The double softmax: its twins are torch's, and its floor is where torch puts it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from gui_lab.catalog.concepts.double_softmax import floor
from gui_lab.core.concepts import CONCEPTS, NOTHING, Own, Scene
from gui_lab.core.exhibits import Claims, Plot, Table
from gui_lab.core.images import ImageSet, InMemory

LAST = 80


def scene_at(step: int, own: Own = NOTHING, **values: Any) -> Scene:
    return CONCEPTS.make("DoubleSoftmax", **values).scene(step, own)


def exhibits(scene: Scene, kind: type) -> list[Any]:
    return [exhibit for row in scene.rows for exhibit in row if isinstance(exhibit, kind)]


@settings(max_examples=25, deadline=None)
@given(classes=st.integers(2, 12), seed=st.integers(0, 10**6), scale=st.floats(0.1, 100))
def test_no_probabilities_come_below_the_floor(classes: int, seed: int, scale: float) -> None:
    scores = torch.randn(classes, generator=torch.Generator().manual_seed(seed)) * scale
    loss = functional.cross_entropy(scores.softmax(0)[None], torch.tensor([seed % classes]))
    assert float(loss) >= floor(classes) - 1e-6
    certain = functional.one_hot(torch.tensor([1]), classes).float()
    assert floor(classes) == pytest.approx(float(functional.cross_entropy(certain, torch.tensor([1]))), abs=1e-6)


def test_the_floor_of_ten_classes() -> None:
    assert round(floor(10), 4) == 1.4612


def test_both_begin_at_the_loss_of_guessing_and_the_doubled_gradient_is_shorter() -> None:
    facts = scene_at(0).facts
    assert facts["iteration"] == 1
    assert facts["healthy_loss"] == pytest.approx(math.log(10), abs=0.1)
    assert facts["doubled_loss"] == pytest.approx(math.log(10), abs=0.02)
    assert float(facts["healthy_gradient"]) > 5 * float(facts["doubled_gradient"])


def test_the_healthy_one_learns_and_the_other_stays_above_its_floor() -> None:
    scene = scene_at(LAST)
    facts = {name: float(value) for name, value in scene.facts.items()}
    assert facts["iteration"] == 401
    assert facts["healthy_loss"] < 0.2
    assert facts["healthy_accuracy"] > 0.93
    assert facts["floor"] < facts["doubled_loss"] < 1.8
    (mark,) = exhibits(scene, Plot)[0].marks
    assert mark.at == pytest.approx(floor(10))
    assert f"{facts['doubled_loss']:.4f}" in scene.says


def test_what_is_drawn_is_what_is_told() -> None:
    scene = scene_at(30)
    losses, gradients, accuracies = exhibits(scene, Plot)
    (table,) = exhibits(scene, Table)
    for which, name in enumerate(("healthy", "doubled")):
        row = [scene.facts[f"{name}_{quantity}"] for quantity in ("loss", "gradient", "accuracy")]
        assert [plot.lines[which].y[-1] for plot in (losses, gradients, accuracies)] == pytest.approx(row)
        assert list(table.rows[which][1:]) == pytest.approx(row)
        assert losses.lines[which].x[-1] == scene.facts["iteration"] == 151


@pytest.mark.parametrize("classes", [2, 5, 12])
def test_its_claims_hold_for_the_classes_there_are(classes: int) -> None:
    generator = np.random.default_rng(classes)
    labels = np.arange(20 * classes) % classes
    pixels = generator.integers(0, 256, (len(labels), 1, 6, 6), dtype=np.uint8)
    everything = np.arange(len(labels))
    names = tuple(map(str, range(classes)))
    images = ImageSet(InMemory(pixels), labels, names, everything[::2], everything[1::2], everything[:0])
    scene = scene_at(0, Own(images=images))
    assert scene.facts["classes"] == classes
    assert "your pictures" in scene.says
    assert all(claim.holds for claim in exhibits(scene, Claims)[0].claims)
    assert exhibits(scene, Claims)[0].claims[1].ours == pytest.approx(1 / classes)


def test_a_later_step_is_the_same_whichever_way_one_comes_there() -> None:
    scene_at(10, seed=5)
    assert scene_at(3, seed=5).facts == scene_at(3, seed=5).facts
    assert scene_at(3, seed=5).facts != scene_at(3, seed=6).facts
