"""Shallow ReLU networks, fitted and understood exactly.

Everything public is a name of this module; where it is defined may change. Names load on first
use: neither ``import reluscape`` nor ``reluscape --help`` waits for a compiler.

Examples
--------
>>> import reluscape as rs
>>> data = rs.Samples([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 1.0, 2.0])
>>> found = rs.fit(data, 1)
>>> [round(float(breakpoint), 6) for breakpoint in found.breakpoints]
[2.0]
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from reluscape._version import __version__

if TYPE_CHECKING:
    from reluscape.classifiers import ConstructiveClassifier
    from reluscape.construction.clusters import construct
    from reluscape.construction.exact import ExactValues
    from reluscape.construction.hypotheses import IllConditionedWarning
    from reluscape.construction.result import Construction
    from reluscape.construction.summary import ClassSummary
    from reluscape.construction.truncation import Truncation
    from reluscape.errors import FileError, InputError, ReluscapeError
    from reluscape.estimators import ShallowReLURegressor
    from reluscape.fits.constraints import Constraints
    from reluscape.fits.generalized import BestGeneralized, ResponseRow, best_generalized
    from reluscape.fits.inference import Estimate, Inference
    from reluscape.fits.result import Fit
    from reluscape.fits.widths import WidthRow
    from reluscape.fitting import fit
    from reluscape.landscape.affine import AffineLandscape, affine_landscape
    from reluscape.landscape.approach import MinimisingSequence
    from reluscape.landscape.attainment import Attainment, attainment
    from reluscape.landscape.attainment_evidence import AttainmentEvidence
    from reluscape.landscape.escape import Escape
    from reluscape.landscape.geometry import Geometry
    from reluscape.landscape.improvement import Improvement, improve
    from reluscape.landscape.minima import MinimaManifold, global_minima
    from reluscape.landscape.one_neuron import CriticalPoint, critical_points
    from reluscape.landscape.trap import Trap, trap
    from reluscape.landscape.verdict import Verdict, classify
    from reluscape.networks.activations import Activation, leaky
    from reluscape.networks.limit_groups import LimitGroup
    from reluscape.networks.limits import LimitResponse, limit_response
    from reluscape.networks.network import Network
    from reluscape.networks.neurons import NeuronState
    from reluscape.networks.responses import GeneralizedResponse
    from reluscape.networks.storage import load_network
    from reluscape.optimum.certificate import Certificate
    from reluscape.optimum.certificate_file import load_certificate
    from reluscape.optimum.checker import Check, check
    from reluscape.optimum.pinned import Pinned
    from reluscape.problems.expression import expression
    from reluscape.problems.gaussian import Gaussian
    from reluscape.problems.interval import Interval
    from reluscape.problems.polygon import Polygon
    from reluscape.problems.samples import Samples
    from reluscape.problems.surfaces import (
        PiecewisePolynomial2d,
        piecewise_polynomial2d,
        polynomial2d,
    )
    from reluscape.problems.targets import (
        affine,
        piecewise_linear,
        piecewise_polynomial,
        polynomial,
        step,
    )
    from reluscape.report.blow_up_plot import plot_blow_up
    from reluscape.studies.ready.launch import ready_study
    from reluscape.studies.ready.sheets import ReadyStudy
    from reluscape.studies.result import StudyResult
    from reluscape.studies.study import Study
    from reluscape.training.cells import FlowEvent
    from reluscape.training.descent import Descent, descend
    from reluscape.training.flow import Flow, flow
    from reluscape.training.initialise import breakpoint_spread, standard_normal
    from reluscape.training.multistart import MultiStart, multistart
    from reluscape.training.polish import Polish, polish

__all__ = [
    "Activation",
    "AffineLandscape",
    "Attainment",
    "AttainmentEvidence",
    "BestGeneralized",
    "Certificate",
    "Check",
    "ClassSummary",
    "Constraints",
    "Construction",
    "ConstructiveClassifier",
    "CriticalPoint",
    "Descent",
    "Escape",
    "Estimate",
    "ExactValues",
    "FileError",
    "Fit",
    "Flow",
    "FlowEvent",
    "Gaussian",
    "GeneralizedResponse",
    "Geometry",
    "IllConditionedWarning",
    "Improvement",
    "Inference",
    "InputError",
    "Interval",
    "LimitGroup",
    "LimitResponse",
    "MinimaManifold",
    "MinimisingSequence",
    "MultiStart",
    "Network",
    "NeuronState",
    "PiecewisePolynomial2d",
    "Pinned",
    "Polish",
    "Polygon",
    "ReadyStudy",
    "ReluscapeError",
    "ResponseRow",
    "Samples",
    "ShallowReLURegressor",
    "Study",
    "StudyResult",
    "Trap",
    "Truncation",
    "Verdict",
    "WidthRow",
    "__version__",
    "affine",
    "affine_landscape",
    "attainment",
    "best_generalized",
    "breakpoint_spread",
    "check",
    "classify",
    "construct",
    "critical_points",
    "descend",
    "expression",
    "fit",
    "flow",
    "global_minima",
    "improve",
    "leaky",
    "limit_response",
    "load_certificate",
    "load_network",
    "multistart",
    "piecewise_linear",
    "piecewise_polynomial",
    "piecewise_polynomial2d",
    "plot_blow_up",
    "polish",
    "polynomial",
    "polynomial2d",
    "ready_study",
    "standard_normal",
    "step",
    "trap",
]

_HOME = {
    "Activation": "networks.activations",
    "AffineLandscape": "landscape.affine",
    "Attainment": "landscape.attainment",
    "AttainmentEvidence": "landscape.attainment_evidence",
    "BestGeneralized": "fits.generalized",
    "Certificate": "optimum.certificate",
    "Check": "optimum.checker",
    "ClassSummary": "construction.summary",
    "Constraints": "fits.constraints",
    "Construction": "construction.result",
    "ConstructiveClassifier": "classifiers",
    "CriticalPoint": "landscape.one_neuron",
    "Descent": "training.descent",
    "Escape": "landscape.escape",
    "Estimate": "fits.inference",
    "ExactValues": "construction.exact",
    "FileError": "errors",
    "Fit": "fits.result",
    "Flow": "training.flow",
    "FlowEvent": "training.cells",
    "Gaussian": "problems.gaussian",
    "GeneralizedResponse": "networks.responses",
    "Geometry": "landscape.geometry",
    "IllConditionedWarning": "construction.hypotheses",
    "Improvement": "landscape.improvement",
    "Inference": "fits.inference",
    "InputError": "errors",
    "Interval": "problems.interval",
    "LimitGroup": "networks.limit_groups",
    "LimitResponse": "networks.limits",
    "MinimaManifold": "landscape.minima",
    "MinimisingSequence": "landscape.approach",
    "MultiStart": "training.multistart",
    "Network": "networks.network",
    "NeuronState": "networks.neurons",
    "PiecewisePolynomial2d": "problems.surfaces",
    "Pinned": "optimum.pinned",
    "Polish": "training.polish",
    "Polygon": "problems.polygon",
    "ReadyStudy": "studies.ready.sheets",
    "ReluscapeError": "errors",
    "ResponseRow": "fits.generalized",
    "Samples": "problems.samples",
    "ShallowReLURegressor": "estimators",
    "Study": "studies.study",
    "StudyResult": "studies.result",
    "Trap": "landscape.trap",
    "Truncation": "construction.truncation",
    "Verdict": "landscape.verdict",
    "WidthRow": "fits.widths",
    "affine": "problems.targets",
    "affine_landscape": "landscape.affine",
    "attainment": "landscape.attainment",
    "best_generalized": "fits.generalized",
    "breakpoint_spread": "training.initialise",
    "check": "optimum.checker",
    "classify": "landscape.verdict",
    "construct": "construction.clusters",
    "critical_points": "landscape.one_neuron",
    "descend": "training.descent",
    "expression": "problems.expression",
    "fit": "fitting",
    "flow": "training.flow",
    "global_minima": "landscape.minima",
    "improve": "landscape.improvement",
    "leaky": "networks.activations",
    "limit_response": "networks.limits",
    "load_certificate": "optimum.certificate_file",
    "load_network": "networks.storage",
    "multistart": "training.multistart",
    "piecewise_linear": "problems.targets",
    "piecewise_polynomial": "problems.targets",
    "piecewise_polynomial2d": "problems.surfaces",
    "plot_blow_up": "report.blow_up_plot",
    "polish": "training.polish",
    "polynomial": "problems.targets",
    "polynomial2d": "problems.surfaces",
    "ready_study": "studies.ready.launch",
    "standard_normal": "training.initialise",
    "step": "problems.targets",
    "trap": "landscape.trap",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'reluscape' has no attribute {name!r}")
    value: object = getattr(import_module(f"reluscape.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
