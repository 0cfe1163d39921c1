"""Each trick against the guard, and the same trick with the guard switched off.

The server listens on a loopback address of its own and a port that outgoing calls may use, so
without the guard every trick reaches it: the control.
"""

import secrets
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address
from urllib.parse import urlsplit

import pytest

from foundation import http
from foundation.contracts.interfaces import PrivateTarget
from foundation.http import Limits, Policy
from foundation.http.addresses import Address, Judge, PrivateException, PublicOnly
from foundation.http.dialling import system_resolver
from foundation.http.targets import normal_host
from tests.fakes.https import HttpsServer, https_server, interface_for, registered
from tests.proofs import Tried

PORT = 8443
QUICK = Limits(connect_seconds=1, read_seconds=1, total_seconds=2)


class Anything:
    """The guard switched off."""

    def refusal(self, address: Address) -> str | None:  # noqa: ARG002 - the Judge's signature
        """Refuse nothing."""
        return None


@dataclass
class Names:
    """A resolver whose answers are written down, one list after the other."""

    answers: list[list[str]]
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int) -> Sequence[str]:  # noqa: ARG002 - a Resolver
        """Give the next answer."""
        self.asked.append(host)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


@pytest.fixture
def inside() -> Iterator[HttpsServer]:
    """A server inside, which nobody may reach."""
    with https_server(host=loopback(), port=PORT) as server:
        yield server


def loopback() -> str:
    return ".".join(["127", *(str(1 + secrets.randbelow(250)) for _ in range(3))])


def number(host: str) -> int:
    return int(IPv4Address(host))


def octets(host: str, form: str) -> str:
    return ".".join(form.format(part) for part in IPv4Address(host).packed)


def groups(host: str) -> str:
    value = number(host)
    return f"{value >> 16:x}:{value & 0xFFFF:x}"


SPELLINGS: dict[str, Callable[[str], str]] = {
    "dotted": str,
    "decimal": lambda host: str(number(host)),
    "octal number": lambda host: f"0{number(host):o}",
    "hexadecimal number": lambda host: f"0x{number(host):x}",
    "octal parts": lambda host: octets(host, "0{:o}"),
    "padded octal parts": lambda host: octets(host, "0000{:o}"),
    "hexadecimal parts": lambda host: octets(host, "0x{:x}"),
    "two parts": lambda host: f"127.{number(host) & 0xFFFFFF}",
    "three parts": lambda host: ".".join([*host.split(".")[:2], str(number(host) & 0xFFFF)]),
    "trailing dot": lambda host: f"{host}.",
    "full-width digits": lambda host: host.translate(
        {ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}
    ),
    "circled dot": lambda host: host.replace(".", "。"),
    "mapped": lambda host: f"[::ffff:{host}]",
    "mapped in groups": lambda host: f"[::ffff:{groups(host)}]",
    "mapped in full": lambda host: f"[0000:0000:0000:0000:0000:FFFF:{groups(host)}]",
}


def call(host: str, *, policy: Policy, limits: Limits = QUICK) -> Exception | None:
    """Call a host that the interface lists, and give what went wrong."""
    with registered(normal_host(urlsplit(f"//{host}").hostname or "")) as interface:
        try:
            http.request(interface, "GET", f"https://{host}:{PORT}/", policy=policy, limits=limits)
        except (http.TargetRefused, http.InterfaceRefused, http.NoAnswer) as error:
            return error
    return None


def code_of(error: Exception | None) -> str:
    return getattr(error, "reason_code", "")


def assert_dialled(server: HttpsServer, times: int) -> None:
    deadline = time.monotonic() + 2
    while len(server.dialled) < times and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(server.dialled) == times


@pytest.mark.proof("frame: no spelling of a private address passes the outgoing guard")
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_a_private_address_is_dialled(
    spelling: str, inside: HttpsServer, tried: Tried
) -> None:
    host = SPELLINGS[spelling](inside.host)

    error = call(host, policy=Policy())

    assert code_of(error) == "http.address_loopback"
    assert not inside.dialled
    call(host, policy=Policy(public=Anything()))
    assert_dialled(inside, 1)
    tried.case()


@pytest.mark.parametrize(
    ("given", "resolved"),
    [
        ("internal.test", lambda host: [host]),
        ("INTERNAL.test.", lambda host: [host]),
        ("mixed.test", lambda host: ["93.184.215.14", host]),
        ("mapped.test", lambda host: [f"::ffff:{host}"]),
    ],
)
def test_name_that_leads_inside_is_refused(
    given: str, resolved: Callable[[str], list[str]], inside: HttpsServer
) -> None:
    answers = resolved(inside.host)

    error = call(given, policy=Policy(resolver=Names([answers])))

    assert code_of(error) == "http.address_loopback"
    assert not inside.dialled
    call(given, policy=Policy(public=Anything(), resolver=Names([answers[-1:]])))
    assert_dialled(inside, 1)


