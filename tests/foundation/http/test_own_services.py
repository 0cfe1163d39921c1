"""Calls to services that the operator's settings name."""

import socket
import time
from collections.abc import Iterator
from threading import Thread

import pytest
from django.db import transaction

from foundation.http import AnswerTooLarge, Limits, NoAnswer, TargetRefused
from foundation.http.own_services import OwnService
from tests.fakes.https import HttpsServer, Received, Reply, https_server

LIMITS = Limits(connect_seconds=1, read_seconds=0.5, total_seconds=1, answer_bytes=1000)


@pytest.fixture
def server() -> Iterator[HttpsServer]:
    """Give a server that answers with what it got."""

    def script(received: Received) -> Reply:
        if received.path == "/large":
            return Reply(200, bytes(2000))
        if received.path == "/moved":
            return Reply(302, b"", {"Location": "https://other.test/"})
        return Reply(200, f"{received.method} {received.path} ".encode() + received.body)

    with https_server(script) as found:
        yield found


def test_a_private_service_is_called_inside_of_a_transaction(server: HttpsServer) -> None:
    service = OwnService(LIMITS, server.ca)

    with transaction.atomic():
        answer = service.request(
            "POST", server.url("/a?b=c"), headers={"X-Token": "t"}, body=b"body"
        )

    assert (answer.status, answer.text) == (200, "POST /a?b=c body")
    assert server.received[0].headers["x-token"] == "t"
    assert server.received[0].headers["host"] == f"localhost:{server.port}"


def test_redirects_are_not_followed_and_answers_are_limited(server: HttpsServer) -> None:
    service = OwnService(LIMITS, server.ca)

    assert service.request("GET", server.url("/moved")).status == 302
    with pytest.raises(AnswerTooLarge):
        service.request("GET", server.url("/large"))
    assert len(server.received) == 2


def test_a_certificate_of_another_authority_ends_the_call(server: HttpsServer) -> None:
    with pytest.raises(NoAnswer) as caught:
        OwnService(LIMITS).request("GET", server.url("/"))

    assert caught.value.reason_code == "http.certificate_refused"
    assert server.received == []


def test_a_server_that_sends_a_byte_now_and_then_is_left_in_time() -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(1000)
        for _ in range(100):
            connection.send(b"H")
            time.sleep(0.1)

    with https_server(raw=drip) as server:
        started = time.monotonic()
        with pytest.raises(NoAnswer):
            OwnService(LIMITS, server.ca).request("GET", server.url("/"))

    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "url",
    [
        "ftp://localhost/",
        "https:///path",
        "https://user@localhost/",
        "http://192.0.2.1/",
        "http://10.0.0.1/",
        "https://ho st/",
    ],
)
def test_an_address_that_is_none_or_leaves_the_link_in_plain_is_refused(url: str) -> None:
    with pytest.raises(TargetRefused):
        OwnService(LIMITS).request("GET", url)


def test_plain_http_is_spoken_on_this_machine() -> None:
    def answer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=answer, args=(listener,))
        thread.start()
        port = listener.getsockname()[1]

        assert OwnService(LIMITS).request("GET", f"http://127.0.0.1:{port}/token").text == "ok"
        thread.join()
