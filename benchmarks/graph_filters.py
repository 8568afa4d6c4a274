"""Graph filters: where a diffused signal started, and what papers of Cora are about.

Source localisation: N = 50 nodes in 5 communities, p = 0.8 and 0.2; x = S^t delta_c,
t < 50, c one node of each community; 10,000 signals to fit, 2,400 to validate, 200 to
test; one graph layer of 5 features and 5 taps, ReLU, dense; Adam 1e-3, 20 epochs,
batches of 100. Source: the code of Isufi, Gama & Ribeiro (2019). Cora: two graph
layers, the recipes of Kipf & Welling (2017) and Velickovic et al. (2018), without
dropout of attention. Run as

    python benchmarks/graph_filters.py sources --seeds 5 --picture FILE.png
    TTALGEBRA_DATA=FOLDER python benchmarks/graph_filters.py cora --seeds 5
"""

import argparse
import json
import platform
from collections.abc import Callable, Iterator
from datetime import date
from statistics import mean, stdev
from time import perf_counter

import numpy as np

from ttalgebra.layers import (
    Dense,
    Dropout,
    EdgeVarying,
    GraphAttention,
    GraphConvolution,
    HybridEdgeVarying,
    NodeVarying,
    ReLU,
    Sequential,
)
from ttalgebra.learning import Adam, CrossEntropy, accuracy, fit, graphs

N, FEATURES, ORDER, SELECTED = 50, 5, 4, 5  # order 4: five taps
CLASSES, HIDDEN, WORDS = 7, 16, 1433
FILTERS = (
    "edge varying", "hybrid, 5 nodes", "node varying", "block varying", "convolution",
)  # fmt: skip


def filters(A, S, communities, rng):
    """The five filters of the source localisation, drawn one after the other."""
    first = np.argsort(-np.diff(A.indptr), kind="stable")[:SELECTED]
    wanted = (S, 1, FEATURES, ORDER)
    made = (
        EdgeVarying.random(*wanted, rng=rng),
        HybridEdgeVarying.random(*wanted, selected=first, rng=rng),
        NodeVarying.random(*wanted, rng=rng),
        NodeVarying.random(*wanted, blocks=communities, rng=rng),
        GraphConvolution.random(*wanted, rng=rng),
    )
    return dict(zip(FILTERS, made, strict=True))


