import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from socket import socket

import pytest
from django.db import transaction

from foundation import http
from foundation.contracts.interfaces import Direction, Interface, interfaces
from foundation.http import Call, HttpAnswer, Limits, Session
from tests.fakes.https import HttpsServer, Received, Reply, authority, https_server, registered

FAST = Limits(connect_seconds=2, read_seconds=0.4, total_seconds=1.0)


def fetch(server: HttpsServer, path: str = "/", *, limits: Limits | None = None) -> HttpAnswer:
    with registered("localhost", private=(server.target(),)) as interface:
        return http.request(interface, "GET", server.url(path), limits=limits)


def test_call_reaches_a_private_target_with_its_own_authority() -> None:
    with https_server(lambda _: Reply(201, b'{"a": 1}', {"X-Kind": "test"})) as server:
        answer = fetch(server, "/orders?x=1")

    assert (answer.status, answer.json(), answer.headers["x-kind"]) == (201, {"a": 1}, "test")
    assert answer.is_success
    assert server.received[0].path == "/orders?x=1"
    assert server.received[0].headers["host"] == f"localhost:{server.port}"


def test_interface_may_be_named_by_its_code() -> None:
    with (
        https_server() as server,
        registered("localhost", private=(server.target(),)) as interface,
    ):
        assert http.request(interface.code, "GET", server.url()).status == 200


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (lambda one: replace(one, code="nobody.knows", kind="nobody.knows"), "interface.unknown"),
        (lambda one: replace(one, is_enabled=False), "interface.unknown"),
    ],
)
def test_interface_that_is_not_registered_as_it_is_shown_calls_nobody(
    changed: Callable[[Interface], Interface], code: str
) -> None:
    with (
        https_server() as server,
        registered("localhost", private=(server.target(),)) as interface,
    ):
        with pytest.raises(http.InterfaceRefused) as refusal:
            http.request(changed(interface), "GET", server.url())

        assert refusal.value.reason_code == code
        assert not server.dialled
        assert http.request(interface, "GET", server.url()).status == 200


def test_unknown_code_calls_nobody() -> None:
    with pytest.raises(http.InterfaceRefused) as refusal:
        http.request("nobody.knows:1", "GET", "https://localhost/")

    assert refusal.value.reason_code == "interface.unknown"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"owner": ""}, "interface.incomplete"),
        ({"purpose": ""}, "interface.incomplete"),
        ({"hosts": frozenset()}, "interface.incomplete"),
        ({"direction": Direction.IN}, "interface.incomplete"),
        ({"is_enabled": False}, "interface.disabled"),
    ],
)
def test_unfinished_or_switched_off_interface_is_off(
    changes: dict[str, object], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        https_server() as server,
        registered("localhost", private=(server.target(),)) as interface,
    ):
        off = replace(interface, **changes)  # type: ignore[arg-type]  # names of the table above
        monkeypatch.setitem(interfaces._items, interface.code, off)

        with pytest.raises(http.InterfaceRefused) as refusal:
            http.request(off, "GET", server.url())

        assert refusal.value.reason_code == code
        assert not server.dialled


def test_redirect_is_an_answer_and_is_not_followed() -> None:
    with https_server() as inner:
        redirect = Reply(302, b"", {"Location": inner.url("/secret")})
        with https_server(lambda _: redirect) as outer:
            answer = fetch(outer)

        assert (answer.status, answer.is_success) == (302, False)
        assert not inner.dialled


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with https_server() as proxy, https_server() as server:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")

        assert fetch(server).status == 200
        assert not proxy.dialled


@pytest.mark.parametrize("size", [64 * 1024, 64 * 1024 + 1])
def test_answer_is_kept_up_to_the_limit_only(size: int) -> None:
    with https_server(lambda _: Reply(200, b"x" * size)) as server:
        if size <= 64 * 1024:
            assert len(fetch(server).body) == size
            return
        with pytest.raises(http.AnswerTooLarge):
            fetch(server)


def test_endless_answer_is_cut_off() -> None:
    def endless(connection: socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 8192)

    with https_server(raw=endless) as server, pytest.raises(http.AnswerTooLarge):
        fetch(server)


def test_compressed_answer_is_not_unpacked() -> None:
    bomb = b"\x1f\x8b\x08" + b"\x00" * 20
    with https_server(lambda _: Reply(200, bomb, {"Content-Encoding": "gzip"})) as server:
        answer = fetch(server)

    assert answer.body == bomb
    assert server.received[0].headers["accept-encoding"] == "identity"


def test_silent_server_ends_the_call_at_the_read_limit() -> None:
    with https_server(raw=lambda _: time.sleep(3)) as server:
        started = time.monotonic()
        with pytest.raises(http.NoAnswer) as failure:
            fetch(server, limits=FAST)

    assert failure.value.reason_code == "http.timeout"
    assert time.monotonic() - started < 3.5


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_server_that_sends_a_byte_now_and_then_ends_at_the_total_limit(head: bytes) -> None:
    def drip(connection: socket) -> None:
        connection.recv(4096)
        connection.sendall(head)
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.1)

    with https_server(raw=drip) as server:
        started = time.monotonic()
        with pytest.raises(http.NoAnswer) as failure:
            fetch(server, limits=FAST)
        took = time.monotonic() - started

    assert failure.value.reason_code == "http.timeout"
    assert 0.8 < took < 2.0


def test_certificate_for_another_name_is_refused() -> None:
    with https_server(names=("other.test",)) as server:
        with pytest.raises(http.NoAnswer) as failure:
            fetch(server)

        assert failure.value.reason_code == "http.certificate_refused"
        assert not server.received


