import json
import logging
from datetime import datetime

import pytest
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory
from pytest_django import Settings

from foundation.web import preferences, views
from foundation.web.help_topics import topics


def test_a_theme_is_kept_and_one_comes_back(rf: RequestFactory) -> None:
    response = views.choose_theme(rf.post("/theme/", {"theme": "dark", "next": "/help/?a=b"}))

    assert response["Location"] == "/help/?a=b"
    assert response.cookies["theme"].value == "dark"
    assert response.cookies["theme"]["httponly"]


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:x", ""])
def test_the_way_back_never_leaves_the_portal(rf: RequestFactory, target: str) -> None:
    response = views.choose_theme(rf.post("/theme/", {"theme": "dark", "next": target}))

    assert response["Location"] == "/"


def test_an_unknown_theme_or_language_is_ignored(rf: RequestFactory) -> None:
    theme = views.choose_theme(rf.post("/theme/", {"theme": "pink"}))
    language = views.choose_language(rf.post("/language/", {"language": "xx"}))

    assert not theme.cookies
    assert not language.cookies


def test_a_language_is_kept(rf: RequestFactory, settings: Settings) -> None:
    response = views.choose_language(rf.post("/language/", {"language": "pl"}))

    assert response.cookies[settings.LANGUAGE_COOKIE_NAME].value == "pl"


@pytest.mark.parametrize(("cookie", "theme"), [("dark", "dark"), ("system", ""), ("x>y", "")])
def test_the_cookie_sets_the_theme_of_a_visitor(
    rf: RequestFactory, cookie: str, theme: str
) -> None:
    request = rf.get("/")
    request.COOKIES["theme"] = cookie

    assert preferences.theme_of(request) == theme


def text(response: HttpResponseBase) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def report(rf: RequestFactory, body: bytes) -> int:
    request = rf.post("/csp-report", body, content_type="application/csp-report")
    return int(views.csp_report(request).status_code)


def test_a_breach_of_the_policy_is_logged_without_what_might_be_personal(
    rf: RequestFactory, caplog: pytest.LogCaptureFixture
) -> None:
    breach = {
        "effective-directive": "script-src-elem",
        "blocked-uri": "https://evil.example/x.js?token=planted",
        "document-uri": "https://portal.example/records/?q=planted",
        "script-sample": "planted",
    }

    with caplog.at_level(logging.WARNING):
        status = report(rf, json.dumps({"csp-report": breach}).encode())

    assert status == 204
    assert "script-src-elem" in caplog.text
    assert "https://evil.example" in caplog.text
    assert "/records/" in caplog.text
    assert "planted" not in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b'"x"',
        b'{"csp-report": 7}',
        b"[" * 16_000,
        b'{"blocked-uri": "http://["}',
        b'{"csp-report": {"document-uri": "http://[x"}}',
    ],
)
def test_an_unreadable_report_does_no_harm(rf: RequestFactory, body: bytes) -> None:
    assert report(rf, body) == 204


def test_a_large_report_is_refused(rf: RequestFactory) -> None:
    assert report(rf, b"x" * 20_000) == 413


def test_reports_are_limited(rf: RequestFactory) -> None:
    answers = [report(rf, b"{}") for _ in range(31)]

    assert answers == [204] * 30 + [429]


def test_a_report_without_a_counter_is_refused(rf: RequestFactory, settings: Settings) -> None:
    settings.VALKEY_URL = "redis://127.0.0.1:1/0"

    assert report(rf, b"{}") == 429


def test_security_txt_says_whom_to_write_and_until_when(
    rf: RequestFactory, settings: Settings
) -> None:
    settings.SECURITY_CONTACT = "security@operator.example"

    lines = text(views.security_txt(rf.get("/.well-known/security.txt"))).splitlines()

    fields = dict(line.split(": ", 1) for line in lines)
    assert fields["Contact"] == "mailto:security@operator.example"
    assert datetime.fromisoformat(fields["Expires"]).tzinfo is not None


def test_security_txt_without_a_contact_is_not_there(
    rf: RequestFactory, settings: Settings
) -> None:
    settings.SECURITY_CONTACT = ""
    settings.CONTACT_EMAIL = ""

    with pytest.raises(Http404):
        views.security_txt(rf.get("/.well-known/security.txt"))


def test_the_small_files_are_there(rf: RequestFactory) -> None:
    assert "Disallow: /" in text(views.robots(rf.get("/robots.txt")))
    assert json.loads(text(views.manifest(rf.get("/manifest.webmanifest"))))["start_url"] == "/"
    assert views.favicon(rf.get("/favicon.ico"))["Location"].endswith(".svg")


@pytest.mark.parametrize("place", [("no", "such"), ("index", "index")])
def test_a_help_topic_that_is_not_there_is_not_found(
    rf: RequestFactory, place: tuple[str, str]
) -> None:
    with pytest.raises(Http404):
        views.help_topic(rf.get("/help/"), *place)


def test_every_help_topic_opens(rf: RequestFactory) -> None:
    for topic in topics():
        assert views.help_topic(rf.get("/help/"), topic.app, topic.page).status_code == 200


def test_help_and_contact_open_without_signing_in(rf: RequestFactory) -> None:
    assert views.help_index(rf.get("/help/")).status_code == 200
    assert views.contact(rf.get("/contact/")).status_code == 200
