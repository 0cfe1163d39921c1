"""All routes of the API, read from the addresses of the code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver

from foundation.rest.views import ApiView

METHODS = ("GET", "POST", "PATCH", "DELETE")
SOME_ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


@dataclass(frozen=True)
class Route:
    """One method of one address.

    Attributes:
        path: address with an id that nobody has.
        method: upper case.
        view: class that answers.
    """

    path: str
    method: str
    view: type[ApiView]

    @property
    def arguments(self) -> dict[str, object]:
        """Arguments of the handler, as the resolver gives them."""
        return dict(get_resolver().resolve(self.path).kwargs)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def api_routes() -> tuple[Route, ...]:
    """Return every method of every address under ``/api/``."""
    return tuple(
        Route(path=path, method=method, view=view)
        for path, view in _views("/", get_resolver().url_patterns)
        if path.startswith("/api/")
        for method in METHODS
        if hasattr(view, method.lower())
    )


def _views(
    prefix: str, patterns: list[URLPattern | URLResolver]
) -> Iterator[tuple[str, type[ApiView]]]:
    for pattern in patterns:
        path = prefix + _filled(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _views(path, pattern.url_patterns)
        elif path.startswith("/api/"):
            yield path, _class_of(path, pattern)


def _class_of(path: str, pattern: URLPattern) -> type[ApiView]:
    view = getattr(pattern.callback, "cls", None)
    if not (isinstance(view, type) and issubclass(view, ApiView)):
        raise TypeError(f"{path} is answered by something that is no ApiView")
    return view


def _filled(route: str) -> str:
    return re.sub(r"<(?:(\w+):)?\w+>", lambda match: _value(match[1]), route)


def _value(kind: str | None) -> str:
    return {"uuid": str(SOME_ID), "int": "1"}.get(kind or "str", "x")
