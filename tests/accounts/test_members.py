"""Members and roles: who may invite, change and end, and that changes act at once."""

from dataclasses import replace

import pytest
from django.db import connection

from accounts.errors import AboveCeiling, LastAdministrator
from accounts.models import Invitation, Membership, Organisation, SecurityNotice, User
from accounts.services import invitations, memberships, organisations
from accounts.types import OrganisationKind, OrganisationStatus
from audit.models import AuditEvent
from foundation import clock
from tests.factories import accounts as make
from tests.factories.accounts import TEST, Answer, Browser


def invite(browser: Browser, *, role: str, email: str = "new@example.test") -> Answer:
    form = {"email": email, "role": str(make.role(role).pk), "language": "de"}
    return browser.post("/members/invite/", form)


def membership(browser: Browser) -> Membership:
    return make.membership_of(browser.user)


def test_a_key_user_sees_the_members_of_the_own_organisation_only(
    kim: Browser, alice: Browser, carol: Browser
) -> None:
    text = kim.get("/members/").content.decode()

    assert alice.user.email in text
    assert carol.user.email not in text


def test_a_customer_does_not_see_the_members(alice: Browser) -> None:
    assert alice.get("/members/").status_code == 403


def test_a_key_user_invites_with_a_role_below(kim: Browser) -> None:
    answer = invite(kim, role="customer")

    assert answer["Location"] == "/members/"
    invitation = Invitation.objects.get(email="new@example.test")
    assert invitation.organisation == kim.organisation
    assert invitation.language == "de"
    assert "new@example.test" in kim.get("/members/").content.decode()


@pytest.mark.parametrize(
    "role", ["key_user", "administrator", "partner", "data_protection_officer", "security_officer"]
)
def test_a_key_user_invites_nobody_above_or_outside_the_ceiling(kim: Browser, role: str) -> None:
    answer = invite(kim, role=role)

    assert answer.status_code == 422
    assert not Invitation.objects.exists()


def test_the_service_refuses_above_the_ceiling_whoever_calls_it(kim: Browser, ada: Browser) -> None:
    for actor in (kim.principal, ada.principal, TEST):
        with pytest.raises(AboveCeiling):
            invitations.invite(
                email="new@example.test",
                organisation=kim.organisation,
                role=make.role("security_officer"),
                principal=actor,
            )


@pytest.mark.parametrize("role", ["administrator", "security_officer"])
def test_staff_who_approve_organisations_hand_out_nothing_more_at_home(
    ada: Browser, role: str
) -> None:
    approver = replace(
        ada.principal,
        permissions=frozenset({"accounts.organisation.approve", "accounts.user.read"}),
    )

    with pytest.raises(AboveCeiling):
        invitations.invite(
            email="new@example.test",
            organisation=ada.organisation,
            role=make.role(role),
            principal=approver,
        )


def test_staff_invite_the_first_key_user_of_an_organisation(
    ada: Browser, aurora: Organisation
) -> None:
    invitation = invitations.invite(
        email="first@example.test",
        organisation=aurora,
        role=make.role("key_user"),
        principal=ada.principal,
    )

    assert invitation.inviter == ada.user


def test_a_member_is_not_invited_again(kim: Browser, alice: Browser) -> None:
    answer = invite(kim, role="customer", email=alice.user.email)

    assert answer.status_code == 422
    assert not Invitation.objects.exists()


def test_a_role_changed_on_the_page_acts_at_the_next_request(
    kim: Browser, alice: Browser, aurora: Organisation
) -> None:
    chief = make.browser("administrator", of=aurora)
    assert alice.get("/members/").status_code == 403

    chief.post(f"/members/{membership(alice).pk}/role/", {"role": str(make.role("key_user").pk)})

    assert alice.get("/members/").status_code == 200
    assert AuditEvent.objects.filter(type="accounts.membership.changed").exists()
    assert SecurityNotice.objects.filter(user=alice.user, kind="role_changed").exists()
    assert kim.get("/members/").status_code == 200


def test_a_key_user_does_not_lower_an_administrator(kim: Browser, aurora: Organisation) -> None:
    chief = make.browser("administrator", of=aurora)

    answer = kim.post(
        f"/members/{membership(chief).pk}/role/", {"role": str(make.role("customer").pk)}
    )

    assert answer.status_code == 403
    assert membership(chief).role.code == "administrator"


def test_an_ended_membership_ends_all_access(kim: Browser, alice: Browser) -> None:
    page = kim.get(f"/members/{membership(alice).pk}/end/")

    answer = kim.post(f"/members/{membership(alice).pk}/end/")

    assert page.status_code == 200
    assert answer["Location"] == "/members/"
    assert alice.get("/profile/").status_code == 302
    assert AuditEvent.objects.filter(type="accounts.membership.ended").exists()


