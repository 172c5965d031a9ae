"""Compiled inner loops: arrays in, arrays out, no domain types."""
