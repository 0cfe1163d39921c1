"""The one error of the embedded servers."""


class EmbeddedError(RuntimeError):
    """A server or its folder cannot be used; the message is one line that says what to do."""
