"""Measures of quality and speed, each against a baseline in the same run."""
