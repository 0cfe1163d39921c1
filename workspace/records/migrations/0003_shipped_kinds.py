"""The kinds every installation starts with: contact, company data, contract, device, free form.

Labels and help texts are stored in English and translated where they are shown; they are marked
here so that the catalogue holds them.
"""

from django.db import migrations
from django.utils.translation import gettext_noop as _

from foundation.identifiers import uuid7

# code, label, title field, about a person, fields:
# (code, label, help, type, class, sealed, searchable, required, most characters)
KINDS = (
    (
        "contact",
        _("Contact"),
        "name",
        True,
        (
            ("name", _("Name"), _("First and last name, for example Anna Kowalska."), "text", "identifier", True, False, True, 200),
            ("position", _("Position"), _("What this person does, for example purchasing."), "text", "content", True, False, False, 200),
            ("email", _("E-mail address"), _("Used to reach this person, for example anna@example.org."), "email", "contact", True, False, False, 254),
            ("phone", _("Phone number"), _("With country code, for example +49 30 1234567."), "phone", "contact", True, False, False, 40),
            ("address", _("Postal address"), _("Street, postcode and city, one line each."), "long_text", "contact", True, False, False, 500),
            ("notes", _("Notes"), _("Only what the work needs; no health or private matters."), "long_text", "content", True, False, False, 5000),
        ),
    ),
    (
        "company",
        _("Company data"),
        "legal_name",
        False,
        (
            ("legal_name", _("Legal name"), _("As in the commercial register, for example Muster GmbH."), "text", "identifier", True, False, True, 200),
            ("country", _("Country"), _("Two letters, for example DE."), "country", "link", False, False, False, 2),
            ("registration_number", _("Registration number"), _("Number in the commercial register, for example HRB 12345."), "text", "identifier", True, False, False, 80),
            ("vat_id", _("VAT number"), _("With country, for example DE123456789."), "text", "identifier", True, False, False, 30),
            ("address", _("Postal address"), _("Street, postcode and city, one line each."), "long_text", "contact", True, False, False, 500),
            ("phone", _("Phone number"), _("With country code, for example +49 30 1234567."), "phone", "contact", True, False, False, 40),
            ("account_holder", _("Account holder"), _("Name on the bank account, for payments to this company."), "text", "financial", True, False, False, 200),
            ("iban", _("IBAN"), _("Bank account for payments, for example DE89 3704 0044 0532 0130 00."), "iban", "financial", True, True, False, 42),
        ),
    ),
    (
        "contract",
        _("Contract"),
        "subject",
        False,
        (
            ("subject", _("Subject"), _("What the contract is about, for example maintenance."), "text", "content", True, False, True, 200),
            ("number", _("Contract number"), _("Your own number, for example 2026-0147."), "text", "identifier", True, False, False, 80),
            ("party", _("Other party"), _("With whom the contract was made."), "text", "identifier", True, False, False, 200),
            ("starts_on", _("Starts on"), _("As 2026-01-31."), "date", "content", True, False, False, 10),
            ("ends_on", _("Ends on"), _("As 2026-12-31; empty if it has no end."), "date", "content", True, False, False, 10),
            ("terms", _("Terms"), _("Notice periods and what else must be remembered."), "long_text", "content", True, False, False, 5000),
        ),
    ),
    (
        "device",
        _("Device"),
        "name",
        False,
        (
            ("name", _("Name"), _("What people call it, for example packing line 2."), "text", "content", True, False, True, 200),
            ("manufacturer", _("Manufacturer"), _("Who made it."), "text", "content", True, False, False, 200),
            ("model", _("Model"), _("As on the type plate."), "text", "content", True, False, False, 200),
            ("serial_number", _("Serial number"), _("As on the type plate."), "text", "identifier", True, False, False, 120),
            ("location", _("Location"), _("Where it stands."), "text", "content", True, False, False, 200),
            ("unlock_code", _("Unlock code"), _("Code that opens the device; shown only on request, with a reason."), "text", "secret", True, False, False, 200),
        ),
    ),
    (
        "free_form",
        _("Free form"),
        "title",
        False,
        (
            ("title", _("Title"), _("A few words by which you find it again."), "text", "content", True, False, True, 200),
            ("text", _("Text"), _("Whatever has no field of its own."), "long_text", "content", True, False, False, 5000),
        ),
    ),
)  # fmt: skip
PURPOSE = "operation"


def ship(apps, schema_editor):
    alias = schema_editor.connection.alias
    if alias != "default":
        return
    kind_model = apps.get_model("records", "RecordKind")
    field_model = apps.get_model("records", "RecordKindField")
    for place, (code, label, title_field, is_about_person, fields) in enumerate(KINDS):
        kind, _made = kind_model.objects.using(alias).get_or_create(
            code=code,
            defaults={
                "id": uuid7(),
                "label": label,
                "title_field": title_field,
                "is_about_person": is_about_person,
                "position": place,
            },
        )
        for position, field in enumerate(fields):
            _ship_field(field_model.objects.using(alias), kind, position, field)


def _ship_field(rows, kind, position, field):
    (
        code,
        label,
        help_text,
        value_type,
        data_class,
        is_sealed,
        is_searchable,
        is_required,
        longest,
    ) = field
    rows.get_or_create(
        kind=kind,
        code=code,
        defaults={
            "id": uuid7(),
            "label": label,
            "help_text": help_text,
            "value_type": value_type,
            "data_class": data_class,
            "purpose": PURPOSE,
            "is_sealed": is_sealed,
            "is_searchable": is_searchable,
            "is_required": is_required,
            "max_length": longest,
            "position": position,
        },
    )


class Migration(migrations.Migration):
    dependencies = [("records", "0002_walls")]

    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
