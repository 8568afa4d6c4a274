"""Graphs from files: the Cora citations, and a part of Facebook."""

import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ttalgebra.arrays.errors import FormatError
from ttalgebra.learning.data.datasets import ENVIRONMENT

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MOST_BYTES = 2**28
Folder = str | os.PathLike[str] | None


class Cora(NamedTuple):
    """Papers: who cites whom, which words occur, what they are about.

    ``A`` is undirected, ``x`` ``(N, words)`` of zeros and ones, ``labels`` ``(N,)``;
    the others are the nodes whose labels may be fitted, validated on and tested on.
    """

    A: "csr_array"
    x: np.ndarray
    labels: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def cora(folder: Folder = None) -> Cora:
    """2,708 papers of 7 classes and 1,433 words, 5,278 citations, 140 labels to fit.

    ``folder`` holds ``cora.npz``, or a folder ``graphs`` that does; by default it is
    what the variable TTALGEBRA_DATA names. Raises FileNotFoundError, naming the file,
    and FormatError where it is damaged. Source: McCallum et al. (2000), in the split of
    Yang, Cohen & Salakhutdinov (2016).
    """
    path = _found(folder, "cora.npz")
    parts = _arrays(path)
    try:
        N, words = (int(size) for size in parts["shape"])
        x = np.zeros((N, words), np.float32)
        x[parts["feat_row"], parts["feat_col"]] = 1
        A = _undirected(parts["edges"], N)
        nodes = [parts[name].astype(np.int64) for name in ("train", "val", "test")]
        labels = parts["label"].astype(np.int64)
        fits = labels.shape == (N,) and all(x.max() < N and x.min() >= 0 for x in nodes)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise _damaged(path, error) from error
    if not fits:
        raise _damaged(path, f"labels of shape {labels.shape} for {N} nodes")
    return Cora(A, x, labels, *nodes)


def facebook(folder: Folder = None) -> "csr_array":
    """The adjacency matrix of 234 people, 4,008 undirected edges, connected.

    ``folder`` as in `cora`, for ``facebook_ego.npz``.
    Source: McAuley & Leskovec (2012).
    """
    path = _found(folder, "facebook_ego.npz")
    parts = _arrays(path)
    try:
        return _undirected(parts["edges"], int(parts["n"]))
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise _damaged(path, error) from error


def _undirected(edges: np.ndarray, nodes: int) -> "csr_array":
    from scipy.sparse import csr_array

    i, j = edges.astype(np.int64).T
    ends = np.concatenate([i, j]), np.concatenate([j, i])
    A = csr_array((np.ones(2 * i.size), ends), shape=(nodes, nodes))
    if A.nnz != 2 * i.size:
        raise ValueError("an edge is given twice")
    return A


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """What an npz holds; nothing in it is unpickled, and its size is asked first."""
    try:
        with zipfile.ZipFile(path) as members:
            size = sum(member.file_size for member in members.infolist())
        if size > MOST_BYTES:
            raise _damaged(path, f"{size} bytes > limit {MOST_BYTES}")
        with np.load(path, allow_pickle=False) as parts:
            return {name: parts[name] for name in parts.files}
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError) as error:
        if isinstance(error, FormatError):
            raise
        raise _damaged(path, error) from error


def _damaged(path: Path, why: object) -> FormatError:
    return FormatError(f"{path}: not the file that is wanted ({why}); fetch it again")


def _found(folder: Folder, name: str) -> Path:
    given = os.environ.get(ENVIRONMENT) if folder is None else folder
    if not given:
        message = f"{name}: no folder was given and {ENVIRONMENT} is not set"
        raise FileNotFoundError(f"{message}; one of them must say where it is")
    for place in (Path(given), Path(given) / "graphs"):
        if (place / name).is_file():
            return place / name
    message = f"{name} is not in {given}"
    raise FileNotFoundError(f"{message}; give the folder, or set {ENVIRONMENT}")
