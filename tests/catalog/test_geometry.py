"""Crops, borders, flips, turns and warps are torchvision's own: the same numbers drawn, the same pixels out.

The reference is torchvision's class itself: `v2.X(**arguments).transform(picture, params)` with params made from what
was drawn here. What moves pixels is equal to the bit; where values between pixels are computed, one level of 255 is the
most that may differ. The draws follow the same distributions as torchvision's `make_params`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.functional import _get_perspective_coeffs
from torchvision.transforms.v2 import functional as F  # noqa: N812 - as torchvision's own documentation names it

from gui_lab.core.chain import Chain
from gui_lab.core.dice import Dice, noise
from gui_lab.core.pipeline import TRANSFORMS, Drawn, Illegal, Kind, Transform, plain

Case = tuple[str, dict[str, Any]]
SIZES = [(28, 28), (19, 31), (9, 6), (2, 3), (1, 1)]
BATCH = 5
CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Pictures this small are slower on several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pictures(count: int, channels: int, size: tuple[int, int], dtype: torch.dtype = torch.uint8) -> torch.Tensor:
    drawn = np.random.default_rng([count, channels, *size]).integers(0, 256, (count, channels, *size), dtype=np.uint8)
    ready = torch.from_numpy(drawn)
    return ready if dtype == torch.uint8 else ready / 255


def arriving_as(channels: int, size: tuple[int, int], dtype: torch.dtype = torch.uint8, pil: bool = False) -> Kind:
    high = 255.0 if dtype == torch.uint8 else 1.0
    name = "uint8" if dtype == torch.uint8 else "float32"
    return Kind(name, channels, *size, least=size, high=high, pil=pil)  # type: ignore[arg-type]


def legal(transform: Transform, kind: Kind) -> bool:
    try:
        transform.output(kind)
    except Illegal as illegal:
        assert illegal.repairs  # noqa: PT017 - what is illegal can be mended
        return False
    return True


def drawn_for(transform: Transform, shape: tuple[int, int, int], count: int = BATCH, seed: int = 1) -> Drawn:
    return transform.draw(Dice(seed, 2, np.arange(count) + 10, 3), shape)


def class_of(transform: Transform) -> Any:
    """torchvision's class with the same arguments."""
    arguments = {name: value for name, value in dict(transform).items() if name != "enabled"}
    return getattr(v2, transform.name_of())(**arguments)


def by_torchvision(transform: Any, picture: Any, drawn: Mapping[str, Any]) -> Any:
    """One picture, a tensor or a PIL picture, through torchvision's class with the numbers that were drawn for it."""
    theirs = class_of(transform)
    params: dict[str, Any] = dict(drawn)
    match transform.name_of():
        case "RandomCrop":
            with torch.random.fork_rng():
                params = theirs.make_params([picture]) | params
        case "RandomHorizontalFlip" | "RandomVerticalFlip" if not drawn["flipped"]:
            return picture
        case "RandomAffine":
            pairs = {what: (params[f"{what}_x"], params[f"{what}_y"]) for what in ("translate", "shear")}
            params = {"angle": params["angle"], "scale": params["scale"], **pairs}
        case "RandomPerspective":
            if not drawn["warped"]:
                return picture
            height, width = F.get_size(picture)
            starts = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
            ends = [[drawn[f"{corner}_x"], drawn[f"{corner}_y"]] for corner in CORNERS]
            params = {"coefficients": _get_perspective_coeffs(starts, ends)}
        case "ElasticTransform":
            params = {"displacement": transform.displacement(drawn["seed"], *F.get_size(picture))}
        case "RandomZoomOut":
            params = {"padding": [drawn[side] for side in ("left", "top", "right", "bottom")]}
    acted = theirs.transform(picture, params)
    if transform.name_of() == "RandomPerspective" and isinstance(acted, torch.Tensor) and acted.is_floating_point():
        acted = torch.where(acted.isnan(), acted.new_tensor(transform.fill).view(-1, 1, 1), acted)
    return acted


