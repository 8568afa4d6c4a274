"""``ttalgebra bench``, and the harness of the files in ``benchmarks/``."""

from ttalgebra.cli.bench import least
from ttalgebra.cli.bench.command import add, run, text_of
from ttalgebra.cli.bench.family import main
from ttalgebra.cli.bench.workload import Workload

__all__ = ["Workload", "add", "least", "main", "run", "text_of"]
