from django.db import migrations

SHIPPED = (
    (
        "operation",
        "contract, art. 6(1)(b) GDPR",
        "Running the portal for the person's organisation",
    ),
    ("security", "legitimate interest, art. 6(1)(f) GDPR", "Keeping the portal and its data safe"),
    ("legal_duty", "legal obligation, art. 6(1)(c) GDPR", "Answering people and authorities"),
)


def ship(apps, schema_editor):
    if schema_editor.connection.alias != "default":
        return
    purpose = apps.get_model("privacy", "Purpose")
    for code, basis, description in SHIPPED:
        purpose.objects.using(schema_editor.connection.alias).get_or_create(
            code=code, defaults={"basis": basis, "description": description}
        )


class Migration(migrations.Migration):
    dependencies = [("privacy", "0001_initial")]
    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
