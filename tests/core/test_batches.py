"""Batches made together: to the bit what each would be alone, and no more of them than is good."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from gui_lab.core import batches
from gui_lab.core.batches import Batches, together
from gui_lab.core.dice import Indices
from gui_lab.core.events import BatchTrained
from gui_lab.core.experiment import Experiment
from gui_lab.core.images import ImageSet, Picture
from gui_lab.core.learner import Learner
from gui_lab.core.pipeline import TRANSFORMS
from gui_lab.core.training import train, weights_sha256
from gui_lab.core.trust import Code
from gui_lab.errors import DataError

Made = Callable[..., Experiment]
NORMALIZE = ("Normalize", {"mean": (0.3,), "std": (0.2,)})


def chained(made: Experiment, *steps: Any) -> Experiment:
    named = [(step, {}) if isinstance(step, str) else step for step in steps]
    return made.edited("transforms", tuple(TRANSFORMS.make(name, **values) for name, values in named))


class Asked:
    """Pictures that tell how many were asked for at a time."""

    def __init__(self, images: ImageSet) -> None:
        self._images = images
        self.kind = images.kind
        self.counts: list[int] = []
        self.by: set[int] = set()

    def __len__(self) -> int:
        return len(self._images.pictures)

    def take(self, indices: Indices) -> Picture | list[Picture]:
        self.counts.append(len(indices))
        self.by.add(threading.get_ident())
        return self._images.pictures.take(indices)


def on_disk(images: ImageSet) -> tuple[ImageSet, Asked]:
    """The same pictures as if they had to be read."""
    asked = Asked(images)
    return ImageSet(asked, images.labels, images.classes, images.train, images.validation, images.test), asked


@pytest.mark.parametrize(
    "steps",
    [
        ("ToTensor",),
        ("ToTensor", NORMALIZE),
        (("RandomCrop", {"size": 12, "padding": 2}), ("RandomRotation", {"degrees": 20}), "ToTensor", NORMALIZE),
        (("Resize", {"size": 14}), "RandomHorizontalFlip", "ToTensor", NORMALIZE),
        (("RandomCrop", {"size": 12, "padding": 1}), ("GaussianBlur", {"kernel_size": 3}), "ToTensor"),
        ("ToTensor", "CutMix"),
    ],
)
@pytest.mark.parametrize("balanced", [False, True])
def test_each_is_to_the_bit_what_it_is_alone(
    made: Made, images: ImageSet, steps: tuple[Any, ...], balanced: bool
) -> None:
    experiment = chained(made(batch_size=7, balanced=balanced), *steps)
    learner, alone = Learner(experiment, images), Learner(experiment, images)
    for epoch in (1, 2):
        made_together, order = Batches(learner, epoch), alone.order(epoch)
        assert len(made_together) == 12
        for number in range(12):
            pictures, labels = made_together.take(number)
            part = order[7 * number : 7 * number + 7]
            other_pictures, other_labels = alone.batch(part, epoch, training=True)
            assert torch.equal(pictures, other_pictures)
            assert torch.equal(labels, other_labels)


def test_who_begins_in_the_middle_of_an_epoch_meets_the_same_batches(made: Made, images: ImageSet) -> None:
    learner = Learner(chained(made(batch_size=7), "RandomHorizontalFlip", "ToTensor"), images)
    through, from_there = Batches(learner, 1), Batches(learner, 1)
    expected = [through.take(number) for number in range(12)]
    for number in (5, 6, 11, 0):
        assert all(torch.equal(*pair) for pair in zip(from_there.take(number), expected[number], strict=True))


def test_no_more_are_made_together_than_pictures_and_bytes_allow(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = Learner(chained(made(batch_size=8), "ToTensor"), images)
    assert together(learner) == batches.PICTURES // 8
    monkeypatch.setattr(batches, "PICTURES", 50)
    assert together(learner) == 6
    monkeypatch.setattr(batches, "BYTES", 3 * 8 * 144 * 4)
    assert together(learner) == 3
    monkeypatch.setattr(batches, "BYTES", 1)
    assert together(learner) == 1


@pytest.mark.parametrize(
    "steps", [(("GaussianBlur", {"kernel_size": 3}), "RandomHorizontalFlip", "ToTensor"), ("ToTensor", "MixUp")]
)
def test_where_pictures_are_not_apart_batches_are_made_one_by_one(
    made: Made, images: ImageSet, steps: tuple[Any, ...]
) -> None:
    experiment = chained(made(batch_size=8), ("RandomCrop", {"size": 12, "padding": 1}), *steps)
    assert together(Learner(experiment, images)) == 1


def test_pictures_are_read_for_one_batch_at_a_time(made: Made, images: ImageSet) -> None:
    """Until all are kept; then they are made together."""
    read, asked = on_disk(images)
    learner = Learner(chained(made(batch_size=8), "RandomHorizontalFlip", "ToTensor"), read)
    for epoch in (1, 2):
        ready = Batches(learner, epoch)
        for number in range(len(ready)):
            ready.take(number)
    assert asked.counts == [8] * 10
    assert together(learner) > 1


def test_pictures_that_are_not_kept_are_read_for_one_batch_at_a_time(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui_lab.core.front.bound", lambda: 0)
    read, asked = on_disk(images)
    with closing(Batches(Learner(chained(made(batch_size=8), "RandomHorizontalFlip", "ToTensor"), read), 1)) as ready:
        for number in range(len(ready)):
            ready.take(number)
    assert asked.counts == [8] * 10


def test_a_run_learns_the_same_weights_however_many_are_made_together(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Learner(made(batch_size=16), images), Learner(made(batch_size=16), images)
    assert together(first) > 1
    trained = [event.loss for event in train(first) if isinstance(event, BatchTrained)]
    monkeypatch.setattr(batches, "PICTURES", 1)
    assert together(second) == 1
    np.testing.assert_array_equal(trained, [event.loss for event in train(second) if isinstance(event, BatchTrained)])
    assert weights_sha256(first.model) == weights_sha256(second.model)


# the next ones while these are trained


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little time it takes, on a machine with a processor to spare."""
    monkeypatch.setattr(batches, "WORTH_SECONDS", -1.0)
    monkeypatch.setattr("gui_lab.core.machine.spare", lambda device, threads: True)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("size", [7, 16, 80])
