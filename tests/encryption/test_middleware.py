"""Each request starts by dropping destroyed keys."""

from celery.signals import task_prerun
from django.http import HttpRequest, HttpResponse

from encryption.keyring import keyring
from encryption.middleware import RevocationMiddleware
from encryption.services import erase
from tests.factories.encryption import subject


def test_a_request_starts_by_dropping_destroyed_keys() -> None:
    owner = subject()
    handle = keyring.for_sealing(owner)
    erase(owner)
    keyring._handles[handle.key_id] = handle  # as in a process that did not erase
    seen = []

    def view(_request: HttpRequest) -> HttpResponse:
        seen.append(handle.key_id in keyring._handles)
        return HttpResponse("ok")

    keyring._seen = 0
    assert RevocationMiddleware(view)(HttpRequest()).content == b"ok"
    assert seen == [False]


def test_a_task_starts_by_dropping_destroyed_keys() -> None:
    owner = subject()
    handle = keyring.for_sealing(owner)
    erase(owner)
    keyring._handles[handle.key_id] = handle  # as in a process that did not erase
    keyring._seen = 0

    task_prerun.send(sender=None)

    assert handle.key_id not in keyring._handles
