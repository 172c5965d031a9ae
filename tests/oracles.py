"""Slow, obvious versions of everything fast: the judges of the package.

Nothing here imports the package. A network is a :class:`Plain` record of floats, a target or a
density a :class:`Pieces` record of exact polynomials, and every float is taken at its exact
binary value.

=========================  =====================================================================
judge                      how
=========================  =====================================================================
``data_exact``             sums over the rows in rational arithmetic
``data_exact_integers``    the same with big integers, quick enough for a million rows
``interval_exact``         polynomials integrated piece by piece in rational arithmetic
``interval_quadrature``    Gauss-Legendre on the network evaluated point by point
``direct``                 textbook NumPy sums, any number of inputs and targets
``finite_differences``     fourth-order central differences
``descend_textbook``       the full-batch gradient descent loop everybody writes
``exact_best_spline``      every assignment of knots to gaps and data sites, in rationals
``best_plain_sse``         the same for networks without a skip connection
``bounded_best_sse``       knots on a grid, slopes within bounds, then a local search
``least_squares_line``     ordinary least squares
=========================  =====================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, combinations_with_replacement
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Polynomial = tuple[Fraction, ...]

# ------------------------------------------------------------------------------------- networks


@dataclass(frozen=True)
class Plain:
    """One-input, one-target network: ``c + u x + sum v s(w x + b)``; ``slope`` is s on the left."""

    w: tuple[float, ...]
    b: tuple[float, ...]
    v: tuple[float, ...]
    c: float = 0.0
    u: float | None = None
    slope: float = 0.0

    @property
    def width(self) -> int:
        return len(self.w)

    def theta(self) -> Array:
        """Give the papers' vector (w, b, v, c[, u])."""
        tail = (self.c,) if self.u is None else (self.c, self.u)
        return np.array([*self.w, *self.b, *self.v, *tail], dtype=np.float64)

    @staticmethod
    def of(theta: Iterable[float], *, skip: bool, slope: float = 0.0) -> Plain:
        """Read the papers' vector."""
        values = [float(t) for t in theta]
        width = (len(values) - 1 - skip) // 3
        assert 3 * width + 1 + skip == len(values)
        return Plain(
            tuple(values[:width]),
            tuple(values[width : 2 * width]),
            tuple(values[2 * width : 3 * width]),
            values[3 * width],
            values[3 * width + 1] if skip else None,
            slope,
        )

    def __call__(self, x: Array) -> Array:
        x = np.asarray(x, dtype=np.float64)
        total = np.full(x.shape, self.c)
        for w, b, v in zip(self.w, self.b, self.v, strict=True):
            z = w * x + b
            total = total + v * np.where(z > 0, z, self.slope * z)
        return total if self.u is None else total + self.u * x

    def kinks(self) -> list[float]:
        return sorted(-b / w for w, b in zip(self.w, self.b, strict=True) if w != 0)


def plain_of(network: Any) -> Plain:
    """Read a one-input, one-target network of the package through its public attributes."""
    slope = float(network.activation.slope)
    u = None if network.skip is None else float(np.asarray(network.skip).ravel()[0])
    return Plain(
        tuple(np.asarray(network.weights)[:, 0].tolist()),
        tuple(np.asarray(network.biases).tolist()),
        tuple(np.asarray(network.outputs).ravel().tolist()),
        float(np.asarray(network.offset).ravel()[0]),
        u,
        slope,
    )


# ---------------------------------------------------------------------- data, exact arithmetic


@dataclass(frozen=True)
class Exact:
    """Risk, gradient and (where asked for) Hessian; ``scale`` sums the sizes of the terms."""

    risk: Fraction
    gradient: tuple[Fraction, ...]
    scale: tuple[Fraction, ...] = ()
    hessian: tuple[tuple[Fraction, ...], ...] = ()

    def floats(self) -> tuple[float, Array]:
        return float(self.risk), np.array([float(g) for g in self.gradient])


def _derivative(z: Fraction | int, slope: Fraction, at_zero: str) -> Fraction:
    if z > 0 or (z == 0 and at_zero == "ge"):
        return Fraction(1)
    return slope


