"""`gui-lab bench`: that it measures what it says, in the real window, and tells it. Never how fast: that is for the
person who runs it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gui_lab.cli import run
from gui_lab.core.images import DATASETS, opened
from gui_lab.core.learning import MODELS
from gui_lab.errors import LabError
from gui_lab.testing.bench import bench, layouts, ours, pictures, tutorial
from gui_lab.testing.bench.bench import AS_TORCH_HAS_IT, OTHERS, Bench, Effort, Round, compared
from gui_lab.testing.bench.cases import CASES
from gui_lab.testing.bench.children import Child
from gui_lab.testing.bench.figures import COLUMNS, Figure, aligned, heading
from gui_lab.testing.bench.live import LiveWindow
from gui_lab.testing.bench.pace import Pace
from gui_lab.testing.robot import Robot

Capture = pytest.CaptureFixture[str]
TINY = Effort(rounds=1, seconds=0.1, pictures=640, beat_seconds=0.5, starts=1, points=50_000)
SOFTMAX = CASES[0]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is in a hurry."""
    monkeypatch.setattr(bench, "QUICK", TINY)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture
def registered() -> Iterator[None]:
    """The data set that only the measuring processes know."""
    pictures.register()
    yield
    DATASETS.remove("BenchPictures")


@functools.cache
def made_up(family: Any) -> pictures.Found:
    """What is trained on where nothing was published."""
    return pictures.found(family, Path("nowhere"))


