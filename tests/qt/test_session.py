"""The session: edits, steps back, files, and the pictures it opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from gui_lab.core.experiment import Experiment, default
from gui_lab.core.images import DATASETS
from gui_lab.errors import DataError, InvalidExperiment, UnreadableDocument
from gui_lab.qt.session import PINNED_AT_START, Session


@pytest.fixture
def session(qtbot):
    made = Session(default())
    with qtbot.waitSignal(made.pins_changed, timeout=10_000):
        made.open_images()
    yield made
    made.close()


def test_an_edit_changes_the_value_and_can_be_undone_and_redone(session, qtbot):
    before = session.experiment
    with qtbot.waitSignal(session.experiment_changed):
        session.edit("training.epochs", 7)
    assert session.experiment.training.epochs == 7
    session.undo()
    assert session.experiment == before
    assert not session.can_undo
    session.redo()
    assert session.experiment.training.epochs == 7
    assert not session.can_redo


def test_quick_edits_of_one_place_are_one_step_and_of_two_places_two(session):
    for epochs in (3, 4, 5):
        session.edit("training.epochs", epochs)
    session.edit("training.batch_size", 32)
    session.undo()
    assert session.experiment.training.batch_size == default().training.batch_size
    assert session.experiment.training.epochs == 5
    session.undo()
    assert session.experiment == default()


def test_an_edit_after_an_undo_forgets_the_way_forward(session):
    session.edit("training.epochs", 7)
    session.undo()
    session.edit("training.seed", 9)
    assert not session.can_redo


def test_an_edit_that_does_not_fit_changes_nothing(session):
    before = session.experiment
    with pytest.raises(InvalidExperiment):
        session.edit("training.epochs", 0)
    assert session.experiment is before
    assert not session.can_undo


def test_a_refused_edit_by_drag_or_drop_becomes_a_banner(session, qtbot):
    with qtbot.waitSignal(session.erred) as said:
        assert not session.try_edit("training.epochs", -1)
    assert "training.epochs" in str(said.args[0])


def test_the_opened_pictures_bring_pins_of_different_classes(session):
    labels = session.images.labels[list(session.pins)]
    assert len(session.pins) == PINNED_AT_START
    assert len(set(labels)) == PINNED_AT_START
    assert set(session.pins) <= set(session.images.validation)


def test_problems_follow_the_edits_and_a_repair_ends_them(session, qtbot):
    with qtbot.waitSignal(session.problems_changed):
        session.edit("training.batch_size", 5000)
    (problem,) = session.problems
    assert problem.path == "training.batch_size"
    with qtbot.waitSignal(session.problems_changed):
        session.repair(problem.repairs[0])
    assert session.problems == []


def test_only_the_newest_of_two_data_sets_arrives(session, qtbot):
    shapes = DATASETS.make("Shapes", count=400)
    session.edit("dataset", shapes)
    session.edit("dataset", "Digits")
    qtbot.waitUntil(lambda: session.images is not None, timeout=10_000)
    assert len(session.images.labels) == 1797


def test_a_data_set_that_cannot_be_opened_says_why_and_the_next_one_works(session, qtbot, tmp_path):
    session.edit("dataset", {"name": "ImageFolder", "root": str(tmp_path / "missing")})
    qtbot.waitUntil(lambda: session.data_error is not None, timeout=10_000)
    assert session.images is None
    assert session.data_error.remedy
    session.undo()
    qtbot.waitUntil(lambda: session.images is not None, timeout=10_000)
    assert session.data_error is None


def test_opening_can_be_cancelled_and_says_so(session, qtbot):
    session.edit("dataset", DATASETS.make("Shapes", count=20_000))
    session.cancel_opening()
    qtbot.waitUntil(lambda: session.progress is None, timeout=20_000)
    assert isinstance(session.data_error, DataError)
    assert "cancelled" in session.data_error.sentence


def test_a_file_is_saved_opened_and_known_as_modified(session, qtbot, tmp_path):
    path = tmp_path / "mine.lab"
    session.edit("training.epochs", 3)
    session.save_file(path)
    assert not session.modified
    session.edit("training.epochs", 4)
    assert session.modified
    session.open_file(path)
    assert session.experiment.training.epochs == 3
    assert not session.can_undo
    assert session.file == path


def test_a_file_that_cannot_be_read_changes_nothing(session, tmp_path):
    before = session.experiment
    (tmp_path / "bad.lab").write_text("version = ")
    with pytest.raises(UnreadableDocument):
        session.open_file(tmp_path / "bad.lab")
    assert session.experiment is before


def test_pictures_are_pinned_and_unpinned(session):
    index = int(session.images.train[0])
    session.pin(index, True)
    assert session.pins[-1] == index
    session.pin(index, False)
    assert index not in session.pins


def test_saving_to_a_folder_that_is_missing_says_so(session):
    with pytest.raises(UnreadableDocument, match="could not be saved"):
        session.save_file(Path("/nonexistent-folder/x.lab"))


def test_parts_that_an_edit_left_alone_stay_the_same_objects(session):
    before: Experiment = session.experiment
    session.edit("training.epochs", 7)
    assert session.experiment.dataset is before.dataset
    assert session.experiment.model is before.model


def test_another_split_reads_no_picture_again_and_keeps_the_pins(session, qtbot, monkeypatch):
    before, pins = session.images, session.pins
    monkeypatch.setattr(type(session.experiment.dataset), "open", lambda *_: pytest.fail("it was opened again"))
    session.edit("dataset.validation", 0.5)
    qtbot.waitUntil(lambda: session.images is not None, timeout=10_000)
    assert session.images.pictures is before.pictures
    assert len(session.images.validation) == round(1797 * 0.5)
    assert session.pins == pins


def test_two_quick_changes_of_the_chain_are_two_steps(session):
    chain = session.experiment.transforms
    session.edit("transforms", chain[:1])
    session.edit("transforms", ())
    session.undo()
    assert session.experiment.transforms == chain[:1]