def data_exact(
    x: Sequence[float],
    y: Sequence[float],
    net: Plain,
    *,
    weights: Sequence[float] | None = None,
    at_zero: str = "gt",
    hessian: bool = False,
) -> Exact:
    """Risk and generalized gradient over rows; default weights are 1/n exactly.

    The Hessian is that of the smooth piece on which the rows lie: no kink terms, and only
    meaningful where no breakpoint sits on a row.
    """
    rows = len(x)
    wts = [Fraction(1, rows)] * rows if weights is None else [Fraction(float(t)) for t in weights]
    w, b, v = (tuple(map(Fraction, part)) for part in (net.w, net.b, net.v))
    c, slope = Fraction(net.c), Fraction(net.slope)
    u = None if net.u is None else Fraction(net.u)
    size = 3 * net.width + 1 + (u is not None)
    risk = Fraction(0)
    gradient, scale = [Fraction(0)] * size, [Fraction(0)] * size
    hess = [[Fraction(0)] * size for _ in range(size)] if hessian else []
    for xi, yi, weight in zip(x, y, wts, strict=True):
        xf = Fraction(float(xi))
        z = [wj * xf + bj for wj, bj in zip(w, b, strict=True)]
        s = [_derivative(zj, slope, at_zero) for zj in z]
        h = [zj if zj > 0 else slope * zj for zj in z]
        e = c + sum((vj * hj for vj, hj in zip(v, h, strict=True)), Fraction(0))
        e += (u * xf if u is not None else 0) - Fraction(float(yi))
        risk += weight * e * e
        inner = [vj * sj * xf for vj, sj in zip(v, s, strict=True)]
        inner += [vj * sj for vj, sj in zip(v, s, strict=True)]
        inner += [*h, Fraction(1), *([xf] if u is not None else [])]
        for i, factor in enumerate(inner):
            gradient[i] += 2 * weight * e * factor
            scale[i] += abs(2 * weight * e * factor)
        if hessian:
            _add_hessian(hess, inner, s, xf, e, weight, net.width)
    return Exact(risk, tuple(gradient), tuple(scale), tuple(map(tuple, hess)))


def _add_hessian(
    hess: list[list[Fraction]],
    inner: list[Fraction],
    s: list[Fraction],
    x: Fraction,
    e: Fraction,
    weight: Fraction,
    width: int,
) -> None:
    for i, left in enumerate(inner):
        for j, right in enumerate(inner):
            hess[i][j] += 2 * weight * left * right
    for j in range(width):
        for row, value in ((j, x), (width + j, Fraction(1))):
            term = 2 * weight * e * s[j] * value
            hess[row][2 * width + j] += term
            hess[2 * width + j][row] += term


def _integers(values: Array | Sequence[float]) -> tuple[NDArray[Any], int]:
    """Python integers N and a power p with values = N 2^-p exactly."""
    values = np.asarray(values, dtype=np.float64)
    mantissa, exponent = np.frexp(values)
    whole = (mantissa * 2.0**53).astype(np.int64).astype(object)
    exponent = np.where(values == 0, 0, exponent - 53)
    power = int(-exponent.min(initial=0))
    shift = (exponent + power).astype(object)
    return whole * (2**shift), power


