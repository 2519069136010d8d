"""The doors: console and Telegram, their settings, and the rendering of every reply."""

import store  # noqa: F401 - before NumPy, see there
