"""Automatic augmentations choose among what torchvision's choose among, as often, and do the same to the bit.

Their tables lie in private attributes of torchvision's classes and their operations in a private method; both are held
against ours here, so that a new version of torchvision that changes them is noticed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import AutoAugmentPolicy, InterpolationMode, v2
from torchvision.transforms.v2 import functional as F  # noqa: N812 - as torchvision's own documentation names it

from gui_lab.core import policies
from gui_lab.core.chain import Chain
from gui_lab.core.dice import Dice
from gui_lab.core.pipeline import TRANSFORMS, Drawn, Illegal, Kind, Transform, plain
from gui_lab.core.policies import OPERATIONS
from gui_lab.errors import InvalidExperiment

NAMES = ["AutoAugment", "RandAugment", "TrivialAugmentWide", "AugMix"]
SPACES: dict[str, dict[str, Any]] = {
    "AutoAugment": v2.AutoAugment._AUGMENTATION_SPACE,
    "RandAugment": v2.RandAugment._AUGMENTATION_SPACE,
    "TrivialAugmentWide": v2.TrivialAugmentWide._AUGMENTATION_SPACE,
    "AugMix": v2.AugMix._AUGMENTATION_SPACE,
    "AugMix without colour": v2.AugMix._PARTIAL_AUGMENTATION_SPACE,
}
POLICIES = {policy.value: policy for policy in AutoAugmentPolicy}
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *(("AutoAugment", {"policy": name}) for name in POLICIES),
    ("RandAugment", {}),
    ("RandAugment", {"num_ops": 4, "magnitude": 29, "interpolation": "bilinear", "fill": 90}),
    ("RandAugment", {"num_ops": 1, "magnitude": 1, "num_magnitude_bins": 2}),
    ("TrivialAugmentWide", {}),
    ("TrivialAugmentWide", {"num_magnitude_bins": 7, "interpolation": "bilinear", "fill": 200}),
    ("AugMix", {}),
    ("AugMix", {"severity": 10, "mixture_width": 2, "chain_depth": 5, "alpha": 0.2, "fill": 31.5}),
    ("AugMix", {"mixture_width": 1, "chain_depth": 1, "all_ops": False, "interpolation": "nearest"}),
]
VARIANT = pytest.mark.parametrize(("name", "values"), VARIANTS, ids=str)
COUNT = 4000


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Pictures this small are slower on several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pictures(count: int, channels: int, size: tuple[int, int], dtype: torch.dtype = torch.uint8) -> torch.Tensor:
    """Smooth ones with some noise: what AutoContrast, Equalize and Sharpness change."""
    rng = np.random.default_rng([count, channels, *size])
    rows, columns = np.linspace(0, 3, size[0])[:, None], np.linspace(0, 2, size[1])
    waves = 110 + 60 * np.sin(rows + columns + rng.uniform(0, 6, (count, channels, 1, 1)))
    ready = torch.from_numpy((waves + rng.normal(0, 12, waves.shape)).clip(20, 235).astype(np.uint8))
    return ready if dtype == torch.uint8 else ready / 255


def draws(transform: Transform, count: int, size: tuple[int, int] = (20, 31), first: int = 0) -> Drawn:
    return transform.draw(Dice(7, 2, np.arange(first, first + count), 5), (3, *size))


def counterpart(transform: Any) -> Any:
    """torchvision's own transform with the same arguments."""
    values = {name: value for name, value in dict(transform).items() if name != "enabled"}
    values["interpolation"] = InterpolationMode(values["interpolation"])
    if "policy" in values:
        values["policy"] = POLICIES[values["policy"]]
    return getattr(v2, transform.name_of())(**values)


# what there is to choose from


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("size", [(28, 28), (20, 31), (224, 97)])
def test_operations_and_magnitudes_are_torchvisions(name: Any, size: tuple[int, int]) -> None:
    theirs = SPACES[name]
    assert list(policies.space(name, *size)) == list(theirs)
    for bins in (2, 3, 10, 31, 100):
        choice = policies.choice(name, bins, *size)
        assert [OPERATIONS[code] for code in choice.codes] == list(theirs)
        for place, (magnitudes, signed) in enumerate(theirs.values()):
            expected = magnitudes(bins, *size)
            assert choice.signed[place] == signed
            assert choice.magnitudes[place].tolist() == ([0.0] * bins if expected is None else expected.tolist())


