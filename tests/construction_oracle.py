"""S4 as it is written, slow and obvious: exact rationals, loops, and brute-force least squares."""

from __future__ import annotations

from fractions import Fraction

import numpy as np


def solve(matrix, right):
    """Solve a square system of Fractions by elimination; `right` has columns."""
    n = len(matrix)
    rows = [list(matrix[i]) + list(right[i]) for i in range(n)]
    for i in range(n):
        pivot = next(k for k in range(i, n) if rows[k][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in range(n):
            if k != i and rows[k][i] != 0:
                factor = rows[k][i]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[n:] for row in rows]


def product(a, b):
    """Multiply matrices of Fractions."""
    return [
        [
            sum((x * y for x, y in zip(row, column, strict=True)), Fraction(0))
            for column in zip(*b, strict=True)
        ]
        for row in a
    ]


def rational(x, labels, outputs, weights=None):
    """Return class means, relative noise, and squares of C, C_N and delta_P, as Fractions.

    `outputs` has one column a class, classes sorted.
    """
    classes = sorted(set(labels))
    x = [[Fraction(float(v)) for v in row] for row in x]
    weights = [Fraction(1)] * len(x) if weights is None else [Fraction(float(w)) for w in weights]
    outputs = [[Fraction(float(v)) for v in row] for row in outputs]
    total = {c: sum(w for w, k in zip(weights, labels, strict=True) if k == c) for c in classes}
    means = {
        c: [
            sum(w * row[i] for w, row, k in zip(weights, x, labels, strict=True) if k == c)
            / total[c]
            for i in range(len(x[0]))
        ]
        for c in classes
    }
    columns = [means[c] for c in classes]  # X_red^T
    gram = product(columns, [list(row) for row in zip(*columns, strict=True)])
    pen = solve(gram, columns)  # (X_red^T X_red)^-1 X_red^T
    noise, c_square, n_square = [], Fraction(0), Fraction(0)
    for row, label, weight in zip(x, labels, weights, strict=True):
        away = [[a - b] for a, b in zip(row, means[label], strict=True)]
        d = product(pen, away)
        error = sum(v[0] ** 2 for v in product(outputs, d))
        noise.append([v[0] for v in d])
        c_square += weight * error / sum(weights)
        n_square += weight * error / total[label]
    delta = max(sum(v**2 for v in d) for d, w in zip(noise, weights, strict=True) if w > 0)
    return {
        "means": columns,
        "pen": pen,
        "noise": noise,
        "C2": c_square,
        "CN2": n_square,
        "delta_P2": delta,
    }


def least_squares(x, labels, outputs, *, constant):
    """Return the least C_N of `out = W x (+ c)` by brute force, and its outputs on the rows."""
    _, codes = np.unique(labels, return_inverse=True)
    share = 1.0 / np.bincount(codes)[codes]
    design = np.column_stack([x, np.ones(len(x))]) if constant else np.asarray(x)
    goals = np.asarray(outputs)[:, codes].T
    root = np.sqrt(share)[:, np.newaxis]
    found = np.linalg.lstsq(design * root, goals * root)[0]
    values = design @ found
    return float(np.sqrt(np.sum(share[:, np.newaxis] * (values - goals) ** 2))), values


def cost(network, x, labels, outputs, weights=None):
    """Return C of a network, evaluated row by row by its layers."""
    classes = sorted(set(labels), key=lambda c: (str(type(c)), c))
    weights = np.ones(len(x)) if weights is None else np.asarray(weights)
    total = 0.0
    for row, label, weight in zip(np.asarray(x), labels, weights, strict=True):
        hidden = np.maximum(network.weights @ row + network.biases, 0.0)
        out = hidden @ network.outputs + network.offset
        total += weight * np.sum((out - np.asarray(outputs)[:, classes.index(label)]) ** 2)
    return float(np.sqrt(total / weights.sum()))


def clusters(rng, inputs, classes, noise, rows=None, offset=0.0):
    """Draw random means and rows about them, every class at least twice."""
    rows = rows or 6 * classes
    means = rng.normal(size=(classes, inputs)) + offset
    labels = np.concatenate([np.arange(classes).repeat(2), rng.integers(0, classes, rows)])
    return means[labels] + noise * rng.normal(size=(len(labels), inputs)), labels
