"""``ttalgebra compare``: six systems, one table.

From the bottom: `systems` says what each network is, `trials` trains and measures,
`command` reads the command line and prints.
"""

from ttalgebra.cli.compare.command import add

__all__ = ["add"]
