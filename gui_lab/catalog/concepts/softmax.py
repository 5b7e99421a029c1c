"""Softmax and cross-entropy: from scores to probabilities to the loss, and back as p - y.

All columns are there from the start, those that the story has not reached yet faint: a person pulls a score and sees
everything that follows from it, and the story says in turn what each column is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from gui_lab.core import rungs
from gui_lab.core.concepts import CONCEPTS, Concept, Look, Own, Preset, Scene
from gui_lab.core.exhibits import (
    Cell,
    Claim,
    Claims,
    Column,
    Exhibit,
    Fact,
    Facts,
    Line,
    Picture,
    Pictures,
    Plot,
    Spot,
    State,
    Table,
)
from gui_lab.core.own_network import own_network
from gui_lab.core.rungs import Rungs, Torchs
from gui_lab.schema import knob

_MOST = 12
_LINES = 3  # of other classes than the true one, in a plot
_STORY = ("scores", "max", "exp", "sum", "p", "y", "log p", "D", "torch", "gradient")
_WRITTEN = 6  # classes whose one-hot is written out
_PICTURE = 120  # pixels
_WIDE = (10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
_MINUS = "\u2212"


@dataclass(frozen=True, eq=False)
class _Asked:
    """The scores in question, and whose they are.

    Attributes:
        names: of the classes.
        picture: what the network was asked about; None for scores that a person sets.
        whose: a sentence about the network.
    """

    scores: tuple[float, ...]
    label: int
    names: tuple[str, ...]
    picture: Picture | None = None
    whose: str = ""


@CONCEPTS.add
class Softmax(Concept):
    """Scores become probabilities, and the probability of the true class becomes the loss."""

    number: ClassVar[int] = 6
    title: ClassVar[str] = "Softmax and cross-entropy"
    line: ClassVar[str] = "Scores, probabilities, the loss, and back as p \u2212 y"
    icon: ClassVar[str] = "chart-bar"
    story: ClassVar[str] = (
        "A network leaves a score for each class, any number. Pull the sliders: each row of the table is a class, and "
        "the triangle stands at the true one. Click another row to make it the true class.\n\n"
        "Softmax makes probabilities of the scores: exp makes them positive, and dividing by their sum makes them add "
        "up to 1. Cross-entropy asks one thing only: how probable was the true class? The loss is the minus logarithm "
        "of it, near 0 where the network was sure and right, large where it was sure and wrong.\n\n"
        "In PyTorch nn.CrossEntropyLoss does all of this. So a network ends in raw scores, without a softmax, and the "
        "truth is a class label, not one-hot. The arrows in the last column are the gradient that learning starts from."
    )
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("The example of the notes", {"scores": (2.0, 1.0, 0.1), "label": 0}),
        Preset("Very sure and right", {"scores": (8.0, 0.0, -1.0), "label": 0}),
        Preset("Very sure and wrong", {"scores": (8.0, 0.0, -1.0), "label": 1}),
        Preset("Two equal scores", {"scores": (1.0, 1.0), "label": 0}),
        Preset("Scores of a thousand", {"scores": (1000.0, 999.0, 998.0), "label": 0, "subtract_max": False}),
    )
    looks_at: ClassVar[frozenset[Look]] = frozenset({"pictures", "network"})
    mine: ClassVar[Mapping[str, Any]] = {"source": "my network"}
    seconds: ClassVar[float] = 2.5

    source: Literal["sliders", "my network"] = knob(
        "sliders", "Where the scores come from: set by hand, or left by your network for one of your pictures."
    )
    scores: tuple[Annotated[float, Field(ge=-1000, le=1000)], ...] = knob(
        (2.0, 1.0, 0.1), "What the network leaves, one for each class.", min_length=2, max_length=_MOST
    )
    classes: int = knob(3, "How many classes there are; a new one begins with score 0.", ge=2, le=_MOST, felt=True)
    label: int = knob(0, "The true class, counted from 0.", ge=0, le=_MOST - 1)
    temperature: float = knob(
        1.0, "Divides the scores first: above 1 the classes come closer, below 1 the largest wins more.", ge=0.1, le=10,
        felt=True,
    )  # fmt: skip
    subtract_max: bool = knob(True, "Subtract the largest score before exp, as torch does; see what happens without.")
    index: int = knob(0, "Which of your validation pictures your network is asked about.", ge=0, le=99_999)

    @model_validator(mode="before")
    @classmethod
    def _as_many(cls, values: dict[str, Any]) -> dict[str, Any]:
        """There are as many scores as classes: where only one of both is given, the other follows."""
        if "scores" not in values and "classes" not in values:
            return values
        scores = values.get("scores", cls.model_fields["scores"].default)
        if not _several(scores):
            return values
        count = values.get("classes", len(scores))
        if isinstance(count, int) and 2 <= count <= _MOST:
            scores = (*scores[:count], *[0.0] * (count - len(scores)))
        return {**values, "classes": count, "scores": scores}

    def changed(self, **values: Any) -> Self:
        if _several(values.get("scores")) and "classes" not in values:
            values["classes"] = len(values["scores"])
        return super().changed(**values)

    # ---------------------------------------------------------------- what is asked

    def _asked(self, own: Own) -> _Asked | None:
        """None while the pictures are not open."""
        if self.source == "sliders":
            names = tuple(map(str, range(len(self.scores))))
            return _Asked(self.scores, min(self.label, len(self.scores) - 1), names)
        found = own_network(own)
        if found is None:
            return None
        images = found.images
        index = images.validation[min(self.index, len(images.validation) - 1)]
        scores = found.outputs(np.array([index]))[0].tolist()
        label, pixels = int(images.labels[index]), images.picture(int(index))
        picture = Picture(pixels[0] if len(pixels) == 1 else pixels, f"true class: {images.classes[label]}")
        whose = "Your network" if found.trained else "Your network, not trained yet,"
        if found.experiment.model.ends_in == "Softmax":
            whose = "Your network ends in Softmax, so this is a second one: it"
        return _Asked(tuple(scores), label, images.classes, picture, whose)

    # ---------------------------------------------------------------- the scene

    def scene(self, step: int, own: Own) -> Scene:
        asked = self._asked(own)
        if asked is None:
            return Scene((), missing="No pictures are open.", says="Choose a data set, or set the scores by hand.")
        step = min(step, len(_STORY) - 1)
        climbed = rungs.climbed(asked.scores, asked.label, self.temperature, self.subtract_max)
        torchs = rungs.asked(asked.scores, asked.label, self.temperature)
        table: Exhibit = self._table(step, asked, climbed)
        first: tuple[Exhibit, ...] = (table,)
        if asked.picture is not None:
            first = (
                replace(table, weight=5),
                Pictures(pictures=(asked.picture,), tall=False, cell=_PICTURE // len(asked.picture.values[-1])),
            )
        facts = _filled_in(step, asked, climbed)
        claims = Claims(title="torch says the same", claims=tuple(self._claims(asked, climbed, torchs)))
        return Scene(
            (
                first,
                (facts,),
                (claims,),
                (_loss_curve(torchs, asked.label), _pulled(asked, climbed, torchs, self.temperature)),
            ),
            step,
            len(_STORY),
            self._says(step, asked, climbed, torchs),
            {
                "loss": torchs.cross_entropy,
                "p_true": climbed.p[asked.label],
                "sum_exp": climbed.sum_exp,
                "divergence": climbed.divergence,
                "gradient_true": climbed.slopes[asked.label],
                "log_softmax_true": torchs.log_softmax[asked.label],
                "label": asked.label,
                "temperature": self.temperature,
                "classes": len(asked.scores),
            },
        )

    def _table(self, step: int, asked: _Asked, climbed: Rungs) -> Table:
        columns, cells, sums = zip(*self._columns(step, asked, climbed), strict=True)
        rows: list[tuple[Cell, ...]] = list(zip(*cells, strict=True))
        shown, rest = _some(climbed.scores, asked.label)
        by_hand = self.source == "sliders"
        foot: tuple[tuple[Cell, ...], ...] = (sums,)
        if rest:
            foot = (_others(columns, rows, rest), sums)
        return Table(
            columns=columns,
            rows=tuple(rows[label] for label in shown),
            foot=foot,
            marked=(shown.index(asked.label),),
            classes=tuple(shown),
            edits=tuple({"label": label} for label in shown) if by_hand else (),
        )

    def _columns(self, step: int, asked: _Asked, climbed: Rungs) -> list[tuple[Column, Sequence[Cell], Cell]]:
        """Each column with its cells and what stands below them."""
        high = _high(climbed.scores)
        score = Column("score", digits=2, state=_state(step, 0))
        if self.source == "sliders":
            score = replace(score, kind="signed", high=high, sets="scores", step=high / 100)
        columns: list[tuple[Column, Sequence[Cell], Cell]] = [
            (Column("class", "text"), asked.names, "sum"),
            (score, asked.scores, None),
        ]
        if self.temperature != 1:
            columns.append((Column("/ T", digits=2, state=_state(step, 0)), climbed.tempered, None))
        if self.subtract_max:
            columns.append((Column(f"{_MINUS} max", digits=2, state=_state(step, 1)), climbed.shifted, None))
        ends = max(1 / self.temperature, 1.0)
        return [
            *columns,
            (Column("exp", state=_state(step, 2, 3)), climbed.exps, climbed.sum_exp),
            (Column("p", "bar", high=1.0, state=_state(step, 4)), climbed.p, math.fsum(climbed.p)),
            (Column("y", digits=0, state=_state(step, 5)), climbed.y, 1.0),
            (Column("log p", state=_state(step, 6)), climbed.log_p, None),
            (Column(f"{_MINUS}y log p", state=_state(step, 7)), climbed.terms, climbed.divergence),
            (Column(self._slope(), "signed", high=ends, state=_state(step, 9)), climbed.slopes, None),
        ]

    def _slope(self) -> str:
        return f"p {_MINUS} y" if self.temperature == 1 else f"(p {_MINUS} y) / T"

    def _claims(self, asked: _Asked, climbed: Rungs, torchs: Torchs) -> list[Claim]:
        """What comes out of the rungs against torch's own functions. Where float32 ended on the way, it is claimed that
        it did."""
        two = "nn.LogSoftmax, then nn.NLLLoss: the same as nn.CrossEntropyLoss"
        claims = [Claim(two, torchs.nll, torchs.cross_entropy)]
        if climbed.finite:
            most = max(range(len(climbed.p)), key=lambda label: abs(climbed.slopes[label] - torchs.slopes[label]))
            return [
                Claim("D, column by column, is nn.CrossEntropyLoss", climbed.divergence, torchs.cross_entropy),
                *claims,
                Claim(f"{self._slope()} of class {asked.names[most]} is the gradient of autograd", climbed.slopes[most],
                      torchs.slopes[most]),
            ]  # fmt: skip
        largest = max(climbed.tempered)
        if math.isinf(climbed.sum_exp):
            power = math.inf if largest > _EXP_ENDS else math.exp(largest)
            claims.append(Claim(f"e^{largest:g} in float32", power, max(climbed.exps)))
        return claims

    # ---------------------------------------------------------------- words

    def _says(self, step: int, asked: _Asked, climbed: Rungs, torchs: Torchs) -> str:
        label = asked.label
        true, p = asked.names[label], climbed.p[label]
        if step >= 2 and not climbed.finite:
            return _broken(step, climbed, torchs)
        best = max(range(len(asked.scores)), key=climbed.scores.__getitem__)
        shifted = f"the largest, {_number(climbed.tempered[best], 2)}, is taken from all of them"
        words = (
            f"{asked.whose or 'The network'} leaves a score for each class, any number. The largest, "
            f"{_number(climbed.scores[best], 2)}, is that of class {asked.names[best]}; the true class is {true}.",
            f"Before exp {shifted}. The probabilities stay the same, and exp cannot become too large for float32."
            if self.subtract_max
            else "Nothing is subtracted here, as the formula is written: exp gets the scores as they are.",
            f"exp makes every number positive: e^{_number(climbed.shifted[label], 2)} = {_number(climbed.exps[label])} "
            f"for class {true}. One more in the score is 2.718 times as much here.",
            f"All of them together are {_number(climbed.sum_exp)}, below the line.",
            f"Each one divided by this sum: {_number(climbed.exps[label])} / {_number(climbed.sum_exp)} = {p:.4f} for "
            f"class {true}. Now they add up to 1.",
            f"The truth. The formula wants it one-hot, 1 at class {true} and 0 elsewhere; PyTorch wants the class "
            f"label alone, {label}.",
            "The logarithm of a probability is 0 where it is 1, and the further below the less likely the class was: "
            f"log {p:.4f} = {_number(climbed.log_p[label])} for class {true}.",
            f"D(\u0177, y) = {_MINUS}\u2211 y log \u0177. y is 0 everywhere but at class {true}, so this is "
            f"{_MINUS}log {p:.4f} = {climbed.divergence:.4f}: the loss of this one picture.",
            f"nn.CrossEntropyLoss gets the scores and the label, and gives {torchs.cross_entropy:.4f} at once. It is "
            "nn.LogSoftmax and nn.NLLLoss in one, so there is no softmax at the end of a network.",
            f"Backwards, the gradient for each score is {self._slope()}. It is negative at class {true}: a step "
            "against it raises that score, and lowers all others, the more the likelier they were held.",
        )
        return words[step]

    def code(self, step: int, own: Own) -> str:
        asked = self._asked(own)
        assert asked is not None
        scores = ", ".join(repr(float(f"{score:.9g}")) for score in asked.scores)
        origin = "" if asked.picture is None else "  # what your network leaves for this picture"
        shift = "z - z.max()" if self.subtract_max else "z"
        log_p = "shifted - sum_exp.log()" if self.subtract_max else "p.log()"
        return f"""import torch
