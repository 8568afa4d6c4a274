"""The trains that ttalgebra makes from nothing, in the library of this run."""

import ttalgebra as tt
from tests.backends import here


def _here(make):
    return lambda *arguments, **options: here(make(*arguments, **options))


identity, ones, zeros = map(_here, (tt.identity, tt.ones, tt.zeros))
random_matrix, random_tensor = map(_here, (tt.random_matrix, tt.random_tensor))
