"""Who sees ``/demo/``: a browser on this machine alone, not the proxy beside it."""

import pytest
from pytest_django import Settings

from foundation.models import Installation
from tests.factories.accounts import Browser

PAGES = ("/demo/", "/demo/mail/")


@pytest.fixture(autouse=True)
def demo(settings: Settings) -> None:
    settings.DEMO = True
    settings.ALLOWED_HOSTS = ["*"]
    Installation.objects.update_or_create(defaults={"kind": Installation.Kind.DEMO})


@pytest.mark.parametrize("page", PAGES)
def test_a_browser_on_this_machine_sees_the_demo(visitor: Browser, page: str) -> None:
    assert visitor.get(page, HTTP_HOST="localhost:8000").status_code == 200


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "sign",
    [
        {"HTTP_X_FORWARDED_FOR": "203.0.113.7"},
        {"HTTP_FORWARDED": "for=203.0.113.7"},
        {"HTTP_X_REAL_IP": "203.0.113.7"},
        {"HTTP_CF_CONNECTING_IP": "203.0.113.7"},
        {"HTTP_VIA": "1.1 proxy"},
        {"HTTP_HOST": "demo.example.test"},
        {"REMOTE_ADDR": "203.0.113.7"},
    ],
)
def test_who_comes_through_a_proxy_or_from_elsewhere_sees_nothing(
    visitor: Browser, page: str, sign: dict[str, str]
) -> None:
    environment = {"HTTP_HOST": "localhost:8000", **sign}

    assert visitor.get(page, **environment).status_code == 404  # type: ignore[arg-type]  # WSGI


@pytest.mark.parametrize("page", PAGES)
def test_outside_a_demo_there_is_no_such_page(
    visitor: Browser, settings: Settings, page: str
) -> None:
    settings.DEMO = False

    assert visitor.get(page, HTTP_HOST="localhost:8000").status_code == 404
