"""A network is a value: evaluation, vectors, states, files."""

from __future__ import annotations

import json
from math import inf, nan

import numpy as np
import pytest

import reluscape as rs
from records import Plain


def make(seed: int, width: int = 4, *, skip: bool = False, slope: float = 0.0):
    rng = np.random.default_rng(seed)
    plain = Plain.of(rng.normal(size=3 * width + 1 + skip), skip=skip, slope=slope)
    net = rs.Network.from_vector(
        plain.theta(), skip=skip, activation=rs.leaky(slope) if slope else "relu"
    )
    return plain, net


@pytest.mark.parametrize("slope", [0.0, 0.3])
@pytest.mark.parametrize("skip", [False, True])
def test_evaluation_and_vector(skip, slope):
    plain, net = make(1, skip=skip, slope=slope)
    x = np.linspace(-3, 3, 50)
    np.testing.assert_allclose(net(x), plain(x), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(net(x[:, None]), plain(x), rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(net.to_vector(), plain.theta())
    np.testing.assert_allclose(net.breakpoints(), plain.kinks(), rtol=1e-15)
    assert (net.width, net.inputs, net.targets) == (4, 1, 1)


def test_shapes_with_several_inputs_and_targets():
    rng = np.random.default_rng(2)
    w, b, v, c = rng.normal(size=(5, 3)), rng.normal(size=5), rng.normal(size=(5, 2)), [1.0, -1.0]
    u = rng.normal(size=(3, 2))
    net = rs.Network(w, b, v, c, skip=u)
    x = rng.normal(size=(7, 3))
    expected = np.maximum(x @ w.T + b, 0) @ v + x @ u + c
    np.testing.assert_allclose(net(x), expected, rtol=1e-13, atol=1e-13)
    vector = np.concatenate([w.ravel(), b, v.ravel(), c, u.ravel()])
    np.testing.assert_array_equal(net.to_vector(), vector)


def test_breakpoints_leave_out_flat_neurons():
    net = rs.Network([2.0, 0.0, -1.0], [1.0, 1.0, 3.0], [1.0, 1.0, 1.0])
    np.testing.assert_array_equal(net.breakpoints(), [-0.5, 3.0])


def test_six_states_exactly_one_each():
    a, b = -1.0, 2.0
    rng = np.random.default_rng(3)
    pairs = [(0, 0), (0, 1), (0, -1), (1, 1), (-1, 2), (1, -2), (-1, -1), (1, 0), (-1, 0), (1, 3)]
    pairs += [(float(s), float(t)) for s, t in rng.normal(size=(40, 2))]
    w, bias = (np.array(t, dtype=float) for t in zip(*pairs, strict=True))
    states = rs.Network(w, bias, np.ones(len(w))).neuron_states(a, b)
    assert len(states) == len(pairs)
    for (wj, bj), state in zip(pairs, states, strict=True):
        ends = (wj * a + bj, wj * b + bj)
        if wj == 0 and bj == 0:
            expected = "degenerate"
        elif max(ends) < 0:
            expected = "inactive"
        elif max(ends) == 0:
            expected = "semi-inactive"
        elif wj == 0:
            expected = "semi-active"
        elif min(ends) >= 0:
            expected = "type-1-active"
        else:
            expected = "type-2-active"
        assert state.kind == expected, (wj, bj)
        assert not state.flat


@pytest.mark.parametrize("suffix", [".json", ".npz"])
@pytest.mark.parametrize("skip", [False, True])
def test_files_keep_every_bit(tmp_path, suffix, skip):
    _, net = make(4, width=6, skip=skip, slope=0.1)
    awkward = net.to_vector()
    awkward[:4] = [5e-324, -0.0, 1.7976931348623157e308, 0.1 + 0.2]
    net = rs.Network.from_vector(awkward, skip=skip, activation=rs.leaky(0.1))
    path = tmp_path / f"net{suffix}"
    net.save(path)
    back = rs.load_network(path)
    assert back == net
    assert back.to_vector().tobytes() == net.to_vector().tobytes()
    assert (back.skip is None) == (not skip)
    assert back.activation == net.activation


def test_shapes_survive_files(tmp_path):
    rng = np.random.default_rng(9)
    net = rs.Network(
        rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=(3, 2)), rng.normal(size=2)
    )
    net.save(tmp_path / "net.json")
    back = rs.load_network(tmp_path / "net.json")
    assert back == net
    assert back.weights.shape == (3, 2)


@pytest.mark.parametrize("suffix", [".json", ".npz"])
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.95])
def test_truncated_files_are_refused(tmp_path, suffix, keep):
    path = tmp_path / f"net{suffix}"
    make(5)[1].save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(rs.InputError, match=r"net\.\w+"):
        rs.load_network(path)


