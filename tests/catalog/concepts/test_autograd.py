"""The autograd page: each number is torch's, the case of the course is exact, each switch does what torch does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gui_lab.catalog.concepts.autograd import Autograd
from gui_lab.core.concepts import NOTHING
from gui_lab.core.exhibits import Claims, Equation, Graph
from gui_lab.errors import InvalidExperiment, LabError

LAST = 10**9


def scene(step=LAST, **values):
    return Autograd.model_validate(values).scene(step, NOTHING)


def shown(scene, kind):
    return [exhibit for row in scene.rows for exhibit in row if isinstance(exhibit, kind)]


def facts(scene, name):
    return [value for fact, value in scene.facts.items() if fact.rpartition("_")[0] == name]


def test_the_worked_case_is_exact():
    last = scene().facts
    assert [last[name] for name in ("y_0", "y_1", "z_0", "z_1", "L")] == [3, 4, 18, 32, 25]
    assert [last["grad_x_0"], last["grad_x_1"]] == [6, 8]


def test_the_story_goes_forward_then_over_the_jacobians_then_back():
    whole = [scene(step) for step in range(scene().steps)]
    assert [len(one.facts) for one in whole[:5]] == [2, 4, 4, 6, 7]
    (graph,) = shown(whole[2], Graph)
    assert [node.state for node in graph.nodes] == ["done", "done", "now", "waiting", "waiting"]
    (graph,) = shown(whole[9], Graph)
    assert [edge.backward for edge in graph.edges] == ["", "", "", "(0.5, 0.5)"]
    (graph,) = shown(whole[-1], Graph)
    assert [edge.forward for edge in graph.edges] == ["(1, 2)", "(3, 4)", "(9, 16)", "(18, 32)"]
    assert [edge.backward for edge in graph.edges] == ["(6, 8)", "(6, 8)", "(1, 1)", "(0.5, 0.5)"]


def test_nothing_moves_from_step_to_step():
    first, *others = [shown(scene(step), Graph)[0].whole for step in range(scene().steps)]
    assert all(other == first for other in others)


def test_the_product_of_the_matrices_on_screen_is_the_gradient():
    (equation,) = shown(scene(13), Equation)
    matrices = [term.values for term in equation.terms if not isinstance(term, str)]
    np.testing.assert_allclose(np.linalg.multi_dot(matrices[:-1]), matrices[-1])
    assert [matrix.shape for matrix in matrices] == [(1, 1), (1, 2), (2, 2), (2, 2), (2, 2), (1, 2)]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(-3, 3).map(lambda value: round(value, 3)), min_size=2, max_size=2),
    st.lists(st.floats(-3, 3).map(lambda value: round(value, 3)), min_size=2, max_size=2),
)
def test_all_its_numbers_are_torchs(values, v):
    last = scene(values=f"x = ({values[0]!r}, {values[1]!r})", expressions="y = sin(x)*x; z = exp(y) + 3", of="z", v=v)
    x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    y = torch.sin(x) * x
    z = torch.exp(y) + 3
    z.backward(torch.tensor(v, dtype=torch.float64))
    for name, tensor in (("x", x), ("y", y), ("z", z), ("grad_x", x.grad)):
        assert facts(last, name) == pytest.approx(tensor.tolist(), rel=1e-9, abs=1e-12)
    assert all(claim.holds for claims in shown(last, Claims) for claim in claims.claims)


def test_softmax_with_cross_entropy_gives_p_minus_t():
    last = scene(
        values="s = (2, 1, 0.1); t = (1, 0, 0)", expressions="p = softmax(s); L = -sum(t*log(p))", requires_grad="s"
    )
    scores = torch.tensor([2, 1, 0.1], dtype=torch.float64)
    loss = torch.nn.functional.cross_entropy(scores[None], torch.tensor([0]))
    assert last.facts["L"] == pytest.approx(float(loss))
    expected = (torch.softmax(scores, 0) - torch.tensor([1.0, 0, 0])).tolist()
    assert facts(last, "grad_s") == pytest.approx(expected)
    assert last.facts["grad_t"] == "None"


def test_a_matrix_is_differentiated_element_by_element():
    last = scene(values="W = ((1, -1), (0.5, 2)); x = (1, 3)", expressions="a = W @ x; h = relu(a); L = sum(h)")
    assert facts(last, "a") == [-2, 6.5]
    assert facts(last, "grad_W") == [0, 0, 1, 3]


def test_gradients_pile_up_without_zero_grad():
    assert facts(scene(backward_twice=True, retain_graph=True), "grad_x") == [12, 16]
    assert facts(scene(backward_twice=True, retain_graph=True, zero_grad=True), "grad_x") == [6, 8]


def test_the_second_way_back_fails_in_torchs_own_words():
    last = scene(backward_twice=True)
    assert last.facts["error"].startswith("RuntimeError: Trying to backward through the graph a second time")
    assert "Trying to backward through the graph a second time" in last.says
    assert facts(last, "grad_x") == [6, 8]


def test_under_no_grad_nothing_is_noted_and_backward_fails():
    last = scene(no_grad=True)
    (graph,) = shown(last, Graph)
    assert not any("Backward0" in line for node in graph.nodes for line in node.lines)
    assert "does not require grad" in last.facts["error"]
    assert last.steps == 6


def test_without_requires_grad_there_is_no_gradient():
    assert scene(requires_grad="none").facts["grad_x"] == "None"
    last = scene(values="x = 2; w = 3", expressions="L = x*w", requires_grad="w")
    assert last.facts["grad_x"] == "None"
    assert last.facts["grad_w"] == 2


def test_what_is_detached_counts_as_a_plain_number():
    branch = {"values": "x = 3", "expressions": "a = x**2; b = 4*x; L = a + b"}
    assert scene(**branch).facts["grad_x"] == 10
    assert scene(**branch, detach="b").facts["grad_x"] == 6


def test_at_a_kink_the_claim_is_that_torch_takes_a_slope_between_both():
    last = scene(values="x = (0, 1)", expressions="L = sum(relu(x))")
    (claims,) = shown(last, Claims)
    assert "kink" in claims.claims[0].words
    assert all(claim.holds for claim in claims.claims)


def test_a_click_on_a_box_begins_the_way_back_there():
    (graph,) = shown(scene(), Graph)
    edits = {node.key: node.edit for node in graph.nodes}
    assert edits == {"x": {"wrt": "x"}, "y": {"of": "y"}, "_2": None, "z": {"of": "z"}, "L": {"of": "L"}}
    assert facts(Autograd(**edits["z"]).scene(LAST, NOTHING), "grad_x") == [12, 16]


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"expressions": "y = x +"}, "expressions", "Line 1, column 8"),
        ({"values": "x = y"}, "values", "Line 1, column 1: A value is a number"),
        ({"of": "q"}, "of", "Nothing has this name. Choose x, y, z, L"),
        ({"wrt": "y"}, "wrt", "Nothing has this name. Choose x,"),
        ({"detach": "x"}, "detach", "Nothing has this name. Choose y, z, L"),
        ({"requires_grad": "x, q"}, "requires_grad", "Must be all, none, or names of x."),
    ],
)
def test_what_is_wrong_is_told_at_its_field(values, field, sentence):
    with pytest.raises(InvalidExperiment) as error:
        Autograd().changed(**values)
    (problem,) = error.value.problems
    assert problem.path == field
    assert problem.sentence.startswith(sentence)


def test_a_v_of_the_wrong_length_is_told_with_a_remedy():
    with pytest.raises(LabError, match="v has 3 numbers, but what is differentiated has 2") as error:
        scene(of="z", v=(1, 2, 3))
    assert error.value.remedy == "Give v 2 numbers, or one that stands for all."


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"of": "z", "v": (1, 0.5), "backward_twice": True, "retain_graph": True, "zero_grad": True},
        {"no_grad": True},
        {"detach": "z", "expressions": "y = x + 2; z = y; L = mean(z*x)"},
        {"backward_twice": True},
        {"values": "W = ((1, 2), (3, 4)); x = (1, -1)", "expressions": "y = W @ x; k = 2; L = y/k", "of": "y"},
        {"expressions": "c = exp(2*3); L = sum(x*c)"},
        {"requires_grad": "none"},
        {"of": "x"},
    ],
)
def test_its_code_says_the_same(values):
    concept = Autograd.model_validate(values)
    last = concept.scene(LAST, NOTHING)
    names = {}
    exec(concept.code(last.step, NOTHING), names)
    shared = [fact for fact in last.facts if fact in names]
    assert shared
    for fact in shared:
        found = names[fact].detach() if isinstance(names[fact], torch.Tensor) else names[fact]
        assert found == pytest.approx(last.facts[fact]) if not isinstance(found, str) else found == last.facts[fact]
