"""The one judgement of every route: what is reported against what is true."""

from tests.reference import dense, norm


def assert_honest(found, exact, unit, tol, ratios, law):
    """``error <= info.error (1 + 1e-9) + 30 u``, and below ``tol`` where that is met.

    ``exact`` is the long double truth; a chain made dense is judged by its values.
    """
    y, info = found
    size, error = norm(exact), norm(dense(y) - exact)
    reported = info.error * size * (1 + 1e-9)
    ratios.check(f"{law}: error beyond report", max(error - reported, 0), unit)
    if info.tol_met and tol is not None:
        beyond = max(error - tol * size * (1 + 1e-9), 0)
        ratios.check(f"{law}: error beyond tol", beyond, unit)
    assert min(info.ranks) >= 1
    assert info.ranks[1:-1] == tuple(core.shape[-1] for core in y[:-1])
    return float(error / size) if size else float(error)