@pytest.mark.parametrize(
    "text",
    ["{}", "[]", "null", "3", '{"weights": [[1]]}', '{"format": "other"}', "\x00\x01", "a,b\n1,2"],
)
def test_foreign_files_are_refused(tmp_path, text):
    for suffix in (".json", ".npz"):
        path = tmp_path / f"net{suffix}"
        path.write_text(text)
        with pytest.raises(rs.InputError):
            rs.load_network(path)


def test_another_version_is_refused(tmp_path):
    path = tmp_path / "net.json"
    make(6)[1].save(path)
    document = json.loads(path.read_text())
    keys = [k for k, t in document.items() if "version" in k and isinstance(t, (int, str))]
    assert keys, "the file says which version it is"
    document[keys[0]] = 999 if isinstance(document[keys[0]], int) else "999"
    path.write_text(json.dumps(document))
    with pytest.raises(rs.InputError, match="version"):
        rs.load_network(path)


def test_missing_file_and_directory(tmp_path):
    with pytest.raises(rs.InputError):
        rs.load_network(tmp_path / "none.json")
    with pytest.raises(rs.InputError):
        rs.load_network(tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ([1.0, 2.0], [1.0], [1.0]),
        ([1.0], [1.0, 2.0], [1.0]),
        ([1.0], [1.0], [1.0, 2.0]),
        ([nan], [1.0], [1.0]),
        ([1.0], [inf], [1.0]),
        ([1.0], [1.0], [-inf]),
        ([1.0], [1.0], [1.0], nan),
        ([1.0], [1.0], [1.0], 0.0, [1.0, 2.0]),
        (["x"], [1.0], [1.0]),
    ],
)
def test_bad_parameters_are_refused(arguments):
    with pytest.raises(rs.InputError):
        rs.Network(*arguments)


@pytest.mark.parametrize("slope", [0.0, 1.0, -0.5, nan, inf])
def test_bad_leaky_slopes_are_refused(slope):
    with pytest.raises(rs.InputError):
        rs.leaky(slope)


@pytest.mark.parametrize("length", [1, 2, 5, 6])
def test_wrong_vector_lengths_are_refused(length):
    if length == 1:
        assert rs.Network.from_vector(np.ones(1)).width == 0
        return
    with pytest.raises(rs.InputError):
        rs.Network.from_vector(np.ones(length))


def test_networks_do_not_change_under_the_hand():
    weights = np.array([1.0, 2.0])
    net = rs.Network(weights, [0.0, 0.0], [1.0, 1.0])
    weights[0] = 9.0
    assert net.to_vector()[0] == 1.0
    with pytest.raises((ValueError, AttributeError)):
        net.weights[0, 0] = 3.0


@pytest.mark.parametrize("skip", [False, True])
def test_canonical_is_the_same_function(skip):
    net = rs.Network(
        [1.0, 2.0, -1.0, 0.0, 1.0, 0.0, -3.0],
        [-1.0, -2.0, 0.5, 2.0, 4.0, 0.0, 1.0],
        [1.0, 0.5, -1.0, 3.0, 0.0, 1.0, 0.25],
        0.5,
        skip=[1.0] if skip else None,
    )
    x = np.linspace(-4, 4, 801)
    short = net.canonical()
    np.testing.assert_allclose(short(x), net(x), atol=1e-13)
    assert short.width <= 5  # two share the kink 1, one is flat, one off, one constant
    np.testing.assert_allclose(short.canonical().to_vector(), short.to_vector(), atol=1e-14)
