"""How long the curves take to show news and to be painted, for runs of ten thousand to ten million iterations.

    uv run python tests/benchmarks/curves.py [--rounds 30] [--width 1200] [--height 800]

All four plots are shown. Each round a hundred iterations have come, as ten times a second in the window. Printed are
medians in milliseconds: `take in` the news for all plots; `paint` the loss plot as it is painted then; `lines` all its
lines over axes that stand still, as when an epoch has ended; `anew` with its axes, as when they have moved; `zoom` the
same where the middle tenth is shown; `all` four plots with their axes; `open` is to take in the whole run from nothing,
and `longest` the longest frame of that.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

if not os.environ.get("DISPLAY"):
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

from gui_lab.qt.app import application
from gui_lab.qt.views.curve_plot import Plot
from gui_lab.qt.views.curve_tools import Look
from gui_lab.qt.views.curves import Curves
from gui_lab.testing.bench.repaint import LongRun

NEWS = 100


def median(rounds: int, act: Callable[[], None], before: Callable[[], None] = lambda: None) -> float:
    """Milliseconds of the act, without what comes before it."""
    took = []
    for _ in range(rounds):
        before()
        began = time.perf_counter()
        act()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def lines(plot: Plot) -> None:
    """Paint all its lines."""
    plot._picture = None
    plot.repaint()


def anew(*plots: Plot) -> None:
    """Paint them with their axes and lines, as if everything had changed."""
    for plot in plots:
        plot.redraw()
        plot.repaint()


def measured(count: int, rounds: int, size: tuple[int, int]) -> dict[str, float]:
    app = application()
    run = LongRun(count, more=100_000)
    curves = Curves()
    curves.look = Look(panes=tuple(curves.panes))
    curves.resize(*size)
    curves.show()
    app.processEvents()
    frames = []
    began = time.perf_counter()
    curves.show_history(run.history)
    while True:
        now = time.perf_counter()
        frames.append(now - began)
        began = now
        if not curves._catch_up.isActive():
            break
        app.processEvents()

    def news() -> None:
        run.train(NEWS)
        curves.show_history(run.history)

    found = {"open": 1000 * sum(frames), "longest": 1000 * max(frames)}
    found["take in"] = median(rounds, news)
    found["paint"] = median(rounds, curves.loss.repaint, news)
    found["lines"] = median(rounds, lambda: lines(curves.loss))
    found["anew"] = median(rounds, lambda: anew(curves.loss))
    found["all"] = median(rounds, lambda: anew(*curves.panes.values()))
    whole = count / run.history.started.iterations
    curves.loss.moved.emit(0.45 * whole, 0.55 * whole)
    app.processEvents()
    found["zoom"] = median(rounds, lambda: anew(curves.loss))
    curves.close_down()
    curves.hide()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--width", type=int, default=1200)
    parser.add_argument("--height", type=int, default=800)
    given = parser.parse_args()
    names = ("take in", "paint", "lines", "anew", "zoom", "all", "open", "longest")
    print(f"{'iterations':>12}" + "".join(f"{name:>11}" for name in names))
    for count in (10**4, 10**5, 10**6, 10**7):
        found = measured(count, given.rounds, (given.width, given.height))
        print(f"{count:12,}" + "".join(f"{found[name]:11.2f}" for name in names), flush=True)


if __name__ == "__main__":
    main()
