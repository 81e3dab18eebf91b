"""Figures are saved complete, or not at all with a sentence that names the file."""

import pytest
from full_disks import files_of_at_most
from matplotlib.figure import Figure

from thinnet.displays.saving import save_figure

HEADS = {".png": b"\x89PNG\r\n\x1a\n", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.fixture
def figure():
    figure = Figure()
    figure.subplots().plot([1, 2])
    return figure


@pytest.mark.parametrize("suffix", HEADS)
def test_a_figure_is_saved_in_the_format_of_its_name(tmp_path, figure, suffix):
    path = save_figure(figure, tmp_path / f"figure{suffix}")
    assert path.read_bytes().startswith(HEADS[suffix])
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", HEADS)
def test_a_figure_without_room_is_named_and_the_old_one_stays(tmp_path, figure, suffix):
    path = tmp_path / f"figure{suffix}"
    path.write_bytes(b"old")
    with files_of_at_most(1000), pytest.raises(OSError, match=rf"too large: '{path}'$"):
        save_figure(figure, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
