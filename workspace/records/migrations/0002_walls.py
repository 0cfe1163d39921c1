"""Row-level security and foreign keys that carry the organisation."""

from django.db import migrations

from encryption.operations import ForbidKeyChange
from foundation.tenancy import EnableRowSecurity, OrganisationForeignKey


class Migration(migrations.Migration):
    dependencies = [("records", "0001_initial")]

    operations = [
        EnableRowSecurity("record"),
        EnableRowSecurity("recordvalue"),
        EnableRowSecurity("recordversion"),
        EnableRowSecurity("recordgrant"),
        EnableRowSecurity("recordgroupmember"),
        OrganisationForeignKey("recordvalue", "record"),
        OrganisationForeignKey("recordversion", "record"),
        OrganisationForeignKey("recordgrant", "record"),
        OrganisationForeignKey("recordgroupmember", "record"),
        ForbidKeyChange("recordvalue"),
        ForbidKeyChange("recordversion"),
    ]
