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
    assert [axes.get_title() for axes in (upper, lower)] == ["TT-SVD", "rounding"]
    ours, limit = upper.get_lines()
    assert ours.get_xydata().tolist() == [[1.0, 100.0], [2.0, 200.0]]
    assert limit.get_linestyle() == "--"
