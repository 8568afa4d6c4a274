"""From gradients to a fitted model: losses, optimizers, batches, the loop, the data.

Read `loop.step` first: all the rest is what stands around it.
"""

from ttalgebra.learning import schedules
from ttalgebra.learning.callbacks import Callback, EarlyStopping, Progress
from ttalgebra.learning.data.batches import minibatches
from ttalgebra.learning.data.datasets import Dataset, digits, mnist, padded
from ttalgebra.learning.history import History
from ttalgebra.learning.loop import advance, fit, start, step
from ttalgebra.learning.losses import CrossEntropy, Hinge, SquaredError, SquaredHinge
from ttalgebra.learning.metrics import accuracy, error_rate, evaluate, predict
from ttalgebra.learning.optimizers import SGD, Adam, Optimizer, everything, weights

__all__ = [
    "SGD",
    "Adam",
    "Callback",
    "CrossEntropy",
    "Dataset",
    "EarlyStopping",
    "Hinge",
    "History",
    "Optimizer",
    "Progress",
    "SquaredError",
    "SquaredHinge",
    "accuracy",
    "advance",
    "digits",
    "error_rate",
    "evaluate",
    "everything",
    "fit",
    "minibatches",
    "mnist",
    "padded",
    "predict",
    "schedules",
    "start",
    "step",
    "weights",
]
