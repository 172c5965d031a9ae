"""Slow, obvious versions of integrals under the standard normal law, in one to three dimensions.

Nothing here imports the package; `parts` reads a network's arrays and its activation slope.

=================  =============================================================================
judge              how
=================  =============================================================================
``common_mass``    the bivariate normal distribution, by rigorous integration of balls
``on_a_line``      risk and gradient for one input, by rigorous integration of balls
``nodes``          Gauss-Legendre nodes, nested, split wherever a network has a kink
``by_nodes``       risk and gradient of networks evaluated point by point
=================  =============================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise
from types import SimpleNamespace

import numpy as np
from flint import acb, arb, ctx


@dataclass(frozen=True)
class Rule:
    """Gauss-Legendre rules on intervals no longer than `panel`, from -reach to reach."""

    reach: float = 9.0  # the mass beyond is below 1e-18
    panel: float = 1.5
    order: int = 20  # 16 and 24 agree with it to 1e-14


FINE = Rule()
COARSE = Rule(reach=8.0, panel=4.0, order=16)  # the mass beyond is 1e-15; for three dimensions


def parts(net):
    """Take a network apart, with a zero skip connection where it has none."""
    skip = np.zeros(net.inputs) if net.skip is None else net.skip
    return SimpleNamespace(
        w=net.weights,
        b=net.biases,
        v=net.outputs,
        c=float(net.offset),
        u=skip,
        slope=net.activation.slope,
        has_skip=net.skip is not None,
    )


def _normal(z):
    return (-z * z / 2).exp() / (2 * acb.pi()).sqrt()


def _integral(function, cuts):
    """Integrate over consecutive intervals; 1e-25 is far below what floats can show."""
    total = acb(0)
    for left, right in pairwise(cuts):
        total += acb.integral(
            lambda z, _: function(z),
            acb(left),
            acb(right),
            abs_tol=arb(10) ** -25,
            rel_tol=arb(10) ** -25,
        )
    return float(total.real.mid())


def common_mass(p, q, direction):
    """P(X > -p, Y > -q) for X the first coordinate, Y along a direction in the plane."""
    before, ctx.prec = ctx.prec, 160
    try:
        x, y = (acb(float(t)) for t in direction)
        length = (x * x + y * y).sqrt()
        rho, sine = x / length, abs((y / length).real)
        # Where Y = -q: the integrand is a step of the width of the sine.
        turn = float(q) / float(rho.real.mid()) if abs(float(rho.real.mid())) > 0.1 else 0.0
        steep = 12.0 * float(sine.mid())
        cuts = sorted({-14.0, p, *(t for t in (turn - steep, turn, turn + steep) if -14 < t < p)})
        return _integral(
            lambda z: _normal(z) * (1 + ((acb(q) - rho * z) / sine / acb(2).sqrt()).erf()) / 2,
            cuts,
        )
    finally:
        ctx.prec = before


def on_a_line(student, teacher):
    """Risk and gradient for one input; parameters at their exact binary values."""
    student, teacher = parts(student), parts(teacher)
    before, ctx.prec = ctx.prec, 160
    try:
        kinks = {
            -float(b) / float(w)
            for net in (student, teacher)
            for w, b in zip(net.w[:, 0], net.b, strict=True)
            if w
        }
        cuts = sorted({-30.0, 0.0, 30.0, *(t for t in kinks if abs(t) < 30.0)})
        total = np.zeros(1)
        for left, right in pairwise(cuts):
            middle = (left + right) / 2
            e = np.subtract(_line(student, middle), _line(teacher, middle))
            rows = [e, *_parameter_lines(student, middle)]
            factors = [1.0] + [2.0] * (len(rows) - 1)
            piece = [
                factor
                * _integral(
                    lambda z, row=row, e=e: _normal(z) * (row[0] + row[1] * z) * (e[0] + e[1] * z),
                    [left, right],
                )
                for row, factor in zip(rows, factors, strict=True)
            ]
            total = total + np.array(piece)
        return total[0], total[1:]
    finally:
        ctx.prec = before


def _line(net, x):
    """The affine function (constant, slope) that a network is at x, in balls."""
    constant, slope = acb(net.c), acb(float(net.u[0]))
    for w, b, v in zip(net.w[:, 0], net.b, net.v, strict=True):
        gain = acb(1) if w * x + b > 0 else acb(net.slope)
        constant += acb(float(v)) * acb(float(b)) * gain
        slope += acb(float(v)) * acb(float(w)) * gain
    return constant, slope


def _parameter_lines(net, x):
    """The derivatives of the network by its parameters at x, each as (constant, slope)."""
    w, b, v = (part.tolist() for part in (net.w[:, 0], net.b, net.v))
    gain = [acb(1) if s * x + r > 0 else acb(net.slope) for s, r in zip(w, b, strict=True)]
    result = [(acb(0), acb(t) * g) for t, g in zip(v, gain, strict=True)]
    result += [(acb(t) * g, acb(0)) for t, g in zip(v, gain, strict=True)]
    result += [(acb(r) * g, acb(s) * g) for s, r, g in zip(w, b, gain, strict=True)]
    result.append((acb(1), acb(0)))
    if net.has_skip:
        result.append((acb(0), acb(1)))
    return result


def nodes(planes, dimension, rule=FINE):
    """Nodes and weights for functions that are smooth off the planes `w.x + b = 0`.

    `planes` has rows (w, b). The first coordinate is split where planes meet in points, or stand
    across it; the others for each of its nodes anew. Planes nearly along a coordinate are not
    resolved.
    """
    cuts = {-rule.reach, rule.reach}
    if dimension == 1:
        cuts |= {-b / w for w, b in planes if w}
    else:
        cuts |= {-row[-1] / row[0] for row in planes if row[0] and not row[1:-1].any()}
        for chosen in combinations(range(len(planes)), dimension):
            matrix, right = planes[list(chosen), :-1], -planes[list(chosen), -1]
            if abs(np.linalg.det(matrix)) > 1e-300:
                cuts.add(float(np.linalg.solve(matrix, right)[0]))
    x, weights = _on_intervals(sorted(t for t in cuts if abs(t) <= rule.reach), rule)
    if dimension == 1:
        return x[:, np.newaxis], weights
    points, masses = [], []
    for t, weight in zip(x, weights, strict=True):
        rest = np.column_stack([planes[:, 1:-1], planes[:, -1] + planes[:, 0] * t])
        inner, mass = nodes(rest, dimension - 1, rule)
        points.append(np.column_stack([np.full(len(inner), t), inner]))
        masses.append(weight * mass)
    return np.vstack(points), np.concatenate(masses)


_gauss = cache(np.polynomial.legendre.leggauss)


def _on_intervals(cuts, rule):
    base, factors = _gauss(rule.order)
    edges = np.concatenate(
        [
            np.linspace(left, right, 1 + int(np.ceil((right - left) / rule.panel)))[:-1]
            for left, right in pairwise(cuts)
        ]
        + [[cuts[-1]]]
    )
    half, middle = np.diff(edges) / 2, (edges[:-1] + edges[1:]) / 2
    x = (middle[:, np.newaxis] + half[:, np.newaxis] * base).ravel()
    weights = (half[:, np.newaxis] * factors).ravel()
    return x, weights * np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)


def by_nodes(student, teacher, rule=FINE):
    """Risk and gradient by evaluating the textbook formulas at nested nodes."""
    first, second = parts(student), parts(teacher)
    planes = np.vstack(
        [np.column_stack([net.w, net.b])[net.w.any(axis=1)] for net in (first, second)]
    )
    x, weights = nodes(planes, first.w.shape[1], rule)
    return by_points(student, teacher, x, weights)


def by_points(student, teacher, x, weights):
    """Risk and gradient as weighted sums over points."""
    first, second = parts(student), parts(teacher)
    pre = x @ first.w.T + first.b
    gain = np.where(pre > 0, 1.0, first.slope)
    e = _value(first, x) - _value(second, x)
    pull = 2.0 * weights * e
    through = pull[:, np.newaxis] * gain * first.v
    blocks = [(through.T @ x).ravel(), through.sum(axis=0), (gain * pre).T @ pull, [pull.sum()]]
    if first.has_skip:
        blocks.append(x.T @ pull)
    return weights @ (e * e), np.concatenate(blocks)


def _value(net, x):
    pre = x @ net.w.T + net.b
    return np.where(pre > 0, pre, net.slope * pre) @ net.v + net.c + x @ net.u
