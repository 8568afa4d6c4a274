"""Graphs and signals on them: drawn, from files, normalised, labelled at some nodes.

All graphs are SciPy sparse arrays; the layers of graph filters take them as they are.
"""

from ttalgebra.learning.data.graphs.blocks import hubs, stochastic_block
from ttalgebra.learning.data.graphs.files import Cora, cora, facebook
from ttalgebra.learning.data.graphs.nodes import NodeLoss, node_accuracy, only
from ttalgebra.learning.data.graphs.shifts import (
    renormalised,
    spectral,
    spectral_radius,
)
from ttalgebra.learning.data.graphs.sources import Sources, source_localisation

__all__ = [
    "Cora",
    "NodeLoss",
    "Sources",
    "cora",
    "facebook",
    "hubs",
    "node_accuracy",
    "only",
    "renormalised",
    "source_localisation",
    "spectral",
    "spectral_radius",
    "stochastic_block",
]
