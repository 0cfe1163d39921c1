"""The Django admin: who enters, what shows, and that roles change there with a reason."""

import json

import pytest
from django.contrib import admin

from accounts.errors import AboveCeiling
from accounts.models import Organisation, Role, RolePermission, RoleVersion
from accounts.services import roles
from accounts.session_engine import SessionStore, key_of
from audit.models import AuditEvent
from foundation.access.model_admin import GuardedModelAdmin
from tests.factories import accounts as make
from tests.factories.accounts import Browser


def held(code: str) -> set[str]:
    return set(RolePermission.objects.filter(role=make.role(code)).values_list("code", flat=True))


def change(browser: Browser, role: Role, codes: set[str], *, reason: str) -> int:
    form = {
        "codes": sorted(codes),
        "reason": reason,
        "versions-TOTAL_FORMS": "0",
        "versions-INITIAL_FORMS": "0",
    }
    return browser.post(f"/admin/accounts/role/{role.pk}/change/", form).status_code


def test_every_admin_class_asks_our_permissions() -> None:
    classes = [type(found) for found in admin.site._registry.values()]

    assert len(classes) > 5
    assert all(issubclass(found, GuardedModelAdmin) for found in classes)


def test_staff_with_a_recent_factor_enter(ada: Browser) -> None:
    assert ada.get("/admin/").status_code == 200


@pytest.mark.parametrize("name", ["role", "organisation", "user", "membership", "invitation"])
def test_staff_see_each_list(ada: Browser, kim: Browser, name: str) -> None:
    page = ada.get(f"/admin/accounts/{name}/")

    assert page.status_code == 200
    assert str(kim.user.display_name) not in page.content.decode()


def test_a_sealed_name_is_not_revealed(ada: Browser, kim: Browser) -> None:
    page = ada.get(f"/admin/accounts/user/{kim.user.pk}/change/").content.decode()

    assert kim.user.email in page
    assert "Kim Keyes" not in page


@pytest.mark.parametrize(
    "query",
    [
        "accounts/user/?password__startswith=argon2",
        "accounts/user/?security_epoch=1",
        "accounts/membership/?user__password__startswith=argon2",
        "accounts/invitation/?token_hash__isnull=0",
        "partners/partnerclient/?client_secret__startswith=a",
        "partners/onboarding/?registration_hash__isnull=0",
    ],
)
def test_a_list_is_narrowed_by_its_declared_filters_alone(ada: Browser, query: str) -> None:
    assert ada.get(f"/admin/{query}").status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "accounts/user/?is_staff__exact=1",
        "accounts/membership/?role__id__exact=01a20e97-26b5-7255-9494-7a9f4552bed9",
        "accounts/organisation/?kind__exact=operator&status__exact=active",
        "partners/onboarding/?state__exact=live",
    ],
)
def test_declared_filters_narrow_a_list(ada: Browser, query: str) -> None:
    assert ada.get(f"/admin/{query}").status_code == 200


def test_people_who_are_not_staff_do_not_enter(kim: Browser) -> None:
    for path in ("/admin/", "/admin/accounts/user/", "/admin/login/"):
        assert kim.get(path, follow=False).status_code == 302


def test_staff_prove_a_factor_again_after_a_quarter_of_an_hour(ada: Browser) -> None:
    store = SessionStore(key_of(ada.cookies["sid"].value))
    store["proved_at"] = store["proved_at"] - 901
    store.save()

    answer = ada.get("/admin/", follow=False)

    assert "/admin/login/" in answer["Location"]
    assert ada.get(answer["Location"])["Location"].startswith("/step-up/")


def test_a_role_changed_in_the_admin_acts_at_the_next_request(ada: Browser, alice: Browser) -> None:
    role = make.role("customer")
    before = held("customer")
    assert alice.get("/members/").status_code == 403

    status = change(ada, role, before | {"accounts.user.read"}, reason="Customers see colleagues.")

    assert status == 302
    assert alice.get("/members/").status_code == 200
    (entry,) = AuditEvent.objects.filter(type="accounts.role.changed")
    assert json.loads(entry.body)["details"]["gained"] == ["accounts.user.read"]
    versions = RoleVersion.objects.filter(role=role).order_by("number")
    assert [set(version.codes) for version in versions] == [before, before | {"accounts.user.read"}]
    assert versions[1].changed_by == ada.user


def test_a_role_changes_only_with_a_reason(ada: Browser) -> None:
    before = held("customer")

    status = change(ada, make.role("customer"), before | {"accounts.user.read"}, reason="")

    assert status == 200
    assert held("customer") == before
    assert not RoleVersion.objects.exists()


def test_an_unknown_permission_is_refused(ada: Browser) -> None:
    before = held("customer")

    change(ada, make.role("customer"), before | {"no.such.code"}, reason="Because.")

    assert held("customer") == before


def test_the_matrix_speaks_in_words(ada: Browser) -> None:
    page = ada.get(f"/admin/accounts/role/{make.role('key_user').pk}/change/").content.decode()

    assert "Invite people to the organisation" in page
    assert 'value="accounts.user.invite"' in page


def test_administrators_keep_the_right_to_change_roles(ada: Browser) -> None:
    before = held("administrator")

    with pytest.raises(AboveCeiling):
        roles.change_permissions(
            make.role("administrator").pk,
            before - {"accounts.role.manage"},
            reason="Mistake.",
            principal=ada.principal,
        )


def test_only_who_manages_roles_changes_them(kim: Browser) -> None:
    with pytest.raises(AboveCeiling):
        roles.change_permissions(
            make.role("customer").pk, {"accounts.user.read"}, reason="x", principal=kim.principal
        )


def test_staff_make_and_rename_an_organisation(ada: Browser) -> None:
    made = ada.post(
        "/admin/accounts/organisation/add/",
        {"kind": "customer", "name": "Zephyr Ltd", "status": "active"},
    )
    organisation = Organisation.objects.get(name="Zephyr Ltd")
    ada.post(
        f"/admin/accounts/organisation/{organisation.pk}/change/",
        {"name": "Zephyr plc", "status": "suspended"},
    )

    organisation.refresh_from_db()
    assert made.status_code == 302
    assert organisation.role_codes == ("customer", "key_user", "administrator")
    assert (organisation.name, organisation.status) == ("Zephyr plc", "suspended")
    for code in ("created", "changed"):
        assert AuditEvent.objects.filter(type=f"accounts.organisation.{code}").exists()
