"""The convolution page against torch.nn.functional, and what a person can do wrong on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional

from gui_lab.core import experiment
from gui_lab.core.concepts import CONCEPTS, NOTHING, Concept, Own, Scene, Weights
from gui_lab.core.exhibits import Claims, Exhibit, Facts, Picture, Pictures
from gui_lab.core.images import ImageSet, InMemory, opened
from gui_lab.errors import InvalidExperiment, LabError

quick = settings(max_examples=25, deadline=None)
LAST = 10**6


@pytest.fixture(scope="module")
def own() -> Own:
    chosen = experiment.default()
    return Own(chosen, opened(chosen.dataset))


def page(**values: Any) -> Concept:
    return CONCEPTS.make("Convolution", **values)


def mine(**values: Any) -> Concept:
    return page(source="my network", **values)


def pictures(scene: Scene) -> list[Picture]:
    every: list[Exhibit] = [exhibit for row in scene.rows for exhibit in row]
    return [picture for exhibit in every if isinstance(exhibit, Pictures) for picture in exhibit.pictures]


def claims(scene: Scene) -> list[Any]:
    return [claim for row in scene.rows for one in row if isinstance(one, Claims) for claim in one.claims]


def grey(own: Own, index: int) -> torch.Tensor:
    assert own.images is not None
    return torch.from_numpy(own.images.picture(index)).float() / 255


@given(
    st.lists(st.floats(-3, 3, width=32), min_size=9, max_size=9), st.integers(1, 3), st.integers(0, 3),
    st.integers(1, 3), st.integers(0, 1796), st.integers(0, 9), st.integers(0, 9), st.floats(-2, 2, width=32),
)  # fmt: skip
@quick
def test_all_its_numbers_are_torchs(typed, stride, padding, dilation, index, row, column, bias):
    assume(8 + 2 * padding > 2 * dilation)
    chosen = experiment.default()
    own = Own(chosen, opened(chosen.dataset))
    scene = page(
        kernel="typed", typed=typed, stride=stride, padding=padding, dilation=dilation, index=index, row=row,
        column=column, bias=bias,
    ).scene(LAST, own)  # fmt: skip
    facts = scene.facts
    weight = torch.tensor(typed).reshape(1, 1, 3, 3)
    maps = functional.conv2d(grey(own, index)[None], weight, torch.tensor([bias]), stride, padding, dilation)[0]
    assert (facts["output_height"], facts["output_size"]) == maps.shape[1:]
    assert facts["pixel"] == pytest.approx(maps[0, facts["row"], facts["column"]].item(), abs=1e-5)
    assert facts["part_sum"] + facts["bias"] == pytest.approx(facts["pixel"], abs=1e-4)
    assert facts["active_pixel"] == max(facts["pixel"], 0)
    assert facts["negatives"] == int((maps < 0).sum())
    assert facts["multiplications"] == maps.numel() * 9
    assert facts["output_size"] == (8 - ((3 - 1) * dilation + 1) + 2 * padding) // stride + 1
    assert facts["receptive_field"] == 2 * dilation + 1
    if min(maps.shape[1:]) >= 2:
        after = functional.max_pool2d(torch.relu(maps), 2)
        assert facts["pooled_size"] == after.shape[2]
        assert facts["pooled_pixel"] in after.flatten().tolist()
        assert facts["next_without_pooling"] >= facts["next_with_pooling"]


@pytest.mark.parametrize("step", range(9))
@pytest.mark.parametrize("layer", [1, 2])
@pytest.mark.parametrize("model", ["MNISTNet", "LeNet5"])
def test_each_step_shows_each_layer_of_the_own_network(own, model, layer, step):
    chosen = own.experiment.edited("model", model).edited("model.padding", 4) if model == "LeNet5" else own.experiment
    scene = mine(layer=layer, channel=5, part=1, index=7, row=1, column=0).scene(step, replace(own, experiment=chosen))
    assert (scene.step, scene.steps) == (step, 9)
    assert scene.rows
    assert scene.says
    assert all(claim.holds for claim in claims(scene))


def test_the_layer_in_hand_is_that_of_the_trained_network(own):
    chosen, images = own.experiment, own.images
    torch.manual_seed(3)
    with torch.random.fork_rng():
        network = chosen.model.network((1, 8, 8), 10).eval()
    weights = Weights(2, 46, network.state_dict())
    trained = replace(own, weights=weights)
    scene = mine(layer=2, channel=9, row=2, column=3, index=11, part=4).scene(3, trained)
    reaching = chosen.chain.run(
        torch.from_numpy(images.picture(11))[None], np.array([11]), seed=0, epoch=1, training=False
    )
    torchs = network[2](network[1](network[0](reaching)))[0, 9, 2, 3].item()
    assert scene.facts["pixel"] == pytest.approx(torchs, abs=1e-5)
    assert scene.facts["trained"]
    assert scene.facts["multiplications"] == 64 * 4 * 4 * 32 * 9
    assert scene.facts["next_with_pooling"] == 64 * 2 * 2 * 128
    assert scene.facts["next_without_pooling"] == 64 * 4 * 4 * 128
    assert scene.facts["receptive_field"] == 5
    assert "epoch 2" in mine().scene(0, trained).says
    assert "fresh" in mine().scene(0, own).says


def test_filters_are_shown_after_each_epoch_and_can_be_looked_at(own):
    states = []
    for seed in (1, 2, 3):
        generator = torch.Generator().manual_seed(seed)
        with torch.device("meta"):
            shapes = own.experiment.model.network((1, 8, 8), 10).state_dict()
        states.append({key: torch.randn(value.shape, generator=generator) for key, value in shapes.items()})
    kept = tuple(Weights(epoch, 23 * epoch, state, True) for epoch, state in enumerate(states[:2], 1))
    run = replace(own, weights=Weights(3, 60, states[2]), snapshots=kept)
    concept = mine(channel=4, epoch=1)
    shown = {picture.title: picture for picture in pictures(concept.scene(LAST, run))}
    for title, state in zip(("epoch 1", "epoch 2", "now"), states, strict=True):
        assert np.array_equal(shown[title].values, state["0.weight"][4, 0].numpy())
    assert shown["epoch 1"].state == "now"
    assert dict(shown["now"].edit or {}) == {"epoch": 0}
    other = mine(channel=4).scene(LAST, run)
    assert concept.scene(LAST, run).facts["pixel"] != other.facts["pixel"]
    assert "not kept" in mine(epoch=9).scene(0, run).says


def test_of_a_long_run_epochs_are_shown_evenly_from_the_first_to_the_last(own):
    with torch.device("meta"):
        shapes = own.experiment.model.network((1, 8, 8), 10).state_dict()
    state = {key: torch.zeros(value.shape) for key, value in shapes.items()}
    run = replace(
        own, weights=Weights(99, 1, state), snapshots=tuple(Weights(n, n, state, True) for n in range(1, 100))
    )
    titles = [picture.title for picture in pictures(mine().scene(LAST, run))][32:]
    assert (titles[0], titles[-2], titles[-1], len(titles)) == ("1", "99", "now", 25)


def test_winners_are_marked_where_torch_finds_the_largest(own):
    scene = page(row=0, column=0).scene(6, own)
    before = next(picture for picture in pictures(scene) if picture.title.startswith("before"))
    marked = {(frame.row, frame.column) for frame in before.frames if frame.role == "validation"}
    _, winners = functional.max_pool2d(torch.from_numpy(before.values)[None], 2, return_indices=True)
    assert marked == {divmod(place, 6) for place in winners.flatten().tolist()}


def test_the_map_is_filled_in_up_to_the_pixel_in_hand(own):
    scene = page(row=1, column=2).scene(1, own)
    so_far = pictures(scene)[1].values
    assert np.isfinite(so_far.flatten()[: 6 + 3]).all()
    assert np.isnan(so_far.flatten()[6 + 3 :]).all()


@pytest.mark.parametrize(
    ("name", "kernel"),
    [
        ("edge", [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
        ("sharpen", [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
        ("emboss", [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]),
        ("identity", [[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
        ("vertical edge", [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
        ("horizontal edge", [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
        ("blur", [[1 / 9] * 3] * 3),
    ],
)
def test_kernels_have_the_numbers_they_are_known_by(own, name, kernel):
    shown = pictures(page(kernel=name).scene(0, own))[1]
    assert np.allclose(shown.values, kernel)


@pytest.mark.parametrize("size", [3, 5, 7])
def test_larger_kernels_of_the_same_name_do_the_same(own, size):
    def total(name: str) -> float:
        return float(pictures(page(kernel=name, kernel_size=size).scene(0, own))[1].values.sum())

    assert [round(total(name), 4) for name in ("edge", "vertical edge", "horizontal edge")] == [0, 0, 0]
    assert [round(total(name), 4) for name in ("blur", "sharpen", "emboss", "identity")] == [1, 1, 1, 1]


def test_a_typed_kernel_may_be_of_any_square_size(own):
    assert page(kernel="typed", typed=(0.04,) * 25).scene(LAST, own).facts["F"] == 5
    with pytest.raises(InvalidExperiment) as wrong:
        page(kernel="typed", typed=(1.0,) * 8)
    assert wrong.value.problems[0].path == "typed"
    assert "not 8" in wrong.value.problems[0].sentence


def test_a_kernel_that_does_not_fit_is_refused_with_a_remedy(own):
    with pytest.raises(LabError) as wrong:
        page(kernel_size=7, dilation=4).scene(0, own)
    assert "25 pixels" in wrong.value.sentence
    assert wrong.value.remedy


def test_a_network_without_convolutions_is_told_so(own):
    linear = replace(own, experiment=own.experiment.edited("model", "SoftmaxRegression"))
    with pytest.raises(LabError, match="no convolution"):
        mine().scene(0, linear)


def test_before_pictures_are_open_the_bundled_digits_serve_and_the_network_waits(own):
    assert page().scene(LAST, NOTHING).facts["W"] == 8
    assert mine().scene(0, NOTHING).missing
    wrong = own.experiment.edited("transforms", own.experiment.transforms[:0])
    assert mine().scene(0, replace(own, experiment=wrong)).missing


def colour_pictures(side: int) -> ImageSet:
    pixels = np.random.default_rng(0).integers(0, 255, (6, 3, side, side)).astype(np.uint8)
    labels = np.array([0, 1, 0, 1, 0, 1])
    return ImageSet(InMemory(pixels), labels, ("cat", "dog"), labels[:2], labels[2:4], labels[4:])


def test_large_colour_pictures_are_brought_to_a_grey_one_whose_pixels_can_be_seen(own):
    there = replace(own, images=colour_pictures(200))
    assert page().scene(LAST, there).facts["W"] == 64
    small = page(kernel="identity", row=3, column=4).scene(LAST, replace(own, images=colour_pictures(16)))
    assert small.facts["pixel"] == pytest.approx(
        colour_pictures(16).picture(0).astype(np.float64).mean(0)[4, 5] / 255, abs=1e-6
    )


@pytest.mark.parametrize("step", range(9))
def test_colour_pictures_reach_the_network_channel_by_channel(own, step):
    images = colour_pictures(16)
    chosen = own.experiment.edited("transforms", own.experiment.transforms[:1])
    scene = mine(part=2).scene(step, replace(own, experiment=chosen, images=images))
    assert scene.facts["part"] == 2
    assert all(claim.holds for claim in claims(scene))


def test_formulas_are_filled_in_with_the_numbers_in_force(own):
    def rows(**values: Any) -> Sequence[Any]:
        scene = page(**values).scene(LAST, own)
        (facts,) = (one for row in scene.rows for one in row if isinstance(one, Facts))
        return facts.facts

    width = rows(padding=1)[0]
    assert (width.formula, width.filled_in, width.value) == ("(W − F + 2P) / S + 1", "(8 − 3 + 2) / 1 + 1", "8")
    rounded = rows(stride=2)[0]
    assert (rounded.filled_in, rounded.value) == ("⌊(8 − 3 + 0) / 2⌋ + 1", "3")
    holes = rows(dilation=2)[0]
    assert (holes.filled_in, holes.value) == ("(8 − (2 × 2 + 1) + 0) / 1 + 1", "4")


def test_pixels_beyond_the_edge_are_the_last_ones(own):
    facts = page(row=500, column=500).scene(0, own).facts
    assert (facts["row"], facts["column"]) == (5, 5)
    facts = mine(layer=99, channel=9999, part=999).scene(0, own).facts
    assert (facts["layer"], facts["channel"], facts["part"]) == (2, 63, 31)
