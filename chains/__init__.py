"""From a question to a turn: contextualize, retrieve, extract, and the assistant that does so."""

import store  # noqa: F401 - before NumPy, see there
