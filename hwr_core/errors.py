"""The exceptions that a user can cause. Any other exception is a bug."""


class HandwritingError(ValueError):
    """An input that cannot be used. The message is one sentence for the user and says what to do instead."""


class TooLargeError(HandwritingError):
    """An input that is too large: a smaller one of its kind can be used."""


class SettingsError(HandwritingError):
    """An environment variable with a value that cannot be used."""


class MissingPackageError(HandwritingError):
    """A package that is not installed.

    Args:
        package: The name of the missing package.
        extra: The extra of this project that installs it.
    """

    def __init__(self, package: str | None, extra: str):
        super().__init__(
            f"{package} is not installed: install the extra {extra}, with pip install '.[{extra}]' in the repository."
        )