def data_exact_integers(x: Array, y: Array, net: Plain, *, at_zero: str = "gt") -> Exact:
    """Do the work of ``data_exact`` for ReLU and weights 1/n on columns of big integers."""
    assert net.slope == 0.0
    rows = len(x)
    xs, px = _integers(x)
    ys, py = _integers(y)

    def one(value: float) -> Fraction:
        return Fraction(value)

    # every quantity is an integer column over one common power of two
    power = px + py + 200

    def column(factor: Fraction, values: NDArray[Any], own: int) -> NDArray[Any]:
        numerator = factor * 2 ** (power - own)
        assert numerator.denominator == 1
        return values * int(numerator)

    unit = np.full(rows, 1, dtype=object)
    error = column(one(net.c), unit, 0) - column(Fraction(1), ys, py)
    if net.u is not None:
        error = error + column(one(net.u), xs, px)
    active, ramps = [], []
    for w, b, v in zip(net.w, net.b, net.v, strict=True):
        z = column(one(w), xs, px) + column(one(b), unit, 0)
        on = (z >= 0) if at_zero == "ge" else (z > 0)
        ramp = z * (z > 0)
        scaled = one(v)
        product = ramp * scaled.numerator
        error = error * 1 + product // scaled.denominator
        assert not np.any(product % scaled.denominator), "raise the common power of two"
        active.append(on)
        ramps.append(ramp)
    two = Fraction(2, rows)
    base = Fraction(1, 2**power)
    risk = Fraction(int((error * error).sum()), rows) * base * base
    weights, biases, outputs = [], [], []
    for on, ramp, v in zip(active, ramps, net.v, strict=True):
        lit = error[on]
        weights.append(two * one(v) * int((lit * xs[on]).sum()) * base / 2**px)
        biases.append(two * one(v) * int(lit.sum()) * base)
        outputs.append(two * int((error * ramp).sum()) * base * base)
    tail = [two * int(error.sum()) * base]
    if net.u is not None:
        tail.append(two * int((error * xs).sum()) * base / 2**px)
    return Exact(risk, (*weights, *biases, *outputs, *tail))


# ------------------------------------------------------------------ intervals, exact arithmetic


@dataclass(frozen=True)
class Pieces:
    """A piecewise polynomial: ``coefficients[i]``, lowest first, in x itself on piece i."""

    breaks: tuple[Fraction, ...]
    coefficients: tuple[Polynomial, ...]

    @staticmethod
    def of(breaks: Iterable[float | Fraction], rows: Iterable[Iterable[float | Fraction]]) -> Pieces:
        return Pieces(
            tuple(Fraction(t) for t in breaks),
            tuple(tuple(Fraction(t) for t in row) for row in rows),
        )

    def piece(self, x: Fraction) -> Polynomial:
        """Polynomial around the (non-break) point x; the end pieces reach to infinity."""
        index = sum(1 for t in self.breaks[1:-1] if t < x)
        return self.coefficients[index]

    def __call__(self, x: Array) -> Array:
        x = np.asarray(x, dtype=np.float64)
        inner = np.array([float(t) for t in self.breaks[1:-1]])
        index = np.searchsorted(inner, x, side="left")
        rows = [np.polynomial.Polynomial([float(t) for t in row]) for row in self.coefficients]
        return np.array(
            [rows[i](xi) for i, xi in zip(index.ravel(), x.ravel(), strict=True)]
        ).reshape(x.shape)

    def floats(self) -> tuple[Array, Array]:
        """Breaks and a rectangular coefficient table, as the package wants them."""
        width = max(len(row) for row in self.coefficients)
        table = np.zeros((len(self.coefficients), width))
        for i, row in enumerate(self.coefficients):
            table[i, : len(row)] = [float(t) for t in row]
        return np.array([float(t) for t in self.breaks]), table


ONE = Pieces.of((0, 1), ((1,),))


def add(p: Polynomial, q: Polynomial) -> Polynomial:
    """Sum of two polynomials."""
    size = max(len(p), len(q))
    zero = Fraction(0)
    return tuple(
        (p[i] if i < len(p) else zero) + (q[i] if i < len(q) else zero) for i in range(size)
    )


def times(p: Polynomial, q: Polynomial) -> Polynomial:
    """Product of two polynomials."""
    result = [Fraction(0)] * (len(p) + len(q) - 1)
    for i, left in enumerate(p):
        for j, right in enumerate(q):
            result[i + j] += left * right
    return tuple(result)


def value(p: Polynomial, x: Fraction) -> Fraction:
    """Horner's rule."""
    total = Fraction(0)
    for coefficient in reversed(p):
        total = total * x + coefficient
    return total


def integral(p: Polynomial, left: Fraction, right: Fraction) -> Fraction:
    """Integral of a polynomial."""
    primitive = (Fraction(0), *(t / (i + 1) for i, t in enumerate(p)))
    return value(primitive, right) - value(primitive, left)


