"""What happens when the same thing is sent at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client

from encryption.services import drop_keys
from integrations.partners.models import PartnerClient
from tests.factories import partners
from tests.proofs import Tried
from tests.servers import FreshDatabase


@pytest.mark.proof("partners: of parallel requests with one assertion, one gets a token")
@pytest.mark.usefixtures("fresh_database")
def test_of_parallel_requests_with_one_assertion_one_gets_a_token(tried: Tried) -> None:
    key = partners.key()
    client = partners.live(key).client()
    form = {"grant_type": "client_credentials", **partners.proof(client.client_id, key)}

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _turn: _post(form), range(4)))

    assert sorted(statuses) == [200, 401, 401, 401]
    tried.case()


def test_of_parallel_forms_one_makes_a_secret(fresh_database: FreshDatabase) -> None:
    assert fresh_database.environment
    partner = partners.live()
    client = partner.client()

    def make(_turn: int) -> int:
        try:
            partners.secret_of(client, partner.person)
        except Exception:  # noqa: BLE001  refused is as good as any other refusal here
            return 0
        finally:
            connections.close_all()
        return 1

    with ThreadPoolExecutor(4) as pool:
        made = sum(pool.map(make, range(4)))

    assert made == 2
    assert PartnerClient.objects.get(pk=client.pk).secrets.count() == 2
    drop_keys()


def _post(form: dict[str, str]) -> int:
    try:
        return Client().post(partners.TOKEN_PATH, form).status_code
    finally:
        connections.close_all()
