"""Curves, drawn by matplotlib: what was paid, and what it bought.

Needs matplotlib: ``pip install 'ttalgebra[demo]'``. Each function returns a
``matplotlib.figure.Figure`` of its own, without pyplot and its global state.
"""

import io
import os
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from ttalgebra.draw.names import Bar, name_bars
from ttalgebra.storage.atomic import replace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMALLEST = 0.01  # percent: an error of zero, where a logarithm is drawn
# Okabe and Ito's colours, distinct for every kind of colour vision
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
APART = 1.12  # the factor between neighbours whose costs are nearly equal


class Point(NamedTuple):
    """A system in the trade-off: what it costs, and an accuracy for each seed."""

    name: str
    cost: int
    accuracies: Sequence[float]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return sum(self.accuracies) / len(self.accuracies)


def trade_off(points: Sequence[Point], title: str, cost: str) -> "Figure":
    """Accuracy against ``cost``: the mean over seeds, and bars from worst to best.

    Points whose costs differ by less than a tenth stand side by side.
    """
    figure, axes = _empty(title, cost, "test accuracy")
    axes.set_xscale("log")
    axes.margins(x=0.22, y=0.15)
    colours, bars = _colours(len(points)), _bars(points)
    for bar, colour in zip(bars, colours, strict=True):
        ends = [[bar.mean - bar.low], [bar.high - bar.mean]]
        axes.errorbar(
            bar.x, bar.mean, ends, fmt="o", color=colour, capsize=4, markersize=7
        )
    name_bars(figure, bars, colours)
    return figure


def _bars(points: Sequence[Point]) -> list[Bar]:
    """Each point from its worst to its best seed, nearly equal costs spread out."""
    groups: list[list[int]] = []
    for k in sorted(range(len(points)), key=lambda k: points[k].cost):
        if groups and points[k].cost < 1.1 * points[groups[-1][-1]].cost:
            groups[-1].append(k)
        else:
            groups.append([k])
    places = {}
    for group in groups:
        middle = fmean([points[k].cost for k in group])
        for i, k in enumerate(group):
            places[k] = middle * APART ** (i - (len(group) - 1) / 2)
    return [
        Bar(p.name, places[k], min(p.accuracies), p.mean, max(p.accuracies))
        for k, p in enumerate(points)
    ]


def learning_curves(
    curves: Mapping[str, Sequence[Sequence[float]]], title: str
) -> "Figure":
    """Test error after each epoch: the mean over seeds, shaded from worst to best.

    ``curves[name]`` holds one sequence of accuracies for each seed. The error is
    drawn on a logarithmic axis, on which the last tenths of a percent can be seen.
    """
    figure, axes = _empty(title, "epoch", "test error in %")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    for (name, runs), colour in zip(curves.items(), _colours(len(curves)), strict=True):
        by_epoch = zip(*runs, strict=True)
        errors = [[max(100 * (1 - a), SMALLEST) for a in epoch] for epoch in by_epoch]
        epochs = range(1, len(errors) + 1)
        means = [sum(e) / len(e) for e in errors]
        axes.plot(epochs, means, color=colour, label=name)
        axes.plot(epochs[-1:], means[-1:], "o", color=colour, markersize=4)
        low, high = [min(e) for e in errors], [max(e) for e in errors]
        axes.fill_between(epochs, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.legend(frameon=False, loc="upper right")
    return figure


def errors(curves: Mapping[str, Mapping[int, Sequence[float]]], title: str) -> "Figure":
    """Test error in percent against parameters: the mean, and bars over the seeds.

    ``curves[name][parameters]`` holds the errors of the seeds; both axes are
    logarithmic. As Figure 1 of Novikov et al. (2015).
    """
    require_matplotlib()
    from matplotlib.ticker import LogLocator, NullFormatter

    figure, axes = _empty(title, "parameters of the first matrix", "test error in %")
    axes.set(xscale="log", yscale="log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    for (name, curve), colour in zip(
        curves.items(), _colours(len(curves)), strict=True
    ):
        sizes = sorted(curve)
        means = [fmean(curve[n]) for n in sizes]
        low = [mean - min(curve[n]) for n, mean in zip(sizes, means, strict=True)]
        high = [max(curve[n]) - mean for n, mean in zip(sizes, means, strict=True)]
        axes.errorbar(
            sizes, means, [low, high], fmt="o-", color=colour, capsize=3, label=name
        )
    axes.legend(frameon=False)
    return figure


def save(figure: "Figure", path: str | os.PathLike[str]) -> None:
    """Write ``figure`` as PNG, atomically; OSError where that cannot be done."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    replace(os.fspath(path), [picture.getvalue()])


def require_matplotlib() -> None:
    """Raise ImportError, saying what to install, unless matplotlib is there."""
    try:
        import matplotlib.figure  # noqa: F401  an extra, 0.5 s to import
    except ImportError as error:
        message = "drawing needs matplotlib; run: pip install 'ttalgebra[demo]'"
        raise ImportError(message) from error


def _empty(title: str, x_label: str, y_label: str) -> "tuple[Figure, Axes]":
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        message = "drawing needs matplotlib; run: pip install 'ttalgebra[demo]'"
        raise ImportError(message) from error
    figure = Figure(figsize=(7.2, 4.4), dpi=150, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left")
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _colours(count: int) -> list[str]:
    return [COLOURS[k % len(COLOURS)] for k in range(count)]
