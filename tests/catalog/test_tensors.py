"""What acts on tensors computes what torchvision's own classes compute with the same numbers, drawn as often as theirs.

Whitening matrices come from files; what is wrong with one is told before anything runs.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from gui_lab.core import arrays
from gui_lab.core.chain import Chain
from gui_lab.core.checking import problems
from gui_lab.core.dice import Dice, normal_noise
from gui_lab.core.experiment import Experiment, default, from_toml, load
from gui_lab.core.pipeline import TRANSFORMS, Illegal, Kind, Transform
from gui_lab.errors import DataError, InvalidExperiment, StoreError
from gui_lab.schema import Problem, knobs

SIZES = [(28, 28), (20, 31), (7, 9), (1, 1)]
IMAGE = Kind.image(3, 28, 28)


def tensor_kind(channels: int = 3, height: int | None = 28, width: int | None = 28) -> Kind:
    return TRANSFORMS.make("ToTensor").output(Kind.image(channels, height, width, (5, 6)))


def pictures(count: int, channels: int, size: tuple[int, int]) -> torch.Tensor:
    return torch.from_numpy(
        np.random.default_rng([count, channels, *size]).random((count, channels, *size), np.float32)
    )


def wrong(chain: list[Transform], kind: Kind = IMAGE) -> Problem:
    """What is wrong with a chain; each of its repairs is a chain without an error."""
    (found,) = problems(Chain(chain), kind)
    assert found.severity == "error"
    for repair in found.repairs:
        assert not [left for left in problems(Chain(repair.value), kind) if left.severity == "error"], repair.label
    return found


def labels(problem: Problem) -> list[str]:
    return [repair.label for repair in problem.repairs]


# erasing


ERASED: list[dict[str, Any]] = [
    {},
    {"p": 1.0},
    {"p": 0.0},
    {"p": 0.9, "scale": (0.3, 0.9), "ratio": (0.1, 10), "value": 0.7},
    {"p": 1.0, "scale": (0.0, 0.002), "value": -1000},
    {"p": 1.0, "value": "random", "inplace": True},
    {"p": 0.5, "scale": (0.1, 0.5), "value": "random"},
]


def erased_by_torchvision(transform: Any, picture: torch.Tensor, drawn: dict[str, Any]) -> torch.Tensor:
    """One picture by torchvision's class, its parameters made of the numbers that we have drawn."""
    theirs = v2.RandomErasing(transform.p, transform.scale, transform.ratio, transform.value)
    value = None if theirs.value is None else torch.tensor(theirs.value)[:, None, None]
    params = {"i": drawn["top"], "j": drawn["left"], "h": drawn["height"], "w": drawn["width"], "v": value}
    if value is None:
        shape = (picture.shape[0], drawn["height"], drawn["width"])
        noise = normal_noise(drawn["seed"], int(np.prod(shape))).reshape(shape)
        params["v"] = torch.from_numpy(noise).to(torch.float32)
    erased: torch.Tensor = theirs.transform(picture, params) if drawn["erased"] else picture
    return erased


@pytest.mark.parametrize("values", ERASED, ids=str)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("count", [1, 12])
def test_what_is_erased_is_torchvisions_to_the_bit(values: dict[str, Any], channels: int, count: int) -> None:
    transform = TRANSFORMS.make("RandomErasing", **values)
    for size in SIZES:
        arriving = pictures(count, channels, size)
        before = arriving.clone()
        drawn = transform.draw(Dice(1, 2, np.arange(count) + 10, 3), (channels, *size))
        batch = transform.apply(arriving, drawn)
        for place, picture in enumerate(arriving):
            own = {name: numbers[place].item() for name, numbers in drawn.items()}
            expected = erased_by_torchvision(transform, picture, own)
            assert torch.equal(batch[place], expected)
            assert torch.equal(transform.one(picture, own), expected)
        assert torch.equal(arriving, before)


