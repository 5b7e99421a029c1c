"""Colours, tones, blurs and noise are torchvision's: the same numbers in, the same values out, as often as there.

The reference is torchvision's own class of the same name: its `transform` is called with the numbers that were drawn.
Where each pixel is computed by itself, and in whole levels, results are equal to the bit; where values between pixels
are computed (a blur, a sharpening of tensors), one level of 255 is the most that may differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F  # noqa: N812 - as torchvision's own documentation names it

from gui_lab.core.chain import Chain
from gui_lab.core.checking import problems
from gui_lab.core.dice import Dice, normal_noise
from gui_lab.core.pipeline import TRANSFORMS, Illegal, Kind, TooLate, Transform, plain

Case = tuple[str, dict[str, Any]]
UINT8_AND_FLOAT = pytest.mark.parametrize("dtype", [torch.uint8, torch.float32], ids=["uint8", "float32"])
PARTS = ["brightness", "contrast", "saturation", "hue"]

EXACT: list[Case] = [
    ("RandomGrayscale", {"p": 0.5}),
    ("RandomGrayscale", {"p": 1.0}),
    ("ColorJitter", {}),
    ("ColorJitter", {"brightness": 0.4}),
    ("ColorJitter", {"contrast": (0.2, 3.0)}),
    ("ColorJitter", {"saturation": 1.5}),
    ("ColorJitter", {"hue": 0.5}),
    ("ColorJitter", {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1}),
    ("ColorJitter", {"brightness": (0.0, 2.5), "saturation": (0.0, 0.0), "hue": (-0.5, -0.2)}),
    ("RandomPhotometricDistort", {}),
    ("RandomPhotometricDistort", {"p": 1.0, "hue": (-0.5, 0.5)}),
    ("RandomPhotometricDistort", {"p": 0.0}),
    ("RandomInvert", {}),
    ("RandomInvert", {"p": 1.0}),
    ("RandomInvert", {"p": 0.0}),
    *[("RandomPosterize", {"bits": bits}) for bits in (0, 1, 3, 8)],
    ("RandomSolarize", {"threshold": 0.0}),
    ("RandomSolarize", {"threshold": 0.5}),
    ("RandomSolarize", {"threshold": 1.0, "p": 1.0}),
    ("RandomAutocontrast", {}),
    ("RandomEqualize", {}),
    ("GaussianNoise", {}),
    ("GaussianNoise", {"mean": 0.2, "sigma": 0.5, "clip": False}),
]
COMPUTED: list[Case] = [
    ("RandomAdjustSharpness", {"sharpness_factor": 2}),
    ("RandomAdjustSharpness", {"sharpness_factor": 0, "p": 1.0}),
    ("RandomAdjustSharpness", {"sharpness_factor": 7.3}),
    ("GaussianBlur", {"kernel_size": 1}),
    ("GaussianBlur", {"kernel_size": 3}),
    ("GaussianBlur", {"kernel_size": (7, 3), "sigma": 1.3}),
    ("GaussianBlur", {"kernel_size": (1, 9), "sigma": (0.01, 5.0)}),
]
SIZES = [(28, 28), (7, 9), (3, 3), (2, 5), (1, 1)]
COUNT = 12


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Pictures this small are slower on several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pictures(count: int, channels: int, size: tuple[int, int], dtype: torch.dtype) -> torch.Tensor:
    """Noise, and every kind of picture on which a kernel might divide by nothing."""
    drawn = np.random.default_rng([count, channels, *size]).integers(0, 256, (count, channels, *size), dtype=np.uint8)
    if count > 5:
        drawn[0], drawn[1], drawn[2] = 0, 255, drawn[2] // 64 * 64
        drawn[3] = drawn[3, :1]  # grey
        drawn[4, :, 0] = drawn[4, :, :, :1] = 77
    ready = torch.from_numpy(drawn)
    return ready if dtype == torch.uint8 else ready / 255


def draws(transform: Transform, count: int, shape: tuple[int, int, int]) -> dict[str, Any]:
    return transform.draw(Dice(1, 2, np.arange(count) + 10, 3), shape)


def theirs(transform: Transform) -> Any:
    """torchvision's transform of the same name with the same arguments."""
    values = {name: getattr(transform, name) for name in type(transform).model_fields if name != "enabled"}
    return getattr(v2, transform.name_of())(**values)


