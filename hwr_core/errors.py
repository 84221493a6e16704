"""The exceptions that a user can cause."""


class HandwritingError(ValueError):
    """Something the user gave cannot be used; the message is one sentence for them, saying what to do instead."""


class TooLargeError(HandwritingError):
    """It is too large: a smaller one of its kind can be used."""