@pytest.mark.parametrize("last", ["Normalize", "CutMix"])
def test_those_made_ahead_are_the_same_to_the_bit(made: Made, images: ImageSet, size: int, last: str) -> None:
    experiment = chained(made(batch_size=size), ("RandomRotation", {"degrees": 20}), "ToTensor", last)
    read, asked = on_disk(images)
    learner, alone = Learner(experiment, read), Learner(experiment, images)
    for epoch in (1, 2):
        order = alone.order(epoch)
        with closing(Batches(learner, epoch)) as ready:
            for number in range(len(ready)):
                part = order[size * number : size * (number + 1)]
                pairs = zip(ready.take(number), alone.batch(part, epoch, training=True), strict=True)
                assert all(torch.equal(*pair) for pair in pairs)
    assert len(asked.by - {threading.get_ident()}) == (size < 80)  # of a single batch there is no next one


@pytest.mark.usefixtures("always")
def test_who_leaps_and_looks_meanwhile_gets_what_belongs_there(made: Made, images: ImageSet) -> None:
    learner, alone = Learner(made(batch_size=8), images), Learner(made(batch_size=8), images)
    order = alone.order(1)
    with closing(Batches(learner, 1)) as ready:
        for number in (0, 9, 3, 3, 4, 0, 8):
            part = order[8 * number : 8 * number + 8]
            expected, _ = alone.batch(part, 1, training=True)
            assert torch.equal(ready.take(number)[0], expected)
            assert torch.equal(learner.batch(part, 1, training=True)[0], expected)


def test_two_threads_make_no_batch_at_the_same_time(made: Made, images: ImageSet) -> None:
    """What a chain and its kept pictures work on is theirs while a batch is made."""
    learner = Learner(made(batch_size=8), images)
    together, met, run = threading.Barrier(2), [], learner.chain.run

    def watched(*given: Any, **named: Any) -> Any:
        try:
            together.wait(0.2)
            met.append(threading.get_ident())
        except threading.BrokenBarrierError:  # the other one never came
            together.reset()
        return run(*given, **named)

    learner.chain = SimpleNamespace(run=watched, labels=learner.chain.labels)  # type: ignore[assignment]  # stands in
    makers = [threading.Thread(target=learner.batch, args=(images.train[:8], 1, True)) for _ in range(2)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert not met


@pytest.mark.usefixtures("always")
def test_a_picture_that_cannot_be_read_is_told_when_its_batch_is_wanted(made: Made, images: ImageSet) -> None:
    read, asked = on_disk(images)
    learner = Learner(made(batch_size=8), read)
    with closing(Batches(learner, 1)) as ready:
        ready.take(0)
        assert ready._coming is not None
        ready._coming[1].result()
        asked.take = lambda indices: (_ for _ in ()).throw(DataError("It is gone.", "Look for it."))  # type: ignore[method-assign]
        ready.take(1)  # it was made by then
        with pytest.raises(DataError, match="gone"):
            ready.take(2)


@pytest.mark.usefixtures("always")
def test_once_closed_nothing_is_made_any_more(made: Made, images: ImageSet) -> None:
    before = threading.active_count()
    ready = Batches(Learner(made(batch_size=8), on_disk(images)[0]), 1)
    ready.take(0)
    assert threading.active_count() == before + 1
    ready.close()
    assert threading.active_count() == before


def test_where_it_takes_no_time_or_there_is_no_processor_for_it_nothing_is_made_ahead(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ((batches, 60.0), (None, 0.0)):
        monkeypatch.setattr(batches, "WORTH_SECONDS", value)
        monkeypatch.setattr("gui_lab.core.machine._processors", lambda name=name: 2 if name else 1)
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        read, asked = on_disk(images)
        with closing(Batches(Learner(made(batch_size=8), read), 1)) as ready:
            for number in range(len(ready)):
                ready.take(number)
        assert asked.by == {threading.get_ident()}


@pytest.mark.usefixtures("always")
def test_a_persons_own_code_stays_on_the_thread_that_trains(
    made: Made, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = Learner(made(batch_size=8), images)
    assert batches.ahead(learner)
    monkeypatch.setattr(Experiment, "code", lambda self: [Code("its own", "lambda picture: picture")])
    assert not batches.ahead(learner)
