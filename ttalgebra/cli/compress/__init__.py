"""``ttalgebra compress``: a matrix, a network or a checkpoint becomes smaller.

From the bottom: `tensors` and `shards` say what a file of others holds, `written` puts
cores and copies into a new one, `checkpoint` decides tensor by tensor, `network` takes
models of ours, `matrix` one ``.npy``, `command` reads the command line.
"""

from ttalgebra.cli.compress.command import add

__all__ = ["add"]
