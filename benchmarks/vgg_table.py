"""Table 2 of Novikov et al. (2015), its compression columns, from TTMatrix objects.

The fully connected layers of VGG-16 and VGG-19 (25,088 x 4,096 and 4,096 x 4,096) are
replaced by TT-matrices of rank k ("TTk") or low-rank matrices ("MRk"); what counts is
``A.n_parameters``. A row that differs from the published one is marked, and the exit
code is 1. The table's error columns need ImageNet and are not reproduced here.

Run: ``python benchmarks/vgg_table.py [--json]``
"""

import argparse
import json
import sys
from dataclasses import dataclass

import numpy as np

import ttalgebra as tt
from ttalgebra.cli.table import columns

VGG16, VGG19 = 138_357_544, 143_667_240  # parameters of the two networks
FIRST = ((4,) * 6, (2, 7, 8, 8, 7, 4))  # row and column modes of 4,096 x 25,088
SECOND = ((4,) * 6, (4,) * 6)


@dataclass(frozen=True)
class Row:
    """One architecture: its layers, and the compressions that the paper printed."""

    name: str
    first: tt.TTMatrix
    second: tt.TTMatrix | None
    published: tuple[str, str, str]

    def compressions(self) -> tuple[float, float, float]:
        """Of the replaced layers, of VGG-16, of VGG-19."""
        layers = [self.first] if self.second is None else [self.first, self.second]
        dense = sum(A.shape[0] * A.shape[1] for A in layers)
        kept = sum(A.n_parameters for A in layers)
        return dense / kept, *(n / (n - dense + kept) for n in (VGG16, VGG19))


def tt_layer(modes: tuple[tuple[int, ...], tuple[int, ...]], rank: int) -> tt.TTMatrix:
    """A TT-matrix of these modes, all ranks ``rank``."""
    return tt.random_matrix(
        *modes, (rank,) * (len(modes[0]) - 1), rng=0, dtype=np.float32
    )


def low_rank(rank: int) -> tt.TTMatrix:
    """The first layer as a product of two matrices: a train of two cores."""
    return tt.random_matrix((4096, 1), (1, 25088), (rank,), rng=0, dtype=np.float32)


ROWS = (
    Row("TT4 FC FC", tt_layer(FIRST, 4), None, ("50 972", "3.9", "3.5")),
    Row("TT2 FC FC", tt_layer(FIRST, 2), None, ("194 622", "3.9", "3.5")),
    Row("TT1 FC FC", tt_layer(FIRST, 1), None, ("713 614", "3.9", "3.5")),
    Row("TT4 TT4 FC", tt_layer(FIRST, 4), tt_layer(SECOND, 4), ("37 732", "7.4", "6")),
    Row("MR1 FC FC", low_rank(1), None, ("3 521", "3.9", "3.5")),
    Row("MR5 FC FC", low_rank(5), None, ("704", "3.9", "3.5")),
    Row("MR50 FC FC", low_rank(50), None, ("70", "3.7", "3.4")),
)


def as_printed(values: tuple[float, float, float]) -> tuple[str, str, str]:
    """The paper cuts the first column to an integer and rounds the others."""
    layers, *networks = values
    tenths = (f"{value:.1f}".removesuffix(".0") for value in networks)
    return f"{int(layers):,}".replace(",", " "), *tenths


def measured() -> list[dict[str, object]]:
    """One record for each row of the table."""
    return [
        {
            "architecture": row.name,
            "parameters": row.first.n_parameters
            + (row.second.n_parameters if row.second else 0),
            "compressions": row.compressions(),
            "printed": as_printed(row.compressions()),
            "published": row.published,
            "equal": as_printed(row.compressions()) == row.published,
        }
        for row in ROWS
    ]


def shown(records: list[dict[str, object]]) -> str:
    """The table, each row beside what the paper printed."""
    heads = ("", "parameters", "layers", "vgg-16", "vgg-19", "published", "")
    body = [
        (
            r["architecture"],
            f"{r['parameters']:,}",
            *r["printed"],
            " / ".join(r["published"]),
            "equal" if r["equal"] else "DIFFERS",
        )
        for r in records
    ]
    return columns(heads, body)


def main() -> int:
    """Print the table; 0 if every figure equals the published one."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    records = measured()
    print(json.dumps(records) if parser.parse_args().json else shown(records))
    return 0 if all(r["equal"] for r in records) else 1


if __name__ == "__main__":
    sys.exit(main())
