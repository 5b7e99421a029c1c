"""Every Qt test is watched: a thread, timer or window that it leaves behind fails it, not the next one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

import pytest

from gui_lab.core.experiment import Experiment, default
from gui_lab.core.images import ImageSet, opened


@pytest.fixture(autouse=True)
def no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    if "qapp" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("qapp")
    from gui_lab.testing.leaks import Watch

    watch = Watch()
    yield
    left = watch.left_behind()
    assert not left, f"left behind: {'; '.join(left)}"


@pytest.fixture(scope="session")
def qapp_cls() -> Any:
    from PySide6.QtWidgets import QApplication

    return QApplication


@pytest.fixture
def digits() -> ImageSet:
    return opened(default().dataset)


@pytest.fixture
def quick() -> Experiment:
    """A recipe that trains an epoch in a few milliseconds."""
    settings = {"model": "SoftmaxRegression", "training.epochs": 2, "training.batch_size": 128}
    return reduce(lambda experiment, path: experiment.edited(path, settings[path]), settings, default())
