"""A fit as plain values."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from reluscape.networks.network import Network
from reluscape.report.values import fit_values, plain


def test_it_is_json_and_complete(hat_fit: Any, hat_inference: Any, width_rows: Any) -> None:
    object.__setattr__(hat_fit, "widths", width_rows)
    values = json.loads(json.dumps(fit_values(hat_fit, hat_inference), allow_nan=False))
    assert values["rows"] == values["distinct"] == 60
    assert values["breakpoints"] == [{"value": 5.0, "standard_error": 0.1, "low": 4.8, "high": 5.2}]
    assert len(values["slopes"]) == 2
    assert [row["chosen"] for row in values["widths"]] == [False, False, True, False]
    assert values["constraints"]["monotone"] is None
    assert values["inference"] == {
        "method": "asymptotic",
        "level": 0.95,
        "noise": 1.5,
        "degrees_of_freedom": 40,
        "note": "",
    }


def test_the_network_comes_back_bit_for_bit(hat_fit: Any) -> None:
    stored = json.loads(json.dumps(fit_values(hat_fit)["network"]))
    assert stored.pop("activation") == {"name": "relu", "slope": 0.0}
    assert Network(**stored) == hat_fit.network


def test_without_inference_values_stand_alone(hat_fit: Any) -> None:
    values = fit_values(hat_fit)
    assert values["inference"] is None
    assert values["breakpoints"] == [
        {"value": 5.0, "standard_error": None, "low": None, "high": None}
    ]


def test_the_proof(hat_fit: Any, proved_fit: Any, pinned: Any) -> None:
    assert fit_values(hat_fit)["proof"] is None
    assert fit_values(proved_fit)["proof"]["pinned"] is None
    proof = json.loads(json.dumps(fit_values(proved_fit, None, pinned), allow_nan=False))["proof"]
    assert proof["pinned"] == {"share": 0.01, "fine": True, "intervals": [[4.5, 5.75]]}
    assert proof["ended"] == "time limit"
    assert proof["gap"] == pytest.approx(0.25)
    last = {"seconds": 3.0, "lower_bound": proved_fit.lower_bound, "risk": proved_fit.risk}
    assert proof["bounds"][-1] == pytest.approx(last)


def test_several_inputs_have_no_breakpoints(fit_with: Any) -> None:
    rng = np.random.default_rng(0)
    values = fit_values(fit_with(rng.normal(size=(9, 2)), rng.normal(size=9), [0.0]))
    assert values["breakpoints"] is values["slopes"] is values["distinct"] is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (np.float64("inf"), None),
        (np.int64(3), 3),
        (np.array([[1.0, -np.inf]]), [[1.0, None]]),
        (np.array(2.5), 2.5),
        ("nan", "nan"),
        (None, None),
        (True, True),
    ],
)
def test_plain(value: Any, expected: Any) -> None:
    assert plain(value) == expected
