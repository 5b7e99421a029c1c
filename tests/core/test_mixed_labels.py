"""Training on mixed pictures: probabilities as labels, as torch's cross-entropy takes them; nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.transforms import v2

from gui_lab.core.chain import Chain
from gui_lab.core.dice import seed_of
from gui_lab.core.events import BatchTrained, EpochEnded
from gui_lab.core.events import Tested as Examined
from gui_lab.core.experiment import Experiment
from gui_lab.core.images import ImageSet
from gui_lab.core.learner import Learner
from gui_lab.core.pipeline import TRANSFORMS
from gui_lab.core.training import measure, train, weights_sha256

Made = Callable[..., Experiment]
MIXES = pytest.mark.parametrize("mixes", [("CutMix",), ("MixUp",), ("MixUp", "CutMix")], ids="-".join)


def mixing(experiment: Experiment, *names: str, **values: Any) -> Experiment:
    added = tuple(TRANSFORMS.make(name, **values) for name in names)
    return replace(experiment, transforms=(*experiment.transforms, *added))


def mixed_by_torchvision(
    learner: Learner, indices: np.ndarray, epoch: int, mixes: tuple[str, ...]
) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch from the chain without its mixing, mixed by torchvision with the numbers that are drawn for it."""
    own = learner.chain
    first = len(own.transforms) - len(mixes)
    taken = torch.from_numpy(np.asarray(learner.images.pictures.take(indices)))
    pictures = Chain(own.transforms[:first]).run(taken, indices, seed=1, epoch=epoch, training=True)
    labels = torch.from_numpy(learner.images.labels[indices])
    for place, name in enumerate(mixes, first):
        drawn = own.transforms[place].draw(own._dice(place, indices, 1, epoch), tuple(pictures.shape[1:]))  # type: ignore[arg-type]
        params = {key: values[0].tolist() for key, values in drawn.items()}
        theirs = getattr(v2, name)(num_classes=4)
        theirs.make_params = lambda _, params=params: params
        pictures, labels = theirs(pictures, labels)
    return pictures, labels