@pytest.fixture
def here(tiny: None, registered: None, lab: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    """What children do is done in this process: only loading torch again three times is left out."""
    does = {"ours": ours.perform, "tutorial": tutorial.Scripts().perform, "live": LiveWindow(lab).perform}

    class Here(contextlib.nullcontext[None]):
        def __init__(self, module: str, home: Path, environment: Any) -> None:
            super().__init__()
            self._perform = does[module.rpartition(".")[2]]

        def __enter__(self) -> Any:
            return self

        def ask(self, limit_seconds: float, **question: Any) -> Any:
            return json.loads(json.dumps(self._perform(json.loads(json.dumps(question)))))

    monkeypatch.setattr(bench, "Child", Here)


def answers(**changed: Any) -> Round:
    """Two ways at two speeds."""
    ways: dict[str, dict[str, Any]] = {
        "loop": {"epoch_seconds": 2.0, "batch_seconds": 0.004, "accuracy": 0.9, "others": 0.1},
        "window": {"epoch_seconds": 2.5, "accuracy": 0.95, "others": 0.3},
        "compute": {"batch_seconds": 0.003, "others": 0.0},
        "script": {"epoch_seconds": 25.0, "accuracy": 0.96, "others": 0.2, "reads": "MNIST"},
    }
    return Round(**{way: {**answer, **changed.get(way, {})} for way, answer in ways.items()})


class TestTheVerb:
    def test_it_trains_a_case_in_each_way_and_says_where_the_pictures_are_from(
        self, here: None, tmp_path: Path, capsys: Capture
    ) -> None:
        assert run(["bench", "--quick", "--json", "--offscreen", "--root", str(tmp_path), "--only", "softmax"]) == 0
        told = capsys.readouterr()
        record = json.loads(told.out)
        assert [figure["name"] for figure in record["figures"]] == [
            "window : tutorial script",
            "window : our loop without a window",
            "our loop : compute only",
        ]
        assert all(figure["value"] > 0 and figure["group"] == SOFTMAX.title for figure in record["figures"])
        assert [figure["goal"] for figure in record["figures"]] == [10, 0.9, 0.7]
        assert record["machine"]["qt_platform"] == "offscreen"
        assert record["machine"]["torch"]
        (note,) = record["notes"]
        assert note.startswith(f"MNIST is not in {tmp_path} yet. Instead: Digits")
        assert "round 1 of 1: in the window" in told.err

    def test_the_heartbeat_is_taken_while_a_network_trains_and_all_moves(
        self, here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(MODELS, "names", lambda: ("MLP",))
        p99, longest = Bench(tmp_path, TINY).figures(["heartbeat"])
        assert 10 < p99.value <= longest.value
        assert (p99.name, p99.goal, longest.name, longest.goal) == ("MLP: p99", 22, "MLP: longest", 50)
        curves = float(p99.measured.split("curves ")[1].split("/s")[0])
        assert curves > 0

    def test_the_table_has_the_machine_the_columns_and_what_is_fair(self, tiny: None, capsys: Capture) -> None:
        assert run(["bench", "--quick", "--offscreen", "--only", "curve"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert "cores" in lines[0]
        assert "PySide6" in lines[1]
        assert [word for word in lines[4].split() if word] == [name for name in COLUMNS if name]
        assert lines[6] == "Repaint of the loss plot"
        assert lines[7].startswith("  50,000 points, 100 of them new")
        assert "take turns" in lines[-1]

    def test_a_name_that_is_not_there_is_answered_with_those_that_are(self, capsys: Capture) -> None:
        assert run(["bench", "--only", "everything"]) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert all(name in said for name in ("softmax", *OTHERS))

    def test_a_packaged_program_says_why_it_cannot(self, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
        monkeypatch.setattr("sys.frozen", True, raising=False)
        assert run(["bench"]) == 1
        assert "cannot measure itself" in capsys.readouterr().err


class TestFigures:
    def test_a_ratio_is_taken_within_a_round_and_the_median_over_them(self) -> None:
        slow = {"window": {"epoch_seconds": 5.0}, "script": {"epoch_seconds": 100.0}}
        speedup, watched, _ = compared(SOFTMAX, [answers(), answers(**slow), answers()])
        assert speedup.rounds == (10.0, 20.0, 10.0)
        assert speedup.value == 10.0
        assert watched.rounds == (0.8, 0.4, 0.8)

    def test_each_side_is_told_with_what_others_took_from_them(self) -> None:
        speedup, watched, computed = compared(SOFTMAX, [answers()])
        assert speedup.measured == "0.4 : 0.04 epochs/s by MNIST"
        assert computed.measured == "4,000 : 3,000 us a batch"
        assert (speedup.others, watched.others, computed.others) == (0.3, 0.3, 0.1)
        assert (speedup.reached, watched.reached, computed.reached) == (True, False, True)

    def test_what_was_learned_is_judged_only_where_all_pictures_were_there(self) -> None:
        twoconv = next(case for case in CASES if case.epochs)
        *_, told = compared(twoconv, [answers()], judged=False)
        assert told.value == pytest.approx(-1.0)
        assert told.reached is None
        *_, told = compared(twoconv, [answers()])
        assert told.reached is False

    def test_a_figure_without_a_number_is_no_promise_kept(self) -> None:
        figure = Figure("A case", "ratio", math.nan, "x", 10)
        assert figure.reached is None
        assert figure.record()["value"] is None
        assert json.loads(json.dumps(figure.record(), allow_nan=False))["others"] is None

    def test_the_columns_stand_below_their_names(self) -> None:
        figure = Figure("A case", "window : tutorial script", 12.345, "x", 10, "at least", "1 : 2", 0.05)
        top, line = next(heading()), aligned(figure.cells())
        for name, cell in (("figure", "12.3 x"), ("goal", ">= 10.0 x")):
            assert top.index(name) + len(name) == line.index(cell) + len(cell)
        assert line.endswith("5%")
        assert "reached" in line

    def test_every_case_promises_something_and_has_a_name_of_its_own(self) -> None:
        assert len({case.name for case in CASES} | set(OTHERS)) == len(CASES) + len(OTHERS)
        assert {case.name: case.speedup for case in CASES} == {
            "softmax": 10, "mlp": 6, "lenet": 5, "studio": 8, "twoconv": 1.6,
        }  # fmt: skip


class TestPace:
    def test_an_epoch_is_timed_from_middle_to_middle_with_its_validation(self) -> None:
        """Ten iterations of 0.1 s and a second of validation, looked at every 0.25 s."""
        exact, looked = Pace(10), Pace(10)
        for trained in range(1, 31):
            now = 0.1 * trained + (trained - 1) // 10
            exact.note(trained, now)
        for look in np.arange(0.0, 6.1, 0.25):
            done = sum(0.1 * trained + (trained - 1) // 10 <= look for trained in range(1, 31))
            looked.note(done, float(look))
        assert exact.epoch_seconds() == pytest.approx(2.0)
        assert looked.epoch_seconds() == pytest.approx(2.0, abs=0.2)
        assert exact.batch_seconds() == pytest.approx(0.1)

    def test_less_than_two_middles_say_nothing(self) -> None:
        pace = Pace(10)
        for trained in range(1, 15):
            pace.note(trained, 0.1 * trained)
        assert math.isnan(pace.epoch_seconds())


class TestPictures:
    def test_published_pictures_are_taken_where_they_are(self, shared_data: Path) -> None:
        found = pictures.found("mnist", shared_data)
        assert found.words == f"MNIST in {shared_data}"
        assert found.pixels.shape == (70_000, 1, 28, 28)
        assert found.trained == 60_000

    @pytest.mark.parametrize(
        ("family", "shape", "count"),
        [("mnist", (1, 28, 28), 60_000), ("cifar10", (3, 32, 32), 50_000)],
    )
    def test_made_ones_have_their_shape_and_number(self, family: Any, shape: tuple[int, ...], count: int) -> None:
        found = made_up(family)
        assert found.pixels.shape == (count + 10_000, *shape)
        assert found.trained == count
        assert "is not in" in found.words
        assert "Instead: " in found.words

    @pytest.mark.parametrize("form", ["MNIST", "CIFAR10", "ImageFolder"])
    def test_the_lab_and_the_script_get_the_same_pictures(self, registered: None, tmp_path: Path, form: Any) -> None:
        made = dataclasses.replace(made_up("mnist" if form == "MNIST" else "cifar10").first(50), form=form)
        layouts.lay_out(made, tmp_path / "laid")
        images = opened(pictures.BenchPictures(root=tmp_path / "laid"))
        assert (len(images.train), len(images.validation), len(images.test)) == (50, 10, 0)
        for part, chosen in (("train", images.train), ("test", images.validation)):
            theirs = tutorial.published(tmp_path / "laid" / layouts.FOLDER, part, None)
            assert type(theirs).__name__ == form
            assert pairs(np.asarray(images.pictures.take(chosen)), images.labels[chosen]) == pairs(
                np.stack([_channels_first(np.asarray(picture)) for picture, _ in theirs]),
                np.array([label for _, label in theirs]),
            )

    def test_a_folder_of_pictures_stays_the_same_files(self, registered: None, tmp_path: Path) -> None:
        for part, count in (("train", 6), ("test", 2)):
            for name in ("cat", "dog"):
                (tmp_path / "cifar10" / part / name).mkdir(parents=True)
                for number in range(count):
                    pixels = np.full((8, 8, 3), 20 * number + 3 * len(part) + len(name), np.uint8)
                    Image.fromarray(pixels).save(tmp_path / "cifar10" / part / name / f"{number}.jpg")
        found = pictures.found("cifar10", tmp_path)
        assert "ImageFolder, which decodes them in each epoch" in found.words
        assert (found.form, found.trained, len(found.labels)) == ("ImageFolder", 12, 16)
        chosen = found.first(4)
        layouts.lay_out(chosen, tmp_path / "laid")
        theirs = tutorial.published(tmp_path / "laid" / layouts.FOLDER, "train", None)
        assert len(theirs) == 4
        assert {Path(path).read_bytes() for path, _ in theirs.samples} == {
            path.read_bytes() for path in chosen.files[:4]
        }
        ours = opened(pictures.BenchPictures(root=tmp_path / "laid"))
        assert pairs(np.asarray(ours.pictures.take(ours.train)), ours.labels[ours.train]) == pairs(
            np.stack([_channels_first(np.asarray(picture)) for picture, _ in theirs]),
            np.array([label for _, label in theirs]),
        )

    def test_an_experiment_of_each_case_can_be_trained(self, registered: None, tmp_path: Path) -> None:
        for case in CASES:
            folder = tmp_path / case.family
            if not folder.exists():
                layouts.lay_out(made_up(case.family).first(100), folder)
            made = case.experiment(folder, epochs=3)
            problems = made.problems(opened(made.dataset))
            assert not [problem for problem in problems if problem.severity == "error"]
            assert made.training.epochs == 3


def pairs(pixels: Any, labels: Any) -> list[tuple[bytes, int]]:
    """Each picture with its label, in an order that does not depend on theirs."""
    return sorted((picture.tobytes(), int(label)) for picture, label in zip(pixels, labels, strict=True))


def _channels_first(picture: Any) -> Any:
    return picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1)


def test_a_child_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    with Child("gui_lab.testing.bench.nothing", tmp_path) as child, pytest.raises(LabError, match="No module named"):
        child.ask(30, way="train")


TELLS = """
import os
from gui_lab.testing.bench.children import serve
serve(lambda question: {name: os.environ.get(name) for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")})
"""


def test_the_script_waits_as_torch_has_it_and_not_as_the_lab_does(tmp_path: Path) -> None:
    """Python imports the lab before the script, which lies in it."""
    (tmp_path / "tells.py").write_text(TELLS)
    with Child("tells", tmp_path, AS_TORCH_HAS_IT | {"PYTHONPATH": str(tmp_path)}) as child:
        assert child.ask(60.0) == {"OMP_WAIT_POLICY": "", "GOMP_SPINCOUNT": None}
    with Child("tells", tmp_path, dict.fromkeys(AS_TORCH_HAS_IT) | {"PYTHONPATH": str(tmp_path)}) as child:
        assert child.ask(60.0) == {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "5000"}
