import json
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from django.test import Client
from rest_framework.response import Response

from foundation import clock
from foundation.rest import idempotency
from foundation.rest.idempotency import Claim, ClaimLost, IdempotentHandler
from foundation.rest.models import IdempotencyRecord
from tests.foundation.rest.sample_api import ORGANISATION, Samples

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer


def create(client: Client, *, key: str = "key-1", name: str = "x", query: str = "") -> "Answer":
    return client.post(
        f"/api/v1/samples{query}",
        json.dumps({"name": name}),
        content_type="application/json",
        headers={"Idempotency-Key": key} if key else {},
    )


def code_of(response: "Answer") -> str:
    return str(json.loads(response.content)["code"])


def test_repeat_gets_the_same_answer_and_nothing_is_done_twice(paul: Client) -> None:
    first = create(paul)
    again = create(paul)

    assert Samples.created == [ORGANISATION]
    assert (first.status_code, again.status_code) == (201, 201)
    assert json.loads(again.content)["id"] == json.loads(first.content)["id"]
    assert (again["ETag"], again["Location"]) == (first["ETag"], first["Location"])
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first


def test_secret_is_in_the_first_answer_and_in_no_stored_one(paul: Client) -> None:
    first = create(paul)
    again = create(paul)

    assert json.loads(first.content)["secret"] == "shown once"
    assert "secret" not in json.loads(again.content)
    assert "shown once" not in IdempotencyRecord.objects.get().answer_body


def test_quoted_key_of_the_draft_is_the_same_key(paul: Client) -> None:
    create(paul, key="abc")

    assert create(paul, key='"abc"')["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("changes", [{"name": "y"}])
def test_key_of_another_request_is_refused(paul: Client, changes: dict[str, str]) -> None:
    create(paul)

    other = create(paul, **changes)

    assert (other.status_code, code_of(other)) == (409, "idempotency_key_reused")
    assert len(Samples.created) == 1


def test_clients_do_not_meet_each_others_keys(paul: Client) -> None:
    foreign = Client(headers={"Authorization": "Bearer foreign"})

    first, second = create(paul), create(foreign)

    assert json.loads(first.content)["id"] != json.loads(second.content)["id"]
    assert len(Samples.created) == 2


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "idempotency_key_missing"),
        ('""', "idempotency_key_missing"),
        ("x" * 256, "idempotency_key_invalid"),
        ("\x7f", "idempotency_key_invalid"),
    ],
)
def test_creating_request_needs_a_sound_key(paul: Client, key: str, code: str) -> None:
    response = create(paul, key=key)

    assert (response.status_code, code_of(response)) == (400, code)
    assert json.loads(response.content)["errors"][0]["parameter"] == "Idempotency-Key"
    assert not Samples.created


def test_refused_request_gives_its_key_back(paul: Client) -> None:
    refused = create(paul, name="refuse")
    corrected = create(paul, name="x")

    assert (refused.status_code, code_of(refused)) == (409, "sample.not_now")
    assert corrected.status_code == 201


def test_second_request_while_the_first_runs_is_told_to_wait(paul: Client) -> None:
    create(paul)
    IdempotencyRecord.objects.update(answered_at=None, answer_status=None, claimed_at=clock.now())

    second = create(paul)

    assert (second.status_code, code_of(second)) == (409, "idempotency_in_progress")
    assert second["Retry-After"] == "1"
    assert len(Samples.created) == 1


def test_claim_of_a_dead_process_is_taken_over_after_a_minute(paul: Client) -> None:
    create(paul)
    dead = uuid4()
    IdempotencyRecord.objects.update(
        answered_at=None,
        answer_status=None,
        claim=dead,
        claimed_at=clock.now() - timedelta(seconds=61),
    )

    taken = create(paul)

    assert taken.status_code == 201
    assert len(Samples.created) == 2
    late = Claim(IdempotencyRecord.objects.get().id, dead, IdempotentHandler())
    with pytest.raises(ClaimLost):
        late.keep(Response({"id": 1}))
    late.release()
    assert create(paul)["Idempotency-Replayed"] == "true"


def test_key_is_free_again_after_a_day(paul: Client) -> None:
    first = create(paul)
    IdempotencyRecord.objects.update(expires_at=clock.now() - timedelta(seconds=1))

    second = create(paul, name="y")

    assert second.status_code == 201
    assert json.loads(second.content)["id"] != json.loads(first.content)["id"]


def test_record_holds_digests_and_neither_key_nor_body(paul: Client) -> None:
    create(paul, key="key-in-clear", name="name-in-clear")

    row = IdempotencyRecord.objects.values().get()

    assert "in-clear" not in str({**row})
    assert {len(row[name]) for name in ("owner_digest", "key_digest", "request_digest")} == {32}


def test_ended_records_are_swept_and_others_stay(paul: Client) -> None:
    create(paul, key="old")
    IdempotencyRecord.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    create(paul, key="new")

    assert idempotency.sweep() is False
    assert IdempotencyRecord.objects.count() == 1


def test_answer_that_is_not_thin_is_a_fault_of_the_code() -> None:
    claim = Claim(UUID(int=1), UUID(int=2), IdempotentHandler())

    with pytest.raises(ValueError, match="thin"):
        claim.keep(Response({"text": "x" * 5000}))


@pytest.mark.parametrize(
    ("data", "kept"), [(None, ""), ([1], "[1]"), ({"a": 1, "s": 2}, '{"a":1}')]
)
def test_stored_answer_leaves_out_what_is_shown_once(data: object, kept: str) -> None:
    assert idempotency._storable(data, ("s",)) == kept