EXACT: list[Case] = [
    ("CenterCrop", {"size": 6}),
    ("CenterCrop", {"size": (5, 8)}),
    ("CenterCrop", {"size": (40, 12)}),
    ("CenterCrop", {"size": 45}),
    ("RandomCrop", {"size": 6}),
    ("RandomCrop", {"size": (7, 3), "padding": 0}),
    ("RandomCrop", {"size": (9, 4), "padding": 2, "fill": 200}),
    ("RandomCrop", {"size": 8, "padding": (3, 1)}),
    ("RandomCrop", {"size": 8, "padding": (0, 3, 2, 5), "fill": 7.5}),
    ("RandomCrop", {"size": 8, "padding": 3, "fill": (255, 0, 33)}),
    ("RandomCrop", {"size": 40, "pad_if_needed": True, "fill": (1.0, 2.0, 3.0)}),
    ("RandomCrop", {"size": (40, 12), "pad_if_needed": True, "fill": 9}),
    ("RandomCrop", {"size": (12, 45), "padding": (1, 2), "pad_if_needed": True}),
    ("RandomCrop", {"size": 8, "padding": 4, "padding_mode": "edge"}),
    ("RandomCrop", {"size": 8, "padding": (6, 5), "padding_mode": "reflect"}),
    ("RandomCrop", {"size": 8, "padding": (1, 7, 6, 2), "padding_mode": "symmetric"}),
    ("RandomCrop", {"size": (12, 16), "pad_if_needed": True, "padding_mode": "symmetric", "padding": 1}),
    ("Pad", {"padding": 0}),
    ("Pad", {"padding": 3}),
    ("Pad", {"padding": (4, 1), "fill": 7.5}),
    ("Pad", {"padding": (0, 3, 2, 5), "fill": (255, 0, 33)}),
    ("Pad", {"padding": (40, 0), "padding_mode": "edge"}),
    ("Pad", {"padding": (1, 0, 2, 1), "padding_mode": "reflect"}),
    ("Pad", {"padding": (8, 6), "padding_mode": "reflect"}),
    ("Pad", {"padding": 1, "padding_mode": "symmetric"}),
    ("Pad", {"padding": (9, 7, 0, 1), "padding_mode": "symmetric"}),
    ("RandomZoomOut", {}),
    ("RandomZoomOut", {"p": 0.0}),
    ("RandomZoomOut", {"p": 1.0, "side_range": (1.15, 1.15), "fill": 12.5}),
    ("RandomZoomOut", {"p": 0.7, "side_range": (1.5, 3.0), "fill": (9, 8, 7)}),
    ("RandomHorizontalFlip", {}),
    ("RandomHorizontalFlip", {"p": 0.0}),
    ("RandomHorizontalFlip", {"p": 1.0}),
    ("RandomVerticalFlip", {}),
    ("RandomVerticalFlip", {"p": 0.0}),
    ("RandomVerticalFlip", {"p": 1.0}),
    ("RandomRotation", {"degrees": 0}),
    ("RandomRotation", {"degrees": 30}),
    ("RandomRotation", {"degrees": 180, "fill": 128}),
    ("RandomRotation", {"degrees": (-360, 360), "center": (3.0, 4.5), "fill": 17}),
    ("RandomRotation", {"degrees": (90, 90)}),
    ("RandomRotation", {"degrees": (180, 180), "center": (0.0, 0.0)}),
    ("RandomRotation", {"degrees": (270, 270), "expand": True}),
    ("RandomRotation", {"degrees": 45, "expand": True, "fill": 5}),
    ("RandomRotation", {"degrees": (10, 80), "expand": True, "center": (2.0, 9.0)}),
    ("RandomRotation", {"degrees": 60, "fill": (255, 0, 33)}),
    ("RandomRotation", {"degrees": 60, "fill": (1, 2, 3), "expand": True}),
    ("RandomAffine", {"degrees": 0}),
    ("RandomAffine", {"degrees": 180, "fill": 0.5}),
    ("RandomAffine", {"degrees": (90, 90)}),
    ("RandomAffine", {"degrees": 0, "translate": (0.3, 0.0), "fill": (255, 0, 33)}),
    ("RandomAffine", {"degrees": 0, "scale": (0.2, 3.0), "center": (0.0, 4.5)}),
    ("RandomAffine", {"degrees": (5, 40), "shear": 30, "fill": 77}),
    ("RandomAffine", {"degrees": 20, "translate": (0.1, 1.0), "scale": (0.5, 1.5), "shear": (-60, 5, 10, 50)}),
    ("RandomPerspective", {"interpolation": "nearest", "p": 0.8}),
    ("RandomPerspective", {"interpolation": "nearest", "p": 1.0, "distortion_scale": 1.0, "fill": (255, 0, 33)}),
    ("RandomPerspective", {"interpolation": "nearest", "p": 1.0, "distortion_scale": 0.0, "fill": 9}),
    ("ElasticTransform", {"interpolation": "nearest", "sigma": 1.5, "alpha": 20}),
    ("ElasticTransform", {"interpolation": "nearest", "sigma": 0, "alpha": (5, 90), "fill": (255, 0, 33)}),
    ("RandomResizedCrop", {"size": 9, "interpolation": "nearest"}),
    ("RandomResizedCrop", {"size": (30, 4), "interpolation": "nearest-exact", "scale": (0.5, 1.0)}),
    ("Resize", {"size": 12, "interpolation": "nearest"}),
    ("Resize", {"size": (11, 40), "interpolation": "nearest-exact"}),
]
OF_FLOATS: list[Case] = [("ElasticTransform", {"alpha": 40, "sigma": 1.0, "interpolation": "bicubic"})]
COMPUTED: list[Case] = [
    ("RandomRotation", {"degrees": 30, "interpolation": "bilinear"}),
    ("RandomRotation", {"degrees": 180, "interpolation": "bilinear", "fill": 99.5}),
    ("RandomRotation", {"degrees": 90, "interpolation": "bilinear", "expand": True, "fill": 3}),
    ("RandomRotation", {"degrees": (5, 60), "interpolation": "bilinear", "center": (0.0, 20.0)}),
    ("RandomRotation", {"degrees": 60, "fill": (255, 0, 33), "interpolation": "bilinear"}),
    ("RandomAffine", {"degrees": 30, "interpolation": "bilinear", "scale": (0.3, 2.0), "fill": (255, 0, 33)}),
    ("RandomAffine", {"degrees": 9, "interpolation": "bilinear", "translate": (0.2, 0.1), "shear": (-9, 9, -9, 9)}),
    ("RandomPerspective", {}),
    ("RandomPerspective", {"p": 1.0, "distortion_scale": 1.0, "fill": 200}),
    ("RandomPerspective", {"p": 0.9, "distortion_scale": 0.3, "fill": (255, 0, 33)}),
    ("ElasticTransform", {}),
    ("ElasticTransform", {"alpha": (300, 20), "sigma": (0.9, 0.4), "fill": 128}),
    ("ElasticTransform", {"alpha": 30, "sigma": 0.1, "fill": (255, 0, 33)}),
    *OF_FLOATS,
    ("RandomResizedCrop", {"size": 8}),
    ("RandomResizedCrop", {"size": (40, 3), "interpolation": "bicubic", "scale": (0.02, 0.3), "ratio": (0.2, 5.0)}),
    ("RandomResizedCrop", {"size": (5, 6), "interpolation": "bilinear", "antialias": False}),
    ("RandomResizedCrop", {"size": (13, 2), "interpolation": "lanczos", "scale": (0.0, 0.0)}),
    ("Resize", {"size": 12}),
    ("Resize", {"size": (1, 40)}),
    ("Resize", {"size": (40, 1), "interpolation": "bicubic"}),
    ("Resize", {"size": 12, "antialias": False}),
    ("Resize", {"size": 20, "max_size": 24}),
    ("Resize", {"size": 20, "max_size": 21, "interpolation": "bicubic"}),
    ("Resize", {"size": 40, "interpolation": "bicubic", "antialias": False}),
    ("Resize", {"size": (9, 30), "interpolation": "lanczos"}),
]
OF_PIL: list[Case] = [
    ("Resize", {"size": 11, "interpolation": "box"}),
    ("Resize", {"size": (5, 40), "interpolation": "hamming"}),
    ("Resize", {"size": 11, "interpolation": "lanczos", "antialias": False}),
    ("RandomResizedCrop", {"size": 9, "interpolation": "box"}),
    ("RandomResizedCrop", {"size": 9, "interpolation": "hamming", "antialias": False}),
    ("RandomRotation", {"degrees": 30, "interpolation": "bicubic", "fill": 40}),
    ("RandomRotation", {"degrees": 30, "interpolation": "nearest-exact", "expand": True}),
    ("RandomAffine", {"degrees": 30, "interpolation": "bicubic", "shear": 20}),
    ("RandomPerspective", {"p": 1.0, "interpolation": "bicubic", "fill": (1, 2, 3)}),
    ("Pad", {"padding": (60, 40), "padding_mode": "reflect"}),
    ("RandomCrop", {"size": 20, "padding": 50, "padding_mode": "symmetric"}),
]


