"""Published data sets that torchvision knows, in torchvision's own layout and read by torchvision's own loaders.

Where the files are published, what they are called and their MD5 sums stand on torchvision's classes and are taken
from there. The fetching is ours, and so are the SHA-256 sums (those that other projects publish for the same files).
Opening only reads: what is there in packed form only is unpacked into a temporary folder, so that a read-only folder
works; only a download writes into the folder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from gui_lab import paths
from gui_lab.core.dice import Indices
from gui_lab.core.images import DATASETS, Dataset, ImageSet, InMemory, Opening, Progress
from gui_lab.errors import DataError, DownloadError
from gui_lab.schema import knob

_Read = TypeVar("_Read")
_Part = tuple[npt.NDArray[np.uint8], Indices]
"""Pixels (N, C, H, W) and labels (N,)."""

# what torchvision's loaders raise on files that are not what their names say
_DAMAGE = (EOFError, AssertionError, KeyError, IndexError, RuntimeError, TypeError, ValueError)


class Published(Dataset):
    """A data set with an official training and test part."""

    group: ClassVar[str] = "Downloads"
    downloads: ClassVar[bool] = True
    title: ClassVar[str]
    megabytes: ClassVar[int]
    mirrors: ClassVar[tuple[str, ...]] = ()
    """Addresses beside torchvision's own, each ending in a slash."""
    sha256: ClassVar[Mapping[str, str]]

    root: Path = knob(
        help="The folder where torchvision's layout of this data set is, or will be once it is downloaded.",
        default_factory=paths.datasets,
    )
    validation: float = knob(
        0.1, "Part of the training pictures that is held back to measure with, class by class.", gt=0, lt=1, felt=True
    )

    @property
    def folder(self) -> Path:
        return self.root.expanduser()

    def not_there(self) -> DataError:
        return DataError(
            f"{self.title} is not in {self.root} yet.",
            f"Download it ({self.megabytes} MB) or choose the folder that has it.",
        )

    def joined(self, train: _Part, test: _Part, classes: list[str]) -> ImageSet:
        """Both parts as one image set.

        Raises:
            DataError: pictures and labels do not go together.
        """
        for pixels, part_labels in (train, test):
            if len(pixels) != len(part_labels) or len(pixels) == 0 or part_labels.max() >= len(classes):
                raise self.damaged()
        pixels, labels = np.concatenate([train[0], test[0]]), np.concatenate([train[1], test[1]])
        return self.with_split(InMemory(pixels), labels, classes, test=np.arange(len(train[1]), len(labels)))

    def damaged(self) -> DataError:
        return DataError(
            f"The files of {self.title} in {self.root} are damaged or are not the published ones.",
            "Delete them and download them again, or choose another folder.",
        )

    def told(self, read: Callable[[], _Read]) -> _Read:
        """
        Raises:
            DataError: torchvision cannot read its files.
        """
        try:
            return read()
        except OSError as error:
            sentence = f"{self.title} in {self.root} cannot be read: {error.strerror or error}."
            raise DataError(sentence, "Choose another folder.") from error
        except _DAMAGE as error:
            raise self.damaged() from error

    def fetched(self, name: str, md5: str, mirrors: list[str], folder: Path) -> Generator[Progress, None, Path]:
        """One file from the first mirror that has it.

        Raises:
            DownloadError: none has it; the last one's reason.
        """
        from gui_lab.core.download import download

        failed = DownloadError(f"No address of {name} is known.", "Fetch the file by hand.")
        for mirror in (*mirrors, *self.mirrors):  # those without encryption fail at once
            try:
                return (yield from download(mirror + name, folder / name, sha256=self.sha256[name], md5=md5))
            except DownloadError as error:
                failed = error
        raise failed


class _Idx(Published):
    """Four idx files, `<root>/<name>/raw/train-images-idx3-ubyte` and so on, plain or as `.gz`."""

    @property
    def raw(self) -> Path:
        return self.folder / self.name_of() / "raw"

    def open(self, download: bool = False) -> Opening:
        names = [name.removesuffix(".gz") for name in self.sha256]
        there = all(self._has(name) for name in names)
        if not there and not download:  # said before torchvision is loaded, which takes seconds
            raise self.not_there()
        yield Progress("Starting torchvision")
        from torchvision import datasets
        from torchvision.datasets import mnist

        published: Any = getattr(datasets, self.name_of())
        if not there:
            yield from self._download(published)
        with tempfile.TemporaryDirectory(prefix="gui-lab-") as temporary:
            files = {}
            for done, name in enumerate(names):
                yield Progress(f"Reading {self.title}", done, len(names), "files")
                files[name] = yield from self._plain(name, Path(temporary))
            # the functions that the class itself calls: the class would prefer a pickle of an old layout, if there
            train, test = (self._part(mnist, part, files) for part in ("train", "t10k"))
        return self.joined(train, test, list(published.classes))

    def _has(self, name: str) -> bool:
        return any(path.is_file() for path in (self.raw / name, self.raw / f"{name}.gz"))

    def _download(self, published: Any) -> Generator[Progress, None, None]:
        from gui_lab.core.unpack import unpack_gzip

        for name, md5 in published.resources:
            plain = str(name).removesuffix(".gz")
            if not self._has(plain):
                archive = yield from self.fetched(name, md5, published.mirrors, self.raw)
                yield from unpack_gzip(archive, self.raw / plain)

    def _plain(self, name: str, temporary: Path) -> Generator[Progress, None, Path]:
        from gui_lab.core.unpack import unpack_gzip

        if (self.raw / name).is_file():
            return self.raw / name
        yield from unpack_gzip(self.raw / f"{name}.gz", temporary / name)
        return temporary / name

    def _part(self, mnist: Any, part: str, files: Mapping[str, Path]) -> _Part:
        pixels = self.told(lambda: mnist.read_image_file(str(files[f"{part}-images-idx3-ubyte"])))
        labels = self.told(lambda: mnist.read_label_file(str(files[f"{part}-labels-idx1-ubyte"])))
        return pixels.numpy()[:, None], labels.numpy()


