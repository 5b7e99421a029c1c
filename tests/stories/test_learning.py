"""A person learns: with what the lab opens with, with own pictures, with MNIST and with CIFAR-10."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from gui_lab.qt.running import State


def test_one_click_after_start_a_network_learns_the_digits(lab):
    lab.train.start().wait_done()
    assert lab.train.validation_accuracy() >= 0.98
    loss = lab.train.loss()
    assert loss[0] > 2
    assert loss[-20:].mean() < 0.3
    assert len(lab.train.validation_loss()) == lab.experiment.training.epochs
    assert "Best validation accuracy" in lab.train.says()


def test_pinned_pictures_show_their_softmax_and_new_pins_join(lab):
    lab.train.set(epochs=6)
    index = 0
    lab.dataset.pin(int(lab.lab.window.page("Dataset").gallery.grid.indices()[index]))
    pins = lab.lab.session.pins
    assert len(pins) == 7
    lab.train.start().wait_done()
    for pin in pins:
        bars = lab.train.probabilities(pin)
        assert bars is not None
        assert np.isclose(bars.sum(), 1, atol=1e-5)
    labels = lab.lab.session.images.labels
    assert sum(lab.train.probabilities(pin).argmax() == labels[pin] for pin in pins) >= 5


def test_own_pictures_are_chosen_transformed_trained_paused_stepped_and_stopped(lab, lab_pictures):
    lab.dataset.choose_folder(lab_pictures)
    assert lab.lab.session.images.classes == ("bars", "discs")
    assert "1 means" in lab.transforms.problem() or lab.transforms.problem() == ""
    lab.transforms.select(0)
    lab.transforms.add("RandomHorizontalFlip")
    lab.transforms.move(lab.transforms.names().index("RandomHorizontalFlip"), to=0)
    lab.transforms.add("RandomCrop", size=16, padding=2)
    lab.transforms.measure(lab.transforms.names().index("Normalize"))
    assert len(lab.experiment.transforms[-1].mean) == 3
    lab.model.choose("LeNet5")
    lab.train.optimizer("SGD", lr=0.05, momentum=0.9)
    lab.train.set(epochs=400, batch_size=16)
    lab.train.start()
    lab.train.wait_iterations(12)
    lab.train.pause()
    stood = len(lab.train.history.loss)
    lab.train.one_batch()
    lab.train.one_batch()
    assert len(lab.train.history.loss) == stood + 2
    lab.train.carry_on()
    lab.train.wait_iterations(stood + 10)
    lab.train.stop()
    assert lab.train.history.ended.reason == "stopped"
    assert lab.train.state == State.IDLE
    folder = Path(lab.train.history.started.run)
    assert load_file(folder / "last.safetensors")
    assert json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])["event"] == "run_ended"


def test_an_epoch_and_some_batches_are_trained_and_the_run_is_thrown_away(lab):
    lab.train.set(batch_size=256)
    lab.train.one_epoch()
    assert lab.train.history.epochs == 1
    lab.train.batches(10)
    folder = Path(lab.train.history.started.run)
    assert len(lab.train.loss()) == lab.train.history.started.iterations + 10
    lab.train.discard()
    assert not folder.exists()
    assert len(lab.train.loss()) == 0


def test_own_pictures_are_learned(lab, lab_pictures):
    lab.dataset.choose_folder(lab_pictures)
    lab.transforms.measure(1)
    lab.model.choose("LeNet5")
    lab.train.set(epochs=30, batch_size=16)
    lab.train.start().wait_done()
    assert lab.train.validation_accuracy() >= 0.9


@pytest.mark.shared_data
def test_mnist_that_is_on_disk_is_found_and_learned(lab, shared_data):
    lab.dataset.choose("MNIST", root=shared_data)
    assert len(lab.lab.session.images.train) == 54_000
    assert len(lab.lab.session.images.test) == 10_000
    lab.transforms.measure(1)
    assert lab.experiment.transforms[1].mean[0] == pytest.approx(0.1307, abs=2e-3)
    lab.model.choose("LeNet5")
    lab.train.set(epochs=1, batch_size=128, lr=0.002)
    lab.train.start().wait_done(seconds=300)
    assert lab.train.test_accuracy() > 0.95


@pytest.mark.shared_data
def test_cifar_pictures_as_a_folder_are_opened_augmented_and_trained(lab, cifar_folder):
    lab.dataset.choose_folder(cifar_folder)
    images = lab.lab.session.images
    assert len(images.classes) == 10
    assert len(images.test) == 200
    lab.transforms.measure(1)
    lab.transforms.select(0)
    lab.transforms.add("RandomHorizontalFlip")
    lab.transforms.add("RandomCrop", size=32, padding=4)
    lab.model.choose("MNISTNet")
    lab.train.set(epochs=2, batch_size=32)
    lab.train.start().wait_done()
    assert lab.train.history.ended.reason == "finished"
    assert lab.train.loss()[-5:].mean() < lab.train.loss()[:3].mean()


def test_the_window_and_the_command_line_end_with_the_same_weights(lab, tmp_path):
    lab.transforms.select(0)
    lab.transforms.add("RandomRotation", degrees=15)
    lab.transforms.move(lab.transforms.names().index("RandomRotation"), to=0)
    lab.train.set(epochs=3, seed=7)
    path = tmp_path / "same.lab"
    lab.save_as(path)
    lab.train.start()
    lab.train.wait_iterations(5)
    lab.train.pause()
    lab.train.carry_on()
    lab.train.wait_done()
    command = [sys.executable, "-m", "gui_lab", "train", str(path), "--runs", str(tmp_path / "runs"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=110)
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["event"] == "run_ended"
    assert last["weights_sha256"] == lab.train.weights_sha256()


def test_pages_and_previews_work_while_a_network_trains(lab):
    lab.train.set(epochs=2000)
    lab.train.start()
    lab.train.wait_iterations(5)
    lab.dataset.choose("Shapes")
    lab.transforms.select(0)
    lab.transforms.add("Grayscale")
    lab.transforms.move(lab.transforms.names().index("Grayscale"), to=0)
    lab.model.choose("LeNet5")
    assert lab.model.parameters() > 100_000
    before = len(lab.train.history.loss)
    lab.train.wait_iterations(before + 20)
    assert lab.train.state == State.TRAINING
    assert lab.train.history.started.epochs == 2000
    lab.train.stop()


def test_a_run_is_branched_where_it_was_better_with_another_rate(lab):
    lab.train.set(epochs=5)
    lab.train.start().wait_done()
    first = lab.train.history
    loss = lab.train.loss()
    lab.train.set(lr=0.0001)
    lab.train.branch(3).wait_done()
    history = lab.train.history
    begun = 3 * history.started.iterations
    assert np.array_equal(lab.train.loss()[:begun], loss[:begun])
    assert not np.array_equal(lab.train.loss()[begun:], loss[begun:])
    assert lab.hands.text("train.run") == "MNISTNet on Digits, branched after epoch 3"
    (mark,) = history.marks
    assert mark.words == f"branched from {Path(first.started.run).name} after epoch 3"
    assert (Path(first.started.run) / "last.safetensors").exists()
