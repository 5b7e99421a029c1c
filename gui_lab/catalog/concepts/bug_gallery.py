"""The bug gallery: classic bugs of beginners, each trained beside a healthy twin, and a quiz that shows only curves.

What differs is one line, so what one sees comes from it. In the quiz the answer carries the number of its round: an
answer given before is none to the next question, and nothing needs to be reset.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

import numpy as np

from gui_lab.core.bugs import BUGS, EVERY, MOMENTS, NAMES, Bug, Name
from gui_lab.core.concepts import CONCEPTS, Concept, Own, Preset, Scene, Value, film
from gui_lab.core.dice import shuffled
from gui_lab.core.exhibits import Column, Exhibit, Line, Mark, Plot, Question, Table
from gui_lab.core.twins import Moment
from gui_lab.schema import knob

_CHOICES = 6
_LAST = float(1 + (MOMENTS - 1) * EVERY)
_FLOOR = math.log(math.e + 9) - 1
_GUESSING = math.log(10)

Moments = Sequence[tuple[Moment, ...]]


@CONCEPTS.add
class BugGallery(Concept):
    """A healthy network beside one with a classic bug: the same weights, the same batches, one other line."""

    number: ClassVar[int] = 8
    title: ClassVar[str] = "Bug gallery"
    line: ClassVar[str] = "The bugs everyone writes once, and how their curves give them away"
    icon: ClassVar[str] = "bug"
    story: ClassVar[str] = (
        "Most bugs in training code raise no error. The network trains, only worse, and the curves are all one has.\n\n"
        "Here two networks start with the same weights and learn the same batches of digits. They differ in one line,"
        " which stands below the plots. Green is how it was meant, red and dashed how it was written. Choose a bug and"
        " play.\n\n"
        "Ask of the red curves: does the training loss move at all? Does it fall, but the accuracy stays? Is the"
        " accuracy too good? Each question leaves only a few bugs.\n\n"
        'Then set mode to "find": only the curves are shown, and you say which bug it is. Each round has another.'
    )
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Find the bug", {"mode": "find"}),
        Preset("Accuracy that is too good", {"bug": "train/test leak"}),
        Preset("A loss that explodes", {"bug": "learning rate x100"}),
    )
    seconds: ClassVar[float] = 0.15

    mode: Literal["show", "find"] = knob("show", "Show a bug, or find one by its curves.")
    bug: Name = knob("no zero_grad", "The bug that is shown; one to be found is drawn.")
    seed: int = knob(0, "Of the first weights and the order of the pictures.", ge=0, le=9999)
    round: int = knob(1, "The question of the quiz: another one, another bug.", ge=1, le=9999)
    answer: str = knob("", "The round and the bug that was answered.", max_length=60, listed=False)

    # ---------------------------------------------------------------- the quiz

    def _bug(self) -> Bug:
        """The one that is shown: twelve rounds have all twelve, in an order of their own."""
        if self.mode == "show":
            return BUGS[self.bug]
        turn, place = divmod(self.round - 1, len(NAMES))
        return BUGS[NAMES[shuffled(len(NAMES), self.seed, turn)[place]]]

    def _answered(self) -> Name | None:
        if self.mode == "find":
            return next((name for name in NAMES if self.answer == self._key(name)), None)
        return None

    def _key(self, name: str) -> str:
        return f"{self.round}: {name}"

    def _told(self) -> bool:
        """Whether the bug may be named."""
        return self.mode == "show" or self._answered() is not None

    def _offered(self) -> list[Name]:
        """The bug and others that leave a trace of another kind, in an order that tells nothing."""
        bug = self._bug()
        looks, offered = {bug.look}, [bug.name]
        for place in shuffled(len(NAMES), self.seed, self.round, 1):
            other = BUGS[NAMES[place]]
            if other.look not in looks and len(offered) < _CHOICES:
                looks.add(other.look)
                offered.append(other.name)
        return [offered[place] for place in shuffled(_CHOICES, self.seed, self.round, 2)]

    # ---------------------------------------------------------------- the scene

    def _moments(self, step: int) -> Moments:
        """A quiz shows its curves whole."""
        bug, seed = self._bug(), self.seed
        key = ("BugGallery", bug.name, seed)
        return film(key, lambda: bug.race(seed)).upto(step if self.mode == "show" else MOMENTS - 1)

    def scene(self, step: int, own: Own) -> Scene:
        step = min(step, MOMENTS - 1)
        moments, bug = self._moments(step), self._bug()
        rows: list[tuple[Exhibit, ...]] = [(self._losses(moments), self._accuracies(moments))]
        if self.mode == "find":
            rows.append((self._question(),))
        if self._told():
            rows.append((_lines(bug),))
        steps = MOMENTS if self.mode == "show" else 1
        return Scene(tuple(rows), min(step, steps - 1), steps, self._says(moments), self._facts(moments))

    def _facts(self, moments: Moments) -> dict[str, Value]:
        healthy, buggy = moments[-1]
        facts: dict[str, Value] = {
            "iteration": healthy.iteration,
            "healthy_loss": healthy.loss,
            "buggy_loss": buggy.loss,
            "healthy_accuracy": healthy.accuracy,
            "buggy_accuracy": buggy.accuracy,
            "answered": self._answered() is not None,
            "right": self._answered() == self._bug().name,
        }
        return facts | ({"bug": self._bug().name} if self._told() else {})

    def _says(self, moments: Moments) -> str:
        if self.mode == "find":
            return "One of the two networks has a bug in one line. Which one do the red curves give away?"
        if len(moments) == 1:
            return (
                "Both have the same weights and took the same first batch; one line differs. Play to see what it does."
            )
        healthy, buggy = moments[-1]
        return (
            f"Iteration {healthy.iteration}: loss {_loss(healthy.loss)}, with the bug {_loss(buggy.loss)}; accuracy"
            f" {_percent(healthy.accuracy)}, with the bug {_percent(buggy.accuracy)}. {self._bug().seen}"
        )

    def _losses(self, moments: Moments) -> Plot:
        marks = [Mark(_GUESSING, "guessing: ln 10 = 2.303")]
        if self._told() and self._bug().name == "softmax before the loss":
            marks.append(Mark(_FLOOR, f"floor: ln(e + 9) - 1 = {_FLOOR:.4f}", role="error"))
        return Plot(
            title="Training loss",
            lines=_curves(moments, lambda moment: moment.loss),
            marks=tuple(marks),
            x_name="iteration",
            y_name="loss",
            x_range=(0.0, _LAST),
            y_range=(0.0, 5.0),
        )

    def _accuracies(self, moments: Moments) -> Plot:
        return Plot(
            title="Accuracy on validation pictures",
            lines=_curves(moments, lambda moment: moment.accuracy),
            marks=(Mark(0.1, "guessing: 0.1"),),
            x_name="iteration",
            y_name="accuracy",
            x_range=(0.0, _LAST),
            y_range=(0.0, 1.0),
        )

    def _question(self) -> Question:
        answered, bug = self._answered(), self._bug()
        right = answered == bug.name
        remark = ""
        if answered is not None:
            other = "" if right else f' "{BUGS[answered].name}" would look otherwise: {_within(BUGS[answered].seen)}'
            remark = f"It is {bug.name}. {bug.seen}{other} Raise round by one for another bug."
        return Question(
            text=f"Round {self.round}: which line is wrong?",
            sets="answer",
            choices={self._key(name): name for name in self._offered()},
            answer=self.answer if answered is not None else None,
            verdict="" if answered is None else "right" if right else "wrong",
            remark=remark,
        )

    def code(self, step: int, own: Own) -> str:
        iterations = self._moments(step)[-1][0].iteration
        return self._bug().code(iterations, self.seed, self._told())


def _curves(moments: Moments, value: Callable[[Moment], float]) -> tuple[Line, ...]:
    x = np.array([healthy.iteration for healthy, _ in moments], np.float64)
    healthy, buggy = (np.array([value(both[place]) for both in moments]) for place in (0, 1))
    return Line("healthy", x, healthy, "best"), Line("with the bug", x, buggy, "error", dashed=True)


def _lines(bug: Bug) -> Table:
    """What was written and what was meant; below it how one notices."""
    return Table(
        title=f"{bug.name[0].upper()}{bug.name[1:]}: one line",
        caption=bug.notice,
        columns=(Column("", "text"), Column("line of code", "text")),
        rows=(("written", bug.written), ("meant", bug.meant)),
    )


def _loss(value: float) -> str:
    return f"{value:.4f}" if value < 100 else f"{value:.0f}"


def _percent(part: float) -> str:
    return f"{100 * part:.0f}\u2009%"


def _within(sentence: str) -> str:
    """A sentence after a colon."""
    return f"{sentence[0].lower()}{sentence[1:]}"