def test_members_of_other_organisations_look_like_none(kim: Browser, carol: Browser) -> None:
    row = membership(carol)

    answers = [
        kim.get(f"/members/{row.pk}/role/"),
        kim.post(f"/members/{row.pk}/role/", {"role": str(make.role("key_user").pk)}),
        kim.get(f"/members/{row.pk}/end/"),
        kim.post(f"/members/{row.pk}/end/"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert membership(carol).role.code == "customer"


def test_invitations_of_other_organisations_look_like_none(kim: Browser, carol: Browser) -> None:
    foreign = invitations.invite(
        email="new@example.test",
        organisation=carol.organisation,
        role=make.role("customer"),
        principal=TEST,
    )

    answers = [
        kim.post(f"/members/invitations/{foreign.pk}/{act}/") for act in ("resend", "withdraw")
    ]

    assert {answer.status_code for answer in answers} == {404}
    foreign.refresh_from_db()
    assert foreign.withdrawn_at is None


def test_an_invitation_is_sent_again_and_withdrawn(kim: Browser) -> None:
    invite(kim, role="customer")
    row = Invitation.objects.get()

    kim.post(f"/members/invitations/{row.pk}/resend/")
    kim.post(f"/members/invitations/{row.pk}/withdraw/")

    row.refresh_from_db()
    assert row.withdrawn_at is not None


def test_the_last_administrator_stays(ada: Browser) -> None:
    with pytest.raises(LastAdministrator):
        memberships.end(
            membership(ada).pk, organisation_id=ada.organisation.pk, principal=ada.principal
        )


def test_a_suspended_organisation_gives_nothing_at_the_next_request(
    kim: Browser, ada: Browser
) -> None:
    organisations.change(
        kim.organisation.pk,
        name=kim.organisation.name,
        status=OrganisationStatus.SUSPENDED,
        principal=ada.principal,
    )

    assert kim.get("/members/").status_code == 403


def test_permissions_for_staff_count_in_the_operator_alone(aurora: Organisation) -> None:
    chief = make.browser("administrator", of=aurora)
    ada = make.browser("administrator", kind=OrganisationKind.OPERATOR)

    assert not chief.principal.may("accounts.role.manage")
    assert chief.principal.may("accounts.user.manage")
    assert not chief.principal.is_staff
    assert ada.principal.may("accounts.role.manage")
    assert ada.principal.is_staff


def test_a_person_of_two_organisations_chooses_one(alice: Browser, carol: Browser) -> None:
    memberships.create(alice.user, carol.organisation, make.role("key_user"), principal=TEST)
    assert alice.get("/members/").status_code == 403

    alice.post("/organisations/choose/", {"organisation": str(carol.organisation.pk)})

    assert carol.user.email in alice.get("/members/").content.decode()
    entry = AuditEvent.objects.get(type="accounts.organisation.chosen")
    assert entry.actor_id == alice.user.subject_id
    assert entry.organisation_id == carol.organisation.pk
    assert entry.target_id == str(carol.organisation.pk)


def test_each_page_names_the_organisation_one_acts_in(alice: Browser, carol: Browser) -> None:
    memberships.create(alice.user, carol.organisation, make.role("customer"), principal=TEST)
    at_home = alice.get("/records/").content.decode()

    alice.post("/organisations/choose/", {"organisation": str(carol.organisation.pk)})
    away = alice.get("/records/").content.decode()

    assert f'<span class="whoami-note">{alice.organisation.name}</span>' in at_home
    assert f"· {alice.organisation.name}</title>" in at_home
    assert f'<span class="whoami-note">{carol.organisation.name}</span>' in away
    assert alice.organisation.name not in away


def test_no_page_names_an_organisation_to_a_visitor(visitor: Browser, alice: Browser) -> None:
    page = visitor.get("/help/").content.decode()

    assert "whoami" not in page
    assert alice.organisation.name not in page


def test_nobody_chooses_a_foreign_organisation(alice: Browser, carol: Browser) -> None:
    answer = alice.post("/organisations/choose/", {"organisation": str(carol.organisation.pk)})
    spoilt = alice.post("/organisations/choose/", {"organisation": "'; DROP TABLE"})

    assert (answer.status_code, spoilt.status_code) == (404, 404)


def test_the_member_list_has_a_query_budget(kim: Browser) -> None:
    for number in range(30):
        make.member(kim.organisation, name=f"Person {number}")
    kim.get("/members/")

    with make.queries_at_most(14):
        page = kim.get("/members/")

    assert page.content.decode().count("Change role") == 25


def test_a_name_is_shown_escaped(kim: Browser) -> None:
    make.member(kim.organisation, name="<script>alert(1)</script>")

    assert "<script>alert(1)" not in kim.get("/members/").content.decode()


def test_a_profile_is_changed_on_the_record(alice: Browser) -> None:
    form = {"display_name": "Alice Baxter", "language": "de", "theme": "dark"}

    answer = alice.post("/profile/", form)
    page = alice.get("/profile/").content.decode()

    user = User.objects.get(pk=alice.user.pk)
    assert answer.status_code == 302
    assert (user.display_name, user.language, user.theme) == ("Alice Baxter", "de", "dark")
    assert 'lang="de"' in page
    assert 'data-theme="dark"' in page
    assert AuditEvent.objects.filter(type="accounts.profile.changed").exists()


def test_a_name_is_one_line(alice: Browser) -> None:
    form = {"display_name": "Alice\n\nOpen http://x.test", "language": "de", "theme": "dark"}

    assert alice.post("/profile/", form).status_code == 422


def test_the_display_name_lies_sealed(alice: Browser) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(u)::text FROM accounts_user u")
        text = "".join(row[0] for row in cursor.fetchall())

    assert b"Alice Archer".hex() not in text
    assert str(alice.user.display_name) not in text


def test_an_organisation_sends_at_most_a_hundred_invitations_a_day(
    kim: Browser, aurora: Organisation
) -> None:
    role = make.role("customer")
    Invitation.objects.bulk_create(
        Invitation(
            email=f"p{number}@acme.test", organisation=aurora, role=role, expires_at=clock.now()
        )
        for number in range(invitations.MOST_A_DAY - 1)
    )

    last = invite(kim, role="customer", email="last@acme.test")
    more = invite(kim, role="customer", email="more@acme.test")

    assert (last.status_code, more.status_code) == (302, 422)
    assert not Invitation.objects.filter(email="more@acme.test").exists()
