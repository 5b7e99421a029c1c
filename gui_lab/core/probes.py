"""What can be measured of the pictures that reach a place of the chain: mean and deviation, and the matrix that
whitens them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from gui_lab.core import arrays
from gui_lab.core.chain import Chain
from gui_lab.core.dice import Indices, shuffled
from gui_lab.core.images import ImageSet, InMemory, Picture
from gui_lab.core.machine import out_of_memory_told
from gui_lab.core.pipeline import Transform
from gui_lab.errors import DataError

_MEASURED_BATCH = 128
_SAMPLE = 5000  # pictures that have to be decoded to be measured
_DIGITS = 4  # of a measured mean, as they are usually written


@dataclass(frozen=True)
class Measured:
    """Mean and standard deviation of each channel on the scale 0..1, over the first `pictures` of `total`."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    pictures: int
    total: int
    note: str = ""

    def fitted(self, transform: Transform) -> Transform:
        """The transform with mean and std as measured, rounded to four digits.

        Raises:
            DataError: a channel has one value only.
        """
        mean = tuple(round(value, _DIGITS) for value in self.mean)
        std = tuple(round(value, _DIGITS) for value in self.std)
        if min(std) <= 0:
            raise DataError("The pictures do not vary, so they cannot be normalised.", _ONE_VALUE)
        return transform.changed(mean=mean, std=std)


_ONE_VALUE = "Leave it out, or look at the pictures: a whole channel has one value."


@dataclass(frozen=True)
class Whitened:
    """How far the measuring of a whitening matrix is: over the first `pictures` of `total`, D `values` in each. At the
    end `matrix` (D, D) and `mean` (D,) name the files that hold it; `note` says what is worth knowing of it."""

    pictures: int
    total: int
    values: int
    matrix: Path | None = None
    mean: Path | None = None

    @property
    def note(self) -> str:
        if self.pictures > self.values:
            return ""
        return (
            f"{self.pictures:,} pictures show at most {self.pictures - 1:,} of {self.values:,} directions: the others "
            "are as strong as epsilon allows."
        )

    def fitted(self, transform: Transform) -> Transform:
        """The transform with the files of this matrix and mean."""
        return transform.changed(transformation_matrix=self.matrix, mean_vector=self.mean)


def measuring_for(transform: Transform, images: ImageSet, before: Sequence[Transform]) -> Iterator[Measured | Whitened]:
    """Measure what this transform can be told by the pictures that leave the transforms `before` it (its `measures`).
    Each part says how far it is (`pictures` of `total`); `fitted` of the last is the transform with what was measured,
    and its `note` a sentence or empty. Who does not ask on cancels.

    Raises:
        DataError: a picture cannot be read, or nothing can be measured of these.
        StoreError: what was measured cannot be saved.
    """
    return measuring(images, before) if transform.measures == "mean and std" else whitening(images, before)


@torch.inference_mode()
def _left(chain: Chain, pictures: Picture) -> torch.Tensor:
    """Pictures as they leave a chain, float (B, C, H, W), images on the scale 0..1."""
    indices = np.arange(len(pictures))
    ready = chain.run(torch.from_numpy(pictures), indices, seed=0, epoch=1, training=False)
    return ready if ready.is_floating_point() else ready.to(torch.float32) / 255


@torch.inference_mode()
def _sums(values: torch.Tensor) -> torch.Tensor:
    """For each channel how many values there are, their sum and the sum of their squares, float64 (3, C)."""
    counts = torch.full((values.shape[1],), values[:, 0].numel(), dtype=torch.float64)
    double = torch.float64
    return torch.stack([counts, values.sum((0, 2, 3), dtype=double), values.square().sum((0, 2, 3), dtype=double)])


def _sampled(images: ImageSet, most: int) -> Indices:
    """The training pictures, or a sample of them where they are not in memory."""
    chosen = images.train
    if isinstance(images.pictures, InMemory) or len(chosen) <= most:
        return chosen
    return chosen[shuffled(len(chosen), 0)[:most]]


def measuring(images: ImageSet, before: Sequence[Transform]) -> Iterator[Measured]:
    """Measure the training pictures as they leave these transforms, the random ones left out: what stands after each
    part, the last over all of them. Pictures that are not in memory are sampled. Who does not ask on cancels.

    Raises:
        DataError: a picture cannot be read.
    """
    chain = Chain([transform for transform in before if not transform.random])
    chosen = _sampled(images, _SAMPLE)
    sums = torch.zeros((), dtype=torch.float64)
    for start in range(0, len(chosen), _MEASURED_BATCH):
        taken = images.pictures.take(chosen[start : start + _MEASURED_BATCH])
        for pictures in [picture[None] for picture in taken] if isinstance(taken, list) else [taken]:
            sums = sums + _sums(_left(chain, pictures))
        count, total, squares = sums
        mean = total / count
        std = (squares / count - mean.square()).clamp(min=0).sqrt()
        done = min(start + _MEASURED_BATCH, len(chosen))
        yield Measured(tuple(mean.tolist()), tuple(std.tolist()), done, len(chosen))


