"""Expressions: they are read as Python reads them, torch computes the same of them, and each error says where it is."""

from __future__ import annotations

import ast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gui_lab.core.expressions import FUNCTIONS, Apply, Name, Number, Row, as_tensor, over, parsed, values_of
from gui_lab.core.figures import figure, vector
from gui_lab.core.gradients import recorded
from gui_lab.errors import LabError

SIGNS = ("+", "-", "*", "/", "**", "@")


def tree(expression):
    """As Python's own parser gives it."""
    if isinstance(expression, Name):
        return ("name", expression.name)
    if isinstance(expression, Number):
        return ("number", expression.value)
    if isinstance(expression, Row):
        return ("row", *(tree(item) for item in expression.items))
    return (expression.function, *(tree(argument) for argument in expression.arguments))


def trouble_with(text):
    """What is wrong with it; None where nothing is. Any other error is one of ours."""
    try:
        parsed(text)
    except LabError as error:
        return error
    return None


def by_python(text):
    operators = {
        ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.MatMult: "@",
    }  # fmt: skip

    def of(node):
        if isinstance(node, ast.Name):
            return ("name", node.id)
        if isinstance(node, ast.Constant):
            return ("number", float(node.value))
        if isinstance(node, ast.Tuple | ast.List):
            return ("row", *(of(one) for one in node.elts))
        if isinstance(node, ast.UnaryOp):
            inner = of(node.operand)
            return ("number", -inner[1]) if inner[0] == "number" else ("neg", inner)
        if isinstance(node, ast.BinOp):
            return (operators[type(node.op)], of(node.left), of(node.right))
        return (node.func.id, *(of(one) for one in node.args))

    return of(ast.parse(text, mode="eval").body)


atoms = st.sampled_from(["x", "y", "2", "0.5", "1e-3", "(1, 2)", "[3, 4]", "((1, 2), (3, 4))", "(1,)"])
texts = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(SIGNS), inner).map(" ".join),
        inner.map("({})".format),
        inner.filter(lambda text: not text[0].isdigit()).map("-{}".format),
        st.tuples(st.sampled_from(FUNCTIONS), inner).map("{0[0]}({0[1]})".format),
    ),
    max_leaves=7,
)


@settings(max_examples=150, deadline=None)
@given(texts)
def test_what_is_written_is_read_as_python_reads_it(text):
    if (trouble := trouble_with(f"z = {text}")) is not None:
        assert "two dimensions" in trouble.sentence or "rows" in trouble.sentence or "holds numbers" in trouble.sentence
        return
    (statement,) = parsed(f"z = {text}")
    assert tree(statement.expression) == by_python(text)


@settings(max_examples=60, deadline=None)
@given(texts)
def test_its_pytorch_computes_what_it_computes(text):
    values = "x = (0.5, 2); y = (1.5, -1)"
    try:
        record = recorded(values, f"z = {text}")
    except LabError:
        return  # shapes that do not fit together
    (statement,) = parsed(f"z = {text}")
    names = {"torch": torch, **{name: record.terms[name].tensor for name in "xy"}}
    exec(f"found = {as_tensor(statement.expression)}", names)
    torch.testing.assert_close(names["found"], record.terms[record.named["z"]].tensor, equal_nan=True)


def test_statements_are_parted_by_semicolons_and_lines():
    assert [one.name for one in parsed("a = x; b = 2\n\nc = (1, 2);")] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "sentence", "remedy"),
    [
        ("", "Line 1, column 1: Nothing is written here.", "Write a name, = and what it is: y = x + 2."),
        ("y", "Line 1, column 2: = is missing before the end.", "Write y = and what it is."),
        ("y = 1\nz = x +", "Line 2, column 8: A number or a name is missing before the end.", "Write one there"),
        ("y = x $ 2", "Line 1, column 7: '$' has no meaning here.", "Signs are"),
        ("y = tahn(x)", "Line 1, column 5: There is no function tahn.", "Known: tanh"),
        ("y = exp", "Line 1, column 5: exp needs something in brackets.", "Write exp(x)."),
        ("y = exp(x, 2)", "Line 1, column 10: exp takes one argument.", "Leave out"),
        ("y = exp(x", "Line 1, column 10: ) is missing before the end.", "Close the bracket of exp."),
        ("exp = 2", "Line 1, column 1: exp is a function.", "Take another name."),
        ("lambda = 2", "Line 1, column 1: lambda cannot be a name here.", "Take a short one"),
        ("2 = x", "Line 1, column 1: A statement begins with a name, not with 2.", "Write y = x + 2."),
        ("y = 2 x", "Line 1, column 7: x is not expected here.", "Put ; or an operator before it."),
        ("y = (1, x)", "Line 1, column 9: A row holds numbers only.", "Give the row a name"),
        ("y = ((1, 2), (3,))", "Line 1, column 5: The rows are of different lengths.", "Give each as many"),
        ("y = [[[1]]]", "Line 1, column 5: A tensor has two dimensions here at most.", "Leave out"),
        (f"y = {'(' * 40}", "Line 1, column 21: This is nested too deeply.", "Give a part of it a name"),
        (f"y = {list(range(40))}", "Line 1, column 5: A tensor has at most 36 elements here.", "Leave some out."),
        ("y = 2e9", "Line 1, column 5: 2e9 is too large.", "Stay below 1,000,000."),
        ("y = x;" * 200, "The text has 1,200 characters.", "Shorten it to 600."),
        ("; ".join(f"a{k} = 1" for k in range(20)), "Line 1, column 135: There are more than 16", "Leave some out."),
    ],
)
def test_an_error_says_where_it_is_and_what_to_do(text, sentence, remedy):
    with pytest.raises(LabError) as error:
        parsed(text)
    assert error.value.sentence.startswith(sentence)
    assert error.value.remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("values", "text", "sentence"),
    [
        ("x = 1; x = 2", "y = x", "Line 1, column 8: x has a value already."),
        ("x = 1; z = x", "y = x", "Line 1, column 8: A value is a number or a row of numbers."),
        ("x = 1", "y = x + q", "Line 1, column 9: q has no value."),
        ("x = 1", "x = 2", "Line 1, column 1: x has a value already."),
        ("x = 1", "y = y", "Line 1, column 5: y has no value."),
    ],
)
def test_names_have_one_value_before_they_are_used(values, text, sentence):
    with pytest.raises(LabError) as error:
        over(values_of(values), text)
    assert error.value.sentence == sentence
    assert error.value.remedy


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="xyzep12.,;=+-*/@()[] \n_$é٣", max_size=30))
def test_no_text_whatever_does_more_than_say_what_is_wrong(text):
    trouble = trouble_with(text)
    assert parsed(text) if trouble is None else trouble.sentence and trouble.remedy


def test_minus_binds_as_in_python():
    (statement,) = parsed("y = -x**2")
    assert isinstance(statement.expression, Apply)
    assert statement.expression.function == "neg"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3.0, "3"), (-2.0, "−2"), (1 / 3, "0.3333"), (12345.6, "12,346"), (1e-7, "1e-7"), (-0.0, "0"), (1e12, "1e+12"),
        (float("nan"), "nan"), (float("-inf"), "−inf"), (99999.9, "100,000"), (1.5e-5, "1.5e-5"),
    ],
)  # fmt: skip
def test_numbers_are_written_short(value, words):
    assert figure(value) == words


def test_vectors_stand_in_round_brackets():
    assert vector([25.0]) == "25"
    assert vector([3.0, 4.0]) == "(3, 4)"
    assert vector([1.0, 2.0, 3.0, 4.0, 5.0]) == "(1, 2, 3, 4, …)"
