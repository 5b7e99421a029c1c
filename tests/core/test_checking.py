"""What is legal but odd: said in a sentence at its place, never in the way, and mended by one click."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer

from gui_lab.cli import documents
from gui_lab.core import arrays
from gui_lab.core.chain import Chain
from gui_lab.core.checking import problems
from gui_lab.core.experiment import Experiment
from gui_lab.core.images import DATASETS, Dataset, ImageSet, InMemory
from gui_lab.core.learner import Learner
from gui_lab.core.learning import LOSSES, MODELS, OPTIMIZERS, Training
from gui_lab.core.oddities import farthest_turn
from gui_lab.core.pipeline import TRANSFORMS, Kind, Transform
from gui_lab.schema import Problem

GREY, RGB = Kind.image(1, 28, 28), Kind.image(3, 32, 32)
WIDE, VARIOUS = Kind.image(3, 24, 40), Kind.image(3, None, None, least=(20, 20))
Step = str | Transform | tuple[str, dict[str, Any]]


def made(step: Step) -> Transform:
    if isinstance(step, Transform):
        return step
    name, values = step if isinstance(step, tuple) else (step, {})
    return TRANSFORMS.make(name, **values)


def chain(*steps: Step) -> Chain:
    return Chain([made(step) for step in steps])


def holding(name: str, *inside: Step, **values: Any) -> Transform:
    return TRANSFORMS.make(name, transforms=tuple(made(step) for step in inside), **values)


RAW: Step = ("ToDtype", {"dtype": "float32"})
SCALED: Step = ("ToDtype", {"dtype": "float32", "scale": True})
IMAGENET: Step = ("Normalize", {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)})
LEVELS: Step = ("Normalize", {"mean": (123.675, 116.28, 103.53), "std": (58.395, 57.12, 57.375)})
FLIP: Step = "RandomHorizontalFlip"
UPSIDE_DOWN: Step = "RandomVerticalFlip"
NOTHING: Step = ("Pad", {"padding": 0})
TURN: Step = ("RandomRotation", {"degrees": 90})

ODD: dict[str, tuple[Kind, str, Chain, str, str]] = {
    "normalised twice": (RGB, "", chain("ToTensor", IMAGENET, IMAGENET), "transforms.2", "normalised twice"),
    "normalised twice, apart": (
        RGB, "", chain("ToTensor", IMAGENET, FLIP, "Normalize"), "transforms.3", "normalised already",
    ),
    "small mean on unscaled values": (RGB, "", chain(RAW, IMAGENET), "transforms.1", "0 to 255 arrive"),
    "large mean on scaled values": (RGB, "", chain("ToTensor", LEVELS), "transforms.1.mean", "0 to 1 arrive"),
    "unscaled to the network": (RGB, "", chain(FLIP, RAW, FLIP), "transforms.1.scale", "reach the network"),
    "a second ToTensor": (RGB, "", chain("ToTensor", FLIP, "ToTensor"), "transforms.2", "float tensor arrives already"),
    "ToTensor after ToDtype": (RGB, "", chain(SCALED, "ToTensor"), "transforms.1", "ToTensor does nothing here"),
    "ToDtype that changes nothing": (
        RGB, "", chain(("ToDtype", {"dtype": "uint8"}), "ToTensor"), "transforms.0", "uint8 image arrives already",
    ),
    "a fill of levels on a tensor": (
        RGB, "", chain("ToTensor", ("RandomRotation", {"degrees": 5, "fill": 128})), "transforms.1.fill", "fill is 128",
    ),
    "fills of levels on a tensor": (
        RGB, "", chain("ToTensor", ("RandomRotation", {"degrees": 5, "fill": (0, 51, 0)})), "transforms.1.fill", "51",
    ),
    "enlarged, then cut": (
        RGB, "", chain(("Resize", {"size": 64}), ("CenterCrop", {"size": 28}), "ToTensor"),
        "transforms.0", "Pictures of 32 are enlarged to 64 and then cut to 28",
    ),
    "enlarged, flipped, then cut": (
        WIDE, "", chain(("Resize", {"size": 48}), FLIP, "ToTensor", ("CenterCrop", {"size": (24, 40)})),
        "transforms.0", "Pictures of 24x40 are enlarged to 48x80 and then cut to 24x40",
    ),
    "enlarged, then cut at random": (
        RGB, "", chain(("Resize", {"size": 40}), ("RandomCrop", {"size": 32}), ("CenterCrop", {"size": 32}), SCALED),
        "transforms.0", "made up and thrown away",
    ),
    "padded, then cut": (
        GREY, "", chain(("Pad", {"padding": 4}), ("CenterCrop", {"size": 28}), "ToTensor"),
        "transforms.0", "cuts away all of the border",
    ),
    "grey by chance, then grey": (
        RGB, "", chain("RandomGrayscale", FLIP, "Grayscale", "ToTensor"), "transforms.0", "takes the colour",
    ),
    "mixed before the end": (RGB, "", chain("ToTensor", "MixUp", IMAGENET), "transforms.1", "at the end"),
    "cut and mixed before the end": (
        RGB, "", chain("ToTensor", "CutMix", "MixUp", "Grayscale"), "transforms.1", "at the end",
    ),
    "a mirrored digit": (GREY, "Digits", chain(FLIP, "ToTensor"), "transforms.0", "a left and a right"),
    "a digit upside down": (GREY, "MNIST", chain(UPSIDE_DOWN, "ToTensor"), "transforms.0", "a top and a bottom"),
    "a shirt upside down": (GREY, "FashionMNIST", chain(UPSIDE_DOWN, "ToTensor"), "transforms.0", "upside down"),
    "a digit turned far": (
        GREY, "MNIST", chain(TURN, "ToTensor"), "transforms.0", "by up to 90 degrees; those of MNIST keep their",
    ),
    "a digit turned on its head": (
        GREY, "Digits", chain(("RandomAffine", {"degrees": (170, 190)}), "ToTensor"),
        "transforms.0", "up to 180 degrees",
    ),
    "a digit turned one way": (
        GREY, "Digits", chain(("RandomRotation", {"degrees": (-60, 10)}), "ToTensor"),
        "transforms.0", "up to 60 degrees",
    ),
    "a digit turned by chance": (
        GREY, "Digits", chain("TrivialAugmentWide", "ToTensor"), "transforms.0", "up to 135 degrees",
    ),
    "a digit mirrored inside": (
        GREY, "Digits", chain(holding("RandomApply", FLIP), "ToTensor"), "transforms.0.transforms.0", "mirrored",
    ),
    "a digit mirrored beside another": (
        GREY, "Digits", chain("ToTensor", holding("RandomOrder", ("RandomRotation", {"degrees": 9}), FLIP)),
        "transforms.1.transforms.1", "mirrored",
    ),
    "a digit turned deep inside": (
        GREY, "Digits", chain(holding("RandomApply", holding("RandomChoice", TURN, NOTHING)), "ToTensor"),
        "transforms.0.transforms.0.transforms.0", "90 degrees",
    ),
}  # fmt: skip


def told(odd: tuple[Kind, str, Chain, str, str]) -> tuple[list[Problem], Kind, Dataset | None]:
    kind, name, made, *_ = odd
    dataset = DATASETS.make(name) if name else None
    return problems(made, kind, dataset), kind, dataset


@pytest.mark.parametrize("case", ODD)
def test_what_is_odd_is_said_at_its_place_and_is_no_error(case: str) -> None:
    found, *_ = told(ODD[case])
    *_, path, words = ODD[case]
    first = found[0]
    assert (first.path, first.severity) == (path, "warning")
    assert words in first.sentence
    assert first.sentence.endswith(".")
    assert [one.severity for one in found] == ["warning"] * len(found)


@pytest.mark.parametrize("case", ODD)
def test_each_repair_leaves_a_right_chain_without_that_oddity(case: str) -> None:
    found, kind, dataset = told(ODD[case])
    for problem in found:
        assert problem.repairs
        for repair in problem.repairs:
            assert repair.path == "transforms"
            after = problems(Chain(repair.value), kind, dataset)
            assert problem.sentence not in [one.sentence for one in after]
            assert not [one for one in after if one.severity == "error"]
            assert len(after) < len(found) or len(after) == 0


RIGHT: dict[str, tuple[Kind, str, Chain]] = {
    "the usual": (RGB, "CIFAR10", chain(("RandomCrop", {"size": 32, "padding": 4}), FLIP, "ToTensor", IMAGENET)),
    "levels where levels arrive": (RGB, "", chain(RAW, LEVELS)),
    "only centred": (RGB, "", chain("ToTensor", ("Normalize", {"mean": (0.5,), "std": (1,)}))),
    "a black fill on a tensor": (RGB, "", chain("ToTensor", ("RandomRotation", {"degrees": 5, "fill": 1}))),
    "a fill that never shows": (RGB, "", chain("ToTensor", ("RandomCrop", {"size": 32, "fill": 128}))),
    "enlarged for the network": (RGB, "", chain(("Resize", {"size": 256}), ("CenterCrop", {"size": 224}), "ToTensor")),
    "enlarged, turned, then cut": (
        RGB, "", chain(("Resize", {"size": 64}), TURN, ("CenterCrop", {"size": 28}), SCALED),
    ),
    "enlarged, then cut to what is higher": (
        WIDE, "", chain(("Resize", {"size": 48}), ("CenterCrop", {"size": (30, 40)}), "ToTensor"),
    ),
    "made smaller, then cut": (RGB, "", chain(("Resize", {"size": 30}), ("CenterCrop", {"size": 28}), "ToTensor")),
    "sizes that nobody knows": (VARIOUS, "", chain(("Resize", {"size": 64}), ("CenterCrop", {"size": 16}), "ToTensor")),
    "padded, turned, then cut": (
        RGB, "", chain(("Pad", {"padding": 4}), TURN, ("CenterCrop", {"size": 32}), SCALED),
    ),
    "padded on one side": (
        GREY, "", chain(("Pad", {"padding": (0, 0, 8, 0)}), ("CenterCrop", {"size": 28}), "ToTensor"),
    ),
    "padded by more than is cut": (GREY, "", chain(("Pad", {"padding": 4}), ("CenterCrop", {"size": 30}), "ToTensor")),
    "grey after a random hue": (RGB, "", chain("RandomGrayscale", "ToTensor", IMAGENET, ("Grayscale", {}))),
    "mixed at the end": (RGB, "", chain("ToTensor", IMAGENET, "CutMix", "MixUp")),
    "a mirrored shirt": (GREY, "FashionMNIST", chain(FLIP, "ToTensor")),
    "a mirrored shape upside down": (RGB, "Shapes", chain(FLIP, UPSIDE_DOWN, TURN, "ToTensor")),
    "a digit turned a little": (GREY, "MNIST", chain(("RandomRotation", {"degrees": 30}), "RandAugment", "ToTensor")),
    "a digit never mirrored": (GREY, "MNIST", chain((FLIP, {"p": 0}), "ToTensor")),
    "a digit's flip switched off": (
        GREY, "MNIST", chain((FLIP, {"enabled": False}), holding("RandomApply", FLIP, enabled=False), "ToTensor"),
    ),
    "a digit that nothing is known of": (GREY, "", chain(FLIP, TURN, UPSIDE_DOWN, "ToTensor")),
}  # fmt: skip


@pytest.mark.parametrize("case", RIGHT)
def test_what_is_not_odd_is_not_warned_of(case: str) -> None:
    kind, name, made = RIGHT[case]
    assert problems(made, kind, DATASETS.make(name) if name else None) == []


def test_a_chain_that_cannot_run_is_told_what_is_wrong_first() -> None:
    (only,) = problems(chain(FLIP, "Normalize", "ToTensor", "ToTensor"), GREY, DATASETS.make("Digits"))
    assert only.severity == "error"


def test_all_that_is_odd_is_told_from_the_front_to_the_end() -> None:
    found = problems(chain(FLIP, TURN, "ToTensor", "ToTensor", "Normalize", "Normalize"), GREY, DATASETS.make("MNIST"))
    assert [problem.path for problem in found] == [f"transforms.{place}" for place in (0, 1, 3, 5)]


def test_an_unscaled_tensor_without_normalize_is_scaled_where_it_is_made() -> None:
    (found,) = problems(chain(RAW), RGB)
    assert found.repairs[0].value == (made(SCALED),)


def test_either_of_two_normalizes_can_go() -> None:
    (found,) = problems(chain("ToTensor", IMAGENET, "Normalize"), RGB)
    assert [repair.value for repair in found.repairs] == [
        chain("ToTensor", IMAGENET).transforms,
        chain("ToTensor", "Normalize").transforms,
    ]


def test_whitening_that_has_no_numbers_yet_is_told_and_mends_no_scale() -> None:
    tiny = Kind.image(3, 2, 2)
    found = problems(chain(RAW, "LinearTransformation"), tiny)
    assert [problem.path for problem in found] == ["transforms.0.scale", "transforms.1"]
    assert "does nothing yet" in found[1].sentence
    assert found[1].repairs[0].value == chain(RAW).transforms
    measured = arrays.keep("mean", np.full(12, 128, np.float32))
    assert problems(chain(RAW, ("LinearTransformation", {"mean_vector": measured})), tiny) == []


def test_a_large_mean_becomes_the_one_that_everybody_knows() -> None:
    (found,) = problems(chain("ToTensor", LEVELS), RGB)
    assert found.repairs[0].value == chain("ToTensor", IMAGENET).transforms


def test_padding_takes_the_place_of_enlarging_before_a_random_crop() -> None:
    broken = chain(("Resize", {"size": 40}), ("RandomCrop", {"size": 32}), ("CenterCrop", {"size": 32}), "ToTensor")
    (found,) = problems(broken, RGB)
    (repair,) = found.repairs
    assert repair.label == "Pad by 4 instead"
    assert repair.value[0] == made(("RandomCrop", {"size": 32, "padding": 4}))


def test_a_turn_is_kept_as_far_as_it_goes() -> None:
    one_way = chain(("RandomRotation", {"degrees": (-60, 10)}), "ToTensor")
    (found,) = problems(one_way, GREY, DATASETS.make("MNIST"))
    assert found.repairs[0].value[0] == made(("RandomRotation", {"degrees": (-30, 10)}))
    beyond = chain(("RandomRotation", {"degrees": (60, 80)}), "ToTensor")
    (found,) = problems(beyond, GREY, DATASETS.make("MNIST"))
    assert found.repairs[0].value[0] == made(("RandomRotation", {"degrees": (-30, 30)}))


def test_a_composition_goes_with_the_last_thing_in_it() -> None:
    (found,) = problems(chain(holding("RandomApply", FLIP), "ToTensor"), GREY, DATASETS.make("Digits"))
    assert found.repairs[0].value == (made("ToTensor"),)


@pytest.mark.parametrize(
    ("inside", "p", "left", "kept"),
    [
        ((NOTHING, FLIP), (3, 1), (NOTHING,), (3,)),
        ((FLIP, NOTHING), (3, 1), (NOTHING,), (1,)),
        ((NOTHING, FLIP, SCALED), (1, 2, 3), (NOTHING, SCALED), (1, 3)),
        ((NOTHING, FLIP), (0, 1), (), ()),
    ],
)
def test_one_of_a_weighted_choice_takes_its_weight_along(
    inside: tuple[Step, ...], p: tuple[int, ...], left: tuple[Step, ...], kept: tuple[int, ...]
) -> None:
    weighted = chain("ToTensor", holding("RandomChoice", *inside, p=p))
    found = problems(weighted, GREY, DATASETS.make("Digits"))
    repaired = found[0].repairs[0].value
    assert repaired[1:] == ((holding("RandomChoice", *left, p=kept),) if left else ())
    assert problems(Chain(repaired), GREY, DATASETS.make("Digits")) == []


@pytest.mark.parametrize(
    ("degrees", "far"),
    [(10, 10), (180, 180), (270, 180), ((0, 20), 20), ((-300, -290), 70), ((350, 360), 10), ((170, 190), 180)],
)
def test_how_far_a_picture_is_turned_is_told_from_upright(degrees: Any, far: float) -> None:
    assert farthest_turn(made(("RandomRotation", {"degrees": degrees}))) == far


def test_which_pictures_have_a_right_way_round() -> None:
    facts = {entry.name_of(): (entry.handed, entry.upright) for entry in DATASETS}
    assert facts == {
        "Digits": (True, 30),
        "MNIST": (True, 30),
        "FashionMNIST": (False, 45),
        "CIFAR10": (False, None),
        "Shapes": (False, None),
        "ImageFolder": (False, None),
    }


def odd_experiment() -> Experiment:
    return Experiment(
        dataset=DATASETS.make("Digits"),
        transforms=chain(FLIP, "ToTensor", "ToTensor").transforms,
        model=MODELS.make("MLP", hidden=(4,)),
        loss=LOSSES.make("CrossEntropyLoss"),
        optimizer=OPTIMIZERS.make("SGD"),
        schedulers=(),
        training=Training(epochs=1, batch_size=16, device="cpu"),
    )


def test_an_odd_experiment_is_warned_of_and_trains(images: ImageSet) -> None:
    experiment = odd_experiment()
    assert [problem.severity for problem in experiment.problems(images)] == ["warning", "warning"]
    Learner(experiment, images)


def test_what_the_network_lacks_is_still_found_beside_a_warning(images: ImageSet) -> None:
    experiment = replace(odd_experiment(), model=MODELS.make("LeNet5"))
    small = replace(images, pictures=InMemory(np.zeros((len(images.labels), 1, 4, 4), np.uint8)))
    assert {problem.path: problem.severity for problem in experiment.problems(small)} == {
        "transforms.0": "warning",
        "transforms.2": "warning",
        "model": "error",
    }


class ByChance(Transform):
    """Makes tensors of training pictures alone."""

    random = True

    def output(self, kind: Kind) -> Kind:
        return replace(kind, dtype="float32", high=1.0)


def test_validation_pictures_that_stay_images_are_told() -> None:
    (found,) = problems(Chain([ByChance()]), GREY)
    assert (found.severity, found.sentence) == (
        "error",
        "The network needs float tensors, but uint8 images reach it (validation pictures).",
    )
    assert problems(Chain(found.repairs[0].value), GREY)[0].severity == "warning"  # it does nothing in training


def test_the_illegal_things_of_the_course_are_mended_by_their_repairs() -> None:
    """Each repair of each error, until a right chain is reached."""
    broken = {
        "Normalize on an image": (chain(IMAGENET, "ToTensor"), "Insert ToTensor before it"),
        "RandomErasing on a PIL picture": (chain("ToPILImage", "RandomErasing", "ToTensor"), ""),
        "ToPILImage after Normalize": (chain("ToTensor", IMAGENET, "ToPILImage"), ""),
        "three means on grey": (chain("Grayscale", "ToTensor", IMAGENET), "Use 1 value"),
        "a crop larger than what arrives": (chain(("RandomCrop", {"size": 36}), "ToTensor"), "Pad to 36"),
    }
    for case, (first, label) in broken.items():
        found = problems(first, RGB)
        assert found[0].severity == "error", case
        assert not label or label in [repair.label for repair in found[0].repairs], case
        for repair in found[0].repairs:
            after = problems(Chain(repair.value), RGB)
            assert (found[0].path, found[0].sentence) not in [(one.path, one.sentence) for one in after], case


def test_a_repaired_chain_runs() -> None:
    for kind, name, *_ in ODD.values():
        dataset = DATASETS.make(name) if name else None
        made = next(odd[2] for odd in ODD.values() if odd[0] == kind and odd[1] == name)
        while found := problems(made, kind, dataset):
            made = Chain(found[0].repairs[0].value)
        pictures = torch.zeros((4, *kind.shape), dtype=torch.uint8)
        ready = made.run(pictures, np.arange(4), seed=1, epoch=1, training=True)
        assert ready.dtype == torch.float32


def test_the_command_line_prints_warnings_and_calls_nothing_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "odd.lab"
    odd_experiment().save(file)
    documents.check(file)
    said = capsys.readouterr().out
    assert said.startswith(f"{file} has 2 warnings:\n")
    assert "  transforms.0: warning: The pictures of Digits have a left and a right" in said
    with pytest.raises(typer.Exit) as ended:
        documents.check(file, ["training.batch_size=60000"])
    assert ended.value.exit_code == 2
    assert f"{file} has 1 problem and 2 warnings:\n" in capsys.readouterr().out
    documents.check(file, as_json=True)
    severities = [problem["severity"] for problem in json.loads(capsys.readouterr().out)["problems"]]
    assert severities == ["warning", "warning"]