@pytest.mark.parametrize("size", [32, 79], ids=["", "last batch of one"])
@MIXES
def test_every_number_is_that_of_a_plain_torch_loop(
    made: Made, images: ImageSet, mixes: tuple[str, ...], size: int
) -> None:
    experiment = mixing(made(seed=1, batch_size=size), *mixes)
    learner = Learner(experiment, images)
    events = list(train(learner))
    said = [(e.loss, e.correct) for e in events if isinstance(e, BatchTrained)]
    torch.manual_seed(seed_of(1, 0))
    model = experiment.model.build((1, 12, 12), 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    plain = []
    for epoch in (1, 2):
        order = learner.order(epoch)
        for iteration, start in enumerate(range(0, 80, size), 1):
            pictures, labels = mixed_by_torchvision(learner, order[start : start + size], epoch, mixes)
            torch.manual_seed(seed_of(1, epoch, iteration))
            model.train()
            optimizer.zero_grad()
            scores = model(pictures)
            loss = nn.CrossEntropyLoss()(scores, labels)
            loss.backward()
            optimizer.step()
            plain.append((loss.item(), int((scores.argmax(1) == labels.argmax(1)).sum())))
    assert said == plain
    assert weights_sha256(learner.model) == weights_sha256(model)


@MIXES
def test_the_loss_is_the_sum_over_both_labels_by_their_parts(
    made: Made, images: ImageSet, mixes: tuple[str, ...]
) -> None:
    learner = Learner(mixing(made(), *mixes), images)
    pictures, soft = learner.batch(learner.order(1)[:32], 1, training=True)
    assert soft.shape == (32, 4)
    assert soft.dtype == torch.float32
    torch.testing.assert_close(soft.sum(1), torch.ones(32))
    assert ((soft > 0).sum(1) > 1).any()
    scores = learner.model.eval()(pictures)
    by_hand = -(soft * scores.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(nn.functional.cross_entropy(scores, soft), by_hand)


def test_the_class_with_the_larger_part_is_the_right_one(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = Learner(mixing(made(), "MixUp"), images)
    _, soft = learner.batch(learner.order(1)[:32], 1, training=True)
    larger = nn.functional.one_hot(soft.argmax(1), 4).float()
    for scores, correct in ((larger, 32), (-larger, 0), (soft, 32)):
        monkeypatch.setattr(learner.model, "forward", lambda _, s=scores: s.clone().requires_grad_())
        first = next(train(learner))
        assert isinstance(first, BatchTrained)
        assert (first.correct, first.samples) == (correct, 32)


@MIXES
def test_validation_and_test_pictures_have_their_own_labels(
    made: Made, images: ImageSet, mixes: tuple[str, ...]
) -> None:
    learner, plain = Learner(mixing(made(), *mixes), images), Learner(made(), images)
    for indices in (images.validation, images.test):
        pictures, labels = learner.batch(indices, 1, training=False)
        unmixed, hard = plain.batch(indices, 1, training=False)
        assert torch.equal(pictures, unmixed)
        assert torch.equal(labels, hard)
    ends = [event for event in train(learner) if isinstance(event, (EpochEnded, Examined))]
    measured = measure(learner, images.validation), measure(learner, images.test)
    assert isinstance(ends[-2], EpochEnded)
    assert (ends[-2].validation_loss, ends[-2].validation_accuracy) == (measured[0].mean_loss, measured[0].accuracy)
    assert isinstance(ends[-1], Examined)
    assert (ends[-1].loss, ends[-1].accuracy) == (measured[1].mean_loss, measured[1].accuracy)


@MIXES
def test_the_weights_are_a_function_of_the_seed(made: Made, images: ImageSet, mixes: tuple[str, ...]) -> None:
    def trained(seed: int, disturbed: bool = False) -> str:
        learner = Learner(mixing(made(seed=seed), *mixes), images)
        for event in train(learner):
            if disturbed and isinstance(event, BatchTrained):
                torch.rand(7)
                learner.batch(learner.order(2)[10:20], 2, training=True)
                learner.batch(learner.order(1)[:3], 1, training=True)
        return weights_sha256(learner.model)

    assert trained(1) == trained(1, disturbed=True)
    assert trained(1) != trained(2)


def test_a_batch_is_the_same_whenever_it_is_asked_for(made: Made, images: ImageSet) -> None:
    experiment = mixing(made(batch_size=16), "CutMix", "MixUp")
    learner, other = Learner(experiment, images), Learner(experiment, images)
    batches = {
        start: learner.batch(learner.order(3)[start : start + 16], 3, training=True) for start in range(0, 80, 16)
    }
    for start in reversed(range(0, 80, 16)):
        pictures, labels = other.batch(other.order(3)[start : start + 16], 3, training=True)
        assert torch.equal(pictures, batches[start][0])
        assert torch.equal(labels, batches[start][1])
    assert len({tuple(labels.flatten().tolist()) for _, labels in batches.values()}) == 5


def test_stopping_and_going_on_is_no_other_run(made: Made, images: ImageSet) -> None:
    """One batch at a time, with a stop between any two, is what the whole run does."""
    whole, stepped = (Learner(mixing(made(), "MixUp"), images) for _ in range(2))
    events = train(stepped)
    for _ in islice(train(whole), 2):
        pass
    next(events)
    measure(stepped, images.test)
    next(events)
    assert weights_sha256(whole.model) == weights_sha256(stepped.model)


@MIXES
def test_a_network_learns_from_mixed_pictures(made: Made, images: ImageSet, mixes: tuple[str, ...]) -> None:
    calm = replace(
        made(epochs=30, batch_size=16), transforms=(TRANSFORMS.make("ToTensor"), TRANSFORMS.make("Normalize"))
    )
    learner = Learner(mixing(calm, *mixes), images)
    ended = [event for event in train(learner) if isinstance(event, EpochEnded)]
    assert ended[0].validation_accuracy < 0.5
    assert ended[-1].validation_accuracy > 0.9
    assert ended[-1].loss > ended[-1].validation_loss + 0.2  # mixtures are harder than what is measured
