"""What is seen under the microscope, step by step: pictures, arithmetic and sizes of one convolution.

Each step is a function from a `Look` to exhibits and a sentence, so that the story is a list of functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gui_lab.core.exhibits import Claim, Claims, Edit, Exhibit, Fact, Facts, Frame, Picture, Pictures
from gui_lab.core.microscope import Sliding, field, field_by_gradient
from gui_lab.core.microscope_pictures import (
    MOST,
    PLACE,
    Look,
    arriving,
    below_zero,
    count,
    largest,
    map_picture,
    map_title,
    number,
    plane,
    sides,
    wall,
)  # fmt: skip

if TYPE_CHECKING:
    from torch import Tensor

Rows = tuple[tuple[Exhibit, ...], ...]
_EPOCHS, _NAMED = 24, 8  # filters through the epochs of a run; so many have room for a word


def picture_step(look: Look) -> tuple[Rows, str]:
    view = look.view
    if look.typed:
        kernel = plane(
            view.weight[0, 0], f"kernel {sides(view.sliding.size)}", two_sided=True, limit=largest(view.weight)
        )
        picture = plane(view.arriving[0], f"picture {sides(view.arriving.shape[1:])}", grey=True)
        grey = ", in grey" if len(look.source) > 1 else ""
        says = (
            f"{look.name}{grey}: {sides(view.arriving.shape[1:])} numbers from 0, black, to 1, white. "
            f"The kernel beside it has {sides(view.sliding.size)} numbers."
        )
        return ((Pictures(pictures=(picture, kernel)),),), says
    own = Picture(look.source, "in the data set", low=0, high=255)
    reaching = tuple(
        plane(
            one,
            f"channel {place}" if len(look.reaching) > 1 else "reaches the network",
            two_sided=below_zero(look.reaching),
            limit=largest(look.reaching),
        )
        for place, one in enumerate(look.reaching[:MOST])
    )
    shape = sides(look.reaching.shape)
    says = f"{look.name}. After your transforms {shape} numbers of it reach the network. {look.weights}"
    if look.layer == 1:
        return ((Pictures(pictures=(own, *reaching)),),), says
    arrive = wall(view.arriving, "maps arrive at this convolution", look.part, "part", below_zero(view.arriving))
    return ((Pictures(pictures=(own, *reaching)), arrive),), says


def slide_step(look: Look) -> tuple[Rows, str]:
    view = look.view
    done = view.maps[look.channel].clone()
    done.view(-1)[look.row * view.size[1] + look.column + 1 :] = math.nan
    so_far = Picture(
        done.numpy(), map_title(look), "diverging", -(limit := max(largest(view.maps[look.channel]), 1e-6)), limit,
        numbers=True, frames=(Frame(look.row, look.column),), place=PLACE, chosen=(look.row, look.column),
    )  # fmt: skip
    by = f"{view.sliding.stride[0]} pixel{'s' if view.sliding.stride[0] > 1 else ''}"
    what = "kernel slides over the picture" if look.typed else "filter slides over what arrives"
    says = (
        f"The {what}, {by} at a time. Now it lies on the framed pixels, which make row "
        f"{look.row}, column {look.column} of the map. Click or drag to move it."
    )
    return ((Pictures(pictures=(arriving(look), so_far)),),), says


def _equation(look: Look, *, summed: bool) -> Pictures:
    """Patch times kernel, and with `summed` on to the pixel."""
    view = look.view
    patch = view.patch(look.channel, look.row, look.column)
    products = view.products(look.channel, look.row, look.column)
    kernel = view.weight[look.channel]
    limit = largest(products)
    under = plane(
        patch[look.inside], "under it", grey=look.typed, two_sided=below_zero(view.arriving),
        limit=largest(view.arriving[look.part]),
    )  # fmt: skip
    pictures = [
        under,
        plane(kernel[look.inside], "kernel" if look.typed else "filter", two_sided=True, limit=largest(kernel)),
        plane(products[look.inside], "products", two_sided=True, limit=limit),
    ]
    signs = ["×", "="]
    if summed:
        here, bias = products[look.inside].sum(), view.bias[look.channel]
        others = products.sum() - here
        end = max(largest(here), largest(others), abs(look.pixel), limit)
        terms = [("sum", here)] if len(products) == 1 else [("sum", here), (f"{len(products) - 1} others", others)]
        for name, value in (*terms, ("bias", bias), ("pixel", view.maps[look.channel, look.row, look.column])):
            pictures.append(plane(value.reshape(1, 1), name, two_sided=True, limit=end))
        signs += ["Σ", *["+"] * len(terms), "="]
    return Pictures(pictures=tuple(pictures), signs=tuple(signs), tall=False)


def _pair(look: Look) -> tuple[Exhibit, ...]:
    """What arrives and the map; and of several arriving channels their products."""
    view = look.view
    pair = Pictures(
        pictures=(arriving(look), map_picture(look, view.maps[look.channel], map_title(look), True)), weight=3
    )
    if view.weight.shape[1] == 1:
        return (pair,)
    products = view.products(look.channel, look.row, look.column)
    first = view.channels_of(look.channel).start
    start = look.inside // MOST * MOST
    limit = max(largest(products), 1e-6)
    pictures = tuple(
        Picture(
            one.numpy(),
            str(first + start + place),
            "diverging",
            -limit,
            limit,
            edit={"part": first + start + place},
            state="now" if start + place == look.inside else "plain",
        )
        for place, one in enumerate(products[start : start + MOST])
    )
    return (pair, Pictures(title="Products, by what arrives", pictures=pictures, weight=2))


def multiply_step(look: Look) -> tuple[Rows, str]:
    view = look.view
    amount = math.prod(view.sliding.size)
    says = f"Each of the {amount} pixels under the kernel is multiplied by the number of the kernel at the same place."
    if view.weight.shape[1] > 1:
        says = (
            f"Filter {look.channel} has {sides(view.sliding.size)} numbers for each of the {view.weight.shape[1]} "
            f"channels that arrive. Channel {look.part} is written out below; click another one on the right."
        )
    return ((*_pair(look),), (_equation(look, summed=False),)), says


def sum_step(look: Look) -> tuple[Rows, str]:
    view = look.view
    amount = view.weight[look.channel].numel()
    ours = view.pixel_sum(look.channel, look.row, look.column)
    claim = Claim("Sum of products + bias is torch's conv2d", ours, look.pixel)
    says = (
        f"All {count(amount)} products and the bias {number(float(view.bias[look.channel]))} are summed up: "
        f"{number(look.pixel)} is the pixel at row {look.row}, column {look.column} of the map."
    )
    return ((*_pair(look),), (_equation(look, summed=True),), (Claims(claims=(claim,)),)), says


def map_step(look: Look) -> tuple[Rows, str]:
    view = look.view
    limit = largest(view.maps)
    if look.typed:
        kernel = plane(view.weight[0, 0], "kernel", two_sided=True, limit=largest(view.weight))
        pictures = (arriving(look), kernel, map_picture(look, view.maps[0], map_title(look), True))
        says = (
            f"The same {sides(view.sliding.size)} numbers at each place make the whole map, {sides(view.size)}. "
            f"Blue is below zero, red above."
        )
        return ((Pictures(pictures=pictures, signs=("∗", "=")),),), says
    chosen = Pictures(
        title=f"Map {look.channel}", pictures=(map_picture(look, view.maps[look.channel], "", True, limit),)
    )
    says = (
        f"Convolution {look.layer} of {look.layers} has {count(len(view.maps))} filters, and each makes a map. Blue is "
        f"below zero, red above. Click a map, and a pixel of it."
    )
    return ((wall(view.maps, "maps leave it", look.channel, "channel", True, limit), chosen),), says


def activation_step(look: Look) -> tuple[Rows, str]:
    view = look.view
    before, after = view.maps[look.channel], view.active[look.channel]
    pictures = (
        map_picture(look, before, map_title(look), True),
        map_picture(look, after, f"after {view.activation}", below_zero(view.active)),
    )
    if not view.activation:
        return ((Pictures(pictures=pictures[:1]),),), "No activation follows this convolution."
    changed = int((before < 0).sum())
    says = f"{view.activation} follows: {number(look.pixel)} becomes {number(float(after[look.row, look.column]))}."
    if view.activation == "ReLU":
        says = (
            f"ReLU keeps what is above zero and makes the rest 0: {changed} of {before.numel()} pixels are below. "
            f"{number(look.pixel)} becomes {number(float(after[look.row, look.column]))}."
        )
    return ((Pictures(pictures=pictures),),), says


def pool_step(look: Look) -> tuple[Rows, str]:
    view, pool = look.view, look.view.pool
    active = view.active[look.channel]
    if pool is None:
        why = "Choose max or average as the pool." if look.typed else "This network has none here."
        shown = map_picture(
            look, active, f"after {view.activation}" if view.activation else "map", below_zero(view.active)
        )
        return ((Pictures(pictures=(shown,)),),), f"No pooling follows, so the map stays as it is. {why}"
    row, column = look.pool_pixel
    leaving, window = pool.leaving[look.channel], view.window(look.channel, row, column)
    top, left = (at - by for at, by in zip(pool.sliding.corner(row, column), pool.sliding.padding, strict=True))
    first = Frame(max(top, 0), max(left, 0), *window.shape)
    limit, two_sided = max(largest(active), 1e-6), below_zero(view.active)
    before = plane(
        active, f"before, {sides(active.shape)}", two_sided=two_sided, limit=limit,
        frames=(*_winners(look), first), place=PLACE, chosen=(look.row, look.column),
    )  # fmt: skip
    after = plane(
        leaving, f"after, {sides(leaving.shape)}", two_sided=two_sided, limit=limit, frames=(Frame(row, column),)
    )
    value = leaving[row, column].reshape(1, 1)
    word = "max" if pool.kind == "max" else "mean"
    equation = Pictures(
        pictures=(
            plane(window, "window", two_sided=two_sided, limit=limit),
            plane(value, word, two_sided=two_sided, limit=limit),
        ),
        signs=("→",),
        tall=False,
    )
    ours = float(window.max()) if pool.kind == "max" else float(window.double().mean())
    claim = Claim(
        f"The {word} of the window is torch's {'max' if pool.kind == 'max' else 'avg'}_pool2d", ours, float(value)
    )
    kept = "its largest pixel, framed in orange" if pool.kind == "max" else "the mean of its pixels"
    says = (
        f"Each {sides(pool.sliding.size)} window keeps only {kept}: {count(active.numel())} pixels become "
        f"{count(leaving.numel())}."
    )
    return ((Pictures(pictures=(before, after)),), (equation,), (Claims(claims=(claim,)),)), says


def _winners(look: Look) -> tuple[Frame, ...]:
    """The winning pixel of each window."""
    pool = look.view.pool
    if pool is None or pool.winners is None:
        return ()
    width = look.view.size[1]
    places = pool.winners[look.channel].flatten().tolist()
    return tuple(Frame(place // width, place % width, role="validation") for place in places)


def sizes_step(look: Look) -> tuple[Rows, str]:
    view, reach = look.view, receptive(look)
    pictures = [_reaching(look, reach), map_picture(look, view.maps[look.channel], map_title(look), True)]
    if view.pool is not None:
        title = f"pooled {sides(view.pool.leaving.shape[1:])}"
        pictures.append(plane(view.pool.leaving[look.channel], title, two_sided=below_zero(view.active)))
    whose = "" if look.typed else "Stride, padding, dilation and pooling are those of your network."
    rows: Rows = ((Pictures(pictures=tuple(pictures)),), (Facts(facts=size_facts(look), caption=whose),))
    says = "All sizes with the present numbers."
    if reach is not None and view.before is not None:
        picture = (look.reaching.shape[1], look.reaching.shape[2])
        found = field_by_gradient(view.before, (look.row, look.column), picture)
        claim = Claim("Pixels in the receptive field, and those with a gradient", _area(reach), _area(found))
        rows = (*rows, (Claims(claims=(claim,)),))
        says += " The pixel in hand depends on the framed part of the picture alone: its receptive field."
    return rows, says


def _reaching(look: Look, reach: tuple[tuple[int, int], tuple[int, int]] | None) -> Picture:
    """What reaches the network as a picture again, from black to white, with the receptive field in a frame."""
    frames: tuple[Frame, ...] = ()
    if reach is not None and _area(reach):
        (top, bottom), (left, right) = reach
        frames = (Frame(top, left, bottom - top + 1, right - left + 1),)
    title = f"picture {sides(look.reaching.shape[1:])}"
    if look.typed:
        return plane(look.reaching[0], title, grey=True, frames=frames)
    low, high = float(look.reaching.min()), float(look.reaching.max())
    unit = (look.reaching - low) / max(high - low, 1e-6)
    seen = unit if len(unit) == 3 else unit[0]
    return Picture(seen.numpy(), title, low=0.0, high=1.0, frames=frames)


def _area(reach: tuple[tuple[int, int], tuple[int, int]]) -> float:
    return float(math.prod(last - first + 1 for first, last in reach))


def receptive(look: Look) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Rows and columns of the picture that the pixel in hand depends on; None where that is not told by windows."""
    before = look.view.before
    if before is None:
        return None
    return field(before, (look.row, look.column), (look.reaching.shape[1], look.reaching.shape[2]))


