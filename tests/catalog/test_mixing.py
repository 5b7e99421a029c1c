"""Pictures and labels mixed by batch: torchvision's arithmetic, with draws that only seed, epoch and batch decide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from gui_lab.core.chain import Chain
from gui_lab.core.checking import problems
from gui_lab.core.dice import Dice
from gui_lab.core.pipeline import TRANSFORMS, Kind
from gui_lab.errors import InvalidExperiment
from gui_lab.schema import Problem

BOTH = pytest.mark.parametrize("name", ["CutMix", "MixUp"])
ALPHAS = pytest.mark.parametrize("alpha", [0.05, 0.2, 0.5, 1.0, 2.0, 30.0])
CLASSES = 7
KIND = Kind.image(3, 14, 23)
TENSOR = replace(KIND, dtype="float32", high=1.0)
SHAPE = (3, 14, 23)


def batch(count: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures and one-hot labels."""
    drawn = np.random.default_rng(count).integers(0, 256, (count, *SHAPE), dtype=np.uint8)
    labels = torch.from_numpy(np.arange(count) * 3 % CLASSES)
    pictures = torch.from_numpy(drawn)
    return (pictures if dtype == torch.uint8 else pictures / 255), one_hot(labels)


def one_hot(labels: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(labels, CLASSES).float()


def theirs(name: str, drawn: dict[str, Any], pictures: torch.Tensor, labels: torch.Tensor) -> Any:
    """torchvision's, made to draw what was drawn."""
    transform = getattr(v2, name)(num_classes=CLASSES)
    if name == "MixUp":
        params = {"lam": float(drawn["lam"][0])}
    else:
        params = {"box": tuple(drawn["box"][0].tolist()), "lam_adjusted": float(drawn["lam_adjusted"][0])}
    transform.make_params = lambda _: params
    return transform(pictures, labels)


# arithmetic


@pytest.mark.parametrize("count", [1, 2, 3, 32])
@pytest.mark.parametrize("alpha", [0.2, 1.0])
@BOTH
def test_pictures_and_labels_are_torchvisions_to_the_bit(name: str, alpha: float, count: int) -> None:
    transform = TRANSFORMS.make(name, alpha=alpha)
    for seed in range(12):
        pictures, labels = batch(count)
        drawn = transform.draw(Dice(seed, 1, [4], 9), SHAPE)
        mixed, mixed_labels = theirs(name, drawn, pictures, labels)
        assert torch.equal(transform.apply(pictures, drawn), mixed)
        assert torch.equal(transform.mix_labels(labels, drawn, SHAPE), mixed_labels)
        assert torch.equal(pictures, batch(count)[0])
        assert torch.equal(labels, batch(count)[1])


def test_boxes_are_cut_into_images_too() -> None:
    transform = TRANSFORMS.make("CutMix")
    pictures, labels = batch(6, torch.uint8)
    drawn = transform.draw(Dice(2, 1, [4], 9), SHAPE)
    mixed, _ = theirs("CutMix", drawn, pictures, labels)
    assert mixed.dtype == torch.uint8
    assert torch.equal(transform.apply(pictures, drawn), mixed)  # type: ignore[arg-type]


@BOTH
def test_a_picture_alone_is_mixed_with_itself(name: str) -> None:
    transform = TRANSFORMS.make(name)
    pictures, labels = batch(1)
    for seed in range(20):
        drawn = transform.draw(Dice(seed, 1, [4], 9), SHAPE)
        torch.testing.assert_close(transform.apply(pictures, drawn), pictures)
        torch.testing.assert_close(transform.mix_labels(labels, drawn, SHAPE), labels)
        assert torch.equal(transform.one(pictures[0], {name: values[0] for name, values in drawn.items()}), pictures[0])


def test_each_label_has_the_part_that_its_picture_has() -> None:
    """Counted in the pictures themselves: each is of one level, which stands for its class."""
    levels = torch.arange(5, dtype=torch.float32)[:, None, None, None].expand(5, *SHAPE).contiguous()
    labels = one_hot(torch.arange(5))
    transform = TRANSFORMS.make("CutMix")
    for seed in range(40):
        drawn = transform.draw(Dice(seed, 1, [0], 9), SHAPE)
        mixed, soft = transform.apply(levels, drawn), transform.mix_labels(labels, drawn, SHAPE)
        for place in range(5):
            shown = torch.bincount(mixed[place].long().flatten(), minlength=CLASSES) / levels[0].numel()  # type: ignore[union-attr]
            torch.testing.assert_close(soft[place], shown)


# draws


@ALPHAS
def test_the_share_is_distributed_as_torchs_beta(alpha: float) -> None:
    """By its moments and by its distribution function, counted in a sample of torch's."""
    count = 40_000
    own = TRANSFORMS.make("MixUp", alpha=alpha).draw(Dice(1, 1, np.arange(count), 9), SHAPE)["lam"]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        other = torch.distributions.Beta(torch.tensor(alpha, dtype=torch.float64), alpha).sample((count,)).numpy()
    assert own.dtype == np.float64
    assert own.min() >= 0
    assert own.max() <= 1
    variance = 1 / (4 * (2 * alpha + 1))
    assert abs(own.mean() - 0.5) < 4.5 * np.sqrt(variance / count)
    assert own.var() == pytest.approx(variance, rel=0.03)
    for bound in (1e-6, 1e-3, 0.05, 0.2, 0.4, 0.5, 0.7, 0.9, 0.999):
        ours, theirs_ = (own < bound).mean(), (other < bound).mean()
        assert abs(ours - theirs_) < 4.5 * np.sqrt(2 * 0.25 / count)


def test_a_very_small_alpha_takes_one_of_the_two_whole() -> None:
    shares = TRANSFORMS.make("MixUp", alpha=1e-4).draw(Dice(1, 1, np.arange(2000), 9), SHAPE)["lam"]
    assert np.isfinite(shares).all()
    assert ((shares < 1e-9) | (shares > 1 - 1e-9)).mean() > 0.98
    assert abs((shares > 0.5).mean() - 0.5) < 0.06


@pytest.mark.parametrize("alpha", [0.3, 1.0])
def test_boxes_lie_as_torchvisions_do(alpha: float) -> None:
    count = 3000
    own = TRANSFORMS.make("CutMix", alpha=alpha).draw(Dice(1, 1, np.arange(count), 9), SHAPE)
    cutmix = v2.CutMix(alpha=alpha, num_classes=2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = [cutmix.make_params([torch.zeros(2, *SHAPE)]) for _ in range(count)]
    boxes = np.array([one["box"] for one in drawn])
    left, top, right, bottom = own["box"].T
    assert own["box"].dtype == np.int64
    assert ((left >= 0) & (left <= right) & (right <= 23) & (top >= 0) & (top <= bottom) & (bottom <= 14)).all()
    np.testing.assert_allclose(own["lam_adjusted"], 1 - (right - left) * (bottom - top) / (14 * 23))
    assert np.abs(own["box"].mean(0) - boxes.mean(0)).max() < 4.5 * 23 / 2 / np.sqrt(count) * np.sqrt(2)
    adjusted = np.array([one["lam_adjusted"] for one in drawn])
    for bound in (0.05, 0.3, 0.6, 0.9, 0.9999):
        gap = (own["lam_adjusted"] < bound).mean() - (adjusted < bound).mean()
        assert abs(gap) < 4.5 * np.sqrt(2 * 0.25 / count)


def test_the_box_is_torchvisions_for_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its arithmetic, with torchvision given the share and the middle that were drawn here."""
    transform, cutmix = TRANSFORMS.make("CutMix"), v2.CutMix(num_classes=2)
    for seed in range(100):
        drawn = transform.draw(Dice(seed, 1, [0], 9), SHAPE)
        same = Dice(seed, 1, [0], 9)
        lam = TRANSFORMS.make("MixUp").draw(same, SHAPE)["lam"]
        middles = iter([same.integers(23), same.integers(14)])
        with monkeypatch.context() as forcing:
            forcing.setattr(cutmix._dist, "sample", lambda _, lam=lam: torch.from_numpy(lam))
            forcing.setattr(torch, "randint", lambda *_, middles=middles, **__: torch.from_numpy(next(middles)))
            params = cutmix.make_params([torch.zeros(2, *SHAPE)])
        assert tuple(drawn["box"][0].tolist()) == params["box"]
        assert drawn["lam_adjusted"][0] == params["lam_adjusted"]


# in a chain


def mixed_and_labels(chain: Chain, count: int, indices: Any = None, **how: Any) -> tuple[torch.Tensor, torch.Tensor]:
    pictures, _ = batch(count, torch.uint8)
    indices = np.arange(count) if indices is None else indices
    labels = torch.from_numpy(np.arange(count) * 3 % CLASSES)
    settings = {"seed": 1, "epoch": 1, **how}
    ready = chain.run(pictures, indices, training=True, **settings)
    return ready, chain.labels(labels, CLASSES, indices, KIND, **settings)


@BOTH
def test_one_share_for_a_batch_told_by_its_first_picture_epoch_and_seed(name: str) -> None:
    chain = Chain([TRANSFORMS.make("ToTensor"), TRANSFORMS.make(name)])
    pictures, labels = mixed_and_labels(chain, 7)
    again, labels_again = mixed_and_labels(chain, 7)
    assert torch.equal(pictures, again)
    assert torch.equal(labels, labels_again)
    assert labels.shape == (7, CLASSES)
    assert labels.dtype == torch.float32
    torch.testing.assert_close(labels.sum(1), torch.ones(7))
    assert len({tuple(sorted(row.tolist())) for row in labels}) == 1
    others = [{"epoch": 2}, {"seed": 2}, {"indices": np.arange(7) + 1}]
    assert all(not torch.equal(mixed_and_labels(chain, 7, **other)[1], labels) for other in others)
    behind = np.array([0, 9, 8, 7, 6, 5, 4])
    assert torch.equal(mixed_and_labels(chain, 7, indices=behind)[1], labels)


def test_mixing_twice_mixes_what_is_mixed_as_torchvision_does() -> None:
    chain = Chain([TRANSFORMS.make("ToTensor"), TRANSFORMS.make("MixUp"), TRANSFORMS.make("CutMix")])
    assert wrong(chain, KIND) == []
    pictures, labels = mixed_and_labels(chain, 8)
    start, hard = batch(8, torch.uint8)
    ready = TRANSFORMS.make("ToTensor").apply(start, {})
    for place, name in ((1, "MixUp"), (2, "CutMix")):
        drawn = chain.transforms[place].draw(chain._dice(place, np.arange(8), 1, 1), SHAPE)
        ready, hard = theirs(name, drawn, ready, hard)
    assert torch.equal(pictures, ready)
    assert torch.equal(labels, hard)
    assert (labels > 0).sum(1).max() > 2


@pytest.mark.parametrize("first", ["RandomApply", "RandomRotation"])
def test_pictures_meet_in_the_order_of_the_batch_whatever_size_they_had_before(first: str) -> None:
    """Where sizes differ on the way, pictures are grouped by them; their partners are still those of their labels."""
    resize = TRANSFORMS.make("Resize", size=(9, 9))
    early = (
        TRANSFORMS.make("RandomApply", transforms=(resize,))
        if first == "RandomApply"
        else TRANSFORMS.make("RandomRotation", degrees=60, expand=True)
    )
    plain = Chain([early, TRANSFORMS.make("Resize", size=(8, 8)), TRANSFORMS.make("ToTensor")])
    chain = Chain([*plain.transforms, TRANSFORMS.make("CutMix")])
    pictures, _ = batch(16, torch.uint8)
    indices = np.arange(16) + 30
    unmixed = plain.run(pictures, indices, seed=1, epoch=1, training=True)
    drawn = chain.transforms[-1].draw(chain._dice(3, indices, 1, 1), (3, 8, 8))
    assert 0 < drawn["lam_adjusted"][0] < 1
    expected = chain.transforms[-1].apply(unmixed, drawn)
    assert torch.equal(chain.run(pictures, indices, seed=1, epoch=1, training=True), expected)  # type: ignore[arg-type]
    stages = chain.trace(list(pictures), indices, seed=1, epoch=1)
    assert torch.equal(torch.stack([row[-1].picture for row in stages]), expected)  # type: ignore[arg-type]


def test_a_preview_of_pictures_of_several_sizes_ends_before_they_are_mixed() -> None:
    chain = Chain([TRANSFORMS.make("ToTensor"), TRANSFORMS.make("MixUp")])
    pictures = [torch.zeros(1, side, 8, dtype=torch.uint8) for side in (8, 9)]
    rows = chain.trace(pictures, np.arange(2), seed=1, epoch=1)
    assert [[stage.name for stage in row] for row in rows] == [["source", "ToTensor"]] * 2
    alone = chain.trace(pictures[:1], np.arange(1), seed=1, epoch=1)
    assert alone[0][-1].name == "MixUp"
    assert type(alone[0][-1].drawn["lam"]) is float


@BOTH
def test_validation_pictures_are_not_mixed(name: str) -> None:
    chain = Chain([TRANSFORMS.make("ToTensor"), TRANSFORMS.make(name)])
    pictures, _ = batch(8, torch.uint8)
    measured = chain.run(pictures, np.arange(8), seed=1, epoch=1, training=False)
    assert torch.equal(measured, TRANSFORMS.make("ToTensor").apply(pictures, {}))  # type: ignore[arg-type]


def test_labels_stay_what_they_are_where_nothing_mixes() -> None:
    off = Chain([TRANSFORMS.make("ToTensor"), TRANSFORMS.make("CutMix", enabled=False)])
    labels = torch.arange(4)
    assert off.labels(labels, CLASSES, np.arange(4), KIND, seed=1, epoch=1) is labels
    assert not off.mixes


# what is wrong


def test_the_kind_says_that_pictures_are_mixed() -> None:
    assert TRANSFORMS.make("CutMix").output(KIND) == replace(KIND, mixed=True)
    assert TRANSFORMS.make("MixUp").output(TENSOR) == replace(TENSOR, mixed=True)


WRONG = {
    "images": (KIND, ["MixUp", "ToTensor"], "a uint8 image arrives", "Insert ToTensor before it"),
    "PIL pictures": (replace(KIND, pil=True), ["CutMix", "ToTensor"], "PIL pictures arrive", "Insert ToTensor before"),
    "boxes in several sizes": (
        replace(KIND, height=None, width=None), ["CutMix", "ToTensor"],
        "of one size", "Insert Resize and CenterCrop to 14",
    ),
    "blends of several sizes": (
        replace(TENSOR, height=None, width=None), ["MixUp"], "of one size", "Insert Resize and CenterCrop to 14",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_mixed_is_said_and_mended(case: str) -> None:
    kind, names, words, label = WRONG[case]
    (problem,) = wrong(Chain([TRANSFORMS.make(name) for name in names]), kind)
    assert problem.path == "transforms.0"
    assert words in problem.sentence
    assert problem.repairs[0].label.startswith(label)
    assert wrong(Chain(problem.repairs[0].value), kind) == []


def wrong(chain: Chain, kind: Kind) -> list[Problem]:
    return [problem for problem in problems(chain, kind) if problem.severity == "error"]


@BOTH
def test_torchvision_refuses_the_same(name: str) -> None:
    from PIL import Image

    with pytest.raises(ValueError, match="PIL"):
        getattr(v2, name)(num_classes=2)(Image.new("L", (4, 4)), torch.zeros(1, dtype=torch.int64))
    if name == "MixUp":
        with pytest.raises(RuntimeError, match="can't be cast"):
            v2.MixUp(num_classes=CLASSES)(*batch(2, torch.uint8))


@pytest.mark.parametrize("alpha", [0.0, -1.0, 100.5])
@BOTH
def test_alpha_is_above_zero(name: str, alpha: float) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        TRANSFORMS.make(name, alpha=alpha)
    assert [problem.path for problem in caught.value.problems] == ["alpha"]
