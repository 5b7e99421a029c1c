"""What a run shows of itself is what it is, and looking changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gui_lab.core.experiment import Experiment
from gui_lab.core.images import ImageSet
from gui_lab.core.learner import Learner
from gui_lab.core.looks import NO_LABEL, Probed
from gui_lab.core.own_picture import own_picture
from gui_lab.core.probing import Prober
from gui_lab.core.softmax import at_temperature
from gui_lab.core.training import train, weights_sha256

Made = Callable[..., Experiment]
PINNED = (100, 3, 57)


@pytest.fixture
def learner(made: Made, images: ImageSet) -> Learner:
    """In the middle of its first epoch."""
    return begun(made(), images)


def begun(experiment: Experiment, images: ImageSet) -> Learner:
    learner = Learner(experiment, images)
    for _ in islice(train(learner), 2):
        pass
    return learner


def look(learner: Learner) -> Probed:
    return Prober(learner).look(PINNED, 1, 2)


def prepared(images: ImageSet) -> torch.Tensor:
    """The pinned pictures as the chain without its random transforms leaves them."""
    return (torch.from_numpy(images.pictures.take(np.array(PINNED))) / 255 - 0.5) / 0.5


def test_a_probe_is_the_softmax_of_the_pictures_without_random_transforms(learner: Learner, images: ImageSet) -> None:
    probed = look(learner)
    plain = [transform for transform in learner.chain.transforms if not transform.random]
    assert [type(transform).__name__ for transform in plain] == ["ToTensor", "Normalize"]
    with torch.no_grad():
        scores = learner.model.eval()(prepared(images))
    np.testing.assert_allclose(probed.outputs, scores.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(probed.probabilities, torch.softmax(scores, 1).numpy(), rtol=1e-5)
    assert probed.probabilities.shape == (3, 4)
    assert probed.probabilities.dtype == np.float32
    np.testing.assert_allclose(probed.probabilities.sum(1), 1, rtol=1e-6)
    assert (probed.epoch, probed.iteration, probed.trained, probed.indices) == (1, 2, 2, PINNED)
    assert probed.labels.tolist() == images.labels[list(PINNED)].tolist()
    assert Prober(learner).look((3,), 2, 1).trained == 1 + 80 // 32 + 1  # three batches are an epoch


def test_the_pictures_are_those_that_the_network_gets_and_are_made_once(learner: Learner, images: ImageSet) -> None:
    prober = Prober(learner)
    probed = prober.look(PINNED, 1, 2)
    np.testing.assert_allclose(probed.pictures, prepared(images).numpy(), atol=1e-6)
    assert (probed.low, probed.high) == (-1, 1)
    assert prober.look(PINNED, 1, 3).pictures is probed.pictures
    fewer = prober.look(PINNED[:2], 1, 3)
    assert np.array_equal(fewer.pictures, probed.pictures[:2])


def test_the_steps_are_torchs_own_and_end_in_the_networks_probabilities(learner: Learner) -> None:
    probed = look(learner)
    steps, scores = probed.steps, torch.from_numpy(probed.outputs)
    assert np.array_equal(steps.scores, probed.outputs)
    assert np.array_equal(steps.minus_max, (scores - scores.max(1, keepdim=True).values).numpy())
    assert np.array_equal(steps.exps, torch.from_numpy(steps.minus_max).exp().numpy())
    assert np.array_equal(steps.probabilities, probed.probabilities)
    np.testing.assert_allclose(steps.exps / steps.sums[:, None], probed.probabilities, rtol=1e-6)
    for place, label in enumerate(probed.labels):
        assert steps.of(place).surprise(label) == pytest.approx(probed.nll[place], rel=1e-6)


def test_both_ways_to_the_loss_are_taken_by_torch(learner: Learner) -> None:
    probed = look(learner)
    scores, labels = torch.from_numpy(probed.outputs), torch.from_numpy(probed.labels)
    assert np.array_equal(probed.cross_entropy, nn.CrossEntropyLoss(reduction="none")(scores, labels).numpy())
    assert np.array_equal(probed.nll, nn.NLLLoss(reduction="none")(nn.LogSoftmax(1)(scores), labels).numpy())


def test_the_runs_own_loss_is_told_beside_them(made: Made, images: ImageSet) -> None:
    probed = look(begun(made().edited("loss.label_smoothing", 0.5), images))
    own = nn.CrossEntropyLoss(label_smoothing=0.5, reduction="none")
    expected = own(torch.from_numpy(probed.outputs), torch.from_numpy(probed.labels))
    np.testing.assert_allclose(probed.losses, expected.numpy(), rtol=1e-6)
    assert probed.loss == "CrossEntropyLoss"
    assert not np.allclose(probed.losses, probed.cross_entropy)


@pytest.mark.parametrize("ends_in", ["LogSoftmax", "Softmax"])
def test_what_leaves_a_network_that_ends_in_softmax_is_not_taken_for_scores(
    ends_in: str, made: Made, images: ImageSet
) -> None:
    probed = look(begun(made().edited("model.ends_in", ends_in), images))
    assert probed.ends_in == ends_in
    outputs = np.exp(probed.outputs) if ends_in == "LogSoftmax" else probed.outputs
    np.testing.assert_allclose(outputs, probed.probabilities, rtol=1e-6)
    np.testing.assert_allclose(probed.probabilities.sum(1), 1, rtol=1e-5)
    again = torch.from_numpy(probed.outputs).softmax(1).numpy()
    assert np.array_equal(probed.steps.probabilities, again)
    assert np.allclose(again, probed.probabilities, rtol=1e-5) == (ends_in == "LogSoftmax")


def test_the_network_that_is_validated_is_asked(made: Made, images: ImageSet) -> None:
    learner = begun(made(ema_decay=0.9), images)
    with torch.no_grad():
        learner.evaluated.eval()
        expected = learner.evaluated(prepared(images)).numpy()
    np.testing.assert_allclose(look(learner).outputs, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_a_probe_changes_neither_weights_nor_buffers_nor_mode_nor_the_generator(
    training: bool, made: Made, images: ImageSet
) -> None:
    learner = Learner(made(), images)
    learner.model.append(nn.BatchNorm1d(4))
    learner.model.train(training)
    before, generator = weights_sha256(learner.model), torch.get_rng_state()
    first, again = look(learner), look(learner)
    assert weights_sha256(learner.model) == before
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(module.training == training for module in learner.model.modules())
    assert np.array_equal(first.probabilities, again.probabilities)
    assert all(parameter.grad is None for parameter in learner.model.parameters())


def test_a_network_that_fails_is_left_in_the_mode_it_was_in(learner: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("no memory is left")

    learner.model.train()
    monkeypatch.setattr(learner, "outputs", fail)
    with pytest.raises(Exception, match="the pinned pictures"):
        look(learner)
    assert learner.model.training


def test_a_probe_of_nothing_is_empty(learner: Learner) -> None:
    probed = Prober(learner).look((), 1, 1)
    assert probed.probabilities.shape == probed.steps.exps.shape == (0, 4)
    assert probed.pictures.shape == (0, 1, 12, 12)
    assert all(len(getattr(probed, name)) == 0 for name in ("labels", "losses", "cross_entropy", "nll"))


def test_numbers_that_are_none_are_handed_on_as_none(learner: Learner) -> None:
    with torch.no_grad():
        next(learner.model.parameters()).fill_(float("nan"))
    probed = look(learner)
    assert np.isnan(probed.probabilities).all()
    assert np.isnan(probed.cross_entropy).all()


# a person's own pictures


def test_a_picture_from_a_file_goes_the_way_of_the_others(learner: Learner, images: ImageSet, tmp_path: Path) -> None:
    Image.fromarray(images.picture(57)[0]).save(tmp_path / "same.png")
    own = own_picture(tmp_path / "same.png", images)
    probed = Prober(learner).look((100, 57), 1, 2, (own,))
    assert probed.indices == (100, 57, own.index)
    assert own.index < 0
    assert np.array_equal(probed.pictures[2], probed.pictures[1])
    np.testing.assert_allclose(probed.probabilities[2], probed.probabilities[1], rtol=1e-5)
    assert probed.labels[2] == NO_LABEL
    for losses in (probed.cross_entropy, probed.nll, probed.losses):
        assert np.isfinite(losses).tolist() == [True, True, False]


def test_own_pictures_may_be_all_there_is_and_those_of_another_data_set_are_left_out(
    learner: Learner, images: ImageSet, tmp_path: Path
) -> None:
    Image.new("L", (12, 12), 90).save(tmp_path / "grey.png")
    fitting = own_picture(tmp_path / "grey.png", images)
    other = type(fitting)(-999, fitting.path, "x", np.zeros((3, 12, 12), np.uint8))
    probed = Prober(learner).look((), 1, 2, (other, fitting))
    assert probed.indices == (fitting.index,)
    assert probed.probabilities.shape == (1, 4)


# another temperature


def test_at_temperature_one_the_steps_are_those_of_torch(learner: Learner) -> None:
    probed = look(learner)
    again = at_temperature(probed.outputs, 1)
    for field in fields(again):
        np.testing.assert_allclose(getattr(again, field.name), getattr(probed.steps, field.name), rtol=1e-6)
        assert getattr(again, field.name).dtype == np.float32


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2, 10])
def test_a_temperature_divides_the_scores_before_exp(temperature: float) -> None:
    scores = np.array([[2.0, -1, 0.5], [900, -900, 0]], np.float32)
    expected = (torch.from_numpy(scores) / temperature).softmax(1).numpy()
    np.testing.assert_allclose(at_temperature(scores, temperature).probabilities, expected, rtol=1e-5, atol=1e-30)


def test_minus_log_p_is_exact_where_p_itself_is_zero_in_float32() -> None:
    steps = at_temperature(np.array([0, -200], np.float32), 1)
    assert steps.probabilities[1] == 0
    assert steps.surprise(1) == 200
    assert np.isnan(at_temperature(np.array([np.inf, 0], np.float32), 1).probabilities).any()
