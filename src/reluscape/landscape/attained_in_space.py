"""Whether the infimum of the risk is attained on a polygon, for Gaussian inputs, and on data.

Polygons and Gaussian inputs, with a skip connection
----------------------------------------------------
Dereich, Jentzen and Kassing (arXiv 2302.14690) take inputs in a compact set, with a continuous
density that is positive somewhere on every hyperplane through the inside, and a continuous target.
Their argument carries over to Gaussian inputs and a teacher network. Let N_n be networks whose
risks tend to the infimum, and take a subsequence along which unit normals and thresholds of their
hyperplanes converge, thresholds perhaps to infinity. On a ball inside a cell that the limits cut,
N_n is affine in the end and bounded in mean square, so that it converges: everywhere off the
limits, to some R. Along a limit hyperplane R jumps by an affine function, the limit of the sum of
the neurons that end there, which vanishes on it if there is one of them only; so a jump takes two
neurons. By Fatou's lemma no network has a lower risk than R: no compact set is needed. If R has a
jump J across a hyperplane, two neurons make a ramp of width |J| / k of it, and k times what is won
tends to the integral of |J|^3 / 6 times the density over the hyperplane, by dominated convergence:
J grows linearly, the error linearly, and the normal density dominates all powers. That is positive,
so that R has no jumps and is a network.

One neuron makes no jump: then limits are networks again, whatever target and density, on a polygon
also without a skip connection, as a neuron that is active everywhere makes any affine function.

Data
----
On n rows a network is the vector of its values. For given signs of its pre-activations on the rows
and of its outer weights, the vectors that a neuron `max(y, s y)` adds are the image of a polyhedral
cone of (w, b) under a linear map, and sums of such cones are polyhedral cones again, which are
closed. There are finitely many signs, so that the vectors of all networks are a closed set, and the
infimum is attained: with any number of inputs, with or without skip connection.

With n distinct rows and as many functions, of which one is 1, the others steps (or kinks) between
rows along a direction in which all rows differ, all vectors are values of networks. Steep enough
neurons of tanh (or softplus) come so close to these steps (kinks) that their matrix is regular too.
"""

from __future__ import annotations

import numpy as np

from reluscape.landscape import approach
from reluscape.landscape.attained_on_a_line import (
    ARGUMENT,
    ITSELF,
    ONE_NEURON,
    THEOREM,
    of_parabolas,
)
from reluscape.landscape.broken_lines import padded
from reluscape.landscape.continuity import continuous_in_the_plane, positive_on_lines
from reluscape.landscape.decision import Decision
from reluscape.networks.activations import Activation
from reluscape.networks.arrays import Floats
from reluscape.networks.network import Network
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.polygon import Polygon
from reluscape.problems.samples import Samples
from reluscape.problems.surfaces import PiecewisePolynomial2d

CONES = (
    "on finitely many rows the values of all such networks are finitely many polyhedral cones, "
    "which are closed"
)
GAUSSIAN = (
    "the argument of Dereich, Jentzen and Kassing (arXiv 2302.14690) carries over to Gaussian "
    "inputs: limits of networks are networks or jump, and jumps are not optimal"
)
OPEN_ON_A_POLYGON = (
    "with several inputs and without a skip connection Dereich and Kassing (arXiv 2303.03950) "
    "prove that it is attained, under assumptions that are not checked here"
)
OPEN_FOR_GAUSSIAN_INPUTS = (
    "for Gaussian inputs, several of them and without a skip connection, no theorem is known here"
)


def on_a_polygon(problem: Polygon, width: int, activation: Activation, skip: bool) -> Decision:
    """Say what is known on a polygon; see the module.

    Parameters
    ----------
    problem : Polygon
    width : int
        One or more.
    activation : Activation
        Piecewise linear.
    skip : bool

    Returns
    -------
    Decision
    """
    target = problem.target
    response = _affine_or_network(target)
    if response is not None:
        itself = _network(response, width, activation, skip, problem.vertices)
        if itself is None and isinstance(target, Network):
            itself = _same(target, width, activation, skip)
        if itself is not None:
            return Decision(True, ITSELF, 0.0, minimiser=itself)
    if width == 1:
        return Decision(True, ONE_NEURON)
    if not skip:
        return Decision(None, OPEN_ON_A_POLYGON)
    if not positive_on_lines(problem.density, problem.vertices):
        return Decision(
            None,
            "the proof needs a continuous density that is zero along no line, and this one is not "
            "shown to be so",
        )
    if isinstance(target, Network) or continuous_in_the_plane(target, problem.vertices):
        return Decision(True, THEOREM)
    return Decision(
        None,
        "the proof is about continuous targets, and this one is not shown to be continuous",
    )


