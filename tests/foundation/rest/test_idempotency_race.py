"""Parallel requests under one key, on committed data with a connection each."""

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.db import connections
from django.test import Client

from foundation.rest.models import IdempotencyRecord
from tests.foundation.rest.sample_api import Samples

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

RACERS = 12


def post(key: str) -> "Answer":
    client = Client(headers={"Authorization": "Bearer paul"}, raise_request_exception=False)
    return client.post(
        "/api/v1/samples",
        json.dumps({"name": "x"}),
        content_type="application/json",
        headers={"Idempotency-Key": key},
    )


def race(key_of: Callable[[int], str]) -> list["Answer"]:
    answers: list[Answer] = []
    start = threading.Barrier(RACERS)

    def run(number: int) -> None:
        start.wait()
        try:
            answers.append(post(key_of(number)))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.usefixtures("fresh_database")
def test_of_parallel_requests_under_one_key_one_is_carried_out() -> None:
    answers = race(lambda _: "one key")

    created = {json.loads(one.content)["id"] for one in answers if one.status_code == 201}
    waiting = {json.loads(one.content)["code"] for one in answers if one.status_code == 409}
    assert len(answers) == RACERS
    assert {one.status_code for one in answers} <= {201, 409}
    assert len(created) == 1
    assert waiting <= {"idempotency_in_progress"}
    assert len(Samples.created) == 1
    assert IdempotencyRecord.objects.count() == 1


@pytest.mark.usefixtures("fresh_database")
def test_the_same_race_under_keys_of_their_own_carries_out_every_request() -> None:
    answers = race(str)

    assert [one.status_code for one in answers] == [201] * RACERS
    assert len(Samples.created) == RACERS
