"""Migration step by which an app gives permissions to shipped roles.

The app that owns a permission says which shipped roles hold it, in a migration of its own that
depends on ``("accounts", "0002_shipped_roles")``::

    operations = [grant_permissions({"customer": ("workspace.record.read",)})]
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from foundation.identifiers import uuid7

Grants = Mapping[str, Sequence[str]]


def grant_permissions(grants: Grants) -> migrations.RunPython:
    """Return a reversible step that adds permission codes to shipped roles.

    Args:
        grants: shipped role code to the permission codes it gains.
    """

    def grant(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        alias = schema_editor.connection.alias
        if alias != "default":
            return
        held = apps.get_model("accounts", "RolePermission").objects.using(alias)
        for role_id, code in _wanted(apps, alias, grants):
            held.get_or_create(role_id=role_id, code=code, defaults={"id": uuid7()})

    def withdraw(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        alias = schema_editor.connection.alias
        if alias != "default":
            return
        held = apps.get_model("accounts", "RolePermission").objects.using(alias)
        for role_id, code in _wanted(apps, alias, grants):
            held.filter(role_id=role_id, code=code).delete()

    return migrations.RunPython(grant, withdraw)


def _wanted(apps: Apps, alias: str, grants: Grants) -> list[tuple[UUID, str]]:
    roles = apps.get_model("accounts", "Role").objects.using(alias)
    ids = dict(roles.filter(is_system=True, code__in=grants).values_list("code", "id"))
    return [(ids[role], code) for role, codes in grants.items() for code in codes]
