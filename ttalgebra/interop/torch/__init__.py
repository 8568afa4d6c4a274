"""Needs PyTorch (pip install 'ttalgebra[torch]'): TT-layers as modules of PyTorch.

`TTLinear` stands where an ``nn.Linear`` stands; its gradients are ours, not those of
autograd. `compress_module` puts it there, layer by layer, where that pays. Read
`step` first: it is the mathematics.
"""

from ttalgebra.interop.missing import missing

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise missing(__doc__) from error

from ttalgebra.interop.torch.compress import compress_module
from ttalgebra.interop.torch.linear import TTLinear
from ttalgebra.interop.torch.report import CompressionReport, LayerReport

__all__ = ["CompressionReport", "LayerReport", "TTLinear", "compress_module"]