def shown(case: Case) -> str:
    return f"{case[0]}({', '.join(f'{name}={value}' for name, value in case[1].items())})"


def gap(one: torch.Tensor, other: torch.Tensor) -> float:
    """The largest difference in levels of 255."""
    assert one.shape == other.shape
    assert one.dtype == other.dtype
    apart = (one.double() - other.double()).abs().max().item()
    return apart if other.dtype == torch.uint8 else apart * 255


def compare(case: Case, allowed: float) -> None:
    """A batch with mixed draws, and a batch of one, with torchvision's class on each picture."""
    transform, tried = TRANSFORMS.make(case[0], **case[1]), 0
    for size in SIZES:
        for channels, dtype in ((1, torch.uint8), (3, torch.uint8), (1, torch.float32), (3, torch.float32)):
            if not legal(transform, arriving_as(channels, size, dtype)):
                continue
            arriving = pictures(BATCH, channels, size, dtype)
            drawn = drawn_for(transform, (channels, *size))
            before, batch = arriving.clone(), transform.apply(arriving, drawn)
            assert torch.equal(arriving, before)
            alone = transform.apply(arriving[-1:], {name: values[-1:] for name, values in drawn.items()})
            assert gap(alone[0], batch[-1]) <= allowed
            for place in range(BATCH):
                numbers = plain(drawn, place)
                if channels == 3 and dtype == torch.uint8 and batch[place].shape[-2:] == (1, 1) and allowed:
                    continue  # torch's kernel cannot; see the test of a single pixel
                expected = by_torchvision(transform, arriving[place], numbers)
                assert gap(batch[place], expected) <= allowed, (size, channels, dtype, numbers)
            tried += 1
    assert tried >= 3


