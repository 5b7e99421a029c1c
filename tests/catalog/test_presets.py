"""Presets fit any pictures: they are legal, without a warning, and both paths end in one size."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gui_lab.catalog.presets import PRESETS, Preset
from gui_lab.core.chain import Chain
from gui_lab.core.checking import problems
from gui_lab.core.images import DATASETS
from gui_lab.core.pipeline import TRANSFORMS, Kind
from gui_lab.export.chain_text import from_text, to_toml
from gui_lab.export.python_chain import to_python

KINDS = {
    "Digits": Kind.image(1, 8, 8),
    "MNIST": Kind.image(1, 28, 28),
    "FashionMNIST": Kind.image(1, 28, 28),
    "CIFAR10": Kind.image(3, 32, 32),
    "Shapes": Kind.image(3, 64, 64),
}
FOLDERS = [
    *(Kind.image(channels, *size) for channels in (1, 3) for size in
      ((1, 1), (9, 30), (40, 24), (200, 300), (224, 224), (240, 250), (256, 300), (1000, 1500), (5000, 6000))),
    *(Kind.image(3, None, None, least=least) for least in ((1, 1), (10, 12), (64, 100), (300, 200), (5000, 7000))),
    Kind.image(1, None, None, least=(20, 20)),
]  # fmt: skip
EACH = pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)


def named(name: str) -> Preset:
    return next(preset for preset in PRESETS if preset.name == name)


def names(preset: str, kind: Kind, dataset: str = "") -> list[str]:
    chosen = DATASETS.make(dataset) if dataset else None
    return [transform.name_of() for transform in named(preset).transforms(kind, chosen)]


@EACH
@pytest.mark.parametrize("name", KINDS)
def test_a_preset_fits_each_data_set(preset: Preset, name: str) -> None:
    dataset = DATASETS.make(name)
    chain = Chain(preset.transforms(KINDS[name], dataset))
    assert problems(chain, KINDS[name], dataset) == []


@EACH
@pytest.mark.parametrize("kind", FOLDERS, ids=str)
def test_a_preset_fits_a_folder_of_pictures_of_any_size(preset: Preset, kind: Kind) -> None:
    chain = Chain(preset.transforms(kind))
    assert problems(chain, kind) == []
    trained, validated = chain.output(kind), chain.kinds(kind, training=False)[-1][1]
    assert trained.shape == validated.shape
    assert trained.dtype == validated.dtype == "float32"


@EACH
@pytest.mark.parametrize("training", [True, False])
def test_a_preset_runs(preset: Preset, training: bool) -> None:
    noise = np.random.default_rng(0)
    for kind in (*KINDS.values(), Kind.image(3, None, None, least=(12, 10))):
        sizes = [kind.size] * 3 if kind.size else [(12, 10), (40, 11), (13, 70)]
        pictures = [torch.from_numpy(noise.integers(0, 256, (kind.channels, *size), dtype=np.uint8)) for size in sizes]
        chain = Chain(preset.transforms(kind))
        ready = chain.run(pictures, np.arange(3), seed=1, epoch=1, training=training)
        assert tuple(ready.shape[1:]) == chain.output(kind).shape


@EACH
def test_a_preset_is_text_like_any_chain(preset: Preset) -> None:
    for kind in (*KINDS.values(), *FOLDERS):
        chain = preset.transforms(kind)
        assert from_text(to_toml(chain)) == chain
        assert from_text(to_python(chain)) == chain


@EACH
def test_a_preset_says_in_one_sentence_what_it_is(preset: Preset) -> None:
    assert preset.sentence.endswith(".")
    assert 20 < len(preset.sentence) <= 100


def test_presets_are_told_apart_by_their_names() -> None:
    assert [preset.name for preset in PRESETS] == [
        "None", "Digits", "CIFAR standard", "ImageNet training", "ImageNet evaluation", "Strong",
    ]  # fmt: skip


def test_presets_are_what_everybody_knows_by_their_names() -> None:
    make, rgb = TRANSFORMS.make, KINDS["CIFAR10"]
    imagenet = (make("ToTensor"), make("Normalize", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)))
    assert named("None").transforms(rgb) == (make("ToTensor"),)
    assert named("CIFAR standard").transforms(rgb) == (
        make("RandomCrop", size=32, padding=4),
        make("RandomHorizontalFlip"),
        make("ToTensor"),
        make("Normalize", mean=(0.4914, 0.4822, 0.4465), std=(0.247, 0.2435, 0.2616)),
    )
    training = named("ImageNet training").transforms(Kind.image(3, 400, 500))
    assert (training[0], *training[3:]) == (
        make("RandomResizedCrop", size=224),
        make("RandomHorizontalFlip"),
        *imagenet,
    )
    evaluation = named("ImageNet evaluation").transforms(Kind.image(3, 400, 500))
    assert evaluation == (make("Resize", size=256), make("CenterCrop", size=224), *imagenet)


def test_the_size_of_a_random_crop_is_made_of_validation_pictures_alone() -> None:
    """In training the two that follow it leave each pixel in its place."""
    kind = Kind.image(3, 60, 40)
    picture = torch.from_numpy(np.random.default_rng(0).integers(0, 256, kind.shape, dtype=np.uint8))
    chain = Chain(named("ImageNet training").transforms(kind))
    (stages,) = chain.trace([picture], np.array([0]), seed=1, epoch=1)
    assert [stage.name for stage in stages[1:4]] == ["RandomResizedCrop", "Resize", "CenterCrop"]
    assert torch.equal(stages[3].picture, stages[1].picture)


def test_grey_pictures_get_one_mean_or_three_channels() -> None:
    for preset in PRESETS:
        chain = preset.transforms(KINDS["MNIST"])
        means = [len(getattr(one, "mean", ())) for one in chain if one.name_of() == "Normalize"]
        coloured = "Grayscale" in [one.name_of() for one in chain]
        assert means in ([], [3] if coloured else [1])
        assert coloured == preset.name.startswith("ImageNet")


def test_what_has_a_left_and_a_right_is_never_mirrored() -> None:
    assert "RandomHorizontalFlip" in names("Strong", KINDS["CIFAR10"], "CIFAR10")
    for preset in PRESETS:
        assert "RandomHorizontalFlip" not in names(preset.name, KINDS["MNIST"], "MNIST")


def test_what_stands_upright_is_turned_a_little_only() -> None:
    assert "TrivialAugmentWide" in names("Strong", KINDS["CIFAR10"], "CIFAR10")
    for name in ("MNIST", "FashionMNIST"):
        assert "RandAugment" in names("Strong", KINDS[name], name)


def test_digits_are_never_mirrored_whatever_the_data_set() -> None:
    assert names("Digits", KINDS["Shapes"]) == [
        "Grayscale", "Resize", "CenterCrop", "RandomRotation", "RandomCrop", "ToTensor", "Normalize",
    ]  # fmt: skip
