"""The verbs of the command line: what they print, write and return. Most run in this process; the few that are about
signals, pipes and imports start a true one."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from gui_lab import catalog
from gui_lab.cli import run
from gui_lab.cli.terminal import clock, count, percent, printable
from gui_lab.cli.training import Interrupted, Records, Signals
from gui_lab.core import experiment
from gui_lab.core.events import BatchTrained, Event
from gui_lab.core.images import DATASETS, Dataset, Opening, Progress, opened

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def own_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty current folder, one torch thread (others may compute beside us), no terminal."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def lesson() -> Path:
    """An experiment on digits, two epochs long."""
    assert run(["new", "lesson.lab", "--set", "training.epochs=2", "--set", "training.device=cpu"]) == 0
    return Path("lesson.lab")


@pytest.fixture
def interrupting() -> Iterator[type[Dataset]]:
    """A data set during whose opening Ctrl+C is pressed."""
    catalog.load()

    @DATASETS.add
    class Interrupting(Dataset):
        """Stops the program that opens it."""

        closed: ClassVar[bool] = False

        def open(self, download: bool = False) -> Opening:
            try:
                yield Progress("Reading")
                signal.raise_signal(signal.SIGINT)
                yield Progress("Reading on")
            finally:
                type(self).closed = True
            raise AssertionError("the signal came before this")

    yield Interrupting
    DATASETS.remove("Interrupting")


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def signalling(show: Callable[..., None], after: int) -> Callable[..., None]:
    """A `show` that is sent SIGTERM when it has shown so many batches."""
    batches = 0

    def shown(view: object, event: Event) -> None:
        nonlocal batches
        show(view, event)
        batches += isinstance(event, BatchTrained)
        if batches == after and isinstance(event, BatchTrained):
            signal.raise_signal(signal.SIGTERM)

    return shown


class TestList:
    def test_every_entry_is_there_with_its_fields(self, capsys: Capture) -> None:
        assert run(["list", "transforms", "--json"]) == 0
        entries = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
        crop = entries["RandomCrop"]
        assert crop["group"] == "On pictures"
        assert crop["summary"].startswith("Cuts out a piece at a random place")
        size, padding = crop["fields"][:2]
        assert (size["name"], size["required"], size["unit"]) == ("size", True, "px")
        assert size["bounds"] == {"ge": 1, "le": 4096}
        assert (padding["optional"], padding["default"]) == (True, None)

    @pytest.mark.parametrize(
        ("family", "name"),
        [
            ("datasets", "Digits"),
            ("models", "LeNet5"),
            ("losses", "NLLLoss"),
            ("optimizers", "AdamW"),
            ("schedulers", "CosineAnnealingLR"),
            ("training", "batch_size"),
        ],
    )
    def test_each_family_is_listed(self, family: str, name: str, capsys: Capture) -> None:
        assert run(["list", family]) == 0
        assert name in capsys.readouterr().out

    def test_text_tells_default_bounds_unit_and_choices(self, capsys: Capture) -> None:
        run(["list", "training"])
        text = " ".join(capsys.readouterr().out.split())
        assert "batch_size int, pictures 64 (>= 1 and <= 65,536)" in text
        assert "(auto, cpu, cuda, mps, xpu)" in text

    def test_an_open_bound_is_told_as_open(self, capsys: Capture) -> None:
        run(["list", "optimizers", "--json"])
        sgd = next(entry for entry in json.loads(capsys.readouterr().out) if entry["name"] == "SGD")
        bounds = {field["name"]: field["bounds"] for field in sgd["fields"]}
        assert bounds["lr"] == {"gt": 0.0, "le": 1e10}
        assert bounds["momentum"] == {"ge": 0.0, "lt": 1.0}

    def test_torch_is_not_imported(self) -> None:
        code = (
            "import sys, time\nfrom gui_lab.cli import run\n"
            "assert run(['list', 'models', '--json']) == 0\n"
            "print(time.process_time(), 'torch' in sys.modules, file=sys.stderr)"
        )
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.split()
        assert said[1] == "False"
        assert float(said[0]) < 2  # seconds of processor time; 0.6 where nothing is wrong, torch alone takes more

    def test_an_unknown_family_is_refused(self, capsys: Capture) -> None:
        assert run(["list", "cats"]) == 2
        assert "'cats' is not one of" in capsys.readouterr().err


class TestNew:
    def test_the_file_is_what_the_lab_opens_with(self) -> None:
        assert run(["new", "first.lab"]) == 0
        assert experiment.load(Path("first.lab")) == experiment.default()

    def test_settings_are_toml_or_text(self) -> None:
        settings = ["model.name=LeNet5", "model.padding=3", "training.epochs=3", "transforms.1.mean=[0.25]"]
        assert run(["new", "first.lab", *(word for one in settings for word in ("--set", one))]) == 0
        made = experiment.load(Path("first.lab"))
        assert (made.model.name_of(), made.model.padding) == ("LeNet5", 3)  # type: ignore[attr-defined]
        assert made.training.epochs == 3
        assert made.transforms[1].mean == (0.25,)  # type: ignore[attr-defined]

    def test_the_whole_chain_can_be_set(self) -> None:
        assert run(["new", "first.lab", "--set", 'transforms=[{name="CenterCrop", size=6}, {name="ToTensor"}]']) == 0
        assert [step.name_of() for step in experiment.load(Path("first.lab")).transforms] == ["CenterCrop", "ToTensor"]

    def test_loss_and_schedules_are_set_like_everything_else(self) -> None:
        settings = [
            "loss=NLLLoss",
            "model.ends_in=LogSoftmax",
            'schedulers=[{name="StepLR", step_size=2}, {name="LinearLR"}]',
            "schedulers.0.gamma=0.5",
        ]
        assert run(["new", "first.lab", *(word for one in settings for word in ("--set", one))]) == 0
        made = experiment.load(Path("first.lab"))
        assert made.loss.name_of() == "NLLLoss"
        assert [one.name_of() for one in made.schedulers] == ["StepLR", "LinearLR"]
        assert (made.schedulers[0].step_size, made.schedulers[0].gamma) == (2, 0.5)  # type: ignore[attr-defined]

    def test_an_entry_and_the_field_it_needs_may_be_set_apart(self) -> None:
        settings = ["transforms.0.name=CenterCrop", "training.epochs=3", "transforms.0.size=6"]
        assert run(["new", "first.lab", *(word for one in settings for word in ("--set", one))]) == 0
        assert experiment.load(Path("first.lab")).transforms[0].size == 6  # type: ignore[attr-defined]

    def test_fields_that_are_right_only_together_may_be_set_one_after_the_other(self) -> None:
        assert run(["new", "a.lab", "--set", "transforms.1.mean=[0.1,0.2]", "--set", "transforms.1.std=[0.3,0.4]"]) == 0
        assert experiment.load(Path("a.lab")).transforms[1].std == (0.3, 0.4)  # type: ignore[attr-defined]

    def test_a_folder_is_meant_from_the_current_one(self, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        for file in ("first.lab", "../elsewhere/first.lab"):
            assert run(["new", file, "--set", "dataset.name=ImageFolder", "--set", "dataset.root=pictures"]) == 0
            root = experiment.load(Path(file)).dataset.root  # type: ignore[attr-defined]
            assert root == tmp_path / "here" / "pictures"

    def test_a_file_that_is_there_is_kept(self, capsys: Capture) -> None:
        Path("first.lab").write_text("mine")
        assert run(["new", "first.lab"]) == 1
        assert capsys.readouterr().err == (
            "first.lab is already there. Choose another name, or replace it with --force.\n"
        )
        assert Path("first.lab").read_text() == "mine"

    def test_a_file_that_is_there_is_replaced_by_force(self) -> None:
        Path("first.lab").write_text("mine")
        assert run(["new", "first.lab", "--force"]) == 0
        assert experiment.load(Path("first.lab")) == experiment.default()

    def test_all_problems_of_the_settings_are_told_with_their_paths(self, capsys: Capture) -> None:
        settings = ["training.epochs=0", "model.name=LeNet", "transforms.9.size=3", "nothing=1"]
        assert run(["new", "first.lab", *(word for one in settings for word in ("--set", one))]) == 2
        said = capsys.readouterr().err
        assert "has 4 problems" in said
        for path in ("training.epochs: ", "model.name: ", "transforms.9.size: ", "nothing: "):
            assert f"\n  {path}" in said
        assert not Path("first.lab").exists()

    def test_a_setting_without_a_value_is_refused(self, capsys: Capture) -> None:
        assert run(["new", "first.lab", "--set", "training.epochs"]) == 2
        assert "'training.epochs' is not of the form path=value" in capsys.readouterr().err

    def test_a_value_cannot_smuggle_in_a_second_one(self, capsys: Capture) -> None:
        assert run(["new", "first.lab", "--set", "training.epochs=3\nother=4"]) == 2
        assert "training.epochs: " in capsys.readouterr().err

    def test_a_date_is_text(self, capsys: Capture) -> None:
        assert run(["new", "first.lab", "--set", "model.name=1999-01-01"]) == 2
        assert "no model named '1999-01-01'" in capsys.readouterr().err

    def test_a_name_that_the_window_would_not_open_is_refused(self, capsys: Capture) -> None:
        assert run(["new", "first.toml"]) == 2
        assert "does not end in .lab" in capsys.readouterr().err


class TestCheck:
    def test_nothing_wrong(self, lesson: Path, capsys: Capture) -> None:
        capsys.readouterr()
        assert run(["check", str(lesson)]) == 0
        assert capsys.readouterr().out == "No problems.\n"

    def test_problems_have_path_sentence_and_remedies(self, lesson: Path, capsys: Capture) -> None:
        capsys.readouterr()
        assert run(["check", str(lesson), "--set", 'transforms=[{name="RandomCrop", size=40}, {name="ToTensor"}]']) == 2
        assert capsys.readouterr().out.splitlines() == [
            "lesson.lab has 1 problem:",
            "  transforms.0.size: Crop is larger than the picture (40 > 8).",
            "    remedy: Pad to 40",
            "    remedy: Crop to 8",
        ]

    def test_a_loss_that_does_not_suit_the_last_layer_is_a_problem(self, lesson: Path, capsys: Capture) -> None:
        capsys.readouterr()
        assert run(["check", str(lesson), "--set", "loss=NLLLoss"]) == 2
        assert "  loss: NLLLoss needs log-probabilities" in capsys.readouterr().out
        assert run(["check", str(lesson), "--set", "loss=NLLLoss", "--set", "model.ends_in=LogSoftmax"]) == 0

    def test_a_schedule_that_is_not_there_is_named_with_its_place(self, lesson: Path, capsys: Capture) -> None:
        capsys.readouterr()
        assert run(["train", str(lesson), "--set", 'schedulers=[{name="StepLR"}, {name="StairLR"}]']) == 2
        said = capsys.readouterr().err
        assert "schedulers.1.name: There is no scheduler named 'StairLR'" in said

    def test_a_repair_in_json_is_a_setting_that_mends_it(self, lesson: Path, capsys: Capture) -> None:
        capsys.readouterr()
        assert run(["check", str(lesson), "--json", "--set", 'transforms=[{name="Normalize"}]']) == 2
        problem = json.loads(capsys.readouterr().out)["problems"][0]
        assert (problem["path"], problem["severity"]) == ("transforms.0", "error")
        assert problem["remedies"] == ["Insert ToTensor before it"]
        repair = problem["repairs"][0]
        mended = f"{repair['path']}=[{{name = 'ToTensor'}}, {{name = 'Normalize'}}]"
        assert repair["value"] == [{"name": "ToTensor"}, {"name": "Normalize"}]
        assert run(["check", str(lesson), "--set", mended]) == 0

    def test_no_problems_in_json(self, lesson: Path, capsys: Capture) -> None:
        capsys.readouterr()
        assert run(["check", str(lesson), "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"file": "lesson.lab", "problems": []}

    def test_pictures_that_are_not_here_are_a_problem_and_nothing_is_fetched(
        self, lesson: Path, capsys: Capture, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network was used"))
        assert run(["check", str(lesson), "--set", "dataset.name=MNIST"]) == 2
        assert "\n  dataset: MNIST is not in " in capsys.readouterr().out
        assert not (home / "datasets").exists()

    def test_a_file_that_is_no_experiment_is_a_problem(self, capsys: Capture) -> None:
        Path("broken.lab").write_text("version = [")
        assert run(["check", "broken.lab", "--json"]) == 2
        assert "not a readable experiment" in json.loads(capsys.readouterr().out)["problems"][0]["sentence"]

    def test_all_problems_of_a_file_are_told(self, capsys: Capture) -> None:
        Path("wrong.lab").write_text('version = 1\nmodel.name="LeNet"\ndataset.name="Digits"\ntraining.epochs=0\n')
        assert run(["check", "wrong.lab"]) == 2
        said = capsys.readouterr().out
        for path in ("model.name: ", "optimizer.name: ", "training.epochs: "):
            assert f"\n  {path}" in said

    def test_control_characters_of_a_document_are_shown_as_escapes(self, capsys: Capture) -> None:
        root = '"\\u001b[2Jpictures\\u202e"'
        Path("odd.lab").write_text('version = 1\nmodel.name="MLP"\noptimizer.name="SGD"\n'
                                   f'[dataset]\nname = "ImageFolder"\nroot = {root}\n')  # fmt: skip
        assert run(["check", "odd.lab"]) == 2
        said = capsys.readouterr().out
        assert "\\x1b[2Jpictures\\u202e" in said
        assert "\x1b" not in said


class TestTrain:
    def test_lines_tell_each_epoch_and_the_ending(self, lesson: Path, capsys: Capture) -> None:
        capsys.readouterr()
        assert run(["train", str(lesson), "--runs", "mine"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "Digits, MNISTNet, Adam"
        epochs = [line.split() for line in lines if "/2 " in line]
        assert [words[0] for words in epochs] == ["1/2", "2/2"]
        assert all(words[3] == words[6] == "%" for words in epochs)
        summary = dict(line.strip().split("  ", 1) for line in lines[-4:])
        assert Path(summary["folder"].strip()) == Path("mine/0001-digits-mnistnet").absolute()
        assert len(summary["weights_sha256"].strip()) == 64
        assert summary["best epoch"].strip().startswith("2, validation accuracy ")

    def test_records_are_one_event_a_line_and_nothing_else(self, lesson: Path, capsys: Capture) -> None:
        capsys.readouterr()
        assert run(["train", str(lesson), "--json"]) == 0
        records = events(capsys.readouterr().out)
        assert records[0]["event"] == "run_started"
        assert [r["event"] for r in records].count("batch_trained") == 2 * records[0]["iterations"]
        assert (records[-1]["event"], records[-1]["reason"]) == ("run_ended", "finished")
        recorded = events((Path(records[0]["run"]) / "metrics.jsonl").read_text())
        assert records == recorded

    def test_the_same_seed_gives_the_same_weights(self, lesson: Path, capsys: Capture) -> None:
        def digest(*words: str) -> str:
            capsys.readouterr()
            assert run(["train", str(lesson), "--json", "--set", "training.epochs=1", *words]) == 0
            return str(events(capsys.readouterr().out)[-1]["weights_sha256"])

        assert digest() == digest()
        assert digest() != digest("--set", "training.seed=2")

    def test_a_terminal_gets_a_bar_that_is_gone_at_the_end(
        self, lesson: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "120")
        assert run(["train", str(lesson)]) == 0
        said = capsys.readouterr().out
        assert "epoch 1/2" in said
        assert "loss " in said
        assert "\x1b[2K" in said
        after = said.rpartition("\x1b[2K")[2]
        assert "Finished after" in after
        assert "epoch 1/2" not in after

    def test_problems_end_before_a_run_is_made(self, lesson: Path, capsys: Capture, home: Path) -> None:
        capsys.readouterr()
        assert run(["train", str(lesson), "--json", "--set", "transforms=[]"]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert "\n  transforms: The network needs float tensors" in said.err
        assert "\n    remedy: Add ToTensor" in said.err
        assert not (home / "runs").exists()

    def test_a_run_that_fails_tells_why_and_keeps_its_weights(self, lesson: Path, capsys: Capture) -> None:
        capsys.readouterr()
        assert run(["train", str(lesson), "--json", "--set", "optimizer.name=SGD", "--set", "optimizer.lr=1e10"]) == 1
        said = capsys.readouterr()
        ending = events(said.out)[-1]
        assert (ending["event"], ending["reason"]) == ("run_ended", "failed")
        assert len(ending["weights_sha256"]) == 64
        assert said.err.splitlines()[-1] == f"{ending['sentence']} {ending['remedy']}"
        assert ending["sentence"].startswith("The loss became ")

    def test_a_file_that_is_not_there_is_one_line(self, capsys: Capture) -> None:
        assert run(["train", "nothing.lab"]) == 1
        assert capsys.readouterr().err.startswith("nothing.lab cannot be read: ")

    def test_a_folder_that_cannot_be_written_is_one_line(self, lesson: Path, capsys: Capture) -> None:
        Path("file").write_text("in the way")
        assert run(["train", str(lesson), "--runs", "file"]) == 1
        assert "The run could not be written to " in capsys.readouterr().err.splitlines()[-1]

    def test_a_signal_while_pictures_are_read_stops_at_once(
        self, lesson: Path, interrupting: type[Dataset], capsys: Capture, home: Path
    ) -> None:
        before = signal.getsignal(signal.SIGINT)
        assert run(["train", str(lesson), "--set", "dataset.name=Interrupting"]) == 130
        assert capsys.readouterr().err.splitlines()[-1] == "Stopped before training began; no run was made."
        assert interrupting.closed  # type: ignore[attr-defined]
        assert signal.getsignal(signal.SIGINT) is before
        assert not (home / "runs").exists()

    def test_sigterm_stops_after_the_current_batch(
        self, lesson: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        capsys.readouterr()
        monkeypatch.setattr(Records, "show", signalling(Records.show, after=3))
        assert run(["train", str(lesson), "--json"]) == 143
        *batches, ending = events(capsys.readouterr().out)[1:]
        assert [batch["iteration"] for batch in batches] == [1, 2, 3]
        assert (ending["reason"], ending["iteration"]) == ("stopped", 3)

    def test_the_same_signal_passed_on_by_a_parent_changes_nothing_but_a_later_one_ends_the_wait(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [100.0]
        monkeypatch.setattr("gui_lab.cli.training.time.monotonic", lambda: now[0])
        with Signals() as signals:
            signals.gentle = True
            signal.raise_signal(signal.SIGINT)
            now[0] += 0.5
            signal.raise_signal(signal.SIGTERM)
            assert signals.received == signal.SIGINT
            now[0] += 5
            with pytest.raises(Interrupted):
                signal.raise_signal(signal.SIGINT)

    def test_ctrl_c_in_a_process_of_its_own_stops_it_and_keeps_the_weights(self, lesson: Path) -> None:
        words = [sys.executable, "-m", "gui_lab", "train", str(lesson), "--json", "--set", "training.epochs=10000"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1) as process:
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            assert json.loads(process.stdout.readline())["event"] == "batch_trained"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 130
        ending = events(out)[-1]
        assert (ending["event"], ending["reason"]) == ("run_ended", "stopped")
        folder = Path(first["run"])
        assert events((folder / "metrics.jsonl").read_text())[-1] == ending
        assert (folder / "last.safetensors").stat().st_size > 0
        assert err == "Reading Digits\n"

    def test_a_reader_that_goes_away_stops_the_run_without_a_word(
        self, lesson: Path, capsys: Capture, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

        capsys.readouterr()
        monkeypatch.setattr(sys, "stdout", sys.stdout)  # typer puts another one in its place
        monkeypatch.setattr(Records, "show", refuse)
        assert run(["train", str(lesson), "--json"]) == 1
        assert capsys.readouterr().err == "Reading Digits\n"
        record = home / "runs" / "0001-digits-mnistnet" / "metrics.jsonl"
        assert events(record.read_text())[-1]["reason"] == "stopped"


class TestTrace:
    CHAIN = (
        'transforms=[{name="RandomCrop", size=6, padding=1}, {name="Grayscale", enabled=false}, '
        '{name="RandomRotation", degrees=40}, {name="ToTensor"}, {name="Normalize", mean=[0.5], std=[0.25]}]'
    )

    def traced(self, lesson: Path, *words: str) -> dict[str, Any]:
        assert run(["trace", str(lesson), "--set", self.CHAIN, "--epoch", "3", "--save", "out", *words]) == 0
        record: dict[str, Any] = json.loads(Path("out/trace.json").read_text())
        return record

    def test_the_last_stage_is_what_training_gets(self, lesson: Path) -> None:
        import torch

        record = self.traced(lesson, "--index", "1234")
        made = experiment.load(lesson).edited("transforms", [])
        images = opened(made.dataset)
        chain = made.edited("transforms", _tables(self.CHAIN)).chain
        indices = np.array([5, 1234, 17])
        batch = chain.run(torch.from_numpy(images.pictures.take(indices)), indices, seed=1, epoch=3, training=True)
        saved = np.load(Path("out") / record["stages"][-1]["npy"])
        assert saved.dtype == np.float32
        assert np.array_equal(saved, batch[1].numpy())

    def test_files_are_numbered_by_their_place_in_the_chain(self, lesson: Path) -> None:
        record = self.traced(lesson, "--index", "3")
        names = ["00-source", "01-RandomCrop", "03-RandomRotation", "04-ToTensor", "05-Normalize"]
        files = {f"{name}.{kind}" for name in names for kind in ("npy", "png")}
        assert {file.name for file in Path("out").iterdir()} == {*files, "trace.json"}
        assert [stage["position"] for stage in record["stages"]] == [-1, 0, 2, 3, 4]

    def test_the_record_tells_picture_and_draws(self, lesson: Path) -> None:
        record = self.traced(lesson, "--index", "3")
        assert (record["seed"], record["epoch"], record["index"], record["validation"]) == (1, 3, 3, False)
        assert record["class"] == str(record["label"])
        crop, rotation = record["stages"][1], record["stages"][2]
        assert set(crop["drawn"]) == {"top", "left"}
        assert -40 <= rotation["drawn"]["angle"] < 40
        source = np.load("out/00-source.npy")
        kind = record["stages"][0]["kind"]
        assert (kind["dtype"], kind["shape"]) == ("uint8", list(source.shape))
        assert (kind["min"], kind["max"], kind["mean"]) == (source.min(), source.max(), pytest.approx(source.mean()))

    def test_pictures_to_look_at_say_what_was_done_to_their_values(self, lesson: Path) -> None:
        stages = {stage["name"]: stage for stage in self.traced(lesson, "--index", "3")["stages"]}
        seen = {name: np.asarray(Image.open(Path("out") / stage["png"])) for name, stage in stages.items()}
        values = {name: np.load(Path("out") / stage["npy"])[0] for name, stage in stages.items()}
        assert stages["source"]["view"] == "as it is"
        assert np.array_equal(seen["source"], values["source"])
        assert stages["ToTensor"]["view"] == "0..1 scaled by 255"
        assert np.array_equal(seen["ToTensor"], np.rint(values["ToTensor"] * 255))
        assert stages["Normalize"]["view"].endswith(" stretched to 0..255")
        assert (seen["Normalize"].min(), seen["Normalize"].max()) == (0, 255)

    def test_colours_stay_colours(self, lesson: Path) -> None:
        shapes = ["--set", "dataset.name=Shapes", "--set", "dataset.count=100"]
        words = [*shapes, "--set", 'transforms=[{name="ToTensor"}]']
        assert run(["trace", str(lesson), *words, "--index", "3", "--epoch", "1", "--save", "out"]) == 0
        source = np.load("out/00-source.npy")
        assert np.array_equal(np.asarray(Image.open("out/00-source.png")), source.transpose(1, 2, 0))
        assert np.array_equal(np.asarray(Image.open("out/01-ToTensor.png")), source.transpose(1, 2, 0))

    def test_random_transforms_do_not_act_in_validation(self, lesson: Path) -> None:
        words = ["--set", 'transforms=[{name="RandomRotation", degrees=40}, {name="ToTensor"}]', "--validation"]
        assert run(["trace", str(lesson), *words, "--index", "3", "--epoch", "1", "--save", "out"]) == 0
        record = json.loads(Path("out/trace.json").read_text())
        assert record["validation"] is True
        assert [stage["name"] for stage in record["stages"]] == ["source", "ToTensor"]

    @pytest.mark.parametrize("index", [-1, 1797])
    def test_a_picture_that_is_not_there_is_told(self, index: int, lesson: Path, capsys: Capture) -> None:
        assert run(["trace", str(lesson), "--index", str(index), "--epoch", "1", "--save", "out"]) == 2
        sentence = f"There is no picture {index}: the data set has 1,797, numbered from 0 to 1,796."
        assert sentence in capsys.readouterr().err
        assert not Path("out").exists()

    def test_a_chain_that_breaks_off_is_shown_as_far_as_it_goes(self, lesson: Path, capsys: Capture) -> None:
        words = ["--set", 'transforms=[{name="RandomCrop", size=6}, {name="Normalize"}]']
        assert run(["trace", str(lesson), *words, "--index", "3", "--epoch", "1", "--save", "out"]) == 2
        assert Path("out/01-RandomCrop.npy").exists()
        assert "\n  transforms.1: Normalize needs a float tensor" in capsys.readouterr().err

    def test_a_folder_that_cannot_be_written_is_one_line(self, lesson: Path, capsys: Capture) -> None:
        Path("out").write_text("in the way")
        assert run(["trace", str(lesson), "--index", "3", "--epoch", "1", "--save", "out"]) == 1
        assert capsys.readouterr().err.splitlines()[-1].startswith("out could not be written: ")


class TestDemo:
    @pytest.fixture
    def shown(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
        """What the demo was started with; a stand-in takes its place."""
        import types

        calls: list[tuple[Any, ...]] = []
        module = types.ModuleType("gui_lab.testing.demo")
        module.run_demo = lambda *words: calls.append(words) or 3  # type: ignore[attr-defined]  # made up here
        monkeypatch.setitem(sys.modules, "gui_lab.testing.demo", module)
        for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(name, raising=False)
        return calls

    def test_offscreen_needs_no_display_and_passes_its_options_on(
        self, shown: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
        assert run(["demo", "--offscreen", "--seconds", "5", "--screenshots", "shots"]) == 3
        assert shown == [(True, 5.0, Path("shots"))]
        assert os.environ["QT_QPA_PLATFORM"] == "offscreen"

    @pytest.mark.skipif("sys.platform != 'linux'", reason="only Linux has sessions without a display")
    def test_without_a_display_the_way_without_one_is_named(
        self, shown: list[tuple[Any, ...]], capsys: Capture
    ) -> None:
        assert run(["demo"]) == 1
        assert "`gui-lab demo --offscreen`" in capsys.readouterr().err
        assert shown == []


class TestWords:
    def test_an_unknown_verb_is_refused_with_the_nearest(self, capsys: Capture) -> None:
        assert run(["trian"]) == 2
        assert "No such command 'trian'. Did you mean 'train'" in capsys.readouterr().err

    @pytest.mark.parametrize("verb", ["list", "new", "check", "train", "trace", "demo"])
    def test_every_verb_has_help_and_refuses_options_it_does_not_have(self, verb: str, capsys: Capture) -> None:
        assert run([verb, "--help"]) == 0
        assert f"Usage: gui-lab {verb}" in capsys.readouterr().out
        assert run([verb, "--fast"]) == 2
        assert "--fast" in capsys.readouterr().err

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
    def test_output_that_cannot_be_written_is_one_line(self) -> None:
        with Path("/dev/full").open("w") as full:
            words = [sys.executable, "-m", "gui_lab", "list", "models"]
            ended = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True)
        assert ended.returncode == 1
        assert ended.stderr == "The output could not be written: No space left on device. Free some space.\n"

    def test_a_reader_that_goes_away_is_no_error_to_see(self) -> None:
        words = [sys.executable, "-m", "gui_lab", "list", "transforms", "--json"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == ""

    def test_numbers_are_said_as_in_the_window(self) -> None:
        assert [clock(5), clock(61), clock(3723), clock(float("nan"))] == ["0:05", "1:01", "1:02:03", "-"]
        assert [percent(0.9345), percent(1), percent(float("nan"))] == ["93.5 %", "100.0 %", "-"]
        assert [count(12345.4), count(float("inf"))] == ["12,345", "-"]

    def test_what_does_not_print_is_escaped(self) -> None:
        assert printable("plain é 漢\nnext") == "plain é 漢\nnext"
        assert printable("\x1b[2J\u202e\r") == "\\x1b[2J\\u202e\\r"


def _tables(setting: str) -> list[dict[str, Any]]:
    import tomllib

    tables: list[dict[str, Any]] = tomllib.loads(setting)["transforms"]
    return tables


class TestBranch:
    @pytest.fixture
    def trained(self, lesson: Path, capsys: Capture) -> list[dict[str, Any]]:
        """What a run of two epochs has said."""
        assert run(["train", str(lesson), "--runs", "runs", "--json"]) == 0
        return events(capsys.readouterr().out)

    def test_it_ends_with_the_weights_of_the_run_that_it_left(
        self, trained: list[dict[str, Any]], capsys: Capture
    ) -> None:
        assert run(["branch", "1", "--epoch", "1", "--runs", "runs", "--json"]) == 0
        again = events(capsys.readouterr().out)
        assert again[-1]["weights_sha256"] == trained[-1]["weights_sha256"]
        (branched,) = [event for event in again if event["event"] == "branched"]
        assert branched == {"event": "branched", "run": Path(trained[0]["run"]).name, "epoch": 1, "epochs": 2,
                            "patience": 0}  # fmt: skip

    def test_a_person_sees_all_epochs_and_where_it_branched(
        self, trained: list[dict[str, Any]], capsys: Capture
    ) -> None:
        name = Path(trained[0]["run"]).name
        settings = ["--set", "training.epochs=3", "--set", "optimizer.name=SGD"]
        assert run(["branch", str(Path("runs") / name), *settings]) == 0
        out, err = capsys.readouterr()
        lines = [line.strip() for line in out.splitlines()]
        places = [lines.index(line) for line in lines if line.startswith(("1/3", "2/3", "branched", "3/3"))]
        assert lines[places[2]] == f"branched from {name} after epoch 2"
        assert places == sorted(places)
        assert len(places) == 4
        assert "optimizer: warning: What Adam remembers of the run is left behind" in err

    def test_what_does_not_fit_is_told_with_its_remedy(self, trained: list[dict[str, Any]], capsys: Capture) -> None:
        assert run(["branch", "1", "--runs", "runs"]) == 2
        err = capsys.readouterr().err
        assert "This branch has a problem:" in err
        assert "training.epochs: The plan is 2 epochs, and 2 are over where it branches." in err
        assert "remedy: Train 10 more" in err

    @pytest.mark.parametrize("name", ["7", "nowhere"])
    def test_a_run_that_is_not_there_is_told(self, name: str, capsys: Capture) -> None:
        assert run(["branch", name]) == 1
        assert f"There is no run {name}. Name its folder, or the number of one in" in capsys.readouterr().err
