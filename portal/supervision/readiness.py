"""Asks the portal whether it is ready."""

import http.client
import socket

from portal.embedded.errors import EmbeddedError

_TIMEOUT_SECONDS = 3.0
_OK = 200


def refuse_taken_port(port: int) -> None:
    """Refuse a port that another program uses.

    Raises:
        EmbeddedError: the port is taken or not allowed.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise EmbeddedError(
                f"Port {port} cannot be used ({error.strerror}); choose another one with PORT="
            ) from error


def ask(port: int) -> str:
    """Return an empty text when the portal is ready, else why not."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/health/ready", headers={"Host": f"localhost:{port}"})
        answer = connection.getresponse()
        body = answer.read(2000).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return f"no answer ({error})"
    finally:
        connection.close()
    return "" if answer.status == _OK else f"status {answer.status} {body}"
