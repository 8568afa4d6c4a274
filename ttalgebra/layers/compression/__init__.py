"""A trained network made smaller: which modes, which ranks, and where it pays at all.

From the bottom: `frontier` says what a matrix costs and loses at every rank, `modes`
which shapes are tried, `aim` what is asked for, `choice` decides, `report` says it,
`network` does it to a Sequential. `ttalgebra compress` does it to files.
"""

from ttalgebra.layers.compression.network import compress
from ttalgebra.layers.compression.report import CompressionReport, Decision

__all__ = ["CompressionReport", "Decision", "compress"]
