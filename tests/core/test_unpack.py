"""An archive is unpacked as a whole or refused as a whole; nothing ever lands outside, and nothing is left inside."""

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gui_lab.core import unpack as module
from gui_lab.core.unpack import unpack_gzip, unpack_tar
from gui_lab.errors import DataError


def member(name: str, content: bytes = b"x", **facts: object) -> Callable[[tarfile.TarFile], None]:
    def add(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        for fact, value in facts.items():
            setattr(info, fact, value)
        tar.addfile(info, io.BytesIO(content) if content else None)

    return add


def packed(path: Path, *members: Callable[[tarfile.TarFile], None], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]  # one of its modes
        for add in members:
            add(tar)
    return path


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Callable[[tarfile.TarFile], None]:
    return member(name, b"", type=kind, linkname=target)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_files_and_folders_are_unpacked(tmp_path: Path, mode: str) -> None:
    folder = member("./", b"", type=tarfile.DIRTYPE)
    archive = packed(tmp_path / "a.tar", folder, member("a/b/1.txt", b"one"), member("./a/2.txt", b"two"), mode=mode)
    (tmp_path / "to" / "a").mkdir(parents=True)
    (tmp_path / "to" / "a" / "2.txt").write_bytes(b"old")
    told = list(unpack_tar(archive, tmp_path / "to"))
    assert (tmp_path / "to" / "a" / "b" / "1.txt").read_bytes() == b"one"
    assert (tmp_path / "to" / "a" / "2.txt").read_bytes() == b"two"
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["a"]
    assert told[-1].done == 2


@pytest.mark.parametrize(
    "bad",
    [
        [member("../outside")],
        [member("/absolute")],
        [member("a/../../outside")],
        [member("a/..")],
        [member("C:\\windows")],
        [member("a\\..\\..\\outside")],
        [member("line\nend")],
        [member("nul.txt")],
        [member("dot.")],
        [member("n" * 201)],
        [member("a"), member("A")],
        [member("a"), member("a")],
        [link("a", "/etc")],
        [link("a", ".."), member("a/outside")],
        [member("b"), link("a", "b", tarfile.LNKTYPE)],
        [link("a", "b/" * 80 + ".."), link("a/c", "../" * 80), member("a/c/outside")],
        [member("pipe", b"", type=tarfile.FIFOTYPE)],
        [member("device", b"", type=tarfile.CHRTYPE)],
        [member("bomb", bytes(11_000_000))],
        [member("huge", b"", size=4_000_000_000)],
    ],
)
def test_what_is_no_plain_file_below_the_folder_is_refused(
    tmp_path: Path, bad: list[Callable[[tarfile.TarFile], None]]
) -> None:
    archive = packed(tmp_path / "a.tar.gz", member("good/1.txt"), *bad)
    with pytest.raises(DataError, match=r"not unpacked|damaged"):
        list(unpack_tar(archive, tmp_path / "to"))
    assert list((tmp_path / "to").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "to"]


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 5)
    archive = packed(tmp_path / "a.tar.gz", *(member(str(number)) for number in range(6)))
    with pytest.raises(DataError, match="more than expected"):
        list(unpack_tar(archive, tmp_path / "to"))


def test_nothing_is_written_through_a_link_that_is_already_there(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "a").symlink_to(tmp_path / "outside")
    archive = packed(tmp_path / "a.tar.gz", member("a/1.txt"))
    with pytest.raises(DataError, match="link"):
        list(unpack_tar(archive, tmp_path / "to"))
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("keep", [0, 20, 100, 400])
def test_a_cut_archive_is_told_as_damaged(tmp_path: Path, keep: int) -> None:
    archive = packed(tmp_path / "a.tar.gz", *(member(f"{n}.bin", bytes(range(n, n + 200))) for n in range(40)))
    archive.write_bytes(archive.read_bytes()[:keep])
    with pytest.raises(DataError, match="damaged"):
        list(unpack_tar(archive, tmp_path / "to"))
    assert list((tmp_path / "to").iterdir()) == []


def test_leaving_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.tar.gz", member("1.txt"), member("2.txt"))
    unpacking = unpack_tar(archive, tmp_path / "to")
    next(unpacking)
    unpacking.close()
    assert list((tmp_path / "to").iterdir()) == []


def test_a_gzip_file_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"content"))
    list(unpack_gzip(tmp_path / "a.gz", tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == b"content"


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(bytes(range(250)), mtime=0)[:60], gzip.compress(b"x", mtime=0)[:-1] + b"!"],
)
def test_a_damaged_gzip_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        list(unpack_gzip(tmp_path / "a.gz", tmp_path / "a"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.gz"]


def test_a_gzip_file_that_grows_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(5_000_000)))
    with pytest.raises(DataError, match="larger"):
        list(unpack_gzip(tmp_path / "a.gz", tmp_path / "a", largest=1_000_000))
    assert [path.name for path in tmp_path.iterdir()] == ["a.gz"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.tar.gz", member("1.txt"))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="could not be unpacked"):
        list(unpack_tar(archive, tmp_path / "file" / "to"))