def interval_exact(
    net: Plain,
    target: Pieces,
    a: float | Fraction,
    b: float | Fraction,
    *,
    density: Pieces = ONE,
    at_zero: str = "gt",
    hessian: bool = False,
) -> Exact:
    """Risk, generalized gradient and Hessian (theory 0.2) with everything rational.

    The Hessian needs kinks away from a, b and from jumps of target or density.
    """
    a, b = Fraction(a), Fraction(b)
    w, bias, v = (tuple(map(Fraction, part)) for part in (net.w, net.b, net.v))
    c, slope = Fraction(net.c), Fraction(net.slope)
    u = None if net.u is None else Fraction(net.u)
    kinks = [-bj / wj if wj else None for wj, bj in zip(w, bias, strict=True)]
    cuts = {a, b, *(t for t in (*target.breaks, *density.breaks) if a < t < b)}
    cuts |= {t for t in kinks if t is not None and a < t < b}
    ordered = sorted(cuts)
    x_poly: Polynomial = (Fraction(0), Fraction(1))
    size = 3 * net.width + 1 + (u is not None)
    risk = Fraction(0)
    gradient = [Fraction(0)] * size
    hess = [[Fraction(0)] * size for _ in range(size)] if hessian else []
    for left, right in zip(ordered[:-1], ordered[1:], strict=True):
        middle = (left + right) / 2
        p = density.piece(middle)
        lines = [(bj, wj) for wj, bj in zip(w, bias, strict=True)]
        z = [value(line, middle) for line in lines]
        s = [_derivative(zj, slope, at_zero) for zj in z]
        ramps = [
            times((Fraction(1) if zj > 0 else slope,), line)
            for zj, line in zip(z, lines, strict=True)
        ]
        e: Polynomial = add((c, u if u is not None else Fraction(0)), ())
        for vj, ramp in zip(v, ramps, strict=True):
            e = add(e, times((vj,), ramp))
        e = add(e, times((Fraction(-1),), target.piece(middle)))
        risk += integral(times(times(e, e), p), left, right)
        inner: list[Polynomial] = [(Fraction(0), vj * sj) for vj, sj in zip(v, s, strict=True)]
        inner += [(vj * sj,) for vj, sj in zip(v, s, strict=True)]
        inner += [*ramps, (Fraction(1),), *([x_poly] if u is not None else [])]
        ep = times(e, p)
        for i, factor in enumerate(inner):
            gradient[i] += 2 * integral(times(ep, factor), left, right)
        if not hessian:
            continue
        for i, one in enumerate(inner):
            for j, other in enumerate(inner):
                hess[i][j] += 2 * integral(times(times(one, other), p), left, right)
        for j in range(net.width):
            for row, factor in ((j, x_poly), (net.width + j, (Fraction(1),))):
                term = 2 * s[j] * integral(times(ep, factor), left, right)
                hess[row][2 * net.width + j] += term
                hess[2 * net.width + j][row] += term
    if hessian:
        for j, t in enumerate(kinks):
            if t is None or not a < t < b:
                continue
            e_at = Fraction(0) if u is None else u * t
            e_at += c - value(target.piece(t), t)
            for wi, bi, vi in zip(w, bias, v, strict=True):
                zi = wi * t + bi
                e_at += vi * (zi if zi > 0 else slope * zi)
            weight = 2 * v[j] * (1 - slope) * e_at * value(density.piece(t), t) / abs(w[j])
            k = net.width + j
            hess[j][j] += weight * t * t
            hess[j][k] += weight * t
            hess[k][j] += weight * t
            hess[k][k] += weight
    return Exact(risk, tuple(gradient), (), tuple(map(tuple, hess)))


def hessian_array(exact: Exact) -> Array:
    """Hessian of an :class:`Exact` as floats."""
    return np.array([[float(t) for t in row] for row in exact.hessian])


# ----------------------------------------------------------------------------------- quadrature


