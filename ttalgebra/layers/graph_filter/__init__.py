"""Graph filters: one recursion, and what is kept free in it.

Read `recursion` first: ``z^(k) = Phi^(k) z^(k-1)`` and its adjoint are all that the
filters share. What they differ in is whose entries the ``Phi^(k)`` have: anybody's in
`edge_varying`, those of ``S`` in `convolution` and `node_varying`, some of both in
`hybrid`, and those that the features give in `attention`.
"""

from ttalgebra.layers.graph_filter.attention import GraphAttention
from ttalgebra.layers.graph_filter.convolution import GraphConvolution
from ttalgebra.layers.graph_filter.edge_varying import EdgeVarying
from ttalgebra.layers.graph_filter.graph import Graph
from ttalgebra.layers.graph_filter.hybrid import HybridEdgeVarying
from ttalgebra.layers.graph_filter.node_varying import NodeVarying

__all__ = [
    "EdgeVarying",
    "Graph",
    "GraphAttention",
    "GraphConvolution",
    "HybridEdgeVarying",
    "NodeVarying",
]