def test_certificate_of_another_authority_is_refused() -> None:
    with https_server() as server:
        target = replace(server.target(), ca_bundle=authority("another authority").pem)
        with (
            registered("localhost", private=(target,)) as interface,
            pytest.raises(http.NoAnswer) as failure,
        ):
            http.request(interface, "GET", server.url())

        assert failure.value.reason_code == "http.certificate_refused"
        assert not server.received


def test_unreadable_bundle_is_refused_with_its_own_code() -> None:
    with https_server() as server:
        target = replace(server.target(), ca_bundle="no certificate")
        with (
            registered("localhost", private=(target,)) as interface,
            pytest.raises(http.TargetRefused) as failure,
        ):
            http.request(interface, "GET", server.url())

        assert failure.value.reason_code == "http.ca_bundle_invalid"


@pytest.mark.parametrize(
    "answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"]
)
def test_broken_answer_is_no_answer(answer: bytes) -> None:
    def broken(connection: socket) -> None:
        connection.recv(4096)
        connection.sendall(answer)

    with https_server(raw=broken) as server, pytest.raises(http.NoAnswer):
        fetch(server)


def test_closed_port_is_no_answer() -> None:
    with https_server() as server:
        gone = server
    with pytest.raises(http.NoAnswer) as failure:
        fetch(gone)

    assert failure.value.reason_code == "http.no_answer"


def test_answer_that_is_no_json_says_so() -> None:
    with (
        https_server(lambda _: Reply(200, b"<html>\xff")) as server,
        pytest.raises(http.NoAnswer) as failure,
    ):
        fetch(server).json()

    assert failure.value.reason_code == "http.no_json"
    assert HttpAnswer(200, {}, b"\xff", 1).text == "�"


def test_call_inside_a_transaction_is_refused_and_one_after_it_is_made() -> None:
    with https_server() as server:
        with transaction.atomic(), pytest.raises(http.OpenTransaction):
            fetch(server)

        assert not server.dialled
        assert fetch(server).status == 200


class Key:
    """An authenticator that adds fixed headers."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers
        self.seen: list[Call] = []

    def headers_for(self, call: Call) -> Mapping[str, str]:
        """Remember the call and give the headers."""
        self.seen.append(call)
        return self.headers


def test_authenticator_sees_the_request_and_its_header_wins_over_the_callers() -> None:
    key = Key({"Authorization": "Bearer secret"})
    with https_server() as server, registered("localhost", private=(server.target(),)) as interface:
        session = Session(interface, base_url=server.url(), authenticator=key)
        session.request("POST", "/a", headers={"authorization": "mine"}, body=b"1")

    assert server.received[0].headers["authorization"] == "Bearer secret"
    assert (key.seen[0].method, key.seen[0].url, key.seen[0].body) == (
        "POST",
        server.url("/a"),
        b"1",
    )


def test_session_sends_queries_and_json_relative_to_its_base() -> None:
    with https_server() as server, registered("localhost", private=(server.target(),)) as interface:
        session = Session(interface, base_url=server.url("/v1/"))
        session.get("orders", params={"limit": 5, "q": "a b"})
        session.post("/x", json_body={"a": "ü"})

    assert [one.path for one in server.received] == ["/v1/orders?limit=5&q=a+b", "/x"]
    assert server.received[1] == Received(
        "POST", "/x", server.received[1].headers, b'{"a": "\\u00fc"}'
    )


def test_session_asks_before_each_call_whether_it_may_go_on() -> None:
    class Ended(Exception):
        pass

    def ended() -> None:
        raise Ended

    with https_server() as server, registered("localhost", private=(server.target(),)) as interface:
        session = Session(interface, base_url=server.url(), before_each=ended)
        with pytest.raises(Ended):
            session.get("/")

    assert not server.dialled


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "a\r\nX-B: b"),
        ("X-A", "a\nb"),
        ("X-A", "\x00"),
        ("X-A", "ü"),
        ("X-A\r\nX-B", "b"),
        ("X A", "b"),
        ("", "b"),
        ("X-A:", "b"),
        ("Host", "other.test"),
        ("content-length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "upgrade"),
    ],
)
@pytest.mark.parametrize("by", ["caller", "authenticator"])
def test_header_that_would_end_or_rule_the_request_is_refused(
    name: str, value: str, by: str
) -> None:
    with https_server() as server, registered("localhost", private=(server.target(),)) as interface:
        key = Key({name: value}) if by == "authenticator" else None
        session = Session(interface, base_url=server.url(), authenticator=key)
        with pytest.raises(http.HeaderRefused) as refusal:
            session.request("GET", "/", headers={name: value} if by == "caller" else {})

    assert refusal.value.reason_code == "http.header_refused"
    assert not server.dialled


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "get", "GET / HTTP/1.1\r\n", ""])
def test_unknown_method_is_refused(method: str) -> None:
    with https_server() as server, registered("localhost", private=(server.target(),)) as interface:
        with pytest.raises(http.HeaderRefused) as refusal:
            http.request(interface, method, server.url())

        assert refusal.value.reason_code == "http.method_refused"
        assert not server.dialled


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_usual_methods_are_sent_with_the_exact_body(method: str) -> None:
    with https_server() as server, registered("localhost", private=(server.target(),)) as interface:
        http.request(interface, method, server.url(), body=b"\x00\xff" if method == "PUT" else b"")

    assert server.received[0].method == method
    assert server.received[0].body == (b"\x00\xff" if method == "PUT" else b"")


def test_repeated_answer_headers_are_joined() -> None:
    def two(connection: socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nX-a: 2\r\nContent-Length: 0\r\n\r\n")

    with https_server(raw=two) as server:
        assert fetch(server).headers["x-a"] == "1, 2"