def test_this_host_by_the_address_zero_is_refused() -> None:
    with https_server(port=PORT) as inside:
        error = call("0.0.0.0", policy=Policy())  # noqa: S104 - the trick itself

        assert code_of(error) == "http.address_unspecified"
        assert not inside.dialled
        call("0.0.0.0", policy=Policy(public=Anything()))  # noqa: S104
        assert_dialled(inside, 1)


@pytest.mark.parametrize("host", ["[::1]", "[0:0:0:0:0:0:0:1]", "[::0001]"])
def test_loopback_of_version_six_is_refused(host: str) -> None:
    with https_server(host="::1", port=PORT) as inside:
        error = call(host, policy=Policy())

        assert code_of(error) == "http.address_loopback"
        assert not inside.dialled
        call(host, policy=Policy(public=Anything()))
        assert_dialled(inside, 1)


class Only:
    """Takes one address for a public one."""

    def __init__(self, address: str) -> None:
        self.address = ip_address(address)

    def refusal(self, address: Address) -> str | None:
        """Refuse every other address."""
        return None if address == self.address else "loopback"


def test_name_that_changes_its_address_after_the_check_reaches_the_checked_one(
    inside: HttpsServer,
) -> None:
    with https_server(host=loopback(), port=PORT) as front:
        judge: Judge = Only(front.host)
        names = Names([[front.host], [inside.host]])

        call("rebind.test", policy=Policy(public=judge, resolver=names))

        assert_dialled(front, 1)
        assert names.asked == ["rebind.test"]
        assert not inside.dialled
        checked_then_dialled(Names([[front.host], [inside.host]]), judge)
        assert_dialled(inside, 1)


def checked_then_dialled(names: Names, judge: Judge) -> None:
    """The control: a guard in front of a client that looks the name up again."""
    assert judge.refusal(ip_address(names("rebind.test", PORT)[0])) is None
    call("rebind.test", policy=Policy(public=Anything(), resolver=names))


def test_name_that_turns_inside_before_the_call_is_refused_at_the_call(
    inside: HttpsServer,
) -> None:
    names = Names([["93.184.215.14"], [inside.host]])
    names("rebind.test", PORT)

    error = call("rebind.test", policy=Policy(resolver=names))

    assert code_of(error) == "http.address_loopback"
    assert not inside.dialled


TEXTS: dict[str, tuple[Callable[[str], str], str]] = {
    "user information": (
        lambda host: f"https://allowed.test:{PORT}@{host}:{PORT}/",
        "http.userinfo_refused",
    ),
    "empty user information": (lambda host: f"https://@{host}:{PORT}/", "http.userinfo_refused"),
    "plain http": (lambda host: f"http://{host}:{PORT}/", "http.scheme_refused"),
    "scheme in capitals, other": (lambda host: f"GOPHER://{host}:{PORT}/", "http.scheme_refused"),
    "host that is not listed": (lambda host: f"https://{host}:{PORT}/", "interface.host_refused"),
    "percent-encoded host": (
        lambda host: f"https://{host.replace('.', '%2e')}:{PORT}/",
        "http.url_malformed",
    ),
    "line break": (lambda host: f"https://allowed.test\n@{host}:{PORT}/", "http.url_malformed"),
    "tab": (lambda host: f"https://\t{host}:{PORT}/", "http.url_malformed"),
    "backslash": (
        lambda host: f"https://allowed.test:{PORT}\\@{host}:{PORT}/",
        "http.url_malformed",
    ),
    "zone": (lambda host: f"https://[::ffff:{host}%25lo]:{PORT}/", "http.url_malformed"),
    "two ports": (lambda host: f"https://{host}:{PORT}:443/", "http.url_malformed"),
    "port beyond all": (lambda host: f"https://{host}:99999/", "http.url_malformed"),
    "no host": (lambda host: f"https:///{host}", "http.url_malformed"),
    "nine thousand characters": (
        lambda host: f"https://{host}/{'a' * 9000}",
        "http.url_malformed",
    ),
}


@pytest.mark.parametrize("text", TEXTS)
def test_address_that_two_readers_could_read_differently_is_refused(
    text: str, inside: HttpsServer
) -> None:
    make, code = TEXTS[text]

    with (
        registered("allowed.test") as interface,
        pytest.raises((http.TargetRefused, http.InterfaceRefused)) as refusal,
    ):
        http.request(interface, "GET", make(inside.host), policy=Policy(public=Anything()))

    assert code_of(refusal.value) == code
    assert not inside.dialled


