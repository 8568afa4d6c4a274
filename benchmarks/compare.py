"""Dense, low-rank, TT, block-term, binary and shift networks in one table.

The command ``ttalgebra compare`` with its options, under the name of a benchmark:
parameters, bytes as stored, accuracy over seeds, training and inference time, and a
picture of accuracy against bytes. Run as

    python benchmarks/compare.py --quick
    TTALGEBRA_DATA=FOLDER python benchmarks/compare.py --data mnist --epochs 4
"""

import sys

from ttalgebra.cli import main

if __name__ == "__main__":
    sys.exit(main(["compare", *sys.argv[1:]]))
