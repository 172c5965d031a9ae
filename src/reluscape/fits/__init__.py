"""Fitting piecewise-linear functions: search, constraints, inference, choice of width."""
