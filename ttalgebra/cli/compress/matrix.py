"""One matrix in a ``.npy`` file becomes a TT-matrix, by TT-SVD."""

import argparse
import math
import os
import warnings
from typing import Any

from ttalgebra.cli.arguments import require_other_file
from ttalgebra.cli.wording import rows, sequence


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Compress and save; every check of the output comes before the work."""
    from ttalgebra.arrays.errors import ToleranceWarning
    from ttalgebra.cli.npy import open_matrix
    from ttalgebra.storage.atomic import require_writable
    from ttalgebra.trains.matrix import TTMatrix

    require_writable(args.output)
    W = open_matrix(args.input)
    require_other_file(args.input, args.output)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ToleranceWarning)  # the result says it
        A, info = TTMatrix.from_dense(
            W, args.rows, args.cols, args.tol, args.max_rank, return_info=True
        )
    A.save(args.output)
    return {
        "input": args.input,
        "output": args.output,
        "shape": A.shape,
        "dtype": str(A.dtype),
        "row_modes": A.row_modes,
        "col_modes": A.col_modes,
        "ranks": A.ranks,
        "parameters": A.n_parameters,
        "compression": A.compression,
        "input_bytes": os.path.getsize(args.input),
        "output_bytes": os.path.getsize(args.output),
        "error": info.error,
        "tol": args.tol,
        "tol_met": info.tol_met,
        "pays": A.n_parameters < math.prod(A.shape),
    }


def text_of(result: dict[str, Any]) -> str:
    """The result for people, and whether it was worth it."""
    M, N = result["shape"]
    pairs = zip(result["row_modes"], result["col_modes"], strict=True)
    said = rows(
        [
            ("file", f"{result['input']} -> {result['output']}"),
            ("matrix", f"{M} x {N} {result['dtype']}"),
            ("modes", sequence([f"{m}x{n}" for m, n in pairs])),
            ("ranks", sequence(result["ranks"])),
            ("parameters", f"{result['parameters']} of {M * N}"),
            ("compression", f"{result['compression']:.4g}"),
            ("bytes", f"{result['input_bytes']} -> {result['output_bytes']}"),
            ("error", f"{result['error']:.3g}{_judged(result)}"),
        ]
    )
    if result["pays"]:
        return said
    count = f"{result['parameters']} parameters, {M * N} dense"
    return f"{said}\nTT does not pay here: {count}"


def _judged(result: dict[str, Any]) -> str:
    if result["tol"] is None:
        return ", relative"
    if result["tol_met"]:
        return f", relative, within tol {result['tol']:.3g}"
    return f", relative, above tol {result['tol']:.3g}: raise --max-rank"
