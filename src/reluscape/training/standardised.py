"""Data in units of their own spread, and the risk of a packed network on them.

Inputs and targets are shifted to mean 0 and scaled to spread 1, so that tolerances mean the same
for metres and for nanometres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from reluscape.networks.network import Network

if TYPE_CHECKING:
    from reluscape.networks.activations import Activation
    from reluscape.networks.arrays import Floats


class Parts(NamedTuple):
    """A network in standardised units.

    Parameters
    ----------
    w : ndarray of shape (width, inputs + 1)
        Weights and bias of each neuron.
    v : ndarray of shape (width, targets)
        Outputs of each neuron.
    a : ndarray of shape (inputs + 1, targets), or (1, targets) without a skip connection
        The affine part, the constant last.
    """

    w: Floats
    v: Floats
    a: Floats

    def pack(self) -> Floats:
        """Return one vector of all parameters."""
        return np.concatenate([part.ravel() for part in self])

    def balanced(self) -> Parts:
        """Return a copy of the same function with `|w_j| = |v_j|`, neurons that are 0 aside."""
        w, v = np.linalg.norm(self.w, axis=1), np.linalg.norm(self.v, axis=1)
        alive = (w > 0.0) & (v > 0.0)
        factor = np.sqrt(np.where(alive, v, 1.0) / np.where(alive, w, 1.0))[:, np.newaxis]
        return Parts(self.w * factor, self.v / factor, self.a.copy())


_ROWS = 4096
"""Rows at a time: what a pass makes of them stays in the cache."""


@dataclass(frozen=True)
class Standardised:
    """Data, shifted and scaled, one column for each row of the data; the last row of `x` is 1.

    Few inputs, few neurons and many rows are fast only if the rows come last.

    Parameters
    ----------
    x : ndarray of shape (inputs + 1, n)
    y : ndarray of shape (targets, n)
    weights : ndarray of shape (n,)
        Positive, with sum 1.
    x_centre, x_scale : ndarray of shape (inputs,)
        The scale of a constant column is 0.
    y_centre : ndarray of shape (targets,)
    y_scale : float
        One for all targets, lest their weights in the risk change; 0 if `y` is constant.
    total : float
        Sum of the weights as given.
    pure : float
        Part of the risk, in units of the data, that equal x with unequal y make: no function of x
        removes it.
    width : int
    skip : bool
    activation : Activation
    """

    x: Floats
    y: Floats
    weights: Floats
    x_centre: Floats
    x_scale: Floats
    y_centre: Floats
    y_scale: float
    total: float
    pure: float
    width: int
    skip: bool
    activation: Activation

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.x.shape[1])

    @property
    def targets(self) -> int:
        """Number of targets."""
        return int(self.y.shape[0])

    @property
    def columns(self) -> int:
        """Number of inputs and one more, for the constant."""
        return int(self.x.shape[0])

    @property
    def affine(self) -> Floats:
        """What the affine part sees of `x`."""
        return self.x if self.skip else self.x[-1:]

    def unpack(self, theta: Floats) -> Parts:
        """Return the parts of a packed network, as views."""
        w_end = self.width * self.columns
        v_end = w_end + self.width * self.targets
        return Parts(
            theta[:w_end].reshape(self.width, self.columns),
            theta[w_end:v_end].reshape(self.width, self.targets),
            theta[v_end:].reshape(-1, self.targets),
        )

    def risk_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Return the risk of a packed network, in units of `y_scale**2`, and its gradient."""
        w, v, a = self.unpack(theta)
        gradient = np.zeros_like(theta)
        by_w, by_v, by_a = self.unpack(gradient)
        risk, slope = 0.0, self.activation.slope
        for start in range(0, self.rows, _ROWS):
            part = slice(start, start + _ROWS)
            x, affine = self.x[:, part], self.affine[:, part]
            heights = w @ x
            values = np.maximum(heights, slope * heights if slope else 0.0)
            errors = v.T @ values
            errors += a.T @ affine
            errors -= self.y[:, part]
            pull = errors * self.weights[part]
            risk += float(np.vdot(errors, pull))
            pull *= 2.0
            by_v += values @ pull.T
            by_a += affine @ pull.T
            through = v @ pull
            through *= np.where(heights > 0.0, 1.0, slope) if slope else heights > 0.0
            by_w += through @ x.T
        return risk, gradient

    def parts(self, network: Network) -> Parts:
        """Return a network in the coordinates of the data as given in standardised units."""
        scale = np.where(self.x_scale > 0.0, self.x_scale, 1.0)
        outputs = network.outputs.reshape(self.width, self.targets)
        offset = network.offset.reshape(1, self.targets) - self.y_centre
        biases = network.biases + network.weights @ self.x_centre
        w = np.column_stack([network.weights * scale, biases])
        if network.skip is None:
            return Parts(w, outputs / self.y_scale, offset / self.y_scale)
        skip = network.skip.reshape(-1, self.targets)
        a = np.vstack([skip * scale[:, np.newaxis], offset + self.x_centre @ skip])
        return Parts(w, outputs / self.y_scale, a / self.y_scale)

    def network(self, parts: Parts, scalar: bool) -> Network:
        """Return a network in the coordinates of the data as given."""
        w, v, a = parts
        scale = np.where(self.x_scale > 0.0, self.x_scale, 1.0)
        weights = w[:, :-1] / scale
        outputs = v * self.y_scale
        offset = self.y_centre + a[-1] * self.y_scale
        tail = 0 if scalar else slice(None)
        skip = None
        if self.skip:
            slopes = a[:-1] / scale[:, np.newaxis] * self.y_scale
            offset = offset - self.x_centre @ slopes
            skip = slopes[:, tail]
        return Network(
            weights,
            w[:, -1] - weights @ self.x_centre,
            outputs[:, tail],
            offset[tail],
            skip,
            self.activation,
        )


