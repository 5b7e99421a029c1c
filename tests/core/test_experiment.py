"""A recipe is read, written and edited as a value. Whatever a file holds, all that is wrong is said at once."""

from __future__ import annotations

import os
import random
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui_lab.core.experiment import VERSION, Experiment, default, from_document, from_toml, load
from gui_lab.core.images import DATASETS, ImageSet, InMemory
from gui_lab.core.learning import LOSSES, MODELS, OPTIMIZERS, SCHEDULERS, Training
from gui_lab.core.pipeline import TRANSFORMS
from gui_lab.errors import InvalidExperiment, LabError, UnreadableDocument

EXAMPLE = """
version = 1
[dataset]
name = "MNIST"
root = "data"
[[transforms]]
name = "RandomCrop"
size = 28
padding = 4
[[transforms]]
name = "ToTensor"
[[transforms]]
name = "Normalize"
mean = [0.1307]
std = [0.3081]
[model]
name = "LeNet5"
[optimizer]
name = "SGD"
lr = 0.05
momentum = 0.9
[training]
epochs = 3
batch_size = 64
seed = 1
device = "auto"
"""


@pytest.fixture
def example() -> Experiment:
    return from_toml(EXAMPLE)


def refused(text: str) -> dict[str, str]:
    """The sentences of what is wrong with a text, by path."""
    with pytest.raises(InvalidExperiment) as caught:
        from_toml(text)
    return {problem.path: problem.sentence for problem in caught.value.problems}


# reading and writing


def test_the_example_reads_as_it_is_written(example: Experiment) -> None:
    assert example == Experiment(
        dataset=DATASETS.make("MNIST", root=Path("data")),
        transforms=(
            TRANSFORMS.make("RandomCrop", size=28, padding=4),
            TRANSFORMS.make("ToTensor"),
            TRANSFORMS.make("Normalize", mean=(0.1307,), std=(0.3081,)),
        ),
        model=MODELS.make("LeNet5"),
        loss=LOSSES.make("CrossEntropyLoss"),
        optimizer=OPTIMIZERS.make("SGD", lr=0.05, momentum=0.9),
        schedulers=(),
        training=Training(epochs=3, batch_size=64, seed=1, device="auto"),
    )


def entries() -> Iterator[Any]:
    for dataset in DATASETS:
        yield dataset(root="pictures") if "root" in dataset.model_fields else dataset()
    yield from (transform.suggested(None) for transform in TRANSFORMS)
    yield from (entry() for registry in (MODELS, LOSSES, OPTIMIZERS, SCHEDULERS) for entry in registry)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("entry", list(entries()), ids=lambda entry: entry.name_of())
def test_every_entry_is_read_back_as_it_was_written(entry: Any, full: bool, example: Experiment) -> None:
    part = {base.__name__.lower(): entry for base in type(entry).__mro__}
    experiment = Experiment(
        dataset=part.get("dataset", example.dataset),
        transforms=(entry, entry) if "transform" in part else (),
        model=part.get("model", example.model),
        loss=part.get("loss", example.loss),
        optimizer=part.get("optimizer", example.optimizer),
        schedulers=(entry, entry) if "scheduler" in part else (),
        training=example.training,
    )
    text = experiment.to_toml(full=full)
    assert from_toml(text) == experiment
    assert tomllib.loads(text)["version"] == VERSION
    assert from_document(experiment.document(full=full)) == experiment


def test_the_lab_opens_with_an_experiment_that_runs() -> None:
    from gui_lab.core.images import opened

    opening = default()
    assert from_toml(opening.to_toml()) == opening
    assert opening.problems(opened(opening.dataset)) == []
    assert opening.problems() == []


def test_a_file_names_only_what_was_chosen(example: Experiment) -> None:
    document = tomllib.loads(example.to_toml())
    assert document["model"] == {"name": "LeNet5"}
    assert document["optimizer"] == {"name": "SGD", "lr": 0.05, "momentum": 0.9}
    assert document["training"] == {"epochs": 3}
    assert document["transforms"][0] == {"name": "RandomCrop", "size": 28, "padding": 4}
    assert set(tomllib.loads(example.to_toml(full=True))["training"]) == set(Training.model_fields)


def test_what_a_file_leaves_out_is_at_its_default() -> None:
    short = from_toml('version = 1\ndataset.name = "Digits"\nmodel.name = "MLP"\noptimizer.name = "Adam"')
    assert short.transforms == ()
    assert (short.model, short.optimizer, short.training) == (MODELS.make("MLP"), OPTIMIZERS.make("Adam"), Training())