def by_torchvision(transform: Transform, picture: Any, drawn: dict[str, Any]) -> Any:
    """What torchvision's own class does to a picture with the numbers that were drawn for it."""
    if transform.decider and not drawn[transform.decider]:
        return picture
    match transform.name_of():
        case "ColorJitter":
            params = {f"{part}_factor": drawn.get(f"{part}_factor") for part in PARTS}
            params["fn_idx"] = torch.tensor(drawn["fn_idx"])
        case "RandomPhotometricDistort":
            params = {f"{part}_factor": drawn[f"{part}_factor"] if drawn[part] else None for part in PARTS}
            params["contrast_before"] = drawn["contrast_before"]
            params["channel_permutation"] = drawn["channel_permutation"] if drawn["permuted"] else None
        case "GaussianBlur":
            params = {"sigma": [drawn["sigma"], drawn["sigma"]]}
        case "GaussianNoise":
            with pytest.MonkeyPatch.context() as patch:
                noise = torch.from_numpy(normal_noise(drawn["seed"], picture.numel())).view(picture.shape)
                patch.setattr(torch, "randn_like", lambda *_, **__: noise.to(torch.float32))
                return theirs(transform).transform(picture, {})
        case _:
            params = theirs(transform).make_params([picture])  # the number of channels, of a grey picture
    return theirs(transform).transform(picture, params)


def accepts(transform: Transform, kind: Kind) -> bool:
    try:
        transform.output(kind)
    except Illegal:
        return False
    return True


def shown(case: Case) -> str:
    return f"{case[0]}({', '.join(f'{name}={value}' for name, value in case[1].items())})"


def difference(case: Case, channels: int, size: tuple[int, int], dtype: torch.dtype) -> float:
    """The largest difference to torchvision in levels of 255: over a batch, and each picture alone."""
    transform = TRANSFORMS.make(case[0], **case[1])
    arriving = pictures(COUNT, channels, size, dtype)
    before = arriving.clone()
    drawn = draws(transform, COUNT, (channels, *size))
    batch = transform.apply(arriving, drawn)
    last = transform.apply(arriving[-1:], {name: values[-1:] for name, values in drawn.items()})
    assert torch.equal(last[0], batch[-1])
    worst = 0.0
    for place in range(COUNT):
        own = plain(drawn, place)
        expected = by_torchvision(transform, arriving[place], own)
        for result in (batch[place], transform.one(arriving[place], own)):
            assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
            gap = (result.double() - expected.double()).abs().max().item()
            worst = max(worst, gap if dtype == torch.uint8 else gap * 255)
    assert torch.equal(arriving, before)
    return worst


def test_everything_in_these_files_is_tried() -> None:
    files = ("colour", "tones", "blurs")
    ours = {entry.name_of() for entry in TRANSFORMS if entry.__module__.rpartition(".")[2] in files}
    assert {name for name, _ in (*EXACT, *COMPUTED)} == ours - {"Grayscale"}  # which draws nothing
    assert len(ours) == 12


@UINT8_AND_FLOAT
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("case", EXACT, ids=shown)
def test_colours_and_tones_are_torchvisions_to_the_bit(case: Case, channels: int, dtype: torch.dtype) -> None:
    for size in SIZES:
        assert difference(case, channels, size, dtype) == 0, size


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("case", COMPUTED, ids=shown)
def test_blurs_are_torchvisions(case: Case, channels: int) -> None:
    tried = 0
    for size in SIZES:
        if accepts(TRANSFORMS.make(case[0], **case[1]), Kind.image(channels, *size)):
            allowed = 0 if case[0] == "RandomAdjustSharpness" else 1
            assert difference(case, channels, size, torch.uint8) <= allowed, size
            assert difference(case, channels, size, torch.float32) < 0.001, size
            tried += 1
    assert tried >= 2


@pytest.mark.parametrize("threshold", [1.0, 127.5, 128.0, 255.0])
def test_solarizing_images_is_torchvisions_at_every_level(threshold: float) -> None:
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    transform = TRANSFORMS.make("RandomSolarize", threshold=threshold, p=1)
    expected = v2.RandomSolarize(threshold, p=1).transform(levels, {})
    assert torch.equal(transform.apply(levels, {"solarized": np.array([True])}), expected)


