"""A person composes a chain: adds by name, mends what is wrong, looks into a cell, locks dice, and brings own code."""

from __future__ import annotations

from gui_lab.qt.running import State


def shown(lab):
    """The columns of the strip, once nothing is computed any more."""
    studio = lab.lab.window.page("Transforms").studio
    lab.hands.wait(lambda: not studio.busy, "the strip is drawn", 60)
    return studio.preview.strip


def test_an_illegal_order_is_told_blocks_training_and_is_mended_by_one_click(lab):
    lab.transforms.select(None)
    lab.transforms.add("RandomErasing")
    lab.transforms.move(2, to=0)
    assert "float tensor" in lab.transforms.problem()
    assert lab.transforms.problem()[:20] in lab.blocked()
    lab.transforms.repair("Insert ToTensor before it")
    assert lab.transforms.problem() == ""
    assert lab.blocked() == ""


def test_what_is_odd_is_told_and_blocks_nothing(lab):
    lab.transforms.select(None)
    lab.transforms.add("RandomHorizontalFlip")
    assert "mirror" in lab.transforms.warning()
    assert lab.blocked() == ""
    lab.train.set(epochs=1)
    lab.train.start().wait_done()


def test_a_preset_is_begun_with_and_trained(lab):
    before = lab.experiment.transforms
    lab.transforms.preset("Strong")
    assert len(lab.transforms.names()) > len(before)
    lab.train.set(epochs=1)
    lab.train.start().wait_done()
    assert lab.train.state != State.TRAINING
    lab.undo()
    lab.undo()
    assert lab.experiment.transforms == before


def test_transforms_inside_of_others_are_edited_and_trained(lab):
    lab.transforms.select(0)
    lab.transforms.add("RandomApply")
    lab.transforms.select(lab.transforms.selected() + 1)
    lab.transforms.add("RandomErasing", p=0.25)
    held = lab.experiment.transforms[1].transforms
    assert (held[1].name_of(), held[1].p) == ("RandomErasing", 0.25)
    lab.train.set(epochs=1)
    lab.train.start().wait_done()


def test_a_cell_is_opened_by_keyboard_and_closed_again(lab):
    lab.transforms.show()
    strip = shown(lab)
    lab.hands.press(strip, "End")
    lab.hands.press(strip, "Return")
    lab.hands.wait(lambda: lab.hands.sees("transforms.inspector.panes"), "the inspector opens")
    assert "Normalize" in lab.hands.text("transforms.inspector.title")
    lab.hands.press("transforms.inspector.panes", "Esc")
    lab.hands.wait(lambda: not lab.hands.sees("transforms.inspector.panes"), "the strip is back")


def test_own_code_is_read_trusted_tested_and_trained(lab, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("class Mine:\n    def __call__(self, picture):\n        return picture.flip(-1)\n")
    lab.transforms.select(0)
    lab.transforms.add_own(file)
    assert "not trusted" in lab.transforms.problem()
    assert lab.blocked() != ""
    lab.transforms.trust()
    assert lab.transforms.problem() == ""
    lab.hands.click("transforms.test")
    lab.hands.wait(lambda: lab.hands.text("transforms.tested").count("✓") == 5, "the contract is kept", 60)
    lab.train.set(epochs=1)
    lab.train.start().wait_done()
