"""How time grows with size, drawn by matplotlib."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

from ttalgebra.draw.curves import COLOURS, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Curves = Mapping[str, Sequence[tuple[float, float]]]
LIMIT = "limit"  # the name of the curve that is dashed


def growth(panels: Mapping[tuple[str, str], Curves]) -> "Figure":
    """Milliseconds against size: a panel for each series, a curve for each contestant.

    ``panels[series, unit][name]`` holds ``(size, seconds)``, sizes being counts of
    ``unit``; there is at least one panel. Both axes are logarithmic. A name looks the
    same in all panels: the first is thick, ``limit`` dashed; the legend is below.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    size = (5.4 * columns, 3.5 * rows + 0.4)
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    places = iter(figure.subplots(rows, columns, squeeze=False).flat)
    styles = _styles(name for curves in panels.values() for name in curves)
    for ((series, unit), curves), axes in zip(panels.items(), places, strict=False):
        axes.set_title(series, loc="left")
        axes.set(xlabel=unit, ylabel="ms")
        for name, points in curves.items():
            sizes, seconds = zip(*sorted(points), strict=True)
            axes.plot(sizes, [1e3 * s for s in seconds], label=name, **styles[name])
        _scale(axes, curves)
    for axes in places:
        axes.remove()
    below = {"loc": "outside lower center", "ncols": 4 * columns, "frameon": False}
    drawn = [line for axes in figure.axes for line in axes.get_lines()]
    lines = {str(line.get_label()): line for line in drawn}
    names = [name for name in styles if name in lines]
    figure.legend([lines[name] for name in names], names, **below)
    return figure


def _styles(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The first thick and above all others, the limit last."""
    first, *others = (name for name in dict.fromkeys(names) if name != LIMIT)
    thin = {"marker": "o", "markersize": 4, "linewidth": 1.2}
    colours = cycle((*COLOURS[1:6], "0.6"))  # not the last, black as the limit
    styles: dict[str, dict[str, Any]] = {
        first: {"marker": "o", "color": COLOURS[0], "linewidth": 3, "zorder": 3}
    }
    styles |= {name: {"color": next(colours), **thin} for name in others}
    return styles | {LIMIT: {"color": "black", "linestyle": "--"}}


def _scale(axes: "Axes", curves: Curves) -> None:
    """Logarithms on both axes, a tick at every size."""
    from matplotlib.ticker import EngFormatter, LogFormatter

    axes.set(xscale="log", yscale="log")
    axes.set_xticks(sorted({size for points in curves.values() for size, _ in points}))
    axes.set_xticks([], minor=True)
    axes.xaxis.set_major_formatter(EngFormatter(places=0, sep=""))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(LogFormatter())
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
