"""The table of a run holds every value with all its digits, and is written whole or not at all."""

from __future__ import annotations

import csv

import pytest

from gui_lab.core import history_table
from gui_lab.core.events import BatchTrained, Changed, EpochEnded, Paused, RunStarted
from gui_lab.core.history import History
from gui_lab.core.history_table import HEADER, Table
from gui_lab.errors import StoreError

NAN = float("nan")


@pytest.fixture
def history() -> History:
    """Two epochs of three iterations, the second not ended."""
    made = History()
    made.apply(RunStarted("", "cpu", 1, 2, 3, 64, 192, 50, 10))
    made.apply(Paused(0, 0))
    for at in range(1, 6):
        norm = NAN if at == 2 else 1 / at
        made.apply(BatchTrained(1 + at // 4, 1 + (at - 1) % 3, 2.3 / at, 30, 64, at / 3, lr=0.1, gradient_norm=norm))
        if at == 3:
            made.apply(EpochEnded(1, 1.1, 0.5, 1.2, 0.45, True, 1.5))
            made.apply(Changed(1, 3, "optimizer.lr", 0.1, 0.01))
            made.apply(Paused(1, 3))
    return made


def read(path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_iteration_has_a_row_with_all_digits_and_what_was_not_measured_is_empty(history, tmp_path):
    path = tmp_path / "run.csv"
    assert Table.of(history).write(path)
    rows = read(path)
    assert tuple(rows[0]) == HEADER
    assert [row["iteration"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert [row["epoch"] for row in rows] == ["1", "1", "1", "2", "2"]
    assert [float(row["loss"]) for row in rows] == list(history.loss.values)
    assert [float(row["seconds"]) for row in rows] == list(history.seconds.values)
    assert [float(row["learning_rate"]) for row in rows] == [0.1] * 5
    assert [row["gradient_norm"] for row in rows] == ["1.0", "", repr(1 / 3), "0.25", "0.2"]


def test_what_is_measured_once_an_epoch_stands_where_the_epoch_ended(history, tmp_path):
    path = tmp_path / "run.csv"
    Table.of(history).write(path)
    for at, row in enumerate(read(path), 1):
        measured = [row["training_loss"], row["training_accuracy"], row["validation_loss"], row["validation_accuracy"]]
        assert measured == (["1.1", "0.5", "1.2", "0.45"] if at == 3 else [""] * 4)
        assert row["remeasured_loss"] == ""


def test_what_happened_stands_behind_the_iteration_before_it(history, tmp_path):
    path = tmp_path / "run.csv"
    Table.of(history).write(path)
    happened = [row["event"] for row in read(path)]
    assert happened == ["paused", "", "learning rate 0.1 to 0.01; paused", "", ""]


def test_a_run_without_a_batch_is_a_header(tmp_path):
    Table.of(History()).write(tmp_path / "run.csv")
    assert (tmp_path / "run.csv").read_text() == ",".join(HEADER) + "\n"


def test_a_run_that_goes_on_is_written_as_it_was(history, tmp_path):
    table = Table.of(history)
    history.apply(BatchTrained(2, 3, 0.1, 30, 64, 9.0))
    table.write(tmp_path / "run.csv")
    assert len(read(tmp_path / "run.csv")) == 5


def test_stopped_on_its_way_it_leaves_the_old_file_and_nothing_else(history, tmp_path, monkeypatch):
    monkeypatch.setattr(history_table, "_ROWS", 2)
    path, asked = tmp_path / "run.csv", []
    path.write_text("old")
    assert not Table.of(history).write(path, lambda: asked.append(1) or len(asked) > 1)
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["run.csv"]
    assert path.read_text() == "old"


def test_where_it_cannot_be_written_a_remedy_is_told(history, tmp_path):
    with pytest.raises(StoreError) as told:
        Table.of(history).write(tmp_path / "nowhere" / "run.csv")
    assert "run.csv could not be written" in told.value.sentence
    assert "folder" in told.value.remedy
