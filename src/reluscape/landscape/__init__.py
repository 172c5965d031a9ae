"""Where a network stands: critical points of risks in one dimension, listed and classified."""
