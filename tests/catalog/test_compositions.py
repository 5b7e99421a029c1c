"""Transforms around others: what torchvision's do to each picture, with draws that stay with their picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F  # noqa: N812 - as torchvision's own documentation names it

from gui_lab.cli import run
from gui_lab.core.chain import Chain
from gui_lab.core.checking import problems
from gui_lab.core.dice import Dice
from gui_lab.core.experiment import from_document, from_toml, load
from gui_lab.core.pipeline import TRANSFORMS, Illegal, Kind, Transform, plain
from gui_lab.errors import InvalidExperiment
from gui_lab.schema import Problem

GREY, RGB = Kind.image(1, 16, 16), Kind.image(3, 16, 20)
VARIOUS = Kind.image(3, None, None, least=(10, 12))
TENSOR = replace(RGB, dtype="float32", high=1.0)
make = TRANSFORMS.make


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Pictures this small are slower on several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def noise(count: int, channels: int = 3, height: int = 16, width: int = 20) -> torch.Tensor:
    drawn = np.random.default_rng(count).integers(0, 256, (count, channels, height, width), dtype=np.uint8)
    return torch.from_numpy(drawn)


def dice(count: int, epoch: int = 1) -> Dice:
    return Dice(3, epoch, np.arange(count) * 5 + 2, 11)


def apply(*held: Transform, p: float = 0.5) -> Transform:
    return make("RandomApply", transforms=held, p=p)


def choice(*held: Transform, p: Any = None) -> Transform:
    return make("RandomChoice", transforms=held, p=p)


def order(*held: Transform) -> Transform:
    return make("RandomOrder", transforms=held)


def rotation(degrees: float = 40) -> Transform:
    return make("RandomRotation", degrees=degrees)


def flip(p: float = 0.5) -> Transform:
    return make("RandomHorizontalFlip", p=p)


def resize(size: Any = (9, 12)) -> Transform:
    return make("Resize", size=size)


def crop(size: Any = 8, **values: Any) -> Transform:
    return make("RandomCrop", size=size, **values)


# what torchvision does


def by_torchvision(transform: Transform, drawn: dict[str, Any], patch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """torchvision's object for a transform, made to draw what was drawn."""
    match transform.name_of():
        case "RandomRotation":
            return lambda picture: F.rotate(picture, drawn["angle"], fill=[0.0])
        case "RandomHorizontalFlip":
            return lambda picture: F.horizontal_flip(picture) if drawn["flipped"] else picture
        case "RandomCrop":
            size = int(transform.size)  # type: ignore[attr-defined]
            return lambda picture: F.crop(picture, drawn["top"], drawn["left"], size, size)
        case "Resize":
            return v2.Resize(list(transform.size))  # type: ignore[attr-defined]
    held = [
        by_torchvision(one, {n[len(f"{i}.") :]: v for n, v in drawn.items() if n.startswith(f"{i}.")}, patch)
        for i, one in enumerate(transform.transforms)  # type: ignore[attr-defined]
    ]
    return partial(forced, transform, drawn, held, patch)


def forced(transform: Any, drawn: dict[str, Any], held: list[Any], patch: pytest.MonkeyPatch, picture: Any) -> Any:
    with patch.context() as forcing:
        match transform.name_of():
            case "RandomApply":
                forcing.setattr(torch, "rand", lambda *_: torch.tensor([0.0 if drawn["applied"] else 1.0]))
                theirs: Any = v2.RandomApply(held, p=transform.p)
            case "RandomChoice":
                forcing.setattr(torch, "multinomial", lambda *_: torch.tensor([drawn["chosen"]]))
                theirs = v2.RandomChoice(held, p=transform.p)
            case _:
                forcing.setattr(torch, "randperm", lambda *_: torch.tensor(drawn["order"]))
                theirs = v2.RandomOrder(held)
        return theirs(picture)


CASES: dict[str, Callable[[], Transform]] = {
    "one": lambda: apply(rotation()),
    "several": lambda: apply(rotation(), flip(), p=0.7),
    "never": lambda: apply(rotation(), flip(), p=0.0001),
    "always": lambda: apply(rotation(), flip(), p=1.0),
    "another size": lambda: apply(flip(), resize(), crop(), p=0.4),
    "one of two": lambda: choice(rotation(), flip(1.0)),
    "one of several sizes": lambda: choice(resize(), crop(8), crop(11), flip(), p=(1, 2, 0, 3)),
    "any order": lambda: order(rotation(), flip(), rotation(90)),
    "one in order": lambda: order(flip()),
    "three deep": lambda: apply(order(choice(rotation(), flip()), apply(flip(1.0))), flip(), p=0.8),
    "sizes inside": lambda: apply(apply(resize()), crop(8), flip(), p=0.8),
    "choice of sizes inside": lambda: apply(choice(resize(), crop(12), flip()), rotation(), crop(8), p=0.9),
}


