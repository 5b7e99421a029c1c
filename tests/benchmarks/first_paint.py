"""How long from process start to the first painted window, to pages, and to the first batch trained.

    uv run python tests/benchmarks/first_paint.py [--runs 5]

Each run is a new process of the real program on the Qt platform in force (offscreen where there is no display), the
same as `gui-lab bench --only start` measures. Printed are the smallest, median and largest milliseconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from gui_lab.testing.bench.first_paint import measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    if not os.environ.get("DISPLAY"):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory() as home:
        results = measured(Path(home), runs)
    for name in results[0]:
        values = [one[name] for one in results]
        if name == "others":
            print(f"{'others':20} {max(values):7.0%} of the processors at most")
        else:
            print(f"{name:20} {min(values):7.0f} {statistics.median(values):7.0f} {max(values):7.0f} ms")


if __name__ == "__main__":
    main()
