"""First order on a polygon and for normal inputs, and what single neurons there could do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reluscape.landscape.bends import bends
from reluscape.landscape.borders import at_border
from reluscape.landscape.curvature import FLAT
from reluscape.landscape.densities import Density
from reluscape.landscape.finding import Floats
from reluscape.landscape.flats import RATIOS, SHARES, Leads, note
from reluscape.landscape.seams import on_seam
from reluscape.landscape.sight import BLIND, CARRIER, IDLE, KINK
from reluscape.networks.network import Network
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.polygon import Polygon

# Standard deviations from the origin at which a hyperplane cuts off less than a millionth.
HARDLY = 5.0


@dataclass(frozen=True, eq=False)
class Slopes:
    """What the first derivatives say, neurons with w = b = 0 aside.

    Attributes
    ----------
    smooth : bool
        Whether all that exist to both sides are zero.
    sides : bool
        Whether no one-sided derivative at a row on a hyperplane is negative.
    worst : float
        The largest cosine that should be zero.
    direction : ndarray
        A descent where there is one, in the order of `Network.to_vector`.
    tilted : bool
        Whether affine functions see the error.
    doubts : list of int
        Neurons with rows on their hyperplane at which that is not sure.
    """

    smooth: bool
    sides: bool
    worst: float
    direction: Floats
    tilted: bool
    doubts: list[int]


def slopes(view: Density) -> Slopes:
    """Test all first derivatives but those of neurons with w = b = 0."""
    own = affine_root(view.moments)
    level = abs(float(view.affine[-1])) / float(np.sqrt(view.moments[-1, -1]))
    tilt = float(np.linalg.norm(own.T @ view.affine))
    norm = view.error or 1.0
    smooth = (tilt if view.reduced.skip is not None else level) / norm <= view.floor
    worst = (tilt if view.reduced.skip is not None else level) / norm
    for j, neuron in view.neurons.items():
        cosine = abs(float(view.output[j]))
        if not view.flat[j]:
            cosine = max(cosine, view.cosine(neuron))
        worst = max(worst, cosine)
        smooth = smooth and cosine <= view.floor + neuron.rounding
    return Slopes(smooth, True, worst, _steepest(view, own), tilt / norm > view.floor, [])


def affine_root(moments: Floats) -> Floats:
    """Return R with `R.T @ moments @ R` the identity, leaving out inputs that do not vary."""
    values, axes = np.linalg.eigh(moments)
    used = values > 1e-12 * values[-1]
    return axes[:, used] / np.sqrt(values[used])


def affine_step(network: Network, affine: Floats, moments: Floats) -> Floats:
    """Return the change of (u, c) that fits best an error with these products with (z, 1)."""
    if network.skip is not None:
        own = affine_root(moments)
        return -own @ (own.T @ affine)
    step = np.zeros(len(affine))
    step[-1] = -affine[-1] / moments[-1, -1]
    return step


def _steepest(view: Density, own: Floats) -> Floats:
    """Return the steepest descent where planes are as long as `w.x + b` is in L2."""
    planes, outputs = np.zeros_like(view.planes), np.zeros(len(view.planes))
    v = view.reduced.outputs
    for j, neuron in view.neurons.items():
        if view.flat[j]:
            size = float(view.sizes[j])
            outputs[j] = -float(view.planes[j] @ neuron.pull) / (size * size)
        else:
            planes[j] = -np.sign(v[j]) * (own @ (own.T @ neuron.pull)) / abs(v[j])
    return view.change(planes, outputs, affine_step(view.reduced, view.affine, view.moments))


def density_leads(view: Density) -> tuple[Leads, float]:
    """Look for ways down at a critical network, and for what hides whether there are any.

    Returns
    -------
    Leads
    float
        The least curvature.
    """
    found = Leads({}, [], {})
    endless = isinstance(view.problem, Gaussian)
    for j in range(len(view.role)):
        if j in view.neurons:
            _seen(view, j, found)
        if endless and view.role[j] in (CARRIER, IDLE):
            note(
                found.doubts,
                j,
                "without weights, and normal inputs have no end: what it does far out when it "
                "gets some is beyond all derivatives",
            )
    if isinstance(view.problem, Polygon):
        for j in view.touched:
            at_border(view, view.problem, j, found)
    seams: list[int] = []
    if isinstance(view.problem, Polygon):
        seams = [j for j in view.neurons if on_seam(view, view.problem, j)]
    curved = bends(view)
    if seams:
        text = (
            "its line runs along a jump of the target or the density: the second derivatives "
            "differ from side to side, and that case is not decided"
        )
        found.doubts[text] = seams
    elif curved.direction is not None:
        text = f"the Hessian has a negative direction (curvature {curved.least:.3g})"
        found = Leads(
            {text: [], **found.reasons},
            [curved.direction, -curved.direction, *found.directions],
            found.doubts,
        )
    elif curved.least < curved.flat:
        found.doubts[
            "the Hessian has a zero eigenvalue that no symmetry explains "
            f"(curvature {curved.least:.1e})"
        ] = []
        _far_out(view, found)
    if curved.doubt is not None:
        found.doubts[curved.doubt] = []
    return found, curved.least


def _far_out(view: Density, found: Leads) -> None:
    """Name neurons that normal inputs hardly see bend: why there may be no curvature."""
    if not isinstance(view.problem, Gaussian):
        return
    lengths = np.linalg.norm(view.reduced.weights, axis=1)
    for j in np.flatnonzero((view.role == KINK) & (np.abs(view.reduced.biases) > HARDLY * lengths)):
        note(
            found.doubts,
            int(j),
            "its hyperplane is so far out that normal inputs hardly meet it: descent may push it "
            "out for ever, without a critical point",
        )


def _seen(view: Density, j: int, found: Leads) -> None:
    neuron = view.neurons[j]
    if neuron.rounding > BLIND or neuron.root.shape[1] < len(view.moments):
        note(
            found.doubts,
            j,
            "active on so small a part of the inputs that rounding hides its derivatives",
        )
    if view.flat[j]:
        _escape_neuron(view, j, found)


def _escape_neuron(view: Density, j: int, found: Leads) -> None:
    """Test whether the error is orthogonal to all that a flat neuron can become."""
    neuron = view.neurons[j]
    if view.cosine(neuron) > view.floor + neuron.rounding:
        note(
            found.reasons,
            j,
            "flat (v = 0) and able to turn towards the error, so that its weights and v together "
            "lower the risk at second order (an escape neuron)",
        )
        move = neuron.root @ (neuron.root.T @ neuron.pull)
        gram = view.grams[int(np.flatnonzero(view.order == j)[0])]
        square = float(view.planes[j] @ gram @ view.planes[j])
        # Along (move, dv) the risk changes by `2 dv D + dv^2 square`.
        best = -float(move @ neuron.pull) / square
        found.directions.extend(view.one(j, move, share * best) for share in SHARES)
        return
    if int(view.role[j]) != KINK:
        return
    fold = _fold(view, j)
    root = neuron.root
    values, axes = np.linalg.eigh(root.T @ fold @ root)
    largest = int(np.argmax(np.abs(values)))
    if abs(float(values[largest])) <= FLAT * view.error:
        note(found.doubts, j, "flat, and the error is zero along its hyperplane")
        return
    note(
        found.reasons,
        j,
        "flat, and the error on its hyperplane is not zero: moving it while v grows lowers the "
        "risk at fourth order",
    )
    move = root @ axes[:, largest]
    move *= float(view.sizes[j])
    sign = -float(np.sign(values[largest]))
    for way in (1.0, -1.0):
        found.directions.extend(
            view.one(j, way * move, sign * ratio / float(view.sizes[j])) for ratio in RATIOS
        )


def _fold(view: Density, j: int) -> Floats:
    """Return the integral of `e (z, 1)(z, 1)^T` on a flat neuron's hyperplane.

    Over the length of w, for the neuron whose `w.z + b` has norm one.
    """
    # One of the pair has the squares of N plus this, the other one minus.
    first = int(np.flatnonzero(view.order == j)[0])
    plus, minus = view.places(first), view.places(first + 1)
    difference = view.hessian[np.ix_(plus, plus)] - view.hessian[np.ix_(minus, minus)]
    return difference / 4.0


def idle(view: Density) -> list[int]:
    """Return the neurons that are nowhere active, however their parameters change a little."""
    inside = [j for j in np.flatnonzero(view.role == IDLE).tolist() if j not in view.touched]
    return [] if isinstance(view.problem, Gaussian) else inside
