"""The training loop: a step that fits on a postcard, and what is around it."""

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import TypeAlias

import numpy as np

from ttalgebra.arrays.checks import as_array, as_count, as_positive, require_finite
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
from ttalgebra.arrays.namespace import from_numpy, is_array, is_numpy, namespace_of
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG, Array
from ttalgebra.layers.protocol import Layer
from ttalgebra.learning.batches import minibatches, stream
from ttalgebra.learning.callbacks import Callback, Progress
from ttalgebra.learning.history import History
from ttalgebra.learning.metrics import Loss, accuracy, as_target, mean_loss
from ttalgebra.learning.optimizers import Optimizer, State