def reach_of(before: Sequence[Sliding], axis: int = 1) -> list[int]:
    """Pixels that one pixel depends on, layer by layer back to the picture, from 1; without edges."""
    found = [1]
    for sliding in reversed(before):
        found.append((found[-1] - 1) * sliding.stride[axis] + sliding.extent[axis])
    return found


def size_facts(look: Look) -> tuple[Fact, ...]:
    """The formulas of the notes, filled in."""
    view, sliding = look.view, look.view.sliding
    filters = len(view.maps)
    facts = [Fact("map width", str(view.size[1]), *_width(view.arriving.shape[2], sliding), "now")]
    if view.pool is not None:
        filled = _width(view.size[1], view.pool.sliding)[1]
        facts.append(Fact("pooled width", str(view.pool.leaving.shape[2]), "the same with its window", filled))
    facts.append(
        Fact(
            "multiplications",
            count(view.multiplications),
            "maps × pixels × weights",
            f"{filters} × {count(math.prod(view.size))} × {view.weight[0].numel()}",
        )
    )
    if view.next_cost is not None:
        name = "next layer" if view.pool is None else "next layer, unpooled"
        facts.append(Fact(name, count(view.next_cost(view.size)), f"on maps of {sides(view.size)}"))
        if view.pool is not None:
            after = (view.pool.leaving.shape[1], view.pool.leaving.shape[2])
            facts.append(Fact("next layer, pooled", count(view.next_cost(after)), f"on maps of {sides(after)}"))
    if view.before is not None:
        reach = reach_of(view.before)
        told = " → ".join(map(str, reach))
        facts.append(Fact("receptive field", sides((reach_of(view.before, 0)[-1], reach[-1])), "(R − 1) S + F", told))
    return tuple(facts)