def test_a_colour_is_erased_channel_by_channel() -> None:
    transform = TRANSFORMS.make("RandomErasing", p=1.0, value=(0.1, 0.2, 0.3))
    arriving = pictures(6, 3, (28, 28))
    drawn = transform.draw(Dice(1, 2, np.arange(6), 3), (3, 28, 28))
    batch = transform.apply(arriving, drawn)
    for place, picture in enumerate(arriving):
        own = {name: numbers[place].item() for name, numbers in drawn.items()}
        assert torch.equal(batch[place], erased_by_torchvision(transform, picture, own))
    assert drawn["erased"].all()


COUNT = 4000


def drawn_by_torchvision(values: dict[str, Any], size: tuple[int, int]) -> dict[str, np.ndarray]:
    theirs, picture = v2.RandomErasing(**values), torch.zeros(1, *size)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = [theirs.make_params([picture]) for _ in range(COUNT)]
    found = np.array([params["v"] is not None for params in made])
    names = {"top": "i", "left": "j", "height": "h", "width": "w"}
    return {"erased": found} | {ours: np.array([params[name] for params in made]) for ours, name in names.items()}


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """The largest distance between two cumulative distributions, in units that 1.95 exceeds once in a thousand."""
    places = np.union1d(one, other)
    gaps = [np.searchsorted(np.sort(drawn), places, side="right") / len(drawn) for drawn in (one, other)]
    return float(np.abs(gaps[0] - gaps[1]).max() * np.sqrt(len(one) * len(other) / (len(one) + len(other))))


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ({}, (28, 28)),
        ({"scale": (0.1, 0.9), "ratio": (0.2, 6)}, (20, 31)),  # often too large: several tries
        ({"scale": (0.86, 1.0), "ratio": (0.9, 1.6)}, (12, 9)),  # often in vain
        ({"scale": (0.0, 0.01)}, (14, 14)),
    ],
    ids=str,
)
def test_rectangles_fall_where_torchvisions_fall(values: dict[str, Any], size: tuple[int, int]) -> None:
    ours = TRANSFORMS.make("RandomErasing", p=1.0, **values).draw(Dice(1, 1, np.arange(COUNT), 1), (1, *size))
    theirs = drawn_by_torchvision(values, size)
    often = theirs["erased"].mean()
    assert abs(ours["erased"].mean() - often) <= 4.5 * np.sqrt(max(often * (1 - often), 1e-9) * 2 / COUNT)
    for name in ("top", "left", "height", "width"):
        assert ours[name].dtype == np.int64
        assert apart(ours[name][ours["erased"]], theirs[name][theirs["erased"]]) < 1.95, name
    areas = [(drawn["height"] * drawn["width"])[drawn["erased"]] for drawn in (ours, theirs)]
    assert apart(*areas) < 1.95


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1.0])
def test_as_many_pictures_are_erased_as_asked_for(p: float) -> None:
    drawn = TRANSFORMS.make("RandomErasing", p=p).draw(Dice(1, 1, np.arange(COUNT), 1), (1, 28, 28))
    assert abs(drawn["erased"].sum() - COUNT * p) <= 4.5 * np.sqrt(COUNT * p * (1 - p))
    untouched = ~drawn["erased"]
    assert not any(drawn[name][untouched].any() for name in ("top", "left", "height", "width"))


def test_a_rectangle_that_never_fits_erases_nothing_as_in_torchvision() -> None:
    transform = TRANSFORMS.make("RandomErasing", p=1.0, scale=(1.0, 1.0), ratio=(1.0, 1.0))
    drawn = transform.draw(Dice(1, 1, np.arange(50), 1), (1, 8, 8))
    assert not drawn["erased"].any()
    assert v2.RandomErasing(1.0, (1.0, 1.0), (1.0, 1.0)).make_params([torch.zeros(1, 8, 8)])["v"] is None


