"""Curves, drawn by matplotlib: what was paid, and what it bought.

Needs matplotlib: ``pip install 'ttalgebra[demo]'``. Each function returns a
``matplotlib.figure.Figure`` of its own, without pyplot and its global state.
"""

import io
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ttalgebra.storage.atomic import replace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMALLEST = 0.01  # percent: an error of zero, where a logarithm is drawn
# Okabe and Ito's colours, distinct for every kind of colour vision
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


class Point(NamedTuple):
    """A system in the trade-off: its parameters, and an accuracy for each seed."""

    name: str
    parameters: int
    accuracies: Sequence[float]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return sum(self.accuracies) / len(self.accuracies)


def trade_off(points: Sequence[Point], title: str) -> "Figure":
    """Accuracy against parameters: the mean over seeds, and bars from worst to best.

    Points of equally many parameters stand a little apart; the lower is named below.
    """
    x_label = "parameters of the hidden layer's matrix"
    figure, axes = _empty(title, x_label, "test accuracy")
    axes.set_xscale("log")
    for point, colour in zip(points, _colours(len(points)), strict=True):
        low, mean, high = min(point.accuracies), point.mean, max(point.accuracies)
        rivals = [p for p in points if p.parameters == point.parameters]
        place = point.parameters * 1.12 ** rivals.index(point)
        above = mean == max(p.mean for p in rivals)
        bars = [[mean - low], [high - mean]]
        axes.errorbar(place, mean, bars, fmt="o", color=colour, capsize=4, markersize=7)
        axes.annotate(
            point.name,
            (place, high if above else low),
            textcoords="offset points",
            xytext=(0, 6 if above else -6),
            ha="center",
            va="bottom" if above else "top",
            color=colour,
        )
    axes.margins(x=0.22, y=0.15)
    return figure


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
