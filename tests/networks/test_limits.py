"""Limits of sequences of networks: recognised, with evidence, and not invented."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reluscape as rs
from limit_sequences import Jump, Limit, approach, permuted, random_limit

STEEP = 2.0 ** np.arange(4, 12)


def corners(inputs):
    """The corners of [-1, 1]^inputs; the ends of the interval for one input."""
    grid = np.meshgrid(*[[-1.0, 1.0]] * inputs)
    return np.stack([axis.ravel() for axis in grid], axis=1)


def cloud(inputs, rows=400, seed=3):
    return np.random.default_rng(seed).uniform(-1, 1, size=(rows, inputs))


def off(limit, x, room):
    """Rows that are not near a jump."""
    near = [np.abs(x @ jump.normal - jump.threshold) < room for jump in limit.jumps]
    return ~np.any(near, axis=0) if near else np.ones(len(x), dtype=bool)


def recognised(limit, found, size=2.0**-9):
    """Compare what was found with what is known; size is the width of the last ramps."""
    assert found.response is not None, found
    x = cloud(limit.slope.size)
    x = x[off(limit, x, 2 * size)]
    np.testing.assert_allclose(found.response(x), limit(x), atol=1e-9)
    counts = found.response.multiplicities
    assert (counts == 2).sum() == len(limit.jumps)
    assert len(counts) == len(limit.jumps) + len(limit.kinks)
    assert len(found.jumps) == len(limit.jumps)


# ------------------------------------------------------------------------- known limits


@pytest.mark.parametrize("inputs", [1, 2, 3, 6])
@pytest.mark.parametrize("slope", [0.0, 0.2])
@pytest.mark.parametrize(("jumps", "kinks"), [(1, 0), (1, 2), (2, 1)])
def test_jumps_and_kinks_are_recovered(inputs, slope, jumps, kinks):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        limit = random_limit(rng, inputs, jumps, kinks)
        networks = [approach(limit, k, None, slope) for k in STEEP]
        found = rs.limit_response(networks, domain=corners(inputs))
        recognised(limit, found)
        pairs = {group.neurons for group in found.jumps}
        assert pairs == {(2 * i, 2 * i + 1) for i in range(jumps)}
        for group in found.groups:
            assert group.kind in ("jump", "kink")
            n, tau = found.response.normals[group.term], found.response.thresholds[group.term]
            if group.kind == "kink":
                assert len(group.neurons) == 1
                continue
            known = limit.jumps[group.neurons[0] // 2]
            sign = np.sign(n @ known.normal)
            # Lengths of the normals k n +- slope/2 differ by O(1/k): the middle is O(1/k²) off.
            np.testing.assert_allclose(sign * n, known.normal, atol=4 / STEEP[-1] ** 2)
            assert sign * tau == pytest.approx(known.threshold, abs=4 / STEEP[-1] ** 2)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 3), st.sampled_from([0.0, 0.3]))
def test_rescaled_turned_and_permuted_neurons(seed, inputs, slope):
    """Another scale in every network; one order in all, or another one in each."""
    rng = np.random.default_rng(seed)
    limit = random_limit(rng, inputs, int(rng.integers(0, 3)), int(rng.integers(1, 3)))
    scales = [np.random.default_rng(seed) for _ in STEEP]  # turned around alike
    plain = [approach(limit, k, scale, slope) for k, scale in zip(STEEP, scales, strict=True)]
    width = plain[0].width
    rescaled = []
    for net in plain:
        by = 10.0 ** rng.uniform(-3, 3, size=width)
        w, b, v = net.weights * by[:, None], net.biases * by, net.outputs / by
        rescaled.append(rs.Network(w, b, v, net.offset, net.skip, net.activation))
    order = rng.permutation(width)
    one = rs.limit_response(plain, domain=corners(inputs))
    other = rs.limit_response([permuted(net, order) for net in rescaled], domain=corners(inputs))
    recognised(limit, one)
    recognised(limit, other)
    np.testing.assert_allclose(other.norms, one.norms, rtol=1e-12)
    np.testing.assert_allclose(other.rms_distances, one.rms_distances, rtol=1e-9, atol=1e-12)
    back = {frozenset(order[list(group.neurons)].tolist()) for group in other.groups}
    assert back == {frozenset(group.neurons) for group in one.groups}
    mixed = [permuted(net, rng.permutation(width)) for net in rescaled[:-1]] + [rescaled[-1]]
    found = rs.limit_response(mixed, domain=corners(inputs), aligned=False)
    recognised(limit, found)
    assert {g.neurons for g in found.groups} == {g.neurons for g in one.groups}
    for group, same in zip(found.jumps, one.jumps, strict=True):
        np.testing.assert_allclose(group.distances, same.distances, rtol=1e-9)


# ------------------------------------------------------------------------- evidence


def test_evidence_of_ramps_from_zero_to_one():
    """Ramps of width 2/k: bends k/2, distance 2/k, error width/12 in the square, norms by hand."""
    limit = Limit((Jump(np.ones(1), 0.0, np.zeros(1), 1.0),), (), np.zeros(1), 0.0)
    steepness = 2.0 ** np.arange(3, 9)
    networks = [approach(limit, k) for k in steepness]  # slope k from -1/(2k) to 1/(2k)
    found = rs.limit_response(networks, domain=(-1, 1), steps=steepness**2)
    (group,) = found.groups
    width = 1 / steepness
    np.testing.assert_allclose(group.distances, width, rtol=1e-12)
    np.testing.assert_allclose(group.bends, steepness, rtol=1e-12)
    np.testing.assert_allclose(group.heights, 1.0, rtol=1e-12)
    # two neurons with |(w, b)| = |(k, 1/2)| and |v| = 1
    norms = np.sqrt(2 * 2 * np.hypot(steepness, 0.5))
    np.testing.assert_allclose(group.norms, norms, rtol=1e-12)
    np.testing.assert_allclose(found.norms, norms, rtol=1e-12)
    np.testing.assert_allclose(found.rms_distances, np.sqrt(width / 12 / 2), rtol=1e-9)
    np.testing.assert_allclose(found.max_distances, 0.0, atol=1e-12)
    assert group.distance_rate == pytest.approx(-0.5, abs=1e-12)
    assert group.distance_by_norm == pytest.approx(-2.0, abs=1e-2)
    assert found.norm_rate == pytest.approx(0.25, abs=1e-3)
    assert found.tail == 2
    assert found.doubts == ()
    assert "close up" in found.reasons[0]


def test_distances_in_the_mean_against_a_fine_grid():
    rng = np.random.default_rng(5)
    limit = random_limit(rng, 1, 2, 2)
    networks = [approach(limit, k) for k in (20.0, 40.0, 80.0, 160.0)]
    found = rs.limit_response(networks, domain=(-1, 1))
    x = np.linspace(-1, 1, 400_001)
    for net, rms, largest in zip(networks, found.rms_distances, found.max_distances, strict=True):
        error = np.abs(net(x) - found.response(x))
        assert rms == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-3)
        between = np.zeros(x.shape, dtype=bool)
        for jump in (0, 2):
            ends = [-net.biases[j] / net.weights[j, 0] for j in (jump, jump + 1)]
            between |= (x > min(ends)) & (x < max(ends))
        assert largest == pytest.approx(error[~between].max(), abs=1e-9)


def test_distances_in_the_plane():
    """On [-1, 1]^2, a ramp of height 1 along x_1 = 0: the same error as on the line."""
    limit = Limit((Jump(np.array([1.0, 0.0]), 0.0, np.zeros(2), 1.0),), (), np.zeros(2), 0.0)
    networks = [approach(limit, k) for k in (4.0, 8.0, 16.0, 32.0)]
    grid = np.stack(np.meshgrid(*[(np.arange(400) + 0.5) / 200 - 1] * 2), -1).reshape(-1, 2)
    found = rs.limit_response(networks, domain=grid)
    np.testing.assert_allclose(
        found.rms_distances, np.sqrt(1 / np.array([4.0, 8.0, 16.0, 32.0]) / 24), rtol=2e-2
    )
    np.testing.assert_allclose(found.max_distances, 0.0, atol=1e-12)


def test_three_neurons_make_one_jump():
    """Bends 2k, -k, -k at 0, 1/k - 1/k^2 and 1/k + 1/k^2: height 2 in the limit, multiplicity 2."""
    networks = []
    for k in STEEP:
        at = np.array([0.0, 1 / k - 1 / k**2, 1 / k + 1 / k**2]) + 0.25
        networks.append(rs.Network(np.ones(3), -at, [2 * k, -k, -k], 1.0))
    found = rs.limit_response(networks, domain=(0, 1))
    (group,) = found.groups
    assert (group.kind, group.neurons) == ("jump", (0, 1, 2))
    assert found.response.multiplicities.tolist() == [2]
    np.testing.assert_allclose(found.response([0.0, 0.2, 0.5, 1.0]), [1, 1, 3, 3], atol=1e-9)
    assert group.heights[-1] == pytest.approx(2.0, rel=1e-9)


def test_neurons_that_come_along_belong_to_the_jump():
    """A third bend of size 1 between the two that grow; a fourth stays beside them."""
    networks = []
    for k in STEEP:
        at = 0.5 + np.array([-1.0, 1.0, 0.3]) / k
        weights, bends = np.ones(4), [k / 2, -k / 2, 1.0, 1.0]
        networks.append(rs.Network(weights, -np.append(at, 0.5 + 3 / STEEP[-1]), bends))
    found = rs.limit_response(networks, domain=(0, 1))
    assert [(g.kind, g.neurons) for g in found.groups] == [("jump", (0, 1, 2)), ("kink", (3,))]
    x = np.array([0.0, 0.4, 0.6, 1.0])
    expected = np.where(x > 0.5, 1.0 + 2 * (x - 0.5) - 3.3 / STEEP[-1], 0.0)
    np.testing.assert_allclose(found.response(x), expected, atol=1e-9)
    assert found.response.dimension == 3


# ------------------------------------------------------------------------- nothing blows up


@pytest.mark.parametrize("inputs", [1, 3])
def test_networks_that_converge_have_a_continuous_limit(inputs):
    rng = np.random.default_rng(inputs)
    limit = random_limit(rng, inputs, 0, 4)
    end = approach(limit, 1.0, rng)
    start = end.to_vector() + 0.3 * rng.normal(size=end.to_vector().size)
    networks = [
        rs.Network.from_vector(end.to_vector() + 0.5**k * start, inputs=inputs, skip=True)
        for k in range(40)
    ]
    found = rs.limit_response(networks, domain=corners(inputs))
    assert found.jumps == ()
    assert (found.response.multiplicities == 1).all()
    assert "continuous" in found.reasons[0]
    x = cloud(inputs)
    np.testing.assert_allclose(found.response(x), networks[-1](x), atol=1e-9)
    assert found.max_distances[-1] <= 1e-9


def test_the_limit_of_one_network_is_itself():
    rng = np.random.default_rng(1)
    net = approach(random_limit(rng, 2, 0, 5), 1.0, rng)
    found = rs.limit_response([net] * 5, domain=corners(2))
    expected = rs.GeneralizedResponse.from_network(net)
    x = cloud(2)
    np.testing.assert_allclose(found.response(x), expected(x), atol=1e-12)
    assert found.response.dimension <= expected.dimension
    assert found.norm_rate == pytest.approx(0.0, abs=1e-12)


def test_steep_ramps_that_stop_are_no_jump():
    """They become as steep as the target, and no steeper: kinks, not jumps."""
    limit = random_limit(np.random.default_rng(2), 1, 1, 1)
    networks = [approach(limit, 50 * (1 - 0.5**k)) for k in range(1, 24)]
    found = rs.limit_response(networks, domain=(-1, 1))
    assert found.jumps == ()
    assert found.response.multiplicities.tolist() == [1, 1, 1]


def test_a_jump_that_fades_is_a_kink():
    """Height 1/sqrt(k), slope change 1: the kink is left."""
    networks = []
    for k in STEEP:
        jump = Jump(np.ones(1), 0.25, np.ones(1), k**-0.75 - 0.25)
        networks.append(approach(Limit((jump,), (), np.zeros(1), 0.0), k**0.5))
    found = rs.limit_response(networks, domain=(-1, 1))
    assert found.jumps == ()
    assert [(g.kind, g.neurons) for g in found.groups] == [("kink", (0, 1))]
    assert found.response.multiplicities.tolist() == [1]
    assert found.response.bends[0] == pytest.approx(1.0, abs=0.01)
    assert "fades" in " ".join(found.reasons)


# ------------------------------------------------------------------------- affine, gone


def test_neurons_that_leave_the_domain():
    """To the left and active: affine; to the right: nothing; and one whose output dies out."""
    networks = []
    for k in range(8):
        at = np.array([-0.9 - 0.3 * k, 0.9 + 0.3 * k, 0.0, 0.3])
        outputs = [1.0, 1.0, 0.1**k, 1.0]
        networks.append(rs.Network(np.ones(4), -at, outputs, 0.5))
    found = rs.limit_response(networks, domain=(-1, 1))
    kinds = {group.neurons: group.kind for group in found.groups}
    assert kinds == {(0,): "affine", (1,): "inactive", (2,): "vanishing", (3,): "kink"}
    assert found.response.thresholds.tolist() == [0.3]
    x = np.linspace(-1, 1, 11)
    np.testing.assert_allclose(found.response(x), 0.5 + (x + 3.0) + np.maximum(x - 0.3, 0))
    assert found.jumps == ()


@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_neurons_that_leave_a_polygon(slope):
    """The domain is a triangle; the hyperplanes meet its bounding box but not it."""
    triangle = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]
    act = rs.leaky(slope) if slope else "relu"
    weights, biases = [[1.0, 1.0], [-1.0, -1.0]], [-1.2, 1.2]
    net = rs.Network(weights, biases, [2.0, 3.0], 0.0, activation=act)
    found = rs.limit_response([net, net], domain=triangle)
    assert [group.kind for group in found.groups] == ["inactive", "affine"]
    x = np.array([[0.1, 0.2], [0.5, 0.5], [0.0, 0.9]])
    np.testing.assert_allclose(found.response(x), net(x), atol=1e-12)
    assert found.response.dimension == 0


def test_a_diverging_pair_outside_of_the_domain_is_affine_there():
    limit = Limit((Jump(np.ones(1), 3.0, np.zeros(1), 1.0),), (), np.array([2.0]), 1.0)
    found = rs.limit_response([approach(limit, k) for k in STEEP], domain=(0, 1))
    assert found.jumps == ()
    np.testing.assert_allclose(found.response([0.0, 1.0]), [1.0, 3.0])
    assert any("no jump" in reason for reason in found.reasons)


# ------------------------------------------------------------------------- none recognised


def growing_alone(k):
    return rs.Network([1.0, 1.0], [-0.2, -0.7], [k, 1.0])


def jump_that_grows(k):
    """Height 8k on a width of (8k)^-1/2."""
    jump = Jump(np.ones(1), 0.5, np.zeros(1), 8 * k)
    return approach(Limit((jump,), (), np.zeros(1), 0.0), (8 * k) ** 1.5)


def bends_that_add_up(k):
    return rs.Network([1.0, 1.0], [-0.5, -0.5 - 1 / k], [k, k])


def far_apart(k):
    return rs.Network([1.0, 1.0], [-0.5, -0.7 - 1 / k], [k, -k])


def still_far(k):
    return rs.Network([1.0, 1.0], [-0.5, -0.5 - 10 / k], [k, -k])


@pytest.mark.parametrize(
    ("network", "says"),
    [
        (growing_alone, "neuron 0 has grown"),
        (jump_that_grows, "grows without bound"),
        (bends_that_add_up, "do not cancel"),
        (far_apart, "no other growing hyperplane closes in"),
        (still_far, "still 0.312 apart"),
    ],
)
def test_no_limit_is_invented(network, says):
    networks = [network(k) for k in (2.0, 4.0, 8.0, 16.0, 32.0)]
    found = rs.limit_response(networks, domain=(0, 1))
    assert found.response is None
    assert found.groups == ()
    assert found.reasons[0].startswith("no limit is recognised")
    assert says in " ".join(found.reasons)
    assert "none recognised" in repr(found)


def test_values_that_grow_have_no_limit():
    """No bend grows, but the affine part does."""
    networks = [rs.Network([1.0], [-0.5], [1.0], 0.0, [2.0**k]) for k in range(8)]
    found = rs.limit_response(networks, domain=(0, 1))
    assert found.response is None
    assert "range of the values" in " ".join(found.reasons)


# ------------------------------------------------------------------------- options, doubts


def test_jumps_are_put_on_known_places():
    """Ramps that are not centred: halfway between their ends, or where the target jumps."""
    ramps = [rs.Network([1.0, 1.0], [-0.5 + 0.2 / k, -0.5 - 0.8 / k], [k, -k]) for k in STEEP]
    free = rs.limit_response(ramps, domain=(0, 1))
    assert free.response.thresholds[0] == pytest.approx(0.5 + 0.3 / STEEP[-1], rel=1e-12)
    put = rs.limit_response(ramps, domain=(0, 1), places=[0.1, 0.5, 0.9])
    assert put.response.thresholds.tolist() == [0.5]
    np.testing.assert_allclose(put.response([0.2, 0.8]), [0, 1], atol=1e-12)
    assert any("put at 0.5" in reason for reason in put.reasons)
    away = rs.limit_response(ramps, domain=(0, 1), places=[0.51])
    assert away.response.thresholds[0] == free.response.thresholds[0]


def test_far_from_the_origin():
    """Timestamps: a jump of height 1 at 1.7e9, and a slope of 1e-3."""
    start = 1.7e9
    ramps = []
    for k in (1.0, 2.0, 4.0, 8.0, 16.0):
        w = np.full(2, k)
        ramps.append(rs.Network(w, -w * (start + np.array([-0.5, 0.5]) / k), [1.0, -1.0], 0.0))
    found = rs.limit_response(ramps, domain=(start - 100, start + 100))
    assert found.response.thresholds[0] == pytest.approx(start, abs=1e-6)
    assert found.groups[0].heights[-1] == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(found.response([start - 50, start + 50]), [0, 1], atol=1e-5)


def test_what_is_unsure_is_said():
    limit = random_limit(np.random.default_rng(0), 1, 1, 1)
    short = rs.limit_response([approach(limit, 100.0), approach(limit, 200.0)], domain=(-1, 1))
    assert any("only 2" in doubt for doubt in short.doubts)
    assert short.groups[0].distance_rate is None
    assert short.norm_rate is None
    free = rs.limit_response([approach(limit, k) for k in STEEP])
    recognised(limit, free)
    assert any("no domain" in doubt for doubt in free.doubts)
    ramps = [approach(limit, k) for k in (8.0, 16.0, 32.0, 64.0)]
    wide = rs.limit_response(ramps, domain=(-1, 1))
    assert any("still" in doubt and "apart" in doubt for doubt in wide.doubts)
    assert rs.limit_response(ramps, domain=(-1, 1), close=0.001).response is None
    moving = [rs.Network([1.0, 1.0], [-0.2, -0.5], [1.0, 1.0 + 0.1 * k], 0.0) for k in range(6)]
    assert any("still move" in d for d in rs.limit_response(moving, domain=(0, 1)).doubts)
    assert "unsure: " in str(short)


def test_refusals():
    net = rs.Network([1.0], [0.0], [1.0])
    plane = rs.Network([[1.0, 0.0]], [0.0], [1.0])

    def refused(match, *arguments, **keywords):
        with pytest.raises(rs.InputError, match=match):
            rs.limit_response(*arguments, **keywords)

    refused("needs two", [net])
    refused("another width", [net, rs.Network([1.0, 2.0], [0.0, 0.0], [1.0, 1.0])])
    refused("another inputs", [net, plane])
    refused("another activation", [net, rs.Network([1.0], [0.0], [1.0], activation=rs.leaky(0.1))])
    refused("piecewise", [rs.Network([1.0], [0.0], [1.0], activation="tanh")] * 2)
    refused("scalar", [rs.Network([1.0], [0.0], [[1.0, 2.0]])] * 2)
    refused("domain is None", [plane, plane])
    refused("domain has shape", [plane, plane], domain=(0, 1))
    refused("single point", [net, net], domain=(1, 1))
    refused("NaN", [net, net], domain=(0, np.nan))
    refused("steps must be 2", [net, net], steps=[1, 1])
    refused("steps must be 2", [net, net], steps=[1, 2, 3])
    refused("places", [plane, plane], domain=corners(2), places=[0.0])
    refused("close is 2", [net, net], close=2)
    refused("largest float", [rs.Network([1e200], [0.0], [1e200])] * 2)


def test_networks_without_neurons():
    nothing = rs.Network(np.zeros((0, 1)), np.zeros(0), np.zeros(0), 2.0)
    found = rs.limit_response([nothing, nothing], domain=(0, 1))
    assert found.response.dimension == 0
    assert found.response(0.5) == 2.0


def test_dead_neurons_and_shared_hyperplanes():
    """w = 0 is a constant; two neurons on one hyperplane are one kink, opposite ones included."""
    net = rs.Network(
        [0.0, 0.0, 1.0, 2.0, -1.0], [1.0, -1.0, -0.5, -1.0, 0.5], [3.0, 4.0, 1.0, 1.0, 1.0], 0.5
    )
    found = rs.limit_response([net, net, net], domain=(0, 1))
    assert [(g.kind, g.neurons) for g in found.groups] == [
        ("kink", (2, 3, 4)),
        ("affine", (0,)),
        ("inactive", (1,)),
    ]
    x = np.linspace(0, 1, 21)
    np.testing.assert_allclose(found.response(x), net(x), atol=1e-12)
    assert found.response.bends.tolist() == [4.0]
