"""Data sets: fixed splits, the idx format, sentences for files that are not as they should be."""

import gzip
import hashlib
import re
import struct
import tracemalloc

import numpy as np
import pooch
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from thinnet import DataFileError, datasets
from thinnet.datasets import FILES, Source, images, read_idx, sources

# --- digits and spirals --------------------------------------------------------------------------


def test_the_digits_are_split_as_announced():
    d = datasets.digits()
    assert (d.X_train.shape, d.X_test.shape) == ((1437, 64), (360, 64))
    assert (d.y_train.shape, d.y_test.shape) == ((1437,), (360,))
    assert d.X_train.dtype == np.float32
    assert (d.X_train.min(), d.X_train.max()) == (0, 1)


def test_the_split_of_the_digits_is_stratified():
    d = datasets.digits()
    train, test = np.bincount(d.y_train), np.bincount(d.y_test)
    assert_allclose(test, 360 / 1797 * (train + test), atol=1)


def test_the_split_of_the_digits_is_always_the_same():
    once, again = datasets.digits(), datasets.digits()
    for a, b in zip(once, again, strict=True):
        assert_array_equal(a, b)
    digest = hashlib.sha256(once.X_test.tobytes() + once.y_test.astype("<i8").tobytes())
    assert digest.hexdigest() == DIGITS


DIGITS = "8110e5c2c9d024b578f2c2692341cc0a635dc6f45899bb78b73bbee43d45a90f"


def test_no_digit_is_lost_or_in_both_parts():
    from sklearn.datasets import load_digits

    d = datasets.digits()
    all_rows = np.vstack([np.c_[d.X_train, d.y_train], np.c_[d.X_test, d.y_test]])
    X, y = load_digits(return_X_y=True)
    wanted = np.c_[(X / 16).astype(np.float32), y]
    assert sorted(map(bytes, all_rows.astype("f8"))) == sorted(map(bytes, wanted.astype("f8")))


@pytest.mark.parametrize(("n_per_class", "n_classes"), [(100, 3), (1, 1), (50, 5)])
def test_a_spiral_has_as_many_points_in_each_class(n_per_class, n_classes):
    X, y = datasets.spiral(n_per_class, n_classes)
    assert X.shape == (n_per_class * n_classes, 2)
    assert X.dtype == np.float32
    assert_array_equal(np.bincount(y), [n_per_class] * n_classes)


def test_the_points_of_an_arm_move_evenly_from_the_centre_to_radius_one():
    X, y = datasets.spiral(11, 3)
    for arm in range(3):
        radius = np.linalg.norm(X[y == arm], axis=1)
        assert_allclose(radius, np.linspace(0, 1, 11), atol=1e-6)


def test_a_spiral_follows_its_formula():
    """Kinsley and Kukiela: angle 2.5 t, t from 4 k to 4 (k + 1), with noise of 0.2 in t."""
    X, y = datasets.spiral(2000, 3)
    for arm in range(3):
        points, t = X[y == arm][100:], np.linspace(4 * arm, 4 * arm + 4, 2000)[100:]
        angle = np.arctan2(points[:, 0], points[:, 1])
        noise = (angle - 2.5 * t + np.pi) % (2 * np.pi) - np.pi
        assert abs(noise.mean()) < 0.06
        assert_allclose(noise.std(), 0.5, rtol=0.06)


def test_a_spiral_depends_on_its_seed_alone():
    assert_array_equal(datasets.spiral(9, seed=1)[0], datasets.spiral(9, seed=1)[0])
    assert (datasets.spiral(9, seed=1)[0] != datasets.spiral(9, seed=2)[0]).any()


@pytest.mark.parametrize("name", ["n_per_class", "n_classes"])
@pytest.mark.parametrize("value", [0, -1, 2.5])
@pytest.mark.usefixtures("untyped")
def test_a_spiral_needs_at_least_one_point_and_one_class(name, value):
    with pytest.raises(ValueError, match=rf"^{name} must be an integer >= 1, got {value}$"):
        datasets.spiral(**{name: value})


