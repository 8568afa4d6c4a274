"""What an argument of the command line may be; argparse says what it is not."""

import argparse


def positive(text: str) -> int:
    """An int of at least 1."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be an int, got {text!r}") from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number
