"""The doors: console and Telegram, their settings, and the rendering of every reply."""
