"""Measures of quality and speed, each against a baseline in the same run."""

import store  # noqa: F401 - before NumPy, see there