# what is wrong with a text


def test_all_that_is_wrong_is_said_at_once_each_at_its_place() -> None:
    text = EXAMPLE.replace("size = 28", "size = 0").replace('"ToTensor"', '"ToTensr"').replace("0.3081", "-1")
    text = text.replace('"LeNet5"', '"LeNet"').replace("lr = 0.05", "lr = nan\nlearning = 1").replace("epochs = 3", "")
    text = text.replace("seed = 1", 'seed = "one"\nepoch = 3').replace("version = 1", "version = 1\nnotes = 1")
    found = refused(text)
    assert set(found) == {
        "notes", "transforms.0.size", "transforms.1.name", "transforms.2.std", "model.name", "optimizer.lr",
        "optimizer.learning", "training.seed", "training.epoch",
    }  # fmt: skip
    assert "ToTensor" in found["transforms.1.name"]
    assert "LeNet5" in found["model.name"]
    assert "Did you mean epochs?" in found["training.epoch"]
    assert "transforms" in found["notes"]
    assert "finite" in found["optimizer.lr"]
    assert "greater than or equal to 1, not 0" in found["transforms.0.size"]


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ("epochs = 3", "epochs = 1_000_000_000", "training.epochs", "10000, not 1000000000"),
        ("epochs = 3", "epochs = 1e9", "training.epochs", "10000, not 1000000000.0"),
        ("epochs = 3", "epochs = 2.5", "training.epochs", "integer"),
        ("epochs = 3", "epochs = inf", "training.epochs", "finite"),
        ("epochs = 3", "epochs = []", "training.epochs", "not []"),
        ("[0.1307]", "[nan]", "transforms.2.mean", "finite"),
        ("[0.1307]", "0.1307", "transforms.2.mean", "a list"),
        ("[0.1307]", "[]", "transforms.2.mean", "at least 1 item"),
        ("[0.1307]", "[0.1, 0.2]", "transforms.2.std", "2 means but 1"),
        ("padding = 4", "padding = [4, 4, 4]", "transforms.0.padding", "[4, 4, 4]"),
        ("padding = 4", "padding = -4", "transforms.0.padding", "greater than or equal to 0"),
        ("padding = 4", "padding = [-4, 4]", "transforms.0.padding", "greater than or equal to 0, not -4"),
        ("size = 28", "", "transforms.0.size", "needs a value"),
        ("size = 28", "size = [28, 5000]", "transforms.0.size", "4096, not 5000"),
        ('device = "auto"', 'device = "gpu"', "training.device", "'cuda'"),
        ("momentum = 0.9", "nesterov = true", "optimizer.nesterov", "momentum above 0"),
        ('name = "SGD"', "", "optimizer.name", "Which optimizer? Known: SGD"),
        ('name = "SGD"', "name = 5", "optimizer.name", "no optimizer named 5"),
        ('name = "SGD"', "name = ['SGD']", "optimizer.name", "['SGD']"),
        ('name = "SGD"', 'name = "sgd"', "optimizer.name", "Known: SGD"),
        ("version = 1", "", "version", "Must be 1, not None"),
        ("version = 1", "version = 0", "version", "Must be 1, not 0"),
        ("version = 1", 'version = "1"', "version", "Must be 1, not '1'"),
        ("version = 1", "version = true", "version", "Must be 1, not True"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(old: str, new: str, path: str, words: str) -> None:
    assert EXAMPLE.count(old) == 1
    found = refused(EXAMPLE.replace(old, new))
    assert list(found) == [path]
    assert words in found[path]


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"transforms": {"name": "ToTensor"}}, "transforms"),
        ({"transforms": [5]}, "transforms.0"),
        ({"transforms": [{"name": "ToTensor"}, "ToTensor"]}, "transforms.1"),
        ({"model": "LeNet5"}, "model"),
        ({"model": []}, "model"),
        ({"training": 3}, "training"),
        ({"training": {"name": "Training"}}, "training.name"),
    ],
)
def test_a_part_of_the_wrong_kind_is_named(document: dict[str, Any], path: str, example: Experiment) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        from_document({**example.document(), **document})
    assert [problem.path for problem in caught.value.problems] == [path]


def test_an_empty_text_asks_for_what_is_missing() -> None:
    assert set(refused("")) == {"version", "dataset.name", "model.name", "optimizer.name"}


