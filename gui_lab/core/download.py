"""Fetching one published file, so that a cut connection costs nothing and a wrong file never counts as the right one.

torchvision's own fetching has no time-out, writes to the final name and falls back to plain http, so it is not used:
here a file arrives as `.part`, is continued where it was cut, is hashed as a whole, and only then gets its name. The
request runs in a thread of its own because a name lookup or a read that hangs cannot be interrupted: the generator
stays answerable, and closing it cancels at once, also while nothing arrives.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import queue
import shutil
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from gui_lab.core.images import Progress
from gui_lab.errors import DownloadError

STALL_SECONDS = 15.0
LARGEST = 4_000_000_000  # bytes; where neither the caller nor the server says how large a file is
_LOCAL = ("127.0.0.1", "::1", "localhost")
_PIECE = 1 << 16
_TICK = 0.2  # seconds between two signs of life, and so the longest that a cancel waits
_KEPT = "Connect to the network and try again; what has arrived is kept."
_AGAIN = "Try again; what has arrived is kept."

Fetching = Generator[Progress, None, None]


def download(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    size: int | None = None,
    stall_seconds: float = STALL_SECONDS,
) -> Generator[Progress, None, Path]:
    """Fetch a file; yields progress in bytes at least five times a second and returns the target.

    Closing the generator cancels; `<target>.part` is kept and continued next time.

    Args:
        url: https, or http on this machine.
        target: gets its content in one step, when all of it has arrived and is right.
        sha256, md5: hexadecimal sums of the whole file.
        size: of the whole file, in bytes.
        stall_seconds: how long nothing may arrive.

    Raises:
        DownloadError: it could not be fetched, or what arrived is not the file that was asked for.
    """
    _require_secure(url)
    job = _Job(url, target, size, stall_seconds)
    with _writing(target.name):
        target.parent.mkdir(parents=True, exist_ok=True)
    yield from _received(job)
    yield from _verified(job, {"sha256": sha256, "md5": md5})
    with _writing(target.name):
        os.replace(job.part, target)
        job.note.unlink(missing_ok=True)
    return target


@dataclass(frozen=True)
class _Job:
    url: str
    target: Path
    size: int | None
    stall_seconds: float

    @property
    def part(self) -> Path:
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def note(self) -> Path:
        """Beside the part: whose bytes these are, so that only the same content is continued."""
        return self.target.with_name(f"{self.target.name}.part.json")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or self.url

    def forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Begun:
    """What is there of a file: `offset` bytes of `total`, of the content that `validator` names."""

    offset: int = 0
    total: int | None = None
    validator: str = ""


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Message


class _ChangedError(Exception):
    """What the server offers is not what was begun."""


def _require_secure(url: str, came_from: str | None = None) -> None:
    """
    Raises:
        DownloadError: neither https, nor http on this machine (which a redirect reaches only from this machine).
    """
    parts = urlsplit(url)
    local = parts.hostname in _LOCAL and (came_from is None or urlsplit(came_from).hostname in _LOCAL)
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        whence = "" if came_from is None else f"{urlsplit(came_from).hostname} leads elsewhere: "
        raise DownloadError(
            f"{whence}{url[:100]} is not a secure address (https).",
            "Nothing was fetched from there. Fetch the file by hand, or try another network.",
        )


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        with contextlib.ExitStack() as closing:
            closing.callback(fp.close)
            _require_secure(newurl, req.full_url)
            closing.pop_all()
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """urllib's own, less the handlers for files, ftp and data: those addresses then lead nowhere."""
    opener = urllib.request.OpenerDirector()
    opener.addheaders = [("User-Agent", "gui-lab"), ("Accept-Encoding", "identity")]
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _SecureRedirects(),
    ):
        opener.add_handler(handler)
    return opener


