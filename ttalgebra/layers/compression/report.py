"""What a compression decided, matrix by matrix, as values, as a table, as JSON."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from ttalgebra.layers.compression.aim import Aim
from ttalgebra.layers.compression.choice import Choice, Weight
from ttalgebra.trains.doors.cost.dense import Dense as Operand
from ttalgebra.trains.doors.cost.dense import apply
from ttalgebra.trains.matrix import TTMatrix

_TITLES = (
    *("array", "shape", "modes", "ranks", "bytes", "predicted", "FLOPs", "error"),
    *("predicted", "decision"),
)


@dataclass(frozen=True)
class Decision:
    """One array: what it was, what was tried, what it is now, and why.

    Parameters
    ----------
    name, shape, before
        As it was; ``before`` counts bytes.
    replaced, reason
        The decision, and why.
    after, error
        Measured: the bytes of the arrays as they are now, and their relative
        Frobenius error. An array that is left has the bytes it had, and 0.
    row_modes, col_modes, ranks, predicted_bytes, predicted_error
        Of the TT-form that was tried, as the spectra predict it: what it takes at most,
        and a bound of the error. Empty, and None, where none was tried.
    flops_before, flops
        For one vector through the matrix, forward; None where none was tried.
    """

    name: str
    shape: tuple[int, ...]
    before: int
    reason: str
    after: int
    replaced: bool = False
    error: float = 0.0
    row_modes: tuple[int, ...] = ()
    col_modes: tuple[int, ...] = ()
    ranks: tuple[int, ...] = ()
    predicted_bytes: int | None = None
    predicted_error: float | None = None
    flops_before: int | None = None
    flops: int | None = None

    def _row(self) -> tuple[str, ...]:
        pairs = zip(self.row_modes, self.col_modes, strict=True)
        name = self.name if self.name.isprintable() else ascii(self.name)[1:-1]
        return (
            name,
            "x".join(map(str, self.shape)),
            " ".join(f"{m}x{n}" for m, n in pairs),
            " ".join(map(str, self.ranks)),
            _change(self.before, self.after),
            _spelled(self.predicted_bytes),
            _change(self.flops_before or 0, self.flops or 0),
            f"{self.error:.2g}",
            _spelled(self.predicted_error),
            f"{'replaced' if self.replaced else 'left'}: {self.reason}",
        )


@dataclass(frozen=True)
class CompressionReport:
    """All arrays that could have been replaced; ``str`` is a table.

    ``before`` and ``after`` are the bytes of all arrays, these and the others; the
    ``aim`` is what was asked for.
    """

    decisions: tuple[Decision, ...]
    before: int
    after: int
    aim: str

    @property
    def replaced(self) -> tuple[Decision, ...]:
        """Those that became TT-matrices."""
        return tuple(decision for decision in self.decisions if decision.replaced)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """The report that `as_dict` gave."""
        decisions = tuple(Decision(**decision) for decision in record["decisions"])
        return cls(**{**record, "decisions": decisions})

    def __str__(self) -> str:
        tried = [d for d in self.decisions if d.predicted_bytes is not None]
        lines = aligned([_TITLES, *(decision._row() for decision in tried)])
        others = Counter(d.reason for d in self.decisions if d.predicted_bytes is None)
        lines += [f"{count} left: {why}" for why, count in others.items()]
        total = f"{len(self.replaced)} of {len(self.decisions)} replaced"
        sizes = f"{self.before:,} bytes, now {self.after:,}"
        return "\n".join([*lines, f"{self.aim}: {total}; {sizes}"])


def decided(
    name: str,
    shape: tuple[int, int],
    weight: Weight,
    choice: Choice,
    made: tuple[TTMatrix, float] | None,
) -> Decision:
    """The decision on a matrix, measured where it was ``made``, the error with it."""
    tried = choice.tried
    dense = 2 * shape[0] * shape[1]
    decision = Decision(
        name,
        shape,
        weight.nbytes,
        choice.reason,
        weight.nbytes,
        row_modes=tried.row_modes,
        col_modes=tried.col_modes,
        ranks=tried.ranks,
        predicted_bytes=weight.bytes_of(tried),
        predicted_error=tried.error,
        flops_before=dense,
        flops=dense,
    )
    if made is None:
        return decision
    A, error = made
    return replace(
        decision,
        replaced=True,
        ranks=A.ranks,
        after=A.nbytes,
        flops=apply(A.cores, Operand(1, weight.itemsize)).flops,
        error=error,
    )


def left(name: str, shape: tuple[int, ...], nbytes: int, reason: str) -> Decision:
    """The decision on an array for which no form was tried."""
    return Decision(name, shape, nbytes, reason, nbytes)


def reported(decisions: list[Decision], before: int, aim: Aim) -> CompressionReport:
    """The report on arrays of ``before`` bytes in all."""
    saved = sum(decision.before - decision.after for decision in decisions)
    return CompressionReport(tuple(decisions), before, before - saved, str(aim))


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines of a table, cells to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _change(before: int, after: int) -> str:
    return f"{before:,}" if before == after else f"{before:,} -> {after:,}"


def _spelled(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.2g}"