def test_every_geometric_transform_has_its_reference() -> None:
    rooms = {f"gui_lab.catalog.transforms.{room}" for room in ("sizes", "moves", "warps")}
    tried = {name for name, _ in (*EXACT, *COMPUTED)}
    assert tried == {entry.name_of() for entry in TRANSFORMS if entry.__module__ in rooms}


@pytest.mark.parametrize("case", EXACT, ids=shown)
def test_pixels_that_move_are_torchvisions_to_the_bit(case: Case) -> None:
    compare(case, 0)


@pytest.mark.parametrize("case", COMPUTED, ids=shown)
def test_pixels_that_are_computed_are_torchvisions_within_a_level(case: Case) -> None:
    compare(case, 1)


@pytest.mark.parametrize("name", sorted({name for name, _ in (*EXACT, *COMPUTED)}))
def test_pil_pictures_go_through_torchvisions_kernels_for_them(name: str, recwarn: pytest.WarningsRecorder) -> None:
    for case in (*EXACT, *COMPUTED, *OF_PIL):
        if case[0] == name and case not in OF_FLOATS:
            assert sum(of_pil(case, size) for size in ((24, 31), (7, 9)))
    assert not recwarn.list  # torchvision warns where antialias is off, which PIL does not know


def of_pil(case: Case, size: tuple[int, int]) -> int:
    """On how many kinds of pictures it was found to be equal."""
    transform, tried = TRANSFORMS.make(case[0], **case[1]), 0
    averaging = transform.changed(antialias=True) if "antialias" in dict(transform) else transform
    for channels in (1, 3):
        if not legal(transform, arriving_as(channels, size, pil=True)):
            continue
        arriving = pictures(3, channels, size)
        drawn = drawn_for(transform, (channels, *size), 3)
        acted = transform.apply_pil(arriving, drawn)
        for place, picture in enumerate(arriving):
            expected = by_torchvision(averaging, F.to_pil_image(picture), plain(drawn, place))
            assert torch.equal(acted[place], F.pil_to_tensor(expected)), (shown(case), size, channels, place)
        tried += 1
    return tried


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric"])
@pytest.mark.parametrize(("name", "more"), [("RandomCrop", {"size": 8}), ("Pad", {})])
def test_fill_is_for_constant_borders_only(name: str, more: dict[str, Any], mode: str) -> None:
    """torchvision refuses three values here; nothing of them would be seen."""
    arriving = pictures(4, 3, (28, 28))
    coloured, black = (
        TRANSFORMS.make(name, padding=3, padding_mode=mode, fill=fill, **more) for fill in ((1, 2, 3), 0)
    )
    drawn = drawn_for(black, (3, 28, 28), 4)
    assert torch.equal(coloured.apply(arriving, drawn), black.apply(arriving, drawn))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32], ids=["uint8", "float32"])