@pytest.mark.parametrize("part", PARTS)
def test_every_colour_is_adjusted_as_torchvision_does(part: str) -> None:
    """All combinations of 32 levels, the outermost included, by factors from the weakest to the strongest."""
    levels = torch.linspace(0, 255, 32).round().to(torch.uint8)
    cube = torch.cartesian_prod(levels, levels, levels).T.reshape(1, 3, 128, 256)
    factors = np.linspace(-0.5, 0.5, 5) if part == "hue" else np.array([0.0, 0.3, 1.0, 1.7, 10.0])
    span = (float(factors[0]), float(factors[-1]))
    transform = TRANSFORMS.make("ColorJitter", **{part: span})
    drawn = {"fn_idx": np.tile(np.arange(4), (5, 1)), f"{part}_factor": factors.astype(np.float32)}
    batch = transform.apply(cube.expand(5, -1, -1, -1), drawn)
    for place in range(5):
        factor = float(drawn[f"{part}_factor"][place])
        assert torch.equal(batch[place], getattr(F, f"adjust_{part}")(cube[0], factor)), factor


@pytest.mark.parametrize("case", [*EXACT, *COMPUTED], ids=shown)
def test_a_batch_mixes_pictures_that_change_with_others(case: Case) -> None:
    """So that the tests above compare batches of both."""
    transform = TRANSFORMS.make(case[0], **case[1])
    drawn = draws(transform, COUNT, (3, 8, 8))
    if transform.decider:
        changed = drawn[transform.decider]
        p = case[1].get("p", 0.5)
        assert changed.mean() == p if p in (0, 1) else 0 < changed.sum() < COUNT
    for name, values in drawn.items():
        if name.endswith("_factor") and case[1].get(name.removesuffix("_factor")) != (0.0, 0.0):
            assert len(np.unique(values)) == COUNT
    if "fn_idx" in drawn:
        assert len(np.unique(drawn["fn_idx"], axis=0)) > 6


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("case", [*EXACT, *COMPUTED], ids=shown)
def test_pil_pictures_go_through_torchvisions_kernels_for_them(case: Case, channels: int) -> None:
    transform = TRANSFORMS.make(case[0], **case[1])
    pil = Kind("uint8", channels, 20, 17, (20, 17), pil=True)
    if not accepts(transform, pil):
        assert shown(case) in ("RandomPosterize(bits=0)", *(shown(one) for one in EXACT if one[0] == "GaussianNoise"))
        return
    arriving = pictures(COUNT, channels, (20, 17), torch.uint8)
    drawn = draws(transform, COUNT, (channels, 20, 17))
    leaving = transform.apply_pil(arriving, drawn)
    for place in range(COUNT):
        picture = F.to_pil_image(arriving[place])
        expected = by_torchvision(transform, picture, plain(drawn, place))
        assert torch.equal(leaving[place], F.pil_to_tensor(expected))


# how often


ROLLS = 4000


def even(counts: np.ndarray) -> bool:
    """Whether what is equally likely occurs equally often, as far as chance allows."""
    expected = counts.sum() / len(counts)
    return bool(np.abs(counts - expected).max() <= 4.5 * np.sqrt(expected))


