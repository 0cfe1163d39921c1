"""What the partners' pages show, put into words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrOrPromise

from foundation import clock
from foundation.web.tables import Column, Value, cells, headings
from integrations.partners import agreements, key_sets
from integrations.partners.models import ClientSecret, PartnerClient
from integrations.partners.types import Environment, Terms

MAX_CLIENTS = 100

COLUMNS = (
    Column(gettext_lazy("Client"), heading=True),
    Column(gettext_lazy("Environment")),
    Column(gettext_lazy("State")),
    Column(gettext_lazy("Last use")),
    Column(gettext_lazy("Ends")),
)


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text to accept, with its heading."""

    title: StrOrPromise
    terms: Terms


@dataclass(frozen=True, slots=True)
class SecretRow:
    """A secret in the list of its client."""

    id: UUID
    made_at: str
    ends_at: str
    used_at: str
    is_live: bool


def client_table(request: HttpRequest, rows: QuerySet[PartnerClient]) -> dict[str, object]:
    """Return columns and rows of the list of clients."""
    found = rows.select_related("organisation", "acts_in")[:MAX_CLIENTS]
    return {"columns": headings(request, COLUMNS), "rows": cells(COLUMNS, map(_row, found))}


def client_facts(client: PartnerClient) -> Sequence[tuple[str, object]]:
    """Return terms and values about a client; none of them is a secret."""
    kids = key_sets.names(client.jwks)
    method = (
        _("its own keys: %(keys)s") % {"keys": ", ".join(kids)} if kids else _("a client secret")
    )
    return (
        (_("Client ID"), client.client_id),
        (_("Environment"), Environment(client.environment).label),
        (_("State"), _state(client)),
        (_("Scopes"), ", ".join(client.allowed_scopes)),
        (_("Proves itself by"), method),
        (_("Purpose"), client.purpose),
        (_("Last use"), _moment(client.last_used_at)),
        (_("Last used from"), client.last_used_net),
        (_("Ends"), _moment(client.valid_until)),
    )


def secret_rows(client: PartnerClient) -> list[SecretRow]:
    """Return the secrets of a client, newest first."""
    now = clock.now()
    return [_secret_row(secret, secret.is_live(now)) for secret in client.secrets.order_by("-id")]


def shown_texts(texts: Iterable[Terms]) -> list[ShownText]:
    """Return the texts to accept with their headings."""
    titles = {
        "api-terms": _("Terms for the use of the partner API"),
        "data-processing": _("Agreement on the processing of personal data"),
    }
    return [ShownText(titles[text.code], text) for text in texts]


def shown_digests() -> dict[str, str]:
    """Return the digests of the texts as the form's hidden fields."""
    return {
        f"{code.replace('-', '_')}_digest": digest for code, digest in agreements.digests().items()
    }


def _row(client: PartnerClient) -> Sequence[object]:
    is_usable = client.is_usable(None)
    return (
        Value(client.name, href=reverse("partners:client", args=[client.pk])),
        Environment(client.environment).label,
        Value(_state(client), badge="good" if is_usable else "bad"),
        _moment(client.last_used_at),
        _moment(client.valid_until),
    )


def _state(client: PartnerClient) -> str:
    if client.is_usable(None):
        return _("Works")
    if client.revoked_at is not None:
        return _("Revoked")
    return _("Ended") if clock.now() >= client.valid_until else _("Disabled")


def _secret_row(secret: ClientSecret, is_live: bool) -> SecretRow:  # noqa: FBT001  a plain value
    return SecretRow(
        id=secret.pk,
        made_at=_moment(secret.created_at),
        ends_at=_moment(secret.revoked_at or secret.expires_at),
        used_at=_moment(secret.last_used_at),
        is_live=is_live,
    )


def _moment(value: object) -> str:
    return date_format(value, "DATETIME_FORMAT") if value else _("never")  # type: ignore[arg-type]
