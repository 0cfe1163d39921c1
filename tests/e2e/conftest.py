"""What journeys share: a browser, and a stack that is started once per module."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import running_browser
from tests.e2e.stack import Stack, open_folder, running_stack
from tests.fakes.https import HttpsServer, https_server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium; its driver runs an event loop in our thread, which Django must bear."""
    with pytest.MonkeyPatch.context() as patch, running_browser() as started:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "yes")
        yield started


@pytest.fixture(scope="module")
def erp() -> Iterator[HttpsServer]:
    """A made-up ERP on a private address, for which the operator made an exception."""
    with https_server() as server:
        yield server


@pytest.fixture(scope="module")
def stack(erp: HttpsServer) -> Iterator[Stack]:
    with open_folder() as folder:
        bundle = folder / "erp-ca.pem"
        bundle.write_text(erp.ca, encoding="ascii")
        exception = {"OUTBOUND_PRIVATE_TARGETS": f"credential|localhost:{erp.port}|{bundle}"}
        with running_stack(folder / "data", extra=exception) as started:
            yield started
