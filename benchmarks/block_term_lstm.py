"""LSTMs that read MNIST in bands of rows: dense, TT and block-term maps of the inputs.

An image is 7 steps of 4 rows, 112 pixels; 64 states, whose last goes to a dense layer
of 10; Adam 5e-3, batches of 100, the first 20,000 images to fit and all 10,000 to test.
The map from pixels to the four gates, 112 -> 256, is dense, a tensor train of modes
(4, 4, 7) -> (16, 4, 4) or two Tucker terms of them. Run as

    TTALGEBRA_DATA=FOLDER python benchmarks/block_term_lstm.py --seeds 3 --epochs 5
"""

import argparse
from statistics import mean
from time import perf_counter

from ttalgebra.layers import LSTM, Dense, Sequential, bt_lstm, tt_lstm
from ttalgebra.learning import Adam, CrossEntropy, accuracy, fit, mnist

STEPS, STATES, FITTED = 7, 64, 20_000
MODES = ((4, 4, 4), (4, 4, 7))


def blocks(ranks):
    """A BT-LSTM of two blocks."""
    return lambda seed: bt_lstm(*MODES, n_blocks=2, ranks=ranks, rng=seed)


KINDS = {
    "dense": lambda seed: LSTM.random(112, STATES, rng=seed),
    "TT, ranks 4": lambda seed: tt_lstm(*MODES, 4, rng=seed),
    "BT, 2 blocks, ranks 4": blocks(4),
    "BT, 2 blocks, ranks 2": blocks(2),
    "BT, 2 blocks, ranks 1": blocks(1),
}


def bands(images):
    """``(n, 784) -> (n, 7, 112)``."""
    return images.reshape(len(images), STEPS, -1)


def run(kind, seed, epochs, data):
    """The accuracy on the test set, and the seconds that fitting took."""
    model = Sequential([KINDS[kind](seed), Dense.random(STATES, 10, rng=seed)])
    began = perf_counter()
    model, _ = fit(
        model,
        bands(data.x[:FITTED]),
        data.labels[:FITTED],
        loss=CrossEntropy(),
        optimizer=Adam(5e-3),
        epochs=epochs,
        batch_size=100,
        rng=seed,
    )
    seconds = perf_counter() - began
    return accuracy(model, bands(data.x_test), data.labels_test), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    data = mnist()
    print(
        "map of the inputs      numbers  compression  test accuracy (range)    seconds"
    )
    for kind, make in KINDS.items():
        gates = make(0).gates
        numbers = gates.n_parameters - gates.bias.size
        runs = [run(kind, seed, options.epochs, data) for seed in range(options.seeds)]
        found = [share for share, _ in runs]
        spread = f"{mean(found):.4f} ({min(found):.4f}-{max(found):.4f})"
        shrunk = 256 * 112 / numbers
        seconds = mean(seconds for _, seconds in runs)
        print(f"{kind:<22} {numbers:>7,} {shrunk:>12.1f}  {spread:<23} {seconds:>8.1f}")


if __name__ == "__main__":
    main()