def test_a_batch_mixes_right_angles_with_others(dtype: torch.dtype) -> None:
    """torchvision turns by right angles without sampling; in a batch each picture goes its own way."""
    angles = np.array([0, 17, 90, -90, 180, 45, 360, 270, -180, 30], np.float32)
    for size in SIZES:
        for mode in ("nearest", "bilinear"):
            for center in (None, (3.0, 3.0)):
                transform = TRANSFORMS.make("RandomRotation", degrees=360, interpolation=mode, center=center, fill=40)
                arriving = pictures(len(angles), 3, size, dtype)
                batch = transform.apply(arriving, {"angle": angles})
                for place, angle in enumerate(angles):
                    expected = by_torchvision(transform, arriving[place], {"angle": float(angle)})
                    assert torch.equal(batch[place], expected)


@pytest.mark.parametrize("size", [(8, 8), (20, 31), (40, 13), (7, 200), (1, 300)])
def test_the_declared_size_of_a_resize_is_torchvisions(size: tuple[int, int]) -> None:
    arriving = torch.zeros(1, *size, dtype=torch.uint8)
    for wanted in (1, 2, 7, 20, 33, (3, 5)):
        for longest in (None, 34, 100):
            transform = TRANSFORMS.make("Resize", size=wanted, max_size=longest if wanted != (3, 5) else None)
            try:
                expected = tuple(by_torchvision(transform, arriving, {}).shape[1:])
            except RuntimeError:  # torchvision leaves nothing of the shorter side; here a pixel of it remains
                expected = (1, longest)
            assert transform.output(Kind.image(1, *size)).size == expected
            assert tuple(transform.apply(arriving[None], {}).shape[2:]) == expected


@pytest.mark.parametrize("name", ["Resize", "RandomResizedCrop"])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("antialias", [True, False])
def test_a_colour_picture_can_become_a_single_pixel(name: str, interpolation: str, antialias: bool) -> None:
    """torch's kernel for colour fails here; channel by channel it does not."""
    transform = TRANSFORMS.make(name, size=1, interpolation=interpolation, antialias=antialias)
    if not legal(transform, arriving_as(3, (28, 28))):
        return
    arriving = pictures(5, 3, (28, 28))
    drawn = drawn_for(transform, (3, 28, 28), 5)
    pixel = transform.apply(arriving, drawn)
    assert pixel.shape == (5, 3, 1, 1)
    for place, channel in np.ndindex(5, 3):
        alone = arriving[place, channel][None]
        assert torch.equal(pixel[place, channel], by_torchvision(transform, alone, plain(drawn, place))[0])


