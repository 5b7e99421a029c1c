"""Softmax and cross-entropy, from scores to the loss."""

from __future__ import annotations

from typing import ClassVar

from gui_lab.core.concepts import CONCEPTS, Concept, Own, Preset, Scene
from gui_lab.core.exhibits import Claim, Claims, Column, Table
from gui_lab.schema import knob


@CONCEPTS.add
class Softmax(Concept):
    """Scores become probabilities, and the probability of the true class becomes the loss."""

    number: ClassVar[int] = 6
    title: ClassVar[str] = "Softmax and cross-entropy"
    line: ClassVar[str] = "From scores to probabilities to the loss, and back as p - y"
    icon: ClassVar[str] = "chart-bar"
    story: ClassVar[str] = "A network leaves a score for each class."
    presets: ClassVar[tuple[Preset, ...]] = (Preset("Two equal scores", {"scores": (1.0, 1.0)}),)

    scores: tuple[float, ...] = knob(
        (2.0, 1.0, 0.1), "What the network leaves, one for each class.", min_length=2, max_length=12, ge=-50, le=50
    )
    label: int = knob(0, "The true class.", ge=0, le=11)

    def scene(self, step: int, own: Own) -> Scene:
        import torch

        scores = torch.tensor(self.scores)
        p = torch.softmax(scores, 0)
        label = min(self.label, len(self.scores) - 1)
        loss = torch.nn.functional.cross_entropy(scores[None], torch.tensor([label]))
        rows = tuple((str(k), s, q) for k, (s, q) in enumerate(zip(self.scores, p.tolist(), strict=True)))
        table = Table(
            title="The ladder",
            columns=(Column("class", "text"), Column("score"), Column("p", "bar", high=1.0)),
            rows=rows,
            marked=(label,),
        )
        claim = Claim("-log p is nn.CrossEntropyLoss", float(-p[label].log()), float(loss))
        return Scene(
            ((table,), (Claims(claims=(claim,)),)), says="Scores, exp, sum, probability.", facts={"loss": float(loss)}
        )

    def code(self, step: int, own: Own) -> str:
        return f"""import torch

scores = torch.tensor({list(self.scores)})
p = torch.softmax(scores, 0)
loss = torch.nn.functional.cross_entropy(scores[None], torch.tensor([{self.label}]))
"""