def both(case: Case, channels: int = 3, count: int = ROLLS) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What is drawn here, and what by torchvision."""
    transform = TRANSFORMS.make(case[0], **case[1])
    picture, other = torch.zeros(channels, 2, 2, dtype=torch.uint8), theirs(transform)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = [other.make_params([picture]) for _ in range(count)]
    return transform.draw(Dice(1, 1, np.arange(count), 1), (channels, 2, 2)), made


def spread_alike(ours: np.ndarray, others: list[float], low: float, high: float) -> None:
    assert ours.dtype == np.float32
    for values in (ours.astype(np.float64), np.array(others)):
        assert values.min() >= np.float32(low)
        assert values.max() <= np.float32(high)
        assert even(np.histogram(values, np.linspace(np.float32(low), np.float32(high), 9))[0])


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("RandomGrayscale", {}),
        ("RandomInvert", {}),
        ("RandomPosterize", {"bits": 1}),
        ("RandomSolarize", {"threshold": 9}),
        ("RandomAdjustSharpness", {"sharpness_factor": 3}),
        ("RandomAutocontrast", {}),
        ("RandomEqualize", {}),
    ],
)
def test_pictures_are_changed_as_often_as_torchvisions_are(name: str, values: dict[str, Any], p: float) -> None:
    transform = TRANSFORMS.make(name, p=p, **values)
    picture, other, count = pictures(1, 3, (18, 18), torch.uint8)[0] // 2 + 20, theirs(transform), 600
    with torch.random.fork_rng():
        torch.manual_seed(0)
        changed = sum(not torch.equal(other(picture), picture) for _ in range(count))
    own = transform.draw(Dice(1, 1, np.arange(ROLLS), 1), (3, 18, 18))[transform.decider]
    for times, of in ((changed, count), (own.sum(), ROLLS)):
        assert abs(times - of * p) <= 4.5 * np.sqrt(of * p * (1 - p))


JITTERS: list[tuple[dict[str, Any], dict[str, tuple[float, float]]]] = [
    ({"brightness": 0.4}, {"brightness": (0.6, 1.4)}),
    ({"contrast": 3}, {"contrast": (0, 4)}),
    ({"saturation": (0.1, 0.2), "hue": 0.3}, {"saturation": (0.1, 0.2), "hue": (-0.3, 0.3)}),
    ({"hue": (0.1, 0.5), "brightness": 0.0, "contrast": (1, 1)}, {"hue": (0.1, 0.5)}),
    ({"brightness": (0, 0), "hue": (0, 0), "saturation": 0}, {"brightness": (0, 0)}),
]


@pytest.mark.parametrize(("values", "spans"), JITTERS, ids=str)
def test_jitters_are_spread_as_torchvisions_are(values: dict[str, Any], spans: dict[str, tuple[float, float]]) -> None:
    ours, made = both(("ColorJitter", values))
    for part in PARTS:
        name = f"{part}_factor"
        assert (name in ours) == (part in spans) == (made[0][name] is not None)
        if part in spans and spans[part][0] < spans[part][1]:
            spread_alike(ours[name], [one[name] for one in made], *spans[part])
        elif part in spans:
            assert set(ours[name]) == {one[name] for one in made} == {spans[part][0]}


def test_the_four_parts_are_done_in_any_order_as_torchvisions_are() -> None:
    ours, made = both(("ColorJitter", {}))
    for orders in (ours["fn_idx"], np.array([one["fn_idx"].numpy() for one in made])):
        kinds, counts = np.unique(orders, axis=0, return_counts=True)
        assert len(kinds) == 24
        assert even(counts)


def test_dragging_one_part_leaves_what_is_drawn_for_the_others() -> None:
    one = draws(TRANSFORMS.make("ColorJitter", contrast=0.2, hue=0.1), 30, (3, 4, 4))
    other = draws(TRANSFORMS.make("ColorJitter", brightness=0.7, contrast=0.9, hue=0.1), 30, (3, 4, 4))
    assert np.array_equal(one["fn_idx"], other["fn_idx"])
    assert np.array_equal(one["hue_factor"], other["hue_factor"])
    assert not np.array_equal(one["contrast_factor"], other["contrast_factor"])


@pytest.mark.parametrize("p", [0.2, 0.5, 1.0])
def test_distortions_are_spread_as_torchvisions_are(p: float) -> None:
    case = ("RandomPhotometricDistort", {"p": p, "hue": (-0.4, 0.1)})
    ours, made = both(case)
    spans = {"brightness": (0.875, 1.125), "contrast": (0.5, 1.5), "saturation": (0.5, 1.5), "hue": (-0.4, 0.1)}
    for part, span in spans.items():
        name = f"{part}_factor"
        done = [one[name] for one in made if one[name] is not None]
        spread_alike(ours[name][ours[part]], done, *span)
        for times in (ours[part].sum(), len(done)):
            assert abs(times - ROLLS * p) <= 4.5 * np.sqrt(ROLLS * p * (1 - p))
    for before in (ours["contrast_before"], np.array([one["contrast_before"] for one in made])):
        assert abs(before.mean() - 0.5) <= 4.5 * 0.5 / np.sqrt(ROLLS)
    done = [one["channel_permutation"].numpy() for one in made if one["channel_permutation"] is not None]
    for permuted in (ours["channel_permutation"][ours["permuted"]], np.array(done)):
        assert abs(len(permuted) - ROLLS * p) <= 4.5 * np.sqrt(ROLLS * p * (1 - p))
        kinds, counts = np.unique(permuted, axis=0, return_counts=True)
        assert len(kinds) == 6
        assert even(counts)


@pytest.mark.parametrize(("sigma", "span"), [((0.1, 2.0), (0.1, 2.0)), ((3, 3.5), (3, 3.5)), (0.7, (0.7, 0.7))])
def test_blurs_are_as_wide_as_torchvisions(sigma: Any, span: tuple[float, float]) -> None:
    ours, made = both(("GaussianBlur", {"kernel_size": 3, "sigma": sigma}))
    for one in made:
        assert one["sigma"][0] == one["sigma"][1]
    others = [one["sigma"][0] for one in made]
    if span[0] < span[1]:
        spread_alike(ours["sigma"], others, *span)
    else:
        assert set(ours["sigma"].tolist()) == set(others) == {float(np.float32(span[0]))}


@UINT8_AND_FLOAT
def test_noise_is_spread_as_torchvisions_is(dtype: torch.dtype) -> None:
    """The largest distance of the two distributions is what chance allows once in a thousand times."""
    transform = TRANSFORMS.make("GaussianNoise", mean=0.1, sigma=0.2, clip=dtype == torch.uint8)
    grey = torch.full((20, 3, 16, 16), 100, dtype=torch.uint8)
    arriving = grey if dtype == torch.uint8 else grey / 255
    with torch.random.fork_rng():
        torch.manual_seed(0)
        other = theirs(transform)(arriving)
    ours = transform.apply(arriving, draws(transform, 20, (3, 16, 16)))
    one, two = (np.sort(values.numpy().ravel()).astype(np.float64) for values in (ours, other))
    grid = np.linspace(min(one[0], two[0]), max(one[-1], two[-1]), 500)
    gap = np.abs(np.searchsorted(one, grid, "right") - np.searchsorted(two, grid, "right")).max() / len(one)
    assert gap < 1.95 * np.sqrt(2 / len(one))


def test_every_picture_has_noise_of_its_own() -> None:
    transform = TRANSFORMS.make("GaussianNoise")
    noisy = transform.apply(torch.full((8, 3, 6, 6), 0.5), draws(transform, 8, (3, 6, 6)))
    assert len({picture.numpy().tobytes() for picture in noisy}) == 8
    assert len(noisy[0].unique()) > 90


# what may arrive, and what leaves


IMAGE, TENSOR = Kind.image(3, 20, 20), Kind("float32", 3, 20, 20, (20, 20), 0.0, 1.0)
AROUND_ZERO = Kind("float32", 3, 20, 20, (20, 20), -2.0, 2.5)


def refused(transform: Transform, kind: Kind) -> Illegal:
    """Why it cannot be applied; each repair of it can."""
    with pytest.raises(Illegal) as caught:
        transform.output(kind)
    assert caught.value.sentence.endswith(".")
    assert caught.value.repairs
    for _, instead in caught.value.repairs:
        leaving = kind
        for one in instead:
            leaving = one.output(leaving)
    return caught.value


@pytest.mark.parametrize("name", sorted({name for name, _ in (*EXACT, *COMPUTED)} - {"GaussianBlur"}))
def test_colours_are_those_of_grey_or_rgb_pictures(name: str) -> None:
    problem = refused(TRANSFORMS.get(name).suggested(None), Kind.image(4, 8, 8))
    assert problem.sentence == f"{name} takes pictures of 1 or 3 channels, not 4."
    assert problem.repairs == (("Take it out", ()),)


def test_a_blur_takes_any_number_of_channels() -> None:
    arriving = pictures(6, 4, (8, 8), torch.uint8)
    transform = TRANSFORMS.make("GaussianBlur", kernel_size=5)
    assert transform.output(Kind.image(4, 8, 8)) == Kind.image(4, 8, 8)
    assert transform.apply(arriving, draws(transform, 6, (4, 8, 8))).shape == arriving.shape


@pytest.mark.parametrize(
    ("case", "field"),
    [
        (("ColorJitter", {"contrast": (1.5, 0.5)}), "contrast"),
        (("ColorJitter", {"hue": (0.2, -0.2)}), "hue"),
        (("RandomPhotometricDistort", {"saturation": (1.5, 0.5)}), "saturation"),
        (("GaussianBlur", {"kernel_size": 3, "sigma": (2.0, 0.1)}), "sigma"),
    ],
)
def test_a_range_that_runs_backwards_is_swapped_by_one_click(case: Case, field: str) -> None:
    problem = refused(TRANSFORMS.make(case[0], **case[1]), IMAGE)
    assert problem.field == field
    ((label, (swapped,)),) = problem.repairs
    assert label == "Swap them"
    assert getattr(swapped, field) == case[1][field][::-1]


def test_hue_needs_values_between_black_and_white() -> None:
    """torchvision's own words: it does not work on pictures that were normalized to negative values."""
    jitter = TRANSFORMS.make("ColorJitter", brightness=0.1, hue=0.1)
    problem = refused(jitter, AROUND_ZERO)
    assert isinstance(problem, TooLate)
    assert (problem.field, problem.sentence) == ("hue", "Hue needs values from 0 to 1, but -2 to 2.5 arrive.")
    assert problem.repairs == (("Leave hue out", (jitter.changed(hue=None),)),)
    distort = TRANSFORMS.make("RandomPhotometricDistort")
    assert isinstance(refused(distort, AROUND_ZERO), TooLate)
    grey = Kind("float32", 1, 20, 20, (20, 20), -2.0, 2.5)  # has no hue to turn
    assert accepts(jitter, grey)
    assert accepts(distort, grey)
    assert accepts(distort.changed(p=0.0), AROUND_ZERO)


