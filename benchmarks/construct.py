"""The constructive classifier beside its peers: accuracy, time, memory, and as a start."""

from __future__ import annotations

import importlib.metadata
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cells import Cells, say
from benchmarks.memory import clear_peak, status
from benchmarks.workers import Failed, TimedOut, Worker

DATASETS = ("iris", "wine", "breast_cancer", "digits")
OURS, PLAIN = "reluscape", "reluscape, euclidean"
LDA, CENTROID, LOGISTIC, AFTER = (
    "LDA",
    "nearest centroid",
    "logistic regression",
    "reluscape, after descent",
)
FOLDS = 5
# Below LDA's accuracy by no more than this.
BEHIND_LDA = 0.02

ROWS, PEER_ROWS, QUICK_ROWS = 1_000_000, 200_000, 20_000
INPUTS, CLASSES = 784, 10
CHUNK = 20_000
SLOWER, FASTER, CHUNKS = 2.0, 20.0, 2.0
REPEATS = 5

SEEDS = range(10)
EPOCHS = 60
WIDTH = 64
LOSSES = (0.5, 0.2, 0.1, 0.05)
LIMIT = 1800.0
SEED = 20_230_919


def measure(cells: Cells, *, quick: bool = False) -> None:
    """Measure every part that is not stored yet, each in a process of its own."""
    rows = QUICK_ROWS if quick else ROWS
    peers = QUICK_ROWS if quick else PEER_ROWS
    parts: list[tuple[str, str, dict[str, Any]]] = [
        *((f"accuracy | {name}", "accuracy", {"name": name}) for name in DATASETS),
        (f"time | {rows}", "times", {"n": rows}),
        (f"peers | {peers}", "peers", {"n": peers}),
        (f"memory | {rows}", "memory", {"n": rows}),
        *((f"start | {seed}", "start", {"seed": seed}) for seed in (SEEDS[:2] if quick else SEEDS)),
    ]
    for where, function, arguments in parts:
        if cells.get(where) is not None:
            continue
        with Worker() as worker:
            try:
                cell = worker.call("benchmarks.construct", function, LIMIT, **arguments)
            except (Failed, TimedOut) as error:
                cell = {"failure": str(error)}
        cells.put(where, cell)
        say(f"construct: {where}: {cell}")


def accuracy(name: str) -> dict[str, Any]:
    """Return the mean accuracy over stratified folds, of every model on the same folds."""
    import warnings

    from sklearn import datasets
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.neighbors import NearestCentroid
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    import reluscape as rs

    warnings.simplefilter("ignore")
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    models: dict[str, Callable[[], Any]] = {
        OURS: rs.ConstructiveClassifier,
        PLAIN: lambda: rs.ConstructiveClassifier(metric="euclidean"),
        LDA: LinearDiscriminantAnalysis,
        CENTROID: NearestCentroid,
        LOGISTIC: lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
    }
    right: dict[str, list[float]] = {model: [] for model in (*models, AFTER)}
    splits = StratifiedKFold(FOLDS).split(x, y)
    for train, test in splits:
        for label, make in models.items():
            right[label].append(make().fit(x[train], y[train]).score(x[test], y[test]))
        scale = StandardScaler().fit(x[train])
        made = rs.ConstructiveClassifier().fit(scale.transform(x[train]), y[train])
        network = made.warm_start_network().set_params(alpha=0.0)
        network.fit(scale.transform(x[train]), y[train])
        right[AFTER].append(network.score(scale.transform(x[test]), y[test]))
    scores = {model: statistics.mean(values) for model, values in right.items()}
    return scores | {"scikit-learn": importlib.metadata.version("scikit-learn")}


def chunk(n: int, start: int) -> tuple[Any, Any]:
    """Return rows of clusters in float32, the same for the same place."""
    rng = np.random.default_rng((SEED, start))
    many = min(CHUNK, n - start)
    means = np.random.default_rng(SEED).random((CLASSES, INPUTS), np.float32)
    labels = rng.integers(0, CLASSES, many)
    x = rng.standard_normal((many, INPUTS), np.float32)
    x *= np.float32(0.3)
    x += means[labels]
    return x, labels


def table(n: int) -> tuple[Any, Any]:
    """Return so many rows in memory."""
    x, labels = np.empty((n, INPUTS), np.float32), np.empty(n, np.int64)
    for start in range(0, n, CHUNK):
        x[start : start + CHUNK], labels[start : start + CHUNK] = chunk(n, start)
    return x, labels


