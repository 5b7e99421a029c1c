"""What is kept of the front of a chain: the same pictures to the bit, read once, in bounded memory."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from gui_lab.core import front
from gui_lab.core.chain import Chain
from gui_lab.core.dice import Indices
from gui_lab.core.front import Front, Place, fronts, place, places
from gui_lab.core.images import ImageSet
from gui_lab.core.learner import Learner
from gui_lab.core.pipeline import TRANSFORMS, Kind
from gui_lab.core.training import train, weights_sha256
from gui_lab.errors import DataError

KIND = Kind.image(3, 20, 20)


def chain(*steps: str | tuple[str, dict[str, Any]]) -> Chain:
    return Chain([TRANSFORMS.make(s) if isinstance(s, str) else TRANSFORMS.make(s[0], **s[1]) for s in steps])


class OnDisk:
    """Pictures that are read one by one; `read` is how often each was."""

    def __init__(self, count: int, kind: Kind = KIND) -> None:
        self.kind, self.read, self.broken = kind, np.zeros(count, np.int64), -1
        self._pixels = np.random.default_rng(5).integers(0, 256, (count, *kind.shape), dtype=np.uint8)

    def __len__(self) -> int:
        return len(self.read)

    def take(self, indices: Indices) -> Any:
        if self.broken in indices:
            raise DataError("A picture is gone.", "Put it back.")
        np.add.at(self.read, indices, 1)
        return self._pixels[indices]


def image_set(pictures: Any) -> ImageSet:
    """Ten of twenty to train on, six to measure with, four to test."""
    order = np.random.default_rng(2).permutation(20)
    parts = [np.sort(order[:10]), np.sort(order[10:16]), np.sort(order[16:])]
    return ImageSet(pictures, np.arange(20) % 2, ("a", "b"), *parts)


LONG = chain(("Resize", {"size": 16}), ("CenterCrop", {"size": 14}), ("RandomCrop", {"size": 14, "padding": 2}),
             "ToTensor", ("Normalize", {"mean": (0.5,) * 3, "std": (0.5,) * 3}))  # fmt: skip


@pytest.mark.parametrize("most", [0, 10**4, 10**9])
def test_a_batch_is_the_same_with_and_without_it_in_every_epoch(most: int) -> None:
    images = image_set(OnDisk(20))
    for training, made in zip((True, False), fronts(LONG, images, most), strict=True):
        part = images.train if training else np.concatenate([images.validation, images.test])
        for epoch in (1, 2, 3):
            some = np.random.default_rng(epoch).permutation(part)[:7]
            how: dict[str, Any] = {"seed": 1, "epoch": epoch, "training": training}
            whole = LONG.run(torch.from_numpy(images.pictures.take(some)), some, **how)
            if made is not None:
                kept = made.take(some, "cpu")
                whole_again = LONG.run(kept, some, steps=slice(made.place.steps, None), **how)
                assert torch.equal(whole_again, whole)


def test_training_with_it_ends_with_the_same_weights(
    images: ImageSet, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = (TRANSFORMS.make("Resize", size=14), TRANSFORMS.make("CenterCrop", size=12))
    experiment = made()
    experiment = experiment.edited("transforms", (*early, *experiment.transforms))
    weights = []
    for most in (0, 10**9):
        monkeypatch.setattr(front, "bound", lambda most=most: most)
        learner = Learner(experiment, images)
        held = [there is not None for there in learner.fronts]
        assert held == [bool(most)] * 2
        list(train(learner))
        weights.append(weights_sha256(learner.model))
        for there in filter(None, learner.fronts):
            assert there.held == there.place.pictures
    assert weights[0] == weights[1]


def test_each_picture_is_read_once_however_many_epochs_there_are() -> None:
    pictures = OnDisk(20)
    images = image_set(pictures)
    trained, others = fronts(LONG, images, 10**9)
    assert trained is not None
    assert others is not None
    assert (trained.held, trained.bytes) == (0, 0)
    for _ in range(3):
        trained.take(images.train[:6], "cpu")
        trained.take(images.train[3:], "cpu")
    assert (pictures.read[images.train] == 1).all()
    assert pictures.read.sum() == 10
    assert (trained.held, trained.bytes) == (10, trained.place.bytes)
    others.take(images.test, "cpu")
    assert others.held == 4
    assert others.bytes == 4 * 3 * 14 * 14


def test_pictures_of_another_part_are_computed_and_not_kept() -> None:
    images = image_set(OnDisk(20))
    _, others = fronts(LONG, images, 10**9)
    assert others is not None
    mixed = np.concatenate([images.train[:2], images.validation[:1]])
    shown = others.take(mixed, "cpu")
    expected = LONG.run(
        torch.from_numpy(images.pictures.take(mixed)), mixed, seed=0, epoch=1, training=False, steps=slice(0, 2)
    )
    assert torch.equal(shown, expected)
    assert others.held == 0


def test_a_picture_that_cannot_be_read_is_an_error_each_time_and_leaves_nothing_behind() -> None:
    pictures = OnDisk(20)
    images = image_set(pictures)
    trained, _ = fronts(LONG, images, 10**9)
    assert trained is not None
    pictures.broken = int(images.train[4])
    for _ in range(2):
        with pytest.raises(DataError, match="gone"):
            trained.take(images.train, "cpu")
        assert trained.held == 0
    pictures.broken = -1
    assert len(trained.take(images.train, "cpu")) == 10


def test_pil_pictures_go_on_as_pil_pictures_after_it() -> None:
    pil = chain(
        "ToPILImage",
        ("Resize", {"size": 15}),
        ("RandomRotation", {"degrees": 40}),
        ("Resize", {"size": 12}),
        "ToTensor",
    )
    images = image_set(OnDisk(20))
    trained, _ = fronts(pil, images, 10**9)
    assert trained is not None
    assert trained.place.name == "Resize"
    how: dict[str, Any] = {"seed": 1, "epoch": 1, "training": True}
    whole = pil.run(torch.from_numpy(images.pictures.take(images.train)), images.train, **how)
    again = pil.run(trained.take(images.train, "cpu"), images.train, steps=slice(trained.place.steps, None), **how)
    assert torch.equal(again, whole)


# ---------------------------------------------------------------- where it is


def found(steps: Chain, kind: Kind = KIND, **how: Any) -> tuple[int, int] | None:
    """(position in the list, bytes) for a hundred pictures."""
    here = place(steps, kind, 100, **{"training": True, "read": False, "most": 10**9, **how})
    return None if here is None else (here.position, here.bytes)


def test_as_much_of_the_chain_as_fits_is_kept() -> None:
    growing = chain(("Resize", {"size": 10}), ("Resize", {"size": 8}), ("Resize", {"size": 40}), "RandomHorizontalFlip")
    assert found(growing) == (2, 100 * 3 * 40 * 40)
    assert found(growing, most=100 * 3 * 40 * 40 - 1) == (1, 100 * 3 * 8 * 8)
    assert found(growing, most=100 * 3 * 8 * 8 - 1) is None
    assert found(growing, most=100 * 3 * 8 * 8) == (1, 100 * 3 * 8 * 8)


def test_it_ends_before_the_first_draw_and_for_validation_at_the_end() -> None:
    steps = chain(("Resize", {"size": 10}), "RandomHorizontalFlip", ("CenterCrop", {"size": 6}), "ToTensor")
    assert found(steps) == (0, 100 * 3 * 10 * 10)
    assert found(steps, training=False) == (2, 100 * 3 * 6 * 6)


def test_what_merely_overwrites_is_done_anew_unless_something_follows_it() -> None:
    assert found(chain("ToTensor", ("Normalize", {"mean": (0.1,), "std": (0.1,)}))) is None
    assert found(chain(("Resize", {"size": 10}), "ToTensor")) == (0, 100 * 3 * 10 * 10)
    assert found(chain("ToTensor", ("Resize", {"size": 10}))) == (1, 100 * 3 * 10 * 10 * 4)


def test_pictures_on_disk_are_kept_as_they_came_where_nothing_else_can_be() -> None:
    assert found(chain("RandomHorizontalFlip"), read=True) == (-1, 100 * 3 * 20 * 20)
    assert found(chain("RandomHorizontalFlip")) is None
    assert found(chain("RandomHorizontalFlip"), read=True, most=10) is None


def test_pictures_of_several_sizes_are_kept_from_where_they_have_one() -> None:
    various = Kind.image(3, None, None, least=(30, 40))
    assert found(chain("RandomHorizontalFlip"), various, read=True) is None
    assert found(chain(("Resize", {"size": 12})), various, read=True) is None
    assert found(chain(("Resize", {"size": 12}), ("CenterCrop", {"size": 12})), various) == (1, 100 * 3 * 12 * 12)


def test_a_transform_that_is_switched_off_or_illegal_is_not_in_it() -> None:
    steps = chain(
        ("Resize", {"size": 10, "enabled": False}), ("CenterCrop", {"size": 6}), "Normalize", ("Resize", {"size": 4})
    )
    assert found(steps) == (1, 100 * 3 * 6 * 6)


def test_both_parts_together_stay_within_the_bound() -> None:
    images = image_set(OnDisk(20))
    each = 3 * 14 * 14
    trained, others = places(LONG, images, 20 * each)
    assert (trained and trained.pictures, others and others.pictures) == (10, 10)
    trained, others = places(LONG, images, 20 * each - 1)
    assert trained is not None
    assert others is None


def test_the_bound_is_a_part_of_the_memory() -> None:
    import psutil

    assert 0 < front.bound() <= min(4 << 30, psutil.virtual_memory().total / 4)


def test_it_is_told_in_words() -> None:
    assert Place(1, 0, "Resize", Kind.image(3, 32, 32), 12_000).words() == "12,000 pictures kept after Resize: 37 MB"
    assert Place(0, -1, "source", KIND, 1000).words() == "1,000 pictures kept as they were read: 2 MB"


def test_where_it_is_can_be_told_without_torch() -> None:
    code = (
        "import sys; from gui_lab import catalog; catalog.load()\n"
        "from gui_lab.core.chain import Chain; from gui_lab.core.front import bound, place\n"
        "from gui_lab.core.pipeline import TRANSFORMS, Kind\n"
        "steps = Chain([TRANSFORMS.make('Resize', size=8), TRANSFORMS.make('ToTensor')])\n"
        "print(place(steps, Kind.image(1, 28, 28), 1000, training=True, read=False, most=bound()).words())\n"
        "assert 'torch' not in sys.modules"
    )
    told = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    assert told.stdout.strip() == "1,000 pictures kept after Resize: 1 MB"


def test_a_front_holds_what_its_place_says() -> None:
    here = place(LONG, KIND, 10, training=True, read=True, most=10**9)
    assert here is not None
    images = image_set(OnDisk(20))
    made = Front(here, LONG, images.pictures, images.train, training=True)
    made.take(images.train, "cpu")
    assert made.bytes == here.bytes == 10 * 3 * 14 * 14
