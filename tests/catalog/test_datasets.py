"""Every data set opens with the pictures it promises, says in a sentence what is missing, and never guesses."""

import gzip
import hashlib
import io
import pickle
import struct
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gui_lab import resources
from gui_lab.core.images import DATASETS, Dataset, ImageSet, InMemory, opened
from gui_lab.errors import DataError, DownloadError, InvalidExperiment

IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def pixels_of(images: ImageSet) -> np.ndarray:
    assert isinstance(images.pictures, InMemory)
    return images.pictures.pixels


def folder_of(root: Path, each: int = 4, classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    for label, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for number in range(each):
            Image.new("RGB", (8, 6), (label, number, 0)).save(root / name / f"{number}.png")
    return root


def refused(dataset: Dataset, download: bool = False) -> DataError:
    with pytest.raises(DataError) as error:
        opened(dataset, download)
    assert error.value.sentence.endswith(".")
    assert error.value.remedy.endswith(".")
    return error.value


# Bundled


def test_digits_are_the_published_ones() -> None:
    images = opened(DATASETS.make("Digits"))
    assert pixels_of(images).shape == (1797, 1, 8, 8)
    assert set(np.unique(pixels_of(images))) == {round(level * 255 / 16) for level in range(17)}
    assert images.labels[:10].tolist() == list(range(10))
    assert images.counts(np.arange(1797)).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images.classes == tuple("0123456789")
    assert len(images.validation) == pytest.approx(0.2 * 1797, abs=10)
    assert not len(images.test)


def test_digits_are_small_and_credited() -> None:
    assert resources.path("digits.npz").stat().st_size < 100_000
    assert "CC BY 4.0" in resources.path("CREDITS.md").read_text(encoding="utf-8")


def test_shapes_are_a_function_of_their_fields() -> None:
    first, again = (opened(DATASETS.make("Shapes", count=200, seed=3)) for _ in range(2))
    other = opened(DATASETS.make("Shapes", count=200, seed=4))
    assert np.array_equal(pixels_of(first), pixels_of(again))
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(pixels_of(first), pixels_of(other))
    assert pixels_of(first).shape == (200, 3, 64, 64)


def test_shapes_have_every_class_equally_often() -> None:
    images = opened(DATASETS.make("Shapes", count=808))
    assert images.counts(np.arange(808)).tolist() == [101] * 8
    assert "star" in images.classes


def test_the_class_of_a_shape_cannot_be_told_from_its_colours() -> None:
    """Guessing by the nearest mean of corner colours and of the strongest colours stays near chance, 1 in 8."""
    images = opened(DATASETS.make("Shapes", count=2_000, clutter=0, noise=0))
    pixels = pixels_of(images)
    border = pixels[:, :, [0, 0, -1, -1], [0, -1, 0, -1]].reshape(2_000, -1)
    extreme = np.concatenate([pixels.max((2, 3)), pixels.min((2, 3))], axis=1)
    seen = np.concatenate([border, extreme], axis=1).astype(np.float64)
    means = np.stack([seen[images.train][images.labels[images.train] == label].mean(0) for label in range(8)])
    guess = ((seen[images.validation][:, None] - means) ** 2).sum(2).argmin(1)
    assert (guess == images.labels[images.validation]).mean() < 0.22


@pytest.mark.parametrize("distance", range(8))
def test_a_shape_stands_out_from_its_background(distance: int) -> None:
    images = opened(DATASETS.make("Shapes", count=160, clutter=0, noise=0))
    grey = pixels_of(images)[images.labels == distance].mean(1)
    corners = grey[:, [0, 0, -1, -1], [0, -1, 0, -1]].mean(1)
    spread = np.abs(grey - corners[:, None, None]).max((1, 2))
    assert np.median(spread) > 60
    assert spread.min() > 25


def test_clutter_and_noise_change_the_pictures_and_not_the_labels() -> None:
    plain = opened(DATASETS.make("Shapes", count=80, clutter=0, noise=0))
    for change in ({"clutter": 1, "noise": 0}, {"clutter": 0, "noise": 0.1}):
        changed = opened(DATASETS.make("Shapes", count=80, **change))
        assert np.array_equal(changed.labels, plain.labels)
        differs = (pixels_of(changed) != pixels_of(plain)).any((1, 2, 3))
        assert differs.all()


def test_noise_has_the_strength_that_is_asked_for() -> None:
    plain, noisy = (opened(DATASETS.make("Shapes", count=80, clutter=0, noise=noise)) for noise in (0, 0.05))
    inner = (pixels_of(plain) > 60) & (pixels_of(plain) < 195)  # where nothing is clipped
    difference = pixels_of(noisy).astype(float)[inner] - pixels_of(plain)[inner]
    assert difference.std() == pytest.approx(0.05 * 255, rel=0.05)
    assert abs(difference.mean()) < 0.5


def test_bundled_pictures_tell_how_far_they_are() -> None:
    told = list(DATASETS.make("Shapes", count=200).open())
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)
    assert (told[-1].done, told[-1].total) == (200, 200)


