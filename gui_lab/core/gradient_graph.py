"""A record of operations as a graph to look at: a box for each term, an arrow for each operand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from gui_lab.core.exhibits import Edge, Edit, Graph, Node, State
from gui_lab.core.figures import figure, vector
from gui_lab.core.gradients import Link, Record, Term

_MOST_WRITTEN = 4
_ON_ARROWS = 3  # digits of a vector


@dataclass(frozen=True)
class Look:
    """What of a record is to be seen.

    Attributes:
        reached: keys of the terms whose value is known; the others are faint and say nothing.
        now, links: keys and links that are in hand.
        backward: the words below links.
        notes: a further line in the box of a term.
    """

    reached: frozenset[str] = frozenset()
    now: frozenset[str] = frozenset()
    links: frozenset[Link] = frozenset()
    backward: Mapping[Link, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)


def title_of(term: Term) -> str:
    """y = x + 2; y ** 2; x"""
    named = not term.key.startswith("_")
    return f"{term.key} = {term.words}" if named and term.function else term.words if term.function else term.key


def short_of(term: Term) -> str:
    """y; (y ** 2)"""
    return term.key if not term.key.startswith("_") else f"({term.words})"


def value_words(term: Term, digits: int = 4) -> str:
    """25; (3, 4); ((1, 2), (3, 4)); a large matrix by its shape."""
    if term.tensor.dim() < 2:
        return vector(term.numbers.tolist(), digits)
    if term.tensor.numel() > _MOST_WRITTEN:
        return "×".join(str(side) for side in term.tensor.shape) + " numbers"
    rows = term.tensor.detach().tolist()
    return f"({', '.join('(' + ', '.join(figure(one, digits) for one in row) + ')' for row in rows)})"


def graph(
    record: Record,
    target: str,
    look: Look,
    whole: Look,
    *,
    title: str = "",
    edits: Mapping[str, Edit] | None = None,
    detailed: bool = True,
) -> Graph:
    """
    Args:
        target: the key of the term that is differentiated.
        whole: all that is to be seen in the end, for the room that it needs.
        edits: what a click on a term sets, by key.
        detailed: with the shape and torch's name of each operation.
    """
    every = replace(whole, reached=frozenset(record.terms))
    nodes, edges = _drawn(record, target, every, edits or {}, detailed)
    room = Graph(nodes=nodes, edges=edges)
    nodes, edges = _drawn(record, target, look, edits or {}, detailed)
    return Graph(title=title, tall=False, nodes=nodes, edges=edges, whole=room)


def _drawn(
    record: Record, target: str, look: Look, edits: Mapping[str, Edit], detailed: bool
) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    nodes = tuple(
        Node(
            key=term.key,
            title=title_of(term),
            lines=_lines(term, look, detailed),
            kind=_kind(term, target),
            state=_state(term.key in look.now, term.key in look.reached),
            edit=edits.get(term.key),
        )
        for term in record.terms.values()
    )
    edges = tuple(
        Edge(
            link.start,
            link.end,
            forward=value_words(record.terms[link.start], _ON_ARROWS) if link.end in look.reached else "",
            backward=look.backward.get(link, ""),
            state=_state(link in look.links, link.end in look.reached),
        )
        for link in record.links
    )
    return nodes, edges


def _kind(term: Term, target: str) -> Literal["leaf", "op", "result"]:
    return "result" if term.key == target and term.function else "op" if term.function else "leaf"


def _state(now: bool, reached: bool) -> State:
    return "now" if now else "done" if reached else "waiting"


def _lines(term: Term, look: Look, detailed: bool) -> tuple[str, ...]:
    if term.key not in look.reached:
        return ()
    lines = [value_words(term)]
    if detailed:
        lines.append(f"shape {tuple(term.tensor.shape)}" if term.tensor.dim() else "scalar")
        lines.append(term.grad_fn or ("requires_grad" if term.tensor.requires_grad else "no gradient"))
    note = look.notes.get(term.key)
    return (*lines, note) if note else tuple(lines)