@pytest.mark.parametrize("version", ["2", "99", "0x" + "f" * 4800])
def test_a_newer_file_is_refused_with_its_version(version: str) -> None:
    with pytest.raises(UnreadableDocument, match="newer GUI Lab") as caught:
        from_toml(EXAMPLE.replace("version = 1", f"version = {version}"))
    assert "Update" in caught.value.remedy


@pytest.mark.parametrize(
    "text",
    ["[model\n", "version = ", "version = 1\nversion = 1", "\x00", "a = 2020-13-45", f"version = {'9' * 4900}"],
)
def test_what_is_not_toml_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(UnreadableDocument, match="not a readable experiment") as caught:
        from_toml(text)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "bomb",
    [
        "[" * 100_000,
        "a = " + "[" * 100_000,
        "a = " + "[\n" * 50_000,
        "a = " + "{a = " * 1000,
        "a = " + "[\n" * 90 + "]\n" * 90,
        "version" + ".a" * 2400 + " = 1",
        "version = 1\ndataset" + ".a" * 2400 + " = 1",
        "model.name" + ".a" * 2400 + " = 1",
        "training.epochs" + ".a" * 2400 + " = 1",
        "transforms" + ".a" * 2400 + " = 1",
        "[training" + ".a" * 2400 + "]",
        "a" + ".a" * 90_000 + " = 1",
        "training.seed = 0x" + "f" * 4800,
    ],
    ids=lambda bomb: f"{bomb[:12]!r}... of {len(bomb)}",
)
@pytest.mark.timeout(10)
def test_a_bomb_is_an_error_like_any_other(bomb: str) -> None:
    with pytest.raises((InvalidExperiment, UnreadableDocument)) as caught:
        from_toml(bomb)
    assert len(str(caught.value)) < 2000


@pytest.mark.timeout(15)
def test_the_slowest_file_that_is_read_at_all_is_refused_within_seconds(tmp_path: Path) -> None:
    file = tmp_path / "slow.lab"
    file.write_text("\n".join(f"k{line}{'.a' * 2400} = 1" for line in range(20)))
    with pytest.raises(InvalidExperiment):
        load(file)


def test_no_damage_to_a_file_raises_anything_but_an_expected_error() -> None:
    """Characters lost, doubled and swapped at random: a person or a disk did it."""
    dice = random.Random(0)
    said = []
    for _ in range(400):
        text = list(EXAMPLE)
        for _ in range(dice.randrange(1, 6)):
            place = dice.randrange(len(text))
            damage = dice.choice(["", "[", '"', "=", ".", "\n", "9", "nan", "\ufffd", text[place] * 2])
            text[place : place + dice.randrange(4)] = damage
        said.append(verdict("".join(text)))
    assert all(said)
    assert len(set(said)) > 50


def verdict(text: str) -> str:
    try:
        from_toml(text)
    except LabError as error:
        return str(error)
    return "read"


# files


def test_a_saved_file_is_read_back(tmp_path: Path, example: Experiment) -> None:
    file = tmp_path / "first.lab"
    example.save(file)
    assert load(file) == example.edited("dataset.root", Path("data").absolute())


def test_a_relative_root_is_meant_from_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "course" / "first.lab"
    file.parent.mkdir()
    for written, meant in (("data", "course/data"), ("../data", "data"), (".", "course"), ("/data", "/data")):
        file.write_text(EXAMPLE.replace('root = "data"', f'root = "{written}"'))
        assert load(file).dataset.root == tmp_path / meant


def test_a_folder_with_its_pictures_can_be_moved(tmp_path: Path, example: Experiment) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for root, moved in ((here / "pictures" / "small", there / "pictures" / "small"), (here, there)):
        here.mkdir()
        example.edited("dataset.root", root).save(here / "first.lab")
        here.rename(there)
        assert load(there / "first.lab").dataset.root == moved
        (there / "first.lab").unlink()
        there.rmdir()


def test_pictures_elsewhere_stay_where_they_are(tmp_path: Path, example: Experiment) -> None:
    """A root that is meant from the working folder does not silently become one below the file."""
    for root, meant in (("/data", "/data"), (tmp_path / "data", tmp_path / "data"), ("data", Path.cwd() / "data")):
        file = tmp_path / "course" / "first.lab"
        file.parent.mkdir(exist_ok=True)
        example.edited("dataset.root", root).save(file)
        assert load(file).dataset.root == Path(meant)