class _Arrivals:
    """The answer to one request and then its bytes, as they come; b"" is the end and None a tick without news."""

    def __init__(self, request: urllib.request.Request, stall_seconds: float) -> None:
        self._request = request
        self._stall_seconds = stall_seconds
        self._arrived: queue.Queue[_Answer | bytes | Exception] = queue.Queue(16)
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, name="download", daemon=True)

    def __enter__(self) -> Iterator[_Answer | bytes | None]:
        self._thread.start()
        return self._iterate()

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join(_TICK)  # where it hangs in the system, it ends by its own time-out

    def _iterate(self) -> Iterator[_Answer | bytes | None]:
        latest = time.monotonic()
        while True:
            try:
                news = self._arrived.get(timeout=min(_TICK, self._stall_seconds))
            except queue.Empty:
                if time.monotonic() - latest >= self._stall_seconds:
                    raise TimeoutError from None
                yield None
                continue
            if isinstance(news, Exception):
                raise news
            yield news
            latest = time.monotonic()

    def _run(self) -> None:
        try:
            with _opener().open(self._request, timeout=self._stall_seconds) as response:
                self._put(_Answer(response.status, response.headers))
                data = b"-"
                while data and not self._left.is_set():
                    data = response.read1(_PIECE)
                    self._put(data)
        except urllib.error.HTTPError as error:
            error.close()
            self._put(error)
        except (OSError, http.client.HTTPException, DownloadError, ValueError) as error:
            self._put(error)

    def _put(self, news: _Answer | bytes | Exception) -> None:
        while not self._left.is_set():
            with contextlib.suppress(queue.Full):
                self._arrived.put(news, timeout=_TICK)
                return


def _received(job: _Job) -> Fetching:
    """Bring the part to its full length; starts anew, once, where the server no longer has what was begun."""
    with _writing(job.target.name):
        begun = _begun(job)
    if begun.total is not None and begun.offset == begun.total:
        return
    try:
        yield from _transferred(job, begun)
    except _ChangedError:
        with _writing(job.target.name):
            job.forget()
        try:
            yield from _transferred(job, _Begun())
        except _ChangedError:
            raise DownloadError(f"{job.host} sends another part of {job.target.name} than asked for.", _AGAIN) from None