def interval_quadrature(
    net: Plain,
    target: Callable[[Array], Array],
    a: float,
    b: float,
    *,
    density: Callable[[Array], Array] = np.ones_like,
    cuts: Iterable[float] = (),
    order: int = 24,
    at_zero: str = "gt",
) -> tuple[float, Array]:
    """Risk and generalized gradient by Gauss-Legendre between kinks and the given cuts."""
    points = sorted({a, b, *(t for t in (*cuts, *net.kinks()) if a < t < b)})
    nodes, weights = np.polynomial.legendre.leggauss(order)
    xs, ws = [], []
    for left, right in zip(points[:-1], points[1:], strict=True):
        xs.append((left + right) / 2 + (right - left) / 2 * nodes)
        ws.append((right - left) / 2 * weights)
    x, weight = np.concatenate(xs), np.concatenate(ws)
    return weighted_sums(x, target(x), weight * density(x), net, at_zero=at_zero)


def weighted_sums(
    x: Array, y: Array, weight: Array, net: Plain, *, at_zero: str = "gt"
) -> tuple[float, Array]:
    """Weighted squared error and its generalized gradient, straight from the definition."""
    e = net(x) - y
    lit = np.greater_equal if at_zero == "ge" else np.greater
    gw, gb, gv = [], [], []
    for w, b, v in zip(net.w, net.b, net.v, strict=True):
        z = w * x + b
        s = np.where(lit(z, 0.0), 1.0, net.slope)
        gw.append(2 * v * np.sum(weight * e * s * x))
        gb.append(2 * v * np.sum(weight * e * s))
        gv.append(2 * np.sum(weight * e * np.where(z > 0, z, net.slope * z)))
    tail = [2 * np.sum(weight * e)]
    if net.u is not None:
        tail.append(2 * np.sum(weight * e * x))
    return float(np.sum(weight * e * e)), np.array([*gw, *gb, *gv, *tail])


# ----------------------------------------------------------- any number of inputs and targets


def direct(
    x: Array,
    y: Array,
    weights: Array,
    biases: Array,
    outputs: Array,
    offset: Array,
    skip: Array | None = None,
    *,
    row_weights: Array | None = None,
    slope: float = 0.0,
    at_zero: str = "gt",
) -> tuple[float, Array]:
    """Risk and gradient for x (n, d), y (n, q): loops over rows and neurons, nothing clever."""
    rows, inputs = x.shape
    targets = y.shape[1]
    width = len(biases)
    mass = np.full(rows, 1.0 / rows) if row_weights is None else row_weights
    gw, gb = np.zeros((width, inputs)), np.zeros(width)
    gv, gc, gu = np.zeros((width, targets)), np.zeros(targets), np.zeros((inputs, targets))
    risk = 0.0
    for i in range(rows):
        z = [float(weights[j] @ x[i] + biases[j]) for j in range(width)]
        out = offset.astype(float).copy()
        if skip is not None:
            out += x[i] @ skip
        for j in range(width):
            out += outputs[j] * (z[j] if z[j] > 0 else slope * z[j])
        e = out - y[i]
        risk += mass[i] * float(e @ e)
        gc += 2 * mass[i] * e
        gu += 2 * mass[i] * np.outer(x[i], e)
        for j in range(width):
            s = 1.0 if z[j] > 0 or (z[j] == 0 and at_zero == "ge") else slope
            pull = 2 * mass[i] * s * float(outputs[j] @ e)
            gw[j] += pull * x[i]
            gb[j] += pull
            gv[j] += 2 * mass[i] * e * (z[j] if z[j] > 0 else slope * z[j])
    parts = [gw.ravel(), gb, gv.ravel(), gc]
    if skip is not None:
        parts.append(gu.ravel())
    return risk, np.concatenate(parts)


# --------------------------------------------------------------------------- finite differences


def finite_differences(
    function: Callable[[Array], Any], theta: Array, step: float = 1e-3
) -> Array:
    """Fourth-order central differences of a scalar or vector function; first axis: parameter."""
    rows = []
    for i in range(len(theta)):
        h = step * max(1.0, abs(theta[i]))
        unit = np.zeros_like(theta)
        unit[i] = h
        near = np.asarray(function(theta + unit)) - np.asarray(function(theta - unit))
        far = np.asarray(function(theta + 2 * unit)) - np.asarray(function(theta - 2 * unit))
        rows.append((8 * near - far) / (12 * h))
    return np.array(rows)


