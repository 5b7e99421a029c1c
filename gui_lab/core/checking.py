"""The static check of a chain: before anything runs, the kind of the pictures is followed through it.

Both paths are followed, that of training pictures and that of validation pictures, where random transforms do not act.
The first transform that is illegal is named with a sentence and with repairs, each of them a whole chain; after it
nothing can be said. What is legal but odd is a warning (`oddities`), told once nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from gui_lab.core.chain import Chain
from gui_lab.core.images import Dataset
from gui_lab.core.oddities import oddities
from gui_lab.core.pipeline import TRANSFORMS, Illegal, Kind, TooLate, Transform
from gui_lab.schema import Problem, Repair


def problems(chain: Chain, kind: Kind, dataset: Dataset | None = None) -> list[Problem]:
    """What is wrong with the chain for pictures of this kind, else all that is odd; paths start with `transforms`.

    Args:
        chain: what is checked.
        kind: of the pictures in the data set.
        dataset: says what its pictures mean once they are mirrored or turned; without it nothing is said of that.

    Returns:
        One error, or any number of warnings, which never keep anybody from training.
    """
    found = _illegal(chain, kind, training=True) or _illegal(chain, kind, training=False)
    wrong = [found] if found else _at_the_end(chain, kind)
    return wrong or oddities(chain, kind, dataset)


def _illegal(chain: Chain, kind: Kind, training: bool) -> Problem | None:
    source = kind
    for position, transform in chain.steps(training):
        try:
            kind = transform.output(kind)
        except Illegal as illegal:
            path = f"transforms.{position}" + (f".{illegal.field}" if illegal.field else "")
            repairs = [
                Repair(label, "transforms", _with(chain, position, instead)) for label, instead in illegal.repairs
            ]
            if illegal.code is not None:
                repairs.append(Repair("Read the code", "code", illegal.code))
            if isinstance(illegal, TooLate):
                repairs = [*_earlier(chain, source, position), *repairs]
            where = "" if training else " (validation pictures: random transforms do not act on them)"
            return Problem(path, illegal.sentence + where, tuple(repairs))
    return None


def _earlier(chain: Chain, source: Kind, position: int) -> list[Repair]:
    """A move to the nearest place before this one at which the whole chain is legal, where there is one."""
    for place in reversed(range(position)):
        before, between = chain.transforms[:place], chain.transforms[place:position]
        moved = (*before, chain.transforms[position], *between, *chain.transforms[position + 1 :])
        other = Chain(moved)
        if all(len(other.kinds(source, training)) == len(other.steps(training)) + 1 for training in (True, False)):
            return [Repair(f"Move it before {chain.transforms[place].name_of()}", "transforms", moved)]
    return []


def _at_the_end(chain: Chain, kind: Kind) -> list[Problem]:
    trained, validated = chain.kinds(kind, True)[-1][1], chain.kinds(kind, False)[-1][1]
    if "uint8" in (trained.dtype, validated.dtype):
        whole = (*chain.transforms, TRANSFORMS.make("ToTensor"))
        where = "" if trained.dtype == "uint8" else " (validation pictures)"
        sentence = f"The network needs float tensors, but uint8 images reach it{where}."
        return [Problem("transforms", sentence, (Repair("Add ToTensor", "transforms", whole),))]
    if trained.size is None:
        return [_many_sizes(chain, kind, trained)]
    if trained.size != validated.size:
        return [_two_sizes(chain, kind, trained, validated)]
    return []


def _many_sizes(chain: Chain, kind: Kind, trained: Kind) -> Problem:
    """Mended behind the last transform that makes sizes differ, else at the front."""
    behind = 0
    for (_, before), (position, _) in pairwise(chain.kinds(kind)):
        if chain.transforms[position].output(before.sized(*before.least)).size is None:
            behind = position + 1
    side = min(*trained.least, 4096)
    fitting = (TRANSFORMS.make("Resize", size=side), TRANSFORMS.make("CenterCrop", size=side))
    whole = (*chain.transforms[:behind], *fitting, *chain.transforms[behind:])
    sentence = "The network needs pictures of one size, but they arrive in different sizes."
    return Problem("transforms", sentence, (Repair(f"Resize and CenterCrop to {side}", "transforms", whole),))


def _two_sizes(chain: Chain, kind: Kind, trained: Kind, validated: Kind) -> Problem:
    """Mended behind the last random transform that changes the size: from there on both paths are the same."""
    position, after = [
        (place, after)
        for (_, before), (place, after) in pairwise(chain.kinds(kind))
        if chain.transforms[place].random and before.size != after.size
    ][-1]
    height, width = after.size or after.least
    crop = TRANSFORMS.make("CenterCrop", size=height if height == width else (height, width))
    whole = _with(chain, position, (chain.transforms[position], crop))
    sentence = (
        f"Training pictures come out as {trained.height}x{trained.width}, validation pictures as "
        f"{validated.height or '?'}x{validated.width or '?'}: random transforms act on training pictures only."
    )
    repair = Repair(f"Insert CenterCrop {height}x{width} after it", "transforms", whole)
    return Problem(f"transforms.{position}", sentence, (repair,))


def _with(chain: Chain, position: int, instead: Sequence[Transform]) -> tuple[Transform, ...]:
    return (*chain.transforms[:position], *instead, *chain.transforms[position + 1 :])
