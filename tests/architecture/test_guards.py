"""Every address has a guard, and every field a class: the sets come from the code."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver

from foundation.access.guards import guard_of
from foundation.contracts.personal_data import personal_data
from foundation.deferred import tasks
from portal.celery import app as celery_app

# Addresses of libraries, or of the framework, that our middleware guards as a whole: reviewed, each
# with the reason why it needs no guard of its own.
GUARDED_ELSEWHERE = {
    "admin:": "the admin site asks for staff, a verified second factor and step-up",
    "account_": "sign-in pages of allauth; AssuranceMiddleware lists the open ones",
    "mfa_": "second-factor pages of allauth; AssuranceMiddleware lists the open ones",
    "socialaccount_": "sign-in pages of allauth",
}


def patterns(
    resolver: URLResolver | None = None, prefix: str = "", namespace: str = ""
) -> Iterator[tuple[str, str, object]]:
    """Give (name, route, view) of every address of the resolver."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLPattern):
            yield f"{namespace}{entry.name or route}", route, entry.callback
        else:
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from patterns(entry, route, inner)


def has_api_guard(view: object) -> bool:
    cls = getattr(view, "cls", None)
    return bool(getattr(cls, "required_scopes", None) or getattr(cls, "open_reason", None))


def test_every_address_has_a_guard_or_a_reviewed_reason() -> None:
    seen = list(patterns())

    unguarded = [
        f"{name} ({route})"
        for name, route, view in seen
        if guard_of(view) is None
        and not has_api_guard(view)
        and not name.startswith(tuple(GUARDED_ELSEWHERE))
    ]

    assert len(seen) > 40
    assert unguarded == []


def test_every_open_address_says_why() -> None:
    reasons = {
        name: guard.open_reason
        for name, _route, view in patterns()
        if (guard := guard_of(view)) and guard.open_reason
    }

    assert reasons
    assert all(len(reason) >= 10 for reason in reasons.values()), reasons


@pytest.mark.parametrize("model", apps.get_models(), ids=lambda model: model._meta.label)
def test_every_field_of_every_table_is_classified(model: type[Model]) -> None:
    if model._meta.proxy:
        return
    sources = [source for source in personal_data.all() if source.model == model._meta.label]

    declared = {name for source in sources for name in source.fields}
    columns = {field.name for field in model._meta.local_concrete_fields}

    assert sources, f"{model._meta.label} is declared by no personal data source"
    assert declared == columns


def test_every_declared_task_exists() -> None:
    celery_app.loader.import_default_modules()

    missing = [task.name for task in tasks.all() if task.name not in celery_app.tasks]

    assert len(tasks) > 0
    assert missing == []
