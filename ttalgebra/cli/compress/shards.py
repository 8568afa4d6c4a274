"""A checkpoint in several files, and the index that says which tensor is where.

    {"metadata": {...}, "weight_map": {"name": "model-00001-of-00002.safetensors", ...}}

Source: the documentation of Hugging Face transformers, Big models, Sharded checkpoints.
"""

import errno
import os
from collections.abc import Mapping

from ttalgebra.arrays.errors import FormatError
from ttalgebra.cli.compress.tensors import Listing, Tensor, listed
from ttalgebra.storage.header import damaged
from ttalgebra.storage.opening import opened, take
from ttalgebra.storage.table import record_of

MAX_BYTES = 2**25  # of an index; some 250,000 tensors


def gathered(path: str) -> Listing:
    """All tensors of an index, shard by shard.

    Raises FormatError, naming the file, where index and shards do not say the same,
    FileNotFoundError for a shard that is not there. Names of shards are those of files
    beside the index, never paths.
    """
    places = _places(path)
    tensors: list[Tensor] = []
    metadata: dict[str, str] = {}
    shards = dict.fromkeys(places.values())
    for shard in shards:
        found = _listed(path, shard)
        _require_same(path, shard, places, found)
        tensors += found.tensors
        metadata = {**found.metadata, **metadata}
    files = tuple(_beside(path, shard) for shard in shards)
    return Listing(tuple(tensors), metadata, (path, *files))


def _places(path: str) -> dict[str, str]:
    """``{tensor: shard}``."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_BYTES:
            raise damaged(f"an index has at most {MAX_BYTES} bytes, this one {size}")
        places = record_of(take(file, size), "the index").get("weight_map")
        if not isinstance(places, dict) or not places:
            raise damaged("the index has no weight_map of tensors and their files")
        for name, shard in places.items():
            named = isinstance(shard, str) and bool(shard)
            if not named or shard != os.path.basename(shard):
                raise damaged(f"{name!r:.80} is in {shard!r:.80}, no file beside it")
    return places


def _beside(path: str, shard: str) -> str:
    return os.path.join(os.path.dirname(path), shard)


def _listed(path: str, shard: str) -> Listing:
    try:
        return listed(_beside(path, shard))
    except FileNotFoundError as error:
        message = f"a shard that {path} names is not there; put it beside the index"
        raise FileNotFoundError(errno.ENOENT, message, error.filename) from error


def _require_same(
    path: str, shard: str, places: Mapping[str, str], found: Listing
) -> None:
    own = {tensor.name for tensor in found.tensors}
    promised = {name for name, place in places.items() if place == shard}
    if own != promised:
        name = min(own ^ promised)
        where = "is not in it" if name in promised else "is in it and not in the index"
        message = f"{_beside(path, shard)}: {name!r:.80} {where}, {path}"
        raise FormatError(f"{message}; fetch index and shards again")
