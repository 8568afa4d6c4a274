"""``python -m ttalgebra``: the command line."""

import sys

from ttalgebra.cli import main

if __name__ == "__main__":
    sys.exit(main())