# ------------------------------------------------------------------------------------- descent


def descend_textbook(
    x: Array,
    y: Array,
    net: Plain,
    *,
    step_size: float,
    steps: int,
    weights: Array | None = None,
    at_zero: str = "gt",
) -> Plain:
    """Full-batch gradient descent as everybody writes it (pass quadrature nodes for integrals)."""
    mass = np.full(len(x), 1.0 / len(x)) if weights is None else weights
    theta = net.theta()
    skip = net.u is not None
    for _ in range(steps):
        now = Plain.of(theta, skip=skip, slope=net.slope)
        _, gradient = weighted_sums(x, y, mass, now, at_zero=at_zero)
        theta = theta - step_size * gradient
    return Plain.of(theta, skip=skip, slope=net.slope)


# ---------------------------------------------------- best continuous piecewise-linear fits


def merge(
    x: Sequence[float], y: Sequence[float], weights: Sequence[float] | None = None
) -> tuple[list[Fraction], list[Fraction], list[Fraction], Fraction]:
    """Distinct sites, weighted means, total weights, and what no function of x can remove."""
    mass = [Fraction(1)] * len(x) if weights is None else [Fraction(float(t)) for t in weights]
    groups: dict[Fraction, list[tuple[Fraction, Fraction]]] = {}
    for xi, yi, wi in zip(x, y, mass, strict=True):
        if wi:
            groups.setdefault(Fraction(float(xi)), []).append((Fraction(float(yi)), wi))
    sites = sorted(groups)
    totals = [sum((w for _, w in groups[s]), Fraction(0)) for s in sites]
    means = [
        sum((y * w for y, w in groups[s]), Fraction(0)) / t
        for s, t in zip(sites, totals, strict=True)
    ]
    pure = sum(
        (w * (y - m) ** 2 for s, m in zip(sites, means, strict=True) for y, w in groups[s]),
        Fraction(0),
    )
    return sites, means, totals, pure


def solve_exact(
    columns: Sequence[Sequence[Fraction]], y: Sequence[Fraction], mass: Sequence[Fraction]
) -> tuple[list[Fraction], Fraction] | None:
    """Weighted least squares by the normal equations; None where they are singular."""
    size = len(columns)

    def dot(p: Sequence[Fraction], q: Sequence[Fraction]) -> Fraction:
        return sum((m * s * t for m, s, t in zip(mass, p, q, strict=True)), Fraction(0))

    table = [[dot(p, q) for q in columns] + [dot(p, y)] for p in columns]
    right = [row[-1] for row in table]
    for i in range(size):
        pivot = next((r for r in range(i, size) if table[r][i] != 0), None)
        if pivot is None:
            return None
        table[i], table[pivot] = table[pivot], table[i]
        table[i] = [t / table[i][i] for t in table[i]]
        for r in range(size):
            if r != i and table[r][i] != 0:
                table[r] = [t - table[r][i] * s for t, s in zip(table[r], table[i], strict=True)]
    solution = [row[-1] for row in table]
    explained = sum((s * t for s, t in zip(solution, right, strict=True)), Fraction(0))
    return solution, dot(y, y) - explained


@dataclass(frozen=True)
class Best:
    """Least sum of squares (exact) and, per block of data, its lines; for looking at failures."""

    sum_of_squares: Fraction
    blocks: tuple[tuple[int, int, tuple[int, ...]], ...]
    knots_used: int