from torch import nn

scores = torch.tensor([{scores}], requires_grad=True){origin}
label, temperature = {asked.label}, {self.temperature}

# step by step
z = scores.detach() / temperature
shifted = {shift}
exps = shifted.exp()
sum_exp = exps.sum()
p = exps / sum_exp
y = nn.functional.one_hot(torch.tensor(label), {len(asked.scores)})
log_p = {log_p}
divergence = -(y * log_p).sum()
p_true = p[label]
gradient_true = ((p - y) / temperature)[label]

# torch's own, from scores and label
batch, labels = (scores / temperature)[None], torch.tensor([label])
cross_entropy = nn.CrossEntropyLoss()(batch, labels)
log_softmax = nn.LogSoftmax(dim=1)(batch)
nll = nn.NLLLoss()(log_softmax, labels)
cross_entropy.backward()
loss, log_softmax_true = cross_entropy.item(), log_softmax[0, label].item()
print(loss, nll.item(), scores.grad)
"""


_EXP_ENDS = math.log(3.4028234663852886e38)
"""exp of more is infinite in float32."""


def _loss_curve(torchs: Torchs, label: int) -> Plot:
    """The loss over the probability of the true class, and where it is now."""
    now = torchs.p[label], torchs.cross_entropy
    top = max(5.0, now[1] * 1.15)
    p, loss = rungs.losses(top)
    return Plot(
        title=f"The loss is {_MINUS}log p of the true class",
        lines=(Line(f"{_MINUS}log p", p, loss, "training"),),
        spots=(Spot(*now, f"{now[1]:.3f}"),),
        x_name="p of the true class",
        x_range=(0.0, 1.0),
        y_range=(0.0, top),
    )


def _pulled(asked: _Asked, climbed: Rungs, torchs: Torchs, temperature: float) -> Plot:
    """The probabilities while the score of the true class is pulled and the others stay."""
    label = asked.label
    span = _around(climbed.scores, label, temperature)
    along, p = rungs.pulled(asked.scores, label, temperature, span)
    shown, _ = _some(climbed.scores, label)
    lines = [Line(f"p of {asked.names[one]}", along, p[one], f"class {one}") for one in shown if one != label]
    true = Line(f"p of {asked.names[label]}", along, p[label], f"class {label}")
    return Plot(
        title=f"Pull the score of class {asked.names[label]}",
        lines=(true, *lines[:_LINES]),
        spots=(Spot(climbed.scores[label], torchs.p[label], f"{torchs.p[label]:.3f}"),),
        x_name=f"score of class {asked.names[label]}",
        x_range=span,
        y_range=(0.0, 1.0),
    )


def _around(scores: Sequence[float], label: int, temperature: float) -> tuple[float, float]:
    """Where a score makes a difference to the others, and where it is."""
    if _high(scores) == _WIDE[0]:
        return -_WIDE[0], _WIDE[0]
    middle = max(score for one, score in enumerate(scores) if one != label)
    reach = _WIDE[0] * max(temperature, 1.0)
    return min(middle - reach, scores[label] - 1), max(middle + reach, scores[label] + 1)


def _several(scores: object) -> bool:
    return isinstance(scores, (tuple, list)) and 2 <= len(scores) <= _MOST


def _high(scores: Sequence[float]) -> float:
    """The end of the scale on which these scores are seen."""
    largest = max(map(abs, scores))
    return next((most for most in _WIDE if largest <= most), largest)


def _state(step: int, *own: int) -> State:
    """Of a column that the story speaks of in the steps `own`."""
    return "waiting" if step < own[0] else "now" if step in own else "done"


def _number(value: float, digits: int = 4) -> str:
    text = f"{value:,.{digits}f}" if abs(value) < 1e6 else f"{value:.1e}"
    return text.replace("-", _MINUS)


def _some(scores: Sequence[float], label: int) -> tuple[list[int], list[int]]:
    """Classes to show, in their order, and the others: of many the likeliest ones and the true one."""
    if len(scores) <= _MOST:
        return list(range(len(scores))), []
    best = sorted(range(len(scores)), key=lambda one: -scores[one])[: _MOST - 1]
    shown = sorted({label, *best})
    return shown, [one for one in range(len(scores)) if one not in shown]


def _others(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], rest: Sequence[int]) -> tuple[Cell, ...]:
    """One line for all classes that have none of their own: sums of what can be added."""
    cells: list[Cell] = [f"{len(rest):,} others"]
    for number, column in enumerate(columns[1:], 1):
        added = column.title in ("exp", "p")
        cells.append(math.fsum(float(rows[label][number] or 0.0) for label in rest) if added else None)
    return tuple(cells)


def _filled_in(step: int, asked: _Asked, climbed: Rungs) -> Facts:
    """The formulas with the numbers of the true class."""
    label = asked.label
    p, exp, total = climbed.p[label], _number(climbed.exps[label]), _number(climbed.sum_exp)
    one_hot = ", ".join(f"{one:.0f}" for one in climbed.y)
    if len(climbed.y) > _WRITTEN:
        one_hot = "0, \u2026, 1, \u2026, 0"
    return Facts(
        facts=(
            Fact("p of the true class", f"{p:.4f}", "S(y\u1d62) = e^y\u1d62 / \u2211 e^y\u2c7c", f"{exp} / {total}",
                 _state(step, 3, 4)),
            Fact("label, one-hot", str(label), "1 at the label, 0 elsewhere", f"({one_hot})", _state(step, 5)),
            Fact("D(\u0177, y)", f"{climbed.divergence:.4f}", f"{_MINUS}\u2211 y log \u0177",
                 f"{_MINUS}1 \u00d7 log {p:.4f}", _state(step, 6, 7)),
        ),
    )  # fmt: skip


def _broken(step: int, climbed: Rungs, torchs: Torchs) -> str:
    """Where float32 ended."""
    torch_way = (
        f"nn.CrossEntropyLoss subtracts the largest score first and gives {torchs.cross_entropy:.4f}. Turn "
        "subtract_max on, and the columns agree."
    )
    if not math.isinf(climbed.sum_exp):
        return f"A probability is too small for float32 and became 0, and its logarithm is {_MINUS}inf. {torch_way}"
    words = f"float32 ends at 3.4e38, so e^{max(climbed.tempered):g} is inf"
    if step < 4:
        return f"{words}: too large to be written. {torch_way}"
    return f"{words}, inf / inf is nan, not a number, and from there on nothing is one. {torch_way}"
