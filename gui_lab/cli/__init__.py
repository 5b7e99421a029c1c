"""The command line: the same experiments, runs and catalogue as in the window, for scripts and machines without one.

Verbs are thin. What there is to choose, to check and to train comes from the declarations and functions that the
window uses too; here it is only put into words and exit statuses: 0 done, 1 an expected error, 2 problems in what was
asked for, 130 and 143 stopped by a signal. Results go to stdout, everything else to stderr. torch is imported by the
verbs that compute, and Qt by the one that shows a window.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from gui_lab.cli.bench import bench
from gui_lab.cli.doctor import doctor
from gui_lab.cli.documents import check, new
from gui_lab.cli.listing import list_entries
from gui_lab.cli.opening import open_file
from gui_lab.cli.own import own
from gui_lab.cli.terminal import complain, problem_lines, survive_any_text
from gui_lab.cli.tracing import trace
from gui_lab.cli.training import branch, train
from gui_lab.cli.window import demo
from gui_lab.core import memory
from gui_lab.errors import InvalidExperiment, LabError

app = typer.Typer(
    help="A desktop training lab for PyTorch. Without a verb, or with a FILE.lab, it opens the window.",
    epilog="`gui-lab --version` tells the version; `gui-lab VERB --help` what a verb takes.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _verb, _function in (
    ("list", list_entries),
    ("new", new),
    ("check", check),
    ("train", train),
    ("branch", branch),
    ("trace", trace),
    ("own", own),
    ("open", open_file),
    ("doctor", doctor),
    ("demo", demo),
    ("bench", bench),
):
    app.command(_verb)(_function)


def run(argv: Sequence[str]) -> int:
    """Run a verb; returns the exit status. Expected errors end as a line on stderr, never as a traceback.

    Args:
        argv: the words after the program's name.
    """
    memory.keep_freed()
    survive_any_text()
    status = _invoked(argv)
    try:
        print(end="", flush=True)
    except OSError:
        # nobody reads any more or the disk is full: what is still buffered must not fail again at the very end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return status or 1
    return status


def _invoked(argv: Sequence[str]) -> int:
    try:
        typer.main.get_command(app)(args=list(argv), prog_name="gui-lab")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except InvalidExperiment as invalid:
        complain(invalid.sentence)
        for problem in invalid.problems:
            complain("\n".join(problem_lines(problem)))
        return 2
    except LabError as error:
        complain(str(error))
        return 1
    return 0
