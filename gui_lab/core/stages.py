"""A picture at one place of the chain, computed when somebody asks for all of it.

A strip shows a photograph small, with its range and a histogram. Behind a conversion or a normalisation all of that can
be told without the photograph: such a transform changes each value by itself, so some of the values are those of some,
and the ends of a range become its ends. What is told so is the same to the bit as if all of it had been computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gui_lab.core.pipeline import Transform

if TYPE_CHECKING:
    from torch import Tensor


class Stage:
    """A picture that is there.

    Attributes:
        position: index in the chain's list, -1 for the picture as it came.
        name: the transform's name, "source" for the picture as it came.
        drawn: the numbers drawn for this picture, plain ints, floats, bools and lists.
    """

    def __init__(self, position: int, name: str, picture: Tensor | None, drawn: Mapping[str, Any]) -> None:
        self.position, self.name, self.drawn = position, name, drawn
        self._given = picture

    @property
    def picture(self) -> Tensor:
        """(C, H, W), uint8 or float32."""
        assert self._given is not None
        return self._given

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the picture."""
        channels, height, width = self.picture.shape
        return channels, height, width

    def every(self, step: int) -> Tensor:
        """Each `step`th pixel of each `step`th row, (C, H', W')."""
        return self.picture[:, ::step, ::step]

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest value and the largest; no numbers where one of the values is none."""
        low, high = self._ends.aminmax()
        return float(low), float(high)

    @cached_property
    def _ends(self) -> Tensor:
        """The smallest and the largest value of each channel, (C, 1, 2)."""
        import torch

        # channel by channel: along a dimension torch takes forty times as long
        return torch.stack([torch.stack(channel.aminmax()) for channel in self.picture])[:, None]


class Later(Stage):
    """A picture that is computed from the one before it, by a transform that `overwrites`."""

    def __init__(self, position: int, before: Stage, transform: Transform) -> None:
        super().__init__(position, transform.name_of(), None, {})
        self._before, self._transform = before, transform

    @cached_property
    def picture(self) -> Tensor:
        return self._acted(self._before.picture)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self._before.shape

    def every(self, step: int) -> Tensor:
        return self._acted(self._before.every(step))

    @cached_property
    def _ends(self) -> Tensor:
        return self._acted(self._before._ends)

    def _acted(self, some: Tensor) -> Tensor:
        import torch

        with torch.inference_mode():
            acted = self._transform.apply(some[None], {})
        assert not isinstance(acted, list), "a transform that overwrites leaves sizes alone"
        return acted[0]