@DATASETS.add
class MNIST(_Idx):
    """Handwritten digits, 70,000 grey pictures of 28x28 pixels in 10 classes (LeCun, Cortes and Burges, 1998)."""

    licence: ClassVar[str] = "CC BY-SA 3.0"
    credit: ClassVar[str] = "Y. LeCun, C. Cortes and C. J. C. Burges"
    handed: ClassVar[bool] = True
    upright: ClassVar[float | None] = 30
    title: ClassVar[str] = "MNIST"
    megabytes: ClassVar[int] = 11
    mirrors: ClassVar[tuple[str, ...]] = ("https://storage.googleapis.com/cvdf-datasets/mnist/",)
    sha256: ClassVar[Mapping[str, str]] = {
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    }


@DATASETS.add
class FashionMNIST(_Idx):
    """Clothes and shoes, 70,000 grey pictures of 28x28 pixels in 10 classes (Xiao, Rasul and Vollgraf, 2017)."""

    licence: ClassVar[str] = "MIT"
    credit: ClassVar[str] = "H. Xiao, K. Rasul and R. Vollgraf, Zalando Research"
    upright: ClassVar[float | None] = 45
    title: ClassVar[str] = "Fashion-MNIST"
    megabytes: ClassVar[int] = 31
    mirrors: ClassVar[tuple[str, ...]] = (  # torchvision names only the plain http door of the first one
        "https://fashion-mnist.s3.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    )
    sha256: ClassVar[Mapping[str, str]] = {
        "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    }


@DATASETS.add
class CIFAR10(Published):
    """Animals and vehicles, 60,000 colour pictures of 32x32 pixels in 10 classes (Krizhevsky, 2009).

    The published batches are pickles; they are read only where each file's sum is the one that torchvision lists.
    """

    licence: ClassVar[str] = "not stated; its author asks to cite the report"
    credit: ClassVar[str] = "A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009"
    title: ClassVar[str] = "CIFAR-10"
    megabytes: ClassVar[int] = 171
    sha256: ClassVar[Mapping[str, str]] = {
        "cifar-10-python.tar.gz": "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    }

    def open(self, download: bool = False) -> Opening:
        (name,) = self.sha256
        archive, unpacked = self.folder / name, self.folder / "cifar-10-batches-py"
        if not (download or archive.is_file() or unpacked.is_dir()):  # said before torchvision is loaded
            raise self.not_there()
        yield Progress("Starting torchvision")
        from torchvision import datasets

        from gui_lab.core.unpack import unpack_tar

        published: Any = datasets.CIFAR10
        whole = _whole(published, unpacked)
        if not whole and not archive.is_file():
            if not download:
                raise self.damaged()
            mirror = str(published.url).removesuffix(name)
            yield from self.fetched(name, published.tgz_md5, [mirror], self.folder)
        if not whole and download:
            yield from unpack_tar(archive, self.folder)
            whole = True
        with tempfile.TemporaryDirectory(prefix="gui-lab-") as temporary:
            if not whole:
                yield from unpack_tar(archive, Path(temporary))
            root = self.folder if whole else Path(temporary)
            yield Progress(f"Reading {self.title}", 0, 2, "parts")
            train = self.told(lambda: published(root, train=True, download=False))
            yield Progress(f"Reading {self.title}", 1, 2, "parts")
            test = self.told(lambda: published(root, train=False, download=False))
        return self.joined(_channels_first(train), _channels_first(test), list(train.classes))


def _whole(published: Any, unpacked: Path) -> bool:
    from torchvision.datasets.utils import check_integrity

    files = (*published.train_list, *published.test_list, (published.meta["filename"], published.meta["md5"]))
    return all(check_integrity(str(unpacked / name), md5) for name, md5 in files)


def _channels_first(part: Any) -> _Part:
    pixels = np.ascontiguousarray(np.asarray(part.data).transpose(0, 3, 1, 2))
    return pixels, np.asarray(part.targets, np.int64)
