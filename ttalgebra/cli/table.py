"""Tables on a terminal: the first column to the left, numbers to the right."""

from collections.abc import Sequence


def columns(heads: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A header, a rule, and the rows of ``body``."""
    widths = [max(map(len, column)) for column in zip(heads, *body, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = (f"{c:>{w}}" for c, w in zip(cells, widths, strict=True))
        return "  ".join([f"{cells[0]:{len(first)}}", *others])

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([line(heads), rule, *map(line, body)])
