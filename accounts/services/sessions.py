"""Sessions: started, tracked, verified, ended."""

import hashlib
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.contrib.sessions.backends.base import SessionBase
from django.db import models, transaction
from django.db.models import F
from django.http import HttpRequest
from django_otp import login as otp_login

from accounts import assurance
from accounts.audit_events import ACCESS_ENDED, ORGANISATION_CHOSEN, SESSION_ENDED
from accounts.models import SessionFactor, User, UserSession
from accounts.principal import ORGANISATION_KEY, TAG_KEY, bare
from accounts.types import FactorKind, SessionEnd
from audit import services as audit
from audit.browsers import family
from encryption import services as keys
from foundation import clock
from foundation.contracts.access_enders import access_enders
from foundation.identifiers import uuid7
from foundation.net import client_ip
from foundation.principals import Principal, system

STARTED_KEY = "started_at"
SEEN_KEY = "seen_at"
AGENT_KEY = "agent"
NET_KEY = "net"
TAG_PURPOSE = "accounts.session_tag"
TAG_BYTES = 16
AGENT_CHARACTERS = 16
TRACKING_SECONDS = 60

store = import_module(settings.SESSION_ENGINE).SessionStore


def session_factor(user: User, kind: FactorKind) -> SessionFactor:
    """Return the row that django-otp's verdict rests on for a person and a kind of factor."""
    factor, _ = SessionFactor.objects.get_or_create(
        user=user, kind=kind, defaults={"id": uuid7(), "name": kind.value}
    )
    return factor


def start(request: HttpRequest, user: User) -> UserSession:
    """Note a session that has just been opened; called as anybody signs in."""
    moment = clock.now()
    session = request.session
    session[STARTED_KEY] = session[SEEN_KEY] = moment.timestamp()
    session[TAG_KEY] = _tag(uuid7()).hex()
    session[AGENT_KEY] = agent_digest(request)
    session[NET_KEY] = client_ip(request).net
    if session.session_key is None:
        session.create()
    return UserSession.objects.create(
        user=user,
        session_key=str(session.session_key),
        family=family(request.META.get("HTTP_USER_AGENT", "")),
        net=client_ip(request).net,
        started_at=moment,
        last_seen_at=moment,
    )


def agent_digest(request: HttpRequest) -> str:
    """Return what a session remembers of the browser it was opened in."""
    agent = request.headers.get("User-Agent", "")
    return hashlib.sha256(agent.encode(errors="replace")).hexdigest()[:AGENT_CHARACTERS]


def verify(request: HttpRequest, user: User, kind: FactorKind = FactorKind.MFA) -> None:
    """Let a session count as verified, under a new key."""
    old_key = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=old_key).update(session_key=request.session.session_key)
    otp_login(request, session_factor(user, kind))
    assurance.note_proof(request)


def carry_on(request: HttpRequest, user: User) -> None:
    """Let the present session live on after passphrase or security epoch changed."""
    old_key = request.session.session_key
    update_session_auth_hash(request, user)
    UserSession.objects.filter(session_key=old_key).update(session_key=request.session.session_key)


@transaction.atomic
def choose_organisation(
    session: SessionBase, organisation_id: UUID, *, principal: Principal
) -> None:
    """Let a session act in another organisation of its person from the next request on."""
    session[ORGANISATION_KEY] = str(organisation_id)
    audit.record(
        ORGANISATION_CHOSEN,
        principal=principal,
        target=audit.Target("accounts.organisation", str(organisation_id), organisation_id),
    )


def touch(request: HttpRequest) -> None:
    """Note that a session is in use, at most once a minute."""
    moment = clock.now()
    seen_at = request.session.get(SEEN_KEY, 0)
    if moment.timestamp() - float(seen_at) < TRACKING_SECONDS:
        return
    request.session[SEEN_KEY] = moment.timestamp()
    UserSession.objects.filter(session_key=request.session.session_key).update(
        last_seen_at=moment, net=client_ip(request).net
    )


@transaction.atomic
def end(session: UserSession, *, principal: Principal, why: SessionEnd = SessionEnd.ENDED) -> None:
    """End one session now: its cookie signs nobody in any more."""
    _close([session], why)
    audit.record(SESSION_ENDED, principal=principal, target=session.user, details={"why": why})


@transaction.atomic
def end_others(
    user: User,
    *,
    keep: SessionBase,
    principal: Principal,
    why: SessionEnd = SessionEnd.ENDED,
) -> int:
    """End all sessions of a person but one and return how many there were."""
    others = list(_open(user).exclude(session_key=keep.session_key))
    _close(others, why)
    for _ in others:
        audit.record(SESSION_ENDED, principal=principal, target=user, details={"why": why})
    return len(others)


@transaction.atomic
def end_access(user: User, reason: str, *, principal: Principal | None = None) -> int:
    """End everything by which a person has access: sessions, contributed tokens and streams.

    The security epoch rises, so no old cookie revives when the account is opened again.

    Args:
        user: the person.
        reason: short code, for example ``frozen`` or ``erasure``.
        principal: who ends it; the system where nobody does.

    Returns:
        How many accesses ended.
    """
    User.objects.filter(pk=user.pk).update(security_epoch=F("security_epoch") + 1)
    user.refresh_from_db(fields=["security_epoch"])
    sessions = list(_open(user))
    _close(sessions, SessionEnd.ACCESS_ENDED)
    ended = len(sessions) + sum(ender.end(user.pk, reason) for ender in access_enders)
    audit.record(
        ACCESS_ENDED,
        principal=principal or system("accounts.end_access"),
        target=user,
        details={"why": reason, "count": ended},
    )
    return ended


def close_current(request: HttpRequest, why: SessionEnd) -> None:
    """Note that the session of a request is over; the caller flushes it."""
    UserSession.objects.filter(
        session_key=request.session.session_key, ended_at__isnull=True
    ).update(ended_at=clock.now(), ended_because=why)


@transaction.atomic
def expire(request: HttpRequest, user: User, why: SessionEnd) -> None:
    """Close a session that was left alone or lived too long, on the record."""
    close_current(request, why)
    audit.record(SESSION_ENDED, principal=bare(user), target=user, details={"why": why})


def _open(user: User) -> models.QuerySet[UserSession]:
    return UserSession.objects.filter(user=user, ended_at__isnull=True)


def _close(sessions: list[UserSession], why: SessionEnd) -> None:
    session_keys = [session.session_key for session in sessions]
    _forget(session_keys)
    # Once more after the commit: a request in between may have put a copy back into the cache.
    transaction.on_commit(lambda: _forget(session_keys), robust=True)
    UserSession.objects.filter(pk__in=[session.pk for session in sessions]).update(
        ended_at=clock.now(), ended_because=why
    )


def _forget(session_keys: list[str]) -> None:
    for session_key in session_keys:
        store(session_key).delete()


def _tag(salt: UUID) -> bytes:
    return keys.mac(TAG_PURPOSE, salt.bytes)[:TAG_BYTES]