def times(n: int) -> dict[str, Any]:
    """Return seconds of a construction, and of NumPy reading the rows and multiplying them."""
    import reluscape as rs

    x, labels = table(n)
    rs.construct(x[:CHUNK], labels[:CHUNK])

    def multiply() -> None:
        onehot = np.zeros((n, CLASSES), np.float32)
        onehot[np.arange(n), labels] = 1.0
        x.T @ onehot

    ways: dict[str, Callable[[], object]] = {
        "multiply": multiply,
        "read": lambda: np.add.reduce(x, axis=None),
        "construct": lambda: rs.construct(x, labels),
        "means": lambda: rs.ClassSummary(scatter=False).updated(x, labels),
    }
    return _times(ways) | {"rows": n}


def peers(n: int) -> dict[str, Any]:
    """Return seconds of the classifiers on the same rows, one run each."""
    import warnings

    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import NearestCentroid

    import reluscape as rs

    warnings.simplefilter("ignore")
    x, labels = table(n)
    rs.construct(x[:CHUNK], labels[:CHUNK])
    rs.ConstructiveClassifier().fit(x[:200, :20], labels[:200])
    ways: dict[str, Callable[[], object]] = {
        "construct": lambda: rs.construct(x, labels),
        CENTROID: lambda: NearestCentroid().fit(x, labels),
        LDA: lambda: LinearDiscriminantAnalysis().fit(x, labels),
        "LDA, lsqr": lambda: LinearDiscriminantAnalysis(solver="lsqr").fit(x, labels),
        LOGISTIC: lambda: LogisticRegression(max_iter=100).fit(x, labels),
        "ConstructiveClassifier": lambda: rs.ConstructiveClassifier().fit(x, labels),
    }
    return _times(ways, 1) | {"rows": n}


def _times(ways: dict[str, Callable[[], object]], repeats: int = REPEATS) -> dict[str, Any]:
    """Return medians, the ways taking turns so that a slow moment hits all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            begin = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - begin)
    return {name: statistics.median(values) for name, values in seconds.items()}


def memory(n: int) -> dict[str, Any]:
    """Return the rise of the peak while constructing from a file that is read in chunks."""
    import reluscape as rs

    rs.construct(*chunk(2_000, 0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.f32"
        with path.open("wb") as file:
            for start in range(0, n, CHUNK):
                chunk(n, start)[0].tofile(file)

        def chunks() -> Iterator[tuple[Any, Any]]:
            with path.open("rb") as file:
                for start in range(0, n, CHUNK):
                    rng = np.random.default_rng((SEED, start))
                    many = min(CHUNK, n - start)
                    labels = rng.integers(0, CLASSES, many)
                    x = np.fromfile(file, np.float32, many * INPUTS).reshape(many, INPUTS)
                    yield x, labels
                    del x

        cleared = clear_peak()
        before = status("VmRSS")
        begin = time.perf_counter()
        rs.construct(chunks)
        seconds = time.perf_counter() - begin
        after = status("VmHWM")
    size = CHUNK * INPUTS * 4
    return {
        "rise": after - before,
        "chunk": size,
        "chunks": (after - before) / size,
        "seconds": seconds,
        "peak_cleared": cleared,
    }


def start(seed: int) -> dict[str, Any]:
    """Return after how many epochs of Adam a loss is reached, from both starts."""
    import warnings

    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    import reluscape as rs

    warnings.simplefilter("ignore")
    x, y = load_digits(return_X_y=True)
    x = x / 16.0

    def loss(network: Any) -> float:
        shares = network.predict_proba(x)[np.arange(len(y)), y]
        return float(-np.log(np.maximum(shares, 1e-300)).mean())

    options = {"alpha": 0.0, "random_state": seed}
    made = rs.ConstructiveClassifier().fit(x, y)
    warm = made.warm_start_network(width=WIDTH, random_state=seed).set_params(**options)
    cold = MLPClassifier((WIDTH,), **options)
    found: dict[str, Any] = {"warm": [loss(warm)], "cold": []}
    for name, network in (("warm", warm), ("cold", cold)):
        for _ in range(EPOCHS):
            network.partial_fit(x, y, classes=np.unique(y))
            found[name].append(loss(network))
    # Before the first epoch a standard start is as good as guessing, near log(10).
    found["cold"].insert(0, float(np.log(CLASSES)))
    return {
        name: {"losses": losses, "epochs": [_first(losses, level) for level in LOSSES]}
        for name, losses in found.items()
    }


def _first(losses: list[float], level: float) -> int | None:
    return next((epoch for epoch, value in enumerate(losses) if value <= level), None)