def test_noise_is_normal_and_another_in_each_picture() -> None:
    transform = TRANSFORMS.make("RandomErasing", p=1.0, scale=(0.3, 0.33), value="random")
    drawn = transform.draw(Dice(1, 1, np.arange(40), 1), (3, 28, 28))
    batch = transform.apply(torch.full((40, 3, 28, 28), 99.0), drawn)
    noise = batch[batch != 99]
    assert abs(noise.mean()) < 4.5 / noise.numel() ** 0.5
    assert abs(noise.std() - 1) < 4.5 / (2 * noise.numel()) ** 0.5
    assert len({tuple(picture[picture != 99][:3].tolist()) for picture in batch}) == 40
    declared = transform.output(tensor_kind())
    assert (declared.low, declared.high) == (-8.66, 8.66)


def test_the_range_of_what_is_erased_is_told() -> None:
    leaving = TRANSFORMS.make("RandomErasing", value=(0.5, -2, 3)).output(tensor_kind())
    assert (leaving.low, leaving.high) == (-2, 3)


def test_what_was_erased_is_told_in_words() -> None:
    transform = TRANSFORMS.make("RandomErasing")
    numbers = {"erased": True, "top": 3, "left": 1, "height": 5, "width": 7}
    assert transform.told(numbers) == "erased 5x7 at top 3, left 1"
    assert transform.told({**numbers, "erased": False}) == "not erased"


def test_a_word_other_than_random_is_refused() -> None:
    with pytest.raises(InvalidExperiment) as caught:
        TRANSFORMS.make("RandomErasing", value="noise")
    assert [problem.path for problem in caught.value.problems] == ["value"]
    experiment = default().edited("transforms", (TRANSFORMS.make("RandomErasing", value="random"),))
    assert from_toml(experiment.to_toml()) == experiment


def test_a_form_knows_the_word_that_may_stand_for_numbers() -> None:
    (value,) = [knob for knob in knobs(TRANSFORMS.get("RandomErasing")) if knob.name == "value"]
    assert (value.kind, value.choices, value.low, value.high) == ("floats", ("random",), -1000, 1000)


def test_erasing_an_image_is_illegal() -> None:
    found = wrong([TRANSFORMS.make("RandomErasing")])
    assert found.sentence == "RandomErasing needs a float tensor, but a uint8 image arrives."
    assert labels(found) == ["Insert ToTensor before it"]


@pytest.mark.parametrize(
    ("values", "path", "sentence", "repair"),
    [
        ({"value": (1.0, 2.0)}, "value", "2 values, but the pictures have 3 channel(s).", "Use one value"),
        ({"scale": (0.5, 0.1)}, "scale", "The first scale is larger than the second.", "Swap them"),
        ({"ratio": (3.0, 1.0)}, "ratio", "The first ratio is larger than the second.", "Swap them"),
    ],
)
def test_what_cannot_be_erased_is_named(values: dict[str, Any], path: str, sentence: str, repair: str) -> None:
    found = wrong([TRANSFORMS.make("ToTensor"), TRANSFORMS.make("RandomErasing", **values)])
    assert (found.path, found.sentence) == (f"transforms.1.{path}", sentence)
    assert labels(found) == [repair]


# a matrix


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(list(shape)).standard_normal(shape).astype(np.float32)


def linear(matrix: np.ndarray | None = None, mean: np.ndarray | None = None) -> Any:
    files = {"transformation_matrix": (matrix, "whitening"), "mean_vector": (mean, "mean")}
    given = {name: arrays.keep(stem, values) for name, (values, stem) in files.items() if values is not None}
    return TRANSFORMS.make("LinearTransformation", **given)


@pytest.mark.parametrize("count", [1, 9])
@pytest.mark.parametrize(("channels", "size"), [(1, (8, 8)), (3, (5, 7)), (3, (1, 1)), (4, (3, 2))])
def test_a_linear_transformation_is_torchvisions(channels: int, size: tuple[int, int], count: int) -> None:
    values = channels * size[0] * size[1]
    matrix, mean = numbers(values, values), numbers(values)
    theirs = v2.LinearTransformation(torch.from_numpy(matrix), torch.from_numpy(mean))
    arriving = pictures(count, channels, size)
    leaving = linear(matrix, mean).apply(arriving, {})
    assert leaving.shape == arriving.shape
    assert torch.equal(leaving, theirs(arriving))  # a batch in one multiplication, as torchvision's own
    for place, picture in enumerate(arriving):
        single = linear(matrix, mean).one(picture, {})
        assert torch.equal(single, theirs(picture))
        centred = (picture.flatten() - torch.from_numpy(mean)).abs()
        bound = 2 * values * 2.0**-24 * (centred @ torch.from_numpy(np.abs(matrix))).view(picture.shape)
        assert bool(((leaving[place] - single).abs() <= bound).all())  # two orders of summing the same products


