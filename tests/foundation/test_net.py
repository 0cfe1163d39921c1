import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from foundation.net import FORWARDING_HEADERS, ClientAddressMiddleware, client_ip, was_forwarded


@pytest.fixture
def trusted(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "fd00::/8", "unix"]


def request_from(remote: str, **headers: str) -> HttpRequest:
    request = RequestFactory().get("/")
    request.META.update({"REMOTE_ADDR": remote, **headers})
    return request


@pytest.mark.parametrize(
    ("remote", "address", "net"),
    [
        ("203.0.113.77", "203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
    ],
)
def test_peer_is_the_client_where_no_proxy_is_trusted(remote: str, address: str, net: str) -> None:
    found = client_ip(request_from(remote))

    assert (found.address, found.net, found.how) == (address, net, "peer")
    assert found.net_address == net.partition("/")[0]


@pytest.mark.parametrize("remote", ["", "garbage", "999.1.1.1", "1.2.3.4.5", "\x00", ":::"])
def test_unreadable_peer_is_unknown_and_raises_nothing(remote: str) -> None:
    found = client_ip(request_from(remote, HTTP_X_FORWARDED_FOR="198.51.100.1"))

    assert (found.address, found.net, found.how) == ("", "", "unknown")


def test_stranger_cannot_name_an_address_by_any_forwarding_header() -> None:
    forged = dict.fromkeys(FORWARDING_HEADERS, "198.51.100.1")

    found = client_ip(request_from("203.0.113.77", **forged))

    assert found.address == "203.0.113.77"


def test_headers_of_a_stranger_are_deleted_before_anything_reads_them() -> None:
    forged = dict.fromkeys(FORWARDING_HEADERS, "198.51.100.1")
    seen: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    ClientAddressMiddleware(view)(request_from("203.0.113.77", **forged))

    assert not set(FORWARDING_HEADERS) & set(seen[0].META)


@pytest.mark.parametrize("header", FORWARDING_HEADERS)
def test_that_a_request_was_forwarded_is_known_after_its_headers_are_gone(header: str) -> None:
    forwarded = request_from("127.0.0.1", **{header: "198.51.100.1"})
    direct = request_from("127.0.0.1")

    for request in (forwarded, direct):
        ClientAddressMiddleware(lambda _: HttpResponse())(request)

    assert (was_forwarded(forwarded), was_forwarded(direct)) == (True, False)


@pytest.mark.usefixtures("trusted")
def test_headers_of_a_trusted_proxy_stay() -> None:
    request = request_from("10.1.2.3", HTTP_X_FORWARDED_PROTO="https")

    ClientAddressMiddleware(lambda _: HttpResponse())(request)

    assert request.META["HTTP_X_FORWARDED_PROTO"] == "https"


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("6.6.6.6, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
        ("198.51.100.1:4711", "198.51.100.1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("6.6.6.6, garbage", "10.1.2.3"),
        ("6.6.6.6, garbage, 10.9.9.9", "10.9.9.9"),
        ("", "10.1.2.3"),
        (" , ,", "10.1.2.3"),
        ("10.7.7.7, 10.8.8.8", "10.7.7.7"),
    ],
)
def test_behind_trusted_proxies_the_rightmost_stranger_is_the_client(
    header: str, address: str
) -> None:
    found = client_ip(request_from("10.1.2.3", HTTP_X_FORWARDED_FOR=header))

    assert found.address == address


@pytest.mark.usefixtures("trusted")
def test_real_ip_header_is_ignored_even_from_a_trusted_proxy() -> None:
    found = client_ip(request_from("10.1.2.3", HTTP_X_REAL_IP="6.6.6.6"))

    assert found.address == "10.1.2.3"


@pytest.mark.usefixtures("trusted")
def test_our_unix_socket_is_trusted_where_it_is_named() -> None:
    found = client_ip(request_from("", HTTP_X_FORWARDED_FOR="198.51.100.1"))

    assert (found.address, found.how) == ("198.51.100.1", "proxy")


@pytest.mark.usefixtures("trusted")
def test_socket_without_header_is_unknown_and_raises_nothing() -> None:
    assert client_ip(request_from("")).how == "unknown"


@pytest.mark.usefixtures("trusted")
def test_endless_chain_is_cut() -> None:
    chain = ", ".join(["10.0.0.1"] * 100_000)

    assert client_ip(request_from("10.1.2.3", HTTP_X_FORWARDED_FOR=chain)).address == "10.0.0.1"