def test_equalizing_needs_values_between_black_and_white() -> None:
    problem = refused(TRANSFORMS.make("RandomEqualize"), AROUND_ZERO)
    assert isinstance(problem, TooLate)
    assert problem.sentence == "RandomEqualize takes values from 0 to 1, but -2 to 2.5 arrive."


def test_what_comes_too_late_is_moved_before_normalize_by_one_click() -> None:
    steps = [TRANSFORMS.make(name) for name in ("ToTensor", "Normalize", "RandomEqualize")]
    (problem,) = problems(Chain(steps), Kind.image(1, 20, 20))
    assert problem.path == "transforms.2"
    moved = problem.repairs[0]
    assert moved.label == "Move it before Normalize"
    assert [one.name_of() for one in moved.value] == ["ToTensor", "RandomEqualize", "Normalize"]
    assert problems(Chain(moved.value), Kind.image(1, 20, 20)) == []


def test_a_threshold_above_white_is_brought_to_the_scale_of_a_tensor() -> None:
    transform = TRANSFORMS.make("RandomSolarize", threshold=128)
    assert accepts(transform, IMAGE)
    problem = refused(transform, TENSOR)
    assert (problem.field, problem.repairs[0][0]) == ("threshold", "Divide it by 255")
    assert problem.repairs[0][1][0].threshold == 128 / 255
    with pytest.raises(TypeError, match="hreshold"):
        F.solarize(torch.zeros(3, 2, 2), 128)