def test_what_is_left_out_is_the_identity_and_zeros() -> None:
    arriving, matrix, mean = pictures(3, 1, (4, 4)), numbers(16, 16), numbers(16)
    zeros, eye = torch.zeros(16), torch.eye(16)
    assert torch.equal(
        linear(matrix).apply(arriving, {}), v2.LinearTransformation(torch.from_numpy(matrix), zeros)(arriving)
    )
    assert torch.equal(
        linear(None, mean).apply(arriving, {}), v2.LinearTransformation(eye, torch.from_numpy(mean))(arriving)
    )
    assert torch.equal(linear().apply(arriving, {}), arriving)


def test_the_range_after_a_matrix_holds_for_every_picture_and_is_reached() -> None:
    matrix, mean = numbers(4, 4), numbers(4)
    kind = replace(tensor_kind(1, 2, 2), low=-0.5, high=2.0)
    transform = linear(matrix, mean)
    leaving = transform.output(kind)
    corners = torch.tensor([[bool(number & 1 << bit) for bit in range(4)] for number in range(16)]).float() * 2.5 - 0.5
    found = transform.apply(corners.view(16, 1, 2, 2), {})
    assert leaving.low == pytest.approx(float(found.min()), rel=1e-5)
    assert leaving.high == pytest.approx(float(found.max()), rel=1e-5)
    only_mean = linear(None, mean).output(kind)
    assert (only_mean.low, only_mean.high) == pytest.approx((-0.5 - mean.max(), 2 - mean.min()))


def test_a_matrix_without_numbers_is_odd() -> None:
    chain = [TRANSFORMS.make("ToTensor"), linear()]
    (odd,) = problems(Chain(chain), IMAGE)
    assert odd.severity == "warning"
    assert "does nothing yet" in odd.sentence
    assert problems(Chain(odd.repairs[0].value), IMAGE) == []
    assert problems(Chain([chain[0], linear(np.eye(2352, dtype=np.float32))]), IMAGE) == []


@pytest.mark.parametrize(
    ("values", "kind", "repair"),
    [
        (3 * 10 * 10, tensor_kind(), "Insert Resize to 10x10 before it"),
        (28 * 28, tensor_kind(), "Insert Grayscale before it"),
        (10 * 10, tensor_kind(), "Insert Grayscale and Resize to 10x10 before it"),
        (10 * 10, tensor_kind(1), "Insert Resize to 10x10 before it"),
        (11, tensor_kind(), None),
    ],
)
@pytest.mark.parametrize("by", ["matrix", "mean"])
def test_a_matrix_of_another_size_is_illegal(values: int, kind: Kind, repair: str | None, by: str) -> None:
    transform = linear(numbers(values, values)) if by == "matrix" else linear(None, numbers(values))
    source = Kind.image(kind.channels, 28, 28)
    found = wrong([TRANSFORMS.make("ToTensor"), transform], source)
    arriving = f"{kind.channels * 784:,} ({kind.channels}x28x28)"
    assert found.sentence == f"LinearTransformation is for {values:,} values, but {arriving} arrive."
    assert found.path == f"transforms.1.{'transformation_matrix' if by == 'matrix' else 'mean_vector'}"
    assert labels(found) == [*([repair] if repair else []), "Remove it"]


def test_a_matrix_needs_pictures_of_one_size() -> None:
    found = wrong([TRANSFORMS.make("ToTensor"), linear(None, numbers(75))], Kind.image(3, None, None, (5, 6)))
    assert found.sentence == "LinearTransformation needs pictures of one size, but they arrive in different sizes."
    assert labels(found) == ["Resize and CenterCrop to 5"]


