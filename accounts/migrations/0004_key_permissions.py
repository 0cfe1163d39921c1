"""Who among the operator's staff sees, rotates and destroys encryption keys.

The key store stands below roles, so this step stands here.
"""

from django.db import migrations

from accounts.role_grants import grant_permissions

GRANTS = {
    "administrator": ("encryption.key.read", "encryption.key.rotate"),
    "security_officer": (
        "encryption.key.read",
        "encryption.key.rotate",
        "encryption.key.destroy",
    ),
}


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_mail_leases")]

    operations = [grant_permissions(GRANTS)]