@pytest.mark.parametrize(
    ("size", "kind", "label", "instead"),
    [
        (4, IMAGE, "Use 3", 3),
        ((5, 8), IMAGE, "Use 5x7", (5, 7)),
        (9, Kind.image(1, 30, 4), "Use 7", 7),
        ((9, 21), Kind.image(1, 8, 4), "Use 7x15", (7, 15)),
        (3, Kind.image(1, None, None), "Use 1", 1),
    ],
)
def test_a_blur_that_does_not_fit_is_made_smaller_by_one_click(size: Any, kind: Kind, label: str, instead: Any) -> None:
    transform = TRANSFORMS.make("GaussianBlur", kernel_size=size)
    problem = refused(transform, kind)
    assert problem.field == "kernel_size"
    assert problem.repairs == ((label, (transform.changed(kernel_size=instead),)),)
    with pytest.raises((ValueError, RuntimeError)):
        theirs(transform).transform(torch.zeros(1, *kind.least), {"sigma": [1.0, 1.0]})


def test_pil_has_no_posters_without_a_level() -> None:
    transform, pil = TRANSFORMS.make("RandomPosterize", bits=0), Kind("uint8", 3, 20, 20, (20, 20), pil=True)
    assert accepts(transform, IMAGE)
    problem = refused(transform, pil)
    assert (problem.field, problem.repairs) == ("bits", (("Keep 1 bit", (transform.changed(bits=1),)),))
    with pytest.raises(ValueError, match="bits"):
        theirs(transform).transform(F.to_pil_image(torch.zeros(3, 4, 4, dtype=torch.uint8)), {})