# Downloads, with small files of the published form


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.astype(np.uint8).tobytes()


def idx_files(train: int = 60, test: int = 20) -> dict[str, bytes]:
    random = np.random.default_rng(0)
    counts = (train, train, test, test)
    arrays = [
        random.integers(0, 256, (count, 28, 28)) if "images" in name else np.arange(count) % 10
        for name, count in zip(IDX, counts, strict=True)
    ]
    return {name: idx(array) for name, array in zip(IDX, arrays, strict=True)}


def put(raw: Path, files: dict[str, bytes], packed: bool) -> None:
    raw.mkdir(parents=True)
    for name, content in files.items():
        (raw / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(content, 1) if packed else content)


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST"])
@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_are_read_plain_and_packed_and_nothing_is_written(tmp_path: Path, name: str, packed: bool) -> None:
    put(tmp_path / name / "raw", idx_files(), packed)
    before = sorted(tmp_path.rglob("*"))
    images = opened(DATASETS.make(name, root=tmp_path))
    assert sorted(tmp_path.rglob("*")) == before
    assert images.kind.shape == (1, 28, 28)
    assert images.test.tolist() == list(range(60, 80))
    assert len(images.validation) == 10
    assert images.labels[60:].tolist() == [*range(10), *range(10)]
    assert pixels_of(images)[0].tobytes() == idx_files()[IDX[0]][16 : 16 + 784]


def test_an_old_pickle_beside_the_files_is_not_read(tmp_path: Path) -> None:
    put(tmp_path / "MNIST" / "raw", idx_files(), packed=False)
    (tmp_path / "MNIST" / "processed").mkdir()
    for name in ("training.pt", "test.pt"):
        (tmp_path / "MNIST" / "processed" / name).write_bytes(b"no tensor at all")
    assert len(opened(DATASETS.make("MNIST", root=tmp_path)).labels) == 80


