"""Ramps in the place of jumps."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from reluscape.networks.ramps import ramped


def by_the_formula(response, k, x):
    """The theorem's two neurons for each jump, term by term."""
    total = response.offset + x @ response.slope
    for t in range(len(response.betas)):
        depth = x @ response.normals[t] - response.thresholds[t]
        term = x @ response.deltas[t] + response.betas[t]
        if response.multiplicities[t] == 1:
            total = total + np.maximum(depth, 0.0) * (response.deltas[t] @ response.normals[t])
        else:
            up, down = k * depth + term / 2, k * depth - term / 2
            total = total + np.maximum(up, 0.0) - np.maximum(down, 0.0)
    return total


@pytest.mark.parametrize("inputs", [1, 2, 5])
def test_the_two_neurons_are_those_of_the_theorem(inputs):
    rng = np.random.default_rng(inputs)
    normals = rng.normal(size=(4, inputs))
    tau, delta, beta = rng.normal(size=4), rng.normal(size=(4, inputs)), rng.normal(size=4)
    delta[1], beta[1] = 3.0 * normals[1], -3.0 * tau[1]
    response = rs.GeneralizedResponse(normals, tau, delta, beta, 0.5, rng.normal(size=inputs))
    assert response.multiplicities.tolist() == [2, 1, 2, 2]
    x = rng.normal(size=(200, inputs))
    for k in (20.0, 1e3):
        network = ramped(response, k)
        assert network.width == response.dimension == 7
        assert network.skip is not None
        assert network.activation.name == "relu"
        np.testing.assert_allclose(network(x), by_the_formula(response, k, x), atol=1e-11 * k)


def test_away_from_the_jumps_it_is_the_response():
    rng = np.random.default_rng(7)
    for inputs in (1, 3):
        normals = rng.normal(size=(2, inputs))
        tau = rng.uniform(-0.5, 0.5, 2) * np.linalg.norm(normals, axis=1)
        response = rs.GeneralizedResponse(
            normals, tau, rng.normal(size=(2, inputs)), rng.normal(size=2)
        )
        k, x = 20.0, rng.normal(size=(2000, inputs))
        depth = np.abs(x @ response.normals.T - response.thresholds)
        height = np.abs(x @ response.deltas.T + response.betas)
        off = (k * depth >= height / 2).all(axis=1)
        assert 500 < off.sum() < 2000
        np.testing.assert_allclose(ramped(response, k)(x[off]), response(x[off]), atol=1e-11)


def test_a_ramp_of_its_own_for_each_jump_and_shifts():
    response = rs.GeneralizedResponse([1.0, -1.0], [0.0, -3.0], [0.0, 0.0], [2.0, 4.0])
    network = ramped(response, [2.0, 8.0], [0.5, 0.0])
    # from 0 to 1 at slope 2; from 3.25 down to 2.75 at slope 8, active below 3
    np.testing.assert_allclose(network([0.0, 0.5, 1.0, 2.75, 3.0, 3.25]), [4, 5, 6, 6, 4, 2])


def test_timestamps_keep_their_digits():
    """With one input nothing behind the ramp depends on the rounding of where it is."""
    at = 1.7e9 + 0.3
    response = rs.GeneralizedResponse([1.0], [at], [0.0], [1.0])
    network = ramped(response, 100.0)
    assert network([at - 1.0]) == [0.0]
    np.testing.assert_allclose(network([at + 1.0, at + 1e3]), 1.0, rtol=1e-9)


def test_a_jump_of_height_zero_is_a_kink():
    response = rs.GeneralizedResponse([1.0], [0.5], [2.0], [-1.0], multiplicities=[2])
    x = np.array([0.0, 0.5, 1.0])
    np.testing.assert_array_equal(ramped(response, 10.0)(x), [0.0, 0.0, 1.0])


@pytest.mark.parametrize("steepness", [np.nan, np.inf, -1.0, 1.0])
def test_steepnesses_that_turn_a_neuron_over_are_refused(steepness):
    response = rs.GeneralizedResponse([1.0], [0.5], [2.0], [1.0])
    with pytest.raises(rs.InputError, match="above 1, half of the bend"):
        ramped(response, steepness)


def test_too_narrow_for_doubles():
    response = rs.GeneralizedResponse([1.0], [1e9], [0.0], [1.0])
    with pytest.raises(rs.InputError, match="too narrow for doubles"):
        ramped(response, 1e12)