def _width(arriving: int, sliding: Sliding) -> tuple[str, str]:
    """The formula of the width that leaves, and filled in; in brackets where it has to be rounded down."""
    size, stride, padding, dilation = (
        pair[1] for pair in (sliding.size, sliding.stride, sliding.padding, sliding.dilation)
    )
    spread, filled = "F", str(size)
    if dilation > 1:
        spread, filled = "(D (F − 1) + 1)", f"({dilation} × {size - 1} + 1)"
    opens, closes = "", ""
    if (arriving + 2 * padding - sliding.extent[1]) % stride:
        opens, closes = "⌊", "⌋"
    return (
        f"{opens}(W − {spread} + 2P) / S{closes} + 1",
        f"{opens}({arriving} − {filled} + {2 * padding}) / {stride}{closes} + 1",
    )


def filters_step(look: Look) -> tuple[Rows, str]:
    view = look.view
    filters = view.weight[:, look.inside]
    limit = largest(view.weight)
    of = f", for channel {look.part}" if view.weight.shape[1] > 1 else ""
    shown = wall(filters, f"filters{of}", look.channel, "channel", True, limit)
    kept = _spread([(epoch, weight[look.channel, look.inside]) for epoch, weight in look.kept])
    end = max([largest(one) for _, one in kept], default=0.0) or limit
    word = "epoch " if len(kept) <= _NAMED else ""
    history = tuple(
        plane(
            one, f"{word}{epoch}", two_sided=True, limit=end, edit=_of_epoch(epoch),
            state="now" if epoch == look.epoch else "plain",
        )
        for epoch, one in kept
    )  # fmt: skip
    last = view.weight if look.newest is None else look.newest
    newest = plane(
        last[look.channel, look.inside], "now", two_sided=True, limit=end, edit=_of_epoch(0),
        state="plain" if look.epoch else "now",
    )  # fmt: skip
    says = f"The numbers of all {count(len(filters))} filters{of}: blue below zero, red above. "
    says += "Below, the chosen one after each epoch of the run." if kept else look.weights
    row = Pictures(
        title=f"Filter {look.channel}{' after each epoch' if kept else ''}",
        pictures=(*history, newest),
        tall=False,
        caption=_history(look),
    )
    return ((shown,), (row,)), says


def _spread(kept: list[tuple[int, Tensor]]) -> list[tuple[int, Tensor]]:
    """As many as fit, evenly from the first to the last."""
    if len(kept) <= _EPOCHS:
        return kept
    return [kept[round(place * (len(kept) - 1) / (_EPOCHS - 1))] for place in range(_EPOCHS)]


def _of_epoch(epoch: int) -> Edit:
    return {"epoch": epoch}


def _history(look: Look) -> str:
    return "Click an epoch to look at its weights." if look.kept else "After each epoch of a run it is shown here too."
