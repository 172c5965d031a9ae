"""Rows from everywhere give one result: memory, disk, streams, updates, weights."""

from __future__ import annotations

import math
import weakref

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import reluscape as rs
from construction_oracle import clusters
from reluscape.construction import sources

# The order of additions differs: a few units in the last place.
ROUNDING = 1e-12


def same(a, b, tolerance=ROUNDING):
    """The same network, cost and noise up to rounding."""
    assert a.classes == b.classes
    np.testing.assert_array_equal(a.rows, b.rows)
    scale = np.abs(b.means).max()
    np.testing.assert_allclose(a.means, b.means, rtol=0, atol=tolerance * scale)
    for name in ("cost", "closed_form_cost", "class_weighted_cost", "condition"):
        assert getattr(a, name) == pytest.approx(getattr(b, name), rel=100 * tolerance), name
    np.testing.assert_allclose(a.covariance, b.covariance, rtol=1e-9, atol=1e-13)
    assert a.frame.reach == pytest.approx(b.frame.reach, rel=tolerance)
    one, two = a.compact.to_vector(), b.compact.to_vector()
    np.testing.assert_allclose(one, two, rtol=0, atol=1e-10 * np.abs(two).max())


@pytest.fixture(scope="module")
def rows():
    return clusters(np.random.default_rng(3), 6, 4, 0.3, rows=300)


@pytest.fixture(scope="module")
def made(rows):
    return rs.construct(*rows)


def test_arrays_of_every_kind(rows, made, tmp_path):
    x, labels = rows
    np.save(tmp_path / "x.npy", x)
    frame = pd.DataFrame(x, columns=list("abcdef"))
    for given_x in (
        x.tolist(),
        np.asfortranarray(x),
        x[::-1][::-1],
        np.load(tmp_path / "x.npy", mmap_mode="r"),
        frame,
        sparse.csr_matrix(x),
        sparse.coo_array(x),
        x.astype(object),
    ):
        same(rs.construct(given_x, labels), made)
    same(rs.construct(frame, pd.Series(labels)), made)
    single = rs.construct(x.astype(np.float32), labels)
    same(single, rs.construct(x.astype(np.float32).astype(np.float64), labels))
    whole = np.round(x * 10).astype(np.int16)
    same(rs.construct(whole, labels), rs.construct(whole.astype(float), labels))


def test_chunks_of_every_kind(rows, made):
    x, labels = rows
    chunks = [(x[i : i + 50], labels[i : i + 50]) for i in range(0, len(x), 50)]
    chunks.insert(2, (x[:0], labels[:0]))
    for given_x in (chunks, tuple(chunks), lambda: iter(chunks)):
        found = rs.construct(given_x)
        same(found, made)
        assert found.passes == 2
        assert found.delta_P == pytest.approx(made.delta_P, rel=ROUNDING)
    once = rs.construct(iter(chunks))
    same(once, made)
    assert once.passes == 1
    assert once.cost <= made.bound <= once.bound
    assert np.all(once.class_delta_P >= made.class_delta_P * (1 - ROUNDING))
    assert once.delta >= made.delta * (1 - ROUNDING)


def test_one_chunk_at_a_time(rows):
    x, labels = rows
    alive = []

    def chunks():
        for i in range(0, len(x), 50):
            assert all(reference() is None for reference in alive)
            some = x[i : i + 50].copy()
            alive.append(weakref.ref(some))
            yield some, labels[i : i + 50]
            del some

    rs.construct(chunks)
    rs.construct(chunks())
    assert len(alive) == 3 * 7


def test_blocks_and_parts_do_not_matter(rows, made, monkeypatch):
    monkeypatch.setattr(sources, "COPIED", 60)
    monkeypatch.setattr(sources, "VIEWED", 60)
    same(rs.construct(*rows), made)
    same(rs.construct(sparse.csr_matrix(rows[0]), rows[1]), made)


@pytest.mark.parametrize("metric", ["euclidean", "within"])
def test_updates_equal_the_batch(rows, metric):
    x, labels = rows
    batch = rs.construct(x, labels, metric=metric)
    summary = rs.ClassSummary()
    for i in range(0, len(x), 37):
        summary = summary.updated(x[i : i + 37], labels[i : i + 37])
    same(rs.construct(summary, metric=metric), batch)


