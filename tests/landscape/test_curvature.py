"""Second-order directions of networks whose only straight neuron bends left of the interval."""

from __future__ import annotations

import warnings

import numpy as np

from reluscape import Interval, Network, classify, trap

# The end of a run on a trap: its third neuron, active on all of [0, 1], bends at -0.07, and the
# fourth is about to leave at 0. The direction down is a rise of the third.
WEIGHTS = [-1.1801529815272542, -1.1910445182050893, 3.259765159709899, -0.5669384662998873]
BIASES = [-0.8378470865556308, 1.8202200644839228, 0.23756115136551043, 8.091265565328198e-09]
OUTPUTS = [-0.4741618273235754, 2.384126863215857, -2.1656099173133736, -1.1044840582614195]


def test_way_down_by_a_neuron_that_bends_left_of_the_interval():
    problem = trap(0, 1, 1.0).problem
    assert isinstance(problem, Interval)
    network = Network(WEIGHTS, BIASES, OUTPUTS, 1.124319727224469)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        verdict = classify(problem, network, at_zero="gt")
    assert verdict.kind == "saddle"
    assert verdict.escape is not None
    assert np.isfinite(verdict.escape.direction).all()
    assert problem.risk(verdict.escape.network) < problem.risk(network)
