"""A look at the batch shows what the network got, and the run does not notice it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from gui_lab.core.batch_view import MOST, BatchViewer
from gui_lab.core.batches import Batches
from gui_lab.core.events import BatchTrained
from gui_lab.core.experiment import Experiment
from gui_lab.core.images import ImageSet
from gui_lab.core.learner import Learner
from gui_lab.core.pipeline import TRANSFORMS
from gui_lab.core.training import train, weights_sha256

Made = Callable[..., Experiment]


def with_transform(experiment: Experiment, name: str) -> Experiment:
    return replace(experiment, transforms=(*experiment.transforms, TRANSFORMS.make(name)))


def network_gets(monkeypatch: pytest.MonkeyPatch) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Pictures and labels of every batch that is trained with from now on."""
    given, take = [], Batches.take

    def taken(batches: Batches, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        batch = take(batches, number)
        given.append(tuple(values.clone() for values in batch))
        return batch

    monkeypatch.setattr(Batches, "take", taken)
    return given


def test_the_pictures_are_those_that_the_network_was_trained_with(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = Learner(made(), images)
    given, viewer = network_gets(monkeypatch), BatchViewer(learner)
    for event in train(learner):
        if isinstance(event, BatchTrained):
            pictures, labels = given[-1]
            view = viewer.look(event.epoch, event.iteration)
            assert np.array_equal(view.pictures, pictures.numpy())
            assert np.array_equal(view.labels, labels.numpy())
            assert np.array_equal(view.labels, images.labels[view.indices])
            assert view.size == len(labels) == event.samples


def test_it_is_judged_by_the_network_as_it_is_now_without_dropout(made: Made, images: ImageSet) -> None:
    learner = Learner(made(), images)
    steps = train(learner)
    next(steps)
    view = BatchViewer(learner).look(1, 1)
    learner.model.eval()
    with torch.no_grad():
        outputs = learner.model(torch.from_numpy(view.pictures))
    labels = torch.from_numpy(view.labels)
    torch.testing.assert_close(torch.from_numpy(view.probabilities), outputs.softmax(1))
    losses = nn.CrossEntropyLoss(reduction="none")(outputs, labels)
    torch.testing.assert_close(torch.from_numpy(view.losses), losses)
    assert view.loss == pytest.approx(float(losses.mean()), rel=1e-5)
    assert view.right.tolist() == (outputs.argmax(1) == labels).tolist()
    assert view.of_true_class == pytest.approx(np.exp(-view.losses), rel=1e-4)
    steps.close()


def test_a_run_that_is_looked_at_ends_with_the_same_weights(made: Made, images: ImageSet) -> None:
    plain, watched = Learner(made(), images), Learner(made(), images)
    for _ in train(plain):
        pass
    viewer = BatchViewer(watched)
    for event in train(watched):
        if isinstance(event, BatchTrained):
            state, mode = torch.get_rng_state(), watched.model.training
            viewer.look(event.epoch, event.iteration)
            assert torch.equal(torch.get_rng_state(), state)
            assert watched.model.training is mode is True
    assert weights_sha256(watched.model) == weights_sha256(plain.model)


def test_of_a_large_batch_the_first_pictures_are_shown(made: Made, images: ImageSet) -> None:
    learner = Learner(made(batch_size=80), images)
    view = BatchViewer(learner).look(1, 1)
    assert view.size == 80
    assert view.indices.tolist() == learner.order(1)[:MOST].tolist()
    assert len(view.pictures) == len(view.labels) == len(view.probabilities) == len(view.losses) == MOST


def test_mixed_pictures_are_shown_as_they_were_mixed(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = Learner(with_transform(made(batch_size=80), "MixUp"), images)
    given = network_gets(monkeypatch)
    next(train(learner))
    pictures, labels = given[0]
    view = BatchViewer(learner).look(1, 1)
    assert np.array_equal(view.pictures, pictures[:MOST].numpy())
    assert view.shares is not None
    assert np.array_equal(view.shares, labels[:MOST].numpy())
    assert np.array_equal(view.labels, labels[:MOST].argmax(1).numpy())


def test_black_and_white_are_what_normalize_makes_of_them(made: Made, images: ImageSet) -> None:
    experiment = made()
    view = BatchViewer(Learner(experiment, images)).look(1, 1)
    normalize = experiment.transforms[-1]
    expected = [(value - normalize.mean[0]) / normalize.std[0] for value in (0, 1)]
    assert view.ends is not None
    assert view.ends.reshape(2).tolist() == pytest.approx(expected, rel=1e-5)
    assert view.low <= view.pictures.min() < view.pictures.max() <= view.high


def test_where_pixels_have_no_common_black_none_is_told(made: Made, images: ImageSet) -> None:
    experiment = made()
    padded = replace(experiment, transforms=(TRANSFORMS.make("Pad", padding=1), *experiment.transforms[2:]))
    assert BatchViewer(Learner(padded, images)).look(1, 1).ends is None
