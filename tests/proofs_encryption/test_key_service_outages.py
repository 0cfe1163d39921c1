"""The running portal while its key service is away, lost, slow or refuses."""

import re
import time
from collections.abc import Iterator

import pytest

from encryption.epochs import WAIT_SECONDS
from tests.proofs import Tried
from tests.proofs_encryption.key_service_outages import (
    Sealed,
    at_once,
    portal_with_key_service,
)
from tests.proofs_frame.outages import places_that_stay_inside
from tests.proofs_frame.portal_client import Answer, PortalClient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CLAIM = "encryption: key service {}: documented state, no wrong data, recovery without restart"
WITHOUT_SEALED_DATA = ("/sign-in/", "/health/live", "/.well-known/security.txt")
AT_THE_SAME_TIME = 8
# The own wait and that of another caller in front; and what a shared machine adds.
BOUND_SECONDS = 2 * WAIT_SECONDS + 2
QUICK_SECONDS = 4.0
_CELL = re.compile(r"<td[^>]*>(.*?)</td>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


@pytest.fixture(scope="module")
def sealed() -> Iterator[Sealed]:
    with portal_with_key_service() as started:
        yield started


@pytest.mark.proof(CLAIM.format("away at start"))
def test_a_portal_that_starts_without_its_key_service_serves_what_needs_none(
    sealed: Sealed, tried: Tried
) -> None:
    before, shown = sealed.portal.servers.row_counts(), _shown(sealed.records())

    with sealed.server.away():
        sealed.start_again()
        web = sealed.portal.web_process()
        found = sealed.wait_for_state("sealed")
        _without_sealed_data_works(sealed, tried)
        refused = [sealed.records(), sealed.person.get("/")]
        output = list(sealed.portal.stack.output)

    assert found.status == 503
    assert "Bring the key service back" in found.keys
    assert any("sealed data cannot be used yet" in line for line in output)
    for answer in refused:
        _is_clear(sealed, answer)
        tried.case()
    seconds = _recovered(sealed, shown, tried, web=web)
    after = sealed.portal.servers.row_counts()
    assert after["records_record"] == before["records_record"]
    assert after["encryption_kekepoch"] == before["encryption_kekepoch"], "no second epoch"
    tried.figure(f"started sealed; all served {seconds:.1f} s after the service came back")


@pytest.mark.proof(CLAIM.format("away at start of a process"))
def test_a_web_process_that_starts_without_the_key_service_is_sealed(
    sealed: Sealed, tried: Tried
) -> None:
    shown = _shown(sealed.records())

    with sealed.server.away():
        sealed.portal.restart_web()
        web = sealed.portal.web_process()
        found = sealed.wait_for_state("sealed")
        _without_sealed_data_works(sealed, tried)
        _is_clear(sealed, sealed.records())

    assert found.status == 503
    _recovered(sealed, shown, tried, web=web)


@pytest.mark.proof(CLAIM.format("lost at run time"))
def test_cached_keys_serve_until_the_hard_limit_and_new_ones_are_made(
    sealed: Sealed, tried: Tried
) -> None:
    shown, web = _shown(sealed.records()), sealed.portal.web_process()
    before = sealed.portal.servers.row_counts()
    assert sealed.health().warnings == {}, "the control"

    with sealed.server.away():
        found = sealed.wait_for_state("degraded", meanwhile=sealed.records)
        assert found.status == 200, "cached keys serve: it stays in service"
        assert "Bring the key service back before cached keys end" in found.keys
        served = [sealed.records() for _ in range(5)]
        made = _begin_onboarding(sealed)
        gone = sealed.wait_for_state("sealed")

    assert [answer.status for answer in served] == [200] * 5
    assert {_shown(answer) for answer in served} == {shown}
    assert made.status == 201, made.text
    after = sealed.portal.servers.row_counts()
    new = after["encryption_datakey"] - before["encryption_datakey"]
    assert new > 0, "a new data key was wrapped by the cached key"
    assert gone.status == 503
    tried.case(len(served) + 2)
    seconds = _recovered(sealed, shown, tried, web=web)
    tried.figure(f"{new} new data keys while degraded; recovery {seconds:.1f} s")


@pytest.mark.proof(CLAIM.format("slow by 30 s, with cached keys"))
def test_a_slow_key_service_keeps_nobody_waiting_who_has_keys(sealed: Sealed, tried: Tried) -> None:
    shown, web = _shown(sealed.records()), sealed.portal.web_process()
    waits, asked = [], sealed.server.fake.switch.asked

    with sealed.server.slow():
        found = sealed.wait_for_state("degraded", meanwhile=sealed.records)
        for _ in range(5):
            answers = at_once([sealed.records] * 2 + [lambda: sealed.visitor.get("/sign-in/")] * 2)
            assert [answer.status for answer, _ in answers] == [200] * 4
            assert {_shown(answer) for answer, _ in answers[:2]} == {shown}
            waits += [seconds for _, seconds in answers]
            time.sleep(1)

    assert found.status == 200
    assert sealed.server.fake.switch.asked > asked, "the control: it was asked, and did not answer"
    assert max(waits) < QUICK_SECONDS
    tried.case(len(waits))
    _recovered(sealed, shown, tried, web=web)
    tried.figure(f"longest of {len(waits)} answers: {max(waits):.1f} s")


@pytest.mark.proof(CLAIM.format("slow by 30 s, without keys"))
def test_a_slow_key_service_holds_no_worker_longer_than_the_limits(
    sealed: Sealed, tried: Tried
) -> None:
    shown, asked = _shown(sealed.records()), sealed.server.fake.switch.asked

    with sealed.server.slow():
        sealed.portal.restart_web()
        web = sealed.portal.web_process()
        asks = [sealed.records] * AT_THE_SAME_TIME
        quick = [lambda: PortalClient(sealed.portal.stack.address).get("/sign-in/")] * 4
        answers = at_once([*asks, *quick])
        found = sealed.wait_for_state("sealed")

    held, others = answers[:AT_THE_SAME_TIME], answers[AT_THE_SAME_TIME:]
    for answer, _ in held:
        _is_clear(sealed, answer)
    assert max(seconds for _, seconds in held) < BOUND_SECONDS
    assert [answer.status for answer, _ in others] == [200] * len(others)
    assert max(seconds for _, seconds in others) < QUICK_SECONDS
    assert found.status == 503
    assert sealed.server.fake.switch.asked > asked, "the control: it was asked, and did not answer"
    tried.case(len(answers))
    _recovered(sealed, shown, tried, web=web)
    longest, other = (max(seconds for _, seconds in part) for part in (held, others))
    tried.figure(
        f"{len(held)} sealed pages at once: 503 within {longest:.1f} s "
        f"(limit {BOUND_SECONDS:.1f} s); other pages meanwhile {other:.1f} s"
    )


@pytest.mark.proof(CLAIM.format("refusing"))
@pytest.mark.parametrize("how", ["without_grant", "disabled", "deleted", "lying"])
def test_a_refusal_drops_all_keys_and_ends_without_a_restart(
    sealed: Sealed, tried: Tried, how: str
) -> None:
    shown, web = _shown(sealed.records()), sealed.portal.web_process()
    before = _refusals(sealed)

    with getattr(sealed.server, how)():
        started = time.monotonic()
        found = sealed.wait_for_state("refused", meanwhile=sealed.records)
        seconds = time.monotonic() - started
        refused = [sealed.records(), sealed.person.get("/")]
        _without_sealed_data_works(sealed, tried)

    assert found.status == 503
    assert "Check the root key" in found.keys
    for answer in refused:
        _is_clear(sealed, answer)
        tried.case()
    _recovered(sealed, shown, tried, web=web)
    assert _refusals(sealed) > before, "the journal tells of it"
    tried.figure(f"{how.replace('_', ' ')}: keys dropped within {seconds:.0f} s")


def _without_sealed_data_works(sealed: Sealed, tried: Tried) -> None:
    for path in WITHOUT_SEALED_DATA:
        assert sealed.visitor.get(path).status == 200, path
        tried.case()


def _is_clear(sealed: Sealed, answer: Answer) -> None:
    """A page of 503 says when to come back and which request it was, and nothing of the machine."""
    assert answer.status == 503, answer.text[:300]
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["X-Request-Id"] in answer.text
    assert "again" in answer.text
    shown = [word for word in places_that_stay_inside(sealed.portal) if word in answer.text]
    assert shown == []


def _recovered(sealed: Sealed, shown: tuple[str, ...], tried: Tried, *, web: int) -> float:
    """The same process shows the same values again."""
    seconds = sealed.wait_until_well()
    answer = sealed.records()
    assert (answer.status, _shown(answer)) == (200, shown)
    assert len(shown) > 1, "the control: there are values"
    assert sealed.portal.web_process() == web, "recovered by a restart"
    tried.case()
    return seconds


def _shown(answer: Answer) -> tuple[str, ...]:
    """Return the words in the cells of a list."""
    assert answer.status == 200, answer.text[:500]
    cells = (_TAG.sub(" ", cell) for cell in _CELL.findall(answer.text))
    return tuple(" ".join(cell.split()) for cell in cells)


def _begin_onboarding(sealed: Sealed) -> Answer:
    body = {"email": "outage@partner.example", "language": "en"}
    return sealed.visitor.send("POST", "/api/v1/onboardings", body)


def _refusals(sealed: Sealed) -> int:
    servers = sealed.portal.servers.installation.postgres
    with servers.connect("gatehouse") as connection:
        row = connection.execute(
            "SELECT count(*) FROM audit_event WHERE type = 'encryption.key.refused'"
        ).fetchone()
    return int(str(row[0])) if row else 0
