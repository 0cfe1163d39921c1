"""Whoever may see a record and holds a role for it may reveal its protected values, on record."""

from django.db import migrations

from accounts.role_grants import grant_permissions

REVEAL = ("workspace.record.reveal",)


class Migration(migrations.Migration):
    dependencies = [("records", "0003_shipped_kinds"), ("accounts", "0002_shipped_roles")]

    operations = [
        grant_permissions({"customer": REVEAL, "partner": REVEAL, "key_user": REVEAL}),
    ]
