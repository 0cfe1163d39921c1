from django.db import migrations, models

SHIPPED = (
    (
        "access",
        "contract, art. 6(1)(b), and legitimate interest in security, art. 6(1)(f) GDPR",
        "Letting you sign in, and nobody else in your name",
    ),
    ("contract", "contract, art. 6(1)(b) GDPR", "Working with partners under their contract"),
)


def ship(apps, schema_editor):
    alias = schema_editor.connection.alias
    if alias != "default":
        return
    purposes = apps.get_model("privacy", "Purpose").objects.using(alias)
    for code, basis, description in SHIPPED:
        purposes.get_or_create(code=code, defaults={"basis": basis, "description": description})


def moments(*fields):
    return [
        migrations.AddField(model, name, models.DateTimeField(null=True)) for model, name in fields
    ]


class Migration(migrations.Migration):
    dependencies = [("privacy", "0002_shipped_purposes")]

    operations = [
        *moments(
            ("archive", "told_at"),
            ("archive", "key_destroyed_at"),
            ("erasureplan", "told_at"),
            ("erasureplan", "enqueued_at"),
            ("subjectrequest", "enqueued_at"),
        ),
        migrations.AddField(
            "erasureitem",
            "title",
            models.CharField(blank=True, default="", max_length=200),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            "subjectrequest",
            models.UniqueConstraint(
                condition=models.Q(("state__in", ["received", "open", "ready"])),
                fields=("user_id", "kind"),
                name="privacy_request_one_open",
            ),
        ),
        migrations.RunPython(ship, migrations.RunPython.noop),
    ]
