"""``ttalgebra train``: a configuration, or a file of samples, becomes a fitted model.

From the bottom: `tables` checks what a table says, `keys` is all that a configuration
may say, `samples`, `network` and `rules` make of it what `fit` needs, `folder` is what
is left behind, `command` reads the command line and prints.
"""

from ttalgebra.cli.train.command import add

__all__ = ["add"]
