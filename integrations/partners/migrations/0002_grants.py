"""What the shipped roles may do with onboardings and clients."""

from django.db import migrations

from accounts.role_grants import grant_permissions
from encryption.operations import ForbidKeyChange

READ_CLIENTS = "integrations.client.read"
MANAGE_CLIENTS = "integrations.client.manage"


class Migration(migrations.Migration):
    dependencies = [("partners", "0001_initial"), ("accounts", "0002_shipped_roles")]

    operations = [
        ForbidKeyChange("onboarding"),
        grant_permissions(
            {
                "partner": (READ_CLIENTS,),
                "key_user": (READ_CLIENTS, MANAGE_CLIENTS),
                "administrator": (
                    READ_CLIENTS,
                    MANAGE_CLIENTS,
                    "integrations.onboarding.read",
                    "integrations.onboarding.approve",
                ),
            }
        ),
    ]
