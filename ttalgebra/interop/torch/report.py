"""Needs PyTorch (pip install 'ttalgebra[torch]'): what was compressed, and why."""

from dataclasses import dataclass

from ttalgebra.layers.compression.report import aligned

Row = tuple[str, ...]
_TITLES = ("layer", "shape", "modes", "ranks", "parameters", "error", "decision")


@dataclass(frozen=True)
class LayerReport:
    """One Linear layer: what was tried, and the decision.

    Parameters
    ----------
    names
        All paths under which the model has this layer.
    shape
        ``(M, N)``: outputs, inputs.
    row_modes, col_modes, ranks
        Of the TT-form that was tried; empty where none was.
    before, after
        The parameters of the Linear layer, and of its TT-form, bias included.
    error
        The relative Frobenius error of the TT-form. None, as ``after``, where none
        was tried.
    replaced, reason
        The decision, and why.
    """

    names: tuple[str, ...]
    shape: tuple[int, int]
    before: int
    reason: str
    replaced: bool = False
    after: int | None = None
    row_modes: tuple[int, ...] = ()
    col_modes: tuple[int, ...] = ()
    ranks: tuple[int, ...] = ()
    error: float | None = None

    @property
    def name(self) -> str:
        """The first of the names."""
        return self.names[0]

    def _row(self) -> Row:
        pairs = zip(self.row_modes, self.col_modes, strict=True)
        modes = " ".join(f"{m}x{n}" for m, n in pairs)
        ranks = " ".join(map(str, self.ranks))
        verb = "replaced" if self.replaced else "left"
        return (
            ", ".join(name or "(the model)" for name in self.names),
            "x".join(map(str, self.shape)),
            modes or "-",
            ranks or "-",
            f"{self.before:,}" + ("" if self.after is None else f" -> {self.after:,}"),
            "-" if self.error is None else f"{self.error:.2g}",
            f"{verb}: {self.reason}",
        )


@dataclass(frozen=True)
class CompressionReport:
    """All Linear layers of a model, in its order; ``str`` is a table.

    ``before`` and ``after`` count the parameters of the whole model.
    """

    layers: tuple[LayerReport, ...]
    before: int
    after: int

    @property
    def replaced(self) -> tuple[LayerReport, ...]:
        """The layers that were replaced."""
        return tuple(layer for layer in self.layers if layer.replaced)

    def __str__(self) -> str:
        lines = aligned([_TITLES, *(layer._row() for layer in self.layers)])
        total = f"{len(self.replaced)} of {len(self.layers)} replaced"
        count = f"the model had {self.before:,} parameters, now {self.after:,}"
        return "\n".join([*lines, f"{total}; {count}"])
