"""What a rule raises when a sentence does not hold."""


class Failed(Exception):
    """The sentence does not hold, and why."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
