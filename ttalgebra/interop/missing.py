"""What is said where a neighbour is not installed: the first line of its file."""


def missing(docstring: str | None) -> ImportError:
    """The error of a file whose ``docstring`` opens with what it needs.

    >>> missing("Needs PyTorch (pip install 'ttalgebra[torch]'): a module.")
    ImportError("Needs PyTorch (pip install 'ttalgebra[torch]').")
    """
    return ImportError((docstring or "").partition(":")[0] + ".")
