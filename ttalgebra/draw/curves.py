"""Curves, drawn by matplotlib: what was paid, and what it bought.

Needs matplotlib: ``pip install 'ttalgebra[demo]'``. Each function returns a
``matplotlib.figure.Figure`` of its own, without pyplot and its global state.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
    """Accuracy against parameters: the mean over seeds, and bars from worst to best."""
    figure, axes = _empty(
        title, "parameters of the hidden layer's matrix", "test accuracy"
    )
    axes.set_xscale("log")
    for point, colour in zip(points, _colours(len(points)), strict=True):
        low, mean, high = min(point.accuracies), point.mean, max(point.accuracies)
        bars = [[mean - low], [high - mean]]
        axes.errorbar(
            point.parameters, mean, bars, fmt="o", color=colour, capsize=4, markersize=7
        )
        rivals = (p.mean for p in points if p.parameters == point.parameters)
        above = mean == max(rivals)  # of two at the same place, one is named below
        axes.annotate(
            point.name,
            (point.parameters, high if above else low),
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
    """Test accuracy after each epoch: the mean over seeds, shaded from worst to best.

    ``curves[name]`` holds one sequence of accuracies for each seed.
    """
    figure, axes = _empty(title, "epoch", "test accuracy")
    for (name, runs), colour in zip(curves.items(), _colours(len(curves)), strict=True):
        by_epoch = list(zip(*runs, strict=True))
        epochs = range(1, len(by_epoch) + 1)
        axes.plot(epochs, [sum(e) / len(e) for e in by_epoch], color=colour, label=name)
        axes.fill_between(
            epochs,
            [min(e) for e in by_epoch],
            [max(e) for e in by_epoch],
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
    axes.legend(frameon=False, loc="lower right")
    return figure


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
