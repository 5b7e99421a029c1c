"""Random numbers that are a pure function of where they are used.

A picture's draws come from (seed, epoch, index of the picture, place in the chain) through a counter-based generator
and from nothing else. So a preview of epoch 3 shows what training sees in epoch 3, a resumed run continues exactly,
neither batch size nor order nor number of workers changes a draw, and torch's global generator stays untouched. The
mixing function is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014), whose output passes BigCrush; it is
written out here so that the numbers stay the same under every version of numpy and torch.
"""

from __future__ import annotations

import copy
import functools
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
_WORD = 0xFFFFFFFFFFFFFFFF
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_FACTORS = np.uint64(_FIRST), np.uint64(_SECOND)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    mixed = values >> _SHIFTS[0]  # the one new array: the rest is done in place, which halves the time of a small batch
    mixed ^= values
    mixed *= _FACTORS[0]
    mixed ^= mixed >> _SHIFTS[1]
    mixed *= _FACTORS[1]
    mixed ^= mixed >> _SHIFTS[2]
    return mixed


def _mixed(value: int) -> int:
    """`_mix` of one number: plain integers are ten times as fast as an array of one."""
    value = (value ^ (value >> 30)) * _FIRST & _WORD
    value = (value ^ (value >> 27)) * _SECOND & _WORD
    return value ^ (value >> 31)


@functools.lru_cache(maxsize=256)
def _key(*parts: int) -> np.uint64:
    """A 64-bit key from integers, each mixed in before the next."""
    key = 0
    for part in parts:
        key = _mixed(key + (part & _WORD) + int(_GOLDEN) & _WORD)
    return np.uint64(key)


def seed_of(*parts: int) -> int:
    """A seed in [0, 2**63) for torch's own generator, from integers such as (seed, epoch, iteration)."""
    return int(_key(*parts)) >> 1


def salt_of(name: str, occurrence: int) -> int:
    """What tells one place of a chain from another: the name and how many of that name stand before it. Inserting
    another transform therefore does not change what this one draws."""
    return zlib.crc32(f"{name}/{occurrence}".encode())


def shuffled(count: int, *parts: int) -> Indices:
    """A permutation of range(count) that depends on the integers alone, int64 of shape (count,)."""
    keys = _mix(_key(*parts, 0x5B0FF1E) + np.arange(count, dtype=np.uint64) * _GOLDEN)
    return np.argsort(keys, kind="stable").astype(np.int64)


def _step(roll: int) -> np.uint64:
    """What tells one roll from another; numpy warns where a product of two of its scalars wraps."""
    return np.uint64(roll * int(_GOLDEN) & _WORD)


def _unit(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Uniform in [0, 1) from keys, 53 bits each."""
    return (_mix(keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53


_NONE = np.empty((0, 0))
_STEPS = np.array([[_step(1)], [_step(2)]])  # most transforms roll once or twice


class Dice:
    """The draws of one place in the chain for a batch of pictures: each call rolls once per picture."""

    def __init__(self, seed: int, epoch: int, indices: Sequence[int] | Indices, salt: int) -> None:
        places = np.asarray(indices, dtype=np.int64).astype(np.uint64)
        self._keys = _mix(_key(seed, epoch, salt) + places * _GOLDEN)
        self._rolled, self._ahead = 0, _NONE

    @classmethod
    def together(cls, seed: int, epoch: int, indices: Indices, salts: Sequence[int]) -> list[Dice]:
        """Dice of several places for the same pictures. They roll what each of them alone would, but their keys and
        first rolls are mixed in one go: in a small batch it is the number of calls that takes time."""
        places = indices.astype(np.uint64) * _GOLDEN
        keys = _mix(np.array([_key(seed, epoch, salt) for salt in salts], np.uint64)[:, None] + places)
        ahead = _unit(keys[:, None] + _STEPS)
        made = [cls.__new__(cls) for _ in salts]
        for dice, its_keys, its_rolls in zip(made, keys, ahead, strict=True):
            dice._keys, dice._rolled, dice._ahead = its_keys, 0, its_rolls
        return made

    def fork(self, salt: int) -> Dice:
        """Other dice for the same pictures, whose draws do not depend on how often these were rolled."""
        forked = copy.copy(self)
        forked._keys = _mix(self._keys ^ _key(salt))
        forked._rolled, forked._ahead = 0, _NONE
        return forked

    def __len__(self) -> int:
        return len(self._keys)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> npt.NDArray[np.float64]:
        """float64 of shape (B,), uniform in [low, high)."""
        self._rolled += 1
        if self._rolled <= len(self._ahead):
            unit: npt.NDArray[np.float64] = self._ahead[self._rolled - 1]
        else:
            unit = _unit(self._keys + _step(self._rolled))
        return low + (high - low) * unit

    def integers(self, count: int) -> Indices:
        """int64 of shape (B,), uniform in {0, ..., count - 1}."""
        return np.floor(self.uniform() * count).astype(np.int64)

    def seeds(self) -> Indices:
        """int64 of shape (B,): what `noise` makes a field of random numbers from, one for each picture."""
        return (self.uniform() * 2.0**53).astype(np.int64)

    def chance(self, p: float) -> npt.NDArray[np.bool_]:
        """bool of shape (B,), true with probability p."""
        return self.uniform() < p


def noise(seed: int, count: int) -> npt.NDArray[np.float64]:
    """A field of random numbers from one of `Dice.seeds`: float64 of shape (count,), uniform in (0, 1)."""
    field: npt.NDArray[np.float64] = _noises([seed], count)[0]
    return field


def _noises(seeds: Sequence[int], count: int) -> npt.NDArray[np.float64]:
    """A field for each seed, (B, count)."""
    keys = np.array([_key(seed) for seed in seeds], np.uint64)[:, None]
    bits = _mix(keys + np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN)
    bits >>= np.uint64(11)
    unit = bits.astype(np.float64)
    unit += 0.5
    unit *= 2.0**-53
    return unit


def normal_noise(seed: int, count: int) -> npt.NDArray[np.float32]:
    """As `noise`, normally distributed with mean 0 and standard deviation 1 (Box and Muller, 1958), float32: sine and
    cosine are seven times as fast in it."""
    field: npt.NDArray[np.float32] = normal_noises([seed], count)[0]
    return field


def normal_noises(seeds: Sequence[int], count: int) -> npt.NDArray[np.float32]:
    """The `normal_noise` of each seed, (B, count): of a few small fields it is the number of calls that takes time."""
    half = (count + 1) // 2
    unit = _noises(seeds, 2 * half).astype(np.float32)
    radius, angle = np.sqrt(np.float32(-2) * np.log(unit[:, :half])), np.float32(2 * np.pi) * unit[:, half:]
    normal = np.empty_like(unit)
    np.multiply(radius, np.cos(angle), out=normal[:, :half])
    np.multiply(radius, np.sin(angle), out=normal[:, half:])
    return normal[:, :count]
