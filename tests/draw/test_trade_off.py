"""Accuracy against cost: every point at its place, with its name and its bars."""

import pytest

from ttalgebra import draw

pytest.importorskip("matplotlib", reason="ttalgebra[demo] is not installed")

FAR = [
    draw.Point("a", 100, (0.5, 0.7)),
    draw.Point("b", 1000, (0.9,)),
    draw.Point("c", 10000, (0.6, 0.8, 0.7)),
]


def axes_of(points):
    (axes,) = draw.trade_off(points, "title", "cost").axes
    return axes


def drawn(axes):
    """For each point, in order: where its marker stands, and its bar."""
    found = []
    for marker, _, (lines,) in axes.containers:
        ((x, y),) = marker.get_xydata()
        ((_, low), (_, high)) = lines.get_segments()[0]
        found.append((x, y, low, high))
    return found


def near(costs, accuracies):
    pairs = zip(costs, accuracies, strict=True)
    return [draw.Point(f"name {k}", cost, (y,)) for k, (cost, y) in enumerate(pairs)]


def test_points_that_are_apart_stand_where_they_are():
    for point, found in zip(FAR, drawn(axes_of(FAR)), strict=True):
        ends = min(point.accuracies), max(point.accuracies)
        wanted = point.cost, sum(point.accuracies) / len(point.accuracies), *ends
        assert found == pytest.approx(wanted, rel=1e-14)


def test_neighbours_stand_side_by_side():
    points = near([1050, 1000, 1100], [0.8, 0.9, 0.85])
    places = [x for x, *_ in drawn(axes_of([*points, *FAR[::2]]))]
    middle = [1050, 1050 / 1.12, 1050 * 1.12]
    assert places == pytest.approx([*middle, 100, 10000], rel=1e-14)


CROWDS = [
    near([20144, 25128, 34528, 26664, 10**6], [0.947, 0.954, 0.952, 0.814, 0.96]),
    near([20520, 21032, 21544], [0.978, 0.979, 0.977]),
    near([100, 100, 1000], [0.9, 0.9, 0.9]),
    FAR,
]


@pytest.mark.parametrize("points", CROWDS)
def test_no_name_covers_a_marker_or_a_name(points):
    axes = axes_of(points)
    axes.figure.draw_without_rendering()
    assert [text.get_text() for text in axes.texts] == [p.name for p in points]
    boxes = [text.get_window_extent() for text in axes.texts]
    for k, box in enumerate(boxes):
        assert box.count_overlaps(boxes[:k]) == 0
        assert axes.bbox.x0 <= box.x0 <= box.x1 <= axes.bbox.x1
        for x, y, low, high in drawn(axes):
            places = axes.transData.transform([(x, y), (x, low), (x, high)])
            assert not any(box.contains(*place) for place in places)


def test_a_picture_is_written(tmp_path):
    draw.save(draw.trade_off(FAR, "title", "cost"), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
