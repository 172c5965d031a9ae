"""Whether the infimum of the risk on an interval is attained.

Piecewise linear activations, continuous target
-----------------------------------------------
With a skip connection this is the theorem of Dereich, Jentzen and Kassing (arXiv 2302.14690); in
general dimension Dereich and Kassing (arXiv 2303.03950) have it without. On a line their argument
needs neither a positive density nor a skip connection. Let N_n be networks of width H whose risks
tend to the infimum, and I the smallest interval that carries all mass.

1. *Limits.* Take a subsequence along which the breakpoints converge, perhaps to infinity. On each
   interval between their limits N_n is affine in the end. Where the interval has mass its two
   coefficients are bounded, so that they converge along a subsequence; where it has none it does
   not count. So N_n tends to a piecewise affine R almost everywhere, and by Fatou's lemma no
   network has a lower risk than R. A kink of R takes one neuron whose breakpoint ends there, a
   jump two. Where the mass has a gap, count what it takes to cross it: nothing where R is the same
   line on both sides, one kink if these lines meet in the gap, two if not. Let M be the sum, at
   most H.
2. *R without jumps is a network.* With a skip connection at once. Without one, if M < H, a neuron
   is left to make the slope at the left end of I (on the whole line, with H > 1: a second neuron on
   a kink, or two for a line). If M = H, each kink is the limit of one neuron, each jump and each
   gap that takes two kinks of two, and none is left. The bend of a neuron that is alone converges,
   and with it what it adds to the first slope (see `broken_lines`).
3. *R with jumps is not optimal.* Let R jump at t, with errors e on the left and e' on the right;
   the target is continuous there. If |e| <= |e'|, let R rise on [t, t + h] instead, else on
   [t - h, t]. On this stretch the error is (1 - s) e + s e' + O(h), and its square is below that of
   the larger error by s (1 - s) (e' - e)^2 or more, up to O(h). The density there is a power of the
   distance from t, up to a factor that tends to 1, so that for small h the risk is lower: zeros of
   the density do no harm. What rises has two kinks. With a skip connection, or without one if
   M < H, it is realized as in 2.
4. *Without a skip connection and M = H*, let two neurons make a jump, or cross a gap. If both are
   active to the same side, what they add to the first slope depends on the lines on both sides
   only, and a steep rise may do the same. If they are active to different sides, it diverges for a
   jump, and converges or diverges for a gap. If it converges, so do both kinks. Where it diverges,
   two or more such jumps or gaps cancel: choose the steepness of one rise, and that of another so
   that the first slope stays as it is (`broken_lines` has the formula). All rises get steeper
   together; each lowers the risk, or leaves it as it is in a gap.

So R has no jump where there is mass, and is a network: the infimum is attained. One neuron makes no
jump; for width one all of this holds for every target. A target that is itself such an R but jumps
has infimum zero, which no continuous function attains.

Curved activations
------------------
Networks of tanh or softplus are analytic on the whole line and grow at most linearly. If one is
equal to a piecewise polynomial target wherever there is mass, it is one polynomial everywhere, and
an affine one; with tanh beside the skip connection even a constant, and with one softplus neuron
too, which is strictly convex or concave. Where explicit networks nevertheless come as close to
another target as one likes, the infimum zero is not attained. Networks of y^2 are parabolas: all of
them with two neurons or a skip connection; with one neuron alone all but the lines that slope.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from flint import fmpq, fmpq_poly

from reluscape.landscape import approach
from reluscape.landscape.best_parabola import BestParabola, best_parabola
from reluscape.landscape.broken_lines import network_of, padded, plan
from reluscape.landscape.decision import Decision
from reluscape.landscape.divided_differences import divided_differences
from reluscape.landscape.seen import (
    Piece,
    broken_line,
    first_jump,
    one_polynomial,
    rounded,
    seen_pieces,
)
from reluscape.networks.activations import Activation, relu
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples

THEOREM = (
    "the target is continuous: networks with a skip connection attain the infimum (Dereich, "
    "Jentzen and Kassing, arXiv 2302.14690)"
)
ARGUMENT = (
    "the target is continuous: on a line the argument of Dereich, Jentzen and Kassing (arXiv "
    "2302.14690) shows that the infimum is attained"
)
ITSELF = "the target itself is a network of this width"
ONE_NEURON = (
    "a jump takes two neurons, so that limits of networks with one are such networks again, "
    "whatever the target"
)


def on_an_interval(problem: Interval, width: int, activation: Activation, skip: bool) -> Decision:
    """Say what is known on an interval; see the module.

    Parameters
    ----------
    problem : Interval
    width : int
        One or more.
    activation : Activation
    skip : bool

    Returns
    -------
    Decision
    """
    if activation.name == "square":
        return of_parabolas(problem, width, skip)
    pieces = seen_pieces(problem)
    if activation.piecewise_linear:
        return _of_broken_lines(problem, pieces, width, activation, skip)
    return _of_analytic_networks(problem, pieces, width, activation, skip)


def _of_broken_lines(
    problem: Interval, pieces: list[Piece], width: int, activation: Activation, skip: bool
) -> Decision:
    line = broken_line(pieces)
    made = None if line is None else plan(line, width, skip, activation)
    jump = first_jump(pieces)
    if made is not None:
        if jump is None:
            return Decision(True, ITSELF, 0.0, minimiser=network_of(made))
        reason = (
            f"the target jumps at x = {rounded(jump):g}, which no network does, and ramps come as "
            "close to it as one likes"
        )
        return Decision(False, reason, 0.0, approach.ramps(made))
    if jump is None:
        if not skip:
            return Decision(True, ARGUMENT)
        # Where the density is a line, it is continuous and positive inside, as the theorem asks.
        parts = problem.pieces.density
        reason = THEOREM if len(parts) == 1 and not any(parts[0][2:]) else ARGUMENT
        return Decision(True, reason, _of_a_quadratic(problem, pieces, width))
    if width == 1:
        return Decision(True, ONE_NEURON)
    return Decision(
        None,
        f"the target jumps at x = {rounded(jump):g}, and the proofs are about continuous targets",
    )


def _of_a_quadratic(problem: Interval, pieces: list[Piece], width: int) -> float | None:
    """Return the least risk for `q x^2 + ..` under a constant density p, with a skip connection.

    It is `q^2 p (b - a)^5 / (180 (width + 1)^4)`: on a piece of length l no line does better than
    `q^2 p l^5 / 180`, the sum over the pieces is least for equal lengths, and there the best lines
    meet.
    """
    target = one_polynomial(pieces)
    if target is None or target.degree() != 2 or not problem.uniform:
        return None
    length = pieces[-1].right - pieces[0].left
    level = fmpq(*problem.pieces.density[0][0].as_integer_ratio())
    return rounded(target[2] ** 2 * level * length**5 / (180 * (width + 1) ** 4))


def _of_analytic_networks(
    problem: Interval, pieces: list[Piece], width: int, activation: Activation, skip: bool
) -> Decision:
    target = one_polynomial(pieces)
    if target is not None:
        found = None
        if target.degree() < 2:
            found = _affine(pieces, target, width, activation, skip)
        return found or _polynomial(problem, pieces, target, width, activation, skip)
    line = broken_line(pieces)
    if line is not None and activation.name == "softplus":
        made = plan(line, width, skip, relu())
        if made is not None:
            reason = (
                "the target has a kink or a jump, which no network of softplus has, and sharper "
                "and sharper neurons come as close to it as one likes"
            )
            return Decision(False, reason, 0.0, approach.sharpened(made))
    if line is not None and activation.name == "tanh":
        parallel = all(joint.jump and not joint.bend for joint in line.joints)
        if parallel and len(line.joints) <= width and (skip or not line.slope):
            reason = (
                "the target jumps, which no network of tanh does, and steeper and steeper neurons "
                "come as close to it as one likes"
            )
            return Decision(False, reason, 0.0, approach.steps(line, width, skip))
    return _unknown(activation)


def _unknown(activation: Activation) -> Decision:
    return Decision(
        None,
        f"for {activation.name} no theorem is known for such a target: it is no network, and no "
        "networks of this width are known that come as close to it as one likes",
    )


def _affine(
    pieces: list[Piece], target: fmpq_poly, width: int, activation: Activation, skip: bool
) -> Decision | None:
    """Decide for an affine target, unless tanh must approach it by divided differences."""
    offset, slope = rounded(target[0]), rounded(target[1])
    if skip or not slope:
        idle = Network([], [], [], offset, [slope] if skip else None, activation)
        return Decision(True, ITSELF, 0.0, minimiser=padded(idle, width))
    if activation.name == "tanh":
        return None
    middle, half = (pieces[0].left + pieces[-1].right) / 2, (pieces[-1].right - pieces[0].left) / 2
    unit, shift = rounded(1 / half), rounded(middle / half)
    reach, height = rounded(target[1] * half), rounded(target(middle))
    if width == 1:
        reason = (
            "the target is a line that slopes, which one softplus neuron is not, for it is "
            "strictly convex or concave; its straight end comes as close as one likes"
        )
        sequence = approach.far_kink(np.array([unit]), shift, reach, height, width, activation)
        return Decision(False, reason, 0.0, sequence)
    pair = Network([unit, -unit], [-shift, shift], [reach, -reach], height, None, activation)
    reason = ITSELF + ", for softplus(y) - softplus(-y) is y"
    return Decision(True, reason, 0.0, minimiser=padded(pair, width))


def _polynomial(
    problem: Interval,
    pieces: list[Piece],
    target: fmpq_poly,
    width: int,
    activation: Activation,
    skip: bool,
) -> Decision:
    """Decide for a polynomial that is no network."""
    sequence = divided_differences(problem, target, pieces, width, skip, activation)
    if sequence is None:
        return _unknown(activation)
    grows = "is bounded" if target.degree() < 2 else "does not grow like one"
    reason = (
        f"the target is a polynomial of degree {target.degree()}, and no network of "
        f"{activation.name} is one, for {activation.name} {grows}; divided differences of it come "
        "as close as one likes"
    )
    return Decision(False, reason, 0.0, sequence)


def of_parabolas(problem: Interval | Samples, width: int, skip: bool) -> Decision:
    """Say what is known for the activation `y^2` and one input.

    Parameters
    ----------
    problem : Interval or Samples
        With a scalar target.
    width : int
        One or more.
    skip : bool

    Returns
    -------
    Decision
    """
    best = best_parabola(problem)
    if best is None:
        return Decision(True, "parabolas fit every value at two inputs")
    curve = best.coefficients[2]
    infimum = float(max(best.risk, Fraction(0)))
    if skip or width > 1:
        reason = "networks of this width are all parabolas, and one of them is the best"
        return Decision(True, reason, infimum, minimiser=_parabola(best, width, skip))
    if not curve and not best.coefficients[1]:
        reason = "of all parabolas a constant is the best"
        return Decision(True, reason, infimum, minimiser=_parabola(best, width, skip))
    if best.nearly_straight and (curve or best.nearly_level):
        return Decision(
            None,
            "the best parabola is a line that slopes, which is not attained, or a constant or "
            "curved, which is: rounding of the target decides",
            infimum,
        )
    if not curve:
        reason = (
            "of all parabolas a line that slopes is the only best one, and one neuron makes all "
            "parabolas but these"
        )
        sequence = approach.steep_parabola(problem, (float(best.low), float(best.high)))
        return Decision(False, reason, infimum, sequence)
    reason = "the best parabola is curved, and one neuron makes it"
    return Decision(True, reason, infimum, minimiser=_parabola(best, width, skip))


def _parabola(best: BestParabola, width: int, skip: bool) -> Network:
    constant, slope, curve = best.coefficients
    middle = (best.low + best.high) / 2
    half = (best.high - best.low) / 2
    # Around the middle: q0 + q1 z + q2 z^2 with z = (x - middle) / half.
    q = (
        constant + (slope + curve * middle) * middle,
        (slope + 2 * curve * middle) * half,
        curve * half * half,
    )
    unit, shift = float(1 / half), float(-middle / half)
    if skip:
        tilt = q[1] / half
        level = float(q[0] - tilt * middle)
        neuron = Network([unit], [shift], [float(q[2])], level, [float(tilt)], "square")
        return padded(neuron, width)
    if width == 1 and not q[2]:
        return Network([0.0], [0.0], [0.0], float(q[0]), activation="square")
    if width == 1:
        turn = q[1] / (2 * q[2])
        bottom = float(q[0] - q[2] * turn * turn)
        return Network([unit], [float(turn) + shift], [float(q[2])], bottom, activation="square")
    # z = ((z + 1)^2 - (z - 1)^2) / 4 and z^2 = ((z + 1)^2 + (z - 1)^2) / 2 - 1.
    outputs = [float(q[2] / 2 + q[1] / 4), float(q[2] / 2 - q[1] / 4)]
    biases = [float(1 - middle / half), float(-1 - middle / half)]
    pair = Network([unit, unit], biases, outputs, float(q[0] - q[2]), activation="square")
    return padded(pair, width)