def sources(seed, epochs):
    """One graph, one draw of the data, all filters; a row for each."""
    rng = np.random.default_rng(seed)
    A, communities = graphs.stochastic_block([N // 5] * 5, 0.8, 0.2, rng=rng)
    S, hubs = graphs.spectral(A), graphs.hubs(A, communities)
    data = graphs.source_localisation(S, hubs, steps=50, rng=rng)
    for name, layer in filters(A, S, communities, rng).items():
        model = Sequential([layer, ReLU(), Dense.random(N * FEATURES, 5, rng=rng)])
        began = perf_counter()
        fitted, history = fit(
            model,
            data.x,
            data.labels,
            loss=CrossEntropy(),
            optimizer=Adam(1e-3),
            epochs=epochs,
            batch_size=100,
            rng=seed,
            validation=(data.x_validation, data.labels_validation),
        )
        yield {
            "filter": name,
            "seed": seed,
            "parameters": layer.n_parameters,
            "loss": history["loss"][-1],
            "validation": history["validation_accuracy"][-1],
            "accuracy": accuracy(fitted, data.x_test, data.labels_test),
            "seconds": perf_counter() - began,
        }


def convolutional(A, rng):
    S = graphs.renormalised(A)
    first = GraphConvolution.random(S, WORDS, HIDDEN, 1, first=1, rng=rng)
    last = GraphConvolution.random(S, HIDDEN, CLASSES, 1, first=1, rng=rng)
    model = Sequential([Dropout(0.5), first, ReLU(), Dropout(0.5), last])
    return model, Adam(0.01, decay=5e-4, decays=lambda name, _: name.startswith("1."))


def attentive(A, rng):
    first = GraphAttention.random(A, WORDS, 8, heads=8, rng=rng)
    last = GraphAttention.random(A, 64, CLASSES, rng=rng)
    model = Sequential([Dropout(0.6), first, ReLU(), Dropout(0.6), last])
    return model, Adam(0.005, decay=5e-4)


def cora(seed, epochs):
    """Both networks on the standard split; a row for each."""
    data = graphs.cora()
    x = data.x / np.maximum(data.x.sum(axis=1, keepdims=True), 1)
    x = np.reshape(x, (1, -1))
    sets = (data.train, data.validation, data.test)
    train, validation, test = (graphs.only(data.labels, nodes) for nodes in sets)
    for name, made in (("convolution", convolutional), ("attention", attentive)):
        model, optimizer = made(data.A, np.random.default_rng(seed))
        began = perf_counter()
        fitted, history = fit(
            model,
            x,
            train,
            loss=graphs.NodeLoss(),
            optimizer=optimizer,
            epochs=epochs,
            rng=seed,
        )
        y, _ = fitted(x)
        yield {
            "filter": name,
            "seed": seed,
            "parameters": model.n_parameters,
            "loss": history["loss"][-1],
            "validation": graphs.node_accuracy(y, validation),
            "accuracy": graphs.node_accuracy(y, test),
            "seconds": perf_counter() - began,
        }


Task = Callable[[int, int], Iterator[dict[str, object]]]
TASKS: dict[str, tuple[Task, int]] = {"sources": (sources, 20), "cora": (cora, 200)}


def show(rows, task):
    seeds = len({row["seed"] for row in rows})
    print(f"{task}: {seeds} seeds from 0; mean and standard deviation over them")
    print(f"{platform.machine()}, NumPy {np.__version__}, {date.today().isoformat()}")
    columns = ("loss", "validation", "accuracy", "seconds")
    print(f"\n{'filter':16s} {'parameters':>10s} {'loss':>15s} {'validation':>15s} "
          f"{'test':>15s} {'worst':>6s} {'seconds':>7s}")  # fmt: skip
    for name in dict.fromkeys(row["filter"] for row in rows):
        own = [row for row in rows if row["filter"] == name]
        values = {column: [row[column] for row in own] for column in columns}
        cells = (spread(values[column]) for column in columns[:3])
        worst, seconds = min(values["accuracy"]), mean(values["seconds"])
        print(f"{name:16s} {own[0]['parameters']:10,d} {' '.join(cells)} "
              f"{worst:6.3f} {seconds:7.1f}")  # fmt: skip


def spread(values):
    deviation = stdev(values) if len(values) > 1 else 0.0
    return f"{mean(values):.3f} +- {deviation:.3f}".rjust(15)


def draw(rows, path):
    """Accuracy of each filter; a line joins the results on one graph."""
    from matplotlib.figure import Figure

    from ttalgebra.draw.curves import COLOURS, save

    figure = Figure(figsize=(6.4, 3.6), dpi=80, layout="constrained")
    axes = figure.subplots()
    for seed in sorted({row["seed"] for row in rows}):
        colour = COLOURS[seed % len(COLOURS)]
        own = {row["filter"]: row["validation"] for row in rows if row["seed"] == seed}
        values = [own[name] for name in FILTERS]
        axes.plot(FILTERS, values, "o-", color=colour, linewidth=1, label=f"{seed}")
    axes.set_ylabel("validation accuracy")
    axes.set_title("Source localisation, 50 nodes", loc="left")
    axes.legend(
        title="graph", frameon=False, loc="center left", bbox_to_anchor=(1, 0.5)
    )
    axes.grid(alpha=0.25)
    save(figure, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--picture", help="of the accuracies of the sources")
    asked = parser.parse_args()
    task, epochs = TASKS[asked.task]
    runs = (task(seed, asked.epochs or epochs) for seed in range(asked.seeds))
    rows = [row for run in runs for row in run]
    print(json.dumps(rows)) if asked.json else show(rows, asked.task)
    if asked.picture and asked.task == "sources":
        draw(rows, asked.picture)


if __name__ == "__main__":
    main()
