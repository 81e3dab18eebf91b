"""What holds for every picture: it can be read at 80 mm, and names stand as they are."""

from io import BytesIO
from xml.etree.ElementTree import XML

from matplotlib.text import Text

ODD_NAMES = ("<script>", "$x$", "_hidden", "a & b")


def texts(figure):
    """The texts of a figure that show something, after it was drawn."""
    figure.canvas.draw()
    return [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]


def assert_readable_at_80_mm(figure):
    """Letters of 6 points at least, none outside of the figure."""
    scale = 80 / 25.4 / figure.get_size_inches()[0]
    found = texts(figure)
    assert found
    assert min(t.get_fontsize() for t in found) * scale >= 6 - 0.05
    whole, drawn = figure.bbox_inches.padded(0.02), figure.get_tightbbox()
    assert whole.fully_contains(drawn.x0, drawn.y0), drawn
    assert whole.fully_contains(drawn.x1, drawn.y1), drawn


def assert_shown_as_text(figure, names):
    """Each name is there as it is, and never as a formula."""
    found = texts(figure)
    for name in names:
        mine = [t for t in found if name in t.get_text()]
        assert mine, name
        assert not any(t.get_parse_math() for t in mine), name
    picture = BytesIO()
    figure.savefig(picture, format="svg")
    tags = {element.tag.rpartition("}")[2] for element in XML(picture.getvalue()).iter()}
    assert "path" in tags
    assert "script" not in tags