def test_the_largest_blur_that_is_allowed_is_torchvisions() -> None:
    kind = Kind.image(3, 8, 4)
    assert accepts(TRANSFORMS.make("GaussianBlur", kernel_size=(7, 15)), kind)
    assert difference(("GaussianBlur", {"kernel_size": (7, 15)}), 3, (8, 4), torch.uint8) <= 1


def test_noise_is_for_tensors_and_not_for_pil_pictures() -> None:
    transform = TRANSFORMS.make("GaussianNoise")
    pil = Kind("uint8", 3, 20, 20, (20, 20), pil=True)
    problem = refused(transform, pil)
    ((label, (conversion, same)),) = problem.repairs
    assert (label, conversion.name_of(), same) == ("Insert ToTensor before it", "ToTensor", transform)
    with pytest.raises(ValueError, match="PIL"):
        theirs(transform)(F.to_pil_image(torch.zeros(3, 4, 4, dtype=torch.uint8)))


@pytest.mark.parametrize("kind", [AROUND_ZERO, Kind("float32", 3, 20, 20, (20, 20), 0.3, 0.6), TENSOR], ids=str)
@pytest.mark.parametrize("case", [*EXACT, *COMPUTED], ids=shown)
def test_values_stay_in_the_declared_range(case: Case, kind: Kind) -> None:
    transform = TRANSFORMS.make(case[0], **case[1])
    if not accepts(transform, kind):
        assert kind == AROUND_ZERO
        return
    declared = transform.output(kind)
    arriving = pictures(40, 3, (20, 20), torch.float32) * (kind.high - kind.low) + kind.low
    leaving = transform.apply(arriving, draws(transform, 40, kind.shape))
    assert declared.low - 1e-5 <= leaving.min().item()
    assert leaving.max().item() <= declared.high + 1e-5


@pytest.mark.parametrize("level", [0, 90, 255])
@pytest.mark.parametrize("case", [*EXACT, *COMPUTED], ids=shown)
def test_levels_of_an_even_image_stay_in_the_declared_range(case: Case, level: int) -> None:
    transform = TRANSFORMS.make(case[0], **case[1])
    declared = transform.output(Kind("uint8", 3, 6, 6, (6, 6), level, level))
    leaving = transform.apply(torch.full((40, 3, 6, 6), level, dtype=torch.uint8), draws(transform, 40, (3, 6, 6)))
    assert declared.low <= leaving.min().item()
    assert leaving.max().item() <= declared.high


# in words


def test_a_jitter_tells_what_it_did_in_its_order() -> None:
    transform = TRANSFORMS.make("ColorJitter", brightness=0.5, hue=0.1)
    drawn = {"fn_idx": [3, 1, 0, 2], "brightness_factor": 1.25, "hue_factor": -0.04}
    assert transform.told(drawn) == "hue −0.04, brightness 1.25"
    assert TRANSFORMS.make("ColorJitter").told({"fn_idx": [0, 1, 2, 3]}) == "nothing"


def test_a_distortion_tells_what_it_did_in_its_order() -> None:
    transform = TRANSFORMS.make("RandomPhotometricDistort")
    factors = {"brightness_factor": 1.1, "contrast_factor": 0.5, "saturation_factor": 1.4, "hue_factor": 0.02}
    drawn = {"brightness": False, "contrast": True, "saturation": True, "hue": False, **factors}
    drawn |= {"contrast_before": False, "permuted": True, "channel_permutation": [2, 0, 1]}
    assert transform.told(drawn) == "saturation 1.4, contrast 0.5, channels BRG"
    drawn |= {"contrast_before": True, "permuted": False}
    assert transform.told(drawn) == "contrast 0.5, saturation 1.4"
    drawn |= {"contrast": False, "saturation": False}
    assert transform.told(drawn) == "nothing"


def test_noise_is_told_without_its_seed() -> None:
    assert TRANSFORMS.make("GaussianNoise").told({"seed": 123}) == "noise of its own"
