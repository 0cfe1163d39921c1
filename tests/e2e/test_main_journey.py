"""The product's main job on the really running stack, and what it leaves behind."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e import journey as steps
from tests.e2e.journey import Journey, PartnerProgram
from tests.e2e.searching import search_stack
from tests.e2e.stack import Stack
from tests.fakes.https import HttpsServer
from tests.proofs import Tried

CANARY = "canary-4f1d8e-in-clear"

# Each step leaves at least this entry; read back by SQL as the reader's role, outside our code.
ENTRIES = {
    "invitation": "accounts.invitation.accepted",
    "second factor": "accounts.factor.enrolled",
    "enrolment": "accounts.enrolment.completed",
    "record": "workspace.record.created",
    "credential stored": "integrations.credential.created",
    "credential used": "integrations.credential.used",
    "onboarding": "integrations.onboarding.started",
    "approval": "integrations.onboarding.approved",
    "bank details changed": "workspace.record.changed",
    "bank details read": "workspace.record.read",
    "wrong passphrase": "accounts.sign_in.failed",
    "copy asked for": "privacy.request.received",
    "copy fetched": "privacy.request.delivered",
    "role changed": "accounts.role.changed",
    "erasure": "privacy.erasure.erased",
}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.proof(
    "frame: invitation to own record, partner to changed bank details, vault, alert, role change, "
    "export and erasure run in a browser, each with its journal entry"
)
def test_the_main_job_runs_on_the_real_stack_and_leaves_no_planted_value(
    stack: Stack, browser: Browser, erp: HttpsServer, tmp_path: Path, tried: Tried
) -> None:
    journey = Journey(stack, browser)
    program = PartnerProgram()

    steps.set_up(journey)
    steps.choose_alert_channel(journey)
    steps.invite_customer(journey)
    steps.enrol_customer(journey)
    steps.create_own_record(journey)
    steps.store_and_test_key(journey, probe_url=erp.url("/me"))
    steps.start_onboarding(journey, program)
    steps.accept_terms(journey, program)
    steps.approve_partner(journey, program)
    steps.change_bank_details(journey, program)
    alert_seconds = steps.guess_passphrase(journey, victim="olga@acme.example")
    steps.take_copy(journey, tmp_path)
    steps.change_role(journey)
    steps.plant_in_clear(journey, CANARY)
    steps.erase(journey)

    assert [request.headers.get("x-api-key") for request in erp.received] == [
        journey.planted.api_key
    ]
    complaints = [line for visitor in journey.visitors for line in visitor.complaints]
    assert complaints == []
    for step, event_type in ENTRIES.items():
        assert stack.entries(event_type), f"{step}: no entry of type {event_type}"
        tried.case()
    _nothing_planted_lies_around(journey, tmp_path, tried)
    tried.figure(f"alert mail {alert_seconds:.1f} s after the fifth wrong passphrase")


def _nothing_planted_lies_around(journey: Journey, folder: Path, tried: Tried) -> None:
    """Search everywhere; the same search finds a canary that was planted in clear."""
    values = journey.planted.all()

    hits, places = search_stack(journey.stack, [*values, CANARY], folder=folder)

    assert {hit.value for hit in hits if hit.value == CANARY} == {CANARY}
    assert [hit for hit in hits if hit.value != CANARY] == []
    tried.case(places)