def whitening(
    images: ImageSet, before: Sequence[Transform], *, epsilon: float = 1e-3, method: Literal["ZCA", "PCA"] = "ZCA"
) -> Iterator[Whitened]:
    """Measure mean and covariance of the training pictures as they leave these transforms, the random ones left out,
    and from them the matrix that makes their values uncorrelated with variance 1 (Bell and Sejnowski, 1997;
    Krizhevsky, 2009): U diag(1 / sqrt(S + epsilon)) U^T for ZCA, whose pictures look like the ones before, the same
    without U^T for PCA, strongest direction first. It is for rows, (x - mean) @ matrix, as torchvision's is. Pictures
    that are not in memory are sampled, three times as many as there are values.

    Sums, covariance and decomposition are float64. Who does not ask on cancels; the decomposition itself, which comes
    last, is one call (a few seconds for 3,072 values) and cannot be cut short.

    Args:
        epsilon: variance below which a direction counts as noise that is not amplified further; 0.001 on the scale
            0..1 is a deviation of 8 levels of 255.

    Raises:
        DataError: a picture cannot be read; they are of several sizes, have more than 4,096 values, or do not vary.
        StoreError: the matrix cannot be saved.
        OutOfMemory: there is no memory for the covariance.
    """
    chain = Chain([transform for transform in before if not transform.random])
    values = _values(chain, images)
    chosen = _sampled(images, max(_SAMPLE, 3 * values))
    if len(chosen) < 2:
        raise DataError("One picture has no covariance.", "Choose a data set with more training pictures.")
    with out_of_memory_told("whitening"):
        total = torch.zeros(values, dtype=torch.float64)
        products = torch.zeros((values, values), dtype=torch.float64)
    for start in range(0, len(chosen), 4 * _MEASURED_BATCH):
        part = chosen[start : start + 4 * _MEASURED_BATCH]
        rows = _rows(chain, images, part)
        total += rows.sum(0)
        products.addmm_(rows.t(), rows)
        yield Whitened(start + len(part), len(chosen), values)
    mean = total / len(chosen)
    products.addr_(mean, mean, alpha=-len(chosen)).div_(len(chosen) - 1)
    with out_of_memory_told("whitening"):
        matrix = _whitening_matrix(products, epsilon, method)
    files = arrays.keep("whitening", matrix.numpy()), arrays.keep("mean", mean.float().numpy())
    yield Whitened(len(chosen), len(chosen), values, *files)


def _values(chain: Chain, images: ImageSet) -> int:
    """How many values a picture has when it leaves the chain."""
    kind = chain.output(images.kind)
    if kind.size is None:
        sentence = "The pictures arrive in different sizes, so they have no covariance."
        raise DataError(sentence, "Put Resize and CenterCrop before it.")
    values = int(np.prod(kind.shape))
    if values > arrays.LARGEST_SIDE:
        side = int((arrays.LARGEST_SIDE / kind.channels) ** 0.5)
        shape = f"{kind.channels}x{kind.height}x{kind.width}"
        sentence = f"Whitening pictures of {shape} needs a matrix of {values:,} x {values:,} numbers"
        remedy = f"Put a Resize to {side}x{side} or less before it."
        raise DataError(f"{sentence}, {values**2 * 4 / 2**30:,.1f} GiB.", remedy)
    return values


def _rows(chain: Chain, images: ImageSet, part: Indices) -> torch.Tensor:
    """Pictures as they leave the chain, one in each row, float64 (B, D)."""
    taken = images.pictures.take(part)
    parts = [picture[None] for picture in taken] if isinstance(taken, list) else [taken]
    return torch.cat([_left(chain, pictures).flatten(1).double() for pictures in parts])


def _whitening_matrix(covariance: torch.Tensor, epsilon: float, method: Literal["ZCA", "PCA"]) -> torch.Tensor:
    """float32 (D, D) from float64 (D, D)."""
    if not covariance.diagonal().max() > 1e-12:
        raise DataError("The pictures do not vary, so they cannot be whitened.", "Leave it out, or look at them.")
    variances, directions = torch.linalg.eigh(covariance)
    scaled = directions / (variances.clamp(min=0) + epsilon).sqrt()
    matrix: torch.Tensor = scaled @ directions.t() if method == "ZCA" else scaled.flip(1)
    return matrix.float().contiguous()
