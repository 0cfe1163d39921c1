"""A person of whom every personal text column of every source holds a string of its own.

Rows are made by the services; then the registry says which columns are personal, and each text
column that the services did not fill with a planted string is given one.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
import redis
from allauth.account.models import EmailAddress
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.urls import reverse
from oauth2_provider.models import AccessToken, RefreshToken
from psycopg import sql

from accounts.models import (
    Invitation,
    NotificationAddress,
    OneTimeLink,
    Organisation,
    SecurityNotice,
    SessionFactor,
    Team,
    TeamMember,
    User,
    UserSession,
)
from accounts.principal import of_user
from accounts.services import memberships, notices
from accounts.types import LinkPurpose, NoticeKind
from audit.models import Alert, DetectionAttempt
from encryption.fields import SealedField
from foundation import clock
from foundation.contracts.personal_data import FieldClass, personal_data
from foundation.identifiers import uuid7
from foundation.tenancy import organisation_scope
from integrations.partners.models import Onboarding
from tests.factories import accounts as people
from tests.factories import partners, vault
from tests.factories import privacy as make
from tests.factories import records as room
from workspace.records.models import RecordGrant, RecordGroupMember

EMAIL = "planted-email-7f3a@aurora.example"
NAME = "planted-name-19c2"
AGENT = "planted-agent-5be0"
NET = "198.51.100.0/24"

# Columns of sources with handlers that no string can be planted in, each with the reason.
NOT_PLANTED = {
    "accounts.user.language": "one of four words",
    "accounts.user.theme": "one of three words",
    "accounts.sign_in_attempt.username": "the address, by which the row is found",
    "accounts.sign_in_failure.username": "the address, by which the row is found",
    "accounts.sign_in_log.username": "the address, by which the row is found",
}
# Sources without text of their own, or whose rows only triggers and keys write.
WITHOUT_TEXT = {"audit.entry", "encryption.datakey", "encryption.blindindexentry"}


@dataclass(frozen=True, slots=True)
class Planted:
    """The person, and which string stands in which column."""

    user: User
    home: Organisation
    second: Organisation
    strings: dict[str, str] = field(default_factory=dict)


def person() -> Planted:
    """Return a person with rows in every source and a string in every personal text column."""
    home, second = people.organisation(name="Aurora"), people.organisation(name="Second")
    enrolled = people.enrolled(home, "key_user", email=EMAIL, name=NAME)
    user = enrolled.user
    memberships.create(user, second, people.role("customer"), principal=people.TEST)
    planted = Planted(User.objects.get(pk=user.pk), home, second)
    _sign_in(planted.user)
    _account(planted.user)
    _security(planted.user)
    _room(planted)
    _partner(planted.user)
    make.ready(planted.user)
    planted.strings.update(_fill(planted.user))
    return planted


def rows_of(user: User) -> Mapping[str, Callable[[], "models.QuerySet[models.Model]"]]:
    """Return the rows of a person by source, for those sources that hold personal text."""
    by_user: dict[str, type[models.Model]] = {
        "accounts.notification_address": NotificationAddress,
        "accounts.one_time_link": OneTimeLink,
        "accounts.session": UserSession,
        "accounts.session_factor": SessionFactor,
        "accounts.security_notice": SecurityNotice,
        "accounts.email_address": EmailAddress,
        "accounts.admin_log": LogEntry,
    }
    by_name: dict[str, type[models.Model]] = {
        "accounts.sign_in_attempt": AccessAttempt,
        "accounts.sign_in_failure": AccessFailureLog,
        "accounts.sign_in_log": AccessLog,
    }
    by_subject: dict[str, type[models.Model]] = {
        "audit.attempt": DetectionAttempt,
        "audit.alert": Alert,
    }
    return {
        "accounts.user": lambda: User.objects.filter(pk=user.pk),
        "accounts.invitation": lambda: Invitation.objects.filter(email=EMAIL),
        "partners.onboarding": lambda: Onboarding.objects.filter(contact_user=user),
        **{label: _found(model, user_id=user.pk) for label, model in by_user.items()},
        **{label: _found(model, username=EMAIL) for label, model in by_name.items()},
        **{label: _found(model, subject_id=user.subject_id) for label, model in by_subject.items()},
    }


def personal_texts(label: str) -> Iterator["models.Field[object, object]"]:
    """Give the columns of a source that hold personal text, by the registry."""
    source = personal_data.get(label)
    for name, kind in source.fields.items():
        column = _model(label)._meta.get_field(name)
        is_text = isinstance(column, models.CharField | models.TextField | SealedField)
        if kind not in {FieldClass.NONE, FieldClass.LINK, FieldClass.SECRET} and is_text:
            yield column  # type: ignore[misc]  # a column, as tested


def found_in(
    connection: "psycopg.Connection[tuple[object, ...]]", strings: Mapping[str, str]
) -> set[tuple[str, str]]:
    """Search all rows of all tables; return (table, column it was planted in) of each hit."""
    hits: set[tuple[str, str]] = set()
    for table, text in _tables(connection):
        hits |= {(table, name) for name, value in strings.items() if _is_in(value, text)}
    return hits


def cached() -> str:
    """Return everything that Valkey holds, cache and broker."""
    texts = []
    cache, broker = str(settings.CACHES["default"]["LOCATION"]), str(settings.CELERY_BROKER_URL)
    as_redis = broker.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    for url in (cache, as_redis):
        client = redis.Redis.from_url(url)
        for key in client.scan_iter():
            texts += [repr(key), repr(client.dump(key))]
        client.close()
    return "\n".join(texts)


def _fill(user: User) -> dict[str, str]:
    strings = {"accounts.user.email": EMAIL, "accounts.user.display_name": NAME}
    for label, rows in rows_of(user).items():
        found = list(rows())
        assert found, f"no row of {label} was made"
        for column in personal_texts(label):
            name = f"{label}.{column.name}"
            if name not in NOT_PLANTED and name not in strings:
                strings[name] = _plant(found, column, name)
    return strings


def _plant(rows: list[models.Model], column: "models.Field[object, object]", name: str) -> str:
    present = str(getattr(rows[0], column.name) or "")
    if present.startswith("planted-"):
        return present
    value = f"planted-{uuid7().hex[-12:]}-{name}"[: column.max_length or 200]
    for number, row in enumerate(rows):
        setattr(row, column.name, value if number == 0 else f"{value[:-2]}{number:02}")
        row.save()
    return value


def _found(
    model: type[models.Model], **condition: object
) -> Callable[[], "models.QuerySet[models.Model]"]:
    return lambda: model._default_manager.filter(**condition)


def _model(label: str) -> type[models.Model]:
    name = personal_data.get(label).model
    for model in _models():
        if model._meta.label == name:
            return model
    raise LookupError(name)


def _models() -> list[type[models.Model]]:
    return [
        User, NotificationAddress, Invitation, OneTimeLink, UserSession, SessionFactor,
        SecurityNotice, EmailAddress, LogEntry, AccessAttempt, AccessFailureLog, AccessLog,
        DetectionAttempt, Alert, Onboarding,
    ]  # fmt: skip


def _sign_in(user: User) -> None:
    form = {"login": user.email, "password": "wrong passphrase of the planted person"}
    people.Browser().post(reverse("account_login"), form, headers={"User-Agent": AGENT})
    people.session_of(user)


def _account(user: User) -> None:
    moment = clock.now()
    NotificationAddress.objects.create(
        user=user,
        subject_id=user.subject_id,
        address="planted-notice-0d41@aurora.example",
        verified_at=moment,
    )
    notices.tell(user, NoticeKind.ROLE_CHANGED)
    OneTimeLink.objects.create(user=user, purpose=LinkPurpose.ENROLMENT, expires_at=moment)
    TeamMember.objects.create(team=Team.objects.create(name="First line"), user=user)
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(User),
        object_id="1",
        object_repr="a row",
        action_flag=2,
        change_message="changed",
    )
    seen = {"username": user.email, "user_agent": AGENT, "http_accept": "text", "path_info": "/x"}
    AccessFailureLog.objects.create(**seen)
    AccessLog.objects.create(**seen)


def _security(user: User) -> None:
    moment = clock.now()
    DetectionAttempt.objects.create(
        event_id=uuid7(),
        occurred_at=moment,
        account=str(user.subject_id),
        subject_id=user.subject_id,
        net=NET,
        succeeded=False,
        browser="Firefox",
    )
    Alert.objects.create(
        rule="D01",
        severity=3,
        dedupe_key=f"D01:{user.subject_id}",
        subject_id=user.subject_id,
        net=NET,
        first_event_id=uuid7(),
        last_event_id=uuid7(),
        first_at=moment,
        last_at=moment,
    )


def _room(planted: Planted) -> None:
    colleague = room.member(planted.home)
    for of in (planted.home, planted.second):
        principal = of_user(planted.user, wanted=of.pk)
        room.record(principal)
        room.record(principal, kind="contact")
    shared = room.record(colleague)
    with organisation_scope(planted.home.pk):
        for model in (RecordGrant, RecordGroupMember):
            model(organisation=planted.home, record_id=shared.id, user=planted.user).save()
    ruler = room.member(planted.home, role="administrator")
    vault.credential(ruler, owner_id=planted.user.pk)


def _partner(user: User) -> None:
    client = partners.live(partners.key()).client()
    client.owner = user
    client.save(update_fields=["owner"])
    begun, _token = partners.started(user.email)
    begun.contact_user = user
    begun.contact_name = "Nina"
    begun.save()
    ends = {"expires": clock.now(), "scope": "records:read"}
    AccessToken.objects.create(user=user, application=client, token=_id(), **ends)
    RefreshToken.objects.create(user=user, application=client, token=_id())


def _id() -> str:
    return UUID(int=uuid7().int).hex


def _tables(
    connection: "psycopg.Connection[tuple[object, ...]]",
) -> Iterator[tuple[str, str]]:
    names = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    for schema, table in names:
        query = sql.SQL("SELECT row_to_json(t)::text FROM {} t").format(
            sql.Identifier(str(schema), str(table))
        )
        rows = connection.execute(query).fetchall()
        yield str(table), "\n".join(str(row[0]) for row in rows)


def _is_in(value: str, text: str) -> bool:
    return any(form in text for form in _forms(value))


def _forms(value: str) -> Iterator[str]:
    raw = value.encode()
    yield value
    yield value.upper()
    yield raw.hex()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode()
        yield encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]
