"""What leaves a box is what torchvision's own transform leaves, and its numbers are those of the values on screen."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from gui_lab.core.chain_examples import ACTS_ON, GROUPS, Differences, Group, Name, example, followed, group_of
from gui_lab.core.concepts import CONCEPTS, NOTHING, Concept, Own, Scene
from gui_lab.core.exhibits import Claims, Graph, Pictures, Plot, Table
from gui_lab.core.experiment import default
from gui_lab.core.images import ImageSet, InMemory, opened
from gui_lab.core.pipeline import TRANSFORMS
from gui_lab.errors import LabError

EXPERIMENT = default()
IMAGES = opened(EXPERIMENT.dataset)
OWN = Own(EXPERIMENT, IMAGES)
NAMES = get_args(Name)
TO_TENSOR = (v2.ToImage(), v2.ToDtype(torch.float32, scale=True))


def basics(name: str = "RandomRotation", **values: object) -> Concept:
    return CONCEPTS.make("TransformBasics").changed(transform=name, **values)


def colourful() -> ImageSet:
    pixels = np.random.default_rng(1).integers(0, 256, (12, 3, 64, 64), dtype=np.uint8)
    every = np.arange(12)
    return ImageSet(InMemory(pixels), every % 2, ("a", "b"), every[:8], every[8:], every[:0])


def shown(scene: Scene, kind: type) -> Any:
    return next(exhibit for row in scene.rows for exhibit in row if isinstance(exhibit, kind))


def source(place: int = 0) -> Any:
    """The picture that is followed, as PIL has it."""
    return functional.to_pil_image(torch.from_numpy(IMAGES.picture(int(IMAGES.train[place]))))


def test_all_transforms_of_the_notes_are_there_in_their_groups() -> None:
    pictures = {"CenterCrop", "Grayscale", "Pad", "RandomAffine", "RandomCrop", "RandomHorizontalFlip",
                "RandomRotation", "Resize"}  # fmt: skip
    assert set(GROUPS["On pictures"]) == pictures
    assert set(GROUPS["On tensors"]) == {"LinearTransformation", "Normalize", "RandomErasing"}
    assert {"ToPILImage", "ToTensor"} <= set(GROUPS["Conversion"])
    assert "Lambda" in GROUPS["Generic"]
    assert tuple(GROUPS) == get_args(Group) == tuple(ACTS_ON)
    assert sorted(NAMES) == sorted(name for names in GROUPS.values() for name in names)
    for name in NAMES:
        if name != "Rescale":
            assert name in TRANSFORMS


def test_the_groups_of_the_catalogue_are_the_same() -> None:
    for name in NAMES:
        if name not in ("Rescale", "Lambda"):
            assert group_of(name) in (TRANSFORMS.get(name).group, "Generic")


WORKED: dict[str, list[Any]] = {
    "CenterCrop": [v2.CenterCrop(7), *TO_TENSOR, v2.Normalize([0.4], [0.3])],
    "Grayscale": [v2.Grayscale(), *TO_TENSOR, v2.Normalize([0.4], [0.3])],
    "Pad": [v2.Pad(1), *TO_TENSOR, v2.Normalize([0.4], [0.3])],
    "Resize": [v2.Resize(28), *TO_TENSOR, v2.Normalize([0.4], [0.3])],
    "Normalize": [*TO_TENSOR, v2.Normalize([0.4], [0.3])],
    "ToTensor": [*TO_TENSOR],
    "ToPILImage": [*TO_TENSOR, v2.ToPILImage()],
    "ToDtype": [v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True)],
    "Lambda": [v2.Lambda(functional.invert), *TO_TENSOR, v2.Normalize([0.4], [0.3])],
}


@pytest.mark.parametrize("name", WORKED)
def test_what_leaves_is_what_torchvision_leaves(name: str) -> None:
    wanted = v2.Compose(WORKED[name])(source(3))
    pil = not isinstance(wanted, torch.Tensor)
    values = functional.pil_to_tensor(wanted) if pil else wanted
    chain = example(name, IMAGES.kind, 0.4, 0.3)
    leaving = followed(chain, IMAGES, int(IMAGES.train[3]), 1)[-1]
    torch.testing.assert_close(leaving.stage.picture, torch.as_tensor(values), rtol=0, atol=1e-6)
    facts = basics(name, mean=0.4, std=0.3, index=3).scene(100, OWN).facts
    assert facts["dtype"] == str(values.dtype).removeprefix("torch.")
    assert facts["shape"] == str(np.asarray(wanted).shape if pil else tuple(values.shape))


@settings(max_examples=25, deadline=None)
@given(mean=st.floats(-1, 2), std=st.floats(0.05, 2))
def test_normalize_moves_and_scales_all_values(mean: float, std: float) -> None:
    scene = basics("Normalize", mean=mean, std=std).scene(3, OWN)
    pictures = IMAGES.pictures
    assert isinstance(pictures, InMemory)
    raw = torch.from_numpy(pictures.pixels[IMAGES.train]).float() / 255
    wanted = functional.normalize(raw, [mean], [std])
    for fact, value in (("mean", wanted.mean()), ("std", wanted.std(correction=0))):
        assert scene.facts[fact] == pytest.approx(float(value), rel=1e-4, abs=1e-4)
    assert scene.facts["minimum"] == pytest.approx(float(wanted.min()), abs=1e-5)
    assert scene.facts["maximum"] == pytest.approx(float(wanted.max()), abs=1e-5)
    after = [exhibit for row in scene.rows for exhibit in row if isinstance(exhibit, Plot)][1]
    low, high = after.x_range or (0.0, 0.0)
    assert low <= float(wanted.min()) + 1e-5
    assert float(wanted.max()) - 1e-5 <= high
    assert after.lines[0].y.sum() == pytest.approx(1, abs=1e-4)
    assert after.marks[0].at == pytest.approx(float(wanted.mean()), abs=1e-4)


def test_with_the_measured_numbers_values_have_mean_0_and_std_1() -> None:
    concept = basics("Normalize")
    table = shown(concept.scene(3, OWN), Table)
    found = concept.changed(**table.edits[0]).scene(3, OWN)
    assert found.facts["mean"] == pytest.approx(0, abs=1e-3)
    assert found.facts["std"] == pytest.approx(1, abs=1e-3)
    assert shown(found, Table).marked == (0,)
    assert "Move the sliders" not in found.says


def test_a_pil_picture_and_a_tensor_are_told_apart() -> None:
    scene = basics().scene(1, OWN)
    table = shown(scene, Table)
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["kind"] == ("PIL picture, uint8", "tensor, float32")
    assert rows["shape"] == (str(np.asarray(source()).shape), "(1, 8, 8)")
    assert rows["order"] == ("height, width", "channels, height, width")
    assert rows["range"] == ("0 to 255", "0 to 1")
    assert all(claim.holds for claim in shown(scene, Claims).claims)


def test_of_a_colour_picture_channels_come_last_in_pil_and_first_in_a_tensor() -> None:
    table = shown(basics().scene(1, Own(EXPERIMENT, colourful())), Table)
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["shape"] == ("(64, 64, 3)", "(3, 64, 64)")
    assert rows["order"] == ("height, width, channels", "channels, height, width")


@pytest.mark.parametrize("name", NAMES)
def test_its_story_goes_through_all_boxes(name: str) -> None:
    concept = basics(name)
    first = concept.scene(0, OWN)
    graph = shown(first, Graph)
    assert first.steps == 2 + len(graph.nodes) - 2  # picture and network are no boxes
    for step in range(2, first.steps):
        scene = concept.scene(step, OWN)
        (now,) = [node.title for node in shown(scene, Graph).nodes if node.state == "now"]
        before, after = shown(scene, Pictures).pictures
        assert now in graph.title
        assert before.values.size
        assert after.values.size


def test_group_and_transform_go_together() -> None:
    concept = basics("Pad")
    assert concept.changed(transform="Normalize").family == "On tensors"  # type: ignore[attr-defined]
    assert concept.changed(family="Conversion").transform == "ToTensor"  # type: ignore[attr-defined]
    tables = [exhibit for row in concept.scene(0, OWN).rows for exhibit in row if isinstance(exhibit, Table)]
    for table in tables:
        for edit in table.edits:
            changed = concept.changed(**edit)
            assert group_of(changed.transform) == changed.family  # type: ignore[attr-defined]


def test_another_epoch_draws_other_numbers() -> None:
    one, other = (basics("RandomRotation", epoch=epoch).scene(2, OWN) for epoch in (1, 2))
    assert one.says != other.says
    assert not np.array_equal(shown(one, Pictures).pictures[1].values, shown(other, Pictures).pictures[1].values)


def test_differences_are_those_to_the_next_value() -> None:
    picture = torch.rand(1, 4, 5, generator=torch.Generator().manual_seed(1))
    flat = picture.flatten()
    wanted = flat - torch.cat([flat[1:], torch.zeros(1)])
    torch.testing.assert_close(Differences().one(picture, {}).flatten(), wanted)


@pytest.mark.parametrize("name", ["CenterCrop", "Lambda", "LinearTransformation", "Rescale", "ToDtype"])
@pytest.mark.parametrize("step", [0, 1, 2, 10])
def test_the_code_of_each_step_leaves_what_that_step_shows(name: str, step: int) -> None:
    concept = basics(name)
    scene = concept.scene(step, OWN)
    names: dict[str, Any] = {}
    with torch.random.fork_rng():
        exec(concept.code(scene.step, OWN), names)
    assert names["dtype"] == scene.facts["dtype"]
    assert names["shape"] == scene.facts["shape"]


def test_without_pictures_the_bundled_ones_are_shown() -> None:
    assert basics().scene(2, NOTHING).rows


def test_pictures_of_several_sizes_can_be_shown_and_what_cannot_is_said() -> None:
    generator = np.random.default_rng(1)
    taken = [generator.integers(0, 256, (3, 20 + 3 * place, 30), dtype=np.uint8) for place in range(12)]

    class Several:
        kind = IMAGES.kind.image(3, None, None, (20, 30))

        def __len__(self) -> int:
            return len(taken)

        def take(self, indices: object) -> list[np.ndarray]:
            return [taken[index] for index in np.asarray(indices)]

    every = np.arange(12)
    images = ImageSet(Several(), every % 2, ("a", "b"), every[:8], every[8:], every[:0])  # type: ignore[arg-type]
    own = Own(EXPERIMENT, images)
    for name in ("RandomRotation", "CenterCrop", "ToPILImage"):
        scene = basics(name).scene(2, own)
        assert float(scene.facts["minimum"]) >= 0
    with pytest.raises(LabError, match="differ in size"):
        basics("LinearTransformation").scene(2, own)


def test_a_matrix_for_large_pictures_is_refused_with_its_size() -> None:
    with pytest.raises(LabError, match="12,288 x 12,288"):
        basics("LinearTransformation").scene(2, Own(EXPERIMENT, colourful()))
