"""What the services over HTTPS ask for and how their own refusals are judged."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from encryption.providers.aws_kms import AwsKms
from encryption.providers.azure_key_vault import ManagedIdentity, resource_of
from encryption.providers.base import BadBlob, KeyService, Refused, Unavailable
from encryption.providers.blobs import framed, packed
from encryption.providers.gcp_kms import GcpKms, MachineIdentity, ServiceAccount
from encryption.providers.rest import AccessTokens, Answer, Rest
from encryption.providers.vault_transit import VaultTransit
from tests.encryption.providers.backends import (
    CONTEXT,
    aws_credentials,
    azure_service,
    ca_of,
    fake_server,
    gcp_service,
    transit_service,
)
from tests.fakes.https import HttpsServer, Received, Reply, Script, https_server
from tests.fakes.key_services import aws, azure, gcp, transit


@pytest.fixture
def google(tmp_path: Path) -> Iterator[tuple[gcp.Gcp, GcpKms]]:
    """Give Cloud KMS and its key service."""
    fake = gcp.Gcp()
    with fake_server(fake, fake.switch, fake.busy) as (server, _):
        yield fake, gcp_service(server, fake, tmp_path)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[tuple[transit.Transit, VaultTransit]]:
    """Give the transit engine and its key service."""
    fake = transit.Transit({"root": transit.TransitKey()})
    with fake_server(fake, fake.switch, fake.busy) as (server, _):
        yield fake, transit_service(server, tmp_path)


@pytest.mark.parametrize("lie", ["plaintext", "ciphertext", "verified"])
def test_bytes_that_were_changed_on_their_way_are_dropped(
    google: tuple[gcp.Gcp, GcpKms], lie: str
) -> None:
    fake, service = google
    raw, blob = service.generate(CONTEXT)
    fake.lies = lie

    with pytest.raises(Unavailable, match="changed on its way"):
        assert service.unwrap(service.wrap(raw, CONTEXT), CONTEXT) == raw

    fake.lies = ""
    assert service.unwrap(blob, CONTEXT) == raw


def test_a_question_that_was_changed_on_its_way_is_asked_again(
    google: tuple[gcp.Gcp, GcpKms],
) -> None:
    fake, service = google
    raw, blob = service.generate(CONTEXT)
    fake.disturbed = 1

    assert service.unwrap(blob, CONTEXT) == raw

    assert fake.disturbed == 0


def test_a_new_access_token_is_fetched_when_the_old_one_is_refused(
    google: tuple[gcp.Gcp, GcpKms],
) -> None:
    fake, service = google
    raw, blob = service.generate(CONTEXT)
    assert len(fake.tokens) == 1
    fake.tokens.clear()

    assert service.unwrap(blob, CONTEXT) == raw

    assert len(fake.tokens) == 1


def test_a_right_that_was_taken_is_a_refusal(google: tuple[gcp.Gcp, GcpKms]) -> None:
    fake, service = google
    _, blob = service.generate(CONTEXT)
    fake.permitted = False

    with pytest.raises(Refused):
        service.unwrap(blob, CONTEXT)


def test_another_service_account_is_refused(google: tuple[gcp.Gcp, GcpKms]) -> None:
    fake, service = google
    fake.account = gcp.Gcp().account

    with pytest.raises(Refused, match="credentials"):
        service.generate(CONTEXT)


@pytest.mark.parametrize(
    "content", ["[]", "x", '{"client_email": 5}', '{"private_key": "x"}', "elliptic"]
)
def test_a_damaged_key_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "account.json"
    if content in {'{"private_key": "x"}', "elliptic"}:
        facts = json.loads(gcp.Gcp().key_file("https://127.0.0.1:1/token"))
        facts["private_key"] = "x" if content != "elliptic" else ELLIPTIC
        content = json.dumps(facts)
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(Refused, match="damaged"):
        ServiceAccount(path, Rest())()


@pytest.mark.parametrize("name", ["strange", "broken"])
def test_an_answer_that_is_none_is_unavailable(
    google: tuple[gcp.Gcp, GcpKms], vault: tuple[transit.Transit, VaultTransit], name: str
) -> None:
    for fake, service in (google, vault):
        _, blob = service.generate(CONTEXT)
        fake.switch.mode = name

        with pytest.raises(Unavailable):
            service.unwrap(blob, CONTEXT)
        with pytest.raises(Unavailable):
            _ = service.version


@pytest.mark.parametrize(("change", "value"), [("derived", False), ("type", "chacha20-poly1305")])
def test_a_transit_key_that_binds_no_context_is_refused(
    vault: tuple[transit.Transit, VaultTransit], change: str, value: object
) -> None:
    fake, service = vault
    assert service.health().works  # control
    setattr(fake.keys["root"], change, value)

    with pytest.raises(Refused, match="derived=true"):
        service.generate(CONTEXT)


def test_the_context_holds_even_if_the_transit_key_binds_none(
    vault: tuple[transit.Transit, VaultTransit],
) -> None:
    fake, service = vault
    raw = bytes(range(32))
    fake.keys["root"].derived = False
    fake.keys["root"].type = "aes256-gcm96"
    sealed = fake._sealed(fake.keys["root"], packed(raw, CONTEXT), b"", 1)
    assert isinstance(sealed, dict)
    content = base64.b64decode(str(sealed["ciphertext"]).removeprefix("vault:v1:"))
    blob = framed(f"vault_transit:{service._address}#1", content)

    assert service.unwrap(blob, CONTEXT) == raw  # control: the service does not look at contexts
    with pytest.raises(BadBlob, match="another context"):
        service.unwrap(blob, {**CONTEXT, "epoch": 2})


def test_a_transit_key_that_is_missing_is_refused_and_not_made(
    vault: tuple[transit.Transit, VaultTransit],
) -> None:
    fake, service = vault
    _, blob = service.generate(CONTEXT)
    fake.keys.clear()

    for ask in (lambda: service.unwrap(blob, CONTEXT), lambda: service.generate(CONTEXT)):
        with pytest.raises(Refused):
            ask()
    assert fake.keys == {}


def test_too_old_and_tampered_are_both_400_and_told_apart(
    vault: tuple[transit.Transit, VaultTransit],
) -> None:
    fake, service = vault
    _, blob = service.generate(CONTEXT)
    fake.keys["root"].versions.append(bytes(32))
    fake.keys["root"].min_decryption_version = 2

    with pytest.raises(Refused):
        service.unwrap(blob, CONTEXT)
    fake.keys["root"].min_decryption_version = 1
    with pytest.raises(BadBlob):
        service.unwrap(blob[:-1] + bytes([blob[-1] ^ 1]), CONTEXT)

    assert [refusal.status for refusal in fake.refused] == [400, 400]


def test_a_renewed_token_is_used_at_once(
    vault: tuple[transit.Transit, VaultTransit], tmp_path: Path
) -> None:
    fake, service = vault
    raw, blob = service.generate(CONTEXT)
    fake.token = "hvs.renewed"
    with pytest.raises(Refused):
        service.unwrap(blob, CONTEXT)

    (tmp_path / "token").write_text("hvs.renewed\n")

    assert service.unwrap(blob, CONTEXT) == raw


def test_a_wrong_secret_of_the_application_is_refused(tmp_path: Path) -> None:
    fake = azure.Azure("RSA-OAEP-256")
    fake.add_version("root")
    with fake_server(fake, fake.switch, fake.busy) as (server, _):
        assert azure_service(server, fake, tmp_path).health().works  # control
        service = azure_service(server, fake, tmp_path, secret="wrong")

        with pytest.raises(Refused, match="credentials"):
            service.generate(CONTEXT)


def test_tokens_of_azure_are_for_the_kind_of_vault() -> None:
    assert resource_of("https://x.vault.azure.net/keys/k") == "https://vault.azure.net"
    assert resource_of("https://x.managedhsm.azure.net/keys/k") == "https://managedhsm.azure.net"
    assert resource_of("https://x.vault.azure.cn/keys/k") == "https://vault.azure.cn"


@pytest.mark.parametrize("kid", ["https://127.0.0.1:1/keys/root/00", "https://x/keys/y/z", "?"])
def test_a_strange_version_of_azure_is_unavailable(tmp_path: Path, kid: str) -> None:
    fake = azure.Azure("A256KW")
    fake.tokens.add("t")

    def script(received: Received) -> Reply:
        if received.method == "GET":
            return Reply(200, json.dumps({"key": {"kid": kid}}).encode())
        return fake(received)

    with https_server(script) as server:
        service = azure_service(server, fake, tmp_path)

        with pytest.raises(Unavailable):
            _ = service.version


def test_a_signature_by_another_key_is_refused(tmp_path: Path) -> None:
    fake = aws.Aws()
    arn = fake.add_key()
    with (
        fake_server(fake, fake.switch, fake.busy) as (server, _),
        aws_credentials(aws.ACCESS_KEY, "another secret"),
    ):
        service = of_aws(server, arn, tmp_path)

        with pytest.raises(Refused, match="InvalidSignature"):
            service.generate(CONTEXT)


def test_a_right_that_was_taken_in_aws_is_a_refusal(tmp_path: Path) -> None:
    fake = aws.Aws()
    arn = fake.add_key()
    with (
        fake_server(fake, fake.switch, fake.busy) as (server, _),
        aws_credentials(aws.ACCESS_KEY, aws.SECRET_KEY),
    ):
        service = of_aws(server, arn, tmp_path)
        _, blob = service.generate(CONTEXT)
        fake.permitted = False

        with pytest.raises(Refused, match="AccessDenied"):
            service.unwrap(blob, CONTEXT)
        fake.permitted = True
        fake.switch.mode = "strange"
        with pytest.raises(Unavailable):
            service.unwrap(blob, CONTEXT)


def test_a_blob_that_kms_made_for_a_stranger_does_not_open(tmp_path: Path) -> None:
    fake = aws.Aws()
    ours, theirs = fake.add_key(), fake.add_key()
    with (
        fake_server(fake, fake.switch, fake.busy) as (server, _),
        aws_credentials(aws.ACCESS_KEY, aws.SECRET_KEY),
    ):
        _, blob = of_aws(server, theirs, tmp_path).generate(CONTEXT)
        service = of_aws(server, ours, tmp_path)

        with pytest.raises(BadBlob, match="do not list"):
            service.unwrap(blob, CONTEXT)
        with pytest.raises(BadBlob, match="does not open"):
            service.unwrap(blob.replace(theirs.encode(), ours.encode(), 1), CONTEXT)


class Metadata(BaseHTTPRequestHandler):
    """The metadata services of both clouds, in plain HTTP as they are."""

    def do_GET(self) -> None:
        """Give a token to who sends the header that no form of a browser can."""
        of_google = self.path == "/token" and self.headers["Metadata-Flavor"] == "Google"
        of_azure = self.headers["Metadata"] == "true" and self.path == (
            "/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net&client_id=c"
        )
        members = {"access_token": "t", "expires_in": "599" if of_azure else 599}
        body = json.dumps(members).encode()
        self.send_response(200 if of_google or of_azure else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture
def metadata() -> Iterator[str]:
    """Give the address of a metadata service."""
    with HTTPServer(("127.0.0.1", 0), Metadata) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/token"
        server.shutdown()
        thread.join()


def test_identities_of_the_machine_come_from_its_metadata_service(metadata: str) -> None:
    assert MachineIdentity(metadata)() == ("t", 599)
    assert ManagedIdentity(metadata, "c", "https://vault.azure.net")() == ("t", 599)
    with pytest.raises(Refused):
        ManagedIdentity(metadata, "", "https://vault.azure.net")()


def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    for seconds, fetches in ((3600, 1), (61, 1), (30, 2)):
        fetched: list[int] = []

        def fetch(seconds: int = seconds, fetched: list[int] = fetched) -> tuple[str, int]:
            fetched.append(1)
            return "t", seconds

        tokens = AccessTokens(fetch)
        for _ in range(2):
            assert tokens.send(lambda _: Answer(200, {})).is_success
        assert len(fetched) == fetches


def test_certificates_that_cannot_be_read_are_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="certificates"):
        Rest(tmp_path / "none").get("https://127.0.0.1:1/", {})


def test_a_certificate_of_another_authority_is_not_trusted() -> None:
    with https_server() as server:
        with pytest.raises(Unavailable, match="not trusted"):
            Rest().get(server.url(), {})
        assert server.received == []


ELLIPTIC = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    .decode()
)


def of_aws(server: HttpsServer, arn: str, folder: Path) -> AwsKms:
    endpoint = f"https://127.0.0.1:{server.port}"
    return AwsKms([arn], endpoint=endpoint, ca_file=str(ca_of(server, folder)))


ODD_ANSWERS = [
    (418, b"{}"),
    (200, b"<html>"),
    (200, b"{}"),
    (200, b'{"data": {"plaintext": "!", "ciphertext": "vault:x", "latest_version": 0}}'),
    (200, b'{"plaintext": "!", "ciphertext": "!", "primary": {"name": "projects/other"}}'),
    (200, b'{"kid": "KID/0000000000000000000000000000000f", "value": "AAAA"}'),
    (200, b'{"kid": "SAME", "value": "!"}'),
]


@pytest.mark.parametrize(("status", "body"), ODD_ANSWERS)
@pytest.mark.parametrize("name", ["gcp", "azure", "transit", "aws"])
def test_an_answer_in_another_shape_is_unavailable_and_never_a_no(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, status: int, body: bytes
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    odd: list[Reply] = []
    with serving(name, tmp_path, odd) as (service, key):
        raw, blob = service.generate(CONTEXT)
        assert service.unwrap(blob, CONTEXT) == raw  # control
        kid = service.version_of(blob).removeprefix("azure_key_vault:").encode()
        odd.append(Reply(status, body.replace(b"KID", key.encode()).replace(b"SAME", kid)))

        with pytest.raises(Unavailable):
            service.unwrap(blob, CONTEXT)
        with pytest.raises(Unavailable):
            service.wrap(raw, CONTEXT)
        with pytest.raises(Unavailable):
            service.rewrap(blob, CONTEXT)


@contextmanager
def serving(name: str, folder: Path, odd: list[Reply]) -> Iterator[tuple[KeyService, str]]:
    """Give a service whose fake answers everything but sign-ins as a test says."""
    fakes: dict[str, Script] = {
        "gcp": gcp.Gcp(),
        "azure": azure.Azure("A256KW"),
        "transit": transit.Transit({"root": transit.TransitKey()}),
        "aws": aws.Aws(),
    }
    fake = fakes[name]

    def script(received: Received) -> Reply:
        return odd[0] if odd and "token" not in received.path else fake(received)

    with (
        https_server(script) as server,
        aws_credentials(aws.ACCESS_KEY, aws.SECRET_KEY),
    ):
        key = f"https://127.0.0.1:{server.port}/keys/root"
        yield service_of(fake, server, folder), key


def service_of(fake: object, server: HttpsServer, folder: Path) -> KeyService:
    if isinstance(fake, gcp.Gcp):
        return gcp_service(server, fake, folder)
    if isinstance(fake, azure.Azure):
        fake.add_version("root")
        return azure_service(server, fake, folder)
    if isinstance(fake, aws.Aws):
        return of_aws(server, fake.add_key(), folder)
    return transit_service(server, folder)
