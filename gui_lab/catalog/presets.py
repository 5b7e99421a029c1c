"""Chains to start from: what papers and course notes do, fitted to the pictures that arrive.

A preset is a name for a list that one can edit at once, and nothing more is remembered of it. Each is legal for any
pictures: colours and grey, one size or many, and validation pictures, which random transforms do not touch, leave it
in the size of the training pictures. Where a data set says that mirrored or turned pictures mean something else, its
presets do neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gui_lab.core.images import Dataset
from gui_lab.core.pipeline import TRANSFORMS, Kind, Transform

Transforms = tuple[Transform, ...]
Numbers = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and standard deviation of each channel, on the scale 0..1."""

_IMAGENET: Numbers = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # torchvision's models are trained with these
_CIFAR: Numbers = ((0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616))  # of its training pictures
_MNIST: Numbers = ((0.1307,), (0.3081,))  # of its training pictures, as in PyTorch's example
_SMALL_DIGITS: Numbers = ((0.305,), (0.376,))  # of the bundled Digits, 8x8
_CIFAR_SIDE, _MNIST_SIDE, _IMAGENET_SIDE, _LARGER_SIDE = 32, 28, 224, 256
_LARGEST_KEPT = 128  # pixels; larger pictures are brought to a size that a small network can learn


@dataclass(frozen=True)
class _Freedom:
    """What may be done to pictures without changing what they mean: mirror them, turn them far."""

    mirrors: bool
    turns: bool


@dataclass(frozen=True)
class Preset:
    """A chain to start from.

    Attributes:
        name: what a menu calls it.
        sentence: what it is, for whom.
    """

    name: str
    sentence: str
    _build: Callable[[Kind, _Freedom], Transforms]

    def transforms(self, kind: Kind, dataset: Dataset | None = None) -> Transforms:
        """The chain for pictures of this kind (uint8 images of 1 or 3 channels), legal and without a warning.

        Args:
            kind: of the pictures in the data set.
            dataset: without it, pictures are taken to mean the same when they are mirrored or turned.
        """
        if dataset is None:
            return self._build(kind, _Freedom(True, True))
        return self._build(kind, _Freedom(mirrors=not dataset.handed, turns=dataset.upright is None))


def _make(name: str, **values: Any) -> Transform:
    return TRANSFORMS.make(name, **values)


def _tensors(numbers: Numbers | None, channels: int) -> Transforms:
    """ToTensor and Normalize; one mean for all channels where the known ones are of other channels."""
    mean, std = numbers or ((0.5,), (0.5,))
    if len(mean) not in (1, channels):
        mean, std = (0.5,), (0.5,)
    return (_make("ToTensor"), _make("Normalize", mean=mean, std=std))


def _flip(free: _Freedom) -> Transforms:
    return (_make("RandomHorizontalFlip"),) if free.mirrors else ()


def _one_size(kind: Kind, side: int, largest: int = _LARGEST_KEPT) -> tuple[Transforms, Kind]:
    """What brings pictures to one size, and their kind then; nothing where they are of one size and small enough."""
    if kind.size is not None and max(kind.size) <= largest:
        return (), kind
    return (_make("Resize", size=side), _make("CenterCrop", size=side)), kind.sized(side, side)


def _jittered(kind: Kind) -> Transform:
    """A crop as large as the picture, after a border of an eighth of it."""
    height, width = kind.shape[1:]
    size = height if height == width else (height, width)
    return _make("RandomCrop", size=size, padding=max(min(height, width) // 8, 1))


def _none(kind: Kind, free: _Freedom) -> Transforms:
    if kind.size is not None:
        return (_make("ToTensor"),)
    fitted, _ = _one_size(kind, min(max(*kind.least, _CIFAR_SIDE), _LARGEST_KEPT))
    return (*fitted, _make("ToTensor"))


def _digits(kind: Kind, free: _Freedom) -> Transforms:
    grey = () if kind.channels == 1 else (_make("Grayscale"),)
    fitted, fits = _one_size(kind, _MNIST_SIDE, _MNIST_SIDE)
    turn = _make("RandomRotation", degrees=10, interpolation="bilinear")
    numbers = _SMALL_DIGITS if max(fits.shape[1:]) <= 8 else _MNIST
    return (*grey, *fitted, turn, _jittered(fits), *_tensors(numbers, 1))


def _cifar(kind: Kind, free: _Freedom) -> Transforms:
    fitted, fits = _one_size(kind, _CIFAR_SIDE)
    return (*fitted, _jittered(fits), *_flip(free), *_tensors(_CIFAR, kind.channels))


def _in_colour(kind: Kind) -> Transforms:
    """Networks for ImageNet take three channels."""
    return () if kind.channels == 3 else (_make("Grayscale", num_output_channels=3),)


def _imagenet_training(kind: Kind, free: _Freedom) -> Transforms:
    # the crop is random and leaves validation pictures alone: these two bring them to its size, and no others
    same_size = (_make("Resize", size=_IMAGENET_SIDE), _make("CenterCrop", size=_IMAGENET_SIDE))
    crop = _make("RandomResizedCrop", size=_IMAGENET_SIDE)
    return (*_in_colour(kind), crop, *same_size, *_flip(free), *_tensors(_IMAGENET, 3))


def _imagenet_evaluation(kind: Kind, free: _Freedom) -> Transforms:
    between = kind.size is not None and _IMAGENET_SIDE <= min(kind.size) <= _LARGER_SIDE  # enlarging adds nothing
    resize = () if between else (_make("Resize", size=_LARGER_SIDE),)
    return (*_in_colour(kind), *resize, _make("CenterCrop", size=_IMAGENET_SIDE), *_tensors(_IMAGENET, 3))


def _strong(kind: Kind, free: _Freedom) -> Transforms:
    fitted, fits = _one_size(kind, _CIFAR_SIDE * 2)
    # the first one turns by up to 135 degrees, the other by up to 30
    augment = _make("TrivialAugmentWide" if free.turns else "RandAugment")
    front = (*fitted, _jittered(fits), *_flip(free), augment)
    return (*front, *_tensors(_CIFAR, kind.channels), _make("RandomErasing", p=0.25))


PRESETS: tuple[Preset, ...] = (
    Preset("None", "Tensors as the pictures are, to see what augmentation is good for.", _none),
    Preset("Digits", "For handwriting: turned and shifted a little, grey, never mirrored.", _digits),
    Preset("CIFAR standard", "What most papers do on small pictures: shifted by an eighth and mirrored.", _cifar),
    Preset("ImageNet training", "A random part at a random size, mirrored, 224x224 as ImageNet's.", _imagenet_training),
    Preset(
        "ImageNet evaluation", "The middle at 224x224, nothing random: as networks are compared.", _imagenet_evaluation
    ),
    Preset("Strong", "For long training: shifts, flips, one random operation more, and a part erased.", _strong),
)
"""In the order of a menu."""
