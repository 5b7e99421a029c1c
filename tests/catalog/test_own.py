"""A person's own code: read without being run, run only when trusted, and never able to take the lab with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gui_lab import paths
from gui_lab.core import experiment as experiments
from gui_lab.core import own_code, trust
from gui_lab.core.chain import Chain
from gui_lab.core.checking import problems
from gui_lab.core.experiment import default
from gui_lab.core.pipeline import TRANSFORMS, Kind, Transform
from gui_lab.core.trust import Code
from gui_lab.errors import InvalidExperiment, OwnCodeError, StoreError

GREY = Kind.image(1, 8, 8)
PICTURES = torch.arange(4 * 64, dtype=torch.uint8).view(4, 1, 8, 8)
RESCALE = '''
"""Runs when it is imported."""
from pathlib import Path
Path(__file__).with_name("canary").write_text("run")
from torchvision.transforms.v2 import functional


class Rescale:
    """Scales the picture."""

    def __init__(self, output_size, sharp: bool = True, factor: float = 1.0):
        assert isinstance(output_size, (int, tuple))
        self.size = output_size

    def __call__(self, picture):
        return functional.resize(picture, [self.size, self.size])


class Noise:
    def __init__(self, strength: int = 9):
        self.strength = strength

    def forward(self, picture, generator):
        import torch
        noise = torch.randint(0, self.strength + 1, picture.shape, generator=generator, dtype=picture.dtype)
        return picture // 2 + noise


def helper():
    pass


class NoTransform:
    pass
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rescale.py"
    path.write_text(RESCALE)
    return path


def own(file: Path, name: str, **values: Any) -> Transform:
    return TRANSFORMS.parse({"name": "Own", "file": str(file), "transform": name, **values}, "transforms.0")


def trusted(transform: Transform) -> Transform:
    code = transform.code()
    assert code is not None
    trust.trust(code)
    return transform


def first(transform: Transform, kind: Kind = GREY) -> Any:
    return problems(Chain([transform, TRANSFORMS.make("ToTensor")]), kind)[0]


def made(text: str) -> Transform:
    return TRANSFORMS.make("Lambda", lambd=text)


# ---------------------------------------------------------------- trust


def test_code_is_trusted_for_its_exact_text_and_place() -> None:
    code = Code("a.py", "x = 1", Path("/here/a.py"))
    assert not trust.is_trusted(code)
    trust.trust(code)
    assert trust.is_trusted(Code("other title", "x = 1", Path("/here/a.py")))
    assert not trust.is_trusted(Code("a.py", "x = 2", Path("/here/a.py")))
    assert not trust.is_trusted(Code("a.py", "x = 1", Path("/there/a.py")))
    assert not trust.is_trusted(Code("a.py", "x = 1"))


def test_trust_can_be_taken_back() -> None:
    code, other = Code("Lambda", "lambda p: p"), Code("Lambda", "lambda q: q")
    trust.trust(code)
    trust.trust(other)
    trust.forget(code)
    trust.forget(Code("Lambda", "never seen"))
    assert (trust.is_trusted(code), trust.is_trusted(other)) == (False, True)


@pytest.mark.parametrize("damage", ["", "[1, 2]", "{broken", "\x00"])
def test_a_damaged_store_trusts_nothing_and_can_be_written_again(damage: str) -> None:
    code = Code("Lambda", "lambda p: p")
    trust.trust(code)
    (paths.config() / "trusted.json").write_text(damage)
    assert not trust.is_trusted(code)
    trust.trust(code)
    assert trust.is_trusted(code)


def test_where_an_answer_cannot_be_kept_nothing_is_trusted(tmp_path: Path) -> None:
    code = Code("Lambda", "lambda p: p")
    paths.config().parent.mkdir(parents=True, exist_ok=True)
    paths.config().write_text("a file where a folder has to be")
    with pytest.raises(StoreError, match="could not be kept"):
        trust.trust(code)
    assert not trust.is_trusted(code)


# ---------------------------------------------------------------- nothing runs before


def test_opening_checking_and_tracing_a_document_runs_nothing_of_it(file: Path) -> None:
    transforms = (own(file, "Rescale", output_size=16), made("lambda p: open('canary', 'w')"))
    experiment = default().edited("transforms", (*transforms, *default().transforms))
    saved = file.with_name("with_code.lab")
    experiment.save(saved)
    opened = experiments.load(saved)
    assert opened == experiment
    chain = opened.chain
    assert "not trusted" in problems(chain, GREY)[0].sentence
    (stages,) = chain.trace([PICTURES[0]], np.array([0]), seed=1, epoch=1)
    assert [stage.name for stage in stages] == ["source"]
    assert [code.title for code in opened.code()] == ["rescale.py", "Lambda"]
    assert not file.with_name("canary").exists()


def test_applying_what_is_not_trusted_is_refused(file: Path) -> None:
    for transform in (own(file, "Rescale", output_size=4), made("lambda p: p")):
        with pytest.raises(OwnCodeError, match="not trusted"):
            transform.apply(PICTURES, {})
    assert not file.with_name("canary").exists()


def test_the_problem_carries_the_code_to_read(file: Path) -> None:
    problem = first(own(file, "Rescale", output_size=4))
    assert [repair.label for repair in problem.repairs] == ["Read the code"]
    assert problem.repairs[0].value.text == RESCALE


def test_a_changed_byte_is_asked_about_again(file: Path) -> None:
    transform = trusted(own(file, "Rescale", output_size=4))
    assert problems(Chain([transform, TRANSFORMS.make("ToTensor")]), GREY) == []
    file.write_text(RESCALE + "\n")
    assert "not trusted" in first(transform).sentence
    with pytest.raises(OwnCodeError, match="not trusted"):
        transform.apply(PICTURES, {})


# ---------------------------------------------------------------- classes from a file


def test_the_fields_are_those_of_the_class(file: Path) -> None:
    transform: Any = own(file, "Rescale", output_size=4, sharp=False)
    assert (transform.output_size, transform.sharp, transform.factor) == (4, False, 1.0)
    assert (transform.title, transform.name_of(), transform.summary()) == ("Rescale", "Own", "Scales the picture.")
    assert transform.changed(output_size=(3, 5)).output_size == (3, 5)
    assert type(transform.changed(output_size=7).output_size) is int
    assert not transform.random
    assert own(file, "Noise").random


def test_a_class_gives_what_its_code_says(file: Path) -> None:
    transform = trusted(own(file, "Rescale", output_size=4))
    chain = Chain([transform, TRANSFORMS.make("ToTensor")])
    assert chain.output(GREY).size == (4, 4)
    given = chain.run(PICTURES, np.arange(4), seed=1, epoch=1, training=True)
    assert given.shape == (4, 1, 4, 4)


def test_a_generator_makes_it_random_and_repeatable_and_leaves_torchs_own_alone(file: Path) -> None:
    chain = Chain([trusted(own(file, "Noise", strength=100))])
    before = torch.random.get_rng_state()
    once, again, later = (chain.run(PICTURES, np.arange(4), seed=1, epoch=epoch, training=True) for epoch in (1, 1, 2))
    assert torch.equal(once, again)
    assert not torch.equal(once, later)
    assert torch.equal(chain.run(PICTURES[2:], np.arange(2, 4), seed=1, epoch=1, training=True), once[2:])
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(chain.run(PICTURES, np.arange(4), seed=1, epoch=1, training=False), PICTURES)


def test_a_relative_file_is_meant_from_the_documents_folder(file: Path) -> None:
    experiment = default().edited("transforms", (own(file, "Rescale", output_size=4), *default().transforms))
    saved = file.with_name("moved.lab")
    experiment.save(saved)
    assert 'file = "rescale.py"' in saved.read_text()
    elsewhere = file.parent / "elsewhere"
    elsewhere.mkdir()
    file.rename(elsewhere / file.name)
    saved.rename(elsewhere / saved.name)
    moved: Any = experiments.load(elsewhere / saved.name).transforms[0]
    assert (moved.file, moved.output_size) == (elsewhere / "rescale.py", 4)


def test_arguments_that_do_not_fit_are_named_with_their_path(file: Path) -> None:
    with pytest.raises(InvalidExperiment) as raised:
        own(file, "Rescale", output_size="large", sharpness=1)
    assert {problem.path for problem in raised.value.problems} == {
        "transforms.0.output_size",
        "transforms.0.sharpness",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("class T:\n def __call__(self, p): return", "is not Python, line 2|gave NoneType"),
        ("def (", "is not Python, line 1"),
        ("x = 1", "no transform class named T.*Write a class"),
        ("class U:\n    def __call__(self, p):\n        return p", "no transform class named T.*It has U"),
        (
            "class T:\n    def __init__(self, a: dict):\n        pass\n    def __call__(self, p):\n        return p",
            "dict",
        ),
        (
            "class T:\n    def __init__(self, a=f()):\n        pass\n    def __call__(self, p):\n        return p",
            "plain",
        ),
    ],
)
def test_a_file_that_cannot_be_used_says_why(file: Path, text: str, words: str) -> None:
    file.write_text(text)
    transform = own(file, "T")
    if transform.code() is not None:
        trusted(transform)
    assert re.search(words, first(transform).sentence)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"#" * 300_000])
def test_a_file_that_is_no_python_text_says_so(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert "too large" in first(own(file, "T")).sentence or "not a text" in first(own(file, "T")).sentence


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    assert "gone.py cannot be read" in first(own(tmp_path / "gone.py", "T")).sentence


# ---------------------------------------------------------------- what code can do wrong


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("1 / 0", r"failed \(line 3\): ZeroDivisionError"),
        ("'text'", "gave str"),
        ("picture[0]", "gave uint8 of 2 dimensions"),
        ("picture.double()", "gave float64 of 3 dimensions"),
    ],
)
def test_code_that_fails_is_told_with_its_line(file: Path, body: str, words: str) -> None:
    file.write_text(f"class T:\n    def __call__(self, picture):\n        return {body}\n")
    transform = trusted(own(file, "T"))
    assert re.search(words, first(transform).sentence)
    with pytest.raises(OwnCodeError, match=words):
        transform.apply(PICTURES, {})


def test_code_that_never_ends_is_given_up_on(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_code, "SECONDS", 0.2)
    file.write_text(
        "import threading\ngo = threading.Event()\nclass T:\n    def __call__(self, picture):\n        go.wait(20)\n"
        "        return picture\n"
    )
    transform = trusted(own(file, "T"))
    code = transform.code()
    assert code is not None
    try:
        assert "has not ended" in first(transform).sentence
    finally:
        own_code._namespace(code)["go"].set()


def test_code_cannot_change_the_pictures_of_the_data_set(file: Path) -> None:
    file.write_text("class T:\n    def __call__(self, picture):\n        return picture.zero_()\n")
    transform = trusted(own(file, "T"))
    before = PICTURES.clone()
    assert int(transform.apply(PICTURES, {}).max()) == 0  # type: ignore[union-attr]  # one size
    assert torch.equal(PICTURES, before)


# ---------------------------------------------------------------- lambdas


def test_a_trusted_lambda_acts() -> None:
    chain = Chain([trusted(made("lambda picture: picture.flip(-1)"))])
    assert torch.equal(chain.run(PICTURES, np.arange(4), seed=1, epoch=1, training=False), PICTURES.flip(-1))
    assert Chain([trusted(made("lambda p: F.resize(p, [4, 4])"))]).output(GREY).size == (4, 4)
    assert Chain([trusted(made("lambda p: p / 255"))]).output(GREY).dtype == "float32"


@pytest.mark.parametrize("text", ["", "picture", "lambda a, b: a", "lambda a:", "import os", "lambda a: a; 1"])
def test_what_is_no_lambda_of_one_picture_says_how_to_write_one(text: str) -> None:
    problem = first(made(text))
    assert "not a" in problem.sentence
    assert "lambda picture: picture.flip(-1)" in problem.sentence


def test_values_that_leave_their_range_may_be_any_and_others_stay_in_it() -> None:
    tensor = Kind("float32", 1, 8, 8, (8, 8), 0.0, 1.0)
    for code, bounded in (("lambda picture: picture * 2 - 1", False), ("lambda picture: picture.flip(-1)", True)):
        leaving = trusted(TRANSFORMS.make("Lambda", lambd=code)).output(tensor)
        assert isinstance(leaving, Kind)
        assert leaving.bounded is bounded, code
