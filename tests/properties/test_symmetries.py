"""Symmetries of the landscape (theory 0.3), on data and on intervals alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import reluscape as rs
from records import Pieces, Plain
from strategies import networks, numbers, rows, targets

# two routes to one sum of terms of size about one to a thousand
SAME = {"rel": 1e-11, "abs": 1e-11}


def samples(data, x=None):
    return rs.Samples(data[0] if x is None else x, data[1], weights=data[2])


@given(networks(), rows(), st.lists(st.integers(-6, 6), min_size=5, max_size=5))
def test_rescaling(network_of, net, data, powers):
    factors = np.ldexp(1.0, powers[: net.width])
    scaled = replace(
        net,
        w=tuple(np.multiply(net.w, factors)),
        b=tuple(np.multiply(net.b, factors)),
        v=tuple(np.divide(net.v, factors)),
    )
    problem = samples(data)
    assert problem.risk(network_of(scaled)) == pytest.approx(problem.risk(network_of(net)), **SAME)


@given(networks(), rows(), targets(), st.randoms(use_true_random=False))
def test_permutation(network_of, interval_of, net, data, pieces, random):
    order = list(range(net.width))
    random.shuffle(order)
    moved = replace(
        net,
        w=tuple(net.w[i] for i in order),
        b=tuple(net.b[i] for i in order),
        v=tuple(net.v[i] for i in order),
    )
    for problem in (samples(data), interval_of(pieces[0], -1, 2, pieces[1])):
        one, other = network_of(net), network_of(moved)
        assert problem.risk(one) == pytest.approx(problem.risk(other), **SAME)
        first, second = problem.gradient(one), problem.gradient(other)
        k = net.width
        index = [*order, *(k + i for i in order), *(2 * k + i for i in order)]
        index += list(range(3 * k, len(first)))
        np.testing.assert_allclose(first[index], second, rtol=1e-10, atol=1e-10)


@given(networks(skip=False), rows(), st.integers(-256, 256))
def test_shift(network_of, net, data, by):
    s = float(by)
    moved = replace(net, b=tuple(b - w * s for w, b in zip(net.w, net.b, strict=True)))
    one, other = samples(data), samples(data, data[0] + s)
    assert other.risk(network_of(moved)) == pytest.approx(one.risk(network_of(net)), **SAME)


@given(networks(skip=False, slope=0.0), targets(), st.integers(-8, 8))
def test_shift_of_an_interval(network_of, interval_of, net, pieces, by):
    from fractions import Fraction

    s = Fraction(by)

    def shifted(p: Pieces) -> Pieces:
        rows_ = []
        for row in p.coefficients:
            poly = [Fraction(0)]
            for coefficient in reversed(row):  # Horner in (x - s)
                longer = [Fraction(0), *poly]
                for i, t in enumerate(poly):
                    longer[i] -= s * t
                longer[0] += coefficient
                poly = longer
            rows_.append(poly)
        return Pieces.of([t + s for t in p.breaks], rows_)

    moved = replace(net, b=tuple(b - w * by for w, b in zip(net.w, net.b, strict=True)))
    one = interval_of(pieces[0], -1, 2, pieces[1])
    other = interval_of(shifted(pieces[0]), -1 + by, 2 + by, shifted(pieces[1]))
    size = one.risk(network_of(net))
    assert other.risk(network_of(moved)) == pytest.approx(size, rel=1e-9, abs=1e-9)


@given(networks(skip=False), rows())
def test_reflection(network_of, net, data):
    # x -> a + b - x with a + b = 1
    moved = replace(
        net,
        w=tuple(-w for w in net.w),
        b=tuple(b + w for w, b in zip(net.w, net.b, strict=True)),
    )
    one, other = samples(data), samples(data, 1 - data[0])
    assert other.risk(network_of(moved)) == pytest.approx(one.risk(network_of(net)), **SAME)


@given(networks(), rows(), targets(), st.sampled_from(["gt", "ge"]))
def test_euler_balance(network_of, interval_of, net, data, pieces, at_zero):
    for problem in (samples(data), interval_of(pieces[0], -1, 2, pieces[1])):
        gradient = problem.gradient(network_of(net), at_zero=at_zero)
        k = net.width
        gw, gb, gv = gradient[:k], gradient[k : 2 * k], gradient[2 * k : 3 * k]
        left = np.multiply(net.w, gw) + np.multiply(net.b, gb)
        size = 1 + np.max(np.abs(gradient)) * 4
        np.testing.assert_allclose(left, np.multiply(net.v, gv), atol=1e-12 * size)


@given(networks(skip=False), numbers, rows())
def test_constant_target(network_of, interval_of, net, beta, data):
    level = Pieces.of((0, 1), ((beta,),))
    flat = rs.Samples(data[0], np.full(len(data[0]), beta), weights=data[2])
    for problem in (flat, interval_of(level, -1, 2)):
        gradient = problem.gradient(network_of(net))
        k = net.width
        pulled = gradient[2 * k : 3 * k] @ np.array(net.v) + gradient[3 * k] * (net.c - beta)
        assert pulled == pytest.approx(2 * problem.risk(network_of(net)), rel=1e-10, abs=1e-11)


@given(networks(), rows())
def test_risk_is_the_mean_of_squares(network_of, net, data):
    x, y, mass = data
    weights = np.full(len(x), 1 / len(x)) if mass is None else mass
    assert samples(data).risk(network_of(net)) == pytest.approx(
        float(np.sum(weights * (net(x) - y) ** 2)), **SAME
    )


@given(rows(), networks())
def test_merging_rows_changes_nothing(network_of, data, net):
    x, y, mass = data
    assume(mass is None)
    twice = rs.Samples(np.concatenate([x, x]), np.concatenate([y, y]))
    one, other = samples(data), twice
    built = network_of(net)
    assert other.risk(built) == pytest.approx(one.risk(built), **SAME)
    np.testing.assert_allclose(other.gradient(built), one.gradient(built), rtol=1e-10, atol=1e-11)


@given(networks())
def test_canonical_form_keeps_the_function(network_of, net):
    x = np.arange(-200, 201) / 32
    built = network_of(net)
    short = built.canonical()
    scale = 1 + np.max(np.abs(built(x)))
    np.testing.assert_allclose(short(x), built(x), atol=1e-12 * scale)
    assert short.width <= net.width + 1


@given(networks())
def test_vector_round_trip(network_of, net):
    built = network_of(net)
    activation = rs.leaky(net.slope) if net.slope else "relu"
    back = rs.Network.from_vector(built.to_vector(), skip=net.u is not None, activation=activation)
    assert back == built
    assert Plain.of(back.to_vector(), skip=net.u is not None, slope=net.slope) == net
