"""Curves of errors and of times show the numbers that they were given."""

import pytest

from ttalgebra import draw

pytest.importorskip("matplotlib", reason="the extra `demo` is not installed")


def test_errors_are_means_and_bars_over_the_seeds():
    curves = {"4x8x8x4": {576: [2.0, 3.0, 2.5], 160: [4.0]}, "dense": {10**6: [1.5]}}
    (axes,) = draw.errors(curves, "MNIST").axes
    lines, _, (bars,) = axes.containers[0]
    assert lines.get_xydata().tolist() == [[160, 4.0], [576, 2.5]]
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    assert ends == [[4.0, 4.0], [2.0, 3.0]]
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["4x8x8x4", "dense"]


def test_growth_has_a_panel_for_each_series_and_the_limit_dashed():
    curve = {"ttalgebra": [(2.0, 0.2), (1.0, 0.1)], "limit": [(1.0, 0.01)]}
    panels = {("TT-SVD", "numbers"): curve, ("rounding", "rank"): curve}
    upper, lower = draw.growth(panels).axes
    assert (upper.get_xlabel(), lower.get_xlabel()) == ("numbers", "rank")
    titles = [axes.get_title("left") for axes in (upper, lower)]
    assert titles == ["TT-SVD", "rounding"]
    ours, limit = upper.get_lines()
    assert ours.get_xydata().tolist() == [[1.0, 100.0], [2.0, 200.0]]
    assert limit.get_linestyle() == "--"


def test_growth_has_one_legend_and_the_colours_of_names_not_of_panels():
    points = [(10.0, 1.0), (2000.0, 2.0)]
    names = "ttalgebra", "slow", "peer", "limit"
    whole = dict.fromkeys(names, points)
    part = {name: points for name in names if name != "slow"}
    panels = {
        (k, "samples"): c for k, c in zip("abc", (part, whole, part), strict=True)
    }
    figure = draw.growth(panels)
    assert len(figure.axes) == 3
    (legend,) = figure.legends
    assert sorted(t.get_text() for t in legend.get_texts()) == sorted(names)
    first, second, _ = (
        {line.get_label(): line for line in axes.get_lines()} for axes in figure.axes
    )
    assert all(first[n].get_color() == second[n].get_color() for n in first)
    assert len({line.get_color() for line in second.values()}) == 4
    widths = {name: line.get_linewidth() for name, line in second.items()}
    assert max(widths, key=widths.get) == "ttalgebra"
    figure.draw_without_rendering()
    ticks = [t.get_text() for t in figure.axes[0].get_xticklabels()]
    assert ticks == ["10", "2k"]