# --- idx files -----------------------------------------------------------------------------------


def idx(array, magic=b"\0\0\x08"):
    array = np.asarray(array, np.uint8)
    return (
        magic + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    )


CUBE = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "array", [CUBE, CUBE[0], CUBE[0, 0], CUBE[None]], ids=lambda a: f"{a.ndim}"
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_an_idx_file_is_read_packed_or_not(array, pack, tmp_path):
    path = tmp_path / "some.idx"
    path.write_bytes(pack(idx(array)))
    read = read_idx(path)
    assert read.dtype == np.uint8
    assert_array_equal(read, array)


def test_an_idx_file_may_hold_no_rows(tmp_path):
    path = tmp_path / "some.idx"
    path.write_bytes(idx(np.zeros((0, 28, 28))))
    assert read_idx(str(path)).shape == (0, 28, 28)


PACKED = gzip.compress(idx(CUBE), mtime=0)
DAMAGED = {
    "empty": (b"", "got a file that begins with nothing"),
    "three bytes": (b"\0\0\x08", "idx file of bytes"),
    "wrong magic": (idx(CUBE, b"\x01\0\x08"), "got a file that begins with 01 00 08 03"),
    "floats": (idx(CUBE, b"\0\0\x0d"), "got a file that begins with 00 00 0d 03"),
    "no axes": (b"\0\0\x08\0" + b"\x07", "1 to 4 axes"),
    "five axes": (idx(CUBE[None, None]), "1 to 4 axes"),
    "half a header": (idx(CUBE)[:9], "cut short or damaged"),
    "one value too few": (idx(CUBE)[:-1], r"must hold 24 values of shape \(2, 3, 4\), got 23"),
    "no values": (idx(CUBE)[:16], r"must hold 24 values of shape \(2, 3, 4\), got 0"),
    "one value too many": (idx(CUBE) + b"\0", r"must hold 24 values of shape \(2, 3, 4\), got 25"),
    "packed, cut short": (PACKED[:-10], "must be a readable idx file, got EOFError"),
    "packed, only a magic": (PACKED[:2], "must be a readable idx file, got EOFError"),
    "packed, wrong checksum": (
        PACKED[:-8] + bytes(4) + PACKED[-4:],
        "must be a readable idx file, got BadGzipFile",
    ),
    "packed, altered": (PACKED[:12] + b"\xff\xff\xff" + PACKED[15:], "must be a readable idx file"),
    "packed, of something else": (gzip.compress(b"<html>"), "begins with 3c 68 74 6d"),
    "a page": (b"<!DOCTYPE html>", "begins with 3c 21 44 4f"),
}


