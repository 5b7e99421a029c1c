"""A data set that is learned in a moment, and an experiment on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from gui_lab.core.experiment import Experiment
from gui_lab.core.images import DATASETS, Dataset, ImageSet, InMemory, Opening, Progress, opened
from gui_lab.core.learning import LOSSES, MODELS, OPTIMIZERS, Training
from gui_lab.core.pipeline import TRANSFORMS

CLASSES = ("north-west", "north-east", "south-west", "south-east")


class Corners(Dataset):
    """Grey pictures of 12x12 with one bright corner; which one is the class."""

    def open(self, download: bool = False) -> Opening:
        yield Progress("Drawing", 0, 1)
        noise = np.random.default_rng(0)
        labels = np.arange(120, dtype=np.int64) % 4
        pixels = noise.integers(0, 120, (120, 1, 12, 12), dtype=np.uint8)
        for picture, label in zip(pixels, labels, strict=True):
            top, left = divmod(int(label), 2)
            picture[0, top * 8 : top * 8 + 4, left * 8 : left * 8 + 4] += 110
        test = np.arange(100, 120)
        return self.with_split(InMemory(pixels), labels, CLASSES, test=test)


@pytest.fixture(scope="session")
def images() -> ImageSet:
    """Its pictures: 80 to train on, 20 to measure with, 20 to test."""
    return opened(Corners())


Made = Callable[..., Experiment]


@pytest.fixture
def made() -> Iterator[Made]:
    """Makes an experiment on `images` whose random parts all draw: order, transforms and dropout."""
    DATASETS.add(Corners)

    def make(**training: Any) -> Experiment:
        return Experiment(
            dataset=Corners(),
            transforms=(
                TRANSFORMS.make("RandomCrop", size=12, padding=1),
                TRANSFORMS.make("RandomRotation", degrees=5),
                TRANSFORMS.make("ToTensor"),
                TRANSFORMS.make("Normalize"),
            ),
            model=MODELS.make("MNISTNet", channels=(3, 4), hidden=16),
            loss=LOSSES.make("CrossEntropyLoss"),
            optimizer=OPTIMIZERS.make("SGD", lr=0.05, momentum=0.9),
            schedulers=(),
            training=Training(**{"epochs": 2, "batch_size": 32, "device": "cpu", **training}),
        )

    yield make
    DATASETS.remove("Corners")
