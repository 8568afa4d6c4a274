"""The unitary RNN in real numbers, written out: analytic, so complex steps apply.

A complex vector is its real parts above its imaginary ones, a complex matrix
``[[A, -B], [B, A]]``. Nothing of the library is used.
"""

import numpy as np


def doubled(A, B):
    """The real form of ``A + iB``."""
    return np.concatenate(
        [np.concatenate([A, -B], axis=1), np.concatenate([B, A], axis=1)]
    )


def matrix(phases, real, imaginary, permutation):
    """The real form of ``D3 R2 F^-1 D2 P R1 F D1``; ``v = real + i imaginary``."""
    n = len(permutation)
    k = np.arange(n)
    F = np.exp(-2j * np.pi * np.outer(k, k) / n) / np.sqrt(n)
    F = doubled(F.real, F.imag)
    P = np.eye(n)[permutation]
    P = doubled(P, np.zeros((n, n)))
    D = [doubled(np.diag(np.cos(w)), np.diag(np.sin(w))) for w in phases]
    R = [_reflection(a, b) for a, b in zip(real, imaginary, strict=True)]
    return D[2] @ R[1] @ F.T @ D[1] @ P @ R[0] @ F @ D[0]


def _reflection(a, b):
    """``I - 2 v v^H / |v|^2``; ``v v^H = (a a' + b b') + i (b a' - a b')``."""
    square = (a * a + b * b).sum()
    A = np.eye(len(a)) - 2 * (np.outer(a, a) + np.outer(b, b)) / square
    return doubled(A, -2 * (np.outer(b, a) - np.outer(a, b)) / square)


def modrelu(z, bias):
    """Rows of real forms; which units are active the real part alone decides."""
    n = len(bias)
    x, y = z[:, :n], z[:, n:]
    modulus = np.sqrt(x * x + y * y)
    grown = np.where((modulus + bias).real >= 0, (modulus + bias) / modulus, 0)
    return np.concatenate([x * grown, y * grown], axis=1)


def states(x, p, permutation):
    """All states ``(samples, steps, 2 n)`` of real ``x``, the parameters by name."""
    W = matrix(p["phases"], p["v.real"], p["v.imag"], permutation)
    V = np.concatenate([p["weight.real"], p["weight.imag"]])
    h = np.concatenate([p["start.real"], p["start.imag"]])[None, :]
    found = []
    for t in range(x.shape[1]):
        h = modrelu(h @ W.T + x[:, t] @ V.T, p["bias"])
        found.append(h)
    return np.stack(found, axis=1)


def real_parameters(parameters):
    """Those of the layer, complex ones as two."""
    p = {"phases": parameters["phases"], "bias": parameters["bias"]}
    for name, key in (("v", "reflections"), ("weight", "weight"), ("start", "start")):
        p[f"{name}.real"] = parameters[key].real.copy()
        p[f"{name}.imag"] = parameters[key].imag.copy()
    return p
