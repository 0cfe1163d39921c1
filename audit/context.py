"""Context of an entry: what the journal knows beside the act itself.

A context variable, filled by the middleware for requests, by Celery headers for tasks and by
commands. Code that records never passes it on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from uuid import UUID

from foundation.identifiers import uuid7
from foundation.principals import VISITOR, Principal

MAX_USER_AGENT_BYTES = 512


@dataclass(frozen=True, slots=True)
class Context:
    """Surroundings of an act.

    Attributes:
        request_id: our own id, in headers, logs, tasks and outgoing calls.
        client_request_id: what the sender claimed; joins entries, proves nothing.
        address: the client's address, sealed in the entry; empty where there is none.
        net: the network kept in clear, ``/24`` or ``/48``; empty where there is none.
        how: how the address was found: ``direct``, ``forwarded`` or ``unknown``.
        user_agent: what the browser says it is, sealed in the entry.
        browser: its family, kept in clear.
        method: how the principal proved who it is, for example ``totp``; empty if unknown.
        channel: ``web``, ``api``, ``task``, ``command`` or ``process``.
        principal: who makes the request, for code that is not told.
    """

    request_id: UUID = field(default_factory=uuid7)
    client_request_id: str = ""
    address: str = ""
    net: str = ""
    how: str = ""
    user_agent: str = ""
    browser: str = ""
    method: str = ""
    channel: str = "process"
    principal: Principal = VISITOR


_context: ContextVar[Context | None] = ContextVar("journal_context", default=None)


def current() -> Context:
    """Return the open context; outside any, a new one of the process itself."""
    return _context.get() or Context()


def is_open() -> bool:
    """Say whether a context is open."""
    return _context.get() is not None


@contextmanager
def opened(context: Context) -> Iterator[Context]:
    """Use a context until the block ends."""
    reset = _context.set(context)
    try:
        yield context
    finally:
        _context.reset(reset)


def begin(context: Context) -> None:
    """Use a context until :func:`end`, where start and end lie in two functions (Celery)."""
    _context.set(context)


def end() -> None:
    """Close the context that :func:`begin` opened."""
    _context.set(None)


def tell_principal(principal: Principal) -> None:
    """Put a principal that became known in mid-request into the open context."""
    context = _context.get()
    if context is not None:
        _context.set(replace(context, principal=principal))


def tell_method(method: str) -> None:
    """Note how the principal proved who it is, for example ``passphrase+totp``."""
    context = _context.get()
    if context is not None:
        _context.set(replace(context, method=method))


def cut_user_agent(user_agent: str) -> str:
    """Cut a browser's description to what the journal keeps."""
    return user_agent.encode(errors="replace")[:MAX_USER_AGENT_BYTES].decode(errors="ignore")
