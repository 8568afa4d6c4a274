"""The harness of the benchmarks: right answers only, ratios as defined."""

import json
import math
import os
import sys
from time import sleep

import pytest

from ttalgebra.cli import bench, main
from ttalgebra.cli.bench import command, family, machine, quick, workload
from ttalgebra.cli.bench.report import plain, setting, table

SLOW = machine.Machine(f4=2e9, f8=1e9, copied=1e9)


def work(**changes):
    given = {
        "name": "n = 3",
        "contestants": {"ttalgebra": lambda: 1.0, "peer": lambda: 1.0},
        "error": lambda found: abs(found - 1),
        "allowed": 1e-9,
        "flops": 1e6,
        "bytes": 10.0,
    }
    return bench.Workload(**(given | changes))


def measured(**changes):
    (found,) = workload.results([work(**changes)], SLOW)
    return found


def test_limit_is_the_larger_of_flops_and_bytes():
    assert SLOW.limit(4e6, 1e6, "f8") == 4e-3
    assert SLOW.limit(4e6, 1e6, "f4") == 2e-3
    assert SLOW.limit(4e6, 8e6, "f8") == 8e-3
    assert measured().least == 1e-3


def test_ratios_are_to_the_quickest_peer_that_is_right():
    times = {"ttalgebra": (2.0, 0.0), "slow": (8.0, 1e-10), "wrong": (1.0, 1e-3)}
    found = workload.Result(
        work(), {name: workload.Time(*t) for name, t in times.items()}, 0.5
    )
    assert found.right == {"slow": 8.0}
    assert found.to_best == 0.25
    assert found.to_limit == 4.0


@pytest.mark.parametrize("answer", [2.0, math.nan, math.inf])
def test_a_wrong_answer_of_ours_has_no_ratio(answer):
    found = measured(contestants={"ttalgebra": lambda: answer, "peer": lambda: 1.0})
    assert not found.is_right
    assert math.isnan(found.to_best)
    assert "(wrong)" in table([found])
    json.dumps(plain([found], SLOW), allow_nan=False)


def test_a_wrong_peer_stands_in_brackets():
    found = measured(contestants={"ttalgebra": lambda: 1.0, "peer": lambda: 1.1})
    assert "[peer]" in table([found])
    assert math.isnan(found.to_best)


def test_the_time_is_the_best_of_several():
    naps = iter([0, 0.06, 0.06, 0.02])

    def ours():
        sleep(next(naps, 0.06))
        return 1.0

    found = measured(contestants={"ttalgebra": ours}).times["ttalgebra"].seconds
    assert 0.02 <= found < 0.06


def test_setting_says_what_was_measured_and_where():
    text = setting(SLOW)
    assert "GEMM 1 GFlop/s in double, 2 in single precision; copy 1.0 GB/s" in text


def test_command_prints_table_and_json(monkeypatch, capsys):
    monkeypatch.setattr(command, "measured", lambda: SLOW)
    monkeypatch.setattr(command, "workloads", lambda: [work()])
    assert main(["bench"]) == 0
    assert "n = 3" in capsys.readouterr().out
    assert main(["bench", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["workloads"][0]["name"] == "n = 3"


def test_family_says_by_its_code_that_an_answer_is_wrong(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(family, "measured", lambda: SLOW)
    picture = tmp_path / "times.png"
    monkeypatch.setattr(sys, "argv", ["family.py", "--draw", str(picture)])
    sized = [work().along("s", n, "numbers") for n in (1.0, 2.0)]
    assert bench.main("About.", lambda quick: [work()], lambda quick: sized) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    wrong = work(contestants={"ttalgebra": lambda: 2.0})
    monkeypatch.setattr(sys, "argv", ["family.py", "--json"])
    assert bench.main("About.", lambda quick: [wrong], lambda quick: sized) == 1
    assert "n = 3" in capsys.readouterr().out


def test_only_series_are_drawn_and_only_when_asked(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(family, "measured", lambda: SLOW)
    drawn = []
    monkeypatch.setattr(family, "picture", lambda found, path: drawn.extend(found))
    point = work(best=1.0, limit=2.0).along("s", 5.0, "cores")
    for line, names in (("", ["a"]), (f"--draw {tmp_path}/x.png", ["a", "n = 3"])):
        monkeypatch.setattr(sys, "argv", ["family.py", "--json", *line.split()])
        bench.main("About.", lambda quick: [work(name="a")], lambda quick: [point])
        shown = json.loads(capsys.readouterr().out)["workloads"]
        assert [found["name"] for found in shown] == names
    assert [found.workload.name for found in drawn] == ["n = 3"]
    keys = "series", "size", "unit", "bars"
    assert [shown[1][key] for key in keys] == ["s", 5.0, "cores", [None, None]]


def test_a_peer_that_is_too_slow_is_not_asked_for_more(monkeypatch):
    monkeypatch.setattr(workload, "PATIENCE", 0.0)
    sized = [work().along(s, n, "numbers") for s in "ab" for n in (1.0, 2.0)]
    asked = [sorted(r.times) for r in workload.growing(sized, SLOW)]
    everyone = sorted(work().contestants)
    assert len(everyone) > 1
    assert asked == 2 * [everyone, ["ttalgebra"]]


def test_another_number_of_threads_needs_a_new_process(monkeypatch):
    begun = []
    monkeypatch.setattr(os, "execv", lambda *command: begun.append(command))
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(sys, "argv", ["family.py", "--threads", "1"])
    family._with_threads("1")
    family._with_threads("1")  # BLAS has them now
    assert begun == [(sys.executable, [sys.executable, "family.py", "--threads", "1"])]
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"


def test_every_contestant_of_the_command_is_right():
    small = *quick.layer((4, 4, 4), (2, 7, 4), 3), quick.tt_svd(4, 5), quick.rounding(4)
    for given in small:
        for name, call in given.contestants.items():
            assert given.error(call()) <= given.allowed, (given.name, name)


def test_the_least_work_is_that_of_the_cheapest_sweep():
    """6.4 million flops for a sample of 25,088: from the last core, four products.

    Core by core they are 7.3 million, and 13 million from the first core.
    """
    A = quick.tt.random_matrix(quick.ROWS, quick.COLUMNS, 4, rng=0)
    last, fourth, third, first = (7 * 4, 4**3), (8 * 4, 4**2), (8 * 4, 4**2), (56, 16)
    before, after = (2 * 7 * 8 * 8, 2 * 7 * 8, 2 * 7, 1), (1, 4**2, 4**3, 4**4)
    products = zip((last, fourth, third, first), before, after, strict=True)
    work = sum(2 * n * m * left * right for (n, m), left, right in products)
    assert bench.least.sweep(A) == work == 6_422_528


def test_the_least_work_of_rounding_is_that_of_both_sweeps():
    """One core behind the first, ``(r, n, s)`` to rank ``q``, by hand."""
    x = quick.tt.random_tensor((3, 5), 2, rng=0)
    r, n, s, kept, rank = 2, 5, 1, 1, 2
    forth = 2 * n * r * r * s + 4 * n * r * s * s
    back = 2 * n * r * s * kept + 4 * n * kept * r * r + 2 * n * kept * r * rank
    assert bench.least.rounding(x, rank) == forth + back