def test_a_matrix_that_is_not_square_or_has_another_mean_is_illegal() -> None:
    found = wrong([TRANSFORMS.make("ToTensor"), linear(numbers(2352, 7), None)])
    assert found.sentence == "The matrix is not square: 2,352 x 7."
    assert labels(found) == ["Leave it out", "Remove the transformation"]
    found = wrong([TRANSFORMS.make("ToTensor"), linear(np.eye(2352, dtype=np.float32), numbers(5))])
    assert found.sentence == "The matrix is for 2,352 values, but the mean has 5."
    assert labels(found) == ["Leave it out", "Remove the transformation"]


# its files


def written(values: Any) -> bytes:
    content = io.BytesIO()
    np.save(content, values, allow_pickle=True)
    return content.getvalue()


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


GOOD = written(np.zeros((3, 3), np.float32))
HUGE = "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999), }\n"
DAMAGED = [b"", b"PK\x03\x04....", b"{'matrix': 1}", GOOD[:40], GOOD[:-1], header(HUGE), header("((((\n")]
DAMAGED += [written(np.zeros((2, 2), complex)), written(np.zeros((2, 2), np.int64))]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_told_with_its_remedy(content: bytes, tmp_path: Path) -> None:
    own = tmp_path / "own.npy"
    own.write_bytes(content)
    with pytest.raises(DataError) as caught:
        arrays.read(arrays.find(own), 2)
    assert caught.value.sentence == "The file own.npy is damaged, or not an array that numpy.save wrote."
    assert caught.value.remedy == "Choose another file."


