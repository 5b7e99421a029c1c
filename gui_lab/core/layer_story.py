"""The story of one picture in a network: forward layer by layer to the loss, and back with the size of the gradient."""

from __future__ import annotations

from typing import Literal

from gui_lab.core.concepts import Scene, Value
from gui_lab.core.exhibits import Cell, Column, Edge, Graph, Node, Picture, Pictures, State, Table
from gui_lab.core.figures import figure
from gui_lab.core.layer_pass import Pass, Passed

_SHORTER = {"MaxPool2d": "MaxPool", "AvgPool2d": "AvgPool", "AdaptiveAvgPool2d": "AvgPool"}
_PICTURE = 220  # pixels of the picture's longer side


def layer_scene(told: Pass, step: int, picture: Picture, *, trained: bool, classes: tuple[str, ...]) -> Scene:
    """
    Args:
        picture: as the network gets it.
        trained: whether the weights are those of a run.
    """
    count = len(told.layers)
    steps = 2 * count + 3
    step = min(max(step, 0), steps - 1)
    ahead = min(step, count + 1)
    back = max(step - count - 1, 0)
    graph = _graph(told, ahead, back)
    weights = "the run's weights" if trained else "fresh weights: nothing is trained yet"
    caption, cell = f"Class {classes[told.label]}; {weights}.", max(_PICTURE // max(picture.values.shape[-2:]), 1)
    pictures = Pictures(title="The picture", pictures=(picture,), caption=caption, tall=False, cell=cell)
    rows = ((graph,), (_table(told, back), pictures))
    return Scene(rows, step, steps, _says(told, ahead, back), _facts(told, ahead, back))


def _graph(told: Pass, ahead: int, back: int) -> Graph:
    """
    Args:
        ahead: layers that the picture has passed; one more with the loss.
        back: places that the gradient has reached, the scores first, the picture last.
    """
    count = len(told.layers)
    sizes = [told.at_input, *(layer.arriving for layer in told.layers)]
    titles = ["picture", *(_title(layer) for layer in told.layers), "loss"]

    def made(ahead: int, back: int) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
        nodes, edges = [], []
        for place, title in enumerate(titles):
            lines = _lines(told, place) if place <= ahead else ()
            turn = back and place == count + 1 - back
            state: State = "now" if turn or (not back and place == ahead) else "done" if place <= ahead else "waiting"
            nodes.append(Node(str(place), title, lines, _kind(place, count), state))
        for place in range(count + 1):
            reached = back > count - place
            state = "now" if back == count + 1 - place or (not back and place + 1 == ahead) else "plain"
            state = state if place < ahead else "waiting"
            words = f"|g| {figure(sizes[place], 3)}" if reached else ""
            edges.append(Edge(str(place), str(place + 1), _shape(told, place) if place < ahead else "", words, state))
        return tuple(nodes), tuple(edges)

    nodes, edges = made(ahead, back)
    whole = Graph(nodes=made(count + 1, count + 1)[0], edges=made(count + 1, count + 1)[1])
    caption = (
        "Above an arrow: the shape of what goes on; below it: |g|, the size of the gradient that comes back there."
    )
    return Graph(title="Your network, one picture", caption=caption, nodes=nodes, edges=edges, whole=whole, tall=False)


def _kind(place: int, count: int) -> Literal["leaf", "op", "result"]:
    return "leaf" if place == 0 else "result" if place == count + 1 else "op"


def _title(layer: Passed) -> str:
    return _SHORTER.get(layer.kinds[0], layer.kinds[0])


def _shape(told: Pass, place: int) -> str:
    shape = told.input if place == 0 else told.layers[place - 1].shape
    return "×".join(str(side) for side in shape)


def _lines(told: Pass, place: int) -> tuple[str, ...]:
    if place == 0:
        return ()
    if place == len(told.layers) + 1:
        return (figure(told.loss),)
    layer = told.layers[place - 1]
    return tuple(kind for kind in layer.kinds[1:] if not kind.startswith(("Dropout", "Flatten")))


def _table(told: Pass, back: int) -> Table:
    """Layers with weights; a bar appears when the gradient has come there."""
    count = len(told.layers)
    largest = max((layer.weights or 0.0 for layer in told.layers), default=0.0)
    rows: list[tuple[Cell, ...]] = []
    marked = []
    for place, layer in enumerate(told.layers):
        if layer.weights is None:
            continue
        # the gradient by what leaves a layer is known first, that by its weights with the next step
        reached = back >= count + 1 - place
        if back == count + 1 - place:
            marked.append(len(rows))
        rows.append((f"{layer.name} {layer.kinds[0]}", f"{layer.parameters:,}", layer.weights if reached else None))
    return Table(
        title="Size of the gradient by the weights of each layer",
        columns=(Column("layer", "text"), Column("weights", "text"), Column("|dloss/dw|", "bar", 5, largest)),
        rows=tuple(rows),
        marked=tuple(marked),
        weight=2,
    )


def _says(told: Pass, ahead: int, back: int) -> str:
    count = len(told.layers)
    if back:
        place = count + 1 - back
        if place == 0:
            return f"The gradient has come back to the picture: |g| = {figure(told.at_input, 3)} by its pixels."
        layer = told.layers[place - 1]
        own = "" if layer.weights is None else " Its weights get theirs in the next step."
        size = figure(layer.arriving, 3)
        return f"Backward: at the exit of {_title(layer)} the gradient has the size |g| = {size}.{own}"
    if ahead == 0:
        return f"The picture as the network gets it, {_shape(told, 0)} numbers."
    if ahead == count + 1:
        return f"Cross-entropy of the scores and the true class: the loss is {figure(told.loss)}."
    return f"Forward: {_title(told.layers[ahead - 1])} leaves {_shape(told, ahead)} numbers."


def _facts(told: Pass, ahead: int, back: int) -> dict[str, Value]:
    count = len(told.layers)
    facts: dict[str, Value] = {"label": told.label, "layers": count}
    if ahead == count + 1:
        facts["loss"] = told.loss
    for place, layer in enumerate(told.layers):
        name = layer.name.replace(".", "_")
        if back >= count - place:
            facts[f"grad_size_{name}"] = layer.arriving
        if layer.weights is not None and back >= count + 1 - place:
            facts[f"weight_grad_size_{name}"] = layer.weights
    if back > count:
        facts["grad_size_picture"] = told.at_input
    return facts