@pytest.mark.parametrize(
    "damage",
    [
        {IDX[0]: b""},
        {IDX[0]: b"what is this"},
        {IDX[0]: idx_files()[IDX[0]][:1000]},
        {IDX[0]: idx_files()[IDX[1]]},
        {IDX[1]: idx_files()[IDX[3]]},
        {IDX[1]: idx(np.arange(60) % 11)},
        {IDX[2]: struct.pack(">HBBIII", 0, 8, 3, 2**31, 2**31, 2**31)},
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_damaged_idx_files_are_told(tmp_path: Path, damage: dict[str, bytes], packed: bool) -> None:
    put(tmp_path / "MNIST" / "raw", idx_files() | damage, packed)
    assert "damaged" in refused(DATASETS.make("MNIST", root=tmp_path)).sentence


@pytest.mark.parametrize(
    ("name", "title"), [("MNIST", "MNIST"), ("FashionMNIST", "Fashion-MNIST"), ("CIFAR10", "CIFAR-10")]
)
def test_what_is_not_there_yet_can_be_downloaded_and_that_is_said_at_once(
    tmp_path: Path, name: str, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)  # loading it would take seconds, and fails here
    error = refused(DATASETS.make(name, root=tmp_path))
    assert error.sentence == f"{title} is not in {tmp_path} yet."
    assert error.remedy.startswith("Download it (")
    assert "or choose the folder that has it" in error.remedy


def test_a_download_starts_in_the_folder_of_the_lab(home: Path) -> None:
    assert DATASETS.make("MNIST").table(full=True)["root"] == str(home / "datasets")


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder and the local address under which it is published."""
    monkeypatch.setenv("no_proxy", "*")
    folder = tmp_path_factory.mktemp("served")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's word
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


def publish_idx(served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, mirrors: list[str]) -> None:
    from torchvision import datasets

    packed = {f"{name}.gz": gzip.compress(content, 1) for name, content in idx_files().items()}
    for name, content in packed.items():
        (served[0] / name).write_bytes(content)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in packed.items()}
    resources_ = [(name, hashlib.md5(content).hexdigest()) for name, content in packed.items()]
    monkeypatch.setattr(datasets.MNIST, "mirrors", mirrors)
    monkeypatch.setattr(datasets.MNIST, "resources", resources_)
    monkeypatch.setattr(DATASETS.get("MNIST"), "mirrors", ())
    monkeypatch.setattr(DATASETS.get("MNIST"), "sha256", sums)


def test_mnist_is_downloaded_into_torchvisions_layout(
    served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision import datasets

    publish_idx(served, monkeypatch, ["http://example.invalid/", served[1] + "nowhere/", served[1]])
    images = opened(DATASETS.make("MNIST", root=tmp_path), download=True)
    assert len(images.labels) == 80
    reference = datasets.MNIST(tmp_path, train=False, download=False)
    assert np.array_equal(pixels_of(images)[images.test, 0], reference.data.numpy())
    names = {path.name for path in (tmp_path / "MNIST" / "raw").iterdir()}
    assert names == {*IDX, *(f"{name}.gz" for name in IDX)}


def test_only_what_is_missing_is_downloaded(
    served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_idx(served, monkeypatch, [served[1]])
    put(tmp_path / "MNIST" / "raw", {name: idx_files()[name] for name in IDX[:3]}, packed=False)
    for name in IDX[:3]:
        (served[0] / f"{name}.gz").unlink()
    assert len(opened(DATASETS.make("MNIST", root=tmp_path), download=True).labels) == 80


def test_a_download_with_another_content_is_refused(
    served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_idx(served, monkeypatch, [served[1]])
    (served[0] / f"{IDX[0]}.gz").write_bytes(gzip.compress(b"another content"))
    error = refused(DATASETS.make("MNIST", root=tmp_path), download=True)
    assert isinstance(error, DownloadError)
    assert "checksum" in error.sentence
    assert list((tmp_path / "MNIST" / "raw").iterdir()) == []


def test_every_published_file_has_a_sum_and_a_secure_address() -> None:
    from torchvision import datasets

    for name in ("MNIST", "FashionMNIST"):
        entry: Any = DATASETS.get(name)
        published: Any = getattr(datasets, name)
        assert set(entry.sha256) == {file for file, _ in published.resources}
        assert any(mirror.startswith("https://") for mirror in (*published.mirrors, *entry.mirrors))
    cifar: Any = DATASETS.get("CIFAR10")
    assert set(cifar.sha256) == {datasets.CIFAR10.filename}
    assert datasets.CIFAR10.url.startswith("https://")


def cifar_batches() -> dict[str, bytes]:
    """The six batches and their list of names, small: batch k has ten pictures, pixel values start at k."""
    batches = {}
    for number, name in enumerate(("data_batch_1", *(f"data_batch_{k}" for k in range(2, 6)), "test_batch")):
        data = (np.arange(10 * 3072).reshape(10, 3072) + number).astype(np.uint8)
        batches[name] = pickle.dumps({"data": data, "labels": list(range(10))}, protocol=2)
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    batches["batches.meta"] = pickle.dumps({"label_names": names}, protocol=2)
    return batches


@pytest.fixture
def cifar_archive(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A small archive that torchvision's class and ours take for the published one."""
    from torchvision import datasets

    batches = cifar_batches()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in batches.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    sums = {name: hashlib.md5(content).hexdigest() for name, content in batches.items()}
    archive = buffer.getvalue()
    published: Any = datasets.CIFAR10
    monkeypatch.setattr(published, "train_list", [[name, sums[name]] for name, _ in published.train_list])
    monkeypatch.setattr(published, "test_list", [[name, sums[name]] for name, _ in published.test_list])
    monkeypatch.setattr(published, "meta", published.meta | {"md5": sums["batches.meta"]})
    monkeypatch.setattr(published, "tgz_md5", hashlib.md5(archive).hexdigest())
    sha256 = {published.filename: hashlib.sha256(archive).hexdigest()}
    monkeypatch.setattr(DATASETS.get("CIFAR10"), "sha256", sha256)
    return archive


def assert_is_cifar(images: ImageSet) -> None:
    assert pixels_of(images).shape == (60, 3, 32, 32)
    assert images.test.tolist() == list(range(50, 60))
    assert images.classes[0] == "airplane"
    expected = (np.arange(10 * 3072).reshape(10, 3, 32, 32) + 1).astype(np.uint8)
    assert np.array_equal(pixels_of(images)[10:20], expected)


def test_cifar_is_downloaded_into_torchvisions_layout(
    served: tuple[Path, str], cifar_archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision import datasets

    (served[0] / datasets.CIFAR10.filename).write_bytes(cifar_archive)
    monkeypatch.setattr(datasets.CIFAR10, "url", served[1] + datasets.CIFAR10.filename)
    assert_is_cifar(opened(DATASETS.make("CIFAR10", root=tmp_path), download=True))
    assert len(datasets.CIFAR10(tmp_path, download=False)) == 50
    assert_is_cifar(opened(DATASETS.make("CIFAR10", root=tmp_path)))


def test_a_packed_cifar_is_read_and_nothing_is_written(cifar_archive: bytes, tmp_path: Path) -> None:
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(cifar_archive)
    assert_is_cifar(opened(DATASETS.make("CIFAR10", root=tmp_path)))
    assert [path.name for path in tmp_path.iterdir()] == ["cifar-10-python.tar.gz"]


class Trap:
    """A pickle that leaves a file where it is loaded."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.canary,)


@pytest.mark.parametrize("packed", [False, True])
def test_a_pickle_that_is_not_the_published_one_is_not_loaded(
    cifar_archive: bytes, tmp_path: Path, packed: bool
) -> None:
    canary, root = tmp_path / "canary", tmp_path / "root"
    pickle.loads(pickle.dumps(Trap(canary)))
    canary.unlink()  # so the trap works where it is stepped on
    batches = root / "cifar-10-batches-py"
    batches.mkdir(parents=True)
    for name, content in cifar_batches().items():
        (batches / name).write_bytes(pickle.dumps(Trap(canary)) if name == "data_batch_1" else content)
    if packed:
        with tarfile.open(root / "cifar-10-python.tar.gz", "w:gz") as tar:
            tar.add(batches, "cifar-10-batches-py")
    assert "not the published ones" in refused(DATASETS.make("CIFAR10", root=root)).sentence
    assert not canary.exists()


# Own pictures


def test_a_folder_of_classes_is_split_by_class(tmp_path: Path) -> None:
    images = opened(DATASETS.make("ImageFolder", root=folder_of(tmp_path / "pets", 10)))
    assert images.classes == ("cat", "dog")
    assert images.counts(images.train).tolist() == [8, 8]
    assert images.counts(images.validation).tolist() == [2, 2]
    assert not len(images.test)
    assert images.names[0] == "cat/0.png"
    for index, name in enumerate(images.names):
        assert images.classes[images.labels[index]] == name.split("/")[0]
        assert images.picture(index)[0, 0, 0] == images.labels[index]


def test_given_parts_are_kept(tmp_path: Path) -> None:
    for part, each in (("train", 10), ("val", 3), ("test", 2)):
        folder_of(tmp_path / "pets" / part, each)
    images = opened(DATASETS.make("ImageFolder", root=tmp_path / "pets"))
    for part, folder, count in ((images.train, "train", 20), (images.validation, "val", 6), (images.test, "test", 4)):
        assert len(part) == count
        assert {images.names[index].split("/")[0] for index in part} == {folder}


def test_without_a_validation_folder_it_is_split_off_train_and_not_off_test(tmp_path: Path) -> None:
    folder_of(tmp_path / "pets" / "train", 10)
    folder_of(tmp_path / "pets" / "test", 5)
    images = opened(DATASETS.make("ImageFolder", root=tmp_path / "pets", validation=0.3))
    assert [len(part) for part in (images.train, images.validation, images.test)] == [14, 6, 10]
    assert {images.names[index].split("/")[0] for index in images.validation} == {"train"}


def test_unreadable_pictures_are_listed_with_their_reasons(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "pets")
    (root / "cat" / "1.png").write_bytes(b"")
    (root / "dog" / "note.txt").write_bytes(b"x")
    images = opened(DATASETS.make("ImageFolder", root=root))
    assert dict(images.skipped).keys() == {"cat/1.png", "dog/*.txt"}
    assert dict(images.skipped)["cat/1.png"] == "the file is empty"
    assert images.counts(np.arange(len(images.labels))).tolist() == [3, 4]


def test_pictures_of_different_sizes_open_too(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "pets")
    Image.new("RGB", (20, 5)).save(root / "cat" / "wide.png")
    images = opened(DATASETS.make("ImageFolder", root=root))
    assert images.kind.size is None
    assert images.kind.least == (5, 8)
    assert images.picture(images.names.index("cat/wide.png")).shape == (3, 5, 20)


def test_a_picture_deleted_before_training_is_named(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "pets")
    Image.new("RGB", (20, 5)).save(root / "cat" / "wide.png")
    images = opened(DATASETS.make("ImageFolder", root=root))
    (root / "dog" / "3.png").unlink()
    with pytest.raises(DataError, match=r"dog/3.png .* is not there any more"):
        images.pictures.take(np.arange(len(images.labels)))


@pytest.mark.parametrize(
    ("classes", "empty", "said"),
    [
        (("cat",), (), "only one class (cat)"),
        (("cat", "dog"), ("bird",), "no training pictures of bird"),
        ((), ("cat", "dog"), "no pictures in"),
        ((), (), "no folders with pictures"),
    ],
)
def test_folders_that_cannot_be_learned_from_are_told(
    tmp_path: Path, classes: tuple[str, ...], empty: tuple[str, ...], said: str
) -> None:
    root = tmp_path / "pets"
    root.mkdir()
    folder_of(root, classes=classes)
    for name in empty:
        (root / name).mkdir()
    assert said in refused(DATASETS.make("ImageFolder", root=root)).sentence


def test_an_empty_validation_folder_is_told(tmp_path: Path) -> None:
    folder_of(tmp_path / "pets" / "train")
    (tmp_path / "pets" / "val" / "cat").mkdir(parents=True)
    assert "validation folder" in refused(DATASETS.make("ImageFolder", root=tmp_path / "pets")).sentence


def test_own_pictures_need_a_folder() -> None:
    with pytest.raises(InvalidExperiment):
        DATASETS.make("ImageFolder")


@pytest.mark.parametrize("name", ["MNIST", "ImageFolder"])
def test_a_home_sign_in_a_root_is_understood(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    put(tmp_path / "all" / "MNIST" / "raw", idx_files(), packed=False)
    folder_of(tmp_path / "pets")
    root = "~/all" if name == "MNIST" else "~/pets"
    assert len(opened(DATASETS.make(name, root=root)).labels) > 0


# The real ones


@pytest.fixture(scope="module")
def mnist(shared_data: Path) -> ImageSet:
    return opened(DATASETS.make("MNIST", root=shared_data))


@pytest.mark.shared_data
def test_the_real_mnist_is_split_as_published(mnist: ImageSet) -> None:
    assert pixels_of(mnist).shape == (70_000, 1, 28, 28)
    assert len(mnist.train) + len(mnist.validation) == 60_000
    assert mnist.test.tolist() == list(range(60_000, 70_000))
    assert len(mnist.validation) == pytest.approx(6_000, abs=10)
    assert mnist.labels[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
    assert mnist.labels[60_000:60_008].tolist() == [7, 2, 1, 0, 4, 1, 4, 9]
    held, all_of = mnist.counts(mnist.validation), mnist.counts(np.arange(60_000))
    assert np.abs(held - 0.1 * all_of).max() <= 1


@pytest.mark.shared_data
def test_the_real_mnist_is_what_torchvision_reads(mnist: ImageSet, shared_data: Path, tmp_path: Path) -> None:
    from torchvision import datasets

    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in IDX:
        (raw / name).write_bytes(gzip.decompress((shared_data / "MNIST" / "raw" / f"{name}.gz").read_bytes()))
    for train, places in ((True, slice(0, 60_000)), (False, slice(60_000, None))):
        reference = datasets.MNIST(tmp_path, train=train, download=False)
        assert np.array_equal(pixels_of(mnist)[places, 0], reference.data.numpy())
        assert np.array_equal(mnist.labels[places], reference.targets.numpy())
    assert list(mnist.classes) == datasets.MNIST.classes


@pytest.mark.shared_data
def test_the_real_cifar_pictures_open_as_a_folder(shared_data: Path, tmp_path: Path) -> None:
    from torchvision.datasets import ImageFolder

    with tarfile.open(shared_data / "cifar10-images.tar.xz") as tar:
        for member in tar:
            if member.isreg() and int(Path(member.name).stem) < 50:
                tar.extract(member, tmp_path, filter="data")
    begun = time.monotonic()
    images = opened(DATASETS.make("ImageFolder", root=tmp_path))
    assert time.monotonic() - begun < 5
    assert images.skipped == ()
    assert images.counts(images.test).tolist() == [50] * 10
    assert images.counts(images.train).tolist() == [40] * 10
    for part in ("train", "test"):
        reference = ImageFolder(tmp_path / part)
        assert list(images.classes) == reference.classes
        for path, label in reference.samples[::25]:
            index = images.names.index(Path(path).relative_to(tmp_path).as_posix())
            assert images.labels[index] == label
            assert np.array_equal(images.picture(index), np.asarray(reference.loader(path)).transpose(2, 0, 1))