def exact_best_spline(
    x: Sequence[float], y: Sequence[float], k: int, *, weights: Sequence[float] | None = None
) -> Best:
    """Global minimum of the sum of squares over continuous lines with at most k knots.

    Theory 6.5. A knot lies in an open gap between neighbouring sites (the lines left and right
    of it are fitted freely and must cross within the closed gap), or on a site (a hinge inside a
    block), or two knots share a gap (the lines beside it are then quite free). A block of one
    site with a free slope can be slid, at the same sum of squares, until a knot meets a site, so
    such blocks are only needed when there is a single site.
    """
    sites, means, mass, pure = merge(x, y, weights)
    n = len(sites)
    if n == 1:
        return Best(pure, ((0, 0, ()),), 0)

    @lru_cache(maxsize=None)
    def block(i: int, j: int, hinges: tuple[int, ...]) -> tuple[Any, Any, Fraction] | None:
        xs = sites[i : j + 1]
        zero = Fraction(0)
        columns = [[Fraction(1)] * len(xs), [t - sites[i] for t in xs]]
        columns += [[max(t - sites[s], zero) for t in xs] for s in hinges]
        solved = solve_exact(columns, means[i : j + 1], mass[i : j + 1])
        if solved is None:
            return None
        (level, slope, *jumps), rss = solved
        first = (level - slope * sites[i], slope)
        last_level, last_slope = first
        for s, jump in zip(hinges, jumps, strict=True):
            last_level -= jump * sites[s]
            last_slope += jump
        return first, (last_level, last_slope), rss

    best = [Best(sum((m * t * t for m, t in zip(mass, means, strict=True)), pure), (), 0)]

    def extend(start: int, incoming: Any, budget: int, cost: Fraction, path: tuple[Any, ...]) -> None:
        for end in range(start + 1, n):
            for size in range(budget + 1):
                for hinges in combinations(range(start + 1, end), size):
                    found = block(start, end, hinges)
                    if found is None or cost + found[2] >= best[0].sum_of_squares:
                        continue
                    first, last, rss = found
                    if incoming is not None and not _cross(
                        incoming, first, sites[start - 1], sites[start]
                    ):
                        continue
                    total, here = cost + rss, (*path, (start, end, hinges))
                    left = budget - size
                    if end == n - 1:
                        best[0] = Best(total, here, k - left)
                        continue
                    if left >= 1:
                        extend(end + 1, last, left - 1, total, here)
                    if left >= 2:
                        extend(end + 1, None, left - 2, total, here)

    extend(0, None, k, pure, ())
    return best[0]


def _cross(p: tuple[Fraction, Fraction], q: tuple[Fraction, Fraction], l: Fraction, r: Fraction) -> bool:
    at_left = (p[0] - q[0]) + (p[1] - q[1]) * l
    at_right = (p[0] - q[0]) + (p[1] - q[1]) * r
    return at_left * at_right <= 0


def best_plain_sse(
    x: Sequence[float], y: Sequence[float], width: int, *, weights: Sequence[float] | None = None
) -> float:
    """Least sum of squares of a ReLU network of this width WITHOUT a skip connection.

    Each neuron is right- or left-active with its breakpoint in a gap (two free columns; feasible
    if the breakpoint they imply lies there) or on a site (one column), or active everywhere (a
    slope). Two neurons with one orientation in one gap make any step there.
    """
    sites, means, mass, pure = merge(x, y, weights)
    xs = np.array([float(t) for t in sites])
    ys = np.array([float(t) for t in means])
    root = np.sqrt(np.array([float(t) for t in mass]))
    n = len(xs)
    kinds: list[tuple[str, int, int]] = [("slope", 0, 0)]
    kinds += [(kind, side, i) for kind in ("gap",) for side in (1, -1) for i in range(n - 1)]
    kinds += [("site", side, i) for side in (1, -1) for i in range(n)]
    least = inf
    for chosen in combinations_with_replacement(kinds, width):
        columns, checks = [np.ones(n)], []
        for kind in dict.fromkeys(chosen):
            name, side, i = kind
            if name == "slope":
                columns.append(xs)
            elif name == "site":
                columns.append(np.maximum(side * (xs - xs[i]), 0.0))
            else:
                lit = (np.arange(n) > i) if side > 0 else (np.arange(n) <= i)
                if chosen.count(kind) == 1:
                    checks.append((len(columns), i))
                columns += [lit * 1.0, lit * xs]
        table = np.column_stack(columns)
        solution = np.linalg.lstsq(table * root[:, None], ys * root, rcond=None)[0]
        rss = float(np.sum((root * (table @ solution - ys)) ** 2))
        feasible = all(
            (solution[at] + solution[at + 1] * xs[i]) * (solution[at] + solution[at + 1] * xs[i + 1])
            <= 0
            for at, i in checks
        )
        if feasible:
            least = min(least, rss)
    return least + float(pure)


