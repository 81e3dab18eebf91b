"""A picture over the steps of a recording, as GIF or MP4."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, DisplayLike
from thinnet.atomic import check_place, write_atomically
from thinnet.checks import MissingLibraryError

WRITERS: Final = {".gif": "pillow", ".mp4": "ffmpeg"}
MOST_FRAMES: Final = 1000
MOST_PIXELS: Final = 2**26  # of all frames together: 256 MB


@runtime_checkable
class Recorded(Protocol):
    """A training whose moments can be opened, such as a `Recording`."""

    def steps(self, member: int = 0) -> range:
        """The steps that `at` takes."""
        ...

    def at(self, step: int, member: int = 0) -> Any:
        """The training as it stood before a step, with its `network`."""
        ...


def animate(
    display: DisplayLike,
    recording: Recorded,
    path: str | os.PathLike[str],
    *,
    max_frames: int = 100,
    fps: float = 10.0,
    dpi: int = 100,
    member: int = 0,
) -> Path:
    """Save a picture of a network at steps of a recording, from the first to the last.

    Parameters
    ----------
    display : display of a network, or function of a moment
        A `NetworkGraph`, `DecisionSurface` or `ThinnedGallery` that ``from_network`` made, which is
        made again for each moment with the same settings; or what makes a display of a moment.
    recording : Recording
    path : path
        Ends in .gif, or in .mp4 where ffmpeg is installed.  An old file there is replaced when the
        new one is complete.
    max_frames : int, default=100
        At most so many steps, 1 to 1000, at equal distances.
    fps : float, default=10
        Frames per second, above 0 and at most 50.
    dpi : int, default=100
        Dots per inch, 20 to 300.  All frames together have at most 2^26 pixels: a hundred of
        630 x 600 are 38 million.
    member : int, default=0
        The network's place in the recording.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If a setting is not as above, nothing is recorded, or there are too many pixels.
    MissingLibraryError
        If the path ends in .mp4 and there is no ffmpeg.
    OSError
        If writing fails; the error names the file, and an old file is untouched.

    Examples
    --------
    >>> from thinnet import Dense, Network, NetworkGraph, animate
    >>> network = Network([Dense(1)], features=2, seed=0)
    >>> graph = NetworkGraph.from_network(network)
    >>> animate(graph, None, "steps.png")
    Traceback (most recent call last):
    ...
    thinnet.checks.SettingError: path must be one that ends in .gif or .mp4, got 'steps.png'
    """
    where, again = Path(path), _maker(display)
    kind = where.suffix.lower()
    checks.must(kind in WRITERS, "path", "one that ends in .gif or .mp4", os.fspath(path))
    check_place("path", path)
    checks.of_kind("recording", recording, Recorded)
    checks.integer("max_frames", max_frames, 1, MOST_FRAMES)
    checks.must(0.1 <= checks.positive("fps", fps) <= 50, "fps", "a number in [0.1, 50]", fps)
    checks.integer("dpi", dpi, 20, 300)
    steps = frame_steps(recording.steps(member), max_frames)
    writer = _writer(kind, fps)
    frames = (_pixels(again(recording.at(step, member=member)), dpi) for step in steps)
    content = _written(writer, frames, len(steps), (kind, dpi, where))
    write_atomically(where, content)
    return where


def frame_steps(recorded: range, most: int) -> list[int]:
    """At most so many of the recorded steps, the first and the last among them."""
    checks.must(len(recorded) > 0, "recording", "one with steps", "none")
    places = np.linspace(0, len(recorded) - 1, min(most, len(recorded)))
    return [recorded[int(place)] for place in np.round(places)]


def _maker(display: Any) -> Callable[[Any], Any]:
    """What makes the picture of a moment."""
    found: Any = getattr(display, "at", None) if hasattr(display, "figure_") else display
    allowed = "a display that from_network made, or a function of a moment"
    fits = callable(found) and not isinstance(found, type)
    checks.must(fits, "display", allowed, type(display).__name__)
    return found


def _writer(kind: str, fps: float) -> Any:
    from matplotlib import animation

    writers: Any = animation.writers
    name = WRITERS[kind]
    if not writers.is_available(name):
        raise MissingLibraryError(f"{name} must be installed for {kind} files: save as .gif")
    return writers[name](fps=fps)


def _pixels(display: Any, dpi: int) -> Array:
    """The picture as colours, shape (height, width, 3), with even sides; its figure is closed."""
    from matplotlib import pyplot as plt
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    checks.must(hasattr(display, "figure_"), "display", "one with a figure", type(display).__name__)
    figure = display.figure_
    figure.set_dpi(dpi)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    colours = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    plt.close(figure)
    height, width = colours.shape[:2]
    return colours[: height - height % 2, : width - width % 2]


def _written(writer: Any, frames: Iterator[Array], n: int, how: tuple[str, int, Path]) -> bytes:
    """The content of the file, which writers of matplotlib put in a folder of their own."""
    kind, dpi, where = how
    with tempfile.TemporaryDirectory() as folder:
        beside = Path(folder) / f"animation{kind}"
        try:
            _write(writer, frames, n, beside, dpi)
        except OSError as error:
            raise OSError(error.errno, error.strerror, os.fspath(where)) from error
        return beside.read_bytes()


def _write(writer: Any, frames: Iterator[Array], n: int, path: Path, dpi: int) -> None:
    """Write frames of the first one's size; ValueError if they have too many pixels."""
    from matplotlib.figure import Figure

    first = next(frames)
    height, width = first.shape[:2]
    most = MOST_PIXELS // (height * width)
    allowed = f"at most {most} for pictures of {width} x {height} pixels"
    checks.must(n <= most, "max_frames", allowed, n)
    stage = Figure(figsize=(width / dpi, height / dpi), dpi=dpi)
    shown = stage.figimage(first)
    with writer.saving(stage, str(path), dpi):
        writer.grab_frame()
        for frame in frames:
            shown.set_data(_fitted(frame, height, width))
            writer.grab_frame()


def _fitted(frame: Array, height: int, width: int) -> Array:
    """A frame cut, or filled with white, to a size."""
    whole = np.full((height, width, 3), 255, np.uint8)
    part = frame[:height, :width]
    whole[: len(part), : part.shape[1]] = part
    return whole
