"""From gradients to a fitted model: losses, optimizers, batches, the loop, the data.

Read `loop.step` first: all the rest is what stands around it.
"""

from ttalgebra.learning import schedules
from ttalgebra.learning.callbacks import Callback, EarlyStopping, Progress
from ttalgebra.learning.clipping import Clipped
from ttalgebra.learning.data import graphs
from ttalgebra.learning.data.batches import minibatches
from ttalgebra.learning.data.datasets import Dataset, digits, mnist, padded
from ttalgebra.learning.data.sequences import (
    adding,
    copying,
    copying_baseline,
    pixel_by_pixel,
)
from ttalgebra.learning.history import History
from ttalgebra.learning.loop import advance, fit, start, step
from ttalgebra.learning.losses import (
    CrossEntropy,
    Hinge,
    SquaredError,
    SquaredHinge,
    StepwiseLoss,
)
from ttalgebra.learning.metrics import accuracy, error_rate, evaluate, predict
from ttalgebra.learning.optimizers import (
    SGD,
    Adam,
    Optimizer,
    RMSProp,
    everything,
    weights,
)
from ttalgebra.learning.shift_adamax import ShiftAdaMax

__all__ = [
    "SGD",
    "Adam",
    "Callback",
    "Clipped",
    "CrossEntropy",
    "Dataset",
    "EarlyStopping",
    "Hinge",
    "History",
    "Optimizer",
    "Progress",
    "RMSProp",
    "ShiftAdaMax",
    "SquaredError",
    "SquaredHinge",
    "StepwiseLoss",
    "accuracy",
    "adding",
    "advance",
    "copying",
    "copying_baseline",
    "digits",
    "error_rate",
    "evaluate",
    "everything",
    "fit",
    "graphs",
    "minibatches",
    "mnist",
    "padded",
    "pixel_by_pixel",
    "predict",
    "schedules",
    "start",
    "step",
    "weights",
]