def spline_sse(
    x: Array, y: Array, knots: Sequence[float], weights: Array | None = None
) -> tuple[float, Array]:
    """Least-squares linear spline with these knots: sum of squares and (level, slope, jumps)."""
    root = np.ones_like(x) if weights is None else np.sqrt(weights)
    middle = float(np.mean(x))
    columns = [np.ones_like(x), x - middle, *(np.maximum(x - t, 0.0) for t in knots)]
    table = np.column_stack(columns)
    solution = np.linalg.lstsq(table * root[:, None], y * root, rcond=None)[0]
    return float(np.sum((root * (table @ solution - y)) ** 2)), solution


def bounded_best_sse(
    x: Array,
    y: Array,
    k: int,
    low: float,
    high: float,
    *,
    per_gap: int = 2,
    min_distance: float = 0.0,
) -> float:
    """Least sum of squares found with k knots and every slope in [low, high].

    Knots on a grid (the sites and ``per_gap`` points in each gap), bounded least squares in
    (intercept, slopes), then Nelder-Mead from the best few. An upper bound on the optimum, close.
    """
    from scipy.optimize import lsq_linear, minimize

    sites = np.unique(x)
    grid = np.unique(
        np.concatenate([np.linspace(p, q, per_gap + 2) for p, q in zip(sites[:-1], sites[1:], strict=True)])
    )[1:-1]
    span = sites[-1] - sites[0]

    def sse(knots: Sequence[float]) -> float:
        ordered = np.sort(knots)
        if len(ordered) and (ordered[0] < sites[0] or ordered[-1] > sites[-1]):
            return inf
        if np.any(np.diff(ordered) < min_distance):
            return inf
        edges = np.array([sites[0], *ordered, sites[-1]])
        pieces = [np.clip(x, p, q) - p for p, q in zip(edges[:-1], edges[1:], strict=True)]
        table = np.column_stack([np.ones_like(x), *pieces])
        bounds = ([-inf] + [low] * (k + 1), [inf] + [high] * (k + 1))
        found = lsq_linear(table, y, bounds=bounds, method="bvls", tol=1e-14)
        return float(np.sum((table @ found.x - y) ** 2))

    tried = sorted((sse(knots), knots) for knots in combinations(grid.tolist(), k))
    least = tried[0][0]
    for _, knots in tried[:3]:
        if k == 0:
            break
        simplex = np.vstack([knots, np.array(knots) + 0.01 * span * np.eye(k)])
        found = minimize(
            sse,
            np.array(knots),
            method="Nelder-Mead",
            options={"initial_simplex": simplex, "xatol": 1e-10 * span, "fatol": 0, "maxfev": 300},
        )
        least = min(least, float(found.fun))
    return least


def least_squares_line(
    x: Sequence[float], y: Sequence[float], weights: Sequence[float] | None = None
) -> tuple[Fraction, Fraction, Fraction]:
    """Ordinary least squares, exactly: intercept, slope (0 for a single site), sum of squares."""
    sites, means, mass, pure = merge(x, y, weights)
    ones = [Fraction(1)] * len(sites)
    if len(sites) == 1:
        return means[0], Fraction(0), pure
    solved = solve_exact([ones, sites], means, mass)
    assert solved is not None
    (intercept, slope), rss = solved
    return intercept, slope, rss + pure


def sse_of(net: Plain, x: Array, y: Array, weights: Array | None = None) -> Fraction:
    """Exact weighted sum of squares of a network, unit weights by default."""
    ones = np.ones(len(x)) if weights is None else weights
    return data_exact(x.tolist(), y.tolist(), net, weights=ones.tolist()).risk
