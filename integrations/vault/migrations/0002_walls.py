"""Row-level security, foreign keys with the organisation, and who may read payloads.

``gatehouse_app`` inserts versions and changes their state; the payload column is selected by
``gatehouse_vault`` alone (and by the role that writes backups). A new column must be granted here.
"""

from django.db import migrations

from encryption.operations import ForbidKeyChange
from foundation.tenancy import EnableRowSecurity, OrganisationForeignKey

READABLE = (
    "id, organisation_id, credential_id, number, fingerprint, created_at, not_before, "
    "expires_at, absolute_end_at, state"
)

PAYLOADS = f"""
REVOKE SELECT, UPDATE, DELETE ON vault_credential_version FROM gatehouse_app;
GRANT SELECT ({READABLE}) ON vault_credential_version TO gatehouse_app;
GRANT UPDATE (state) ON vault_credential_version TO gatehouse_app;
REVOKE SELECT ON vault_credential_version FROM gatehouse_staff;
GRANT SELECT ({READABLE}) ON vault_credential_version TO gatehouse_staff;
GRANT SELECT ON vault_credential_version TO gatehouse_vault;
"""  # noqa: S608  our own names

BACK = """
REVOKE SELECT ON vault_credential_version FROM gatehouse_vault;
GRANT SELECT ON vault_credential_version TO gatehouse_staff;
GRANT SELECT, UPDATE, DELETE ON vault_credential_version TO gatehouse_app;
"""


class Migration(migrations.Migration):
    dependencies = [("vault", "0001_initial")]

    operations = [
        EnableRowSecurity("credential"),
        EnableRowSecurity("credentialversion"),
        EnableRowSecurity("lease"),
        EnableRowSecurity("healthresult"),
        OrganisationForeignKey("credentialversion", "credential"),
        OrganisationForeignKey("lease", "credential"),
        OrganisationForeignKey("healthresult", "credential"),
        ForbidKeyChange("credentialversion"),
        migrations.RunSQL(PAYLOADS, BACK),
    ]