@given(st.lists(st.integers(0, 308), max_size=6), st.integers(0, 2**20), st.sampled_from([0, 1e6]))
@settings(max_examples=20)
def test_cuts_of_a_stream_do_not_matter(cuts, seed, offset):
    x, labels = clusters(np.random.default_rng(seed), 3, 3, 0.3, rows=302, offset=offset)
    whole = rs.ClassSummary().updated(x, labels)
    summary = rs.ClassSummary()
    for low, high in zip([0, *sorted(cuts)], [*sorted(cuts), len(x)], strict=True):
        summary = summary.updated(x[low:high], labels[low:high])
    places = [summary.classes.index(c) for c in whole.classes]
    scale = np.abs(x).max()
    np.testing.assert_allclose(summary.means[places], whole.means, rtol=0, atol=1e-15 * scale)
    moments = whole.scatter
    away = 1e-12 * np.abs(moments).max() + 1e-15 * scale * np.abs(moments).max()
    np.testing.assert_allclose(summary.scatter[places], moments, rtol=0, atol=away)


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_means_and_scatter_far_from_the_origin(offset):
    """Against exactly rounded sums."""
    x, labels = clusters(np.random.default_rng(1), 2, 2, 0.5, rows=5000, offset=offset)
    summary = rs.ClassSummary().updated(x, labels)
    for place, label in enumerate(summary.classes):
        mine = x[labels == label]
        away = mine - mine[0]  # exact or nearly so: the values are close to each other
        shift = np.array([math.fsum(away[:, k]) / len(away) for k in range(2)])
        np.testing.assert_allclose(summary.means[place], mine[0] + shift, rtol=2.3e-16, atol=1e-15)
        about = away - shift
        direct = [[math.fsum(about[:, a] * about[:, b]) for a in range(2)] for b in range(2)]
        np.testing.assert_allclose(summary.scatter[place], direct, rtol=1e-13, atol=1e-11)


def test_weights_count_rows(rows):
    x, labels = rows
    times = np.random.default_rng(1).integers(0, 4, len(x))
    times[:8] = 1
    weighted = rs.construct(x, labels, weights=times)
    repeated = rs.construct(np.repeat(x, times, axis=0), np.repeat(labels, times))
    assert weighted.cost == pytest.approx(repeated.cost, rel=1e-12)
    assert weighted.delta_P == pytest.approx(repeated.delta_P, rel=1e-12)
    np.testing.assert_allclose(weighted.means, repeated.means, rtol=0, atol=1e-14)
    chunks = [(x[:99], labels[:99], times[:99]), (x[99:], labels[99:], times[99:])]
    same(rs.construct(chunks), weighted)
    # A row of weight 0 does not count, whatever is in it.
    broken = x.copy()
    broken[times == 0] = np.nan
    assert rs.construct(broken, labels, weights=times).cost == weighted.cost


def test_parquet(rows, made, tmp_path):
    x, labels = rows
    table = {f"x{i}": x[:, i] for i in range(6)}
    table |= {"kind": [f"c{j}" for j in labels], "heavy": np.ones(len(x))}
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table(table), path, row_group_size=64)
    found = rs.construct(path, "kind", weights="heavy")
    assert found.classes == ("c0", "c1", "c2", "c3")
    assert found.cost == pytest.approx(made.cost, rel=1e-12)
    assert found.passes == 2
    with pytest.raises(rs.InputError, match="no column 'sort' for the labels"):
        rs.construct(str(path), "sort")
    with pytest.raises(rs.FileError, match="as Parquet"):
        rs.construct(tmp_path / "none.parquet", "kind")
    table["x3"] = np.where(np.arange(len(x)) == 17, np.nan, x[:, 3])
    pq.write_table(pa.table(table), path)
    with pytest.raises(rs.InputError, match=r"NaN in row 17, column 3 \(class 'c"):
        rs.construct(path, "kind", weights="heavy")


def test_within_is_the_mahalanobis_distance(rows):
    x, labels = rows
    made = rs.construct(x, labels, Y="means", metric="within", lift=True)
    pooled = sum(
        (x[labels == j] - x[labels == j].mean(axis=0)).T
        @ (x[labels == j] - x[labels == j].mean(axis=0))
        for j in range(4)
    ) / len(x)
    inverse = np.linalg.inv(pooled)
    means = made.means
    away = np.array([np.einsum("ni,ij,nj->n", x - m, inverse, x - m) for m in means]).T
    np.testing.assert_array_equal(made.classify(x), away.argmin(axis=1))
    # The part outside the subspace is the same for all classes.
    squares = np.square(made.distances(x))
    np.testing.assert_allclose(
        squares - squares[:, :1], away - away[:, :1], rtol=0, atol=1e-9 * away.max()
    )
    out = made.network(x)
    direct = np.linalg.norm(out[:, np.newaxis] - made.Y.T, axis=2)
    np.testing.assert_allclose(direct, made.distances(x), rtol=0, atol=1e-10 * direct.max())
    units = np.array([1e-6, 1.0, 1e6, 3.0, 1e3, 0.1])
    rescaled = rs.construct(x * units, labels, Y="means", metric="within", lift=True)
    np.testing.assert_array_equal(rescaled.classify(x * units), made.classify(x))
    assert rescaled.delta_P == pytest.approx(made.delta_P, rel=1e-9)
