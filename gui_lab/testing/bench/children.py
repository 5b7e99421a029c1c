"""A process that measures when it is told to, and its other end.

Children are started once and asked in turns, so that what is compared is measured within seconds of each other and
nobody's start is measured. A question and its answer are one line of JSON each. While one child is asked the others
wait and take nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from gui_lab.errors import LabError

Answer = dict[str, Any]


def answers() -> IO[str]:
    """Where the answers of this process go; whatever prints to stdout from now on comes out on stderr."""
    kept = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return kept


def answered(line: str, perform: Callable[[Mapping[str, Any]], Answer], to: IO[str]) -> None:
    """Do what a line asks for and write the answer; an expected error is an answer too."""
    try:
        answer = perform(json.loads(line))
    except LabError as error:
        answer = {"failed": error.sentence, "remedy": error.remedy}
    print(json.dumps(answer), file=to, flush=True)


def serve(perform: Callable[[Mapping[str, Any]], Answer]) -> None:
    """Answer until nobody asks any more."""
    to = answers()
    for line in sys.stdin:
        answered(line, perform, to)


class Child:
    """The end that asks. Use it as a context manager: the process ends with it."""

    def __init__(self, module: str, home: Path, environment: Mapping[str, str | None] | None = None) -> None:
        """
        Args:
            module: run with `python -m`; it serves.
            home: its GUI_LAB_HOME, so that nobody's runs and settings are touched.
            environment: what it gets beside that of this process; None takes a name away.
        """
        given = {**os.environ, "GUI_LAB_HOME": str(home), **(environment or {})}
        self._module = module
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env={name: value for name, value in given.items() if value is not None},
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, limit_seconds: float, **question: Any) -> Answer:
        """
        Raises:
            LabError: it failed, ended, or did not answer in time.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        late = threading.Timer(limit_seconds, self._process.kill)
        late.start()
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            late.cancel()
        if not line:
            raise LabError(f"{self._module} ended without an answer: {self._last_words()}", "This is a bug; tell us.")
        answer: Answer = json.loads(line)
        if "failed" in answer:
            raise LabError(answer["failed"], answer["remedy"])
        return answer

    def _last_words(self) -> str:
        self._process.wait()
        self._said.seek(0)
        lines = [line.strip() for line in self._said if line.strip()]
        return lines[-1] if lines else f"exit status {self._process.returncode}"

    def close(self) -> None:
        """Let it end by itself; twice is harmless."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()
