"""What is fused comes out as if it were not, to the bit, and what cannot be fused is not."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms.v2.functional import _geometry

from gui_lab.core import fusing, sampling
from gui_lab.core.chain import Chain
from gui_lab.core.fusing import as_numbers, spread, stretch
from gui_lab.core.pipeline import TRANSFORMS, Illegal, Kind, Transform

TAIL = (("ToTensor", {}), ("Normalize", {"mean": (0.3, 0.5, 0.4), "std": (0.2, 0.3, 0.7)}))


def made(*steps: str | tuple[str, dict[str, Any]]) -> tuple[Transform, ...]:
    return tuple(
        TRANSFORMS.make(step) if isinstance(step, str) else TRANSFORMS.make(step[0], **step[1]) for step in steps
    )


def noise(*shape: int) -> torch.Tensor:
    drawn = np.random.default_rng(sum(shape)).integers(0, 256, shape, dtype=np.uint8)
    return torch.from_numpy(drawn)


def front(transforms: tuple[Transform, ...], *shape: int) -> fusing.Stretch | None:
    return stretch(Chain(transforms).steps(), shape)


def alike(transforms: tuple[Transform, ...], pictures: torch.Tensor, **how: Any) -> torch.Tensor:
    """The batch, after checking that it is the same unfused."""
    how = {"seed": 3, "epoch": 2, "training": True, **how}
    indices = np.arange(len(pictures)) * 5 + 1
    fused = Chain(transforms).run(pictures, indices, **how)
    plain = Chain(transforms, fuses=False).run(pictures, indices, **how)
    assert fused.dtype == plain.dtype
    assert torch.equal(fused, plain)
    return fused


def some_moves(dice: random.Random, channels: int) -> list[tuple[str, dict[str, Any]]]:
    """A random run of moves that is legal from 12x9 pixels on."""

    def fill() -> Any:
        one = dice.choice([0, 0, 7, 255])
        return (one, dice.randrange(256), dice.randrange(256)) if channels == 3 and dice.random() < 0.5 else one

    crop = {"pad_if_needed": True, "padding_mode": dice.choice(["constant", "edge"])}
    kinds = {
        "RandomCrop": lambda: {
            **crop, "size": (dice.randint(9, 20), dice.randint(9, 20)), "padding": dice.randint(0, 3), "fill": fill()
        },
        "CenterCrop": lambda: {"size": (dice.randint(9, 20), dice.randint(9, 20))},
        "Pad": lambda: {
            "padding": dice.randint(0, 4), "fill": fill(),
            "padding_mode": dice.choice(["constant", "edge", "reflect", "symmetric"]),
        },
        "RandomHorizontalFlip": lambda: {"p": dice.choice([0.0, 0.5, 1.0])},
        "RandomVerticalFlip": lambda: {"p": 0.4},
        "RandomGrayscale": lambda: {"p": dice.choice([0.1, 0.6])},
        "RandomInvert": lambda: {"p": 0.5},
        "RandomRotation": lambda: {
            "degrees": dice.choice([15, 180, (90, 90), (0, 0)]), "fill": fill(),
            "center": dice.choice([None, (3, 4.5)]),
        },
        "RandomAffine": lambda: {"degrees": 20, "translate": (0.2, 0.1), "scale": (0.6, 1.4), "fill": fill()},
    }  # fmt: skip
    names = [name for name in kinds if name in TRANSFORMS]
    chosen = [(name, kinds[name]()) for name in dice.choices(names, k=dice.randint(0, 5))]
    return [("RandomVerticalFlip", {}), *chosen, ("RandomHorizontalFlip", {})]


@pytest.mark.parametrize("seed", range(60))
def test_fused_moves_give_the_same_bits_as_one_after_the_other(seed: int) -> None:
    dice = random.Random(seed)
    channels = dice.choice([1, 3])
    moves = some_moves(dice, channels)
    grey = (("ToTensor", {}), ("Normalize", {"mean": (0.2,), "std": (0.9,)}))
    tail = grey if channels == 1 else TAIL
    transforms = made(*moves, *(tail if dice.random() < 0.7 else ()))
    size = dice.randint(12, 24), dice.randint(9, 24)
    alike(transforms, noise(dice.randint(1, 9), channels, *size))
    fused = front(transforms, channels, *size)
    assert fused is not None
    assert len(fused) == len(transforms)


@pytest.mark.parametrize("seed", range(12))
def test_moves_of_float_pictures_are_the_same_whether_fusing_is_on_or_off(seed: int) -> None:
    dice = random.Random(seed)
    moves = [move for move in some_moves(dice, 3) if move[0] not in ("RandomGrayscale", "RandomInvert")]
    alike(made("ToTensor", *moves, TAIL[1]), noise(5, 3, 17, 14))


NAMED = made(
    ("RandomCrop", {"size": 32, "padding": 4}), "RandomGrayscale", ("RandomRotation", {"degrees": 15}),
    "RandomHorizontalFlip", *TAIL,
)  # fmt: skip


def test_the_standard_chain_is_fused_from_end_to_end_and_a_preview_shows_what_it_gives() -> None:
    fused = front(NAMED, 3, 32, 32)
    assert fused is not None
    assert [step.transform for step in fused.steps] == list(NAMED[:4])
    assert fused.tail == NAMED[4:]
    pictures, indices = noise(30, 3, 32, 32), np.arange(30)
    together = Chain(NAMED).run(pictures, indices, seed=1, epoch=4, training=True)
    for row, ready in zip(Chain(NAMED).trace(list(pictures), indices, seed=1, epoch=4), together, strict=True):
        assert torch.equal(row[-1].picture, ready)


def test_every_picture_is_what_torchvisions_own_kernels_make_of_it() -> None:
    pictures, indices = noise(12, 3, 32, 32), np.arange(12)
    ready = Chain(NAMED).run(pictures, indices, seed=1, epoch=4, training=True)
    for row, picture, there in zip(
        Chain(NAMED).trace(list(pictures), indices, seed=1, epoch=4), pictures, ready, strict=True
    ):
        for transform, stage in zip(NAMED, row[1:], strict=True):
            picture = transform.one(picture, stage.drawn)
        assert torch.equal(picture, there)


def test_chunks_make_no_difference_and_pictures_are_left_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = noise(23, 3, 32, 32)
    before, state = pictures.clone(), torch.random.get_rng_state()
    whole = alike(NAMED, pictures)
    monkeypatch.setattr(fusing, "CHUNK", 5 * 1024)
    assert torch.equal(alike(NAMED, pictures), whole)
    monkeypatch.setattr(fusing, "CHUNK", 1)
    assert torch.equal(alike(NAMED, pictures), whole)
    assert torch.equal(pictures, before)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_pictures_that_are_no_block_of_memory_are_fused_too() -> None:
    wide = noise(6, 3, 40, 70)
    alike(NAMED, wide[:, :, 4:36, 9:41])
    alike(NAMED[1:], wide.permute(0, 1, 3, 2)[:, :, ::2, 3:])


def test_pictures_that_come_to_one_size_on_the_way_are_fused_from_there_on() -> None:
    several = [noise(3, 20, 30), noise(3, 44, 40), noise(3, 20, 30)]
    transforms = (*made(("Resize", {"size": (36, 36)})), *NAMED)
    fused = Chain(transforms).run(several, np.arange(3), seed=1, epoch=1, training=True)
    plain = Chain(transforms, fuses=False).run(several, np.arange(3), seed=1, epoch=1, training=True)
    assert torch.equal(fused, plain)


def test_all_colours_are_numbers_and_come_back() -> None:
    every = torch.arange(2**24, dtype=torch.int32)
    for part in every.view(16, 1, 1, 1024, 1024):
        pictures = torch.cat([part >> 16, (part >> 8) & 255, part & 255], 1).to(torch.uint8)
        numbers = as_numbers(pictures)
        assert torch.equal(numbers, part.to(torch.float32))
        back, levels = torch.empty_like(pictures), torch.empty(pictures.shape)
        spread(numbers, back)
        spread(numbers, levels)
        assert torch.equal(back, pictures)
        assert torch.equal(levels, pictures.to(torch.float32))


@pytest.mark.parametrize(
    ("transforms", "length"),
    [
        (made("RandomHorizontalFlip", ("RandomRotation", {"degrees": 9, "interpolation": "bilinear"})), 0),
        (made("RandomHorizontalFlip", ("RandomRotation", {"degrees": 9, "expand": True})), 0),
        (made("RandomHorizontalFlip", ("RandomRotation", {"degrees": 9, "fill": 9.5})), 0),
        (made("RandomHorizontalFlip", "RandomHorizontalFlip", ("Resize", {"size": 9})), 2),
        (made("RandomHorizontalFlip", ("RandomCrop", {"size": 40})), 0),
        (made("RandomHorizontalFlip", "ToTensor", "RandomHorizontalFlip"), 2),
        (made("ToTensor", "ToTensor", "Normalize"), 0),
        (made("ToTensor", "Normalize", "Normalize"), 3),
        (made("ToPILImage", "RandomHorizontalFlip", "RandomHorizontalFlip"), 0),
        (made("RandomHorizontalFlip"), 0),
        ((), 0),
    ],
)
def test_a_stretch_ends_where_pixels_are_computed_and_is_none_where_nothing_is_gained(
    transforms: tuple[Transform, ...], length: int
) -> None:
    fused = front(transforms, 3, 20, 20)
    assert (0 if fused is None else len(fused)) == length
    if all(transform.name_of() != "RandomCrop" for transform in transforms):
        assert Chain(transforms).kinds(Kind.image(3, 20, 20))[-1][1].size is None or len(
            alike(transforms, noise(4, 3, 20, 20))
        )


def test_two_or_four_channels_have_no_number_and_are_not_fused() -> None:
    for channels in (2, 4):
        flips = made("RandomHorizontalFlip", "RandomHorizontalFlip")
        assert front(flips, channels, 8, 8) is None
        alike(flips, noise(5, channels, 8, 8))


def test_an_empty_batch_is_a_batch() -> None:
    assert front(NAMED, 3, 32, 32).apply(noise(0, 3, 32, 32), [{}] * 4).shape == (0, 3, 32, 32)  # type: ignore[union-attr]


# ---------------------------------------------------------------- what transforms say of themselves


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("entry", list(TRANSFORMS), ids=lambda entry: entry.name_of())
def test_what_a_transform_says_of_itself_is_true(entry: type[Transform], channels: int) -> None:
    """`moves`, `decider` and `overwrites`: one that says what is not so would change what training gets."""
    kind = Kind.image(channels, 18, 15)
    transform = entry.suggested(kind)
    indices, pictures = np.arange(9), noise(9, channels, 18, 15)
    values = pictures
    try:
        transform.output(kind)
    except Illegal:
        values = pictures.to(torch.float32) / 255
        try:
            transform.output(Chain(made("ToTensor")).output(kind))
        except Illegal:
            pytest.skip("it needs more than pictures")
    drawn = Chain([transform])._draw(0, indices, 1, 1, values) if transform.random else {}
    if transform.moves():
        moved = as_numbers(pictures)
        back = torch.empty_like(pictures)
        moved = transform.apply(moved, drawn)
        assert isinstance(moved, torch.Tensor)
        back = torch.empty((9, channels, *moved.shape[2:]), dtype=torch.uint8)
        spread(moved, back)
        applied = transform.apply(pictures, drawn)
        assert isinstance(applied, torch.Tensor)
        assert torch.equal(back, applied)
    if transform.decider:
        assert drawn[transform.decider].dtype == np.bool_
        passed = {**drawn, transform.decider: np.zeros(9, np.bool_)}
        assert all(
            torch.equal(after, before) for after, before in zip(transform.apply(values, passed), values, strict=True)
        )
    if transform.overwrites():
        over = pictures.to(torch.float32) if values is pictures else values.clone()
        transform.overwrite(over)
        assert torch.equal(over, transform.apply(values, drawn))


# ---------------------------------------------------------------- sampling


def test_windows_are_cut_out_where_they_stand() -> None:
    dice = np.random.default_rng(1)
    for channels, height, width, rows, columns in ((3, 9, 7, 4, 5), (1, 6, 6, 6, 6), (2, 12, 5, 1, 5), (4, 8, 9, 8, 1)):
        pictures = noise(11, channels, height + 2, width + 3)[:, :, 1:-1, 3:]
        top, left = dice.integers(0, height - rows + 1, 11), dice.integers(0, width - columns + 1, 11)
        cut = sampling.windows(pictures, top, left, rows, columns)
        assert cut.is_contiguous()
        for place in range(11):
            y, x = top[place], left[place]
            assert torch.equal(cut[place], pictures[place, :, y : y + rows, x : x + columns])


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (8, 8), (32, 32), (33, 47), (64, 30)])
def test_a_grid_is_torchvisions_own_to_the_bit(
    size: tuple[int, int], quick: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not quick:  # as on a processor whose products and sums are fused
        monkeypatch.setattr(sampling, "_rounds_each_step", lambda *_: False)
    height, width = size
    matrices = np.random.default_rng(height).normal(size=(7, 6))
    matrices[:3, [2, 5]] = 0
    for some in (matrices[:3], matrices):
        grid = sampling.affine_grid(some, height, width, torch.float32, torch.device("cpu"))
        for matrix, here in zip(some, grid, strict=True):
            theta = torch.tensor(matrix.tolist()).reshape(1, 2, 3)
            assert torch.equal(_geometry._affine_grid(theta, w=width, h=height, ow=width, oh=height)[0], here)