class Trap:
    """Leaves a trace where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (Path.mkdir, (Path("unpickled"),))


def test_a_file_is_never_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "own.npy"
    own.write_bytes(written(np.array([Trap()], object)))
    with pytest.raises(DataError, match="damaged"):
        arrays.read(arrays.find(own), 1)
    assert not (tmp_path / "unpickled").exists()
    np.load(own, allow_pickle=True)
    assert (tmp_path / "unpickled").exists()  # it would have


@pytest.mark.parametrize(
    ("values", "dimensions", "sentence"),
    [
        (np.zeros(4), 2, "should hold a matrix, but holds 4."),
        (np.zeros((2, 2)), 1, "should hold a row of numbers, but holds 2 x 2."),
        (np.zeros((4097, 2)), 2, "should hold a matrix, but holds 4,097 x 2."),
        (np.float32(3), 1, "should hold a row of numbers, but holds a single number."),
        (np.array([1.0, np.nan]), 1, "holds values that are not finite."),
        (np.array([1.0, 1e300]), 1, "holds values that are not finite."),
    ],
)
def test_an_array_of_another_form_is_told(values: Any, dimensions: int, sentence: str, tmp_path: Path) -> None:
    own = tmp_path / "own.npy"
    own.write_bytes(written(values))
    with pytest.raises(DataError) as caught:
        arrays.read(arrays.find(own), dimensions)
    assert caught.value.sentence == f"The file own.npy {sentence}"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    own = tmp_path / "own.npy"
    with own.open("wb") as file:
        file.truncate(10**9)
    with pytest.raises(DataError, match=r"larger than 4,096 x 4,096 numbers"):
        arrays.read(arrays.find(own), 2)


def test_a_measured_file_means_the_same_numbers_for_ever(home: Path) -> None:
    transform = linear(None, numbers(12))
    name = transform.mean_vector
    file = home / "measured" / name
    assert torch.equal(transform.apply(torch.zeros(1, 3, 2, 2), {}).flatten(), -torch.from_numpy(numbers(12)))
    changed = bytearray(file.read_bytes())
    changed[-1] ^= 1
    file.write_bytes(changed)
    chain = [TRANSFORMS.make("ToTensor"), transform]
    found = wrong(chain, Kind.image(3, 2, 2))
    assert found.path == "transforms.1.mean_vector"
    assert found.sentence.startswith(f"The file {name} is damaged")
    assert found.sentence.endswith("Measure it from the data again.")
    file.unlink()
    found = wrong(chain, Kind.image(3, 2, 2))
    assert found.sentence == f"The file {name} is not there. Measure it from the data again."
    assert labels(found) == ["Leave it out", "Remove the transformation"]
    with pytest.raises(DataError, match="is not there"):
        transform.apply(torch.zeros(1, 3, 2, 2), {})


@pytest.mark.parametrize("name", [".", "nowhere/own.npy", "zero\0byte.npy"])
def test_what_is_no_file_is_told(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Illegal, match="is not there"):
        TRANSFORMS.make("LinearTransformation", transformation_matrix=Path(name)).output(tensor_kind())


def test_own_files_of_numpy_are_read_as_float32(tmp_path: Path) -> None:
    matrix, mean = numbers(12, 12).astype(np.float64), numbers(12).astype(np.float64)
    for name, values in (("matrix", matrix), ("mean", mean)):
        np.save(tmp_path / f"{name}.npy", values)
    transform: Any = TRANSFORMS.make(
        "LinearTransformation", transformation_matrix=tmp_path / "matrix.npy", mean_vector=tmp_path / "mean.npy"
    )
    arriving = pictures(2, 3, (2, 2))
    assert torch.equal(transform.apply(arriving, {}), linear(numbers(12, 12), numbers(12)).apply(arriving, {}))
    experiment = default().edited("transforms", (transform,))
    assert from_toml(experiment.to_toml()).transforms == (transform,)


def with_numbers(*transforms: Any) -> Experiment:
    return default().edited("transforms", (TRANSFORMS.make("ToTensor"), *transforms))


def test_a_saved_experiment_finds_what_the_lab_has_measured_from_wherever_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = with_numbers(TRANSFORMS.make("RandomApply", transforms=(linear(numbers(64, 64), numbers(64)),)))
    monkeypatch.chdir(tmp_path)
    experiment.save(tmp_path / "measured.lab")
    assert load(tmp_path / "measured.lab") == experiment


def test_a_carried_experiment_has_its_numbers_beside_it(home: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "own.npy", numbers(64).astype(np.float64))
    own = TRANSFORMS.make("LinearTransformation", mean_vector=tmp_path / "own.npy")
    holding = TRANSFORMS.make("RandomApply", transforms=(linear(numbers(64, 64), numbers(64)),))
    experiment, there = with_numbers(own, holding), tmp_path / "run"
    there.mkdir()
    recipe = there / "experiment.lab"
    recipe.write_text(experiment.carried(there).to_toml(full=True))
    assert sorted(file.name.partition("-")[0] for file in there.glob("*.npy")) == ["mean", "own", "whitening"]
    for file in (home / "measured").iterdir():
        file.unlink()
    moved = there.rename(tmp_path / "moved")
    (tmp_path / "own.npy").unlink()
    found = load(moved / "experiment.lab")
    arriving = pictures(2, 1, (8, 8))
    _, first, second = found.transforms
    assert torch.equal(first.apply(arriving, {}), arriving - torch.from_numpy(numbers(64)).view(8, 8))
    assert second.transforms[0].output(tensor_kind(1, 8, 8)).size == (8, 8)
    assert with_numbers().carried(moved) == with_numbers()


def test_a_copy_that_was_damaged_is_told(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    copy = tmp_path / "run" / arrays.copied(linear(None, numbers(12)).mean_vector, tmp_path / "run")
    changed = bytearray(copy.read_bytes())
    changed[-1] ^= 1
    copy.write_bytes(changed)
    with pytest.raises(DataError, match="is damaged"):
        arrays.read(arrays.find(copy), 1)


def test_a_folder_that_cannot_be_written_is_told(home: Path) -> None:
    (home / "measured").write_text("in the way")
    with pytest.raises(StoreError) as caught:
        arrays.keep("mean", numbers(3))
    assert "could not be saved" in caught.value.sentence
    assert "MB in" in caught.value.remedy
