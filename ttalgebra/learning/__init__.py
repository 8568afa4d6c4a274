"""From gradients to a fitted model: losses, optimizers, batches, the loop, the data.

Read `epoch.step` first: all the rest is what stands around it.
"""

from ttalgebra.learning.callbacks import Callback, EarlyStopping, Progress
from ttalgebra.learning.data import graphs
from ttalgebra.learning.data.batches import batch_count, minibatches
from ttalgebra.learning.data.datasets import Dataset, digits, mnist, padded
from ttalgebra.learning.data.sequences import (
    adding,
    copying,
    copying_baseline,
    pixel_by_pixel,
)
from ttalgebra.learning.epoch import step
from ttalgebra.learning.history import History
from ttalgebra.learning.loop import advance, fit, start
from ttalgebra.learning.losses import (
    CrossEntropy,
    Hinge,
    SquaredError,
    SquaredHinge,
    StepwiseLoss,
)
from ttalgebra.learning.manifold import AdaptRanks, RiemannianSGD
from ttalgebra.learning.metrics import accuracy, error_rate, evaluate, predict
from ttalgebra.learning.rules import schedules
from ttalgebra.learning.rules.clipping import Clipped
from ttalgebra.learning.rules.master import MasterWeights
from ttalgebra.learning.rules.optimizers import (
    SGD,
    Adam,
    Optimizer,
    RMSProp,
    everything,
    weights,
)
from ttalgebra.learning.rules.shift_adamax import ShiftAdaMax
from ttalgebra.learning.runs.bar import progress_bar
from ttalgebra.learning.runs.checkpoint import Checkpoint
from ttalgebra.learning.runs.logs import CSVLog, JSONLinesLog
from ttalgebra.learning.runs.signals import Interrupted

__all__ = [
    "SGD",
    "Adam",
    "AdaptRanks",
    "CSVLog",
    "Callback",
    "Checkpoint",
    "Clipped",
    "CrossEntropy",
    "Dataset",
    "EarlyStopping",
    "Hinge",
    "History",
    "Interrupted",
    "JSONLinesLog",
    "MasterWeights",
    "Optimizer",
    "Progress",
    "RMSProp",
    "RiemannianSGD",
    "ShiftAdaMax",
    "SquaredError",
    "SquaredHinge",
    "StepwiseLoss",
    "accuracy",
    "adding",
    "advance",
    "batch_count",
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
    "progress_bar",
    "schedules",
    "start",
    "step",
    "weights",
]
