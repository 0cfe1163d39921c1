"""Language and theme: chosen on any page, kept on the user when signed in, else in a cookie."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from foundation.access.guards import principal_of
from foundation.contracts.preferences import PreferenceStore, preferences_port

THEMES = ("system", "light", "dark")
THEME_COOKIE = "theme"
_COOKIE_SECONDS = 365 * 24 * 3600


def theme_of(request: HttpRequest) -> str:
    """Return ``light`` or ``dark``, or an empty text for "as the system says"."""
    store = _store(request)
    stored = store.theme(request) if store else ""
    theme = stored or request.COOKIES.get(THEME_COOKIE, "")
    return theme if theme in {"light", "dark"} else ""


def language_of(request: HttpRequest) -> str:
    """Return the language a signed-in person chose, or an empty text."""
    store = _store(request)
    language = store.language(request) if store else ""
    return language if language in dict(settings.LANGUAGES) else ""


def keep_theme(request: HttpRequest, response: HttpResponse, theme: str) -> None:
    """Keep a choice of theme."""
    if theme not in THEMES:
        return
    _set_cookie(request, response, THEME_COOKIE, theme)
    if store := _store(request):
        store.save(request, language=None, theme=theme)


def keep_language(request: HttpRequest, response: HttpResponse, language: str) -> None:
    """Keep a choice of language."""
    if language not in dict(settings.LANGUAGES):
        return
    _set_cookie(request, response, settings.LANGUAGE_COOKIE_NAME, language)
    if store := _store(request):
        store.save(request, language=language, theme=None)


def _store(request: HttpRequest) -> PreferenceStore | None:
    if not preferences_port.is_provided or not principal_of(request).is_authenticated:
        return None
    return preferences_port.implementation


def _set_cookie(request: HttpRequest, response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=_COOKIE_SECONDS,
        secure=request.is_secure(),
        httponly=True,  # scripts have no need of it,
        samesite="Lax",
    )