@pytest.mark.parametrize("name", POLICIES)
def test_the_pairs_of_autoaugment_are_torchvisions(name: Any) -> None:
    assert list(policies.POLICIES[name]) == v2.AutoAugment(POLICIES[name])._policies


def test_there_are_no_other_policies_and_operations() -> None:
    assert set(policies.POLICIES) == set(POLICIES)
    assert set(OPERATIONS) == {operation for space in SPACES.values() for operation in space}
    assert OPERATIONS[0] == "Identity"


# what an operation does


def every_magnitude(size: tuple[int, int], look: dict[str, Any]) -> set[tuple[str, float]]:
    """All that any of the augmentations can draw; with a look of their own, those operations that it changes."""
    found = set()
    for name in SPACES:
        choice = policies.choice(name, 31 if name in ("RandAugment", "TrivialAugmentWide") else 10, *size)  # type: ignore[arg-type]
        for code, magnitudes, signed in zip(choice.codes, choice.magnitudes.tolist(), choice.signed, strict=True):
            if not look or OPERATIONS[code].startswith(("Shear", "Translate", "Rotate")):
                found |= {(OPERATIONS[code], magnitude) for magnitude in magnitudes}
                found |= {(OPERATIONS[code], -magnitude) for magnitude in magnitudes if signed}
    return found


def by_torchvision(theirs: Any, picture: Any, operation: str, magnitude: float) -> Any:
    return theirs._apply_image_or_video_transform(picture, operation, magnitude, theirs.interpolation, theirs._fill)


def drawn_once(operation: str, magnitude: float) -> dict[str, Any]:
    """One picture's part of what TrivialAugmentWide draws."""
    return {"operation": [OPERATIONS.index(operation)], "magnitude": [magnitude]}


