"""Mails of an onboarding are due by row, and one worker at a time has them by lease."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("partners", "0002_grants"),
    ]

    operations = [
        migrations.AddField(
            model_name="onboarding",
            name="decision_sent_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="onboarding",
            name="lease_until",
            field=models.DateTimeField(null=True),
        ),
    ]
