"""`gui-lab bench` over the real pictures that lie beside the checkout.

    uv run python tests/benchmarks/live.py [--quick] [--only NAME] [--minutes M] [--json] [--offscreen]

CIFAR-10 is there as an archive of jpg files, which is unpacked into the system's temporary folder once and kept there.
Everything else is the verb's.
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
from pathlib import Path

from gui_lab.cli import run

_SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def root() -> Path:
    """A folder with MNIST and CIFAR-10 as the verb looks for them."""
    kept = Path(tempfile.gettempdir()) / "gui-lab-bench-data"
    kept.mkdir(exist_ok=True)
    if not (kept / "MNIST").exists():
        (kept / "MNIST").symlink_to(_SHARED / "MNIST")
    if not (kept / "cifar10").exists():
        print("unpacking CIFAR-10", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=kept) as temporary:
            with tarfile.open(_SHARED / "cifar10-images.tar.xz") as archive:
                archive.extractall(temporary, filter="data")
            (train,) = Path(temporary).rglob("train")
            train.parent.rename(kept / "cifar10")
    return kept


if __name__ == "__main__":
    sys.exit(run(["bench", "--root", str(root()), *sys.argv[1:]]))
