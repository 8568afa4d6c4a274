"""What an argument of the command line may be; argparse says what it is not."""

import argparse
import errno
import os


def positive(text: str) -> int:
    """An int of at least 1."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be an int, got {text!r}") from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def require_other_file(source: str, target: str) -> None:
    """Raise OSError where saving to ``target`` would take the input's place."""
    if os.path.exists(target) and os.path.samefile(source, target):
        message = "this is the input, which is never overwritten; name another file"
        raise FileExistsError(errno.EEXIST, message, target)
