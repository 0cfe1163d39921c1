"""A worker has a mail that is due by lease, so that two never send it and a kill loses none."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_shipped_roles"),
    ]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="lease_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="onetimelink",
            name="lease_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="securitynotice",
            name="lease_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
