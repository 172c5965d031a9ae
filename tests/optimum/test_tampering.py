"""A certificate that was changed, or is shown other data, proves nothing; a broken file says so."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from base64 import b64decode, b64encode
from dataclasses import replace

import numpy as np
import pytest

import reluscape as rs
from optimum_oracle import least_risk
from reluscape.cli.app import main


def noisy_sine(n, seed=0, noise=0.3):
    draw = np.random.default_rng(seed)
    x = np.sort(draw.uniform(0, 1, n))
    return x, np.sin(6 * x) + noise * draw.normal(size=n)


@pytest.fixture(scope="module")
def rows():
    return noisy_sine(60)


@pytest.fixture(scope="module")
def data(rows):
    return rs.Samples(*rows)


@pytest.fixture(scope="module")
def proof(data):
    return rs.fit(data, 3, certify=True).certificate


@pytest.fixture(scope="module")
def few():
    """Few rows, their certificate, and the true minimum."""
    x, y = noisy_sine(9, seed=1)
    data = rs.Samples(x, y)
    return data, rs.fit(data, 2, certify=True).certificate, least_risk(x, y, 2)


@pytest.fixture(scope="module")
def leafy():
    """Rows whose certificate has leaves."""
    x, y = np.arange(7.0), np.array([0.0, -3.0, 1.0, 1.0, 3.0, -1.0, -3.0])
    data = rs.Samples(x, y)
    return data, rs.fit(data, 3, certify=True).certificate, least_risk(x, y, 3)


def with_sweeps(proof, change):
    """Change every sweep."""
    steps = tuple(
        replace(step, sweeps=tuple(change(sweep) for sweep in step.sweeps)) for step in proof.steps
    )
    return replace(proof, steps=steps)


def with_leaves(proof, change):
    steps = tuple(
        replace(step, leaves=tuple(change(leaf) for leaf in step.leaves)) for step in proof.steps
    )
    return replace(proof, steps=steps)


def refuted(certificate, problem):
    """Whether a malformed certificate is refused or does not hold."""
    try:
        return not rs.check(certificate, problem).holds
    except rs.InputError:
        return True


def multipliers_used(step):
    return any(np.any(part.multipliers) for part in (*step.sweeps, *step.leaves))


def test_untouched(data, proof, few):
    for problem, certificate in ((data, proof), few[:2]):
        verdict = rs.check(certificate, problem)
        assert verdict.holds
        assert verdict.lower_bound == certificate.lower_bound
        assert verdict.risk == pytest.approx(certificate.risk, rel=1e-12)


@pytest.mark.parametrize("times", [1 + 1e-9, 1.0001, 2.0, np.inf, np.nan])
def test_a_bound_above_the_risk(data, proof, times):
    assert not rs.check(replace(proof, lower_bound=proof.risk * times), data).holds


@pytest.mark.parametrize("times", [1 + 1e-9, 1.01, 10.0])
def test_a_bound_and_a_risk_above_the_minimum(few, times):
    problem, certificate, least = few
    claimed = replace(certificate, lower_bound=least * times, risk=least * times * 1.01)
    assert not rs.check(claimed, problem).holds
    # the risk of another network, honestly stated, proves no more
    flat = rs.Network([], [], [], 0.0, [0.0])
    claimed = replace(certificate, lower_bound=least * times, risk=problem.risk(flat), network=flat)
    assert not rs.check(claimed, problem).holds


@pytest.mark.parametrize("bound", [-1.0, -np.inf])
def test_a_negative_bound_is_at_most_empty(data, proof, bound):
    verdict = rs.check(replace(proof, lower_bound=bound), data)
    assert not verdict.holds or verdict.lower_bound <= 0


@pytest.mark.parametrize("activation", [rs.leaky(0.5), "square"])
def test_a_network_of_another_activation(data, proof, activation):
    net = proof.network
    other = rs.Network(net.weights, net.biases, net.outputs, net.offset, net.skip, activation)
    verdict = rs.check(replace(proof, network=other), data)
    assert not verdict.holds
    assert "ReLU" in verdict.reason


def test_no_steps(data, proof):
    assert not rs.check(replace(proof, steps=()), data).holds


def test_no_sweeps(data, proof):
    steps = tuple(replace(step, sweeps=()) for step in proof.steps)
    assert not rs.check(replace(proof, steps=steps), data).holds


@pytest.mark.parametrize("which", ["sine", "few"])
@pytest.mark.parametrize("times", [0.0, -1.0, np.nan, np.inf])
def test_other_multipliers(request, which, times):
    if which == "few":
        problem, certificate, _ = request.getfixturevalue("few")
    else:
        problem, certificate = request.getfixturevalue("data"), request.getfixturevalue("proof")

    def scaled(part):
        with np.errstate(invalid="ignore"):
            return replace(part, multipliers=np.asarray(part.multipliers) * times)

    changed = with_leaves(with_sweeps(certificate, scaled), scaled)
    assert not rs.check(changed, problem).holds


def test_random_multipliers_prove_nothing_false(few):
    problem, certificate, least = few
    draw = np.random.default_rng(5)
    for scale in (0.1, 1.0, 10.0, 1e3, 1e300):

        def random(part, scale=scale):
            return replace(part, multipliers=scale * draw.normal(size=part.multipliers.shape))

        for bound in (certificate.lower_bound, least * 1.001, least * 2):
            changed = with_leaves(with_sweeps(certificate, random), random)
            verdict = rs.check(replace(changed, lower_bound=bound, risk=bound * 1.001), problem)
            assert not verdict.holds


def test_keys_of_other_nodes(data, proof):
    def turned(sweep):
        return replace(sweep, multipliers=np.asarray(sweep.multipliers)[::-1].copy())

    assert not rs.check(with_sweeps(proof, turned), data).holds


@pytest.mark.parametrize("key", [-1, 10**9, 2**62])
def test_keys_out_of_range(data, proof, key):
    def moved(sweep):
        return replace(sweep, keys=np.full_like(sweep.keys, key))

    assert refuted(with_sweeps(proof, moved), data)


def test_arrays_of_other_lengths(data, proof):
    def shorter(sweep):
        return replace(sweep, keys=sweep.keys[:-1])

    def fewer(sweep):
        return replace(sweep, multipliers=sweep.multipliers[:-1])

    for change in (shorter, fewer):
        assert refuted(with_sweeps(proof, change), data)


def test_sweeps_turned_round(data, proof):
    def turned(sweep):
        return replace(sweep, backward=not sweep.backward)

    assert not rs.check(with_sweeps(proof, turned), data).holds


@pytest.mark.parametrize("times", [1.0001, 1.1])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("backward", [True, False])
def test_sweeps_all_in_one_direction(few, times, count, backward):
    problem, certificate, least = few
    step = certificate.steps[0]
    empty = replace(step.sweeps[0], backward=backward)
    alike = tuple(replace(sweep, backward=backward) for sweep in step.sweeps)
    for sweeps in ((empty,) * count, alike):
        changed = replace(certificate, steps=(replace(step, sweeps=sweeps),))
        assert refuted(replace(changed, lower_bound=least * times), problem)


def test_each_step_is_needed():
    x, y = noisy_sine(300)
    problem = rs.Samples(x, y)
    certificate = rs.fit(problem, 3, certify=True).certificate
    assert rs.check(certificate, problem).holds
    for i, step in enumerate(certificate.steps):
        if multipliers_used(step):
            others = certificate.steps[:i] + certificate.steps[i + 1 :]
            assert not rs.check(replace(certificate, steps=others), problem).holds, i


def test_steps_out_of_order(data, proof):
    verdict = rs.check(replace(proof, steps=proof.steps[::-1]), data)
    assert verdict.holds == (len(proof.steps) == 1)


def test_a_larger_width(data, proof):
    best = rs.fit(data, 4).risk
    assert best < proof.lower_bound
    for width in (4, 5, 58, 10**6):
        assert not rs.check(replace(proof, width=width), data).holds


def test_a_smaller_width(data, proof, few):
    # true of fewer breakpoints too, so it may hold; it must not crash
    for width in (2, 1, 0):
        rs.check(replace(proof, width=width), data)
    problem, certificate, _ = few
    for width in (3, 4, 7):
        assert not rs.check(replace(certificate, width=width), problem).holds
    for width in (-1, -(10**9)):
        assert refuted(replace(proof, width=width), data)


@pytest.mark.parametrize("times", [1.001, 0.999, 0.0, np.nan, np.inf])
def test_a_misstated_risk(data, proof, times):
    assert refuted(replace(proof, risk=proof.risk * times), data)


def test_another_network(data, proof):
    network = proof.network
    changed = rs.Network(
        np.asarray(network.weights),
        np.asarray(network.biases),
        np.asarray(network.outputs) * 1.5,
        network.offset,
        np.asarray(network.skip),
    )
    assert not rs.check(replace(proof, network=changed), data).holds
    wider = rs.fit(data, 5)
    claimed = replace(proof, network=wider.network, risk=wider.risk, lower_bound=wider.risk / 2)
    assert not rs.check(claimed, data).holds


@pytest.mark.parametrize("times", [0.0, -1.0, 2.0, 0.5, 1e-300, 1e300, np.nan])
def test_another_unit_proves_nothing_more(few, times):
    problem, certificate, least = few
    for bound in (least * 1.001, least * 4):
        claimed = replace(
            certificate, unit=certificate.unit * times, lower_bound=bound, risk=bound * 1.001
        )
        assert not rs.check(claimed, problem).holds


def test_other_data(rows, proof):
    x, y = rows
    others = [
        rs.Samples(x, np.append(y[:-1], y[-1] + 1e-9)),
        rs.Samples(np.append(x[:-1], x[-1] + 1e-9), y),
        rs.Samples(x, y[::-1].copy()),
        rs.Samples(*noisy_sine(60, seed=1)),
        rs.Samples(x[:-1], y[:-1]),
        rs.Samples(x, y, np.linspace(0.1, 1, 60)),
        rs.Samples(np.append(x, 0.5), np.append(y, 0.0)),
    ]
    for other in others:
        with pytest.raises(rs.InputError):
            rs.check(proof, other)


def test_leaves(leafy):
    problem, certificate, least = leafy
    assert any(step.leaves for step in certificate.steps)
    assert rs.check(certificate, problem).holds

    def without(step):
        return replace(step, leaves=())

    def scaled(times):
        def change(leaf):
            return replace(leaf, multipliers=times * np.asarray(leaf.multipliers))

        return change

    def turned(leaf):
        return replace(leaf, signs=tuple(-s for s in leaf.signs))

    def moved(leaf):
        return replace(leaf, gaps=tuple(g + 1 for g in leaf.gaps))

    changed = [
        replace(certificate, steps=tuple(without(step) for step in certificate.steps)),
        *(
            with_leaves(certificate, change)
            for change in (scaled(-1.0), scaled(1e9), turned, moved)
        ),
    ]
    for other in changed:
        assert refuted(replace(other, lower_bound=least * 1.0001), problem)
    assert refuted(changed[0], problem)
    assert refuted(changed[-1], problem)


def test_rows_of_another_count(data, proof):
    with pytest.raises(rs.InputError):
        rs.check(replace(proof, rows=59), data)


def test_other_weights(rows):
    x, y = rows
    weights = np.random.default_rng(3).uniform(0.1, 1, 60)
    problem = rs.Samples(x, y, weights)
    certificate = rs.fit(problem, 2, certify=True).certificate
    assert rs.check(certificate, problem).holds
    turned = np.random.default_rng(4).permutation(60)
    assert rs.check(certificate, rs.Samples(x[turned], y[turned], weights[turned])).holds
    for other in (weights * 2, weights[::-1].copy(), None):
        with pytest.raises(rs.InputError):
            rs.check(certificate, rs.Samples(x, y, other))


def test_the_same_data_in_another_order(rows, proof):
    x, y = rows
    turned = np.random.default_rng(1).permutation(60)
    for order in (slice(None, None, -1), turned):
        verdict = rs.check(proof, rs.Samples(x[order], y[order]))
        assert verdict.holds
        assert verdict.lower_bound == proof.lower_bound


@pytest.mark.parametrize("problem", [None, 3, "data"])
def test_no_data_at_all(proof, problem):
    with pytest.raises(rs.InputError):
        rs.check(proof, problem)


def test_files_come_back_the_same(tmp_path, data, proof):
    path = tmp_path / "proof.json"
    proof.save(path)
    again = rs.load_certificate(path)
    assert rs.check(again, data) == rs.check(proof, data)
    again.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


@pytest.fixture(scope="module")
def saved(tmp_path_factory, few):
    path = tmp_path_factory.mktemp("files") / "few.json"
    few[1].save(path)
    return path.read_bytes()


def test_truncated_files(tmp_path, saved):
    path = tmp_path / "short.json"
    for length in np.linspace(0, len(saved.rstrip()) - 1, 60).astype(int):
        path.write_bytes(saved[:length])
        with pytest.raises(rs.FileError):
            rs.load_certificate(path)


def test_another_version(tmp_path, saved):
    document = json.loads(saved)
    names = [name for name in document if "version" in name]
    assert len(names) == 1, sorted(document)
    path = tmp_path / "later.json"
    for version in (997, "997"):
        document[names[0]] = version
        path.write_text(json.dumps(document))
        with pytest.raises(rs.FileError, match="997"):
            rs.load_certificate(path)


def test_other_files(tmp_path, proof):
    path = tmp_path / "other.json"
    texts = [
        "{}",
        "[]",
        "null",
        "3",
        '"certificate"',
        '{"a": [1, 2]}',
        "not json",
        "\x00",
        "[" * 9999,
    ]
    for text in texts:
        path.write_text(text)
        with pytest.raises(rs.FileError):
            rs.load_certificate(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(rs.FileError):
        rs.load_certificate(path)
    proof.network.save(path)
    with pytest.raises(rs.FileError):
        rs.load_certificate(path)
    with pytest.raises(rs.FileError):
        rs.load_certificate(tmp_path / "nothing.json")
    with pytest.raises(rs.FileError):
        rs.load_certificate(tmp_path)


def claims(path, problem):
    """The bound that a file proves; 0 where it is refused. Anything else is a crash."""
    try:
        verdict = rs.check(rs.load_certificate(path), problem)
    except rs.InputError:
        return 0.0
    return verdict.lower_bound if verdict.holds else 0.0


def test_flipped_bytes(tmp_path, saved, few):
    problem, _, least = few
    draw = np.random.default_rng(7)
    path = tmp_path / "flipped.json"
    for trial in range(300):
        broken = bytearray(saved)
        for at in draw.integers(0, len(saved), draw.integers(1, 4)):
            # half of them stay digits, so that the file can still be read
            broken[at] = draw.integers(48, 58) if trial % 2 else draw.integers(0, 256)
        path.write_bytes(bytes(broken))
        assert claims(path, problem) <= least * (1 + 1e-9), trial


def test_flipped_bytes_inside_the_arrays(tmp_path, saved, few):
    problem, _, least = few
    draw = np.random.default_rng(8)
    path = tmp_path / "flipped.json"
    arrays = [
        name
        for name, part in json.loads(saved).items()
        if isinstance(part, dict) and zlib.decompress(b64decode(part.get("data", "eJwDAAAAAAE=")))
    ]
    assert arrays
    for trial in range(300):
        document = json.loads(saved)
        name = arrays[trial % len(arrays)]
        raw = bytearray(zlib.decompress(b64decode(document[name]["data"])))
        for at in draw.integers(0, len(raw), draw.integers(1, 4)):
            raw[at] = draw.choice([0, 1, 2, 3, 127, 128, 255, draw.integers(0, 256)])
        document[name]["data"] = b64encode(zlib.compress(bytes(raw))).decode()
        # as much as there is to gain by a lie
        document["lower_bound"] = float(document_bound(document, least, trial)).hex()
        path.write_text(json.dumps(document))
        assert claims(path, problem) <= least * (1 + 1e-9), (trial, name)


def document_bound(document, least, trial):
    """The bound as it is, or one that is not true."""
    return float.fromhex(document["lower_bound"]) if trial % 3 else least * (1 + 1e-7)


def places(value, path=()):
    """Every place in a JSON document, lists of numbers as one place."""
    yield path
    if isinstance(value, dict):
        for name, part in value.items():
            yield from places(part, (*path, name))
    elif isinstance(value, list):
        for i, part in enumerate(value[:3]):
            yield from places(part, (*path, i))


def test_every_part_replaced_by_something_else(tmp_path, saved, few):
    problem, _, least = few
    path = tmp_path / "changed.json"
    for where in list(places(json.loads(saved)))[1:]:
        for junk in (None, -1, 1e300, "x", [], {}, [[None]], True, 2**70, float("nan")):
            document = json.loads(saved)
            parent = document
            for name in where[:-1]:
                parent = parent[name]
            parent[where[-1]] = junk
            path.write_text(json.dumps(document))
            assert claims(path, problem) <= least * (1 + 1e-9), (where, junk)


@pytest.fixture
def folder(tmp_path, rows):
    lines = [f"{a!r},{b!r}" for a, b in zip(*(part.tolist() for part in rows), strict=True)]
    (tmp_path / "data.csv").write_text("\n".join(["x,y", *lines]) + "\n")
    (tmp_path / "other.csv").write_text("\n".join(["x,y", *lines[:-1], "0.5,0.5"]) + "\n")
    return tmp_path


def run(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "reluscape", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_command_line(folder, capsys, monkeypatch):
    made = run(folder, "fit", "data.csv", "-k", "2", "--certify", "--certificate", "c.json")
    assert made.returncode == 0, made.stderr
    shown = run(folder, "check", "c.json", "data.csv")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "holds" in shown.stdout
    assert "not hold" not in shown.stdout

    document = json.loads((folder / "c.json").read_text())
    document["lower_bound"] = raised(document["lower_bound"])
    (folder / "raised.json").write_text(json.dumps(document))
    monkeypatch.chdir(folder)
    assert main(["check", "raised.json", "data.csv"]) == 1
    shown = capsys.readouterr()
    assert "not hold" in shown.out
    assert shown.err == ""

    for words in (("c.json", "other.csv"), ("data.csv", "data.csv"), ("none.json", "data.csv")):
        assert main(["check", *words]) == 2, words
        shown = capsys.readouterr()
        assert shown.out == ""
        assert len(shown.err.splitlines()) == 1, shown.err


def raised(number):
    """Twice a number, however the file writes it."""
    if isinstance(number, str):
        return (2 * float.fromhex(number)).hex() if "0x" in number else repr(2 * float(number))
    return 2 * number


def test_certificate_needs_certify(folder, capsys):
    path = folder / "c.json"
    assert main(["fit", str(folder / "data.csv"), "-k", "2", "--certificate", str(path)]) == 2
    assert "--certify" in capsys.readouterr().err
    assert not path.exists()


@pytest.mark.parametrize("size", [1e160, 1e300])
def test_multipliers_whose_prices_overflow(size):
    # A price that can not be bounded is no reason to delete what comes after it.
    rng = np.random.default_rng(3)
    x = np.sort(rng.uniform(0, 1, 14))
    y = 3 * np.abs(x - 0.35) - 3 * np.abs(x - 0.7) + 0.05 * rng.normal(size=14)
    data = rs.Samples(x, y)
    found = rs.fit(data, 2, certify=True)
    (step,) = found.certificate.steps
    gaps = np.arange(1, 14)
    # On single first breakpoints only; the sweeps of the search then delete all pairs.
    keys = np.unique([(kind * 15 + g) * 15 + h for kind in (0, 1) for g in gaps for h in gaps])
    none = replace(step.sweeps[0], keys=keys[:0], multipliers=np.zeros((0, 3)))
    heavy = replace(none, backward=False, keys=keys, multipliers=np.full((len(keys), 3), size))
    forged = replace(
        found.certificate,
        network=rs.Network([], [], [], 0.0, [0.0]),
        risk=data.risk(rs.Network([], [], [], 0.0, [0.0])),
        lower_bound=1.02 * found.risk,
        steps=(replace(step, sweeps=(none, heavy, *step.sweeps)),),
    )
    assert not rs.check(forged, data).holds
