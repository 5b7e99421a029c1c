"""GUI Lab: a desktop training lab for PyTorch.

Rooms import one way: errors <- schema <- core <- catalog <- export <- cli, and qt above them all. Nothing here is
imported before it is needed: the window paints before torch is loaded, and listing the catalogue never loads it.

OpenMP's waiting threads must soon sleep and not spin on: on a machine that also draws a window (or does anything else)
spinning ones steal the processor from those that compute, and a small network was measured to train ten times slower.
But to wake one takes longer than most of a small network's layers: where they sleep at once, LeNet learns colour
pictures slower on two threads than on one; where they spin for the while between two layers, 1.4 times as fast. OpenMP
reads this once, when torch is loaded, so it is said here; a person's own setting is kept. GOMP_SPINCOUNT is that of
GNU's OpenMP, which torch brings on Linux; others know the policy alone.
"""

import os
from typing import Any

if "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")  # some tens of microseconds


def __getattr__(name: str) -> Any:
    """`__version__`, read from the installation when it is asked for: the first paint does not wait for it."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("gui-lab")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+source"
