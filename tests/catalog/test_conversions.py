"""Conversions give what torchvision's own classes give; after ToPILImage a chain is torchvision's on PIL pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F  # noqa: N812 - as torchvision's own documentation names it

from gui_lab.core.chain import Chain
from gui_lab.core.checking import problems
from gui_lab.core.dice import Dice, salt_of
from gui_lab.core.pipeline import TRANSFORMS, Illegal, Kind
from gui_lab.schema import Problem

SIZES = [(28, 28), (20, 31), (1, 7)]
IMAGE = Kind.image(3, 28, 28)


def made(*steps: str | tuple[str, dict[str, Any]]) -> list[Any]:
    named = [(step, {}) if isinstance(step, str) else step for step in steps]
    return [TRANSFORMS.make(name, **values) for name, values in named]


def pictures(count: int, channels: int = 3, size: tuple[int, int] = (28, 28)) -> torch.Tensor:
    noise = np.random.default_rng([count, channels, *size])
    return torch.from_numpy(noise.integers(0, 256, (count, channels, *size), dtype=np.uint8))


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.dtype == other.dtype and torch.equal(one, other.as_subclass(torch.Tensor))


def wrong(*steps: str | tuple[str, dict[str, Any]], kind: Kind = IMAGE) -> Problem:
    """What is wrong with a chain; each of its repairs is a chain without a fault."""
    (found,) = errors(Chain(made(*steps)), kind)
    for repair in found.repairs:
        assert errors(Chain(repair.value), kind) == [], repair.label
    return found


def errors(chain: Chain, kind: Kind) -> list[Problem]:
    return [problem for problem in problems(chain, kind) if problem.severity == "error"]


def repaired(problem: Problem) -> dict[str, list[str]]:
    return {repair.label: [step.name_of() for step in repair.value] for repair in problem.repairs}


# to tensors


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_another_type_is_torchvisions_to_the_bit(dtype: str, scale: bool, channels: int, count: int) -> None:
    transform = TRANSFORMS.make("ToDtype", dtype=dtype, scale=scale)
    theirs = v2.ToDtype(getattr(torch, dtype), scale=scale)
    for size in SIZES:
        image = pictures(count, channels, size)
        for arriving in (image, image / 255, image.float() if not scale else image / 255 * 0.7):
            leaving = transform.apply(arriving, {})
            assert all(same(leaving[place], theirs(picture)) for place, picture in enumerate(arriving))


def test_levels_survive_the_way_to_a_tensor_and_back() -> None:
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    for way in (("ToTensor", ("ToDtype", {"dtype": "uint8", "scale": True})), ("ToTensor", "ToPILImage")):
        back = levels
        for step in made(*way):
            back = step.apply(back, {})
        last = v2.ToPILImage() if way[1] == "ToPILImage" else v2.ToDtype(torch.uint8, scale=True)
        theirs = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), last, v2.ToImage()])
        assert same(back[0], theirs(levels[0]))
        assert torch.equal(back, levels)


@pytest.mark.parametrize(
    ("values", "arriving", "low", "high"),
    [
        ({"dtype": "float32", "scale": True}, IMAGE, 0, 1),
        ({"dtype": "float32"}, IMAGE, 0, 255),
        ({"dtype": "uint8"}, IMAGE, 0, 255),
        ({"dtype": "uint8", "scale": True}, Kind("float32", 3, 28, 28, (28, 28), 0.25, 1.0), 63, 255),
        ({"dtype": "uint8"}, Kind("float32", 3, 28, 28, (28, 28), 2.5, 200.5), 2, 200),
    ],
)
def test_the_range_after_another_type_is_told(values: dict[str, Any], arriving: Kind, low: float, high: float) -> None:
    (transform,) = made(("ToDtype", values))
    leaving = transform.output(arriving)
    assert (leaving.dtype, leaving.low, leaving.high) == (values["dtype"], low, high)
    ends = torch.tensor([arriving.low, arriving.high]).view(1, 1, 1, 2)
    ends = ends.to(torch.uint8) if arriving.dtype == "uint8" else ends
    assert transform.apply(ends, {}).flatten().tolist() == [low, high]


def test_an_image_starts_a_chain_unchanged_at_to_image() -> None:
    arriving = pictures(3)
    ready = Chain(made("ToImage", "ToTensor")).run(arriving, np.arange(3), seed=0, epoch=1, training=True)
    assert torch.equal(ready, Chain(made("ToTensor")).run(arriving, np.arange(3), seed=0, epoch=1, training=True))
    for name in ("ToImage", "PILToTensor"):
        (transform,) = made(name)
        assert transform.output(IMAGE) == IMAGE
        assert torch.equal(transform.apply(arriving, {}), arriving)
        assert torch.equal(transform.apply(arriving / 255, {}), arriving / 255)


@pytest.mark.parametrize("name", ["ToImage", "PILToTensor", "ToTensor"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_pil_picture_becomes_torchvisions_tensor(name: str, channels: int) -> None:
    arriving = pictures(1, channels, (9, 5))[0]
    picture = F.to_pil_image(arriving)
    theirs = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]) if name == "ToTensor" else v2.ToImage()
    assert same(TRANSFORMS.make(name).one(picture, {}), theirs(picture))


# to PIL pictures


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("floats", [False, True])
def test_a_pil_picture_has_torchvisions_levels_and_mode(channels: int, floats: bool) -> None:
    image = pictures(4, channels, (6, 5))
    arriving = torch.rand(image.shape, generator=torch.Generator().manual_seed(channels)) if floats else image
    kind = Kind.image(channels, 6, 5)
    kind = TRANSFORMS.make("ToTensor").output(kind) if floats else kind
    modes = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
    for mode in (None, modes[channels]):
        transform = TRANSFORMS.make("ToPILImage", mode=mode)
        leaving = transform.output(kind)
        assert (leaving.pil, leaving.dtype, leaving.low, leaving.high) == (True, "uint8", 0, 255)
        carried = transform.apply(arriving, {})
        for place, picture in enumerate(arriving):
            theirs = v2.ToPILImage(mode)(picture)
            assert theirs.mode == modes[channels]
            assert same(carried[place], v2.PILToTensor()(theirs))


PIL_CHAINS: list[list[tuple[str, dict[str, Any]]]] = [
    [("Resize", {"size": 17})],
    [("Resize", {"size": (9, 40), "interpolation": "bicubic"}), ("CenterCrop", {"size": 12})],
    [("Grayscale", {"num_output_channels": 3}), ("Resize", {"size": 40, "interpolation": "nearest"})],
]


@pytest.mark.parametrize("steps", PIL_CHAINS, ids=lambda steps: "+".join(name for name, _ in steps))
@pytest.mark.parametrize("count", [1, 5])
def test_after_to_pil_image_a_chain_is_torchvisions_on_pil_pictures(steps: Any, count: int) -> None:
    from torchvision.transforms import InterpolationMode

    def theirs(name: str, values: dict[str, Any]) -> Any:
        given = {key: InterpolationMode(value) if key == "interpolation" else value for key, value in values.items()}
        return getattr(v2, name)(**given)

    arriving = pictures(count, 3, (28, 33))
    chain = Chain(made("ToImage", "ToPILImage", *steps, "ToTensor"))
    expected = v2.Compose([v2.ToPILImage(), *(theirs(*step) for step in steps), v2.ToImage(),
                           v2.ToDtype(torch.float32, scale=True)])  # fmt: skip
    ready = chain.run(arriving, np.arange(count), seed=3, epoch=1, training=True)
    assert all(same(ready[place], expected(picture)) for place, picture in enumerate(arriving))
    on_tensors = Chain(made(*steps, "ToTensor")).run(arriving, np.arange(count), seed=3, epoch=1, training=True)
    resized_by_nearest = any(values.get("interpolation") == "nearest" for _, values in steps)
    assert resized_by_nearest or not torch.equal(ready, on_tensors)  # PIL's kernels are others than torch's


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_a_rotation_after_to_pil_image_is_pils_with_the_drawn_angle(interpolation: str) -> None:
    from torchvision.transforms import InterpolationMode

    arriving, indices = pictures(6, 3, (20, 31)), np.arange(6)
    chain = Chain(made("ToPILImage", ("RandomRotation", {"degrees": 40, "interpolation": interpolation}), "ToTensor"))
    ready = chain.run(arriving, indices, seed=3, epoch=2, training=True)
    angles = chain.transforms[1].draw(Dice(3, 2, indices, salt_of("RandomRotation", 0)), (3, 20, 31))["angle"]
    for place, picture in enumerate(arriving):
        mode = InterpolationMode(interpolation)
        turned = F.rotate(F.to_pil_image(picture), float(angles[place]), mode, fill=[0.0])
        assert same(ready[place], F.to_dtype(F.to_image(turned), torch.float32, scale=True))


def test_what_a_trace_shows_of_a_pil_picture_is_what_a_batch_gets() -> None:
    arriving, indices = pictures(5), np.arange(5)
    chain = Chain(made("ToTensor", "ToPILImage", ("Resize", {"size": 9}), ("ToDtype", {"dtype": "float32"}), "ToImage",
                       "ToTensor"))  # fmt: skip
    ready = chain.run(arriving, indices, seed=1, epoch=1, training=True)
    rows = chain.trace(list(arriving), indices, seed=1, epoch=1)
    assert [stage.name for stage in rows[0]][1:] == [step.name_of() for step in chain.transforms]
    assert all(torch.equal(row[-1].picture, picture) for row, picture in zip(rows, ready, strict=True))
    assert [kind.pil for _, kind in chain.kinds(IMAGE)] == [False, False, True, True, True, False, False]


def test_a_pil_picture_passes_to_dtype_as_torchvisions_does() -> None:
    arriving = pictures(2, 3, (4, 4))
    (transform,) = made(("ToDtype", {"dtype": "float32", "scale": True}))
    kind = TRANSFORMS.make("ToPILImage").output(Kind.image(3, 4, 4))
    assert transform.output(kind) == kind
    assert torch.equal(transform.apply_pil(arriving, {}), arriving)
    picture = F.to_pil_image(arriving[0])
    assert v2.ToDtype(torch.float32, scale=True)(picture) is picture
    assert transform.one(picture, {}) is picture
    (found,) = errors(Chain(made("ToPILImage", ("ToDtype", {"dtype": "float32", "scale": True}))), IMAGE)
    assert found.sentence == "The network needs float tensors, but uint8 images reach it."


def test_a_pil_picture_stays_one_at_another_to_pil_image() -> None:
    kind = TRANSFORMS.make("ToPILImage").output(IMAGE)
    assert TRANSFORMS.make("ToPILImage", mode="L").output(kind) == kind  # torchvision passes PIL pictures on
    picture = F.to_pil_image(pictures(1)[0])
    assert v2.ToPILImage("L")(picture) is picture
    assert TRANSFORMS.make("ToPILImage").one(picture, {}) is picture


# what is illegal


def test_a_normalised_tensor_is_no_pil_picture() -> None:
    found = wrong("ToTensor", "Normalize", "ToPILImage", "ToTensor")
    assert found.path == "transforms.2"
    assert found.sentence == "ToPILImage needs a tensor 0..1, but \N{MINUS SIGN}1 to 1 arrives."
    assert repaired(found) == {
        "Move it before ToTensor": ["ToPILImage", "ToTensor", "Normalize", "ToTensor"],
        "Remove it": ["ToTensor", "Normalize", "ToTensor"],
    }


def test_a_conversion_moves_to_the_nearest_place_where_the_chain_is_legal() -> None:
    raw = ("ToDtype", {"dtype": "float32"})
    found = wrong(("CenterCrop", {"size": 20}), raw, ("Resize", {"size": 24}), "ToPILImage", "ToTensor")
    assert found.path == "transforms.3"
    assert repaired(found) == {
        "Move it before ToDtype": ["CenterCrop", "ToPILImage", "ToDtype", "Resize", "ToTensor"],
        "Remove it": ["CenterCrop", "ToDtype", "Resize", "ToTensor"],
    }


@pytest.mark.parametrize("scale", [True, False])
def test_a_normalised_tensor_is_no_uint8_image(scale: bool) -> None:
    found = wrong("ToTensor", "Normalize", ("ToDtype", {"dtype": "uint8", "scale": scale}), "ToTensor")
    assert found.path == "transforms.2.dtype"
    how = "0..1 with scale" if scale else "0..255 without scale"
    assert found.sentence == f"A uint8 image can show {how}, but \N{MINUS SIGN}1 to 1 arrives."
    assert repaired(found) == {"Remove it": ["ToTensor", "Normalize", "ToTensor"]}


def test_levels_as_floats_are_no_pil_picture() -> None:
    with pytest.raises(Illegal, match=r"ToPILImage needs a tensor 0\.\.1, but 0 to 255 arrives\."):
        TRANSFORMS.make("ToPILImage").output(TRANSFORMS.make("ToDtype", dtype="float32").output(IMAGE))


def test_a_pil_picture_has_at_most_four_channels() -> None:
    found = wrong("ToPILImage", "ToTensor", kind=Kind.image(5, 28, 28))
    assert found.sentence == "A PIL picture has 1 to 4 channels, but 5 arrive."
    assert repaired(found) == {"Remove it": ["ToTensor"]}
    with pytest.raises(ValueError, match="4 channels"):
        v2.ToPILImage()(torch.zeros(5, 2, 2, dtype=torch.uint8))


def test_a_mode_for_other_channels_is_named() -> None:
    found = wrong(("ToPILImage", {"mode": "L"}), "ToTensor")
    assert (found.path, found.sentence) == ("transforms.0.mode", "Mode L does not fit the 3 channel(s) that arrive.")
    assert list(repaired(found)) == ["Use RGB"]


@pytest.mark.parametrize("name", ["Normalize", "RandomErasing", "LinearTransformation"])
def test_what_acts_on_tensors_is_illegal_on_a_pil_picture(name: str) -> None:
    found = wrong("ToPILImage", name)
    assert found.sentence == f"{name} needs a float tensor, but a PIL picture arrives."
    assert repaired(found) == {"Insert ToTensor before it": ["ToPILImage", "ToTensor", name]}