def _begun(job: _Job) -> _Begun:
    """What an earlier attempt left, if it can be continued."""
    try:
        note = json.loads(job.note.read_text(encoding="utf-8"))
        same = note["url"] == job.url
        begun = _Begun(job.part.stat().st_size, note["total"], str(note["validator"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return _Begun()
    fits = begun.offset > 0 and (begun.total is None or begun.offset <= begun.total)
    return begun if same and fits else _Begun()


def _transferred(job: _Job, begun: _Begun) -> Fetching:
    request = urllib.request.Request(job.url)
    if begun.offset:
        request.add_header("Range", f"bytes={begun.offset}-")
        request.add_header("If-Range", begun.validator)
    try:
        with _Arrivals(request, job.stall_seconds) as arrivals:
            answer = None
            for news in arrivals:
                if isinstance(news, _Answer):
                    answer = news
                    break
                yield Progress(f"Connecting to {job.host}")
            assert answer is not None
            yield from _written(job, _accepted(job, begun, answer), arrivals)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if begun.offset and isinstance(error, urllib.error.HTTPError) and error.code == 416:
            raise _ChangedError from error
        raise _explained(job, error) from error


def _accepted(job: _Job, begun: _Begun, answer: _Answer) -> _Begun:
    """Where the bytes of this answer go.

    Raises:
        DownloadError: it is not a file, or not this one, or there is no room for it.
        _ChangedError: it does not continue what was begun.
    """
    headers = answer.headers
    kind, packing = headers.get_content_type(), headers.get("Content-Encoding", "identity").lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise _not_the_file(job)
    if packing != "identity":
        raise DownloadError(f"{job.host} sends {job.target.name} packed as {packing[:20]}.", "Try another network.")
    length = int(headers.get("Content-Length", -1))
    if answer.status == 206:
        offset, total = begun.offset, begun.offset + length if length >= 0 else begun.total
        expected = f"bytes {offset}-"
        if not offset or not headers.get("Content-Range", "").startswith(expected) or begun.total not in (None, total):
            raise _ChangedError
    else:
        offset, total = 0, length if length >= 0 else None
    if (total or 0) > LARGEST or job.size not in (None, total or job.size):
        raise DownloadError(
            f"{job.host} offers {total:,} bytes as {job.target.name}, which is another file than expected.",
            "Try again later, or fetch the file by hand.",
        )
    _require_room(job, (total or job.size or 0) - offset)
    return _Begun(offset, total, _validator(headers))


def _validator(headers: Message) -> str:
    """What names this very content; weak tags do not (RFC 9110, 13.1.5)."""
    tag = str(headers.get("ETag", ""))
    return tag if tag and not tag.startswith("W/") else str(headers.get("Last-Modified", ""))


def _require_room(job: _Job, needed: int) -> None:
    with _writing(job.target.name):
        free = shutil.disk_usage(job.target.parent).free
    if free < needed:
        raise DownloadError(
            f"{job.target.name} needs {needed / 1e6:,.0f} MB, but {free / 1e6:,.0f} MB are free on that disk.",
            "Free some space or choose another folder.",
        )


def _written(job: _Job, begun: _Begun, arrivals: Iterator[_Answer | bytes | None]) -> Fetching:
    done, most = begun.offset, begun.total or job.size or LARGEST
    doing = f"Downloading {job.target.name}"
    with _writing(job.target.name):
        _remember(job, begun)
        file = job.part.open("r+b" if begun.offset else "wb")
    with file:
        file.seek(begun.offset)
        for data in arrivals:
            if data == b"":
                break
            if isinstance(data, bytes):
                if done == 0 and data[:512].lstrip().lower().startswith((b"<!doctype html", b"<html")):
                    raise _not_the_file(job)
                done += len(data)
                if done > most:
                    raise DownloadError(f"{job.host} sends too much as {job.target.name}.", "Try again later.")
                with _writing(job.target.name):
                    file.write(data)
                    file.flush()
            yield Progress(doing, done, begun.total or job.size or 0, "bytes")
        with _writing(job.target.name):
            os.fsync(file.fileno())
    if done < (begun.total or job.size or 0):
        raise ConnectionError("cut")


def _remember(job: _Job, begun: _Begun) -> None:
    """Without a validator nothing can be continued safely, so nothing is remembered."""
    if begun.validator:
        note = {"url": job.url, "validator": begun.validator, "total": begun.total}
        job.note.write_text(json.dumps(note), encoding="utf-8")
    else:
        job.note.unlink(missing_ok=True)


def _verified(job: _Job, sums: Mapping[str, str | None]) -> Fetching:
    """
    Raises:
        DownloadError: the sum is another; the part is deleted.
    """
    wanted = {name: value.lower() for name, value in sums.items() if value}
    digests = {name: hashlib.new(name, usedforsecurity=name != "md5") for name in wanted}
    with _writing(job.target.name):
        total, done = job.part.stat().st_size, 0
        file = job.part.open("rb")
    with file:
        while data := file.read(1 << 20):
            for digest in digests.values():
                digest.update(data)
            done += len(data)
            yield Progress(f"Checking {job.target.name}", done, total, "bytes")
    right = all(digests[name].hexdigest() == value for name, value in wanted.items())
    if not right or (job.size is not None and total != job.size):
        job.forget()
        raise DownloadError(
            f"What arrived as {job.target.name} is not the published file: its checksum is another.",
            "It was deleted. Try again; if that does not help, the file on the server has changed.",
        )


def _not_the_file(job: _Job) -> DownloadError:
    return DownloadError(
        f"{job.host} answered with a web page instead of {job.target.name}.",
        "This network may ask for a sign-in first: open a web page in a browser, sign in, and try again.",
    )


def _explained(job: _Job, error: Exception) -> DownloadError:
    if isinstance(error, urllib.error.HTTPError):
        return DownloadError(
            f"{job.host} does not deliver {job.target.name} (HTTP status {error.code}).",
            "Try again later; what has arrived is kept.",
        )
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ssl.SSLError):
        return DownloadError(
            f"The connection to {job.host} is not secure: its certificate is not accepted.",
            "Check the clock of this computer, or try another network. Nothing is fetched without encryption.",
        )
    if isinstance(cause, TimeoutError):
        return DownloadError(f"{job.host} sent nothing for {job.stall_seconds:g} seconds.", _KEPT)
    if isinstance(error, urllib.error.URLError):
        return DownloadError(f"There is no connection to {job.host}.", _KEPT)
    return DownloadError(f"The connection to {job.host} was cut before all of {job.target.name} arrived.", _AGAIN)


@contextlib.contextmanager
def _writing(name: str) -> Iterator[None]:
    """Tell a fault of the disk from one of the network."""
    try:
        yield
    except OSError as error:
        raise DownloadError(
            f"{name} could not be written: {error.strerror or error}.", "Free some space or choose another folder."
        ) from error
