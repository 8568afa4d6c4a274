"""Names beside what they name, instead of a legend, where they cover nothing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

AROUND = 5  # points that a bar takes on each side: half a marker, and air
_SIDES: dict[str, dict[str, Any]] = {  # the best first
    "above": {"xytext": (0, 6), "ha": "center", "va": "bottom"},
    "below": {"xytext": (0, -6), "ha": "center", "va": "top"},
    "right": {"xytext": (8, 0), "ha": "left", "va": "center"},
    "left": {"xytext": (-8, 0), "ha": "right", "va": "center"},
}


class Bar(NamedTuple):
    """A name, and the vertical bar of which it is the name."""

    name: str
    x: float
    low: float
    mean: float
    high: float


def name_bars(figure: "Figure", bars: Sequence[Bar], colours: Sequence[str]) -> None:
    """Write every name on the first side where no bar and no name is.

    Above where all four are taken. All that moves the axes must have been drawn.
    """
    (axes,) = figure.axes
    figure.draw_without_rendering()  # then places on the page are known
    taken = [_extent(axes, bar) for bar in bars]
    page = axes.get_window_extent()
    for bar, colour in zip(bars, colours, strict=True):
        texts = [_written(axes, bar, side, colour) for side in _SIDES]
        boxes = [text.get_window_extent() for text in texts]
        free = (k for k, box in enumerate(boxes) if _is_free(box, taken, page))
        chosen = next(free, 0)
        taken.append(boxes[chosen])
        for text in texts[:chosen] + texts[chosen + 1 :]:
            text.remove()


def _written(axes: "Axes", bar: Bar, side: str, colour: str) -> "Annotation":
    y = {"above": bar.high, "below": bar.low}.get(side, bar.mean)
    how = {"textcoords": "offset points", "color": colour, **_SIDES[side]}
    return axes.annotate(bar.name, (bar.x, y), **how)


def _extent(axes: "Axes", bar: Bar) -> "Bbox":
    """The bar with the air around it, in pixels."""
    from matplotlib.transforms import Bbox

    ends = axes.transData.transform([(bar.x, bar.low), (bar.x, bar.high)])
    return Bbox(ends).padded(AROUND * axes.figure.dpi / 72)


def _is_free(box: "Bbox", taken: "Sequence[Bbox]", page: "Bbox") -> bool:
    inside = page.x0 <= box.x0 and box.x1 <= page.x1
    return inside and not box.count_overlaps(taken)
