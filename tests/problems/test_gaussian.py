"""Gaussian inputs: closed forms against rigorous integrals, quadrature, samples and theory."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

import reluscape as rs
from gaussian_oracle import COARSE, by_nodes, by_points, common_mass, on_a_line
from oracles import finite_differences
from reluscape.problems.orthants import Planes, pairs

# Sums of some ten terms of size one to ten, each good to a few units in the last place.
ROUNDING = 1e-13
# Nested quadrature, in two and three dimensions.
QUADRATURE = 1e-12


def random_network(rng, width, inputs, *, skip=True, activation="relu"):
    return rs.Network(
        rng.normal(size=(width, inputs)) / np.sqrt(inputs),
        rng.normal(size=width) * 0.7,
        rng.normal(size=width),
        rng.normal(),
        rng.normal(size=inputs) if skip else None,
        activation,
    )


def like(theta, network):
    return rs.Network.from_vector(
        theta, network.inputs, network.skip is not None, network.activation
    )


def moved(network, **changes):
    names = ("weights", "biases", "outputs", "offset", "skip", "activation")
    return rs.Network(**({name: getattr(network, name) for name in names} | changes))


KINDS = [
    pytest.param(skip, activation, id=f"{'skip' if skip else 'plain'}-{name}")
    for skip in (True, False)
    for name, activation in (("relu", "relu"), ("leaky", rs.leaky(0.2)))
]


# ------------------------------------------------------------------------- pairs of half-spaces

ANGLES = [1e-8, 1e-6, 1e-3, 0.1, 0.1414, 0.1416, 1.0, np.pi / 2, 3.0, np.pi - 1e-3, np.pi - 1e-8]


@pytest.mark.parametrize("angle", ANGLES)
def test_common_mass_is_exact_at_every_angle(angle):
    rng = np.random.default_rng(int(angle * 1e6))
    direction = np.array([[np.cos(angle), np.sin(angle)]])
    turn = min(angle, np.pi - angle)
    for p in (0.0, 1e-9, rng.normal(), 3.0 * rng.normal()):
        for q in (0.0, p, -p, p + turn * rng.normal(), -p + turn * rng.normal(), rng.normal()):
            first = Planes.of(np.array([[1.0, 0.0]]), np.array([p]))
            second = Planes.of(direction, np.array([q]))
            expected = common_mass(p, float(second.levels[0]), direction[0])
            found = pairs(first, second).both[0, 0]
            assert abs(found - expected) < 1e-15, (p, q)


@pytest.mark.parametrize(
    ("angle", "expected"),
    [
        (0.0, 0.5),
        (np.pi / 3, 0.304498890522),
        (np.pi / 2, 0.159154943092),
        (2 * np.pi / 3, 0.054498890522),
        (np.pi, 0.0),
    ],
)
def test_arc_cosine_kernel(angle, expected):
    first = Planes.of(np.array([[2.0, 0.0]]), np.zeros(1))
    second = Planes.of(3.0 * np.array([[np.cos(angle), np.sin(angle)]]), np.zeros(1))
    # theory 6.6 gives twelve digits
    assert abs(pairs(first, second).products[0, 0] / 6.0 - expected) < 1e-12


def test_one_neuron_has_the_moments_of_theory():
    w, b = np.array([[0.5], [-2.0], [1.0]]), np.array([-0.3, 1.0, 4.0])
    planes = Planes.of(w, b)
    length, z = np.abs(w[:, 0]), b / np.abs(w[:, 0])
    np.testing.assert_allclose(planes.means, length * planes.density + b * planes.mass, rtol=1e-15)
    squares = (length**2 + b**2) * planes.mass + length * b * planes.density
    np.testing.assert_allclose(np.diag(pairs(planes, planes).products), squares, rtol=1e-14)
    np.testing.assert_allclose(planes.levels, z, rtol=1e-15)


# ------------------------------------------------------------------------- risk and gradient


def assert_agrees(student, teacher, oracle, tolerance):
    problem = rs.Gaussian(teacher)
    risk, gradient = oracle
    size = max(1.0, np.abs(gradient).max())
    assert abs(problem.risk(student) - risk) < tolerance * max(1.0, risk)
    np.testing.assert_allclose(problem.gradient(student), gradient, rtol=0, atol=tolerance * size)


@pytest.mark.parametrize(("skip", "activation"), KINDS)
def test_one_input_agrees_with_rigorous_integrals(skip, activation):
    rng = np.random.default_rng(1)
    for _ in range(5):
        teacher = random_network(rng, 3, 1, activation=rs.leaky(0.1))
        student = random_network(rng, 4, 1, skip=skip, activation=activation)
        assert_agrees(student, teacher, on_a_line(student, teacher), ROUNDING)


def test_coinciding_opposite_constant_and_far_neurons_are_exact():
    teacher = rs.Network([1.0, -1.0, 0.5], [0.5, -0.5, 0.25], [1.0, 2.0, -1.0], skip=[0.5])
    student = rs.Network(
        [2.0, -2.0, 0.0, 0.0, 1e-3, 1.0, -1.0],
        [1.0, -1.0, 2.0, -2.0, 1.0, 30.0, -60.0],
        [0.5, -1.0, 0.7, 3.0, 0.2, -0.1, 5.0],
        offset=0.25,
    )
    assert_agrees(student, teacher, on_a_line(student, teacher), ROUNDING)


@pytest.mark.parametrize(("skip", "activation"), KINDS)
def test_two_inputs_agree_with_quadrature(skip, activation):
    rng = np.random.default_rng(2)
    teacher = random_network(rng, 2, 2, activation=rs.leaky(0.1))
    student = random_network(rng, 3, 2, skip=skip, activation=activation)
    assert_agrees(student, teacher, by_nodes(student, teacher), QUADRATURE)


def test_three_inputs_agree_with_quadrature():
    # planes well across the last coordinate, lines well across the second: nested rules need both
    student = rs.Network([[0.5, 0.3, 0.9], [-0.6, 0.4, -0.7]], [0.3, -0.2], [1.0, -0.8], 0.2)
    teacher = rs.Network([[0.2, 0.9, 0.8]], [0.1], [1.5], skip=[0.1, -0.2, 0.3])
    assert_agrees(student, teacher, by_nodes(student, teacher, COARSE), QUADRATURE)


@pytest.mark.parametrize("angle", [1e-8, 1e-5, np.pi - 1e-8])
@pytest.mark.parametrize("bias", [0.0, 0.4])
def test_nearly_parallel_neurons_agree_with_quadrature(angle, bias):
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    first = np.array([[0.8, -1.1]])
    biases = [bias, np.sign(np.cos(angle)) * bias + 0.7 * np.sin(angle)]
    teacher = rs.Network(first @ turn, biases[1:], [1.3], 0.1, [0.2, 0.3])
    student = rs.Network(np.vstack([first, 0.5 * first @ turn]), [bias, 0.5 * biases[1]], [1, -2])
    assert_agrees(student, teacher, by_nodes(student, teacher), QUADRATURE)


def test_samples_in_dimension_twenty():
    rng = np.random.default_rng(3)
    teacher, student = random_network(rng, 8, 20), random_network(rng, 6, 20)
    problem = rs.Gaussian(teacher)
    expected = np.append(problem.gradient(student), problem.risk(student))
    batches = []
    for _ in range(40):
        x = rng.normal(size=(10_000, 20))
        risk, gradient = by_points(student, teacher, x, np.full(len(x), 1e-4))
        batches.append(np.append(gradient, risk))
    error = np.std(batches, axis=0, ddof=1) / np.sqrt(len(batches))
    # four standard errors each; standard errors of 40 batches are themselves good to a tenth
    assert (np.abs(np.mean(batches, axis=0) - expected) < 4.4 * error).all()


# ------------------------------------------------------------------------- Hessian


@pytest.mark.parametrize(("skip", "activation"), KINDS)
@pytest.mark.parametrize("inputs", [1, 2, 5])
def test_hessian_is_the_derivative_of_the_gradient(skip, activation, inputs):
    rng = np.random.default_rng(4)
    problem = rs.Gaussian(random_network(rng, 3, inputs, activation=rs.leaky(0.1)))
    student = random_network(rng, 4, inputs, skip=skip, activation=activation)
    theta = student.to_vector()
    # of a neuron that is constant, or off for good
    theta[:inputs] = 0.0
    student = like(theta, student)
    found = problem.hessian(student)
    numeric = finite_differences(lambda t: problem.gradient(like(t, student)), theta)
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_allclose(found, numeric, atol=1e-7 * np.abs(found).max())


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_hessian_is_continuous_where_neurons_become_parallel(sign):
    first, other = np.array([0.6, 0.8, 0.0]), np.array([-0.8, 0.6, 0.1])
    teacher = rs.Network([first], [0.3], [1.0])
    problem = rs.Gaussian(teacher)
    found = []
    for angle in (0.0, 1e-14, 1e-11, 1e-8):
        weights = np.array([sign * first + angle * other, 2.0 * first - angle * other])
        student = rs.Network(weights, [sign * 0.3 + angle, 0.6], [1.5, -0.5], skip=[0.1, 0.2, 0.3])
        found.append(problem.hessian(student))
    for angle, hessian in zip((1e-14, 1e-11, 1e-8), found[1:], strict=True):
        np.testing.assert_allclose(hessian, found[0], atol=1e-13 + 50.0 * angle)


# ------------------------------------------------------------------------- symmetries


@pytest.mark.parametrize(("skip", "activation"), KINDS)
def test_symmetries(skip, activation):
    rng = np.random.default_rng(5)
    teacher = random_network(rng, 4, 6, activation=rs.leaky(0.3))
    student = random_network(rng, 5, 6, skip=skip, activation=activation)
    problem, expected = rs.Gaussian(teacher), rs.Gaussian(teacher).risk(student)
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]

    def rotated(network):
        skip = None if network.skip is None else network.skip @ rotation
        return moved(network, weights=network.weights @ rotation, skip=skip)

    turned = rs.Gaussian(rotated(teacher)).risk(rotated(student))
    order, factors = rng.permutation(5), rng.uniform(0.2, 5.0, size=5)
    permuted = moved(
        student,
        weights=student.weights[order],
        biases=student.biases[order],
        outputs=student.outputs[order],
    )
    rescaled = moved(
        student,
        weights=student.weights * factors[:, np.newaxis],
        biases=student.biases * factors,
        outputs=student.outputs / factors,
    )
    found = [turned, problem.risk(permuted), problem.risk(rescaled)]
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    # Euler: w.G_w + b G_b = v G_v
    gradient = like(problem.gradient(student), student)
    balance = (student.weights * gradient.weights).sum(axis=1) + student.biases * gradient.biases
    np.testing.assert_allclose(balance, student.outputs * gradient.outputs, atol=1e-13)


def test_the_teacher_itself_costs_nothing():
    rng = np.random.default_rng(6)
    for activation in ("relu", rs.leaky(0.1)):
        teacher = random_network(rng, 7, 9, activation=activation)
        problem = rs.Gaussian(teacher)
        factors = rng.uniform(0.1, 10.0, size=7)
        rescaled = moved(
            teacher,
            weights=teacher.weights * factors[:, np.newaxis],
            biases=teacher.biases * factors,
            outputs=teacher.outputs / factors,
        )
        for same in (teacher, rescaled, teacher.canonical()):
            assert 0.0 <= problem.risk(same) < 1e-13
            # sums of sixteen terms, for parameters up to ten
            np.testing.assert_allclose(problem.gradient(same), 0.0, atol=1e-13)
        # Around a global minimum the Hessian is positive semidefinite.
        assert np.linalg.eigvalsh(problem.hessian(teacher)).min() > -1e-13


# ------------------------------------------------------------------------- conventions, extremes


def test_the_two_conventions_at_zero():
    teacher = rs.Network([[1.0, 0.5]], [0.2], [1.0], skip=[0.3, -0.4])
    problem = rs.Gaussian(teacher)
    student = rs.Network([[0.0, 0.0], [1.0, 0.0]], [0.0, 0.0], [2.0, 1.0], offset=0.5)
    off, on = problem.gradient(student, "gt"), problem.gradient(student, at_zero="ge")
    risen = moved(student, biases=[1e-12, 0.0])
    np.testing.assert_allclose(on, problem.gradient(risen), atol=1e-11)
    np.testing.assert_array_equal(off[[0, 1, 4]], 0.0)
    others = [2, 3, 5, 6, 7, 8]
    np.testing.assert_array_equal(on[others], off[others])
    assert np.isfinite(problem.hessian(student)).all()


def test_extreme_parameters():
    problem = rs.Gaussian(rs.Network([[1.0, 0.5]], [0.2], [1.0]))
    nothing = problem.risk(rs.Network(np.zeros((0, 2)), [], []))
    for w, b in ((1e-300, -1.0), (1e150, -1e153), (1e-200, 0.0), (5e-324, 0.0)):
        student = rs.Network([[w, 0.0]], [b], [1.0])
        assert problem.risk(student) == pytest.approx(nothing, rel=1e-14)
        assert np.isfinite(problem.gradient(student)).all()
    flat = rs.Network([[1e-300, 0.0]], [2.0], [1.0])
    constant = rs.Network([[0.0, 0.0]], [0.0], [0.0], offset=2.0)
    assert problem.risk(flat) == pytest.approx(problem.risk(constant), rel=1e-14)
    assert np.isfinite(problem.hessian(flat)).all()
    with pytest.raises(rs.InputError, match="beyond the largest float"):
        problem.risk(rs.Network([[1e200, 0.0]], [0.0], [1.0]))


def test_what_it_refuses():
    teacher = rs.Network([[1.0, 0.5]], [0.2], [1.0])
    problem = rs.Gaussian(teacher)
    assert (problem.inputs, problem.targets) == (2, 1)
    assert repr(problem) == "Gaussian(2 input(s), teacher of width 1)"
    with pytest.raises(rs.InputError, match="give a Network"):
        rs.Gaussian([1.0, 2.0])
    with pytest.raises(rs.InputError, match="give a scalar teacher"):
        rs.Gaussian(rs.Network([1.0], [0.0], [[1.0]]))
    square = rs.Network([[1.0, 0.5]], [0.2], [1.0], activation="square")
    with pytest.raises(rs.InputError, match="piecewise linear"):
        rs.Gaussian(square)
    for method in (problem.risk, problem.gradient, problem.hessian):
        with pytest.raises(rs.InputError, match="piecewise linear"):
            method(square)
        with pytest.raises(rs.InputError, match=r"the problem needs 2 input\(s\)"):
            method(rs.Network([1.0], [0.0], [1.0]))
    with pytest.raises(rs.InputError, match="at_zero"):
        problem.gradient(teacher, at_zero="maybe")


# ------------------------------------------------------------------------- Safran and Shamir


@pytest.mark.parametrize(("width", "seed", "level"), [(7, 5, 0.023203), (8, 6, 0.021508)])
def test_spurious_minima_of_safran_and_shamir(width, seed, level):
    """Theory 6.6: students of the orthonormal teacher get stuck, in strict local minima."""
    ones, zeros = np.ones(width), np.zeros(width)
    problem = rs.Gaussian(rs.Network(np.eye(width), zeros, ones))
    free = width * width

    def student(theta):
        return rs.Network(theta.reshape(width, width), zeros, ones)

    def half(theta):  # their F is half the risk, over the weights alone
        network = student(theta)
        return problem.risk(network) / 2.0, problem.gradient(network)[:free] / 2.0

    start = np.random.default_rng(seed).normal(size=free)
    end = minimize(half, start, jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 1000})
    assert end.fun == pytest.approx(level, abs=5e-7)
    assert np.linalg.eigvalsh(problem.hessian(student(end.x))[:free, :free]).min() > 0.02
