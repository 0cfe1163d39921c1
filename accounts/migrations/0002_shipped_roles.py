"""The six shipped roles and what they may do (identity.md 1)."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.role_grants import grant_permissions
from foundation.identifiers import uuid7

ROLES = (
    ("customer", "Customer", "key_user"),
    ("key_user", "Key user", "administrator"),
    ("partner", "Partner", "key_user"),
    ("administrator", "Administrator", "administrator"),
    ("data_protection_officer", "Data protection officer", "operator"),
    ("security_officer", "Security officer", "operator"),
)
READ = ("workspace.record.read", "workspace.record.write", "workspace.record.share")
GRANTS = {
    "customer": READ,
    "partner": READ,
    "key_user": (
        *READ,
        "workspace.record.read_all",
        "accounts.user.read",
        "accounts.user.invite",
        "accounts.user.manage",
    ),
    "administrator": (
        *READ,
        "workspace.record.read_all",
        "workspace.record.reveal",
        "accounts.user.read",
        "accounts.user.invite",
        "accounts.user.manage",
        "accounts.role.manage",
        "accounts.organisation.manage",
        "accounts.organisation.approve",
        "audit.entry.read",
        "audit.alert.read",
        "audit.alert.handle",
        "audit.alert.configure",
        "integrations.credential.read",
        "integrations.credential.manage",
    ),
    "data_protection_officer": (
        "accounts.user.read",
        "audit.entry.read",
        "privacy.request.read",
    ),
    "security_officer": (
        "accounts.user.read",
        "audit.entry.read",
        "audit.entry.reveal",
        "audit.alert.read",
        "audit.alert.handle",
        "audit.alert.configure",
    ),
}


def ship(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    alias = schema_editor.connection.alias
    if alias != "default":
        return
    roles = apps.get_model("accounts", "Role").objects.using(alias)
    for code, name, assignable_by in ROLES:
        roles.get_or_create(
            code=code,
            organisation=None,
            defaults={
                "id": uuid7(),
                "name": name,
                "assignable_by": assignable_by,
                "is_system": True,
            },
        )


def take_back(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    alias = schema_editor.connection.alias
    if alias == "default":
        apps.get_model("accounts", "Role").objects.using(alias).filter(is_system=True).delete()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunPython(ship, take_back), grant_permissions(GRANTS)]
