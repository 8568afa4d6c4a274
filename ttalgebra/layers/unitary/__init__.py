"""A recurrent layer whose matrix is unitary: seven cheap factors, applied by FFT.

From the bottom: `factors`, `halves`, `matrix` are the matrix, `modrelu` is the
nonlinearity, `recurrence` runs both through time, `rnn` is the layer.
"""

from ttalgebra.layers.unitary.matrix import UnitaryMatrix
from ttalgebra.layers.unitary.rnn import UnitaryRNN

__all__ = ["UnitaryMatrix", "UnitaryRNN"]
