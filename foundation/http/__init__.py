"""The only way out of this installation: calls to registered interfaces, and nothing else."""

from foundation.http.calls import (
    Authenticator,
    Call,
    HttpAnswer,
    Limits,
    Policy,
    Session,
    request,
)
from foundation.http.errors import (
    AnswerTooLarge,
    HeaderRefused,
    InterfaceRefused,
    NoAnswer,
    TargetRefused,
)
from foundation.transactions import OpenTransaction

__all__ = [
    "AnswerTooLarge",
    "Authenticator",
    "Call",
    "HeaderRefused",
    "HttpAnswer",
    "InterfaceRefused",
    "Limits",
    "NoAnswer",
    "OpenTransaction",
    "Policy",
    "Session",
    "TargetRefused",
    "request",
]
