"""Reading pixels at other places: cut-outs at a place of its own for each picture, and affine grids.

Both are what torchvision does picture by picture, for a whole batch at once and to the bit. A grid's last bits decide
which pixel is the nearest, so its arithmetic must be torchvision's: `bmm` of three terms. Where a processor's `bmm`
rounds after each product and each sum (seen by asking it), the same numbers come from a sum of a row and a column.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor


def windows(pictures: Tensor, top: npt.NDArray[Any], left: npt.NDArray[Any], height: int, width: int) -> Tensor:
    """Cut a window out of each picture.

    Args:
        pictures: (B, C, H, W), any dtype.
        top, left: int64 (B,), such that each window lies inside of its picture.
        height, width: of a window, pixels.

    Returns:
        (B, C, height, width), contiguous.
    """
    import torch

    pictures = pictures.contiguous()
    count, channels, rows, columns = pictures.shape
    step = channels * rows * columns
    places = (rows - height) * columns + (columns - width) + 1
    # every window that starts anywhere, as one overlapping view: then a batch of them is one selection
    shape = ((count - 1) * step + places, channels, height, width)
    anywhere = pictures.as_strided(shape, (1, rows * columns, columns, 1), pictures.storage_offset())
    starts = top * columns + left + np.arange(0, count * step, step)
    return anywhere.index_select(0, torch.from_numpy(starts).to(pictures.device))


def affine_grid(matrices: npt.NDArray[Any], height: int, width: int, dtype: Any, device: Any) -> Tensor:
    """Where each output pixel is read from, as torchvision's `_affine_grid` for output of the input's size.

    Args:
        matrices: float64 (B, 6) or (B, 2, 3), the inverse maps in row order, in pixels from the middle.
        height, width: of the pictures.
        dtype, device: of the grid.

    Returns:
        (B, H, W, 2) in [-1, 1], for `grid_sample` without `align_corners`.
    """
    import torch

    kind = str(dtype).removeprefix("torch.")
    scaled = matrices.reshape(-1, 2, 3).astype(kind) / np.array([[0.5 * width], [0.5 * height]], kind)
    if _rounds_each_step(height, width, dtype, str(device)):
        return _summed(scaled, height, width, device)
    theta = torch.from_numpy(scaled).transpose(1, 2).to(device)
    return (_base(height, width, dtype, device) @ theta).view(-1, height, width, 2)


def _summed(scaled: npt.NDArray[Any], height: int, width: int, device: Any) -> Tensor:
    """x * scaled[0] + y * scaled[1] + scaled[2], rounded after each step, the last where it is not 0; (B, H, W, 2), the
    coordinates in two planes. Numbers of one row or column are so few that numpy is the quicker one."""
    import torch

    kind = str(scaled.dtype)
    columns, rows = scaled[:, :, :1] * _pixels(width, kind), scaled[:, :, 1:2] * _pixels(height, kind)
    grid = torch.from_numpy(columns).to(device)[:, :, None, :] + torch.from_numpy(rows).to(device)[:, :, :, None]
    if scaled[:, :, 2].any():
        grid += torch.from_numpy(scaled[:, :, 2:]).to(device)[:, :, :, None]
    return grid.permute(0, 2, 3, 1)


@functools.lru_cache(maxsize=32)
def _pixels(count: int, dtype: str) -> npt.NDArray[Any]:
    """The middles of pixels from the middle of the picture, (count,)."""
    import torch

    values: npt.NDArray[Any] = torch.linspace((1 - count) * 0.5, (count - 1) * 0.5, count).numpy().astype(dtype)
    return values


def _base(height: int, width: int, dtype: Any, device: Any) -> Tensor:
    """The output pixels as (x, y, 1) from the middle, (1, H * W, 3)."""
    import torch

    base = torch.ones(1, height, width, 3, dtype=dtype)
    base[..., 0], base[..., 1] = (
        torch.from_numpy(_pixels(width, "float32")),
        torch.from_numpy(_pixels(height, "float32"))[:, None],
    )
    return base.view(1, height * width, 3).to(device)


@functools.lru_cache(maxsize=64)
def _rounds_each_step(height: int, width: int, dtype: Any, device: str) -> bool:
    """Whether `bmm` at this size gives what `_summed` gives. A fused product and sum differs in one of five numbers, so
    that a few matrices tell."""
    import torch

    angles = np.arange(1, 9) * 0.7
    rotated = np.stack([np.cos(angles), np.sin(angles), angles, -np.sin(angles), np.cos(angles), angles], axis=1)
    scaled = (rotated.reshape(-1, 2, 3) / [[0.5 * width], [0.5 * height]]).astype(str(dtype).removeprefix("torch."))
    base = _base(height, width, dtype, device)
    one_by_one = torch.cat([base.bmm(torch.from_numpy(one.T)[None].to(device)) for one in scaled])
    return torch.equal(one_by_one.view(-1, height, width, 2), _summed(scaled, height, width, device))