@pytest.mark.parametrize("text", ["user information", "plain http", "line break"])
def test_the_same_address_leads_inside_where_a_client_just_dials_it(
    text: str, inside: HttpsServer
) -> None:
    parts = urlsplit(TEXTS[text][0](inside.host))

    socket.create_connection((str(parts.hostname), parts.port or 0), timeout=1).close()

    assert_dialled(inside, 1)


@pytest.mark.parametrize("port", [0, 22, 80, 8080, 6379, 65535])
def test_other_ports_are_refused(port: int) -> None:
    with registered("allowed.test") as interface, pytest.raises(http.TargetRefused) as refusal:
        http.request(interface, "GET", f"https://allowed.test:{port}/")

    assert refusal.value.reason_code == "http.port_refused"


REFUSED = [
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "::",
    "::1",
    "::7f00:1",
    "::8.8.8.8",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::1",
    "2001:db8::1",
    "2001:10::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2600:1f18::5efe:7f00:1",
    "2600:1f18::200:5efe:a00:1",
]
ALLOWED = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.254",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2001:4860:4860::8888",
    "2606:4700::1111",
    "2600:1f18::5efe:808:808",
]


@pytest.mark.parametrize("text", REFUSED)
def test_address_that_is_not_reachable_by_all_is_refused(text: str) -> None:
    assert PublicOnly().refusal(ip_address(text)) is not None


@pytest.mark.parametrize("text", ALLOWED)
def test_public_address_is_allowed(text: str) -> None:
    assert PublicOnly().refusal(ip_address(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fe80::a9fe:a9fe",
        "224.0.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "255.255.255.255",
        "::",
    ],
)
def test_exception_for_a_private_target_never_covers_metadata(text: str) -> None:
    assert PrivateException().refusal(ip_address(text)) is not None


@pytest.mark.parametrize("text", ["10.0.0.1", "127.0.0.1", "fd00::1", "::1", "192.168.0.9"])
def test_exception_for_a_private_target_covers_private_addresses(text: str) -> None:
    assert PrivateException().refusal(ip_address(text)) is None


def test_exception_holds_for_its_port_alone(inside: HttpsServer) -> None:
    with https_server(host=inside.host) as other:
        target = PrivateTarget(host=inside.host, port=other.port, ca_bundle=other.ca)
        with registered(inside.host, private=(target,)) as interface:
            with pytest.raises(http.TargetRefused) as refusal:
                http.request(interface, "GET", f"https://{inside.host}:{PORT}/")
            with pytest.raises(http.NoAnswer) as reached:
                http.request(interface, "GET", f"https://{inside.host}:{other.port}/")

        assert refusal.value.reason_code == "http.address_loopback"
        assert reached.value.reason_code == "http.certificate_refused"
        assert not inside.dialled
        assert_dialled(other, 1)


def test_exception_of_another_host_does_not_count(inside: HttpsServer) -> None:
    target = PrivateTarget(host="elsewhere.test", port=PORT, ca_bundle=inside.ca)
    with registered(inside.host, private=(target,)) as interface:
        with pytest.raises(http.TargetRefused) as refusal:
            http.request(interface, "GET", f"https://{inside.host}:{PORT}/")

        assert refusal.value.reason_code == "http.address_loopback"


@pytest.mark.parametrize(
    "answers", [[[]], [["not an address"]], [["1.2.3.4.5"]]], ids=["none", "words", "five"]
)
def test_name_without_a_usable_address_is_unknown(answers: list[list[str]]) -> None:
    error = call("name.test", policy=Policy(resolver=Names(answers)))

    assert code_of(error) == "http.name_unknown"


def test_name_that_does_not_exist_is_unknown() -> None:
    error = call("does-not-exist.invalid", policy=Policy(resolver=failing))

    assert code_of(error) == "http.name_unknown"


def failing(host: str, port: int) -> Sequence[str]:
    raise socket.gaierror(socket.EAI_NONAME, f"{host}:{port}")


def test_system_resolver_gives_addresses_as_text() -> None:
    assert set(system_resolver("localhost", PORT)) <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    "host", ["", "a b", "-a", "a..b", "a" * 64, ".".join(["aa"] * 100), "ß" * 80]
)
def test_text_that_is_no_host_name_is_refused(host: str) -> None:
    with pytest.raises(http.TargetRefused) as refusal:
        normal_host(host)

    assert refusal.value.reason_code == "http.url_malformed"


def test_host_names_are_compared_in_one_form() -> None:
    assert normal_host("BÜCHER.example.") == "xn--bcher-kva.example"
    assert normal_host("[2606:4700:0:0::1111]") == "2606:4700::1111"
    assert interface_for("a.test").hosts == {"a.test"}