@pytest.mark.parametrize("kind", ["uint8", "float32", "pil"])
@pytest.mark.parametrize("case", CASES)
def test_each_picture_gets_what_torchvision_gives_it(case: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    transform, count = CASES[case](), 24
    arriving = noise(count) / 255 if kind == "float32" else noise(count)
    before = arriving.clone()
    drawn = transform.draw(dice(count), (3, 16, 20))
    left = (transform.apply_pil if kind == "pil" else transform.apply)(arriving, drawn)
    assert len(left) == count
    for place, picture in enumerate(arriving):
        theirs = by_torchvision(transform, plain(drawn, place), monkeypatch)
        expected = F.pil_to_tensor(theirs(F.to_pil_image(picture))) if kind == "pil" else theirs(picture)
        assert left[place].shape == expected.shape
        assert torch.equal(left[place], expected)
        if kind != "pil":
            assert torch.equal(transform.one(picture, plain(drawn, place)), expected)
    assert torch.equal(arriving, before)


def test_an_outcome_of_one_size_is_one_tensor_and_of_several_a_list() -> None:
    for made, expected in (
        (apply(flip()), torch.Tensor),
        (apply(resize()), list),
        (apply(resize(), p=1), torch.Tensor),
    ):
        left = made.apply(noise(30), made.draw(dice(30), (3, 16, 20)))
        assert isinstance(left, expected)


def test_pictures_with_the_same_outcome_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[int] = []
    through = type(flip()).apply

    def counted(self: Transform, pictures: torch.Tensor, drawn: Any) -> Any:
        batches.append(len(pictures))
        return through(self, pictures, drawn)

    monkeypatch.setattr(type(flip()), "apply", counted)
    for made, most in ((apply(flip(), flip()), 2), (choice(flip(), rotation()), 1), (order(flip(), flip()), 4)):
        batches.clear()
        drawn = made.draw(dice(200), (3, 16, 20))
        made.apply(noise(200), drawn)
        assert len(batches) == most
        if "order" in drawn:
            assert sum(batches) == 400


# what is drawn


def test_how_often_is_torchvisions() -> None:
    count = 20_000
    applied = apply(flip(), p=0.3).draw(dice(count), (3, 16, 20))["applied"]
    assert abs(applied.mean() - 0.3) < 4.5 * np.sqrt(0.21 / count)
    chosen = choice(flip(), rotation(), resize(), p=(1, 0, 3)).draw(dice(count), (3, 16, 20))["chosen"]
    shares = np.bincount(chosen, minlength=3) / count
    assert np.abs(shares - [0.25, 0, 0.75]).max() < 4.5 * np.sqrt(0.25 * 0.75 / count)
    chosen = choice(flip(), rotation(), resize()).draw(dice(count), (3, 16, 20))["chosen"]
    assert np.abs(np.bincount(chosen) / count - 1 / 3).max() < 4.5 * np.sqrt(2 / 9 / count)
    orders = order(flip(), rotation(), flip()).draw(dice(count), (3, 16, 20))["order"]
    assert np.array_equal(np.sort(orders, axis=1), np.tile([0, 1, 2], (count, 1)))
    _, each = np.unique(orders, axis=0, return_counts=True)
    assert len(each) == 6
    assert np.abs(each / count - 1 / 6).max() < 4.5 * np.sqrt(5 / 36 / count)


def test_what_is_inside_draws_apart_from_what_is_around_it_and_beside_it() -> None:
    made = apply(flip(), flip(), p=0.5)
    drawn = made.draw(dice(20_000), (3, 16, 20))
    three = np.stack([drawn["applied"], drawn["0.flipped"], drawn["1.flipped"]]).astype(float)
    assert np.abs(np.corrcoef(three) - np.eye(3)).max() < 0.04


@pytest.mark.parametrize("around", [apply, choice, order])
def test_a_transform_put_beside_another_leaves_its_draws(around: Callable[..., Transform]) -> None:
    alone = around(rotation(), flip()).draw(dice(50), (3, 16, 20))
    more = around(flip(), make("Grayscale", num_output_channels=3), rotation(), flip()).draw(dice(50), (3, 16, 20))
    assert np.array_equal(more["2.angle"], alone["0.angle"])
    assert np.array_equal(more["0.flipped"], alone["1.flipped"])
    assert not np.array_equal(more["3.flipped"], more["0.flipped"])


@pytest.mark.parametrize("case", CASES)
def test_the_same_seed_draws_the_same_in_every_batch(case: str) -> None:
    transform, shape = CASES[case](), (3, 16, 20)
    together = transform.draw(dice(40), shape)
    alone = transform.draw(Dice(3, 1, [7 * 5 + 2], 11), shape)
    assert set(alone) == set(together)
    for name, values in together.items():
        assert len(values) == 40
        assert np.array_equal(values[7:8], alone[name])
    other = transform.draw(dice(40, epoch=2), shape)
    assert any(not np.array_equal(values, other[name]) for name, values in together.items())


def test_a_crop_falls_inside_whatever_size_came_out_before_it() -> None:
    made = apply(choice(resize((9, 30)), resize((40, 8)), flip()), crop(8), p=1.0)
    drawn = made.draw(dice(600), (3, 16, 20))
    for chosen, (height, width) in enumerate([(9, 30), (40, 8), (16, 20)]):
        mine = drawn["0.chosen"] == chosen
        assert set(drawn["1.top"][mine]) == set(range(height - 8 + 1))
        assert set(drawn["1.left"][mine]) == set(range(width - 8 + 1))


def test_numbers_behind_a_rotation_that_enlarges_fit_the_size_it_gives() -> None:
    made = apply(make("RandomRotation", degrees=90, expand=True), crop(16), p=1.0)
    drawn = made.draw(dice(200), (1, 16, 16))
    turned = make("RandomRotation", degrees=90, expand=True)
    sizes = [turned.one(noise(1, 1, 16, 16)[0], {"angle": float(angle)}).shape[-1] for angle in drawn["0.angle"]]
    assert len(set(sizes)) > 3
    assert all(0 <= top <= size - 16 for top, size in zip(drawn["1.top"], sizes, strict=True))
    assert drawn["1.top"].max() > 4
    assert made.apply(noise(200, 1, 16, 16), drawn).shape == (200, 1, 16, 16)  # type: ignore[union-attr]


def test_what_takes_tensors_only_can_stand_before_a_crop() -> None:
    made = apply(make("Normalize"), make("RandomRotation", degrees=30, expand=True), crop(8), p=1.0)
    left = made.apply(noise(5) / 255, made.draw(dice(5), (3, 16, 20)))
    assert left.shape == (5, 3, 8, 8)  # type: ignore[union-attr]


# switched off


@pytest.mark.parametrize("around", [apply, choice, order])
def test_what_is_switched_off_inside_is_as_if_it_were_not_there(around: Callable[..., Transform]) -> None:
    off = resize().changed(enabled=False)
    there, gone = around(off, flip(), rotation()), around(flip(), rotation())
    assert there.output(RGB) == gone.output(RGB)
    ready = [made.apply(noise(40), made.draw(dice(40), (3, 16, 20))) for made in (there, gone)]
    assert torch.equal(*ready)  # type: ignore[arg-type]
    assert not [name for name in there.draw(dice(4), (3, 16, 20)) if name.startswith("0.")]


def test_the_weight_of_what_is_switched_off_goes_to_the_others() -> None:
    made = choice(flip().changed(enabled=False), flip(), flip(), p=(8, 1, 1))
    chosen = made.draw(dice(4000), (3, 16, 20))["chosen"]
    assert abs((chosen == 1).mean() - 0.5) < 0.04
    assert not (chosen == 0).any()


@pytest.mark.parametrize("around", [apply, choice, order])
def test_with_all_switched_off_pictures_pass_unchanged(around: Callable[..., Transform]) -> None:
    made = around(rotation().changed(enabled=False), make("Normalize", enabled=False))
    assert made.output(RGB) == RGB
    drawn = made.draw(dice(6), (3, 16, 20))
    assert torch.equal(made.apply(noise(6), drawn), noise(6))  # type: ignore[arg-type]
    assert torch.equal(made.one(noise(1)[0], plain(drawn, 0)), noise(1)[0])
    assert made.told(plain(drawn, 0)) == "nothing"


def test_validation_pictures_do_without_what_is_inside() -> None:
    chain = Chain([apply(resize(), p=1.0), make("ToTensor")])
    measured = chain.run(noise(3), np.arange(3), seed=1, epoch=1, training=False)
    assert torch.equal(measured, make("ToTensor").apply(noise(3), {}))  # type: ignore[arg-type]


# the kind that leaves


def test_sizes_that_chance_decides_are_various() -> None:
    assert apply(resize((9, 24))).output(RGB) == replace(RGB, height=None, width=None, least=(9, 20))
    assert apply(resize((9, 12)), p=1.0).output(RGB) == RGB.sized(9, 12)
    assert apply(resize((9, 12)), p=0.0).output(RGB) == RGB
    assert choice(resize((9, 24)), crop(14)).output(RGB) == replace(RGB, height=None, width=None, least=(9, 14))
    assert choice(resize((9, 24)), crop(9), p=(1, 0)).output(RGB) == RGB.sized(9, 24)
    assert order(flip(), rotation()).output(VARIOUS) == VARIOUS


def test_the_range_is_that_of_all_outcomes() -> None:
    normalize = make("Normalize", mean=(0.5,), std=(0.25,))
    assert (apply(normalize).output(TENSOR).low, apply(normalize).output(TENSOR).high) == (-2, 2)
    dark = choice(normalize, make("Normalize", mean=(2.0,), std=(1.0,))).output(TENSOR)
    assert (dark.low, dark.high) == (-2, 2)
    assert apply(normalize, p=1.0).output(replace(TENSOR, low=0.5)).low == 0
    both = order(normalize, flip()).output(TENSOR)
    left = order(normalize, flip()).apply(noise(9) / 255, order(normalize, flip()).draw(dice(9), (3, 16, 20)))
    assert both.low <= left.min()  # type: ignore[union-attr]
    assert left.max() <= both.high  # type: ignore[union-attr]


def test_a_chain_runs_and_shows_the_same_with_compositions_in_it() -> None:
    chain = Chain(
        [apply(choice(resize(), flip()), rotation()), resize((12, 12)), order(flip(), rotation()), make("ToTensor")]
    )
    ready = chain.run(noise(20), np.arange(20), seed=1, epoch=2, training=True)
    rows = chain.trace(list(noise(20)), np.arange(20), seed=1, epoch=2)
    assert all(torch.equal(row[-1].picture, picture) for row, picture in zip(rows, ready, strict=True))
    assert {type(row[1].drawn["applied"]) for row in rows} == {bool}
    assert {tuple(sorted(row[3].drawn["order"])) for row in rows} == {(0, 1)}
    assert wrong(chain, RGB) == []


def test_what_was_drawn_is_told_in_words() -> None:
    made = apply(rotation(), choice(flip(), order(flip())), p=0.5)
    numbers = {
        "applied": True,
        "0.angle": -7.26,
        "1.chosen": 0,
        "1.0.flipped": False,
        "1.1.order": [0],
        "1.1.0.flipped": True,
    }
    assert made.told(numbers) == "RandomRotation (angle -7.26), RandomChoice (RandomHorizontalFlip (not flipped))"
    assert made.told({**numbers, "applied": False}) == "nothing"
    inner = "RandomChoice (RandomOrder (RandomHorizontalFlip (flipped)))"
    assert made.told({**numbers, "1.chosen": 1}) == f"RandomRotation (angle -7.26), {inner}"


# with all that the catalogue has


NEVER_INSIDE = {one.name_of() for one in TRANSFORMS if one.mixes or one.to_pil is not None} | {"Grayscale"}
"""These mix, convert, or (as it is suggested) take channels away."""
NEEDS_TRUST = {"Lambda", "Own"}


@pytest.mark.parametrize("name", sorted(set(TRANSFORMS.names()) - NEVER_INSIDE - NEEDS_TRUST))
def test_a_transform_does_inside_what_it_does_alone(name: str) -> None:
    tried = 0
    for kind in (RGB, TENSOR, replace(RGB, pil=True)):
        held = TRANSFORMS.get(name).suggested(kind)
        around = apply(held, p=1.0)
        if refusal(held, kind) or held.output(kind).dtype != kind.dtype:
            assert refusal(around, kind)
            continue
        assert around.output(kind) == held.output(kind)
        arriving = noise(8) / 255 if kind.dtype == "float32" else noise(8)
        drawn = around.draw(dice(8), (3, 16, 20))
        own = {field.removeprefix("0."): values for field, values in drawn.items() if field != "applied"}
        inside = (around.apply_pil if kind.pil else around.apply)(arriving, drawn)
        alone = (held.apply_pil if kind.pil else held.apply)(arriving, own)
        assert all(torch.equal(one, other) for one, other in zip(inside, alone, strict=True))
        tried += 1
    assert tried


@pytest.mark.parametrize("around", [apply, choice, order])
@pytest.mark.parametrize("name", sorted(NEVER_INSIDE))
def test_what_would_change_the_kind_is_refused_inside(name: str, around: Callable[..., Transform]) -> None:
    for kind in (RGB, TENSOR, replace(RGB, pil=True)):
        illegal = refusal(around(flip(), TRANSFORMS.get(name).suggested(kind)), kind)
        assert illegal is not None
        assert illegal.field == "transforms.1"
        assert (f"Take {name} out", (around(flip()),)) in illegal.repairs


def refusal(transform: Transform, kind: Kind) -> Illegal | None:
    try:
        transform.output(kind)
    except Illegal as illegal:
        return illegal
    return None


# in files


NESTED = """
version = 1
[dataset]
name = "Digits"
[[transforms]]
name = "ToTensor"
[[transforms]]
name = "RandomApply"
p = 0.3
transforms = [{name="RandomRotation", degrees=10}, {name="RandomChoice", p=[1, 2], transforms=[
    {name="RandomHorizontalFlip", p=0.25}, {name="CenterCrop", size=28, enabled=false}]}]
[model]
name = "MLP"
[optimizer]
name = "SGD"
"""


def test_a_file_is_read_as_it_is_written() -> None:
    inner = choice(flip(0.25), make("CenterCrop", size=28, enabled=False), p=(1, 2))
    assert from_toml(NESTED).transforms == (make("ToTensor"), apply(rotation(10), inner, p=0.3))


@pytest.mark.parametrize("full", [True, False])
def test_saving_and_loading_are_inverse_however_deep(full: bool, tmp_path: Path) -> None:
    written = from_toml(NESTED)
    deep = written.edited("transforms.0", apply(flip(), choice(order(flip(), rotation()), crop(8), p=(1, 0)), p=0.1))
    for experiment in (written, deep):
        assert from_toml(experiment.to_toml(full=full)) == experiment
        experiment.save(tmp_path / "nested.lab")
        assert load(tmp_path / "nested.lab") == experiment
        assert from_document(json.loads(json.dumps(experiment.document(full=full)))) == experiment


def test_a_field_deep_inside_is_edited_by_its_path() -> None:
    written = from_toml(NESTED)
    edited = written.edited("transforms.1.transforms.0.degrees", 45)
    assert edited.transforms[1] == written.transforms[1].changed(
        transforms=(rotation(45), *written.transforms[1].transforms[1:])  # type: ignore[attr-defined]
    )
    path = "transforms.1.transforms.1.transforms"
    held = edited.edited(f"{path}.0.p", 0.75).transforms[1].transforms[1].transforms  # type: ignore[attr-defined]
    assert held[0] == flip(0.75)
    assert edited.edited(f"{path}.1.enabled", True).edited(f"{path}.1.size", (7, 8)) != edited
    other = edited.edited(f"{path}.1", make("Pad", padding=2)).transforms[1].transforms[1]  # type: ignore[attr-defined]
    assert other == choice(flip(0.25), make("Pad", padding=2), p=(1, 2))
    renamed = edited.edited("transforms.1.transforms.0.name", "RandomVerticalFlip")
    assert renamed.transforms[1].transforms[0] == make("RandomVerticalFlip")  # type: ignore[attr-defined]
    whole = edited.edited("transforms.1.transforms", (flip(), order(flip())))
    assert whole.transforms[1] == apply(flip(), order(flip()), p=0.3)
    with pytest.raises(InvalidExperiment, match="no such place"):
        edited.edited("transforms.1.transforms.2.degrees", 5)


def refused(text: str) -> dict[str, str]:
    with pytest.raises(InvalidExperiment) as caught:
        from_toml(text)
    return {problem.path: problem.sentence for problem in caught.value.problems}


def test_all_that_is_wrong_inside_and_around_is_told_at_once() -> None:
    broken = NESTED.replace("p = 0.3", "p = 3").replace("degrees=10", "degrees=999").replace("p=0.25", "p=-1")
    broken = broken.replace("size=28", "size=0, sise=1").replace("[1, 2]", "[-1]").replace('"MLP"', '"MLPP"')
    told = refused(broken)
    inner = "transforms.1.transforms.1"
    assert set(told) == {
        "transforms.1.p", "transforms.1.transforms.0.degrees", f"{inner}.p", f"{inner}.transforms.0.p",
        f"{inner}.transforms.1.size", f"{inner}.transforms.1.sise", "model.name",
    }  # fmt: skip
    assert told["transforms.1.p"] == "Must be less than or equal to 1, not 3."


@pytest.mark.parametrize(
    ("held", "path", "words"),
    [
        ("3", "", "Must be a list of tables, each a transform with a name."),
        ('{name = "ToTensor"}', "", "Must be a list of tables"),
        ("[]", "", "at least 1 item"),
        ("[" + '{name="RandomHorizontalFlip"}, ' * 17 + "]", "", "at most 16 items"),
        ("[3]", ".0", "A transform is a table with a name, not 3."),
        ("[{}]", ".0.name", "Which transform?"),
        ('[{name = "RandomFlap"}]', ".0.name", "There is no transform named 'RandomFlap'."),
        ('[{name = "RandomOrder"}]', ".0.transforms", "needs a value here"),
    ],
)
def test_what_is_no_list_of_transforms_is_refused_with_its_path(held: str, path: str, words: str) -> None:
    told = refused(
        NESTED[: NESTED.index("transforms = [{")] + f"transforms = {held}\n" + NESTED[NESTED.index("[model]") :]
    )
    assert set(told) == {f"transforms.1.transforms{path}"}
    assert words in told[f"transforms.1.transforms{path}"]


def test_tables_nested_too_deep_are_refused_where_they_become_so() -> None:
    def around(inside: str) -> str:
        return f'{{name="RandomOrder", transforms=[{inside}]}}'

    flipped = '{name="RandomHorizontalFlip"}'
    head, tail = NESTED[: NESTED.index("transforms = [{")], NESTED[NESTED.index("[model]") :]
    assert from_toml(f"{head}transforms = [{around(around(flipped))}]\n{tail}")
    for more in (1, 2, 40):
        text = flipped
        for _ in range(more + 2):
            text = around(text)
        told = refused(f"{head}transforms = [{text}]\n{tail}")
        assert told == {
            "transforms.1.transforms.0.transforms.0.transforms.0.transforms":
            "Transforms can stand inside each other 3 deep at most."
        }  # fmt: skip


def test_code_inside_is_to_be_read_before_it_runs() -> None:
    problem = only(choice(flip(), apply(make("Lambda", lambd="lambda picture: picture.flip(-1)"))), RGB)
    assert problem.path == "transforms.0.transforms.1.transforms.0"
    assert [repair.path for repair in problem.repairs] == ["code"]
    assert problem.repairs[0].value.text == "lambda picture: picture.flip(-1)"


# on the command line


Capture = pytest.CaptureFixture[str]


@pytest.fixture
def nested(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.chdir(tmp_path)
    Path("nested.lab").write_text(NESTED, encoding="utf-8")
    return "nested.lab"


def test_the_list_says_what_a_field_holds(capsys: Capture) -> None:
    assert run(["list", "transforms", "--json"]) == 0
    entries = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    for name in ("RandomApply", "RandomChoice", "RandomOrder"):
        field = next(field for field in entries[name]["fields"] if field["name"] == "transforms")
        assert (field["type"], field["holds"], field["required"]) == ("specs", "transform", True)
    assert not any("holds" in field for field in entries["RandomCrop"]["fields"])
    assert run(["list", "transforms"]) == 0
    assert "transforms  tables  required" in capsys.readouterr().out


@pytest.mark.usefixtures("nested")
def test_a_new_experiment_may_hold_them(capsys: Capture) -> None:
    held = '[{name="RandomRotation",degrees=10}, {name="RandomOrder", transforms=[{name="Pad", padding=1}]}]'
    settings = ["transforms.0.name=RandomApply", f"transforms.0.transforms={held}", "transforms.0.p=0.25"]
    assert run(["new", "new.lab", *(word for one in settings for word in ("--set", one))]) == 0
    made = load(Path("new.lab")).transforms[0]
    assert made == apply(rotation(10), order(make("Pad", padding=1)), p=0.25)
    assert run(["new", "other.lab", "--set", settings[0]]) == 2
    assert "transforms.0.transforms: RandomApply needs a value here." in capsys.readouterr().err


def test_a_check_tells_paths_and_repairs_inside(nested: str, capsys: Capture) -> None:
    crop_inside = 'transforms.1.transforms.1.transforms.0={name="RandomCrop", size=9}'
    assert run(["check", nested, "--set", crop_inside, "--json"]) == 2
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem["path"] == "transforms.1.transforms.1.transforms.0.size"
    mended = problem["repairs"][0]["value"][1]["transforms"][1]["transforms"][0]
    assert mended == {"name": "RandomCrop", "size": 9, "pad_if_needed": True}
    wrong_inside = ["transforms.1.transforms.0.degrees=999", "transforms.1.transforms.1.transforms.0.p=2"]
    assert run(["check", nested, *(word for one in wrong_inside for word in ("--set", one))]) == 2
    said = capsys.readouterr().out
    assert "transforms.1.transforms.0.degrees: Must be less than or equal to 360, not 999." in said
    assert "transforms.1.transforms.1.transforms.0.p: Must be less than or equal to 1, not 2." in said


def test_a_trace_tells_what_was_drawn_inside(nested: str, capsys: Capture) -> None:
    assert run(["trace", nested, "--index", "3", "--epoch", "2", "--save", "out", "--set", "transforms.1.p=1"]) == 0
    assert "applied True" in capsys.readouterr().out
    stage = json.loads(Path("out/trace.json").read_text())["stages"][-1]
    assert set(stage["drawn"]) == {"applied", "0.angle", "1.chosen", "1.0.flipped"}
    assert abs(stage["drawn"]["0.angle"]) <= 10
    assert stage["drawn"]["1.chosen"] == 0


# what is wrong


def only(transform: Transform, kind: Kind) -> Problem:
    (problem,) = wrong(Chain([transform, make("ToTensor")]), kind)
    return problem


def wrong(chain: Chain, kind: Kind) -> list[Problem]:
    return [problem for problem in problems(chain, kind) if problem.severity == "error"]


WRONG: dict[str, tuple[Kind, Callable[[], Transform], str, str, str]] = {
    "a field inside": (RGB, lambda: apply(flip(), crop(17)), "transforms.1.size", "larger than", "Pad to 17"),
    "a field deep inside": (
        RGB, lambda: apply(choice(flip(), order(crop(18)))),
        "transforms.0.transforms.1.transforms.0.size", "larger than", "Take RandomCrop out",
    ),
    "a tensor wanted": (
        RGB, lambda: apply(flip(), make("Normalize")), "transforms.1", "a uint8 image", "Insert ToTensor",
    ),
    "a tensor wanted deep inside": (
        RGB, lambda: apply(choice(make("Normalize"))), "transforms.0.transforms.0", "a uint8 image", "Insert ToTensor",
    ),
    "a conversion": (RGB, lambda: apply(flip(), make("ToTensor")), "transforms.1", "another type", "Move it before"),
    "another type": (RGB, lambda: choice(make("ToDtype", dtype="float32")), "transforms.0", "another type", "Move it"),
    "a conversion alone": (RGB, lambda: apply(make("ToTensor")), "transforms.0", "another type", "Move it before"),
    "grey": (RGB, lambda: choice(flip(), make("Grayscale")), "transforms.1", "3 arrive, Grayscale gives 1", "Keep 3"),
    "a mixture": (RGB, lambda: order(flip(), make("CutMix")), "transforms.1", "whole batches", "Take CutMix out"),
    "a size in any order": (RGB, lambda: order(flip(), resize()), "transforms.1", "size must stay", "Take Resize out"),
    "a fixed size in any order": (
        VARIOUS, lambda: order(make("CenterCrop", size=(10, 12))), "transforms.0", "size must stay", "Take",
    ),
    "a scale in any order": (VARIOUS, lambda: order(flip(), resize(10)), "transforms.1", "size must stay", "Take"),
    "too few weights": (RGB, lambda: choice(flip(), flip(), p=(2,)), "p", "1 weight for 2 transforms", "Use 2 weights"),
    "too many weights": (RGB, lambda: choice(flip(), p=(2, 1, 1)), "p", "3 weights for 1 transform.", "Use 1 weight"),
    "no weight": (RGB, lambda: choice(flip(), flip(), p=(0, 0)), "p", "all weights are 0", "Give all the same"),
    "no weight among those that act": (
        RGB, lambda: choice(flip(), flip().changed(enabled=False), p=(0, 1)), "p", "all weights are 0", "Give all",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_run_is_said_at_its_place_and_mended(case: str) -> None:
    kind, broken, path, words, label = WRONG[case]
    problem = only(broken(), kind)
    assert problem.path == f"transforms.0.{path}"
    assert words in problem.sentence
    assert problem.repairs[0].label.startswith(label)
    for repair in problem.repairs:
        after = wrong(Chain(repair.value), kind)
        assert (problem.path, problem.sentence) not in [(one.path, one.sentence) for one in after]


def repaired(transform: Transform, kind: Kind, place: int = 0) -> tuple[Transform, ...]:
    whole: tuple[Transform, ...] = only(transform, kind).repairs[place].value
    return whole[:-1]


def test_a_conversion_that_is_wanted_comes_before_the_outermost() -> None:
    assert repaired(apply(choice(make("Normalize"))), RGB) == (make("ToTensor"), apply(choice(make("Normalize"))))
    assert repaired(apply(flip(), make("ToTensor")), RGB) == (make("ToTensor"), apply(flip()))
    assert repaired(apply(make("ToTensor")), RGB) == (make("ToTensor"),)
    dtype = make("ToDtype", dtype="float32")
    assert repaired(order(flip(), dtype), RGB) == (dtype, order(flip()))


def test_with_the_last_one_inside_all_around_it_is_taken_out() -> None:
    assert repaired(apply(order(resize())), RGB) == ()


def test_weights_go_with_their_transforms() -> None:
    made = choice(flip(), make("CutMix"), rotation(), p=(1, 2, 3))
    assert repaired(made, RGB) == (choice(flip(), rotation(), p=(1, 3)),)
    assert repaired(choice(flip(), rotation(), p=(2,)), RGB) == (choice(flip(), rotation(), p=(2, 2)),)
    assert repaired(choice(flip(), rotation(), p=(2,)), RGB, 1) == (choice(flip(), rotation()),)
    assert repaired(choice(flip(), p=()), RGB) == (choice(flip(), p=(1,)),)


class Fussy(Transform):
    """Refuses everything; its repairs are a sequence, too many, no help, and one that helps."""

    def output(self, kind: Kind) -> Kind:
        others = (flip(), rotation())
        repairs = [("In turn", others), ("Plenty", (flip(),) * 17), ("No help", (flip(), Fussy())), ("One", (flip(),))]
        raise Illegal("Not this.", "enabled", repairs)


def test_only_repairs_that_mend_inside_are_offered() -> None:
    offered = [repair.label for repair in only(apply(Fussy()), RGB).repairs]
    assert offered == ["In turn", "One"]
    for around in (choice, order):
        assert [repair.label for repair in only(around(Fussy()), RGB).repairs] == ["One"]


@pytest.mark.parametrize("around", [apply, choice, order])
def test_inside_stand_one_to_sixteen_and_transforms_only(around: Callable[..., Transform]) -> None:
    assert len(around(*[flip()] * 16).transforms) == 16  # type: ignore[attr-defined]
    for held, words in (((), "at least 1"), ([flip()] * 17, "at most 16"), (["RandomCrop"], "instance of Transform")):
        with pytest.raises(InvalidExperiment) as caught:
            around(*held)
        (problem,) = caught.value.problems
        assert problem.path == "transforms"
        assert words in problem.sentence


def test_nesting_is_three_deep_at_most() -> None:
    deepest = apply(choice(order(flip())))
    for around in (apply, choice, order):
        with pytest.raises(InvalidExperiment) as caught:
            around(flip(), deepest)
        assert [(p.path, p.sentence) for p in caught.value.problems] == [
            ("transforms", "Transforms can stand inside each other 3 deep at most.")
        ]


def test_a_suggestion_is_two_or_one_that_fit_everything() -> None:
    for name in ("RandomApply", "RandomChoice", "RandomOrder"):
        for kind in (GREY, RGB, TENSOR, VARIOUS, Kind.image(1, 1, 1)):
            suggested = TRANSFORMS.get(name).suggested(kind)
            assert suggested.output(kind) == kind
