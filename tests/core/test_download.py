"""A file arrives whole and right or not at all, whatever the network does; what has arrived is never lost."""

import hashlib
import shutil
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from gui_lab.core import download as module
from gui_lab.core.download import download
from gui_lab.core.images import Progress
from gui_lab.errors import DownloadError

CONTENT = np.random.default_rng(0).integers(0, 256, 400_000, np.uint8).tobytes()
STALL = 0.3


class Site:
    """A server of one file whose behaviour a test chooses: `answer` is called with each request."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.etag = '"one"'
        self.cut_at: int | None = None
        self.released = threading.Event()
        self.asked: list[dict[str, str]] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = self.file
        self.url = ""

    def file(self, request: BaseHTTPRequestHandler, ranges: bool = True) -> None:
        start = 0
        wanted = request.headers.get("Range", "")
        if ranges and wanted and request.headers.get("If-Range") in (None, self.etag):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(self.content) - start))
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        if self.etag:
            request.send_header("ETag", self.etag)
        request.end_headers()
        request.wfile.write(self.content[start : self.cut_at])

    def whole_file(self, request: BaseHTTPRequestHandler) -> None:
        self.file(request, ranges=False)

    def silence(self, request: BaseHTTPRequestHandler) -> None:
        """Half of the file and then nothing, until the test is over."""
        self.cut_at = len(self.content) // 2
        self.file(request)
        request.wfile.flush()
        self.released.wait(20)

    def says(
        self, headers: dict[str, str], body: bytes = b"", status: int = 200
    ) -> Callable[[BaseHTTPRequestHandler], None]:
        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            for name, value in headers.items():
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(body)

        return answer


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "*")
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(dict(self.headers))
            try:
                site.answer(self)
            except ConnectionError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's word
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}/data.bin"
    yield site
    site.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(site: Site, target: Path, **options: object) -> list[Progress]:
    return list(download(site.url, target, stall_seconds=STALL, **options))  # type: ignore[arg-type]  # as given


def refused(site: Site, target: Path, **options: object) -> DownloadError:
    with pytest.raises(DownloadError) as error:
        fetch(site, target, **options)
    assert error.value.sentence.endswith(".")
    assert error.value.remedy
    assert not target.exists()
    return error.value


def part_of(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_arrives_whole_and_tells_how_far_it_is(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "new" / "data.bin"
    told = fetch(site, target, sha256=sha256(CONTENT), md5=hashlib.md5(CONTENT).hexdigest(), size=len(CONTENT))
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["data.bin"]
    arriving = [progress.done for progress in told if progress.doing.startswith("Downloading")]
    assert arriving == sorted(arriving)
    assert arriving[-1] == len(CONTENT)
    assert {progress.total for progress in told if progress.unit == "bytes"} == {len(CONTENT)}


def test_the_generator_returns_where_the_file_is(site: Site, tmp_path: Path) -> None:
    def returned() -> Generator[Progress, None, None]:
        assert (yield from download(site.url, tmp_path / "data.bin")) == tmp_path / "data.bin"

    assert list(returned())


@pytest.mark.parametrize("percent", [1, 50, 99])
def test_a_cut_download_is_continued_where_it_was_cut(site: Site, tmp_path: Path, percent: int) -> None:
    target = tmp_path / "data.bin"
    site.cut_at = len(CONTENT) * percent // 100
    assert "was cut" in refused(site, target).sentence
    assert part_of(target).stat().st_size == site.cut_at
    cut_at, site.cut_at = site.cut_at, None
    told = fetch(site, target, sha256=sha256(CONTENT))
    assert site.asked[-1]["Range"] == f"bytes={cut_at}-"
    assert site.asked[-1]["If-Range"] == '"one"'
    assert next(progress for progress in told if progress.unit == "bytes").done > cut_at
    assert target.read_bytes() == CONTENT


def test_a_download_cut_before_its_first_byte_starts_again(site: Site, tmp_path: Path) -> None:
    site.cut_at = 0
    refused(site, tmp_path / "data.bin")
    site.cut_at = None
    fetch(site, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_part_that_is_already_complete_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "data.bin"
    site.cut_at = 1000
    refused(site, target)
    part_of(target).write_bytes(CONTENT)
    fetch(site, target, sha256=sha256(CONTENT))
    assert len(site.asked) == 1
    assert target.read_bytes() == CONTENT


def test_a_server_without_ranges_makes_it_start_anew(site: Site, tmp_path: Path) -> None:
    site.cut_at = 100_000
    refused(site, tmp_path / "data.bin")
    site.cut_at, site.answer = None, site.whole_file
    fetch(site, tmp_path / "data.bin", sha256=sha256(CONTENT))
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_content_that_changed_meanwhile_is_not_mixed_with_the_old(site: Site, tmp_path: Path) -> None:
    site.cut_at = 100_000
    refused(site, tmp_path / "data.bin")
    site.content, site.etag, site.cut_at = CONTENT[::-1], '"two"', None
    fetch(site, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Range": "bytes 0-9/10", "Content-Length": "10"}, 206),
        ({"Content-Length": "10"}, 206),
        ({"Content-Range": "bytes */5", "Content-Length": "0"}, 416),
    ],
)
def test_an_answer_that_does_not_continue_makes_it_start_anew(
    site: Site, tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    site.cut_at = 100_000
    refused(site, tmp_path / "data.bin")
    site.cut_at = None
    strange = site.says(headers, b"0123456789", status)
    site.answer = lambda request: (strange if "Range" in request.headers else site.file)(request)
    fetch(site, tmp_path / "data.bin", sha256=sha256(CONTENT))
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_an_answer_that_never_fits_ends_with_a_sentence(site: Site, tmp_path: Path) -> None:
    site.answer = site.says({"Content-Range": "bytes 5-9/10", "Content-Length": "5"}, b"56789", 206)
    assert "another part" in refused(site, tmp_path / "data.bin").sentence


@pytest.mark.parametrize("etag", ["", 'W/"one"'])
def test_content_without_a_strong_name_is_never_continued(site: Site, tmp_path: Path, etag: str) -> None:
    site.etag, site.cut_at = etag, 100_000
    refused(site, tmp_path / "data.bin")
    site.cut_at = None
    fetch(site, tmp_path / "data.bin")
    assert "Range" not in site.asked[-1]
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("note", ["", "[]", '{"url": 1}', "\x00"])
def test_a_note_that_cannot_be_read_makes_it_start_anew(site: Site, tmp_path: Path, note: str) -> None:
    part_of(tmp_path / "data.bin").write_bytes(b"what is this")
    (tmp_path / "data.bin.part.json").write_text(note)
    fetch(site, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_part_from_another_address_is_not_continued(site: Site, tmp_path: Path) -> None:
    site.cut_at = 100_000
    refused(site, tmp_path / "data.bin")
    site.cut_at, site.url = None, site.url + "?again"
    fetch(site, tmp_path / "data.bin")
    assert "Range" not in site.asked[-1]


def test_a_wrong_sum_is_told_and_deleted(site: Site, tmp_path: Path) -> None:
    for wrong in ({"sha256": sha256(b"")}, {"md5": "0" * 32}):
        error = refused(site, tmp_path / "data.bin", **wrong)
        assert "checksum" in error.sentence
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/html; charset=utf-8", b"Sign in"), ("application/octet-stream", b"\n <!DOCTYPE html><html>")],
)
def test_a_page_that_asks_to_sign_in_is_not_taken_for_the_file(
    site: Site, tmp_path: Path, kind: str, body: bytes
) -> None:
    site.answer = site.says({"Content-Type": kind, "Content-Length": str(len(body))}, body)
    assert "web page" in refused(site, tmp_path / "data.bin").sentence


@pytest.mark.parametrize(
    "address", ["http://example.invalid/x", "file:///etc/hostname", "ftp://127.0.0.1/x", "data:,x"]
)
def test_a_redirect_to_an_insecure_address_is_refused(site: Site, tmp_path: Path, address: str) -> None:
    site.answer = site.says({"Location": address, "Content-Length": "0"}, status=302)
    refused(site, tmp_path / "data.bin")
    assert len(site.asked) == 1


def test_a_redirect_on_this_machine_is_followed(site: Site, tmp_path: Path) -> None:
    away = site.says({"Location": "/elsewhere", "Content-Length": "0"}, status=302)
    site.answer = lambda request: (site.file if request.path == "/elsewhere" else away)(request)
    fetch(site, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "url",
    ["http://example.invalid/x", "file:///etc/hostname", "ftp://localhost/x", "http://127.0.0.1@example.invalid/", "x"],
)
def test_only_secure_addresses_are_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str) -> None:
    monkeypatch.setattr(module, "_opener", lambda: pytest.fail("an insecure address was asked"))
    with pytest.raises(DownloadError, match="secure"):
        list(download(url, tmp_path / "x"))


def test_a_secure_address_is_never_asked_without_encryption(site: Site, tmp_path: Path) -> None:
    site.url = site.url.replace("http:", "https:")
    assert "not secure" in refused(site, tmp_path / "data.bin").sentence
    assert site.asked == []


def test_silence_ends_after_the_time_given_and_keeps_what_arrived(site: Site, tmp_path: Path) -> None:
    site.answer = site.silence
    begun = time.monotonic()
    assert "sent nothing" in refused(site, tmp_path / "data.bin").sentence
    assert STALL <= time.monotonic() - begun < 20 * STALL
    assert part_of(tmp_path / "data.bin").read_bytes() == CONTENT[: len(CONTENT) // 2]


def test_a_server_that_never_answers_is_left(site: Site, tmp_path: Path) -> None:
    site.answer = lambda request: site.released.wait(20) and None
    assert "sent nothing" in refused(site, tmp_path / "data.bin").sentence


def test_cancelling_works_at_once_while_nothing_arrives_and_keeps_what_did(site: Site, tmp_path: Path) -> None:
    site.answer = site.silence
    fetching = download(site.url, tmp_path / "data.bin", stall_seconds=10)
    for progress in fetching:
        if progress.done == len(CONTENT) // 2:
            break
    next(fetching)  # a sign of life, though nothing arrives
    begun = time.monotonic()
    fetching.close()
    assert time.monotonic() - begun < 1
    assert part_of(tmp_path / "data.bin").stat().st_size == len(CONTENT) // 2
    site.released.set()
    site.answer, site.cut_at = site.file, None
    fetch(site, tmp_path / "data.bin", sha256=sha256(CONTENT))
    assert site.asked[-1]["Range"] == f"bytes={len(CONTENT) // 2}-"


def test_a_full_disk_is_told_before_anything_is_fetched(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    assert "needs" in refused(site, tmp_path / "data.bin").sentence
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_cannot_be_written_is_told(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DownloadError, match="could not be written"):
        fetch(site, tmp_path / "file" / "data.bin")


def test_a_file_of_another_size_is_refused(site: Site, tmp_path: Path) -> None:
    assert "another file" in refused(site, tmp_path / "data.bin", size=10).sentence


def test_a_body_without_end_is_cut_off(site: Site, tmp_path: Path) -> None:
    site.answer = site.says({"Content-Type": "application/octet-stream"}, CONTENT)
    assert "too much" in refused(site, tmp_path / "data.bin", size=100_000).sentence


def test_a_packed_answer_is_refused(site: Site, tmp_path: Path) -> None:
    site.answer = site.says({"Content-Encoding": "gzip", "Content-Length": "3"}, b"abc")
    assert "packed" in refused(site, tmp_path / "data.bin").sentence


def test_a_missing_file_is_told_with_its_status(site: Site, tmp_path: Path) -> None:
    site.answer = site.says({"Content-Length": "0"}, status=404)
    assert "404" in refused(site, tmp_path / "data.bin").sentence


def test_without_a_network_the_remedy_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(DownloadError) as error:
        list(download("https://example.invalid/data.bin", tmp_path / "data.bin"))
    assert error.value.sentence == "There is no connection to example.invalid."
    assert error.value.remedy == "Connect to the network and try again; what has arrived is kept."


def test_no_thread_is_left_behind(site: Site, tmp_path: Path) -> None:
    fetch(site, tmp_path / "data.bin")
    assert not [thread for thread in threading.enumerate() if thread.name == "download"]
