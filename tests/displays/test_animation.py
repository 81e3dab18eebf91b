"""Animations have a frame a step, are bounded, and are written whole or not at all."""

import shutil
import subprocess

import numpy as np
import pytest
from full_disks import files_of_at_most
from matplotlib import animation
from matplotlib import pyplot as plt
from PIL import Image

from thinnet import (
    DecisionSurface,
    Dense,
    Dropout,
    MLPClassifier,
    Network,
    NetworkGraph,
    ReLU,
    ThinnedGallery,
    animate,
)
from thinnet.checks import MissingLibraryError
from thinnet.displays.animation import frame_steps

X = np.random.default_rng(0).normal(size=(20, 2))
Y = (X[:, 0] > 0).astype(int)


class Moment:
    def __init__(self, step):
        self.step = step
        self.network = Network([Dense(3), ReLU(), Dropout(0.5), Dense(2)], features=2, seed=step)


class Steps:
    """A recording of networks that differ."""

    def __init__(self, n=5):
        self.n, self.asked = n, []

    def steps(self, member=0):
        return range(10, 10 + self.n)

    def at(self, step, member=0):
        self.asked.append((step, member))
        return Moment(step)


def first():
    return Moment(10).network


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def frames(path):
    with Image.open(path) as file:
        found = []
        for i in range(file.n_frames):
            file.seek(i)
            found.append(np.asarray(file.convert("RGB")).astype(int))
        return found


@pytest.mark.parametrize(
    "make",
    [
        lambda: NetworkGraph.from_network(first(), X),
        lambda: NetworkGraph.from_network(first(), step=0),
        lambda: DecisionSurface.from_network(first(), X, Y, n_draws=3, resolution=5),
        lambda: ThinnedGallery.from_network(first(), X, Y, n_draws=1, resolution=5),
    ],
    ids=["graph", "masks", "surface", "gallery"],
)
def test_each_step_is_a_frame_and_no_figure_is_left_open(tmp_path, make):
    display = make()
    before = plt.get_fignums()
    recording = Steps(3)
    path = animate(display, recording, tmp_path / "steps.gif", dpi=30)
    assert recording.asked == [(10, 0), (11, 0), (12, 0)]
    pictures = frames(path)
    assert len(pictures) == 3
    assert not np.array_equal(pictures[0], pictures[1])
    assert plt.get_fignums() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_frame_is_the_picture_of_its_moment(tmp_path):
    path = animate(NetworkGraph.from_network(first()), Steps(2), tmp_path / "steps.gif", dpi=50)
    alone = NetworkGraph.from_network(Moment(11))
    alone.figure_.set_dpi(50)
    alone.figure_.canvas.draw()
    expected = np.asarray(alone.figure_.canvas.buffer_rgba())[..., :3].astype(int)
    found = frames(path)[1]
    part = expected[: found.shape[0], : found.shape[1]]
    assert np.abs(part - found).mean() < 3  # a GIF has 256 colours


def test_a_function_of_a_moment_will_do(tmp_path):
    seen = []

    def picture(moment):
        seen.append(moment.step)
        return NetworkGraph.from_network(moment)

    animate(picture, Steps(50), tmp_path / "steps.gif", max_frames=3, dpi=20, member=4)
    assert seen == [10, 34, 59]


def test_steps_are_spread_from_the_first_to_the_last():
    for n in (1, 2, 7, 100):
        for most in (2, 3, 50, 1000):
            steps = frame_steps(range(5, 5 + n), most)
            assert steps[0] == 5
            assert steps[-1] == 4 + n
            assert len(steps) == min(n, most) == len(set(steps))


def test_an_old_file_stays_where_there_is_no_room(tmp_path):
    path = tmp_path / "steps.gif"
    path.write_bytes(b"old")
    graph = NetworkGraph.from_network(first())
    with files_of_at_most(1000), pytest.raises(OSError, match=rf"too large: '{path}'$"):
        animate(graph, Steps(2), path, dpi=30)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_animated_is_refused(tmp_path, monkeypatch):
    graph, path = NetworkGraph.from_network(first()), tmp_path / "steps.gif"
    model = MLPClassifier((3,), dropout=0.5, max_iter=300, tol=1.0).fit(X, Y)
    of_estimator = NetworkGraph.from_estimator(model)
    for given, settings, words in (
        ((graph, Steps(), tmp_path / "a.png"), {}, "path must be one that ends in .gif or .mp4"),
        ((graph, Steps(), tmp_path / "no" / "a.gif"), {}, "path must be in a folder"),
        ((graph, 3, path), {}, "recording must be an object of the kind Recorded, got 3"),
        ((graph, Steps(0), path), {}, "recording must be one with steps"),
        ((of_estimator, Steps(), path), {}, "display must be a display that from_network made"),
        ((3, Steps(), path), {}, "display must be a display that from_network made"),
        ((lambda moment: 3, Steps(), path), {}, "display must be one with a figure, got 'int'"),
        ((graph, Steps(), path), {"max_frames": 0}, "max_frames must be an integer from 1 to 1000"),
        ((graph, Steps(), path), {"fps": 51}, r"fps must be a number in \[0.1, 50\], got 51"),
        ((graph, Steps(), path), {"dpi": 10}, "dpi must be an integer from 20 to 300, got 10"),
    ):
        with pytest.raises(ValueError, match=words) as error:
            animate(*given, **settings)
        assert "\n" not in str(error.value)
    monkeypatch.setattr(animation.writers, "is_available", lambda name: False)
    with pytest.raises(MissingLibraryError, match=r"ffmpeg must be installed for \.mp4 files"):
        animate(graph, Steps(), tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_more_pixels_than_fit_are_refused_at_the_first_frame(tmp_path):
    recording = Steps(1000)
    graph = NetworkGraph.from_network(first())
    with pytest.raises(ValueError, match=r"max_frames must be at most \d+ for pictures of 630 x"):
        animate(graph, recording, tmp_path / "steps.gif", max_frames=1000)
    assert len(recording.asked) == 1


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="needs ffmpeg")
def test_films_have_as_many_frames_as_steps(tmp_path):
    path = tmp_path / "steps.mp4"
    animate(NetworkGraph.from_network(first(), X), Steps(4), path)
    asked = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames"]
    found = subprocess.run([*asked, "-of", "csv=p=0", path], capture_output=True, check=True)
    assert int(found.stdout) == 4