@pytest.mark.parametrize("fill", [0.25, (0.1, 0.2, 0.3)])
def test_a_horizon_in_view_leaves_no_holes(fill: Any) -> None:
    """torchvision reads floats at infinity there and finds NaN, of which one spoils a training."""
    transform: Any = TRANSFORMS.make("RandomPerspective", p=1, distortion_scale=1, fill=fill)
    arriving = pictures(60, 3, (28, 28), torch.float32)
    drawn = drawn_for(transform, (3, 28, 28), 60)
    batch, holes = transform.apply(arriving, drawn), 0
    assert batch.isfinite().all()
    for place in np.flatnonzero(drawn["warped"]):
        numbers = plain(drawn, place)
        starts, ends = [[0, 0], [27, 0], [27, 27], [0, 27]], [[numbers[f"{c}_x"], numbers[f"{c}_y"]] for c in CORNERS]
        hole = F.perspective(arriving[place], starts, ends, fill=0).isnan().any(0)
        levels = torch.tensor(fill).expand(int(hole.sum()), 3).T
        assert torch.equal(batch[place][:, hole], levels)
        assert torch.equal(transform.one(arriving[place], numbers), batch[place])
        holes += int(hole.sum())
    assert holes


@pytest.mark.parametrize(
    ("alpha", "sigma"), [(50, 5), ((10, 80), (0.7, 2.4)), (30, 0), (1, 0.1), ((40, 40), (3.0, 0.3)), (0, 1)]
)
def test_waves_are_made_from_noise_by_torchvisions_recipe(alpha: Any, sigma: Any) -> None:
    transform: Any = TRANSFORMS.make("ElasticTransform", alpha=alpha, sigma=sigma)
    theirs = class_of(transform)
    for height, width in ((28, 23), (200, 141)):
        dots = noise(99, 2 * height * width).astype(np.float32).reshape(2, 1, 1, height, width)
        expected = []
        for axis, length in enumerate((width, height)):
            waves = torch.from_numpy(dots[axis]) * 2 - 1
            if theirs.sigma[axis] > 0:
                size = int(8 * theirs.sigma[axis] + 1) | 1
                waves = F.gaussian_blur(waves, [size, size], list(theirs.sigma))
            expected.append(waves * theirs.alpha[axis] / length)
        displacement = transform.displacement(99, height, width)
        assert displacement.dtype == torch.float32
        assert torch.allclose(displacement, torch.cat(expected, 1).permute(0, 2, 3, 1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "first",
    [
        ("RandomZoomOut", {"p": 0.5, "side_range": (1, 2)}),
        ("RandomRotation", {"degrees": 40, "expand": True}),
        ("RandomRotation", {"degrees": 40, "expand": True, "interpolation": "bilinear"}),
    ],
    ids=shown,
)
def test_pictures_that_differ_in_size_go_on_through_the_chain(first: Case) -> None:
    names: list[Case] = [first, ("Resize", {"size": 14}), ("CenterCrop", {"size": 12}), ("ToTensor", {})]
    chain = Chain([TRANSFORMS.make(name, **values) for name, values in names])
    arriving, indices = pictures(9, 3, (11, 17)), np.arange(9)
    ready = chain.run(arriving, indices, seed=3, epoch=2, training=True)
    assert ready.shape == (9, 3, 12, 12)
    rows = chain.trace(list(arriving), indices, seed=3, epoch=2)
    assert len({row[1].picture.shape for row in rows}) > 1
    for place, row in enumerate(rows):
        numbers = row[1].drawn
        theirs = by_torchvision(chain.transforms[0], arriving[place], numbers)
        assert gap(row[1].picture, theirs) <= 1
        assert torch.equal(row[-1].picture, ready[place])


def test_a_whole_chain_is_torchvisions_compose() -> None:
    """Without random numbers there is nothing to hand over, and the two can be run side by side."""
    steps: list[Case] = [
        ("Resize", {"size": 24}), ("Pad", {"padding": (2, 1), "padding_mode": "reflect"}),
        ("CenterCrop", {"size": 20}), ("Grayscale", {}), ("ToTensor", {}), ("Normalize", {"mean": (0.3,)}),
    ]  # fmt: skip
    ours = Chain([TRANSFORMS.make(name, **values) for name, values in steps])
    theirs = v2.Compose([
        v2.ToImage(), v2.Resize(24), v2.Pad((2, 1), padding_mode="reflect"), v2.CenterCrop(20), v2.Grayscale(),
        v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.3], [0.5]),
    ])  # fmt: skip
    arriving = pictures(16, 3, (28, 33))
    ready = ours.run(arriving, np.arange(16), seed=1, epoch=1, training=True)
    assert torch.equal(ready, torch.stack([theirs(picture).as_subclass(torch.Tensor) for picture in arriving]))
