"""A person edits: steps back and forth, files, the order of the chain, the looks."""

from __future__ import annotations

from gui_lab.qt.theme import THEME


def test_every_edit_can_be_undone_and_redone(lab):
    first = lab.experiment
    lab.train.set(epochs=5)
    lab.model.choose("MLP")
    lab.transforms.select(1)
    lab.transforms.add("RandomHorizontalFlip")
    last = lab.experiment
    while lab.lab.session.can_undo:
        lab.undo()
    assert lab.experiment == first
    while lab.lab.session.can_redo:
        lab.redo()
    assert lab.experiment == last


def test_an_experiment_is_saved_and_opened_again(lab, tmp_path):
    lab.model.choose("MLP", hidden=(64, 32))
    lab.train.set(epochs=4, seed=3)
    path = tmp_path / "My MLP_A=1 (first try).lab"
    lab.save_as(path)
    saved = lab.experiment
    lab.train.set(epochs=9)
    lab.open(path)
    assert lab.experiment == saved
    assert path.name in lab.lab.window.windowTitle()
    assert "hidden = [64, 32]" in path.read_text()


def test_transforms_are_moved_by_drag_and_by_keys_switched_off_and_removed(lab):
    lab.transforms.select(1)
    lab.transforms.add("RandomHorizontalFlip")
    lab.transforms.add("RandomRotation", degrees=20)
    assert lab.transforms.names() == ["ToTensor", "Normalize", "RandomHorizontalFlip", "RandomRotation"]
    lab.transforms.drag(3, to=0)
    assert lab.transforms.names() == ["RandomRotation", "ToTensor", "Normalize", "RandomHorizontalFlip"]
    lab.transforms.move(3, to=1)
    assert lab.transforms.names() == ["RandomRotation", "RandomHorizontalFlip", "ToTensor", "Normalize"]
    lab.transforms.switch(0, on=False)
    assert not lab.experiment.transforms[0].enabled
    lab.transforms.remove(1)
    assert lab.transforms.names() == ["RandomRotation", "ToTensor", "Normalize"]


def test_a_value_out_of_bounds_is_refused_where_it_is_typed(lab):
    lab.model.choose("MLP")
    before = lab.experiment.model
    lab.hands.set_field("model.hidden", "0")
    assert lab.experiment.model == before
    assert lab.hands.sees("model.hidden.problem")


def test_the_scheme_changes_while_training_and_the_run_goes_on(lab):
    lab.train.set(epochs=2000)
    lab.train.start()
    lab.train.wait_iterations(3)
    for scheme in ("dark", "light", "system"):
        lab.lab.window.choose_scheme(scheme)
        count = len(lab.train.history.loss)
        lab.train.wait_iterations(count + 5)
    assert THEME.scheme == "system"
    lab.train.stop()


def test_the_next_start_remembers_place_and_session(lab, tmp_path, monkeypatch):
    from gui_lab.testing import start

    lab.train.set(epochs=6)
    lab.go("Model")
    left = lab.experiment
    lab.lab.window.close()
    again = start()
    try:
        assert again.lab.window.title.text() == "Model"
        again.lab.window.open_file(tmp_path / "home" / "config" / "last-session.lab")
        assert again.experiment == left
    finally:
        again.close()