@pytest.mark.parametrize(("content", "message"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_idx_file_is_refused_in_one_sentence_with_its_name(content, message, tmp_path):
    path = tmp_path / "some.idx"
    path.write_bytes(content)
    with pytest.raises(DataFileError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_unpacks_to_more_than_it_says_is_refused_in_little_memory(tmp_path):
    path = tmp_path / "some.idx"
    path.write_bytes(gzip.compress(idx(CUBE)) + gzip.compress(bytes(2**25)) * 4)
    tracemalloc.start()
    with pytest.raises(DataFileError, match="got 25 or more"):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24


def test_a_packed_idx_file_cut_short_anywhere_is_refused(tmp_path):
    path = tmp_path / "some.idx"
    for length in range(len(PACKED)):
        path.write_bytes(PACKED[:length])
        with pytest.raises(DataFileError, match=re.escape(str(path))):
            read_idx(path)


@pytest.mark.parametrize(
    ("name", "message"), [("missing", "FileNotFoundError"), (".", "IsADirectory")]
)
def test_an_idx_file_that_cannot_be_read_is_named(name, message, tmp_path):
    with pytest.raises(DataFileError, match=rf"must be a readable idx file, got {message}"):
        read_idx(tmp_path / name)


# --- Fashion-MNIST and MNIST from a folder -------------------------------------------------------


def small_files(n_train=5, n_test=3):
    rng = np.random.default_rng(0)
    return {
        FILES[0]: rng.integers(256, size=(n_train, 28, 28)),
        FILES[1]: rng.integers(10, size=n_train),
        FILES[2]: rng.integers(256, size=(n_test, 28, 28)),
        FILES[3]: rng.integers(10, size=n_test),
    }


def put(folder, arrays, packed=True):
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        content = idx(array)
        path = folder / (name if packed else name.removesuffix(".gz"))
        path.write_bytes(gzip.compress(content) if packed else content)
    return folder


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    """No download, and an empty cache folder of the test's own; what was asked for is listed."""
    urls = []

    def refuse(self, url, output_file, pooch, check_only=False):
        urls.append(url)
        raise ConnectionError("no network in this test")

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", refuse)
    monkeypatch.setattr(sources, "user_folder", lambda: tmp_path / "cache" / "thinnet")
    return urls


LOADERS = {"fashion-mnist": datasets.fashion_mnist, "mnist": datasets.mnist}
loaders = pytest.mark.parametrize(("name", "load"), LOADERS.items(), ids=LOADERS)


@loaders
@pytest.mark.parametrize("packed", [True, False], ids=["packed", "plain"])
def test_four_idx_files_are_a_data_set(name, load, packed, tmp_path, no_network):
    arrays = small_files()
    d = load(put(tmp_path / "data", arrays, packed))
    assert_allclose(d.X_train, arrays[FILES[0]].reshape(5, 784) / 255, rtol=1e-6)
    assert_allclose(d.X_test, arrays[FILES[2]].reshape(3, 784) / 255, rtol=1e-6)
    assert_array_equal(d.y_train, arrays[FILES[1]])
    assert_array_equal(d.y_test, arrays[FILES[3]])
    assert d.X_train.dtype == np.float32
    assert d.y_train.dtype == np.intp
    assert not no_network


@loaders
def test_files_in_the_cache_are_taken_without_a_download(
    name, load, tmp_path, no_network, monkeypatch
):
    arrays = small_files()
    folder = put(tmp_path / "cache" / "thinnet" / name, arrays)
    sums = {file: hashlib.md5((folder / file).read_bytes()).hexdigest() for file in FILES}
    source = Source(name, "http://nowhere.invalid/", sums)
    monkeypatch.setattr(images, name.upper().replace("-", "_"), source)
    assert_array_equal(load().y_test, arrays[FILES[3]])
    assert not no_network


@pytest.mark.parametrize(("labels", "n"), [(FILES[1], 4), (FILES[1], 6), (FILES[3], 2)])
def test_a_label_too_few_or_too_many_is_refused(labels, n, tmp_path):
    folder = put(tmp_path / "data", small_files() | {labels: np.zeros(n)})
    with pytest.raises(
        DataFileError, match=rf"{labels} must hold a label for each image .* \({n},\)"
    ):
        datasets.fashion_mnist(folder)


def test_labels_in_place_of_images_are_refused(tmp_path):
    arrays = small_files()
    folder = put(tmp_path / "data", arrays | {FILES[0]: arrays[FILES[1]]})
    with pytest.raises(DataFileError, match="must hold a label for each image"):
        datasets.fashion_mnist(folder)


def test_a_file_without_images_is_refused(tmp_path):
    empty = {FILES[0]: np.zeros((0, 28, 28)), FILES[1]: np.zeros(0)}
    with pytest.raises(DataFileError):
        datasets.fashion_mnist(put(tmp_path / "data", small_files() | empty))


@loaders
@pytest.mark.parametrize("file", FILES)
def test_a_file_missing_from_a_named_folder_is_named_and_not_downloaded(
    name, load, file, tmp_path, no_network
):
    folder = put(tmp_path / "data", small_files())
    (folder / file).unlink()
    with pytest.raises(DataFileError) as caught:
        load(folder)
    message = str(caught.value)
    assert message.startswith(f"{folder} must hold the four idx files {', '.join(FILES)} of {name}")
    assert message.endswith(f"got no {file}")
    assert not no_network


def test_a_damaged_file_in_a_named_folder_is_named(tmp_path):
    folder = put(tmp_path / "data", small_files())
    damaged = folder / FILES[2]
    damaged.write_bytes(damaged.read_bytes()[:-20])
    with pytest.raises(DataFileError, match=rf"{re.escape(str(damaged))} must be a readable"):
        datasets.fashion_mnist(folder)


@loaders
def test_without_network_and_files_one_sentence_says_what_to_put_where(
    name, load, tmp_path, no_network, capsys
):
    with pytest.raises(DataFileError) as caught:
        load()
    message = str(caught.value)
    assert message.startswith(f"{FILES[0]} of {name} could not be downloaded (ConnectionError)")
    assert all(file in message for file in FILES)
    assert str(tmp_path / "cache" / "thinnet" / name) in message
    assert "data_dir" in message
    assert "\n" not in message
    assert len(no_network) == 1


def downloads(monkeypatch, contents):
    def deliver(self, url, output_file, pooch, check_only=False):
        with open(output_file, "wb") as file:  # noqa: PTH123
            file.write(contents[url.rsplit("/", 1)[1]])

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", deliver)


@loaders
def test_a_download_with_another_checksum_is_refused(
    name, load, tmp_path, no_network, monkeypatch, capsys
):
    downloads(monkeypatch, {file: gzip.compress(idx(a)) for file, a in small_files().items()})
    with pytest.raises(DataFileError, match=rf"{FILES[0]} of {name}") as caught:
        load()
    assert "\n" not in str(caught.value)
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]


def test_a_download_with_another_checksum_is_refused_for_that(no_network, monkeypatch, capsys):
    downloads(monkeypatch, dict.fromkeys(FILES, b"something else"))
    with pytest.raises(DataFileError, match=r"checksum|hash"):
        datasets.mnist()


def test_a_download_with_the_right_checksum_is_kept(tmp_path, no_network, monkeypatch, capsys):
    contents = {file: gzip.compress(idx(a)) for file, a in small_files().items()}
    sums = {file: hashlib.md5(content).hexdigest() for file, content in contents.items()}
    monkeypatch.setattr(images, "MNIST", Source("mnist", "http://nowhere.invalid/", sums))
    downloads(monkeypatch, contents)
    assert_array_equal(datasets.mnist().y_train, small_files()[FILES[1]])
    assert sorted(p.name for p in (tmp_path / "cache/thinnet/mnist").iterdir()) == sorted(FILES)


def test_downloads_come_from_an_address_with_a_checksum_for_each_file():
    for source in (datasets.FASHION_MNIST, datasets.MNIST):
        assert source.url.startswith("http")
        assert source.url.endswith("/")
        assert tuple(source.md5) == FILES
        assert all(re.fullmatch("[0-9a-f]{32}", checksum) for checksum in source.md5.values())


@pytest.mark.slow
@loaders
def test_the_official_files_have_the_official_checksums_and_counts(name, load, data_dir):
    source = {"fashion-mnist": datasets.FASHION_MNIST, "mnist": datasets.MNIST}[name]
    for file, checksum in source.md5.items():
        assert hashlib.md5((data_dir / name / file).read_bytes()).hexdigest() == checksum
    d = load(data_dir / name)
    assert (d.X_train.shape, d.X_test.shape) == ((60_000, 784), (10_000, 784))
    assert (d.X_train.min(), d.X_train.max()) == (0, 1)
    assert_array_equal(np.unique(d.y_train), range(10))
    assert_array_equal(np.unique(d.y_test), range(10))
