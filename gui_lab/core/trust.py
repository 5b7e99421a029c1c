"""Code in documents runs only after a person has said yes to exactly that code.

Opening, checking, listing or previewing an experiment never runs code that came with it. A person reads the text and
trusts it; what is remembered is a digest of the text and of where the file lies, so that another file, or the same one
with a byte changed, is asked about again. Trusted code is not caged: it can do what the person can do, and whoever asks
says so.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from gui_lab import paths
from gui_lab.core.files import write_atomically
from gui_lab.errors import StoreError

NOT_CAGED = "Trusted code is not caged: it can read and change whatever you can. Trust only what you understand."


@dataclass(frozen=True)
class Code:
    """Code that an experiment brings.

    Attributes:
        title: what it is called in a sentence: "Lambda", "rescale.py".
        text: all of it, as it would run.
        path: the absolute path of its file; None where it stands in the experiment itself.
    """

    title: str
    text: str
    path: Path | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the path and the text."""
        return hashlib.sha256(f"{self.path or ''}\0{self.text}".encode(errors="surrogatepass")).hexdigest()


_for_this_process: set[str] = set()


def _store() -> Path:
    return paths.config() / "trusted.json"


def _remembered() -> dict[str, str]:
    """Digests and what they are of; a store that cannot be read trusts nothing."""
    try:
        found = json.loads(_store().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_trusted(code: Code) -> bool:
    """Whether a person said yes to exactly this code."""
    return code.digest in _for_this_process or code.digest in _remembered()


def trust(code: Code) -> None:
    """Remember a person's yes.

    Raises:
        StoreError: it cannot be written; nothing is trusted then.
    """
    remembered = _remembered() | {code.digest: str(code.path or code.title)}
    try:
        _store().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(_store(), json.dumps(remembered, indent=2).encode(errors="surrogateescape"))
    except OSError as error:
        sentence = f"The answer could not be kept: {error.strerror or error}."
        raise StoreError(sentence, "Make the settings folder writable.") from error


def trust_for_this_process(code: Code) -> None:
    """A yes that ends with the process: the command line's `--trust-code`, and tests."""
    _for_this_process.add(code.digest)


def forget(code: Code) -> None:
    """Take a yes back.

    Raises:
        StoreError: the store cannot be written.
    """
    _for_this_process.discard(code.digest)
    remembered = _remembered()
    if remembered.pop(code.digest, None) is None:
        return
    try:
        write_atomically(_store(), json.dumps(remembered, indent=2).encode())
    except OSError as error:
        sentence = f"The answer could not be taken back: {error.strerror or error}."
        raise StoreError(sentence, "Make the settings folder writable.") from error
