"""Every key service with what can go wrong with it, for the conformance suite."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import pkcs11
import pytest

from encryption.providers import key_file
from encryption.providers.aws_kms import AwsKms
from encryption.providers.azure_key_vault import Application, AzureKeyVault
from encryption.providers.base import Context, KeyService
from encryption.providers.gcp_kms import GcpKms, ServiceAccount
from encryption.providers.pkcs11 import Pkcs11
from encryption.providers.rest import Rest
from encryption.providers.vault_transit import VaultTransit
from tests.fakes.https import HttpsServer, Reply, Script, https_server
from tests.fakes.key_services import aws, azure, gcp, transit
from tests.fakes.key_services.switch import Switch

CONTEXT: Context = {"app": "gatehouse", "installation": "i", "purpose": "general", "epoch": 1}
FAULTS = ("destroyed", "disabled", "pending deletion", "throttled", "down", "slow", "wrong")
SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "1234"
MOTO_START_SECONDS = 60

# Faults that cannot be made, and why: by backend, as named in BACKENDS.
EXCUSED: dict[str, dict[str, str]] = {
    "key file": {
        "pending deletion": "a file is there or not",
        "throttled": "a file has no quota",
        "slow": "the local disk is not waited for apart from the process",
        "wrong": "the process opens the blob itself",
    },
    "SoftHSM (real)": {
        "pending deletion": "an object of a token is there or not",
        "throttled": "a token has no quota",
        "wrong": "the token is real",
    },
    "moto server of AWS KMS": {
        "destroyed": "moto decrypts with such keys",
        "disabled": "moto decrypts with such keys",
        "pending deletion": "moto decrypts with such keys",
        "throttled": "moto has no such state",
        "slow": "moto has no such state",
        "wrong": "moto has no such state",
    },
    "strict fake of Vault transit": {"pending deletion": "a transit key is deleted at once"},
}


@dataclass
class Backend:
    """A key service under test.

    Attributes:
        service: the key service as it stands now.
        foreign: gives a service of another installation, with a root key of its own.
        add_version: makes a root version that wraps from then on.
        faults: what can be made to go wrong, by name.
        excused: why the other faults cannot be made.
        key_id_bytes: bytes of the ciphertext in which the service itself keeps the key's name.
    """

    service: KeyService
    foreign: Callable[[], KeyService]
    add_version: Callable[[], None]
    faults: Mapping[str, Callable[[], None]]
    excused: Mapping[str, str] = field(default_factory=dict)
    key_id_bytes: int = 0

    def name_bytes(self, blob: bytes) -> int:
        """Return how many bytes of a blob only name its root version.

        One that is changed there names a version that may not exist, so it may be refused.
        """
        framed = 3 + int.from_bytes(blob[1:3], "big") if blob[:1] == b"\x02" else 5
        return framed + self.key_id_bytes


@contextmanager
def of_key_file(folder: Path) -> Iterator[Backend]:
    """Give the key file."""
    path, other = folder / "root.key", folder / "other.key"
    key_file.create(path)
    key_file.create(other)
    yield Backend(
        service=key_file.KeyFile(path),
        foreign=lambda: key_file.KeyFile(other),
        add_version=lambda: _ignored(key_file.add_version(path)),
        faults={
            "destroyed": lambda: key_file.destroy(path, 1),
            "disabled": lambda: path.chmod(0o644),
            "down": lambda: _ignored(path.rename(folder / "gone.key")),
        },
        excused=EXCUSED["key file"],
    )


@contextmanager
def of_softhsm(folder: Path) -> Iterator[Backend]:
    """Give a token of SoftHSM in a folder of its own."""
    require_softhsm()
    with softhsm_tokens(folder, "gatehouse", "other"), ExitStack() as stack:
        service, foreign = (softhsm_service(folder, token) for token in ("gatehouse", "other"))
        service.add_version()
        foreign.add_version()
        yield Backend(
            service=service,
            foreign=lambda: foreign,
            add_version=lambda: _ignored(service.add_version()),
            faults={
                "destroyed": lambda: service.destroy(1),
                "disabled": lambda: forbid_use(folder, "gatehouse-root-1"),
                "down": lambda: _ignored((folder / "tokens").rename(folder / "gone")),
                "slow": lambda: stack.enter_context(locked_files(folder / "tokens")),
            },
            excused=EXCUSED["SoftHSM (real)"],
        )


@contextmanager
def of_transit(folder: Path) -> Iterator[Backend]:
    """Give the transit engine."""
    key = transit.TransitKey()
    fake = transit.Transit({"root": key, "other": transit.TransitKey()})
    with fake_server(fake, fake.switch, fake.busy) as (server, faults):

        def foreign() -> KeyService:
            key.versions[:] = [os.urandom(32) for _ in key.versions]
            return service

        service = transit_service(server, folder)
        yield Backend(
            service=service,
            foreign=foreign,
            add_version=lambda: key.versions.append(os.urandom(32)),
            faults=faults
            | {
                "destroyed": lambda: setattr(key, "min_decryption_version", 2),
                "disabled": lambda: setattr(fake, "token", "another"),
            },
            excused=EXCUSED["strict fake of Vault transit"],
        )


@contextmanager
def of_gcp(folder: Path) -> Iterator[Backend]:
    """Give Cloud KMS."""
    fake = gcp.Gcp()
    with fake_server(fake, fake.switch, fake.busy) as (server, faults):

        def add_version() -> None:
            fake.primary = max(fake.versions) + 1
            fake.versions[fake.primary] = gcp.GcpVersion()

        def foreign() -> KeyService:
            fake.versions = {number: gcp.GcpVersion() for number in fake.versions}
            return service

        def state(name: str) -> Callable[[], None]:
            return lambda: setattr(fake.versions[1], "state", name)

        service = gcp_service(server, fake, folder)
        yield Backend(
            service=service,
            foreign=foreign,
            add_version=add_version,
            faults=faults
            | {
                "destroyed": state("DESTROYED"),
                "disabled": state("DISABLED"),
                "pending deletion": state("DESTROY_SCHEDULED"),
            },
        )


@contextmanager
def of_azure_vault(folder: Path) -> Iterator[Backend]:
    """Give Azure Key Vault with an RSA key."""
    with _of_azure(folder, "RSA-OAEP-256") as backend:
        yield backend


@contextmanager
def of_azure_hsm(folder: Path) -> Iterator[Backend]:
    """Give Azure Managed HSM with an AES key."""
    with _of_azure(folder, "A256KW") as backend:
        yield backend


@contextmanager
def of_aws(folder: Path) -> Iterator[Backend]:
    """Give AWS KMS by a fake that knows key states."""
    fake = aws.Aws()
    first = fake.add_key()
    with (
        fake_server(fake, fake.switch, fake.busy) as (server, faults),
        aws_credentials(aws.ACCESS_KEY, aws.SECRET_KEY),
    ):
        ca_file = str(ca_of(server, folder))

        def of_keys(*keys: str) -> AwsKms:
            return AwsKms(keys, endpoint=f"https://127.0.0.1:{server.port}", ca_file=ca_file)

        def foreign() -> KeyService:
            fake.keys[first] = aws.AwsKey()
            return backend.service

        def state(name: str) -> Callable[[], None]:
            return lambda: setattr(fake.keys[first], "state", name)

        backend = Backend(
            service=of_keys(first),
            foreign=foreign,
            add_version=lambda: setattr(backend, "service", of_keys(first, fake.add_key())),
            faults=faults
            | {
                "destroyed": lambda: _ignored(fake.keys.pop(first)),
                "disabled": state("Disabled"),
                "pending deletion": state("PendingDeletion"),
            },
        )
        yield backend


@contextmanager
def of_moto(folder: Path) -> Iterator[Backend]:
    """Give AWS KMS by a server of moto."""
    del folder
    with moto_server() as (endpoint, stop), aws_credentials("testing", "testing"):
        client = boto3.session.Session().client(
            "kms", region_name=aws.REGION, endpoint_url=endpoint
        )

        def key() -> str:
            return str(client.create_key()["KeyMetadata"]["Arn"])

        first = key()

        def of_keys(*keys: str) -> AwsKms:
            return AwsKms(keys, endpoint=endpoint)

        backend = Backend(
            service=of_keys(first),
            foreign=lambda: of_keys(key()),
            add_version=lambda: setattr(backend, "service", of_keys(first, key())),
            faults={"down": stop},
            excused=EXCUSED["moto server of AWS KMS"],
            key_id_bytes=36,
        )
        yield backend
        client.close()


BACKENDS = {
    "key file": of_key_file,
    "SoftHSM (real)": of_softhsm,
    "moto server of AWS KMS": of_moto,
    "strict fake of AWS KMS": of_aws,
    "strict fake of GCP KMS": of_gcp,
    "strict fake of Azure Key Vault, RSA": of_azure_vault,
    "strict fake of Azure Managed HSM, AES": of_azure_hsm,
    "strict fake of Vault transit": of_transit,
}


def require_softhsm() -> None:
    """Leave a test out where SoftHSM is missing; in CI it fails."""
    if shutil.which("softhsm2-util") and SOFTHSM.exists():
        return
    if os.environ.get("CI"):
        pytest.fail("SoftHSM is missing: bin/softhsm installs it")
    pytest.skip("SoftHSM is missing; run: sudo apt-get install --yes softhsm2")


@contextmanager
def softhsm_tokens(folder: Path, *labels: str) -> Iterator[None]:
    """Make tokens in a folder and let this process's library see them alone."""
    (folder / "tokens").mkdir()
    (folder / "softhsm.conf").write_text(
        f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    (folder / "pin").write_text(f"{PIN}\n")
    (folder / "pin").chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm.conf"))
        for label in labels:
            command = ["softhsm2-util", "--init-token", "--free", "--label", label]
            subprocess.run(
                [*command, "--so-pin", "12345678", "--pin", PIN], check=True, capture_output=True
            )
        pkcs11.lib(str(SOFTHSM)).reinitialize()
        yield


def softhsm_service(folder: Path, token: str = "gatehouse") -> Pkcs11:
    """Return the key service of a token."""
    return Pkcs11(str(SOFTHSM), token=token, pin_file=folder / "pin", label="gatehouse-root")


def forbid_use(folder: Path, label: str) -> None:
    """Take from a key of the token the right to decrypt, by a process of its own."""
    program = (
        "import sys, pkcs11\n"
        "from pkcs11 import Attribute, ObjectClass\n"
        "token = pkcs11.lib(sys.argv[1]).get_token(token_label='gatehouse')\n"
        "with token.open(user_pin=sys.argv[2], rw=True) as session:\n"
        "    key = session.get_key(object_class=ObjectClass.SECRET_KEY, label=sys.argv[3])\n"
        "    key[Attribute.DECRYPT] = False\n"
    )
    environment = os.environ | {"SOFTHSM2_CONF": str(folder / "softhsm.conf")}
    command = [sys.executable, "-c", program, str(SOFTHSM), PIN, label]
    subprocess.run(command, env=environment, check=True)


@contextmanager
def locked_files(folder: Path) -> Iterator[None]:
    """Hold the locks of all files in a folder from another process, so that SoftHSM waits."""
    program = (
        "import fcntl, pathlib, sys, time\n"
        "files = [p.open('r+') for p in pathlib.Path(sys.argv[1]).rglob('*') if p.is_file()]\n"
        "[fcntl.lockf(file, fcntl.LOCK_EX) for file in files]\n"
        "print(len(files), flush=True)\n"
        "time.sleep(30)\n"
    )
    command = [sys.executable, "-c", program, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) > 0
        try:
            yield
        finally:
            process.kill()


def transit_service(server: HttpsServer, folder: Path) -> VaultTransit:
    """Return the key service of a fake of transit."""
    token = folder / "token"
    token.write_text(transit.TOKEN)
    token.chmod(0o600)
    return VaultTransit(
        f"https://127.0.0.1:{server.port}/v1/transit/keys/root",
        token_file=token,
        namespace=transit.NAMESPACE,
        rest=Rest(ca_of(server, folder)),
    )


def gcp_service(server: HttpsServer, fake: gcp.Gcp, folder: Path) -> GcpKms:
    """Return the key service of a fake of Cloud KMS."""
    endpoint = f"https://127.0.0.1:{server.port}"
    credentials = folder / "account.json"
    credentials.write_text(fake.key_file(f"{endpoint}/token"))
    credentials.chmod(0o600)
    rest = Rest(ca_of(server, folder))
    identity = ServiceAccount(credentials, rest)
    return GcpKms(fake.name, endpoint=endpoint, identity=identity, rest=rest)


def azure_service(
    server: HttpsServer, fake: azure.Azure, folder: Path, *, secret: str = azure.CLIENT_SECRET
) -> AzureKeyVault:
    """Return the key service of a fake of Azure."""
    endpoint = f"https://127.0.0.1:{server.port}"
    rest = Rest(ca_of(server, folder))
    identity = Application(
        f"{endpoint}/{azure.TENANT}",
        client_id=azure.CLIENT_ID,
        client_secret=secret,
        resource="https://0.0.1",
        rest=rest,
    )
    return AzureKeyVault(
        f"{endpoint}/keys/root", algorithm=fake.algorithm, identity=identity, rest=rest
    )


@contextmanager
def fake_server(
    script: Script, switch: Switch, busy: Callable[[], Reply]
) -> Iterator[tuple[HttpsServer, dict[str, Callable[[], None]]]]:
    """Run a fake and give what can go wrong with every server."""
    with ExitStack() as stack:
        server = stack.enter_context(https_server(switch.around(script, busy)))
        stack.callback(switch.released.set)
        faults: dict[str, Callable[[], None]] = {
            mode: lambda mode=mode: setattr(switch, "mode", mode)  # type: ignore[misc]  # bound now
            for mode in ("throttled", "slow", "wrong")
        }
        yield server, faults | {"down": stack.close}


@contextmanager
def aws_credentials(access_key: str, secret_key: str) -> Iterator[None]:
    """Let boto3 find these credentials and no others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", secret_key)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, os.devnull)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        yield


@contextmanager
def moto_server() -> Iterator[tuple[str, Callable[[], None]]]:
    """Run moto as a process; give its address and what stops it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:

        def stop() -> None:
            process.terminate()
            process.wait(10)

        try:
            _await_port(port, process)
            yield f"http://127.0.0.1:{port}", stop
        finally:
            stop()


def ca_of(server: HttpsServer, folder: Path) -> Path:
    """Write the authority of a server's certificate into a file."""
    path = folder / "ca.pem"
    path.write_text(server.ca)
    return path


@contextmanager
def _of_azure(folder: Path, algorithm: str) -> Iterator[Backend]:
    fake = azure.Azure(algorithm)
    first = fake.add_version("root")
    with fake_server(fake, fake.switch, fake.busy) as (server, faults):
        service = azure_service(server, fake, folder)

        def foreign() -> KeyService:
            version = fake.add_version("root")
            fake.keys["root"] = {first: fake.keys["root"][version]}
            return service

        yield Backend(
            service=service,
            foreign=foreign,
            add_version=lambda: _ignored(fake.add_version("root")),
            faults=faults
            | {
                "destroyed": lambda: _ignored(fake.keys["root"].pop(first)),
                "disabled": lambda: setattr(fake.keys["root"][first], "is_enabled", False),
                "pending deletion": lambda: fake.deleted.add("root"),
            },
        )


def _await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + MOTO_START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.1)
    raise AssertionError("moto did not start")


def _ignored(outcome: object) -> None:
    del outcome
