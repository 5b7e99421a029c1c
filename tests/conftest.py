"""What every test stands on: a home of its own, so that nothing touches a person's files, and a filled catalogue."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from gui_lab import catalog

_HOMES = count()

# Networks this small are slower on several threads, above all where other test processes want the processors too.
os.environ.setdefault("OMP_NUM_THREADS", "1")
if "GUI_LAB_TEST_CUDA" not in os.environ:
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # weights are equal to the bit on the processor alone
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")  # the same examples each time: what passed once is not refused by chance


def pytest_collectstart() -> None:
    """The catalogue is filled before tests are collected: some are parametrised over what it holds. (Here, and not
    when this is imported: the process that only hands tests out to others collects none.)"""
    catalog.load()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stories first: they take longest, and at the end one process would wait for another to tell the last one."""
    items.sort(key=lambda item: "stories" not in item.path.parts)


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home folder for runs, data sets, preferences and logs. Few tests ask for it by name, so it is not the
    `tmp_path`, which costs a millisecond each."""
    folder = tmp_path_factory.getbasetemp() / "homes" / str(next(_HOMES))
    folder.mkdir(parents=True)
    monkeypatch.setenv("GUI_LAB_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pictures beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real pictures are not there: {folder}")
    return folder
