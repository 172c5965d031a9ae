"""Generalized responses: values, multiplicities, networks in and out, canonical form."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reluscape as rs
from reluscape import GeneralizedResponse, InputError, Network

# Few distinct values, so that boundaries coincide often.
coarse = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0])


@st.composite
def coarse_networks(draw):
    width, inputs = draw(st.integers(0, 6)), draw(st.integers(1, 3))

    def array(*shape):
        size = int(np.prod(shape))
        return np.reshape(draw(st.lists(coarse, min_size=size, max_size=size)), shape)

    skip = array(inputs) if draw(st.booleans()) else None
    activation = draw(st.sampled_from(["relu", rs.leaky(0.25)]))
    return Network(array(width, inputs), array(width), array(width), draw(coarse), skip, activation)


def cloud(inputs, rows=200, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, inputs)) * 5.0


def textbook(response, x):
    """The definition, term by term."""
    result = response.offset + x @ response.slope
    for n, tau, delta, beta in zip(
        response.normals, response.thresholds, response.deltas, response.betas, strict=True
    ):
        result = result + np.where(x @ n > tau, x @ delta + beta, 0.0)
    return result


def random_response(rng, kinks, jumps, inputs):
    n = rng.normal(size=(kinks + jumps, inputs))
    tau, bends = rng.normal(size=kinks + jumps), rng.normal(size=kinks)
    delta, beta = rng.normal(size=n.shape), rng.normal(size=len(n))
    delta[:kinks] = bends[:, np.newaxis] * n[:kinks]
    beta[:kinks] = -bends * tau[:kinks]
    slope = rng.normal(size=inputs)
    return GeneralizedResponse(n, tau, delta, beta, rng.normal(), slope)


# ------------------------------------------------------------------------- values


@pytest.mark.parametrize("inputs", [1, 2, 5])
def test_values_follow_the_definition(inputs):
    response = random_response(np.random.default_rng(1), 3, 2, inputs)
    assert response.multiplicities.tolist() == [1, 1, 1, 2, 2]
    assert (response.dimension, response.strict, response.inputs) == (7, True, inputs)
    x = cloud(inputs)
    np.testing.assert_allclose(response(x), textbook(response, x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.hypot.reduce(response.normals, axis=1), 1.0, rtol=1e-15)


def test_half_spaces_are_open():
    response = GeneralizedResponse([2.0, -1.0], [1.0, -3.0], [0.0, 0.0], [1.0, 10.0])
    np.testing.assert_array_equal(response([0.0, 0.5, 0.75, 3.0, 4.0]), [10, 10, 11, 1, 1])
    assert response(0.75) == 11.0
    assert response(0.75).shape == ()


def test_values_at_timestamps_keep_their_digits():
    start = 1.7e9
    kink = GeneralizedResponse([1.0], [start], [0.1], [-0.1 * start], multiplicities=[1])
    np.testing.assert_allclose(kink([start + 2.0**-10]), [0.1 * 2.0**-10], rtol=1e-15)


# ------------------------------------------------------------------------- multiplicities


def test_multiplicities_are_those_of_the_terms():
    # neurons 0.1 (x - 0.3)_+ as users round them; a jump of 1e-12; a jump along the boundary
    assert GeneralizedResponse([1.0], [0.3], [0.1], [-0.03]).multiplicities.tolist() == [1]
    assert GeneralizedResponse([1.0], [0.3], [0.1], [-0.03 - 1e-12]).multiplicities.tolist() == [2]
    tilted = GeneralizedResponse([[1.0, 0.0]], [0.0], [[1.0, 1e-3]], [0.0])
    assert tilted.multiplicities.tolist() == [2]
    assert GeneralizedResponse([1.0], [0.5], [0.0], [0.0]).multiplicities.tolist() == [1]


def test_declared_multiplicities():
    near = GeneralizedResponse([1.0], [0.3], [0.1], [-0.03 - 1e-12], multiplicities=[1])
    assert near.dimension == 1
    assert near.betas[0] == -0.1 * 0.3
    assert GeneralizedResponse([1.0], [0.5], [1.0], [-0.5], multiplicities=[2]).dimension == 2
    with pytest.raises(InputError, match="term 0 is declared continuous and does not"):
        GeneralizedResponse([1.0], [0.5], [1.0], [0.0], multiplicities=[1])
    with pytest.raises(InputError, match="must be 1 or 2 for each"):
        GeneralizedResponse([1.0], [0.5], [1.0], [0.0], multiplicities=[3])


# ------------------------------------------------------------------------- networks


@given(coarse_networks())
@settings(max_examples=200)
def test_networks_become_continuous_responses_and_come_back(network):
    response = GeneralizedResponse.from_network(network)
    x = cloud(network.inputs)
    scale = 1.0 + np.abs(network(x)).max()
    np.testing.assert_allclose(response(x), network(x), atol=1e-12 * scale)
    assert (response.multiplicities == 1).all()
    assert response.dimension <= network.width
    back = response.to_network()
    assert (back.width, back.activation.name) == (response.dimension, "relu")
    np.testing.assert_allclose(back(x), network(x), atol=1e-12 * scale)
    again = GeneralizedResponse.from_network(back)
    for name in ("normals", "thresholds", "deltas", "betas", "offset", "slope"):
        np.testing.assert_allclose(getattr(again, name), getattr(response, name), atol=1e-12)


def test_opposite_neurons_share_a_boundary():
    network = Network([[1.0, 2.0], [-2.0, -4.0], [0.5, 1.0]], [1.0, -2.0, 0.5], [1.0, 1.0, 2.0])
    response = GeneralizedResponse.from_network(network)
    assert response.dimension == 1
    np.testing.assert_allclose(response(cloud(2)), network(cloud(2)), atol=1e-12)


def test_neurons_that_differ_by_a_rounding_error_stay_finite():
    near = np.nextafter(1.0, 2.0)
    network = Network([[1.0, 1.0], [1.0, near]], [0.0, 0.0], [1e8, -1e8])
    response = GeneralizedResponse.from_network(network)
    np.testing.assert_allclose(response(cloud(2)), network(cloud(2)), atol=1e-5)


def test_a_jump_is_no_network():
    response = GeneralizedResponse([1.0, 1.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0])
    with pytest.raises(InputError, match="term 1 of the response is a jump"):
        response.to_network()
    with pytest.raises(InputError, match="piecewise linear"):
        GeneralizedResponse.from_network(Network([1.0], [0.0], [1.0], activation="square"))
    with pytest.raises(InputError, match="give a scalar one"):
        GeneralizedResponse.from_network(Network([1.0], [0.0], [[1.0, 2.0]]))


# ------------------------------------------------------------------------- canonical form


@pytest.mark.parametrize("inputs", [1, 2, 4])
def test_canonical_form_is_one_for_all_ways_to_write_a_function(inputs):
    rng = np.random.default_rng(2)
    first = random_response(rng, 3, 3, inputs)
    order, flipped = rng.permutation(6), rng.random(6) < 0.5
    sign = np.where(flipped, -1.0, 1.0)[order]
    second = GeneralizedResponse(
        np.vstack([first.normals[order] * sign[:, np.newaxis] * 3.0, np.ones((1, inputs))]),
        np.append(first.thresholds[order] * sign * 3.0, 7.0),
        np.vstack([first.deltas[order] * sign[:, np.newaxis], np.zeros((1, inputs))]),
        np.append(first.betas[order] * sign, 0.0),
        first.offset + first.betas[flipped].sum(),
        first.slope + first.deltas[flipped].sum(axis=0),
    )
    x = cloud(inputs)
    np.testing.assert_allclose(second(x), first(x), atol=1e-12)
    one, two = first.canonical(), second.canonical()
    np.testing.assert_allclose(one(x), first(x), atol=1e-12)
    for name in ("normals", "thresholds", "deltas", "betas", "offset", "slope", "multiplicities"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), atol=1e-13)
    assert one.canonical() == one


def test_equality_copies_and_read_only_arrays():
    response = random_response(np.random.default_rng(3), 2, 1, 3)
    for same in (copy.deepcopy(response), pickle.loads(pickle.dumps(response))):  # noqa: S301
        assert same == response
        assert hash(same) == hash(response)
        with pytest.raises(ValueError, match="read-only"):
            same.normals[0, 0] = 1.0
    assert response != random_response(np.random.default_rng(4), 2, 1, 3)
    assert response != "a response"


def test_repr_is_the_formula():
    response = GeneralizedResponse(
        [1.0, -1.0], [-0.5, -2.0], [2.0, 1.0], [1.0, -1.0], offset=0.5, slope=[-3.0]
    )
    expected = "0.5 - 3 x + [x > -0.5] 2 (x + 0.5) + [x < 2] (-1 + 1 x); dimension 3"
    assert repr(response) == f"GeneralizedResponse({expected})"
    several = random_response(np.random.default_rng(3), 2, 1, 3)
    expected = "<GeneralizedResponse inputs=3, kinks=2, jumps=1, dimension=4>"
    assert repr(several) == expected


# ------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.0, 0.0]], [0.0], [[1.0, 0.0]], [0.0]), "normal 0 is zero"),
        (([1.0, -2.0], [1.0, -2.0], [1.0, 0.0], [0.0, 1.0]), "0 and 1 have the same boundary"),
        (([[[1.0]]], [0.0], [1.0], [0.0]), "normals have shape"),
        (([1.0], [0.0, 1.0], [1.0], [0.0]), "thresholds have shape"),
        (([[1.0, 0.0]], [0.0], [1.0], [0.0]), "deltas have shape"),
        (([1.0], [0.0], [1.0], [np.nan]), "betas holds 1 NaN"),
        (([1e-300], [1e300], [1.0], [0.0]), "thresholds, over the lengths"),
        (([1.0], [0.0], [1.0], [0.0], [1.0, 2.0]), "offset has shape"),
        (([1.0], [0.0], [1.0], [0.0], 0.0, [1.0, 2.0]), "slope has shape"),
    ],
)
def test_what_it_refuses(arguments, message):
    with pytest.raises(InputError, match=message):
        GeneralizedResponse(*arguments)


def test_points_of_another_shape_are_refused():
    response = GeneralizedResponse([[1.0, 0.0]], [0.0], [[1.0, 0.0]], [0.0])
    with pytest.raises(InputError, match=r"needs \(n, 2\)"):
        response([1.0, 2.0])
    with pytest.raises(InputError, match="NaN"):
        response([[1.0, np.nan]])


def test_boundaries_through_the_origin_coincide_too():
    with pytest.raises(InputError, match="0 and 1 have the same boundary"):
        GeneralizedResponse([1.0, -1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0])
