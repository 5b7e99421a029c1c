"""`gui-lab own`, and code that comes with an experiment: nothing runs without --trust-code."""

from __future__ import annotations

from pathlib import Path

import pytest

from gui_lab.cli import run
from gui_lab.core.experiment import default
from gui_lab.core.pipeline import TRANSFORMS

Capture = pytest.CaptureFixture[str]
MINE = """
from pathlib import Path
Path(__file__).with_name("canary").write_text("run")
class Mine:
    def __call__(self, picture):
        return {body}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(MINE.format(body="picture.flip(-1)"))
    return path


@pytest.fixture
def lesson(file: Path) -> Path:
    table = {"name": "Own", "file": str(file), "transform": "Mine"}
    experiment = default().edited("transforms", (TRANSFORMS.parse(table, ""), *default().transforms))
    experiment.edited("training.epochs", 1).edited("model", "SoftmaxRegression").save(file.with_name("lesson.lab"))
    return file.with_name("lesson.lab")


def test_an_example_is_written_listed_and_keeps_the_contract(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "first.py"
    assert run(["own", str(path)]) == 0
    assert "--trust-code" in capsys.readouterr().out
    assert run(["own", str(path)]) == 0
    listed = capsys.readouterr().out
    assert "Vignette (strength)" in listed
    assert "RandomShade (low, high), random" in listed
    assert "Nothing of it was run" in listed
    assert run(["own", str(path), "--trust-code"]) == 0
    assert capsys.readouterr().out.count("    yes  ") == 10


def test_a_file_is_only_read_until_it_is_trusted(file: Path, capsys: Capture) -> None:
    assert run(["own", str(file)]) == 0
    assert not file.with_name("canary").exists()
    assert run(["own", str(file), "--trust-code"]) == 0
    assert file.with_name("canary").exists()


def test_a_transform_that_breaks_the_contract_ends_with_two(file: Path, capsys: Capture) -> None:
    file.write_text(MINE.format(body="picture[0]"))
    assert run(["own", str(file), "--trust-code"]) == 2
    assert "gave uint8 of 2 dimensions" in capsys.readouterr().out


def test_one_that_needs_arguments_is_left_out_and_named(file: Path, capsys: Capture) -> None:
    file.write_text(
        "class Sized:\n    def __init__(self, size):\n        pass\n\n    def __call__(self, p):\n        return p"
    )
    assert run(["own", str(file), "--trust-code"]) == 0
    assert "not tried" in capsys.readouterr().out


def test_files_that_cannot_be_used_are_told_in_one_line(tmp_path: Path, capsys: Capture) -> None:
    assert run(["own", str(tmp_path / "text.txt")]) == 2
    assert run(["own", str(tmp_path / "nowhere" / "own.py")]) == 1
    empty = tmp_path / "empty.py"
    empty.write_text("x = 1")
    assert run(["own", str(empty)]) == 2
    assert "has no transform" in capsys.readouterr().out


def test_checking_training_and_tracing_refuse_what_is_not_trusted(lesson: Path, capsys: Capture) -> None:
    assert run(["check", str(lesson)]) == 2
    assert "Read the code, then add --trust-code" in capsys.readouterr().out
    assert run(["check", str(lesson), "--json"]) == 2
    assert run(["train", str(lesson), "--runs", str(lesson.parent / "runs")]) == 2
    where = ["--index", "0", "--epoch", "1", "--save", str(lesson.parent / "trace")]
    assert run(["trace", str(lesson), *where]) == 2
    assert not lesson.with_name("canary").exists()


def test_what_is_trusted_is_checked_trained_and_traced(lesson: Path, capsys: Capture) -> None:
    assert run(["check", str(lesson), "--trust-code"]) == 0
    assert run(["train", str(lesson), "--trust-code", "--json", "--runs", str(lesson.parent / "runs")]) == 0
    assert '"reason": "finished"' in capsys.readouterr().out
    where = ["--index", "0", "--epoch", "1", "--save", str(lesson.parent / "trace"), "--trust-code"]
    assert run(["trace", str(lesson), *where]) == 0
    assert "Own" in capsys.readouterr().out
