"""A real HTTPS server on loopback with a certificate of a local authority."""

import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from socket import AF_INET, AF_INET6, socket

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from foundation.contracts.interfaces import Direction, Interface, PrivateTarget, interfaces

NAMES = ("localhost", "127.0.0.1", "::1", "target.test", "other.test")


@dataclass(frozen=True)
class Received:
    """One request that arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What the server answers."""

    status: int = 200
    body: bytes = b'{"ok": true}'
    headers: Mapping[str, str] = field(default_factory=dict)


Script = Callable[[Received], Reply]
RawScript = Callable[[socket], None]


@dataclass(frozen=True)
class Authority:
    """A certificate authority of our own."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """Its certificate, for CA bundles."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, names: tuple[str, ...], *, valid_days: int = 1) -> bytes:
        """Issue a certificate; key and certificate as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder("gatehouse test server", key, issuer=self.certificate.subject)
        until = datetime.now(tz=UTC) + timedelta(days=valid_days)
        certificate = (
            builder.not_valid_after(until)
            .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), False)  # noqa: FBT003
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                False,  # noqa: FBT003
            )
            .sign(self.key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return private + certificate.public_bytes(serialization.Encoding.PEM)


@dataclass
class HttpsServer:
    """A running server.

    Attributes:
        host: address it listens on.
        port: free port.
        ca: PEM of the authority that signed its certificate.
        received: requests in order.
        dialled: connections that were opened, also those that came to nothing.
    """

    host: str
    port: int
    ca: str
    received: list[Received] = field(default_factory=list)
    dialled: list[object] = field(default_factory=list)

    def url(self, path: str = "/", *, host: str = "localhost") -> str:
        """Address of a path under one of its names."""
        return f"https://{host}:{self.port}{path}"

    def target(self, host: str = "localhost") -> PrivateTarget:
        """The exception that lets an interface reach it."""
        return PrivateTarget(host=host, port=self.port, ca_bundle=self.ca)


@lru_cache(maxsize=4)
def authority(name: str = "gatehouse test authority") -> Authority:
    """Make an authority, once per process and name."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, key, issuer=_subject(name))
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        builder.not_valid_after(datetime.now(tz=UTC) + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)  # noqa: FBT003
        .add_extension(usage, True)  # noqa: FBT003
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)  # noqa: FBT003
        .sign(key, hashes.SHA256())
    )
    return Authority(key=key, certificate=certificate)


@contextmanager
def https_server(
    script: Script = lambda _: Reply(),
    *,
    raw: RawScript | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    names: tuple[str, ...] = NAMES,
) -> Iterator[HttpsServer]:
    """Run a server in threads of its own.

    Args:
        script: answers a request.
        raw: in place of ``script``, speaks on the TLS socket itself, for servers that misbehave.
        host: a loopback address.
        port: 0 takes a free one.
        names: names in the certificate.
    """
    listener = _Listener((host, port), script, raw, authority().issue(names))
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield listener.told
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


@contextmanager
def registered(*hosts: str, private: tuple[PrivateTarget, ...] = ()) -> Iterator[Interface]:
    """Register an interface for the time of a test."""
    interface = interface_for(*hosts, private=private)
    interfaces._items[interface.code] = interface
    try:
        yield interface
    finally:
        del interfaces._items[interface.code]


def interface_for(*hosts: str, private: tuple[PrivateTarget, ...] = ()) -> Interface:
    """Describe an outgoing interface."""
    return Interface(
        code="test.outgoing",
        kind="test.outgoing",
        direction=Direction.OUT,
        owner="Test owner",
        purpose="calls of the tests",
        hosts=frozenset(hosts),
        private_targets=private,
    )


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], script: Script, raw: RawScript | None, pem: bytes
    ) -> None:
        self.address_family = AF_INET6 if ":" in address[0] else AF_INET
        super().__init__(address, _Handler)
        self.script = script
        self.raw = raw
        self.told = HttpsServer(host=address[0], port=self.server_address[1], ca=authority().pem)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            chain = Path(folder) / "server.pem"
            chain.write_bytes(pem)
            self.context.load_cert_chain(chain)

    def get_request(self) -> tuple[socket, object]:
        """Count the connection before anything is read from it."""
        connection, address = super().get_request()
        self.told.dialled.append(address)
        return connection, address

    def finish_request(self, request: object, client_address: object) -> None:
        """Speak TLS in the connection's own thread."""
        if not isinstance(request, socket):
            raise TypeError(request)
        request.settimeout(10)
        with self.context.wrap_socket(request, server_side=True) as secured:
            if self.raw is not None:
                self.raw(secured)
            else:
                _Handler(secured, client_address, self)

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: a client that hangs up is what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        """Read one request and answer by the script."""
        length = int(self.headers.get("Content-Length", "0"))
        received = Received(
            method=self.command,
            path=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        self.server.told.received.append(received)
        reply = self.server.script(received)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


def _builder(
    common_name: str, key: ec.EllipticCurvePrivateKey, *, issuer: x509.Name
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(common_name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(tz=UTC) - timedelta(minutes=5))
    )


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
