"""Gradients: values, Jacobians and what comes back are torch's own, whatever the expressions are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gui_lab.core import gradients
from gui_lab.core.gradients import anew, called, recorded, slopes
from gui_lab.errors import LabError

PROGRAMS = (
    "y = x + 2; z = 2*y**2; L = mean(z)",
    "a = exp(x); b = a*x; L = b / (1 + a)",
    "p = softmax(x); L = -sum(w*log(p))",
    "h = tanh(w*x); g = sigmoid(h - x); L = sum(g*g)",
    "m = x @ w; L = sin(m) + cos(m)*m",
    "s = sqrt(x*x + 1); L = max(s) - min(w)",
    "y = relu(x) + abs(w); L = y - detach(y*x)",
)
numbers = st.floats(-2, 2).map(lambda value: round(value, 3))
rows = st.permutations([-1.7, -0.9, -0.4, 0.3, 0.7, 1.2, 1.9]).map(lambda row: row[:3])
"""Away from kinks and ties, where there is no derivative."""


def row_text(name, row):
    return f"{name} = ({', '.join(map(repr, row))})"


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(PROGRAMS), rows, rows, st.data())
def test_products_of_jacobians_are_what_torch_and_finite_differences_say(program, x, w, data):
    values = f"{row_text('x', x)}; {row_text('w', w)}"
    record = recorded(values, program)
    count = record.terms["L"].tensor.numel()
    v = data.draw(st.lists(numbers, min_size=count, max_size=count))
    back = record.sweep("L", v).upstream
    (left,) = called(anew(values, program, None, "", False), "L", v).grads
    for name in "xw":
        if left[name] is None:
            assert name not in back
            continue
        np.testing.assert_allclose(back[name], left[name], rtol=1e-9, atol=1e-12)
        found = [slope.middle for slope in slopes(record, "L", v, name)]
        np.testing.assert_allclose(found, left[name], rtol=1e-4, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(PROGRAMS), rows, rows)
def test_each_jacobian_is_torchs_of_that_operation_alone(program, x, w):
    record = recorded(f"{row_text('x', x)}; {row_text('w', w)}", program)
    for link, matrix in record.jacobians.items():
        term = record.terms[link.end]

        def alone(start, term=term, place=link.place):
            operands = [record.terms[one].tensor.detach() if isinstance(one, str) else one for one in term.operands]
            operands[place] = start
            return gradients.applied(term.function, operands)

        start = record.terms[link.start].tensor.detach()
        torchs = torch.autograd.functional.jacobian(alone, start)
        np.testing.assert_allclose(matrix, torchs.reshape(matrix.shape), rtol=1e-9, atol=1e-12)


def test_the_record_holds_torchs_own_names():
    record = recorded("x = (1, 2)", "y = x + 2; z = 2*y**2; L = mean(z)")
    told = [(term.key, term.words, term.grad_fn) for term in record.terms.values()]
    assert told == [
        ("x", "x", ""),
        ("y", "x + 2", "AddBackward0"),
        ("_2", "y ** 2", "PowBackward0"),
        ("z", "2 * (y ** 2)", "MulBackward0"),
        ("L", "mean(z)", "MeanBackward0"),
    ]


def test_ways_that_meet_are_added():
    record = recorded("x = 3", "a = x**2; b = 4*x; L = a + b")
    assert record.sweep("L", [1.0]).upstream["x"] == 10
    assert len(record.paths("L", "x")) == 2


def test_a_square_written_as_a_product_has_two_arrows_from_the_same_term():
    record = recorded("x = 3", "L = x*x")
    assert [(link.start, link.end, link.place) for link in record.links] == [("x", "L", 0), ("x", "L", 1)]
    assert record.sweep("L", [1.0]).upstream["x"] == 6


def test_what_is_detached_lets_nothing_back():
    record = recorded("x = 3", "a = x**2; b = 4*x; L = a + b", detached="b")
    assert record.sweep("L", [1.0]).upstream["x"] == 6
    assert [slope.middle for slope in slopes(record, "L", [1.0], "x")] == pytest.approx([6])


def test_under_no_grad_nothing_is_recorded_and_backward_says_so():
    record = anew("x = 3", "L = x**2", None, "", True)
    assert not record.parts("L")
    told = called(record, "L", [1.0])
    assert not told.grads
    assert "does not require grad" in told.error


def test_a_second_call_fails_adds_or_begins_anew():
    def twice(**how):
        return called(anew("x = 3", "L = x**2", None, "", False), "L", [1.0], twice=True, **how)

    assert "backward through the graph a second time" in twice().error
    assert [one["x"] for one in twice(retain_graph=True).grads] == [(6.0,), (12.0,)]
    assert [one["x"] for one in twice(retain_graph=True, zero=True).grads] == [(6.0,), (6.0,)]


def test_a_value_that_asks_for_no_gradient_has_none():
    told = called(anew("x = 3; w = 2", "L = x*w", frozenset({"w"}), "", False), "L", [1.0])
    assert told.grads == ({"x": None, "w": (3.0,)},)


def test_a_kink_is_recognised():
    (slope,) = slopes(recorded("x = 0", "L = relu(x)"), "L", [1.0], "x")
    assert slope.kink
    assert (slope.left, slope.right) == pytest.approx((0, 1))


@pytest.mark.parametrize(
    ("values", "text", "sentence"),
    [
        (
            "x = (1, 2); w = (1, 2, 3)",
            "L = x + w",
            "Line 1, column 7: + cannot be applied to shape (2,) and shape (3,).",
        ),
        ("x = 2", "L = x @ x", "Line 1, column 7: @ cannot be applied to a scalar and a scalar."),
        ("x = ((1, 2), (3, 4)); y = ((1, 2, 3), (1, 2, 3))", "L = y @ x", "Line 1, column 7: @ cannot"),
    ],
)
def test_shapes_that_do_not_fit_are_told_with_their_place(values, text, sentence):
    with pytest.raises(LabError) as error:
        recorded(values, text)
    assert error.value.sentence.startswith(sentence)
    assert error.value.remedy


def test_a_result_may_not_grow_without_bound():
    rows = f"({', '.join('1' * 1 for _ in range(12))})"
    column = f"({', '.join('(1,)' for _ in range(12))})"
    with pytest.raises(LabError, match="This has 144 elements"):
        recorded(f"x = {rows}; y = {column}", "L = x + y")


def test_many_ways_are_not_all_walked():
    doubled = "; ".join(f"a{k + 1} = a{k} + a{k}" for k in range(15))
    record = recorded("a0 = 1; w = 2", doubled)
    assert record.paths("a15", "a0") == []
    assert record.paths("a15", "w") == []
    assert record.sweep("a15", [1.0]).upstream["a0"] == 2**15