LOOKS: list[dict[str, Any]] = [
    {},
    {"interpolation": "bilinear", "fill": 0.25},
    {"fill": (1.0, 0.5, 0.0)},
]
PIL_LOOKS: list[dict[str, Any]] = [
    {},
    {"interpolation": "bilinear", "fill": 77},
    {"interpolation": "bicubic"},
    {"fill": (10, 200, 30)},
]


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32], ids=["uint8", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_operation_is_torchvisions_to_the_bit(look: dict[str, Any], dtype: torch.dtype, channels: int) -> None:
    if channels == 1 and "fill" in look and isinstance(look["fill"], tuple):
        look = {**look, "fill": look["fill"][0]}
    transform = TRANSFORMS.make("TrivialAugmentWide", **look)
    picture = pictures(1, channels, (9, 12), dtype)[0]
    theirs, tried = counterpart(transform), every_magnitude((9, 12), look)
    assert len(tried) > (300 if look else 600)
    for operation, magnitude in tried:
        ours = transform.one(picture, drawn_once(operation, magnitude))
        assert torch.equal(ours, by_torchvision(theirs, picture, operation, magnitude)), (operation, magnitude)


@pytest.mark.parametrize("look", PIL_LOOKS, ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_operation_on_pil_pictures_is_torchvisions(look: dict[str, Any], channels: int) -> None:
    if channels == 1 and isinstance(look.get("fill"), tuple):
        look = {"fill": 10}
    transform = TRANSFORMS.make("TrivialAugmentWide", **look)
    picture, theirs = F.to_pil_image(pictures(1, channels, (9, 12))[0]), counterpart(transform)
    for operation, magnitude in every_magnitude((9, 12), look) - {
        ("Posterize", 0.0)
    }:  # drawn by AugMix alone, never for PIL
        ours = transform.one(picture, drawn_once(operation, magnitude))
        assert ours == by_torchvision(theirs, picture, operation, magnitude), (operation, magnitude)


# the whole of it


class Forced:
    """Stands in for torch's random functions and returns what was drawn by our dice."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.numbers: list[float] = []
        monkeypatch.setattr(torch, "randint", self._next)
        monkeypatch.setattr(torch, "rand", self._next)
        monkeypatch.setattr(v2.AugMix, "_sample_dirichlet", self._next)

    def _next(self, *_: Any, **__: Any) -> torch.Tensor:
        return torch.as_tensor(self.numbers.pop(0))

    def step(
        self, space: dict[str, Any], drawn: tuple[int, float], bins: int, size: tuple[int, int], *, level: bool
    ) -> None:
        """What torchvision asks for one operation: which, how strong unless that is set, and to which side."""
        name, magnitude = OPERATIONS[drawn[0]], drawn[1]
        self.numbers.append(list(space).index(name))
        self.strength(space, name, magnitude, bins, size, level=level)

    def strength(
        self, space: dict[str, Any], name: str, magnitude: float, bins: int, size: tuple[int, int], *, level: bool
    ) -> None:
        magnitudes, signed = space[name]
        if (strengths := magnitudes(bins, *size)) is None:
            return
        if level:
            self.numbers.append(strengths.tolist().index(abs(magnitude)))
        if signed:
            self.numbers.append(0.0 if np.signbit(magnitude) else 1.0)


def scripted(forced: Forced, transform: Any, drawn: dict[str, Any], size: tuple[int, int]) -> None:
    """Queue the numbers that torchvision's transform asks for, in its order, so that it chooses what we drew."""
    name = transform.name_of()
    space = SPACES["AugMix without colour" if name == "AugMix" and not transform.all_ops else name]
    steps = list(zip(drawn["operation"], drawn["magnitude"], strict=True))
    if name in ("TrivialAugmentWide", "RandAugment"):
        for step in steps:
            forced.step(space, step, transform.num_magnitude_bins, size, level=name == "TrivialAugmentWide")
    elif name == "AutoAugment":
        forced.numbers.append(drawn["pair"])
        for step, (operation, _, _) in zip(steps, policies.POLICIES[transform.policy][drawn["pair"]], strict=True):
            forced.numbers.append(0.0 if step[0] else 2.0)
            if step[0]:
                assert OPERATIONS[step[0]] == operation
                forced.strength(space, operation, step[1], 10, size, level=False)
    else:
        forced.numbers += [torch.tensor([[drawn["original"], 1.0]]), torch.tensor([drawn["weight"]])]  # type: ignore[list-item]
        depth = len(steps) // transform.mixture_width
        for start in range(0, len(steps), depth):
            acting = [step for step in steps[start : start + depth] if step[0]]
            if transform.chain_depth < 1:
                forced.numbers.append(len(acting))
            for step in acting:
                forced.step(space, step, 10, size, level=True)


@VARIANT
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32], ids=["uint8", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
def test_with_the_same_choices_pixels_are_torchvisions_to_the_bit(
    name: str, values: dict[str, Any], dtype: torch.dtype, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (20, 31)
    transform, count = TRANSFORMS.make(name, **values), 20
    arriving, drawn = pictures(count, channels, size, dtype), draws(transform, count, size)
    before = arriving.clone()
    leaving, theirs = transform.apply(arriving, drawn), counterpart(transform)
    forced = Forced(monkeypatch)
    for place in range(count):
        scripted(forced, transform, plain(drawn, place), size)
        assert torch.equal(leaving[place], theirs(arriving[place])), transform.told(plain(drawn, place))
        assert forced.numbers == []
    assert torch.equal(arriving, before)
    assert not torch.equal(leaving, arriving)  # type: ignore[arg-type]


@VARIANT
@pytest.mark.parametrize("channels", [1, 3])
def test_with_the_same_choices_pil_pictures_are_torchvisions(
    name: str, values: dict[str, Any], channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (20, 31)
    transform, count = TRANSFORMS.make(name, **values), 12
    arriving, drawn = pictures(count, channels, size), draws(transform, count, size)
    leaving, theirs = transform.apply_pil(arriving, drawn), counterpart(transform)
    forced = Forced(monkeypatch)
    for place in range(count):
        numbers, picture = plain(drawn, place), F.to_pil_image(arriving[place])
        scripted(forced, transform, numbers, size)
        expected = F.pil_to_tensor(theirs(picture))
        assert torch.equal(leaving[place], expected), transform.told(numbers)
        assert torch.equal(F.pil_to_tensor(transform.one(picture, numbers)), expected)


@VARIANT
@pytest.mark.parametrize("side", [16, 80], ids=["small", "large"])
def test_a_batch_is_its_pictures_one_by_one(name: str, values: dict[str, Any], side: int) -> None:
    """Small pictures go through a kernel together, large ones each for itself."""
    transform = TRANSFORMS.make(name, **values)
    arriving, drawn = pictures(12, 3, (side, side)), draws(transform, 12, (side, side))
    batch = transform.apply(arriving, drawn)
    for place in range(12):
        assert torch.equal(batch[place], transform.one(arriving[place], plain(drawn, place)))


# what is drawn


@VARIANT
def test_a_picture_draws_the_same_in_any_batch(name: str, values: dict[str, Any]) -> None:
    transform = TRANSFORMS.make(name, **values)
    together = draws(transform, 300)
    for place in (0, 7, 299):
        assert plain(draws(transform, 1, first=place), 0) == plain(together, place)
    chain, arriving = Chain([transform]), pictures(6, 3, (20, 31))
    run = chain.run(arriving, np.arange(6), seed=1, epoch=4, training=True)
    rows = chain.trace(list(arriving), np.arange(6), seed=1, epoch=4)
    assert all(torch.equal(run[place], row[-1].picture) for place, row in enumerate(rows))


def spread(ours: Counter[Any], expected: dict[Any, float]) -> None:
    """Counts are as probabilities say, within 4.5 standard deviations."""
    total = ours.total()
    assert set(ours) <= {key for key, probability in expected.items() if probability > 0}
    for key, probability in expected.items():
        assert abs(ours[key] - total * probability) <= 4.5 * np.sqrt(total * probability * (1 - probability)), key


def watched(transform: Any, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """What torchvision's transform applies of its own accord, as often as ours is drawn."""
    theirs, seen = counterpart(transform), []

    def seeing(picture: Any, operation: str, magnitude: float, **_: Any) -> Any:
        seen.append((operation, round(magnitude, 5) + 0.0))
        return picture

    monkeypatch.setattr(theirs, "_apply_image_or_video_transform", seeing)
    picture = torch.zeros(1, *size, dtype=torch.uint8)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for _ in range(800):
            theirs(picture)
    return seen


@VARIANT
def test_operations_and_magnitudes_come_as_often_as_torchvisions(
    name: str, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (12, 16)
    transform = TRANSFORMS.make(name, **values)
    drawn = draws(transform, 800, size)
    codes, magnitudes = drawn["operation"].ravel(), drawn["magnitude"].ravel()
    ours = [
        (OPERATIONS[code], round(magnitude, 5) + 0.0)
        for code, magnitude in zip(codes.tolist(), magnitudes.tolist(), strict=True)
        if code or "Identity" in SPACES[name]
    ]
    theirs = watched(transform, size, monkeypatch)
    for one, other in ((ours, theirs), ([name for name, _ in ours], [name for name, _ in theirs])):
        first, second = Counter(one), Counter(other)
        # two samples of the same: the difference has the variance of both
        for key in first | second:
            assert abs(first[key] - second[key]) <= 4.5 * np.sqrt(first[key] + second[key]) + 1, key
    assert abs(len(ours) - len(theirs)) <= 4.5 * np.sqrt(len(ours) + len(theirs))


def test_every_operation_is_as_likely_and_goes_to_either_side() -> None:
    drawn = draws(TRANSFORMS.make("TrivialAugmentWide"), 20_000)
    names = list(SPACES["TrivialAugmentWide"])
    spread(Counter(OPERATIONS[code] for code in drawn["operation"][:, 0]), dict.fromkeys(names, 1 / len(names)))
    assert (drawn["operation"].shape, drawn["magnitude"].shape) == ((20_000, 1), (20_000, 1))
    turns = drawn["magnitude"][drawn["operation"] == OPERATIONS.index("Rotate")]
    spread(Counter(np.sign(turns).tolist()), {0.0: 1 / 31, 1.0: 15 / 31, -1.0: 15 / 31})
    spread(Counter(np.abs(turns).tolist()), dict.fromkeys(torch.linspace(0, 135, 31).tolist(), 1 / 31))


def test_a_pair_acts_as_often_as_its_policy_says() -> None:
    drawn = draws(TRANSFORMS.make("AutoAugment", policy="svhn"), 20_000)
    spread(Counter(drawn["pair"].tolist()), dict.fromkeys(range(25), 1 / 25))
    for pair, steps in enumerate(policies.POLICIES["svhn"]):
        for place, (operation, probability, _) in enumerate(steps):
            acting = Counter(drawn["operation"][drawn["pair"] == pair, place].tolist())
            spread(acting, {OPERATIONS.index(operation): probability, 0: 1 - probability})


def apart(one: Any, other: Any) -> float:
    """The largest distance of two empirical distributions (Kolmogorov and Smirnov)."""
    places = np.sort(np.concatenate([one, other]))
    below = [np.searchsorted(np.sort(sample), places, side="right") / len(sample) for sample in (one, other)]
    return float(np.abs(below[0] - below[1]).max())


@pytest.mark.parametrize("alpha", [0.05, 0.5, 1.0, 3.0, 40.0])
@pytest.mark.parametrize("width", [1, 3])
def test_the_weights_of_augmix_are_spread_as_torchvisions(alpha: float, width: int) -> None:
    drawn = draws(TRANSFORMS.make("AugMix", alpha=alpha, mixture_width=width), COUNT)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        split = torch._sample_dirichlet(torch.full((COUNT, 2), alpha)).numpy()
        weights = torch._sample_dirichlet(torch.full((COUNT, width), alpha)).numpy() * split[:, 1:]
    limit = 2.3 * np.sqrt(2 / COUNT)  # passed by chance once in twenty thousand times
    assert apart(drawn["original"], split[:, 0]) < limit
    for chain in range(width):
        assert apart(drawn["weight"][:, chain], weights[:, chain]) < limit
    assert np.allclose(drawn["original"] + drawn["weight"].sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("alpha", [0.05, 1.0, 50.0])
def test_gamma_numbers_are_spread_as_torchs(alpha: float) -> None:
    """Many enough for some whose first attempt is refused: without a second one they would be far too small at 50."""
    count = 200_000
    ours = policies.log_gamma_variates(Dice(1, 1, np.arange(count), 1), alpha)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = torch._standard_gamma(torch.full((count,), alpha, dtype=torch.float64)).log().numpy()
    assert apart(ours, theirs) < 2.3 * np.sqrt(2 / count)
    if alpha > 1:
        assert abs(ours.min() - theirs.min()) < 0.5


@pytest.mark.parametrize("alpha", [0.001, 1000.0])
def test_weights_are_numbers_at_both_ends_of_alpha(alpha: float) -> None:
    drawn = draws(TRANSFORMS.make("AugMix", alpha=alpha), 500)
    for name, shape in (("original", (500,)), ("weight", (500, 3))):
        assert (drawn[name].dtype, drawn[name].shape) == (np.float32, shape)
        assert ((drawn[name] >= 0) & (drawn[name] < 1)).all()
    extreme = np.maximum(drawn["original"], 1 - drawn["original"])
    assert (extreme > 0.999).mean() > 0.95 if alpha < 1 else (extreme < 0.6).all()


# what is refused


@pytest.mark.parametrize("name", NAMES)
def test_pictures_of_other_channels_are_refused_as_torchvision_refuses_them(name: str) -> None:
    with pytest.raises(Illegal, match=f"{name} takes pictures of 1 or 3 channels, not 4"):
        TRANSFORMS.make(name).output(Kind.image(4, 8, 8))
    with pytest.raises(TypeError, match="1 or 3"):
        by_torchvision(counterpart(TRANSFORMS.make(name)), torch.zeros(4, 8, 8, dtype=torch.uint8), "Brightness", 0.5)


@pytest.mark.parametrize("name", NAMES)
def test_normalised_tensors_are_refused(name: str) -> None:
    tensor = TRANSFORMS.make("ToTensor").output(Kind.image(3, 8, 8))
    assert TRANSFORMS.make(name).output(tensor) == tensor
    with pytest.raises(Illegal, match="values from -1 to 1 arrive") as caught:
        TRANSFORMS.make(name).output(TRANSFORMS.make("Normalize", mean=(0.5,), std=(0.5,)).output(tensor))
    assert caught.value.repairs == (("Take it out", ()),)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("fill", "within"), [(51, 0.2), ((0, 255, 51), (0, 1, 0.2)), (-0.5, 0), ((-9, 1, 0), (0, 1, 0))]
)
def test_a_fill_outside_of_black_and_white_is_refused_and_mended(name: str, fill: Any, within: Any) -> None:
    image = Kind.image(3, 8, 8)
    tensor = TRANSFORMS.make("ToTensor").output(image)
    transform = TRANSFORMS.make(name, fill=fill)
    if np.min(fill) >= 0:
        assert transform.output(image) == image
    with pytest.raises(Illegal, match="fill lies outside") as caught:
        transform.output(tensor)
    assert caught.value.field == "fill"
    ((label, (mended,)),) = caught.value.repairs
    assert label == "Bring it into 0 to 1"
    assert mended.fill == pytest.approx(within)  # type: ignore[attr-defined]
    assert mended.output(tensor) == tensor


@pytest.mark.parametrize("name", NAMES)
def test_bicubic_is_for_pil_pictures_and_never_for_augmix(name: str) -> None:
    transform, image = TRANSFORMS.make(name, interpolation="bicubic"), Kind.image(3, 20, 31)
    with pytest.raises(Illegal, match="PIL pictures only") as caught:
        transform.output(image)
    ((_, (mended,)),) = caught.value.repairs
    assert mended == transform.changed(interpolation="bilinear")
    with pytest.raises(ValueError, match="unsupported"):
        by_torchvision(counterpart(transform), pictures(1, 3, (9, 12)), "Rotate", 9.0)
    if name == "AugMix":
        with pytest.raises(Illegal, match="PIL pictures only"):
            transform.output(replace(image, pil=True))
    else:
        assert transform.output(replace(image, pil=True)) == replace(image, pil=True)


@pytest.mark.parametrize("name", NAMES)
def test_three_fill_values_on_grey_pictures_are_refused_and_mended(name: str) -> None:
    grey = Kind.image(1, 8, 8)
    with pytest.raises(Illegal, match="3 fill values") as caught:
        TRANSFORMS.make(name, fill=(9, 8, 7)).output(grey)
    ((_, (mended,)),) = caught.value.repairs
    assert mended.output(grey) == grey


def test_a_magnitude_beyond_the_strengths_is_refused_at_its_field() -> None:
    with pytest.raises(InvalidExperiment, match="With 31 strengths the highest is 30, not 31") as caught:
        TRANSFORMS.make("RandAugment", magnitude=31)
    assert [problem.path for problem in caught.value.problems] == ["magnitude"]
    with torch.random.fork_rng(), pytest.raises(IndexError):
        v2.RandAugment(num_ops=50, magnitude=31)(torch.zeros(3, 8, 8, dtype=torch.uint8))
    strongest = TRANSFORMS.make("RandAugment", magnitude=30)
    drawn = draws(strongest, 200)
    across = drawn["magnitude"][drawn["operation"] == OPERATIONS.index("TranslateX")]
    assert across.max() == pytest.approx(150 / 331 * 31)


# in words


def test_what_was_drawn_can_be_read() -> None:
    def told(name: str, drawn: dict[str, Any], **values: Any) -> str:
        return TRANSFORMS.make(name, **values).told(drawn)

    def steps(*acts: tuple[str, float]) -> dict[str, Any]:
        return {"operation": [OPERATIONS.index(name) for name, _ in acts], "magnitude": [number for _, number in acts]}

    two = steps(("ShearX", -0.12), ("Solarize", 0.375))
    assert told("RandAugment", two) == "ShearX by −0.12, then Solarize from 38 % of white"
    assert told("RandAugment", steps(("Identity", 0), ("Equalize", 0))) == "Equalize"
    assert told("RandAugment", steps(), num_ops=0) == "Identity"
    for act, words in {
        ("Identity", 0.0): "Identity",
        ("TranslateY", -12.9): "TranslateY by −12 px",
        ("TranslateX", -0.3): "TranslateX by 0 px",
        ("Rotate", -0.0): "Rotate by 0°",
        ("Posterize", 1.0): "Posterize to 1 bit",
        ("Color", -0.5): "Color times 0.5",
    }.items():
        assert told("TrivialAugmentWide", steps(act)) == words
    pair = {"pair": 4, **steps(("Identity", 0), ("Posterize", 5))}
    assert told("AutoAugment", pair) == "pair 5: Posterize to 5 bits"
    mixed = {"original": 0.4, "weight": [0.35, 0.25]}
    mixed |= steps(("Rotate", 9), ("Invert", 0), ("Equalize", 0), ("Identity", 0))
    words = "0.40 of the picture + 0.35 of (Rotate by 9°, then Invert) + 0.25 of (Equalize)"
    assert told("AugMix", mixed, mixture_width=2) == words


def test_every_draw_has_words_and_others_have_none() -> None:
    for name in NAMES:
        transform = TRANSFORMS.make(name)
        drawn = draws(transform, 50)
        words = {transform.told(plain(drawn, place)) for place in range(50)}
        assert all(words)
        assert len(words) > 15
    assert TRANSFORMS.make("RandomHorizontalFlip").told({"flipped": True}) == ""


def test_a_suggestion_takes_the_policy_of_pictures_that_small() -> None:
    entry = TRANSFORMS.get("AutoAugment")
    assert entry.suggested(Kind.image(3, 32, 32)) == entry(policy="cifar10")  # type: ignore[call-arg]
    assert entry.suggested(Kind.image(3, 224, 200)) == entry() == entry.suggested(None)
