"""The chain: what a preview shows is what training gets, and what cannot run is said before it runs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from gui_lab.core.chain import Chain
from gui_lab.core.checking import problems
from gui_lab.core.pipeline import TRANSFORMS, Illegal, Kind, Transform
from gui_lab.core.stages import Stage
from gui_lab.schema import Problem

GREY, RGB = Kind.image(1, 16, 16), Kind.image(3, 16, 20)
VARIOUS = Kind.image(3, None, None, least=(10, 12))


def chain(*steps: str | Transform | tuple[str, dict]) -> Chain:
    return Chain([made(step) for step in steps])


def made(step: str | Transform | tuple[str, dict]) -> Transform:
    if isinstance(step, Transform):
        return step
    name, values = step if isinstance(step, tuple) else (step, {})
    return TRANSFORMS.make(name, **values)


def noise(count: int, channels: int, height: int, width: int) -> torch.Tensor:
    drawn = np.random.default_rng(count).integers(0, 256, (count, channels, height, width), dtype=np.uint8)
    return torch.from_numpy(drawn)


def traced(chain: Chain, picture: torch.Tensor, index: int, **how: Any) -> list[Stage]:
    (stages,) = chain.trace([picture], np.array([index]), **how)
    return stages


LONG = chain(
    ("RandomCrop", {"size": 14, "padding": 2, "padding_mode": "reflect"}),
    "RandomHorizontalFlip",
    ("RandomRotation", {"degrees": 30, "interpolation": "bilinear", "fill": 9}),
    ("RandomCrop", {"size": 12}),
    ("Resize", {"size": 17}),
    ("CenterCrop", {"size": 15}),
    "ToTensor",
    ("Normalize", {"mean": (0.3,), "std": (0.2,)}),
)


@pytest.mark.parametrize("training", [True, False])
def test_a_picture_comes_out_the_same_in_every_batch(training: bool) -> None:
    pictures, indices = noise(40, 3, 16, 16), np.arange(40) * 7 + 3
    together = LONG.run(pictures, indices, seed=4, epoch=2, training=training)
    mixed = np.random.default_rng(0).permutation(40)
    shuffled = LONG.run(pictures[mixed], indices[mixed], seed=4, epoch=2, training=training)
    assert torch.equal(shuffled, together[mixed])
    for place in range(40):
        alone = LONG.run(pictures[place : place + 1], indices[place : place + 1], seed=4, epoch=2, training=training)
        assert torch.equal(alone[0], together[place])


@pytest.mark.parametrize("training", [True, False])
def test_a_preview_shows_to_the_bit_what_training_gets(training: bool) -> None:
    pictures, indices = noise(20, 1, 16, 16), np.arange(20) + 100
    batch = LONG.run(pictures, indices, seed=4, epoch=3, training=training)
    for place, index in enumerate(indices):
        stages = traced(LONG, pictures[place], int(index), seed=4, epoch=3, training=training)
        assert torch.equal(stages[-1].picture, batch[place])


def test_a_preview_tells_each_stage_and_what_was_drawn_for_it() -> None:
    short = chain(("RandomCrop", {"size": 8}), ("ToTensor", {"enabled": False}), "RandomHorizontalFlip", "ToTensor")
    picture = noise(1, 1, 12, 12)[0]
    stages = traced(short, picture, 5, seed=1, epoch=1)
    assert [(stage.position, stage.name) for stage in stages] == [
        (-1, "source"), (0, "RandomCrop"), (2, "RandomHorizontalFlip"), (3, "ToTensor"),
    ]  # fmt: skip
    crop, flip = stages[1], stages[2]
    assert type(crop.drawn["top"]) is int
    assert type(flip.drawn["flipped"]) is bool
    top, left = crop.drawn["top"], crop.drawn["left"]
    assert torch.equal(crop.picture, picture[:, top : top + 8, left : left + 8])
    assert torch.equal(flip.picture, crop.picture.flip(-1) if flip.drawn["flipped"] else crop.picture)
    assert stages[0].drawn == stages[3].drawn == {}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("expand", [True, False])
def test_pictures_of_several_sizes_keep_their_places_in_the_batch(training: bool, expand: bool) -> None:
    sizes = [(10, 12), (16, 16), (10, 12), (30, 11), (16, 16), (12, 10), (11, 31)]
    pictures = [noise(place + 1, 3, *size)[place] for place, size in enumerate(sizes)]
    ragged = chain(
        ("RandomRotation", {"degrees": 40, "expand": expand}), "RandomHorizontalFlip", ("Resize", {"size": 12}),
        ("RandomCrop", {"size": 11}), ("CenterCrop", {"size": 11}), "ToTensor",
    )  # fmt: skip
    indices = np.array([5, 3, 8, 1, 900, 2, 7])
    together = ragged.run(pictures, indices, seed=1, epoch=1, training=training)
    assert together.shape == (7, 3, 11, 11)
    for place, picture in enumerate(pictures):
        stages = traced(ragged, picture, int(indices[place]), seed=1, epoch=1, training=training)
        assert torch.equal(stages[-1].picture, together[place])


def test_pictures_that_stay_of_several_sizes_are_no_batch() -> None:
    pictures = [noise(1, 1, 4, 4)[0], noise(1, 1, 5, 4)[0]]
    with pytest.raises(ValueError, match="different sizes"):
        chain("ToTensor").run(pictures, np.arange(2), seed=1, epoch=1, training=True)


def test_a_transform_that_is_switched_off_does_nothing() -> None:
    pictures, indices = noise(8, 1, 16, 16), np.arange(8)
    off = chain(("RandomCrop", {"size": 4, "enabled": False}), "RandomHorizontalFlip", "ToTensor")
    without = chain("RandomHorizontalFlip", "ToTensor")
    there, gone = (c.run(pictures, indices, seed=1, epoch=1, training=True) for c in (off, without))
    assert torch.equal(there, gone)
    assert off.output(GREY) == without.output(GREY)
    assert problems(off, GREY) == []


def test_inserting_a_transform_leaves_the_draws_of_the_others() -> None:
    picture = noise(1, 1, 16, 16)[0]
    before = chain(("RandomRotation", {"degrees": 20}), ("RandomCrop", {"size": 9}))
    after = chain("RandomHorizontalFlip", ("RandomRotation", {"degrees": 20}), "Grayscale", ("RandomCrop", {"size": 9}))
    for epoch in (1, 2):
        drawn = {s.name: s.drawn for s in traced(before, picture, 3, seed=1, epoch=epoch)}
        again = {s.name: s.drawn for s in traced(after, picture, 3, seed=1, epoch=epoch)}
        assert again["RandomRotation"] == drawn["RandomRotation"]
        assert again["RandomCrop"] == drawn["RandomCrop"]


def test_two_of_a_name_draw_apart() -> None:
    twice = chain(("RandomRotation", {"degrees": 20}), ("RandomRotation", {"degrees": 20}))
    stages = traced(twice, noise(1, 1, 16, 16)[0], 3, seed=1, epoch=1)
    assert stages[1].drawn != stages[2].drawn


@pytest.mark.parametrize("other", [{"epoch": 2, "seed": 1}, {"epoch": 1, "seed": 2}])
def test_another_epoch_or_seed_draws_anew(other: dict[str, int]) -> None:
    pictures, indices = noise(8, 1, 16, 16), np.arange(8)
    first = LONG.run(pictures, indices, seed=1, epoch=1, training=True)
    second = LONG.run(pictures, indices, **other, training=True)
    assert all(not torch.equal(one, two) for one, two in zip(first, second, strict=True))


def test_validation_leaves_random_transforms_out() -> None:
    pictures, indices = noise(8, 1, 16, 16), np.arange(8)
    plain = Chain([transform for transform in LONG.transforms if not transform.random])
    measured = LONG.run(pictures, indices, seed=1, epoch=1, training=False)
    assert torch.equal(measured, plain.run(pictures, indices, seed=9, epoch=9, training=True))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_pictures_are_never_changed_in_place(dtype: torch.dtype) -> None:
    pictures = noise(8, 1, 16, 16).to(dtype)
    untouched = pictures.clone()
    LONG.run(pictures, np.arange(8), seed=1, epoch=1, training=True)
    traced(LONG, pictures[0], 0, seed=1, epoch=1)
    assert torch.equal(pictures, untouched)


def test_the_global_generators_are_not_touched() -> None:
    before = (torch.get_rng_state(), np.random.get_state()[1].tobytes(), random.getstate())
    LONG.run(noise(8, 1, 16, 16), np.arange(8), seed=1, epoch=1, training=True)
    traced(LONG, noise(1, 1, 16, 16)[0], 0, seed=1, epoch=1)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tobytes() == before[1]
    assert random.getstate() == before[2]


def test_the_kinds_along_the_chain_are_what_the_preview_shows() -> None:
    kinds = LONG.kinds(GREY)
    stages = traced(LONG, noise(1, 1, 16, 16)[0], 0, seed=1, epoch=1)
    assert [place for place, _ in kinds] == [stage.position for stage in stages]
    for (_, kind), stage in zip(kinds, stages, strict=True):
        assert kind.shape == tuple(stage.picture.shape)
        assert f"torch.{kind.dtype}" == str(stage.picture.dtype)


def test_a_kind_says_itself_in_a_few_words() -> None:
    assert str(GREY) == "image uint8 1x16x16"
    assert str(chain("ToTensor").output(GREY)) == "tensor float32 1x16x16"
    assert str(VARIOUS) == "image uint8 3xvarious sizes"


ILLEGAL: dict[str, tuple[Kind, Chain, str, str]] = {
    "no tensor": (GREY, chain("RandomHorizontalFlip"), "transforms", "uint8 images reach it"),
    "nothing at all": (GREY, chain(), "transforms", "uint8 images reach it"),
    "tensor switched off": (GREY, chain(("ToTensor", {"enabled": False})), "transforms", "uint8 images reach it"),
    "Normalize on an image": (GREY, chain("Normalize", "ToTensor"), "transforms.0", "a uint8 image arrives"),
    "three means on grey": (
        GREY, chain("ToTensor", ("Normalize", {"mean": (0.1, 0.2, 0.3), "std": (1, 1, 1)})),
        "transforms.1.mean", "1 channel(s)",
    ),
    "two means on colour": (
        RGB, chain("ToTensor", ("Normalize", {"mean": (0.1, 0.2), "std": (1, 1)})), "transforms.1.mean", "3 channel(s)",
    ),
    "crop too large": (
        GREY, chain(("RandomCrop", {"size": (18, 23), "padding": 1}), ("CenterCrop", {"size": 18}), "ToTensor"),
        "transforms.0.size", "larger than the picture (18x23 > 18)",
    ),
    "crop larger than the smallest": (
        VARIOUS, chain(("RandomCrop", {"size": 11}), "ToTensor"), "transforms.0.size", "(11 > 10x12)",
    ),
    "reflection too wide": (
        GREY, chain(("RandomCrop", {"size": 16, "padding": 16, "padding_mode": "reflect"}), "ToTensor"),
        "transforms.0.padding", "wider than the picture",
    ),
    "symmetry too wide": (
        GREY, chain(("RandomCrop", {"size": 16, "padding": (0, 17), "padding_mode": "symmetric"}), "ToTensor"),
        "transforms.0.padding", "wider than the picture",
    ),
    "three fills on grey": (
        GREY, chain(("RandomCrop", {"size": 16, "fill": (1, 2, 3)}), "ToTensor"), "transforms.0.fill", "3 fill values",
    ),
    "three fills turning grey": (
        GREY, chain(("RandomRotation", {"degrees": 5, "fill": (1, 2, 3)}), "ToTensor"),
        "transforms.0.fill", "3 fill values",
    ),
    "longest side no longer": (
        RGB, chain(("Resize", {"size": 20, "max_size": 20}), "ToTensor"), "transforms.0.max_size", "max_size needs",
    ),
    "longest side of two": (
        RGB, chain(("Resize", {"size": (20, 20), "max_size": 30}), "ToTensor"),
        "transforms.0.max_size", "max_size needs",
    ),
    "angles swapped": (
        GREY, chain(("RandomRotation", {"degrees": (10, -10)}), "ToTensor"), "transforms.0.degrees", "larger than the",
    ),
    "several sizes": (VARIOUS, chain("ToTensor"), "transforms", "different sizes"),
    "shorter side alone": (VARIOUS, chain(("Resize", {"size": 9}), "ToTensor"), "transforms", "different sizes"),
    "enlarging rotation": (
        GREY, chain("RandomHorizontalFlip", ("RandomRotation", {"degrees": 5, "expand": True}), "ToTensor"),
        "transforms", "different sizes",
    ),
    "enlarging rotation of several sizes": (
        VARIOUS, chain(("Resize", {"size": 9}), ("RandomRotation", {"degrees": 5, "expand": True}), "ToTensor"),
        "transforms", "different sizes",
    ),
    "training cropped alone": (
        RGB, chain(("RandomCrop", {"size": 12}), "RandomHorizontalFlip", "ToTensor"),
        "transforms.0", "Training pictures come out as 12x12, validation pictures as 16x20",
    ),
    "training cropped from several sizes": (
        VARIOUS, chain(("RandomCrop", {"size": (9, 8)}), "ToTensor"),
        "transforms.0", "Training pictures come out as 9x8, validation pictures as ?x?",
    ),
    "training cropped, then all resized": (
        RGB, chain(("RandomCrop", {"size": 12}), ("Resize", {"size": 24}), "ToTensor"),
        "transforms.0", "Training pictures come out as 24x24, validation pictures as 24x30",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ILLEGAL)
def test_what_cannot_run_is_said_at_its_place(case: str) -> None:
    kind, broken, path, words = ILLEGAL[case]
    (problem,) = problems(broken, kind)
    assert problem.path == path
    assert words in problem.sentence
    assert problem.severity == "error"


@pytest.mark.parametrize("case", ILLEGAL)
def test_each_repair_mends_its_problem(case: str) -> None:
    kind, broken, *_ = ILLEGAL[case]
    (problem,) = problems(broken, kind)
    assert problem.repairs
    for repair in problem.repairs:
        assert repair.label
        assert repair.path == "transforms"
        mended = Chain(repair.value)
        assert (problem.path, problem.sentence) not in [(p.path, p.sentence) for p in problems(mended, kind)]
        runs_on(finished(mended, kind), kind)


def finished(broken: Chain, kind: Kind) -> Chain:
    """The chain once the first repair of every further problem is made."""
    seen: list[Problem] = []
    while found := problems(broken, kind):
        assert found[0] not in seen
        seen.append(found[0])
        broken = Chain(found[0].repairs[0].value)
    return broken


def runs_on(mended: Chain, kind: Kind) -> None:
    """Both paths give pictures of the declared kind."""
    height, width = kind.least
    sizes = [kind.size] * 3 if kind.size else [(height, width), (height + 3, width), (height, width + 9)]
    pictures = [noise(3, kind.channels, *size)[0] for size in sizes]
    declared = mended.output(kind)
    for training in (True, False):
        ready = mended.run(pictures, np.arange(3), seed=1, epoch=1, training=training)
        assert tuple(ready.shape[1:]) == declared.shape
        assert ready.dtype == torch.float32


def test_pictures_larger_than_any_size_one_can_ask_for_are_mended_too() -> None:
    huge = Kind.image(3, None, None, least=(5000, 6000))
    (problem,) = problems(chain("ToTensor"), huge)
    assert problems(Chain(problem.repairs[0].value), huge) == []


def test_grey_from_two_channels_can_only_be_taken_out() -> None:
    (problem,) = problems(chain("Grayscale", "ToTensor"), Kind.image(2, 8, 8))
    assert problem.path == "transforms.0"
    assert [repair.value for repair in problem.repairs] == [chain("ToTensor").transforms]


def test_a_right_chain_has_no_problems() -> None:
    assert problems(chain(("RandomCrop", {"size": 16, "padding": 2}), "ToTensor", "Normalize"), GREY) == []
    assert problems(LONG, GREY) == []


def test_a_broken_chain_can_still_be_shown() -> None:
    broken = chain("RandomHorizontalFlip", "Normalize", "ToTensor")
    stages = traced(broken, noise(1, 1, 16, 16)[0], 0, seed=1, epoch=1)
    assert [stage.name for stage in stages] == ["source", "RandomHorizontalFlip"]
    assert broken.output(GREY) == GREY


class Halved(Transform):
    """Makes a tensor from a picture by chance: what validation pictures then lack is told."""

    random = True

    def output(self, kind: Kind) -> Kind:
        return replace(kind, dtype="float32")


class Tensors(Transform):
    """Takes tensors only."""

    def output(self, kind: Kind) -> Kind:
        if kind.dtype != "float32":
            raise Illegal("Tensors only.", "enabled", [("Leave it out", ())])
        return kind


def test_what_fails_on_validation_pictures_alone_says_so() -> None:
    (problem,) = problems(Chain([Halved(), Tensors()]), GREY)
    assert problem.path == "transforms.1.enabled"
    assert "validation pictures" in problem.sentence
    assert problem.repairs[0].value == (Halved(),)


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
def test_the_number_of_threads_changes_nothing() -> None:
    pictures, indices, ready = noise(64, 3, 16, 16), np.arange(64), []
    for count in (1, 2):
        torch.set_num_threads(count)
        ready.append(LONG.run(pictures, indices, seed=1, epoch=1, training=True))
    assert torch.equal(*ready)
