"""What is measured of pictures for a transform: over how many, and that a whitening matrix whitens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gui_lab import paths
from gui_lab.core import probes
from gui_lab.core.chain import Chain
from gui_lab.core.images import ImageSet, InMemory
from gui_lab.core.pipeline import TRANSFORMS, Kind, Transform
from gui_lab.errors import DataError


def image_set(pictures: object, count: int) -> ImageSet:
    labels, everything = np.arange(count) % 2, np.arange(count)
    train, validation = everything[: -count // 4], everything[-count // 4 :]
    return ImageSet(pictures, labels, ("a", "b"), train, validation, np.array([], np.int64))  # type: ignore[arg-type]


class Scattered:
    """Pictures of several sizes that are not in memory."""

    def __init__(self, pictures: list[np.ndarray]) -> None:
        self._pictures = pictures
        self.kind = Kind.image(1, None, None, (4, 4))
        self.taken = 0

    def __len__(self) -> int:
        return len(self._pictures)

    def take(self, indices: np.ndarray) -> list[np.ndarray]:
        self.taken += len(indices)
        return [self._pictures[index] for index in indices]


def test_pictures_on_disk_are_sampled_and_it_says_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_SAMPLE", 10)
    source = Scattered([np.full((1, 4, 4), value, np.uint8) for value in range(40)])
    images = image_set(source, 40)
    *_, last = probes.measuring(images, [])
    assert (last.pictures, last.total, source.taken) == (10, 10, 10)


# whitening


def correlated(count: int, channels: int = 1, side: int = 4) -> ImageSet:
    """Pictures whose pixels have much to do with their neighbours."""
    noise = np.random.default_rng(0).normal(size=(count, channels, side, side)).cumsum(-1).cumsum(-2)
    scaled = 255 * (noise - noise.min()) / np.ptp(noise)
    return image_set(InMemory(scaled.astype(np.uint8)), count)


def whitened(images: ImageSet, before: list[Transform], **how: Any) -> torch.Tensor:
    """The training pictures through what was measured of them, (N, D) float64."""
    *_, last = probes.whitening(images, before, **how)
    chain = Chain([*before, last.fitted(TRANSFORMS.make("LinearTransformation"))])
    pictures = torch.from_numpy(images.pictures.take(images.train))
    ready = chain.run(pictures, images.train, seed=0, epoch=1, training=False)
    return ready.flatten(1).double()


TO_TENSOR = TRANSFORMS.make("ToTensor")


@pytest.mark.parametrize("method", ["ZCA", "PCA"])
@pytest.mark.parametrize("channels", [1, 3])
def test_whitened_pictures_have_mean_zero_and_no_covariance(method: Any, channels: int) -> None:
    values = whitened(correlated(1500, channels), [TO_TENSOR], epsilon=1e-9, method=method)
    assert values.shape == (1125, channels * 16)
    torch.testing.assert_close(values.mean(0), torch.zeros(channels * 16).double(), rtol=0, atol=1e-3)
    torch.testing.assert_close(torch.cov(values.t()), torch.eye(channels * 16).double(), rtol=0, atol=2e-3)


def test_the_matrix_is_that_of_the_eigenvectors_of_torchs_covariance() -> None:
    images = correlated(600)
    *_, last = probes.whitening(images, [TO_TENSOR], epsilon=0.01)
    matrix = np.load(paths.measured() / str(last.matrix))
    mean = np.load(paths.measured() / str(last.mean))
    rows = torch.from_numpy(images.pictures.take(images.train)).flatten(1).double() / 255
    variances, directions = torch.linalg.eigh(torch.cov(rows.t()))
    expected = directions @ torch.diag(1 / (variances + 0.01).sqrt()) @ directions.t()
    np.testing.assert_allclose(matrix, expected.numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(mean, rows.mean(0).numpy(), rtol=1e-5)
    assert (matrix.dtype, mean.dtype) == (np.float32, np.float32)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-5)  # ZCA turns nothing: pictures stay pictures


def test_the_strongest_direction_of_pca_comes_first() -> None:
    values = whitened(correlated(900), [TO_TENSOR], epsilon=10.0, method="PCA")  # so large that strengths stay apart
    strengths = values.var(0)
    assert torch.equal(strengths, strengths.sort(descending=True).values)
    assert strengths[0] > 5 * strengths[5]


def test_epsilon_keeps_directions_quiet_that_no_picture_shows() -> None:
    images = correlated(600)
    images.pictures.pixels[..., 0, :] = 9  # type: ignore[attr-defined]
    values = whitened(images, [TO_TENSOR], epsilon=1e-3)
    assert float(values.view(-1, 4, 4)[:, 0].abs().max()) < 1e-3
    *_, last = probes.whitening(images, [TO_TENSOR], epsilon=1e-3)
    matrix = np.load(paths.measured() / str(last.matrix))
    assert np.linalg.eigvalsh(matrix).max() == pytest.approx(1e-3**-0.5, rel=1e-3)


def test_what_is_whitened_is_what_leaves_the_transforms_before_without_the_random_ones() -> None:
    images = correlated(400, 3, 6)
    random = TRANSFORMS.make("RandomErasing", p=1.0, value=5.0)
    before = [TRANSFORMS.make("CenterCrop", size=3), TRANSFORMS.make("Grayscale"), TO_TENSOR]
    *_, plain = probes.whitening(images, before)
    *_, other = probes.whitening(images, [*before, random])
    assert plain == other
    assert plain.values == 9
    *_, on_images = probes.whitening(images, before[:2])  # on the scale 0..1 too, as mean and deviation are
    assert on_images.matrix is not None
    np.testing.assert_allclose(
        np.load(paths.measured() / on_images.matrix),
        np.load(paths.measured() / str(plain.matrix)),
        rtol=1e-4,
        atol=1e-5,
    )


def test_whitening_says_how_far_it_is_writes_at_the_end_alone_and_leaves_the_generator(home: Path) -> None:
    generator = torch.get_rng_state()
    measuring = probes.whitening(correlated(1000), [TO_TENSOR])
    parts = [next(measuring), next(measuring)]
    assert [(part.pictures, part.total, part.matrix) for part in parts] == [(512, 750, None), (750, 750, None)]
    assert not (home / "measured").exists()
    last = next(measuring)
    assert (last.pictures, last.total, last.values) == (750, 750, 16)
    assert sorted(file.name for file in (home / "measured").iterdir()) == sorted([str(last.mean), str(last.matrix)])
    assert next(measuring, None) is None
    assert torch.equal(torch.get_rng_state(), generator)


def test_whitening_that_is_not_asked_on_for_leaves_nothing(home: Path) -> None:
    measuring = probes.whitening(correlated(1000), [TO_TENSOR])
    next(measuring)
    measuring.close()  # type: ignore[attr-defined]
    assert not (home / "measured").exists()


def test_few_pictures_are_enough_but_it_is_said() -> None:
    *_, few = probes.whitening(correlated(16), [TO_TENSOR])
    assert few.note == "12 pictures show at most 11 of 16 directions: the others are as strong as epsilon allows."
    *_, enough = probes.whitening(correlated(40), [TO_TENSOR])
    assert enough.note == ""


def test_pictures_on_disk_are_sampled_for_whitening_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_SAMPLE", 10)
    noise = np.random.default_rng(0)
    source = Scattered([noise.integers(0, 256, (1, 4, 4 + index % 3), dtype=np.uint8) for index in range(200)])
    resized = [TRANSFORMS.make("Resize", size=(2, 4)), TO_TENSOR]
    *_, last = probes.whitening(image_set(source, 200), resized)
    assert (last.total, last.values, source.taken) == (24, 8, 24)


def test_pictures_that_cannot_be_whitened_are_told_with_a_remedy() -> None:
    scattered = image_set(Scattered([np.zeros((1, 4, 4), np.uint8)] * 8), 8)
    large = image_set(InMemory(np.zeros((4, 3, 224, 224), np.uint8)), 4)
    flat = image_set(InMemory(np.full((40, 1, 4, 4), 7, np.uint8)), 40)
    lonely = image_set(InMemory(np.zeros((2, 1, 4, 4), np.uint8)), 2)
    told = [
        (scattered, "The pictures arrive in different sizes", "Put Resize and CenterCrop before it."),
        (large, "needs a matrix of 150,528 x 150,528 numbers, 84.4 GiB.", "Put a Resize to 36x36 or less before it."),
        (flat, "The pictures do not vary", "Leave it out"),
        (lonely, "One picture has no covariance.", "more training pictures"),
    ]
    for images, sentence, remedy in told:
        with pytest.raises(DataError) as caught:
            list(probes.whitening(images, [TO_TENSOR]))
        assert sentence in caught.value.sentence
        assert remedy in caught.value.remedy


# whatever can be measured


def test_each_transform_is_fitted_by_what_it_asks_for() -> None:
    images = correlated(300, 3)
    for name, fields in (("Normalize", ("mean", "std")), ("LinearTransformation", ("mean_vector",))):
        transform = TRANSFORMS.make(name)
        parts = list(probes.measuring_for(transform, images, [TO_TENSOR]))
        assert all(part.total == 225 and part.note == "" for part in parts)
        fitted = parts[-1].fitted(transform)
        assert all(getattr(fitted, field) != getattr(transform, field) for field in fields)
        assert fitted.output(TO_TENSOR.output(images.kind))
    assert {entry.name_of() for entry in TRANSFORMS if entry.measures} == {"Normalize", "LinearTransformation"}


def test_a_measured_mean_is_written_as_usual_and_one_value_alone_is_told() -> None:
    normalize = TRANSFORMS.make("Normalize")
    fitted = probes.Measured((0.123456, 0.5), (0.98765, 0.25), 1, 1).fitted(normalize)
    assert fitted == normalize.changed(mean=(0.1235, 0.5), std=(0.9877, 0.25))
    with pytest.raises(DataError, match="do not vary"):
        probes.Measured((0.1, 0.5), (0.00004, 0.25), 1, 1).fitted(normalize)
