"""What goes wrong says so at its place, with a remedy, and the window lives."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from gui_lab.qt.running import State
from gui_lab.testing import RobotError


def still_alive(lab):
    """The lab trains the digits after all that happened."""
    lab.hands.press(lab.lab.window, "Ctrl+N")
    lab.hands.wait(lambda: lab.experiment.dataset.name_of() == "Digits", "a new experiment")
    lab.dataset.wait_opened()
    lab.train.set(epochs=1)
    lab.train.start().wait_done()
    assert lab.train.history.ended.reason == "finished"


def test_an_unreadable_picture_is_skipped_and_counted(lab, lab_pictures):
    (lab_pictures / "bars" / "broken.png").write_bytes(b"this is no picture")
    (lab_pictures / "discs" / "empty.jpg").write_bytes(b"")
    lab.dataset.choose_folder(lab_pictures)
    images = lab.lab.session.images
    assert len(images.labels) == 64
    assert {Path(name).name for name, _ in images.skipped} == {"broken.png", "empty.jpg"}
    still_alive(lab)


def test_a_folder_without_classes_explains_the_layout(lab, tmp_path):
    root = tmp_path / "flat"
    root.mkdir()
    Image.new("RGB", (8, 8)).save(root / "one.png")
    lab.dataset.choose_folder(root)
    assert "folder" in lab.dataset.error()
    assert lab.blocked()
    with pytest.raises(RobotError, match="disabled"):
        lab.train.start()
    still_alive(lab)


def test_a_single_class_is_refused_by_name(lab, tmp_path):
    root = tmp_path / "single"
    (root / "cats").mkdir(parents=True)
    for number in range(4):
        Image.new("RGB", (8, 8), (number * 40, 0, 0)).save(root / "cats" / f"{number}.png")
    lab.dataset.choose_folder(root)
    assert "one class" in lab.dataset.error()
    assert "cats" in lab.dataset.error()
    still_alive(lab)


def test_a_crop_larger_than_the_picture_is_told_and_repaired_by_a_click(lab):
    lab.transforms.select(0)
    lab.transforms.add("RandomCrop", size=32, padding=0)
    lab.transforms.move(lab.transforms.names().index("RandomCrop"), to=0)
    assert "larger than the picture" in lab.transforms.problem()
    assert "larger than the picture" in lab.blocked()
    lab.transforms.repair("Crop to 8")
    assert lab.transforms.problem() == ""
    assert lab.blocked() == ""
    still_alive(lab)


def test_normalize_before_the_tensor_is_told_and_repaired_by_a_click(lab):
    lab.transforms.move(1, to=0)
    assert "float tensor" in lab.transforms.problem()
    lab.transforms.repair("Insert ToTensor before it")
    assert lab.transforms.problem() == ""


def test_a_batch_larger_than_the_data_is_told_at_its_field(lab):
    lab.train.set(batch_size=4000)
    assert "larger than" in lab.blocked()
    assert "larger than" in lab.hands.text("training.batch_size.problem")
    lab.hands.click_button("Use 64")
    assert lab.blocked() == ""
    still_alive(lab)


def test_a_loss_that_is_not_a_number_ends_the_run_with_a_remedy(lab):
    lab.model.choose("MLP", hidden=(32, 32))
    lab.train.optimizer("SGD", lr=1e9)
    lab.train.start().wait_done()
    assert "loss became" in lab.banner()
    assert "learning rate" in lab.banner()
    assert lab.train.history.ended.reason == "failed"
    still_alive(lab)


def test_running_out_of_memory_ends_the_run_with_a_remedy(lab, monkeypatch):
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("no memory is left")

    monkeypatch.setattr(torch.nn.Linear, "forward", full)
    lab.train.start().wait_done()
    assert "not enough memory" in lab.banner()
    assert "smaller batch size" in lab.banner()
    monkeypatch.undo()
    still_alive(lab)


def test_a_bug_in_the_run_thread_ends_the_run_and_offers_a_report(lab, monkeypatch):
    monkeypatch.setattr("gui_lab.core.training._Stepper.step", lambda *_: {}["missing"])
    lab.train.start().wait_done()
    assert "unexpected error" in lab.banner()
    assert lab.hands.sees("banner.act")
    monkeypatch.undo()
    still_alive(lab)


def test_a_picture_that_vanishes_before_training_is_named(lab, tmp_path, monkeypatch):
    monkeypatch.setattr("gui_lab.core.folder.OnDisk._remembered", lambda *_: None)  # as if memory held none of them
    root = tmp_path / "mixed"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for number in range(12):
            Image.new("RGB", (20 + number, 20), (number * 9, 90, 30)).save(root / name / f"{number}.png")
    lab.train.set(batch_size=4, epochs=2)
    lab.dataset.choose_folder(root)
    lab.transforms.repair(lab.lab.session.problems[0].repairs[0].label)
    while lab.lab.session.problems:
        lab.transforms.repair(lab.lab.session.problems[0].repairs[0].label)
    lab.model.choose("SoftmaxRegression")
    for path in (root / "a").iterdir():
        path.unlink()
    lab.train.start().wait_done()
    assert lab.train.history.ended.reason == "failed"
    assert ".png" in lab.banner()


def test_pictures_that_are_not_there_offer_a_download_and_block_training(lab):
    lab.dataset.choose("FashionMNIST")
    assert "MNIST is not in" in lab.dataset.error()
    assert lab.hands.sees("dataset.notice.download")
    assert lab.blocked()


def test_a_file_that_is_no_experiment_is_refused_in_a_banner(lab, tmp_path):
    path = tmp_path / "broken.lab"
    path.write_text("version = 1\n[dataset]\nname = 'Digitz'\n")
    before = lab.experiment
    lab.open(path)
    assert "Digits" in lab.banner()
    assert lab.experiment == before


def test_closing_while_training_asks_and_keeping_on_keeps_on(lab):
    lab.train.set(epochs=3000)
    lab.train.start()
    lab.train.wait_iterations(3)
    lab.lab.window.close()
    lab.hands.wait(lambda: lab.hands.sees("question.keep_training"), "the question")
    lab.hands.click("question.keep_training")
    assert lab.train.state == State.TRAINING
    lab.lab.window.close()
    lab.hands.wait(lambda: lab.hands.sees("question.stop_and_quit"), "the question")
    lab.hands.click("question.stop_and_quit")
    lab.hands.wait(lambda: not lab.lab.window.isVisible(), "the window closes")
    assert lab.train.history.ended.reason == "stopped"
    assert (Path(lab.train.history.started.run) / "last.safetensors").exists()


def test_the_robot_refuses_what_a_person_could_not_do(lab):
    with pytest.raises(RobotError, match="disabled"):
        lab.hands.click("run.stop")
    with pytest.raises(RobotError, match="no visible"):
        lab.hands.click("train.says")
