"""A compression as a picture: the bytes of each array, before and after.

Needs matplotlib: ``pip install 'ttalgebra[demo]'``.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ttalgebra.draw.curves import COLOURS, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ttalgebra.layers.compression import CompressionReport, Decision

MOST = 40  # bars: the largest arrays, beyond which no name can be read


def bytes_kept(report: "CompressionReport") -> "Figure":
    """Two bars an array: its bytes before, and after with the error or the decision.

    The 40 largest of the arrays that were tried, in the order of the report, on a
    logarithmic axis. Raises ImportError without matplotlib.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    shown = _largest(report)
    height = 1.6 + 0.42 * max(len(shown), 1)
    figure = Figure(figsize=(7.2, height), dpi=150, layout="constrained")
    axes = figure.subplots()
    for k, decision in enumerate(shown):
        axes.barh(k - 0.19, decision.before, 0.36, color="#BBBBBB", log=True)
        colour = COLOURS[0] if decision.replaced else COLOURS[1]
        axes.barh(k + 0.19, decision.after, 0.36, color=colour, log=True)
        said = f" error {decision.error:.2g}" if decision.replaced else " left dense"
        axes.text(decision.after, k + 0.19, said, va="center", fontsize=8)
    names = [_name(decision) for decision in shown]
    axes.set_yticks(range(len(shown)), names, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.2)
    axes.set_xlabel("bytes: grey before, blue as a TT-matrix, orange left dense")
    title = f"{report.before:,} bytes, now {report.after:,} ({report.aim})"
    axes.set_title(title, loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _largest(report: "CompressionReport") -> Sequence["Decision"]:
    tried = [d for d in report.decisions if d.predicted_bytes is not None]
    least = sorted((d.before for d in tried), reverse=True)[:MOST][-1:]
    return [d for d in tried if d.before >= least[0]][:MOST]


def _name(decision: "Decision") -> str:
    """As it is, without what a font cannot show or would take for mathematics."""
    name = ascii(decision.name)[1:-1].replace("$", r"\$")
    return name if len(name) <= 40 else f"...{name[-37:]}"