def for_gaussian_inputs(
    problem: Gaussian, width: int, activation: Activation, skip: bool
) -> Decision:
    """Say what is known for Gaussian inputs; see the module.

    Parameters
    ----------
    problem : Gaussian
    width : int
        One or more.
    activation : Activation
        Piecewise linear.
    skip : bool

    Returns
    -------
    Decision
    """
    response = GeneralizedResponse.from_network(problem.teacher)
    itself = _network(response, width, activation, skip, None)
    if itself is None:
        itself = _same(problem.teacher, width, activation, skip)
    if itself is not None:
        reason = "the teacher itself is a network of this width"
        return Decision(True, reason, 0.0, minimiser=itself)
    if skip:
        return Decision(True, GAUSSIAN)
    if width == 1 and not len(response.betas):
        # Not constant, or it would be a network.
        reach = float(np.linalg.norm(response.slope))
        reason = (
            "the teacher is affine, which one neuron is not on the whole space; its straight end "
            "comes as close as one likes"
        )
        sequence = approach.far_kink(
            response.slope / reach, 0.0, reach, response.offset, width, activation
        )
        return Decision(False, reason, 0.0, sequence)
    if problem.inputs > 1:
        return Decision(None, OPEN_FOR_GAUSSIAN_INPUTS)
    if width > 1:
        return Decision(True, ARGUMENT)
    return Decision(
        None, "it may be that a line that slopes is best, which one neuron is not on the whole line"
    )


def on_data(problem: Samples, width: int, activation: Activation, skip: bool) -> Decision:
    """Say what is known on data; see the module.

    Parameters
    ----------
    problem : Samples
        With one target.
    width : int
        One or more.
    activation : Activation
    skip : bool

    Returns
    -------
    Decision
    """
    if activation.name == "square":
        if problem.inputs == 1:
            return of_parabolas(problem, width, skip)
        if width >= problem.inputs + (0 if skip else 1):
            reason = "networks of this width are all polynomials of degree 2, a linear space"
            return Decision(True, reason)
        return Decision(None, "sums of so few squares are no linear space, and need not be closed")
    distinct, least = _distinct(problem)
    enough = distinct <= width + (2 if skip else 1)
    if activation.piecewise_linear:
        return Decision(True, CONES, least if enough else None)
    if enough:
        reason = f"networks of this width have all values on {distinct} distinct rows"
        return Decision(True, reason, least)
    return Decision(
        None,
        f"for {activation.name} no theorem is known for data that so few neurons cannot all fit",
    )


def _distinct(problem: Samples) -> tuple[int, float]:
    """Return the number of distinct rows that count, and the risk that no function can lower."""
    if problem.on_a_line:
        return problem.distinct, problem.pure_error
    kept = problem.weights > 0.0
    x = problem.x.reshape(problem.size, -1)[kept]
    y, weights = problem.y.reshape(-1)[kept], problem.weights[kept]
    rows, group = np.unique(x, axis=0, return_inverse=True)
    group = group.ravel()
    means = np.bincount(group, weights * y) / np.bincount(group, weights)
    return len(rows), float(weights @ np.square(y - means[group]))


def _affine_or_network(target: Network | PiecewisePolynomial2d) -> GeneralizedResponse | None:
    """Return a target as a response, if it is a network or one affine function."""
    if isinstance(target, Network):
        return GeneralizedResponse.from_network(target)
    total = np.zeros((2, 2))
    for piece in target.pieces:
        matrix = np.asarray(piece.coefficients)
        low = matrix[:2, :2]
        if any(piece.sides) and matrix.any():
            return None
        if np.count_nonzero(matrix) > np.count_nonzero(low):
            return None
        total[: low.shape[0], : low.shape[1]] += low
    if total[1, 1]:
        return None
    nothing = np.zeros((0, 2))
    return GeneralizedResponse(
        nothing, [], nothing, [], float(total[0, 0]), [total[1, 0], total[0, 1]]
    )


def _same(teacher: Network, width: int, activation: Activation, skip: bool) -> Network | None:
    """Return a teacher of the same activation, if it fits without a skip connection."""
    if teacher.activation != activation or skip:
        return None
    if teacher.skip is not None and teacher.skip.any():
        return None
    parts = (teacher.weights, teacher.biases, teacher.outputs, teacher.offset)
    small = Network(*parts, None, activation).canonical()
    return padded(small, width) if small.width <= width else None


def _network(
    response: GeneralizedResponse,
    width: int,
    activation: Activation,
    skip: bool,
    vertices: Floats | None,
) -> Network | None:
    """Return a continuous response as a network of a width, None if this does not succeed.

    A ReLU is a leaky neuron and an affine function. Without a skip connection one neuron makes any
    affine function on a polygon, and two do so everywhere.
    """
    leak = activation.slope
    outputs = response.bends / (1.0 - leak)
    slope = response.slope - leak * (outputs @ response.normals)
    offset = response.offset + leak * float(outputs @ response.thresholds)
    normals, biases = response.normals, -response.thresholds
    if not skip and slope.any():
        if vertices is not None:
            heights = vertices @ slope
            bias = float(np.ptp(heights)) - float(heights.min())
            normals, biases = np.vstack([normals, slope]), np.append(biases, bias)
            outputs, offset = np.append(outputs, 1.0), offset - bias
        else:
            normals = np.vstack([normals, slope, -slope])
            biases = np.append(biases, [0.0, 0.0])
            outputs = np.append(outputs, np.array([1.0, -1.0]) / (1.0 + leak))
    if len(outputs) > width:
        return None
    made = Network(normals, biases, outputs, offset, slope if skip else None, activation)
    return padded(made, width)