def test_a_root_in_a_home_folder_is_written_as_such(tmp_path: Path, example: Experiment) -> None:
    file = tmp_path / "first.lab"
    example.edited("dataset.root", "~/pictures").save(file)
    assert 'root = "~/pictures"' in file.read_text()
    assert load(file).dataset.root == Path("~/pictures")


def test_a_saved_file_can_be_read_by_others(tmp_path: Path, example: Experiment) -> None:
    beside = tmp_path / "beside"
    beside.touch()
    example.save(tmp_path / "first.lab")
    assert stat.S_IMODE((tmp_path / "first.lab").stat().st_mode) == stat.S_IMODE(beside.stat().st_mode)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_save_that_fails_keeps_the_old_file_and_leaves_nothing(
    call: str, tmp_path: Path, example: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "first.lab"
    example.save(file)
    before = file.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(UnreadableDocument, match="No space left") as caught:
        example.edited("training.epochs", 9).save(file)
    assert caught.value.remedy
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_is_not_there_cannot_be_saved_to(tmp_path: Path, example: Experiment) -> None:
    with pytest.raises(UnreadableDocument, match="could not be saved"):
        example.save(tmp_path / "nowhere" / "first.lab")


def test_a_root_that_is_not_text_cannot_be_saved(tmp_path: Path, example: Experiment) -> None:
    with pytest.raises(UnreadableDocument, match="not text"):
        example.edited("dataset.root", Path("data/\udcff")).save(tmp_path / "first.lab")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00binary", "not a text file"),
        (b"# " + b"x" * 100_000, "too large"),
        (b"[" * 100_000, "too long"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_experiment_is_refused(content: bytes | None, words: str, tmp_path: Path) -> None:
    file = tmp_path / "first.lab"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UnreadableDocument, match=words) as caught:
        load(file)
    assert caught.value.remedy


def test_a_folder_is_no_experiment(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument, match="cannot be read"):
        load(tmp_path)


# editing


@pytest.mark.parametrize(
    ("path", "value", "read"),
    [
        ("training.epochs", 7, lambda e: e.training.epochs == 7),
        ("training", Training(epochs=8), lambda e: e.training == Training(epochs=8)),
        ("training", {"epochs": 8}, lambda e: e.training == Training(epochs=8)),
        ("transforms.0.size", (20, 24), lambda e: e.transforms[0].size == (20, 24)),
        ("transforms.0.padding", None, lambda e: e.transforms[0].padding is None),
        ("transforms.2.mean.0", 0.5, lambda e: e.transforms[2].mean == (0.5,)),
        ("transforms.1.enabled", False, lambda e: not e.transforms[1].enabled),
        ("transforms.1", TRANSFORMS.make("Grayscale"), lambda e: e.transforms[1] == TRANSFORMS.make("Grayscale")),
        ("transforms.1.name", "Grayscale", lambda e: e.transforms[1] == TRANSFORMS.make("Grayscale")),
        ("transforms", (), lambda e: e.transforms == ()),
        ("transforms", [TRANSFORMS.make("ToTensor")], lambda e: e.transforms == (TRANSFORMS.make("ToTensor"),)),
        ("dataset.name", "Digits", lambda e: e.dataset == DATASETS.make("Digits")),
        ("dataset.name", "MNIST", lambda e: e.dataset.root == Path("data")),
        ("dataset", "Digits", lambda e: e.dataset == DATASETS.make("Digits")),
        ("dataset.root", Path("/elsewhere"), lambda e: e.dataset.root == Path("/elsewhere")),
        ("model", "MLP", lambda e: e.model == MODELS.make("MLP")),
        ("model", MODELS.make("MLP", hidden=(3, 4)), lambda e: e.model.hidden == (3, 4)),
        ("model.name", "MNISTNet", lambda e: e.model == MODELS.make("MNISTNet")),
        ("model.padding", 0, lambda e: e.model.padding == 0),
        ("optimizer", "Adam", lambda e: e.optimizer == OPTIMIZERS.make("Adam")),
        ("optimizer.name", "Adam", lambda e: e.optimizer.lr == 0.001),
        ("optimizer.nesterov", True, lambda e: e.optimizer.nesterov and e.optimizer.momentum == 0.9),
        ("training.epochs", None, lambda e: e.training == Training()),
    ],
)
def test_an_edit_changes_its_place_alone(path: str, value: Any, read: Any, example: Experiment) -> None:
    edited = example.edited(path, value)
    assert read(edited)
    for name in {"dataset", "transforms", "model", "optimizer", "training"} - {path.split(".")[0]}:
        assert getattr(edited, name) is getattr(example, name)
    assert example == from_toml(EXAMPLE)
    assert from_toml(edited.to_toml()) == edited


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("", 1, ""),
        ("version", 2, "version"),
        ("nothing", 1, "nothing"),
        ("training.nothing", 1, "training.nothing"),
        ("training.epochs", 0, "training.epochs"),
        ("training.epochs", float("nan"), "training.epochs"),
        ("training.epochs.0", 1, "training.epochs.0"),
        ("training.name", "Training", "training.name"),
        ("training.a.b.c", 1, "training.a.b.c"),
        ("transforms", 5, "transforms"),
        ("transforms", [5], "transforms.0"),
        ("transforms.3", TRANSFORMS.make("ToTensor"), "transforms.3"),
        ("transforms.3.size", 5, "transforms.3.size"),
        ("transforms.-1.size", 5, "transforms.-1.size"),
        ("transforms.x.size", 5, "transforms.x.size"),
        ("transforms.0.degrees", 5, "transforms.0.degrees"),
        ("transforms.0.size", None, "transforms.0.size"),
        ("transforms.0", "ToTensor", "transforms.0"),
        ("dataset.name", "MNST", "dataset.name"),
        ("dataset.name", None, "dataset.name"),
        ("model", "LeNet", "model.name"),
        ("model.name.x", "LeNet", "model.name.x"),
        ("transforms.0.size.1", 5, "transforms.0.size.1"),
        ("optimizer.momentum", 1.0, "optimizer.momentum"),
        ("optimizer.betas", (0.8, 0.9), "optimizer.betas"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused_at_its_place(
    path: str, value: Any, where: str, example: Experiment
) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        example.edited(path, value)
    assert [problem.path for problem in caught.value.problems] == [where]
    assert example == from_toml(EXAMPLE)


# beside the pictures


def pictures(count: int, side: int) -> ImageSet:
    labels = np.arange(count) % 2
    pixels = np.zeros((count, 1, side, side), np.uint8)
    everything = np.arange(count)
    return ImageSet(InMemory(pixels), labels, ("a", "b"), everything, everything[:2], everything[:0])


@pytest.mark.parametrize("count", [1, 2, 3, 63])
def test_a_batch_larger_than_the_data_is_told_with_one_that_fits(count: int, example: Experiment) -> None:
    (problem,) = example.problems(pictures(count, 28))
    assert problem.path == "training.batch_size"
    assert f"{count} training pictures" in problem.sentence
    (repair,) = problem.repairs
    assert example.edited(repair.path, repair.value).problems(pictures(count, 28)) == []


def test_a_batch_of_all_the_data_is_fine(example: Experiment) -> None:
    assert example.problems(pictures(64, 28)) == []


@pytest.mark.parametrize(
    "transforms",
    [
        ["ToTensor"],
        ["ToTensor", {"name": "CenterCrop", "size": 8}],
        [{"name": "RandomCrop", "size": 6}, {"name": "CenterCrop", "size": 6}, "ToTensor"],
        [{"name": "Resize", "size": [20, 7]}, "ToTensor"],
        ["ToTensor", {"name": "Resize", "size": 30}, {"name": "CenterCrop", "size": [9, 4]}, "Normalize"],
    ],
)
def test_a_picture_too_small_for_the_network_is_told_with_a_resize_that_lasts(
    transforms: list[Any], example: Experiment
) -> None:
    tables = [{"name": step} if isinstance(step, str) else step for step in transforms]
    small = example.edited("transforms", tables)
    images = pictures(64, 8)
    (problem,) = small.problems(images)
    assert problem.path == "model"
    assert "LeNet5 needs pictures of at least 12x12" in problem.sentence
    (repair,) = problem.repairs
    assert small.edited(repair.path, repair.value).problems(images) == []


def test_a_broken_chain_and_a_large_batch_are_told_together(example: Experiment) -> None:
    found = example.edited("transforms", ()).problems(pictures(10, 28))
    assert [problem.path for problem in found] == ["transforms", "training.batch_size"]


def test_what_a_run_keeps_of_it_names_its_pictures_from_the_root(example: Experiment, tmp_path: Path) -> None:
    kept = tmp_path / "experiment.lab"
    kept.write_text(example.edited("dataset.root", "pictures").carried(tmp_path).to_toml(full=True))
    assert Path(load(kept).document(full=True)["dataset"]["root"]) == Path("pictures").absolute()
