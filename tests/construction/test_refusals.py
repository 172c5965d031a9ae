"""Hypotheses that fail, and bad input: what is said, and what is offered."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from construction_oracle import clusters, cost


@pytest.fixture
def space():
    rng = np.random.default_rng(0)
    return clusters(rng, 4, 3, 0.2)


def test_more_classes_than_inputs():
    x, labels = clusters(np.random.default_rng(1), 2, 3, 0.1)
    with pytest.raises(rs.InputError, match=r"3 classes and 2 inputs.*lift=True .* works"):
        rs.construct(x, labels)
    made = rs.construct(x, labels, lift=True)
    assert any("lifted" in remark for remark in made.remarks)
    assert made.lifted
    assert cost(made.network, x, labels, np.eye(3)) == pytest.approx(made.cost, rel=1e-11)
    assert made.cost == pytest.approx(made.closed_form_cost, rel=1e-11)
    assert made.cost <= made.bound
    # With one constant input more than inputs, a free outer bias adds nothing.
    assert made.exact.affine == pytest.approx(made.exact.tied, rel=1e-9)


def test_more_classes_than_inputs_and_one():
    x, labels = clusters(np.random.default_rng(1), 2, 5, 0.1, rows=100)
    with pytest.raises(rs.InputError, match=r'5 classes and 2 inputs.*Y="means" .* works'):
        rs.construct(x, labels)
    with pytest.raises(rs.InputError, match=r'with the constant one.*Y="means" .* works'):
        rs.construct(x, labels, lift=True)
    made = rs.construct(x, labels, Y="means")
    assert any("S4 does not apply" in remark for remark in made.remarks)
    assert made.exact is None
    assert made.Y.shape == (2, 5)
    assert cost(made.network, x, labels, made.Y) == pytest.approx(made.closed_form_cost, rel=1e-11)
    assert made.cost <= made.bound
    means = np.array([x[labels == j].mean(axis=0) for j in range(5)])
    nearest = np.linalg.norm(x[:, np.newaxis] - means, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(made.classify(x), nearest)


def test_dependent_means_are_named():
    means = {"a": [1.0, 0, 0, 0], "b": [2.0, 0, 0, 0], "c": [0, 0, 1.0, 0]}
    x = [np.add(m, s) for m in means.values() for s in ([0, 0, 0, 0.5], [0, 0, 0, -0.5])]
    labels = [c for c in means for _ in range(2)]
    with pytest.raises(
        rs.InputError, match=r"classes 'a', 'b' depend linearly.*lift=True .* works"
    ):
        rs.construct(x, labels)
    assert rs.construct(x, labels, lift=True).classify(x).tolist() == labels


def test_affinely_dependent_means():
    x = [[v + s, 0.0, s] for v in (0.0, 1.0, 2.0) for s in (0.1, -0.1)]
    labels = [v for v in (0, 1, 2) for _ in range(2)]
    with pytest.raises(rs.InputError, match=r"depend affinely on each other"):
        rs.construct(x, labels, lift=True)
    assert rs.construct(x, labels, Y="means", lift=True).classify(x).tolist() == labels


def test_means_that_are_all_zero():
    x, labels = [[1.0], [-1.0], [2.0], [-2.0]], [0, 0, 1, 1]
    with pytest.raises(rs.InputError, match="all class means are zero"):
        rs.construct(x, labels, Y="means")


def test_one_row_and_constant_inputs_are_remarked(space):
    x, labels = space
    x = np.column_stack([x, np.full(len(x), 7.0)])
    x, labels = np.vstack([x, x[:1] + 3.0]), np.append(labels, 9)
    x[-1, 4] = 7.0
    remarks = " ".join(rs.construct(x, labels).remarks)
    assert "One row only, so no noise is seen: 9" in remarks
    assert "constant tell nothing: column 4" in remarks


def test_ill_conditioned_means_warn_with_the_condition_number():
    x = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 1e-9], [1.0, 1e-9]])
    with pytest.warns(rs.IllConditionedWarning, match=r"condition number 2e\+09"):
        made = rs.construct(x, [0, 0, 1, 1])
    # sqrt((2 + t) / (2 - t)) with the singular values of [[1, 1], [0, 1e-9]]: 2e9 to first order.
    assert made.condition == pytest.approx(2e9, rel=1e-6)
    assert made.classify(x).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    "labels",
    [
        ["x", "y", "z"],
        [("a", 1), ("b", 2), ("c",)],
        [1, "one", None],
        [True, False, "maybe"],
        [frozenset({1}), frozenset({2}), 3.5],
        [np.int64(4), np.str_("s"), 2.5],
    ],
)
def test_labels_of_any_hashable_kind(labels, space):
    x, codes = space
    made = rs.construct(x, [labels[j] for j in codes])
    plain = rs.construct(x, codes)
    assert made.cost == pytest.approx(plain.cost, rel=1e-12)
    assert [labels.index(c) for c in made.classify(x)] == plain.classify(x).tolist()
    assert made.distance(x[0], labels[1]) == pytest.approx(plain.distance(x[0], 1), rel=1e-11)


def bad(x, **changes):
    x = x.copy()
    for place, value in changes.values():
        x[place] = value
    return x


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda x, y: rs.construct(x, np.zeros(len(x))), "one class only, 0.0"),
        (lambda x, y: rs.construct(bad(x, a=((7, 2), np.nan)), y), r"NaN in row 7, column 2 \(cl"),
        (lambda x, y: rs.construct(bad(x, a=((5, 1), np.inf)), y), r"infinite in row 5, column 1"),
        (lambda x, y: rs.construct(bad(x, a=((5, 1), 1e200)), y), r"beyond 1e150"),
        (lambda x, y: rs.construct(x, [*y[:-1].tolist(), np.nan]), "label in row 23 is NaN"),
        (lambda x, y: rs.construct(x, np.append(y[:-1] * 1.0, np.nan)), "row 23 is NaN"),
        (lambda x, y: rs.construct(x, [[1]] * len(x)), r"label in row 0 is a list.*hashed"),
        (lambda x, y: rs.construct(x, y[:-1]), r"23 labels for 24 rows"),
        (lambda x, y: rs.construct(x, y[:, np.newaxis]), r"labels have shape \(24, 1\)"),
        (lambda x, y: rs.construct(x, "species"), "labels are a str"),
        (lambda x, y: rs.construct(x[:, 0], y), r"X has shape \(24,\); give \(rows, inputs\)"),
        (lambda x, y: rs.construct(x.astype(str), y), "give real numbers"),
        (lambda x, y: rs.construct(x[:0], y[:0]), "no rows"),
        (lambda x, y: rs.construct(x[:, :0], y), "no columns"),
        (lambda x, y: rs.construct(x), "without labels"),
        (lambda x, y: rs.construct(7), "without labels"),
        (lambda x, y: rs.construct(x, y, weights=y - 1.0), r"weight in row \d+ is -1"),
        (lambda x, y: rs.construct(x, y, weights=0 * y), "no rows with a positive weight"),
        (lambda x, y: rs.construct(x, y, weights=y[:3]), r"weights have shape \(3,\)"),
        (lambda x, y: rs.construct(x, y, Y=np.eye(2)), r"Y has shape \(2, 2\); the 3 classes"),
        (lambda x, y: rs.construct(x, y, Y="mean"), 'give "means"'),
        (lambda x, y: rs.construct(x, y, Y=np.full((3, 3), np.nan)), "Y holds 9 NaN"),
        (lambda x, y: rs.construct(x, y, metric="cosine"), "metric is 'cosine'"),
        (lambda x, y: rs.construct(x[:3], y[:3] * 0 + [0, 1, 2], metric="within"), "no class has"),
        (lambda x, y: rs.construct(rs.ClassSummary()), "no rows"),
        (lambda x, y: rs.construct(rs.ClassSummary().updated(x, y), y), "has labels"),
        (lambda x, y: rs.construct(rs.ClassSummary(scatter=False).updated(x, y)), "no scatter"),
        (lambda x, y: rs.construct([(x, y), (x[:, :3], y)]), "from row 24 on has 3 inputs"),
        (lambda x, y: rs.construct([(x, y), x]), "chunk from row 24 on is no pair"),
        (lambda x, y: rs.construct([(x, y)], weights=y), "inside them"),
        (lambda x, y: rs.ClassSummary(classes=[0, 1]).updated(x, y), r"class 2 appears in row 4"),
        (lambda x, y: rs.construct(x, y).classify(x[:, :2]), "X has 2 inputs"),
        (lambda x, y: rs.construct(x, y).classify(bad(x, a=((7, 2), np.nan))), "NaN"),
        (lambda x, y: rs.construct(x, y).distance(x, 8), "no class 8"),
        (lambda x, y: rs.construct(x, y).margins(x, y + 1), "no class 3"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(call, match, space):
    with pytest.raises(rs.InputError, match=match):
        call(*space)


def test_outputs_that_depend_on_each_other_name_the_class(space):
    x, codes = space
    labels = np.array(["a", "b", "c"])[codes]
    outputs = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    with pytest.raises(rs.InputError, match=r"not invertible.*class 'c'"):
        rs.construct(x, labels, Y=outputs)


def test_a_late_class_is_learnt_unless_the_classes_were_given(space):
    x, labels = space
    early, late = labels != 2, labels == 2
    chunks = [(x[early], labels[early]), (x[late], labels[late])]
    assert rs.construct(chunks).cost == pytest.approx(rs.construct(x, labels).cost, rel=1e-12)
    summary = rs.ClassSummary(classes=[0, 1]).updated(*chunks[0])
    with pytest.raises(rs.InputError, match=r"class 2 appears in row 0.*given as 0, 1"):
        summary.updated(*chunks[1])


def test_chunks_that_change_between_the_passes(space):
    x, labels = space
    calls = []

    def chunks():
        calls.append(0)
        yield x[: len(calls) * 8], labels[: len(calls) * 8]

    with pytest.raises(rs.InputError, match="second pass are not those of the first"):
        rs.construct(chunks)
