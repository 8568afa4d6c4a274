"""What an array is: namespace, contraction, factorisation, range, randomness, checks.

The ground floor. Everything above speaks of arrays only through these files, so
what works here on an array library works everywhere in ttalgebra.
"""