def standardise(
    x: Floats, y: Floats, weights: Floats, width: int, skip: bool, activation: Activation
) -> Standardised:
    """Shift, scale and sort data; rows of weight 0 go, and equal rows of `x` become one.

    Parameters
    ----------
    x : ndarray of shape (n, inputs)
    y : ndarray of shape (n, targets)
    weights : ndarray of shape (n,)
    width : int
    skip : bool
    activation : Activation

    Returns
    -------
    Standardised
    """
    if not weights.all():
        used = weights > 0.0
        x, y, weights = x[used], y[used], weights[used]
    x, y, weights, pure = _merged(x, y, weights)
    largest = float(weights.max())
    total = float((weights / largest).sum()) * largest
    shares = weights / largest
    shares /= shares.sum()
    x_centre, x_scale, x_new = _centred(x, shares)
    y_centre, y_scales, y_new = _centred(y, shares)
    y_scale = float(y_scales.max())
    if y_scale > 0.0:
        y_new *= y_scales / y_scale
        spread = float(np.sqrt(np.square(y_scales / y_scale).sum()))
        y_new /= spread
        y_scale *= spread
    return Standardised(
        np.vstack([x_new.T, np.ones(len(x_new))]),
        np.ascontiguousarray(y_new.T),
        shares,
        x_centre,
        x_scale,
        y_centre,
        y_scale,
        total,
        pure,
        width,
        skip,
        activation,
    )


def _merged(x: Floats, y: Floats, weights: Floats) -> tuple[Floats, Floats, Floats, float]:
    """Sort rows, lest a fit depend on their order, and make one of those with equal x.

    It gets their mean y and the sum of their weights; the last value returned is what that costs.
    """
    x = np.ascontiguousarray(x)
    # Equal rows have equal keys; unequal ones that do too would only stay apart.
    factors = np.sqrt(np.arange(2.0, x.shape[1] + 2.0))
    with np.errstate(over="ignore"):
        key = np.add.reduce(x * factors, axis=1)
    order = np.argsort(key, kind="stable")
    x, y, weights = x[order], y[order], weights[order]
    again = np.logical_and.reduce(x[1:] == x[:-1], axis=1)
    if not np.any(again):
        return x, y, weights, 0.0
    first = np.flatnonzero(np.append(True, ~again))
    group = np.repeat(np.arange(first.size), np.diff(np.append(first, order.size)))
    shares = weights / weights.max()
    sums = np.add.reduceat(shares, first)
    means = np.add.reduceat(y * (shares / sums[group])[:, np.newaxis], first, axis=0)
    lost = float(np.sum(shares @ np.square(y - means[group])) * weights.max())
    return x[first], means, sums * weights.max(), lost


def _centred(array: Floats, shares: Floats) -> tuple[Floats, Floats, Floats]:
    """Return mean, spread and standardised columns, without overflow or underflow on the way."""
    largest = np.abs(array).max(axis=0)
    unit = np.where(largest > 0.0, largest, 1.0)
    new = array / unit
    centre = shares @ new
    new -= centre
    # What rounding makes of a constant column is not a spread.
    reach = np.abs(new).max(axis=0)
    varies = reach > 8.0 * np.finfo(np.float64).eps * np.abs(centre)
    new /= np.where(varies, reach, 1.0)
    spread = np.sqrt(shares @ np.square(new))
    new = np.where(varies, new / np.where(varies, spread, 1.0), 0.0)
    return centre * unit, np.where(varies, spread * reach * unit, 0.0), new
