"""What is told of networks and measured of pictures before a run is what torch itself finds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gui_lab.core.images import ImageSet, InMemory
from gui_lab.core.learning import MODELS, Model
from gui_lab.core.ledger import ledger
from gui_lab.core.pipeline import TRANSFORMS, Kind
from gui_lab.core.probes import Measured, measuring

# the ledger


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 20, 33)])
@pytest.mark.parametrize("entry", list(MODELS), ids=lambda entry: entry.name_of())
def test_the_ledger_is_that_of_the_network_that_is_trained(entry: type[Model], shape: tuple[int, int, int]) -> None:
    built = entry().build(shape, 7).eval()
    seen: list[tuple[str, str, tuple[int, ...], int]] = []
    for name, module in built.named_modules():
        if not list(module.children()):
            own = sum(parameter.numel() for parameter in module.parameters())
            module.register_forward_hook(
                lambda m, _, out, name=name, own=own: seen.append((name, type(m).__name__, tuple(out.shape[1:]), own))
            )
    with torch.no_grad():
        built(torch.zeros(2, *shape))
    rows = ledger(entry(), shape, 7)
    assert [(row.name, row.kind, row.output, row.parameters) for row in rows] == seen
    assert sum(row.parameters for row in rows) == sum(parameter.numel() for parameter in built.parameters())
    assert rows[-1].output == (7,)
    assert all(row.detail for row in rows if row.parameters)


def test_the_ledger_draws_no_random_number() -> None:
    generator = torch.get_rng_state()
    for entry in MODELS:
        ledger(entry(), (1, 28, 28), 10)
    assert torch.equal(torch.get_rng_state(), generator)


def test_the_ledger_of_a_huge_network_needs_no_memory() -> None:
    rows = ledger(MODELS.make("MLP", hidden=(16_384,) * 16), (3, 4096, 4096), 1000)
    assert sum(row.parameters for row in rows) > 800e9


# mean and deviation


def noise(count: int, channels: int) -> ImageSet:
    pixels = np.random.default_rng(0).integers(0, 256, (count, channels, 9, 7), dtype=np.uint8)
    pixels[:, -1] //= 3
    everything = np.arange(count)
    return ImageSet(InMemory(pixels), everything % 2, ("a", "b"), everything[:-5], everything[-5:], everything[:0])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scaled", [False, True])
def test_mean_and_deviation_are_torchs_over_all_training_pictures(channels: int, scaled: bool) -> None:
    images = noise(300, channels)
    *_, measured = measuring(images, [TRANSFORMS.make("ToTensor")] if scaled else [])
    values = torch.from_numpy(images.pictures.take(images.train)).double() / 255
    assert measured.mean == pytest.approx(values.mean((0, 2, 3)).tolist(), rel=1e-6)
    assert measured.std == pytest.approx(values.std((0, 2, 3), correction=0).tolist(), rel=1e-6)
    assert measured.pictures == measured.total == 295


def test_what_is_measured_is_what_leaves_the_transforms_before() -> None:
    images = noise(40, 3)
    random, *rest = (TRANSFORMS.make(name, size=size) for name, size in (("RandomCrop", 2), ("CenterCrop", 5)))
    (measured,) = measuring(images, [random, *rest, TRANSFORMS.make("Grayscale")])
    from torchvision.transforms.v2 import functional

    pictures = torch.from_numpy(images.pictures.take(images.train))
    values = functional.rgb_to_grayscale(functional.center_crop(pictures, [5, 5])).double() / 255
    assert measured.mean == pytest.approx([values.mean().item()])
    assert measured.std == pytest.approx([values.std(correction=0).item()])


def test_normalized_by_what_was_measured_pictures_have_mean_zero_and_deviation_one() -> None:
    images, scaled = noise(200, 3), [TRANSFORMS.make("ToTensor")]
    *_, first = measuring(images, scaled)
    *_, second = measuring(images, [*scaled, TRANSFORMS.make("Normalize", mean=first.mean, std=first.std)])
    assert second.mean == pytest.approx([0, 0, 0], abs=1e-6)
    assert second.std == pytest.approx([1, 1, 1], rel=1e-6)


def test_measuring_says_how_far_it_is_and_leaves_the_generator_alone() -> None:
    generator = torch.get_rng_state()
    steps = list(measuring(noise(300, 1), []))
    assert [step.pictures for step in steps] == [128, 256, 295]
    assert all(isinstance(step, Measured) and step.total == 295 for step in steps)
    assert torch.equal(torch.get_rng_state(), generator)


def test_pictures_of_several_sizes_are_measured_pixel_by_pixel() -> None:
    class Ragged:
        kind = Kind.image(1, None, None, least=(2, 2))

        def __len__(self) -> int:
            return 6

        def take(self, indices: np.ndarray) -> list[np.ndarray]:
            return [np.full((1, 2, 2 + index), 40 * index, np.uint8) for index in indices]

    every = np.arange(6)
    images = ImageSet(Ragged(), every % 2, ("a", "b"), every[:5], every[5:], every[:0])
    *_, measured = measuring(images, [])
    values = torch.cat([torch.full((2 * (2 + index),), 40 * index / 255) for index in range(5)])
    assert measured.mean == pytest.approx([values.mean().item()])
    assert measured.std == pytest.approx([values.std(correction=0).item()])
