"""What goes wrong on the way out, in words for the person who set up the interface."""

from foundation.errors import Denied, Invalid, Unavailable


class InterfaceRefused(Denied):
    """The call names no interface that is registered, complete and switched on."""

    code = "interface.refused"


class TargetRefused(Invalid):
    """The address may not be called: scheme, port, host or where the name leads."""

    code = "http.target_refused"


class HeaderRefused(Invalid):
    """A header name or value holds what would end the header."""

    code = "http.header_refused"


class NoAnswer(Unavailable):
    """The other system gave no usable answer; the code says which part failed."""

    code = "http.no_answer"


class AnswerTooLarge(Unavailable):
    """The answer is larger than the limit; nothing of it was kept."""

    code = "http.answer_too_large"
