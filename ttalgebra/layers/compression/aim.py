"""What is asked of a compression: bytes, an error, or ranks."""

from dataclasses import dataclass
from typing import Any, Self

from ttalgebra.arrays.checks import as_positive, as_tol


@dataclass(frozen=True)
class Aim:
    """Exactly one of ``budget`` (bytes of all arrays), ``tol``, ``max_rank``."""

    budget: int | None = None
    tol: float | None = None
    max_rank: int | None = None

    @classmethod
    def of(cls, budget: Any, tol: Any, max_rank: Any) -> Self:
        """Raises TypeError unless one is given, ShapeError out of range."""
        given = {"budget": budget, "tol": tol, "max_rank": max_rank}
        named = [name for name, value in given.items() if value is not None]
        if len(named) != 1:
            got = f"{' and '.join(named)} are" if named else "none is"
            message = f"compress: one of budget=, tol=, max_rank= is needed, {got}"
            raise TypeError(f"{message} given")
        if named == ["tol"]:
            return cls(tol=as_tol(tol, "compress"))
        return cls(**{named[0]: as_positive(given[named[0]], f"compress: {named[0]}")})

    def __str__(self) -> str:
        if self.budget is not None:
            return f"budget of {self.budget:,} bytes"
        if self.tol is not None:
            return f"tol={self.tol:.3g}"
        return f"max_rank={self.max_rank}"
