"""Backpropagation in the three steps of the course notes, and then downhill; on networks of a few numbers, and on a
person's own with one of their pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gui_lab.core.concepts import CONCEPTS, Concept, Look, Own, Preset, Scene, film
from gui_lab.core.exhibits import Picture
from gui_lab.core.expressions import in_torch, over, parsed
from gui_lab.schema import knob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gui_lab.core.chain_rule import ChainRule
    from gui_lab.core.layer_pass import Pass
    from gui_lab.core.own_network import OwnNetwork


@CONCEPTS.add
class Backpropagation(Concept):
    """Forward to the loss, local gradients, backward by the chain rule, and the weight moves."""

    number: ClassVar[int] = 2
    title: ClassVar[str] = "Backpropagation"
    line: ClassVar[str] = "Forward to the loss, back by the chain rule, and the weight takes a step"
    icon: ClassVar[str] = "arrow-u-up-left"
    story: ClassVar[str] = (
        "A network is a chain of small operations. The boxes show them; the blue number above an arrow is what moves "
        "forward.\n\n"
        "First the forward pass: from x to the loss, which says how wrong y_hat is. Then each operation is looked at "
        "alone: how much does its output answer when its input moves a little? That is its local gradient.\n\n"
        "The backward pass goes from the loss to the left. At each arrow the local gradient is multiplied with what "
        "came back so far: the orange line below it. What arrives at a weight says which way makes the loss larger, "
        "so the update goes the other way.\n\n"
        "Step on and watch the point roll down. Try a learning rate above 1, or your own network."
    )
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("One weight", {}),
        Preset("Two layers", {"network": "two layers", "updates": 40}),
        Preset("A learning rate that is too large", {"lr": 1.1}),
        Preset("My own network", {"network": "mine"}),
    )
    looks_at: ClassVar[frozenset[Look]] = frozenset({"pictures", "network"})
    mine: ClassVar[Mapping[str, Any]] = {"network": "mine"}

    network: Literal["one weight", "two layers", "mine"] = knob(
        "one weight", "Which network; mine is the one on the Model page, with one of your pictures."
    )
    x: float = knob(1.0, "The input.", ge=-5, le=5, felt=True)
    y: float = knob(2.0, "The true value.", ge=-5, le=5, felt=True)
    w: float = knob(1.0, "The weight to begin with; of two layers that of the first.", ge=-5, le=5, felt=True)
    w2: float = knob(1.0, "The weight of the second of two layers.", ge=-5, le=5, felt=True)
    lr: float = knob(0.1, "Learning rate: how far an update goes along the gradient.", ge=0.001, le=2, felt=True)
    updates: int = knob(12, "How many updates follow the backward pass.", ge=0, le=100)
    index: int = knob(0, "Which picture goes through your own network.", ge=0, le=10_000_000)

    def scene(self, step: int, own: Own) -> Scene:
        if self.network != "mine":
            return self._chain_rule().scene(step)
        found = self._passed(own)
        if found is None:
            missing = "The pictures are not there yet"
            return Scene((), says="As soon as a data set is open, your network is shown here.", missing=missing)
        from gui_lab.core.layer_story import layer_scene

        told, own_network = found
        picture = own_network.pictures(self._indices(own_network))[0].numpy()
        shown = Picture(picture if len(picture) == 3 else picture[0])
        if len(picture) == 3:  # a colour picture is shown from 0 to 1, whatever its normalisation
            low, high = picture.min(), picture.max()
            shown = Picture((picture - low) / max(float(high - low), 1e-6))
        return layer_scene(told, step, shown, trained=own_network.trained, classes=own_network.images.classes)

    def code(self, step: int, own: Own) -> str:
        if self.network != "mine":
            done = max(step - self._chain_rule().told + 1, 0)
            return "\n".join(self._lines(done))
        found = self._passed(own)
        return "" if found is None else _from_scores(found[0], found[1].experiment.model.ends_in)

    # ---------------------------------------------------------------- single numbers

    def _chain_rule(self) -> ChainRule:
        from gui_lab.core.chain_rule import ChainRule

        return ChainRule(self.network, self._values(), self.lr, self.updates)

    def _values(self) -> dict[str, float]:
        weights = {"w": self.w} if self.network == "one weight" else {"w1": self.w, "w2": self.w2}
        return {"x": self.x, "y": self.y, **weights}

    def _lines(self, done: int) -> Iterator[str]:
        from gui_lab.core.chain_rule import NETS, values_text

        net, values = NETS[self.network], self._values()
        given = parsed(values_text(values))
        yield from ("import torch", "")
        for name, value in values.items():
            grad = ", requires_grad=True" if name in net.weights else ""
            yield f"{name} = torch.tensor({value!r}, dtype=torch.float64{grad})"
        yield f"optimiser = torch.optim.SGD([{', '.join(net.weights)}], lr={self.lr!r})"
        yield from ("", f"for updates in range({done + 1}):", "    optimiser.zero_grad()")
        for statement in over(given, net.expressions):
            yield f"    {statement.name} = {in_torch(statement.expression)}"
        between = [name for name in net.forward if name != "loss"]
        yield f"    for value in ({', '.join(between)}):"
        yield "        value.retain_grad()  # torch keeps gradients of leaves only, unless it is told"
        yield "    loss.backward()"
        yield f"    if updates < {done}:"
        yield "        optimiser.step()"
        yield ""
        for name in (*reversed(between), *net.weights):
            yield f"dloss_d{name} = {name}.grad.item()"
        yield ""

    # ---------------------------------------------------------------- the own network

    def _indices(self, own_network: OwnNetwork) -> Any:
        import numpy as np

        return np.array([min(self.index, len(own_network.images.pictures) - 1)])

    def _passed(self, own: Own) -> tuple[Pass, OwnNetwork] | None:
        """One picture through it and back; kept as long as nothing of it changes."""
        from gui_lab.core.own_network import own_network

        def begin() -> Iterator[tuple[Pass, OwnNetwork] | None]:
            from gui_lab.core.layer_pass import passed

            found = own_network(own)
            if found is None:
                yield None
                return
            index = self._indices(found)
            label = int(found.images.labels[index[0]])
            yield passed(found.network, found.pictures(index)[0].float(), label, found.experiment.model.ends_in), found

        chosen = own.experiment
        parts = (chosen.model, chosen.transforms, chosen.training.seed) if chosen is not None else ()
        kept = film(("layers", repr(parts), own.images, own.weights, self.index), begin).upto(0)
        return kept[0] if kept else next(begin())  # one that failed before fails again, with its reason


def _from_scores(told: Pass, ends_in: str) -> str:
    """What comes before the scores is the whole network; from there on the numbers can be read."""
    measure = "nll_loss" if ends_in == "LogSoftmax" else "cross_entropy"
    scores = ", ".join(f"{score:.6g}" for score in told.scores)
    return f"""import torch
from torch.nn import functional

# scores = network(picture): what your network leaves of this picture
scores = torch.tensor([[{scores}]], requires_grad=True)
label = {told.label}
loss = functional.{measure}(scores, torch.tensor([label]))
loss.backward()
print(scores.grad.norm())

# after loss.backward() on the whole network, the size of the gradient in each layer:
# for name, weight in network.named_parameters():
#     print(name, weight.grad.norm())
"""
