"""Softmax and cross-entropy: every number on the page is torch's, and where float32 ends it says so."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from gui_lab.catalog.concepts import softmax as page
from gui_lab.core import rungs
from gui_lab.core.concepts import CONCEPTS, NOTHING, Concept, Own, Scene, Weights
from gui_lab.core.exhibits import Claims, Facts, Pictures, Plot, Table
from gui_lab.core.experiment import default
from gui_lab.core.images import opened
from gui_lab.errors import InvalidExperiment

LAST = 9
EXPERIMENT = default()
OWN = Own(EXPERIMENT, opened(EXPERIMENT.dataset))

scores = st.lists(st.floats(-30, 30, width=32), min_size=2, max_size=12)
temperatures = st.floats(0.25, 8)


def softmax(**values: Any) -> Concept:
    return CONCEPTS.make("Softmax", **values)


def shown(scene: Scene, kind: type) -> Any:
    return next(exhibit for row in scene.rows for exhibit in row if isinstance(exhibit, kind))


def column(scene: Scene, title: str) -> list[Any]:
    table = shown(scene, Table)
    place = [one.title for one in table.columns].index(title)
    return [row[place] for row in table.rows]


def foot(scene: Scene, title: str) -> Any:
    table = shown(scene, Table)
    return table.foot[-1][[one.title for one in table.columns].index(title)]


# numbers


@settings(max_examples=25, deadline=None)
@given(values=scores, label=st.integers(0, 11), temperature=temperatures, stable=st.booleans())
def test_every_column_is_what_torch_comes_to(values: list[float], label: int, temperature: float, stable: bool) -> None:
    label = min(label, len(values) - 1)
    concept = softmax(scores=tuple(values), label=label, temperature=temperature, subtract_max=stable)
    scene = concept.scene(LAST, NOTHING)
    leaf = torch.tensor(values, requires_grad=True)
    tempered = leaf / temperature
    loss = functional.cross_entropy(tempered[None], torch.tensor([label]))
    loss.backward()
    assert leaf.grad is not None
    p, log_p = torch.softmax(tempered.detach(), 0), torch.log_softmax(tempered.detach(), 0)
    assert column(scene, "score") == pytest.approx(values)
    assert scene.facts["loss"] == pytest.approx(loss.item())
    assert scene.facts["log_softmax_true"] == pytest.approx(float(log_p[label]))
    if stable:
        shifted = tempered.detach() - tempered.detach().max()
        assert column(scene, "− max") == pytest.approx(shifted.tolist())
        assert column(scene, "exp") == pytest.approx(shifted.exp().tolist())
        assert column(scene, "log p") == pytest.approx(log_p.tolist(), abs=1e-5)
        assert foot(scene, "−y log p") == pytest.approx(loss.item(), rel=1e-5, abs=1e-5)
    rough = not stable and min(column(scene, "exp")) < torch.finfo(torch.float32).tiny
    if rough or not math.isfinite(foot(scene, "exp")):  # at a low temperature the formula as it is written ends here
        return
    assert column(scene, "p") == pytest.approx(p.tolist(), abs=1e-6)
    assert foot(scene, "p") == pytest.approx(1, abs=1e-5)
    slope = "p − y" if temperature == 1 else "(p − y) / T"
    assert column(scene, slope) == pytest.approx(leaf.grad.tolist(), abs=1e-5)
    assert scene.facts["p_true"] == pytest.approx(float(p[label]), abs=1e-6)
    assert scene.facts["gradient_true"] == pytest.approx(float(leaf.grad[label]), abs=1e-5)
    assert all(claim.holds for claim in shown(scene, Claims).claims)


@settings(max_examples=25, deadline=None)
@given(values=scores, label=st.integers(0, 1), temperature=temperatures)
def test_the_curves_go_through_where_one_is(values: list[float], label: int, temperature: float) -> None:
    along, p = rungs.pulled(values, label, temperature, (-30.0, 30.0))
    here = values[label]
    expected = torch.softmax(torch.tensor(values) / temperature, 0)[label]
    nearest = int(np.searchsorted(along, here).clip(1, len(along) - 1))
    low, high = sorted((p[label][nearest - 1], p[label][nearest]))
    assert low - 1e-5 <= float(expected) <= high + 1e-5
    assert p.sum(0) == pytest.approx(1, abs=1e-5)
    likely, loss = rungs.losses(5.0)
    assert loss == pytest.approx(-np.log(likely.astype(np.float64)), abs=1e-5)
    assert (loss[0], loss[-1]) == pytest.approx((0.0, 5.0), abs=1e-5)


def test_the_example_of_the_notes() -> None:
    scene = softmax(scores=(2.0, 1.0, 0.1), label=0).scene(LAST, NOTHING)
    assert [round(p, 4) for p in column(scene, "p")] == [0.6590, 0.2424, 0.0986]
    assert round(float(scene.facts["loss"]), 4) == 0.4170
    assert column(scene, "y") == [1, 0, 0]
    assert scene.facts["divergence"] == pytest.approx(0.4170, abs=1e-4)
    assert [claim.holds for claim in shown(scene, Claims).claims] == [True] * 3


def test_two_equal_scores_cost_the_logarithm_of_two() -> None:
    assert softmax(scores=(1.0, 1.0)).scene(0, NOTHING).facts["loss"] == pytest.approx(math.log(2))


# where float32 ends


def test_scores_of_a_thousand_break_the_formula_and_not_torch() -> None:
    broken = softmax(scores=(1000.0, 999.0, 998.0), subtract_max=False)
    scene = broken.scene(LAST, NOTHING)
    assert column(scene, "exp") == [math.inf] * 3
    assert all(math.isnan(p) for p in column(scene, "p"))
    assert math.isnan(float(scene.facts["p_true"]))
    assert scene.facts["loss"] == pytest.approx(0.4076, abs=1e-4)
    assert "inf / inf is nan" in scene.says
    assert [claim.holds for claim in shown(scene, Claims).claims] == [True] * 2
    mended = broken.changed(subtract_max=True).scene(LAST, NOTHING)
    assert column(mended, "p") == pytest.approx([0.6652, 0.2447, 0.0900], abs=1e-4)


def test_a_probability_of_zero_has_a_loss_only_where_the_largest_is_subtracted() -> None:
    wrong = {"scores": (0.0, 300.0), "label": 0}
    assert softmax(**wrong).scene(LAST, NOTHING).facts["divergence"] == pytest.approx(300)
    low = softmax(scores=(-200.0, 80.0), label=0, subtract_max=False).scene(LAST, NOTHING)
    assert low.facts["divergence"] == math.inf
    assert "became 0" in low.says
    assert low.facts["loss"] == pytest.approx(280)


def test_minus_zero_is_written_as_zero() -> None:
    terms = column(softmax().scene(LAST, NOTHING), "−y log p")
    assert [math.copysign(1, term) for term in terms] == [1, 1, 1]


# knobs


def test_there_are_as_many_scores_as_classes() -> None:
    three = softmax()
    four = three.changed(classes=4)
    assert four.scores == (2.0, 1.0, 0.1, 0.0)
    assert four.changed(classes=2).scores == (2.0, 1.0)
    five = three.changed(scores=(1, 2, 3, 4, 5))
    assert five.classes == 5
    assert CONCEPTS.make("Softmax", scores=(1.0, 2.0)).classes == 2
    assert CONCEPTS.make("Softmax", classes=7).classes == len(CONCEPTS.make("Softmax", classes=7).scores) == 7


@pytest.mark.parametrize(
    "values", [{"scores": (1.0,)}, {"scores": tuple(range(13))}, {"scores": (1.0, 2000.0)}, {"classes": 1}]
)
def test_what_cannot_be_shown_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidExperiment):
        softmax().changed(**values)


def test_each_row_makes_its_class_the_true_one() -> None:
    table = shown(softmax(label=2).scene(0, NOTHING), Table)
    assert table.edits == ({"label": 0}, {"label": 1}, {"label": 2})
    assert table.marked == (2,)
    assert softmax(label=11).scene(0, NOTHING).facts["label"] == 2


def test_a_score_that_was_typed_stays_as_it_was_typed() -> None:
    assert column(softmax(scores=(0.1, 0.7)).scene(0, NOTHING), "score") == [0.1, 0.7]


def test_scores_can_be_pulled_on_a_scale_that_holds_them() -> None:
    for largest, high in ((8.0, 10), (-34.0, 50), (1000.0, 1000)):
        (pulled,) = [one for one in shown(softmax(scores=(largest, 0.0)).scene(0, NOTHING), Table).columns if one.sets]
        assert (pulled.sets, pulled.high) == ("scores", high)


# the story


def test_each_step_says_something_of_its_own_and_lights_its_column() -> None:
    concept = softmax()
    scenes = [concept.scene(step, NOTHING) for step in range(LAST + 1)]
    assert len({scene.says for scene in scenes}) == LAST + 1
    lit = [[one.title for one in shown(scene, Table).columns if one.state == "now"] for scene in scenes]
    assert lit == [["score"], ["− max"], ["exp"], ["exp"], ["p"], ["y"], ["log p"], ["−y log p"], [], ["p − y"]]
    assert all(shown(scene, Plot).spots for scene in scenes)
    assert "0.6590" in next(fact.value for fact in shown(scenes[4], Facts).facts)


# the own network


def test_the_scores_of_the_own_network_are_those_that_it_leaves() -> None:
    assert OWN.experiment is not None
    assert OWN.images is not None
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = OWN.experiment.model.network((1, 8, 8), 10).eval()
    own = Own(OWN.experiment, OWN.images, Weights(1, 1, network.state_dict()))
    scene = softmax(source="my network", index=4).scene(LAST, own)
    index = OWN.images.validation[4]
    pictures = torch.from_numpy(OWN.images.pictures.take(np.array([index])))
    batch = OWN.experiment.chain.run(pictures, np.array([index]), seed=0, epoch=1, training=False)
    with torch.no_grad():
        expected = network(batch)[0]
    assert column(scene, "score") == pytest.approx(expected.tolist(), abs=1e-5)
    assert scene.facts["label"] == int(OWN.images.labels[index])
    assert shown(scene, Table).edits == ()
    assert (shown(scene, Pictures).pictures[0].values == OWN.images.picture(int(index))[0]).all()


def test_a_network_that_was_not_trained_is_called_so_and_without_pictures_it_says_what_is_missing() -> None:
    concept = softmax(source="my network")
    assert "not trained yet" in concept.scene(0, OWN).says
    assert concept.scene(0, NOTHING).missing


def test_of_many_classes_the_likeliest_and_the_true_one_have_rows() -> None:
    values = tuple(float(one % 37) / 10 for one in range(100))
    asked = page._Asked(values, 99, tuple(map(str, range(100))))
    concept = softmax()
    climbed = rungs.climbed(values, 99)
    table = concept._table(LAST, asked, climbed)  # type: ignore[attr-defined]
    assert len(table.rows) <= 12
    assert table.rows[table.marked[0]][0] == "99"
    titles = [one.title for one in table.columns]
    shown_p = sum(row[titles.index("p")] for row in table.rows)
    assert table.foot[0][0] == f"{100 - len(table.rows)} others"
    assert shown_p + table.foot[0][titles.index("p")] == pytest.approx(1, abs=1e-5)
    assert table.foot[1][titles.index("exp")] == pytest.approx(climbed.sum_exp)
