"""Slow, obvious versions of everything fast: the judges of the package.

Nothing here imports the package; ``fit_oracles`` holds the judges of whole fits. A network is a
:class:`Plain` record of floats, a target or a density a :class:`Pieces` record of exact
polynomials, and every float is taken at its exact binary value.

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
=========================  =====================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from records import ONE, Array, Pieces, Plain, Polynomial, add, integral, times, value

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
        for row, factor in ((j, x), (width + j, Fraction(1))):
            term = 2 * weight * e * s[j] * factor
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

    # integer columns over one power of two for w x + b, over another for the error
    spare = 120  # bits: enough for the binary places of every parameter
    power_z, power = px + spare, px + spare + py + spare

    def whole(factor: float, bits: int) -> int:
        numerator = Fraction(factor) * 2**bits
        assert numerator.denominator == 1, "spare more bits"
        return int(numerator)

    error = whole(net.c, power) - ys * 2 ** (power - py)
    if net.u is not None:
        error = error + xs * whole(net.u, power - px)
    active, ramps = [], []
    for w, b, v in zip(net.w, net.b, net.v, strict=True):
        z = xs * whole(w, power_z - px) + whole(b, power_z)
        ramp = z * (z > 0)
        error = error + ramp * whole(v, power - power_z)
        active.append((z >= 0) if at_zero == "ge" else (z > 0))
        ramps.append(ramp)
    two = Fraction(2, rows)
    base = Fraction(1, 2**power)
    risk = Fraction(int((error * error).sum()), rows) * base * base
    weights, biases, outputs = [], [], []
    for on, ramp, v in zip(active, ramps, net.v, strict=True):
        lit = error[on]
        weights.append(two * Fraction(v) * int((lit * xs[on]).sum()) * base / 2**px)
        biases.append(two * Fraction(v) * int(lit.sum()) * base)
        outputs.append(two * int((error * ramp).sum()) * base / 2**power_z)
    tail = [two * int(error.sum()) * base]
    if net.u is not None:
        tail.append(two * int((error * xs).sum()) * base / 2**px)
    return Exact(risk, (*weights, *biases, *outputs, *tail))


# ------------------------------------------------------------------ intervals, exact arithmetic


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
    for left, right in pairwise(ordered):
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
    for left, right in pairwise(points):
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


def finite_differences(function: Callable[[Array], Any], theta: Array, step: float = 1e-3) -> Array:
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
