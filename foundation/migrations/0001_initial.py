from django.db import migrations, models

import foundation.identifiers


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Installation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=foundation.identifiers.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("production", "Production"),
                            ("demo", "Demo"),
                            ("test", "Test"),
                        ],
                        default="production",
                        max_length=12,
                    ),
                ),
                ("clock_offset_seconds", models.BigIntegerField(default=0)),
                ("is_only", models.BooleanField(default=True, editable=False, unique=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(is_only=True), name="installation_one_row"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(clock_offset_seconds=0) | models.Q(kind="test"),
                        name="installation_clock_moves_in_tests",
                    ),
                ],
            },
        ),
    ]
